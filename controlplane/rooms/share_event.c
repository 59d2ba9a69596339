/* SPDX-License-Identifier: BSD-3-Clause */
/* share.create, and shares that end. */
#include <stdlib.h>
#include <string.h>

#include "controlplane/rooms/catalog.h"
#include "controlplane/rooms/due.h"
#include "controlplane/rooms/outgoing.h"
#include "controlplane/rooms/policy.h"
#include "controlplane/rooms/secret.h"
#include "controlplane/rooms/share_code.h"

#define DAY_MS (24LL * 3600 * 1000)
#define SHARES_A_STEP 256

struct share_create {
	const char *member;
	uint64_t duration_ms;
};

static const struct field share_create_fields[] = {
	{.name = "member", .kind = FIELD_ID, .offset = offsetof(struct share_create, member)},
	{.name = "duration_ms",
		.kind = FIELD_UINT,
		.min = 1,
		.max = 30 * DAY_MS,
		.fallback = 7 * DAY_MS,
		.offset = offsetof(struct share_create, duration_ms)},
	{.name = NULL}};

static struct share *make(
	struct registry *registry, const struct event *event, struct room *room, struct plan *plan)
{
	const struct share_create *create = event_body(event);
	struct share *share = record_make(RECORD_SHARE, registry->next_id);

	if (share == NULL || share_code_mint(registry, share) != 0) {
		record_free(RECORD_SHARE, share);
		verdict_refuse(
			&plan->verdict, VERDICT_UNAVAILABLE, "no memory or no random numbers");
		return NULL;
	}
	registry->next_id++;
	share->room_id = room->put.room_id;
	strncpy(share->actor.text, event->actor, EVENT_ID_MAX);
	strncpy(share->member.text, create->member == NULL ? "" : create->member, EVENT_ID_MAX);
	share->expires_ms = plan->now.wall_ms + (int64_t)create->duration_ms;
	return share;
}

/* Never the code: events are in the log. */
static void announce(
	struct plan *plan, struct registry *registry, struct room *room, const struct share *share)
{
	struct writer writer = {0};

	outgoing_begin(&writer, plan, registry, room, "share.created");
	writer_string(&writer, "actor", share->actor.text);
	writer_id(&writer, "share", share->id);
	writer_string(&writer, "member", share->member.text[0] == '\0' ? NULL : share->member.text);
	writer_int(&writer, "expires_ms", share->expires_ms);
	plan_event_end(plan, registry, room, &writer);
}

static void share_create(struct registry *registry, const struct event *event, struct plan *plan)
{
	struct room *room = event_find_room(registry, event, &plan->verdict);
	struct share *share;

	if (room == NULL || !policy_share(registry, room, event->actor, &plan->verdict))
		return;
	if (room->shares.count >= SHARES_MAX) {
		verdict_refuse(&plan->verdict, VERDICT_CAPACITY,
			"\"%s\" has its %u links and invitations", room->name.text, SHARES_MAX);
		return;
	}
	share = make(registry, event, room, plan);
	if (share == NULL)
		return;
	if (!plan_record(plan, registry, RECORD_SHARE, NULL, share)) {
		record_free(RECORD_SHARE, share);
		return;
	}
	announce(plan, registry, room, share);
	writer_string(&plan->answer, "room", room->name.text);
	writer_id(&plan->answer, "share", share->id);
	writer_mark(&plan->answer, "code", SECRET_MARK_SHARE, share->id);
	if (registry->limits.public_url != NULL)
		writer_mark(&plan->answer, "url", SECRET_MARK_SHARE_URL, share->id);
	writer_int(&plan->answer, "expires_ms", share->expires_ms);
}

bool share_due(struct plan *plan, struct registry *registry)
{
	int64_t next_ms = INT64_MAX;
	unsigned int dropped = 0;
	struct share *share;
	uint64_t id = 0;

	if (plan->now.wall_ms < registry->shares_due_ms)
		return false;
	while (dropped < SHARES_A_STEP &&
		(share = roster_next(&registry->share_roster, &id)) != NULL) {
		if (share->expires_ms > plan->now.wall_ms) {
			next_ms = share->expires_ms < next_ms ? share->expires_ms : next_ms;
			continue;
		}
		if (!plan_record(plan, registry, RECORD_SHARE, share, NULL))
			return false;
		dropped++;
	}
	registry->shares_due_ms = dropped == SHARES_A_STEP ? plan->now.wall_ms : next_ms;
	return dropped > 0;
}

const struct event_type share_event_types[] = {
	{"share.create", share_create_fields, sizeof(struct share_create),
		EVENT_NEEDS_ACTOR | EVENT_NEEDS_ROOM | EVENT_CHANGES | EVENT_PAGE | EVENT_RATED,
		share_create},
	{NULL}};
