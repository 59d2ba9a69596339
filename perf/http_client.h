/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A kept HTTP/1.1 connection, one request at a time, never blocking: as much as WHIP and WHEP
 * clients need. Single-threaded; owns its buffer.
 */
#ifndef STENTOR_PERF_HTTP_CLIENT_H
#define STENTOR_PERF_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#define HTTP_CLIENT_SIZE 65536 /* of a response, head and body */

struct http_client {
	int fd;
	bool busy; /* a response is due */
	size_t size;
	unsigned int status; /* of the response */
	const char *body;    /* NUL-terminated, until the next request */
	size_t body_size;
	char location[256]; /* empty: none */
	char etag[80];
	char *buffer;
	char host[64];
};

struct http_client_request {
	const char *method;
	const char *path;
	const char *token; /* NULL: none */
	const char *type;  /* of the body */
	const char *if_match;
	const char *body; /* NULL: none */
};

/* Connects and waits for it. 0 or a negative errno. */
int http_client_open(struct http_client *client, const struct sockaddr_storage *server);
void http_client_close(struct http_client *client);
/* 0; -EMSGSIZE, -EBUSY: one is under way; or what the socket says. */
int http_client_send(struct http_client *client, const struct http_client_request *request);
/* 1: the response is here; 0: more will come; -EBADMSG, -ECONNRESET ... */
int http_client_receive(struct http_client *client);

#endif
