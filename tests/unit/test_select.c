// SPDX-License-Identifier: BSD-3-Clause
/* What goes out of a slot, and what is released, in scenes; who gets it is test_contest.c. */
#include "tests/support/select_scene.h"

START_TEST(mute_is_at_once_and_ends_in_silence)
{
	unsigned int i;

	scene_open(1, 0);
	RUN(200, LOUD, 50, ABSENT, ABSENT, ABSENT);
	scene.count = 0;
	scene_mute(0, true);
	ck_assert_uint_eq(selector_holder(&scene.selector, 0), SELECTOR_NOBODY);
	ck_assert_uint_eq(scene.count, 0);
	ck_assert_uint_eq(selector_next_tick_ns(&scene.selector), scene.now_ns);
	RUN(1000, LOUD, 50, ABSENT, ABSENT, ABSENT);
	ck_assert_uint_eq(scene_heard_from(0), 0);
	ck_assert_uint_eq(scene.drops[STN_DROP_SOURCE_MUTED], 50);
	/* Three frames of 20 ms, then the other, who has been waiting, with preroll. */
	for (i = 0; i < 3; i++) {
		ck_assert_uint_eq(scene.heard[i].source, SOURCES);
		ck_assert_uint_eq(scene.heard[i].timestamp, START_TICKS + 200 * 48 + i * 960);
		ck_assert(!scene.heard[i].marker);
	}
	ck_assert_uint_eq(scene_heard_from(SOURCES), 3);
	ck_assert_uint_eq(scene.heard[3].source, 1);
	ck_assert(scene.heard[3].marker);
	scene_check_slots(11);
}
END_TEST

START_TEST(mute_is_checked_before_the_level_is_read)
{
	uint64_t digest;

	scene_open(1, 0);
	scene_mute(0, true);
	digest = selector_source_digest(&scene.source[0]);
	RUN(500, 0, ABSENT, ABSENT, ABSENT, ABSENT);
	ck_assert_uint_eq(selector_source_digest(&scene.source[0]), digest);
	ck_assert_uint_eq(scene.count, 0);
	ck_assert_uint_eq(scene.drops[STN_DROP_SOURCE_MUTED], 25);
	scene_mute(0, false);
	scene_speak(0, LOUD);
	ck_assert_uint_eq(scene.count, 1);
}
END_TEST

START_TEST(mute_releases_what_a_candidate_has_pending)
{
	scene_open(1, 0);
	RUN(100, SILENT, ABSENT, ABSENT, ABSENT, ABSENT);
	ck_assert_uint_eq(selector_pending(&scene.selector), 5);
	scene_mute(0, true);
	ck_assert_uint_eq(scene.drops[STN_DROP_SOURCE_MUTED], 5);
	ck_assert_uint_eq(selector_pending(&scene.selector), 0);
	RUN(100, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT);
	/* It held nothing, so nothing ends in silence. */
	ck_assert_uint_eq(scene.count, 0);
}
END_TEST

START_TEST(unmuted_speech_resumes_on_the_wall_clock)
{
	scene_open(1, 0);
	RUN(200, LOUD, ABSENT, ABSENT, ABSENT, ABSENT);
	scene_mute(0, true);
	RUN(5000, LOUD, ABSENT, ABSENT, ABSENT, ABSENT);
	scene_mute(0, false);
	scene.count = 0;
	RUN(40, LOUD, ABSENT, ABSENT, ABSENT, ABSENT);
	ck_assert_uint_eq(scene.heard[0].timestamp, START_TICKS + 5200 * 48);
	ck_assert_uint_eq(scene.heard[0].index, 14);
	ck_assert(scene.heard[0].marker);
	ck_assert(!scene.heard[1].marker);
}
END_TEST

START_TEST(removal_ends_in_silence_and_a_rejoin_goes_on)
{
	scene_open(1, 0xfffe);
	RUN(200, LOUD, ABSENT, ABSENT, ABSENT, ABSENT);
	scene_remove(0);
	RUN(100, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT);
	ck_assert_uint_eq(scene_heard_from(SOURCES), 3);
	/* Fresh keys, so fresh indices: lower than before is no matter. */
	selector_source_init(&scene.source[0], 0, 0xb0, false);
	scene.index[0] = 1;
	RUN(200, LOUD, ABSENT, ABSENT, ABSENT, ABSENT);
	ck_assert_uint_eq(scene_heard_from(0), 20);
	scene_check_slots(0xffff); /* over 2^16 */
}
END_TEST

START_TEST(silence_frames_follow_the_clock_when_the_tick_is_late)
{
	scene_open(1, 0);
	RUN(100, LOUD, ABSENT, ABSENT, ABSENT, ABSENT);
	scene_mute(0, true);
	scene.count = 0;
	scene.now_ns += 45 * MS;
	scene_tick();
	/* Due at 0, 20 and 40 ms: all three, one behind the other. */
	ck_assert_uint_eq(scene.count, 3);
	ck_assert_uint_eq(scene.heard[1].timestamp, scene.heard[0].timestamp + 960);
	ck_assert_uint_eq(scene.heard[2].timestamp, scene.heard[1].timestamp + 960);
	scene_check_slots(6);
}
END_TEST

/* Ticks of an idle worker come a little late; the frames still join up, 20 ms apart. */
START_TEST(silence_frames_join_up_under_jitter)
{
	static const unsigned int ticks_ms[] = {0, 15, 32, 39, 55};
	static const unsigned int heard_ms[] = {1, 1, 2, 2, 3};
	uint64_t start_ns;
	unsigned int i;

	scene_open(1, 0);
	RUN(100, LOUD, ABSENT, ABSENT, ABSENT, ABSENT);
	start_ns = scene.now_ns;
	scene_mute(0, true);
	scene.count = 0;
	for (i = 0; i < 5; i++) {
		scene.now_ns = start_ns + ticks_ms[i] * MS;
		scene_tick();
		ck_assert_uint_eq(scene.count, heard_ms[i]);
	}
	for (i = 0; i < 3; i++)
		ck_assert_uint_eq(scene.heard[i].timestamp, START_TICKS + 100 * 48 + i * 960);
}
END_TEST

START_TEST(silence_frames_much_later_are_about_now)
{
	scene_open(1, 0);
	RUN(100, LOUD, ABSENT, ABSENT, ABSENT, ABSENT);
	scene_mute(0, true);
	scene_tick();
	scene.count = 0;
	scene.now_ns += 3000 * MS;
	scene_tick();
	/* One now; the last in 20 ms. */
	ck_assert_uint_eq(scene.count, 1);
	ck_assert_uint_eq(scene.heard[0].timestamp, START_TICKS + 3100 * 48);
	ck_assert_uint_eq(selector_next_tick_ns(&scene.selector), scene.now_ns + 20 * MS);
}
END_TEST

START_TEST(a_loss_on_the_way_in_is_seen_by_listeners)
{
	scene_open(1, 0);
	RUN(100, LOUD, ABSENT, ABSENT, ABSENT, ABSENT);
	scene.index[0] += 2;
	scene.timestamp[0] += 2 * 960;
	scene.now_ns += 40 * MS;
	RUN(40, LOUD, ABSENT, ABSENT, ABSENT, ABSENT);
	ck_assert_uint_eq(scene.heard[4].index, 5);
	ck_assert_uint_eq(scene.heard[5].index, 8);
	ck_assert_uint_eq(scene.heard[5].timestamp, scene.heard[4].timestamp + 3 * 960);
	ck_assert(!scene.heard[5].marker);
	/* One of the two comes after all: to its own place, once. */
	scene_send(0, scene.index[0] - 3, scene.timestamp[0] - 3 * 960, LOUD);
	ck_assert_uint_eq(scene.heard[7].index, 7);
	ck_assert_uint_eq(scene.heard[7].timestamp, scene.heard[4].timestamp + 2 * 960);
	scene_send(0, scene.index[0] - 3, scene.timestamp[0] - 3 * 960, LOUD);
	ck_assert_uint_eq(scene.count, 8);
	ck_assert_uint_eq(scene.drops[STN_DROP_SLOT_REORDERED], 1);
}
END_TEST

START_TEST(late_packets_of_the_previous_holder_are_reordered)
{
	scene_open(1, 0);
	RUN(1000, 60, ABSENT, ABSENT, ABSENT, ABSENT);
	scene.index[0]++; /* this one is still on its way */
	scene.timestamp[0] += 960;
	RUN(600, 60, 20, ABSENT, ABSENT, ABSENT);
	ck_assert_uint_eq(selector_holder(&scene.selector, 0), 1);
	scene.count = 0;
	scene_send(0, 5000 + 50, 50 * 960, 60);
	ck_assert_uint_eq(scene.count, 0);
	ck_assert_uint_eq(scene.drops[STN_DROP_SLOT_REORDERED], 1);
}
END_TEST

START_TEST(what_was_heard_does_not_wait_to_be_heard_again)
{
	scene_open(1, 0);
	RUN(1000, LOUD, ABSENT, ABSENT, ABSENT, ABSENT);
	RUN(1000, ABSENT, LOUD, ABSENT, ABSENT, ABSENT);
	ck_assert_uint_eq(selector_holder(&scene.selector, 0), 1);
	/* Of 5000 to 5049 the last was heard; 5050 would be new. */
	scene_send(0, 5049, 49 * 960, LOUD);
	ck_assert_uint_eq(scene.drops[STN_DROP_SLOT_REORDERED], 1);
	ck_assert_uint_eq(selector_pending(&scene.selector), 0);
	scene_send(0, 5050, 50 * 960, SILENT);
	ck_assert_uint_eq(scene.drops[STN_DROP_SLOT_REORDERED], 1);
	ck_assert_uint_eq(selector_pending(&scene.selector), 1);
}
END_TEST

START_TEST(a_reordered_preroll_goes_out_in_order)
{
	unsigned int i;

	scene_open(1, 0);
	scene_send(0, 10, 9600, SILENT);
	scene_send(0, 12, 9600 + 2 * 960, SILENT);
	scene_send(0, 11, 9600 + 960, SILENT);
	scene_send(0, 11, 9600 + 960, SILENT);
	ck_assert_uint_eq(scene.drops[STN_DROP_SLOT_REORDERED], 1);
	scene_send(0, 9, 9600 - 960, LOUD);
	ck_assert_uint_eq(scene.count, 4);
	for (i = 0; i < 4; i++) {
		ck_assert_uint_eq(scene.heard[i].index, 1 + i);
		ck_assert_uint_eq(scene.heard[i].timestamp, START_TICKS + i * 960);
	}
}
END_TEST

START_TEST(a_flood_of_a_candidate_evicts_its_oldest)
{
	unsigned int i;

	scene_open(1, 0);
	for (i = 0; i < 200; i++)
		scene_speak(0, SILENT);
	ck_assert_uint_eq(selector_pending(&scene.selector), PREROLL_PACKETS_MAX);
	ck_assert_uint_eq(scene.drops[STN_DROP_NOT_SELECTED], 200 - PREROLL_PACKETS_MAX);
	/* Older than all that is kept: it goes itself, and nothing kept is lost for it. */
	scene_send(0, 5000 + 100, 0, SILENT);
	ck_assert_uint_eq(scene.drops[STN_DROP_NOT_SELECTED], 201 - PREROLL_PACKETS_MAX);
	ck_assert_uint_eq(selector_pending(&scene.selector), PREROLL_PACKETS_MAX);
	ck_assert_uint_eq(
		preroll_peek(&scene.source[0].preroll)->index, 5000 + 200 - PREROLL_PACKETS_MAX);
}
END_TEST

START_TEST(a_tick_releases_as_much_as_fits_and_asks_for_another)
{
	unsigned int i, ticks = 0;

	scene_open(1, 0);
	for (i = 0; i < 5 * PREROLL_PACKETS_MAX; i++)
		scene_speak(i % 5, SILENT);
	scene.now_ns += 200 * MS;
	while (selector_next_tick_ns(&scene.selector) <= scene.now_ns) {
		scene_tick();
		ticks++;
	}
	/* 240 packets, 64 a tick. */
	ck_assert_uint_eq(ticks, 4);
	ck_assert_uint_eq(scene.drops[STN_DROP_NOT_SELECTED], 5 * PREROLL_PACKETS_MAX);
	ck_assert_uint_eq(selector_pending(&scene.selector), 0);
	ck_assert_uint_eq(selector_next_tick_ns(&scene.selector), UINT64_MAX);
}
END_TEST

START_TEST(when_the_indices_are_used_up_nothing_is_sent)
{
	scene_open(1, SLOT_INDEX_MAX - 2);
	RUN(100, LOUD, ABSENT, ABSENT, ABSENT, ABSENT);
	ck_assert_uint_eq(scene.count, 2);
	ck_assert_uint_eq(scene.heard[1].index, SLOT_INDEX_MAX);
	scene_mute(0, true);
	RUN(100, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT);
	ck_assert_uint_eq(scene.count, 2);
}
END_TEST

START_TEST(the_view_says_who_holds_what)
{
	struct selector_slot_view view;

	scene_open(2, 40);
	RUN(400, LOUD, ABSENT, ABSENT, ABSENT, ABSENT);
	selector_slot_view(&scene.selector, 0, &view);
	ck_assert_uint_eq(view.ssrc, 0xa0);
	ck_assert_uint_eq(view.holder, 0);
	ck_assert_uint_eq(view.level, LOUD);
	ck_assert_uint_eq(view.index, 60);
	ck_assert_uint_eq(view.packets, 20);
	ck_assert_uint_eq(view.last_ns, scene.now_ns - 20 * MS);
	selector_slot_view(&scene.selector, 1, &view);
	ck_assert_uint_eq(view.ssrc, 0xa1);
	ck_assert_uint_eq(view.holder, SELECTOR_NOBODY);
	ck_assert_uint_eq(view.level, SILENT);
	ck_assert_uint_eq(view.index, 40);
	ck_assert_uint_eq(view.packets, 0);
}
END_TEST

START_TEST(the_digest_sees_every_change)
{
	uint64_t digest, source;

	scene_open(1, 0);
	digest = selector_digest(&scene.selector);
	source = selector_source_digest(&scene.source[0]);
	ck_assert_uint_eq(digest, selector_digest(&scene.selector));
	scene_speak(0, SILENT);
	ck_assert_uint_ne(digest, selector_digest(&scene.selector));
	ck_assert_uint_ne(source, selector_source_digest(&scene.source[0]));
	digest = selector_digest(&scene.selector);
	scene_speak(0, LOUD);
	ck_assert_uint_ne(digest, selector_digest(&scene.selector));
	digest = selector_digest(&scene.selector);
	scene_mute(0, true);
	ck_assert_uint_ne(digest, selector_digest(&scene.selector));
}
END_TEST

static void add_mute(Suite *suite)
{
	TCase *tcase = tcase_create("mute");

	tcase_add_test(tcase, mute_is_at_once_and_ends_in_silence);
	tcase_add_test(tcase, mute_is_checked_before_the_level_is_read);
	tcase_add_test(tcase, mute_releases_what_a_candidate_has_pending);
	tcase_add_test(tcase, unmuted_speech_resumes_on_the_wall_clock);
	tcase_add_test(tcase, removal_ends_in_silence_and_a_rejoin_goes_on);
	tcase_add_test(tcase, silence_frames_follow_the_clock_when_the_tick_is_late);
	tcase_add_test(tcase, silence_frames_join_up_under_jitter);
	tcase_add_test(tcase, silence_frames_much_later_are_about_now);
	suite_add_tcase(suite, tcase);
}

static void add_order(Suite *suite)
{
	TCase *tcase = tcase_create("order");

	tcase_add_test(tcase, a_loss_on_the_way_in_is_seen_by_listeners);
	tcase_add_test(tcase, late_packets_of_the_previous_holder_are_reordered);
	tcase_add_test(tcase, what_was_heard_does_not_wait_to_be_heard_again);
	tcase_add_test(tcase, a_reordered_preroll_goes_out_in_order);
	tcase_add_test(tcase, a_flood_of_a_candidate_evicts_its_oldest);
	tcase_add_test(tcase, a_tick_releases_as_much_as_fits_and_asks_for_another);
	tcase_add_test(tcase, when_the_indices_are_used_up_nothing_is_sent);
	tcase_add_test(tcase, the_view_says_who_holds_what);
	tcase_add_test(tcase, the_digest_sees_every_change);
	suite_add_tcase(suite, tcase);
}

int main(void)
{
	Suite *suite = suite_create("select");

	add_mute(suite);
	add_order(suite);
	return unit_run(suite);
}
