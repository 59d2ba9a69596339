/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/ctl/map.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#define SIZE_FIRST 64
#define POINTER_BITS 47
#define HASH_BITS 20 /* what POINTER_BITS - 3 leave of 64 */

void map_init(struct map *map, bool (*same)(const void *value, const void *key))
{
	*map = (struct map){.same = same};
}

void map_close(struct map *map)
{
	free(map->entries);
	map->entries = NULL;
	map->size = 0;
	map->count = 0;
}

static uint64_t entry_of(uint64_t hash, const void *value)
{
	uint64_t bits = (uint64_t)(uintptr_t)value;

	assert(bits % 8 == 0 && bits >> POINTER_BITS == 0);
	return bits >> 3 | hash << (POINTER_BITS - 3);
}

static void *value_of(uint64_t entry)
{
	return (void *)(uintptr_t)((entry & (UINT64_MAX >> HASH_BITS)) << 3);
}

/*
 * A table of more places than that many bits can name has its homes evenly apart, which a linear
 * probe hardly notices: 16 apart with 16 million entries.
 */
static size_t home_of(uint64_t entry, size_t size)
{
	uint64_t hash = entry >> (POINTER_BITS - 3);
	size_t homes = (size_t)1 << HASH_BITS;

	return size <= homes ? hash & (size - 1) : hash * (size / homes);
}

void *map_at(const struct map *map, size_t place)
{
	return value_of(map->entries[place]);
}

void *map_find(const struct map *map, uint64_t hash, const void *key)
{
	uint64_t wanted = entry_of(hash, NULL);
	size_t at;

	if (map->size == 0)
		return NULL;
	for (at = home_of(wanted, map->size); map->entries[at]; at = (at + 1) & (map->size - 1))
		if ((map->entries[at] ^ wanted) >> (POINTER_BITS - 3) == 0 &&
			map->same(value_of(map->entries[at]), key))
			return value_of(map->entries[at]);
	return NULL;
}

static void place(uint64_t *entries, size_t size, uint64_t entry)
{
	size_t at = home_of(entry, size);

	while (entries[at])
		at = (at + 1) & (size - 1);
	entries[at] = entry;
}

static int grow(struct map *map)
{
	size_t size = map->size ? 2 * map->size : SIZE_FIRST;
	uint64_t *entries = calloc(size, sizeof(*entries));

	if (!entries)
		return -ENOMEM;
	for (size_t i = 0; i < map->size; i++)
		if (map->entries[i])
			place(entries, size, map->entries[i]);
	free(map->entries);
	map->entries = entries;
	map->size = size;
	return 0;
}

int map_reserve(struct map *map, size_t count)
{
	/* Three quarters full at most: probes stay short, and one free entry always ends them. */
	while (4 * count > 3 * map->size) {
		int error = grow(map);

		if (error)
			return error;
	}
	return 0;
}

int map_add(struct map *map, uint64_t hash, void *value)
{
	int error = map_reserve(map, map->count + 1);

	if (error)
		return error;
	place(map->entries, map->size, entry_of(hash, value));
	map->count++;
	return 0;
}

void map_remove(struct map *map, uint64_t hash, const void *value)
{
	uint64_t entry = entry_of(hash, value);
	size_t mask = map->size - 1;
	size_t at = home_of(entry, map->size);

	assert(map->size);
	while (map->entries[at] != entry) {
		assert(map->entries[at]);
		at = (at + 1) & mask;
	}
	/* Close the gap: entries behind move up unless they would pass their own place. */
	for (size_t next = (at + 1) & mask; map->entries[next]; next = (next + 1) & mask) {
		size_t home = home_of(map->entries[next], map->size);

		if (((next - home) & mask) < ((next - at) & mask))
			continue;
		map->entries[at] = map->entries[next];
		at = next;
	}
	map->entries[at] = 0;
	map->count--;
}
