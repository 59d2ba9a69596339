// SPDX-License-Identifier: BSD-3-Clause
/*
 * The pieces of stentor-ear and stentor-speaker: if these could not fail, nothing measured with
 * them would mean anything.
 */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "perf/impairment.h"
#include "perf/packet.h"
#include "perf/stream.h"
#include "perf/talker.h"
#include "perf/wav.h"

#define FRAME_NS 20000000u

/* RFC 3550 section 5.1 and RFC 8285 section 4.2, written out by hand. */
static const uint8_t by_hand[] = {0x92, 0xef, 0x12, 0x34, 0x00, 0x00, 0x03, 0xc0, 0xde, 0xad, 0xbe,
	0xef, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x02, 0xbe, 0xde, 0x00, 0x01, 0x10, 0x8f,
	0x00, 0x00, 'o', 'p', 'u', 's'};

START_TEST(a_packet_written_by_hand_is_read)
{
	struct packet_view view;

	ck_assert_int_eq(packet_parse(&view, by_hand, sizeof(by_hand)), 0);
	ck_assert(view.marker);
	ck_assert_uint_eq(view.payload_type, 111);
	ck_assert_uint_eq(view.sequence, 0x1234);
	ck_assert_uint_eq(view.timestamp, 960);
	ck_assert_uint_eq(view.ssrc, 0xdeadbeef);
	ck_assert_uint_eq(view.csrc_count, 2);
	ck_assert_uint_eq(view.csrc[1], 2);
	ck_assert_uint_eq(view.payload_size, 4);
	ck_assert_mem_eq(view.payload, "opus", 4);
}
END_TEST

START_TEST(a_packet_cut_anywhere_in_its_header_is_refused)
{
	for (unsigned int size = 0; size < 28; size++) {
		struct packet_view view;
		uint8_t *exact = malloc(size + 1);

		memcpy(exact, by_hand, size);
		ck_assert_int_lt(packet_parse(&view, exact, size), 0);
		free(exact);
	}
}
END_TEST

START_TEST(what_was_built_reads_the_same)
{
	struct packet_plan plan = {.marker = true,
		.payload_type = 111,
		.sequence = 0x1234,
		.timestamp = 960,
		.ssrc = 0xdeadbeef,
		.level_id = 1,
		.level = 0x8f};
	uint8_t out[PACKET_MAX], expected[24];

	memcpy(expected, by_hand, 12);
	expected[0] = 0x90;
	memcpy(expected + 12, by_hand + 20, 12);
	ck_assert_int_eq(packet_build(&plan, (const uint8_t *)"opus", 4, out), 24);
	ck_assert_mem_eq(out, expected, 24);
}
END_TEST

struct sent {
	unsigned int count;
	uint8_t first_byte[64];
};

static int keep(void *context, const uint8_t *bytes, unsigned int size)
{
	struct sent *sent = context;

	sent->first_byte[sent->count++] = bytes[0];
	return 0;
}

START_TEST(a_line_does_what_it_counts)
{
	struct impairment line = {.loss = 0.25, .duplicate = 0.25, .reorder = 0.25, .state = 7};
	struct sent sent = {0};
	const struct impairment_sink sink = {keep, &sent};
	unsigned int swaps = 0;

	for (uint8_t i = 0; i < 32; i++)
		ck_assert_int_eq(impairment_pass(&line, &i, 1, &sink), 0);
	ck_assert_int_eq(impairment_flush(&line, &sink), 0);
	for (unsigned int i = 1; i < sent.count; i++)
		swaps += sent.first_byte[i] < sent.first_byte[i - 1];
	ck_assert_uint_gt(line.lost, 0);
	ck_assert_uint_gt(line.duplicated, 0);
	ck_assert_uint_gt(swaps, 0);
	ck_assert_uint_le(swaps, line.reordered);
	ck_assert_uint_eq(sent.count, 32 - line.lost + line.duplicated);
}
END_TEST

START_TEST(a_full_scale_sine_is_three_decibels_down)
{
	int16_t sine[WAV_RATE / 10];

	for (unsigned int i = 0; i < WAV_RATE / 10; i++)
		sine[i] = (int16_t)lrint(32767 * sin(2 * M_PI * 1000 * i / WAV_RATE));
	ck_assert_double_eq_tol(wav_dbfs(sine, WAV_RATE / 10), -3.01, 0.01);
	ck_assert_double_eq(wav_dbfs(sine, 0), -120);
}
END_TEST

START_TEST(speech_is_what_is_louder_than_the_threshold)
{
	int16_t loud[WAV_RATE];
	struct wav_level level;
	struct wav wav = {0};

	for (unsigned int i = 0; i < WAV_RATE; i++)
		loud[i] = (int16_t)lrint(3276.7 * sin(2 * M_PI * 1000 * i / WAV_RATE));
	/* A second at -23 dBFS, a second of nothing, half a second again. */
	ck_assert_int_eq(wav_mix(&wav, 0, loud, WAV_RATE), 0);
	ck_assert_int_eq(wav_mix(&wav, 2 * WAV_RATE, loud, WAV_RATE / 2), 0);
	wav_measure(&wav, -45, &level);
	ck_assert_double_eq_tol(level.seconds, 2.5, 1e-9);
	ck_assert_double_eq_tol(level.speech_seconds, 1.5, 1e-9);
	ck_assert_double_eq_tol(level.speech_dbfs, -23.01, 0.05);
	wav_measure(&wav, -20, &level);
	ck_assert_double_eq(level.speech_seconds, 0);
	wav_close(&wav);
}
END_TEST

struct line_case {
	const char *name;
	int drop, swap; /* frame that is lost; frame that comes after its successor; -1: none */
	unsigned int lost, concealed, reordered;
};

static const struct line_case line_cases[] = {
	{"all in order", -1, -1, 0, 0, 0},
	{"one missing", 40, -1, 1, 1, 0},
	{"two swapped", -1, 50, 0, 0, 1},
	{"one missing, others swapped across the wrap", 10, 35, 1, 1, 1},
};

/* A hundred frames of a tone that begin 36 before the sequence number wraps, over a line. */
START_TEST(a_stream_hears_what_the_line_leaves)
{
	const struct line_case *c = &line_cases[_i];
	struct talker_plan plan = {.tone_hz = 440,
		.tone_dbfs = -20,
		.ssrc = 5,
		.payload_type = 111,
		.sequence = 65500,
		.timestamp = 0xfffff000,
		.level = -1};
	uint8_t bytes[100][PACKET_MAX];
	int size[100];
	struct packet_view view;
	struct wav_level level;
	struct talker talker;
	struct stream stream;
	struct wav wav = {0};

	ck_assert_int_eq(talker_open(&talker, &plan), 0);
	for (int i = 0; i < 100; i++)
		size[i] = talker_next(&talker, false, bytes[i]);
	for (int i = 0; i < 100; i++) {
		int frame = i == c->swap ? i + 1 : i == c->swap + 1 && c->swap >= 0 ? i - 1 : i;

		if (frame == c->drop)
			continue;
		ck_assert_int_eq(packet_parse(&view, bytes[frame], (unsigned int)size[frame]), 0);
		if (i == 0)
			ck_assert_int_eq(stream_open(&stream, &view, 1, 1), 0);
		stream_take(&stream, &view, 1 + (uint64_t)i * FRAME_NS, &wav);
	}
	stream_flush(&stream, &wav);
	wav_measure(&wav, -45, &level);
	ck_assert_uint_eq(stream_lost(&stream), c->lost);
	ck_assert_uint_eq(stream.concealed, c->concealed);
	ck_assert_uint_eq(stream.reordered, c->reordered);
	ck_assert_uint_eq(stream.late, 0);
	ck_assert_uint_eq(stream.undecodable, 0);
	ck_assert_uint_eq(stream.packets, 100 - c->lost);
	ck_assert_double_eq_tol(level.seconds, 2.0, 1e-9);
	ck_assert_double_eq_tol(level.speech_dbfs, -20, 1.5);
	stream_close(&stream);
	talker_close(&talker);
	wav_close(&wav);
}
END_TEST

START_TEST(a_jump_of_the_timestamp_is_a_pause_in_the_recording)
{
	struct talker_plan plan = {
		.tone_hz = 440, .tone_dbfs = -20, .payload_type = 111, .level = -1};
	uint8_t bytes[PACKET_MAX];
	struct packet_view view;
	struct wav_level level;
	struct talker talker;
	struct stream stream;
	struct wav wav = {0};

	ck_assert_int_eq(talker_open(&talker, &plan), 0);
	for (unsigned int i = 0; i < 100; i++) {
		if (i >= 25 && i < 75) {
			talker_skip(&talker);
			continue;
		}
		int size = talker_next(&talker, false, bytes);

		ck_assert_int_eq(packet_parse(&view, bytes, (unsigned int)size), 0);
		if (i == 0)
			ck_assert_int_eq(stream_open(&stream, &view, 1, 1), 0);
		stream_take(&stream, &view, 1 + (uint64_t)i * FRAME_NS, &wav);
	}
	wav_measure(&wav, -45, &level);
	ck_assert_uint_eq(stream_lost(&stream), 0);
	ck_assert_uint_eq(stream.markers, 2);
	ck_assert_uint_eq(stream.gap_ns, 51 * FRAME_NS);
	ck_assert_double_eq_tol(level.seconds, 2.0, 1e-9);
	ck_assert_double_eq_tol(level.speech_seconds, 1.0, 0.03);
	stream_close(&stream);
	talker_close(&talker);
	wav_close(&wav);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ear");
	TCase *cases = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, cases);
	tcase_add_test(cases, a_packet_written_by_hand_is_read);
	tcase_add_test(cases, a_packet_cut_anywhere_in_its_header_is_refused);
	tcase_add_test(cases, what_was_built_reads_the_same);
	tcase_add_test(cases, a_line_does_what_it_counts);
	tcase_add_test(cases, a_full_scale_sine_is_three_decibels_down);
	tcase_add_test(cases, speech_is_what_is_louder_than_the_threshold);
	tcase_add_loop_test(cases, a_stream_hears_what_the_line_leaves, 0,
		sizeof(line_cases) / sizeof(line_cases[0]));
	tcase_add_test(cases, a_jump_of_the_timestamp_is_a_pause_in_the_recording);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
