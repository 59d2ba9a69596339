// SPDX-License-Identifier: BSD-3-Clause
/* Mutes and removals are final at the fence, wherever a packet is just then. */
#include <stdio.h>

#include "tests/io/harness.h"

static const uint8_t silence[3] = {0xf8, 0xff, 0xfe};

static struct harness_leg speaker_leg(void)
{
	return (struct harness_leg){.role = STN_ROLE_SPEAKER, .rx_suite = 1, .audio_level_id = 1};
}

static void listeners_join(
	struct harness *h, struct harness_room *room, struct peer *out[], unsigned int count)
{
	struct harness_leg leg;
	unsigned int i;

	for (i = 0; i < count; i++) {
		leg = (struct harness_leg){.tx_suite = (uint8_t)(1 + i % 3)};
		out[i] = harness_join(h, room, &leg);
	}
	harness_fence(h);
}

static unsigned int spoken(const struct peer *peer)
{
	unsigned int i, count = 0;

	for (i = 0; i < peer->heard_count; i++)
		count += peer->heard[i].view.csrc_count != 0;
	return count;
}

static void wait_ms(struct harness *h, unsigned int ms)
{
	uint64_t begin = harness_now_ns();

	harness_until(h, harness_now_ns() - begin > ms * 1000000ull);
}

START_TEST(a_mute_ends_in_silence_and_an_unmute_begins_with_the_marker)
{
	struct harness_options options = {.workers = (unsigned int)_i + 1};
	struct harness *h = harness_open(&options);
	struct harness_room *room = harness_room(h, 2, STN_SUITE_NONE, 0, 0);
	struct harness_leg leg = speaker_leg();
	struct peer *speaker = harness_join(h, room, &leg), *listener[6];
	unsigned int i, n;

	listeners_join(h, room, listener, 6);
	for (i = 0; i < 5; i++)
		harness_speak(h, speaker, "before the mute");
	harness_settle(h);
	harness_mute(h, speaker, true);
	harness_fence(h);
	for (i = 0; i < 10; i++)
		harness_speak(h, speaker, "while it is muted");
	harness_until(h, listener[0]->heard_count >= 8);
	wait_ms(h, 150);
	ck_assert_uint_eq(harness_drops(h, STN_DROP_SOURCE_MUTED), 10);
	harness_mute(h, speaker, false);
	harness_fence(h);
	harness_speak(h, speaker, "after the mute");
	harness_settle(h);
	for (n = 0; n < 6; n++) {
		const struct heard *heard = listener[n]->heard;

		ck_assert_uint_eq(listener[n]->heard_count, 9);
		ck_assert_uint_eq(listener[n]->refused, 0);
		for (i = 0; i < 9; i++)
			ck_assert_uint_eq(heard[i].view.sequence, 1001 + i);
		for (i = 5; i < 8; i++) {
			ck_assert_uint_eq(heard[i].view.payload_size, 3);
			ck_assert_mem_eq(heard[i].payload, silence, 3);
			ck_assert_uint_eq(heard[i].view.csrc_count, 0);
			ck_assert(!heard[i].view.marker);
		}
		ck_assert_int_gt((int32_t)(heard[5].view.timestamp - heard[4].view.timestamp), 0);
		ck_assert_uint_eq(heard[6].view.timestamp - heard[5].view.timestamp, 960);
		ck_assert_uint_eq(heard[7].view.timestamp - heard[6].view.timestamp, 960);
		ck_assert(heard[8].view.marker);
		ck_assert_mem_eq(heard[8].payload, "after the mute", 14);
		/* The wall clock's 150 ms, less what was said faster than real time, and rounding.
		 */
		ck_assert_int_ge(
			(int32_t)(heard[8].view.timestamp - heard[7].view.timestamp), 120 * 48);
	}
	harness_close(h);
}
END_TEST

/* Fan-outs queued, one of them under way; packets in the receive queue; two workers. */
START_TEST(nothing_that_is_queued_outlives_the_fence)
{
	struct harness_options options = {
		.workers = (unsigned int)(_i % 2 + 1), .slice_copies = 32, .stale_ms = 5000};
	struct harness *h = harness_open(&options);
	struct harness_room *room = harness_room(h, 2, STN_SUITE_NONE, 0, 0);
	struct harness_leg leg = speaker_leg();
	struct peer *speaker = harness_join(h, room, &leg), *other, *listener[300];
	unsigned int i, before[300], silent[300], others = 0;

	leg.tx_suite = 1;
	other = harness_join(h, room, &leg);
	listeners_join(h, room, listener, 300);
	for (i = 0; i < 60; i++) {
		harness_speak(h, speaker, "said by the first speaker");
		if (i % 2 == 0)
			harness_speak(h, other, "and by the other");
	}
	for (i = 0; i < 4; i++)
		harness_turn(h);
	if (_i < 2)
		harness_mute(h, speaker, true);
	else
		harness_leave(h, speaker);
	harness_fence(h);
	for (i = 0; i < 300; i++) {
		before[i] = spoken(listener[i]);
		silent[i] = listener[i]->heard_count - before[i];
		peer_forget(listener[i]);
	}
	harness_settle(h);
	wait_ms(h, 100);
	ck_assert_uint_gt(harness_drops(h, STN_DROP_FANOUT_CANCELLED), 0);
	for (i = 0; i < 300; i++) {
		unsigned int j;

		for (j = 0; j < listener[i]->heard_count; j++) {
			const struct heard *heard = &listener[i]->heard[j];

			if (heard->view.csrc_count != 0)
				ck_assert_uint_eq(heard->view.csrc[0], other->ssrc);
		}
		others = spoken(listener[i]);
		ck_assert_uint_le(before[i] + others, 90);
		/* Its three frames of silence, which belong to nobody. */
		ck_assert_uint_eq(silent[i] + listener[i]->heard_count - others, 3);
	}
	ck_assert_uint_gt(others, 0);
	harness_close(h);
}
END_TEST

/* The mute has reached the fan-out worker, and not yet the worker where the speaker is. */
START_TEST(a_packet_in_the_ring_between_workers_meets_the_mute)
{
	struct harness_options options = {.workers = 2};
	struct harness *h = harness_open(&options);
	struct harness_room *room = harness_room(h, 1, STN_SUITE_NONE, 0, 0);
	struct harness_leg leg = speaker_leg();
	struct peer *speaker = harness_join(h, room, &leg), *here, *there;
	struct command command = {
		.type = COMMAND_LEG_MUTE, .handle = speaker->facts.leg, .value = 1};

	leg = (struct harness_leg){.tx_suite = 1, .worker = 1};
	here = harness_join(h, room, &leg);
	leg.worker = 2;
	there = harness_join(h, room, &leg);
	harness_fence(h);
	ck_assert_uint_eq(there->facts.worker, 1);
	/* Already in the ring when the mute comes. */
	harness_speak(h, speaker, "first in the ring");
	harness_turn_one(h, 0);
	ck_assert_uint_eq(here->heard_count, 1);
	harness_post(h, 1, &command);
	harness_turn_one(h, 1);
	ck_assert_uint_eq(there->heard_count, 0);
	ck_assert_uint_eq(harness_drops(h, STN_DROP_FANOUT_CANCELLED), 1);
	/* Published after it. */
	harness_speak(h, speaker, "second in the ring");
	harness_turn_one(h, 0);
	harness_turn_one(h, 1);
	ck_assert_uint_eq(here->heard_count, 2);
	ck_assert_uint_eq(there->heard_count, 0);
	ck_assert_uint_eq(harness_drops(h, STN_DROP_FANOUT_CANCELLED), 2);
	harness_post(h, 0, &command);
	harness_fence(h);
	harness_until(h, there->heard_count == 3 && here->heard_count == 5);
	ck_assert_uint_eq(spoken(there), 0);
	harness_close(h);
}
END_TEST

/* What was said before a mute must not be heard after the unmute either. */
START_TEST(a_backlog_between_workers_does_not_survive_mute_and_unmute)
{
	struct harness_options options = {.workers = 2};
	struct harness *h = harness_open(&options);
	struct harness_room *room = harness_room(h, 1, STN_SUITE_NONE, 0, 0);
	struct harness_leg leg = speaker_leg();
	struct peer *speaker = harness_join(h, room, &leg), *there;
	unsigned int i;

	leg = (struct harness_leg){.tx_suite = 1, .worker = 2};
	there = harness_join(h, room, &leg);
	harness_fence(h);
	/* More than a worker takes from a ring in the turn of the fence. */
	for (i = 0; i < 4 * WORKER_BURST; i++) {
		harness_speak(h, speaker, "said before the mute");
		harness_turn_one(h, 0);
	}
	harness_mute(h, speaker, true);
	harness_fence(h);
	harness_mute(h, speaker, false);
	harness_fence(h);
	/* The slot is still ending in silence; what is said meanwhile is kept for when it is free.
	 */
	wait_ms(h, 80);
	harness_speak(h, speaker, "said after the unmute");
	harness_until(h, spoken(there) >= 1);
	harness_settle(h);
	ck_assert_uint_eq(spoken(there), 1);
	for (i = 0; i < there->heard_count; i++)
		if (there->heard[i].view.csrc_count != 0)
			ck_assert_mem_eq(there->heard[i].payload, "said after", 10);
	harness_close(h);
}
END_TEST

struct watch {
	struct peer *peer;
	unsigned int first; /* number of the first packet it must have */
};

/* Everybody who stays hears every packet exactly once; who has left, none after the fence. */
START_TEST(joins_and_leaves_in_the_middle_of_fan_outs)
{
	struct harness_options options = {
		.workers = (unsigned int)(_i % 2 + 1), .slice_copies = 32, .stale_ms = 5000};
	struct harness *h = harness_open(&options);
	struct harness_room *room = harness_room(h, 1, STN_SUITE_NONE, 0, 0);
	struct harness_leg leg = speaker_leg();
	struct peer *speaker = harness_join(h, room, &leg), *gone[8];
	struct watch watch[1500];
	unsigned int count = 0, packets = 0, round, i, n, went;

	harness_fence(h);
	for (round = 0; round < 60; round++) {
		/* Those who join now have the next packet for certain, and may have this one. */
		n = round == 0 ? 250 : random_below(&h->random, 9);
		for (i = 0; i < n; i++) {
			leg = (struct harness_leg){
				.tx_suite = (uint8_t)(1 + i % 3), .family = i % 5 == 0 ? 6 : 4};
			watch[count++] = (struct watch){harness_join(h, room, &leg), packets + 1};
		}
		for (went = 0; round > 0 && went < random_below(&h->random, 9); went++) {
			i = random_below(&h->random, count);
			gone[went] = watch[i].peer;
			watch[i] = watch[--count];
			harness_leave(h, gone[went]);
		}
		if (round % 3 != 2)
			harness_fence(h);
		else
			harness_settle(h);
		for (i = 0; i < went; i++)
			gone[i]->gone = true;
		harness_speak(h, speaker, "to whom it may concern");
		packets++;
		/* Leave it somewhere in the middle. */
		for (i = 0; i < 1 + random_below(&h->random, 4); i++)
			harness_turn(h);
	}
	harness_settle(h);
	ck_assert_uint_eq(harness_refusals(h), 0);
	for (i = 0; i < count; i++) {
		const struct peer *peer = watch[i].peer;

		ck_assert_uint_eq(peer->refused, 0);
		ck_assert_uint_ge(peer->heard_count, packets - watch[i].first + 1);
		ck_assert_uint_eq(peer->heard[peer->heard_count - 1].view.sequence, 1000 + packets);
		for (n = 1; n < peer->heard_count; n++)
			ck_assert_uint_eq(
				peer->heard[n].view.sequence, peer->heard[n - 1].view.sequence + 1);
	}
	harness_close(h);
}
END_TEST

START_TEST(a_room_goes_in_the_middle_of_a_fan_out)
{
	struct harness_options options = {.workers = (unsigned int)(_i + 1), .slice_copies = 32};
	struct harness *h = harness_open(&options);
	struct harness_room *room = harness_room(h, 1, STN_SUITE_NONE, 0, 0), *next;
	struct harness_leg leg = speaker_leg();
	struct peer *speaker = harness_join(h, room, &leg), *listener[300], *other;
	unsigned int i;

	listeners_join(h, room, listener, 300);
	for (i = 0; i < 5; i++)
		harness_speak(h, speaker, "this room is about to close");
	harness_turn(h);
	harness_turn(h);
	ck_assert_uint_gt(h->taken, 0);
	ck_assert_uint_lt(h->taken, 5 * 300);
	harness_room_remove(h, room);
	harness_fence(h);
	for (i = 0; i < 300; i++)
		listener[i]->gone = true;
	/* Of what was said; its end in silence may be cut too. */
	ck_assert_uint_ge(harness_drops(h, STN_DROP_FANOUT_CUT), (unsigned int)_i + 1);
	ck_assert_uint_eq(harness_stats(h).rooms, 0);
	harness_speak(h, speaker, "is anybody there");
	harness_settle(h);
	ck_assert_uint_eq(harness_drops(h, STN_DROP_NO_LEG), 1);
	/* And the workers go on. */
	next = harness_room(h, 1, STN_SUITE_NONE, (unsigned int)_i, 0);
	leg = speaker_leg();
	speaker = harness_join(h, next, &leg);
	leg = (struct harness_leg){.tx_suite = 1};
	other = harness_join(h, next, &leg);
	harness_fence(h);
	harness_speak(h, speaker, "a new room");
	harness_settle(h);
	ck_assert_uint_eq(other->heard_count, 1);
	harness_close(h);
}
END_TEST

/* A slot packet whose room, and whose room's handle, went while it was between two workers. */
START_TEST(a_handle_given_to_another_room_gets_nothing_of_the_old_one)
{
	struct harness_options options = {.workers = 2};
	struct harness *h = harness_open(&options);
	struct harness_room *room = harness_room(h, 1, STN_SUITE_NONE, 0, 0), *second;
	struct command add = {.type = COMMAND_ROOM_ADD};
	struct harness_leg leg = speaker_leg();
	struct peer *speaker = harness_join(h, room, &leg), *there;
	unsigned int i;

	harness_fence(h);
	for (i = 0; i < 2 * WORKER_BURST; i++) {
		harness_speak(h, speaker, "from the old room");
		harness_turn_one(h, 0);
	}
	harness_room_remove(h, room);
	harness_fence(h);
	/* The same handle, another room. */
	second = &h->room[h->room_count];
	*second = *room;
	second->removed = false;
	second->facts.room_id ^= 0x5555;
	second->facts.slot_index[0] = &second->slot_index[0];
	second->facts.slot_clock[0] = &second->slot_clock[0];
	h->room_count++;
	add.room = &second->facts;
	harness_post_all(h, &add);
	leg = (struct harness_leg){.tx_suite = 1, .worker = 2};
	there = harness_join(h, second, &leg);
	harness_fence(h);
	harness_settle(h);
	ck_assert_uint_eq(there->heard_count, 0);
	harness_close(h);
}
END_TEST

/* The same keys, and indices of its own until now. */
static struct peer *demote(struct harness *h, struct harness_room *room, struct peer *speaker)
{
	struct peer *again = calloc(1, sizeof(*again));
	struct harness_leg leg = {.ready = again, .worker = 2};

	ck_assert_ptr_nonnull(again);
	*again = *speaker;
	speaker->send = speaker->hear = NULL;
	speaker->heard = NULL;
	speaker->heard_count = 0;
	return harness_join(h, room, &leg);
}

/* What a worker has not sent yet has indices that a speaker has used for its own copies. */
START_TEST(who_becomes_a_listener_gets_no_index_twice)
{
	struct harness_options options = {.workers = 2, .slice_copies = 32, .stale_ms = 5000};
	struct harness *h = harness_open(&options);
	struct harness_room *room = harness_room(h, 1, STN_SUITE_NONE, 0, HARNESS_FIRST_INDEX);
	struct harness_leg talks = {.role = STN_ROLE_SPEAKER, .rx_suite = 1, .audio_level_id = 1};
	struct harness_leg both = talks, crowd = {.tx_suite = 1, .worker = 2};
	struct peer *talker = harness_join(h, room, &talks), *other;
	struct queue_room *queue;
	unsigned int i, heard;

	both.tx_suite = 1;
	both.own_index = HARNESS_FIRST_INDEX;
	other = harness_join(h, room, &both);
	for (i = 0; i < 600; i++)
		harness_join(h, room, &crowd);
	harness_fence(h);
	queue = &h->pool.worker[1]->room[room->facts.room]->queue;
	for (i = 0; i < 8; i++)
		harness_speak(h, talker, "not sent by all at once");
	harness_until(h, other->heard_count >= 8);
	harness_leave(h, other);
	harness_fence(h);
	ck_assert_uint_gt(queue->count, 1);
	heard = other->heard_count;
	other = demote(h, room, other);
	harness_settle(h);
	ck_assert_uint_eq(other->refused, 0);
	harness_speak(h, talker, "to listeners");
	harness_settle(h);
	ck_assert_uint_eq(other->refused, 0);
	ck_assert_uint_ge(other->heard_count, heard + 1);
	harness_close(h);
}
END_TEST

/* Cells may be of other keys, ahead of where the slot is: what the slot sends from now on is heard.
 */
START_TEST(who_becomes_a_listener_keeps_nobody_from_hearing)
{
	struct harness_options options = {.workers = 2};
	struct harness *h = harness_open(&options);
	struct harness_room *room = harness_room(h, 1, STN_SUITE_NONE, 0, HARNESS_FIRST_INDEX);
	struct harness_leg talks = {.role = STN_ROLE_SPEAKER, .rx_suite = 1, .audio_level_id = 1};
	struct harness_leg both = talks, hears = {.tx_suite = 1, .worker = 2};
	struct peer *talker = harness_join(h, room, &talks), *other, *listener;

	both.tx_suite = 1;
	both.own_index = HARNESS_FIRST_INDEX + 0x30000;
	other = harness_join(h, room, &both);
	listener = harness_join(h, room, &hears);
	harness_leave(h, other);
	harness_fence(h);
	demote(h, room, other);
	harness_fence(h);
	harness_speak(h, talker, "to whoever listens");
	harness_settle(h);
	ck_assert_uint_eq(listener->heard_count, 1);
	harness_close(h);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mute");
	TCase *cases = tcase_create("mute");

	tcase_set_timeout(cases, 60);
	tcase_add_loop_test(
		cases, a_mute_ends_in_silence_and_an_unmute_begins_with_the_marker, 0, 2);
	tcase_add_loop_test(cases, nothing_that_is_queued_outlives_the_fence, 0, 4);
	tcase_add_test(cases, a_packet_in_the_ring_between_workers_meets_the_mute);
	tcase_add_test(cases, a_backlog_between_workers_does_not_survive_mute_and_unmute);
	tcase_add_loop_test(cases, joins_and_leaves_in_the_middle_of_fan_outs, 0, 4);
	tcase_add_loop_test(cases, a_room_goes_in_the_middle_of_a_fan_out, 0, 2);
	tcase_add_test(cases, a_handle_given_to_another_room_gets_nothing_of_the_old_one);
	tcase_add_test(cases, who_becomes_a_listener_gets_no_index_twice);
	tcase_add_test(cases, who_becomes_a_listener_keeps_nobody_from_hearing);
	suite_add_tcase(suite, cases);
	return harness_main(suite);
}
