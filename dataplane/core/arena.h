/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory for leg blocks: one region handed over at start, given out in pieces of a few sizes and
 * taken back by exact size, so that joins and leaves neither call the allocator on a polling core
 * nor fragment. Belongs to one worker. The region itself is the caller's.
 */
#ifndef STENTOR_DATAPLANE_CORE_ARENA_H
#define STENTOR_DATAPLANE_CORE_ARENA_H

#include <stddef.h>
#include <stdint.h>

#define ARENA_ALIGN 64u
/* Distinct piece sizes: suites and the group class, over IPv4 and IPv6, in rooms of 1 to 8 slots.
 */
#define ARENA_SIZES_MAX 64

struct arena_free {
	struct arena_free *next;
};

struct arena {
	uint8_t *base;
	size_t size;
	size_t used;       /* high-water mark of the region */
	size_t free_bytes; /* given back and waiting for reuse */
	size_t sizes[ARENA_SIZES_MAX];
	struct arena_free *free[ARENA_SIZES_MAX];
};

/* base must be aligned to ARENA_ALIGN and zeroed. */
void arena_init(struct arena *arena, void *base, size_t size);
/* Zeroed memory, or NULL when the region is spent or too many sizes are in use. */
void *arena_get(struct arena *arena, size_t size);
/* Zeroes the piece (it held keys) and keeps it for the next arena_get() of the same size. */
void arena_put(struct arena *arena, void *piece, size_t size);
/* Bytes given out and not returned. */
size_t arena_in_use(const struct arena *arena);

#endif
