/* SPDX-License-Identifier: BSD-3-Clause */
/* audit.list, drain. */
#include "controlplane/rooms/audit_event.h"
#include "controlplane/rooms/outgoing.h"
#include "controlplane/rooms/person.h"
#include "controlplane/rooms/policy.h"

#define ACTION_MAX 64

static const struct field audit_list_fields[] = {
	{.name = "after", .kind = FIELD_ID, .offset = offsetof(struct audit_list, page.after)},
	{.name = "limit",
		.kind = FIELD_UINT,
		.min = 1,
		.max = LIST_LIMIT_MAX,
		.fallback = LIST_LIMIT_FALLBACK,
		.offset = offsetof(struct audit_list, page.limit)},
	{.name = "member", .kind = FIELD_ID, .offset = offsetof(struct audit_list, member)},
	{.name = "by", .kind = FIELD_ID, .offset = offsetof(struct audit_list, by)},
	{.name = "action",
		.kind = FIELD_TEXT,
		.min = 1,
		.max = ACTION_MAX,
		.offset = offsetof(struct audit_list, action)},
	{.name = "from_ms",
		.kind = FIELD_UINT,
		.max = INT64_MAX,
		.offset = offsetof(struct audit_list, from_ms)},
	{.name = "to_ms",
		.kind = FIELD_UINT,
		.max = INT64_MAX,
		.fallback = -1,
		.offset = offsetof(struct audit_list, to_ms)},
	{.name = NULL}};

bool audit_sees_all(const struct registry *registry, const char *actor)
{
	const struct user *user = actor == NULL ? NULL : registry_user(registry, actor);

	return actor == NULL || (user != NULL && user->moderator);
}

static bool may_see(
	const struct registry *registry, const struct event *event, struct verdict *verdict)
{
	const struct room *room;

	if (audit_sees_all(registry, event->actor))
		return true;
	if (event->room == NULL)
		return verdict_refuse(verdict, VERDICT_NOT_ALLOWED,
			"only a moderator of the platform sees what happened in all rooms: name "
			"one "
			"of yours");
	room = event_find_room(registry, event, verdict);
	return room != NULL && policy_at_least(registry, room, event->actor, RANK_COHOST,
				       "see what happened", verdict);
}

static void audit_list(struct registry *registry, const struct event *event, struct plan *plan)
{
	const struct audit_list *list = event_body(event);
	uint64_t after;

	if (!may_see(registry, event, &plan->verdict) ||
		!page_start(&list->page, &after, &plan->verdict))
		return;
	if (list->from_ms > list->to_ms)
		verdict_refuse(&plan->verdict, VERDICT_INVALID, "from_ms: is after to_ms");
	else
		plan->query = PLAN_QUERY_AUDIT;
}

struct drain {
	int on;
};

static const struct field drain_fields[] = {
	{.name = "on", .kind = FIELD_BOOL, .fallback = 1, .offset = offsetof(struct drain, on)},
	{.name = NULL}};

/* Told again what is so already, nothing changes and nobody hears of it. */
static void drain(struct registry *registry, const struct event *event, struct plan *plan)
{
	const struct drain *body = event_body(event);
	struct audit audit = {event->actor, "drain", NULL, body->on ? "on" : "off"};
	struct writer writer = {0};

	writer_bool(&plan->answer, "draining", body->on);
	if (registry->draining == (bool)body->on)
		return;
	if (!plan_drain(plan, registry, body->on) || !plan_audit(plan, NULL, &audit))
		return;
	outgoing_begin(&writer, plan, registry, NULL, "server.draining");
	writer_string(&writer, "actor", event->actor);
	writer_bool(&writer, "on", body->on);
	plan_event_end(plan, registry, NULL, &writer);
}

const struct event_type audit_event_types[] = {
	{"audit.list", audit_list_fields, sizeof(struct audit_list), EVENT_TAKES_ROOM | EVENT_PAGE,
		audit_list},
	{"drain", drain_fields, sizeof(struct drain), EVENT_NEEDS_ACTOR | EVENT_CHANGES, drain},
	{NULL}};
