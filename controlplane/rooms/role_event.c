/* SPDX-License-Identifier: BSD-3-Clause */
/* role.set, and who inherits a room. */
#include <string.h>

#include "controlplane/rooms/admission.h"
#include "controlplane/rooms/catalog.h"
#include "controlplane/rooms/due.h"
#include "controlplane/rooms/policy.h"
#include "controlplane/rooms/role.h"

#define REASON_MAX 256

struct role_set {
	const char *member, *reason;
	int role;
};

static const struct field role_set_fields[] = {{.name = "member",
						       .kind = FIELD_ID,
						       .flags = FIELD_REQUIRED,
						       .offset = offsetof(struct role_set, member)},
	{.name = "role",
		.kind = FIELD_CHOICE,
		.flags = FIELD_REQUIRED,
		.choices = admission_role_names,
		.offset = offsetof(struct role_set, role)},
	{.name = "reason",
		.kind = FIELD_TEXT,
		.max = REASON_MAX,
		.offset = offsetof(struct role_set, reason)},
	{.name = NULL}};

static bool set(struct plan *plan, struct registry *registry, struct member *member,
	enum member_role role, const struct audit *why)
{
	bool hands_over =
		role == ROLE_HOST && strcmp(member->room->host.text, member->user.text) != 0;

	if (member->role == role)
		return verdict_refuse(&plan->verdict, VERDICT_CONFLICT, "\"%s\" is %s already",
			member->user.text, admission_role_names[role]);
	if (member->role == ROLE_HOST)
		return verdict_refuse(&plan->verdict, VERDICT_CONFLICT,
			"\"%s\" is the host: make somebody else the host instead",
			member->user.text);
	if (hands_over)
		return role_may_inherit(registry, member, &plan->verdict) &&
		       plan_audit(plan, member->room, why) &&
		       role_hand_over(plan, registry, member, why);
	return role_fits(registry, member, role, &plan->verdict) &&
	       plan_audit(plan, member->room, why) &&
	       role_change(plan, registry, member, role, why);
}

static void role_set(struct registry *registry, const struct event *event, struct plan *plan)
{
	const struct role_set *body = event_body(event);
	struct room *room = event_find_room(registry, event, &plan->verdict);
	struct audit why = {event->actor, "role.set", body->member, body->reason};
	struct member *member;

	if (room == NULL || !policy_at_least(registry, room, event->actor, RANK_HOST, "give roles",
				    &plan->verdict))
		return;
	member = event_find_member(room, body->member, &plan->verdict);
	if (member == NULL || !set(plan, registry, member, (enum member_role)body->role, &why))
		return;
	writer_string(&plan->answer, "room", room->name.text);
	writer_string(&plan->answer, "member", member->user.text);
	writer_string(&plan->answer, "role", admission_role_names[member->role]);
	role_answer_leg(plan, event, member);
}

static bool inherit(struct plan *plan, struct registry *registry, struct member *heir)
{
	struct audit why = {"stentor", "room.host_changed", heir->user.text, "host left"};

	if (!plan_audit(plan, heir->room, &why))
		return false;
	why.actor = NULL;
	return role_hand_over(plan, registry, heir, &why);
}

bool host_due(struct plan *plan, struct registry *registry)
{
	uint64_t grace_ns = registry->limits.host_grace_ms * 1000000u, id = 0;
	uint64_t next_ns = plan->now.mono_ns + DUE_LOOK_NS;
	struct room *room;

	if (grace_ns == 0)
		return false;
	if (plan->now.mono_ns < registry->host_due_ns) {
		due_wake(registry, registry->host_due_ns);
		return false;
	}
	while ((room = roster_next(&registry->room_roster, &id)) != NULL) {
		uint64_t due_ns = room->host_left_ns + grace_ns;
		struct member *heir;

		if (!room->rules.host_left || room->rules.state != ROOM_LIVE)
			continue;
		if (due_ns <= plan->now.mono_ns) {
			heir = role_heir(room);
			if (heir != NULL)
				return inherit(plan, registry, heir);
			due_ns = plan->now.mono_ns; /* somebody may speak any time */
		}
		if (due_ns < next_ns)
			next_ns = due_ns;
	}
	registry->host_due_ns = next_ns;
	if (next_ns > plan->now.mono_ns)
		due_wake(registry, next_ns);
	return false;
}

const struct event_type role_event_types[] = {
	{"role.set", role_set_fields, sizeof(struct role_set),
		EVENT_NEEDS_ACTOR | EVENT_NEEDS_ROOM | EVENT_CHANGES | EVENT_PAGE | EVENT_RATED,
		role_set},
	{NULL}};
