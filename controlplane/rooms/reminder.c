/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "controlplane/rooms/reminder.h"
#include "controlplane/rooms/registry.h"

static const struct column reminder_columns[] = {
	{"id", COLUMN_NUMBER, offsetof(struct reminder, id), 0},
	{"room_id", COLUMN_NUMBER, offsetof(struct reminder, room_id), 0},
	{"user", COLUMN_USER, offsetof(struct reminder, user), 0},
	{"before_ms", COLUMN_NUMBER, offsetof(struct reminder, before_ms), 0}, {NULL}};

static int reminder_link(struct registry *registry, void *record)
{
	struct reminder *reminder = record;
	struct room *room = registry_room_by_id(registry, reminder->room_id);

	return room == NULL ? -ENOENT : roster_add(&room->reminders, reminder->id, reminder);
}

static void reminder_unlink(struct registry *registry, void *record)
{
	const struct reminder *reminder = record;
	struct room *room = registry_room_by_id(registry, reminder->room_id);

	if (room != NULL)
		roster_remove(&room->reminders, reminder->id);
}

const struct record_kind reminder_kind = {"reminders", reminder_columns, sizeof(struct reminder),
	reminder_link, reminder_unlink, NULL};
