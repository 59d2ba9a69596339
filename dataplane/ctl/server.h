/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table server: table.sock, and behind it everything the main lcore decides (registry, apply,
 * deadlines, notices, queries). One thread, the main lcore, calls all of it, in a loop:
 *
 *	while (running)
 *		table_server_poll(server, 10);
 *
 * Nothing here blocks but the wait of table_server_poll() itself. The server owns all facts that
 * workers see, and the index store. It is closed after the workers have stopped.
 */
#ifndef STENTOR_DATAPLANE_CTL_SERVER_H
#define STENTOR_DATAPLANE_CTL_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/ctl/config.h"
#include "dataplane/io/command.h"

struct table_server;

/*
 * bus is copied, what its impl points to must outlive the server. -EBUSY: another data plane has
 * the index store; -EADDRINUSE: another one answers on the socket.
 */
int table_server_open(struct table_server **server, const struct table_server_config *config,
	const struct worker_bus *bus);

/*
 * One turn: clients, replies of workers, deadlines. Waits at most timeout_ms (0: does not wait) and
 * less when a deadline comes earlier or workers owe an answer.
 */
void table_server_poll(struct table_server *server, int timeout_ms);

/* Removes the socket, keeps the index store's file. Accepts NULL. */
void table_server_close(struct table_server *server);

/* What is programmed just now, for logs and status lines. */
struct table_server_status {
	uint32_t rooms;
	uint32_t legs;
	uint32_t clients;
	bool writer; /* connected */
	uint64_t epoch_highest;
	uint64_t notices_dropped;
	uint64_t datagrams_dropped;
};
void table_server_status(const struct table_server *server, struct table_server_status *status);

/* A hash over everything mutable that the main lcore keeps of rooms and legs, for tests. */
uint64_t table_server_digest(const struct table_server *server);

#endif
