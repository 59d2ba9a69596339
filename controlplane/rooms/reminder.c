/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/rooms/reminder.h"

#define SECOND_MS 1000
#define GROUPS_SPARE 8 /* so many empty ones are no reason to sweep */

static const struct column reminder_columns[] = {
	{"id", COLUMN_NUMBER, offsetof(struct reminder, id), 0},
	{"room_id", COLUMN_NUMBER, offsetof(struct reminder, room_id), 0},
	{"user", COLUMN_USER, offsetof(struct reminder, user), 0},
	{"before_ms", COLUMN_NUMBER, offsetof(struct reminder, before_ms), 0}, {NULL}};

/* The place of a group among the room's: who is told earlier comes first. */
static uint64_t place_of(uint64_t before_ms)
{
	return REMINDER_BEFORE_MAX_MS - before_ms + 1;
}

static struct roster *roster_of(struct reminder_group *group, uint64_t id)
{
	return group->seconds == NULL ? &group->all : &group->seconds[id % REMINDER_SPREAD_S];
}

static void group_free(struct reminder_group *group)
{
	for (unsigned int i = 0; group->seconds != NULL && i < REMINDER_SPREAD_S; i++)
		roster_clear(&group->seconds[i]);
	free(group->seconds);
	roster_clear(&group->all);
	free(group);
}

static struct reminder_group *group_make(struct room *room, uint64_t before_ms)
{
	struct reminder_group *group = calloc(1, sizeof(*group));

	if (group == NULL)
		return NULL;
	group->before_ms = before_ms;
	if (roster_add(&room->reminder_groups, place_of(before_ms), group) == 0)
		return group;
	free(group);
	return NULL;
}

/* They have become many: from now on by second. 0 or -ENOMEM with nothing changed. */
static int split(struct reminder_group *group)
{
	struct roster *seconds = calloc(REMINDER_SPREAD_S, sizeof(*seconds));
	struct reminder *reminder;
	uint64_t id = 0;
	int rc = seconds == NULL ? -ENOMEM : 0;

	while (rc == 0 && (reminder = roster_next(&group->all, &id)) != NULL)
		rc = roster_add(&seconds[id % REMINDER_SPREAD_S], id, reminder);
	if (rc == 0) {
		roster_clear(&group->all);
		group->seconds = seconds;
		return 0;
	}
	for (unsigned int i = 0; seconds != NULL && i < REMINDER_SPREAD_S; i++)
		roster_clear(&seconds[i]);
	free(seconds);
	return rc;
}

static bool many(const struct room *room, size_t count)
{
	uint32_t most = room->registry->limits.reminder_spread_min;

	return most != 0 && count > most;
}

static int group_add(struct room *room, struct reminder *reminder)
{
	struct reminder_group *group =
		roster_find(&room->reminder_groups, place_of(reminder->before_ms));
	int rc;

	if (group == NULL)
		group = group_make(room, reminder->before_ms);
	if (group == NULL)
		return -ENOMEM;
	rc = group->seconds == NULL && many(room, group->count + 1) ? split(group) : 0;
	if (rc == 0)
		rc = roster_add(roster_of(group, reminder->id), reminder->id, reminder);
	if (rc != 0)
		return rc;
	if (group->count++ == 0)
		group->begun_ms = 0; /* it begins anew, whatever was in it before */
	return 0;
}

static void group_remove(struct room *room, const struct reminder *reminder)
{
	struct reminder_group *group =
		roster_find(&room->reminder_groups, place_of(reminder->before_ms));

	roster_remove(roster_of(group, reminder->id), reminder->id);
	group->count--;
	/* Setting and cancelling leaves empty ones behind: let somebody look. */
	if (room->reminder_groups.count > 2 * room->reminders.count + GROUPS_SPARE)
		reminder_moved(room->registry);
}

/* Perhaps earlier than all that are known, or than those the round has come by. */
static void expect(struct registry *registry, int64_t due_ms)
{
	if (due_ms < registry->reminders_ms)
		registry->reminders_ms = due_ms;
	if (due_ms < registry->reminders_least_ms)
		registry->reminders_least_ms = due_ms;
}

static int reminder_link(struct registry *registry, void *record)
{
	struct reminder *reminder = record;
	struct room *room = registry_room_by_id(registry, reminder->room_id);
	int rc;

	if (room == NULL)
		return -ENOENT;
	if (reminder->before_ms > REMINDER_BEFORE_MAX_MS)
		return -EIO;
	rc = hash_add(&room->reminded, reminder->user.text);
	if (rc != 0)
		return rc;
	rc = roster_add(&room->reminders, reminder->id, reminder);
	if (rc != 0)
		goto unname;
	rc = group_add(room, reminder);
	if (rc != 0)
		goto unlist;
	expect(registry, reminder_due_ms(room, reminder->before_ms));
	return 0;
unlist:
	roster_remove(&room->reminders, reminder->id);
unname:
	hash_remove(&room->reminded, reminder->user.text);
	return rc;
}

static void reminder_unlink(struct registry *registry, void *record)
{
	const struct reminder *reminder = record;
	struct room *room = registry_room_by_id(registry, reminder->room_id);

	if (room == NULL)
		return;
	hash_remove(&room->reminded, reminder->user.text);
	roster_remove(&room->reminders, reminder->id);
	group_remove(room, reminder);
}

const struct record_kind reminder_kind = {"reminders", reminder_columns, sizeof(struct reminder),
	reminder_link, reminder_unlink, NULL};

struct reminder *reminder_of_user(const struct room *room, const char *user)
{
	char *found = hash_find(&room->reminded, user);

	return found == NULL ? NULL : (struct reminder *)(found - offsetof(struct reminder, user));
}

int64_t reminder_due_ms(const struct room *room, uint64_t before_ms)
{
	return room->rules.state == ROOM_LIVE ? room->opened_ms
					      : room->rules.starts_ms - (int64_t)before_ms;
}

/* A group that has begun: what of it is due, or when something will be. */
static void next_in_group(
	const struct reminder_group *group, int64_t wall_ms, struct reminder_batch *batch)
{
	if (group->seconds == NULL) {
		batch->reminders = &group->all;
		return;
	}
	for (unsigned int i = 0; i < REMINDER_SPREAD_S; i++) {
		int64_t at_ms = group->begun_ms + (int64_t)i * SECOND_MS;

		if (group->seconds[i].count == 0)
			continue;
		if (!group->spread || at_ms <= wall_ms)
			batch->reminders = &group->seconds[i];
		else if (at_ms < batch->due_ms)
			batch->due_ms = at_ms;
		return;
	}
}

void reminder_next(struct room *room, int64_t wall_ms, struct reminder_batch *batch)
{
	struct reminder_group *group;
	uint64_t place = 0;

	*batch = (struct reminder_batch){NULL, INT64_MAX};
	while ((group = roster_next(&room->reminder_groups, &place)) != NULL) {
		int64_t due_ms = reminder_due_ms(room, group->before_ms);

		if (group->count == 0)
			continue;
		if (room->rules.state != ROOM_LIVE && due_ms > wall_ms) {
			if (due_ms < batch->due_ms)
				batch->due_ms = due_ms;
			return; /* those behind are later still */
		}
		/* As many as there are when it begins: they get fewer, and stay spread. */
		if (group->begun_ms != due_ms) {
			group->begun_ms = due_ms;
			group->spread = room->rules.state != ROOM_LIVE && many(room, group->count);
		}
		next_in_group(group, wall_ms, batch);
		if (batch->reminders != NULL) {
			batch->due_ms = due_ms;
			return;
		}
	}
}

void reminder_sweep(struct room *room)
{
	struct reminder_group *group;
	uint64_t place = 0;

	if (room->reminder_groups.count <= room->reminders.count + GROUPS_SPARE)
		return;
	while ((group = roster_next(&room->reminder_groups, &place)) != NULL) {
		if (group->count == 0)
			group_free(roster_remove(&room->reminder_groups, place));
	}
}

void reminder_clear(struct room *room)
{
	struct reminder_group *group;
	uint64_t place = 0;

	while ((group = roster_next(&room->reminder_groups, &place)) != NULL)
		group_free(group);
	roster_clear(&room->reminder_groups);
	hash_clear(&room->reminded);
}

void reminder_moved(struct registry *registry)
{
	registry->reminders_ms = INT64_MIN;
	registry->reminders_room = 0;
	registry->reminders_least_ms = INT64_MAX;
}
