/* SPDX-License-Identifier: BSD-3-Clause */
/* reminder.set, reminder.cancel, and what they were set for. */
#include <string.h>

#include "controlplane/rooms/catalog.h"
#include "controlplane/rooms/due.h"
#include "controlplane/rooms/outgoing.h"
#include "controlplane/rooms/reminder.h"

#define PART_MAX 500 /* people in one event */

struct reminder_set {
	uint64_t before_ms;
};

static const struct field reminder_set_fields[] = {
	{.name = "before_ms",
		.kind = FIELD_UINT,
		.max = REMINDER_BEFORE_MAX_MS,
		.offset = offsetof(struct reminder_set, before_ms)},
	{.name = NULL}};

/* The reminder as it shall be, not in the registry; NULL with the verdict set. */
static struct reminder *make(struct registry *registry, const struct room *room, const char *user,
	struct verdict *verdict)
{
	const struct reminder *before = reminder_of_user(room, user);
	struct reminder *reminder;

	if (before == NULL && room->reminders.count >= registry->limits.room_members_max) {
		verdict_refuse(verdict, VERDICT_CAPACITY,
			"room_members_max: \"%s\" has %zu reminders", room->name.text,
			room->reminders.count);
		return NULL;
	}
	reminder = before == NULL ? record_make(RECORD_REMINDER, registry->next_id++)
				  : record_copy(RECORD_REMINDER, before);
	if (reminder == NULL) {
		verdict_refuse(verdict, VERDICT_UNAVAILABLE, "out of memory");
		return NULL;
	}
	reminder->room_id = room->put.room_id;
	strncpy(reminder->user.text, user, EVENT_ID_MAX);
	return reminder;
}

static void set(struct registry *registry, const struct event *event, struct plan *plan)
{
	const struct reminder_set *body = event_body(event);
	struct room *room = event_find_room(registry, event, &plan->verdict);
	struct reminder *reminder;

	if (room == NULL)
		return;
	if (room->rules.state != ROOM_SCHEDULED) {
		verdict_refuse(&plan->verdict, VERDICT_CONFLICT, "\"%s\" is live already",
			room->name.text);
		return;
	}
	reminder = make(registry, room, event->actor, &plan->verdict);
	if (reminder == NULL)
		return;
	reminder->before_ms = body->before_ms;
	if (!plan_record(plan, registry, RECORD_REMINDER, reminder_of_user(room, event->actor),
		    reminder)) {
		record_free(RECORD_REMINDER, reminder);
		return;
	}
	writer_string(&plan->answer, "room", room->name.text);
	writer_id(&plan->answer, "reminder", reminder->id);
	writer_int(&plan->answer, "due_ms", reminder_due_ms(room, reminder->before_ms));
}

static void cancel(struct registry *registry, const struct event *event, struct plan *plan)
{
	struct room *room = event_find_room(registry, event, &plan->verdict);
	struct reminder *reminder;

	if (room == NULL)
		return;
	reminder = reminder_of_user(room, event->actor);
	if (reminder == NULL) {
		verdict_refuse(&plan->verdict, VERDICT_NO_SUCH_THING,
			"\"%s\" has no reminder of \"%s\"", event->actor, room->name.text);
		return;
	}
	if (!plan_record(plan, registry, RECORD_REMINDER, reminder, NULL))
		return;
	writer_string(&plan->answer, "room", room->name.text);
	writer_id(&plan->answer, "reminder", reminder->id);
}

/* An event that names them, and they are no more. */
static bool tell(struct plan *plan, struct registry *registry, struct room *room,
	const struct reminder_batch *batch)
{
	int64_t starts_ms =
		room->rules.state == ROOM_LIVE ? room->opened_ms : room->rules.starts_ms;
	struct writer writer = {0};
	struct reminder *reminder;
	uint64_t id = 0;
	bool done = true;

	outgoing_begin(&writer, plan, registry, room, "reminder.due");
	writer_begin_array(&writer, "reminders");
	for (unsigned int i = 0; done && i < PART_MAX; i++) {
		reminder = roster_next(batch->reminders, &id);
		if (reminder == NULL)
			break;
		writer_begin_object(&writer, NULL);
		writer_id(&writer, "reminder", id);
		writer_string(&writer, "user", reminder->user.text);
		writer_end_object(&writer);
		done = plan_record(plan, registry, RECORD_REMINDER, reminder, NULL);
	}
	writer_end_array(&writer);
	writer_int(&writer, "due_ms", batch->due_ms);
	writer_int(&writer, "starts_ms", starts_ms);
	if (done)
		return plan_event_end(plan, registry, room, &writer);
	writer_clear(&writer);
	return false;
}

/* Rooms from where the last call stopped: true with an event of the first that has any due. */
static bool go_round(struct plan *plan, struct registry *registry)
{
	struct reminder_batch batch;
	struct room *room;

	while ((room = roster_next(&registry->room_roster, &registry->reminders_room)) != NULL) {
		if (room->reminder_groups.count == 0)
			continue;
		reminder_sweep(room);
		reminder_next(room, plan->now.wall_ms, &batch);
		if (batch.reminders != NULL) {
			registry->reminders_room--; /* there may be more of it */
			return tell(plan, registry, room, &batch);
		}
		if (batch.due_ms < registry->reminders_least_ms)
			registry->reminders_least_ms = batch.due_ms;
	}
	registry->reminders_ms = registry->reminders_least_ms;
	registry->reminders_room = 0;
	registry->reminders_least_ms = INT64_MAX;
	return false;
}

/* One event a call. A whole round without any sets the time before which nobody has to look; it is
 * begun anew when something was set or moved meanwhile. */
bool reminder_due(struct plan *plan, struct registry *registry)
{
	while (registry->reminders_ms <= plan->now.wall_ms) {
		if (go_round(plan, registry))
			return true;
		if (plan->verdict.code != VERDICT_OK)
			return false;
	}
	if (registry->reminders_ms != INT64_MAX)
		due_wake(registry, moment_mono(&plan->now, registry->reminders_ms));
	return false;
}

const struct event_type reminder_event_types[] = {
	{"reminder.set", reminder_set_fields, sizeof(struct reminder_set),
		EVENT_NEEDS_ACTOR | EVENT_NEEDS_ROOM | EVENT_CHANGES | EVENT_PAGE | EVENT_ABROAD,
		set},
	{"reminder.cancel", NULL, 0,
		EVENT_NEEDS_ACTOR | EVENT_NEEDS_ROOM | EVENT_CHANGES | EVENT_PAGE | EVENT_ABROAD,
		cancel},
	{NULL}};
