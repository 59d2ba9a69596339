/* SPDX-License-Identifier: BSD-3-Clause */
/* The hash set against an array that is searched from end to end. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "dataplane/ctl/map.h"

#define VALUES 400

struct value {
	uint64_t id;
	bool there;
};

static struct value values[VALUES];

static bool same(const void *value, const void *key)
{
	return ((const struct value *)value)->id == *(const uint64_t *)key;
}

/* Four hashes for everything: the probes of all of them run into each other, around the end too. */
static uint64_t bad_hash(uint64_t id)
{
	return id % 4 == 0 ? UINT64_MAX : id % 4 + 60;
}

static uint64_t random_state;

static uint32_t pick(uint32_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 33) % below;
}

static void compare(const struct map *map, bool bad)
{
	size_t count = 0;

	for (unsigned int i = 0; i < VALUES; i++) {
		uint64_t hash = bad ? bad_hash(values[i].id) : map_hash(values[i].id);

		ck_assert_ptr_eq(
			map_find(map, hash, &values[i].id), values[i].there ? &values[i] : NULL);
		count += values[i].there;
	}
	ck_assert_uint_eq(map->count, count);
}

START_TEST(it_holds_what_the_array_holds)
{
	bool bad = _i;
	struct map map;

	map_init(&map, same);
	compare(&map, bad);
	for (unsigned int i = 0; i < VALUES; i++)
		values[i] = (struct value){.id = 1 + i * 7};
	for (unsigned int step = 0; step < 20000; step++) {
		struct value *value = &values[pick(step % 5000 < 2500 ? VALUES : 30)];
		uint64_t hash = bad ? bad_hash(value->id) : map_hash(value->id);

		if (value->there)
			map_remove(&map, hash, value);
		else
			ck_assert_int_eq(map_add(&map, hash, value), 0);
		value->there = !value->there;
		if (step % 50 == 0)
			compare(&map, bad);
	}
	compare(&map, bad);
	map_close(&map);
	map_close(&map);
}
END_TEST

int main(void)
{
	const char *seed = getenv("STENTOR_SEED");
	Suite *suite = suite_create("map");
	TCase *tests = tcase_create("map");
	SRunner *runner;
	int failed;

	random_state = (seed ? strtoull(seed, NULL, 10) : (uint64_t)time(NULL)) | 1;
	printf("STENTOR_SEED=%llu\n", (unsigned long long)random_state);
	fflush(stdout);
	tcase_add_loop_test(tests, it_holds_what_the_array_holds, 0, 2);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
