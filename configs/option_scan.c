/* SPDX-License-Identifier: BSD-3-Clause */
#include "configs/option_scan.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct scan {
	const char *at;
	const char *end;
	unsigned int line;
};

static int peek(const struct scan *s, size_t ahead)
{
	return (size_t)(s->end - s->at) > ahead ? (unsigned char)s->at[ahead] : -1;
}

static void advance(struct scan *s)
{
	if (*s->at == '\n')
		s->line++;
	s->at++;
}

static void skip_line(struct scan *s)
{
	while (peek(s, 0) >= 0 && peek(s, 0) != '\n')
		advance(s);
}

static void skip_block_comment(struct scan *s)
{
	s->at += 2;
	while (peek(s, 0) >= 0 && !(peek(s, 0) == '*' && peek(s, 1) == '/'))
		advance(s);
	s->at += peek(s, 0) < 0 ? 0 : 2;
}

static void skip_string(struct scan *s)
{
	advance(s);
	while (peek(s, 0) >= 0 && peek(s, 0) != '"') {
		if (peek(s, 0) == '\\' && peek(s, 1) >= 0)
			advance(s);
		advance(s);
	}
	if (peek(s, 0) >= 0)
		advance(s);
}

static void skip_name(struct scan *s)
{
	while (isalnum(peek(s, 0)) || (peek(s, 0) > 0 && strchr("-_*", peek(s, 0)) != NULL))
		advance(s);
}

/* A number, sign already passed. False when libconfig would cut it to 32 bits. */
static bool scan_number(struct scan *s)
{
	unsigned int base = 10;
	uint64_t value = 0;
	bool large = false;

	if (peek(s, 0) == '0' && (peek(s, 1) == 'x' || peek(s, 1) == 'X')) {
		base = 16;
		s->at += 2;
	}
	for (int c = peek(s, 0); base == 16 ? isxdigit(c) : isdigit(c); c = peek(s, 0)) {
		unsigned int digit =
			isdigit(c) ? (unsigned int)c - '0' : (unsigned int)(tolower(c) - 'a') + 10;
		large = large || value > ((uint64_t)INT64_MAX - digit) / base;
		value = value * base + digit;
		advance(s);
	}
	return !large && (value <= INT32_MAX || peek(s, 0) == 'L');
}

static const char *scan_token(struct scan *s)
{
	int c = peek(s, 0);
	if (c == '#' || (c == '/' && peek(s, 1) == '/'))
		skip_line(s);
	else if (c == '/' && peek(s, 1) == '*')
		skip_block_comment(s);
	else if (c == '"')
		skip_string(s);
	else if (isalpha(c) || c == '*')
		skip_name(s);
	else if (isdigit(c))
		return scan_number(s) ? NULL : "integer too large";
	else if (c == '@')
		return "@include is not supported: one program, one file";
	else
		advance(s);
	return NULL;
}

const char *option_scan(const char *text, size_t size, unsigned int *line)
{
	struct scan s = {.at = text, .end = text + size, .line = 1};
	const char *wrong = memchr(text, '\0', size) != NULL ? "NUL byte" : NULL;
	if (wrong != NULL)
		s.end = memchr(text, '\0', size);
	while (s.at < s.end) {
		const char *token = scan_token(&s);
		if (token != NULL) {
			wrong = token;
			break;
		}
	}
	if (wrong != NULL)
		*line = s.line;
	return wrong;
}
