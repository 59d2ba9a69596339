/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What an operation means for what is programmed: unknown ids, immutable facts, addresses taken,
 * stale keys, limits. Works on the registry through a journal (change.h); talks to no worker.
 */
#ifndef STENTOR_DATAPLANE_CTL_PLAN_H
#define STENTOR_DATAPLANE_CTL_PLAN_H

#include "dataplane/ctl/change.h"
#include "dataplane/ctl/operation.h"

struct plan {
	struct registry *registry;
	const struct worker_bus *bus;
	struct journal *journal;
	struct refusal *refusal;
	uint64_t now_ns;
	uint64_t batch; /* number of this transaction, never used before */
	bool resync;    /* what is not named is removed by plan_finish() */
	uint32_t ahead; /* legs that may be told to workers before the last of this transaction */
	uint32_t room_speakers_max;
	struct stn_room_origin *origins; /* of rooms that got new legs; the caller frees it */
	uint32_t origin_count;
	uint32_t origin_capacity;
};

/* Refuses for want of memory: -EINVAL. */
int plan_no_memory(struct plan *plan);

/*
 * In a resync: what ended while it was on its way. Its writer may not have heard of it yet, so the
 * rest goes on without it.
 */
bool plan_expired(const struct plan *plan, uint64_t end_ns);

/* After the last operation: the sweep of a resync, then the limits. 0, or -EINVAL with refusal. */
int plan_finish(struct plan *plan);

/*
 * The index a leg has reached in its own space when it has heard everything of a slot so far: where
 * a listener that becomes a speaker goes on. 0 before the leg's origin.
 */
uint64_t plan_relative_index(const struct leg *leg, unsigned int slot);

#endif
