/* SPDX-License-Identifier: BSD-3-Clause */
/* timeline.get: the bubbles on top of somebody's timeline. */
#include <stdlib.h>
#include <string.h>

#include "controlplane/rooms/admission.h"
#include "controlplane/rooms/catalog.h"
#include "controlplane/rooms/opening.h"
#include "controlplane/rooms/person.h"
#include "controlplane/rooms/policy.h"

#define BUBBLES_FALLBACK 20
#define BUBBLES_MAX 100
#define NAMED_MAX 5 /* of those followed, in a bubble */

struct timeline_get {
	uint64_t limit;
};

static const struct field timeline_get_fields[] = {
	{.name = "limit",
		.kind = FIELD_UINT,
		.min = 1,
		.max = BUBBLES_MAX,
		.fallback = BUBBLES_FALLBACK,
		.offset = offsetof(struct timeline_get, limit)},
	{.name = NULL}};

/* Somebody followed: in a live room, or the host of one that is scheduled. */
struct sighting {
	const struct room *room;
	const char *user;
	enum member_role role;
};

struct sightings {
	struct sighting *items;
	size_t count, capacity;
};

/* A room with all its sightings. */
struct bubble {
	const struct room *room;
	const struct sighting *first;
	size_t count;
	uint64_t score;
};

static const unsigned int weight[ROLE_COUNT] = {
	[ROLE_HOST] = 8, [ROLE_COHOST] = 6, [ROLE_SPEAKER] = 4, [ROLE_LISTENER] = 1};

static bool note(
	struct sightings *all, const struct room *room, const char *user, enum member_role role)
{
	if (all->count == all->capacity) {
		size_t capacity = all->capacity == 0 ? 32 : 2 * all->capacity;
		struct sighting *items = realloc(all->items, capacity * sizeof(*items));

		if (items == NULL)
			return false;
		all->items = items;
		all->capacity = capacity;
	}
	all->items[all->count++] = (struct sighting){room, user, role};
	return true;
}

static bool note_person(struct sightings *all, const struct person *person)
{
	for (const struct member *m = person->members; m != NULL; m = m->person_next) {
		if (!note(all, m->room, person->name, m->role))
			return false;
	}
	for (const struct room *room = person->rooms; room != NULL; room = room->host_next) {
		if (room->rules.state == ROOM_SCHEDULED &&
			!note(all, room, person->name, ROLE_HOST))
			return false;
	}
	return true;
}

/* Where everybody is whom the user follows: the index knows, no room is walked. */
static bool look_around(
	const struct registry *registry, const struct user *user, struct sightings *all)
{
	const char *at = user == NULL ? NULL : user->follows;
	struct user_id name;

	while (user_follow_next(&at, &name)) {
		const struct person *person = registry_person(registry, name.text);

		if (person != NULL && !note_person(all, person))
			return false;
	}
	return true;
}

/* Rooms together, in each the most important first. */
static int by_room(const void *a, const void *b)
{
	const struct sighting *one = a, *other = b;

	if (one->room != other->room)
		return one->room->put.room_id < other->room->put.room_id ? -1 : 1;
	if (one->role != other->role)
		return weight[one->role] > weight[other->role] ? -1 : 1;
	return strcmp(one->user, other->user);
}

static int by_rank(const void *a, const void *b)
{
	const struct bubble *one = a, *other = b;
	const struct room *r = one->room, *s = other->room;

	if (r->rules.state != s->rules.state)
		return r->rules.state == ROOM_LIVE ? -1 : 1;
	if (r->rules.state == ROOM_LIVE && one->score != other->score)
		return one->score > other->score ? -1 : 1;
	if (r->rules.state == ROOM_LIVE && r->roster.count != s->roster.count)
		return r->roster.count > s->roster.count ? -1 : 1;
	if (r->rules.state == ROOM_SCHEDULED && r->rules.starts_ms != s->rules.starts_ms)
		return r->rules.starts_ms < s->rules.starts_ms ? -1 : 1;
	return r->put.room_id < s->put.room_id ? -1 : r->put.room_id > s->put.room_id;
}

/* Nobody is shown a room they were put out of, nor one for the invited if they are not. */
static bool is_shown(const struct registry *registry, const struct room *room, const char *actor,
	const struct moment *now)
{
	const struct join join = {
		.room = room, .actor = actor, .user = actor, .now_ms = now->wall_ms};
	struct verdict ignored;

	if (room->rules.access == ACCESS_INVITED)
		return policy_join(registry, &join, &ignored);
	return !policy_shut_out(registry, room, actor);
}

/* As many bubbles as rooms, ranked; NULL: no memory. */
static struct bubble *blow(struct registry *registry, const char *actor, const struct plan *plan,
	const struct sightings *all, size_t *count)
{
	struct bubble *bubbles = calloc(all->count + 1, sizeof(*bubbles)), *bubble = NULL;

	*count = 0;
	if (bubbles == NULL)
		return NULL;
	for (size_t i = 0; i < all->count; i++) {
		const struct sighting *s = &all->items[i];

		if (i == 0 || s->room != all->items[i - 1].room) {
			bubble = NULL;
			if (is_shown(registry, s->room, actor, &plan->now)) {
				bubble = &bubbles[(*count)++];
				*bubble = (struct bubble){.room = s->room, .first = s};
			}
		}
		if (bubble == NULL)
			continue;
		bubble->count++;
		bubble->score += weight[s->role];
	}
	qsort(bubbles, *count, sizeof(*bubbles), by_rank);
	return bubbles;
}

static void describe(struct writer *writer, const struct bubble *bubble)
{
	const struct room *room = bubble->room;
	bool live = room->rules.state == ROOM_LIVE;

	writer_begin_object(writer, NULL);
	writer_string(writer, "room", room->name.text);
	writer_string(writer, "title", room->title);
	writer_string(writer, "topic", room->topic);
	writer_string(writer, "language", room->rules.language);
	writer_string(writer, "state", room_state_names[room->rules.state]);
	writer_string(writer, "host", room->host.text);
	writer_string(writer, "access", room_access_names[room->rules.access]);
	writer_uint(writer, "members", room->roster.count);
	writer_uint(writer, "listeners", room->listeners);
	writer_uint(writer, "speakers", room->speaking_members);
	writer_int(writer, live ? "opened_ms" : "starts_ms",
		live ? room->opened_ms : room->rules.starts_ms);
	writer_uint(writer, "score", bubble->score);
	writer_begin_array(writer, "who");
	for (size_t i = 0; i < bubble->count && i < NAMED_MAX; i++) {
		writer_begin_object(writer, NULL);
		writer_string(writer, "user", bubble->first[i].user);
		writer_string(writer, "role", admission_role_names[bubble->first[i].role]);
		writer_end_object(writer);
	}
	writer_end_array(writer);
	writer_uint(writer, "followed", bubble->count);
	writer_end_object(writer);
}

static void timeline_get(struct registry *registry, const struct event *event, struct plan *plan)
{
	const struct timeline_get *body = event_body(event);
	const struct user *user = registry_user(registry, event->actor);
	struct bubble *bubbles = NULL;
	struct sightings all = {0};
	size_t count = 0;

	if (look_around(registry, user, &all)) {
		if (all.count > 0)
			qsort(all.items, all.count, sizeof(all.items[0]), by_room);
		bubbles = blow(registry, event->actor, plan, &all, &count);
	}
	if (bubbles == NULL)
		verdict_refuse(&plan->verdict, VERDICT_UNAVAILABLE, "out of memory");
	writer_begin_array(&plan->answer, "bubbles");
	for (size_t i = 0; i < count && i < body->limit; i++)
		describe(&plan->answer, &bubbles[i]);
	writer_end_array(&plan->answer);
	free(bubbles);
	free(all.items);
}

const struct event_type timeline_event_types[] = {
	{"timeline.get", timeline_get_fields, sizeof(struct timeline_get),
		EVENT_NEEDS_ACTOR | EVENT_PAGE, timeline_get},
	{NULL}};
