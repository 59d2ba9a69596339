/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The last packets of one slot, to answer NACKs from (RFC 4585 section 6.2.1, TRAPS 27): the same
 * for all listeners. Handles are the caller's; each one put in comes out exactly once, by being
 * pushed out or taken. Owned by one worker.
 */
#ifndef STENTOR_DATAPLANE_CORE_HISTORY_H
#define STENTOR_DATAPLANE_CORE_HISTORY_H

#include <stddef.h>
#include <stdint.h>

/*
 * 640 ms of 20 ms frames: what comes later than that is of no use to a jitter buffer. A power of
 * two, so that a sequence number has one place over all wraps.
 */
#define HISTORY_PACKETS 32u

struct history_entry {
	uint64_t index; /* 48 bit; of a free place: any */
	void *handle;   /* NULL: free */
};

struct history {
	struct history_entry entry[HISTORY_PACKETS];
};

/* Returns the handle that had its place, or NULL. */
static inline void *history_put(struct history *history, uint64_t index, void *handle)
{
	struct history_entry *entry = &history->entry[index % HISTORY_PACKETS];
	void *pushed_out = entry->handle;

	*entry = (struct history_entry){index, handle};
	return pushed_out;
}

/* The packet with this sequence number, NULL: not there. *index is its whole index. */
static inline void *history_find(const struct history *history, uint16_t sequence, uint64_t *index)
{
	const struct history_entry *entry = &history->entry[sequence % HISTORY_PACKETS];

	if (entry->handle == NULL || (uint16_t)entry->index != sequence)
		return NULL;
	*index = entry->index;
	return entry->handle;
}

/* Empties the place at position (below HISTORY_PACKETS); returns what was in it, or NULL. */
static inline void *history_take(struct history *history, unsigned int position)
{
	void *handle = history->entry[position].handle;

	history->entry[position].handle = NULL;
	return handle;
}

#endif
