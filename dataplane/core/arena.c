// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/core/arena.h"

#include <assert.h>
#include <string.h>

static size_t round_up(size_t size)
{
	return (size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
}

void arena_init(struct arena *arena, void *base, size_t size)
{
	assert(((uintptr_t)base & (ARENA_ALIGN - 1)) == 0);
	*arena = (struct arena){.base = base, .size = size};
}

/* Position of a size among those in use; ARENA_SIZES_MAX when there is no room for another. */
static unsigned int size_position(struct arena *arena, size_t size)
{
	unsigned int i;

	for (i = 0; i < ARENA_SIZES_MAX; i++) {
		if (arena->sizes[i] == 0)
			arena->sizes[i] = size;
		if (arena->sizes[i] == size)
			break;
	}
	return i;
}

void *arena_get(struct arena *arena, size_t size)
{
	struct arena_free *piece;
	unsigned int position;

	size = round_up(size);
	if (size == 0)
		return NULL;
	position = size_position(arena, size);
	if (position == ARENA_SIZES_MAX)
		return NULL;
	piece = arena->free[position];
	if (piece != NULL) {
		arena->free[position] = piece->next;
		arena->free_bytes -= size;
		piece->next = NULL;
		return piece;
	}
	if (arena->size - arena->used < size)
		return NULL;
	piece = (void *)(arena->base + arena->used);
	arena->used += size;
	return piece;
}

void arena_put(struct arena *arena, void *memory, size_t size)
{
	struct arena_free *piece = memory;
	unsigned int position;

	size = round_up(size);
	position = size_position(arena, size);
	assert(position < ARENA_SIZES_MAX);
	explicit_bzero(memory, size);
	piece->next = arena->free[position];
	arena->free[position] = piece;
	arena->free_bytes += size;
}

size_t arena_in_use(const struct arena *arena)
{
	return arena->used - arena->free_bytes;
}
