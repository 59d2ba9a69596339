/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/events/feed.h"

#define RECENT 4096 /* events in memory, a power of two */
#define PAGE 256    /* events read from the log at a time */

struct recent {
	uint64_t room_id;
	char *line; /* with its newline */
	size_t size;
};

struct subscriber {
	uint64_t connection; /* 0: free */
	uint64_t after;
	uint64_t room_id;
};

struct feed {
	struct server *server;
	struct feed_config config;
	struct subscriber *subscribers;
	unsigned int count;
	uint64_t first, last; /* first is in recent[], if first <= last */
	struct recent recent[RECENT];
	struct writer page;
	bool pushed;
};

int feed_open(struct feed **out, struct server *server, const struct feed_config *config,
	uint64_t sequence)
{
	struct feed *feed = calloc(1, sizeof(*feed));

	if (feed == NULL)
		return -ENOMEM;
	feed->server = server;
	feed->config = *config;
	feed->last = sequence;
	feed->first = sequence + 1;
	feed->subscribers = calloc(config->subscribers_max, sizeof(struct subscriber));
	if (feed->subscribers == NULL) {
		free(feed);
		return -ENOMEM;
	}
	*out = feed;
	return 0;
}

void feed_close(struct feed *feed)
{
	if (feed == NULL)
		return;
	for (unsigned int i = 0; i < RECENT; i++)
		free(feed->recent[i].line);
	writer_clear(&feed->page);
	free(feed->subscribers);
	free(feed);
}

void feed_push(
	struct feed *feed, uint64_t sequence, uint64_t room_id, const char *text, size_t size)
{
	struct recent *recent = &feed->recent[sequence % RECENT];
	char *line = malloc(size + 1);

	free(recent->line);
	*recent = (struct recent){0};
	feed->last = sequence;
	feed->pushed = true;
	if (line == NULL) {
		feed->first = sequence + 1; /* from the log, then */
		return;
	}
	memcpy(line, text, size);
	line[size] = '\n';
	*recent = (struct recent){room_id, line, size + 1};
	if (sequence - feed->first >= RECENT)
		feed->first = sequence - RECENT + 1;
}

/* One step: false when there is nothing to be had. */
static bool advance(struct feed *feed, struct subscriber *s)
{
	if (s->after + 1 >= feed->first) {
		const struct recent *recent = &feed->recent[++s->after % RECENT];

		if (s->room_id == 0 || s->room_id == recent->room_id)
			server_send(feed->server, s->connection, recent->line, recent->size);
		return true;
	}
	writer_reset(&feed->page);
	uint64_t before = s->after;

	if (feed->config.read(feed->config.context, s->room_id, &s->after, PAGE, &feed->page) !=
			0 ||
		feed->page.failed)
		return false; /* the disk fails: later */
	if (s->after == before)
		s->after = feed->first - 1; /* none of this room between here and memory */
	server_send(feed->server, s->connection, feed->page.text, feed->page.size);
	return true;
}

static void pump(struct feed *feed, struct subscriber *s)
{
	uint64_t connection = s->connection;

	while (s->connection == connection && connection != 0 && s->after < feed->last &&
		server_pending(feed->server, connection) < SERVER_OUTPUT_HIGH) {
		if (!advance(feed, s))
			return;
	}
}

void feed_pump(struct feed *feed)
{
	if (!feed->pushed)
		return;
	feed->pushed = false;
	for (unsigned int i = 0; i < feed->config.subscribers_max; i++)
		pump(feed, &feed->subscribers[i]);
}

void feed_live(struct feed *feed, uint64_t room_id, const char *text, size_t size)
{
	feed_pump(feed);
	for (unsigned int i = 0; i < feed->config.subscribers_max; i++) {
		struct subscriber *s = &feed->subscribers[i];

		if (s->connection == 0 || s->after < feed->last ||
			(s->room_id != 0 && s->room_id != room_id) ||
			server_pending(feed->server, s->connection) >= SERVER_OUTPUT_HIGH)
			continue;
		server_send(feed->server, s->connection, text, size);
	}
}

static struct subscriber *find(const struct feed *feed, uint64_t connection)
{
	for (unsigned int i = 0; i < feed->config.subscribers_max; i++) {
		if (feed->subscribers[i].connection == connection)
			return &feed->subscribers[i];
	}
	return NULL;
}

int feed_subscribe(struct feed *feed, uint64_t connection, uint64_t after, uint64_t room_id)
{
	struct subscriber *s;

	if (find(feed, connection) != NULL)
		return -EEXIST;
	s = find(feed, 0);
	if (s == NULL)
		return -ENOSPC;
	*s = (struct subscriber){connection, after, room_id};
	feed->count++;
	feed->pushed = true;
	return 0;
}

void feed_drained(struct feed *feed, uint64_t connection)
{
	struct subscriber *s = find(feed, connection);

	if (s != NULL)
		pump(feed, s);
}

void feed_stalled(struct feed *feed, uint64_t connection)
{
	struct subscriber *s = find(feed, connection);
	char line[96];
	int size;

	if (s == NULL)
		return;
	size = snprintf(line, sizeof(line),
		"{\"type\":\"subscribe.cut\",\"resume_from\":%" PRIu64 "}\n", s->after);
	server_send(feed->server, connection, line, (size_t)size);
	feed_gone(feed, connection);
}

void feed_gone(struct feed *feed, uint64_t connection)
{
	struct subscriber *s = find(feed, connection);

	if (s == NULL || connection == 0)
		return;
	*s = (struct subscriber){0};
	feed->count--;
}

unsigned int feed_subscribers(const struct feed *feed)
{
	return feed->count;
}
