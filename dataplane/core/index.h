/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Arithmetic of 48-bit SRTP packet indices, RFC 3711 section 3.3.1: index = 2^16 * ROC + sequence.
 * Pure functions, callable from any thread.
 *
 * Outgoing indices are kept as "the last one used"; 0 means none, and is itself never used. For one
 * (key, SSRC) the sequence of last values only grows, over restarts too: index_next() while
 * running, index_resume() after a restart. A leg sees its own ROC: the slot's, less the leg's
 * origin.
 */
#ifndef STENTOR_DATAPLANE_CORE_INDEX_H
#define STENTOR_DATAPLANE_CORE_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#define INDEX_MAX ((UINT64_C(1) << 48) - 1)
/* SRTCP has 31 bits, RFC 3711 section 3.4. */
#define INDEX_SRTCP_MAX UINT64_C(0x7fffffff)
/* A leg does not start in this many last packets before a wrap: it would miss the wrap too easily.
 */
#define INDEX_ORIGIN_GUARD 64
/* Legs that workers are told of in the time of a slot packet, 10 or 20 ms, when they are busy. */
#define INDEX_LEGS_A_PACKET 2048
#define INDEX_GUARD_MAX 0x4000
/*
 * How far behind the persisted index a restarted process continues. The cell is written before the
 * packet leaves, so one would do; the rest is room for packets staged by another worker.
 */
#define INDEX_RESUME_GAP 64

static inline uint32_t index_roc(uint64_t index)
{
	return (uint32_t)(index >> 16);
}

static inline uint16_t index_sequence(uint64_t index)
{
	return (uint16_t)index;
}

static inline uint64_t index_make(uint32_t roc, uint16_t sequence)
{
	return (uint64_t)roc << 16 | sequence;
}

/*
 * The index a packet with this sequence number most probably has, when highest is the highest index
 * received so far (RFC 3711 appendix A). Never below ROC 0 and never above INDEX_MAX.
 */
uint64_t index_estimate(uint64_t highest, uint16_t sequence);

/*
 * A last-used index for a new outgoing stream: ROC 0, and the first sequence number (the next one)
 * is in 2 .. 2^15 - 1, so that a receiver that misses the first packets still guesses ROC 0.
 */
uint64_t index_initial(uint32_t random);

/* The index after last. The caller checks index_exhausted() first. */
uint64_t index_next(uint64_t last);

/* No further packet may be sent under this key and SSRC. */
bool index_exhausted(uint64_t last);

/*
 * The last-used index to go on from after a restart, INDEX_RESUME_GAP ahead of what was persisted;
 * 0 when there is nothing to go on from (nothing persisted, or the 48 bits are used up): then only
 * fresh keys may be used.
 */
uint64_t index_resume(uint64_t persisted);

/*
 * The slot ROC that is ROC 0 for a leg which joins when `last` was the last index the slot used:
 * the ROC now, or the following one when the next packet is among the last `guard` before a wrap.
 */
uint32_t index_origin_for_join(uint64_t last, unsigned int guard);

/*
 * The guard for a leg that is decided now and told to its worker behind `ahead` others: the slot
 * moves on meanwhile, and a leg that began behind a wrap with the origin before it would take its
 * first packet for one of ROC 1, which its receiver cannot know.
 */
static inline unsigned int index_guard_behind(uint32_t ahead)
{
	uint32_t guard = INDEX_ORIGIN_GUARD + ahead / INDEX_LEGS_A_PACKET;

	/* A whole ROC would be one origin too many. */
	return guard < INDEX_GUARD_MAX ? guard : INDEX_GUARD_MAX;
}

/*
 * The ROC of a leg for a slot packet of slot_roc. Returns false when the leg's origin is still
 * ahead: the leg does not get this packet, and *roc is not written.
 */
static inline bool index_leg_roc(uint32_t slot_roc, uint32_t origin, uint32_t *roc)
{
	uint32_t difference = slot_roc - origin;

	if ((int32_t)difference < 0)
		return false;
	*roc = difference;
	return true;
}

#endif
