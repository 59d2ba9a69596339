/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * moderation.mute, moderation.unmute, moderation.mute_all, moderation.demote, moderation.remove.
 * Who moderates stands above who is moderated, and a mute remembers what it takes to lift it.
 */
#include <string.h>

#include "controlplane/rooms/admission.h"
#include "controlplane/rooms/catalog.h"
#include "controlplane/rooms/exclusion.h"
#include "controlplane/rooms/outgoing.h"
#include "controlplane/rooms/policy.h"
#include "controlplane/rooms/role.h"

#define DURATION_MAX_MS (366LL * 24 * 3600 * 1000)
#define REASON_MAX 256

/* Who may lift a mute. */
enum undo { UNDO_HOSTS, UNDO_MEMBER };

static const char *const undo_names[] = {"hosts", "member", NULL};

struct moderation {
	const char *member, *reason;
	uint64_t duration_ms, until_ms;
	int undo; /* enum undo */
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
	{.name = "undo",
		.kind = FIELD_CHOICE,
		.choices = undo_names,
		.fallback = UNDO_HOSTS,
		.offset = offsetof(struct moderation, undo)},
	{.name = NULL}};

static const struct field mute_all_fields[] = {
	{.name = "reason",
		.kind = FIELD_TEXT,
		.max = REASON_MAX,
		.offset = offsetof(struct moderation, reason)},
	{.name = "undo",
		.kind = FIELD_CHOICE,
		.choices = undo_names,
		.fallback = UNDO_MEMBER,
		.offset = offsetof(struct moderation, undo)},
	{.name = NULL}};

/* Unmute, demote and remove. */
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

/* Whom the actor mutes so, with that rank. */
static void set_terms(struct silence *terms, const char *actor, enum rank rank, int undo)
{
	strncpy(terms->by.text, actor, EVENT_ID_MAX);
	terms->by_rank = undo == UNDO_MEMBER ? RANK_NONE : rank;
}

static void mute(struct registry *registry, const struct event *event, struct plan *plan)
{
	const struct moderation *body = event_body(event);
	struct room *room = event_find_room(registry, event, &plan->verdict);
	struct audit audit = {event->actor, "moderation.mute", body->member, body->reason};
	struct silence terms = {0}, *before;
	enum rank rank;

	if (room == NULL ||
		!policy_mute(registry, room, event->actor, body->member, &plan->verdict) ||
		event_find_member(room, body->member, &plan->verdict) == NULL ||
		!mute_end(body, &plan->now, &terms.until_ms, &plan->verdict))
		return;
	rank = policy_mute_rank(registry, room, event->actor, body->member);
	before = hash_find(&room->silenced, body->member);
	if (before != NULL && before->by_rank > rank) {
		verdict_refuse(&plan->verdict, VERDICT_CONFLICT, "\"%s\" is muted by %s already",
			body->member, policy_rank_name(before->by_rank));
		return;
	}
	set_terms(&terms, event->actor, rank, body->undo);
	answer(plan, room, body->member);
	if (plan_audit(plan, room, &audit))
		outgoing_silence(plan, registry, room, &audit, &terms);
}

static void unmute(struct registry *registry, const struct event *event, struct plan *plan)
{
	const struct moderation *body = event_body(event);
	struct room *room = event_find_room(registry, event, &plan->verdict);
	struct audit audit = {event->actor, "moderation.unmute", body->member, body->reason};
	const struct silence *silence;

	if (room == NULL ||
		!policy_unmute(registry, room, event->actor, body->member, &plan->verdict))
		return;
	silence = hash_find(&room->silenced, body->member);
	if (silence == NULL) {
		if (event_find_member(room, body->member, &plan->verdict) != NULL)
			verdict_refuse(&plan->verdict, VERDICT_CONFLICT, "\"%s\" is not muted",
				body->member);
		return;
	}
	if (!policy_unmute_this(registry, room, event->actor, silence, &plan->verdict))
		return;
	answer(plan, room, body->member);
	if (plan_audit(plan, room, &audit))
		outgoing_silence(plan, registry, room, &audit, NULL);
}

/* Who speaks, is not muted yet, and stands below; never the host. */
static bool to_be_muted(
	const struct registry *registry, const struct member *member, enum rank rank)
{
	const struct room *room = member->room;
	const char *user = member->user.text;

	return (member->role == ROLE_SPEAKER || member->role == ROLE_COHOST) &&
	       strcmp(user, room->host.text) != 0 && hash_find(&room->silenced, user) == NULL &&
	       policy_rank(registry, room, user) < rank;
}

static void mute_all(struct registry *registry, const struct event *event, struct plan *plan)
{
	const struct moderation *body = event_body(event);
	struct room *room = event_find_room(registry, event, &plan->verdict);
	struct audit audit = {event->actor, "moderation.mute_all", NULL, body->reason};
	struct silence terms = {0};
	const struct member *member;
	uint64_t id = 0, count = 0;
	enum rank rank;

	if (room == NULL || !policy_at_least(registry, room, event->actor, RANK_COHOST, "mute all",
				    &plan->verdict))
		return;
	rank = policy_rank(registry, room, event->actor);
	set_terms(&terms, event->actor, rank, body->undo);
	writer_string(&plan->answer, "room", room->name.text);
	writer_begin_array(&plan->answer, "members");
	while ((member = roster_next(&room->roster, &id)) != NULL) {
		if (!to_be_muted(registry, member, rank))
			continue;
		audit.member = member->user.text;
		writer_string(&plan->answer, NULL, audit.member);
		if (!plan_audit(plan, room, &audit) ||
			!outgoing_silence(plan, registry, room, &audit, &terms))
			return;
		count++;
	}
	writer_end_array(&plan->answer);
	writer_uint(&plan->answer, "muted", count);
	if (count == 0)
		plan_audit(plan, room, &audit);
}

static void demote(struct registry *registry, const struct event *event, struct plan *plan)
{
	const struct moderation *body = event_body(event);
	struct room *room = event_find_room(registry, event, &plan->verdict);
	struct audit audit = {event->actor, "moderation.demote", body->member, body->reason};
	struct member *member;

	if (room == NULL || !policy_moderate(registry, room, event->actor, body->member, "demote",
				    &plan->verdict))
		return;
	member = event_find_member(room, body->member, &plan->verdict);
	if (member == NULL)
		return;
	if (member->role == ROLE_LISTENER || member->role == ROLE_HOST) {
		verdict_refuse(&plan->verdict, VERDICT_CONFLICT, "\"%s\" is %s", body->member,
			admission_role_names[member->role]);
		return;
	}
	answer(plan, room, body->member);
	writer_string(&plan->answer, "role", admission_role_names[ROLE_LISTENER]);
	if (plan_audit(plan, room, &audit))
		role_change(plan, registry, member, ROLE_LISTENER, &audit);
}

/* Whose room it was is not to come back: who would inherit it later does now, if anybody would. */
static bool inherit(struct plan *plan, struct registry *registry, struct room *room)
{
	struct member *heir = registry->limits.host_grace_ms == 0 ? NULL : role_heir(room);
	struct audit why = {"stentor", "room.host_changed", NULL, "host removed"};
	struct room_settings settings;

	if (heir == NULL) {
		plan_room_settings(room, &settings);
		settings.rules.host_left = true; /* whoever speaks first */
		return plan_room_set(plan, room, &settings);
	}
	why.member = heir->user.text;
	if (!plan_audit(plan, room, &why))
		return false;
	why.actor = NULL;
	return role_hand_over(plan, registry, heir, &why);
}

static void remove_member(struct registry *registry, const struct event *event, struct plan *plan)
{
	const struct moderation *body = event_body(event);
	struct room *room = event_find_room(registry, event, &plan->verdict);
	struct audit audit = {event->actor, "moderation.remove", body->member, body->reason};

	if (room == NULL ||
		!policy_remove(registry, room, event->actor, body->member, &plan->verdict) ||
		event_find_member(room, body->member, &plan->verdict) == NULL)
		return;
	answer(plan, room, body->member);
	if (plan_audit(plan, room, &audit) &&
		exclusion_begin(plan, registry, room, body->member, false, "removed") &&
		strcmp(room->host.text, body->member) == 0)
		inherit(plan, registry, room);
}

#define CHANGES (EVENT_NEEDS_ACTOR | EVENT_NEEDS_ROOM | EVENT_CHANGES | EVENT_PAGE | EVENT_RATED)

const struct event_type moderation_event_types[] = {
	{"moderation.mute", mute_fields, sizeof(struct moderation), CHANGES | EVENT_SAFETY, mute},
	{"moderation.unmute", moderation_fields, sizeof(struct moderation), CHANGES, unmute},
	{"moderation.mute_all", mute_all_fields, sizeof(struct moderation), CHANGES | EVENT_SAFETY,
		mute_all},
	{"moderation.demote", moderation_fields, sizeof(struct moderation), CHANGES | EVENT_SAFETY,
		demote},
	{"moderation.remove", moderation_fields, sizeof(struct moderation), CHANGES | EVENT_SAFETY,
		remove_member},
	{NULL}};
