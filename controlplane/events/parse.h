/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A line of JSON becomes a typed event, after the type's table of fields. With scrap.c the
 * only user of jansson in this program. Strict: one object, no duplicate keys, bounded depth, UTF-8
 * without NUL, known fields only, numbers that are integers within their range.
 */
#ifndef STENTOR_CONTROLPLANE_EVENTS_PARSE_H
#define STENTOR_CONTROLPLANE_EVENTS_PARSE_H

#include "controlplane/events/scrap.h"
#include "controlplane/rooms/event.h"

#define PARSE_DEPTH_MAX 6

struct parsed {
	struct event event;
	char id[EVENT_ID_MAX +
		1]; /* to answer with, empty when the line has none; also on failure */
	char actor[EVENT_ID_MAX + 1], room[EVENT_ID_MAX + 1];
	struct scrap scrap; /* what the event's strings lie in */
};

/* Once, before the first parse: freed memory is erased, since it held keys. */
void parse_setup(void);

/* Whose line it is: the common fields are theirs, whether the line names them or not. */
struct parse_as {
	const char *actor, *room;
};

/* Whether the event is good; if not, verdict says why. parse_clear() in both cases. */
bool parse_line(const char *line, size_t size, struct parsed *parsed, struct verdict *verdict);
/* The same of a page: only types with EVENT_PAGE. */
bool parse_line_as(const char *line, size_t size, const struct parse_as *as, struct parsed *parsed,
	struct verdict *verdict);
void parse_clear(struct parsed *parsed);

#endif
