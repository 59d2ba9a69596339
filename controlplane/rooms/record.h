/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the registry remembers beside rooms and members: users, bans, pins, shares, offers, tickets,
 * the ledger, reports, reminders. A record is a struct that never changes once it is in the
 * registry; changing one is putting another in its place, with plan_record(), which can be taken
 * back. A kind says how the struct lies in its table of the database and in the registry's indices,
 * so a new kind is a struct, a table of columns, two functions and a step of the schema.
 *
 * Loop's thread. The registry owns what is linked, the plan what has left it.
 */
#ifndef STENTOR_CONTROLPLANE_ROOMS_RECORD_H
#define STENTOR_CONTROLPLANE_ROOMS_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct registry;

enum record_type {
	RECORD_USER,
	RECORD_BAN,
	RECORD_PIN,
	RECORD_SHARE,
	RECORD_OFFER,
	RECORD_TICKET,
	RECORD_ENTRY,
	RECORD_REPORT,
	RECORD_REMINDER,
	RECORD_COUNT
};

enum column_kind {
	COLUMN_NUMBER, /* uint64_t below 2^63 */
	COLUMN_SIGNED, /* int64_t */
	COLUMN_SMALL,  /* uint32_t, at most max */
	COLUMN_FLAG,   /* bool */
	COLUMN_USER,   /* struct user_id: an id */
	COLUMN_TEXT,   /* char[max]: less than max bytes, NUL behind them */
	COLUMN_STRING, /* char *, allocated: at most max bytes; NULL is written as empty */
	COLUMN_COUNT
};

struct column {
	const char *name;
	enum column_kind kind;
	size_t offset;
	uint64_t max;
};

struct record_kind {
	const char *table;
	const struct column
		*columns; /* the first is `uint64_t id`, the primary key; name NULL ends */
	size_t size;      /* of the struct */
	/* Into the indices: 0, -ENOMEM, -ENOENT: the room it belongs to is gone, or -EIO: the
	 * database contradicts itself. Putting back what was just taken out cannot fail. */
	int (*link)(struct registry *registry, void *record);
	void (*unlink)(struct registry *registry, void *record);
	/* Frees what the struct points to and the struct; NULL: record_free(). */
	void (*release)(void *record);
};

extern const struct record_kind *const record_kinds[RECORD_COUNT];

/* Zeroed, with that fresh id (registry->next_id++); NULL: no memory. */
void *record_make(enum record_type type, uint64_t id);
/* A copy to be changed and put in its place: same id, strings copied. NULL: no memory. */
void *record_copy(enum record_type type, const void *record);
/* Frees one that is not linked, with its strings; erases it first. Accepts NULL. */
void record_free(enum record_type type, void *record);
static inline uint64_t record_id(const void *record)
{
	return *(const uint64_t *)record;
}

#endif
