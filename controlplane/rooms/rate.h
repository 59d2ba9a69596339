/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How often somebody asks: a token bucket for each actor, in the form of the one time at which it
 * is full again (GCRA, ITU-T I.371), so that a bucket that is full says nothing and may go. The
 * table is bounded; when it is full of people who are busy, whoever comes takes the place of one
 * who is nearly at rest, and nobody is refused for want of memory. Loop's thread, the registry
 * owns it. Not part of the state: forgotten by a restart, never taken back.
 */
#ifndef STENTOR_CONTROLPLANE_ROOMS_RATE_H
#define STENTOR_CONTROLPLANE_ROOMS_RATE_H

#include "controlplane/rooms/hash.h"

#define RATE_ACTORS_MAX 65536

struct rate_bucket;

struct rate {
	struct hash actors; /* struct rate_bucket by actor */
	struct rate_bucket **buckets;
	uint32_t count, capacity, hand; /* hand: where the next to go is looked for */
};

struct rate_limit {
	uint32_t per_second; /* 0: without a limit */
	uint32_t burst;
};

/* Takes one from the actor's bucket at that time (CLOCK_MONOTONIC). 0: it was there; else after how
 * many nanoseconds it will be, and nothing was taken. */
uint64_t rate_take(
	struct rate *rate, const struct rate_limit *limit, const char *actor, uint64_t now_ns);
void rate_clear(struct rate *rate);

#endif
