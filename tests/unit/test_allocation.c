/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every allocation of a transaction fails once, one after the other: each time the transaction is
 * refused as a whole, and the next attempt meets an unchanged table. Linked with --wrap, so that
 * only what is under test can fail.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/ctl/apply.h"
#include "tests/unit/table_world.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);

static unsigned int fail_in; /* 1: the next one; 0: none */

static bool fails(void)
{
	return fail_in && --fail_in == 0;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
	return fails() ? NULL : __real_realloc(memory, size);
}

static struct fake_bus fake;
static struct index_store *store;
static struct registry registry;
static struct apply apply;
static unsigned int results;
static char path[64];

static void on_result(void *context, const struct batch *batch, uint64_t applied_ns)
{
	ck_assert_uint_eq(batch->refused, 0);
	results++;
}

static void on_notice(void *context, const struct stn_notice *notice)
{
}

static void set_up(void)
{
	static const struct apply_events events = {.result = on_result, .notice = on_notice};
	int fd;

	strcpy(path, "/tmp/stentor-test-XXXXXX");
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	close(fd);
	fake_bus_init(&fake, 2);
	ck_assert_int_eq(index_store_open(&store, path, 64), 0);
	ck_assert_int_eq(registry_open(&registry, store, 8, 64, 2), 0);
	apply_open(&apply, &registry, &fake.bus, &events, NULL);
	apply.room_speakers_max = 8;
	results = 0;
}

static void tear_down(void)
{
	apply_close(&apply);
	registry_close(&registry);
	index_store_close(store);
	unlink(path);
}

static void settle(void)
{
	for (int i = 0; i < 8; i++) {
		struct reply reply;

		apply_poll(&apply, 1000);
		fake_bus_run_all(&fake);
		while (fake.bus.poll(fake.bus.impl, &reply))
			apply_reply(&apply, &reply);
	}
}

/*
 * Commits with the n-th allocation failing, for n = 1, 2, ... until it goes through. The last that
 * failed may be one for the commands of a slice: what was committed then waits and is told to the
 * workers all the same, when there is memory.
 */
static unsigned int commit_until_it_fits(const struct transaction *transaction)
{
	struct apply_request request = {.client = 1, .sequence = 1, .now_ns = 1000};
	uint64_t digest = registry_digest(&registry);
	uint32_t used = index_store_used(store);
	unsigned int applied = fake.worker[0].applied + fake.worker[1].applied;

	unsigned int reported = results;

	for (unsigned int n = 1;; n++) {
		struct refusal refusal = {0};
		int error;

		fail_in = n;
		error = apply_commit(&apply, transaction, &request, &refusal);
		fail_in = 0;
		if (!error) {
			settle();
			ck_assert_uint_eq(results, reported + 1);
			return n - 1;
		}
		ck_assert_uint_eq(results, reported);
		ck_assert_uint_eq(refusal.status, STN_STATUS_NO_SPACE);
		ck_assert_msg(registry_digest(&registry) == digest, "allocation %u", n);
		ck_assert_uint_eq(index_store_used(store), used);
		settle();
		ck_assert_uint_eq(fake.worker[0].applied + fake.worker[1].applied, applied);
	}
}

static void add(struct transaction *transaction, const void *op, size_t size)
{
	transaction_add(transaction, op, size);
	ck_assert_uint_eq(transaction->refusal.status, STN_STATUS_OK);
}

static void add_leg(struct transaction *transaction, uint64_t id, enum stn_leg_role role)
{
	struct stn_op_leg_put leg = world_leg(id, 1, STN_ROLE_SPEAKER);

	leg.role = (uint8_t)role;
	add(transaction, &leg, sizeof(leg));
}

START_TEST(each_allocation_may_fail)
{
	struct stn_op_room_put room = world_room(1);
	struct stn_op_leg_remove gone = {{STN_OP_LEG_REMOVE, sizeof(gone), 0}, 12};
	struct stn_op_leg_mute mute = {{STN_OP_LEG_MUTE, sizeof(mute), 0}, 10, 0, 1, 0};
	struct transaction transaction;
	unsigned int failed;

	transaction_begin(&transaction, false, 1 << 20);
	add(&transaction, &room, sizeof(room));
	for (uint64_t id = 10; id < 20; id++)
		add_leg(&transaction, id, id % 4 ? STN_ROLE_LISTENER : STN_ROLE_SPEAKER);
	failed = commit_until_it_fits(&transaction);
	/* The batch, the room twice, its legs, the maps, the journal, origins, outboxes ... */
	ck_assert_uint_ge(failed, 18);
	transaction_close(&transaction);
	ck_assert_uint_eq(results, 1);

	/* Replacing, removing, muting, and two changes of role behind a barrier. */
	transaction_begin(&transaction, true, 1 << 20);
	room.profile_count = 2;
	room.profile[1] = (struct stn_profile){.payload_type = 109};
	add(&transaction, &room, sizeof(room));
	for (uint64_t id = 10; id < 30; id++)
		add_leg(&transaction, id, id % 5 ? STN_ROLE_LISTENER : STN_ROLE_SPEAKER);
	add(&transaction, &gone, sizeof(gone));
	add(&transaction, &mute, sizeof(mute));
	failed = commit_until_it_fits(&transaction);
	ck_assert_uint_ge(failed, 15);
	transaction_close(&transaction);
	ck_assert_uint_eq(results, 2);
	ck_assert(!fake_bus_has_leg(&fake, 12) && fake_bus_has_leg(&fake, 29));
	ck_assert(fake_bus_muted(&fake, 0, 10) && fake_bus_muted(&fake, 1, 10));
	ck_assert_uint_eq(fake_bus_leg(&fake, 1, 15)->role, STN_ROLE_SPEAKER);
	ck_assert_uint_eq(fake_bus_room(&fake, 1, 1)->profile_count, 2);
}
END_TEST

static void add_browser(struct transaction *transaction, uint64_t id, enum stn_leg_role role,
	unsigned int generation, bool keyed)
{
	struct stn_op_leg_put leg = keyed ? world_webrtc_keyed(id, 1, STN_ROLE_SPEAKER)
					  : world_webrtc(id, 1, STN_ROLE_SPEAKER);
	struct stn_op_leg_ice ice = world_ice(id, generation);

	leg.role = (uint8_t)role;
	add(transaction, &leg, sizeof(leg));
	add(transaction, &ice, sizeof(ice));
}

/* Put, keyed, given other credentials, switched with them, and driven from their address. */
START_TEST(each_allocation_for_browsers_may_fail)
{
	struct stn_op_room_put room = world_room(1);
	struct stn_op_leg_put native = world_leg(30, 1, STN_ROLE_LISTENER);
	struct stn_address nowhere = {0};
	struct transaction transaction;

	transaction_begin(&transaction, false, 1 << 20);
	add(&transaction, &room, sizeof(room));
	for (uint64_t id = 10; id < 20; id++)
		add_browser(&transaction, id, id % 4 ? STN_ROLE_LISTENER : STN_ROLE_SPEAKER, 1,
			id == 11);
	/* Two allocations a leg and two for its credentials, besides the rest. */
	ck_assert_uint_ge(commit_until_it_fits(&transaction), 45);
	transaction_close(&transaction);

	registry_move_leg(&registry, registry_leg(&registry, 13), &native.remote);
	transaction_begin(&transaction, true, 1 << 20);
	add(&transaction, &room, sizeof(room));
	for (uint64_t id = 10; id < 20; id++)
		add_browser(&transaction, id, id % 5 ? STN_ROLE_LISTENER : STN_ROLE_SPEAKER,
			id % 3 ? 1 : 2, id % 2);
	add(&transaction, &native, sizeof(native));
	ck_assert_uint_ge(commit_until_it_fits(&transaction), 15);
	transaction_close(&transaction);
	ck_assert_uint_eq(results, 2);
	ck_assert_uint_eq(fake_bus_leg(&fake, 0, 15)->role, STN_ROLE_SPEAKER);
	ck_assert_ptr_nonnull(fake_bus_leg(&fake, 0, 15)->cells);
	ck_assert_ptr_nonnull(fake_bus_ice(&fake, fake_bus_leg(&fake, 0, 15)->worker, 15));
	ck_assert(!memcmp(leg_remote(registry_leg(&registry, 13)), &nowhere, sizeof(nowhere)));
}
END_TEST

START_TEST(a_transaction_that_cannot_be_kept_is_refused)
{
	struct stn_op_room_put room = world_room(1);
	struct apply_request request = {0};
	struct transaction transaction;
	struct refusal refusal = {0};

	transaction_begin(&transaction, false, 1 << 20);
	fail_in = 1;
	transaction_add(&transaction, (const uint8_t *)&room, sizeof(room));
	ck_assert_uint_eq(fail_in, 0);
	ck_assert_uint_eq(transaction.refusal.status, STN_STATUS_NO_SPACE);
	ck_assert_int_ne(apply_commit(&apply, &transaction, &request, &refusal), 0);
	ck_assert_uint_eq(refusal.status, STN_STATUS_NO_SPACE);
	ck_assert_uint_eq(registry_room_count(&registry), 0);
	transaction_close(&transaction);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("allocation");
	TCase *tests = tcase_create("allocation");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, each_allocation_may_fail);
	tcase_add_test(tests, each_allocation_for_browsers_may_fail);
	tcase_add_test(tests, a_transaction_that_cannot_be_kept_is_refused);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
