/* SPDX-License-Identifier: BSD-3-Clause */
/* room.open, room.close, room.get. */
#include <stdlib.h>
#include <string.h>

#include "controlplane/rooms/catalog.h"
#include "controlplane/rooms/due.h"
#include "controlplane/rooms/opening.h"
#include "controlplane/rooms/outgoing.h"
#include "controlplane/rooms/policy.h"
#include "controlplane/rooms/secret.h"

struct room_open {
	struct room_wish wish;
	int group_suite;
	const char *group_key;
};

static const struct field room_open_fields[] = {ROOM_WISH_FIELDS(struct room_open, wish),
	{.name = "group_suite",
		.kind = FIELD_CHOICE,
		.choices = secret_suite_names,
		.fallback = -1,
		.offset = offsetof(struct room_open, group_suite)},
	{.name = "group_key",
		.kind = FIELD_TEXT,
		.min = 1,
		.max = 128,
		.offset = offsetof(struct room_open, group_key)},
	{.name = NULL}};

static bool take_group(struct registry *registry, const struct room_open *open, struct room *room,
	struct verdict *verdict)
{
	unsigned int suite = (unsigned int)(open->group_suite + 1);
	struct stn_master_key *key = &room->put.group_key;

	if (open->group_suite < 0 && open->group_key != NULL)
		return verdict_refuse(
			verdict, VERDICT_INVALID, "group_key: group_suite is missing");
	if (open->group_suite < 0)
		return true;
	room->group_key_known = true;
	if (open->group_key == NULL) {
		if (secret_mint(registry, suite, key) == 0)
			return true;
		return verdict_refuse(verdict, VERDICT_UNAVAILABLE, "no random numbers");
	}
	if (secret_parse(suite, open->group_key, key) == 0)
		return true;
	return verdict_refuse(verdict, VERDICT_INVALID,
		"group_key: not %zu bytes of key and salt in base64 or hex",
		secret_key_size(suite) + secret_salt_size(suite));
}

/* A room that is scheduled has all it needs, except how long it shall be. */
static bool is_bare(const struct room_open *open)
{
	const struct room_wish *wish = &open->wish;

	return wish->title == NULL && wish->topic == NULL && wish->language == NULL &&
	       wish->slots == 0 && wish->capacity == 0 && wish->speakers_max == 0 &&
	       wish->open_floor < 0 && wish->access < 0 && wish->speakers.items == NULL &&
	       wish->cohosts.items == NULL && open->group_suite < 0 && open->group_key == NULL;
}

static void answer_open(struct plan *plan, const struct room *room)
{
	writer_string(&plan->answer, "room", room->name.text);
	writer_id(&plan->answer, "room_id", room->put.room_id);
	writer_string(&plan->answer, "state", room_state_names[room->rules.state]);
	writer_uint(&plan->answer, "slots", room->put.slot_count);
	room_describe_slots(&plan->answer, room);
	if (room->put.group_key.suite != STN_SUITE_NONE)
		writer_mark(&plan->answer, "group_key", SECRET_MARK_GROUP, room->put.room_id);
}

/* Who follows the host now is told, a part at a time; of a room for the invited nobody is. */
static void begin_telling(struct plan *plan, struct registry *registry, struct room_rules *rules)
{
	rules->tell_until = rules->access == ACCESS_INVITED ? 0 : registry->next_id;
	due_wake(registry, plan->now.mono_ns);
}

/* What was planned begins: its end, if it has one, as long after the beginning as was planned. */
static void open_scheduled(
	struct registry *registry, const struct event *event, struct room *room, struct plan *plan)
{
	const struct room_open *open = event_body(event);
	struct audit audit = {.actor = event->actor, .action = "room.open"};
	int64_t duration_ms = (int64_t)open->wish.duration_ms;
	struct room_settings settings;

	if (!is_bare(open)) {
		verdict_refuse(&plan->verdict, VERDICT_INVALID,
			"\"%s\" is scheduled: change it by room.update, then open it",
			room->name.text);
		return;
	}
	plan_room_settings(room, &settings);
	if (duration_ms == 0 && room->end_ms != 0)
		duration_ms = room->end_ms - room->rules.starts_ms;
	settings.end_ms = duration_ms == 0 ? 0 : plan->now.wall_ms + duration_ms;
	settings.opened_ms = plan->now.wall_ms;
	settings.rules.state = ROOM_LIVE;
	begin_telling(plan, registry, &settings.rules);
	if (plan_room_set(plan, room, &settings) && plan_audit(plan, room, &audit) &&
		plan_op(plan, &room->put, sizeof(room->put)))
		opening_announce(plan, registry, room, "room.opened", event->actor);
	answer_open(plan, room);
}

static void open_new(struct registry *registry, const struct event *event, struct plan *plan)
{
	const struct room_open *open = event_body(event);
	struct audit audit = {.actor = event->actor, .action = "room.open"};
	struct room *room = opening_make(registry, event, &open->wish, plan);

	if (room == NULL)
		return;
	room->rules.state = ROOM_LIVE;
	begin_telling(plan, registry, &room->rules);
	room->opened_ms = plan->now.wall_ms;
	if (open->wish.duration_ms != 0)
		room->end_ms = plan->now.wall_ms + (int64_t)open->wish.duration_ms;
	room->put.end_ns = moment_mono(&plan->now, room->end_ms);
	if (!take_group(registry, open, room, &plan->verdict) ||
		!plan_room_add(plan, registry, room)) {
		room_free(room);
		return;
	}
	if (!plan_audit(plan, room, &audit) || !plan_op(plan, &room->put, sizeof(room->put)))
		return;
	opening_announce(plan, registry, room, "room.opened", event->actor);
	answer_open(plan, room);
}

static void room_open(struct registry *registry, const struct event *event, struct plan *plan)
{
	struct room *room = registry_room(registry, event->room);
	bool scheduled = room != NULL && room->rules.state == ROOM_SCHEDULED;

	if (scheduled && policy_hosts(room, event->actor) &&
		!policy_shut_out(registry, room, event->actor)) {
		if (policy_admits(registry, &plan->verdict))
			open_scheduled(registry, event, room, plan);
		return;
	}
	if (!policy_may_host(registry, event->actor, &plan->verdict) ||
		!policy_admits(registry, &plan->verdict))
		return;
	if (room != NULL) {
		verdict_refuse(&plan->verdict, VERDICT_ALREADY_EXISTS, "room \"%s\" is %s",
			event->room, scheduled ? "scheduled by somebody else" : "open");
		return;
	}
	if (opening_fits(registry, &plan->verdict))
		open_new(registry, event, plan);
}

static void room_close(struct registry *registry, const struct event *event, struct plan *plan)
{
	struct room *room = event_find_room(registry, event, &plan->verdict);
	struct audit audit = {.actor = event->actor, .action = "room.close"};

	if (room == NULL || !policy_at_least(registry, room, event->actor, RANK_HOST,
				    "close the room", &plan->verdict))
		return;
	writer_string(&plan->answer, "room", room->name.text);
	if (plan_audit(plan, room, &audit))
		outgoing_room_closed(plan, registry, room, event->actor,
			room->rules.state == ROOM_LIVE ? "closed" : "cancelled");
}

static void room_get(struct registry *registry, const struct event *event, struct plan *plan)
{
	if (event_find_room(registry, event, &plan->verdict) != NULL)
		plan->query = PLAN_QUERY_ROOM;
}

const struct event_type room_event_types[] = {
	{"room.open", room_open_fields, sizeof(struct room_open),
		EVENT_NEEDS_ACTOR | EVENT_NEEDS_ROOM | EVENT_CHANGES, room_open},
	{"room.close", NULL, 0,
		EVENT_NEEDS_ACTOR | EVENT_NEEDS_ROOM | EVENT_CHANGES | EVENT_SAFETY | EVENT_PAGE,
		room_close},
	{"room.get", NULL, 0, EVENT_NEEDS_ROOM | EVENT_PAGE | EVENT_ABROAD, room_get}, {NULL}};
