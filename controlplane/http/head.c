/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "controlplane/http/head.h"

static const char *const field_names[] = {"Host", "Content-Length", "Transfer-Encoding",
	"Content-Type", "Content-Encoding", "Authorization", "Origin", "Expect", "If-Match",
	"If-None-Match", "Last-Event-ID", "X-Forwarded-Proto", "Access-Control-Request-Method",
	"Accept", "Stentor-Share"};

_Static_assert(sizeof(field_names) / sizeof(field_names[0]) == HEAD_FIELD_COUNT, "one name each");

/* False, so that a check can end with it. The first refusal stands. */
static bool refuse(struct refusal *refusal, unsigned int status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static bool refuse(struct refusal *refusal, unsigned int status, const char *format, ...)
{
	va_list arguments;

	if (refusal->status != 0)
		return false;
	refusal->status = status;
	va_start(arguments, format);
	vsnprintf(refusal->detail, sizeof(refusal->detail), format, arguments);
	va_end(arguments);
	return false;
}

/* What leaves it open where the request ends: nothing more is read from this connection. */
static bool refuse_framing(struct refusal *refusal, unsigned int status, const char *detail)
{
	refusal->close = true;
	return refuse(refusal, status, "%s", detail);
}

/*
 * libmicrohttpd 0.9.75 appends a folded line (RFC 9112 section 5.2) to the *name* of its field:
 * "Transfer-Encoding:\r\n chunked" arrives as a field "Transfer-Encodingchunked". Somebody in front
 * of us may have read it right, so what begins with a name that frames the body is refused.
 */
static bool is_folded(const char *name, size_t size)
{
	static const enum head_field framing[] = {HEAD_CONTENT_LENGTH, HEAD_TRANSFER_ENCODING};

	for (size_t i = 0; i < sizeof(framing) / sizeof(framing[0]); i++) {
		size_t length = strlen(field_names[framing[i]]);

		if (size > length && strncasecmp(name, field_names[framing[i]], length) == 0)
			return true;
	}
	return false;
}

void head_add(
	struct head *head, const char *name, size_t name_size, const char *value, size_t value_size)
{
	head->fields++;
	if (!field_is_token(name, name_size)) {
		refuse_framing(&head->refusal, 400,
			"a field name is empty, or has characters no field name has");
		return;
	}
	if (is_folded(name, name_size)) {
		refuse_framing(&head->refusal, 400, "a field that frames the body is folded");
		return;
	}
	if (!field_is_value(value, value_size)) {
		refuse_framing(&head->refusal, 400, "a field value has control characters");
		return;
	}
	for (unsigned int i = 0; i < HEAD_FIELD_COUNT; i++) {
		if (strlen(field_names[i]) != name_size ||
			strncasecmp(name, field_names[i], name_size) != 0)
			continue;
		if (head->field[i] != NULL && i != HEAD_ACCEPT) {
			head->refusal.close = true;
			refuse(&head->refusal, 400, "%s: more than once", field_names[i]);
		}
		head->field[i] = value;
	}
}

static bool check_line(struct head *head, struct refusal *refusal)
{
	if (head->size > HTTP_HEAD_MAX)
		return refuse_framing(
			refusal, 431, "request line and fields: more than 16384 bytes");
	if (head->fields > HTTP_FIELDS_MAX)
		return refuse_framing(refusal, 431, "more than 64 fields");
	if (!field_is_token(head->method, strlen(head->method)))
		return refuse_framing(refusal, 400, "the method is no token");
	if (strcmp(head->version, "HTTP/1.1") != 0 && strcmp(head->version, "HTTP/1.0") != 0)
		return refuse_framing(refusal, 505, "HTTP/1.1 and HTTP/1.0 are spoken here");
	if (target_parse(head->target_text, &head->target) != 0)
		return refuse_framing(
			refusal, 400, "the request target is neither a path nor an http URL");
	return true;
}

static bool name_listed(const struct http_policy *policy, const char *host)
{
	for (unsigned int i = 0; i < policy->host_count; i++) {
		if (strcasecmp(policy->hosts[i], host) == 0)
			return true;
	}
	return false;
}

/* A name that is not ours is a browser that was lied to by the DNS, or a badly set up proxy. */
static bool check_authority(
	struct head *head, const struct http_policy *policy, struct refusal *refusal)
{
	const char *host = head->field[HEAD_HOST], *proto = head->field[HEAD_FORWARDED_PROTO];
	const struct target *target = &head->target;

	head->https = policy->tls ||
		      (head->from_loopback && proto != NULL && strcasecmp(proto, "https") == 0);
	if (host == NULL)
		return refuse(refusal, 400, "Host: missing");
	if (authority_parse(host, strlen(host), &head->authority) != 0)
		return refuse(refusal, 400, "Host: not a host with an optional port");
	if (target->form == TARGET_ABSOLUTE &&
		!authority_equal(&target->authority, &head->authority, target->https))
		return refuse(refusal, 400, "Host: not the one of the request target");
	if (!head->authority.address && !name_listed(policy, head->authority.host))
		return refuse(refusal, 421,
			"Host: this server does not go by that name (option http_hosts)");
	return true;
}

static bool check_framing(struct head *head, struct refusal *refusal)
{
	const char *length = head->field[HEAD_CONTENT_LENGTH];
	bool takes = strcmp(head->method, "POST") == 0 || strcmp(head->method, "PATCH") == 0;

	if (head->field[HEAD_TRANSFER_ENCODING] != NULL) {
		if (length != NULL)
			return refuse_framing(
				refusal, 400, "Transfer-Encoding and Content-Length together");
		return refuse_framing(refusal, 411,
			"Transfer-Encoding: not taken; send the body with Content-Length");
	}
	if (length == NULL)
		return !takes || refuse_framing(refusal, 411, "Content-Length: missing");
	if (field_length(length, &head->content_length) != 0)
		return refuse_framing(refusal, 400, "Content-Length: not a number");
	if (head->content_length > 0 && !takes)
		return refuse_framing(refusal, 400, "only POST and PATCH may have a body");
	if (head->content_length > HTTP_BODY_MAX)
		return refuse(refusal, 413, "the body is larger than 65536 bytes");
	return true;
}

static bool check_expect(struct head *head, struct refusal *refusal)
{
	const char *expect = head->field[HEAD_EXPECT];

	if (expect != NULL && strcasecmp(expect, "100-continue") != 0)
		return refuse_framing(refusal, 417, "Expect: only 100-continue is known");
	return true;
}

static bool check_route(struct head *head, struct refusal *refusal)
{
	int rc = http_route_find(head->target.path, head->target.path_size, &head->match);

	if (rc == 0) {
		head->known = true;
		return true;
	}
	return rc == -ENOENT
		       ? refuse(refusal, 404, "there is nothing at this path")
		       : refuse(refusal, 400,
				 "the path does not end in an id: 1 to 64 of A-Z a-z 0-9 _ . : -");
}

static bool check_method(struct head *head, struct refusal *refusal)
{
	static const char *const names[] = {"GET", "POST", "PATCH", "DELETE"};

	_Static_assert(sizeof(names) / sizeof(names[0]) == HTTP_METHOD_COUNT, "one name each");
	if (strcmp(head->method, "OPTIONS") == 0) {
		head->options = true;
		return true;
	}
	if (strcmp(head->method, "HEAD") == 0 && strstr(head->match.allow, "HEAD") != NULL &&
		head->match.methods != 0) {
		head->no_body = true;
		return true;
	}
	for (unsigned int i = 0; i < HTTP_METHOD_COUNT; i++) {
		head->method_number = (enum http_method)i;
		if (strcmp(head->method, names[i]) == 0 && head->match.methods & 1u << i)
			return true;
	}
	head->method_number = HTTP_GET;
	refusal->allow = head->match.allow;
	return refuse(refusal, 405, "%.20s: this path takes %s", head->method, head->match.allow);
}

static bool origin_listed(const struct http_policy *policy, const char *origin)
{
	for (unsigned int i = 0; i < policy->origin_count; i++) {
		if (strcmp(policy->origins[i], "*") == 0 ||
			strcasecmp(policy->origins[i], origin) == 0)
			return true;
	}
	return false;
}

/*
 * A page of another origin may read what everybody may (then without leave to look at the answer);
 * it may not act. Behind a proxy that ends TLS both schemes are our own.
 */
static bool check_origin(
	struct head *head, const struct http_policy *policy, struct refusal *refusal)
{
	const char *origin = head->field[HEAD_ORIGIN];
	struct authority from;
	bool https, acts = head->method_number != HTTP_GET || head->options;

	if (origin == NULL)
		return true;
	if (origin_parse(origin, &from, &https) == 0 && (https || !policy->tls) &&
		authority_equal(&from, &head->authority, https))
		return true;
	head->cross = origin_listed(policy, origin);
	return head->cross || !acts ||
	       refuse(refusal, 403,
		       "Origin: pages of that origin may not act here (option http_origins)");
}

static bool check_body(struct head *head, struct refusal *refusal)
{
	const char *type = head->field[HEAD_CONTENT_TYPE];
	const char *encoding = head->field[HEAD_CONTENT_ENCODING];

	if (encoding != NULL && strcasecmp(encoding, "identity") != 0)
		return refuse(refusal, 415, "Content-Encoding: not taken");
	if (type != NULL && !field_media_type(type, head->media_type))
		return refuse(refusal, 400, "Content-Type: not a media type");
	if (head->options || head->match.accept == NULL || head->method_number != HTTP_POST)
		return true;
	return strcmp(head->media_type, head->match.accept) == 0 ||
	       refuse(refusal, 415, "Content-Type: has to be %s", head->match.accept);
}

static bool check_credentials(struct head *head, struct refusal *refusal)
{
	const char *authorization = head->field[HEAD_AUTHORIZATION];
	const char *match = head->field[HEAD_IF_MATCH], *last = head->field[HEAD_LAST_EVENT_ID];
	const char *share = head->field[HEAD_SHARE];
	uint64_t number;

	if (authorization != NULL) {
		head->token = field_bearer(authorization);
		if (head->token == NULL)
			return refuse(refusal, 401, "Authorization: not a bearer token");
	}
	if (share != NULL && !field_is_code(share))
		return refuse(refusal, 400, "Stentor-Share: not the code of a link");
	if (match != NULL && !field_is_entity_tag(match))
		return refuse(refusal, 400, "If-Match: not an entity tag");
	if (last != NULL && last[0] != '\0' && field_length(last, &number) != 0)
		return refuse(refusal, 400, "Last-Event-ID: not a number");
	return true;
}

void head_check(struct head *head, const struct http_policy *policy, struct refusal *refusal)
{
	*refusal = head->refusal;
	/* Framing first: whatever else is wrong, it has to be known where the request ends. */
	(void)(check_line(head, refusal) && refusal->status == 0 && check_framing(head, refusal) &&
		check_expect(head, refusal) && check_authority(head, policy, refusal) &&
		check_route(head, refusal) && check_method(head, refusal) &&
		check_origin(head, policy, refusal) && check_body(head, refusal) &&
		check_credentials(head, refusal));
}
