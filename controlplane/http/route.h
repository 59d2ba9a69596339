/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which path is what, and which methods it knows: one table. Pure; any thread.
 */
#ifndef STENTOR_CONTROLPLANE_HTTP_ROUTE_H
#define STENTOR_CONTROLPLANE_HTTP_ROUTE_H

#include <stddef.h>

#include "controlplane/http/exchange.h"

/* What the server answers by itself comes behind what the loop's thread answers. */
enum http_place {
	HTTP_PLACE_EXCHANGE, /* enum http_route */
	HTTP_PLACE_FILE,     /* embedded: `file` */
	HTTP_PLACE_HEALTH,
	HTTP_PLACE_SERVER, /* "*": of OPTIONS only */
	HTTP_PLACE_COUNT
};

#define HTTP_METHOD_BIT(method_) (1u << (method_))

struct http_match {
	enum http_place place;
	enum http_route route;
	unsigned int methods; /* bits of enum http_method; GET includes HEAD */
	const char *allow;    /* the same, as the Allow header says it */
	const char *accept;   /* media type that POST takes, NULL: whatever */
	char segment[HTTP_SEGMENT_MAX + 1];
	const char *file; /* embedded path; NULL: segment is its name */
};

/* 0, -ENOENT: no such path, -EINVAL: badly encoded, or a segment that is no id. */
int http_route_find(const char *path, size_t size, struct http_match *match);
/* For logs and metrics, never NULL. */
const char *http_route_name(const struct http_match *match);

#endif
