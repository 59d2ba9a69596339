/* SPDX-License-Identifier: BSD-3-Clause */
/* room.schedule, and rooms that nobody began. */
#include <string.h>

#include "controlplane/rooms/catalog.h"
#include "controlplane/rooms/due.h"
#include "controlplane/rooms/opening.h"
#include "controlplane/rooms/outgoing.h"
#include "controlplane/rooms/policy.h"

struct room_schedule {
	struct room_wish wish;
	uint64_t starts_ms;
};

static const struct field room_schedule_fields[] = {ROOM_WISH_FIELDS(struct room_schedule, wish),
	{.name = "starts_ms",
		.kind = FIELD_UINT,
		.flags = FIELD_REQUIRED,
		.min = 1,
		.max = INT64_MAX,
		.offset = offsetof(struct room_schedule, starts_ms)},
	{.name = NULL}};

static bool within_limit(const struct registry *registry, const char *host, struct verdict *verdict)
{
	uint32_t most = registry->limits.schedules_per_host_max, count = 0;
	const struct room *room;
	uint64_t id = 0;

	while ((room = roster_next(&registry->room_roster, &id)) != NULL)
		count += room->rules.state == ROOM_SCHEDULED && strcmp(room->host.text, host) == 0;
	if (most == 0 || count < most)
		return true;
	return verdict_refuse(verdict, VERDICT_CAPACITY,
		"schedules_per_host_max: \"%s\" has %u rooms scheduled", host, count);
}

static void room_schedule(struct registry *registry, const struct event *event, struct plan *plan)
{
	const struct room_schedule *schedule = event_body(event);
	struct audit audit = {.actor = event->actor, .action = "room.schedule"};
	struct room *room = registry_room(registry, event->room);

	if (!policy_may_host(registry, event->actor, &plan->verdict) ||
		!policy_admits(registry, &plan->verdict) ||
		!opening_start_valid(registry, &plan->now, schedule->starts_ms, &plan->verdict))
		return;
	if (room != NULL) {
		verdict_refuse(&plan->verdict, VERDICT_ALREADY_EXISTS, "room \"%s\" is %s",
			event->room, room->rules.state == ROOM_LIVE ? "open" : "scheduled");
		return;
	}
	if (!opening_fits(registry, &plan->verdict) ||
		!within_limit(registry, event->actor, &plan->verdict))
		return;
	room = opening_make(registry, event, &schedule->wish, plan);
	if (room == NULL)
		return;
	room->rules.state = ROOM_SCHEDULED;
	room->rules.starts_ms = (int64_t)schedule->starts_ms;
	if (schedule->wish.duration_ms != 0)
		room->end_ms = room->rules.starts_ms + (int64_t)schedule->wish.duration_ms;
	if (!plan_room_add(plan, registry, room)) {
		room_free(room);
		return;
	}
	if (plan_audit(plan, room, &audit))
		opening_announce(plan, registry, room, "room.scheduled", event->actor);
	writer_string(&plan->answer, "room", room->name.text);
	writer_id(&plan->answer, "room_id", room->put.room_id);
	writer_string(&plan->answer, "state", room_state_names[room->rules.state]);
	writer_int(&plan->answer, "starts_ms", room->rules.starts_ms);
}

bool schedule_due(struct plan *plan, struct registry *registry)
{
	int64_t late_ms = (int64_t)registry->limits.schedule_late_ms;
	struct room *room;
	uint64_t id = 0;

	while (late_ms != 0 && (room = roster_next(&registry->room_roster, &id)) != NULL) {
		if (room->rules.state == ROOM_SCHEDULED &&
			plan->now.wall_ms - room->rules.starts_ms >= late_ms)
			return outgoing_room_closed(plan, registry, room, NULL, "not_started");
	}
	return false;
}

const struct event_type schedule_event_types[] = {
	{"room.schedule", room_schedule_fields, sizeof(struct room_schedule),
		EVENT_NEEDS_ACTOR | EVENT_NEEDS_ROOM | EVENT_CHANGES, room_schedule},
	{NULL}};
