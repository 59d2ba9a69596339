/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The RTP timestamps of a slot: a wall clock at 48 kHz that all sources are projected onto,
 * strictly increasing whatever the sources do (TRAPS 21). `clock` is the timestamp at
 * CLOCK_MONOTONIC 0; it never changes, is kept over restarts, and makes the line continue where the
 * last process was. Owned by the worker that owns the slot.
 *
 * Ticks are counted in 64 bits from CLOCK_MONOTONIC 0, so that a slot that was silent for a day is
 * not mistaken for one that is ahead.
 */
#ifndef STENTOR_DATAPLANE_CORE_TIMELINE_H
#define STENTOR_DATAPLANE_CORE_TIMELINE_H

#include <stdbool.h>
#include <stdint.h>

#define TIMELINE_FRAME_TICKS 960 /* 20 ms at 48 kHz, the grid sources are anchored on */

struct timeline {
	uint32_t clock;
	uint32_t frame_ticks; /* duration of the last packet sent */
	uint64_t last;        /* tick of the last packet sent */
	uint64_t anchor;      /* tick of the first packet since the source was anchored */
	uint32_t source;      /* the holder's own timestamp at `last` */
};

/* From now_ns on: nothing is sent with a timestamp of before. */
void timeline_init(struct timeline *timeline, uint32_t clock, uint64_t now_ns);
/* The wall clock's timestamp. */
uint32_t timeline_at(const struct timeline *timeline, uint64_t now_ns);

/*
 * Anchors a source and gives its packet a timestamp: the wall clock's, rounded to whole frames
 * after the last packet, and never before that one has ended. What follows keeps the source's
 * spacing.
 */
uint32_t timeline_take(struct timeline *timeline, uint32_t source, uint64_t now_ns);

/*
 * The timestamp of the anchored source's next packet, whose index is `packets` (at least 1) above
 * the last one's. True when it comes after a pause or the source had to be anchored anew: its clock
 * has gone back, or is more than two seconds off the wall clock, or a pause is an opportunity to
 * get rid of a smaller difference.
 */
bool timeline_next(struct timeline *timeline, uint32_t source, unsigned int packets,
	uint64_t now_ns, uint32_t *timestamp);
/* For a packet with a lower index: false unless it lies between the anchor and the last one. */
bool timeline_late(const struct timeline *timeline, uint32_t source, uint32_t *timestamp);
/* A frame of 20 ms right behind the last packet. */
uint32_t timeline_extend(struct timeline *timeline);

#endif
