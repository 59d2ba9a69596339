// SPDX-License-Identifier: BSD-3-Clause
/* RTCP of browsers: what they are told, what they ask for, and what they do not get. */
#include "dataplane/core/ntp.h"
#include "dataplane/core/rtcp.h"
#include "tests/io/harness.h"

#include <time.h>

struct scene {
	struct harness *h;
	struct harness_room *room;
	struct peer *speaker; /* keyed */
	struct peer *browser;
};

static void scene_open(
	struct scene *s, const struct harness_options *options, const struct harness_leg *browser)
{
	struct harness_leg leg = {.role = STN_ROLE_SPEAKER, .rx_suite = 1, .audio_level_id = 1};

	s->h = harness_open(options);
	s->room = harness_room(s->h, 2, STN_SUITE_NONE, 0, 0);
	s->speaker = harness_join(s->h, s->room, &leg);
	s->browser = harness_join(s->h, s->room, browser);
	harness_fence(s->h);
	harness_connect(s->h, s->browser);
	harness_key(s->h, s->browser);
	ck_assert_uint_eq(harness_refusals(s->h), 0);
}

static void scene_close(struct scene *s)
{
	ck_assert_uint_eq(s->browser->refused, 0);
	harness_close(s->h);
}

static void say(struct scene *s, const char *payload)
{
	harness_speak(s->h, s->speaker, payload);
	harness_settle(s->h);
}

static uint64_t unix_ntp(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return ntp_from_ns((uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec);
}

/* Somebody goes on speaking, as slots that are silent for seconds are not reported on. */
static void speak_until_reported(struct scene *s, unsigned int count)
{
	uint64_t deadline_ns = harness_now_ns() + 10000000000ull, next_ns = 0;

	while (s->browser->report_count <= count) {
		ck_assert_msg(harness_now_ns() < deadline_ns, "no report in 10 s");
		if (harness_now_ns() >= next_ns) {
			harness_speak(s->h, s->speaker, "spoken");
			next_ns = harness_now_ns() + 20000000ull;
		}
		harness_turn(s->h);
	}
}

/* The next report of this type that comes to the browser, decrypted by libsrtp2. */
static struct rtcp_item report_of_type(struct scene *s, uint8_t type)
{
	unsigned int before = s->browser->report_count;
	struct rtcp_item item;
	struct cursor cursor;

	do {
		speak_until_reported(s, before);
		before = s->browser->report_count;
		cursor = rtcp_begin(s->browser->report, s->browser->report_size);
		ck_assert(rtcp_next(&cursor, &item));
	} while (item.type != type);
	return item;
}

/* Every suite, both engines, both families, as a listener and as a speaker who listens. */
START_TEST(who_listens_gets_sender_reports)
{
	struct harness_options options = {.workers = 1 + (unsigned int)_i % 2,
		.engine = _i / 2 % 2 ? &engine_libsrtp : &engine_ipsec_mb};
	struct harness_leg leg = {.webrtc = true,
		.tx_suite = (uint8_t)(1 + _i / 4 % 3),
		.rx_suite = (uint8_t)(1 + _i / 4 % 3),
		.family = _i / 12 ? 6 : 4,
		.role = _i % 3 == 0 ? STN_ROLE_SPEAKER : STN_ROLE_LISTENER,
		.worker = options.workers};
	char cname[STN_CNAME_SIZE];
	struct rtcp rtcp;
	struct scene s;
	int64_t age;

	scene_open(&s, &options, &leg);
	report_of_type(&s, RTCP_SR);
	ck_assert_int_eq(rtcp_parse(s.browser->report, s.browser->report_size, &rtcp), 0);
	ck_assert_uint_eq(rtcp.sender.ssrc, HARNESS_SLOT_SSRC(s.room->facts.room, 0));
	/* What was sent since: at least what the browser has heard before. */
	ck_assert_uint_ge(rtcp.sender.packets, 1);
	ck_assert_uint_le(rtcp.sender.packets, harness_stats(s.h).slot_packets);
	ck_assert_uint_eq(rtcp.sender.octets, rtcp.sender.packets * 6);
	ck_assert_uint_eq(rtcp.packets, 2);
	/* The CNAME is the one that SDP names. */
	stn_slot_cname(rtcp.sender.ssrc, cname);
	ck_assert_mem_eq(s.browser->report + 28 + 4 + 4 + 2, cname, STN_CNAME_SIZE - 1);
	/* Of now, and on the line of the packets: a timestamp later by what has passed since. */
	age = (int64_t)(unix_ntp() - rtcp.sender.ntp);
	ck_assert_int_ge(age, 0);
	ck_assert_int_lt(age, 5ll << 32);
	age = (int32_t)(rtcp.sender.timestamp -
			s.browser->heard[s.browser->heard_count - 1].view.timestamp);
	ck_assert_int_ge(age, -48000);
	ck_assert_int_lt(age, 5 * 48000);
	ck_assert_uint_ge(harness_stats(s.h).rtcp_sent, 1);
	scene_close(&s);
}
END_TEST

/* Two of ten packets are lost on the way in. */
START_TEST(who_speaks_is_told_how_it_arrives)
{
	struct harness_options options = {.workers = 1 + (unsigned int)_i % 2};
	struct harness_leg leg = {.webrtc = true,
		.role = STN_ROLE_SPEAKER,
		.tx_suite = (uint8_t)(1 + _i % 3),
		.rx_suite = (uint8_t)(1 + _i % 3),
		.audio_level_id = 1};
	struct rtcp_block block;
	struct rtcp_item item;
	struct scene s;
	uint8_t packet[PACKET_MAX];
	/* SR of NTP 0x1122334455667788. */
	uint8_t sr[28] = {0x80, 200, 0, 6, [8] = 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88};
	unsigned int i, size;

	scene_open(&s, &options, &leg);
	memcpy(sr + 4, &(uint32_t){__builtin_bswap32(s.browser->ssrc)}, 4);
	for (i = 0; i < 10; i++) {
		size = peer_packet(s.browser, 0x80 | 20, "voice", 5, packet);
		if (i == 4 || i == 5)
			continue;
		harness_datagram(s.h, s.browser, 0, packet, size);
		harness_settle(s.h);
		size = peer_rtcp(s.browser, sr, sizeof(sr), packet);
		if (i == 0)
			harness_datagram(s.h, s.browser, 0, packet, size);
	}
	do {
		item = report_of_type(&s, RTCP_RR);
		ck_assert(rtcp_read_block(&item, 0, &block));
		ck_assert_uint_eq(block.ssrc, s.browser->ssrc);
	} while (block.highest % 65536 != (uint16_t)(s.browser->sequence - 1));
	ck_assert_int_eq(block.lost, 2);
	ck_assert_uint_eq(block.last_report, 0x33445566);
	ck_assert_uint_gt(block.delay, 0);
	ck_assert_uint_lt(block.delay, 8 * 65536);
	/* Its name is none of the slots'. */
	ck_assert_uint_ne(item.ssrc, HARNESS_SLOT_SSRC(s.room->facts.room, 0));
	ck_assert_uint_ne(item.ssrc, HARNESS_SLOT_SSRC(s.room->facts.room, 1));
	scene_close(&s);
}
END_TEST

/* The bytes of a reported round trip end in the room's histograms, whichever worker got them. */
START_TEST(reports_are_absorbed)
{
	struct harness_options options = {.workers = 2};
	struct harness_leg leg = {
		.webrtc = true, .tx_suite = 1, .rx_suite = 1, .worker = 1 + (unsigned int)_i};
	/* RR: 26 of 256 lost, jitter 480 ticks (10 ms), nothing known of a report of ours. */
	uint8_t rr[32] = {0x81, 201, 0, 7, [12] = 26, [22] = 0x01, [23] = 0xe0};
	struct stn_room_stats stats = {0};
	struct command command = {.type = COMMAND_ROOM_STATS, .stats = &stats};
	struct scene s;
	uint8_t packet[PACKET_MAX];
	unsigned int size;

	scene_open(&s, &options, &leg);
	memcpy(rr + 4, &(uint32_t){__builtin_bswap32(s.browser->ssrc)}, 4);
	memcpy(rr + 8, &(uint32_t){__builtin_bswap32(HARNESS_SLOT_SSRC(s.room->facts.room, 1))}, 4);
	size = peer_rtcp(s.browser, rr, sizeof(rr), packet);
	harness_datagram(s.h, s.browser, 0, packet, size);
	rr[8] ^= 1; /* about a stream that is not ours */
	size = peer_rtcp(s.browser, rr, sizeof(rr), packet);
	harness_datagram(s.h, s.browser, 0, packet, size);
	harness_settle(s.h);
	command.handle = s.room->facts.room;
	harness_post_all(s.h, &command);
	harness_fence(s.h);
	ck_assert_uint_eq(stats.reception.reports, 1);
	ck_assert_uint_eq(stats.reception.loss[6], 1); /* above 18, up to 26 */
	ck_assert_uint_eq(stats.reception.jitter[3], 1);
	ck_assert_uint_eq(stats.reception.rtt_count, 0);
	ck_assert_uint_eq(harness_drops(s.h, STN_DROP_RTCP_ABSORBED), 2);
	scene_close(&s);
}
END_TEST

/*
 * Two browsers share a sender report; whoever gets it later has the same round trip: their clocks
 * answer at once, so it is less than a tick.
 */
START_TEST(a_shared_report_is_no_part_of_the_round_trip)
{
	struct harness_options options = {.workers = 1};
	struct harness_leg leg = {.webrtc = true, .tx_suite = 1, .rx_suite = 1};
	struct stn_room_stats stats = {0};
	struct command command = {.type = COMMAND_ROOM_STATS, .stats = &stats};
	uint8_t rr[32] = {0x81, 201, 0, 7}, packet[PACKET_MAX];
	struct peer *first;
	struct scene s;
	unsigned int i, size;

	scene_open(&s, &options, &leg);
	first = s.browser;
	s.browser = harness_join(s.h, s.room, &leg);
	harness_fence(s.h);
	harness_connect(s.h, s.browser);
	harness_key(s.h, s.browser);
	for (i = 0; i < 2; i++) {
		/* The echo of whoever's report comes next, with a delay of 0. */
		report_of_type(&s, RTCP_SR);
		memcpy(rr + 4, &(uint32_t){__builtin_bswap32(s.browser->ssrc)}, 4);
		memcpy(rr + 8, s.browser->report + 4, 4);
		memcpy(rr + 24, s.browser->report + 10, 4);
		size = peer_rtcp(s.browser, rr, sizeof(rr), packet);
		harness_datagram(s.h, s.browser, 0, packet, size);
		harness_settle(s.h);
		s.browser = first;
	}
	command.handle = s.room->facts.room;
	harness_post_all(s.h, &command);
	harness_fence(s.h);
	ck_assert_uint_eq(stats.reception.rtt_count, 2);
	/* Not two turns of the test apart, and far from the 50 ms that they may share one. */
	ck_assert_uint_lt(stats.reception.rtt_sum_us, 2 * 20000);
	scene_close(&s);
}
END_TEST

static void nack(struct scene *s, uint32_t ssrc, uint16_t sequence, uint16_t following)
{
	uint8_t bytes[16] = {0x81, 205, 0, 3, [12] = (uint8_t)(sequence >> 8), (uint8_t)sequence,
		(uint8_t)(following >> 8), (uint8_t)following};
	uint8_t packet[PACKET_MAX];
	unsigned int size;

	memcpy(bytes + 4, &(uint32_t){__builtin_bswap32(s->browser->ssrc)}, 4);
	memcpy(bytes + 8, &(uint32_t){__builtin_bswap32(ssrc)}, 4);
	size = peer_rtcp(s->browser, bytes, sizeof(bytes), packet);
	harness_datagram(s->h, s->browser, 0, packet, size);
	harness_settle(s->h);
}

static uint16_t sequence_of(const uint8_t *packet)
{
	return (uint16_t)(packet[2] << 8 | packet[3]);
}

/* Every suite and engine; a listener, and a speaker with sequence numbers of their own. */
START_TEST(what_was_lost_is_sent_again_byte_for_byte)
{
	struct harness_options options = {.workers = 1 + (unsigned int)_i % 2,
		.engine = _i / 2 % 2 ? &engine_libsrtp : &engine_ipsec_mb};
	struct harness_leg leg = {.webrtc = true,
		.tx_suite = (uint8_t)(1 + _i / 4 % 3),
		.rx_suite = (uint8_t)(1 + _i / 4 % 3),
		.role = _i / 12 ? STN_ROLE_SPEAKER : STN_ROLE_LISTENER,
		.worker = options.workers};
	uint32_t ssrc;
	struct scene s;

	scene_open(&s, &options, &leg);
	ssrc = HARNESS_SLOT_SSRC(s.room->facts.room, 0);
	say(&s, "one");
	s.browser->deaf = true;
	say(&s, "two is lost");
	s.browser->deaf = false;
	ck_assert_uint_eq(s.browser->missed_count, 1);
	say(&s, "three");
	ck_assert_uint_eq(s.browser->heard_count, 2);
	nack(&s, ssrc, sequence_of(s.browser->missed), 0);
	ck_assert_uint_eq(s.browser->heard_count, 3);
	ck_assert_mem_eq(s.browser->heard[2].payload, "two is lost", 11);
	ck_assert_uint_eq(s.browser->last_size, s.browser->missed_size);
	ck_assert_mem_eq(s.browser->last, s.browser->missed, s.browser->missed_size);
	ck_assert_uint_eq(harness_stats(s.h).retransmitted, 1);
	/* Nobody sent what is asked for here, or it is another stream's. */
	nack(&s, ssrc, (uint16_t)(sequence_of(s.browser->missed) + 2), 0);
	nack(&s, ssrc + 1, sequence_of(s.browser->missed), 0);
	nack(&s, s.speaker->ssrc, sequence_of(s.browser->missed), 0);
	ck_assert_uint_eq(harness_stats(s.h).retransmitted, 1);
	scene_close(&s);
}
END_TEST

START_TEST(the_bits_behind_a_nack_are_read)
{
	struct harness_options options = {.workers = 1};
	struct harness_leg leg = {.webrtc = true, .tx_suite = 1, .rx_suite = 1};
	uint16_t first;
	struct scene s;
	unsigned int i;

	scene_open(&s, &options, &leg);
	say(&s, "heard");
	first = (uint16_t)(sequence_of(s.browser->last) + 1);
	s.browser->deaf = true;
	for (i = 0; i < 17; i++)
		say(&s, "lost");
	s.browser->deaf = false;
	/* The first, the second and the last of them. */
	nack(&s, HARNESS_SLOT_SSRC(s.room->facts.room, 0), first, 0x8001);
	ck_assert_uint_eq(s.browser->heard_count, 4);
	ck_assert_uint_eq(s.browser->heard[1].view.sequence, first);
	ck_assert_uint_eq(s.browser->heard[2].view.sequence, (uint16_t)(first + 1));
	ck_assert_uint_eq(s.browser->heard[3].view.sequence, (uint16_t)(first + 16));
	scene_close(&s);
}
END_TEST

/* A mute, and a removal of the speaker, hold for what waits to be asked for again. */
START_TEST(what_was_silenced_is_not_sent_again)
{
	struct harness_options options = {.workers = 1 + (unsigned int)_i % 2};
	struct harness_leg leg = {
		.webrtc = true, .tx_suite = 1, .rx_suite = 1, .worker = options.workers};
	struct scene s;

	scene_open(&s, &options, &leg);
	say(&s, "before");
	s.browser->deaf = true;
	say(&s, "lost");
	if (_i / 2) {
		harness_leave(s.h, s.speaker);
		harness_fence(s.h);
	} else {
		harness_mute(s.h, s.speaker, true);
		harness_fence(s.h);
		harness_mute(s.h, s.speaker, false);
		harness_fence(s.h);
	}
	s.browser->deaf = false;
	nack(&s, HARNESS_SLOT_SSRC(s.room->facts.room, 0), sequence_of(s.browser->missed), 0);
	ck_assert_uint_eq(harness_stats(s.h).retransmitted, 0);
	/* The relay's own silence behind it may come; that word does not. */
	for (unsigned int i = 0; i < s.browser->heard_count; i++)
		ck_assert_int_ne(memcmp(s.browser->heard[i].payload, "lost", 4), 0);
	scene_close(&s);
}
END_TEST

/*
 * A speaker who becomes a listener goes on under the same keys: what the slot sent before then has
 * indices that they have used for other packets. So nobody is sent what is older than their place.
 */
START_TEST(what_was_sent_before_one_came_is_not_sent_again)
{
	struct harness_options options = {.workers = 1 + (unsigned int)_i % 2};
	struct harness_leg leg = {
		.webrtc = true, .tx_suite = 1, .rx_suite = 1, .worker = options.workers};
	struct peer *first;
	struct scene s;
	uint16_t before;

	scene_open(&s, &options, &leg);
	first = s.browser;
	say(&s, "one");
	say(&s, "two");
	before = sequence_of(first->last);
	s.browser = harness_join(s.h, s.room, &leg);
	harness_fence(s.h);
	harness_connect(s.h, s.browser);
	harness_key(s.h, s.browser);
	nack(&s, HARNESS_SLOT_SSRC(s.room->facts.room, 0), before, 0);
	ck_assert_uint_eq(s.browser->heard_count, 0);
	ck_assert_uint_eq(harness_stats(s.h).retransmitted, 0);
	/* What came since is. */
	s.browser->deaf = true;
	say(&s, "three");
	s.browser->deaf = false;
	nack(&s, HARNESS_SLOT_SSRC(s.room->facts.room, 0), (uint16_t)(before + 1), 0);
	ck_assert_uint_eq(s.browser->heard_count, 1);
	ck_assert_mem_eq(s.browser->heard[0].payload, "three", 5);
	ck_assert_uint_eq(first->refused, 0);
	scene_close(&s);
}
END_TEST

/* Who asks for everything all the time gets a bucketful, and the others what they always get. */
START_TEST(a_leg_may_ask_only_so_often)
{
	struct harness_options options = {.workers = 1};
	struct harness_leg leg = {.webrtc = true, .tx_suite = 1, .rx_suite = 1};
	struct scene s;
	unsigned int i;

	scene_open(&s, &options, &leg);
	for (i = 0; i < 17; i++)
		say(&s, "heard");
	for (i = 0; i < 50; i++)
		nack(&s, HARNESS_SLOT_SSRC(s.room->facts.room, 0),
			(uint16_t)(sequence_of(s.browser->last) - 16), 0xffff);
	/* 850 were asked for; 64 at once and 100 a second. */
	ck_assert_uint_ge(harness_stats(s.h).retransmitted, 64);
	ck_assert_uint_lt(harness_stats(s.h).retransmitted, 64 + 500);
	/* It has had them all: its libsrtp2 refuses the repetitions as replayed. */
	ck_assert_uint_eq(s.browser->refused, harness_stats(s.h).retransmitted);
	s.browser->refused = 0;
	scene_close(&s);
}
END_TEST

/* BYE and APP are authentic, and change nothing (TRAPS 8). */
START_TEST(bye_is_a_hint)
{
	struct harness_options options = {.workers = 1};
	struct harness_leg leg = {.webrtc = true,
		.role = _i ? STN_ROLE_SPEAKER : STN_ROLE_LISTENER,
		.tx_suite = 1,
		.rx_suite = 1};
	uint8_t bytes[28] = {0x80, 201, 0, 1, [8] = 0x81, 203, 0, 1, [16] = 0x80, 204, 0,
		2, [24] = 'n', 'a', 'm', 'e'};
	uint8_t packet[PACKET_MAX];
	struct scene s;
	unsigned int size;

	scene_open(&s, &options, &leg);
	for (unsigned int at = 4; at < 24; at += 8)
		memcpy(bytes + at, &(uint32_t){__builtin_bswap32(s.browser->ssrc)}, 4);
	size = peer_rtcp(s.browser, bytes, sizeof(bytes), packet);
	harness_datagram(s.h, s.browser, 0, packet, size);
	harness_settle(s.h);
	ck_assert_uint_eq(harness_drops(s.h, STN_DROP_RTCP_ABSORBED), 1);
	say(&s, "it goes on");
	ck_assert_uint_eq(s.browser->heard_count, 1);
	scene_close(&s);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("report");
	TCase *cases = tcase_create("report");

	tcase_set_timeout(cases, 120);
	tcase_add_loop_test(cases, who_listens_gets_sender_reports, 0, 24);
	tcase_add_loop_test(cases, who_speaks_is_told_how_it_arrives, 0, 6);
	tcase_add_loop_test(cases, reports_are_absorbed, 0, 2);
	tcase_add_test(cases, a_shared_report_is_no_part_of_the_round_trip);
	tcase_add_loop_test(cases, what_was_lost_is_sent_again_byte_for_byte, 0, 24);
	tcase_add_test(cases, the_bits_behind_a_nack_are_read);
	tcase_add_loop_test(cases, what_was_silenced_is_not_sent_again, 0, 4);
	tcase_add_loop_test(cases, what_was_sent_before_one_came_is_not_sent_again, 0, 2);
	tcase_add_test(cases, a_leg_may_ask_only_so_often);
	tcase_add_loop_test(cases, bye_is_a_hint, 0, 2);
	suite_add_tcase(suite, cases);
	return harness_main(suite);
}
