/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What events.sock understands, as stentorctl knows it: request types and their fields. Made by
 * vocabulary.py from the control plane's own tables when it is built, so that no option of a verb
 * is written twice. Constant.
 */
#ifndef STENTOR_CONTROLPLANE_CLI_VOCABULARY_H
#define STENTOR_CONTROLPLANE_CLI_VOCABULARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum vocabulary_kind {
	VOCABULARY_ID,
	VOCABULARY_TEXT,
	VOCABULARY_UINT,
	VOCABULARY_BOOL,
	VOCABULARY_CHOICE,
	VOCABULARY_IDS,
	VOCABULARY_LIST
};

struct vocabulary_field {
	const char *name;
	enum vocabulary_kind kind;
	bool required;
	uint64_t min, max;
	const char *const *choices; /* NULL-terminated; NULL: not a choice */
};

enum vocabulary_room { VOCABULARY_ROOM_NONE, VOCABULARY_ROOM_TAKEN, VOCABULARY_ROOM_NEEDED };

struct vocabulary_type {
	const char *name;
	bool actor; /* it needs one */
	enum vocabulary_room room;
	const struct vocabulary_field *fields;
	size_t field_count;
};

extern const struct vocabulary_type vocabulary[];
extern const size_t vocabulary_count;

/* The type of that name, or NULL. */
const struct vocabulary_type *vocabulary_find(const char *name);
/* The field of that name, or NULL. */
const struct vocabulary_field *vocabulary_field(
	const struct vocabulary_type *type, const char *name);

#endif
