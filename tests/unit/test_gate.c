/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "controlplane/webrtc/gate.h"
#include "tests/support/random.h"
#include "tests/support/unit.h"

#define MAX 16
#define ADDRESS_MAX 4
#define PLACES 64

static struct gate gate;
static struct gate_place place[PLACES];

static void setup(void)
{
	memset(place, 0, sizeof(place));
	ck_assert_int_eq(gate_open(&gate, MAX, ADDRESS_MAX, 42), 0);
}

static void teardown(void)
{
	for (unsigned int i = 0; i < PLACES; i++)
		gate_leave(&gate, &place[i]);
	ck_assert_uint_eq(gate.count, 0);
	gate_close(&gate);
}

static struct stn_address address4(uint8_t last)
{
	return (struct stn_address){.family = 4, .port_be = last, .address = {10, 0, 0, last}};
}

static int enter(unsigned int i, const struct stn_address *address, uint64_t now_ns,
	struct gate_place **idle)
{
	return gate_enter(&gate, &place[i], address, now_ns, idle);
}

START_TEST(an_address_gets_its_share_and_no_more)
{
	struct stn_address a = address4(1), b = address4(2);
	struct gate_place *idle;

	for (unsigned int i = 0; i < ADDRESS_MAX; i++) {
		a.port_be = (uint16_t)i; /* ports are free, so they do not count */
		ck_assert_int_eq(enter(i, &a, 1, &idle), 0);
	}
	ck_assert_int_eq(enter(10, &a, 1, &idle), -ENOBUFS);
	ck_assert_ptr_null(idle);
	ck_assert_int_eq(enter(11, &b, 1, &idle), 0);
	gate_leave(&gate, &place[2]);
	ck_assert_int_eq(enter(10, &a, 1, &idle), 0);
}
END_TEST

START_TEST(all_addresses_together_get_no_more_than_max)
{
	struct gate_place *idle;

	for (unsigned int i = 0; i < MAX; i++) {
		struct stn_address a = address4((uint8_t)i);

		ck_assert_int_eq(enter(i, &a, 1, &idle), 0);
	}
	for (unsigned int i = MAX; i < 2 * MAX; i++) {
		struct stn_address a = address4((uint8_t)i);

		ck_assert_int_eq(enter(i, &a, 1 + GATE_IDLE_NS, &idle), -ENOBUFS);
		ck_assert_ptr_null(idle); /* only of the same address */
	}
	ck_assert_uint_eq(gate.count, MAX);
}
END_TEST

START_TEST(an_ipv6_household_is_one_address)
{
	struct stn_address a = {.family = 6, .address = {0x20, 1, 0xd, 0xb8, 1, 2, 3, 4}};
	struct gate_place *idle;

	for (unsigned int i = 0; i < ADDRESS_MAX; i++) {
		a.address[8 + i] = 0x55;
		ck_assert_int_eq(enter(i, &a, 1, &idle), 0);
	}
	ck_assert_int_eq(enter(10, &a, 1, &idle), -ENOBUFS);
	a.address[7] = 5; /* the next /64 */
	ck_assert_int_eq(enter(10, &a, 1, &idle), 0);
}
END_TEST

START_TEST(families_do_not_mix)
{
	struct stn_address four = {.family = 4, .address = {0x20, 1, 0xd, 0xb8}};
	struct stn_address six = {.family = 6, .address = {0x20, 1, 0xd, 0xb8}};
	struct gate_place *idle;

	for (unsigned int i = 0; i < ADDRESS_MAX; i++) {
		ck_assert_int_eq(enter(i, &four, 1, &idle), 0);
		ck_assert_int_eq(enter(i + 10, &six, 1, &idle), 0);
	}
	ck_assert_int_eq(enter(20, &four, 1, &idle), -ENOBUFS);
	ck_assert_int_eq(enter(20, &six, 1, &idle), -ENOBUFS);
}
END_TEST

START_TEST(the_one_silent_for_longest_goes_first_and_only_when_idle)
{
	struct stn_address a = address4(1);
	struct gate_place *idle;

	for (unsigned int i = 0; i < ADDRESS_MAX; i++)
		ck_assert_int_eq(enter(i, &a, 100 + i, &idle), 0);
	gate_hear(&place[0], 200);
	ck_assert_int_eq(enter(10, &a, 101 + GATE_IDLE_NS - 1, &idle), -ENOBUFS);
	ck_assert_ptr_null(idle);
	ck_assert_int_eq(enter(10, &a, 101 + GATE_IDLE_NS, &idle), -ENOBUFS);
	ck_assert_ptr_eq(idle, &place[1]);
	gate_leave(&gate, idle);
	ck_assert_int_eq(enter(10, &a, 101 + GATE_IDLE_NS, &idle), 0);
	gate_leave(&gate, &place[2]);
	gate_leave(&gate, &place[3]);
	ck_assert_int_eq(enter(2, &a, 300 + GATE_IDLE_NS, &idle), 0);
	ck_assert_int_eq(enter(3, &a, 300 + GATE_IDLE_NS, &idle), 0);
	ck_assert_int_eq(enter(11, &a, 300 + GATE_IDLE_NS, &idle), -ENOBUFS);
	ck_assert_ptr_eq(idle, &place[0]);
}
END_TEST

START_TEST(random_coming_and_going_keeps_the_counts)
{
	struct random_state random;
	unsigned int inside[8] = {0}, all = 0;
	int home[PLACES];

	random_seed(&random);
	memset(home, -1, sizeof(home));
	for (unsigned int step = 0; step < 20000; step++) {
		unsigned int i = (unsigned int)(random_next(&random) % PLACES);
		int at = (int)(random_next(&random) % 8);
		struct stn_address a = address4((uint8_t)at);
		struct gate_place *idle;

		if (home[i] >= 0) {
			if (random_next(&random) % 3 == 0) {
				gate_hear(&place[i], step);
				continue;
			}
			gate_leave(&gate, &place[i]);
			inside[home[i]]--;
			all--;
			home[i] = -1;
		} else {
			bool room = all < MAX && inside[at] < ADDRESS_MAX;

			ck_assert_int_eq(enter(i, &a, step, &idle), room ? 0 : -ENOBUFS);
			if (room) {
				inside[at]++;
				all++;
				home[i] = at;
			}
		}
		ck_assert_uint_eq(gate.count, all);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("gate");
	TCase *tests = tcase_create("gate");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, an_address_gets_its_share_and_no_more);
	tcase_add_test(tests, all_addresses_together_get_no_more_than_max);
	tcase_add_test(tests, an_ipv6_household_is_one_address);
	tcase_add_test(tests, families_do_not_mix);
	tcase_add_test(tests, the_one_silent_for_longest_goes_first_and_only_when_idle);
	tcase_add_test(tests, random_coming_and_going_keeps_the_counts);
	suite_add_tcase(suite, tests);
	return unit_run(suite);
}
