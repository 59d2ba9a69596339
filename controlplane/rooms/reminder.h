/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A user wants to be told when a scheduled room is about to start. It is gone with the event that
 * tells them, in one transaction.
 *
 * A room's reminders are in groups by how long before the start they are due, so that a room that
 * is moved moves them all without touching one. When many share a moment they are spread over a
 * minute by their ids: reminder_next() says whose turn it is. The registry remembers before which
 * time no room has any that is due, so looking costs nothing until then. Loop's thread.
 */
#ifndef STENTOR_CONTROLPLANE_ROOMS_REMINDER_H
#define STENTOR_CONTROLPLANE_ROOMS_REMINDER_H

#include "controlplane/rooms/record.h"
#include "controlplane/rooms/registry.h"

#define REMINDER_BEFORE_MAX_MS (24 * 3600 * 1000ULL)
#define REMINDER_SPREAD_S 60

struct reminder {
	uint64_t id;
	uint64_t room_id;
	struct user_id user;
	uint64_t before_ms; /* how long before the start */
};

extern const struct record_kind reminder_kind;

/* Those of a room that share before_ms. An empty one waits for reminder_sweep(), so that what was
 * taken out can be put back without memory. */
struct reminder_group {
	uint64_t before_ms;
	size_t count;
	struct roster all;      /* struct reminder by id, unless */
	struct roster *seconds; /* they are many: by id, those of each second of the minute */
	int64_t begun_ms;       /* the due time for which it was decided whether */
	bool spread;            /* they go second by second */
};

/* Some that are due now, of one group. */
struct reminder_batch {
	const struct roster *reminders; /* struct reminder by id; NULL: none is due */
	int64_t due_ms;                 /* without the spread; none is due: when one will be */
};

/* The user's reminder of that room, or NULL. */
struct reminder *reminder_of_user(const struct room *room, const char *user);
/* When it is due, without the spread. In a room that is live: at the opening. */
int64_t reminder_due_ms(const struct room *room, uint64_t before_ms);
/* What of the room is due at wall_ms, the earliest first; INT64_MAX: nothing ever. */
void reminder_next(struct room *room, int64_t wall_ms, struct reminder_batch *batch);
/* Frees the groups that are empty. Not while something is to be taken back. */
void reminder_sweep(struct room *room);
/* Frees the groups, not the reminders. */
void reminder_clear(struct room *room);
/* When they are due has changed, of whatever room: everything is looked at again. */
void reminder_moved(struct registry *registry);

#endif
