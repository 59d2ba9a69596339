/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/ctl/query.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/api/drop.h"
#include "dataplane/core/ice.h"
#include "dataplane/core/index.h"

/* Entries looked at in one step: tens of microseconds each, between two turns of the server. */
#define DUMP_STEP 4096
#define EXPLAIN_STEP 2048
#define EXPLAIN_ENTRIES_MAX 10000

enum task_kind { TASK_ROOM_STATS, TASK_DUMP, TASK_EXPLAIN };

struct task {
	struct task *next;
	enum task_kind kind;
	uint64_t client;
	uint32_t sequence;
	uint64_t token; /* a worker owes the answer to this, 0: none */
	bool done;
	uint64_t room_id;
	uint32_t room_at; /* dump: next handle; explain: legs still to look at */
	uint32_t leg_at;
	uint32_t entries;            /* explain: sent */
	uint64_t roc;                /* explain: of the slot */
	struct stn_room_stats stats; /* filled in by the workers */
	uint32_t asked;              /* how many of them */
	struct leg_copies copies;    /* explain: the same, of the source */
	struct stn_explain_summary summary;
};

int query_open(struct query *query, struct apply *apply,
	struct client *(*client)(void *context, uint64_t id), void *context)
{
	*query = (struct query){
		.apply = apply, .registry = apply->registry, .client = client, .context = context};
	query->buffer = aligned_alloc(8, STN_TABLE_MESSAGE_MAX);
	return query->buffer ? 0 : -ENOMEM;
}

void query_close(struct query *query)
{
	struct task *task;

	while ((task = query->first)) {
		query->first = task->next;
		free(task);
	}
	free(query->buffer);
	query->buffer = NULL;
}

static struct task *add_task(
	struct query *query, struct client *client, enum task_kind kind, uint32_t sequence)
{
	struct task *task;

	if (client->tasks >= CLIENT_TASKS_MAX)
		return NULL;
	task = calloc(1, sizeof(*task));
	if (!task)
		return NULL;
	task->kind = kind;
	task->client = client->id;
	task->sequence = sequence;
	task->next = query->first;
	query->first = task;
	client->tasks++;
	return task;
}

/*
 * Asks one worker after the other, as each adds what it knows to the same answer; the task waits.
 * Nothing to ask when no worker knows the room yet.
 */
static int ask_worker(struct query *query, struct task *task, const struct room *room)
{
	struct command command = {.type = COMMAND_ROOM_STATS, .handle = room->version->facts.room};

	if (!room->visible)
		return 0;
	if (outbox_reserve_all(&query->apply->outbox, 1))
		return -ENOMEM;
	if (task->asked == 0)
		task->stats.status = STN_STATUS_NO_ROOM; /* until the home worker says otherwise */
	task->token = ++query->token_last;
	command.value = task->token;
	command.stats = &task->stats;
	if (task->kind == TASK_EXPLAIN)
		command.copies = &task->copies;
	outbox_send(&query->apply->outbox, task->asked++, &command);
	return 0;
}

static void answered(struct query *query, struct task *task)
{
	const struct room *room = registry_room(query->registry, task->room_id);

	task->token = 0;
	if (room && task->asked < query->apply->outbox.bus.worker_count &&
		ask_worker(query, task, room))
		task->stats.status = STN_STATUS_NO_SPACE;
}

void query_reply(struct query *query, const struct reply *reply)
{
	for (struct task *task = query->first; task; task = task->next)
		if (task->token && task->token == reply->value) {
			answered(query, task);
			return;
		}
}

bool query_pending(const struct query *query)
{
	for (const struct task *task = query->first; task; task = task->next)
		if (task->token)
			return true;
	return false;
}

/* ---- statistics ---- */

void query_stats(struct query *query, struct client *client, uint32_t sequence, uint64_t now_ns,
	const struct query_dropped *dropped)
{
	const struct worker_bus *bus = &query->apply->outbox.bus;
	struct stn_stats *stats = (struct stn_stats *)query->buffer;

	memset(stats, 0, sizeof(*stats));
	stats->header.type = STN_MESSAGE_STATS_REPLY;
	stats->header.sequence = sequence;
	stats->now_ns = now_ns;
	stats->started_ns = query->started_ns;
	stats->notices_dropped = dropped->notices;
	stats->datagrams_dropped = dropped->datagrams;
	stats->worker_count = bus->worker_count;
	stats->drop_count = STN_DROP_COUNT;
	stats->rooms = registry_room_count(query->registry);
	stats->legs = registry_leg_count(query->registry);
	stats->fence_delay = query->apply->delay;
	for (unsigned int i = 0; i < bus->worker_count; i++)
		bus->stats(bus->impl, i, &stats->worker[i]);
	table_client_send(client, &stats->header,
		offsetof(struct stn_stats, worker) + bus->worker_count * sizeof(stats->worker[0]));
}

int query_room_stats(
	struct query *query, struct client *client, const struct stn_room_query *request)
{
	struct room *room = registry_room(query->registry, request->room_id);
	struct task *task = add_task(query, client, TASK_ROOM_STATS, request->header.sequence);

	if (!task)
		return -EAGAIN;
	task->room_id = request->room_id;
	if (!room || ask_worker(query, task, room))
		task->stats.status = room ? STN_STATUS_NO_SPACE : STN_STATUS_NO_ROOM;
	return 0;
}

/* What the main lcore knows better than the worker does. */
static void step_room_stats(struct query *query, struct task *task, struct client *client)
{
	struct room *room = registry_room(query->registry, task->room_id);
	struct stn_room_stats *stats = &task->stats;

	task->done = true;
	stats->header = (struct stn_header){
		.type = STN_MESSAGE_ROOM_STATS_REPLY, .sequence = task->sequence};
	stats->room_id = task->room_id;
	if (!room && stats->status == STN_STATUS_OK)
		stats->status = STN_STATUS_NO_ROOM;
	if (room) {
		stats->slot_count = room->version->facts.slot_count;
		stats->home_worker = room->version->facts.home_worker;
		stats->speakers = room->speakers;
		stats->listeners = room->leg_count - room->speakers;
	}
	table_client_send(client, &stats->header, sizeof(*stats));
}

/* ---- dumps ---- */

int query_dump(struct query *query, struct client *client, const struct stn_room_query *request)
{
	struct task *task = add_task(query, client, TASK_DUMP, request->header.sequence);

	if (!task)
		return -EAGAIN;
	task->room_id = request->room_id;
	return 0;
}

static void dump_key(struct stn_master_key *to, const struct stn_master_key *from, bool secret)
{
	if (secret)
		*to = *from;
	else
		to->suite = from->suite;
}

static size_t dump_room(
	const struct query *query, uint8_t *bytes, const struct room *room, bool secret)
{
	const struct room_facts *facts = &room->version->facts;
	struct stn_op_room_put op = {.op = {.type = STN_OP_ROOM_PUT, .size = sizeof(op)},
		.room_id = facts->room_id,
		.end_ns = room->end_ns,
		.slot_count = facts->slot_count,
		.profile_count = facts->profile_count};

	memcpy(op.slot_ssrc, facts->slot_ssrc, sizeof(op.slot_ssrc));
	memcpy(op.profile, facts->profile, sizeof(op.profile));
	if (facts->group_key.suite != STN_SUITE_NONE)
		op.group_key_store_id = index_store_id(query->registry->store);
	dump_key(&op.group_key, &facts->group_key, secret);
	memcpy(bytes, &op, sizeof(op));
	explicit_bzero(&op, sizeof(op));
	return sizeof(op);
}

static size_t dump_leg(
	const struct query *query, uint8_t *bytes, const struct leg *leg, bool secret)
{
	const struct leg_facts *facts = &leg->version->facts;
	struct stn_op_leg_put op = {.op = {.type = STN_OP_LEG_PUT, .size = sizeof(op)},
		.leg_id = facts->leg_id,
		.room_id = leg_room_id(leg),
		.member_id = facts->member_id,
		.end_ns = leg->end_ns,
		.mute_until_ns = leg->mute_until_ns,
		.remote = *leg_remote(leg),
		.role = facts->role,
		.protection = facts->protection,
		.transport = facts->transport,
		.profile = facts->profile,
		.flags = leg->muted ? STN_LEG_MUTED : 0,
		.payload_type = facts->payload_type,
		.audio_level_id = facts->audio_level_id,
		.red_payload_type = facts->red_payload_type,
		.source_ssrc = facts->source_ssrc};

	if (leg_is_keyed(leg)) {
		op.key_store_id = index_store_id(query->registry->store);
		op.flags |= STN_LEG_ORIGIN_KNOWN;
	}
	dump_key(&op.tx, &facts->tx, secret);
	dump_key(&op.rx, &facts->rx, secret);
	memcpy(op.origin, facts->origin, sizeof(op.origin));
	memcpy(bytes, &op, sizeof(op));
	explicit_bzero(&op, sizeof(op));
	return sizeof(op);
}

/* A leg's credentials, which are nothing but secret. */
static size_t dump_ice(uint8_t *bytes, const struct leg *leg, bool secret)
{
	const struct ice_version *ice = leg_ice(leg);
	struct stn_op_leg_ice op;

	if (!ice || !secret)
		return 0;
	ice_facts_describe(ice->facts, &op);
	memcpy(bytes, &op, sizeof(op));
	explicit_bzero(&op, sizeof(op));
	return sizeof(op);
}

static size_t dump_step(
	struct query *query, struct task *task, uint8_t *bytes, size_t size, bool secret)
{
	const struct registry *registry = query->registry;
	unsigned int budget = DUMP_STEP;
	size_t used = 0;

	for (; budget && task->room_at < registry->rooms_max; budget--) {
		const struct room *room = registry->room_handles.by_handle[task->room_at];

		if (used + sizeof(struct stn_op_room_put) > size)
			return used;
		task->room_at++;
		if (room && (!task->room_id || task->room_id == room->version->facts.room_id))
			used += dump_room(query, bytes + used, room, secret);
	}
	for (; budget && task->leg_at < registry->legs_max; budget--) {
		const struct leg *leg = registry->leg_handles.by_handle[task->leg_at];

		if (used + sizeof(struct stn_op_leg_put) + sizeof(struct stn_op_leg_ice) > size)
			return used;
		task->leg_at++;
		if (!leg || (task->room_id && task->room_id != leg_room_id(leg)))
			continue;
		used += dump_leg(query, bytes + used, leg, secret);
		used += dump_ice(bytes + used, leg, secret);
	}
	task->done = task->room_at == registry->rooms_max && task->leg_at == registry->legs_max;
	return used;
}

static void step_dump(struct query *query, struct task *task, struct client *client)
{
	struct stn_header *header = (struct stn_header *)query->buffer;
	struct client_result end = {.sequence = task->sequence,
		.type = STN_MESSAGE_DUMP_END,
		.rooms = registry_room_count(query->registry),
		.legs = registry_leg_count(query->registry)};
	/* Keys are for the writer who has to restore them, and for nobody else. */
	bool secret = client->role == STN_CLIENT_WRITER;
	size_t used;

	used = dump_step(query, task, query->buffer + sizeof(*header),
		STN_TABLE_MESSAGE_MAX - sizeof(*header), secret);
	*header = (struct stn_header){.type = STN_MESSAGE_DUMP_REPLY, .sequence = task->sequence};
	if (used)
		table_client_send(client, header, sizeof(*header) + used);
	explicit_bzero(query->buffer, sizeof(*header) + used);
	if (task->done)
		table_client_send_result(client, &end);
}

/* ---- explanations ---- */

/* DTLS comes after a path, and keys after DTLS. */
static bool validated(const struct leg *leg)
{
	return !leg_is_webrtc(leg) || (leg_remote(leg)->family && leg_is_keyed(leg));
}

static uint32_t source_reason(const struct leg *leg, const struct stn_explain *request)
{
	if (!leg)
		return STN_EXPLAIN_NO_SOURCE;
	if (leg->version->facts.role != STN_ROLE_SPEAKER)
		return STN_EXPLAIN_NOT_SPEAKER;
	if (request->ssrc && leg->version->facts.source_ssrc &&
		request->ssrc != leg->version->facts.source_ssrc)
		return STN_EXPLAIN_SSRC_MISMATCH;
	if (!validated(leg))
		return STN_EXPLAIN_NOT_VALIDATED;
	return leg->muted ? STN_EXPLAIN_SOURCE_MUTED : STN_EXPLAIN_REACHED;
}

int query_explain(struct query *query, struct client *client, const struct stn_explain *request)
{
	struct leg *leg = request->leg_id ? registry_leg(query->registry, request->leg_id)
					  : registry_leg_at(query->registry, &request->remote);
	struct task *task = add_task(query, client, TASK_EXPLAIN, request->header.sequence);

	if (!task)
		return -EAGAIN;
	task->summary.slot = -1;
	task->summary.source_leg_id = leg ? leg->version->facts.leg_id : request->leg_id;
	task->summary.source_reason = source_reason(leg, request);
	if (!leg)
		return 0;
	task->copies.leg_id = leg->version->facts.leg_id;
	task->copies.leg = leg->version->facts.leg;
	task->room_id = leg_room_id(leg);
	task->summary.room_id = task->room_id;
	task->room_at = leg->room->leg_count;
	if (ask_worker(query, task, leg->room))
		task->summary.source_reason = STN_EXPLAIN_NO_SLOT;
	return 0;
}

/* Once, when the worker has said who holds the slots. */
static void find_slot(struct task *task)
{
	for (unsigned int i = 0; i < STN_SLOTS_MAX && i < task->stats.slot_count; i++)
		if (task->stats.slot[i].leg_id == task->summary.source_leg_id) {
			task->summary.slot = (int32_t)i;
			task->roc = index_roc(index_next(task->stats.slot[i].index));
		}
	if (task->summary.slot < 0 && task->summary.source_reason == STN_EXPLAIN_REACHED)
		task->summary.source_reason = STN_EXPLAIN_NO_SLOT;
}

static uint32_t leg_reason(
	const struct worker_bus *bus, const struct task *task, const struct leg *leg)
{
	uint32_t roc;

	if (task->summary.source_reason != STN_EXPLAIN_REACHED)
		return task->summary.source_reason;
	if (leg->version->facts.leg_id == task->summary.source_leg_id)
		return STN_EXPLAIN_OWN_VOICE;
	if (!validated(leg))
		return STN_EXPLAIN_NOT_VALIDATED;
	if (leg->version->facts.role == STN_ROLE_LISTENER &&
		leg->version->facts.protection == STN_PROTECTION_LEG &&
		!index_leg_roc(
			(uint32_t)task->roc, leg->version->facts.origin[task->summary.slot], &roc))
		return STN_EXPLAIN_BEFORE_ORIGIN;
	if (!bus->reachable(bus->impl, leg->version->facts.leg))
		return STN_EXPLAIN_NO_NEIGHBOUR;
	return STN_EXPLAIN_REACHED;
}

/* Downwards: a removal moves a leg that was looked at already into the gap. */
static uint32_t explain_legs(const struct worker_bus *bus, struct task *task,
	const struct room *room, struct stn_explain_entry *entries)
{
	uint32_t count = 0;

	if (task->room_at > room->leg_count)
		task->room_at = room->leg_count;
	for (unsigned int budget = EXPLAIN_STEP; budget && task->room_at; budget--) {
		const struct leg *leg = room->legs[--task->room_at];
		uint32_t reason = leg_reason(bus, task, leg);

		task->summary.count[reason]++;
		if (task->entries == EXPLAIN_ENTRIES_MAX)
			continue;
		task->entries++;
		entries[count++] = (struct stn_explain_entry){leg->version->facts.leg_id,
			leg->version->facts.member_id, reason, leg->version->facts.worker};
	}
	return count;
}

static void step_explain(struct query *query, struct task *task, struct client *client)
{
	struct room *room = registry_room(query->registry, task->room_id);
	struct stn_header *header = (struct stn_header *)query->buffer;
	uint32_t count = 0;

	_Static_assert(sizeof(*header) + EXPLAIN_STEP * sizeof(struct stn_explain_entry) <=
			       STN_TABLE_MESSAGE_MAX,
		"one step fits one message");
	if (task->summary.slot < 0)
		find_slot(task);
	if (room)
		count = explain_legs(&query->apply->outbox.bus, task, room,
			(struct stn_explain_entry *)(header + 1));
	*header =
		(struct stn_header){.type = STN_MESSAGE_EXPLAIN_REPLY, .sequence = task->sequence};
	if (count)
		table_client_send(
			client, header, sizeof(*header) + count * sizeof(struct stn_explain_entry));
	if (room && task->room_at)
		return;
	task->done = true;
	task->summary.copies = task->copies.count.packets;
	task->summary.copied_bytes = task->copies.count.payload_bytes;
	task->summary.header =
		(struct stn_header){.type = STN_MESSAGE_EXPLAIN_END, .sequence = task->sequence};
	table_client_send(client, &task->summary.header, sizeof(task->summary));
}

/* ---- all of them ---- */

static void step(struct query *query, struct task *task, struct client *client)
{
	if (task->kind == TASK_ROOM_STATS)
		step_room_stats(query, task, client);
	else if (task->kind == TASK_DUMP)
		step_dump(query, task, client);
	else
		step_explain(query, task, client);
}

bool query_poll(struct query *query)
{
	bool more = false;

	for (struct task **at = &query->first; *at;) {
		struct task *task = *at;
		struct client *client = query->client(query->context, task->client);
		bool gone;

		/* A worker may still write into it, whether the client is there or not. */
		if (task->token) {
			at = &task->next;
			continue;
		}
		gone = !client || client->dead || client->closing;
		if (!gone && client->output <= CLIENT_PAUSE)
			step(query, task, client);
		if (!gone && !task->done) {
			more |= client->output <= CLIENT_PAUSE;
			at = &task->next;
			continue;
		}
		if (client)
			client->tasks--;
		*at = task->next;
		free(task);
	}
	return more;
}
