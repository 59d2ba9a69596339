// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/core/slot.h"
#include "tests/support/unit.h"

static struct slot slot_from(uint64_t index)
{
	struct slot slot;

	slot_init(&slot, index, 0, 0);
	return slot;
}

/* Feeds one source index; -1 refused, else the index given out. */
static int64_t feed(struct slot *slot, uint64_t source, bool late_expected)
{
	uint64_t index;
	bool late;

	if (!slot_index(slot, source, &index, &late))
		return -1;
	ck_assert(late == late_expected);
	return (int64_t)index;
}

START_TEST(goes_on_from_what_was_given_out_before)
{
	struct slot slot = slot_from(0xffff);

	slot_take(&slot, 7);
	ck_assert_int_eq(feed(&slot, 7, false), 0x10000);
	ck_assert_int_eq(feed(&slot, 8, false), 0x10001);
	ck_assert_uint_eq(slot.index, 0x10001);
}
END_TEST

START_TEST(a_loss_stays_a_gap_and_may_be_filled_once)
{
	struct slot slot = slot_from(100);

	slot_take(&slot, 1000);
	ck_assert_int_eq(feed(&slot, 1000, false), 101);
	ck_assert_int_eq(feed(&slot, 1003, false), 104);
	ck_assert_int_eq(feed(&slot, 1001, true), 102);
	ck_assert_int_eq(feed(&slot, 1001, true), -1);
	ck_assert_int_eq(feed(&slot, 1003, true), -1);
	ck_assert_int_eq(feed(&slot, 1002, true), 103);
	ck_assert_uint_eq(slot.index, 104);
}
END_TEST

START_TEST(nothing_from_before_the_holder)
{
	struct slot slot = slot_from(100);

	slot_take(&slot, 1000);
	ck_assert_int_eq(feed(&slot, 1000, false), 101);
	ck_assert_int_eq(feed(&slot, 1005, false), 106);
	/* The next holder begins at 107; 102 to 105 were never given out and never will be. */
	slot_take(&slot, 50);
	ck_assert_int_eq(feed(&slot, 50, false), 107);
	ck_assert_int_eq(feed(&slot, 49, true), -1);
	ck_assert_int_eq(feed(&slot, 45, true), -1);
	ck_assert_int_eq(feed(&slot, 0, true), -1);
}
END_TEST

START_TEST(too_late_is_too_late)
{
	struct slot slot = slot_from(0);

	slot_take(&slot, 1000);
	ck_assert_int_eq(feed(&slot, 1000, false), 1);
	ck_assert_int_eq(feed(&slot, 1100, false), 101);
	ck_assert_int_eq(feed(&slot, 1100 - 63, true), 101 - 63);
	ck_assert_int_eq(feed(&slot, 1100 - 64, true), -1);
}
END_TEST

START_TEST(a_gap_of_64_forgets_none_that_was_given_out)
{
	unsigned int step;

	for (step = 1; step < 70; step++) {
		struct slot slot = slot_from(0);

		slot_take(&slot, 1000);
		ck_assert_int_eq(feed(&slot, 1000, false), 1);
		ck_assert_int_eq(feed(&slot, 1000 + step, false), 1 + step);
		ck_assert_int_eq(feed(&slot, 1000, true), -1);
	}
}
END_TEST

START_TEST(a_jump_is_closed)
{
	struct slot slot = slot_from(10);

	slot_take(&slot, 1000);
	ck_assert_int_eq(feed(&slot, 1000, false), 11);
	ck_assert_int_eq(feed(&slot, 1000 + 512, false), 11 + 512);
	ck_assert_int_eq(feed(&slot, 1000 + 512 + 513, false), 11 + 513);
	/* What is older than the jump would land on indices of before it. */
	ck_assert_int_eq(feed(&slot, 1000 + 512 + 512, true), -1);
	ck_assert_int_eq(feed(&slot, 1000 + 512 + 514, false), 11 + 514);
}
END_TEST

START_TEST(a_source_index_far_below_is_refused)
{
	struct slot slot = slot_from(10);

	slot_take(&slot, SLOT_INDEX_MAX);
	ck_assert_int_eq(feed(&slot, SLOT_INDEX_MAX, false), 11);
	ck_assert_int_eq(feed(&slot, 0, true), -1);
	ck_assert_uint_eq(slot.index, 11);
}
END_TEST

START_TEST(the_last_index_is_the_last)
{
	struct slot slot = slot_from(SLOT_INDEX_MAX - 1);
	uint64_t index;

	slot_take(&slot, 1);
	ck_assert_int_eq(feed(&slot, 1, false), (int64_t)SLOT_INDEX_MAX);
	ck_assert_int_eq(feed(&slot, 2, false), -1);
	ck_assert(!slot_index_next(&slot, &index));
	ck_assert_uint_eq(slot.index, SLOT_INDEX_MAX);
}
END_TEST

START_TEST(silence_takes_the_next)
{
	struct slot slot = slot_from(10);
	uint64_t index;

	slot_take(&slot, 1000);
	ck_assert_int_eq(feed(&slot, 1000, false), 11);
	ck_assert(slot_index_next(&slot, &index));
	ck_assert_uint_eq(index, 12);
	slot_take(&slot, 5);
	ck_assert_int_eq(feed(&slot, 5, false), 13);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("slot");
	TCase *tcase = tcase_create("slot");

	tcase_add_test(tcase, goes_on_from_what_was_given_out_before);
	tcase_add_test(tcase, a_loss_stays_a_gap_and_may_be_filled_once);
	tcase_add_test(tcase, nothing_from_before_the_holder);
	tcase_add_test(tcase, too_late_is_too_late);
	tcase_add_test(tcase, a_gap_of_64_forgets_none_that_was_given_out);
	tcase_add_test(tcase, a_jump_is_closed);
	tcase_add_test(tcase, a_source_index_far_below_is_refused);
	tcase_add_test(tcase, the_last_index_is_the_last);
	tcase_add_test(tcase, silence_takes_the_next);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
