/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The head of a request (request line and fields) against everything that we want of one: framing
 * (RFC 9112 section 6), authority (RFC 9110 section 7.2; TRAPS 55), route, method, origin. Given a
 * field at a time, judged once, before a byte of the body is looked at. Pure; text stays the
 * caller's and has to outlive the struct.
 */
#ifndef STENTOR_CONTROLPLANE_HTTP_HEAD_H
#define STENTOR_CONTROLPLANE_HTTP_HEAD_H

#include "controlplane/http/field.h"
#include "controlplane/http/route.h"
#include "controlplane/http/target.h"

#define HTTP_HEAD_MAX 16384 /* bytes of request line and fields */
#define HTTP_FIELDS_MAX 64
#define HTTP_BODY_MAX 65536

/* What the configuration says about who may come from where. */
struct http_policy {
	const char *const *hosts; /* names the Host may have besides IP addresses */
	unsigned int host_count;
	const char *const *origins; /* foreign origins that scripts may come from; "*": any */
	unsigned int origin_count;
	bool tls; /* this server speaks TLS itself */
};

/* Why not. status 0: nothing is wrong. */
struct refusal {
	unsigned int status;
	bool close;        /* where the next request begins is not known */
	const char *allow; /* of a 405 */
	char detail[192];
};

/* Fields of which there may be one; more than one is refused, whatever they say. But of Accept. */
enum head_field {
	HEAD_HOST,
	HEAD_CONTENT_LENGTH,
	HEAD_TRANSFER_ENCODING,
	HEAD_CONTENT_TYPE,
	HEAD_CONTENT_ENCODING,
	HEAD_AUTHORIZATION,
	HEAD_ORIGIN,
	HEAD_EXPECT,
	HEAD_IF_MATCH,
	HEAD_IF_NONE_MATCH,
	HEAD_LAST_EVENT_ID,
	HEAD_FORWARDED_PROTO,
	HEAD_REQUEST_METHOD, /* Access-Control-Request-Method */
	HEAD_ACCEPT,
	HEAD_SHARE, /* Stentor-Share: the code of a link into a room */
	HEAD_FIELD_COUNT
};

struct head {
	const char *method, *target_text, *version;
	size_t size;                         /* bytes of the whole head */
	bool from_loopback;                  /* the peer may be a proxy that tells the scheme */
	unsigned int fields;                 /* all of them */
	const char *field[HEAD_FIELD_COUNT]; /* NULL: not there */
	struct refusal refusal;              /* the first thing that is wrong with a field */

	/* Set by head_check(). */
	struct target target;
	struct authority authority;
	bool https;
	struct http_match match;
	bool known;   /* match is set */
	bool options; /* OPTIONS: answered by the server */
	bool no_body; /* HEAD */
	bool cross;   /* origin is foreign and allowed: say so in the response */
	enum http_method method_number;
	uint64_t content_length;
	const char *token;
	char media_type[FIELD_MEDIA_TYPE_MAX + 1]; /* empty: none */
};

/* One field, in the order of the request. */
void head_add(struct head *head, const char *name, size_t name_size, const char *value,
	size_t value_size);
/* The verdict over all: refusal->status is 0 when the body may come. */
void head_check(struct head *head, const struct http_policy *policy, struct refusal *refusal);

#endif
