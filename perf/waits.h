/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How long something waited, many times: percentiles from a histogram, and exact counts of what was
 * longer than each of a few bounds, so that waits of a program and pauses of the machine it runs on
 * can be held against each other. Times are of one thread, one behind the other, so their sum is
 * how long it was watched. A phase also has what a worker did in them.
 *
 * One thread writes; others read when it has ended, or has been told to count elsewhere. Pure.
 */
#ifndef STENTOR_PERF_WAITS_H
#define STENTOR_PERF_WAITS_H

#include <stdint.h>

#include "dataplane/core/histogram.h"

#define WAITS_BOUNDS 18u
#define WAITS_LONGEST 16u  /* noted of each phase */
#define WAITS_OVER_10US 3u /* their places */
#define WAITS_OVER_50US 6u

/* Ascending. */
extern const uint32_t waits_bounds_us[WAITS_BOUNDS];

struct waits {
	struct histogram histogram;
	uint64_t over[WAITS_BOUNDS];    /* between this bound and the next: waits_over() adds up */
	uint64_t over_ns[WAITS_BOUNDS]; /* what they took together */
	uint64_t longest_ns;
};

void waits_add(struct waits *waits, uint64_t ns);
void waits_merge(struct waits *into, const struct waits *from);
/* How many were longer than this bound. */
uint64_t waits_over(const struct waits *waits, unsigned int bound);
/* The same in a second of the time watched; 0 when there was none. */
double waits_over_per_s(const struct waits *waits, unsigned int bound);
/* What they took together, and how many of all there were. */
double waits_time_percent(const struct waits *waits, unsigned int bound);
double waits_percent(const struct waits *waits, unsigned int bound);
/* What the share (0 to 1) of them is not longer than, to an eighth; never more than the longest. */
double waits_us(const struct waits *waits, double share);

enum wait_stage { WAIT_COMMANDS, WAIT_COPIES, WAIT_REST, WAIT_STAGES };

/* One wait of more than 50 us. */
struct wait {
	uint64_t at_ns, ns;
	uint64_t stage_ns[WAIT_STAGES];
	uint64_t commands, copies;
};

struct wait_phase {
	struct waits waits; /* from one look at the receive queue to the next */
	uint64_t stage_ns[WAIT_STAGES];
	uint64_t over_50us[WAIT_STAGES]; /* by the stage that took most of them */
	struct wait longest[WAITS_LONGEST];
};

/* One turn; of those longer than 50 us also the stage, and all of the longest. */
void wait_note(struct wait_phase *phase, const struct wait *wait);
void wait_merge(struct wait_phase *into, const struct wait_phase *from);

#endif
