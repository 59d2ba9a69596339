/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What speaker selection knows of a room: how it is made, looked at and hashed. What changes it is
 * in select.h and contest.h; callers read only what a comment allows them to. Owned, with all
 * sources, by the room's home worker.
 */
#ifndef STENTOR_DATAPLANE_CORE_SELECT_STATE_H
#define STENTOR_DATAPLANE_CORE_SELECT_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/api/table.h"
#include "dataplane/core/level.h"
#include "dataplane/core/preroll.h"
#include "dataplane/core/slot.h"

#define SELECTOR_NOBODY UINT32_MAX

struct selector_config {
	uint32_t preroll_ms;   /* kept of each candidate */
	uint32_t challenge_ms; /* louder for so long before a slot is taken from an active holder */
	uint32_t hold_ms;      /* a slot does not change hands twice within */
	uint32_t silent_ms;    /* a holder not active for so long gives way to any active source */
	uint32_t gone_ms;      /* a holder that sends nothing for so long loses its slot */
	uint8_t margin_db;     /* louder by so much */
	uint8_t active_level;  /* RFC 6464; a packet is active when its level is below (louder) */
	uint8_t dtx_payload_bytes; /* without level: active when the payload is longer */
};

/* 120 ms, 150 ms, 500 ms, 600 ms, 2,000 ms, 6 dB, 90, 8 bytes. */
extern const struct selector_config selector_config_default;

/* One speaker's incoming stream; embedded by the caller, who reads `leg`, `ssrc`, `muted`, `slot`.
 */
struct selector_source {
	uint32_t leg;  /* handle; SELECTOR_NOBODY is nobody's */
	uint32_t ssrc; /* for the CSRC */
	bool muted;
	int8_t slot; /* held, -1: none */
	struct level_filter level;
	uint64_t active_ns;    /* last active packet; 0: none yet */
	uint64_t challenge_ns; /* louder than the weakest holder since; 0: it is not */
	uint64_t passed;       /* highest index emitted + 1; 0: none */
	struct selector_source *next, *previous; /* of those with pending packets */
	struct preroll preroll;
};

struct selector_slot {
	struct slot slot;
	uint32_t ssrc;
	struct selector_source *holder;
	uint64_t changed_ns; /* when it last changed hands */
	uint64_t packet_ns;  /* arrival of the holder's last packet */
	uint64_t last_ns;    /* last emission */
	uint64_t packets;
	uint64_t silence_ns; /* next silence frame is due */
	uint8_t silence_owed;
};

struct selector {
	struct selector_config config;
	unsigned int slot_count;
	struct selector_slot slot[STN_SLOTS_MAX];
	struct selector_source *pending; /* sources with pending packets */
	uint64_t pending_count;
	uint64_t tick_ns;
};

struct selector_slot_facts {
	uint32_t ssrc;
	uint64_t index; /* last one given out; the first emission has the next */
	uint32_t clock; /* RTP timestamp at CLOCK_MONOTONIC 0 */
};

/* False when since_ns is in the future: packets of other cores may carry a later time. */
static inline bool selector_elapsed(uint64_t since_ns, uint32_t ms, uint64_t now_ns)
{
	return now_ns >= since_ns && now_ns - since_ns >= ms * 1000000ull;
}

/* slot_count: 1 to STN_SLOTS_MAX. */
void selector_init(struct selector *selector, const struct selector_config *config,
	const struct selector_slot_facts facts[], unsigned int slot_count, uint64_t now_ns);

/* A source of this room, not moved in memory until selector_remove(). */
void selector_source_init(struct selector_source *source, uint32_t leg, uint32_t ssrc, bool muted);

/* Packets in and not yet out. */
uint64_t selector_pending(const struct selector *selector);
/* Highest index given out by a slot. */
uint64_t selector_slot_index(const struct selector *selector, unsigned int slot);
/* Leg handle, or SELECTOR_NOBODY. */
uint32_t selector_holder(const struct selector *selector, unsigned int slot);

struct selector_slot_view {
	uint32_t ssrc;
	uint32_t holder; /* leg handle, or SELECTOR_NOBODY */
	uint8_t level;   /* of the holder, smoothed; 127 when nobody */
	uint64_t index;
	uint64_t packets;
	uint64_t last_ns;
};

void selector_slot_view(
	const struct selector *selector, unsigned int slot, struct selector_slot_view *out);

/* Hash of everything mutable but counters (TRAPS 2), for tests. */
uint64_t selector_digest(const struct selector *selector);
uint64_t selector_source_digest(const struct selector_source *source);

#endif
