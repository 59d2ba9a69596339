/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "controlplane/rooms/hash.h"
#include "tests/support/random.h"
#include "tests/support/unit.h"

#define NAMES 500

START_TEST(an_empty_table_holds_nothing)
{
	struct hash hash = {0};
	size_t position = 0;

	ck_assert_ptr_null(hash_find(&hash, "a"));
	ck_assert_ptr_null(hash_remove(&hash, "a"));
	ck_assert_ptr_null(hash_next(&hash, &position));
	hash_clear(&hash);
}
END_TEST

START_TEST(a_name_is_there_once)
{
	struct hash hash = {.seed = 7};
	char a[] = "a", again[] = "a";

	ck_assert_int_eq(hash_add(&hash, a), 0);
	ck_assert_int_eq(hash_add(&hash, again), -EEXIST);
	ck_assert_ptr_eq(hash_find(&hash, "a"), a);
	ck_assert_uint_eq(hash.count, 1);
	ck_assert_ptr_eq(hash_remove(&hash, "a"), a);
	ck_assert_int_eq(hash_add(&hash, again), 0);
	hash_clear(&hash);
}
END_TEST

/* Against an array of booleans. */
START_TEST(random_adds_and_removes_agree_with_the_model)
{
	static char names[NAMES][8];
	bool present[NAMES] = {false};
	struct random_state random;
	struct hash hash = {0};
	size_t count = 0;

	random_seed(&random);
	hash.seed = random_next(&random);
	for (unsigned int i = 0; i < NAMES; i++)
		snprintf(names[i], sizeof(names[i]), "n%u", i);
	for (unsigned int step = 0; step < 200000; step++) {
		unsigned int i = random_below(&random, NAMES);

		if (random_below(&random, 2)) {
			ck_assert_int_eq(hash_add(&hash, names[i]), present[i] ? -EEXIST : 0);
			count += !present[i];
			present[i] = true;
		} else {
			ck_assert_ptr_eq(
				hash_remove(&hash, names[i]), present[i] ? names[i] : NULL);
			count -= present[i];
			present[i] = false;
		}
		ck_assert_uint_eq(hash.count, count);
		i = random_below(&random, NAMES);
		ck_assert_ptr_eq(hash_find(&hash, names[i]), present[i] ? names[i] : NULL);
	}
	size_t position = 0, walked = 0;
	while (hash_next(&hash, &position) != NULL)
		walked++;
	ck_assert_uint_eq(walked, count);
	hash_clear(&hash);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("hash");
	TCase *tcase = tcase_create("hash");

	tcase_add_test(tcase, an_empty_table_holds_nothing);
	tcase_add_test(tcase, a_name_is_there_once);
	tcase_add_test(tcase, random_adds_and_removes_agree_with_the_model);
	tcase_set_timeout(tcase, 60);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
