/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The memory of one parsed line, given to jansson a piece at a time and taken back as a whole,
 * erased, since it held keys. jansson does not survive a failing malloc() everywhere (a string
 * whose end could not be kept is read beyond its end), so scrap_parse() leaves it by longjmp()
 * instead. Loop's thread; a thread has one line under way at a time.
 */
#ifndef STENTOR_CONTROLPLANE_EVENTS_SCRAP_H
#define STENTOR_CONTROLPLANE_EVENTS_SCRAP_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct chunk;

struct scrap {
	struct chunk *chunks; /* the newest first */
};

/* Once: jansson takes its memory from here. */
void scrap_setup(void);
/*
 * The line as a tree that lives in scrap and is never released by itself; NULL: error says why, or
 * *starved: there is no memory.
 */
json_t *scrap_parse(
	struct scrap *scrap, const char *line, size_t size, json_error_t *error, bool *starved);
/* Takes a key out of an object of that tree; its memory stays where it is. */
void scrap_delete(json_t *object, const char *key);
void scrap_clear(struct scrap *scrap);

#endif
