// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/core/timeline.h"
#include "tests/support/unit.h"

#define MS 1000000ull
#define HOUR (3600000 * MS)
/* Monotonic time 1 s, that is tick 48,000. */
#define START (1000 * MS)

static struct timeline line_at(uint32_t clock, uint64_t now_ns)
{
	struct timeline line;

	timeline_init(&line, clock, now_ns);
	return line;
}

START_TEST(wall_clock_runs_at_48_khz)
{
	struct timeline line = line_at(5, 0);

	ck_assert_uint_eq(timeline_at(&line, 0), 5);
	ck_assert_uint_eq(timeline_at(&line, 20 * MS), 965);
	ck_assert_uint_eq(timeline_at(&line, 1000 * MS), 48005);
	/* 6 ticks are 125 us: at 20,833 ns one has passed, at 20,834 too. */
	ck_assert_uint_eq(timeline_at(&line, 20833), 5);
	ck_assert_uint_eq(timeline_at(&line, 20834), 6);
	/* 2^32 ticks are 89,478.485333 s: the first whole tick behind is 0 again. */
	ck_assert_uint_eq(timeline_at(&line, 89478485333334ull), 5);
	/* 292 years do not overflow: (2^63-1) / 125000 * 6 is below 2^64. */
	ck_assert_uint_eq(timeline_at(&line, INT64_MAX), (uint32_t)(442721857769029ull + 5));
}
END_TEST

START_TEST(first_packet_is_on_the_wall_clock)
{
	struct timeline line = line_at(7, START);

	/* 10.4 ms later is 499 ticks: rounds to one frame. */
	ck_assert_uint_eq(timeline_take(&line, 12345, START + 10400000), 48007 + 960);
}
END_TEST

START_TEST(never_before_the_start)
{
	struct timeline line = line_at(0, START);

	ck_assert_uint_eq(timeline_take(&line, 1, START - 500 * MS), 48000);
}
END_TEST

START_TEST(spacing_is_the_sources_own)
{
	struct timeline line = line_at(0, START);
	uint32_t timestamp;

	timeline_take(&line, 0xfffffc00, START);
	/* The source's timestamp wraps between the two; arrival jitters by 15 ms. */
	ck_assert(!timeline_next(&line, 0xfffffc00 + 960, 1, START + 35 * MS, &timestamp));
	ck_assert_uint_eq(timestamp, 48960);
	/* Three lost packets are explained by their indices. */
	ck_assert(!timeline_next(&line, 0xfffffc00 + 5 * 960, 4, START + 100 * MS, &timestamp));
	ck_assert_uint_eq(timestamp, 48000 + 5 * 960);
}
END_TEST

START_TEST(frames_of_60_ms_are_no_pause)
{
	struct timeline line = line_at(0, START);
	uint32_t timestamp, i;

	timeline_take(&line, 0, START);
	for (i = 1; i < 10; i++) {
		ck_assert(!timeline_next(&line, i * 2880, 1, START + i * 60 * MS, &timestamp));
		ck_assert_uint_eq(timestamp, 48000 + i * 2880);
	}
	/* The next source starts behind the whole last frame. */
	ck_assert_uint_eq(timeline_take(&line, 1, START + 540 * MS), 48000 + 10 * 2880);
}
END_TEST

START_TEST(a_change_of_hands_goes_on_by_a_frame)
{
	struct timeline line = line_at(0, START);

	timeline_take(&line, 1000, START);
	ck_assert_uint_eq(timeline_take(&line, 99999, START + 5 * MS), 48960);
	/* 400 ms after the frame at 48,960 began: 19,200 - 960 ticks, of which whole frames. */
	ck_assert_uint_eq(timeline_take(&line, 5, START + 420 * MS), 48960 + 400 * 48);
}
END_TEST

START_TEST(a_dtx_pause_is_one)
{
	struct timeline line = line_at(0, START);
	uint32_t timestamp;

	timeline_take(&line, 0, START);
	ck_assert(timeline_next(&line, 19200, 1, START + 400 * MS, &timestamp));
	ck_assert_uint_eq(timestamp, 48000 + 19200);
}
END_TEST

START_TEST(a_lag_is_made_good_at_a_pause)
{
	struct timeline line = line_at(0, START);
	uint32_t timestamp, i;

	/* A preroll: seven packets at once, the last 120 ms ahead of the wall clock. */
	timeline_take(&line, 0, START);
	for (i = 1; i <= 6; i++)
		timeline_next(&line, i * 960, 1, START, &timestamp);
	ck_assert_uint_eq(timestamp, 48000 + 6 * 960);
	/* Speech goes on 120 ms ahead. */
	ck_assert(!timeline_next(&line, 7 * 960, 1, START + 20 * MS, &timestamp));
	ck_assert_uint_eq(timestamp, 48000 + 7 * 960);
	/* A pause of 400 ms at the source: the wall clock again, which is at 420 ms. */
	ck_assert(timeline_next(&line, 7 * 960 + 19200, 1, START + 420 * MS, &timestamp));
	ck_assert_uint_eq(timestamp, 48000 + 420 * 48);
}
END_TEST

START_TEST(a_source_clock_that_jumps_is_anchored_anew)
{
	struct timeline line = line_at(0, START);
	uint32_t timestamp;

	timeline_take(&line, 0, START);
	ck_assert(timeline_next(&line, 0x40000000, 1, START + 20 * MS, &timestamp));
	ck_assert_uint_eq(timestamp, 48960);
	ck_assert(timeline_next(&line, 5, 1, START + 40 * MS, &timestamp));
	ck_assert_uint_eq(timestamp, 48960 + 960);
	/* The same timestamp twice is a clock that stands. */
	ck_assert(timeline_next(&line, 5, 1, START + 60 * MS, &timestamp));
	ck_assert_uint_eq(timestamp, 48960 + 1920);
}
END_TEST

START_TEST(a_source_that_stood_still_is_anchored_anew)
{
	struct timeline line = line_at(0, START);
	uint32_t timestamp;

	timeline_take(&line, 0, START);
	/* Two seconds and a bit pass, the source counts one frame. */
	ck_assert(timeline_next(&line, 960, 1, START + 2100 * MS, &timestamp));
	ck_assert_uint_eq(timestamp, 48000 + 2100 * 48);
}
END_TEST

START_TEST(a_stall_of_the_network_is_not_the_sources_fault)
{
	struct timeline line = line_at(0, START);
	uint32_t timestamp, i;

	timeline_take(&line, 0, START);
	/* 600 ms of packets arrive at once, late. */
	for (i = 1; i <= 30; i++) {
		ck_assert(!timeline_next(&line, i * 960, 1, START + 600 * MS, &timestamp));
		ck_assert_uint_eq(timestamp, 48000 + i * 960);
	}
}
END_TEST

START_TEST(faster_than_time_keeps_its_spacing)
{
	struct timeline line = line_at(0, START);
	uint32_t timestamp, i;

	timeline_take(&line, 0, START);
	for (i = 1; i <= 1000; i++) {
		ck_assert(!timeline_next(&line, i * 480, 1, START, &timestamp) || i == 1);
		ck_assert_uint_eq(timestamp, 48000 + i * 480);
	}
}
END_TEST

START_TEST(a_day_of_silence_is_not_a_lead)
{
	struct timeline line = line_at(0, START);
	uint64_t now_ns = START + 30 * HOUR;
	uint32_t timestamp = (timeline_take(&line, 0, START), timeline_take(&line, 0, now_ns));

	/* 30 h are 5,400,000 frames exactly; modulo 2^32. */
	ck_assert_uint_eq(timestamp, (uint32_t)(48000 + 5400000ull * 960));
}
END_TEST

START_TEST(late_packets_lie_between_the_anchor_and_the_last)
{
	struct timeline line = line_at(0, START);
	uint32_t timestamp;

	timeline_take(&line, 0, START);
	timeline_next(&line, 4 * 960, 4, START + 80 * MS, &timestamp);
	ck_assert(timeline_late(&line, 960, &timestamp));
	ck_assert_uint_eq(timestamp, 48960);
	ck_assert(timeline_late(&line, 3 * 960, &timestamp));
	ck_assert_uint_eq(timestamp, 48000 + 3 * 960);
	ck_assert(!timeline_late(&line, 0, &timestamp));
	ck_assert(!timeline_late(&line, 4 * 960, &timestamp));
	ck_assert(!timeline_late(&line, 5 * 960, &timestamp));
	ck_assert(!timeline_late(&line, (uint32_t)-960, &timestamp));
}
END_TEST

START_TEST(nothing_late_from_before_the_anchor)
{
	struct timeline line = line_at(0, START);
	uint32_t timestamp;

	timeline_take(&line, 0, START);
	timeline_next(&line, 4 * 960, 4, START + 80 * MS, &timestamp);
	/* Another source at 48,000 + 5 * 960: its timestamp 1,000 is where 0 would be a frame
	 * before. */
	timeline_take(&line, 1000, START + 100 * MS);
	ck_assert(!timeline_late(&line, 1000 - 960, &timestamp));
	timeline_next(&line, 1000 + 1920, 2, START + 140 * MS, &timestamp);
	ck_assert(timeline_late(&line, 1000 + 960, &timestamp));
	ck_assert(!timeline_late(&line, 1000 - 960, &timestamp));
}
END_TEST

/* Exactly at a bound nothing happens, one tick beyond it does. */
static const struct {
	const char *sentence;
	int32_t step;       /* of the source's clock */
	int32_t wall_ticks; /* that have passed, in multiples of 6 */
	bool anchored;
} bounds[] = {
	{"two seconds ahead is a jump", 96000 + 961, 960, true},
	{"just under two seconds ahead is a pause", 96000 + 960 - 1921, 96000 - 960, false},
	{"two frames ahead after a pause is kept", 19200 + 1920, 19200, false},
	{"more than two frames ahead after a pause is not", 19200 + 1921, 19200, true},
	{"ten frames behind after a pause is kept", 19200, 19200 + 9600, false},
	{"more than ten frames behind after a pause is not", 19200, 19200 + 9606, true},
	{"two seconds behind without a pause is kept", 960, 96000 + 960, false},
	{"more than two seconds behind is not", 960, 96000 + 966, true},
	{"a gap of 100 ms is no pause", 960 + 4800, 960, false},
	{"a gap of more than 100 ms is one", 960 + 4801, 960, true},
};

START_TEST(bound)
{
	struct timeline line = line_at(0, START);
	uint64_t now_ns = START + (uint64_t)bounds[_i].wall_ticks / 6 * 125000;
	uint32_t timestamp;

	timeline_take(&line, 0, START);
	timeline_next(&line, (uint32_t)bounds[_i].step, 1, now_ns, &timestamp);
	ck_assert_msg((timestamp != 48000 + (uint32_t)bounds[_i].step) == bounds[_i].anchored,
		"%s: %u", bounds[_i].sentence, timestamp);
}
END_TEST

START_TEST(frames_as_short_and_as_long_as_opus_has)
{
	static const uint32_t ticks[] = {120, 5760};
	struct timeline line = line_at(0, START);
	uint32_t timestamp;

	timeline_take(&line, 0, START);
	ck_assert(!timeline_next(&line, ticks[_i], 1, START, &timestamp));
	/* The next source begins where that frame ends. */
	ck_assert_uint_eq(timeline_take(&line, 7, START), 48000 + 2 * ticks[_i]);
}
END_TEST

START_TEST(silence_goes_on_right_behind)
{
	struct timeline line = line_at(0, START);
	uint32_t timestamp;

	timeline_take(&line, 0, START);
	timeline_next(&line, 2880, 1, START + 60 * MS, &timestamp);
	timeline_next(&line, 5760, 1, START + 120 * MS, &timestamp);
	ck_assert_uint_eq(timeline_extend(&line), timestamp + 2880);
	ck_assert_uint_eq(timeline_extend(&line), timestamp + 2880 + 960);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("timeline");
	TCase *tcase = tcase_create("timeline");

	tcase_add_test(tcase, wall_clock_runs_at_48_khz);
	tcase_add_test(tcase, first_packet_is_on_the_wall_clock);
	tcase_add_test(tcase, never_before_the_start);
	tcase_add_test(tcase, spacing_is_the_sources_own);
	tcase_add_test(tcase, frames_of_60_ms_are_no_pause);
	tcase_add_test(tcase, a_change_of_hands_goes_on_by_a_frame);
	tcase_add_test(tcase, a_dtx_pause_is_one);
	tcase_add_test(tcase, a_lag_is_made_good_at_a_pause);
	tcase_add_test(tcase, a_source_clock_that_jumps_is_anchored_anew);
	tcase_add_test(tcase, a_source_that_stood_still_is_anchored_anew);
	tcase_add_test(tcase, a_stall_of_the_network_is_not_the_sources_fault);
	tcase_add_test(tcase, faster_than_time_keeps_its_spacing);
	tcase_add_test(tcase, a_day_of_silence_is_not_a_lead);
	tcase_add_test(tcase, late_packets_lie_between_the_anchor_and_the_last);
	tcase_add_test(tcase, nothing_late_from_before_the_anchor);
	tcase_add_loop_test(tcase, bound, 0, sizeof(bounds) / sizeof(bounds[0]));
	tcase_add_loop_test(tcase, frames_as_short_and_as_long_as_opus_has, 0, 2);
	tcase_add_test(tcase, silence_goes_on_right_behind);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
