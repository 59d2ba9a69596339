/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From a remote tuple to a small number, such as a leg's handle: open addressing with linear
 * probing, never more than three quarters full, removal by shifting back, so that a lookup is a few
 * probes whatever the history. Keyed hash: strangers choose tuples but not buckets. Owned by one
 * worker.
 */
#ifndef STENTOR_DATAPLANE_CORE_LOCATOR_H
#define STENTOR_DATAPLANE_CORE_LOCATOR_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/core/frame.h"

#define LOCATOR_NONE UINT32_MAX

/*
 * The tuple itself is not kept: 64 bits of a keyed hash tell a million of them apart with a chance
 * of 1 in 10^7 that two are taken for one, and nobody outside knows which. Whose packet it is, the
 * leg says.
 */
struct locator_cell {
	uint32_t hash[2];
	uint32_t leg; /* plus one; 0: empty */
};
_Static_assert(sizeof(struct locator_cell) == 12, "two a leg, and more");

struct locator {
	struct siphash_key key;
	struct locator_cell *cell;
	uint32_t cells;
	uint32_t max;
	uint32_t count;
};

/* Room for `max` tuples. 0 or -ENOMEM. */
int locator_open(struct locator *locator, const struct siphash_key *key, uint32_t max);
void locator_close(struct locator *locator);
/* leg is below LOCATOR_NONE. 0, -EEXIST when the tuple is taken, -ENOSPC when full. */
int locator_add(struct locator *locator, const struct stn_address *address, uint32_t leg);
/* Handle, or LOCATOR_NONE. */
uint32_t locator_find(const struct locator *locator, const struct stn_address *address);
/* Asks for the memory that one of the three others is about to read. */
void locator_prefetch(const struct locator *locator, const struct stn_address *address);
void locator_remove(struct locator *locator, const struct stn_address *address);

#endif
