/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A hash set of pointers with open addressing: rooms and legs by id, legs by address, records by
 * id. Plain memory of one thread; what the pointers point to belongs to the caller. Growing may
 * fail, removing and putting back what was just removed cannot.
 */
#ifndef STENTOR_DATAPLANE_CTL_MAP_H
#define STENTOR_DATAPLANE_CTL_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * An entry is a pointer of user space, and in the bits that such a pointer has not (17 above; 3
 * below, as what is kept is aligned to 8) the low 20 bits of its hash. 0: free.
 */
struct map {
	uint64_t *entries;
	size_t size; /* a power of two, or 0 */
	size_t count;
	bool (*same)(const void *value, const void *key);
};

void map_init(struct map *map, bool (*same)(const void *value, const void *key));
void map_close(struct map *map);

/* What is in one of the `size` places; NULL: nothing. */
void *map_at(const struct map *map, size_t place);
/* Returns NULL when there is none. */
void *map_find(const struct map *map, uint64_t hash, const void *key);
/* Makes space for that many in all. 0 or -ENOMEM. */
int map_reserve(struct map *map, size_t count);
/* value must not be there yet, and be aligned to 8. 0 or -ENOMEM, which cannot be within what was
 * reserved. */
int map_add(struct map *map, uint64_t hash, void *value);
/* value must be there. */
void map_remove(struct map *map, uint64_t hash, const void *value);

/* A good mix of 64 bits (the finaliser of splitmix64). */
static inline uint64_t map_hash(uint64_t key)
{
	key += UINT64_C(0x9e3779b97f4a7c15);
	key = (key ^ key >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	key = (key ^ key >> 27) * UINT64_C(0x94d049bb133111eb);
	return key ^ key >> 31;
}

#endif
