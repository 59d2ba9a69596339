/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * events.sock: listens, checks who connects, cuts lines, buffers answers. Loop's thread. Knows
 * nothing of what lines mean. A connection is named by a number that is never given twice, so that
 * an answer that comes late finds either its connection or none.
 */
#ifndef STENTOR_CONTROLPLANE_EVENTS_SERVER_H
#define STENTOR_CONTROLPLANE_EVENTS_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controlplane/loop.h"

/* Bytes of answers waiting beyond which nothing more is read from, or replayed to, a connection. */
#define SERVER_OUTPUT_HIGH (256u * 1024)

/* Requests of one connection under way beyond which no further line of it is handled. */
#define SERVER_UNDER_WAY 1024u

struct server;

struct server_config {
	const char *path;
	int64_t uid, gid; /* who may connect besides root and ourselves; -1: nobody else */
	unsigned int connections_max;
	uint64_t stall_timeout_ns; /* output waits so long without a byte taken: disconnected */
};

struct server_callbacks {
	/* line may be written to, and is erased afterwards. */
	void (*line)(void *context, uint64_t connection, char *line, size_t size);
	void (*too_long)(void *context, uint64_t connection);
	/* Output has room again. */
	void (*drained)(void *context, uint64_t connection);
	/* About to be cut for not reading: the last line may be sent now. */
	void (*stalled)(void *context, uint64_t connection);
	void (*closed)(void *context, uint64_t connection);
};

/* 0 or negative errno; -EADDRINUSE: another process listens there. */
int server_open(struct server **server, struct loop *loop, const struct server_config *config,
	const struct server_callbacks *callbacks, void *context);
/* Sends what the sockets take at once, closes all, removes the socket file. Accepts NULL. */
void server_close(struct server *server);

/* One line, newline included. Nothing happens when the connection is gone. */
void server_send(struct server *server, uint64_t connection, const char *line, size_t size);
/* Ends a connection that can no longer be served as it should: there is no memory for an answer. */
void server_cut(struct server *server, uint64_t connection);
/* That many more answers will be sent (negative: fewer); a half-closed connection waits for them.
 */
void server_expect(struct server *server, uint64_t connection, int answers);
/* Handles the lines that waited for that; call after answers were sent. */
void server_resume(struct server *server);
/* Whether there are such lines that may be handled now: do not sleep. */
bool server_waits(const struct server *server);
/* Bytes waiting to be taken by the other side. */
size_t server_pending(const struct server *server, uint64_t connection);
unsigned int server_connections(const struct server *server);
/* Cuts who stalls; call about once a second. */
void server_tick(struct server *server, uint64_t now_ns);

#endif
