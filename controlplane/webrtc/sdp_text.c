// SPDX-License-Identifier: BSD-3-Clause
#include "controlplane/webrtc/sdp_text.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define QUOTE_MAX 48

/*
 * What a stranger wrote goes into logs and answers: printable ASCII only, not much of it, and
 * never a password.
 */
static void quote(char *out, const struct sdp_line *line)
{
	bool secret = sdp_equals(line->name, "ice-pwd");
	struct sdp_text text = secret ? (struct sdp_text){"a=ice-pwd", 9} : line->whole;
	size_t size = text.size < QUOTE_MAX ? text.size : QUOTE_MAX;

	for (size_t i = 0; i < size; i++)
		out[i] = text.at[i] >= 0x20 && text.at[i] < 0x7f ? text.at[i] : '?';
	out[size] = '\0';
	if (text.size > QUOTE_MAX)
		memcpy(out + size, "...", 4);
}

int sdp_fail(struct sdp_reader *reader, const struct sdp_line *line, const char *format, ...)
{
	char *out = reader->error->reason, quoted[QUOTE_MAX + 4];
	int at = 0;
	va_list list;

	if (line != NULL) {
		quote(quoted, line);
		at = snprintf(out, SDP_REASON_SIZE, "line %u: %s: ", line->number, quoted);
	}
	va_start(list, format);
	vsnprintf(out + at, SDP_REASON_SIZE - (size_t)at, format, list);
	va_end(list);
	return -EINVAL;
}

int sdp_reader_open(
	struct sdp_reader *reader, const char *text, size_t size, struct sdp_error *error)
{
	*reader = (struct sdp_reader){.at = text, .end = text + size, .error = error};
	error->reason[0] = '\0';
	if (size == 0)
		return sdp_fail(reader, NULL, "the body is empty: expected SDP");
	if (size > SDP_SIZE_MAX)
		return sdp_fail(reader, NULL, "%zu bytes: at most %u", size, SDP_SIZE_MAX);
	if (memchr(text, '\0', size) != NULL)
		return sdp_fail(reader, NULL, "a NUL byte: SDP is text");
	return 0;
}

/* Many people trim and join their texts: blank lines at the very end mean nothing. */
static bool only_line_ends(const struct sdp_reader *reader)
{
	for (const char *at = reader->at; at < reader->end; at++) {
		if (*at != '\r' && *at != '\n')
			return false;
	}
	return true;
}

static void split(struct sdp_line *line)
{
	line->type = line->whole.at[0];
	line->value = (struct sdp_text){line->whole.at + 2, line->whole.size - 2};
	line->rest = line->value;
	line->name = sdp_until(&line->rest, ':');
}

int sdp_reader_next(struct sdp_reader *reader, struct sdp_line *line)
{
	size_t left = (size_t)(reader->end - reader->at);
	const char *newline;

	if (only_line_ends(reader))
		return 0;
	*line = (struct sdp_line){.number = ++reader->number, .whole = {reader->at, left}};
	newline = memchr(reader->at, '\n', left);
	if (newline != NULL)
		line->whole.size = (size_t)(newline - reader->at);
	reader->at += line->whole.size + (newline != NULL);
	if (line->whole.size > 0 && line->whole.at[line->whole.size - 1] == '\r')
		line->whole.size--;
	if (line->number > SDP_LINES_MAX)
		return sdp_fail(reader, line, "at most %u lines", SDP_LINES_MAX);
	if (memchr(line->whole.at, '\r', line->whole.size) != NULL)
		return sdp_fail(reader, line, "a line ends with CR LF or LF, not with CR");
	if (line->whole.size < 2 || line->whole.at[0] < 'a' || line->whole.at[0] > 'z' ||
		line->whole.at[1] != '=')
		return sdp_fail(reader, line, "expected a letter and '='");
	split(line);
	return 1;
}

bool sdp_equals(struct sdp_text text, const char *word)
{
	return text.size == strlen(word) && memcmp(text.at, word, text.size) == 0;
}

bool sdp_equals_any_case(struct sdp_text text, const char *word)
{
	return text.size == strlen(word) && strncasecmp(text.at, word, text.size) == 0;
}

bool sdp_same(struct sdp_text one, struct sdp_text other)
{
	return one.size == other.size && (one.size == 0 || memcmp(one.at, other.at, one.size) == 0);
}

struct sdp_text sdp_until(struct sdp_text *rest, char separator)
{
	const char *found = rest->size > 0 ? memchr(rest->at, separator, rest->size) : NULL;
	struct sdp_text part = *rest;

	if (found == NULL) {
		*rest = (struct sdp_text){rest->at + rest->size, 0};
		return part;
	}
	part.size = (size_t)(found - rest->at);
	rest->at = found + 1;
	rest->size -= part.size + 1;
	return part;
}

struct sdp_text sdp_word(struct sdp_text *rest)
{
	while (rest->size > 0 && *rest->at == ' ') {
		rest->at++;
		rest->size--;
	}
	return sdp_until(rest, ' ');
}

bool sdp_number(struct sdp_text text, uint32_t low, uint32_t high, uint32_t *out)
{
	uint64_t value = 0;

	if (text.size == 0 || text.size > 10)
		return false;
	for (size_t i = 0; i < text.size; i++) {
		if (text.at[i] < '0' || text.at[i] > '9')
			return false;
		value = value * 10 + (uint64_t)(text.at[i] - '0');
	}
	if (value < low || value > high)
		return false;
	*out = (uint32_t)value;
	return true;
}

static bool is_alphanumeric(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool sdp_is_token(struct sdp_text text)
{
	for (size_t i = 0; i < text.size; i++) {
		char c = text.at[i];

		if (!is_alphanumeric(c) && (c == '\0' || strchr("!#$%&'*+-.^_`{|}~", c) == NULL))
			return false;
	}
	return text.size > 0;
}

bool sdp_is_ice_text(struct sdp_text text, size_t low, size_t high)
{
	for (size_t i = 0; i < text.size; i++) {
		if (!is_alphanumeric(text.at[i]) && text.at[i] != '+' && text.at[i] != '/')
			return false;
	}
	return text.size >= low && text.size <= high;
}

void sdp_copy(char *out, size_t capacity, struct sdp_text text)
{
	assert(text.size < capacity);
	memcpy(out, text.at, text.size);
	out[text.size] = '\0';
}
