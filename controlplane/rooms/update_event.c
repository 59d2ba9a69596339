/* SPDX-License-Identifier: BSD-3-Clause */
/* room.update: what of a room may change while it is there, and who changes it. */
#include <string.h>

#include "controlplane/rooms/catalog.h"
#include "controlplane/rooms/due.h"
#include "controlplane/rooms/opening.h"
#include "controlplane/rooms/policy.h"
#include "controlplane/rooms/role.h"
#include "controlplane/rooms/secret.h"
#include "controlplane/rooms/share.h"
#include "controlplane/rooms/ticket.h"

struct room_update {
	const char *title, *topic, *language;
	int open_floor, access;
	uint64_t capacity, speakers_max, starts_ms, slots;
	struct event_list cohosts;
	const char *group_key;
	int group_suite;
};

/* The last three are known only so that the refusal can say why. */
static const struct field room_update_fields[] = {
	{.name = "title",
		.kind = FIELD_TEXT,
		.max = ROOM_TITLE_MAX,
		.offset = offsetof(struct room_update, title)},
	{.name = "topic",
		.kind = FIELD_TEXT,
		.max = ROOM_TOPIC_MAX,
		.offset = offsetof(struct room_update, topic)},
	{.name = "language",
		.kind = FIELD_TEXT,
		.max = ROOM_LANGUAGE_SIZE - 1,
		.offset = offsetof(struct room_update, language)},
	{.name = "speakers_max",
		.kind = FIELD_UINT,
		.min = 1,
		.max = UINT32_MAX,
		.offset = offsetof(struct room_update, speakers_max)},
	{.name = "open_floor",
		.kind = FIELD_BOOL,
		.fallback = -1,
		.offset = offsetof(struct room_update, open_floor)},
	{.name = "access",
		.kind = FIELD_CHOICE,
		.choices = room_access_names,
		.fallback = -1,
		.offset = offsetof(struct room_update, access)},
	{.name = "capacity",
		.kind = FIELD_UINT,
		.min = 1,
		.max = UINT32_MAX,
		.offset = offsetof(struct room_update, capacity)},
	{.name = "cohosts",
		.kind = FIELD_IDS,
		.max = ROOM_COHOSTS_MAX,
		.offset = offsetof(struct room_update, cohosts)},
	{.name = "starts_ms",
		.kind = FIELD_UINT,
		.min = 1,
		.max = INT64_MAX,
		.offset = offsetof(struct room_update, starts_ms)},
	{.name = "slots",
		.kind = FIELD_UINT,
		.min = 1,
		.max = STN_SLOTS_MAX,
		.offset = offsetof(struct room_update, slots)},
	{.name = "group_key",
		.kind = FIELD_TEXT,
		.min = 1,
		.max = 128,
		.offset = offsetof(struct room_update, group_key)},
	{.name = "group_suite",
		.kind = FIELD_CHOICE,
		.choices = secret_suite_names,
		.fallback = -1,
		.offset = offsetof(struct room_update, group_suite)},
	{.name = NULL}};

/* Who comes in, and when, is the host's; what it is about is a cohost's as well. */
static bool may_change(const struct registry *registry, const struct room *room,
	const struct event *event, struct verdict *verdict)
{
	const struct room_update *update = event_body(event);
	bool doors = update->open_floor >= 0 || update->access >= 0 || update->capacity != 0 ||
		     update->cohosts.items != NULL || update->starts_ms != 0;

	if (!doors)
		return policy_at_least(
			registry, room, event->actor, RANK_COHOST, "change the room", verdict);
	return policy_at_least(registry, room, event->actor, RANK_HOST,
		"change open_floor, access, capacity, cohosts or starts_ms", verdict);
}

static bool immutable_kept(
	const struct room_update *update, const struct room *room, struct verdict *verdict)
{
	if (update->slots != 0 && update->slots != room->put.slot_count)
		return verdict_refuse(verdict, VERDICT_CONFLICT,
			"slots: stays %u for the life of the room", room->put.slot_count);
	if (update->group_key != NULL || update->group_suite >= 0)
		return verdict_refuse(verdict, VERDICT_CONFLICT,
			"group_key and group_suite are fixed when the room is opened");
	if (update->starts_ms != 0 && room->rules.state == ROOM_LIVE)
		return verdict_refuse(verdict, VERDICT_CONFLICT, "starts_ms: \"%s\" has started",
			room->name.text);
	if (update->access >= 0 && update->access != ACCESS_TICKETED && room->offer != NULL &&
		room->offer->issued > 0)
		return verdict_refuse(verdict, VERDICT_CONFLICT,
			"access: %u have a ticket; refund them first", room->offer->issued);
	return true;
}

static bool change_facts(struct plan *plan, struct registry *registry, struct room *room,
	const struct room_update *update)
{
	struct room_settings settings;
	struct room_rules *rules = &settings.rules;

	plan_room_settings(room, &settings);
	if (update->title != NULL)
		strcpy(settings.title, update->title);
	if (update->topic != NULL)
		strcpy(settings.topic, update->topic);
	if (update->language != NULL)
		strcpy(rules->language, update->language);
	if (update->speakers_max != 0)
		rules->speakers_max = opening_speakers_max(registry, update->speakers_max);
	if (update->open_floor >= 0)
		settings.open_floor = update->open_floor;
	if (update->access >= 0)
		rules->access = (enum room_access)update->access;
	if (update->capacity != 0)
		settings.capacity = opening_capacity(registry, update->capacity);
	if (update->starts_ms != 0) {
		/* As long as it was to be; reminders come before the start, wherever that is. */
		if (settings.end_ms != 0)
			settings.end_ms += (int64_t)update->starts_ms - rules->starts_ms;
		rules->starts_ms = (int64_t)update->starts_ms;
		due_wake(registry, plan->now.mono_ns);
	}
	return plan_room_set(plan, room, &settings);
}

/*
 * A door that was shut is not opened by what others than hosts gave away before, and nothing is for
 * sale at one that stands open.
 */
static bool change_door(struct plan *plan, struct registry *registry, struct room *room)
{
	bool closed = room->rules.access == ACCESS_INVITED || room->rules.access == ACCESS_TICKETED;
	struct share *share;
	uint64_t id = 0;

	if (room->rules.access != ACCESS_TICKETED && room->offer != NULL &&
		!plan_record(plan, registry, RECORD_OFFER, room->offer, NULL))
		return false;
	while (closed && (share = roster_next(&room->shares, &id)) != NULL) {
		if (policy_rank(registry, room, share->actor.text) < RANK_COHOST &&
			!plan_record(plan, registry, RECORD_SHARE, share, NULL))
			return false;
	}
	return true;
}

static bool is_named(const struct room_rules *rules, const char *user)
{
	for (uint32_t i = 0; i < rules->cohost_count; i++) {
		if (strcmp(rules->cohosts[i].text, user) == 0)
			return true;
	}
	return false;
}

/* from ROLE_COUNT: whatever they are. */
static bool change_role(struct plan *plan, struct room *room, const char *user,
	enum member_role from, enum member_role to, const char *actor)
{
	struct member *member = registry_member(room, user);
	struct audit why = {.actor = actor};

	if (member == NULL || (from != ROLE_COUNT && member->role != from) || member->role == to)
		return true;
	return role_fits(room->registry, member, to, &plan->verdict) &&
	       role_change(plan, room->registry, member, to, &why);
}

/* Those who are in the room change with the list: a cohost named no more is a speaker. */
static bool change_cohosts(
	struct plan *plan, struct room *room, const struct event_list *ids, const char *actor)
{
	struct room_rules before = room->rules;
	struct room_settings settings;
	bool done = true;

	plan_room_settings(room, &settings);
	opening_cohosts(ids, &room->host, &settings.rules);
	for (uint32_t i = 0; done && i < before.cohost_count; i++) {
		if (!is_named(&settings.rules, before.cohosts[i].text))
			done = change_role(plan, room, before.cohosts[i].text, ROLE_COHOST,
				ROLE_SPEAKER, actor);
	}
	done = done && plan_room_set(plan, room, &settings);
	for (uint32_t i = 0; done && i < settings.rules.cohost_count; i++) {
		const char *user = settings.rules.cohosts[i].text;

		if (!is_named(&before, user))
			done = change_role(plan, room, user, ROLE_COUNT, ROLE_COHOST, actor);
	}
	return done;
}

static void room_update(struct registry *registry, const struct event *event, struct plan *plan)
{
	const struct room_update *update = event_body(event);
	struct room *room = event_find_room(registry, event, &plan->verdict);
	struct audit audit = {.actor = event->actor, .action = "room.update"};

	if (room == NULL || !may_change(registry, room, event, &plan->verdict) ||
		!opening_language_valid(update->language, &plan->verdict) ||
		!immutable_kept(update, room, &plan->verdict))
		return;
	if (update->starts_ms != 0 &&
		!opening_start_valid(registry, &plan->now, update->starts_ms, &plan->verdict))
		return;
	if (!change_facts(plan, registry, room, update) ||
		(update->cohosts.items != NULL &&
			!change_cohosts(plan, room, &update->cohosts, event->actor)) ||
		(update->access >= 0 && !change_door(plan, registry, room)))
		return;
	if (plan_audit(plan, room, &audit))
		opening_announce(plan, registry, room, "room.updated", event->actor);
	room_describe(&plan->answer, room);
}

const struct event_type update_event_types[] = {
	{"room.update", room_update_fields, sizeof(struct room_update),
		EVENT_NEEDS_ACTOR | EVENT_NEEDS_ROOM | EVENT_CHANGES | EVENT_PAGE, room_update},
	{NULL}};
