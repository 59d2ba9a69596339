/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Preroll: what a candidate sent most recently, in order of its index, kept so that its first
 * syllable is not lost when it gets a slot (TRAPS 25). Handles are the caller's packets; each one
 * that was pushed is popped exactly once. Owned by the room's home worker.
 */
#ifndef STENTOR_DATAPLANE_CORE_PREROLL_H
#define STENTOR_DATAPLANE_CORE_PREROLL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 120 ms of the shortest frames Opus has. */
#define PREROLL_PACKETS_MAX 48

struct selector_packet {
	void *handle;        /* the caller's, not looked into */
	uint64_t index;      /* 48-bit SRTP index of the source */
	uint64_t arrival_ns; /* CLOCK_MONOTONIC */
	uint32_t timestamp;  /* RTP */
	uint16_t payload_size;
	uint8_t level; /* RFC 6464, when has_level */
	bool has_level;
	bool voice;
	bool marker;
};
_Static_assert(sizeof(struct selector_packet) == 40, "48 of them a candidate");

struct preroll {
	unsigned int first;
	unsigned int count;
	struct selector_packet packet[PREROLL_PACKETS_MAX];
};

/* False when the index is there already, or the preroll is full. */
bool preroll_push(struct preroll *preroll, const struct selector_packet *packet);
bool preroll_full(const struct preroll *preroll);
/* The lowest index. False when empty. */
bool preroll_pop(struct preroll *preroll, struct selector_packet *out);
/* The same without taking it out; NULL when empty. */
const struct selector_packet *preroll_peek(const struct preroll *preroll);

#endif
