/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/rooms/roster.h"

void roster_clear(struct roster *roster)
{
	free(roster->entries);
	*roster = (struct roster){0};
}

/* Position of the first entry with an id of at least `id`. */
static size_t lower_bound(const struct roster *roster, uint64_t id)
{
	size_t low = 0, high = roster->size;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (roster->entries[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void squeeze(struct roster *roster)
{
	size_t to = 0;

	for (size_t from = 0; from < roster->size; from++) {
		if (roster->entries[from].thing != NULL)
			roster->entries[to++] = roster->entries[from];
	}
	roster->size = to;
}

static int make_room(struct roster *roster)
{
	struct roster_entry *entries;
	size_t capacity;

	if (roster->size < roster->capacity)
		return 0;
	if (roster->count < roster->size / 2) {
		squeeze(roster);
		return 0;
	}
	capacity = roster->capacity == 0 ? 8 : roster->capacity * 2;
	entries = realloc(roster->entries, capacity * sizeof(*entries));
	if (entries == NULL && roster->count < roster->size) {
		squeeze(roster);
		return 0;
	}
	if (entries == NULL)
		return -ENOMEM;
	roster->entries = entries;
	roster->capacity = capacity;
	return 0;
}

int roster_add(struct roster *roster, uint64_t id, void *thing)
{
	size_t at = lower_bound(roster, id);

	if (at < roster->size && roster->entries[at].id == id) {
		if (roster->entries[at].thing != NULL)
			return -EEXIST;
	} else {
		int rc = make_room(roster);

		if (rc != 0)
			return rc;
		at = lower_bound(roster, id);
		memmove(&roster->entries[at + 1], &roster->entries[at],
			(roster->size - at) * sizeof(roster->entries[0]));
		roster->size++;
	}
	roster->entries[at] = (struct roster_entry){id, thing};
	roster->count++;
	return 0;
}

void *roster_remove(struct roster *roster, uint64_t id)
{
	size_t at = lower_bound(roster, id);
	void *thing;

	if (at == roster->size || roster->entries[at].id != id)
		return NULL;
	thing = roster->entries[at].thing;
	if (thing == NULL)
		return NULL;
	roster->entries[at].thing = NULL;
	roster->count--;
	while (roster->size > 0 && roster->entries[roster->size - 1].thing == NULL)
		roster->size--;
	return thing;
}

void *roster_find(const struct roster *roster, uint64_t id)
{
	size_t at = lower_bound(roster, id);

	return at < roster->size && roster->entries[at].id == id ? roster->entries[at].thing : NULL;
}

void *roster_next(const struct roster *roster, uint64_t *id)
{
	if (*id == UINT64_MAX)
		return NULL;
	for (size_t at = lower_bound(roster, *id + 1); at < roster->size; at++) {
		if (roster->entries[at].thing != NULL) {
			*id = roster->entries[at].id;
			return roster->entries[at].thing;
		}
	}
	return NULL;
}
