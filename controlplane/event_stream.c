/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/event_stream.h"
#include "controlplane/rooms/admission.h"
#include "controlplane/rooms/policy.h"
#include "controlplane/rooms/token.h"

#define BEAT_NS 15000000000u
#define RETRY_MS 2000

struct event_stream {
	struct feed_target target; /* first: the feed knows only this */
	struct event_stream *next, *previous;
	struct event_streams *all;
	struct http_stream *http; /* NULL: not yet begun */
	uint64_t room_id;
	uint64_t member_id; /* 0: somebody without a token */
	uint64_t last_id;   /* seq of the last event sent */
	uint64_t beat_ns;   /* when a heartbeat is due */
	bool ended;
};

struct event_streams {
	struct conductor *c;
	struct event_stream_config config;
	struct event_stream *first;
	struct writer text;
};

/* Every event of the feed begins so; live ones have none. 0: none. */
static uint64_t sequence_of(const char *line, size_t size)
{
	static const char begin[] = "{\"seq\":";
	uint64_t value = 0;

	if (size < sizeof(begin) || memcmp(line, begin, sizeof(begin) - 1) != 0)
		return 0;
	for (size_t i = sizeof(begin) - 1; i < size && line[i] >= '0' && line[i] <= '9'; i++)
		value = value * 10 + (uint64_t)(line[i] - '0');
	return value;
}

/*
 * Names of people that are none of others' business: who has reported whom, paid, been invited or
 * been told. Whoever moderates sees what there is to moderate, the rest is the application's.
 */
static const struct {
	const char *prefix;
	enum rank rank; /* RANK_COUNT: nobody's */
} reserved[] = {{"report.", RANK_COHOST}, {"share.", RANK_COHOST}, {"ticket.issued", RANK_COHOST},
	{"ticket.refunded", RANK_COHOST}, {"room.live", RANK_COUNT}, {"reminder.", RANK_COUNT}};

/* {"seq":N,"type":"...", or without seq: the program's own text, so the type is where it always is.
 */
static const char *type_of(const char *line, size_t size)
{
	static const char key[] = "\"type\":\"";
	const char *found = memmem(line, size < 48 ? size : 48, key, sizeof(key) - 1);

	return found == NULL ? "" : found + sizeof(key) - 1;
}

static bool may_see(const struct event_stream *stream, const char *line, size_t size)
{
	const struct registry *registry = stream->all->c->registry;
	const struct room *room = registry_room_by_id(registry, stream->room_id);
	const struct member *member = registry_member_by_id(registry, stream->member_id);
	const char *type = type_of(line, size);

	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
		if (strncmp(type, reserved[i].prefix, strlen(reserved[i].prefix)) != 0)
			continue;
		return room != NULL && member != NULL && reserved[i].rank != RANK_COUNT &&
		       policy_rank(registry, room, member->user.text) >= reserved[i].rank;
	}
	return true;
}

/* An event is one line of JSON: nothing in it ends a "data:" line. */
static void write_event(struct event_stream *stream, const char *line, size_t size)
{
	struct writer *writer = &stream->all->text;
	uint64_t sequence = sequence_of(line, size);
	char id[40];

	if (sequence != 0) {
		stream->last_id = sequence;
		writer_append(writer, id,
			(size_t)snprintf(id, sizeof(id), "id: %" PRIu64 "\n", sequence));
	}
	writer_append(writer, "data: ", 6);
	writer_append(writer, line, size);
	writer_append(writer, "\n\n", 2);
}

static void flush(struct event_stream *stream)
{
	struct writer *writer = &stream->all->text;

	/* What is refused was too much, or too late: closed() follows. */
	if (!writer->failed && writer->size > 0)
		http_stream_send(stream->http, writer->text, writer->size);
	stream->beat_ns = loop_now_ns() + BEAT_NS;
}

static void send_lines(struct feed_target *target, const char *text, size_t size)
{
	struct event_stream *stream = (struct event_stream *)target;
	const char *end = text + size;

	writer_reset(&stream->all->text);
	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *stop = newline == NULL ? end : newline;

		if (stop > text && may_see(stream, text, (size_t)(stop - text)))
			write_event(stream, text, (size_t)(stop - text));
		text = newline == NULL ? end : newline + 1;
	}
	flush(stream);
}

static size_t pending(struct feed_target *target)
{
	const struct event_stream *stream = (const struct event_stream *)target;
	uint64_t since_ns;

	return stream->http == NULL || stream->ended ? SERVER_OUTPUT_HIGH
						     : http_stream_pending(stream->http, &since_ns);
}

/* Out of the feed and the list. */
static void unlink_stream(struct event_stream *stream)
{
	feed_detach(stream->all->c->feed, &stream->target);
	if (stream->previous != NULL)
		stream->previous->next = stream->next;
	else
		stream->all->first = stream->next;
	if (stream->next != NULL)
		stream->next->previous = stream->previous;
	free(stream);
}

static void closed(void *context, struct http_stream *http)
{
	unlink_stream(context);
}

static void refuse(struct http_exchange *exchange, unsigned int status, const char *detail)
{
	http_problem(exchange, status, "%s", detail);
	if (status == 401)
		http_header_set(exchange, "WWW-Authenticate", "Bearer");
	if (status == 503)
		http_header_set(exchange, "Retry-After", "5");
	http_respond(exchange);
}

/* Where to begin; *gap: what came before is no longer in the log. */
static uint64_t position(struct conductor *c, const char *last_event_id, bool *gap)
{
	uint64_t now = c->registry->sequence, from, first = 0;

	*gap = false;
	if (last_event_id == NULL)
		return now;
	from = strtoull(last_event_id, NULL, 10);
	if (from == now)
		return now;
	if (from < now && store_log_first(c->store, &first) == 0 && first != 0 && from + 1 >= first)
		return from;
	*gap = true;
	return now;
}

static struct event_stream *make_stream(
	struct event_streams *all, uint64_t room_id, uint64_t member_id, uint64_t from)
{
	struct event_stream *stream = calloc(1, sizeof(*stream));

	if (stream == NULL)
		return NULL;
	stream->target = (struct feed_target){send_lines, pending};
	stream->all = all;
	stream->room_id = room_id;
	stream->member_id = member_id;
	stream->last_id = from;
	if (feed_attach(all->c->feed, &stream->target, from, room_id) != 0) {
		free(stream);
		return NULL;
	}
	stream->next = all->first;
	if (stream->next != NULL)
		stream->next->previous = stream;
	all->first = stream;
	return stream;
}

/* How long to wait before coming again, where one is, whether something was missed, who one is. */
static void send_beginning(
	struct event_stream *stream, const struct member *member, uint64_t from, bool gap)
{
	struct writer *writer = &stream->all->text;
	char text[128];

	writer_reset(writer);
	writer_append(
		writer, text, (size_t)snprintf(text, sizeof(text), "retry: %d\n\n", RETRY_MS));
	writer_append(writer, text,
		(size_t)snprintf(text, sizeof(text), "id: %" PRIu64 "\nevent: %s\ndata: ", from,
			gap ? "gap" : "begin"));
	writer_begin_object(writer, NULL);
	writer_string(writer, "type", gap ? "stream.gap" : "stream.begin");
	if (member != NULL) {
		writer_string(writer, "member", member->user.text);
		writer_string(writer, "role", admission_role_names[member->role]);
	}
	writer_end_object(writer);
	writer_append(writer, "\n\n", 2);
	flush(stream);
}

void event_stream_open(struct event_streams *all, struct http_exchange *exchange)
{
	struct conductor *c = all->c;
	const struct room *room = registry_room(c->registry, exchange->segment);
	const struct member *member =
		exchange->token == NULL ? NULL
					: registry_member_by_token(c->registry, exchange->token);
	struct event_stream *stream;
	uint64_t from;
	bool gap;

	if (exchange->token == NULL && !all->config.open) {
		refuse(exchange, 401, "Authorization: a member's bearer token is needed");
		return;
	}
	if (exchange->token != NULL && member == NULL) {
		refuse(exchange, 401, "Authorization: no member has this token");
		return;
	}
	if (room == NULL || (member != NULL && member->room != room)) {
		refuse(exchange, member != NULL ? 403 : 404,
			member != NULL ? "the token is of another room" : "no such room is open");
		return;
	}
	if (member == NULL && room->rules.access != ACCESS_OPEN) {
		refuse(exchange, 401, "Authorization: this room is not for everybody");
		return;
	}
	from = position(c, exchange->last_event_id, &gap);
	stream = make_stream(all, room->put.room_id, member == NULL ? 0 : member_id(member), from);
	if (stream != NULL) {
		stream->http = http_stream_begin(exchange, closed, stream);
		if (stream->http != NULL) {
			send_beginning(stream, member, from, gap);
			return;
		}
		unlink_stream(stream);
	}
	refuse(exchange, 503, "http_streams_max: too many streams are open");
}

/* Whether whose stream it is, is still there; everybody's, while the room is for everybody. */
static bool holds(const struct event_stream *stream)
{
	const struct registry *registry = stream->all->c->registry;
	const struct member *member = registry_member_by_id(registry, stream->member_id);
	const struct room *room = registry_room_by_id(registry, stream->room_id);

	if (stream->member_id == 0)
		return room != NULL && room->rules.access == ACCESS_OPEN;
	return member != NULL && member->room->put.room_id == stream->room_id;
}

static void end(struct event_stream *stream)
{
	stream->ended = true;
	http_stream_end(stream->http);
}

void event_streams_settle(struct event_streams *all)
{
	struct feed *feed = all->c->feed;

	for (struct event_stream *stream = all->first; stream != NULL; stream = stream->next) {
		if (stream->ended)
			continue;
		if (!feed_target_current(feed, &stream->target))
			feed_target_drained(feed, &stream->target);
		if (!holds(stream) && feed_target_current(feed, &stream->target))
			end(stream);
	}
}

void event_streams_tick(struct event_streams *all, uint64_t now_ns)
{
	for (struct event_stream *stream = all->first; stream != NULL; stream = stream->next) {
		uint64_t since_ns;
		char text[128];

		if (stream->ended)
			continue;
		if (http_stream_pending(stream->http, &since_ns) > 0 &&
			since_ns + all->config.stall_ns < now_ns) {
			http_stream_send(stream->http, text,
				(size_t)snprintf(text, sizeof(text),
					"event: cut\ndata: {\"type\":\"stream.cut\","
					"\"resume_from\":%" PRIu64 "}\n\n",
					stream->last_id));
			end(stream);
		} else if (now_ns >= stream->beat_ns) {
			http_stream_send(stream->http, ":\n\n", 3);
			stream->beat_ns = now_ns + BEAT_NS;
		}
	}
}

int event_streams_open(
	struct event_streams **out, struct conductor *c, const struct event_stream_config *config)
{
	struct event_streams *all = calloc(1, sizeof(*all));

	if (all == NULL)
		return -ENOMEM;
	all->c = c;
	all->config = *config;
	*out = all;
	return 0;
}

void event_streams_end(struct event_streams *all)
{
	if (all == NULL)
		return;
	while (all->first != NULL) {
		if (all->first->http != NULL)
			http_stream_end(all->first->http);
		unlink_stream(all->first);
	}
}

void event_streams_close(struct event_streams *all)
{
	if (all == NULL)
		return;
	writer_clear(&all->text);
	free(all);
}
