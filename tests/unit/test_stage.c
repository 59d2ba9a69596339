/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Additions on their way in slices: what silences overtakes them, what was overtaken is taken into
 * account, and everything ends as if the transactions had come one at a time.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/core/index.h"
#include "dataplane/ctl/index_store.h"
#include "tests/support/random.h"
#include "tests/unit/table_world.h"

#define EPOCH 5
#define WINDOW 8u
#define CROWD 200u
#define FIRST 100u /* leg_id of the crowd's first */

static struct world world;
static int writer;
static uint32_t sequence;

static void set_up(void)
{
	world_open(&world, 2);
	world.config.window = WINDOW;
	world_restart(&world);
	writer = world_client(&world, EPOCH);
	sequence = 1000;
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

static void put_leg(uint64_t leg_id, enum stn_leg_role role)
{
	struct stn_op_leg_put op = world_leg(leg_id, 1, role);

	world_op(&world, &op, sizeof(op));
}

/* BEGIN, OPS, COMMIT; the result comes later. */
static uint32_t submit(void)
{
	world_send_header(writer, STN_MESSAGE_BEGIN, ++sequence, EPOCH);
	world_send_ops(&world, writer, EPOCH);
	world_send_header(writer, STN_MESSAGE_COMMIT, sequence, EPOCH);
	return sequence;
}

static const struct stn_result *receive_result(int fd)
{
	const struct stn_header *header = (const struct stn_header *)world.message;

	do
		ck_assert_uint_gt(world_receive(&world, fd), 0);
	while (header->type == STN_MESSAGE_ORIGINS || header->type == STN_MESSAGE_NOTICE);
	ck_assert_uint_eq(header->type, STN_MESSAGE_RESULT);
	return (const struct stn_result *)header;
}

static uint32_t next_result(uint32_t status)
{
	const struct stn_result *result = receive_result(writer);

	ck_assert_msg(result->status == status, "%u: %s", result->status, result->reason);
	return result->header.sequence;
}

static void turn(unsigned int times)
{
	while (times--)
		world_turn(&world);
}

static unsigned int waiting_commands(void)
{
	return (unsigned int)(world.fake.worker[0].count + world.fake.worker[1].count);
}

/* A room with speaker 10; then a crowd that joins, of which workers have seen nothing. */
static uint32_t begin_crowd(void)
{
	put_room(1);
	put_leg(10, STN_ROLE_SPEAKER);
	next_result((submit(), STN_STATUS_OK));
	world.hold = true;
	for (uint64_t i = 0; i < CROWD; i++)
		put_leg(FIRST + i, STN_ROLE_LISTENER);
	submit();
	turn(3);
	return sequence;
}

/* Told a second later, behind a wrap of the slot, a leg must not have its origin before it. */
START_TEST(who_joins_behind_a_crowd_keeps_clear_of_a_wrap)
{
	const uint64_t last = 0xffff - INDEX_ORIGIN_GUARD - 1;
	const struct room_facts *room;
	uint64_t leg_id = FIRST;

	world.config.legs_max = 2 * INDEX_LEGS_A_PACKET;
	world_restart(&world);
	close(writer);
	writer = world_client(&world, EPOCH);
	put_room(1);
	put_leg(10, STN_ROLE_SPEAKER);
	next_result((submit(), STN_STATUS_OK));
	room = fake_bus_room(&world.fake, 0, 1);
	index_cell_store(room->slot_index[0], last);
	world.hold = true;
	while (leg_id < FIRST + INDEX_LEGS_A_PACKET + CROWD) {
		for (unsigned int i = 0; i < CROWD; i++)
			put_leg(leg_id++, STN_ROLE_LISTENER);
		submit();
		turn(1);
	}
	world.hold = false;
	while (leg_id-- > FIRST)
		for (unsigned int i = 0; i < 2; i++) {
			while (!fake_bus_has_leg(&world.fake, leg_id))
				turn(1);
			if (fake_bus_leg(&world.fake, i, leg_id) == NULL)
				continue;
			/* Ten crowds are 2,000 legs, the eleventh waits behind them. */
			ck_assert_uint_eq(fake_bus_leg(&world.fake, i, leg_id)->origin[0],
				leg_id >= FIRST + 10 * CROWD);
		}
}
END_TEST

START_TEST(rings_stay_short)
{
	uint32_t crowd = begin_crowd();

	/* A fence for each worker behind the additions that may be under way. */
	ck_assert_uint_ge(waiting_commands(), WINDOW + 2);
	ck_assert_uint_le(waiting_commands(), WINDOW + 4);
	/* They go on when workers have answered. */
	for (unsigned int i = 0; i < 3; i++) {
		fake_bus_run_all(&world.fake);
		turn(1);
		ck_assert_uint_le(waiting_commands(), WINDOW + 4);
		ck_assert_uint_gt(waiting_commands(), 0);
	}
	world.hold = false;
	ck_assert_uint_eq(next_result(STN_STATUS_OK), crowd);
	ck_assert_uint_eq(world.fake.worker[0].adds + world.fake.worker[1].adds, CROWD + 2);
}
END_TEST

START_TEST(a_mute_overtakes_a_crowd)
{
	uint32_t crowd = begin_crowd(), mute;

	world_op_mute(&world, 10, true, 0);
	mute = submit();
	turn(1);
	/* What is in the rings now suffices. */
	fake_bus_run_all(&world.fake);
	ck_assert(fake_bus_muted(&world.fake, 0, 10));
	ck_assert(fake_bus_muted(&world.fake, 1, 10));
	ck_assert(!fake_bus_has_leg(&world.fake, FIRST + CROWD - 1));
	ck_assert_uint_eq(next_result(STN_STATUS_OK), mute);
	world.hold = false;
	ck_assert_uint_eq(next_result(STN_STATUS_OK), crowd);
	ck_assert(fake_bus_muted(&world.fake, 0, 10));
}
END_TEST

START_TEST(who_leaves_before_their_turn_is_never_added)
{
	uint32_t crowd = begin_crowd(), leave;

	world_op_remove_leg(&world, FIRST);
	world_op_remove_leg(&world, FIRST + CROWD - 1);
	leave = submit();
	turn(1);
	fake_bus_run_all(&world.fake);
	ck_assert_uint_eq(next_result(STN_STATUS_OK), leave);
	ck_assert(!fake_bus_has_leg(&world.fake, FIRST));
	world.hold = false;
	ck_assert_uint_eq(next_result(STN_STATUS_OK), crowd);
	ck_assert(!fake_bus_has_leg(&world.fake, FIRST));
	ck_assert(!fake_bus_has_leg(&world.fake, FIRST + CROWD - 1));
	ck_assert_uint_eq(world.fake.worker[0].adds + world.fake.worker[1].adds, CROWD + 1);
}
END_TEST

START_TEST(who_is_muted_before_their_turn_is_added_muted)
{
	uint32_t crowd = begin_crowd(), join, mute;

	put_leg(11, STN_ROLE_SPEAKER);
	join = submit();
	world_op_mute(&world, 11, true, 0);
	mute = submit();
	turn(1);
	fake_bus_run_all(&world.fake);
	ck_assert_uint_eq(next_result(STN_STATUS_OK), mute);
	world.hold = false;
	ck_assert_uint_eq(next_result(STN_STATUS_OK), crowd);
	ck_assert_uint_eq(next_result(STN_STATUS_OK), join);
	ck_assert(fake_bus_muted(&world.fake, 0, 11));
	ck_assert(fake_bus_muted(&world.fake, 1, 11));
	ck_assert_uint_eq(world.fake.worker[0].mutes, 0);
}
END_TEST

/* DTLS was done while the addition waited: one command tells all. */
START_TEST(keys_that_come_before_the_turn_come_with_it)
{
	struct stn_op_leg_put put = world_webrtc(11, 1, STN_ROLE_SPEAKER);
	struct stn_op_leg_ice ice = world_ice(11, 1);

	begin_crowd();
	world_op(&world, &put, sizeof(put));
	world_op(&world, &ice, sizeof(ice));
	submit();
	put = world_webrtc_keyed(11, 1, STN_ROLE_SPEAKER);
	ice = world_ice(11, 2);
	world_op(&world, &put, sizeof(put));
	world_op(&world, &ice, sizeof(ice));
	submit();
	world.hold = false;
	for (unsigned int i = 0; i < 3; i++)
		next_result(STN_STATUS_OK);
	ck_assert_uint_eq(fake_bus_leg(&world.fake, 0, 11)->tx.suite, put.tx.suite);
	ck_assert_uint_eq(world.fake.worker[0].updates + world.fake.worker[1].updates, 0);
	ck_assert_uint_eq(world.fake.worker[0].ices + world.fake.worker[1].ices, 1);
}
END_TEST

START_TEST(a_refusal_in_the_middle_takes_everything_back)
{
	begin_crowd();
	world.fake.worker[0].refuse_after = 20;
	world.hold = false;
	next_result(STN_STATUS_NO_SPACE);
	for (uint64_t i = 0; i < CROWD; i++)
		ck_assert(!fake_bus_has_leg(&world.fake, FIRST + i));
	ck_assert(fake_bus_has_leg(&world.fake, 10));
	put_leg(FIRST, STN_ROLE_LISTENER);
	submit();
	next_result(STN_STATUS_OK);
	ck_assert(fake_bus_has_leg(&world.fake, FIRST));
}
END_TEST

START_TEST(a_resync_waits_for_what_is_on_its_way)
{
	uint32_t crowd = begin_crowd();

	put_room(1);
	world_send_header(writer, STN_MESSAGE_RESYNC_BEGIN, ++sequence, EPOCH);
	world_send_ops(&world, writer, EPOCH);
	world_send_header(writer, STN_MESSAGE_RESYNC_END, sequence, EPOCH);
	ck_assert(world_silent(&world, writer));
	world.hold = false;
	ck_assert_uint_eq(next_result(STN_STATUS_OK), crowd);
	ck_assert_uint_eq(next_result(STN_STATUS_OK), sequence);
	for (uint64_t i = 0; i < CROWD; i++)
		ck_assert(!fake_bus_has_leg(&world.fake, FIRST + i));
	ck_assert(!fake_bus_has_leg(&world.fake, 10));
}
END_TEST

/* It asks first what there is, and has to hear of all that was promised to the old one. */
START_TEST(another_writer_waits_for_what_is_on_its_way)
{
	int other;

	begin_crowd();
	other = world_client(&world, EPOCH + 1);
	world_send_header(other, STN_MESSAGE_BEGIN, 1, EPOCH + 1);
	world_op_remove_leg(&world, FIRST + CROWD - 1);
	world_send_ops(&world, other, EPOCH + 1);
	world_send_header(other, STN_MESSAGE_COMMIT, 1, EPOCH + 1);
	ck_assert(world_silent(&world, other));
	world.hold = false;
	receive_result(other);
	ck_assert(!fake_bus_has_leg(&world.fake, FIRST + CROWD - 1));
	ck_assert(fake_bus_has_leg(&world.fake, FIRST + CROWD - 2));
	close(other);
}
END_TEST

START_TEST(the_server_may_end_in_the_middle)
{
	struct stn_op_leg_put put = world_webrtc(11, 1, STN_ROLE_SPEAKER);

	begin_crowd();
	world_op(&world, &put, sizeof(put));
	submit();
	put = world_webrtc_keyed(11, 1, STN_ROLE_SPEAKER);
	world_op(&world, &put, sizeof(put));
	world_op_remove_leg(&world, FIRST + 3);
	submit();
	turn(3);
	world_restart(&world);
	close(writer);
	world.hold = false;
	writer = world_client(&world, EPOCH + 1);
}
END_TEST

/* ---- many transactions at a time ---- */

#define LEGS 60u
#define SPEAKERS 6u /* the first of them; a room has space for eight */
#define TRANSACTIONS 24u
#define ROUNDS 150u

struct model_leg {
	uint64_t id; /* 0: nobody */
	bool speaker, muted, webrtc, keyed;
};

static struct random_state chance;

static uint32_t pick(uint32_t below)
{
	return (uint32_t)random_below(&chance, below);
}

static void random_join(const struct model_leg first[], struct model_leg *leg, uint64_t id)
{
	struct stn_op_leg_put put;
	struct stn_op_leg_ice ice = world_ice(id, 1);

	*leg = (struct model_leg){.id = id,
		.speaker = leg < first + SPEAKERS,
		.webrtc = pick(3) == 0,
		.muted = pick(2)};
	leg->muted &= leg->speaker;
	leg->keyed = !leg->webrtc;
	put = (leg->webrtc ? world_webrtc : world_leg)(
		id, 1, leg->speaker ? STN_ROLE_SPEAKER : STN_ROLE_LISTENER);
	put.flags = leg->muted ? STN_LEG_MUTED : 0;
	world_op(&world, &put, sizeof(put));
	if (leg->webrtc)
		world_op(&world, &ice, sizeof(ice));
}

static void random_change(struct model_leg first[], uint64_t *next_id)
{
	struct model_leg *leg = &first[pick(LEGS)];
	struct stn_op_leg_put put;

	if (leg->id == 0) {
		random_join(first, leg, (*next_id)++);
	} else if (leg->speaker && pick(2)) {
		leg->muted = !leg->muted;
		world_op_mute(&world, leg->id, leg->muted, 0);
	} else if (!leg->keyed && pick(2)) {
		put = world_webrtc_keyed(
			leg->id, 1, leg->speaker ? STN_ROLE_SPEAKER : STN_ROLE_LISTENER);
		put.flags = leg->muted ? STN_LEG_MUTED : 0;
		world_op(&world, &put, sizeof(put));
		leg->keyed = true;
	} else {
		world_op_remove_leg(&world, leg->id);
		leg->id = 0;
	}
}

static void check_leg(const struct model_leg *leg)
{
	for (unsigned int w = 0; w < 2; w++) {
		const struct leg_facts *facts = fake_bus_leg(&world.fake, w, leg->id);

		if (!facts)
			continue;
		ck_assert_uint_eq(facts->role == STN_ROLE_SPEAKER, leg->speaker);
		ck_assert_uint_eq(facts->tx.suite != STN_SUITE_NONE, leg->keyed);
		ck_assert_uint_eq(fake_bus_muted(&world.fake, w, leg->id), leg->muted);
	}
	ck_assert(fake_bus_has_leg(&world.fake, leg->id));
}

/* One worker at a time, a few commands each, so that transactions meet at every point. */
static void let_run(void)
{
	for (unsigned int w = 0; w < 2; w++)
		fake_bus_run(&world.fake, w, pick(6));
}

START_TEST(transactions_under_way_together_end_as_one_after_the_other)
{
	struct model_leg leg[LEGS] = {0};
	uint64_t next_id = 1000;
	unsigned int present;

	random_seed(&chance);
	put_room(1);
	submit();
	next_result(STN_STATUS_OK);
	for (unsigned int round = 0; round < ROUNDS; round++) {
		world.hold = true;
		for (unsigned int t = 0; t < TRANSACTIONS; t++) {
			for (unsigned int i = pick(12) + 1; i > 0; i--)
				random_change(leg, &next_id);
			submit();
			if (pick(2)) {
				table_server_poll(world.server, 0);
				let_run();
			}
		}
		world.hold = pick(2);
		for (unsigned int t = 0; t < TRANSACTIONS; t++) {
			if (world.hold)
				world.hold = !(t == TRANSACTIONS / 2);
			while (world.hold && world_silent(&world, writer))
				let_run();
			next_result(STN_STATUS_OK);
		}
		world.hold = false;
		present = 0;
		for (unsigned int i = 0; i < LEGS; i++) {
			present += leg[i].id != 0;
			if (leg[i].id)
				check_leg(&leg[i]);
		}
		ck_assert_uint_eq(((struct stn_result *)world.message)->legs, present);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("stage");
	TCase *tests = tcase_create("stage");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, who_joins_behind_a_crowd_keeps_clear_of_a_wrap);
	tcase_add_test(tests, rings_stay_short);
	tcase_add_test(tests, a_mute_overtakes_a_crowd);
	tcase_add_test(tests, who_leaves_before_their_turn_is_never_added);
	tcase_add_test(tests, who_is_muted_before_their_turn_is_added_muted);
	tcase_add_test(tests, keys_that_come_before_the_turn_come_with_it);
	tcase_add_test(tests, a_refusal_in_the_middle_takes_everything_back);
	tcase_add_test(tests, a_resync_waits_for_what_is_on_its_way);
	tcase_add_test(tests, another_writer_waits_for_what_is_on_its_way);
	tcase_add_test(tests, the_server_may_end_in_the_middle);
	tcase_add_test(tests, transactions_under_way_together_end_as_one_after_the_other);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
