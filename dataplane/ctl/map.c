/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/ctl/map.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#define SIZE_FIRST 64

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

void *map_find(const struct map *map, uint64_t hash, const void *key)
{
	size_t at = hash & (map->size - 1);

	if (map->size == 0)
		return NULL;
	while (map->entries[at].value) {
		if (map->entries[at].hash == hash && map->same(map->entries[at].value, key))
			return map->entries[at].value;
		at = (at + 1) & (map->size - 1);
	}
	return NULL;
}

static void place(struct map_entry *entries, size_t size, struct map_entry entry)
{
	size_t at = entry.hash & (size - 1);

	while (entries[at].value)
		at = (at + 1) & (size - 1);
	entries[at] = entry;
}

static int grow(struct map *map)
{
	size_t size = map->size ? 2 * map->size : SIZE_FIRST;
	struct map_entry *entries = calloc(size, sizeof(*entries));

	if (!entries)
		return -ENOMEM;
	for (size_t i = 0; i < map->size; i++)
		if (map->entries[i].value)
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
	place(map->entries, map->size, (struct map_entry){hash, value});
	map->count++;
	return 0;
}

void map_remove(struct map *map, uint64_t hash, const void *value)
{
	size_t mask = map->size - 1;
	size_t at = hash & mask;

	assert(map->size);
	while (map->entries[at].value != value) {
		assert(map->entries[at].value);
		at = (at + 1) & mask;
	}
	/* Close the gap: entries behind move up unless they would pass their own place. */
	for (size_t next = (at + 1) & mask; map->entries[next].value; next = (next + 1) & mask) {
		size_t home = map->entries[next].hash & mask;

		if (((next - home) & mask) < ((next - at) & mask))
			continue;
		map->entries[at] = map->entries[next];
		at = next;
	}
	map->entries[at].value = NULL;
	map->count--;
}
