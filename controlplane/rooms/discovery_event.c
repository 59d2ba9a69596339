/* SPDX-License-Identifier: BSD-3-Clause */
/* room.list. */
#include <stdlib.h>
#include <string.h>

#include "controlplane/rooms/catalog.h"
#include "controlplane/rooms/opening.h"

enum sort { SORT_ID, SORT_SIZE };

struct room_list {
	struct page page;
	int state, sort;
	const char *topic, *language;
	uint64_t min_members, max_members;
};

static const char *const sort_names[] = {"id", "size", NULL};

static const struct field room_list_fields[] = {
	{.name = "after", .kind = FIELD_ID, .offset = offsetof(struct room_list, page.after)},
	{.name = "limit",
		.kind = FIELD_UINT,
		.min = 1,
		.max = LIST_LIMIT_MAX,
		.fallback = LIST_LIMIT_FALLBACK,
		.offset = offsetof(struct room_list, page.limit)},
	{.name = "state",
		.kind = FIELD_CHOICE,
		.choices = room_state_names,
		.fallback = ROOM_LIVE,
		.offset = offsetof(struct room_list, state)},
	{.name = "topic",
		.kind = FIELD_TEXT,
		.max = ROOM_TOPIC_MAX,
		.offset = offsetof(struct room_list, topic)},
	{.name = "language",
		.kind = FIELD_TEXT,
		.max = ROOM_LANGUAGE_SIZE - 1,
		.offset = offsetof(struct room_list, language)},
	{.name = "min_members",
		.kind = FIELD_UINT,
		.max = UINT32_MAX,
		.offset = offsetof(struct room_list, min_members)},
	{.name = "max_members",
		.kind = FIELD_UINT,
		.max = UINT32_MAX,
		.fallback = UINT32_MAX,
		.offset = offsetof(struct room_list, max_members)},
	{.name = "sort",
		.kind = FIELD_CHOICE,
		.choices = sort_names,
		.fallback = SORT_ID,
		.offset = offsetof(struct room_list, sort)},
	{.name = NULL}};

static bool fits(const struct room_list *list, const struct room *room)
{
	return room->rules.state == (enum room_state)list->state &&
	       (list->topic == NULL || strcmp(room->topic, list->topic) == 0) &&
	       (list->language == NULL || strcmp(room->rules.language, list->language) == 0) &&
	       room->roster.count >= list->min_members && room->roster.count <= list->max_members;
}

static const struct room *next_fitting(
	const struct registry *registry, const struct room_list *list, uint64_t *id)
{
	const struct room *room;

	do {
		room = roster_next(&registry->room_roster, id);
	} while (room != NULL && !fits(list, room));
	return room;
}

static void describe(struct writer *writer, const struct room *room)
{
	writer_begin_object(writer, NULL);
	room_describe(writer, room);
	writer_end_object(writer);
}

static void list_by_id(
	const struct registry *registry, const struct room_list *list, struct plan *plan)
{
	const struct room *room = NULL;
	uint64_t id, last;

	if (!page_start(&list->page, &id, &plan->verdict))
		return;
	writer_begin_array(&plan->answer, "rooms");
	for (uint64_t count = 0; count < list->page.limit; count++) {
		room = next_fitting(registry, list, &id);
		if (room == NULL)
			break;
		describe(&plan->answer, room);
	}
	writer_end_array(&plan->answer);
	last = id;
	if (room == NULL || next_fitting(registry, list, &id) == NULL)
		writer_null(&plan->answer, "next");
	else
		writer_id(&plan->answer, "next", last);
}

static int by_size(const void *a, const void *b)
{
	const struct room *one = *(const struct room *const *)a;
	const struct room *other = *(const struct room *const *)b;

	if (one->roster.count != other->roster.count)
		return one->roster.count > other->roster.count ? -1 : 1;
	return one->put.room_id < other->put.room_id ? -1 : 1;
}

/* The biggest first, and those with fewer ids first among equals. Sizes change between two pages,
 * so there is one. */
static void list_by_size(
	const struct registry *registry, const struct room_list *list, struct plan *plan)
{
	const struct room **rooms = calloc(registry->rooms.count + 1, sizeof(*rooms));
	const struct room *room;
	uint64_t id = 0;
	size_t count = 0;

	if (rooms == NULL) {
		verdict_refuse(&plan->verdict, VERDICT_UNAVAILABLE, "out of memory");
		return;
	}
	while ((room = next_fitting(registry, list, &id)) != NULL)
		rooms[count++] = room;
	qsort(rooms, count, sizeof(*rooms), by_size);
	writer_begin_array(&plan->answer, "rooms");
	for (size_t i = 0; i < count && i < list->page.limit; i++)
		describe(&plan->answer, rooms[i]);
	writer_end_array(&plan->answer);
	writer_null(&plan->answer, "next");
	free(rooms);
}

static void room_list(struct registry *registry, const struct event *event, struct plan *plan)
{
	const struct room_list *list = event_body(event);

	if (list->sort == SORT_ID)
		list_by_id(registry, list, plan);
	else if (list->page.after != NULL)
		verdict_refuse(&plan->verdict, VERDICT_INVALID,
			"after: a list by size has no second page");
	else
		list_by_size(registry, list, plan);
}

const struct event_type discovery_event_types[] = {
	{"room.list", room_list_fields, sizeof(struct room_list), EVENT_PAGE, room_list}, {NULL}};
