/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who gets a slot: part of select, which does what is decided here. A free slot, or one whose
 * holder has fallen silent, goes to any active source; an active holder gives way only to one that
 * has been louder for a while, and slots do not change hands often. Levels are claims, and used for
 * nothing else (TRAPS 26). Owned by the room's home worker.
 */
#ifndef STENTOR_DATAPLANE_CORE_CONTEST_H
#define STENTOR_DATAPLANE_CORE_CONTEST_H

#include <stdbool.h>

#include "dataplane/core/select_state.h"

/* Whether there is anything to hear in it: a level, a voice bit, or without them its size. */
bool contest_active(const struct selector_config *config, const struct selector_packet *packet);
/* Notes a packet of an unmuted source, holder or not. */
void contest_observe(const struct selector_config *config, struct selector_source *source,
	const struct selector_packet *packet);
/* The slot this packet, already observed, wins for its source that holds none; -1: not yet. */
int contest_win(const struct selector *selector, struct selector_source *source,
	const struct selector_packet *packet);

#endif
