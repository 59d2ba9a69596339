/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A set of things by name: open addressing, pointers only, the owner keeps the things. The name is
 * the NUL-terminated text at the start of each thing, so no key is stored twice.
 */
#ifndef STENTOR_CONTROLPLANE_ROOMS_HASH_H
#define STENTOR_CONTROLPLANE_ROOMS_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hash {
	void **slots; /* NULL until the first add */
	size_t size;  /* power of two */
	size_t count;
	uint64_t seed; /* random, so that nobody can choose names that collide; set it once */
};

/* Frees the table, not the things. */
void hash_clear(struct hash *hash);
/* The thing of that name, or NULL. */
void *hash_find(const struct hash *hash, const char *name);
/* For who looks up many at a time: brings the slot of that name into the cache; and, when it is
 * there, the thing in it. */
void hash_fetch_slot(const struct hash *hash, const char *name);
void hash_fetch_thing(const struct hash *hash, const char *name);
/* 0, -EEXIST or -ENOMEM. */
int hash_add(struct hash *hash, void *thing);
/* The thing that was removed, or NULL. Never allocates. */
void *hash_remove(struct hash *hash, const char *name);
/* Walks: *position starts at 0; NULL at the end. The table may not change meanwhile. */
void *hash_next(const struct hash *hash, size_t *position);

#endif
