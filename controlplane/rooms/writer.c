/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/rooms/writer.h"

void writer_clear(struct writer *writer)
{
	if (writer->text != NULL)
		explicit_bzero(writer->text, writer->capacity);
	free(writer->text);
	*writer = (struct writer){0};
}

void writer_reset(struct writer *writer)
{
	writer->size = 0;
	writer->comma = false;
	writer->failed = false;
}

/* Not realloc: what is left behind may have held a key. */
static bool reserve(struct writer *writer, size_t more)
{
	size_t capacity = writer->capacity == 0 ? 256 : writer->capacity;
	char *text;

	if (writer->failed)
		return false;
	if (writer->capacity - writer->size >= more)
		return true;
	while (capacity - writer->size < more)
		capacity *= 2;
	text = malloc(capacity);
	if (text == NULL) {
		writer->failed = true;
		return false;
	}
	if (writer->text != NULL) {
		memcpy(text, writer->text, writer->size);
		explicit_bzero(writer->text, writer->capacity);
		free(writer->text);
	}
	writer->text = text;
	writer->capacity = capacity;
	return true;
}

void writer_append(struct writer *writer, const char *text, size_t size)
{
	if (size > 0 && reserve(writer, size)) {
		memcpy(writer->text + writer->size, text, size);
		writer->size += size;
	}
}

void writer_raw(struct writer *writer, const char *text, size_t size)
{
	if (size == 0)
		return;
	if (writer->comma)
		writer_append(writer, ",", 1);
	writer_append(writer, text, size);
	writer->comma = true;
}

/* In runs: most strings need no escape at all. */
static void append_escaped(struct writer *writer, const char *text)
{
	size_t run;
	char escape[8];

	writer_append(writer, "\"", 1);
	while (*text != '\0') {
		for (run = 0; (unsigned char)text[run] >= 0x20 && text[run] != '"' &&
			      text[run] != '\\' && text[run] != 0x7f;
			run++)
			;
		writer_append(writer, text, run);
		text += run;
		if (*text == '\0')
			break;
		if (*text == '"' || *text == '\\')
			snprintf(escape, sizeof(escape), "\\%c", *text);
		else
			snprintf(escape, sizeof(escape), "\\u%04x", (unsigned char)*text);
		writer_append(writer, escape, strlen(escape));
		text++;
	}
	writer_append(writer, "\"", 1);
}

static void append_name(struct writer *writer, const char *name)
{
	if (writer->comma)
		writer_append(writer, ",", 1);
	if (name != NULL) {
		append_escaped(writer, name);
		writer_append(writer, ":", 1);
	}
	writer->comma = true;
}

static void append_value(struct writer *writer, const char *name, const char *value)
{
	append_name(writer, name);
	writer_append(writer, value, strlen(value));
}

void writer_begin_object(struct writer *writer, const char *name)
{
	append_value(writer, name, "{");
	writer->comma = false;
}

void writer_end_object(struct writer *writer)
{
	writer_append(writer, "}", 1);
	writer->comma = true;
}

void writer_begin_array(struct writer *writer, const char *name)
{
	append_value(writer, name, "[");
	writer->comma = false;
}

void writer_end_array(struct writer *writer)
{
	writer_append(writer, "]", 1);
	writer->comma = true;
}

void writer_string(struct writer *writer, const char *name, const char *text)
{
	if (text == NULL) {
		writer_null(writer, name);
		return;
	}
	append_name(writer, name);
	append_escaped(writer, text);
}

void writer_uint(struct writer *writer, const char *name, uint64_t value)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "%" PRIu64, value);
	append_value(writer, name, digits);
}

void writer_int(struct writer *writer, const char *name, int64_t value)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "%" PRId64, value);
	append_value(writer, name, digits);
}

void writer_real(struct writer *writer, const char *name, double value)
{
	char digits[32];

	snprintf(digits, sizeof(digits), "%.3f", value);
	append_value(writer, name, digits);
}

void writer_bool(struct writer *writer, const char *name, bool value)
{
	append_value(writer, name, value ? "true" : "false");
}

void writer_null(struct writer *writer, const char *name)
{
	append_value(writer, name, "null");
}

void writer_id(struct writer *writer, const char *name, uint64_t id)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "\"%" PRIu64 "\"", id);
	append_value(writer, name, digits);
}

void writer_mark(struct writer *writer, const char *name, char kind, uint64_t id)
{
	char mark[24];

	snprintf(mark, sizeof(mark), "%c%c%016" PRIx64 "%c", WRITER_MARK, kind, id, WRITER_MARK);
	append_value(writer, name, mark);
}
