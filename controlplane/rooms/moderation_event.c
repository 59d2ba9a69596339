/* SPDX-License-Identifier: BSD-3-Clause */
/* moderation.mute, moderation.unmute, moderation.remove. */
#include "controlplane/rooms/catalog.h"
#include "controlplane/rooms/outgoing.h"
#include "controlplane/rooms/policy.h"

#define DURATION_MAX_MS (366LL * 24 * 3600 * 1000)
#define REASON_MAX 256

struct moderation {
	const char *member, *reason;
	uint64_t duration_ms, until_ms;
};

static const struct field mute_fields[] = {{.name = "member",
						   .kind = FIELD_ID,
						   .flags = FIELD_REQUIRED,
						   .offset = offsetof(struct moderation, member)},
	{.name = "reason",
		.kind = FIELD_TEXT,
		.max = REASON_MAX,
		.offset = offsetof(struct moderation, reason)},
	{.name = "duration_ms",
		.kind = FIELD_UINT,
		.min = 1,
		.max = DURATION_MAX_MS,
		.offset = offsetof(struct moderation, duration_ms)},
	{.name = "until_ms",
		.kind = FIELD_UINT,
		.min = 1,
		.max = INT64_MAX / 2000000,
		.offset = offsetof(struct moderation, until_ms)},
	{.name = NULL}};

/* Unmute and remove. */
static const struct field moderation_fields[] = {
	{.name = "member",
		.kind = FIELD_ID,
		.flags = FIELD_REQUIRED,
		.offset = offsetof(struct moderation, member)},
	{.name = "reason",
		.kind = FIELD_TEXT,
		.max = REASON_MAX,
		.offset = offsetof(struct moderation, reason)},
	{.name = NULL}};

static bool mute_end(const struct moderation *mute, const struct moment *now, int64_t *until_ms,
	struct verdict *verdict)
{
	*until_ms = 0;
	if (mute->duration_ms != 0 && mute->until_ms != 0)
		return verdict_refuse(verdict, VERDICT_INVALID,
			"duration_ms and until_ms: one of them, not both");
	if (mute->duration_ms != 0)
		*until_ms = now->wall_ms + (int64_t)mute->duration_ms;
	else if (mute->until_ms != 0)
		*until_ms = (int64_t)mute->until_ms;
	if (*until_ms != 0 && *until_ms <= now->wall_ms)
		return verdict_refuse(verdict, VERDICT_INVALID,
			"until_ms: %lld is not in the future", (long long)*until_ms);
	return true;
}

static void answer(struct plan *plan, const struct room *room, const char *user)
{
	writer_string(&plan->answer, "room", room->name.text);
	writer_string(&plan->answer, "member", user);
}

static void mute(struct registry *registry, const struct event *event, struct plan *plan)
{
	const struct moderation *body = event_body(event);
	struct room *room = event_find_room(registry, event, &plan->verdict);
	struct audit audit = {event->actor, "moderation.mute", body->member, body->reason};
	int64_t until_ms;

	if (room == NULL || !policy_host(room, event->actor, "mute", &plan->verdict) ||
		event_find_member(room, body->member, &plan->verdict) == NULL ||
		!mute_end(body, &plan->now, &until_ms, &plan->verdict))
		return;
	answer(plan, room, body->member);
	if (plan_audit(plan, room, &audit))
		outgoing_silence(plan, registry, room, &audit, true, until_ms);
}

static void unmute(struct registry *registry, const struct event *event, struct plan *plan)
{
	const struct moderation *body = event_body(event);
	struct room *room = event_find_room(registry, event, &plan->verdict);
	struct audit audit = {event->actor, "moderation.unmute", body->member, body->reason};

	if (room == NULL || !policy_host(room, event->actor, "unmute", &plan->verdict))
		return;
	if (hash_find(&room->silenced, body->member) == NULL) {
		if (event_find_member(room, body->member, &plan->verdict) != NULL)
			verdict_refuse(&plan->verdict, VERDICT_CONFLICT, "\"%s\" is not muted",
				body->member);
		return;
	}
	answer(plan, room, body->member);
	if (plan_audit(plan, room, &audit))
		outgoing_silence(plan, registry, room, &audit, false, 0);
}

static void remove_member(struct registry *registry, const struct event *event, struct plan *plan)
{
	const struct moderation *body = event_body(event);
	struct room *room = event_find_room(registry, event, &plan->verdict);
	struct audit audit = {event->actor, "moderation.remove", body->member, body->reason};
	struct member *member;

	if (room == NULL || !policy_remove(room, event->actor, body->member, &plan->verdict))
		return;
	member = event_find_member(room, body->member, &plan->verdict);
	if (member == NULL)
		return;
	answer(plan, room, body->member);
	if (plan_audit(plan, room, &audit) && plan_exclude(plan, room, body->member))
		outgoing_member_left(plan, registry, member, "removed");
}

const struct event_type moderation_event_types[] = {
	{"moderation.mute", mute_fields, sizeof(struct moderation),
		EVENT_NEEDS_ACTOR | EVENT_NEEDS_ROOM | EVENT_CHANGES | EVENT_SAFETY | EVENT_PAGE |
			EVENT_RATED,
		mute},
	{"moderation.unmute", moderation_fields, sizeof(struct moderation),
		EVENT_NEEDS_ACTOR | EVENT_NEEDS_ROOM | EVENT_CHANGES | EVENT_PAGE | EVENT_RATED,
		unmute},
	{"moderation.remove", moderation_fields, sizeof(struct moderation),
		EVENT_NEEDS_ACTOR | EVENT_NEEDS_ROOM | EVENT_CHANGES | EVENT_SAFETY | EVENT_PAGE |
			EVENT_RATED,
		remove_member},
	{NULL}};
