// SPDX-License-Identifier: BSD-3-Clause
/* Waits by bound, percentiles, and what is noted of the longest. */
#include "perf/waits.h"
#include "tests/support/unit.h"

#define US UINT64_C(1000)

START_TEST(a_wait_is_over_the_bounds_below_it)
{
	static const struct {
		const char *what;
		uint64_t ns;
		unsigned int bounds; /* how many it is over */
	} row[] = {
		{"nothing is over nothing", 0, 0},
		{"a microsecond is not over a microsecond", 1 * US, 0},
		{"a nanosecond more is", 1 * US + 1, 1},
		{"ten is not over ten", 10 * US, WAITS_OVER_10US},
		{"a nanosecond more is", 10 * US + 1, WAITS_OVER_10US + 1},
		{"fifty is not over fifty", 50 * US, WAITS_OVER_50US},
		{"a nanosecond more is", 50 * US + 1, WAITS_OVER_50US + 1},
		{"fifty milliseconds are not over the last", 50000 * US, WAITS_BOUNDS - 1},
		{"a nanosecond more is", 50000 * US + 1, WAITS_BOUNDS},
	};

	for (unsigned int i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct waits waits = {0};

		waits_add(&waits, row[i].ns);
		for (unsigned int b = 0; b < WAITS_BOUNDS; b++)
			ck_assert_msg(waits_over(&waits, b) == (b < row[i].bounds), "%s: %u us",
				row[i].what, waits_bounds_us[b]);
		ck_assert_uint_eq(waits.longest_ns, row[i].ns);
	}
}
END_TEST

/* A second: 900 of 1 ms, one of 60 us, one of 99.94 ms. */
START_TEST(rates_are_of_the_time_watched)
{
	struct waits waits = {0};

	ck_assert(waits_over_per_s(&waits, WAITS_OVER_50US) == 0);
	ck_assert(waits_percent(&waits, WAITS_OVER_50US) == 0);
	ck_assert(waits_time_percent(&waits, 0) == 0);
	for (unsigned int i = 0; i < 900; i++)
		waits_add(&waits, 1000 * US);
	waits_add(&waits, 60 * US);
	waits_add(&waits, 99940 * US);
	ck_assert_uint_eq(waits.histogram.sum_ns, 1000000 * US);
	ck_assert_double_eq_tol(waits_over_per_s(&waits, WAITS_OVER_50US), 902, 1e-6);
	ck_assert_double_eq_tol(waits_time_percent(&waits, WAITS_BOUNDS - 1), 9.994, 1e-6);
	ck_assert_double_eq_tol(waits_percent(&waits, WAITS_BOUNDS - 1), 100.0 / 902, 1e-9);
}
END_TEST

START_TEST(percentiles_are_by_rank_and_never_above_the_longest)
{
	struct waits waits = {0};

	for (unsigned int i = 0; i < 9990; i++)
		waits_add(&waits, 7);
	for (unsigned int i = 0; i < 10; i++)
		waits_add(&waits, 33 * US);
	ck_assert_double_eq_tol(waits_us(&waits, 0.5), 0.007, 1e-9);
	ck_assert_double_eq_tol(waits_us(&waits, 0.999), 0.007, 1e-9);
	/* The bucket ends an eighth higher at most, but nothing waited longer than 33 us. */
	ck_assert_double_eq_tol(waits_us(&waits, 0.9999), 33, 1e-9);
	ck_assert_double_eq_tol(waits_us(&waits, 1), 33, 1e-9);
}
END_TEST

START_TEST(a_long_wait_is_its_largest_stages)
{
	static const struct {
		const char *what;
		uint64_t ns, stage_ns[WAIT_STAGES];
		uint64_t over_50us[WAIT_STAGES];
	} row[] = {
		{"fifty are not long", 50 * US, {50 * US, 0, 0}, {0, 0, 0}},
		{"commands", 51 * US, {20 * US, 17 * US, 14 * US}, {1, 0, 0}},
		{"copies", 51 * US, {17 * US, 20 * US, 14 * US}, {0, 1, 0}},
		{"neither", 51 * US, {1 * US, 2 * US, 48 * US}, {0, 0, 1}},
	};

	for (unsigned int i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct wait_phase phase = {0};
		struct wait wait = {.ns = row[i].ns};

		memcpy(wait.stage_ns, row[i].stage_ns, sizeof(wait.stage_ns));
		wait_note(&phase, &wait);
		for (unsigned int s = 0; s < WAIT_STAGES; s++) {
			ck_assert_msg(phase.over_50us[s] == row[i].over_50us[s], "%s", row[i].what);
			ck_assert_uint_eq(phase.stage_ns[s], row[i].stage_ns[s]);
		}
	}
}
END_TEST

/* 100 of them in two phases: the longest sixteen are kept, whatever came first. */
START_TEST(the_longest_are_kept_over_all_repeats)
{
	struct wait_phase phase[2] = {0}, sum = {0};
	uint64_t ns = 0;

	for (unsigned int i = 0; i < 100; i++) {
		struct wait wait = {.at_ns = i, .ns = (100 + i * 37 % 100) * US, .commands = i};

		wait_note(&phase[i % 2], &wait);
	}
	wait_merge(&sum, &phase[0]);
	wait_merge(&sum, &phase[1]);
	ck_assert_uint_eq(histogram_total(&sum.waits.histogram), 100);
	ck_assert_uint_eq(waits_over(&sum.waits, WAITS_OVER_50US), 100);
	ck_assert_uint_eq(sum.waits.longest_ns, 199 * US);
	for (unsigned int i = 0; i < WAITS_LONGEST; i++) {
		ck_assert_uint_ge(sum.longest[i].ns, (200 - WAITS_LONGEST) * US);
		ck_assert_uint_eq(sum.longest[i].commands, sum.longest[i].at_ns);
		ns += sum.longest[i].ns;
	}
	/* 184 + ... + 199 */
	ck_assert_uint_eq(ns, 3064 * US);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("waits");
	TCase *tcase = tcase_create("all");

	tcase_add_test(tcase, a_wait_is_over_the_bounds_below_it);
	tcase_add_test(tcase, rates_are_of_the_time_watched);
	tcase_add_test(tcase, percentiles_are_by_rank_and_never_above_the_longest);
	tcase_add_test(tcase, a_long_wait_is_its_largest_stages);
	tcase_add_test(tcase, the_longest_are_kept_over_all_repeats);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
