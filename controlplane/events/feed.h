/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What happens, for those who subscribed. A subscriber is a position in the sequence of events and
 * nothing more: what it has not got yet is taken from the last few thousand events in memory, or
 * before those from the log, whenever its connection has room. So a slow one costs no memory.
 * Connections of events.sock subscribe by their number; anything else by a feed_target.
 */
#ifndef STENTOR_CONTROLPLANE_EVENTS_FEED_H
#define STENTOR_CONTROLPLANE_EVENTS_FEED_H

#include <stdbool.h>

#include "controlplane/events/server.h"
#include "controlplane/rooms/writer.h"

struct feed;

struct feed_config {
	unsigned int subscribers_max; /* connections of events.sock */
	unsigned int targets_max;     /* others */
	/* Lines of the events behind *after, which moves on; as store_log_read(). */
	int (*read)(void *context, uint64_t room_id, uint64_t *after, unsigned int limit,
		struct writer *text);
	void *context;
};

int feed_open(struct feed **feed, struct server *server, const struct feed_config *config,
	uint64_t sequence);
void feed_close(struct feed *feed);

/* The next event; sequence is one more than that of the last. */
void feed_push(
	struct feed *feed, uint64_t sequence, uint64_t room_id, const char *text, size_t size);
/* To whom is up to date; no sequence number, never repeated. */
void feed_live(struct feed *feed, uint64_t room_id, const char *text, size_t size);
/* Sends to everybody what was pushed. Once a turn. */
void feed_pump(struct feed *feed);

/* 0, -EEXIST (has a subscription), -ENOSPC. room_id 0: all rooms. */
int feed_subscribe(struct feed *feed, uint64_t connection, uint64_t after, uint64_t room_id);
/* The connection has room again, stalls, or is gone. */
void feed_drained(struct feed *feed, uint64_t connection);
void feed_stalled(struct feed *feed, uint64_t connection);
void feed_gone(struct feed *feed, uint64_t connection);
unsigned int feed_subscribers(const struct feed *feed); /* connections of events.sock */

/* What is no connection of events.sock; named by its address. */
struct feed_target {
	/* Whole lines with their newlines. */
	void (*send)(struct feed_target *target, const char *text, size_t size);
	/* Bytes it still holds; from SERVER_OUTPUT_HIGH on nothing more is sent. */
	size_t (*pending)(struct feed_target *target);
};

/* 0, -ENOSPC. */
int feed_attach(struct feed *feed, struct feed_target *target, uint64_t after, uint64_t room_id);
/* It has room again. */
void feed_target_drained(struct feed *feed, struct feed_target *target);
/* Whether it has got everything there is. */
bool feed_target_current(const struct feed *feed, const struct feed_target *target);
void feed_detach(struct feed *feed, struct feed_target *target);

#endif
