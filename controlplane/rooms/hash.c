/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/rooms/hash.h"

#define SIZE_FIRST 8

/* FNV-1a from a secret start, stirred so that the low bits depend on all of it. */
static size_t place_of(const struct hash *hash, const char *name)
{
	uint64_t h = 0xcbf29ce484222325u ^ hash->seed;

	for (; *name != '\0'; name++)
		h = (h ^ (unsigned char)*name) * 0x100000001b3u;
	h = (h ^ (h >> 32)) * 0x9e3779b97f4a7c15u;
	return (size_t)(h ^ (h >> 29)) & (hash->size - 1);
}

void hash_clear(struct hash *hash)
{
	free(hash->slots);
	hash->slots = NULL;
	hash->size = hash->count = 0;
}

/* The slot of that name, or the empty one where it belongs. The table is never full. */
static size_t slot_of(const struct hash *hash, const char *name)
{
	size_t at = place_of(hash, name);

	while (hash->slots[at] != NULL && strcmp(hash->slots[at], name) != 0)
		at = (at + 1) & (hash->size - 1);
	return at;
}

void *hash_find(const struct hash *hash, const char *name)
{
	return hash->size == 0 ? NULL : hash->slots[slot_of(hash, name)];
}

void hash_fetch_slot(const struct hash *hash, const char *name)
{
	if (hash->size != 0)
		__builtin_prefetch(&hash->slots[place_of(hash, name)]);
}

void hash_fetch_thing(const struct hash *hash, const char *name)
{
	if (hash->size != 0)
		__builtin_prefetch(hash->slots[place_of(hash, name)]);
}

static int grow(struct hash *hash)
{
	struct hash bigger = {.seed = hash->seed, .count = hash->count};

	bigger.size = hash->size == 0 ? SIZE_FIRST : hash->size * 2;
	bigger.slots = calloc(bigger.size, sizeof(void *));
	if (bigger.slots == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < hash->size; i++) {
		if (hash->slots[i] != NULL)
			bigger.slots[slot_of(&bigger, hash->slots[i])] = hash->slots[i];
	}
	free(hash->slots);
	*hash = bigger;
	return 0;
}

int hash_add(struct hash *hash, void *thing)
{
	size_t at;

	if (hash->count * 4 >= hash->size * 3) {
		int rc = grow(hash);

		if (rc != 0)
			return rc;
	}
	at = slot_of(hash, thing);
	if (hash->slots[at] != NULL)
		return -EEXIST;
	hash->slots[at] = thing;
	hash->count++;
	return 0;
}

void *hash_remove(struct hash *hash, const char *name)
{
	size_t hole, at, mask = hash->size - 1;
	void *thing;

	if (hash->size == 0)
		return NULL;
	hole = slot_of(hash, name);
	thing = hash->slots[hole];
	if (thing == NULL)
		return NULL;
	hash->slots[hole] = NULL;
	hash->count--;
	/* Whoever was pushed past the hole moves back into it, so that no search ends too early. */
	for (at = (hole + 1) & mask; hash->slots[at] != NULL; at = (at + 1) & mask) {
		size_t home = place_of(hash, hash->slots[at]);

		if (((at - home) & mask) >= ((at - hole) & mask)) {
			hash->slots[hole] = hash->slots[at];
			hash->slots[at] = NULL;
			hole = at;
		}
	}
	return thing;
}

void *hash_next(const struct hash *hash, size_t *position)
{
	while (*position < hash->size) {
		void *thing = hash->slots[(*position)++];

		if (thing != NULL)
			return thing;
	}
	return NULL;
}
