/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A slot: one stable outgoing RTP stream of a room. Here: its index and its timeline, and the rule
 * that nothing may break: an index is given out once (reuse is a two-time pad, TRAPS 13).
 *
 * While a source holds the slot, index differences of the source are kept, so that a packet lost or
 * reordered on the way in is visible to listeners as just that; when the slot changes hands the
 * index goes on by one. Owned by the room's home worker.
 */
#ifndef STENTOR_DATAPLANE_CORE_SLOT_H
#define STENTOR_DATAPLANE_CORE_SLOT_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/core/timeline.h"

#define SLOT_INDEX_MAX 0xffffffffffffull /* RFC 3711 section 3.3.1 */
/* A longer gap in a source's indices is closed: no receiver waits for so many packets. */
#define SLOT_JUMP_MAX 512
/* How far behind the highest index a late packet may still come. */
#define SLOT_LATE_MAX 64

struct slot {
	uint64_t index;  /* highest given out */
	uint64_t used;   /* bit n: index - n was given out, or must not be */
	uint64_t offset; /* slot index minus the holder's index, modulo 2^64 */
	uint64_t floor;  /* lowest index of the present holder */
	struct timeline timeline;
};

/* index: last one given out before, by whatever process; clock: see timeline.h. */
void slot_init(struct slot *slot, uint64_t index, uint32_t clock, uint64_t now_ns);
/* A source takes the slot: its index `source` becomes the next one. */
void slot_take(struct slot *slot, uint64_t source);
/* Gives out the index for a holder's packet. False: it is too late, was given out, or none is left.
 */
bool slot_index(struct slot *slot, uint64_t source, uint64_t *index, bool *late);
/* The next index, whatever the holder's: silence. False when none is left. */
bool slot_index_next(struct slot *slot, uint64_t *index);

#endif
