/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Values of the header fields we read, after their grammar in RFC 9110 and 6750. Pure: bytes in, a
 * verdict out, nothing kept; any thread.
 */
#ifndef STENTOR_CONTROLPLANE_HTTP_FIELD_H
#define STENTOR_CONTROLPLANE_HTTP_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FIELD_TOKEN_MAX 256 /* bytes of a bearer token */
#define FIELD_MEDIA_TYPE_MAX 127
#define FIELD_CODE_MAX 64

/* token, RFC 9110 section 5.6.2: what a field's name and a method are made of. */
bool field_is_token(const char *text, size_t size);
/* field-value without control characters, RFC 9110 section 5.5; obs-text is let through. */
bool field_is_value(const char *text, size_t size);
/* 1 to 18 digits and nothing else: 0 and *length, or -EINVAL. */
int field_length(const char *text, uint64_t *length);
/* The token of "Bearer <b64token>", RFC 6750 section 2.1, or NULL. */
const char *field_bearer(const char *value);
/* 1 to 64 characters of base64url, RFC 4648 section 5: what the codes of links are made of. */
bool field_is_code(const char *value);
/* type/subtype in lower case without parameters. False: it is none, or too long. */
bool field_media_type(const char *value, char out[FIELD_MEDIA_TYPE_MAX + 1]);
/* "*", or one strong entity tag, RFC 9110 section 8.8.3. */
bool field_is_entity_tag(const char *value);
/* Whether the list of entity tags names this one, weakly compared (If-None-Match). */
bool field_names_tag(const char *list, const char *tag);

#endif
