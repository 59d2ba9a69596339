// SPDX-License-Identifier: BSD-3-Clause
/* The locator against a plain list, in tables so small that probing wraps around all the time. */
#include <errno.h>

#include "dataplane/core/locator.h"
#include "tests/support/random.h"
#include "tests/support/unit.h"

static const struct siphash_key key = {.k0 = 0x0706050403020100, .k1 = 0x0f0e0d0c0b0a0908};

static struct stn_address address_make(uint8_t family, uint32_t number)
{
	struct stn_address address = {.family = family, .port_be = (uint16_t)(number * 257)};

	address.address[0] = 10;
	address.address[3] = (uint8_t)number;
	return address;
}

START_TEST(a_tuple_is_family_address_and_port)
{
	struct stn_address a = address_make(4, 1), b;
	struct locator locator;

	ck_assert_int_eq(locator_open(&locator, &key, 16), 0);
	ck_assert_uint_eq(locator_find(&locator, &a), LOCATOR_NONE);
	ck_assert_int_eq(locator_add(&locator, &a, 0), 0);
	ck_assert_uint_eq(locator_find(&locator, &a), 0);
	ck_assert_int_eq(locator_add(&locator, &a, 7), -EEXIST);
	ck_assert_uint_eq(locator_find(&locator, &a), 0);
	b = a;
	b.port_be ^= 0x0100;
	ck_assert_uint_eq(locator_find(&locator, &b), LOCATOR_NONE);
	b = a;
	b.address[0] ^= 1;
	ck_assert_uint_eq(locator_find(&locator, &b), LOCATOR_NONE);
	b = a;
	b.family = 6;
	ck_assert_uint_eq(locator_find(&locator, &b), LOCATOR_NONE);
	b = a;
	b.reserved = 9;
	ck_assert_uint_eq(locator_find(&locator, &b), 0);
	locator_remove(&locator, &b);
	ck_assert_uint_eq(locator_find(&locator, &a), LOCATOR_NONE);
	locator_remove(&locator, &a);
	ck_assert_uint_eq(locator.count, 0);
	locator_close(&locator);
	locator_close(&locator);
}
END_TEST

START_TEST(it_takes_as_many_as_it_was_opened_for)
{
	static const uint32_t sizes[] = {1, 8, 16, 100, 128};
	struct stn_address address;
	struct locator locator;
	uint32_t max = sizes[_i], i;

	ck_assert_int_eq(locator_open(&locator, &key, max), 0);
	/* A quarter stays free, or a lookup would get long. */
	ck_assert_uint_ge(locator.cells, max + max / 3);
	for (i = 0; i < max; i++) {
		address = address_make(4, i);
		ck_assert_int_eq(locator_add(&locator, &address, i), 0);
	}
	address = address_make(6, 1);
	ck_assert_int_eq(locator_add(&locator, &address, i), -ENOSPC);
	ck_assert_uint_eq(locator_find(&locator, &address), LOCATOR_NONE);
	for (i = 0; i < max; i++) {
		address = address_make(4, i);
		ck_assert_uint_eq(locator_find(&locator, &address), i);
	}
	locator_close(&locator);
}
END_TEST

#define UNIVERSE 40
#define STEPS 50000

START_TEST(random_adds_and_removes_agree_with_the_model)
{
	uint32_t handle[UNIVERSE], i, step, n, count = 0, full = 0;
	struct stn_address address[UNIVERSE];
	struct siphash_key random_key;
	struct random_state random;
	struct locator locator;

	random_seed(&random);
	random_fill(&random, &random_key, sizeof(random_key));
	ck_assert_int_eq(locator_open(&locator, &random_key, 16), 0);
	for (i = 0; i < UNIVERSE; i++) {
		address[i] = address_make(i % 2 ? 4 : 6, i);
		handle[i] = LOCATOR_NONE;
	}
	for (step = 0; step < STEPS; step++) {
		n = random_below(&random, UNIVERSE);
		if (random_below(&random, 2)) {
			int expected = handle[n] != LOCATOR_NONE ? -EEXIST
				       : count == 16             ? -ENOSPC
								 : 0;

			ck_assert_int_eq(locator_add(&locator, &address[n], step), expected);
			full += expected == -ENOSPC;
			if (expected == 0) {
				handle[n] = step;
				count++;
			}
		} else {
			locator_remove(&locator, &address[n]);
			count -= handle[n] != LOCATOR_NONE;
			handle[n] = LOCATOR_NONE;
		}
		ck_assert_uint_eq(locator.count, count);
		for (i = 0; i < UNIVERSE; i++)
			ck_assert_uint_eq(locator_find(&locator, &address[i]), handle[i]);
	}
	ck_assert_uint_gt(full, 0);
	locator_close(&locator);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("locator");
	TCase *cases = tcase_create("locator");

	tcase_set_timeout(cases, 60);
	tcase_add_test(cases, a_tuple_is_family_address_and_port);
	tcase_add_loop_test(cases, it_takes_as_many_as_it_was_opened_for, 0, 5);
	tcase_add_test(cases, random_adds_and_removes_agree_with_the_model);
	suite_add_tcase(suite, cases);
	return unit_run(suite);
}
