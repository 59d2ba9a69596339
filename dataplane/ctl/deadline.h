/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What falls due when: a binary heap of the deadlines that are embedded in rooms and legs. Plain
 * memory of one thread; its capacity is fixed at the start, so that nothing here can fail later.
 */
#ifndef STENTOR_DATAPLANE_CTL_DEADLINE_H
#define STENTOR_DATAPLANE_CTL_DEADLINE_H

#include <stddef.h>
#include <stdint.h>

#define DEADLINE_NEVER UINT64_MAX

/* Embedded in its owner; zero it to begin with. */
struct deadline {
	uint32_t position; /* in the heap, plus one; 0: not in it */
	uint32_t kind;     /* the owner's: what this is embedded in */
};

struct deadline_entry {
	uint64_t at_ns;
	struct deadline *deadline;
};

struct deadline_heap {
	struct deadline_entry *entries;
	size_t count;
	size_t capacity;
};

/* 0 or -ENOMEM. */
int deadline_heap_open(struct deadline_heap *heap, size_t capacity);
void deadline_heap_close(struct deadline_heap *heap);

/* Adds, moves, or with DEADLINE_NEVER removes. */
void deadline_set(struct deadline_heap *heap, struct deadline *deadline, uint64_t at_ns);

/* When the earliest one falls due, or DEADLINE_NEVER. */
uint64_t deadline_next(const struct deadline_heap *heap);

/* Takes out and returns the earliest one that is due, or NULL. */
struct deadline *deadline_take(struct deadline_heap *heap, uint64_t now_ns);

#endif
