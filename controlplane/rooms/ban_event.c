/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * moderation.ban, moderation.unban. A ban is the host's, of a user, from all their rooms, those to
 * come as well. It is one plan over many rooms: the user is out of all of them, or of none. Each
 * room keeps an exclusion too, so that the ban goes on in a room that somebody else inherits.
 */
#include <string.h>

#include "controlplane/rooms/ban.h"
#include "controlplane/rooms/catalog.h"
#include "controlplane/rooms/exclusion.h"
#include "controlplane/rooms/outgoing.h"
#include "controlplane/rooms/policy.h"

struct ban_request {
	const char *member, *reason;
};

static const struct field ban_fields[] = {{.name = "member",
						  .kind = FIELD_ID,
						  .flags = FIELD_REQUIRED,
						  .offset = offsetof(struct ban_request, member)},
	{.name = "reason",
		.kind = FIELD_TEXT,
		.max = BAN_REASON_SIZE - 1,
		.offset = offsetof(struct ban_request, reason)},
	{.name = NULL}};

/* The next room of that host, or NULL. */
static struct room *next_room(
	const struct registry *registry, const struct user_id *host, uint64_t *id)
{
	struct room *room;

	do
		room = roster_next(&registry->room_roster, id);
	while (room != NULL && strcmp(room->host.text, host->text) != 0);
	return room;
}

static bool announce(struct plan *plan, struct registry *registry, struct room *room,
	const struct audit *why, const char *type)
{
	struct writer writer = {0};

	outgoing_begin(&writer, plan, registry, room, type);
	writer_string(&writer, "actor", why->actor);
	writer_string(&writer, "member", why->member);
	writer_string(&writer, "host", room->host.text);
	writer_string(&writer, "reason", why->reason);
	return plan_event_end(plan, registry, room, &writer);
}

static bool remember(struct plan *plan, struct registry *registry, const struct room *room,
	const struct audit *why)
{
	struct ban *ban = record_make(RECORD_BAN, registry->next_id++);

	if (ban == NULL)
		return verdict_refuse(&plan->verdict, VERDICT_UNAVAILABLE, "out of memory");
	ban->host = room->host;
	strncpy(ban->user.text, why->member, EVENT_ID_MAX);
	strncpy(ban->actor.text, why->actor, EVENT_ID_MAX);
	if (why->reason != NULL)
		strncpy(ban->reason, why->reason, BAN_REASON_SIZE - 1);
	ban->at_ms = plan->now.wall_ms;
	if (plan_record(plan, registry, RECORD_BAN, NULL, ban))
		return true;
	record_free(RECORD_BAN, ban);
	return false;
}

/* Out of every room of the host; those they were in are named in the answer. */
static void shut_out(struct plan *plan, struct registry *registry, const struct room *room,
	const struct audit *why)
{
	const struct user_id host = room->host;
	struct room *each;
	uint64_t id = 0;

	writer_string(&plan->answer, "room", room->name.text);
	writer_string(&plan->answer, "member", why->member);
	writer_string(&plan->answer, "host", host.text);
	writer_begin_array(&plan->answer, "rooms");
	while ((each = next_room(registry, &host, &id)) != NULL) {
		if (registry_member(each, why->member) != NULL)
			writer_string(&plan->answer, NULL, each->name.text);
		if (!exclusion_begin(plan, registry, each, why->member, true, "banned"))
			return;
	}
	writer_end_array(&plan->answer);
}

static void ban(struct registry *registry, const struct event *event, struct plan *plan)
{
	const struct ban_request *body = event_body(event);
	struct room *room = event_find_room(registry, event, &plan->verdict);
	struct audit why = {event->actor, "moderation.ban", body->member, body->reason};

	if (room == NULL || !policy_ban(registry, room, event->actor, body->member, &plan->verdict))
		return;
	if (registry_ban(registry, room->host.text, body->member) != NULL) {
		verdict_refuse(&plan->verdict, VERDICT_ALREADY_EXISTS,
			"\"%s\" is banned from the rooms of \"%s\"", body->member, room->host.text);
		return;
	}
	if (registry->ban_roster.count >= BANS_MAX) {
		verdict_refuse(&plan->verdict, VERDICT_CAPACITY, "there are %d bans", BANS_MAX);
		return;
	}
	if (plan_audit(plan, room, &why) && remember(plan, registry, room, &why) &&
		announce(plan, registry, room, &why, "moderation.banned"))
		shut_out(plan, registry, room, &why);
}

/* In the room it was asked in, too: a ban by who had the room before may be on record there only.
 */
static bool let_in(
	struct plan *plan, struct registry *registry, struct room *room, const char *user)
{
	const struct user_id host = room->host;
	uint64_t id = 0;

	for (; room != NULL; room = next_room(registry, &host, &id)) {
		if (!exclusion_lift(plan, room, user))
			return false;
	}
	return true;
}

static void unban(struct registry *registry, const struct event *event, struct plan *plan)
{
	const struct ban_request *body = event_body(event);
	struct room *room = event_find_room(registry, event, &plan->verdict);
	struct audit why = {event->actor, "moderation.unban", body->member, body->reason};
	const struct exclusion *exclusion;
	struct ban *ban;

	if (room == NULL || !policy_at_least(registry, room, event->actor, RANK_HOST, "lift a ban",
				    &plan->verdict))
		return;
	exclusion = hash_find(&room->excluded, body->member);
	ban = registry_ban(registry, room->host.text, body->member);
	if (ban == NULL && (exclusion == NULL || !exclusion->banned)) {
		verdict_refuse(&plan->verdict, VERDICT_NO_SUCH_THING,
			"\"%s\" is not banned from the rooms of \"%s\"", body->member,
			room->host.text);
		return;
	}
	writer_string(&plan->answer, "room", room->name.text);
	writer_string(&plan->answer, "member", body->member);
	writer_string(&plan->answer, "host", room->host.text);
	if (plan_audit(plan, room, &why) &&
		(ban == NULL || plan_record(plan, registry, RECORD_BAN, ban, NULL)) &&
		let_in(plan, registry, room, body->member))
		announce(plan, registry, room, &why, "moderation.unbanned");
}

#define CHANGES (EVENT_NEEDS_ACTOR | EVENT_NEEDS_ROOM | EVENT_CHANGES | EVENT_PAGE | EVENT_RATED)

const struct event_type ban_event_types[] = {
	{"moderation.ban", ban_fields, sizeof(struct ban_request), CHANGES | EVENT_SAFETY, ban},
	{"moderation.unban", ban_fields, sizeof(struct ban_request), CHANGES, unban}, {NULL}};
