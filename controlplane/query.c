/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests that need more than the registry: the data plane's statistics, or the log. */
#include <errno.h>
#include <stdio.h>

#include "controlplane/audit.h"
#include "controlplane/conductor.h"
#include "controlplane/room_query.h"
#include "controlplane/rooms/admission.h"
#include "controlplane/rooms/operation_event.h"
#include "dataplane/api/drop.h"

/* ---- status ---- */

static void write_head(struct conductor *c, struct writer *w)
{
	const struct room *room;
	uint64_t scheduled = 0, id = 0;

	while ((room = roster_next(&c->registry->room_roster, &id)) != NULL)
		scheduled += room->rules.state == ROOM_SCHEDULED;
	writer_string(w, "version", STENTOR_VERSION);
	writer_uint(w, "rooms", c->registry->rooms.count - scheduled);
	writer_uint(w, "scheduled", scheduled);
	writer_uint(w, "members", c->registry->members.count);
	writer_uint(w, "sessions", c->registry->sessions);
	writer_uint(w, "seq", c->registry->sequence);
	writer_uint(w, "connections", server_connections(c->server));
	writer_uint(w, "subscribers", feed_subscribers(c->feed));
	writer_uint(w, "uptime_ms", (loop_now_ns() - c->started_ns) / 1000000);
	writer_bool(w, "draining", c->registry->draining);
	writer_begin_object(w, "store");
	writer_bool(w, "ok", !c->store_failed && c->backlog.first == NULL);
	writer_uint(w, "backlog", c->backlog.count);
	writer_end_object(w);
}

static void write_worker(struct writer *w, const struct stn_worker_stats *s, uint32_t number)
{
	uint64_t total = s->busy_ns + s->idle_ns;

	writer_begin_object(w, NULL);
	writer_uint(w, "worker", number);
	writer_real(w, "busy", total == 0 ? 0 : (double)s->busy_ns / (double)total);
	writer_uint(w, "busy_ns", s->busy_ns);
	writer_uint(w, "idle_ns", s->idle_ns);
	writer_uint(w, "rx_packets", s->rx_packets);
	writer_uint(w, "forwarded", s->forwarded);
	writer_uint(w, "answered", s->answered);
	writer_uint(w, "punted", s->punted);
	writer_uint(w, "slot_packets", s->slot_packets);
	writer_uint(w, "copies", s->copies);
	writer_uint(w, "tx_packets", s->tx_packets);
	writer_uint(w, "stun_sent", s->stun_sent);
	writer_uint(w, "dtls_sent", s->dtls_sent);
	writer_uint(w, "rtcp_sent", s->rtcp_sent);
	writer_uint(w, "retransmitted", s->retransmitted);
	writer_uint(w, "control_refused", s->control_refused);
	writer_uint(w, "legs", s->legs);
	writer_uint(w, "rooms", s->rooms);
	writer_uint(w, "mbufs_in_use", s->mbufs_in_use);
	writer_begin_object(w, "drops");
	for (unsigned int i = 0; i < STN_DROP_COUNT; i++) {
		if (s->drop[i] != 0)
			writer_uint(w, stn_drop_name(i), s->drop[i]);
	}
	writer_end_object(w);
	writer_end_object(w);
}

static void write_dataplane(struct conductor *c, struct writer *w, const struct stn_stats *stats)
{
	char text[32];

	writer_begin_object(w, "dataplane");
	writer_bool(w, "connected", stats != NULL);
	writer_string(w, "link", link_state_name(link_state(c->link)));
	if (stats != NULL) {
		snprintf(text, sizeof(text), "%.24s", c->hello.version);
		writer_string(w, "version", text);
		snprintf(text, sizeof(text), "%.16s", c->hello.engine);
		writer_string(w, "engine", text);
		writer_id(w, "instance_id", c->hello.instance_id);
		writer_id(w, "index_store_id", c->hello.index_store_id);
		writer_uint(w, "rooms", stats->rooms);
		writer_uint(w, "rooms_max", c->hello.rooms_max);
		writer_uint(w, "legs", stats->legs);
		writer_uint(w, "legs_max", c->hello.legs_max);
		writer_uint(w, "uptime_ms", (stats->now_ns - stats->started_ns) / 1000000);
		writer_uint(w, "notices_dropped", stats->notices_dropped);
		writer_uint(w, "datagrams_dropped", stats->datagrams_dropped);
		writer_begin_array(w, "workers");
		for (uint32_t i = 0; i < stats->worker_count && i < STN_WORKERS_MAX; i++)
			write_worker(w, &stats->worker[i], i);
		writer_end_array(w);
	}
	writer_end_object(w);
}

/* What was sent is long enough for the workers it speaks of. */
static bool stats_whole(const struct stn_header *message)
{
	const struct stn_stats *stats = (const struct stn_stats *)message;

	return message->type == STN_MESSAGE_STATS_REPLY && stats->worker_count <= STN_WORKERS_MAX &&
	       message->length >= offsetof(struct stn_stats, worker) +
					  stats->worker_count * sizeof(struct stn_worker_stats);
}

static void status_answered(void *context, const struct stn_header *message, bool last)
{
	struct request *request = context;
	struct conductor *c = request->conductor;
	bool whole = message != NULL && stats_whole(message);

	write_dataplane(c, &request->plan.answer, whole ? (const struct stn_stats *)message : NULL);
	conductor_finish(c, request);
}

static void query_status(struct conductor *c, struct request *request)
{
	struct stn_header header = {.type = STN_MESSAGE_STATS};

	write_head(c, &request->plan.answer);
	if (link_query(c->link, &header, sizeof(header), status_answered, request) != 0)
		status_answered(request, NULL, true);
}

/* ---- explain ---- */

static void write_leg(struct conductor *c, struct writer *w, uint64_t leg_id, uint64_t id)
{
	const struct member *member = registry_member_by_id(c->registry, id);

	if (leg_id == 0)
		writer_null(w, "leg");
	else
		writer_id(w, "leg", leg_id);
	writer_string(w, "member", member == NULL ? NULL : member->user.text);
}

static void take_entries(struct request *request, const struct stn_header *message)
{
	const struct explain *explain = event_body(&request->parsed.event);
	const struct stn_explain_entry *entries = (const struct stn_explain_entry *)(message + 1);
	size_t count = (message->length - sizeof(*message)) / sizeof(entries[0]);
	struct writer *w = &request->plan.answer;

	for (size_t i = 0; i < count && request->listed < explain->limit; i++) {
		if (entries[i].reason == STN_EXPLAIN_REACHED)
			continue;
		request->listed++;
		writer_begin_object(w, NULL);
		write_leg(request->conductor, w, entries[i].leg_id, entries[i].member_id);
		writer_string(w, "reason", stn_explain_reason_name(entries[i].reason));
		writer_uint(w, "worker", entries[i].worker);
		writer_end_object(w);
	}
}

static void write_summary(struct request *request, const struct stn_explain_summary *summary)
{
	struct conductor *c = request->conductor;
	struct writer *w = &request->plan.answer;
	const struct room *room = registry_room_by_id(c->registry, summary->room_id);
	const struct member *source = registry_member_by_leg(c->registry, summary->source_leg_id);

	writer_end_array(w); /* of the legs */
	writer_begin_object(w, "source");
	writer_string(w, "room", room == NULL ? NULL : room->name.text);
	write_leg(c, w, summary->source_leg_id, source == NULL ? 0 : member_id(source));
	if (summary->slot < 0)
		writer_null(w, "slot");
	else
		writer_int(w, "slot", summary->slot);
	writer_string(w, "reason", stn_explain_reason_name(summary->source_reason));
	writer_uint(w, "copies", summary->copies);
	writer_uint(w, "copied_bytes", summary->copied_bytes);
	writer_end_object(w);
	writer_begin_object(w, "counts");
	for (unsigned int i = 0; i < STN_EXPLAIN_COUNT; i++) {
		if (summary->count[i] != 0)
			writer_uint(w, stn_explain_reason_name(i), summary->count[i]);
	}
	writer_end_object(w);
}

static void explain_failed(struct request *request)
{
	struct verdict verdict;

	verdict_refuse(&verdict, VERDICT_UNAVAILABLE, "the data plane does not answer");
	conductor_refuse(request->conductor, request, &verdict);
}

static void explain_answered(void *context, const struct stn_header *message, bool last)
{
	struct request *request = context;

	if (message != NULL && message->type == STN_MESSAGE_EXPLAIN_REPLY)
		take_entries(request, message);
	if (!last)
		return;
	if (message == NULL || message->type != STN_MESSAGE_EXPLAIN_END ||
		message->length < sizeof(struct stn_explain_summary)) {
		explain_failed(request);
		return;
	}
	write_summary(request, (const struct stn_explain_summary *)message);
	conductor_finish(request->conductor, request);
}

static void query_explain(struct conductor *c, struct request *request)
{
	const struct event *event = &request->parsed.event;
	const struct explain *explain = event_body(event);
	struct stn_explain query = {.header.type = STN_MESSAGE_EXPLAIN};

	query.ssrc = (uint32_t)explain->ssrc;
	if (explain->member != NULL) {
		const struct room *room = registry_room(c->registry, event->room);
		const struct member *member =
			room == NULL ? NULL : registry_member(room, explain->member);

		query.leg_id = member == NULL ? 0 : member->put.leg_id;
	} else {
		admission_address(explain->address, explain->port, &query.remote);
	}
	writer_begin_array(&request->plan.answer, "legs");
	if (link_query(c->link, &query.header, sizeof(query), explain_answered, request) != 0)
		explain_failed(request);
}

/* ---- subscribe ---- */

/* False with the verdict set when the log does not go back that far. */
static bool in_log(struct conductor *c, uint64_t from, struct verdict *verdict)
{
	uint64_t first = 0;

	if (from >= c->registry->sequence)
		return true;
	if (store_log_first(c->store, &first) != 0)
		return verdict_refuse(verdict, VERDICT_UNAVAILABLE, "the log cannot be read");
	if (first == 0 || from + 1 < first)
		return verdict_refuse(verdict, VERDICT_INVALID, "from: the log begins with %llu",
			(unsigned long long)first);
	return true;
}

static void query_subscribe(struct conductor *c, struct request *request)
{
	const struct event *event = &request->parsed.event;
	const struct subscribe *subscribe = event_body(event);
	const struct room *room =
		event->room == NULL ? NULL : registry_room(c->registry, event->room);
	uint64_t from = subscribe->from == SUBSCRIBE_LIVE ? c->registry->sequence : subscribe->from;
	uint64_t connection = request->receivers[0].connection;
	struct verdict verdict = {0};
	int rc;

	if (!in_log(c, from, &verdict)) {
		conductor_refuse(c, request, &verdict);
		return;
	}
	writer_uint(&request->plan.answer, "seq", c->registry->sequence);
	rc = feed_subscribe(c->feed, connection, from, room == NULL ? 0 : room->put.room_id);
	if (rc == -EEXIST)
		verdict_refuse(
			&verdict, VERDICT_ALREADY_EXISTS, "this connection has its subscription");
	else if (rc != 0)
		verdict_refuse(&verdict, VERDICT_CAPACITY, "too many subscribers");
	if (rc == 0)
		conductor_finish(c, request); /* before the first event: those come at turn's end */
	else
		conductor_refuse(c, request, &verdict);
}

void query_start(struct conductor *c, struct request *request)
{
	switch (request->plan.query) {
	case PLAN_QUERY_STATUS:
		query_status(c, request);
		break;
	case PLAN_QUERY_ROOM:
		room_query_start(c, request);
		break;
	case PLAN_QUERY_EXPLAIN:
		query_explain(c, request);
		break;
	case PLAN_QUERY_SUBSCRIBE:
		query_subscribe(c, request);
		break;
	case PLAN_QUERY_AUDIT:
		audit_answer(c, request);
		break;
	default:
		conductor_finish(c, request);
		break;
	}
}
