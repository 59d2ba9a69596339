/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A room as it is asked for: what room.open and room.schedule have in common, from the fields of
 * the request to a struct room that is not in the registry yet. Pure; the caller owns the room
 * until plan_room_add() has taken it.
 */
#ifndef STENTOR_CONTROLPLANE_ROOMS_OPENING_H
#define STENTOR_CONTROLPLANE_ROOMS_OPENING_H

#include "controlplane/rooms/plan.h"

#define ROOM_SLOTS_FALLBACK 3
#define ROOM_DURATION_MAX_MS (366LL * 24 * 3600 * 1000)

/* NULL, 0, -1 and lists without items: not given. */
struct room_wish {
	const char *title, *topic, *language;
	uint64_t slots, duration_ms, capacity, speakers_max;
	int open_floor, access;
	struct event_list speakers, cohosts;
};

/* Of a type_ that begins with a struct room_wish. */
#define ROOM_WISH_FIELDS(type_, wish_) \
	{.name = "title", \
		.kind = FIELD_TEXT, \
		.max = ROOM_TITLE_MAX, \
		.offset = offsetof(type_, wish_.title)}, \
		{.name = "topic", \
			.kind = FIELD_TEXT, \
			.max = ROOM_TOPIC_MAX, \
			.offset = offsetof(type_, wish_.topic)}, \
		{.name = "language", \
			.kind = FIELD_TEXT, \
			.max = ROOM_LANGUAGE_SIZE - 1, \
			.offset = offsetof(type_, wish_.language)}, \
		{.name = "slots", \
			.kind = FIELD_UINT, \
			.min = 1, \
			.max = STN_SLOTS_MAX, \
			.offset = offsetof(type_, wish_.slots)}, \
		{.name = "duration_ms", \
			.kind = FIELD_UINT, \
			.min = 1, \
			.max = ROOM_DURATION_MAX_MS, \
			.offset = offsetof(type_, wish_.duration_ms)}, \
		{.name = "capacity", \
			.kind = FIELD_UINT, \
			.min = 1, \
			.max = UINT32_MAX, \
			.offset = offsetof(type_, wish_.capacity)}, \
		{.name = "speakers_max", \
			.kind = FIELD_UINT, \
			.min = 1, \
			.max = UINT32_MAX, \
			.offset = offsetof(type_, wish_.speakers_max)}, \
		{.name = "open_floor", \
			.kind = FIELD_BOOL, \
			.fallback = -1, \
			.offset = offsetof(type_, wish_.open_floor)}, \
		{.name = "access", \
			.kind = FIELD_CHOICE, \
			.choices = room_access_names, \
			.fallback = -1, \
			.offset = offsetof(type_, wish_.access)}, \
		{.name = "speakers", \
			.kind = FIELD_IDS, \
			.max = ROOM_SPEAKERS_MAX, \
			.offset = offsetof(type_, wish_.speakers)}, \
	{ \
		.name = "cohosts", .kind = FIELD_IDS, .max = ROOM_COHOSTS_MAX, \
		.offset = offsetof(type_, wish_.cohosts) \
	}

extern const char *const room_access_names[]; /* in the order of enum room_access */
extern const char *const room_state_names[];  /* in the order of enum room_state */

/* The room that the event names, with everything but state, times and group key; NULL with the
 * verdict set. SSRCs are minted, so they are the same when it goes live. */
struct room *opening_make(struct registry *registry, const struct event *event,
	const struct room_wish *wish, struct plan *plan);

/* Whether a tag like "de" or "pt-BR" may be a language: empty, or 2 to 35 of [A-Za-z0-9-]. */
bool opening_language_valid(const char *text, struct verdict *verdict);
/* Within the limits of the program. */
uint32_t opening_capacity(const struct registry *registry, uint64_t wanted);
/* 0: as many as the program allows. */
uint32_t opening_speakers_max(const struct registry *registry, uint64_t wanted);
/* Into rules->cohosts, each once and without the host. */
void opening_cohosts(
	const struct event_list *ids, const struct user_id *host, struct room_rules *rules);
/* Whether a scheduled room may start then. */
bool opening_start_valid(const struct registry *registry, const struct moment *now,
	uint64_t starts_ms, struct verdict *verdict);

/* Event of that type with what a room is about: room.scheduled, room.opened, room.updated. */
bool opening_announce(struct plan *plan, struct registry *registry, struct room *room,
	const char *type, const char *actor);

/* One more room fits into the program. */
bool opening_fits(const struct registry *registry, struct verdict *verdict);

#endif
