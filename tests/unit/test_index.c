// SPDX-License-Identifier: BSD-3-Clause
#include <check.h>

#include "dataplane/core/index.h"
#include "tests/support/random.h"
#include "tests/support/unit.h"

#define ROC(roc, sequence) (((uint64_t)(roc) << 16) + (sequence))

static const struct {
	const char *name;
	uint64_t highest;
	uint16_t sequence;
	uint64_t index;
} estimates[] = {
	{"next in order", ROC(0, 100), 101, ROC(0, 101)},
	{"first of all", 0, 0, 0},
	{"first of all, anywhere in ROC 0", 0, 65535, 65535},
	{"over the wrap", ROC(0, 65535), 0, ROC(1, 0)},
	{"over the wrap with loss", ROC(6, 65530), 200, ROC(7, 200)},
	{"before the wrap, after it: TRAPS 14", ROC(1, 2), 65534, ROC(0, 65534)},
	{"before the first wrap there is nothing", ROC(0, 2), 65534, ROC(0, 65534)},
	{"32,768 ahead from below the middle stays", ROC(5, 100), 32868, ROC(5, 32868)},
	{"32,769 ahead from below the middle is the ROC before", ROC(5, 100), 32869, ROC(4, 32869)},
	{"32,768 behind from above the middle stays", ROC(5, 40000), 7232, ROC(5, 7232)},
	{"32,769 behind from above the middle is the next ROC", ROC(5, 40000), 7231, ROC(6, 7231)},
	{"at the middle, 0 stays", ROC(5, 32768), 0, ROC(5, 0)},
	{"just below the middle, 65,535 stays", ROC(5, 32767), 65535, ROC(5, 65535)},
	{"no ROC behind the last", ROC(UINT32_MAX, 65535), 0, ROC(UINT32_MAX, 0)},
	{"the last wrap but one", ROC(UINT32_MAX - 1, 65535), 0, ROC(UINT32_MAX, 0)},
};

START_TEST(estimate_is_as_on_paper)
{
	uint64_t index = index_estimate(estimates[_i].highest, estimates[_i].sequence);

	ck_assert_msg(index == estimates[_i].index, "%s: %llx", estimates[_i].name,
		(unsigned long long)index);
}
END_TEST

/* RFC 3711 section 3.3.1: of the three candidates, the one closest to the highest. */
static uint64_t estimate_model(uint64_t highest, uint16_t sequence)
{
	int64_t best = -1, best_distance = INT64_MAX;

	for (int64_t roc = (int64_t)(highest >> 16) - 1; roc <= (int64_t)(highest >> 16) + 1;
		roc++) {
		int64_t candidate = roc * 65536 + sequence;
		int64_t distance = candidate - (int64_t)highest;

		distance = distance < 0 ? -distance : distance;
		if (roc < 0 || roc > UINT32_MAX || distance > best_distance)
			continue;
		/* Equally far, 32,768: the pseudocode of appendix A stays in the ROC. */
		if (distance == best_distance && roc != (int64_t)(highest >> 16))
			continue;
		best = candidate;
		best_distance = distance;
	}
	return (uint64_t)best;
}

START_TEST(estimate_is_the_closest_candidate)
{
	struct random_state random;

	random_seed(&random);
	for (unsigned int step = 0; step < 2000000; step++) {
		uint64_t highest = random_next(&random) & INDEX_MAX;
		uint16_t sequence = (uint16_t)random_next(&random);

		if (step % 4 == 0)
			highest &= 0x3ffff;
		if (step % 8 == 3)
			highest |= UINT64_C(0xffffffff0000);
		if (step % 3 == 0) /* close to where the answer turns */
			sequence = (uint16_t)(highest + 0x8000 + random_next(&random) % 5 - 2);
		if (index_estimate(highest, sequence) != estimate_model(highest, sequence))
			ck_abort_msg(
				"highest %llx sequence %x", (unsigned long long)highest, sequence);
	}
}
END_TEST

START_TEST(outgoing_indices_start_low_and_only_grow)
{
	/* TRAPS 11: ROC 0, first sequence number below 2^15; 0 means none and is never used. */
	for (uint32_t random = 0; random < 200000; random += 7) {
		uint64_t last = index_initial(random * 2654435761u);

		ck_assert(last >= 1);
		ck_assert(index_next(last) < 0x8000);
	}
	ck_assert_uint_eq(index_initial(0), 1);
	ck_assert_uint_eq(index_initial(0x7ffd), 0x7ffe);
	ck_assert_uint_eq(index_initial(0x7ffe), 1);
	ck_assert_uint_eq(index_next(ROC(0, 65535)), ROC(1, 0));
	ck_assert(!index_exhausted(INDEX_MAX - 1));
	ck_assert(index_exhausted(INDEX_MAX));
	ck_assert(index_exhausted(UINT64_MAX));
}
END_TEST

static const struct {
	const char *name;
	uint64_t persisted;
	uint64_t last;
} resumes[] = {
	{"nothing persisted", 0, 0},
	{"ahead", 1000, 1000 + INDEX_RESUME_GAP},
	{"ahead over a wrap", ROC(3, 65535), ROC(4, INDEX_RESUME_GAP - 1)},
	{"as far as it goes", INDEX_MAX - INDEX_RESUME_GAP, INDEX_MAX},
	{"used up", INDEX_MAX - INDEX_RESUME_GAP + 1, 0},
	{"not an index at all", UINT64_MAX, 0},
	{"wraps if added to", UINT64_MAX - 10, 0},
};

START_TEST(a_restart_goes_on_ahead)
{
	ck_assert_msg(
		index_resume(resumes[_i].persisted) == resumes[_i].last, "%s", resumes[_i].name);
}
END_TEST

static const struct {
	const char *name;
	uint64_t last;
	uint32_t origin;
} joins[] = {
	{"new slot", 1, 0},
	{"in the middle", ROC(0, 40000), 0},
	{"next packet is the last before the guard", ROC(0, 65534 - 64), 0},
	{"next packet is the first of the guard", ROC(0, 65535 - 64), 1},
	{"next packet is the last before the wrap", ROC(0, 65534), 1},
	{"next packet is the first after the wrap", ROC(0, 65535), 1},
	{"after two wraps", ROC(2, 5), 2},
	{"guard of the third", ROC(2, 65500), 3},
};

START_TEST(a_leg_does_not_start_before_a_wrap)
{
	ck_assert_msg(index_origin_for_join(joins[_i].last, 64) == joins[_i].origin, "%s",
		joins[_i].name);
}
END_TEST

static const struct {
	uint32_t ahead;
	unsigned int guard;
} guards[] = {
	{0, 64},
	{2047, 64},
	{2048, 65},
	{1000000, 64 + 488},
	{UINT32_MAX, 0x4000},
};

/* A leg that waits behind others may be told of after so many more packets of the slot. */
START_TEST(a_leg_behind_many_keeps_clear_of_a_wrap)
{
	unsigned int guard = index_guard_behind(guards[_i].ahead);

	ck_assert_uint_eq(guard, guards[_i].guard);
	ck_assert_uint_eq(index_origin_for_join(ROC(1, 65535 - guard), guard), 2);
	ck_assert_uint_eq(index_origin_for_join(ROC(1, 65534 - guard), guard), 1);
}
END_TEST

START_TEST(a_leg_counts_its_own_rocs)
{
	uint32_t roc = 77;

	ck_assert(index_leg_roc(5, 5, &roc) && roc == 0);
	ck_assert(index_leg_roc(7, 5, &roc) && roc == 2);
	roc = 77;
	ck_assert(!index_leg_roc(4, 5, &roc));
	ck_assert_uint_eq(roc, 77);
	/* The slot's ROC wraps: 2^48 packets are far off, a wrong sign is not. */
	ck_assert(index_leg_roc(1, UINT32_MAX, &roc) && roc == 2);
	ck_assert(!index_leg_roc(UINT32_MAX, 1, &roc));
}
END_TEST

/* What a listener sees who joins at any time: ROC 0, and at least 65 packets before it has to
 * guess. */
START_TEST(every_join_decodes_from_its_first_packet)
{
	struct random_state random;

	random_seed(&random);
	for (unsigned int join = 0; join < 20000; join++) {
		uint64_t last = 1 + (random_next(&random) & 0xfffff);
		uint32_t origin, roc = 0;
		uint64_t receiver = 0;
		unsigned int received = 0;

		if (join % 2)
			last = (last & ~UINT64_C(0xffff)) + 65535 - random_below(&random, 200);
		origin = index_origin_for_join(last, INDEX_ORIGIN_GUARD);
		for (unsigned int packet = 0; packet < 300; packet++) {
			last = index_next(last);
			if (!index_leg_roc(index_roc(last), origin, &roc))
				continue;
			/* The first 64 may all be lost but one. */
			if (packet % 64 != 63 && received == 0 && packet < 63)
				continue;
			receiver = index_estimate(receiver, index_sequence(last));
			if (index_roc(receiver) != roc)
				ck_abort_msg("slot at %llx", (unsigned long long)last);
			received++;
		}
		ck_assert_uint_gt(received, 0);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("index");
	TCase *tcase = tcase_create("index");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(
		tcase, estimate_is_as_on_paper, 0, sizeof(estimates) / sizeof(estimates[0]));
	tcase_add_test(tcase, estimate_is_the_closest_candidate);
	tcase_add_test(tcase, outgoing_indices_start_low_and_only_grow);
	tcase_add_loop_test(
		tcase, a_restart_goes_on_ahead, 0, sizeof(resumes) / sizeof(resumes[0]));
	tcase_add_loop_test(
		tcase, a_leg_does_not_start_before_a_wrap, 0, sizeof(joins) / sizeof(joins[0]));
	tcase_add_loop_test(tcase, a_leg_behind_many_keeps_clear_of_a_wrap, 0,
		sizeof(guards) / sizeof(guards[0]));
	tcase_add_test(tcase, a_leg_counts_its_own_rocs);
	tcase_add_test(tcase, every_join_decodes_from_its_first_packet);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
