/* SPDX-License-Identifier: BSD-3-Clause */
/* reaction.send, and the sums that follow. */
#include <stdio.h>
#include <string.h>

#include "controlplane/rooms/catalog.h"
#include "controlplane/rooms/due.h"
#include "controlplane/rooms/outgoing.h"
#include "controlplane/rooms/reaction.h"

#define COUNT_MAX 10 /* of one request: a finger that taps */
#define ROOMS_A_STEP 256

struct reaction_send {
	const char *emoji;
	uint64_t count;
};

static const struct field reaction_send_fields[] = {
	{.name = "emoji",
		.kind = FIELD_TEXT,
		.flags = FIELD_REQUIRED,
		.min = 1,
		.max = REACTION_SIZE - 1,
		.offset = offsetof(struct reaction_send, emoji)},
	{.name = "count",
		.kind = FIELD_UINT,
		.min = 1,
		.max = COUNT_MAX,
		.fallback = 1,
		.offset = offsetof(struct reaction_send, count)},
	{.name = NULL}};

static void refuse_emoji(const struct registry *registry, struct verdict *verdict)
{
	char allowed[160] = "";

	for (uint32_t i = 0; i < registry->limits.reaction_count; i++) {
		size_t used = strlen(allowed);

		/* A whole one or none: half an emoji is not UTF-8. */
		if (used + strlen(registry->limits.reactions[i]) + 2 > sizeof(allowed))
			break;
		snprintf(allowed + used, sizeof(allowed) - used, " %s",
			registry->limits.reactions[i]);
	}
	verdict_refuse(verdict, VERDICT_INVALID, "emoji: must be one of%s", allowed);
}

static void send(struct registry *registry, const struct event *event, struct plan *plan)
{
	const struct reaction_send *body = event_body(event);
	int emoji = reaction_find(registry, body->emoji);
	struct room *room;

	if (emoji < 0) {
		refuse_emoji(registry, &plan->verdict);
		return;
	}
	room = event_find_room(registry, event, &plan->verdict);
	if (room == NULL || event_find_member(room, event->actor, &plan->verdict) == NULL ||
		!plan_reaction(plan, room, (unsigned int)emoji, (uint32_t)body->count))
		return;
	due_wake(registry, room->reactions->flush_ns);
	writer_string(&plan->answer, "room", room->name.text);
	writer_string(&plan->answer, "emoji", body->emoji);
	writer_uint(&plan->answer, "count", body->count);
}

static bool announce(struct plan *plan, const struct registry *registry, struct room *room)
{
	const uint32_t *pending = room->reactions->pending;
	struct writer writer = {0};

	outgoing_begin_live(&writer, &plan->now, room, "room.reactions");
	writer_begin_object(&writer, "counts");
	for (uint32_t i = 0; i < registry->limits.reaction_count; i++) {
		if (pending[i] != 0)
			writer_uint(&writer, registry->limits.reactions[i], pending[i]);
	}
	writer_end_object(&writer);
	reaction_describe(&writer, "total", room);
	writer_uint(&writer, "window_ms", REACTION_WINDOW_MS);
	return plan_live_end(plan, room, &writer);
}

static bool any(const struct reactions *reactions)
{
	for (unsigned int i = 0; i < REACTIONS_MAX; i++) {
		if (reactions->pending[i] != 0)
			return true;
	}
	return false;
}

/* Many rooms in one step: live events need no transaction. Of a room that has ended, or of what was
 * taken back, there is nothing to tell. */
bool reaction_due(struct plan *plan, struct registry *registry)
{
	struct reactions *first;

	for (unsigned int count = 0; count < ROOMS_A_STEP;) {
		first = registry->reacting;
		if (first == NULL)
			break;
		if (first->flush_ns > plan->now.mono_ns) {
			due_wake(registry, first->flush_ns);
			break;
		}
		if (any(first) && registry_room_by_id(registry, first->room->put.room_id) != NULL) {
			if (!announce(plan, registry, first->room))
				return false;
			count++;
		}
		reaction_told(first);
	}
	return plan->change_count > 0;
}

const struct event_type reaction_event_types[] = {
	{"reaction.send", reaction_send_fields, sizeof(struct reaction_send),
		EVENT_NEEDS_ACTOR | EVENT_NEEDS_ROOM | EVENT_PAGE | EVENT_REACTS, send},
	{NULL}};
