/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Cuts a byte stream into lines and counts before anybody parses: what is longer than
 * EVENTS_LINE_MAX is reported once, and skipped to its end however long it is. One per connection;
 * plain memory.
 */
#ifndef STENTOR_CONTROLPLANE_EVENTS_LINE_H
#define STENTOR_CONTROLPLANE_EVENTS_LINE_H

#include <stdbool.h>
#include <stddef.h>

#define EVENTS_LINE_MAX 65536 /* bytes, without the newline */

struct line_buffer {
	char *bytes; /* EVENTS_LINE_MAX of them, and one for the newline */
	size_t start, end;
	bool skipping; /* inside a line that was too long */
};

enum line_result { LINE_NONE, LINE_FOUND, LINE_TOO_LONG };

/* 0 or -ENOMEM. */
int line_open(struct line_buffer *buffer);
/* Erases: keys have been in it. */
void line_close(struct line_buffer *buffer);

/* Where to read into, and how many bytes at most; at least one after line_next() said NONE. */
char *line_space(struct line_buffer *buffer, size_t *size);
void line_filled(struct line_buffer *buffer, size_t size);

/* The next whole line without its newline, in the buffer until line_space(). */
enum line_result line_next(struct line_buffer *buffer, char **line, size_t *size);

#endif
