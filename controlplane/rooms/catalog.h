/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The families of request types. A new family is a file with such an array and a line in
 * catalog.c; a new type is a struct, a table of fields and a handler in its family's file.
 */
#ifndef STENTOR_CONTROLPLANE_ROOMS_CATALOG_H
#define STENTOR_CONTROLPLANE_ROOMS_CATALOG_H

#include "controlplane/rooms/event.h"

struct member;
struct room;
struct writer;

/* Arrays ended by name NULL. */
extern const struct event_type room_event_types[];
extern const struct event_type update_event_types[];
extern const struct event_type member_event_types[];
extern const struct event_type floor_event_types[];
extern const struct event_type moderation_event_types[];
extern const struct event_type operation_event_types[];
extern const struct event_type person_event_types[];
extern const struct event_type schedule_event_types[];
extern const struct event_type share_event_types[];
extern const struct event_type pin_event_types[];
extern const struct event_type role_event_types[];
extern const struct event_type ban_event_types[];
extern const struct event_type report_event_types[];
extern const struct event_type offer_event_types[];
extern const struct event_type ticket_event_types[];
extern const struct event_type ledger_event_types[];
extern const struct event_type reaction_event_types[];
extern const struct event_type reminder_event_types[];
extern const struct event_type audit_event_types[];
extern const struct event_type discovery_event_types[];
extern const struct event_type timeline_event_types[];

#define LIST_LIMIT_MAX 500
#define LIST_LIMIT_FALLBACK 100

/* What is common to paged lists. */
struct page {
	const char *after; /* decimal id of the last entry seen; NULL: from the beginning */
	uint64_t limit;
};

/* The id behind which the page starts, or false with the verdict set. */
bool page_start(const struct page *page, uint64_t *id, struct verdict *verdict);

/* The room the event names, or NULL with the verdict set. */
struct room *event_find_room(
	const struct registry *registry, const struct event *event, struct verdict *verdict);

/* The member of that room, or NULL with the verdict set. */
struct member *event_find_member(
	const struct room *room, const char *user, struct verdict *verdict);

/* The members of a room's description, for room.get and room.list. */
void room_describe(struct writer *writer, const struct room *room);
/* What only room.get says beyond that: pins, tickets, counts, and what the viewer is in the room
 * (NULL: nobody in particular). */
void room_describe_rest(struct writer *writer, const struct registry *registry,
	const struct room *room, const char *viewer);
/* "ssrc":[...] */
void room_describe_slots(struct writer *writer, const struct room *room);

#endif
