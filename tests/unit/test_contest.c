// SPDX-License-Identifier: BSD-3-Clause
/* Who gets a slot, in scenes. Times on paper follow from selector_config_default. */
#include "tests/support/select_scene.h"

START_TEST(one_speaker_is_heard_from_the_first_packet)
{
	unsigned int i;

	scene_open(3, 99);
	RUN(1000, LOUD, ABSENT, ABSENT, ABSENT, ABSENT);
	ck_assert_uint_eq(scene.count, 50);
	for (i = 0; i < 50; i++) {
		ck_assert_uint_eq(scene.heard[i].slot, 0);
		ck_assert_uint_eq(scene.heard[i].index, 100 + i);
		ck_assert_uint_eq(scene.heard[i].timestamp, START_TICKS + i * 960);
		ck_assert(scene.heard[i].marker == (i == 0));
	}
	ck_assert_uint_eq(selector_holder(&scene.selector, 0), 0);
	ck_assert_uint_eq(selector_holder(&scene.selector, 1), SELECTOR_NOBODY);
	ck_assert_uint_eq(selector_slot_index(&scene.selector, 0), 149);
	ck_assert_uint_eq(scene.changes, 1);
}
END_TEST

START_TEST(of_five_speakers_the_three_loudest_are_heard)
{
	unsigned int early;

	scene_open(3, 0);
	RUN(2000, 60, 50, 40, 30, 20);
	early = scene.count;
	scene.count = 0;
	RUN(2000, 60, 50, 40, 30, 20);
	ck_assert_uint_eq(scene_heard_from(0), 0);
	ck_assert_uint_eq(scene_heard_from(1), 0);
	ck_assert_uint_eq(scene_heard_from(2), 100);
	ck_assert_uint_eq(scene_heard_from(3), 100);
	ck_assert_uint_eq(scene_heard_from(4), 100);
	RUN(200, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT);
	ck_assert_uint_eq(selector_pending(&scene.selector), 0);
	ck_assert_uint_eq(scene.handles, 5 * 200);
	ck_assert_uint_eq(early + scene.count + scene.drops[STN_DROP_NOT_SELECTED], 5 * 200);
}
END_TEST

START_TEST(equally_loud_speakers_do_not_take_turns)
{
	unsigned int i;

	scene_open(1, 0);
	for (i = 0; i < 50; i++) {
		RUN(100, 40, 42, ABSENT, ABSENT, ABSENT);
		RUN(100, 42, 40, ABSENT, ABSENT, ABSENT);
	}
	ck_assert_uint_eq(scene.changes, 1);
	ck_assert_uint_eq(scene_heard_from(1), 0);
}
END_TEST

/* 10 s of flapping: at most one change in 500 ms, whatever the levels do. */
START_TEST(flapping_levels_do_not_flap_the_slot)
{
	unsigned int i;

	scene_open(1, 0);
	for (i = 0; i < 25; i++) {
		RUN(200, 10, 80, ABSENT, ABSENT, ABSENT);
		RUN(200, 80, 10, ABSENT, ABSENT, ABSENT);
	}
	/* A change vacates and takes the same slot, which is one bit. */
	ck_assert_uint_le(scene.changes, 1 + 10000 / 500);
	scene_check_slots(1);
}
END_TEST

START_TEST(a_louder_challenger_must_stay_louder)
{
	scene_open(1, 0);
	RUN(1000, 60, ABSENT, ABSENT, ABSENT, ABSENT);
	/* 140 ms are seven packets, the last of them 120 ms after the first. */
	RUN(140, 60, 30, ABSENT, ABSENT, ABSENT);
	ck_assert_uint_eq(scene_heard_from(1), 0);
	RUN(400, 60, 90, ABSENT, ABSENT, ABSENT);
	ck_assert_uint_eq(scene_heard_from(1), 0);
	/* The margin is crossed by the second or third packet; then 150 ms. */
	RUN(300, 60, 30, ABSENT, ABSENT, ABSENT);
	ck_assert_uint_eq(selector_holder(&scene.selector, 0), 1);
	scene_check_slots(1);
}
END_TEST

START_TEST(a_challenge_is_not_kept_over_quieter_speech)
{
	static const uint8_t quieter[] = {58, 100};

	scene_open(1, 0);
	RUN(1000, 60, ABSENT, ABSENT, ABSENT, ABSENT);
	RUN(100, 60, 30, ABSENT, ABSENT, ABSENT);
	scene_run(600, (const uint8_t[SOURCES]){60, quieter[_i], ABSENT, ABSENT, ABSENT});
	RUN(100, 60, 10, ABSENT, ABSENT, ABSENT);
	ck_assert_uint_eq(scene_heard_from(1), 0);
}
END_TEST

START_TEST(of_silent_holders_the_longest_silent_gives_way)
{
	scene_open(3, 0);
	RUN(100, LOUD, LOUD, LOUD, ABSENT, ABSENT);
	RUN(200, LOUD, SILENT, LOUD, ABSENT, ABSENT);
	RUN(200, LOUD, SILENT, SILENT, ABSENT, ABSENT);
	RUN(800, SILENT, SILENT, SILENT, ABSENT, ABSENT);
	scene_speak(3, 80);
	ck_assert_int_eq(scene.source[3].slot, 1);
	scene_speak(4, 80);
	ck_assert_int_eq(scene.source[4].slot, 2);
	ck_assert_int_eq(scene.source[0].slot, 0);
}
END_TEST

START_TEST(a_silent_holder_gives_way_before_a_quieter_one)
{
	scene_open(2, 0);
	scene.voice = true;
	RUN(1000, 0, 126, ABSENT, ABSENT, ABSENT);
	/* 30 falls leave 127 * (7/8)^30 = 2.3 dB of the loudness of 0; 1 speaks with 1 dB. */
	RUN(600, SILENT, 126, ABSENT, ABSENT, ABSENT);
	scene_speak(2, 80);
	ck_assert_int_eq(scene.source[2].slot, 0);
	ck_assert_int_eq(scene.source[1].slot, 1);
}
END_TEST

START_TEST(a_slot_changes_hands_once_in_half_a_second)
{
	scene_open(1, 0);
	/* 1 is louder all the time, and since 500 ms - 150 ms at the latest for long enough. */
	RUN(500, 60, 10, ABSENT, ABSENT, ABSENT);
	ck_assert_uint_eq(selector_holder(&scene.selector, 0), 0);
	RUN(20, 60, 10, ABSENT, ABSENT, ABSENT);
	ck_assert_uint_eq(selector_holder(&scene.selector, 0), 1);
}
END_TEST

START_TEST(the_voice_bit_makes_a_quiet_source_active)
{
	scene_open(1, 0);
	scene.voice = true;
	RUN(100, SILENT, ABSENT, ABSENT, ABSENT, ABSENT);
	ck_assert_uint_eq(scene.count, 0);
	RUN(20, 126, ABSENT, ABSENT, ABSENT, ABSENT);
	ck_assert_uint_eq(scene_heard_from(0), 6);
}
END_TEST

START_TEST(a_challenge_is_not_kept_over_a_pause)
{
	scene_open(1, 0);
	RUN(1000, 60, ABSENT, ABSENT, ABSENT, ABSENT);
	RUN(100, 60, 20, ABSENT, ABSENT, ABSENT);
	RUN(400, 60, ABSENT, ABSENT, ABSENT, ABSENT);
	RUN(20, 60, 20, ABSENT, ABSENT, ABSENT);
	ck_assert_uint_eq(scene_heard_from(1), 0);
}
END_TEST

START_TEST(a_silent_holder_gives_way_at_once_with_preroll)
{
	unsigned int i;

	scene_open(1, 0);
	RUN(1000, LOUD, SILENT, ABSENT, ABSENT, ABSENT);
	RUN(700, SILENT, SILENT, ABSENT, ABSENT, ABSENT);
	ck_assert_uint_eq(scene_heard_from(1), 0);
	scene.count = 0;
	scene_speak(1, LOUD);
	/* Kept are packets younger than 120 ms: of 100, 80, 60, 40, 20 ms ago, and this one. */
	ck_assert_uint_eq(scene_heard_from(1), 6);
	ck_assert_uint_eq(scene.count, 6);
	for (i = 0; i < 6; i++) {
		ck_assert_uint_eq(scene.heard[i].index, 86 + i);
		ck_assert_uint_eq(
			scene.out.emission[i].arrival_ns, scene.now_ns - (5 - i) * 20 * MS);
		/* From the wall clock on, 1,700 ms after the start, in the source's own spacing. */
		ck_assert_uint_eq(scene.heard[i].timestamp, START_TICKS + 1700 * 48 + i * 960);
		ck_assert(scene.heard[i].marker == (i == 0));
	}
	ck_assert_uint_eq(selector_pending(&scene.selector), 0);
}
END_TEST

START_TEST(silence_alone_takes_no_slot)
{
	scene_open(3, 0);
	RUN(500, SILENT, 90, ABSENT, ABSENT, ABSENT);
	ck_assert_uint_eq(scene.count, 0);
	RUN(200, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT);
	ck_assert_uint_eq(scene.drops[STN_DROP_NOT_SELECTED], 50);
	ck_assert_uint_eq(selector_pending(&scene.selector), 0);
}
END_TEST

START_TEST(without_levels_the_payload_decides)
{
	scene_open(1, 0);
	scene.no_levels = true;
	scene.payload_size = 8;
	RUN(200, LOUD, ABSENT, ABSENT, ABSENT, ABSENT);
	ck_assert_uint_eq(scene.count, 0);
	scene.payload_size = 9;
	scene_speak(0, LOUD);
	ck_assert_uint_eq(scene_heard_from(0), 6);
	ck_assert(!scene.out.emission[0].has_level);
	ck_assert_uint_eq(scene.out.emission[0].level, SILENT);
	/* Others as active as the holder do not push it out. */
	RUN(3000, 0, 0, 0, ABSENT, ABSENT);
	ck_assert_uint_eq(scene_heard_from(1) + scene_heard_from(2), 0);
}
END_TEST

START_TEST(dtx_keeps_the_slot_and_the_marker_says_resumed)
{
	unsigned int i;

	scene_open(1, 0);
	RUN(1000, LOUD, ABSENT, ABSENT, ABSENT, ABSENT);
	scene.count = 0;
	for (i = 0; i < 20; i++) {
		RUN(380, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT);
		RUN(20, SILENT, ABSENT, ABSENT, ABSENT, ABSENT);
		ck_assert_uint_eq(scene.heard[i].index, 51 + i);
		ck_assert_uint_eq(
			scene.heard[i].timestamp, START_TICKS + (1000 + 380 + i * 400) * 48);
		ck_assert(!scene.heard[i].marker);
	}
	ck_assert_uint_eq(selector_holder(&scene.selector, 0), 0);
	RUN(200, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT);
	RUN(60, LOUD, ABSENT, ABSENT, ABSENT, ABSENT);
	ck_assert(scene.heard[20].marker);
	ck_assert(!scene.heard[21].marker);
	ck_assert_uint_eq(scene.heard[20].index, 71);
	ck_assert_uint_eq(scene.changes, 1);
}
END_TEST

START_TEST(who_sends_nothing_for_two_seconds_is_gone)
{
	scene_open(1, 0);
	RUN(100, LOUD, ABSENT, ABSENT, ABSENT, ABSENT);
	/* The last packet came at 80 ms. */
	RUN(1980, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT);
	ck_assert_uint_eq(selector_holder(&scene.selector, 0), 0);
	RUN(20, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT);
	ck_assert_uint_eq(selector_holder(&scene.selector, 0), SELECTOR_NOBODY);
	ck_assert_uint_eq(scene.changes, 2);
	ck_assert_uint_eq(selector_next_tick_ns(&scene.selector), UINT64_MAX);
	RUN(20, LOUD, ABSENT, ABSENT, ABSENT, ABSENT);
	ck_assert(scene.heard[5].marker);
	scene_check_slots(1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("contest");
	TCase *tcase = tcase_create("contest");

	tcase_add_test(tcase, one_speaker_is_heard_from_the_first_packet);
	tcase_add_test(tcase, of_five_speakers_the_three_loudest_are_heard);
	tcase_add_test(tcase, equally_loud_speakers_do_not_take_turns);
	tcase_add_test(tcase, flapping_levels_do_not_flap_the_slot);
	tcase_add_test(tcase, a_louder_challenger_must_stay_louder);
	tcase_add_test(tcase, a_challenge_is_not_kept_over_a_pause);
	tcase_add_loop_test(tcase, a_challenge_is_not_kept_over_quieter_speech, 0, 2);
	tcase_add_test(tcase, of_silent_holders_the_longest_silent_gives_way);
	tcase_add_test(tcase, a_silent_holder_gives_way_before_a_quieter_one);
	tcase_add_test(tcase, a_slot_changes_hands_once_in_half_a_second);
	tcase_add_test(tcase, the_voice_bit_makes_a_quiet_source_active);
	tcase_add_test(tcase, a_silent_holder_gives_way_at_once_with_preroll);
	tcase_add_test(tcase, silence_alone_takes_no_slot);
	tcase_add_test(tcase, without_levels_the_payload_decides);
	tcase_add_test(tcase, dtx_keeps_the_slot_and_the_marker_says_resumed);
	tcase_add_test(tcase, who_sends_nothing_for_two_seconds_is_gone);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
