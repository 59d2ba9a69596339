/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/metrics.h"

#define KEPT_NS 1000000000u     /* a scrape is given again so long */
#define PATIENCE_NS 1000000000u /* the data plane has so long to answer */
#define WAITING_MAX 64

/* One round of questions. It lives until all are answered, which may be after it was used. */
struct round {
	struct round *next; /* of all rounds */
	struct metrics *metrics;
	unsigned int outstanding;
	bool has_stats;
	struct stn_stats stats;
	size_t room_count;
	struct stn_room_stats rooms[]; /* header.length 0: not answered */
};

struct metrics {
	struct conductor *c;
	struct dtls *dtls;
	struct http_server **server;
	unsigned int rooms_max;
	struct round *round;  /* somebody waits for it; NULL: none */
	struct round *rounds; /* that one, and those not yet answered to the end */
	uint64_t deadline_ns;
	struct http_exchange *waiting[WAITING_MAX];
	unsigned int waiting_count;
	struct writer text[2]; /* by openmetrics */
	uint64_t written_ns;   /* 0: never */
};

static bool wants_openmetrics(const struct http_exchange *exchange)
{
	return exchange->accept == NULL ||
	       strstr(exchange->accept, "application/openmetrics-text") != NULL ||
	       strstr(exchange->accept, "text/plain") == NULL;
}

static void respond(struct metrics *m, struct http_exchange *exchange)
{
	bool openmetrics = wants_openmetrics(exchange);
	const struct writer *text = &m->text[openmetrics];

	exchange->status = 200;
	exchange->type = openmetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
				     : "text/plain; version=0.0.4; charset=utf-8";
	writer_append(&exchange->response, text->text, text->size);
	if (text->failed)
		http_problem(exchange, 503, "out of memory");
	http_respond(exchange);
}

static void respond_all(struct metrics *m)
{
	while (m->waiting_count > 0)
		respond(m, m->waiting[--m->waiting_count]);
}

static void write_texts(struct metrics *m, const struct round *round, uint64_t now_ns)
{
	struct metrics_view view = {.c = m->c, .dtls = m->dtls, .http = *m->server};

	if (round != NULL) {
		view.stats = round->has_stats ? &round->stats : NULL;
		view.rooms = round->rooms;
		view.room_count = round->room_count;
	}
	for (unsigned int i = 0; i < 2; i++) {
		writer_clear(&m->text[i]);
		metrics_write(&view, i == 1, &m->text[i]);
	}
	m->written_ns = now_ns;
}

static void release(struct round *round)
{
	struct round **at = &round->metrics->rounds;

	while (*at != round)
		at = &(*at)->next;
	*at = round->next;
	free(round);
}

/* Whatever has come is what there is. */
static void conclude(struct metrics *m)
{
	struct round *round = m->round;

	m->round = NULL;
	write_texts(m, round, loop_now_ns());
	respond_all(m);
	if (round != NULL && round->outstanding == 0)
		release(round);
}

static void answered(struct round *round)
{
	if (--round->outstanding > 0)
		return;
	if (round == round->metrics->round)
		conclude(round->metrics);
	else
		release(round);
}

static void stats_answered(void *context, const struct stn_header *message, bool last)
{
	struct round *round = context;
	const struct stn_stats *stats = (const struct stn_stats *)message;

	if (message != NULL && message->type == STN_MESSAGE_STATS_REPLY &&
		stats->worker_count <= STN_WORKERS_MAX &&
		message->length >= offsetof(struct stn_stats, worker) +
					   stats->worker_count * sizeof(struct stn_worker_stats)) {
		memcpy(&round->stats, stats,
			message->length < sizeof(*stats) ? message->length : sizeof(*stats));
		round->has_stats = true;
	}
	if (last)
		answered(round);
}

static void room_answered(void *context, const struct stn_header *message, bool last)
{
	struct round *round = context;
	const struct stn_room_stats *stats = (const struct stn_room_stats *)message;

	if (message != NULL && message->type == STN_MESSAGE_ROOM_STATS_REPLY &&
		message->length >= sizeof(*stats) && stats->status == STN_STATUS_OK) {
		for (size_t i = 0; i < round->room_count; i++) {
			if (round->rooms[i].room_id == stats->room_id)
				round->rooms[i] = *stats;
		}
	}
	if (last)
		answered(round);
}

static int larger_first(const void *a, const void *b)
{
	const struct room *first = *(const struct room *const *)a;
	const struct room *second = *(const struct room *const *)b;

	if (first->roster.count != second->roster.count)
		return first->roster.count < second->roster.count ? 1 : -1;
	return first->put.room_id < second->put.room_id ? -1 : 1;
}

/* The rooms that get series of their own. */
static struct round *make_round(struct metrics *m)
{
	const struct roster *roster = &m->c->registry->room_roster;
	const struct room **all = calloc(roster->count + 1, sizeof(*all)), *room;
	size_t count = 0, kept;
	struct round *round;
	uint64_t id = 0;

	if (all == NULL)
		return NULL;
	while ((room = roster_next(roster, &id)) != NULL) {
		if (room->rules.state == ROOM_LIVE)
			all[count++] = room;
	}
	qsort(all, count, sizeof(*all), larger_first);
	kept = count < m->rooms_max ? count : m->rooms_max;
	round = calloc(1, sizeof(*round) + kept * sizeof(round->rooms[0]));
	if (round != NULL) {
		round->metrics = m;
		round->next = m->rounds;
		m->rounds = round;
		round->room_count = kept;
		for (size_t i = 0; i < kept; i++)
			round->rooms[i].room_id = all[i]->put.room_id;
	}
	free(all);
	return round;
}

/* Asks everything; nothing is answered before link_process(). */
static void ask(struct metrics *m, struct round *round)
{
	struct stn_header header = {.type = STN_MESSAGE_STATS};

	if (link_query(m->c->link, &header, sizeof(header), stats_answered, round) == 0)
		round->outstanding++;
	for (size_t i = 0; i < round->room_count; i++) {
		struct stn_room_query query = {
			.header.type = STN_MESSAGE_ROOM_STATS, .room_id = round->rooms[i].room_id};

		if (link_query(m->c->link, &query.header, sizeof(query), room_answered, round) == 0)
			round->outstanding++;
	}
}

void metrics_exchange(struct metrics *m, struct http_exchange *exchange)
{
	uint64_t now_ns = loop_now_ns();

	if (m->written_ns != 0 && now_ns < m->written_ns + KEPT_NS) {
		respond(m, exchange);
		return;
	}
	if (m->waiting_count == WAITING_MAX) {
		http_problem(exchange, 503, "too many scrapes at a time");
		http_header_set(exchange, "Retry-After", "1");
		http_respond(exchange);
		return;
	}
	m->waiting[m->waiting_count++] = exchange;
	if (m->round != NULL)
		return;
	m->round = make_round(m);
	if (m->round != NULL)
		ask(m, m->round);
	m->deadline_ns = now_ns + PATIENCE_NS;
	if (m->round == NULL || m->round->outstanding == 0)
		conclude(m);
}

void metrics_settle(struct metrics *m, uint64_t now_ns)
{
	if (m->round != NULL && now_ns >= m->deadline_ns)
		conclude(m);
}

int metrics_open(struct metrics **out, struct conductor *c, struct dtls *dtls,
	struct http_server **server, unsigned int rooms_max)
{
	struct metrics *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return -ENOMEM;
	m->c = c;
	m->dtls = dtls;
	m->server = server;
	m->rooms_max = rooms_max;
	*out = m;
	return 0;
}

void metrics_close(struct metrics *m)
{
	if (m == NULL)
		return;
	writer_clear(&m->text[0]);
	writer_clear(&m->text[1]);
	while (m->rounds != NULL)
		release(m->rounds);
	free(m);
}
