/* SPDX-License-Identifier: BSD-3-Clause */
/* Transactions, their order on workers, fencing and deadlines, through a live socket. */
#include <check.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/ctl/index_store.h"
#include "dataplane/core/index.h"
#include "tests/unit/table_world.h"

static struct world world;
static int writer;

static void set_up(void)
{
	world_open(&world, 2);
	writer = world_client(&world, 5);
}

static void tear_down(void)
{
	close(writer);
	world_close(&world);
}

static void put_room(uint64_t room_id)
{
	struct stn_op_room_put op = world_room(room_id);

	world_op(&world, &op, sizeof(op));
}

static void put_leg(uint64_t leg_id, uint64_t room_id, enum stn_leg_role role)
{
	struct stn_op_leg_put op = world_leg(leg_id, room_id, role);

	world_op(&world, &op, sizeof(op));
}

static uint32_t commit(void)
{
	return world_transact(&world, writer, 5);
}

static const struct stn_result *result(void)
{
	return (const struct stn_result *)world.message;
}

/* Room 1 with speaker 10 and listeners 20 and 21. */
static void fill(void)
{
	put_room(1);
	put_leg(10, 1, STN_ROLE_SPEAKER);
	put_leg(20, 1, STN_ROLE_LISTENER);
	put_leg(21, 1, STN_ROLE_LISTENER);
	ck_assert_uint_eq(commit(), STN_STATUS_OK);
}

START_TEST(a_transaction_reaches_every_worker)
{
	fill();
	ck_assert_uint_eq(result()->rooms, 1);
	ck_assert_uint_eq(result()->legs, 3);
	ck_assert_uint_gt(result()->applied_ns, 0);
	for (unsigned int i = 0; i < 2; i++) {
		ck_assert_ptr_nonnull(fake_bus_room(&world.fake, i, 1));
		ck_assert_ptr_nonnull(fake_bus_leg(&world.fake, i, 10));
	}
	/* A listener lives where its address is received, and only there. */
	ck_assert(!fake_bus_leg(&world.fake, 0, 20) != !fake_bus_leg(&world.fake, 1, 20));
}
END_TEST

START_TEST(the_result_waits_for_the_last_worker)
{
	world.hold = true;
	put_room(1);
	world_send_header(writer, STN_MESSAGE_BEGIN, 7, 5);
	world_send_ops(&world, writer, 5);
	world_send_header(writer, STN_MESSAGE_COMMIT, 7, 5);
	ck_assert(world_silent(&world, writer));
	ck_assert_uint_gt(fake_bus_run(&world.fake, 1, UINT32_MAX), 0);
	ck_assert(world_silent(&world, writer));
	/* All but the fence. */
	while (world.fake.worker[0].count > 1)
		fake_bus_run(&world.fake, 0, 1);
	ck_assert(world_silent(&world, writer));
	fake_bus_run(&world.fake, 0, 1);
	world_expect(&world, writer, STN_MESSAGE_RESULT);
	ck_assert_uint_eq(result()->status, STN_STATUS_OK);
}
END_TEST

START_TEST(full_rings_delay_but_lose_nothing)
{
	world.fake.ring_size = 2;
	world.fake.post_fails = 3;
	put_room(1);
	for (uint64_t id = 100; id < 300; id++)
		put_leg(id, 1, STN_ROLE_LISTENER);
	ck_assert_uint_eq(commit(), STN_STATUS_OK);
	for (uint64_t id = 100; id < 300; id++)
		ck_assert(fake_bus_has_leg(&world.fake, id));
}
END_TEST

START_TEST(transactions_in_sequence_overtake_nothing)
{
	world.hold = true;
	for (uint64_t i = 1; i <= 20; i++) {
		world_send_header(writer, STN_MESSAGE_BEGIN, (uint32_t)i, 5);
		put_room(i);
		put_leg(100 + i, i, STN_ROLE_LISTENER);
		world_send_ops(&world, writer, 5);
		world_send_header(writer, STN_MESSAGE_COMMIT, (uint32_t)i, 5);
		world_turn(&world);
	}
	world.hold = false;
	for (uint32_t i = 1; i <= 20; i++) {
		world_expect(&world, writer, STN_MESSAGE_ORIGINS);
		world_expect(&world, writer, STN_MESSAGE_RESULT);
		ck_assert_uint_eq(result()->header.sequence, i);
		ck_assert_uint_eq(result()->status, STN_STATUS_OK);
	}
}
END_TEST

struct refused_case {
	const char *sentence;
	uint32_t status;
	uint32_t failed_op;
	void (*ops)(void);
};

static void unknown_room(void)
{
	put_room(2);
	put_leg(30, 9, STN_ROLE_LISTENER);
}

static void unknown_leg(void)
{
	put_room(2);
	put_room(3);
	world_op_mute(&world, 99, true, 0);
}

static void remove_twice(void)
{
	world_op_remove_leg(&world, 20);
	world_op_remove_leg(&world, 20);
}

static void taken_address(void)
{
	struct stn_op_leg_put op = world_leg(20, 1, STN_ROLE_LISTENER);

	op.leg_id = 31;
	world_op_remove_leg(&world, 21);
	world_op(&world, &op, sizeof(op));
}

static void other_key(void)
{
	struct stn_op_leg_put op = world_leg(20, 1, STN_ROLE_LISTENER);

	op.tx.key[3] ^= 1;
	world_op_mute(&world, 10, true, 0);
	world_op(&world, &op, sizeof(op));
}

static void other_slots(void)
{
	struct stn_op_room_put op = world_room(1);

	op.slot_ssrc[1]++;
	world_op(&world, &op, sizeof(op));
}

static void too_many_speakers(void)
{
	world_op_remove_leg(&world, 20);
	for (uint64_t id = 200; id < 208; id++)
		put_leg(id, 1, STN_ROLE_SPEAKER);
}

static void stale_key(void)
{
	struct stn_op_leg_put op = world_leg(32, 1, STN_ROLE_LISTENER);

	op.key_store_id = world.store_id + 1;
	op.flags = STN_LEG_ORIGIN_KNOWN;
	world_op(&world, &op, sizeof(op));
}

/* The store is the right one, but room 1 began in it after these keys were used. */
static void key_without_indices(void)
{
	struct stn_op_leg_put op = world_leg(32, 1, STN_ROLE_LISTENER);

	op.key_store_id = world.store_id;
	op.flags = STN_LEG_ORIGIN_KNOWN;
	world_op(&world, &op, sizeof(op));
}

static void no_route(void)
{
	struct stn_op_leg_put op = world_leg(33, 1, STN_ROLE_LISTENER);

	op.remote = (struct stn_address){6, 0, op.remote.port_be, {0x20, 1, 0xd, 0xb8}};
	world_op(&world, &op, sizeof(op));
}

static void bad_field(void)
{
	struct stn_op_leg_put op = world_leg(34, 1, STN_ROLE_LISTENER);

	op.tx.suite = 77;
	world_op_remove_room(&world, 1);
	world_op(&world, &op, sizeof(op));
}

static void no_group_key(void)
{
	struct stn_op_leg_put op = world_leg(35, 1, STN_ROLE_LISTENER);

	op.protection = STN_PROTECTION_GROUP;
	memset(&op.tx, 0, sizeof(op.tx));
	world_op(&world, &op, sizeof(op));
}

static const struct refused_case refused_cases[] = {
	{"a leg of an unknown room", STN_STATUS_NO_ROOM, 1, unknown_room},
	{"a mute of an unknown leg", STN_STATUS_NO_LEG, 2, unknown_leg},
	{"the second removal of a leg", STN_STATUS_NO_LEG, 1, remove_twice},
	{"an address that another leg has", STN_STATUS_CONFLICT, 1, taken_address},
	{"another key for a known leg", STN_STATUS_CONFLICT, 1, other_key},
	{"other slots for a known room", STN_STATUS_CONFLICT, 0, other_slots},
	{"one speaker more than a room takes", STN_STATUS_NO_SPACE, 1, too_many_speakers},
	{"a key of another index store", STN_STATUS_STALE_KEY, 0, stale_key},
	{"an old key whose indices are gone", STN_STATUS_STALE_KEY, 0, key_without_indices},
	{"an address no port reaches", STN_STATUS_NO_ROUTE, 0, no_route},
	{"a field out of range", STN_STATUS_BAD_OP, 1, bad_field},
	{"group protection without a group key", STN_STATUS_BAD_OP, 0, no_group_key},
};

START_TEST(a_refusal_names_the_operation_and_changes_nothing)
{
	const struct refused_case *row = &refused_cases[_i];
	unsigned int applied;
	uint64_t digest;

	fill();
	world.fake.no_route_ipv6 = true;
	digest = table_server_digest(world.server);
	applied = world.fake.worker[0].applied + world.fake.worker[1].applied;
	row->ops();
	ck_assert_msg(commit() == row->status, "%s: status %s", row->sentence,
		stn_status_name(result()->status));
	ck_assert_msg(result()->failed_op == row->failed_op, "%s: op %u", row->sentence,
		result()->failed_op);
	ck_assert_uint_gt(strlen(result()->reason), 0);
	ck_assert_uint_eq(table_server_digest(world.server), digest);
	ck_assert_uint_eq(world.fake.worker[0].applied + world.fake.worker[1].applied, applied);
	/* And the table still works. */
	put_leg(90, 1, STN_ROLE_LISTENER);
	ck_assert_uint_eq(commit(), STN_STATUS_OK);
}
END_TEST

START_TEST(later_operations_see_earlier_ones)
{
	struct stn_op_leg_put op = world_leg(20, 1, STN_ROLE_LISTENER);

	fill();
	/* The address becomes free in the same transaction, and a new leg is muted at once. */
	op.leg_id = 40;
	world_op_remove_leg(&world, 20);
	world_op(&world, &op, sizeof(op));
	put_leg(41, 1, STN_ROLE_SPEAKER);
	world_op_mute(&world, 41, true, 0);
	put_leg(42, 1, STN_ROLE_LISTENER);
	world_op_remove_leg(&world, 42);
	ck_assert_uint_eq(commit(), STN_STATUS_OK);
	ck_assert(!fake_bus_has_leg(&world.fake, 20));
	ck_assert(fake_bus_has_leg(&world.fake, 40));
	ck_assert(!fake_bus_has_leg(&world.fake, 42));
	ck_assert(fake_bus_muted(&world.fake, 0, 41) && fake_bus_muted(&world.fake, 1, 41));
	ck_assert_uint_eq(world.fake.worker[0].mutes, 0); /* it was added muted */
}
END_TEST

START_TEST(what_silences_goes_first)
{
	fill();
	/* Named last, posted first: the fake workers abort on any other order. */
	put_room(2);
	put_leg(50, 2, STN_ROLE_LISTENER);
	put_leg(51, 1, STN_ROLE_LISTENER);
	world_op_mute(&world, 10, true, 0);
	world_op_remove_leg(&world, 20);
	ck_assert_uint_eq(commit(), STN_STATUS_OK);
	ck_assert(fake_bus_muted(&world.fake, 0, 10) && fake_bus_muted(&world.fake, 1, 10));
	put_leg(52, 1, STN_ROLE_LISTENER);
	world_op_mute(&world, 10, false, 0);
	world_op_remove_room(&world, 2);
	ck_assert_uint_eq(commit(), STN_STATUS_OK);
	ck_assert(!fake_bus_muted(&world.fake, 0, 10));
	ck_assert_ptr_null(fake_bus_room(&world.fake, 0, 2));
	ck_assert(!fake_bus_has_leg(&world.fake, 50));
}
END_TEST

START_TEST(a_room_learns_new_profiles)
{
	struct stn_op_room_put op = world_room(1);

	fill();
	op.profile_count = 2;
	op.profile[1] = (struct stn_profile){.payload_type = 109};
	op.end_ns = world_now_ns + 1000;
	world_op(&world, &op, sizeof(op));
	ck_assert_uint_eq(commit(), STN_STATUS_OK);
	ck_assert_uint_eq(fake_bus_room(&world.fake, 1, 1)->profile_count, 2);
	op.profile_count = 1;
	op.profile[1] = (struct stn_profile){0};
	world_op(&world, &op, sizeof(op));
	ck_assert_uint_eq(commit(), STN_STATUS_CONFLICT);
}
END_TEST

START_TEST(a_full_table_can_be_replaced_in_one_transaction)
{
	for (uint64_t id = 1; id <= WORLD_LEGS_MAX; id++) {
		if (id == 1)
			put_room(1);
		put_leg(id, 1, STN_ROLE_LISTENER);
		if (id % 200 == 0 || id == WORLD_LEGS_MAX)
			ck_assert_uint_eq(commit(), STN_STATUS_OK);
	}
	put_leg(5000, 1, STN_ROLE_LISTENER);
	ck_assert_uint_eq(commit(), STN_STATUS_NO_SPACE);
	ck_assert_uint_eq(result()->failed_op, 0);
	/* The handle of what is removed is free only behind a barrier. */
	put_leg(5000, 1, STN_ROLE_LISTENER);
	world_op_remove_leg(&world, 17);
	ck_assert_uint_eq(commit(), STN_STATUS_OK);
	ck_assert(fake_bus_has_leg(&world.fake, 5000) && !fake_bus_has_leg(&world.fake, 17));
}
END_TEST

START_TEST(a_listener_becomes_a_speaker_and_goes_on_where_it_was)
{
	struct stn_op_leg_put op = world_leg(20, 1, STN_ROLE_SPEAKER);
	const struct room_facts *room;
	const struct leg_facts *leg;

	op.rx = op.tx;
	for (int i = 0; i < 2; i++) {
		struct stn_op_leg_put listener = op;

		if (i == 0) {
			put_room(1);
			listener.role = STN_ROLE_LISTENER;
		}
		world_op(&world, &listener, sizeof(listener));
		ck_assert_uint_eq(commit(), STN_STATUS_OK);
		room = fake_bus_room(&world.fake, 0, 1);
		index_cell_store(room->slot_index[2], 70000);
	}
	leg = fake_bus_leg(&world.fake, 1, 20);
	ck_assert_uint_eq(leg->role, STN_ROLE_SPEAKER);
	/* Reached as a listener, counted from its own origin (ROC 0 then). */
	ck_assert_uint_eq(leg->cells[LEG_CELL_OWN + 2].value, 70000);
	/* It speaks itself for a while, then listens again: the slot is ahead, but within reach. */
	index_cell_store(room->slot_index[2], 70500);
	index_cell_store(&leg->cells[LEG_CELL_OWN + 2], 70100);
	op.role = STN_ROLE_LISTENER;
	world_op(&world, &op, sizeof(op));
	ck_assert_uint_eq(commit(), STN_STATUS_OK);
	ck_assert(!fake_bus_leg(&world.fake, 0, 20) != !fake_bus_leg(&world.fake, 1, 20));
	/* Its worker has to know which indices are used up under its keys. */
	leg = fake_bus_leg(&world.fake, 0, 20);
	if (leg == NULL)
		leg = fake_bus_leg(&world.fake, 1, 20);
	ck_assert_ptr_nonnull(leg->cells);
	ck_assert_uint_eq(leg->cells[LEG_CELL_OWN + 2].value, 70100);
}
END_TEST

START_TEST(a_speaker_too_far_behind_needs_fresh_keys)
{
	struct stn_op_leg_put op = world_leg(10, 1, STN_ROLE_SPEAKER);

	fill();
	index_cell_store(fake_bus_room(&world.fake, 0, 1)->slot_index[0], 100000);
	op.role = STN_ROLE_LISTENER;
	world_op(&world, &op, sizeof(op));
	ck_assert_uint_eq(commit(), STN_STATUS_STALE_KEY);
}
END_TEST

START_TEST(new_legs_learn_their_origin)
{
	const struct {
		const struct stn_header header;
		struct stn_room_origin origin[1];
	} * message;
	const struct room_facts *room;

	fill();
	room = fake_bus_room(&world.fake, 0, 1);
	index_cell_store(room->slot_index[0], 3 << 16 | 5000);
	/* 0xffbf: the next one is the last but 64 before the wrap, RFC 3711 counts on from there.
	 */
	index_cell_store(room->slot_index[1], 7 << 16 | 0xffbf);
	index_cell_store(room->slot_index[2], 7 << 16 | 0xffbe);
	world_send_header(writer, STN_MESSAGE_BEGIN, 7, 5);
	put_leg(60, 1, STN_ROLE_LISTENER);
	put_leg(61, 1, STN_ROLE_LISTENER);
	world_send_ops(&world, writer, 5);
	world_send_header(writer, STN_MESSAGE_COMMIT, 7, 5);
	message = world_expect(&world, writer, STN_MESSAGE_ORIGINS);
	ck_assert_uint_eq(message->header.length, 24 + 40);
	ck_assert_uint_eq(message->origin[0].room_id, 1);
	ck_assert_uint_eq(message->origin[0].origin[0], 3);
	ck_assert_uint_eq(message->origin[0].origin[1], 8);
	ck_assert_uint_eq(message->origin[0].origin[2], 7);
	world_expect(&world, writer, STN_MESSAGE_RESULT);
	for (uint64_t id = 60; id < 62; id++)
		for (unsigned int i = 0; i < 2; i++)
			if (fake_bus_leg(&world.fake, i, id))
				ck_assert_uint_eq(fake_bus_leg(&world.fake, i, id)->origin[1], 8);
}
END_TEST

START_TEST(a_worker_without_space_takes_additions_back)
{
	fill();
	world.fake.worker[0].refuse_after = 3;
	world.fake.worker[1].refuse_after = 3;
	world_op_mute(&world, 10, true, 0);
	put_room(2);
	for (uint64_t id = 70; id < 80; id++)
		put_leg(id, id % 2 ? 1 : 2, STN_ROLE_LISTENER);
	ck_assert_uint_eq(commit(), STN_STATUS_NO_SPACE);
	for (uint64_t id = 70; id < 80; id++)
		ck_assert(!fake_bus_has_leg(&world.fake, id));
	ck_assert_ptr_null(fake_bus_room(&world.fake, 0, 2));
	ck_assert(fake_bus_muted(&world.fake, 0, 10));
	ck_assert_uint_eq(result()->legs, 3);
	put_leg(70, 1, STN_ROLE_LISTENER);
	ck_assert_uint_eq(commit(), STN_STATUS_OK);
	ck_assert(fake_bus_has_leg(&world.fake, 70));
}
END_TEST

/* ---- deadlines and notices ---- */

static void expect_notice(int fd, enum stn_notice_type type, uint64_t room_id, uint64_t leg_id)
{
	const struct stn_notice *notice = world_expect(&world, fd, STN_MESSAGE_NOTICE);

	ck_assert_uint_eq(notice->type, type);
	ck_assert_uint_eq(notice->room_id, room_id);
	ck_assert_uint_eq(notice->leg_id, leg_id);
	if (leg_id)
		ck_assert_uint_eq(notice->member_id, leg_id + 1000000);
}

static int subscriber(void)
{
	int fd = world_client(&world, 0);

	world_send_header(fd, STN_MESSAGE_NOTICES_SUBSCRIBE, 3, 0);
	world_expect(&world, fd, STN_MESSAGE_RESULT);
	return fd;
}

static void fill_with_deadlines(void)
{
	struct stn_op_leg_put ticket = world_leg(80, 1, STN_ROLE_LISTENER);
	struct stn_op_leg_put muted = world_leg(81, 1, STN_ROLE_SPEAKER);
	struct stn_op_room_put room = world_room(2);

	fill();
	ticket.end_ns = world_now_ns + 1000;
	muted.flags = STN_LEG_MUTED;
	muted.mute_until_ns = world_now_ns + 2000;
	room.end_ns = world_now_ns + 3000;
	world_op(&world, &ticket, sizeof(ticket));
	world_op(&world, &muted, sizeof(muted));
	world_op(&world, &room, sizeof(room));
	put_leg(82, 2, STN_ROLE_LISTENER);
	ck_assert_uint_eq(commit(), STN_STATUS_OK);
}

START_TEST(deadlines_hold_without_a_control_plane)
{
	int fd = subscriber();

	fill_with_deadlines();
	close(writer);
	ck_assert(fake_bus_muted(&world.fake, 0, 81));
	world_now_ns += 999;
	ck_assert(world_silent(&world, fd));
	world_now_ns++;
	expect_notice(fd, STN_NOTICE_LEG_EXPIRED, 1, 80);
	ck_assert(world_silent(&world, fd));
	ck_assert(!fake_bus_has_leg(&world.fake, 80));
	world_now_ns += 1000;
	expect_notice(fd, STN_NOTICE_MUTE_ENDED, 1, 81);
	ck_assert(world_silent(&world, fd));
	ck_assert(!fake_bus_muted(&world.fake, 0, 81) && !fake_bus_muted(&world.fake, 1, 81));
	world_now_ns += 1000;
	expect_notice(fd, STN_NOTICE_ROOM_EXPIRED, 2, 0);
	ck_assert(world_silent(&world, fd));
	ck_assert(!fake_bus_has_leg(&world.fake, 82));
	ck_assert_ptr_null(fake_bus_room(&world.fake, 1, 2));
	ck_assert_ptr_nonnull(fake_bus_room(&world.fake, 1, 1));
	close(fd);
	writer = world_client(&world, 5);
}
END_TEST

START_TEST(deadlines_can_be_moved_and_cancelled)
{
	struct stn_op_leg_put ticket = world_leg(80, 1, STN_ROLE_LISTENER);
	int fd = subscriber();

	fill_with_deadlines();
	ticket.end_ns = world_now_ns + 10000;
	world_op(&world, &ticket, sizeof(ticket));
	world_op_mute(&world, 81, true, 0);
	put_room(2);
	ck_assert_uint_eq(commit(), STN_STATUS_OK);
	world_now_ns += 9999;
	ck_assert(world_silent(&world, fd));
	ck_assert(fake_bus_muted(&world.fake, 1, 81));
	world_now_ns++;
	expect_notice(fd, STN_NOTICE_LEG_EXPIRED, 1, 80);
	ck_assert(world_silent(&world, fd));
	close(fd);
}
END_TEST

START_TEST(a_resync_goes_on_without_what_has_expired)
{
	struct stn_op_leg_put ticket = world_leg(80, 1, STN_ROLE_LISTENER);
	struct stn_op_room_put room = world_room(2);

	fill_with_deadlines();
	world_now_ns += 5000;
	world_turn(&world);
	world_turn(&world);
	/* Enumerated before the deadlines: leg 80 and room 2 are gone meanwhile. */
	ticket.end_ns = world_now_ns - 4000;
	ticket.key_store_id = world.store_id;
	ticket.flags = STN_LEG_ORIGIN_KNOWN;
	room.end_ns = world_now_ns - 2000;
	put_room(1);
	put_leg(20, 1, STN_ROLE_LISTENER);
	world_op(&world, &ticket, sizeof(ticket));
	world_op(&world, &room, sizeof(room));
	ticket = world_leg(82, 2, STN_ROLE_LISTENER);
	ticket.key_store_id = world.store_id;
	ticket.flags = STN_LEG_ORIGIN_KNOWN;
	world_op(&world, &ticket, sizeof(ticket));
	ck_assert_uint_eq(world_resync(&world, writer, 5), STN_STATUS_OK);
	world_turn(&world);
	world_turn(&world);
	ck_assert(fake_bus_has_leg(&world.fake, 20));
	ck_assert(!fake_bus_has_leg(&world.fake, 80) && !fake_bus_has_leg(&world.fake, 82));
	ck_assert_ptr_null(fake_bus_room(&world.fake, 0, 2));
}
END_TEST

START_TEST(an_expired_room_is_emptied_step_by_step)
{
	struct stn_op_room_put room = world_room(1);
	int fd = subscriber();

	room.end_ns = world_now_ns + 10;
	world_op(&world, &room, sizeof(room));
	for (uint64_t id = 1; id <= 270; id++)
		put_leg(id, 1, STN_ROLE_LISTENER);
	ck_assert_uint_eq(commit(), STN_STATUS_OK);
	world_now_ns += 10;
	expect_notice(fd, STN_NOTICE_ROOM_EXPIRED, 1, 0);
	ck_assert(world_silent(&world, fd));
	for (uint64_t id = 1; id <= 270; id++)
		ck_assert(!fake_bus_has_leg(&world.fake, id));
	close(fd);
}
END_TEST

START_TEST(speaking_and_connecting_are_told)
{
	struct reply speaking = {.type = REPLY_SPEAKING, .slot = 2, .at_ns = 77};
	struct reply connected = {.type = REPLY_LEG_CONNECTED, .at_ns = 78};
	int fd = subscriber();

	fill();
	speaking.handle = fake_bus_room(&world.fake, 0, 1)->room;
	speaking.leg = fake_bus_leg(&world.fake, 0, 10)->leg;
	fake_bus_reply(&world.fake, &speaking);
	expect_notice(fd, STN_NOTICE_SPEAKING, 1, 10);
	ck_assert_uint_eq(((const struct stn_notice *)world.message)->slot, 2);
	speaking.leg = UINT32_MAX;
	fake_bus_reply(&world.fake, &speaking);
	expect_notice(fd, STN_NOTICE_SPEAKING, 1, 0);
	connected.handle = fake_bus_leg(&world.fake, 0, 10)->leg;
	fake_bus_reply(&world.fake, &connected);
	expect_notice(fd, STN_NOTICE_LEG_CONNECTED, 1, 10);
	/* A handle nobody has (any more) says nothing. */
	connected.handle = 999;
	fake_bus_reply(&world.fake, &connected);
	connected.handle = UINT32_MAX;
	fake_bus_reply(&world.fake, &connected);
	ck_assert(world_silent(&world, fd));
	close(fd);
}
END_TEST

START_TEST(who_does_not_read_loses_telemetry_and_is_told)
{
	struct reply speaking = {.type = REPLY_SPEAKING, .leg = UINT32_MAX};
	struct table_server_status status;
	const struct stn_notice *notice = (const struct stn_notice *)world.message;
	uint64_t delivered = 0, lost = 0;
	int fd = subscriber();

	fill();
	speaking.handle = fake_bus_room(&world.fake, 0, 1)->room;
	for (int i = 0; i < 20000; i++) {
		fake_bus_reply(&world.fake, &speaking);
		if (i % 1000 == 0)
			world_turn(&world);
	}
	world_turn(&world);
	table_server_status(world.server, &status);
	ck_assert_uint_gt(status.notices_dropped, 0);
	while (!world_silent(&world, fd)) {
		world_expect(&world, fd, STN_MESSAGE_NOTICE);
		delivered += notice->type == STN_NOTICE_SPEAKING;
		lost += notice->type == STN_NOTICE_LOST ? notice->value : 0;
	}
	/* One more arrives, and before it how many were lost. */
	fake_bus_reply(&world.fake, &speaking);
	while (!world_silent(&world, fd)) {
		world_expect(&world, fd, STN_MESSAGE_NOTICE);
		delivered += notice->type == STN_NOTICE_SPEAKING;
		lost += notice->type == STN_NOTICE_LOST ? notice->value : 0;
	}
	ck_assert_uint_eq(delivered + lost, 20001);
	ck_assert_uint_eq(lost, status.notices_dropped);
	close(fd);
}
END_TEST

START_TEST(pressure_is_told_once_a_level)
{
	const struct stn_notice *notice = (const struct stn_notice *)world.message;
	static const uint64_t steps[] = {800, 819, 820, 830, 925, 930, 980};
	static const uint64_t told[] = {0, 0, 80, 0, 90, 0, 95};
	uint64_t id = 1;
	int fd = subscriber();

	put_room(1);
	for (unsigned int i = 0; i < 7; i++) {
		while (id <= steps[i]) {
			put_leg(id++, 1, STN_ROLE_LISTENER);
			if (id % 200 == 0)
				ck_assert_uint_eq(commit(), STN_STATUS_OK);
		}
		ck_assert_uint_eq(commit(), STN_STATUS_OK);
		if (told[i]) {
			world_expect(&world, fd, STN_MESSAGE_NOTICE);
			ck_assert_uint_eq(notice->type, STN_NOTICE_PRESSURE);
			ck_assert_uint_eq(notice->value, told[i]);
		}
		ck_assert(world_silent(&world, fd));
	}
	close(fd);
}
END_TEST

/* ---- who may say what ---- */

static void say_hello(int fd, uint32_t role, uint64_t epoch)
{
	struct stn_hello hello = {.header = {STN_TABLE_MAGIC, STN_TABLE_VERSION, STN_MESSAGE_HELLO,
					  sizeof(hello), 1, epoch},
		.role = role};

	world_send(fd, &hello, sizeof(hello));
}

START_TEST(a_higher_epoch_takes_over)
{
	const struct stn_fenced *fenced;
	int other, late;

	fill();
	world_send_header(writer, STN_MESSAGE_BEGIN, 7, 5);
	world_op_remove_room(&world, 1);
	world_send_ops(&world, writer, 5);
	other = world_client(&world, 6);
	fenced = world_expect(&world, writer, STN_MESSAGE_FENCED);
	ck_assert_uint_eq(fenced->epoch, 6);
	ck_assert_uint_eq(world_receive(&world, writer), 0);
	/* The older one comes back, as after a pause: it learns why not. */
	late = world_connect(&world);
	say_hello(late, STN_CLIENT_WRITER, 5);
	fenced = world_expect(&world, late, STN_MESSAGE_FENCED);
	ck_assert_uint_eq(fenced->epoch, 6);
	ck_assert_uint_eq(world_receive(&world, late), 0);
	ck_assert(fake_bus_has_leg(&world.fake, 20));
	put_leg(90, 1, STN_ROLE_LISTENER);
	ck_assert_uint_eq(world_transact(&world, other, 6), STN_STATUS_OK);
	close(late);
	close(other);
}
END_TEST

START_TEST(an_equal_epoch_is_refused_while_the_first_lives)
{
	const struct stn_hello_reply *reply;
	int other = world_connect(&world);

	say_hello(other, STN_CLIENT_WRITER, 5);
	reply = world_expect(&world, other, STN_MESSAGE_HELLO_REPLY);
	ck_assert_uint_eq(reply->status, STN_STATUS_CONFLICT);
	ck_assert_uint_eq(world_receive(&world, other), 0);
	close(other);
	fill();
	close(writer);
	world_turn(&world);
	writer = world_client(&world, 5);
	put_leg(90, 1, STN_ROLE_LISTENER);
	ck_assert_uint_eq(commit(), STN_STATUS_OK);
}
END_TEST

START_TEST(a_reader_changes_nothing)
{
	static const uint16_t types[] = {STN_MESSAGE_BEGIN, STN_MESSAGE_OPS, STN_MESSAGE_COMMIT,
		STN_MESSAGE_ABORT, STN_MESSAGE_RESYNC_BEGIN, STN_MESSAGE_RESYNC_END};
	int fd = world_client(&world, 0);

	for (unsigned int i = 0; i < 6; i++) {
		world_send_header(fd, types[i], 9, 0);
		world_expect(&world, fd, STN_MESSAGE_RESULT);
		ck_assert_uint_eq(result()->status, STN_STATUS_BAD_STATE);
		ck_assert_uint_eq(result()->header.sequence, 9);
	}
	close(fd);
}
END_TEST

START_TEST(messages_out_of_place_are_refused)
{
	static const uint16_t types[] = {
		STN_MESSAGE_OPS, STN_MESSAGE_COMMIT, STN_MESSAGE_ABORT, STN_MESSAGE_RESYNC_END};

	for (unsigned int i = 0; i < 4; i++) {
		world_send_header(writer, types[i], 9, 5);
		world_expect(&world, writer, STN_MESSAGE_RESULT);
		ck_assert_uint_eq(result()->status, STN_STATUS_BAD_STATE);
	}
	/* A transaction does not end as a resync: that would remove everything else. */
	fill();
	world_send_header(writer, STN_MESSAGE_BEGIN, 9, 5);
	world_send_header(writer, STN_MESSAGE_RESYNC_END, 9, 5);
	world_expect(&world, writer, STN_MESSAGE_RESULT);
	ck_assert_uint_eq(result()->status, STN_STATUS_BAD_STATE);
	world_send_header(writer, STN_MESSAGE_BEGIN, 9, 5);
	world_send_header(writer, STN_MESSAGE_ABORT, 9, 5);
	world_expect(&world, writer, STN_MESSAGE_RESULT);
	ck_assert_uint_eq(result()->status, STN_STATUS_OK);
	ck_assert(fake_bus_has_leg(&world.fake, 20));
}
END_TEST

START_TEST(a_connection_without_hello_does_not_stay)
{
	int fd = world_connect(&world);

	ck_assert(world_silent(&world, fd));
	world_now_ns += UINT64_C(5000000000);
	world_turn(&world);
	ck_assert_uint_eq(world_receive(&world, fd), 0);
	close(fd);
}
END_TEST

START_TEST(readers_leave_room_for_the_writer)
{
	int fds[8];
	unsigned int count = 0;
	const struct stn_hello_reply *reply = (const struct stn_hello_reply *)world.message;

	close(writer);
	world_turn(&world);
	do {
		ck_assert_uint_lt(count, 8);
		fds[count] = world_connect(&world);
		say_hello(fds[count], STN_CLIENT_READER, 0);
		world_expect(&world, fds[count++], STN_MESSAGE_HELLO_REPLY);
	} while (reply->status == STN_STATUS_OK);
	ck_assert_uint_eq(reply->status, STN_STATUS_NO_SPACE);
	ck_assert_uint_eq(count, 7);
	writer = world_client(&world, 5);
	while (count)
		close(fds[--count]);
}
END_TEST

/* ---- questions ---- */

START_TEST(statistics_come_from_the_workers)
{
	const struct stn_stats *stats;
	int fd = world_client(&world, 0);

	fill();
	world_send_header(fd, STN_MESSAGE_STATS, 4, 0);
	stats = world_expect(&world, fd, STN_MESSAGE_STATS_REPLY);
	ck_assert_uint_eq(stats->header.length,
		offsetof(struct stn_stats, worker) + 2 * sizeof(struct stn_worker_stats));
	ck_assert_uint_eq(stats->rooms, 1);
	ck_assert_uint_eq(stats->legs, 3);
	ck_assert_uint_eq(stats->worker[1].rx_packets, 1001);
	close(fd);
}
END_TEST

static void ask(int fd, uint16_t type, uint64_t room_id)
{
	struct stn_room_query query = {
		{STN_TABLE_MAGIC, STN_TABLE_VERSION, type, sizeof(query), 4, 0}, room_id};

	world_send(fd, &query, sizeof(query));
}

START_TEST(a_room_is_described)
{
	const struct stn_room_stats *stats;
	int fd = world_client(&world, 0);

	fill();
	world.fake.slot_leg = 10;
	ask(fd, STN_MESSAGE_ROOM_STATS, 1);
	stats = world_expect(&world, fd, STN_MESSAGE_ROOM_STATS_REPLY);
	ck_assert_uint_eq(stats->status, STN_STATUS_OK);
	ck_assert_uint_eq(stats->room_id, 1);
	ck_assert_uint_eq(stats->listeners, 2);
	ck_assert_uint_eq(stats->speakers, 1);
	ck_assert_uint_eq(stats->slot[0].leg_id, 10);
	/* Every worker has added what its listeners report. */
	ck_assert_uint_eq(stats->reception.reports, world.fake.bus.worker_count);
	ask(fd, STN_MESSAGE_ROOM_STATS, 9);
	stats = world_expect(&world, fd, STN_MESSAGE_ROOM_STATS_REPLY);
	ck_assert_uint_eq(stats->status, STN_STATUS_NO_ROOM);
	/* The client is gone before the worker answers. */
	world.hold = true;
	ask(fd, STN_MESSAGE_ROOM_STATS, 1);
	world_turn(&world);
	close(fd);
	world_turn(&world);
	world.hold = false;
	world_turn(&world);
	world_turn(&world);
}
END_TEST

static const struct stn_explain_summary *explain(int fd, uint64_t leg_id, uint32_t ssrc)
{
	struct stn_explain request = {.header = {STN_TABLE_MAGIC, STN_TABLE_VERSION,
					      STN_MESSAGE_EXPLAIN, sizeof(request), 4, 0},
		.leg_id = leg_id,
		.ssrc = ssrc};
	const struct stn_header *header = (const struct stn_header *)world.message;

	world_send(fd, &request, sizeof(request));
	do
		ck_assert_uint_gt(world_receive(&world, fd), 0);
	while (header->type == STN_MESSAGE_EXPLAIN_REPLY);
	ck_assert_uint_eq(header->type, STN_MESSAGE_EXPLAIN_END);
	return (const struct stn_explain_summary *)header;
}

START_TEST(a_packet_is_explained)
{
	const struct stn_explain_summary *summary;
	struct stn_op_leg_put late = world_leg(22, 1, STN_ROLE_LISTENER);
	int fd = world_client(&world, 0);

	fill();
	index_cell_store(fake_bus_room(&world.fake, 0, 1)->slot_index[0], 0xfff0);
	world_op(&world, &late, sizeof(late));
	ck_assert_uint_eq(commit(), STN_STATUS_OK);
	summary = explain(fd, 999, 0);
	ck_assert_uint_eq(summary->source_reason, STN_EXPLAIN_NO_SOURCE);
	ck_assert_uint_eq(summary->copies + summary->copied_bytes, 0);
	summary = explain(fd, 20, 0);
	ck_assert_uint_eq(summary->copies, 2000);
	ck_assert_uint_eq(summary->copied_bytes, 7);
	ck_assert_uint_eq(summary->source_reason, STN_EXPLAIN_NOT_SPEAKER);
	ck_assert_uint_eq(summary->count[STN_EXPLAIN_NOT_SPEAKER], 4);
	summary = explain(fd, 10, 0);
	ck_assert_uint_eq(summary->source_reason, STN_EXPLAIN_NO_SLOT);
	ck_assert_int_eq(summary->slot, -1);
	world.fake.slot_leg = 10;
	summary = explain(fd, 10, 0);
	ck_assert_uint_eq(summary->source_reason, STN_EXPLAIN_REACHED);
	ck_assert_int_eq(summary->slot, 0);
	ck_assert_uint_eq(summary->count[STN_EXPLAIN_REACHED], 2);
	ck_assert_uint_eq(summary->count[STN_EXPLAIN_OWN_VOICE], 1);
	ck_assert_uint_eq(summary->count[STN_EXPLAIN_BEFORE_ORIGIN], 1);
	world.fake.unreachable_leg = 20;
	summary = explain(fd, 10, 0);
	ck_assert_uint_eq(summary->count[STN_EXPLAIN_REACHED], 1);
	ck_assert_uint_eq(summary->count[STN_EXPLAIN_NO_NEIGHBOUR], 1);
	world_op_mute(&world, 10, true, 0);
	ck_assert_uint_eq(commit(), STN_STATUS_OK);
	summary = explain(fd, 10, 0);
	ck_assert_uint_eq(summary->source_reason, STN_EXPLAIN_SOURCE_MUTED);
	close(fd);
}
END_TEST

/* Collects the legs of a whole dump; returns how many. */
static unsigned int dump(int fd, uint64_t epoch, struct stn_op_leg_put legs[], unsigned int most)
{
	struct stn_room_query query = {
		{STN_TABLE_MAGIC, STN_TABLE_VERSION, STN_MESSAGE_DUMP, sizeof(query), 4, epoch}, 0};
	const struct stn_header *header = (const struct stn_header *)world.message;
	unsigned int count = 0;

	world_send(fd, &query, sizeof(query));
	while (world_receive(&world, fd) && header->type == STN_MESSAGE_DUMP_REPLY) {
		const uint8_t *at = (const uint8_t *)(header + 1);

		for (; at < world.message + header->length; at += ((const struct stn_op *)at)->size)
			if (((const struct stn_op *)at)->type == STN_OP_LEG_PUT && count < most)
				memcpy(&legs[count++], at, sizeof(legs[0]));
	}
	ck_assert_uint_eq(header->type, STN_MESSAGE_DUMP_END);
	return count;
}

START_TEST(only_the_writer_sees_keys)
{
	static const uint8_t nothing[48];
	struct stn_op_leg_put legs[4];
	int fd = world_client(&world, 0);

	fill();
	ck_assert_uint_eq(dump(fd, 0, legs, 4), 3);
	for (unsigned int i = 0; i < 3; i++) {
		ck_assert_uint_eq(legs[i].tx.suite, STN_SUITE_AEAD_AES_128_GCM);
		ck_assert(!memcmp(legs[i].tx.key, nothing, 48));
		ck_assert(!memcmp(legs[i].rx.key, nothing, 48));
	}
	ck_assert_uint_eq(dump(writer, 5, legs, 4), 3);
	for (unsigned int i = 0; i < 3; i++)
		ck_assert(memcmp(legs[i].tx.key, nothing, 48));
	close(fd);
}
END_TEST

/* kill -9, seen from here: the workers know nothing, the index store knows everything. */
START_TEST(after_a_restart_known_keys_go_on_ahead)
{
	struct stn_op_leg_put legs[4];
	uint64_t sent, own;

	fill();
	index_cell_store(fake_bus_room(&world.fake, 0, 1)->slot_index[0], 2 << 16 | 77);
	index_cell_store(&fake_bus_leg(&world.fake, 0, 10)->cells[LEG_CELL_OWN], 555);
	index_cell_store(&fake_bus_leg(&world.fake, 0, 10)->cells[LEG_CELL_SOURCE], 4242);
	put_leg(22, 1, STN_ROLE_LISTENER);
	ck_assert_uint_eq(commit(), STN_STATUS_OK);
	ck_assert_uint_eq(dump(writer, 5, legs, 4), 4);
	close(writer);
	world_restart(&world);
	writer = world_client(&world, 5);
	put_room(1);
	for (unsigned int i = 0; i < 4; i++)
		world_op(&world, &legs[i], sizeof(legs[i]));
	ck_assert_uint_eq(world_resync(&world, writer, 5), STN_STATUS_OK);
	sent = fake_bus_room(&world.fake, 1, 1)->slot_index[0]->value;
	ck_assert_uint_eq(sent, (2 << 16 | 77) + INDEX_RESUME_GAP);
	own = fake_bus_leg(&world.fake, 1, 10)->cells[LEG_CELL_OWN].value;
	ck_assert_uint_eq(own, 555 + INDEX_RESUME_GAP);
	ck_assert_uint_eq(fake_bus_leg(&world.fake, 1, 10)->cells[LEG_CELL_SOURCE].value, 4242);
	for (unsigned int i = 0; i < 4; i++) {
		const struct leg_facts *leg = fake_bus_leg(&world.fake, 0, legs[i].leg_id);

		leg = leg ? leg : fake_bus_leg(&world.fake, 1, legs[i].leg_id);
		ck_assert_uint_eq(leg->origin[0], legs[i].leg_id == 22 ? 2 : 0);
	}
}
END_TEST

START_TEST(after_a_restart_doubtful_keys_are_refused)
{
	struct stn_op_leg_put legs[4], speaker = {0}, listener = {0};

	fill();
	ck_assert_uint_eq(dump(writer, 5, legs, 4), 3);
	for (unsigned int i = 0; i < 3; i++)
		*(legs[i].role == STN_ROLE_SPEAKER ? &speaker : &listener) = legs[i];
	close(writer);
	world_restart(&world);
	writer = world_client(&world, 5);
	/* Its origin was never reported: nobody knows where the key has got to. */
	put_room(1);
	listener.flags &= (uint8_t)~STN_LEG_ORIGIN_KNOWN;
	world_op(&world, &listener, sizeof(listener));
	ck_assert_uint_eq(commit(), STN_STATUS_STALE_KEY);
	/* An origin the slot has not reached yet. */
	put_room(1);
	listener.flags |= STN_LEG_ORIGIN_KNOWN;
	listener.origin[1] = 9;
	world_op(&world, &listener, sizeof(listener));
	ck_assert_uint_eq(commit(), STN_STATUS_STALE_KEY);
	/* The resync did not want the speaker: its record is gone, and so is its key. */
	put_room(1);
	ck_assert_uint_eq(world_resync(&world, writer, 5), STN_STATUS_OK);
	world_op(&world, &speaker, sizeof(speaker));
	ck_assert_uint_eq(commit(), STN_STATUS_STALE_KEY);
	/* Fresh keys are always welcome. */
	put_leg(10, 1, STN_ROLE_SPEAKER);
	ck_assert_uint_eq(commit(), STN_STATUS_OK);
}
END_TEST

START_TEST(a_lost_store_makes_every_key_stale)
{
	struct stn_op_leg_put legs[4];

	fill();
	ck_assert_uint_eq(dump(writer, 5, legs, 4), 3);
	close(writer);
	ck_assert_int_eq(truncate(world.index_path, 5000), 0);
	world_restart(&world);
	writer = world_client(&world, 5);
	put_room(1);
	world_op(&world, &legs[0], sizeof(legs[0]));
	ck_assert_uint_eq(world_resync(&world, writer, 5), STN_STATUS_STALE_KEY);
	ck_assert_uint_eq(result()->failed_op, 1);
	put_room(1);
	put_leg(20, 1, STN_ROLE_LISTENER);
	ck_assert_uint_eq(world_resync(&world, writer, 5), STN_STATUS_OK);
}
END_TEST

static Suite *table_suite(void)
{
	Suite *suite = suite_create("table");
	TCase *transactions = tcase_create("transactions");
	TCase *notices = tcase_create("notices");
	TCase *access = tcase_create("access");
	TCase *questions = tcase_create("questions");
	TCase *cases[] = {transactions, notices, access, questions};

	for (unsigned int i = 0; i < 4; i++) {
		tcase_add_checked_fixture(cases[i], set_up, tear_down);
		tcase_set_timeout(cases[i], 30);
		suite_add_tcase(suite, cases[i]);
	}
	tcase_add_test(transactions, a_transaction_reaches_every_worker);
	tcase_add_test(transactions, the_result_waits_for_the_last_worker);
	tcase_add_test(transactions, full_rings_delay_but_lose_nothing);
	tcase_add_test(transactions, transactions_in_sequence_overtake_nothing);
	tcase_add_loop_test(transactions, a_refusal_names_the_operation_and_changes_nothing, 0,
		sizeof(refused_cases) / sizeof(refused_cases[0]));
	tcase_add_test(transactions, later_operations_see_earlier_ones);
	tcase_add_test(transactions, what_silences_goes_first);
	tcase_add_test(transactions, a_room_learns_new_profiles);
	tcase_add_test(transactions, a_full_table_can_be_replaced_in_one_transaction);
	tcase_add_test(transactions, a_listener_becomes_a_speaker_and_goes_on_where_it_was);
	tcase_add_test(transactions, a_speaker_too_far_behind_needs_fresh_keys);
	tcase_add_test(transactions, new_legs_learn_their_origin);
	tcase_add_test(transactions, a_worker_without_space_takes_additions_back);
	tcase_add_test(notices, deadlines_hold_without_a_control_plane);
	tcase_add_test(notices, deadlines_can_be_moved_and_cancelled);
	tcase_add_test(notices, a_resync_goes_on_without_what_has_expired);
	tcase_add_test(notices, an_expired_room_is_emptied_step_by_step);
	tcase_add_test(notices, speaking_and_connecting_are_told);
	tcase_add_test(notices, who_does_not_read_loses_telemetry_and_is_told);
	tcase_add_test(notices, pressure_is_told_once_a_level);
	tcase_add_test(access, a_higher_epoch_takes_over);
	tcase_add_test(access, an_equal_epoch_is_refused_while_the_first_lives);
	tcase_add_test(access, a_reader_changes_nothing);
	tcase_add_test(access, messages_out_of_place_are_refused);
	tcase_add_test(access, a_connection_without_hello_does_not_stay);
	tcase_add_test(access, readers_leave_room_for_the_writer);
	tcase_add_test(questions, statistics_come_from_the_workers);
	tcase_add_test(questions, a_room_is_described);
	tcase_add_test(questions, a_packet_is_explained);
	tcase_add_test(questions, only_the_writer_sees_keys);
	tcase_add_test(questions, after_a_restart_known_keys_go_on_ahead);
	tcase_add_test(questions, after_a_restart_doubtful_keys_are_refused);
	tcase_add_test(questions, a_lost_store_makes_every_key_stale);
	return suite;
}

int main(void)
{
	SRunner *runner = srunner_create(table_suite());
	int failed;

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
