/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A bad line between a sender and its socket: loses, repeats, swaps and spoils packets with given
 * probabilities from a seeded generator, so that a run can be repeated exactly.
 */
#ifndef STENTOR_PERF_IMPAIRMENT_H
#define STENTOR_PERF_IMPAIRMENT_H

#include <stdint.h>

#include "perf/packet.h"

struct impairment {
	double loss; /* each from 0 to 1 */
	double duplicate;
	double reorder; /* the packet is sent after the one that follows it */
	double spoil;   /* one bit of the packet is flipped, it is sent once more intact */
	uint64_t state; /* of the generator; the seed, not 0 */
	uint64_t lost, duplicated, reordered, spoiled;
	uint8_t held[PACKET_MAX];
	unsigned int held_size;
};

/* send() is called for everything that leaves, in order; its first failure ends the call. */
struct impairment_sink {
	int (*send)(void *context, const uint8_t *bytes, unsigned int size);
	void *context;
};

int impairment_pass(struct impairment *line, const uint8_t *bytes, unsigned int size,
	const struct impairment_sink *sink);
/* Sends what is held back. */
int impairment_flush(struct impairment *line, const struct impairment_sink *sink);

#endif
