/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The HTTP server: libmicrohttpd with a thread of its own. Requests are collected whole, within
 * limits, judged (head.h), and either answered at once (pages, health, preflights, refusals) or
 * handed to the loop's thread as a struct http_exchange. Everything here is called on the loop's
 * thread. Tokens and bodies are never logged.
 */
#ifndef STENTOR_CONTROLPLANE_HTTP_SERVER_H
#define STENTOR_CONTROLPLANE_HTTP_SERVER_H

#include "controlplane/http/exchange.h"
#include "controlplane/http/head.h"
#include "controlplane/loop.h"

#define HTTP_REASON_SIZE 256

struct http_server;

struct http_server_config {
	const char *address;     /* IPv4 or IPv6, in text */
	uint16_t port;           /* 0: any, see http_server_port() */
	const char *certificate; /* PEM files; both NULL: plain HTTP */
	const char *key;
	bool plain; /* without TLS also where it is not loopback */
	unsigned int connections_max;
	unsigned int connections_address_max; /* from one IPv4 address or IPv6 /64 */
	uint64_t request_timeout_ns;          /* for a whole request to be here, and for the next */
	uint64_t response_timeout_ns;         /* for a whole response to be taken */
	struct http_policy policy;            /* borrowed */
};

/* What a request was for, in statistics: enum http_route, then these. */
enum http_stat_route {
	HTTP_STAT_PAGE = HTTP_ROUTE_COUNT,
	HTTP_STAT_HEALTH,
	HTTP_STAT_OTHER, /* no such path, or not even a path */
	HTTP_STAT_ROUTE_COUNT
};

#define HTTP_STAT_CLASS_COUNT 6 /* status / 100; 0: the connection was lost before */
#define HTTP_STAT_BUCKETS 8

/* Upper bounds in microseconds of all buckets but the last. */
extern const uint32_t http_stat_bounds_us[HTTP_STAT_BUCKETS - 1];
const char *http_stat_route_name(unsigned int route);

struct http_stat_entry {
	uint64_t answered[HTTP_STAT_CLASS_COUNT];
	uint64_t duration[HTTP_STAT_BUCKETS]; /* from the request line to the last byte taken */
	uint64_t duration_sum_us;
};

struct http_stats {
	uint32_t connections, streams; /* now */
	uint64_t accepted;
	uint64_t refused_total, refused_address; /* connections beyond the limits */
	uint64_t overdue;                        /* connections cut for being slow */
	struct http_stat_entry route[HTTP_STAT_ROUTE_COUNT];
};

/*
 * 0, or negative errno with the reason in words. handle() has to lead to http_respond() or
 * http_stream_begin().
 */
int http_server_open(struct http_server **server, struct loop *loop,
	const struct http_server_config *config,
	void (*handle)(void *context, struct http_exchange *exchange), void *context,
	char reason[HTTP_REASON_SIZE]);
/* Whoever still waits is told 503. No exchange or stream may be used afterwards. Accepts NULL. */
void http_server_close(struct http_server *server);
uint16_t http_server_port(const struct http_server *server);
/* Cuts who is too slow; about once a second. */
void http_server_tick(struct http_server *server, uint64_t now_ns);
void http_server_read_stats(struct http_server *server, struct http_stats *out);

#endif
