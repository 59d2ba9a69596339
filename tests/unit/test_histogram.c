// SPDX-License-Identifier: BSD-3-Clause
#include <check.h>
#include <stdlib.h>

#include "dataplane/core/histogram.h"
#include "tests/support/random.h"

/* Every value lies in its bucket, not in the one before, and buckets are an eighth wide at most. */
START_TEST(a_value_lies_in_its_bucket)
{
	struct random_state random;
	unsigned int i, bucket;
	uint64_t value, low;

	random_seed(&random);
	for (i = 0; i < 100000; i++) {
		value = random_next(&random) >> (29 + random_below(&random, 35));
		bucket = histogram_bucket(value);
		low = bucket == 0 ? 0 : histogram_top(bucket - 1) + 1;
		ck_assert_uint_le(value, histogram_top(bucket));
		ck_assert_uint_ge(value, low);
		if (bucket < HISTOGRAM_BUCKETS - 1)
			ck_assert_uint_le(8 * (histogram_top(bucket) - low), low);
	}
}
END_TEST

START_TEST(bounds_on_paper)
{
	static const struct {
		uint64_t ns;
		unsigned int bucket;
	} row[] = {{0, 0}, {7, 7}, {8, 8}, {15, 15}, {16, 16}, {17, 16}, {18, 17}, {31, 23},
		{32, 24}, {35, 24}, {36, 25}, {1023, 63}, {1024, 64}, {UINT64_MAX, 263}};
	unsigned int i;

	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		ck_assert_uint_eq(histogram_bucket(row[i].ns), row[i].bucket);
	ck_assert_uint_eq(histogram_top(24), 35);
	ck_assert_uint_eq(histogram_top(63), 1023);
	ck_assert_uint_eq(histogram_top(263), UINT64_MAX);
	/* Half a minute is not the last bucket. */
	ck_assert_uint_lt(histogram_bucket(30000000000ull), HISTOGRAM_BUCKETS - 1);
}
END_TEST

START_TEST(quantiles_are_by_rank)
{
	struct histogram h = {0};
	unsigned int i;

	ck_assert_uint_eq(histogram_quantile(&h, 0.5), 0);
	for (i = 0; i < 99; i++)
		histogram_add(&h, 4);
	histogram_add(&h, 1000);
	ck_assert_uint_eq(histogram_total(&h), 100);
	ck_assert_uint_eq(h.sum_ns, 99 * 4 + 1000);
	ck_assert_uint_eq(histogram_quantile(&h, 0), 4);
	ck_assert_uint_eq(histogram_quantile(&h, 0.5), 4);
	ck_assert_uint_eq(histogram_quantile(&h, 0.99), 4);
	ck_assert_uint_eq(histogram_quantile(&h, 0.991), 1023);
	ck_assert_uint_eq(histogram_quantile(&h, 1), 1023);
}
END_TEST

START_TEST(merged_is_both)
{
	struct histogram a = {0}, b = {0};

	histogram_add(&a, 5);
	histogram_add(&b, 5);
	histogram_add(&b, 70);
	histogram_merge(&a, &b);
	ck_assert_uint_eq(histogram_total(&a), 3);
	ck_assert_uint_eq(a.sum_ns, 80);
	ck_assert_uint_eq(a.count[5], 2);
}
END_TEST

/* Nothing is lost, and what is above a bound is never counted below it. */
START_TEST(folded_into_coarse_bounds)
{
	static const uint32_t bounds_us[] = {10, 100, 1000};
	struct histogram h = {0};
	uint64_t out[4];

	histogram_add(&h, 900);
	histogram_add(&h, 9000);
	histogram_add(&h, 10001);
	histogram_add(&h, 80000);
	histogram_add(&h, 900000);
	histogram_add(&h, 1000001);
	histogram_add(&h, UINT64_MAX >> 1);
	histogram_fold(&h, bounds_us, 3, out);
	ck_assert_uint_eq(out[0], 2);
	ck_assert_uint_eq(out[1], 2);
	ck_assert_uint_eq(out[2], 1);
	ck_assert_uint_eq(out[3], 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("histogram");
	TCase *cases = tcase_create("histogram");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(cases, a_value_lies_in_its_bucket);
	tcase_add_test(cases, bounds_on_paper);
	tcase_add_test(cases, quantiles_are_by_rank);
	tcase_add_test(cases, merged_is_both);
	tcase_add_test(cases, folded_into_coarse_bounds);
	suite_add_tcase(suite, cases);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
