/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One connection to table.sock: what it may do, its open transaction, and what is on its way to it.
 * Output is queued without waiting and bounded: who does not read is disconnected, and may come
 * back and ask again.
 */
#ifndef STENTOR_DATAPLANE_CTL_CLIENT_H
#define STENTOR_DATAPLANE_CTL_CLIENT_H

#include "dataplane/ctl/transaction.h"

/* Telemetry is dropped above the first, dumps pause above the second, nobody gets past the third.
 */
#define CLIENT_TELEMETRY_MAX (256u << 10)
/* DTLS is dropped above this: notices and results find space behind it. */
#define CLIENT_DATAGRAMS_MAX (128u << 10)
#define CLIENT_PAUSE (256u << 10)
#define CLIENT_OUTPUT_MAX (8u << 20)
#define CLIENT_TASKS_MAX 16 /* dumps, statistics of rooms and explanations at the same time */

struct client_message;

struct client {
	int fd;
	uint64_t id;   /* never used before */
	uint32_t role; /* enum stn_client_role, 0: no hello yet */
	uint64_t epoch;
	uint64_t close_by_ns; /* without a hello, or when closing and the output does not drain */
	bool subscribed;
	bool closing;      /* once the output is out */
	bool dead;         /* now */
	bool wants_output; /* epoll is told */
	uint32_t tasks;
	uint64_t notices_lost; /* since the last one that was delivered */
	struct transaction transaction;
	struct client_message *first;
	struct client_message *last;
	size_t output; /* bytes queued, messages included */
};

struct client *table_client_open(int fd, uint64_t id);
/* Closes the connection and discards an open transaction. */
void table_client_close(struct client *client);

/* Fills in magic, version and length. message is zeroised from the queue when it is out. */
void table_client_send(struct client *client, struct stn_header *message, size_t size);

/* A STN_MESSAGE_RESULT; rooms and legs are what is programmed now. */
struct client_result {
	uint32_t sequence;
	uint16_t type; /* STN_MESSAGE_RESULT or STN_MESSAGE_DUMP_END */
	uint32_t rooms;
	uint32_t legs;
	uint64_t applied_ns;
	const struct refusal *refusal; /* NULL: done */
};
void table_client_send_result(struct client *client, const struct client_result *result);

/*
 * Telemetry is dropped and counted when the client is behind, safety never: it counts against the
 * output's bound only. Returns false when it was dropped.
 */
bool table_client_send_notice(struct client *client, const struct stn_notice *notice, bool safety);

/* Sends what the socket takes. Returns whether everything is out. */
bool table_client_flush(struct client *client);

#endif
