/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lines of SDP (RFC 8866 section 9) and what they are made of, as views into the caller's text:
 * nothing is copied, nothing is allocated. Any thread. The first failure is put into the reader's
 * error with its line number; what is quoted there has been made printable.
 */
#ifndef STENTOR_CONTROLPLANE_WEBRTC_SDP_TEXT_H
#define STENTOR_CONTROLPLANE_WEBRTC_SDP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controlplane/webrtc/sdp.h"

struct sdp_text {
	const char *at; /* not NUL-terminated */
	size_t size;
};

struct sdp_line {
	unsigned int number;   /* from 1 */
	char type;             /* the letter before '=' */
	struct sdp_text whole; /* the line without its end */
	struct sdp_text value; /* after '=' */
	struct sdp_text name;  /* type a: the attribute, up to ':' */
	struct sdp_text rest;  /* type a: what follows ':', or nothing */
};

struct sdp_reader {
	const char *at;
	const char *end;
	unsigned int number;
	struct sdp_error *error;
};

/* -EINVAL: empty, larger than SDP_SIZE_MAX or with a NUL in it. */
int sdp_reader_open(
	struct sdp_reader *reader, const char *text, size_t size, struct sdp_error *error);
/* 1 and a line, 0 at the end, -EINVAL. */
int sdp_reader_next(struct sdp_reader *reader, struct sdp_line *line);
/* Says "line N: LINE: " and the rest; line NULL: only the rest. Always -EINVAL. */
int sdp_fail(struct sdp_reader *reader, const struct sdp_line *line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

bool sdp_equals(struct sdp_text text, const char *word);
bool sdp_equals_any_case(struct sdp_text text, const char *word);
bool sdp_same(struct sdp_text one, struct sdp_text other);
/* Cuts the first word off; words are separated by one or more blanks. Empty when there is none. */
struct sdp_text sdp_word(struct sdp_text *rest);
/* Cuts off what comes before the separator, or everything. */
struct sdp_text sdp_until(struct sdp_text *rest, char separator);
/* All of it is a decimal number from low to high. */
bool sdp_number(struct sdp_text text, uint32_t low, uint32_t high, uint32_t *out);
/* RFC 8866 token; RFC 8839 ice-char. Neither is empty. */
bool sdp_is_token(struct sdp_text text);
bool sdp_is_ice_text(struct sdp_text text, size_t low, size_t high);
/* Copies with a NUL; the caller has checked that it fits. */
void sdp_copy(char *out, size_t capacity, struct sdp_text text);

#endif
