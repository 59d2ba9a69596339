/* SPDX-License-Identifier: BSD-3-Clause */
/* The control plane's client against a live table server: connect, dump, resync, submit, lose. */
#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controlplane/link/link.h"
#include "tests/unit/table_world.h"

#define TURNS_MAX 20000

/* What the control plane wants, and what it was told. */
struct wish {
	bool room;
	uint64_t leg_first, leg_last;
	uint64_t bad_leg; /* with a suite that does not exist */
	unsigned int connected, lost, fenced, resyncs, notices;
	unsigned int dumped_rooms, dumped_legs, dump_ends;
	int lost_error;
	struct stn_hello_reply hello;
	struct stn_op_leg_put last_dumped;
	struct link_result resync_result;
	struct stn_notice last_notice;
};

/* The end of one submit. */
struct outcome {
	unsigned int calls;
	struct link_result result;
	struct stn_room_origin origin;
	char reason[STN_REASON_SIZE];
};

static struct world world;
static struct wish wish;
static struct link *link_;

static void on_connected(void *context, const struct stn_hello_reply *hello)
{
	wish.connected++;
	wish.hello = *hello;
}

static void on_dump_room(void *context, const struct stn_op_room_put *room)
{
	wish.dumped_rooms++;
}

static void on_dump_leg(void *context, const struct stn_op_leg_put *leg)
{
	wish.dumped_legs++;
	wish.last_dumped = *leg;
}

static void on_dump_end(void *context, uint32_t status)
{
	ck_assert_uint_eq(status, STN_STATUS_OK);
	wish.dump_ends++;
}

static void on_resync(void *context, struct link_ops *ops)
{
	struct stn_op_room_put room = world_room(1);

	wish.resyncs++;
	if (!wish.room)
		return;
	link_ops_room_put(ops, &room);
	for (uint64_t id = wish.leg_first; id <= wish.leg_last; id++) {
		struct stn_op_leg_put leg = world_leg(id, 1, STN_ROLE_LISTENER);

		if (id == wish.bad_leg)
			leg.tx.suite = 99;
		link_ops_leg_put(ops, &leg);
	}
}

static void on_resync_done(void *context, const struct link_result *result)
{
	wish.resync_result = *result;
}

static void on_notice(void *context, const struct stn_notice *notice)
{
	wish.notices++;
	wish.last_notice = *notice;
}

static void on_fenced(void *context, uint64_t epoch)
{
	ck_assert_uint_eq(epoch, 9);
	wish.fenced++;
}

static void on_lost(void *context, int error)
{
	wish.lost++;
	wish.lost_error = error;
}

static const struct link_callbacks callbacks = {
	.connected = on_connected,
	.dump_room = on_dump_room,
	.dump_leg = on_dump_leg,
	.dump_end = on_dump_end,
	.resync = on_resync,
	.resync_done = on_resync_done,
	.notice = on_notice,
	.fenced = on_fenced,
	.lost = on_lost,
};

static void on_done(void *context, const struct link_result *result)
{
	struct outcome *outcome = context;

	outcome->calls++;
	outcome->result = *result;
	if (result->origin_count)
		outcome->origin = result->origins[0];
	snprintf(outcome->reason, sizeof(outcome->reason), "%s", result->reason);
}

static void open_link(bool dump)
{
	struct link_config config = {.path = world.socket_path, .epoch = 5, .dump = dump};

	ck_assert_int_eq(link_open(&link_, &config, &callbacks, NULL), 0);
}

static void set_up(void)
{
	memset(&wish, 0, sizeof(wish));
	world_open(&world, 2);
	wish.room = true;
	wish.leg_first = 1;
	wish.leg_last = 3;
}

static void tear_down(void)
{
	link_close(link_);
	link_ = NULL;
	world_close(&world);
}

static void turn(void)
{
	link_process(link_, world_now_ns);
	if (world.server)
		world_turn(&world);
	link_process(link_, world_now_ns);
}

static void until_state(enum link_state state)
{
	for (int i = 0; i < TURNS_MAX && link_state(link_) != state; i++)
		turn();
	ck_assert_str_eq(link_state_name(link_state(link_)), link_state_name(state));
}

static void until_done(const struct outcome *outcome)
{
	for (int i = 0; i < TURNS_MAX && !outcome->calls; i++)
		turn();
	ck_assert_uint_eq(outcome->calls, 1);
}

static void submit_leg(uint64_t leg_id, struct outcome *outcome)
{
	struct stn_op_leg_put leg = world_leg(leg_id, 1, STN_ROLE_LISTENER);
	struct link_ops ops = {0};

	memset(outcome, 0, sizeof(*outcome));
	link_ops_leg_put(&ops, &leg);
	ck_assert_int_eq(link_submit(link_, &ops, on_done, outcome), 0);
	ck_assert_ptr_null(ops.bytes);
	ck_assert_uint_eq(outcome->calls, 0); /* never from inside */
}

START_TEST(it_comes_up_with_everything_that_is_wanted)
{
	open_link(true);
	ck_assert_int_ge(link_fd(link_), 0);
	ck_assert_int_eq(link_timeout_ms(link_, world_now_ns), 0);
	until_state(LINK_UP);
	ck_assert_uint_eq(wish.connected, 1);
	ck_assert_uint_eq(wish.dump_ends, 1);
	ck_assert_uint_eq(wish.dumped_legs, 0);
	ck_assert_int_eq(wish.resync_result.outcome, LINK_APPLIED);
	ck_assert_uint_eq(wish.resync_result.legs, 3);
	ck_assert_uint_eq(wish.hello.legs_max, WORLD_LEGS_MAX);
	ck_assert_str_eq(wish.hello.engine, "fake");
	ck_assert(fake_bus_has_leg(&world.fake, 3));
}
END_TEST

START_TEST(its_descriptor_wakes_the_loop)
{
	struct pollfd waiting = {.events = POLLIN};
	struct outcome outcome;

	open_link(false);
	until_state(LINK_UP);
	waiting.fd = link_fd(link_);
	while (poll(&waiting, 1, 0) > 0)
		turn();
	submit_leg(9, &outcome);
	for (int i = 0; i < 4; i++)
		world_turn(&world);
	ck_assert_int_eq(poll(&waiting, 1, 2000), 1);
	link_process(link_, world_now_ns);
	ck_assert_uint_eq(outcome.calls, 1);
}
END_TEST

START_TEST(submits_are_answered_in_order_with_origins)
{
	struct outcome outcomes[20];

	open_link(false);
	until_state(LINK_UP);
	for (uint64_t i = 0; i < 20; i++)
		submit_leg(100 + i, &outcomes[i]);
	until_done(&outcomes[19]);
	for (unsigned int i = 0; i < 20; i++) {
		ck_assert_uint_eq(outcomes[i].calls, 1);
		ck_assert_int_eq(outcomes[i].result.outcome, LINK_APPLIED);
		ck_assert_uint_ge(outcomes[i].result.legs, 3 + i + 1);
		ck_assert_uint_eq(outcomes[i].result.origin_count, 1);
		ck_assert_uint_eq(outcomes[i].origin.room_id, 1);
	}
	/* The same again changes nothing and is no mistake. */
	submit_leg(100, &outcomes[0]);
	until_done(&outcomes[0]);
	ck_assert_int_eq(outcomes[0].result.outcome, LINK_APPLIED);
}
END_TEST

START_TEST(a_refusal_says_which_operation_and_why)
{
	struct outcome outcome = {0};
	struct link_ops ops = {0};

	open_link(false);
	until_state(LINK_UP);
	link_ops_leg_mute(&ops, 1, true, 0);
	link_ops_leg_remove(&ops, 555);
	ck_assert_int_eq(link_submit(link_, &ops, on_done, &outcome), 0);
	until_done(&outcome);
	ck_assert_int_eq(outcome.result.outcome, LINK_REFUSED);
	ck_assert_uint_eq(outcome.result.status, STN_STATUS_NO_LEG);
	ck_assert_uint_eq(outcome.result.failed_op, 1);
	ck_assert_ptr_nonnull(strstr(outcome.reason, "555"));
}
END_TEST

START_TEST(a_transaction_of_many_messages)
{
	struct outcome outcome = {0};
	struct link_ops ops = {0};

	/* 900 legs of 224 bytes: four messages. */
	open_link(false);
	until_state(LINK_UP);
	for (uint64_t id = 100; id < 1000; id++) {
		struct stn_op_leg_put leg = world_leg(id, 1, STN_ROLE_LISTENER);

		link_ops_leg_put(&ops, &leg);
	}
	ck_assert_uint_gt(ops.size, 3 * STN_TABLE_MESSAGE_MAX);
	ck_assert_int_eq(link_submit(link_, &ops, on_done, &outcome), 0);
	until_done(&outcome);
	ck_assert_int_eq(outcome.result.outcome, LINK_APPLIED);
	ck_assert_uint_eq(outcome.result.legs, 903);
	/* A restarted control plane reads all of them back. */
	link_close(link_);
	open_link(true);
	wish.leg_first = 100;
	wish.leg_last = 999;
	until_state(LINK_UP);
	ck_assert_uint_eq(wish.dumped_rooms, 1);
	ck_assert_uint_eq(wish.dumped_legs, 903);
	ck_assert_uint_eq(wish.last_dumped.member_id, wish.last_dumped.leg_id + 1000000);
	ck_assert(!memcmp(wish.last_dumped.tx.key, &wish.last_dumped.leg_id, 8));
	ck_assert_uint_eq(wish.resync_result.legs, 900);
	ck_assert_uint_eq(world.fake.worker[0].removes + world.fake.worker[1].removes, 3);
}
END_TEST

START_TEST(it_waits_for_a_data_plane_that_is_not_there)
{
	struct link_ops ops = {0};
	struct outcome outcome = {0};
	uint64_t waited_ns = 0;

	table_server_close(world.server);
	world.server = NULL;
	open_link(false);
	/* 20, 40, 80 ms ... and at most a second between two attempts. */
	for (int i = 0; i < 12; i++) {
		int timeout_ms;

		turn();
		ck_assert_int_eq(link_state(link_), LINK_DOWN);
		timeout_ms = link_timeout_ms(link_, world_now_ns);
		ck_assert_int_gt(timeout_ms, 0);
		ck_assert_int_le(timeout_ms, 1000);
		if (i == 1)
			ck_assert_int_eq(timeout_ms, 40);
		waited_ns += (uint64_t)timeout_ms * 1000000;
		world_now_ns += (uint64_t)timeout_ms * 1000000;
	}
	ck_assert_uint_gt(waited_ns, UINT64_C(6000000000));
	link_ops_leg_remove(&ops, 1);
	ck_assert_int_eq(link_submit(link_, &ops, on_done, &outcome), -ENOTCONN);
	ck_assert_uint_eq(ops.count, 1);
	link_ops_clear(&ops);
	ck_assert_uint_eq(wish.lost, 0);
	ck_assert_int_eq(table_server_open(&world.server, &world.config, &world.fake.bus), 0);
	until_state(LINK_UP);
}
END_TEST

START_TEST(a_restarted_data_plane_is_programmed_again)
{
	struct outcome sent, queued;
	uint64_t instance_id;

	open_link(true);
	until_state(LINK_UP);
	instance_id = wish.hello.instance_id;
	world.hold = true;
	submit_leg(50, &sent);
	for (int i = 0; i < 4; i++)
		turn();
	submit_leg(51, &queued);
	world.hold = false;
	world_restart(&world);
	until_done(&sent);
	/* Both commits were handed to the kernel: nobody can know. */
	ck_assert_int_eq(sent.result.outcome, LINK_UNKNOWN);
	ck_assert_int_eq(queued.result.outcome, LINK_UNKNOWN);
	ck_assert_uint_eq(wish.lost, 1);
	world_now_ns += 20000000;
	until_state(LINK_UP);
	ck_assert_uint_ne(wish.hello.instance_id, instance_id);
	ck_assert_uint_eq(wish.connected, 2);
	ck_assert_uint_eq(wish.dump_ends, 1); /* only the first time */
	ck_assert_uint_eq(wish.resyncs, 2);
	ck_assert(fake_bus_has_leg(&world.fake, 3));
	ck_assert(!fake_bus_has_leg(&world.fake, 50));
}
END_TEST

START_TEST(a_data_plane_that_hangs_is_given_up)
{
	struct outcome outcome;

	open_link(false);
	until_state(LINK_UP);
	world.hold = true;
	submit_leg(50, &outcome);
	turn();
	world_now_ns += UINT64_C(5000000000) - 1;
	turn();
	ck_assert_uint_eq(outcome.calls, 0);
	world_now_ns += 1;
	link_process(link_, world_now_ns);
	ck_assert_uint_eq(outcome.calls, 1);
	ck_assert_int_eq(outcome.result.outcome, LINK_UNKNOWN);
	ck_assert_int_eq(wish.lost_error, -ETIMEDOUT);
	ck_assert_int_eq(link_state(link_), LINK_DOWN);
	world.hold = false;
	world_now_ns += 20000000;
	wish.leg_last = 2;
	for (int i = 0; i < TURNS_MAX && link_state(link_) != LINK_UP; i++) {
		world_now_ns += 1000000;
		turn();
	}
	/* The resync settles what became of it. */
	ck_assert(!fake_bus_has_leg(&world.fake, 50) && !fake_bus_has_leg(&world.fake, 3));
	ck_assert(fake_bus_has_leg(&world.fake, 2));
}
END_TEST

START_TEST(an_idle_hour_does_not_age_a_submit)
{
	struct outcome outcome;

	open_link(false);
	until_state(LINK_UP);
	world_now_ns += UINT64_C(3600000000000);
	submit_leg(50, &outcome);
	until_done(&outcome);
	ck_assert_int_eq(outcome.result.outcome, LINK_APPLIED);
}
END_TEST

START_TEST(a_newer_writer_ends_it)
{
	struct link_ops ops = {0};
	struct outcome outcome = {0};
	int other;

	open_link(false);
	until_state(LINK_UP);
	other = world_client(&world, 9);
	until_state(LINK_FENCED);
	ck_assert_uint_eq(wish.fenced, 1);
	ck_assert_uint_eq(wish.lost, 1);
	ck_assert_int_eq(link_timeout_ms(link_, world_now_ns), -1);
	link_ops_leg_remove(&ops, 1);
	ck_assert_int_eq(link_submit(link_, &ops, on_done, &outcome), -ESHUTDOWN);
	ck_assert_int_eq(link_resync(link_), -ESHUTDOWN);
	link_ops_clear(&ops);
	ck_assert(fake_bus_has_leg(&world.fake, 1));
	close(other);
}
END_TEST

START_TEST(a_refused_wish_can_be_corrected)
{
	struct outcome outcome;

	wish.bad_leg = 2;
	open_link(false);
	until_state(LINK_UNSYNCED);
	ck_assert_int_eq(wish.resync_result.outcome, LINK_REFUSED);
	ck_assert_uint_eq(wish.resync_result.status, STN_STATUS_BAD_OP);
	ck_assert_uint_eq(wish.resync_result.failed_op, 2); /* the room, leg 1, leg 2 */
	wish.bad_leg = 0;
	ck_assert_int_eq(link_resync(link_), 0);
	ck_assert_int_eq(link_timeout_ms(link_, world_now_ns), 0);
	until_state(LINK_UP);
	submit_leg(50, &outcome);
	until_done(&outcome);
	ck_assert_int_eq(outcome.result.outcome, LINK_APPLIED);
}
END_TEST

START_TEST(what_is_pending_is_bounded)
{
	struct link_config config = {.path = world.socket_path, .epoch = 5, .pending_max = 2};
	struct outcome outcomes[3];
	struct link_ops ops = {0};

	ck_assert_int_eq(link_open(&link_, &config, &callbacks, NULL), 0);
	until_state(LINK_UP);
	submit_leg(50, &outcomes[0]);
	submit_leg(51, &outcomes[1]);
	link_ops_leg_remove(&ops, 50);
	ck_assert_int_eq(link_submit(link_, &ops, on_done, &outcomes[2]), -ENOBUFS);
	until_done(&outcomes[1]);
	memset(&outcomes[2], 0, sizeof(outcomes[2]));
	ck_assert_int_eq(link_submit(link_, &ops, on_done, &outcomes[2]), 0);
	until_done(&outcomes[2]);
	ck_assert_int_eq(outcomes[2].result.outcome, LINK_APPLIED);
}
END_TEST

struct answers {
	unsigned int messages, last;
	uint16_t type;
	uint32_t legs;
	bool lost;
};

static void on_answer(void *context, const struct stn_header *message, bool last)
{
	struct answers *answers = context;

	answers->last += last;
	if (!message) {
		answers->lost = true;
		return;
	}
	answers->messages++;
	answers->type = message->type;
	if (message->type == STN_MESSAGE_STATS_REPLY)
		answers->legs = ((const struct stn_stats *)message)->legs;
}

START_TEST(questions_are_answered)
{
	struct stn_header stats = {.type = STN_MESSAGE_STATS};
	struct stn_explain explain = {.header = {.type = STN_MESSAGE_EXPLAIN}, .leg_id = 1};
	struct answers first = {0}, second = {0}, third = {0};

	open_link(false);
	until_state(LINK_UP);
	ck_assert_int_eq(link_query(link_, &stats, sizeof(stats), on_answer, &first), 0);
	ck_assert_int_eq(
		link_query(link_, &explain.header, sizeof(explain), on_answer, &second), 0);
	for (int i = 0; i < TURNS_MAX && !(first.last && second.last); i++)
		turn();
	ck_assert_uint_eq(first.last, 1);
	ck_assert_uint_eq(first.type, STN_MESSAGE_STATS_REPLY);
	ck_assert_uint_eq(first.legs, 3);
	ck_assert_uint_eq(second.last, 1);
	ck_assert_uint_eq(second.messages, 2);
	ck_assert_uint_eq(second.type, STN_MESSAGE_EXPLAIN_END);
	ck_assert_int_eq(link_query(link_, &stats, sizeof(stats), on_answer, &third), 0);
	world_restart(&world);
	for (int i = 0; i < TURNS_MAX && !third.last; i++)
		turn();
	ck_assert(third.lost);
}
END_TEST

START_TEST(notices_arrive)
{
	struct stn_op_leg_put leg = world_leg(60, 1, STN_ROLE_LISTENER);
	struct outcome outcome = {0};
	struct link_ops ops = {0};

	open_link(false);
	until_state(LINK_UP);
	leg.end_ns = world_now_ns + 1000;
	link_ops_leg_put(&ops, &leg);
	ck_assert_int_eq(link_submit(link_, &ops, on_done, &outcome), 0);
	until_done(&outcome);
	world_now_ns += 1000;
	for (int i = 0; i < TURNS_MAX && !wish.notices; i++)
		turn();
	ck_assert_uint_eq(wish.last_notice.type, STN_NOTICE_LEG_EXPIRED);
	ck_assert_uint_eq(wish.last_notice.leg_id, 60);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("link");
	TCase *tests = tcase_create("link");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, it_comes_up_with_everything_that_is_wanted);
	tcase_add_test(tests, its_descriptor_wakes_the_loop);
	tcase_add_test(tests, submits_are_answered_in_order_with_origins);
	tcase_add_test(tests, a_refusal_says_which_operation_and_why);
	tcase_add_test(tests, a_transaction_of_many_messages);
	tcase_add_test(tests, it_waits_for_a_data_plane_that_is_not_there);
	tcase_add_test(tests, a_restarted_data_plane_is_programmed_again);
	tcase_add_test(tests, a_data_plane_that_hangs_is_given_up);
	tcase_add_test(tests, an_idle_hour_does_not_age_a_submit);
	tcase_add_test(tests, a_newer_writer_ends_it);
	tcase_add_test(tests, a_refused_wish_can_be_corrected);
	tcase_add_test(tests, what_is_pending_is_bounded);
	tcase_add_test(tests, questions_are_answered);
	tcase_add_test(tests, notices_arrive);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
