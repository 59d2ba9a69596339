// SPDX-License-Identifier: BSD-3-Clause
/* One speaker, listeners of every kind: what each of them decodes with libsrtp2. */
#include "tests/io/harness.h"

#include <stdio.h>

#define PACKETS 40u
#define SUITES 3

static const struct engine *const engines[] = {&engine_ipsec_mb, &engine_libsrtp};

static void say(struct harness *h, struct peer *speaker, unsigned int from, unsigned int count)
{
	char payload[32];
	unsigned int i;

	for (i = from; i < from + count; i++) {
		snprintf(payload, sizeof(payload), "this is packet %u", i);
		harness_speak(h, speaker, payload);
		harness_settle(h);
	}
}

static void check_stream(const struct peer *listener, uint32_t ssrc, const struct peer *speaker,
	uint16_t first, unsigned int count)
{
	char payload[32];
	unsigned int i;

	ck_assert_uint_eq(listener->refused, 0);
	ck_assert_uint_eq(peer_count(listener, ssrc), count);
	for (i = 0; i < count; i++) {
		const struct heard *heard = peer_at(listener, ssrc, i);

		snprintf(payload, sizeof(payload), "this is packet %u", i);
		ck_assert_uint_eq(heard->view.sequence, (uint16_t)(first + i));
		ck_assert_uint_eq(heard->view.marker, i == 0);
		ck_assert_uint_eq(heard->view.csrc_count, 1);
		ck_assert_uint_eq(heard->view.csrc[0], speaker->ssrc);
		ck_assert_uint_eq(heard->view.payload_size, strlen(payload));
		ck_assert_mem_eq(heard->payload, payload, strlen(payload));
		ck_assert_uint_eq(heard->view.payload_type,
			listener->facts.profile == 1 ? 96 : HARNESS_PAYLOAD_TYPE);
		ck_assert_uint_eq(heard->has_level, listener->facts.profile == 1);
		if (heard->has_level)
			ck_assert_uint_eq(heard->level, 0x80 | 20);
		if (i > 0)
			ck_assert_uint_eq(heard->view.timestamp -
						  peer_at(listener, ssrc, i - 1)->view.timestamp,
				120);
	}
}

/* Engine, the speaker's suite, untagged or tagged. */
START_TEST(everybody_decodes_everything)
{
	struct harness_options options = {.engine = engines[_i / 6],
		.vlan = _i / 3 % 2 ? 77 : 0,
		.workers = (unsigned int)(_i % 2 + 1)};
	struct harness *h = harness_open(&options);
	struct harness_room *room =
		harness_room(h, 3, (uint8_t)(1 + _i % SUITES), (unsigned int)(_i % 2), 0);
	struct harness_leg leg = {.role = STN_ROLE_SPEAKER,
		.rx_suite = (uint8_t)(1 + _i % SUITES),
		.audio_level_id = 1,
		.family = _i % 2 ? 6 : 4};
	struct peer *speaker = harness_join(h, room, &leg), *listener[48];
	unsigned int i, n = 0;

	for (i = 0; i < 48; i++) {
		leg = (struct harness_leg){.tx_suite = (uint8_t)(1 + i % SUITES),
			.family = i / 6 % 2 ? 6 : 4,
			.group = i / 12 % 4 == 3};
		leg.profile = leg.group ? 0 : i / 3 % 2;
		listener[n++] = harness_join(h, room, &leg);
	}
	harness_fence(h);
	ck_assert_uint_eq(harness_refusals(h), 0);
	ck_assert_uint_eq(harness_stats(h).legs, 49);
	say(h, speaker, 0, PACKETS);
	for (i = 0; i < n; i++)
		check_stream(listener[i], HARNESS_SLOT_SSRC(0, 0), speaker, HARNESS_FIRST_INDEX + 1,
			PACKETS);
	ck_assert_uint_eq(harness_stats(h).tx_packets, (uint64_t)PACKETS * n);
	ck_assert_uint_eq(speaker->heard_count, 0);
	harness_close(h);
}
END_TEST

START_TEST(a_room_with_nobody_else_in_it)
{
	struct harness_options options = {.workers = 2};
	struct harness *h = harness_open(&options);
	struct harness_room *room = harness_room(h, 1, STN_SUITE_NONE, 1, 0);
	struct harness_leg leg = {.role = STN_ROLE_SPEAKER,
		.rx_suite = STN_SUITE_AEAD_AES_128_GCM,
		.tx_suite = STN_SUITE_AEAD_AES_128_GCM};
	struct peer *speaker = harness_join(h, room, &leg);

	harness_fence(h);
	say(h, speaker, 0, 10);
	ck_assert_uint_eq(harness_stats(h).forwarded, 10);
	ck_assert_uint_eq(harness_stats(h).copies, 0);
	ck_assert_uint_eq(room->slot_index[0].value, HARNESS_FIRST_INDEX + 10);
	harness_close(h);
}
END_TEST

START_TEST(two_speakers_hear_each_other_and_not_themselves)
{
	struct harness_options options = {
		.engine = engines[_i % 2], .workers = (unsigned int)(1 + _i / 2)};
	struct harness *h = harness_open(&options);
	struct harness_room *room = harness_room(h, 2, STN_SUITE_NONE, 0, 0);
	struct harness_leg leg = {.role = STN_ROLE_SPEAKER, .rx_suite = 1, .tx_suite = 2};
	struct peer *a = harness_join(h, room, &leg), *b, *c;
	unsigned int i;

	leg.family = 6;
	leg.tx_suite = 3;
	b = harness_join(h, room, &leg);
	leg = (struct harness_leg){.tx_suite = 1};
	c = harness_join(h, room, &leg);
	harness_fence(h);
	for (i = 0; i < 30; i++) {
		harness_speak(h, a, "spoken by the first one");
		harness_speak(h, b, "spoken by the second");
		harness_settle(h);
	}
	/* The first to speak has slot 0; each hears only the other one's. */
	ck_assert_uint_eq(a->heard_count, 30);
	ck_assert_uint_eq(peer_count(a, HARNESS_SLOT_SSRC(0, 1)), 30);
	ck_assert_uint_eq(a->refused, 0);
	ck_assert_uint_eq(a->cells[LEG_CELL_OWN].value, 2000);
	ck_assert_uint_eq(a->cells[LEG_CELL_OWN + 1].value, 2030);
	ck_assert_uint_eq(peer_count(c, HARNESS_SLOT_SSRC(0, 0)), 30);
	ck_assert_uint_eq(peer_count(c, HARNESS_SLOT_SSRC(0, 1)), 30);
	for (i = 0; i < 30; i++) {
		const struct heard *heard = peer_at(a, HARNESS_SLOT_SSRC(0, 1), i);

		ck_assert_uint_eq(heard->view.sequence, 2001 + i);
		ck_assert_uint_eq(heard->view.csrc[0], b->ssrc);
	}
	ck_assert_uint_eq(b->cells[LEG_CELL_OWN].value, 2030);
	ck_assert_uint_eq(b->refused, 0);
	ck_assert_uint_eq(b->heard_count, 30);
	ck_assert_uint_eq(peer_count(b, HARNESS_SLOT_SSRC(0, 0)), 30);
	harness_close(h);
}
END_TEST

START_TEST(rooms_do_not_hear_each_other)
{
	struct harness_options options = {.workers = 2};
	struct harness *h = harness_open(&options);
	struct harness_leg speaker = {.role = STN_ROLE_SPEAKER, .rx_suite = 1};
	struct harness_leg listener = {.tx_suite = 1};
	struct harness_room *room[2];
	struct peer *speakers[2], *listeners[2];
	unsigned int i;

	for (i = 0; i < 2; i++) {
		room[i] = harness_room(h, 1, STN_SUITE_NONE, i, 0);
		speakers[i] = harness_join(h, room[i], &speaker);
		listeners[i] = harness_join(h, room[i], &listener);
	}
	harness_fence(h);
	say(h, speakers[0], 0, 5);
	check_stream(listeners[0], HARNESS_SLOT_SSRC(0, 0), speakers[0], 1001, 5);
	ck_assert_uint_eq(listeners[1]->heard_count, 0);
	say(h, speakers[1], 0, 7);
	check_stream(listeners[1], HARNESS_SLOT_SSRC(1, 0), speakers[1], 1001, 7);
	ck_assert_uint_eq(listeners[0]->heard_count, 5);
	harness_close(h);
}
END_TEST

/* A packet of its own speaker that is not the holder is not lost, nor is it sent. */
START_TEST(what_is_kept_for_preroll_comes_out)
{
	struct harness_options options = {.stale_ms = 20, .preroll_ms = 120};
	struct harness *h = harness_open(&options);
	struct harness_room *room = harness_room(h, 1, STN_SUITE_NONE, 0, 0);
	struct harness_leg leg = {.role = STN_ROLE_SPEAKER, .rx_suite = 1, .audio_level_id = 1};
	struct peer *speaker = harness_join(h, room, &leg), *listener;
	uint8_t packet[PACKET_MAX];
	uint64_t begin;
	unsigned int i;

	leg = (struct harness_leg){.tx_suite = 1};
	listener = harness_join(h, room, &leg);
	harness_fence(h);
	/* Not active: kept. */
	for (i = 0; i < 3; i++) {
		unsigned int size = peer_packet(speaker, 126, "almost silent", 13, packet);

		harness_datagram(h, speaker, 0, packet, size);
		harness_settle(h);
	}
	ck_assert_uint_eq(listener->heard_count, 0);
	begin = harness_now_ns();
	harness_until(h, harness_now_ns() - begin > 40000000ull);
	/* Takes the slot; the older ones are worth as much as they are now. */
	harness_speak(h, speaker, "and then it is loud");
	harness_settle(h);
	ck_assert_uint_eq(listener->heard_count, 4);
	ck_assert(listener->heard[0].view.marker);
	ck_assert_mem_eq(listener->heard[0].payload, "almost silent", 13);
	ck_assert_uint_eq(harness_drops(h, STN_DROP_FANOUT_STALE), 0);
	harness_close(h);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("relay");
	TCase *cases = tcase_create("relay");

	tcase_set_timeout(cases, 60);
	tcase_add_loop_test(cases, everybody_decodes_everything, 0, 12);
	tcase_add_test(cases, a_room_with_nobody_else_in_it);
	tcase_add_loop_test(cases, two_speakers_hear_each_other_and_not_themselves, 0, 4);
	tcase_add_test(cases, rooms_do_not_hear_each_other);
	tcase_add_test(cases, what_is_kept_for_preroll_comes_out);
	suite_add_tcase(suite, cases);
	return harness_main(suite);
}
