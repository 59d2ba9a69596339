/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Questions to the table server that are answered from the registry and by workers: statistics,
 * dumps, explanations. What is long is a task that goes on a bounded step at a time, between the
 * server's other work, and pauses while its client does not read.
 *
 * A dump walks the tables of handles: what stays programmed while it runs is in it exactly once.
 */
#ifndef STENTOR_DATAPLANE_CTL_QUERY_H
#define STENTOR_DATAPLANE_CTL_QUERY_H

#include "dataplane/ctl/apply.h"
#include "dataplane/ctl/client.h"

struct task;

struct query {
	struct apply *apply;
	struct registry *registry;
	struct task *first; /* owned */
	uint64_t token_last;
	uint8_t *buffer; /* STN_TABLE_MESSAGE_MAX bytes to build a message in */
	struct client *(*client)(void *context, uint64_t id); /* NULL: gone */
	void *context;
	uint64_t started_ns;
};

int query_open(struct query *query, struct apply *apply,
	struct client *(*client)(void *context, uint64_t id), void *context);
void query_close(struct query *query);

/* What clients did not read in time, and what workers did not take. */
struct query_dropped {
	uint64_t notices;
	uint64_t datagrams;
};
void query_stats(struct query *query, struct client *client, uint32_t sequence, uint64_t now_ns,
	const struct query_dropped *dropped);
/* 0, or -ENOMEM/-EAGAIN with nothing begun: too much at a time. */
int query_room_stats(
	struct query *query, struct client *client, const struct stn_room_query *request);
int query_dump(struct query *query, struct client *client, const struct stn_room_query *request);
int query_explain(struct query *query, struct client *client, const struct stn_explain *request);

/* REPLY_ROOM_STATS. */
void query_reply(struct query *query, const struct reply *reply);

/* A worker owes an answer. */
bool query_pending(const struct query *query);

/* One step of each task. Returns whether one of them could go on at once. */
bool query_poll(struct query *query);

#endif
