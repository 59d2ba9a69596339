/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/ctl/deadline.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

int deadline_heap_open(struct deadline_heap *heap, size_t capacity)
{
	*heap = (struct deadline_heap){0};
	heap->entries = calloc(capacity ? capacity : 1, sizeof(*heap->entries));
	if (!heap->entries)
		return -ENOMEM;
	heap->capacity = capacity;
	return 0;
}

void deadline_heap_close(struct deadline_heap *heap)
{
	free(heap->entries);
	*heap = (struct deadline_heap){0};
}

static void put(struct deadline_heap *heap, size_t at, struct deadline_entry entry)
{
	heap->entries[at] = entry;
	entry.deadline->position = (uint32_t)at + 1;
}

static void sift(struct deadline_heap *heap, size_t at, struct deadline_entry entry)
{
	while (at > 0 && heap->entries[(at - 1) / 2].at_ns > entry.at_ns) {
		put(heap, at, heap->entries[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	for (;;) {
		size_t child = 2 * at + 1;

		if (child + 1 < heap->count &&
			heap->entries[child + 1].at_ns < heap->entries[child].at_ns)
			child++;
		if (child >= heap->count || heap->entries[child].at_ns >= entry.at_ns)
			break;
		put(heap, at, heap->entries[child]);
		at = child;
	}
	put(heap, at, entry);
}

static void take_out(struct deadline_heap *heap, size_t at)
{
	struct deadline_entry last = heap->entries[--heap->count];

	heap->entries[at].deadline->position = 0;
	if (at < heap->count)
		sift(heap, at, last);
}

void deadline_set(struct deadline_heap *heap, struct deadline *deadline, uint64_t at_ns)
{
	if (at_ns == DEADLINE_NEVER) {
		if (deadline->position)
			take_out(heap, deadline->position - 1);
		return;
	}
	if (!deadline->position) {
		assert(heap->count < heap->capacity);
		deadline->position = (uint32_t)++heap->count;
	}
	sift(heap, deadline->position - 1, (struct deadline_entry){at_ns, deadline});
}

uint64_t deadline_next(const struct deadline_heap *heap)
{
	return heap->count ? heap->entries[0].at_ns : DEADLINE_NEVER;
}

struct deadline *deadline_take(struct deadline_heap *heap, uint64_t now_ns)
{
	struct deadline *deadline;

	if (heap->count == 0 || heap->entries[0].at_ns > now_ns)
		return NULL;
	deadline = heap->entries[0].deadline;
	take_out(heap, 0);
	return deadline;
}
