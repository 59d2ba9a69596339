/* SPDX-License-Identifier: BSD-3-Clause */
/* Restarts with browsers: what is dumped puts it back, and a resync disturbs nobody. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/webrtc_scene.h"

struct dump {
	struct stn_op_leg_put leg[8];
	struct stn_op_leg_ice ice[8];
	unsigned int legs, ices;
	bool in_order; /* credentials behind their leg */
};

static struct dump dump(int fd, uint64_t epoch)
{
	struct stn_room_query query = {
		{STN_TABLE_MAGIC, STN_TABLE_VERSION, STN_MESSAGE_DUMP, sizeof(query), 3, epoch}, 0};
	const struct stn_header *header = (const struct stn_header *)world.message;
	struct dump all = {.in_order = true};

	world_send(fd, &query, sizeof(query));
	while (world_receive(&world, fd) && header->type == STN_MESSAGE_DUMP_REPLY) {
		const uint8_t *at = (const uint8_t *)(header + 1);

		for (; at < world.message + header->length; at += ((const struct stn_op *)at)->size)
			if (((const struct stn_op *)at)->type == STN_OP_LEG_PUT) {
				memcpy(&all.leg[all.legs++], at, sizeof(all.leg[0]));
			} else if (((const struct stn_op *)at)->type == STN_OP_LEG_ICE) {
				memcpy(&all.ice[all.ices++], at, sizeof(all.ice[0]));
				all.in_order &= all.legs && all.leg[all.legs - 1].leg_id ==
								    all.ice[all.ices - 1].leg_id;
			}
	}
	ck_assert_uint_eq(header->type, STN_MESSAGE_DUMP_END);
	return all;
}

START_TEST(a_dump_is_what_puts_it_back)
{
	struct stn_address place = world_address(70);
	struct dump before, after;
	struct stn_op_leg_ice ice = world_ice(30, 1);

	fill();
	op_keys(30, STN_ROLE_LISTENER);
	op_webrtc(31, STN_ROLE_LISTENER);
	committed();
	moved(30, &place);
	before = dump(writer, 5);
	ck_assert_uint_eq(before.legs, 3);
	ck_assert_uint_eq(before.ices, 2);
	ck_assert(before.in_order);
	for (unsigned int i = 0; i < before.legs; i++) {
		const struct stn_op_leg_put *leg = &before.leg[i];

		ck_assert_uint_eq(leg->transport, STN_TRANSPORT_WEBRTC);
		ck_assert_uint_eq(leg->tx.suite != STN_SUITE_NONE, leg->leg_id == 30);
		ck_assert_uint_eq(leg->flags, leg->leg_id == 30 ? STN_LEG_ORIGIN_KNOWN : 0);
		ck_assert_uint_eq(leg->key_store_id, leg->leg_id == 30 ? world.store_id : 0);
		ck_assert_uint_eq(leg->remote.family, leg->leg_id == 30 ? 4 : 0);
	}
	ck_assert(!memcmp(&before.ice[before.ice[0].leg_id == 30 ? 0 : 1], &ice, sizeof(ice)));
	/* The data plane dies; its index file does not. */
	close(writer);
	world_restart(&world);
	writer = world_client(&world, 5);
	op_room(1);
	for (unsigned int i = 0; i < before.legs; i++)
		op_leg(&before.leg[i]);
	for (unsigned int i = 0; i < before.ices; i++)
		world_op(&world, &before.ice[i], sizeof(before.ice[i]));
	ck_assert_uint_eq(world_resync(&world, writer, 5), STN_STATUS_OK);
	ck_assert(!memcmp(&facts_of(30)->remote, &place, sizeof(place)));
	ck_assert_ptr_nonnull(ice_of(30));
	ck_assert_ptr_nonnull(ice_of(10));
	after = dump(writer, 5);
	ck_assert_uint_eq(after.legs, 3);
	ck_assert(!memcmp(after.leg, before.leg, sizeof(after.leg)));
	ck_assert(!memcmp(after.ice, before.ice, sizeof(after.ice)));
}
END_TEST

START_TEST(a_reader_sees_no_credentials)
{
	struct stn_master_key none = {.suite = STN_SUITE_AEAD_AES_128_GCM};
	struct dump all;
	int reader;

	fill();
	op_keys(30, STN_ROLE_LISTENER);
	committed();
	reader = world_client(&world, 0);
	all = dump(reader, 0);
	ck_assert_uint_eq(all.legs, 2);
	ck_assert_uint_eq(all.ices, 0);
	for (unsigned int i = 0; i < all.legs; i++)
		if (all.leg[i].leg_id == 30)
			ck_assert(!memcmp(&all.leg[i].tx, &none, sizeof(none)));
	close(reader);
}
END_TEST

START_TEST(a_path_that_is_remembered_is_only_a_hint)
{
	struct stn_op_leg_put native = world_leg(50, 1, STN_ROLE_LISTENER);
	struct stn_op_leg_put leg = world_webrtc(30, 1, STN_ROLE_LISTENER);

	op_room(1);
	/* Somebody is programmed there. */
	op_leg(&native);
	leg.remote = native.remote;
	op_leg(&leg);
	/* It is remembered of two: the first has it. */
	leg = world_webrtc(31, 1, STN_ROLE_LISTENER);
	leg.remote = world_address(3);
	op_leg(&leg);
	leg.leg_id = 32;
	leg.member_id = 1000032;
	op_leg(&leg);
	/* No port leads there any more. */
	world.fake.no_route_ipv6 = true;
	leg = world_webrtc(33, 1, STN_ROLE_LISTENER);
	leg.remote = (struct stn_address){.family = 6, .port_be = 9, .address = {0x20, 1}};
	op_leg(&leg);
	/* And one that gives way within the transaction. */
	leg = world_webrtc(34, 1, STN_ROLE_LISTENER);
	native = world_leg(51, 1, STN_ROLE_LISTENER);
	leg.remote = native.remote;
	op_leg(&leg);
	op_leg(&native);
	ck_assert_uint_eq(world_resync(&world, writer, 5), STN_STATUS_OK);
	ck_assert_uint_eq(facts_of(30)->remote.family, 0);
	ck_assert_uint_eq(facts_of(31)->remote.family, 4);
	ck_assert_uint_eq(facts_of(32)->remote.family, 0);
	ck_assert_uint_eq(facts_of(33)->remote.family, 0);
	ck_assert_uint_eq(facts_of(34)->remote.family, 0);
	ck_assert_uint_eq(facts_of(51)->remote.family, 4);
	/* Of a leg that is there it is ignored. */
	leg = world_webrtc(31, 1, STN_ROLE_LISTENER);
	leg.remote = world_address(77);
	op_leg(&leg);
	committed();
	ck_assert_uint_eq(dump(writer, 5).legs, 7);
	ck_assert_uint_eq(facts_of(31)->remote.address[3], world_address(3).address[3]);
}
END_TEST

START_TEST(a_resync_of_what_is_there_disturbs_nobody)
{
	struct stn_address place = world_address(5);
	const struct leg_facts *listener, *speaker;
	const struct ice_facts *ice;
	unsigned int applied = 0;

	fill();
	op_keys(10, STN_ROLE_SPEAKER);
	op_keys(30, STN_ROLE_LISTENER);
	committed();
	moved(30, &place);
	listener = facts_of(30);
	speaker = facts_of(10);
	ice = ice_of(30);
	for (unsigned int i = 0; i < WORKERS; i++)
		applied += world.fake.worker[i].applied;
	op_room(1);
	op_keys(10, STN_ROLE_SPEAKER);
	op_ice(10, 1);
	op_keys(30, STN_ROLE_LISTENER);
	op_ice(30, 1);
	op_ice(777, 1); /* a leg whose time was up on the way */
	ck_assert_uint_eq(world_resync(&world, writer, 5), STN_STATUS_OK);
	for (unsigned int i = 0; i < WORKERS; i++)
		applied -= world.fake.worker[i].applied;
	ck_assert_int_eq((int)applied, -WORKERS); /* a fence each */
	ck_assert_ptr_eq(facts_of(30), listener);
	ck_assert_ptr_eq(facts_of(10), speaker);
	ck_assert_ptr_eq(ice_of(30), ice);
	/* A resync in which DTLS was done meanwhile, and one leg is not wanted any more. */
	op_room(1);
	op_keys(30, STN_ROLE_LISTENER);
	op_ice(30, 2);
	ck_assert_uint_eq(world_resync(&world, writer, 5), STN_STATUS_OK);
	ck_assert_ptr_null(facts_of(10));
	ck_assert_ptr_ne(ice_of(30), ice);
}
END_TEST

START_TEST(a_ticket_end_takes_the_path_along)
{
	struct stn_op_leg_put leg = world_webrtc(10, 1, STN_ROLE_SPEAKER);
	struct stn_address place = world_address(5);

	fill();
	leg.end_ns = world_now_ns + 1000;
	op_leg(&leg);
	committed();
	moved(10, &place);
	ck_assert_uint_ne(redirects(10, &place), 0);
	world_now_ns += 1000;
	settle();
	ck_assert_ptr_null(facts_of(10));
	ck_assert_uint_eq(redirects(10, &place), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("dump webrtc");
	TCase *tests = tcase_create("dump webrtc");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, scene_open, scene_close);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, a_dump_is_what_puts_it_back);
	tcase_add_test(tests, a_reader_sees_no_credentials);
	tcase_add_test(tests, a_path_that_is_remembered_is_only_a_hint);
	tcase_add_test(tests, a_resync_of_what_is_there_disturbs_nobody);
	tcase_add_test(tests, a_ticket_end_takes_the_path_along);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
