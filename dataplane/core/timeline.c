// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/core/timeline.h"

#define NS_PER_6_TICKS 125000ull
/* Opus packets last 2.5 to 120 ms (RFC 6716 section 2.1.4 and 3.2.5). */
#define PACKET_TICKS_MIN 120
#define PACKET_TICKS_MAX 5760
/* A gap that the missing indices do not explain, longer than any packet could: the source paused.
 */
#define PAUSE_TICKS 4800
/* Off the wall clock by more: that is a fault of the source's clock, not jitter. */
#define DRIFT_MAX_TICKS 96000
/*
 * At a pause, smaller differences go too. Ahead of the wall clock: a preroll was sent. Behind: the
 * network was slow when the source was anchored, or its clock is; much of that is jitter.
 */
#define AHEAD_TICKS (2 * TIMELINE_FRAME_TICKS)
#define BEHIND_TICKS (10 * TIMELINE_FRAME_TICKS)

static uint64_t ticks(uint64_t now_ns)
{
	return now_ns / NS_PER_6_TICKS * 6 + now_ns % NS_PER_6_TICKS * 6 / NS_PER_6_TICKS;
}

static uint32_t stamp(const struct timeline *timeline)
{
	return timeline->clock + (uint32_t)timeline->last;
}

void timeline_init(struct timeline *timeline, uint32_t clock, uint64_t now_ns)
{
	*timeline = (struct timeline){
		.clock = clock,
		.frame_ticks = 0,
		.last = ticks(now_ns),
		.anchor = ticks(now_ns),
	};
}

uint32_t timeline_at(const struct timeline *timeline, uint64_t now_ns)
{
	return timeline->clock + (uint32_t)ticks(now_ns);
}

uint32_t timeline_take(struct timeline *timeline, uint32_t source, uint64_t now_ns)
{
	uint64_t wall = ticks(now_ns);
	uint64_t tick = timeline->last + timeline->frame_ticks;

	if (wall > tick)
		tick += (wall - tick + TIMELINE_FRAME_TICKS / 2) / TIMELINE_FRAME_TICKS *
			TIMELINE_FRAME_TICKS;
	timeline->last = tick;
	timeline->anchor = tick;
	timeline->source = source;
	timeline->frame_ticks = TIMELINE_FRAME_TICKS;
	return stamp(timeline);
}

bool timeline_next(struct timeline *timeline, uint32_t source, unsigned int packets,
	uint64_t now_ns, uint32_t *timestamp)
{
	int64_t step = (int32_t)(source - timeline->source);
	int64_t drift = (int64_t)(timeline->last + (uint64_t)step - ticks(now_ns));
	/* What the missing indices do not explain; 0 or less when packets follow one another. */
	int64_t gap = step - (int64_t)packets * timeline->frame_ticks;
	bool paused = gap > PAUSE_TICKS;

	/* Without a gap there is nothing to close, however far ahead: a source faster than time. */
	if (step <= 0 || drift < -DRIFT_MAX_TICKS || (gap > 0 && drift > DRIFT_MAX_TICKS) ||
		(paused && (drift > AHEAD_TICKS || drift < -BEHIND_TICKS))) {
		*timestamp = timeline_take(timeline, source, now_ns);
		return true;
	}
	if (packets == 1 && step >= PACKET_TICKS_MIN && step <= PACKET_TICKS_MAX)
		timeline->frame_ticks = (uint32_t)step;
	timeline->last += (uint64_t)step;
	timeline->source = source;
	*timestamp = stamp(timeline);
	return paused;
}

bool timeline_late(const struct timeline *timeline, uint32_t source, uint32_t *timestamp)
{
	int64_t behind = (int32_t)(timeline->source - source);

	if (behind <= 0 || timeline->last - timeline->anchor <= (uint64_t)behind)
		return false;
	*timestamp = stamp(timeline) - (uint32_t)behind;
	return true;
}

uint32_t timeline_extend(struct timeline *timeline)
{
	timeline->last += timeline->frame_ticks;
	timeline->frame_ticks = TIMELINE_FRAME_TICKS;
	return stamp(timeline);
}
