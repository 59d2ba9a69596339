/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/call.h"
#include "controlplane/event_stream.h"
#include "controlplane/metrics.h"
#include "controlplane/rooms/catalog.h"
#include "controlplane/rooms/token.h"
#include "controlplane/session.h"
#include "controlplane/web.h"

#define TICK_NS 1000000000u
#define ROOMS_MAX 500 /* in the list of "/" */
#define RETRY_AFTER_S 2

struct web {
	struct conductor *c;
	struct http_server *server;
	struct event_streams *streams;
	struct metrics *metrics;
	uint64_t tick_ns;
};

/* ---- POST /events ---- */

static unsigned int status_of(enum verdict_code code)
{
	switch (code) {
	case VERDICT_OK:
		return 200;
	case VERDICT_INVALID:
		return 400;
	case VERDICT_NOT_ALLOWED:
		return 403;
	case VERDICT_NO_SUCH_ROOM:
	case VERDICT_NO_SUCH_MEMBER:
	case VERDICT_NO_SUCH_USER:
	case VERDICT_NO_SUCH_THING:
		return 404;
	case VERDICT_ALREADY_EXISTS:
	case VERDICT_CONFLICT:
		return 409;
	case VERDICT_RATE_LIMITED:
		return 429;
	default:
		return 503;
	}
}

static void event_answered(void *context, const struct call_result *result)
{
	struct http_exchange *exchange = context;

	if (result->text == NULL) {
		http_problem(exchange, 503, "%s", result->message);
	} else {
		exchange->status = status_of(result->code);
		exchange->type = "application/json";
		writer_append(&exchange->response, result->text, result->size);
		writer_append(&exchange->response, "\n", 1);
	}
	if (exchange->status == 503)
		http_header_set(exchange, "Retry-After", "%u", RETRY_AFTER_S);
	else if (exchange->status == 429)
		http_header_set(
			exchange, "Retry-After", "%" PRIu64, (result->retry_after_ms + 999) / 1000);
	http_respond(exchange);
}

static void take_event(struct web *web, struct http_exchange *exchange)
{
	const struct member *member =
		exchange->token == NULL
			? NULL
			: registry_member_by_token(web->c->registry, exchange->token);

	if (member == NULL) {
		http_problem(exchange, 401,
			exchange->token == NULL ? "Authorization: a member's bearer token is needed"
						: "Authorization: no member has this token");
		http_header_set(exchange, "WWW-Authenticate", "Bearer");
		http_respond(exchange);
		return;
	}
	conductor_line_as(
		web->c, member, exchange->body, exchange->body_size, event_answered, exchange);
}

/* ---- GET /rooms, /rooms/{room} ---- */

static void write_rooms(
	struct writer *writer, const struct registry *registry, enum room_state state)
{
	const struct room *room;
	unsigned int count = 0;
	uint64_t id = 0;

	writer_begin_array(writer, state == ROOM_LIVE ? "rooms" : "scheduled");
	while (count < ROOMS_MAX && (room = roster_next(&registry->room_roster, &id)) != NULL) {
		/* Who is invited has the link. */
		if (room->rules.state != state || room->rules.access == ACCESS_INVITED)
			continue;
		count++;
		writer_begin_object(writer, NULL);
		room_describe(writer, room);
		writer_end_object(writer);
	}
	writer_end_array(writer);
}

static void list_rooms(struct web *web, struct http_exchange *exchange)
{
	struct writer *writer = &exchange->response;

	writer_begin_object(writer, NULL);
	write_rooms(writer, web->c->registry, ROOM_LIVE);
	write_rooms(writer, web->c->registry, ROOM_SCHEDULED);
	writer_end_object(writer);
	exchange->status = 200;
	exchange->type = "application/json";
	http_respond(exchange);
}

/* What room.get tells, without what only the data plane knows: nobody has to ask it for strangers.
 */
static void tell_room(struct web *web, struct http_exchange *exchange)
{
	struct writer *writer = &exchange->response;
	const struct room *room = registry_room(web->c->registry, exchange->segment);

	if (room == NULL) {
		http_problem(exchange, 404, "no such room is open or scheduled");
		http_respond(exchange);
		return;
	}
	writer_begin_object(writer, NULL);
	writer_begin_object(writer, "room");
	room_describe(writer, room);
	room_describe_rest(writer, web->c->registry, room, NULL);
	writer_end_object(writer);
	writer_end_object(writer);
	exchange->status = 200;
	exchange->type = "application/json";
	http_respond(exchange);
}

/* ---- GET /readyz ---- */

static void tell_readiness(struct web *web, struct http_exchange *exchange)
{
	const struct conductor *c = web->c;

	if (c->store_failed || c->backlog.first != NULL) {
		http_problem(exchange, 503, "the database cannot be written");
	} else if (c->registry->draining) {
		http_problem(exchange, 503, "the box drains: nobody new comes in");
	} else if (link_state(c->link) != LINK_UP) {
		http_problem(exchange, 503, "the data plane is not connected: %s",
			link_state_name(link_state(c->link)));
	} else {
		exchange->status = 200;
		exchange->type = "text/plain; charset=utf-8";
		writer_append(&exchange->response, "ready\n", 6);
	}
	http_respond(exchange);
}

/* ---- all ---- */

static void not_served(struct http_exchange *exchange)
{
	http_problem(exchange, 503, "not served by this program");
	http_respond(exchange);
}

static void take_exchange(void *context, struct http_exchange *exchange)
{
	struct web *web = context;

	switch (exchange->route) {
	case HTTP_ROUTE_WHIP:
	case HTTP_ROUTE_WHEP:
	case HTTP_ROUTE_SESSION:
		if (web->c->sessions != NULL)
			session_exchange(web->c, exchange);
		else
			not_served(exchange);
		break;
	case HTTP_ROUTE_EVENTS:
		take_event(web, exchange);
		break;
	case HTTP_ROUTE_EVENT_STREAM:
		event_stream_open(web->streams, exchange);
		break;
	case HTTP_ROUTE_ROOMS:
		list_rooms(web, exchange);
		break;
	case HTTP_ROUTE_ROOM:
		tell_room(web, exchange);
		break;
	case HTTP_ROUTE_READY:
		tell_readiness(web, exchange);
		break;
	case HTTP_ROUTE_METRICS:
		metrics_exchange(web->metrics, exchange);
		break;
	default:
		not_served(exchange);
		break;
	}
}

int web_open(struct web **out, struct conductor *c, const struct web_config *config,
	char reason[HTTP_REASON_SIZE])
{
	struct event_stream_config streams = {config->open_listening, config->stall_timeout_ns};
	struct web *web = calloc(1, sizeof(*web));
	int rc;

	snprintf(reason, HTTP_REASON_SIZE, "out of memory");
	if (web == NULL)
		return -ENOMEM;
	web->c = c;
	rc = event_streams_open(&web->streams, c, &streams);
	if (rc == 0)
		rc = metrics_open(
			&web->metrics, c, config->dtls, &web->server, config->metrics_rooms);
	if (rc == 0)
		rc = http_server_open(
			&web->server, c->loop, &config->http, take_exchange, web, reason);
	if (rc != 0) {
		web_close(web);
		return rc;
	}
	*out = web;
	return 0;
}

void web_close(struct web *web)
{
	if (web == NULL)
		return;
	event_streams_end(web->streams);
	http_server_close(web->server);
	event_streams_close(web->streams);
	metrics_close(web->metrics);
	free(web);
}

void web_turn_end(struct web *web, uint64_t now_ns)
{
	if (web == NULL)
		return;
	event_streams_settle(web->streams);
	metrics_settle(web->metrics, now_ns);
	if (now_ns < web->tick_ns)
		return;
	web->tick_ns = now_ns + TICK_NS;
	event_streams_tick(web->streams, now_ns);
	http_server_tick(web->server, now_ns);
}

uint16_t web_port(const struct web *web)
{
	return http_server_port(web->server);
}
