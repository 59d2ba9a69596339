/* SPDX-License-Identifier: BSD-3-Clause */
/* The heap of deadlines against an array in which the earliest is searched for. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "dataplane/ctl/deadline.h"

#define COUNT 200

static uint64_t random_state;

static uint32_t pick(uint32_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 33) % below;
}

static uint64_t earliest(const uint64_t at_ns[])
{
	uint64_t first = DEADLINE_NEVER;

	for (unsigned int i = 0; i < COUNT; i++)
		if (at_ns[i] < first)
			first = at_ns[i];
	return first;
}

START_TEST(what_is_due_comes_out_in_order)
{
	struct deadline deadlines[COUNT] = {0};
	struct deadline_heap heap;
	uint64_t at_ns[COUNT];

	ck_assert_int_eq(deadline_heap_open(&heap, COUNT), 0);
	for (unsigned int i = 0; i < COUNT; i++)
		at_ns[i] = DEADLINE_NEVER;
	for (uint64_t now = 0; now < 30000; now++) {
		unsigned int which = pick(COUNT);
		struct deadline *due;

		at_ns[which] = pick(5) ? now + pick(500) : DEADLINE_NEVER;
		deadline_set(&heap, &deadlines[which], at_ns[which]);
		ck_assert_uint_eq(deadline_next(&heap), earliest(at_ns));
		while ((due = deadline_take(&heap, now))) {
			ck_assert_uint_eq(at_ns[due - deadlines], earliest(at_ns));
			ck_assert_uint_le(at_ns[due - deadlines], now);
			at_ns[due - deadlines] = DEADLINE_NEVER;
		}
		ck_assert_uint_gt(earliest(at_ns), now);
	}
	for (unsigned int i = 0; i < COUNT; i++)
		deadline_set(&heap, &deadlines[i], DEADLINE_NEVER);
	ck_assert_uint_eq(heap.count, 0);
	deadline_heap_close(&heap);
}
END_TEST

int main(void)
{
	const char *seed = getenv("STENTOR_SEED");
	Suite *suite = suite_create("deadline");
	TCase *tests = tcase_create("heap");
	SRunner *runner;
	int failed;

	random_state = (seed ? strtoull(seed, NULL, 10) : (uint64_t)time(NULL)) | 1;
	printf("STENTOR_SEED=%llu\n", (unsigned long long)random_state);
	fflush(stdout);
	tcase_add_test(tests, what_is_due_comes_out_in_order);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
