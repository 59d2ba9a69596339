/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From leg_id to handle, for the WEBRTC legs that a worker knows: a STUN check names its leg.
 * Open addressing like core/locator.h, under a keyed hash, never more than half full; a cell is
 * four bytes, as the id stands in the leg's facts. Filled by commands only, so strangers cannot
 * add to it. Owned by one worker.
 */
#ifndef STENTOR_DATAPLANE_IO_DIRECTORY_H
#define STENTOR_DATAPLANE_IO_DIRECTORY_H

#include <stdint.h>

#include "dataplane/core/siphash.h"

#define DIRECTORY_NONE UINT32_MAX

struct worker_leg;

struct directory {
	struct siphash_key key;
	const struct worker_leg *leg; /* by handle: whose facts have the id */
	uint32_t *cell;               /* handle + 1, 0: empty */
	uint32_t mask;                /* cells - 1 */
};

/* Room for `max` legs, whose table is `leg`. 0 or -ENOMEM. */
int directory_open(struct directory *directory, const struct siphash_key *key,
	const struct worker_leg *leg, uint32_t max);
void directory_close(struct directory *directory);
/* While the leg has facts; a handle stands in here once at most. */
void directory_add(struct directory *directory, uint32_t handle);
void directory_remove(struct directory *directory, uint32_t handle);
/* Handle, or DIRECTORY_NONE. */
uint32_t directory_find(const struct directory *directory, uint64_t leg_id);

#endif
