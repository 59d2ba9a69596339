/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdbool.h>

#include "controlplane/rooms/roster.h"
#include "tests/support/random.h"
#include "tests/support/unit.h"

#define IDS 400

static char things[IDS + 1];

START_TEST(a_page_goes_on_behind_what_was_removed)
{
	struct roster roster = {0};
	uint64_t id = 0;

	for (uint64_t i = 1; i <= 5; i++)
		ck_assert_int_eq(roster_add(&roster, i * 10, &things[i]), 0);
	ck_assert_ptr_eq(roster_next(&roster, &id), &things[1]);
	ck_assert_ptr_eq(roster_next(&roster, &id), &things[2]);
	/* The reader stands at 20, which goes, and so does the one that would be next. */
	ck_assert_ptr_eq(roster_remove(&roster, 20), &things[2]);
	ck_assert_ptr_eq(roster_remove(&roster, 30), &things[3]);
	ck_assert_ptr_eq(roster_next(&roster, &id), &things[4]);
	ck_assert_uint_eq(id, 40);
	/* A removal that is taken back comes to its old place. */
	ck_assert_int_eq(roster_add(&roster, 20, &things[2]), 0);
	ck_assert_int_eq(roster_add(&roster, 20, &things[2]), -EEXIST);
	id = 10;
	ck_assert_ptr_eq(roster_next(&roster, &id), &things[2]);
	id = UINT64_MAX;
	ck_assert_ptr_null(roster_next(&roster, &id));
	roster_clear(&roster);
}
END_TEST

START_TEST(random_steps_agree_with_the_model)
{
	bool present[IDS + 1] = {false};
	struct random_state random;
	struct roster roster = {0};
	size_t count = 0;

	random_seed(&random);
	for (unsigned int step = 0; step < 100000; step++) {
		unsigned int i = 1 + random_below(&random, IDS);

		if (random_below(&random, 2)) {
			ck_assert_int_eq(
				roster_add(&roster, i, &things[i]), present[i] ? -EEXIST : 0);
			count += !present[i];
			present[i] = true;
		} else {
			ck_assert_ptr_eq(roster_remove(&roster, i), present[i] ? &things[i] : NULL);
			count -= present[i];
			present[i] = false;
		}
		ck_assert_uint_eq(roster.count, count);
		i = 1 + random_below(&random, IDS);
		ck_assert_ptr_eq(roster_find(&roster, i), present[i] ? &things[i] : NULL);
	}
	uint64_t id = 0;
	for (unsigned int i = 1; i <= IDS; i++) {
		if (present[i]) {
			ck_assert_ptr_eq(roster_next(&roster, &id), &things[i]);
			ck_assert_uint_eq(id, i);
		}
	}
	ck_assert_ptr_null(roster_next(&roster, &id));
	roster_clear(&roster);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("roster");
	TCase *tcase = tcase_create("roster");

	tcase_add_test(tcase, a_page_goes_on_behind_what_was_removed);
	tcase_add_test(tcase, random_steps_agree_with_the_model);
	tcase_set_timeout(tcase, 60);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
