/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Speaker selection: which sources hold the room's slots (DESIGN section 3 step 6, TRAPS 20 to 26).
 * Pure: packets are handles, time is an argument. Owned, with all sources, by the room's home
 * worker.
 *
 * Handles. Each one passed in comes out exactly once, at once or later, as an emission (forwarded:
 * send it, it is the caller's again) or as a release (dropped: count the reason, free it). Until
 * then it is pending: rx = forwarded + drops + selector_pending(), and a tick brings that to 0
 * within the preroll's length after the last packet.
 *
 * Indices. After every call the caller stores selector_slot_index() of the slots that emitted,
 * before it uses an emission.
 *
 * Silence frames, owed when a holder is muted or removed, are emissions of the relay itself: no
 * handle, no CSRC, no source, so they are recognisable on the wire and outlive a cancelled source.
 */
#ifndef STENTOR_DATAPLANE_CORE_SELECT_H
#define STENTOR_DATAPLANE_CORE_SELECT_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/api/drop.h"
#include "dataplane/core/select_state.h"

#define SELECTOR_SILENCE_FRAMES 3
#define SELECTOR_SILENCE_SIZE 3
/* One source's preroll with the packet that got it a slot, or all silence frames at once. */
#define SELECTOR_EMISSIONS_MAX PREROLL_PACKETS_MAX
_Static_assert(SELECTOR_EMISSIONS_MAX >= STN_SLOTS_MAX * SELECTOR_SILENCE_FRAMES, "fits a tick");
#define SELECTOR_RELEASES_MAX 64

/* An Opus frame of 20 ms of silence: f8 ff fe. */
extern const uint8_t selector_silence[SELECTOR_SILENCE_SIZE];

struct selector_emission {
	void *handle; /* NULL: silence, the payload is selector_silence */
	uint64_t index;
	uint64_t arrival_ns; /* a preroll's is up to preroll_ms ago, and is not stale for that */
	uint32_t timestamp;
	uint32_t csrc;   /* SSRC of the source, 0: none */
	uint32_t source; /* leg handle, SELECTOR_NOBODY: the relay's own */
	uint8_t slot;
	uint8_t level;
	bool has_level;
	bool voice;
	bool marker;
};

struct selector_release {
	void *handle;
	enum stn_drop reason;
};

/* Overwritten by each call that takes it. */
struct selector_output {
	unsigned int emission_count;
	unsigned int release_count;
	uint8_t changed; /* bit n: slot n has changed hands, see selector_holder() */
	struct selector_emission emission[SELECTOR_EMISSIONS_MAX];
	struct selector_release release[SELECTOR_RELEASES_MAX];
};

/* An authenticated packet of the source, each index once. time is packet->arrival_ns. */
void selector_packet(struct selector *selector, struct selector_source *source,
	const struct selector_packet *packet, struct selector_output *out);
/* From here on nothing of a muted source is emitted; what is pending of it is released. */
void selector_mute(struct selector *selector, struct selector_source *source, bool muted,
	uint64_t now_ns, struct selector_output *out);
/* The same for good; the source's memory is the caller's again. */
void selector_remove(struct selector *selector, struct selector_source *source, uint64_t now_ns,
	struct selector_output *out);

/* When selector_tick() has something to do; UINT64_MAX: nothing. */
uint64_t selector_next_tick_ns(const struct selector *selector);
/* Silence frames that are due, pending packets that have become old, holders that are gone. */
void selector_tick(struct selector *selector, uint64_t now_ns, struct selector_output *out);

#endif
