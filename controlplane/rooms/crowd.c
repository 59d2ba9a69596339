/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/rooms/crowd.h"

static struct person *of_name(void *name)
{
	return name == NULL ? NULL
			    : (struct person *)((char *)name - offsetof(struct person, name));
}

struct person *crowd_find(const struct crowd *crowd, const char *name)
{
	return of_name(hash_find(&crowd->people, name));
}

struct person *crowd_need(struct crowd *crowd, const char *name)
{
	struct person *person = crowd_find(crowd, name);

	if (person != NULL)
		return person;
	person = crowd->spares;
	if (person == NULL)
		person = calloc(1, sizeof(*person));
	else
		crowd->spares = person->next;
	if (person == NULL)
		return NULL;
	person->next = NULL;
	strncpy(person->name, name, EVENT_ID_MAX);
	if (hash_add(&crowd->people, person->name) == 0)
		return person;
	person->next = crowd->spares;
	crowd->spares = person;
	return NULL;
}

void crowd_fetch(const struct crowd *crowd, const struct user_id *names, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		hash_fetch_slot(&crowd->people, names[i].text);
	for (unsigned int i = 0; i < count; i++)
		hash_fetch_thing(&crowd->people, names[i].text);
	for (unsigned int i = 0; i < count; i++) {
		const struct person *person = crowd_find(crowd, names[i].text);

		if (person != NULL && person->size > 0)
			__builtin_prefetch(&person->followers[person->size - 1]);
	}
}

void crowd_drop(struct crowd *crowd, struct person *person)
{
	if (person->user != NULL || person->members != NULL || person->rooms != NULL ||
		person->count > 0)
		return;
	hash_remove(&crowd->people, person->name);
	memset(person->name, 0, sizeof(person->name));
	person->size = 0;
	person->next = crowd->spares;
	crowd->spares = person;
}

static void person_free(struct person *person)
{
	free(person->followers);
	free(person);
}

void crowd_clear(struct crowd *crowd)
{
	struct person *person;
	size_t position = 0;

	while ((person = of_name(hash_next(&crowd->people, &position))) != NULL)
		person_free(person);
	hash_clear(&crowd->people);
	while ((person = crowd->spares) != NULL) {
		crowd->spares = person->next;
		person_free(person);
	}
}

/* ---- who is in a room ---- */

int crowd_member_link(struct crowd *crowd, struct member *member)
{
	struct person *person = crowd_need(crowd, member->user.text);

	if (person == NULL)
		return -ENOMEM;
	member->person_next = person->members;
	member->person_link = &person->members;
	if (person->members != NULL)
		person->members->person_link = &member->person_next;
	person->members = member;
	return 0;
}

void crowd_member_unlink(struct crowd *crowd, struct member *member)
{
	*member->person_link = member->person_next;
	if (member->person_next != NULL)
		member->person_next->person_link = member->person_link;
	member->person_link = NULL;
	crowd_drop(crowd, crowd_find(crowd, member->user.text));
}

/* ---- who hosts ---- */

static void room_insert(struct person *person, struct room *room)
{
	room->host_next = person->rooms;
	room->host_link = &person->rooms;
	if (person->rooms != NULL)
		person->rooms->host_link = &room->host_next;
	person->rooms = room;
}

int crowd_room_link(struct crowd *crowd, struct room *room)
{
	struct person *person = crowd_need(crowd, room->host.text);

	if (person == NULL)
		return -ENOMEM;
	room_insert(person, room);
	return 0;
}

void crowd_room_unlink(struct crowd *crowd, struct room *room)
{
	*room->host_link = room->host_next;
	if (room->host_next != NULL)
		room->host_next->host_link = room->host_link;
	room->host_link = NULL;
	crowd_drop(crowd, crowd_find(crowd, room->host.text));
}

int crowd_room_move(struct crowd *crowd, struct room *room, const char *host)
{
	struct person *person;

	if (strcmp(room->host.text, host) == 0)
		return 0;
	person = crowd_need(crowd, host);
	if (person == NULL)
		return -ENOMEM;
	crowd_room_unlink(crowd, room);
	room_insert(person, room);
	return 0;
}

/* ---- who follows ---- */

#define HOLE (1ull << 63) /* ids are below: whoever followed comes back to the same place */

/* Position of the first entry with an id of at least `id`. */
static uint32_t lower_bound(const struct person *person, uint64_t id)
{
	uint32_t low = 0, high = person->size;

	/* Records are loaded in the order of their ids. */
	if (high > 0 && (person->followers[high - 1] & ~HOLE) < id)
		return high;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if ((person->followers[middle] & ~HOLE) < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void squeeze(struct person *person)
{
	uint32_t to = 0;

	for (uint32_t from = 0; from < person->size; from++) {
		if (!(person->followers[from] & HOLE))
			person->followers[to++] = person->followers[from];
	}
	person->size = to;
}

/* Cannot fail while there is a hole. */
static int make_room(struct person *person)
{
	uint32_t capacity = person->capacity + person->capacity / 2 + 3;
	uint64_t *followers;

	if (person->size < person->capacity)
		return 0;
	if (person->count < person->size - person->size / 4) {
		squeeze(person);
		return 0;
	}
	followers = realloc(person->followers, capacity * sizeof(followers[0]));
	if (followers != NULL) {
		person->followers = followers;
		person->capacity = capacity;
		return 0;
	}
	if (person->count == person->size)
		return -ENOMEM;
	squeeze(person);
	return 0;
}

int person_follower_add(struct person *person, uint64_t id)
{
	uint32_t at = lower_bound(person, id);

	if (at == person->size || (person->followers[at] & ~HOLE) != id) {
		int rc = make_room(person);

		if (rc != 0)
			return rc;
		at = lower_bound(person, id);
		memmove(&person->followers[at + 1], &person->followers[at],
			(person->size - at) * sizeof(person->followers[0]));
		person->size++;
	} else if (!(person->followers[at] & HOLE)) {
		return 0;
	}
	person->followers[at] = id;
	person->count++;
	return 0;
}

void person_follower_remove(struct person *person, uint64_t id)
{
	uint32_t at = lower_bound(person, id);

	if (at == person->size || person->followers[at] != id)
		return;
	person->followers[at] |= HOLE;
	person->count--;
}

bool person_followed_by(const struct person *person, uint64_t id)
{
	uint32_t at = lower_bound(person, id);

	return at < person->size && person->followers[at] == id;
}

uint64_t person_follower_next(const struct person *person, uint64_t after)
{
	for (uint32_t at = lower_bound(person, after + 1); at < person->size; at++) {
		if (!(person->followers[at] & HOLE))
			return person->followers[at];
	}
	return 0;
}
