/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From a remote tuple to a small number, such as a leg's handle: open addressing with linear
 * probing, never more than half full, removal by shifting back, so that a lookup is a few probes
 * whatever the history. Keyed hash: strangers choose tuples but not buckets. Owned by one worker.
 */
#ifndef STENTOR_DATAPLANE_CORE_LOCATOR_H
#define STENTOR_DATAPLANE_CORE_LOCATOR_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/core/frame.h"

#define LOCATOR_NONE UINT32_MAX

struct locator_cell {
	struct stn_address address; /* family 0: empty */
	uint32_t leg;
};

struct locator {
	struct siphash_key key;
	struct locator_cell *cell;
	uint32_t mask; /* cells - 1 */
	uint32_t count;
};

/* Room for `max` tuples. 0 or -ENOMEM. */
int locator_open(struct locator *locator, const struct siphash_key *key, uint32_t max);
void locator_close(struct locator *locator);
/* 0, -EEXIST when the tuple is taken, -ENOSPC when full. */
int locator_add(struct locator *locator, const struct stn_address *address, uint32_t leg);
/* Handle, or LOCATOR_NONE. */
uint32_t locator_find(const struct locator *locator, const struct stn_address *address);
void locator_remove(struct locator *locator, const struct stn_address *address);

#endif
