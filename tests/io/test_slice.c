// SPDX-License-Identifier: BSD-3-Clause
/* Commands in slices between bursts, and what a fan-out leaves to be taken out. */
#include "tests/io/harness.h"

#define CROWD 300u

static struct harness_leg speaker_leg(void)
{
	return (struct harness_leg){.role = STN_ROLE_SPEAKER, .rx_suite = 1, .audio_level_id = 1};
}

static struct peer *listener_join(struct harness *h, struct harness_room *room, unsigned int i)
{
	struct harness_leg leg = {.tx_suite = (uint8_t)(1 + i % 3)};

	return harness_join(h, room, &leg);
}

/* One command a turn: as many as if each took a whole slice of time. */
static void slow_commands(struct harness *h)
{
	h->pool.worker[0]->slice_cycles = 0;
}

static unsigned int spoken(const struct peer *peer)
{
	unsigned int i, count = 0;

	for (i = 0; i < peer->heard_count; i++)
		count += peer->heard[i].view.csrc_count != 0;
	return count;
}

START_TEST(packets_are_received_between_slices_of_commands)
{
	struct harness *h = harness_open(&(struct harness_options){0});
	struct harness_room *room = harness_room(h, 1, STN_SUITE_NONE, 0, 0);
	struct harness_leg leg = speaker_leg();
	struct peer *speaker = harness_join(h, room, &leg), *first = listener_join(h, room, 0);
	unsigned int i;

	harness_fence(h);
	slow_commands(h);
	for (i = 1; i < CROWD; i++)
		listener_join(h, room, i);
	harness_speak(h, speaker, "between joins");
	for (i = 0; i < 8; i++)
		harness_turn(h);
	ck_assert_uint_eq(spoken(first), 1);
	/* One a turn at most, and while packets wait not even that. */
	ck_assert_uint_le(harness_stats(h).legs, 2 + 8);
	ck_assert_uint_ge(harness_stats(h).legs, 2 + 1);
	harness_settle(h);
	ck_assert_uint_eq(harness_stats(h).legs, 1 + CROWD);
	ck_assert_uint_ge(h->pool.worker[0]->stats.command_wait.max_ns, 1);
	harness_close(h);
}
END_TEST

/* Copies wait to be sent, and commands have had their share: a mute does not mind. */
START_TEST(a_mute_is_in_force_at_once_while_commands_wait)
{
	struct harness_options options = {.slice_copies = 32, .stale_ms = 5000};
	struct harness *h = harness_open(&options);
	struct harness_room *room = harness_room(h, 1, STN_SUITE_NONE, 0, 0);
	struct harness_leg leg = speaker_leg();
	struct peer *speaker = harness_join(h, room, &leg), *listener[CROWD];
	struct worker *worker = h->pool.worker[0];
	uint64_t applied;
	unsigned int i, before = 0, after = 0;

	for (i = 0; i < CROWD; i++)
		listener[i] = listener_join(h, room, i);
	harness_fence(h);
	/* A turn applies all the commands it finds, however slow the machine. */
	worker->slice_cycles = UINT64_MAX / 4;
	for (i = 0; i < 20; i++)
		harness_speak(h, speaker, "to many");
	for (i = 0; i < 3; i++)
		harness_turn(h);
	worker->commands_cycle = UINT64_MAX;
	applied = worker->stats.commands;
	listener_join(h, room, CROWD);
	harness_turn(h);
	ck_assert_uint_eq(worker->stats.commands, applied);
	harness_mute(h, speaker, true);
	harness_turn(h);
	ck_assert_uint_eq(worker->stats.commands, applied + 2);
	ck_assert_uint_eq(
		worker->stats.mute_delay.count[0] + worker->stats.mute_delay.max_ns > 0, 1);
	for (i = 0; i < CROWD; i++)
		before += spoken(listener[i]);
	worker->commands_cycle = 0;
	harness_settle(h);
	for (i = 0; i < CROWD; i++)
		after += spoken(listener[i]);
	ck_assert_uint_eq(before, after);
	ck_assert_uint_lt(after, 20 * CROWD);
	harness_close(h);
}
END_TEST

/* Half of them leave while a packet is on its way: they are out by and by, the rest hear all. */
START_TEST(who_leaves_during_a_fan_out_is_taken_out_in_slices)
{
	struct harness_options options = {.slice_copies = 32, .stale_ms = 5000};
	struct harness *h = harness_open(&options);
	struct harness_room *room = harness_room(h, 1, STN_SUITE_NONE, 0, 0);
	struct harness_leg leg = speaker_leg();
	struct peer *speaker = harness_join(h, room, &leg), *listener[CROWD];
	struct worker_room *there;
	unsigned int i, heard[CROWD];

	for (i = 0; i < CROWD; i++)
		listener[i] = listener_join(h, room, i);
	harness_fence(h);
	there = h->pool.worker[0]->room[room->facts.room];
	harness_speak(h, speaker, "begun before they left");
	harness_until(h, there->fan != NULL);
	for (i = 0; i < CROWD; i++)
		if (i % 2 == (unsigned int)_i || i > CROWD - 10)
			harness_leave(h, listener[i]);
	harness_turn(h);
	ck_assert_uint_gt(there->removed_count, 0);
	harness_fence(h);
	for (i = 0; i < CROWD; i++)
		heard[i] = spoken(listener[i]);
	slow_commands(h);
	harness_settle(h);
	ck_assert_uint_eq(there->removed_count, 0);
	ck_assert_uint_eq(there->shard.silenced, 0);
	for (i = 0; i < 5; i++)
		harness_speak(h, speaker, "to those who stayed");
	harness_settle(h);
	for (i = 0; i < CROWD; i++) {
		bool left = i % 2 == (unsigned int)_i || i > CROWD - 10;

		ck_assert_uint_eq(spoken(listener[i]), left ? heard[i] : 6);
		ck_assert_uint_eq(listener[i]->refused, 0);
	}
	harness_close(h);
}
END_TEST

/*
 * Behind the fan-out some are still to be taken out when another one leaves: the last of the group
 * must not come into that place if it is one of those, for nobody would look for it there.
 */
START_TEST(who_leaves_before_all_others_are_out_is_taken_out_like_them)
{
	struct harness_options options = {.slice_copies = 32, .stale_ms = 5000};
	struct harness *h = harness_open(&options);
	struct harness_room *room = harness_room(h, 1, STN_SUITE_NONE, 0, 0);
	struct harness_leg leg = speaker_leg(), same = {.tx_suite = 1};
	struct peer *speaker = harness_join(h, room, &leg), *listener[CROWD];
	struct worker_room *there;
	unsigned int i, heard[CROWD];

	for (i = 0; i < CROWD; i++)
		listener[i] = harness_join(h, room, &same);
	harness_fence(h);
	there = h->pool.worker[0]->room[room->facts.room];
	harness_speak(h, speaker, "begun before they left");
	harness_until(h, there->fan != NULL);
	for (i = CROWD - 20; i < CROWD; i++)
		harness_leave(h, listener[i]);
	harness_fence(h);
	slow_commands(h);
	harness_until(h, there->fan == NULL);
	ck_assert_uint_gt(there->removed_count, 10);
	harness_leave(h, listener[3]);
	harness_settle(h);
	ck_assert_uint_eq(there->removed_count, 0);
	ck_assert_uint_eq(there->shard.silenced, 0);
	ck_assert_uint_eq(there->shard.group[0].count, CROWD - 21);
	for (i = 0; i < CROWD; i++)
		heard[i] = spoken(listener[i]);
	harness_speak(h, speaker, "to those who stayed");
	harness_settle(h);
	for (i = 0; i < CROWD; i++)
		ck_assert_uint_eq(spoken(listener[i]) - heard[i], i != 3 && i < CROWD - 20);
	harness_close(h);
}
END_TEST

/* The room goes with what it still has to take out; its handle may be given again at once. */
START_TEST(a_room_that_closes_is_emptied_in_slices)
{
	struct harness_options options = {.slice_copies = 32};
	struct harness *h = harness_open(&options);
	struct harness_room *room = harness_room(h, 1, STN_SUITE_NONE, 0, 0), *next;
	struct harness_leg leg = speaker_leg();
	struct peer *speaker = harness_join(h, room, &leg), *listener[CROWD], *other;
	struct worker *worker = h->pool.worker[0];
	unsigned int i;

	for (i = 0; i < CROWD; i++)
		listener[i] = listener_join(h, room, i);
	harness_fence(h);
	harness_speak(h, speaker, "the last word");
	harness_until(h, worker->room[room->facts.room]->fan != NULL);
	for (i = 0; i < CROWD; i++)
		harness_leave(h, listener[i]);
	harness_leave(h, speaker);
	harness_room_remove(h, room);
	harness_fence(h);
	ck_assert_ptr_null(worker->room[room->facts.room]);
	next = harness_room(h, 1, STN_SUITE_NONE, 0, 0);
	leg = speaker_leg();
	speaker = harness_join(h, next, &leg);
	other = listener_join(h, next, 1);
	harness_fence(h);
	harness_speak(h, speaker, "in another room");
	harness_settle(h);
	ck_assert_uint_eq(spoken(other), 1);
	ck_assert_ptr_null(worker->tidy_first);
	harness_close(h);
}
END_TEST

/* Its facts are the main lcore's, which wipes them behind the fence: what was kept goes before. */
START_TEST(a_room_that_is_emptied_in_slices_needs_no_facts)
{
	struct harness_options options = {.slice_copies = 32};
	struct harness *h = harness_open(&options);
	struct harness_room *room = harness_room(h, 1, STN_SUITE_NONE, 0, 0);
	struct harness_leg leg = speaker_leg(), browser = {.webrtc = true};
	struct peer *speaker = harness_join(h, room, &leg), *listener[CROWD], *other;
	struct command remove = {.type = COMMAND_ROOM_REMOVE, .handle = room->facts.room};
	struct worker *worker = h->pool.worker[0];
	unsigned int i;

	other = harness_join(h, room, &browser);
	for (i = 0; i < CROWD; i++)
		listener[i] = listener_join(h, room, i);
	harness_fence(h);
	harness_speak(h, speaker, "kept for who asks again");
	harness_settle(h);
	ck_assert_uint_gt(worker->history_packets, 0);
	harness_speak(h, speaker, "the last word");
	harness_until(h, worker->room[room->facts.room]->fan != NULL);
	worker->slice_cycles = UINT64_MAX / 4; /* all of these in one turn */
	for (i = 0; i < 100; i++)
		harness_leave(h, listener[i]);
	harness_turn(h);
	slow_commands(h);
	for (; i < CROWD; i++)
		harness_leave(h, listener[i]);
	harness_leave(h, speaker);
	harness_leave(h, other);
	harness_post_all(h, &remove);
	room->removed = true;
	harness_fence(h);
	ck_assert_ptr_nonnull(worker->tidy_first);
	room->facts.slot_count = 0;
	harness_settle(h);
	ck_assert_ptr_null(worker->tidy_first);
	ck_assert_uint_eq(worker->history_packets, 0);
	harness_close(h);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("slice");
	TCase *tests = tcase_create("slice");

	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, packets_are_received_between_slices_of_commands);
	tcase_add_test(tests, a_mute_is_in_force_at_once_while_commands_wait);
	tcase_add_loop_test(tests, who_leaves_during_a_fan_out_is_taken_out_in_slices, 0, 2);
	tcase_add_test(tests, who_leaves_before_all_others_are_out_is_taken_out_like_them);
	tcase_add_test(tests, a_room_that_closes_is_emptied_in_slices);
	tcase_add_test(tests, a_room_that_is_emptied_in_slices_needs_no_facts);
	suite_add_tcase(suite, tests);
	return harness_main(suite);
}
