/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a transaction adds, on its way to the workers in slices: rooms, then keys and credentials,
 * then legs, then unmutes. Only so many additions are under way at a time, each slice followed by a
 * fence, so whatever is committed meanwhile (a mute, a removal) finds short rings: it overtakes all
 * that was not staged yet, and is taken into account when that is. What was removed in between is
 * left out, who was muted in between is added muted.
 *
 * Until a batch is reported, nothing that its journal names may be freed: batch->hold.
 */
#ifndef STENTOR_DATAPLANE_CTL_STAGE_H
#define STENTOR_DATAPLANE_CTL_STAGE_H

#include "dataplane/ctl/apply.h"

/* What a change has put something else in place of is behind the next fence. */
void stage_bury_replaced(struct registry *registry, const struct change *change, uint64_t token);

/* The journal adds nothing: there is no reason to wait for those that do. */
bool stage_is_empty(const struct journal *journal);

/* Handles that the batch will take, in rooms and legs. */
void stage_count(const struct journal *journal, uint32_t *rooms, uint32_t *legs);

/*
 * The next changes of a batch, `max` additions at most, into space for STAGE_COMMANDS of each for
 * every worker and as many unmutes. Returns how many additions were sent; batch->stage is
 * STAGE_DONE when nothing is left. Stops early where a handle is missing that a fence will bring.
 */
#define STAGE_COMMANDS 3
uint32_t stage_slice(struct apply *apply, struct batch *batch, uint32_t max);

/* Of a batch that will not be staged any further: what its changes had replaced. */
void stage_abandon(struct apply *apply, const struct batch *batch);

#endif
