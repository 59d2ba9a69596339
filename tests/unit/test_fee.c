/* SPDX-License-Identifier: BSD-3-Clause */
/* What the platform takes: rows worked out on paper, and a slow model that counts unit by unit. */
#include <stdio.h>

#include "controlplane/rooms/fee.h"
#include "tests/support/random.h"
#include "tests/support/unit.h"

/* 3 % of the first 100.00, 10 % up to 500.00, 20 % beyond. */
static const struct fee_tier table[] = {{10000, 300}, {50000, 1000}, {UINT64_MAX, 2000}};
static const struct fee_tier flat[] = {{UINT64_MAX, 2000}};
static const struct fee_tier all[] = {{UINT64_MAX, 10000}};

static const struct {
	const char *what;
	const struct fee_tier *tiers;
	uint32_t count;
	uint64_t gross, base, fee;
} rows[] = {
	{"a fifth", flat, 1, 0, 1000, 200},
	{"the fraction stays with the host: 6.6", flat, 1, 0, 33, 6},
	{"a free ticket", flat, 1, 700, 0, 0},
	{"the dearest ticket", flat, 1, 0, 1000000000, 200000000},
	{"a host of many millions", flat, 1, 4000000000000000, 1000000000, 200000000},
	{"no tiers, no fee", flat, 0, 0, 1000, 0},
	{"everything", all, 1, 5, 999, 999},
	{"in the first tier: 3 % of 10.00", table, 3, 0, 1000, 30},
	{"up to its border", table, 3, 9000, 1000, 30},
	{"from its border on", table, 3, 10000, 1000, 100},
	{"across it: 3 % of 10.00 and 10 % of 10.00", table, 3, 9000, 2000, 130},
	{"across both: 3.00, 40.00, 20.00", table, 3, 0, 60000, 6300},
	{"each part is rounded down by itself: 0.03 and 0.1", table, 3, 9999, 2, 0},
	{"in the last one", table, 3, 50000, 1000, 200},
};

START_TEST(a_ticket_costs_what_paper_says)
{
	ck_assert_msg(fee_of(rows[_i].tiers, rows[_i].count, rows[_i].gross, rows[_i].base) ==
			      rows[_i].fee,
		"%s: %llu", rows[_i].what,
		(unsigned long long)fee_of(
			rows[_i].tiers, rows[_i].count, rows[_i].gross, rows[_i].base));
}
END_TEST

START_TEST(as_if_counted_unit_by_unit)
{
	struct random_state random;

	random_seed(&random);
	for (unsigned int round = 0; round < 2000; round++) {
		struct fee_tier tiers[4];
		uint64_t units[4] = {0}, up_to = 0, expected = 0;
		uint64_t gross = random_below(&random, 3000), base = random_below(&random, 1500);

		for (unsigned int i = 0; i < 4; i++) {
			up_to += 1 + random_below(&random, 1000);
			tiers[i] = (struct fee_tier){
				i == 3 ? UINT64_MAX : up_to, random_below(&random, 10001)};
		}
		for (uint64_t unit = gross; unit < gross + base; unit++) {
			unsigned int tier = 0;

			while (unit >= tiers[tier].up_to)
				tier++;
			units[tier]++;
		}
		for (unsigned int i = 0; i < 4; i++)
			expected += units[i] * tiers[i].basis_points / 10000;
		ck_assert_uint_eq(fee_of(tiers, 4, gross, base), expected);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fee");
	TCase *tcase = tcase_create("fee");

	tcase_add_loop_test(
		tcase, a_ticket_costs_what_paper_says, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tcase, as_if_counted_unit_by_unit);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
