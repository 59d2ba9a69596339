// SPDX-License-Identifier: BSD-3-Clause
/* Rollover counters: wraps with loss around them, late joiners, joiners right before a wrap. */
#include "tests/io/harness.h"

static const struct engine *const engines[] = {&engine_ipsec_mb, &engine_libsrtp};

struct scene {
	struct harness *h;
	struct harness_room *room;
	struct peer *speaker;
};

static void scene_open(struct scene *s, const struct engine *engine, uint64_t slot_index)
{
	struct harness_options options = {.engine = engine};
	struct harness_leg leg = {.role = STN_ROLE_SPEAKER, .rx_suite = 1, .audio_level_id = 1};

	s->h = harness_open(&options);
	s->room = harness_room(s->h, 1, 2, 0, slot_index);
	s->speaker = harness_join(s->h, s->room, &leg);
	harness_fence(s->h);
}

static void say(struct scene *s, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		harness_speak(s->h, s->speaker, "around and around");
		harness_settle(s->h);
	}
}

static struct peer *join(struct scene *s, uint8_t suite)
{
	struct harness_leg leg = {.tx_suite = suite};
	struct peer *peer = harness_join(s->h, s->room, &leg);

	harness_fence(s->h);
	return peer;
}

/* Consecutive sequence numbers from `first` on, none refused. */
static void check(const struct peer *peer, uint16_t first, unsigned int count)
{
	unsigned int i;

	ck_assert_uint_eq(peer->refused, 0);
	ck_assert_uint_eq(peer->heard_count, count);
	for (i = 0; i < count; i++)
		ck_assert_uint_eq(peer->heard[i].view.sequence, (uint16_t)(first + i));
}

START_TEST(a_listener_goes_through_a_wrap)
{
	uint64_t base = _i / 6 ? 0x1ff00 : 0xff00; /* the room's first wrap, or its second */
	struct peer *peer;
	struct scene s;

	scene_open(&s, engines[_i % 2], base);
	peer = join(&s, (uint8_t)(1 + _i / 2 % 3));
	ck_assert_uint_eq(peer->facts.origin[0], base >> 16);
	say(&s, 512);
	check(peer, 0xff01, 512);
	ck_assert_uint_eq(s.room->slot_index[0].value, base + 512);
	harness_close(s.h);
}
END_TEST

/* A listener who misses the packets around the wrap, whichever they are, goes on behind them. */
START_TEST(loss_around_the_wrap_costs_only_what_was_lost)
{
	static const struct {
		unsigned int heard, lost;
	} rows[] = {{255, 1}, {254, 3}, {255, 200}, {100, 156}, {100, 300}, {1, 400}};
	struct peer *peer;
	struct scene s;

	scene_open(&s, engines[_i % 2], 0xff00);
	peer = join(&s, (uint8_t)(1 + _i % 3));
	say(&s, rows[_i / 2].heard);
	peer->deaf = true;
	say(&s, rows[_i / 2].lost);
	peer->deaf = false;
	say(&s, 50);
	ck_assert_uint_eq(peer->refused, 0);
	ck_assert_uint_eq(peer->heard_count, rows[_i / 2].heard + 50);
	ck_assert_uint_eq(peer->heard[peer->heard_count - 1].view.sequence,
		(uint16_t)(0xff00 + rows[_i / 2].heard + rows[_i / 2].lost + 50));
	harness_close(s.h);
}
END_TEST

START_TEST(a_late_joiner_decrypts_from_the_first_packet)
{
	struct peer *peer;
	struct scene s;

	/* The slot has wrapped twice before the listener comes. */
	scene_open(&s, engines[_i % 2], 0x2ffc0 - 100);
	say(&s, 200);
	peer = join(&s, (uint8_t)(1 + _i / 2));
	/* 0x2ffc0 - 100 + 200 is 0x30024. */
	ck_assert_uint_eq(peer->facts.origin[0], 3);
	say(&s, 30);
	check(peer, 0x25, 30);
	harness_close(s.h);
}
END_TEST

/* The last 64 sequence numbers before a wrap are nobody's first. */
START_TEST(a_joiner_right_before_a_wrap_begins_behind_it)
{
	struct peer *before, *inside;
	struct scene s;

	scene_open(&s, engines[_i % 2], 0x1ffbe); /* next: 0x1ffbf, the last that may be a first */
	before = join(&s, 1);
	ck_assert_uint_eq(before->facts.origin[0], 1);
	say(&s, 1);
	inside = join(&s, (uint8_t)(1 + _i / 2));
	ck_assert_uint_eq(inside->facts.origin[0], 2);
	say(&s, 64);
	ck_assert_uint_eq(s.room->slot_index[0].value, 0x1ffff);
	ck_assert_uint_eq(before->heard_count, 65);
	ck_assert_uint_eq(inside->heard_count, 0);
	say(&s, 10);
	check(before, 0xffbf, 75);
	check(inside, 0, 10);
	harness_close(s.h);
}
END_TEST

START_TEST(a_holder_of_the_group_key_is_told_the_roc)
{
	struct harness_leg leg = {.group = true};
	struct peer *peer;
	struct scene s;

	scene_open(&s, engines[_i % 2], 0x4fff0);
	leg.origin = (const uint32_t[STN_SLOTS_MAX]){4};
	peer = harness_join(s.h, s.room, &leg);
	peer_expect(peer, HARNESS_SLOT_SSRC(0, 0), 4);
	harness_fence(s.h);
	say(&s, 40);
	check(peer, 0xfff1, 40);
	harness_close(s.h);
}
END_TEST

/* A speaker's own sequence space wraps when it does, not when the slot does. */
START_TEST(a_speaker_hears_through_both_wraps)
{
	struct harness_leg leg = {
		.role = STN_ROLE_SPEAKER, .rx_suite = 1, .tx_suite = 3, .own_index = 0x1fff0};
	struct peer *peer;
	struct scene s;

	scene_open(&s, engines[_i % 2], 0xffe0);
	peer = harness_join(s.h, s.room, &leg);
	peer_expect(peer, HARNESS_SLOT_SSRC(0, 0), 1);
	harness_fence(s.h);
	say(&s, 60);
	check(peer, 0xfff1, 60);
	ck_assert_uint_eq(peer->cells[LEG_CELL_OWN].value, 0x1fff0 + 60);
	harness_close(s.h);
}
END_TEST

/* The incoming stream wraps, with loss and reordering around it. */
START_TEST(a_source_goes_through_a_wrap)
{
	struct harness_leg leg = {.role = STN_ROLE_SPEAKER,
		.rx_suite = (uint8_t)(1 + _i / 2),
		.audio_level_id = 1,
		.sequence = 0xfff0};
	uint8_t late[PACKET_MAX], lost[PACKET_MAX];
	struct peer *speaker, *peer;
	unsigned int size = 0, i;
	struct scene s;

	scene_open(&s, engines[_i % 2], 0);
	peer = join(&s, 1);
	speaker = harness_join(s.h, s.room, &leg);
	harness_fence(s.h);
	s.speaker = speaker;
	for (i = 0; i < 32; i++) {
		if (i == 14) /* 0xfffe comes behind 2, and 0xffff never */
			size = peer_packet(speaker, 20, "late", 4, late);
		else if (i == 15)
			peer_packet(speaker, 20, "lost", 4, lost);
		else
			harness_speak(s.h, speaker, "in between");
		if (i == 18)
			harness_datagram(s.h, speaker, 0, late, size);
		harness_settle(s.h);
	}
	ck_assert_uint_eq(harness_stats(s.h).forwarded, 31);
	ck_assert_uint_eq(speaker->cells[LEG_CELL_SOURCE].value, 0x10000 + 16);
	ck_assert_uint_eq(peer->heard_count, 31);
	ck_assert_uint_eq(peer->refused, 0);
	/* The late one takes the number that was left for it. */
	ck_assert_uint_eq(peer->heard[17].view.sequence + 4u, peer->heard[16].view.sequence + 0u);
	harness_close(s.h);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wrap");
	TCase *cases = tcase_create("wrap");

	tcase_set_timeout(cases, 60);
	tcase_add_loop_test(cases, a_listener_goes_through_a_wrap, 0, 12);
	tcase_add_loop_test(cases, loss_around_the_wrap_costs_only_what_was_lost, 0, 12);
	tcase_add_loop_test(cases, a_late_joiner_decrypts_from_the_first_packet, 0, 6);
	tcase_add_loop_test(cases, a_joiner_right_before_a_wrap_begins_behind_it, 0, 6);
	tcase_add_loop_test(cases, a_holder_of_the_group_key_is_told_the_roc, 0, 2);
	tcase_add_loop_test(cases, a_speaker_hears_through_both_wraps, 0, 2);
	tcase_add_loop_test(cases, a_source_goes_through_a_wrap, 0, 6);
	suite_add_tcase(suite, cases);
	return harness_main(suite);
}
