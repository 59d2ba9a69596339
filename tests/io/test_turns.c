// SPDX-License-Identifier: BSD-3-Clause
/* Rooms take turns: who is small does not wait for who is large, and what one of them does, or has
 * done to it, is nothing to the others. */
#include "tests/io/harness.h"

#define LARGE 800u
#define SMALL 20u
#define SLICE 64u
#define LEAVERS 5u

struct audience {
	struct harness_room *room;
	struct peer *speaker;
	struct peer *listener[LARGE];
	unsigned int count;
};

static void audience_join(struct harness *h, struct audience *a, unsigned int count)
{
	struct harness_leg leg = {.role = STN_ROLE_SPEAKER, .rx_suite = 1, .audio_level_id = 1};
	unsigned int i;

	a->room = harness_room(h, 2, STN_SUITE_NONE, 0, 0);
	a->speaker = harness_join(h, a->room, &leg);
	for (i = 0; i < count; i++) {
		leg = (struct harness_leg){.tx_suite = (uint8_t)(1 + i % 3)};
		a->listener[i] = harness_join(h, a->room, &leg);
		if (i % 500 == 499)
			harness_fence(h);
	}
	a->count = count;
	harness_fence(h);
	ck_assert_uint_eq(harness_refusals(h), 0);
}

/* How many of them have heard so many packets, or more. */
static unsigned int heard(const struct audience *a, unsigned int packets)
{
	unsigned int i, count = 0;

	for (i = 0; i < a->count; i++)
		count += a->listener[i]->heard_count >= packets;
	return count;
}

static struct harness *open(void)
{
	struct harness_options options = {.slice_copies = SLICE, .stale_ms = 5000};

	return harness_open(&options);
}

static uint64_t total(const uint64_t buckets[STN_BUCKETS_MAX])
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < STN_BUCKETS_MAX; i++)
		sum += buckets[i];
	return sum;
}

/* Between two slices of a large room there is one of the small room, which is all it needs. */
START_TEST(a_small_room_waits_for_a_slice_only)
{
	struct harness *h = open();
	struct stn_worker_stats stats;
	struct audience large, small;
	unsigned int i, before;

	audience_join(h, &large, LARGE);
	audience_join(h, &small, SMALL);
	harness_speak(h, large.speaker, "to a great many");
	harness_turn(h);
	for (i = 0; i < 3; i++) {
		before = heard(&large, 1);
		ck_assert_uint_gt(before, 0);
		harness_speak(h, small.speaker, "to a few");
		harness_turn(h);
		harness_turn(h);
		ck_assert_uint_eq(heard(&small, i + 1), SMALL);
		/* And the large one did not starve meanwhile. */
		ck_assert_uint_ge(heard(&large, 1), before + SLICE);
		ck_assert_uint_lt(heard(&large, 1), LARGE);
	}
	harness_settle(h);
	ck_assert_uint_eq(heard(&large, 1), LARGE);
	/* Each packet once, and by the size of its room: up to 100 listeners, up to 10,000. */
	h->interface.stats(h->interface.impl, 0, &stats);
	ck_assert_uint_eq(total(stats.first_copy), 4);
	ck_assert_uint_eq(total(stats.last_copy[0]), 3);
	ck_assert_uint_eq(total(stats.last_copy[1]), 1);
	ck_assert_uint_eq(total(stats.last_copy[2]), 0);
	ck_assert_uint_gt(stats.last_copy_sum_ns[1], 0);
	harness_close(h);
}
END_TEST

/* Two large rooms: neither is ever far ahead of the other. */
START_TEST(large_rooms_advance_together)
{
	struct harness *h = open();
	struct audience a, b;
	unsigned int x, y;

	audience_join(h, &a, LARGE);
	audience_join(h, &b, LARGE);
	harness_speak(h, a.speaker, "here");
	harness_speak(h, b.speaker, "and there");
	do {
		harness_turn(h);
		x = heard(&a, 1);
		y = heard(&b, 1);
		/* A turn in the ring each, and a run that began within it. */
		ck_assert_int_le(abs((int)x - (int)y), (int)(2 * SLICE + ENGINE_BLOCK_LEGS));
	} while (x < LARGE && y < LARGE);
	harness_settle(h);
	ck_assert_uint_eq(heard(&a, 1) + heard(&b, 1), 2 * LARGE);
	harness_close(h);
}
END_TEST

/* Everybody has heard all that the slot has sent. */
static void order_check(const struct audience *a, unsigned int slot)
{
	uint32_t ssrc = a->room->facts.slot_ssrc[slot];
	uint64_t sent = a->room->slot_index[slot].value - HARNESS_FIRST_INDEX;
	unsigned int i, n;

	ck_assert_uint_gt(sent, 0);
	for (i = 0; i < a->count; i++) {
		ck_assert_uint_eq(a->listener[i]->refused, 0);
		ck_assert_uint_eq(peer_count(a->listener[i], ssrc), sent);
		for (n = 0; n < sent; n++)
			ck_assert_uint_eq(peer_at(a->listener[i], ssrc, n)->view.sequence,
				HARNESS_FIRST_INDEX + 1 + n);
	}
}

/* Every listener of every room hears each of its slots in order and without a gap. */
START_TEST(packets_of_a_room_stay_in_order)
{
	struct harness *h = open();
	struct audience audience[4];
	unsigned int r, i, round, slot;
	struct peer *second[4];

	for (r = 0; r < 4; r++) {
		struct harness_leg leg = {
			.role = STN_ROLE_SPEAKER, .rx_suite = 1, .audio_level_id = 1};

		audience_join(h, &audience[r], r == 0 ? 400 : 10 + 50 * r);
		second[r] = harness_join(h, audience[r].room, &leg);
	}
	harness_fence(h);
	for (round = 0; round < 30; round++) {
		for (r = 0; r < 4; r++) {
			harness_speak(h, audience[r].speaker, "one");
			harness_speak(h, second[r], "other");
		}
		for (i = 0; i < random_below(&h->random, 6); i++)
			harness_turn(h);
	}
	harness_settle(h);
	for (r = 0; r < 4; r++)
		for (slot = 0; slot < 2; slot++)
			order_check(&audience[r], slot);
	harness_close(h);
}
END_TEST

static void time_passes(struct harness *h, uint64_t ns)
{
	unsigned int i;

	for (i = 0; i < h->pool.count; i++)
		h->pool.worker[i]->skew_ns += ns;
}

/* What is left of a packet under way when it is stale is counted, not sent, to the copy. */
START_TEST(a_stale_fan_out_is_cut_and_counted)
{
	struct harness *h = open();
	struct audience large, small;
	struct peer *leaver[LEAVERS];
	unsigned int i, before, left = 0, late = 0;

	audience_join(h, &large, LARGE);
	audience_join(h, &small, SMALL);
	/* A turn applies all the commands it finds, however slow the machine. */
	h->pool.worker[0]->slice_cycles = UINT64_MAX / 4;
	harness_speak(h, large.speaker, "to a great many");
	harness_speak(h, large.speaker, "and waits behind it");
	for (i = 0; i < 3; i++)
		harness_turn(h);
	ck_assert_uint_gt(heard(&large, 1), 0);
	/* Who has left, or is to be left out, is no copy that was not made. */
	for (i = 0; i < LARGE && left < LEAVERS; i++)
		if (large.listener[i]->heard_count == 0) {
			leaver[left] = large.listener[i];
			harness_leave(h, leaver[left++]);
		}
	harness_fence(h);
	/* Before it was applied, some may have been served. */
	for (i = 0; i < LEAVERS; i++)
		late += leaver[i]->heard_count;
	before = heard(&large, 1) - late;
	ck_assert_uint_lt(before, LARGE - 200);
	time_passes(h, 5000000000ull);
	harness_speak(h, small.speaker, "to a few");
	harness_settle(h);
	ck_assert_uint_eq(heard(&large, 1), before + late);
	ck_assert_uint_eq(harness_drops(h, STN_DROP_TX_STALE), LARGE - LEAVERS - before);
	ck_assert_uint_eq(harness_drops(h, STN_DROP_FANOUT_STALE), 1);
	ck_assert_uint_eq(heard(&small, 1), SMALL);
	ck_assert_uint_eq(harness_stats(h).copies, LARGE - LEAVERS + late + SMALL);
	/* The next packet begins with those who went without. */
	harness_speak(h, large.speaker, "once more");
	for (i = 0; i < 3; i++)
		harness_turn(h);
	ck_assert_uint_eq(heard(&large, 2), 0);
	harness_settle(h);
	ck_assert_uint_eq(heard(&large, 1), LARGE - LEAVERS + late);
	ck_assert_uint_eq(heard(&large, 2), before);
	harness_close(h);
}
END_TEST

/* The copies of a large room's packet leave in a burst and then evenly; a small room's at once. */
START_TEST(a_large_fan_out_is_spread_over_the_pace)
{
	struct harness_options options = {.slice_copies = SLICE,
		.stale_ms = 5000,
		.pace_us = 20000,
		.pace_burst_copies = 128};
	struct harness *h = harness_open(&options);
	struct audience large, small;
	uint64_t begin, passed, may;
	unsigned int round = 0;

	audience_join(h, &large, LARGE);
	audience_join(h, &small, SMALL);
	begin = harness_now_ns();
	harness_speak(h, large.speaker, "in time, not at once");
	harness_turn(h);
	while (heard(&large, 1) < LARGE) {
		ck_assert_uint_lt(harness_now_ns() - begin, 10000000000ull);
		harness_speak(h, small.speaker, "at once");
		harness_turn(h);
		harness_turn(h);
		ck_assert_uint_eq(heard(&small, ++round), SMALL);
		/* Never more than the burst and what the time that really passed allows. */
		passed = harness_now_ns() - begin;
		may = 128 + LARGE * passed / 20000000 + ENGINE_BLOCK_LEGS;
		ck_assert_uint_le(heard(&large, 1), may);
	}
	/* All of it, less the burst: a slow machine only makes it longer. */
	ck_assert_uint_ge(
		harness_now_ns() - begin, 20000000ull * (LARGE - 128 - ENGINE_BLOCK_LEGS) / LARGE);
	harness_close(h);
}
END_TEST

/* Time that passes is all it waits for; what waits behind it makes it hurry, in order. */
START_TEST(a_paced_room_catches_up)
{
	struct harness_options options = {.slice_copies = SLICE,
		.stale_ms = 5000,
		.pace_us = 20000,
		.pace_burst_copies = LARGE / 2};
	struct harness *h = harness_open(&options);
	struct audience large;
	unsigned int i;

	audience_join(h, &large, LARGE);
	for (i = 0; i < 3; i++)
		harness_speak(h, large.speaker, "three in a frame");
	for (i = 1; i <= 3; i++) {
		harness_settle(h);
		/* Half is the burst; the rest may have to wait, and its time comes. */
		time_passes(h, 20000000ull);
		harness_until(h, heard(&large, i) == LARGE);
	}
	ck_assert_uint_eq(harness_stats(h).copies, 3 * LARGE);
	ck_assert_uint_eq(harness_drops(h, STN_DROP_TX_STALE), 0);
	harness_close(h);
}
END_TEST

/* A room that floods leaves space to one that does not. */
START_TEST(a_flood_in_one_room_is_its_own)
{
	struct harness *h = open();
	struct audience large, small;
	unsigned int i, n;

	audience_join(h, &large, LARGE);
	audience_join(h, &small, SMALL);
	for (i = 0; i < 40; i++) {
		for (n = 0; n < WORKER_BURST; n++)
			harness_speak(h, large.speaker, "far too much");
		harness_turn(h);
	}
	ck_assert_uint_gt(harness_drops(h, STN_DROP_PUBLISH_FULL), 100);
	n = (unsigned int)harness_drops(h, STN_DROP_PUBLISH_FULL);
	for (i = 0; i < 100; i++) {
		harness_speak(h, small.speaker, "a word");
		harness_turn(h);
		harness_turn(h);
	}
	ck_assert_uint_eq(harness_drops(h, STN_DROP_PUBLISH_FULL), n);
	ck_assert_uint_eq(heard(&small, 100), SMALL);
	harness_mute(h, large.speaker, true);
	harness_settle(h);
	harness_close(h);
}
END_TEST

static unsigned int voices(const struct peer *peer)
{
	unsigned int i, count = 0;

	for (i = 0; i < peer->heard_count; i++)
		count += peer->heard[i].view.csrc_count != 0;
	return count;
}

/* Several fan-outs under way: a mute, a removal and the end of a room in the middle of them. */
START_TEST(what_happens_to_one_room_is_nothing_to_the_others)
{
	struct harness *h = open();
	struct audience muted, thinned, closed, other;
	unsigned int i, before, gone = 0;

	audience_join(h, &muted, 300);
	audience_join(h, &thinned, 300);
	audience_join(h, &closed, 300);
	audience_join(h, &other, 300);
	for (i = 0; i < 3; i++) {
		harness_speak(h, muted.speaker, "soon silent");
		harness_speak(h, thinned.speaker, "to fewer and fewer");
		harness_speak(h, closed.speaker, "soon over");
		harness_speak(h, other.speaker, "undisturbed");
	}
	for (i = 0; i < 6; i++)
		harness_turn(h);
	ck_assert_uint_gt(heard(&muted, 1), 0);
	ck_assert_uint_gt(heard(&thinned, 1), 0);
	ck_assert_uint_gt(heard(&closed, 1), 0);
	ck_assert_uint_gt(heard(&other, 1), 0);
	ck_assert_uint_lt(heard(&other, 1), 300);
	harness_mute(h, muted.speaker, true);
	for (i = 0; i < 300; i += 3) {
		harness_leave(h, thinned.listener[i]);
		gone++;
	}
	harness_room_remove(h, closed.room);
	harness_fence(h);
	for (i = 0; i < 300; i++) {
		closed.listener[i]->gone = true;
		thinned.listener[i]->gone = i % 3 == 0;
	}
	for (i = 0, before = 0; i < 300; i++)
		before += voices(muted.listener[i]);
	harness_settle(h);
	for (i = 0; i < 300; i++)
		before -= voices(muted.listener[i]);
	ck_assert_uint_eq(before, 0);
	ck_assert_uint_ge(harness_drops(h, STN_DROP_FANOUT_CUT), 2);
	ck_assert_uint_eq(heard(&other, 3), 300);
	for (i = 0; i < 300; i++) {
		const struct peer *peer = thinned.listener[i];

		ck_assert_uint_eq(peer->refused, 0);
		if (i % 3 != 0)
			ck_assert_uint_eq(peer->heard_count, 3);
	}
	/* The legs that moved into the holes are where they are thought to be. */
	harness_speak(h, thinned.speaker, "to those who stayed");
	harness_settle(h);
	ck_assert_uint_eq(heard(&thinned, 4), 300 - gone);
	harness_close(h);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("turns");
	TCase *cases = tcase_create("turns");

	tcase_set_timeout(cases, 60);
	tcase_add_test(cases, a_small_room_waits_for_a_slice_only);
	tcase_add_test(cases, large_rooms_advance_together);
	tcase_add_test(cases, packets_of_a_room_stay_in_order);
	tcase_add_test(cases, a_stale_fan_out_is_cut_and_counted);
	tcase_add_test(cases, a_large_fan_out_is_spread_over_the_pace);
	tcase_add_test(cases, a_paced_room_catches_up);
	tcase_add_test(cases, a_flood_in_one_room_is_its_own);
	tcase_add_test(cases, what_happens_to_one_room_is_nothing_to_the_others);
	suite_add_tcase(suite, cases);
	return harness_main(suite);
}
