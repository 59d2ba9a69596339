/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The RTP timestamps of a slot: a wall clock at 48 kHz that all sources are projected onto,
 * strictly increasing whatever the sources do (TRAPS 21). `clock` is the timestamp at
 * CLOCK_MONOTONIC 0; it never changes, is kept over restarts, and makes the line continue where the
 * last process was. Owned by the worker that owns the slot.
 */
#ifndef STENTOR_DATAPLANE_CORE_TIMELINE_H
#define STENTOR_DATAPLANE_CORE_TIMELINE_H

#include <stdbool.h>
#include <stdint.h>

#define TIMELINE_FRAME_TICKS 960 /* 20 ms, the frame of a source until it shows another */

struct timeline {
	uint32_t clock;
	uint32_t last;       /* highest timestamp sent */
	uint32_t last_ticks; /* duration of the frame at `last` */
	uint32_t offset;     /* slot timestamp minus source timestamp, of the holder */
};

/* From now_ns on: nothing is sent with a timestamp of before. */
void timeline_init(struct timeline *timeline, uint32_t clock, uint64_t now_ns);
/* The wall clock's timestamp. */
uint32_t timeline_at(const struct timeline *timeline, uint64_t now_ns);

/*
 * Anchors a source: its timestamp `source` becomes the wall clock's at now_ns, rounded to whole
 * frames after the last one sent, at least one. The spacing of what follows is the source's own.
 */
void timeline_anchor(struct timeline *timeline, uint32_t source, uint64_t now_ns);

/*
 * The slot's timestamp for the next packet of the anchored source, and its marker bit. resumed: the
 * source itself left a gap before it. Anchors anew when the source's clock has gone back, jumped or
 * drifted, see timeline.c.
 */
uint32_t timeline_next(struct timeline *timeline, uint32_t source, uint64_t now_ns, bool resumed);
/* For a packet older than the last one sent: false when it would not lie before that one. */
bool timeline_late(const struct timeline *timeline, uint32_t source, uint32_t *timestamp);
/* One more frame right after the last: silence. */
uint32_t timeline_extend(struct timeline *timeline);

#endif
