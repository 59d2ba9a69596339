/* SPDX-License-Identifier: BSD-3-Clause */
/* Where browsers are: who has an address, who hands over, what a change of role keeps. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/webrtc_scene.h"

/* ---- addresses ---- */

START_TEST(media_of_a_listener_is_handed_to_its_owner)
{
	unsigned int home, other;
	struct stn_address here, there;
	const struct stn_notice *notice;

	fill();
	subscribe();
	home = owner(30);
	other = (home + 1) % WORKERS;
	here = address_at(home, 100);
	there = address_at(other, 200);
	moved(30, &there);
	ck_assert_uint_eq(redirects(30, &there), 1u << other);
	notice = next_notice();
	ck_assert_uint_eq(notice->type, STN_NOTICE_LEG_MOVED);
	ck_assert_uint_eq(notice->leg_id, 30);
	ck_assert_uint_eq(notice->member_id, 1000030);
	ck_assert(!memcmp(&notice->remote, &there, sizeof(there)));
	/* At home nobody has to hand over. */
	moved(30, &here);
	ck_assert_uint_eq(redirects(30, &there) | redirects(30, &here), 0);
	moved(30, &there);
	/* Removed with the leg. */
	world_op_remove_leg(&world, 30);
	committed();
	ck_assert_uint_eq(redirects(30, &there), 0);
}
END_TEST

START_TEST(media_of_a_speaker_may_arrive_anywhere)
{
	struct stn_address first = world_address(1), second = world_address(2);
	unsigned int others;

	fill();
	others = ((1u << WORKERS) - 1) & ~(1u << facts_of(10)->worker);
	moved(10, &first);
	ck_assert_uint_eq(redirects(10, &first), others);
	moved(10, &second);
	ck_assert_uint_eq(redirects(10, &first), 0);
	ck_assert_uint_eq(redirects(10, &second), others);
	op_keys(10, STN_ROLE_SPEAKER);
	committed();
	ck_assert_uint_eq(redirects(10, &second), others);
	world_op_remove_room(&world, 1);
	committed();
	ck_assert_uint_eq(redirects(10, &second), 0);
}
END_TEST

START_TEST(a_later_browser_takes_an_address)
{
	struct stn_address place;
	unsigned int home;

	fill();
	op_webrtc(33, STN_ROLE_LISTENER);
	committed();
	home = owner(30);
	place = address_at((home + 1) % WORKERS, 300);
	moved(30, &place);
	moved(33, &place);
	ck_assert_uint_eq(redirects(30, &place), 0);
	ck_assert_uint_eq(world.fake.worker[home].losses, 1);
	ck_assert_uint_eq(world.fake.worker[home].lost.leg_id, 30);
	ck_assert(!memcmp(&world.fake.worker[home].lost.address, &place, sizeof(place)));
	/* What the earlier one loses later on is not the later one's. */
	world_op_remove_leg(&world, 30);
	committed();
	ck_assert_uint_eq(redirects(33, &place),
		owner(33) == (home + 1) % WORKERS ? 0 : 1u << (home + 1) % WORKERS);
}
END_TEST

START_TEST(who_is_programmed_goes_before_who_was_seen)
{
	struct stn_op_leg_put native = world_leg(50, 1, STN_ROLE_LISTENER);
	uint64_t digest;
	unsigned int home;

	fill();
	home = owner(30);
	native.remote = address_at((home + 1) % WORKERS, 400);
	moved(30, &native.remote);
	/* Refused for another reason: the browser is where it was. */
	digest = table_server_digest(world.server);
	op_leg(&native);
	world_op_remove_leg(&world, 555);
	ck_assert_uint_eq(commit(), STN_STATUS_NO_LEG);
	ck_assert_uint_eq(table_server_digest(world.server), digest);
	ck_assert_uint_eq(redirects(30, &native.remote), 1u << (home + 1) % WORKERS);
	op_leg(&native);
	committed();
	ck_assert_uint_eq(redirects(30, &native.remote), 0);
	ck_assert_uint_eq(world.fake.worker[home].lost.leg_id, 30);
	/* And a browser seen there later has to forget it. */
	moved(30, &native.remote);
	ck_assert_uint_eq(world.fake.worker[home].losses, 2);
	ck_assert_uint_eq(redirects(30, &native.remote), 0);
}
END_TEST

START_TEST(silence_is_told_for_certain)
{
	struct stn_address place = address_at(0, 500);
	const struct stn_notice *notice;

	fill();
	subscribe();
	moved(10, &place);
	ck_assert_uint_eq(next_notice()->type, STN_NOTICE_LEG_MOVED);
	fake_bus_lost(&world.fake, facts_of(10));
	notice = next_notice();
	ck_assert_uint_eq(notice->type, STN_NOTICE_LEG_LOST);
	ck_assert_uint_eq(notice->leg_id, 10);
	settle();
	ck_assert_uint_eq(redirects(10, &place), 0);
}
END_TEST

START_TEST(what_is_said_of_a_leg_that_is_gone_is_ignored)
{
	struct leg_facts gone;
	struct stn_address place = world_address(9);

	fill();
	gone = *facts_of(30);
	world_op_remove_leg(&world, 30);
	committed();
	/* Its handle is another's now. */
	op_webrtc(39, STN_ROLE_LISTENER);
	committed();
	ck_assert_uint_eq(facts_of(39)->leg, gone.leg);
	fake_bus_moved(&world.fake, &gone, &place);
	fake_bus_lost(&world.fake, &gone);
	settle();
	for (unsigned int i = 0; i < WORKERS; i++)
		ck_assert_uint_eq(fake_bus_redirect(&world.fake, i, &place), 0);
	/* Nor may an old handle speak for the leg. */
	gone.leg_id = 39;
	gone.leg = 999;
	fake_bus_moved(&world.fake, &gone, &place);
	settle();
	for (unsigned int i = 0; i < WORKERS; i++)
		ck_assert_uint_eq(fake_bus_redirect(&world.fake, i, &place), 0);
}
END_TEST

START_TEST(full_rings_delay_moves_but_lose_none)
{
	fill();
	for (uint64_t id = 100; id < 112; id++)
		op_webrtc(id, STN_ROLE_SPEAKER + (id > 103 ? -1 : 0));
	committed();
	world.fake.ring_size = 1;
	world.fake.post_fails = 3;
	for (unsigned int round = 0; round < 40; round++)
		for (uint64_t id = 100; id < 112; id++) {
			/* Everybody wanders over the same few places. */
			struct stn_address place = world_address((unsigned int)(id + round) % 16);

			fake_bus_moved(&world.fake, facts_of(id), &place);
		}
	for (int i = 0; i < 3000; i++)
		world_turn(&world);
	/* The last round's places are all distinct: each has exactly its leg. */
	for (uint64_t id = 100; id < 112; id++) {
		struct stn_address place = world_address((unsigned int)(id + 39) % 16);
		unsigned int at = world.fake.bus.worker_of(&world.fake, &place);
		unsigned int all = (1u << WORKERS) - 1;

		all &= ~(1u << facts_of(id)->worker);
		ck_assert_uint_eq(redirects(id, &place), id <= 103 ? all : all & 1u << at);
	}
}
END_TEST

/* ---- roles ---- */

START_TEST(a_change_of_role_keeps_path_and_credentials)
{
	struct stn_address place = world_address(7);
	struct stn_op_leg_ice ice;
	uint32_t origin;

	fill();
	moved(30, &place);
	op_keys(30, STN_ROLE_LISTENER);
	op_ice(30, 4);
	committed();
	origin = facts_of(30)->origin[0];
	op_keys(30, STN_ROLE_SPEAKER);
	committed();
	ck_assert_uint_eq(facts_of(30)->role, STN_ROLE_SPEAKER);
	ck_assert(!memcmp(&facts_of(30)->remote, &place, sizeof(place)));
	ck_assert_uint_eq(facts_of(30)->origin[0], origin);
	ice_facts_describe(ice_of(30), &ice);
	ck_assert_uint_eq(ice.local_random[0], 4);
	ck_assert_uint_eq(
		redirects(30, &place), ((1u << WORKERS) - 1) & ~(1u << facts_of(30)->worker));
	/* And back, now without a path. */
	fake_bus_lost(&world.fake, facts_of(30));
	settle();
	op_keys(30, STN_ROLE_LISTENER);
	committed();
	ck_assert_uint_eq(facts_of(30)->remote.family, 0);
	ck_assert_uint_eq(owner(30), world.fake.bus.worker_of_leg(&world.fake, 30));
	ck_assert_ptr_nonnull(ice_of(30));
}
END_TEST

START_TEST(a_change_of_role_before_the_keys_and_with_them)
{
	fill();
	op_webrtc(30, STN_ROLE_SPEAKER);
	committed();
	ck_assert_ptr_null(facts_of(30)->cells);
	op_keys(30, STN_ROLE_LISTENER);
	committed();
	ck_assert_uint_eq(facts_of(30)->tx.suite, STN_SUITE_AEAD_AES_128_GCM);
	op_webrtc(36, STN_ROLE_LISTENER);
	committed();
	op_keys(36, STN_ROLE_SPEAKER);
	committed();
	ck_assert_ptr_nonnull(facts_of(36)->cells);
}
END_TEST

/* While the old object is on its way out and the new one waits, the path goes on to move. */
START_TEST(a_move_behind_the_barrier)
{
	struct stn_address first = world_address(7), second = world_address(8);

	fill();
	moved(30, &first);
	world.hold = true;
	op_webrtc(30, STN_ROLE_SPEAKER);
	world_send_header(writer, STN_MESSAGE_BEGIN, 7, 5);
	world_send_ops(&world, writer, 5);
	world_send_header(writer, STN_MESSAGE_COMMIT, 7, 5);
	settle();
	fake_bus_moved(&world.fake, facts_of(30), &second);
	settle();
	world.hold = false;
	world_expect(&world, writer, STN_MESSAGE_RESULT);
	ck_assert(!memcmp(&facts_of(30)->remote, &second, sizeof(second)));
	ck_assert_uint_eq(redirects(30, &first), 0);
	ck_assert_uint_ne(redirects(30, &second), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("place");
	TCase *tests = tcase_create("place");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, scene_open, scene_close);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, media_of_a_listener_is_handed_to_its_owner);
	tcase_add_test(tests, media_of_a_speaker_may_arrive_anywhere);
	tcase_add_test(tests, a_later_browser_takes_an_address);
	tcase_add_test(tests, who_is_programmed_goes_before_who_was_seen);
	tcase_add_test(tests, silence_is_told_for_certain);
	tcase_add_test(tests, what_is_said_of_a_leg_that_is_gone_is_ignored);
	tcase_add_test(tests, full_rings_delay_moves_but_lose_none);
	tcase_add_test(tests, a_change_of_role_keeps_path_and_credentials);
	tcase_add_test(tests, a_change_of_role_before_the_keys_and_with_them);
	tcase_add_test(tests, a_move_behind_the_barrier);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
