/* SPDX-License-Identifier: BSD-3-Clause */
/* Legs of browsers: put without keys, given credentials, keyed when DTLS is done. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/webrtc_scene.h"

/* ---- before DTLS ---- */

START_TEST(a_leg_without_address_belongs_to_who_its_id_says)
{
	fill();
	for (uint64_t id = 100; id < 120; id++) {
		op_webrtc(id, STN_ROLE_LISTENER);
		op_ice(id, 1);
	}
	committed();
	for (uint64_t id = 100; id < 120; id++) {
		ck_assert_uint_eq(owner(id), world.fake.bus.worker_of_leg(&world.fake, id));
		ck_assert_ptr_nonnull(ice_of(id));
		ck_assert_uint_eq(facts_of(id)->remote.family, 0);
		ck_assert_uint_eq(facts_of(id)->tx.suite, STN_SUITE_NONE);
	}
	/* Speakers are known to everybody, their credentials to their owner. */
	for (unsigned int i = 0; i < WORKERS; i++) {
		ck_assert_ptr_nonnull(fake_bus_leg(&world.fake, i, 10));
		ck_assert((fake_bus_ice(&world.fake, i, 10) != NULL) ==
			  (i == fake_bus_room(&world.fake, i, 1)->home_worker));
	}
}
END_TEST

START_TEST(nothing_counts_before_there_are_keys)
{
	const struct stn_header *header = (const struct stn_header *)world.message;

	op_room(1);
	op_webrtc(10, STN_ROLE_SPEAKER);
	world_send_header(writer, STN_MESSAGE_BEGIN, 7, 5);
	world_send_ops(&world, writer, 5);
	world_send_header(writer, STN_MESSAGE_COMMIT, 7, 5);
	/* No ORIGINS in between. */
	ck_assert_uint_gt(world_receive(&world, writer), 0);
	ck_assert_uint_eq(header->type, STN_MESSAGE_RESULT);
	ck_assert_ptr_null(facts_of(10)->cells);
}
END_TEST

START_TEST(credentials_are_replaced_and_outlive_their_last_look)
{
	struct stn_op_leg_ice seen;
	const struct ice_facts *first;

	fill();
	first = ice_of(30);
	/* The same again tells nobody. */
	op_ice(30, 1);
	committed();
	ck_assert_uint_eq(
		world.fake.worker[owner(30)].ices, 1 + (facts_of(10)->worker == owner(30)));
	ck_assert_ptr_eq(ice_of(30), first);
	/* A restart of ICE: workers may look at the old ones until they have the new. */
	world.hold = true;
	op_ice(30, 2);
	world_send_header(writer, STN_MESSAGE_BEGIN, 7, 5);
	world_send_ops(&world, writer, 5);
	world_send_header(writer, STN_MESSAGE_COMMIT, 7, 5);
	settle();
	ice_facts_describe(first, &seen);
	ck_assert_uint_eq(seen.leg_id, 30);
	ck_assert_uint_eq(seen.local_random[0], 1);
	world.hold = false;
	world_expect(&world, writer, STN_MESSAGE_RESULT);
	ck_assert_ptr_ne(ice_of(30), first);
	ice_facts_describe(ice_of(30), &seen);
	ck_assert_uint_eq(seen.local_random[0], 2);
}
END_TEST

START_TEST(several_generations_in_one_transaction)
{
	struct stn_op_leg_ice seen;
	unsigned int ices;

	fill();
	ices = world.fake.worker[owner(30)].ices;
	op_ice(30, 2);
	op_ice(30, 3);
	op_webrtc(40, STN_ROLE_LISTENER);
	op_ice(40, 7);
	op_ice(40, 8);
	op_ice(30, 4);
	committed();
	ice_facts_describe(ice_of(30), &seen);
	ck_assert_uint_eq(seen.local_random[0], 4);
	ice_facts_describe(ice_of(40), &seen);
	ck_assert_uint_eq(seen.local_random[0], 8);
	/* One command, however often. */
	ck_assert_uint_eq(world.fake.worker[owner(30)].ices, ices + 1 + (owner(40) == owner(30)));
}
END_TEST

struct refused_case {
	const char *sentence;
	void (*ops)(void);
	uint32_t status;
	uint32_t failed_op;
};

static void ice_of_nobody(void)
{
	op_ice(30, 5);
	op_ice(99, 1);
}

static void ice_of_a_keyed_leg(void)
{
	struct stn_op_leg_put leg = world_leg(50, 1, STN_ROLE_LISTENER);

	op_leg(&leg);
	op_ice(50, 1);
}

static void other_keys(void)
{
	struct stn_op_leg_put leg = world_webrtc_keyed(30, 1, STN_ROLE_LISTENER);

	op_keys(30, STN_ROLE_LISTENER);
	leg.rx.key[0] ^= 1;
	op_leg(&leg);
}

static void keys_taken_back(void)
{
	op_keys(30, STN_ROLE_LISTENER);
	op_webrtc(30, STN_ROLE_LISTENER);
}

static void keys_that_no_record_knows(void)
{
	struct stn_op_leg_put leg = world_webrtc_keyed(10, 1, STN_ROLE_SPEAKER);

	leg.flags = STN_LEG_ORIGIN_KNOWN;
	leg.key_store_id = world.store_id;
	op_leg(&leg);
}

static void keys_of_another_store(void)
{
	struct stn_op_leg_put leg = world_webrtc_keyed(30, 1, STN_ROLE_LISTENER);

	leg.key_store_id = world.store_id + 1;
	op_leg(&leg);
}

static void another_transport(void)
{
	struct stn_op_leg_put leg = world_leg(30, 1, STN_ROLE_LISTENER);

	op_leg(&leg);
}

static void everything_and_then_a_mistake(void)
{
	op_keys(10, STN_ROLE_SPEAKER);
	op_keys(30, STN_ROLE_LISTENER);
	op_ice(30, 6);
	op_webrtc(60, STN_ROLE_SPEAKER);
	op_ice(60, 1);
	op_keys(60, STN_ROLE_SPEAKER);
	op_webrtc(61, STN_ROLE_LISTENER);
	op_webrtc(61, STN_ROLE_SPEAKER);
	world_op_remove_leg(&world, 10);
	world_op_remove_leg(&world, 555);
}

static const struct refused_case refused_cases[] = {
	{"credentials of nobody", ice_of_nobody, STN_STATUS_NO_LEG, 1},
	{"credentials of a keyed leg", ice_of_a_keyed_leg, STN_STATUS_BAD_OP, 1},
	{"other keys than it has", other_keys, STN_STATUS_CONFLICT, 1},
	{"keys are not taken back", keys_taken_back, STN_STATUS_CONFLICT, 1},
	{"a speaker's old keys without their indices", keys_that_no_record_knows,
		STN_STATUS_STALE_KEY, 0},
	{"keys of another store", keys_of_another_store, STN_STATUS_STALE_KEY, 0},
	{"another transport", another_transport, STN_STATUS_CONFLICT, 0},
	{"ten operations and a mistake", everything_and_then_a_mistake, STN_STATUS_NO_LEG, 9},
};

START_TEST(a_refusal_leaves_nothing)
{
	const struct refused_case *row = &refused_cases[_i];
	const struct ice_facts *ice;
	unsigned int applied = 0;
	uint64_t digest;

	fill();
	ice = ice_of(30);
	digest = table_server_digest(world.server);
	for (unsigned int i = 0; i < WORKERS; i++)
		applied += world.fake.worker[i].applied;
	row->ops();
	ck_assert_msg(commit() == row->status, "%s: %s: %s", row->sentence,
		stn_status_name(result()->status), result()->reason);
	ck_assert_uint_eq(result()->failed_op, row->failed_op);
	ck_assert_uint_eq(table_server_digest(world.server), digest);
	for (unsigned int i = 0; i < WORKERS; i++)
		applied -= world.fake.worker[i].applied;
	ck_assert_uint_eq(applied, 0);
	ck_assert_ptr_eq(ice_of(30), ice);
	/* And what was refused for that mistake only goes through without it. */
	op_keys(10, STN_ROLE_SPEAKER);
	op_keys(30, STN_ROLE_LISTENER);
	op_ice(30, 9);
	committed();
}
END_TEST

/* ---- keys ---- */

START_TEST(keys_come_when_dtls_is_done)
{
	const struct stn_room_origin *origin =
		(const void *)(world.message + sizeof(struct stn_header));
	const struct leg_facts *before, *after;
	uint32_t expected;

	fill();
	before = facts_of(30);
	expected = (uint32_t)(fake_bus_room(&world.fake, 0, 1)->slot_index[0]->value >> 16);
	world.hold = true;
	op_keys(30, STN_ROLE_LISTENER);
	world_send_header(writer, STN_MESSAGE_BEGIN, 7, 5);
	world_send_ops(&world, writer, 5);
	world_send_header(writer, STN_MESSAGE_COMMIT, 7, 5);
	settle();
	ck_assert_uint_eq(before->leg_id, 30); /* not freed: a worker may look at it */
	world.hold = false;
	world_expect(&world, writer, STN_MESSAGE_ORIGINS);
	ck_assert_uint_eq(origin->room_id, 1);
	ck_assert_uint_eq(origin->origin[0], expected);
	world_expect(&world, writer, STN_MESSAGE_RESULT);
	after = facts_of(30);
	ck_assert_ptr_ne(after, before);
	ck_assert_uint_eq(after->tx.suite, STN_SUITE_AEAD_AES_128_GCM);
	ck_assert_uint_eq(after->origin[0], expected);
	/* The same again is no change. */
	op_keys(30, STN_ROLE_LISTENER);
	committed();
	ck_assert_ptr_eq(facts_of(30), after);
	ck_assert_uint_eq(world.fake.worker[owner(30)].updates, 1);
}
END_TEST

START_TEST(a_speaker_has_indices_from_its_keys_on)
{
	uint64_t index;

	fill();
	op_keys(10, STN_ROLE_SPEAKER);
	committed();
	for (unsigned int i = 0; i < WORKERS; i++) {
		ck_assert_uint_eq(world.fake.worker[i].updates, 1);
		ck_assert_ptr_nonnull(fake_bus_leg(&world.fake, i, 10)->cells);
	}
	/* It has heard what the slot has sent since its origin. */
	index = fake_bus_room(&world.fake, 0, 1)->slot_index[0]->value;
	ck_assert_uint_eq(facts_of(10)->cells[LEG_CELL_OWN].value,
		index - ((uint64_t)facts_of(10)->origin[0] << 16));
}
END_TEST

START_TEST(a_mute_holds_over_the_keys)
{
	fill();
	world_op_mute(&world, 10, true, 0);
	committed();
	op_keys(10, STN_ROLE_SPEAKER); /* says that it is not muted */
	world_op_mute(&world, 10, true, 0);
	committed();
	for (unsigned int i = 0; i < WORKERS; i++)
		ck_assert(fake_bus_muted(&world.fake, i, 10));
	ck_assert(facts_of(10)->muted);
}
END_TEST

START_TEST(a_worker_without_space_for_the_keys)
{
	const struct stn_notice *notice = (const struct stn_notice *)world.message;

	fill();
	subscribe();
	world.fake.worker[owner(30)].refuse_update_after = 1;
	op_keys(30, STN_ROLE_LISTENER);
	world_send_header(writer, STN_MESSAGE_BEGIN, 7, 5);
	world_send_ops(&world, writer, 5);
	world_send_header(writer, STN_MESSAGE_COMMIT, 7, 5);
	world_expect(&world, writer, STN_MESSAGE_NOTICE);
	ck_assert_uint_eq(notice->type, STN_NOTICE_LEG_LOST);
	ck_assert_uint_eq(notice->leg_id, 30);
	world_expect(&world, writer, STN_MESSAGE_RESULT);
	ck_assert_uint_eq(result()->status, STN_STATUS_NO_SPACE);
	/* Which of its keys were used nobody knows: it is gone. */
	ck_assert_ptr_null(facts_of(30));
	op_webrtc(31, STN_ROLE_LISTENER);
	op_keys(31, STN_ROLE_LISTENER);
	committed();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("leg webrtc");
	TCase *tests = tcase_create("leg webrtc");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, scene_open, scene_close);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, a_leg_without_address_belongs_to_who_its_id_says);
	tcase_add_test(tests, nothing_counts_before_there_are_keys);
	tcase_add_test(tests, credentials_are_replaced_and_outlive_their_last_look);
	tcase_add_test(tests, several_generations_in_one_transaction);
	tcase_add_loop_test(tests, a_refusal_leaves_nothing, 0,
		(int)(sizeof(refused_cases) / sizeof(refused_cases[0])));
	tcase_add_test(tests, keys_come_when_dtls_is_done);
	tcase_add_test(tests, a_speaker_has_indices_from_its_keys_on);
	tcase_add_test(tests, a_mute_holds_over_the_keys);
	tcase_add_test(tests, a_worker_without_space_for_the_keys);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
