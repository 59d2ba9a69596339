/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/events/line.h"

#define BUFFER_SIZE (EVENTS_LINE_MAX + 1)

int line_open(struct line_buffer *buffer)
{
	*buffer = (struct line_buffer){.bytes = malloc(BUFFER_SIZE)};
	return buffer->bytes == NULL ? -ENOMEM : 0;
}

void line_close(struct line_buffer *buffer)
{
	if (buffer->bytes != NULL)
		explicit_bzero(buffer->bytes, BUFFER_SIZE);
	free(buffer->bytes);
	*buffer = (struct line_buffer){0};
}

char *line_space(struct line_buffer *buffer, size_t *size)
{
	size_t left = buffer->end - buffer->start;

	if (buffer->start > 0) {
		memmove(buffer->bytes, buffer->bytes + buffer->start, left);
		explicit_bzero(buffer->bytes + left, buffer->end - left);
		buffer->start = 0;
		buffer->end = left;
	}
	*size = BUFFER_SIZE - buffer->end;
	return buffer->bytes + buffer->end;
}

void line_filled(struct line_buffer *buffer, size_t size)
{
	buffer->end += size;
}

enum line_result line_next(struct line_buffer *buffer, char **line, size_t *size)
{
	while (buffer->start < buffer->end) {
		char *start = buffer->bytes + buffer->start;
		size_t left = buffer->end - buffer->start;
		char *newline = memchr(start, '\n', left);
		bool skipped = buffer->skipping;

		if (newline == NULL && !skipped && left < BUFFER_SIZE)
			return LINE_NONE;
		if (newline == NULL) {
			buffer->start = buffer->end = 0;
			buffer->skipping = true;
			if (!skipped)
				return LINE_TOO_LONG;
			return LINE_NONE;
		}
		buffer->start += (size_t)(newline - start) + 1;
		buffer->skipping = false;
		if (skipped)
			continue; /* the tail of what was reported before */
		*line = start;
		*size = (size_t)(newline - start);
		return LINE_FOUND;
	}
	return LINE_NONE;
}
