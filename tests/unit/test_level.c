// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/core/level.h"
#include "tests/support/unit.h"

#define MS 1000000ull
#define FIXED "\x90\x6f\0\1\0\0\3\xc0\xde\xad\xbe\xef"

static const struct {
	const char *sentence;
	const char *bytes;
	unsigned int size;
	uint8_t id;
	bool found;
	uint8_t level;
	bool voice;
} rows[] = {
	{"voice at -42 dBov", FIXED "\xbe\xde\0\1\x10\xaa\0\0", 20, 1, true, 42, true},
	{"no voice at -42 dBov", FIXED "\xbe\xde\0\1\x10\x2a\0\0", 20, 1, true, 42, false},
	{"silence", FIXED "\xbe\xde\0\1\x10\x7f\0\0", 20, 1, true, 127, false},
	{"loudest", FIXED "\xbe\xde\0\1\x10\x80\0\0", 20, 1, true, 0, true},
	{"behind another element", FIXED "\xbe\xde\0\2\x31\1\2\x10\xaa\0\0\0", 24, 1, true, 42,
		true},
	{"in the two-byte form", FIXED "\x10\0\0\1\1\1\xaa\0", 20, 1, true, 42, true},
	{"an id above 14 in the two-byte form", FIXED "\x10\0\0\1\x20\1\xaa\0", 20, 32, true, 42,
		true},
	{"an empty two-byte element is no level", FIXED "\x10\0\0\1\1\0\0\0", 20, 1, false, 0,
		false},
	{"another id is no level", FIXED "\xbe\xde\0\1\x20\xaa\0\0", 20, 1, false, 0, false},
	{"padding is never id 0", FIXED "\xbe\xde\0\1\0\0\0\0", 20, 0, false, 0, false},
	{"id 15 is never a level", FIXED "\xbe\xde\0\1\xf0\xaa\0\0", 20, 15, false, 0, false},
};

START_TEST(read_row)
{
	uint8_t level = 200, *block;
	bool voice = false;
	struct rtp rtp;
	const uint8_t *data = unit_block(rows[_i].bytes, rows[_i].size, &block);

	ck_assert_int_eq(rtp_parse(data, rows[_i].size, &rtp), 0);
	ck_assert_msg(level_read(data, &rtp, rows[_i].id, &level, &voice) == rows[_i].found, "%s",
		rows[_i].sentence);
	if (rows[_i].found)
		ck_assert_msg(level == rows[_i].level && voice == rows[_i].voice, "%s",
			rows[_i].sentence);
	else
		ck_assert_uint_eq(level, 200);
	free(block);
}
END_TEST

/*
 * On paper, from silence to level 27 (loudness 100): half of the way a step of 20 ms, so 50, 75,
 * 87.5. Back to silence an eighth of the way: 87.5, 76.6, 67.0.
 */
START_TEST(rises_by_halves_and_falls_by_eighths)
{
	struct level_filter filter = {0};
	uint64_t now_ns = 20 * MS;

	ck_assert_uint_eq(level_filter_level(&filter), 127);
	level_filter_add(&filter, 27, now_ns);
	ck_assert_uint_eq(level_filter_level(&filter), 77);
	level_filter_add(&filter, 27, now_ns += 20 * MS);
	ck_assert_uint_eq(level_filter_level(&filter), 52);
	filter.loudness_q8 = 100 << 8;
	level_filter_add(&filter, 127, now_ns += 20 * MS);
	ck_assert_uint_eq(filter.loudness_q8, 22400);
	level_filter_add(&filter, 127, now_ns += 20 * MS);
	ck_assert_uint_eq(filter.loudness_q8, 19600);
}
END_TEST

START_TEST(time_counts_not_packets)
{
	struct level_filter twenty = {0}, sixty = {0};
	unsigned int i;

	for (i = 0; i < 2; i++) {
		level_filter_add(&twenty, 20, 0);
		level_filter_add(&sixty, 20, 0);
	}
	for (i = 1; i <= 3; i++)
		level_filter_add(&twenty, 127, i * 20 * MS);
	level_filter_add(&sixty, 127, 60 * MS);
	ck_assert_uint_eq(twenty.loudness_q8, sixty.loudness_q8);
}
END_TEST

START_TEST(at_the_same_time_is_one_step_each)
{
	struct level_filter filter = {0};

	/* Loudness 100, three times half of the way: 50, 75, 87.5. */
	level_filter_add(&filter, 27, 0);
	level_filter_add(&filter, 27, 0);
	level_filter_add(&filter, 27, 9000000);
	ck_assert_uint_eq(filter.loudness_q8, 22400);
}
END_TEST

START_TEST(reaches_both_ends_and_stays_there)
{
	struct level_filter filter = {0};
	unsigned int i;

	for (i = 0; i < 100; i++)
		level_filter_add(&filter, 0, i * 20 * MS);
	ck_assert_uint_eq(filter.loudness_q8, 127 << 8);
	for (; i < 300; i++)
		level_filter_add(&filter, 127, i * 20 * MS);
	ck_assert_uint_eq(filter.loudness_q8, 0);
	level_filter_add(&filter, 10, 100000 * MS);
	ck_assert_uint_eq(level_filter_level(&filter), 10);
	level_filter_add(&filter, 10, 0); /* a clock that went back is one step */
	ck_assert_uint_eq(level_filter_level(&filter), 10);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("level");
	TCase *tcase = tcase_create("level");

	tcase_add_loop_test(tcase, read_row, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tcase, rises_by_halves_and_falls_by_eighths);
	tcase_add_test(tcase, time_counts_not_packets);
	tcase_add_test(tcase, at_the_same_time_is_one_step_each);
	tcase_add_test(tcase, reaches_both_ends_and_stays_there);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
