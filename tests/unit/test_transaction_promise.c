/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The promise "transaction": whole or not at all, cut at any byte. A writer sends a transaction
 * over a live socket and dies after every message, or in the middle of one at every length; the
 * workers then have all of it or nothing of it.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/ctl/transaction.h"
#include "tests/unit/table_world.h"

#define LEGS 3

static struct world world;

/* The messages of one transaction, back to back: BEGIN, an OPS for each operation, COMMIT. */
struct script {
	uint8_t bytes[2048] __attribute__((aligned(8)));
	size_t end[8]; /* of each message */
	unsigned int count;
};

static void add_message(struct script *script, uint16_t type, const void *body, size_t size)
{
	size_t at = script->count ? script->end[script->count - 1] : 0;
	struct stn_header header = {
		STN_TABLE_MAGIC, STN_TABLE_VERSION, type, (uint32_t)(sizeof(header) + size), 7, 5};

	memcpy(script->bytes + at, &header, sizeof(header));
	if (size)
		memcpy(script->bytes + at + sizeof(header), body, size);
	script->end[script->count++] = at + sizeof(header) + size;
}

static void build(struct script *script, bool resync)
{
	struct stn_op_room_put room = world_room(1);

	script->count = 0;
	add_message(script, resync ? STN_MESSAGE_RESYNC_BEGIN : STN_MESSAGE_BEGIN, NULL, 0);
	add_message(script, STN_MESSAGE_OPS, &room, sizeof(room));
	for (uint64_t id = 1; id <= LEGS; id++) {
		struct stn_op_leg_put leg =
			world_leg(id, 1, id == 1 ? STN_ROLE_SPEAKER : STN_ROLE_LISTENER);

		add_message(script, STN_MESSAGE_OPS, &leg, sizeof(leg));
	}
	add_message(script, resync ? STN_MESSAGE_RESYNC_END : STN_MESSAGE_COMMIT, NULL, 0);
}

static unsigned int legs_there(void)
{
	struct table_server_status status;
	unsigned int count = 0;

	for (uint64_t id = 1; id <= LEGS; id++)
		count += fake_bus_has_leg(&world.fake, id);
	table_server_status(world.server, &status);
	ck_assert_uint_eq(status.legs, count);
	return count;
}

/* Sends the script up to byte `cut`, whole messages first, then what is left, and hangs up. */
static void send_cut(const struct script *script, size_t cut)
{
	int fd = world_client(&world, 5);
	size_t at = 0;

	for (unsigned int i = 0; i < script->count && at < cut; i++) {
		size_t end = script->end[i] < cut ? script->end[i] : cut;

		world_send(fd, script->bytes + at, end - at);
		at = end;
	}
	close(fd);
	for (int i = 0; i < 6; i++)
		world_turn(&world);
}

static void remove_all(void)
{
	int fd = world_client(&world, 5);

	world_op_remove_room(&world, 1);
	ck_assert_uint_eq(world_transact(&world, fd, 5), STN_STATUS_OK);
	close(fd);
	for (int i = 0; i < 4; i++)
		world_turn(&world);
}

START_TEST(whole_or_not_at_all)
{
	struct script script;
	uint64_t digest;
	size_t total;

	build(&script, _i);
	total = script.end[script.count - 1];
	digest = table_server_digest(world.server);
	for (size_t cut = 0; cut < total; cut++) {
		send_cut(&script, cut);
		ck_assert_msg(legs_there() == 0, "cut at byte %zu of %zu", cut, total);
		ck_assert_uint_eq(table_server_digest(world.server), digest);
		ck_assert_uint_eq(world.fake.worker[0].applied, 0);
	}
	send_cut(&script, total);
	ck_assert_uint_eq(legs_there(), LEGS);
	remove_all();
	ck_assert_uint_eq(legs_there(), 0);
}
END_TEST

/* Cut behind the commit: it has been decided, and no answer is needed to finish it. */
START_TEST(a_commit_survives_its_writer)
{
	struct script script;

	build(&script, false);
	world.hold = true;
	send_cut(&script, script.end[script.count - 1]);
	ck_assert_ptr_null(fake_bus_leg(&world.fake, 0, 1));
	world.hold = false;
	for (int i = 0; i < 4; i++)
		world_turn(&world);
	ck_assert_uint_eq(legs_there(), LEGS);
}
END_TEST

/* Truncated messages inside a connection that goes on: refused, and the transaction with them. */
START_TEST(a_truncated_message_spoils_its_transaction)
{
	struct script script;

	build(&script, false);
	for (unsigned int broken = 1; broken < script.count; broken++) {
		size_t start = script.end[broken - 1];

		for (size_t length = 1; length < script.end[broken] - start; length++) {
			const struct stn_result *result = (const struct stn_result *)world.message;
			int fd = world_client(&world, 5);
			size_t at = 0;

			for (unsigned int i = 0; i < script.count; i++) {
				/* The server may have hung up behind the broken one. */
				ssize_t sent = write(fd, script.bytes + at,
					i == broken ? length : script.end[i] - at);

				(void)sent;
				at = script.end[i];
			}
			world_expect(&world, fd, STN_MESSAGE_RESULT);
			ck_assert_uint_eq(result->status, STN_STATUS_BAD_MESSAGE);
			ck_assert_uint_eq(world_receive(&world, fd), 0);
			close(fd);
			ck_assert_uint_eq(legs_there(), 0);
		}
	}
}
END_TEST

/* The header says so many bytes, the operations inside end earlier or later. */
START_TEST(operations_that_do_not_fit_are_refused)
{
	const struct stn_result *result = (const struct stn_result *)world.message;
	struct stn_op_leg_put leg = world_leg(9, 1, STN_ROLE_LISTENER);
	int fd = world_client(&world, 5);

	for (size_t size = 8; size < sizeof(leg); size += 8) {
		struct script script = {.count = 0};

		add_message(&script, STN_MESSAGE_BEGIN, NULL, 0);
		add_message(&script, STN_MESSAGE_OPS, &leg, size);
		add_message(&script, STN_MESSAGE_COMMIT, NULL, 0);
		for (unsigned int i = 0; i < 3; i++)
			world_send(fd, script.bytes + (i ? script.end[i - 1] : 0),
				script.end[i] - (i ? script.end[i - 1] : 0));
		world_expect(&world, fd, STN_MESSAGE_RESULT);
		ck_assert_uint_eq(result->status, STN_STATUS_BAD_OP);
		ck_assert_uint_eq(result->failed_op, 0);
	}
	close(fd);
}
END_TEST

/* Operation bytes in an exactly sized block: the sanitizer sees one byte too many. */
START_TEST(every_prefix_of_every_operation_is_read_safely)
{
	struct stn_op_room_put room = world_room(1);
	struct stn_op_leg_put leg = world_leg(9, 1, STN_ROLE_SPEAKER);
	uint8_t all[sizeof(room) + sizeof(leg)];

	memcpy(all, &room, sizeof(room));
	memcpy(all + sizeof(room), &leg, sizeof(leg));
	for (size_t size = 0; size <= sizeof(all); size++) {
		uint8_t *exact = malloc(size ? size : 1);
		struct transaction transaction;

		memcpy(exact, all, size);
		transaction_begin(&transaction, false, 1 << 20);
		transaction_add(&transaction, exact, size);
		ck_assert_uint_eq(transaction.refusal.status,
			size == 0 || size == sizeof(room) || size == sizeof(all)
				? STN_STATUS_OK
				: STN_STATUS_BAD_OP);
		transaction_close(&transaction);
		free(exact);
	}
}
END_TEST

START_TEST(a_transaction_is_bounded)
{
	struct stn_op_leg_put leg = world_leg(9, 1, STN_ROLE_SPEAKER);
	struct transaction transaction;

	transaction_begin(&transaction, false, 10 * sizeof(leg));
	for (int i = 0; i < 10; i++)
		transaction_add(&transaction, (const uint8_t *)&leg, sizeof(leg));
	ck_assert_uint_eq(transaction.refusal.status, STN_STATUS_OK);
	transaction_add(&transaction, (const uint8_t *)&leg, sizeof(leg));
	ck_assert_uint_eq(transaction.refusal.status, STN_STATUS_NO_SPACE);
	ck_assert_uint_eq(transaction.refusal.failed_op, 10);
	ck_assert_uint_eq(transaction.size, 0);
	transaction_close(&transaction);
}
END_TEST

static void set_up(void)
{
	world_open(&world, 2);
}

static void tear_down(void)
{
	world_close(&world);
}

int main(void)
{
	Suite *suite = suite_create("transaction promise");
	TCase *tests = tcase_create("cut");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_set_timeout(tests, 120);
	tcase_add_loop_test(tests, whole_or_not_at_all, 0, 2);
	tcase_add_test(tests, a_commit_survives_its_writer);
	tcase_add_test(tests, a_truncated_message_spoils_its_transaction);
	tcase_add_test(tests, operations_that_do_not_fit_are_refused);
	tcase_add_test(tests, every_prefix_of_every_operation_is_read_safely);
	tcase_add_test(tests, a_transaction_is_bounded);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
