/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * GET /events/{room}: the events of a room as server-sent events, for members by their token and,
 * if configured, for everybody. An event's id is its seq; Last-Event-ID replays what came behind it
 * from the log. A stream is a follower of the feed, so a slow client costs no memory; one that
 * takes nothing for the stall timeout is cut with a last event. A member's stream ends with the
 * membership, behind the event that says so. Loop's thread.
 */
#ifndef STENTOR_CONTROLPLANE_EVENT_STREAM_H
#define STENTOR_CONTROLPLANE_EVENT_STREAM_H

#include "controlplane/conductor.h"
#include "controlplane/http/exchange.h"

struct event_streams;

struct event_stream_config {
	bool open;         /* no token is needed */
	uint64_t stall_ns; /* this long without a byte taken: cut */
};

int event_streams_open(struct event_streams **streams, struct conductor *c,
	const struct event_stream_config *config);
/* Ends all; before the HTTP server closes. Both accept NULL. */
void event_streams_end(struct event_streams *streams);
/* Behind it. */
void event_streams_close(struct event_streams *streams);

void event_stream_open(struct event_streams *streams, struct http_exchange *exchange);
/* At the end of a turn: goes on where there was no room, ends what has lost its member or room. */
void event_streams_settle(struct event_streams *streams);
/* Once a second: heartbeats, and who does not read. */
void event_streams_tick(struct event_streams *streams, uint64_t now_ns);

#endif
