// SPDX-License-Identifier: BSD-3-Clause
#include <string.h>
#include <unistd.h>

#include "dataplane/ctl/transaction.h"
#include "tests/fuzz/fuzz.h"

/* Few, so that limits, conflicts and unknown ids are met often. */
#define ROOMS_MAX 4
#define LEGS_MAX 16
#define RECORDS 12

static struct index_store *store;
static struct registry registry;

static unsigned int worker_of(void *impl, const struct stn_address *remote)
{
	return remote->address[0] % 2;
}

static unsigned int worker_of_leg(void *impl, uint64_t leg_id)
{
	return leg_id % 2;
}

static int route(void *impl, const struct stn_address *remote)
{
	return remote->address[1] == 0x66 ? -1 : 0;
}

/* Once: an empty registry on a store whose file has no name any more. */
static void set_up(void)
{
	char path[] = "/tmp/stentor-fuzz-XXXXXX";
	int fd = mkstemp(path);

	FUZZ_CHECK(fd >= 0);
	close(fd);
	FUZZ_CHECK(index_store_open(&store, path, RECORDS) == 0);
	unlink(path);
	FUZZ_CHECK(registry_open(&registry, store, ROOMS_MAX, LEGS_MAX, 2) == 0);
}

static void run(const struct transaction *transaction, uint64_t batch)
{
	struct worker_bus bus = {.worker_count = 2,
		.worker_of = worker_of,
		.worker_of_leg = worker_of_leg,
		.route = route};
	struct journal journal = {0};
	struct refusal refusal = {0};
	struct plan plan = {.registry = &registry,
		.bus = &bus,
		.journal = &journal,
		.refusal = &refusal,
		.now_ns = 1000,
		.batch = batch,
		.room_speakers_max = 2};

	if (transaction_run(transaction, &plan) == 0) {
		FUZZ_CHECK(registry_room_count(&registry) <= ROOMS_MAX);
		FUZZ_CHECK(registry_leg_count(&registry) <= LEGS_MAX);
		change_undo(&registry, &journal);
	} else {
		FUZZ_CHECK(refusal.status != STN_STATUS_OK && refusal.status < STN_STATUS_COUNT);
		FUZZ_CHECK(memchr(refusal.reason, 0, sizeof(refusal.reason)) != NULL);
		FUZZ_CHECK(
			refusal.failed_op == UINT32_MAX || refusal.failed_op <= transaction->count);
	}
	/* Whether refused or undone: nothing is left of it. */
	FUZZ_CHECK(registry_digest(&registry) == 0);
	FUZZ_CHECK(registry_room_count(&registry) == 0 && registry_leg_count(&registry) == 0);
	FUZZ_CHECK(index_store_used(store) == 0);
	free(plan.origins);
	journal_close(&journal);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct transaction transaction;
	static uint64_t batch;

	if (!store)
		set_up();
	if (size == 0)
		return 0;
	/* The first byte chooses between a transaction and a resync; operations are 8-aligned. */
	transaction_begin(&transaction, data[0] & 1, 1 << 16);
	transaction_add(&transaction, data + 1, size - 1);
	run(&transaction, ++batch);
	transaction_close(&transaction);
	return 0;
}
