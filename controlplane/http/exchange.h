/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One HTTP request and its response, handed from the HTTP server's thread to the loop's thread and
 * back. The server has checked framing, sizes and methods; who answers fills in the response and
 * calls http_respond() exactly once, on the loop's thread, now or later. Until then the request's
 * memory stays valid.
 */
#ifndef STENTOR_CONTROLPLANE_HTTP_EXCHANGE_H
#define STENTOR_CONTROLPLANE_HTTP_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controlplane/rooms/writer.h"

#define HTTP_HEADERS_MAX 8 /* of a response, besides those the server adds */
#define HTTP_SEGMENT_MAX 128

enum http_method { HTTP_GET, HTTP_POST, HTTP_PATCH, HTTP_DELETE, HTTP_METHOD_COUNT };

/* What the loop's thread answers; pages, health and preflights are answered by the server itself.
 */
enum http_route {
	HTTP_ROUTE_WHIP,    /* POST /whip/{room} */
	HTTP_ROUTE_WHEP,    /* POST /whep/{room} */
	HTTP_ROUTE_SESSION, /* PATCH, DELETE /session/{id} */
	HTTP_ROUTE_EVENTS,  /* POST /events: one request of events.sock, actor from the token */
	HTTP_ROUTE_EVENT_STREAM, /* GET /events/{room}: text/event-stream */
	HTTP_ROUTE_ROOMS,        /* GET /rooms: live and scheduled ones, for the page "/" */
	HTTP_ROUTE_ROOM,         /* GET /rooms/{room}: what everybody may know of it */
	HTTP_ROUTE_METRICS,      /* GET /metrics: OpenMetrics */
	HTTP_ROUTE_READY,        /* GET /readyz */
	HTTP_ROUTE_COUNT
};

struct http_header {
	const char *name; /* static */
	char *value;      /* malloc'ed; freed with the exchange */
};

struct http_exchange {
	enum http_route route;
	enum http_method method;
	char segment[HTTP_SEGMENT_MAX + 1]; /* {room} or {id}, decoded and checked: an id */
	const char *token;                  /* of Authorization: Bearer, NULL: none; never logged */
	const char *share;                  /* of Stentor-Share, NULL: none; never logged */
	const char *content_type;  /* media type without parameters, lower case; NULL: none */
	const char *if_match;      /* NULL: none */
	const char *last_event_id; /* NULL: none */
	const char *accept;        /* NULL: none */
	const char *origin;        /* scheme and authority the client used, "http://host:port" */
	const char *body;          /* NUL behind it */
	size_t body_size;
	void *user; /* the answerer's own */

	unsigned int status; /* 200 ... */
	const char *type;    /* of the response's body, static */
	struct writer response;
	struct http_header header[HTTP_HEADERS_MAX];
	unsigned int header_count;
};

/* Adds a response header; "" on no memory is never sent, the status becomes 500. */
void http_header_set(struct http_exchange *exchange, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* An application/problem+json body (RFC 9457): title from the status, detail says what is wrong. */
void http_problem(struct http_exchange *exchange, unsigned int status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Sends it. The exchange is gone when this returns. */
void http_respond(struct http_exchange *exchange);

/*
 * Event streams stay open: instead of http_respond(), begin it (status 200 is sent), send any
 * number of whole events, end it. A client who does not read is cut: closed() is called on the
 * loop's thread, once, also after http_stream_end(); then the stream is gone.
 */
struct http_stream;
/* NULL: out of memory, and the exchange is as it was. */
struct http_stream *http_stream_begin(struct http_exchange *exchange,
	void (*closed)(void *context, struct http_stream *stream), void *context);
#define HTTP_STREAM_MAX (512u * 1024) /* bytes that may wait for a client */
/*
 * 0; -ENOBUFS: too much is waiting, the stream is being cut; -EPIPE: it has ended, or its client
 * has left.
 */
int http_stream_send(struct http_stream *stream, const char *text, size_t size);
/* Bytes waiting for the client, and since when it has taken none (CLOCK_MONOTONIC). */
size_t http_stream_pending(const struct http_stream *stream, uint64_t *since_ns);
/* What waits is still sent, for a few seconds. */
void http_stream_end(struct http_stream *stream);

#endif
