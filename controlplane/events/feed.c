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
	uint64_t connection;        /* or */
	struct feed_target *target; /* both 0: free */
	uint64_t after;
	uint64_t room_id;
};

struct feed {
	struct server *server;
	struct feed_config config;
	struct subscriber *subscribers;
	unsigned int size; /* of them, free ones included */
	unsigned int count, target_count;
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
	feed->size = config->subscribers_max + config->targets_max;
	feed->subscribers = calloc(feed->size, sizeof(struct subscriber));
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

static bool is_free(const struct subscriber *s)
{
	return s->connection == 0 && s->target == NULL;
}

static void deliver(struct feed *feed, struct subscriber *s, const char *text, size_t size)
{
	if (size == 0)
		return;
	if (s->target != NULL)
		s->target->send(s->target, text, size);
	else
		server_send(feed->server, s->connection, text, size);
}

static bool has_room(const struct feed *feed, const struct subscriber *s)
{
	return (s->target != NULL
			       ? s->target->pending(s->target)
			       : server_pending(feed->server, s->connection)) < SERVER_OUTPUT_HIGH;
}

/* What memory does not have any more. The same again, later, if the disk or the memory fails. */
static bool advance_in_log(struct feed *feed, struct subscriber *s)
{
	uint64_t after = s->after;
	int rc;

	writer_reset(&feed->page);
	rc = feed->config.read(feed->config.context, s->room_id, &after, PAGE, &feed->page);
	if (rc != 0 || feed->page.failed || (after == s->after && s->room_id == 0)) {
		feed->pushed = true;
		return false;
	}
	/* None of this room between here and memory, perhaps. */
	s->after = after == s->after ? feed->first - 1 : after;
	deliver(feed, s, feed->page.text, feed->page.size);
	return true;
}

/* One step: false when there is nothing to be had. */
static bool advance(struct feed *feed, struct subscriber *s)
{
	if (s->after + 1 >= feed->first) {
		const struct recent *recent = &feed->recent[++s->after % RECENT];

		if (s->room_id == 0 || s->room_id == recent->room_id)
			deliver(feed, s, recent->line, recent->size);
		return true;
	}
	return advance_in_log(feed, s);
}

static void pump(struct feed *feed, struct subscriber *s)
{
	const struct subscriber who = *s;

	/* Sending may end it. */
	while (s->connection == who.connection && s->target == who.target && !is_free(s) &&
		s->after < feed->last && has_room(feed, s)) {
		if (!advance(feed, s))
			return;
	}
}

void feed_pump(struct feed *feed)
{
	if (!feed->pushed)
		return;
	feed->pushed = false;
	for (unsigned int i = 0; i < feed->size; i++)
		pump(feed, &feed->subscribers[i]);
}

void feed_live(struct feed *feed, uint64_t room_id, const char *text, size_t size)
{
	feed_pump(feed);
	for (unsigned int i = 0; i < feed->size; i++) {
		struct subscriber *s = &feed->subscribers[i];

		if (is_free(s) || s->after < feed->last ||
			(s->room_id != 0 && s->room_id != room_id) || !has_room(feed, s))
			continue;
		deliver(feed, s, text, size);
	}
}

static struct subscriber *find(
	const struct feed *feed, uint64_t connection, const struct feed_target *target)
{
	for (unsigned int i = 0; i < feed->size; i++) {
		struct subscriber *s = &feed->subscribers[i];

		if (s->connection == connection && s->target == target)
			return s;
	}
	return NULL;
}

int feed_subscribe(struct feed *feed, uint64_t connection, uint64_t after, uint64_t room_id)
{
	struct subscriber *s;

	if (find(feed, connection, NULL) != NULL)
		return -EEXIST;
	s = feed->count == feed->config.subscribers_max ? NULL : find(feed, 0, NULL);
	if (s == NULL)
		return -ENOSPC;
	*s = (struct subscriber){connection, NULL, after, room_id};
	feed->count++;
	feed->pushed = true;
	return 0;
}

void feed_drained(struct feed *feed, uint64_t connection)
{
	struct subscriber *s = find(feed, connection, NULL);

	if (s != NULL)
		pump(feed, s);
}

void feed_stalled(struct feed *feed, uint64_t connection)
{
	struct subscriber *s = find(feed, connection, NULL);
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
	struct subscriber *s = connection == 0 ? NULL : find(feed, connection, NULL);

	if (s == NULL)
		return;
	*s = (struct subscriber){0};
	feed->count--;
}

unsigned int feed_subscribers(const struct feed *feed)
{
	return feed->count;
}

int feed_attach(struct feed *feed, struct feed_target *target, uint64_t after, uint64_t room_id)
{
	struct subscriber *s =
		feed->target_count == feed->config.targets_max ? NULL : find(feed, 0, NULL);

	if (s == NULL)
		return -ENOSPC;
	*s = (struct subscriber){0, target, after, room_id};
	feed->target_count++;
	feed->pushed = true;
	return 0;
}

void feed_target_drained(struct feed *feed, struct feed_target *target)
{
	struct subscriber *s = find(feed, 0, target);

	if (s != NULL)
		pump(feed, s);
}

bool feed_target_current(const struct feed *feed, const struct feed_target *target)
{
	const struct subscriber *s = find(feed, 0, target);

	return s == NULL || s->after >= feed->last;
}

void feed_detach(struct feed *feed, struct feed_target *target)
{
	struct subscriber *s = find(feed, 0, target);

	if (s == NULL)
		return;
	*s = (struct subscriber){0};
	feed->target_count--;
}
