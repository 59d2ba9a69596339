// SPDX-License-Identifier: BSD-3-Clause
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/core/index.h"
#include "dataplane/core/replay.h"
#include "tests/support/random.h"
#include "tests/support/unit.h"

#define W REPLAY_WINDOW
#define STEPS_MAX 12

/* A step offers an index: what is REPLAY_NEW is committed. */
struct step {
	uint64_t index;
	enum replay_verdict verdict;
};

static const struct {
	const char *name;
	uint64_t next;
	struct step step[STEPS_MAX];
	unsigned int steps;
} cases[] = {
	{"each index once", 0,
		{{1, REPLAY_NEW}, {1, REPLAY_DUPLICATE}, {9, REPLAY_NEW}, {8, REPLAY_NEW},
			{7, REPLAY_NEW}, {7, REPLAY_DUPLICATE}, {9, REPLAY_DUPLICATE}},
		7},
	{"zero is an index", 0,
		{{0, REPLAY_NEW}, {0, REPLAY_DUPLICATE}, {1, REPLAY_NEW}, {0, REPLAY_DUPLICATE}},
		4},
	{"zero may come late", 0, {{5, REPLAY_NEW}, {0, REPLAY_NEW}, {0, REPLAY_DUPLICATE}}, 3},
	{"the window's last place", 0,
		{{W, REPLAY_NEW}, {1, REPLAY_NEW}, {1, REPLAY_DUPLICATE}, {0, REPLAY_TOO_OLD}}, 4},
	{"moving on forgets exactly one", 0,
		{{W, REPLAY_NEW}, {1, REPLAY_NEW}, {W + 1, REPLAY_NEW}, {1, REPLAY_TOO_OLD},
			{2, REPLAY_NEW}, {2, REPLAY_DUPLICATE}},
		6},
	{"a place is clean when used again", 0,
		{{3, REPLAY_NEW}, {W + 2, REPLAY_NEW}, {W + 3, REPLAY_NEW},
			{W + 3, REPLAY_DUPLICATE}, {W + 4, REPLAY_NEW}},
		5},
	{"skipped places are clean", 0,
		{{3, REPLAY_NEW}, {W + 100, REPLAY_NEW}, {W + 3, REPLAY_NEW},
			{W + 3, REPLAY_DUPLICATE}, {101, REPLAY_NEW}, {100, REPLAY_TOO_OLD}},
		6},
	{"a jump of the window clears all", 0,
		{{10, REPLAY_NEW}, {11, REPLAY_NEW}, {11 + W, REPLAY_NEW}, {10 + W, REPLAY_NEW},
			{12, REPLAY_NEW}, {11, REPLAY_TOO_OLD}},
		6},
	{"a jump of one less keeps nothing either", 0,
		{{10, REPLAY_NEW}, {10 + W - 1, REPLAY_NEW}, {10, REPLAY_DUPLICATE},
			{11, REPLAY_NEW}},
		4},
	{"a far jump", 0,
		{{10, REPLAY_NEW}, {UINT64_C(1) << 40, REPLAY_NEW}, {11, REPLAY_TOO_OLD},
			{(UINT64_C(1) << 40) - W + 1, REPLAY_NEW},
			{(UINT64_C(1) << 40) - W, REPLAY_TOO_OLD}},
		5},
	{"over a wrap of the sequence", 0,
		{{65534, REPLAY_NEW}, {65536, REPLAY_NEW}, {65535, REPLAY_NEW},
			{65535, REPLAY_DUPLICATE}, {65537, REPLAY_NEW}},
		5},
	{"the last index there is", 0,
		{{INDEX_MAX, REPLAY_NEW}, {INDEX_MAX, REPLAY_DUPLICATE},
			{INDEX_MAX - W + 1, REPLAY_NEW}, {INDEX_MAX - W, REPLAY_TOO_OLD}},
		4},
	{"after a restart what was received stays received", 5001,
		{{5000, REPLAY_DUPLICATE}, {4999, REPLAY_DUPLICATE}, {5001 - W, REPLAY_DUPLICATE},
			{5000 - W, REPLAY_TOO_OLD}, {5001, REPLAY_NEW}, {5000, REPLAY_DUPLICATE},
			{5003, REPLAY_NEW}, {5002, REPLAY_NEW}, {5002, REPLAY_DUPLICATE}},
		9},
	{"after a restart a jump opens the window", 5001,
		{{5000 + W, REPLAY_NEW}, {5001, REPLAY_NEW}, {5000, REPLAY_TOO_OLD}}, 3},
	{"a restart at the first", 1, {{0, REPLAY_DUPLICATE}, {1, REPLAY_NEW}}, 2},
};

START_TEST(window_is_as_on_paper)
{
	struct replay replay;

	replay_init(&replay, cases[_i].next);
	for (unsigned int i = 0; i < cases[_i].steps; i++) {
		const struct step *step = &cases[_i].step[i];
		struct replay before = replay;

		ck_assert_msg(replay_check(&replay, step->index) == step->verdict, "%s: step %u",
			cases[_i].name, i);
		ck_assert_mem_eq(&replay, &before, sizeof(replay));
		if (step->verdict == REPLAY_NEW)
			replay_commit(&replay, step->index);
	}
}
END_TEST

/* Obviously right: a byte for every index there is. */
#define SPACE (1u << 22)

static enum replay_verdict model_check(
	const uint8_t *received, int64_t highest, int64_t floor, uint64_t index)
{
	if (highest >= 0 && (int64_t)index + W <= highest)
		return REPLAY_TOO_OLD;
	return received[index] || (int64_t)index <= floor ? REPLAY_DUPLICATE : REPLAY_NEW;
}

/* 10^7 steps of loss, reorder, duplicates, jumps, estimates over wraps and restarts. */
START_TEST(index_and_window_against_the_model)
{
	uint8_t *received = calloc(SPACE, 1);
	struct random_state random;
	struct replay replay;
	int64_t highest = -1, floor = -1;
	uint64_t at = 0;
	unsigned int verdicts[REPLAY_VERDICT_COUNT] = {0};

	random_seed(&random);
	replay_init(&replay, 0);
	for (unsigned int step = 0; step < 10000000; step++) {
		uint32_t dice = random_below(&random, 1000);
		uint64_t sent = at, index;
		enum replay_verdict verdict;

		if (dice < 700)
			at += 1 + (dice < 30);
		else if (dice < 800)
			sent = at - random_below(&random, at < 16 ? (uint32_t)at + 1 : 16);
		else if (dice < 990)
			sent = at - random_below(&random, at < 1100 ? (uint32_t)at + 1 : 1100);
		else if (dice < 999)
			at += random_below(&random, 3 * W);
		else if ((int64_t)at < highest + 1000) /* else the last jump was not received */
			at += random_below(&random, 20) == 0 ? random_below(&random, 30000) : 0;
		if (at >= SPACE) {
			memset(received, 0, SPACE);
			replay_init(&replay, 0);
			highest = floor = -1;
			at = 0;
			continue;
		}
		if (random_below(&random, 200000) == 0) {
			replay_init(&replay, (uint64_t)(highest + 1));
			floor = highest;
		}
		/* The receiver sees 16 bits; whoever is within 2^15 is understood. */
		index = index_estimate(highest < 0 ? 0 : (uint64_t)highest, (uint16_t)sent);
		if (index != sent)
			ck_abort_msg("step %u: sent %llx taken for %llx", step,
				(unsigned long long)sent, (unsigned long long)index);
		verdict = replay_check(&replay, sent);
		if (verdict != model_check(received, highest, floor, sent))
			ck_abort_msg("step %u: index %llx verdict %d", step,
				(unsigned long long)sent, verdict);
		verdicts[verdict]++;
		/* A third of what is new fails to authenticate: nothing is committed. */
		if (verdict != REPLAY_NEW || random_below(&random, 3) == 0)
			continue;
		replay_commit(&replay, sent);
		received[sent] = 1;
		if ((int64_t)sent > highest)
			highest = (int64_t)sent;
	}
	for (unsigned int i = 0; i < REPLAY_VERDICT_COUNT; i++)
		ck_assert_uint_gt(verdicts[i], 1000);
	free(received);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("replay");
	TCase *tcase = tcase_create("replay");

	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, window_is_as_on_paper, 0, sizeof(cases) / sizeof(cases[0]));
	tcase_add_test(tcase, index_and_window_against_the_model);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
