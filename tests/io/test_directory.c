// SPDX-License-Identifier: BSD-3-Clause
/* The directory of WEBRTC legs against a plain array, through any history. */
#include <stdlib.h>

#include "dataplane/io/state.h"
#include "tests/support/random.h"
#include "tests/support/unit.h"

#define LEGS 64u
#define STEPS 20000u

static const struct siphash_key key = {.k0 = 1, .k1 = 2};

START_TEST(finds_who_is_there_and_nobody_else)
{
	struct worker_leg *leg = calloc(LEGS, sizeof(*leg));
	struct leg_facts facts[LEGS] = {0};
	bool there[LEGS] = {false};
	struct directory directory;
	struct random_state random;
	uint32_t step, i, n, wanted;

	random_seed(&random);
	ck_assert_ptr_nonnull(leg);
	ck_assert_int_eq(directory_open(&directory, &key, leg, LEGS), 0);
	for (step = 0; step < STEPS; step++) {
		n = random_below(&random, LEGS);
		if (there[n]) {
			directory_remove(&directory, n);
			leg[n].facts = NULL;
		} else {
			/* Few ids, so that they come back under other handles. */
			facts[n].leg_id = 1 + n + LEGS * random_below(&random, 3);
			leg[n].facts = &facts[n];
			directory_add(&directory, n);
		}
		there[n] = !there[n];
		for (i = 0; i < LEGS; i++) {
			wanted = there[i] ? i : DIRECTORY_NONE;
			ck_assert_uint_eq(directory_find(&directory, facts[i].leg_id), wanted);
		}
		ck_assert_uint_eq(directory_find(&directory, 4 * LEGS + step), DIRECTORY_NONE);
	}
	directory_close(&directory);
	directory_close(&directory);
	free(leg);
}
END_TEST

/* A leg changes its role: the new one is added before or after the old one goes. */
START_TEST(the_same_leg_under_another_handle)
{
	struct worker_leg leg[2] = {0};
	struct leg_facts facts = {.leg_id = 77};
	struct directory directory;

	ck_assert_int_eq(directory_open(&directory, &key, leg, 2), 0);
	leg[0].facts = &facts;
	leg[1].facts = &facts;
	directory_add(&directory, 0);
	directory_add(&directory, 1);
	ck_assert_uint_eq(directory_find(&directory, 77), 1);
	directory_remove(&directory, 0);
	ck_assert_uint_eq(directory_find(&directory, 77), 1);
	directory_remove(&directory, 1);
	ck_assert_uint_eq(directory_find(&directory, 77), DIRECTORY_NONE);
	directory_close(&directory);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("directory");
	TCase *cases = tcase_create("directory");

	tcase_add_test(cases, finds_who_is_there_and_nobody_else);
	tcase_add_test(cases, the_same_leg_under_another_handle);
	suite_add_tcase(suite, cases);
	return unit_run(suite);
}
