/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A verb of stentorctl is a request type: what stands behind it on the command line becomes the
 * request's fields, positions first, then --FIELD VALUE for every field the type has. Fields that
 * end in _ms also go by their name without it and take times as people say them: 90s, 10m, 2h, 7d;
 * where a point in time is meant, +2h, "2026-12-01 20:00" or RFC 3339.
 */
#ifndef STENTOR_CONTROLPLANE_CLI_VERB_H
#define STENTOR_CONTROLPLANE_CLI_VERB_H

#include <jansson.h>

#include "controlplane/cli/vocabulary.h"

#define VERB_POSITIONS_MAX 4

struct verb {
	const char *name;
	const char *type;
	const char
		*positions[VERB_POSITIONS_MAX]; /* fields given without their name, in this order */
	unsigned int needed;                    /* how many of them must be there */
	const char *summary;
	const char *list; /* the answer's array, read page by page; NULL: there is none */
};

extern const struct verb verbs[];
extern const size_t verb_count;

const struct verb *verb_find(const char *name);

/*
 * What the arguments behind the verb say, without id and actor: a new object, or NULL with what was
 * wrong and what is allowed in error (at least 256 bytes). now_ms: Unix time, for times from now.
 */
json_t *verb_request(const struct verb *verb, char *const *arguments, int count, int64_t now_ms,
	char error[256]);

/* "mute ROOM MEMBER [--reason TEXT] ..." into text, NUL-terminated; cut at size. */
void verb_usage(const struct verb *verb, char *text, size_t size);

/* Option name of a field: '_' becomes '-'. size at least 64. */
void verb_option_name(const struct vocabulary_field *field, char *text, size_t size);
/* "TEXT", "DURATION", "TIME", "N", "host|cohost" ... for that field. */
void verb_value_name(const struct vocabulary_field *field, char *text, size_t size);

#endif
