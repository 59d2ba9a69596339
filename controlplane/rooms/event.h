/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What an application may ask: typed requests. A request type is a name, a table of fields and a
 * handler; events/ fills the type's body struct from a JSON line after that table, so a new type
 * needs no parser. Strings are borrowed from the parsed line and live as long as the event.
 *
 * Pure: no I/O, no clock. One event belongs to whoever handles it, on the loop's thread.
 */
#ifndef STENTOR_CONTROLPLANE_ROOMS_EVENT_H
#define STENTOR_CONTROLPLANE_ROOMS_EVENT_H

#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>

#include "controlplane/rooms/verdict.h"

#define EVENT_ID_MAX 64 /* bytes of an id, [A-Za-z0-9_.:-] */
#define EVENT_BODY_MAX 512

enum field_kind {
	FIELD_ID,     /* const char *: an id; NULL when missing */
	FIELD_TEXT,   /* const char *: UTF-8 of min to max bytes; NULL when missing */
	FIELD_UINT,   /* uint64_t: min to max; fallback when missing */
	FIELD_BOOL,   /* int: 0 or 1; fallback when missing */
	FIELD_CHOICE, /* int: position in choices; fallback when missing */
	FIELD_IDS,    /* struct event_list of const char *: array of ids, at most max */
	FIELD_LIST,   /* struct event_list: array of objects with sub-fields, at most max */
	FIELD_COUNT
};

struct event_list {
	void *items; /* calloc'ed; freed by event_clear(). NULL: was not given */
	size_t count;
};

#define FIELD_REQUIRED 0x1u

struct field {
	const char *name;
	enum field_kind kind;
	unsigned int flags;
	size_t offset;
	uint64_t min, max;
	int64_t fallback;
	const char *const *choices; /* NULL-terminated */
	const struct field *items;  /* FIELD_LIST: fields of an item, ended by name NULL */
	size_t item_size;
};

struct event;
struct plan;
struct registry;

#define EVENT_NEEDS_ACTOR 0x1u
#define EVENT_NEEDS_ROOM 0x2u
#define EVENT_TAKES_ROOM 0x4u /* optional */
#define EVENT_CHANGES 0x8u    /* goes through the store; the answer is kept under its id */
#define EVENT_SAFETY 0x10u    /* in force even when the disk fails */
#define EVENT_PAGE 0x20u      /* a page may send it: the actor is a member, known by their token */
#define EVENT_RATED 0x40u     /* counts against moderation_per_second of the actor */
#define EVENT_REACTS 0x80u    /* counts against reactions_per_second instead */
#define EVENT_ABROAD 0x100u   /* and of any room: of one they are not in as well */

struct event_type {
	const char *name;
	const struct field *fields; /* ended by name NULL; may be NULL */
	size_t body_size;
	unsigned int flags;
	/* Decides and writes everything that follows into the plan; a refusal is plan->verdict. */
	void (*handle)(struct registry *registry, const struct event *event, struct plan *plan);
};

struct event {
	const struct event_type *type;
	const char *id;
	const char *actor;                              /* NULL: not given */
	const char *room;                               /* NULL: not given */
	bool page;                                      /* sent by a page */
	alignas(16) unsigned char body[EVENT_BODY_MAX]; /* the type's struct */
};

static inline const void *event_body(const struct event *event)
{
	return event->body;
}

/* The type of that name, or NULL. */
const struct event_type *event_type_find(const char *name);
/* position 0, 1, ...; NULL behind the last. */
const struct event_type *event_type_at(size_t position);

/* Sets the fallbacks of fields (NULL: none) in body. */
void event_defaults(const struct field *fields, void *body);

/* Frees what the lists of the event took; the strings belong to the parser. */
void event_clear(struct event *event);

/* Whether text is an id: 1 to 64 bytes of [A-Za-z0-9_.:-]. */
bool event_id_valid(const char *text, size_t size);

#endif
