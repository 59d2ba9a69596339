// SPDX-License-Identifier: BSD-3-Clause
/* Every reason on the receive side, provoked and counted by its name, and by no other. */
#include <stdlib.h>

#include "tests/io/harness.h"

#define SSRC 0x11111111u

/* A room with a speaker (declared SSRC), a listener that reports, and one that has no key to. */
struct scene {
	struct harness *h;
	struct harness_room *room;
	struct peer *speaker;
	struct peer *listener;
	struct peer *mute_listener;
};

static void scene_open(struct scene *s, const struct harness_options *options, uint8_t suite)
{
	struct harness_leg leg = {.role = STN_ROLE_SPEAKER,
		.rx_suite = suite,
		.source_ssrc = SSRC,
		.audio_level_id = 1};

	s->h = harness_open(options);
	s->room = harness_room(s->h, 1, STN_SUITE_NONE, 0, 0);
	s->speaker = harness_join(s->h, s->room, &leg);
	leg = (struct harness_leg){.tx_suite = suite, .rx_suite = suite};
	s->listener = harness_join(s->h, s->room, &leg);
	leg.rx_suite = STN_SUITE_NONE;
	s->mute_listener = harness_join(s->h, s->room, &leg);
	harness_fence(s->h);
	ck_assert_uint_eq(harness_refusals(s->h), 0);
}

/* The speaker's next packet as a frame; returns its size. */
static unsigned int speech(struct scene *s, uint8_t frame[WIRE_MAX])
{
	uint8_t packet[PACKET_MAX];
	unsigned int size = peer_packet(s->speaker, 20, "some spoken words", 17, packet);
	struct wire wire = harness_wire(s->h, &s->speaker->facts.remote, packet, size);

	return wire_build(&wire, frame);
}

/* The IPv4 header's checksum after a change (RFC 1071). */
static void checksum_again(uint8_t *ip)
{
	uint32_t sum = 0;
	unsigned int i;

	ip[10] = 0;
	ip[11] = 0;
	for (i = 0; i < 20; i += 2)
		sum += (uint32_t)ip[i] << 8 | ip[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	ip[10] = (uint8_t)(~sum >> 8);
	ip[11] = (uint8_t)~sum;
}

#define IP 14
#define UDP 34

static void truncated(struct scene *s)
{
	uint8_t frame[WIRE_MAX];
	unsigned int size = speech(s, frame);

	harness_frame(s->h, 0, frame, size - 1);
	harness_frame(s->h, 0, frame, 10);
}

static void not_ip(struct scene *s)
{
	uint8_t frame[WIRE_MAX];
	unsigned int size = speech(s, frame);

	frame[IP + 8] ^= 1; /* the checksum does not fit any more */
	harness_frame(s->h, 0, frame, size);
	frame[12] = 0x08;
	frame[13] = 0x06; /* ARP */
	harness_frame(s->h, 0, frame, size);
}

static void fragment(struct scene *s)
{
	uint8_t frame[WIRE_MAX];
	unsigned int size = speech(s, frame);

	frame[IP + 6] = 0x20;
	checksum_again(frame + IP);
	harness_frame(s->h, 0, frame, size);
	frame[IP + 6] = 0;
	frame[IP + 7] = 1;
	checksum_again(frame + IP);
	harness_frame(s->h, 0, frame, size);
}

static void not_udp(struct scene *s)
{
	uint8_t frame[WIRE_MAX];
	unsigned int size = speech(s, frame);

	frame[IP + 9] = 6;
	checksum_again(frame + IP);
	harness_frame(s->h, 0, frame, size);
	frame[IP + 9] = 1;
	checksum_again(frame + IP);
	harness_frame(s->h, 0, frame, size);
}

static void bad_length(struct scene *s)
{
	uint8_t frame[WIRE_MAX];
	unsigned int size = speech(s, frame);

	frame[UDP + 5]++;
	harness_frame(s->h, 0, frame, size);
	frame[UDP + 4] = 0;
	frame[UDP + 5] = 7;
	harness_frame(s->h, 0, frame, size);
}

static void not_ours(struct scene *s)
{
	uint8_t frame[WIRE_MAX], packet[PACKET_MAX];
	unsigned int size = peer_packet(s->speaker, 20, "some spoken words", 17, packet);
	struct wire wire = harness_wire(s->h, &s->speaker->facts.remote, packet, size);

	wire.destination.address[3]++;
	harness_frame(s->h, 0, frame, wire_build(&wire, frame));
	wire.destination.address[3]--;
	wire.destination.port_be ^= 0x0100;
	harness_frame(s->h, 0, frame, wire_build(&wire, frame));
	wire.destination.port_be ^= 0x0100;
	wire.vlan = 5;
	harness_frame(s->h, 0, frame, wire_build(&wire, frame));
}

static void bytes(struct scene *s, const void *datagram, unsigned int size)
{
	harness_datagram(s->h, s->speaker, 0, datagram, size);
}

static void demux(struct scene *s)
{
	bytes(s, "", 0);
	bytes(s, "\x40zrtp", 5);
	bytes(s, "\xc0quic", 5);
}

static void stun(struct scene *s)
{
	bytes(s,
		"\x00\x01\x00\x00\x21\x12\xa4\x42"
		"abcdefghijkl",
		20);
}

static void dtls(struct scene *s)
{
	bytes(s, "\x16\xfe\xfd\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 13);
}

static void no_leg(struct scene *s)
{
	struct peer stranger = *s->speaker;
	uint8_t packet[PACKET_MAX];
	unsigned int size = peer_packet(s->speaker, 20, "some spoken words", 17, packet);

	stranger.facts.remote.port_be ^= 0x0100;
	harness_datagram(s->h, &stranger, 0, packet, size);
	stranger = *s->speaker;
	stranger.facts.remote.address[0] ^= 1;
	harness_datagram(s->h, &stranger, 0, packet, size);
}

static void not_speaker(struct scene *s)
{
	uint8_t packet[PACKET_MAX];
	unsigned int size;

	s->listener->facts.payload_type = HARNESS_PAYLOAD_TYPE;
	size = peer_packet(s->listener, 20, "let me speak too", 16, packet);
	harness_datagram(s->h, s->listener, 0, packet, size);
	size = peer_report(s->listener, packet);
	harness_datagram(s->h, s->mute_listener, 0, packet, size);
}

static void rtp_malformed(struct scene *s)
{
	uint8_t packet[64] = {0x8f, HARNESS_PAYLOAD_TYPE};

	bytes(s, packet, 40); /* 15 CSRCs do not fit */
	packet[0] = 0x80;
	bytes(s, packet, 11);
	bytes(s, packet, 12 + 9); /* no room for any tag */
	packet[0] = 0x90;
	packet[15] = 20;
	bytes(s, packet, 64); /* nor does the extension */
}

static void payload_type(struct scene *s)
{
	uint8_t packet[PACKET_MAX];
	unsigned int size = peer_packet(s->speaker, 20, "some spoken words", 17, packet);

	packet[1] = 110;
	bytes(s, packet, size);
	packet[1] = 0xe3;
	bytes(s, packet, size);
}

static void unknown_ssrc(struct scene *s)
{
	uint8_t packet[PACKET_MAX];
	unsigned int size = peer_packet(s->speaker, 20, "some spoken words", 17, packet);

	packet[11] ^= 1;
	bytes(s, packet, size);
	s->speaker->ssrc ^= 1;
	size = peer_report(s->speaker, packet);
	bytes(s, packet, size);
	s->speaker->ssrc ^= 1;
}

static void replay(struct scene *s)
{
	uint8_t packet[PACKET_MAX];
	unsigned int size = peer_packet(s->speaker, 20, "some spoken words", 17, packet);

	bytes(s, packet, size);
	bytes(s, packet, size);
	bytes(s, packet, size);
}

static void too_old(struct scene *s)
{
	uint8_t packet[PACKET_MAX], old[PACKET_MAX];
	unsigned int size = peer_packet(s->speaker, 20, "some spoken words", 17, old), i;

	/* libsrtp's sender window is 1,024 too, hence small steps. */
	for (i = 0; i < 3; i++) {
		s->speaker->sequence += 500;
		bytes(s, packet, peer_packet(s->speaker, 20, "some spoken words", 17, packet));
	}
	bytes(s, old, size);
}

static void bad_tag(struct scene *s)
{
	static const unsigned int places[] = {2, 3, 4, 20, 30, 1};
	uint8_t packet[PACKET_MAX], changed[PACKET_MAX];
	unsigned int size = peer_packet(s->speaker, 20, "some spoken words", 17, packet), i;

	for (i = 0; i < 6; i++) {
		memcpy(changed, packet, size);
		changed[places[i]] ^= places[i] == 1 ? 0x80 : 1;
		bytes(s, changed, size);
	}
	memcpy(changed, packet, size);
	changed[size - 1] ^= 0x80;
	bytes(s, changed, size);
	bytes(s, packet, size - 1);
}

/* Authentic, but its length field says more than there is. */
static void rtcp_malformed(struct scene *s)
{
	uint8_t packet[64 + SRTP_MAX_TRAILER_LEN] = {0x80, 201, 0, 9, 0x11, 0x11, 0x11, 0x11};
	int size = 8;

	ck_assert_int_eq(srtp_protect_rtcp(s->speaker->send, packet, &size), srtp_err_status_ok);
	bytes(s, packet, (unsigned int)size);
	memset(packet, 0, sizeof(packet));
	packet[0] = 0x80;
	packet[1] = 201;
	bytes(s, packet, 15); /* shorter than header, index and tag */
}

static void report_twice(struct scene *s, const struct peer *who)
{
	uint8_t packet[PACKET_MAX];
	struct peer *peer = (struct peer *)(uintptr_t)who;
	unsigned int size = peer_report(peer, packet);

	harness_datagram(s->h, who, 0, packet, size);
	harness_datagram(s->h, who, 0, packet, size);
}

static void rtcp_replay(struct scene *s)
{
	report_twice(s, s->speaker);
	report_twice(s, s->listener);
	report_twice(s, s->listener);
}

static void rtcp_bad_tag(struct scene *s)
{
	const struct peer *who[] = {s->speaker, s->listener};
	uint8_t packet[PACKET_MAX];
	unsigned int size, i;

	for (i = 0; i < 2; i++) {
		size = peer_report((struct peer *)(uintptr_t)who[i], packet);
		packet[size - 1] ^= 1; /* the tag, or the index that is authenticated */
		harness_datagram(s->h, who[i], 0, packet, size);
		packet[size - 1] ^= 1;
		packet[9] ^= 1;
		harness_datagram(s->h, who[i], 0, packet, size);
	}
}

static void absorbed(struct scene *s)
{
	uint8_t packet[PACKET_MAX];
	unsigned int i;

	for (i = 0; i < 3; i++) {
		bytes(s, packet, peer_report(s->speaker, packet));
		harness_datagram(s->h, s->listener, 0, packet, peer_report(s->listener, packet));
	}
}

static void muted(struct scene *s)
{
	harness_mute(s->h, s->speaker, true);
	harness_fence(s->h);
	harness_speak(s->h, s->speaker, "nobody must hear");
}

/* Not loud enough for the slot; comes out of the preroll when it has become old. */
static void not_selected(struct scene *s)
{
	uint8_t packet[PACKET_MAX];

	bytes(s, packet, peer_packet(s->speaker, 127, "very very silent", 16, packet));
	harness_until(s->h, harness_drops(s->h, STN_DROP_NOT_SELECTED) == 1);
}

static void reordered(struct scene *s)
{
	uint8_t packet[PACKET_MAX], old[PACKET_MAX];
	unsigned int size;

	harness_speak(s->h, s->speaker, "takes the slot");
	size = peer_packet(s->speaker, 20, "comes late", 10, old);
	s->speaker->sequence += 99;
	bytes(s, packet, peer_packet(s->speaker, 20, "runs ahead", 10, packet));
	bytes(s, old, size);
}

static void too_large(struct scene *s)
{
	static const uint8_t large[1401];
	uint8_t packet[PACKET_MAX];

	bytes(s, packet, peer_packet(s->speaker, 20, large, 1400, packet));
	bytes(s, packet, peer_packet(s->speaker, 20, large, 1401, packet));
}

struct row {
	enum stn_drop reason;
	unsigned int count;
	unsigned int absorbed;  /* valid reports among them */
	unsigned int forwarded; /* valid speech among them */
	void (*provoke)(struct scene *s);
};

static const struct row rows[] = {
	{STN_DROP_FRAME_TRUNCATED, 2, 0, 0, truncated},
	{STN_DROP_FRAME_NOT_IP, 2, 0, 0, not_ip},
	{STN_DROP_FRAME_FRAGMENT, 2, 0, 0, fragment},
	{STN_DROP_FRAME_NOT_UDP, 2, 0, 0, not_udp},
	{STN_DROP_FRAME_BAD_LENGTH, 2, 0, 0, bad_length},
	{STN_DROP_FRAME_NOT_OURS, 3, 0, 0, not_ours},
	{STN_DROP_DEMUX_UNKNOWN, 3, 0, 0, demux},
	{STN_DROP_STUN_MALFORMED, 1, 0, 0, stun},
	{STN_DROP_DTLS_UNVALIDATED, 1, 0, 0, dtls},
	{STN_DROP_NO_LEG, 2, 0, 0, no_leg},
	{STN_DROP_LEG_NOT_SPEAKER, 2, 0, 0, not_speaker},
	{STN_DROP_RTP_MALFORMED, 4, 0, 0, rtp_malformed},
	{STN_DROP_RTP_PAYLOAD_TYPE, 2, 0, 0, payload_type},
	{STN_DROP_RTP_UNKNOWN_SSRC, 2, 0, 0, unknown_ssrc},
	{STN_DROP_SRTP_REPLAY, 2, 0, 1, replay},
	{STN_DROP_SRTP_TOO_OLD, 1, 0, 3, too_old},
	{STN_DROP_SRTP_AUTH, 8, 0, 0, bad_tag},
	{STN_DROP_RTCP_MALFORMED, 2, 0, 0, rtcp_malformed},
	{STN_DROP_SRTCP_REPLAY, 3, 3, 0, rtcp_replay},
	{STN_DROP_SRTCP_AUTH, 4, 0, 0, rtcp_bad_tag},
	{STN_DROP_RTCP_ABSORBED, 6, 0, 0, absorbed},
	{STN_DROP_SOURCE_MUTED, 1, 0, 0, muted},
	{STN_DROP_NOT_SELECTED, 1, 0, 0, not_selected},
	{STN_DROP_SLOT_REORDERED, 1, 0, 2, reordered},
	{STN_DROP_PAYLOAD_TOO_LARGE, 1, 0, 1, too_large},
};

#define ROWS (int)(sizeof(rows) / sizeof(rows[0]))

START_TEST(each_reason_is_counted_by_its_name)
{
	const struct row *row = &rows[_i % ROWS];
	struct harness_options options = {.engine = _i < ROWS ? &engine_ipsec_mb : &engine_libsrtp};
	struct scene s;
	struct stn_worker_stats stats;
	unsigned int reason;

	scene_open(&s, &options, (uint8_t)(1 + _i % 3));
	row->provoke(&s);
	harness_settle(s.h);
	stats = harness_stats(s.h);
	for (reason = 0; reason < STN_DROP_COUNT; reason++) {
		unsigned int expected = reason == row->reason ? row->count : 0;

		if (reason == STN_DROP_RTCP_ABSORBED)
			expected += row->absorbed;
		ck_assert_msg(stats.drop[reason] == expected, "%s: %s counted %u times, not %u",
			stn_drop_name(row->reason), stn_drop_name(reason),
			(unsigned int)stats.drop[reason], expected);
	}
	ck_assert_uint_eq(stats.forwarded, row->forwarded);
	ck_assert_uint_eq(s.listener->heard_count, row->forwarded);
	ck_assert_uint_eq(s.listener->refused, 0);
	harness_close(s.h);
}
END_TEST

/* HANDOVER_FULL has a test of its own, in test_pressure. */
START_TEST(no_reason_is_missing)
{
	unsigned int reason;
	int i;

	for (reason = 0; reason < STN_DROP_PUBLISH_FULL; reason++) {
		for (i = 0; i < ROWS && rows[i].reason != reason; i++)
			;
		ck_assert_msg(i < ROWS || reason == STN_DROP_HANDOVER_FULL, "no row for %s",
			stn_drop_name(reason));
	}
}
END_TEST

/* The wrong worker hands it over once, and nobody counts it twice. */
START_TEST(a_stranger_at_any_worker_is_counted_once)
{
	struct harness_options options = {.workers = 2};
	struct scene s;
	struct peer stranger;
	uint8_t packet[PACKET_MAX];
	unsigned int size, i;

	scene_open(&s, &options, STN_SUITE_AEAD_AES_128_GCM);
	stranger = *s.speaker;
	size = peer_packet(s.speaker, 20, "some spoken words", 17, packet);
	for (i = 0; i < 40; i++) {
		stranger.facts.remote.port_be = (uint16_t)(0x1000 + i);
		harness_datagram(s.h, &stranger, i % 2, packet, size);
	}
	harness_settle(s.h);
	ck_assert_uint_eq(harness_drops(s.h, STN_DROP_NO_LEG), 40);
	/* Reports of a listener, and speech, at either worker. */
	for (i = 0; i < 10; i++) {
		size = peer_report(s.listener, packet);
		harness_datagram(s.h, s.listener, i % 2, packet, size);
		harness_settle(s.h);
		size = peer_packet(s.speaker, 20, "some spoken words", 17, packet);
		harness_datagram(s.h, s.speaker, i % 2, packet, size);
		harness_settle(s.h);
	}
	ck_assert_uint_eq(harness_drops(s.h, STN_DROP_RTCP_ABSORBED), 10);
	ck_assert_uint_eq(s.listener->heard_count, 10);
	ck_assert_uint_eq(s.mute_listener->heard_count, 10);
	harness_close(s.h);
}
END_TEST

/* What an earlier life has received is not taken again. */
START_TEST(replays_from_before_a_restart_are_known)
{
	struct harness_options options = {0};
	struct harness *h = harness_open(&options);
	struct harness_room *room = harness_room(h, 1, STN_SUITE_NONE, 0, 0);
	struct harness_leg leg = {.role = STN_ROLE_SPEAKER,
		.rx_suite = 1,
		.source_index = 0x10000 + 501,
		.source_rtcp_index = 2};
	struct peer *speaker = harness_join(h, room, &leg);
	uint8_t packet[PACKET_MAX];
	unsigned int size = 0, i;

	harness_fence(h);
	/* In that earlier life it went once around: ROC 1 is remembered, 500 was the highest. */
	for (i = 0; i < 5; i++) {
		static const uint16_t sequence[] = {1, 20000, 40000, 60000, 500};

		speaker->sequence = sequence[i];
		size = peer_packet(speaker, 20, "from an earlier life", 20, packet);
	}
	harness_datagram(h, speaker, 0, packet, size);
	harness_speak(h, speaker, "this one is new");
	harness_settle(h);
	ck_assert_uint_eq(harness_drops(h, STN_DROP_SRTP_REPLAY), 1);
	ck_assert_uint_eq(harness_stats(h).forwarded, 1);
	ck_assert_uint_eq(speaker->cells[LEG_CELL_SOURCE].value, 0x10000 + 502);
	/* Reports 1 (an old one, 0 is never sent by libsrtp) and 2. */
	for (i = 0; i < 2; i++)
		harness_datagram(h, speaker, 0, packet, peer_report(speaker, packet));
	harness_settle(h);
	ck_assert_uint_eq(harness_drops(h, STN_DROP_SRTCP_REPLAY), 1);
	ck_assert_uint_eq(harness_drops(h, STN_DROP_RTCP_ABSORBED), 1);
	ck_assert_uint_eq(speaker->cells[LEG_CELL_RTCP].value, 3);
	harness_close(h);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("drop");
	TCase *cases = tcase_create("drop");

	tcase_set_timeout(cases, 60);
	tcase_add_loop_test(cases, each_reason_is_counted_by_its_name, 0, 2 * ROWS);
	tcase_add_test(cases, no_reason_is_missing);
	tcase_add_loop_test(cases, a_stranger_at_any_worker_is_counted_once, 0, 1);
	tcase_add_test(cases, replays_from_before_a_restart_are_known);
	suite_add_tcase(suite, cases);
	return harness_main(suite);
}
