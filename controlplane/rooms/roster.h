/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Things in the order of their 64-bit id: found by id, listed page by page, each page starting
 * behind the last id of the one before, whatever came and went meanwhile. Ids are minted in growing
 * order, so adding is appending; a removal leaves a hole, holes are squeezed out when they are
 * many.
 */
#ifndef STENTOR_CONTROLPLANE_ROOMS_ROSTER_H
#define STENTOR_CONTROLPLANE_ROOMS_ROSTER_H

#include <stddef.h>
#include <stdint.h>

struct roster_entry {
	uint64_t id;
	void *thing; /* NULL: a hole */
};

struct roster {
	struct roster_entry *entries;
	size_t size;
	size_t capacity;
	size_t count; /* without the holes */
};

void roster_clear(struct roster *roster);
/* 0, -EEXIST or -ENOMEM. An id below the last is inserted in its place (a removal taken back, which
 * cannot fail: there is a hole). */
int roster_add(struct roster *roster, uint64_t id, void *thing);
/* The thing, or NULL. Never allocates. */
void *roster_remove(struct roster *roster, uint64_t id);
void *roster_find(const struct roster *roster, uint64_t id);
/* The first thing with an id greater than *id, which is set to its own; NULL: none. */
void *roster_next(const struct roster *roster, uint64_t *id);

#endif
