/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/ctl/dispatch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/ctl/datagram.h"
#include "dataplane/ctl/place.h"

/* Rooms in one ORIGINS message. */
#define ORIGINS_MAX \
	((STN_TABLE_MESSAGE_MAX - sizeof(struct stn_header)) / sizeof(struct stn_room_origin))

static void answer(struct table_server *server, struct client *client, uint32_t sequence,
	const struct refusal *refusal)
{
	struct client_result result = {.sequence = sequence,
		.type = STN_MESSAGE_RESULT,
		.rooms = registry_room_count(&server->registry),
		.legs = registry_leg_count(&server->registry),
		.refusal = refusal};

	table_client_send_result(client, &result);
}

static void answer_refused(struct table_server *server, struct client *client, uint32_t sequence,
	enum stn_status status, const char *reason)
{
	struct refusal refusal = {0};

	refuse(&refusal, status, "%s", reason);
	answer(server, client, sequence, &refusal);
}

struct client *dispatch_client(void *context, uint64_t id)
{
	struct table_server *server = context;

	for (uint32_t i = 0; i < server->config.clients_max; i++)
		if (server->clients[i] && server->clients[i]->id == id)
			return server->clients[i];
	return NULL;
}

void dispatch_gone(struct table_server *server, struct client *client)
{
	if (client->role == STN_CLIENT_WRITER && !client->closing)
		log_info("writer_gone", "epoch=%llu transaction=%s",
			(unsigned long long)client->epoch,
			client->transaction.open ? "discarded" : "none");
}

/* ---- results and notices ---- */

static void send_origins(struct client *client, const struct batch *batch)
{
	struct {
		struct stn_header header;
		struct stn_room_origin origins[ORIGINS_MAX];
	} message;

	for (uint32_t at = 0; at < batch->origin_count;) {
		uint32_t count = batch->origin_count - at;

		if (count > ORIGINS_MAX)
			count = ORIGINS_MAX;
		message.header = (struct stn_header){
			.type = STN_MESSAGE_ORIGINS, .sequence = batch->sequence};
		memcpy(message.origins, batch->origins + at, count * sizeof(message.origins[0]));
		table_client_send(client, &message.header,
			sizeof(message.header) + count * sizeof(message.origins[0]));
		at += count;
	}
}

static void on_result(void *context, const struct batch *batch, uint64_t applied_ns)
{
	struct table_server *server = context;
	struct client *client = dispatch_client(server, batch->client);
	struct refusal refusal = {0};
	struct client_result result = {.sequence = batch->sequence,
		.type = STN_MESSAGE_RESULT,
		.rooms = registry_room_count(&server->registry),
		.legs = registry_leg_count(&server->registry),
		.applied_ns = applied_ns};

	server->batches_out--;
	if (!client || client->closing)
		return;
	if (batch->refused) {
		refuse(&refusal, batch->refused, "a worker had no space: nothing was added");
		result.refusal = &refusal;
	} else {
		send_origins(client, batch);
	}
	table_client_send_result(client, &result);
}

static bool is_safety(uint32_t type)
{
	return type == STN_NOTICE_LEG_EXPIRED || type == STN_NOTICE_ROOM_EXPIRED ||
	       type == STN_NOTICE_MUTE_ENDED || type == STN_NOTICE_LEG_LOST;
}

static void on_notice(void *context, const struct stn_notice *notice)
{
	struct table_server *server = context;

	for (uint32_t i = 0; i < server->config.clients_max; i++) {
		struct client *client = server->clients[i];

		if (client && client->subscribed && !client->closing &&
			!table_client_send_notice(client, notice, is_safety(notice->type)))
			server->dropped.notices++;
	}
}

const struct apply_events dispatch_events = {.result = on_result, .notice = on_notice};

static void on_speaking(struct table_server *server, const struct reply *reply)
{
	const struct room *room = registry_room_by_handle(&server->registry, reply->handle);
	const struct leg *leg = registry_leg_by_handle(&server->registry, reply->leg);
	struct stn_notice notice = {
		.type = STN_NOTICE_SPEAKING, .slot = reply->slot, .at_ns = reply->at_ns};

	if (!room)
		return;
	notice.room_id = room->version->facts.room_id;
	if (leg) {
		notice.leg_id = leg->version->facts.leg_id;
		notice.member_id = leg->version->facts.member_id;
	}
	on_notice(server, &notice);
}

static void notify_leg(struct table_server *server, enum stn_notice_type type,
	const struct leg *leg, const struct reply *reply)
{
	struct stn_notice notice = {.type = type, .at_ns = reply->at_ns};

	if (!leg)
		return;
	notice.room_id = leg_room_id(leg);
	notice.leg_id = leg->version->facts.leg_id;
	notice.member_id = leg->version->facts.member_id;
	if (type == STN_NOTICE_LEG_CONNECTED)
		notice.value = reply->value;
	if (type == STN_NOTICE_LEG_MOVED)
		notice.remote = *leg_remote(leg);
	on_notice(server, &notice);
}

void dispatch_reply(struct table_server *server, const struct reply *reply)
{
	if (reply->type == REPLY_FENCE || reply->type == REPLY_REFUSED)
		apply_reply(&server->apply, reply);
	else if (reply->type == REPLY_ROOM_STATS)
		query_reply(&server->query, reply);
	else if (reply->type == REPLY_SPEAKING)
		on_speaking(server, reply);
	else if (reply->type == REPLY_LEG_CONNECTED)
		notify_leg(server, STN_NOTICE_LEG_CONNECTED,
			registry_leg_by_handle(&server->registry, reply->handle), reply);
	else if (reply->type == REPLY_LEG_MOVED)
		notify_leg(server, STN_NOTICE_LEG_MOVED,
			place_moved(&server->registry, &server->apply.outbox, reply), reply);
	else if (reply->type == REPLY_LEG_LOST)
		notify_leg(server, STN_NOTICE_LEG_LOST,
			place_lost(&server->registry, &server->apply.outbox, reply), reply);
}

void dispatch_pressure(struct table_server *server, uint64_t now_ns)
{
	static const uint32_t levels[] = {95, 90, 80};
	uint32_t percent = (uint32_t)((uint64_t)registry_leg_count(&server->registry) * 100 /
				      server->config.legs_max);
	struct stn_notice notice = {.type = STN_NOTICE_PRESSURE, .at_ns = now_ns, .value = percent};
	uint32_t level = 0;

	for (unsigned int i = 0; i < 3 && !level; i++)
		/* A level once told holds until it is two percent below: no flapping. */
		if (percent + (levels[i] <= server->pressure ? 2 : 0) >= levels[i])
			level = levels[i];
	if (level > server->pressure)
		on_notice(server, &notice);
	server->pressure = level;
}

/* ---- hello and fencing ---- */

static void greet(struct table_server *server, struct client *client, uint32_t sequence,
	enum stn_status status)
{
	struct stn_hello_reply reply = {
		.header = {.type = STN_MESSAGE_HELLO_REPLY, .sequence = sequence},
		.instance_id = server->instance_id,
		.index_store_id = index_store_id(server->store),
		.status = status,
		.worker_count = server->apply.outbox.bus.worker_count,
		.rooms = registry_room_count(&server->registry),
		.legs = registry_leg_count(&server->registry),
		.rooms_max = server->config.rooms_max,
		.legs_max = server->config.legs_max,
		.epoch_highest = server->epoch_highest,
		.media_count = server->config.media_count,
	};

	memcpy(reply.media, server->config.media, sizeof(reply.media));
	snprintf(reply.version, sizeof(reply.version), "%s", server->config.version);
	snprintf(reply.engine, sizeof(reply.engine), "%s", server->config.engine);
	table_client_send(client, &reply.header, sizeof(reply));
	client->closing = status != STN_STATUS_OK;
}

static void fence(struct table_server *server, struct client *client)
{
	struct stn_fenced fenced = {
		.header = {.type = STN_MESSAGE_FENCED}, .epoch = server->epoch_highest};

	log_warn("writer_fenced", "epoch=%llu by=%llu", (unsigned long long)client->epoch,
		(unsigned long long)server->epoch_highest);
	transaction_close(&client->transaction);
	table_client_send(client, &fenced.header, sizeof(fenced));
	client->closing = true;
}

struct client *dispatch_writer(struct table_server *server)
{
	for (uint32_t i = 0; i < server->config.clients_max; i++) {
		struct client *client = server->clients[i];

		if (client && client->role == STN_CLIENT_WRITER && !client->closing &&
			!client->dead)
			return client;
	}
	return NULL;
}

static void hello_writer(
	struct table_server *server, struct client *client, const struct stn_header *header)
{
	struct client *old = dispatch_writer(server);

	client->epoch = header->epoch;
	if (header->epoch < server->epoch_highest) {
		fence(server, client);
		return;
	}
	if (old && header->epoch == server->epoch_highest) {
		greet(server, client, header->sequence, STN_STATUS_CONFLICT);
		return;
	}
	server->epoch_highest = header->epoch;
	if (old)
		fence(server, old);
	client->role = STN_CLIENT_WRITER;
	log_info("writer_connected", "epoch=%llu", (unsigned long long)client->epoch);
	greet(server, client, header->sequence, STN_STATUS_OK);
}

static void hello_reader(
	struct table_server *server, struct client *client, const struct stn_header *header)
{
	uint32_t readers = 0;

	for (uint32_t i = 0; i < server->config.clients_max; i++)
		readers += server->clients[i] && server->clients[i]->role == STN_CLIENT_READER;
	if (readers + DISPATCH_WRITER_SLOTS >= server->config.clients_max) {
		greet(server, client, header->sequence, STN_STATUS_NO_SPACE);
		return;
	}
	client->role = STN_CLIENT_READER;
	greet(server, client, header->sequence, STN_STATUS_OK);
}

static void on_hello(
	struct table_server *server, struct client *client, const struct stn_hello *hello)
{
	if (client->role || hello->reserved)
		greet(server, client, hello->header.sequence, STN_STATUS_BAD_STATE);
	else if (hello->role == STN_CLIENT_WRITER && hello->header.epoch)
		hello_writer(server, client, &hello->header);
	else if (hello->role == STN_CLIENT_READER && !hello->header.epoch)
		hello_reader(server, client, &hello->header);
	else
		greet(server, client, hello->header.sequence, STN_STATUS_BAD_MESSAGE);
}

/* ---- transactions ---- */

static size_t size_max(const struct table_server *server, bool resync)
{
	size_t size = server->config.transaction_bytes_max;

	if (resync)
		size += server->config.rooms_max * sizeof(struct stn_op_room_put) +
			server->config.legs_max *
				(sizeof(struct stn_op_leg_put) + sizeof(struct stn_op_leg_ice));
	return size;
}

static void commit(struct table_server *server, struct client *client, uint32_t sequence)
{
	struct apply_request request = {client->id, sequence, server->config.now_ns()};
	struct refusal refusal = {0};

	if (apply_commit(&server->apply, &client->transaction, &request, &refusal)) {
		answer(server, client, sequence, &refusal);
	} else {
		server->batches_out++;
		server->progress_ns = request.now_ns;
	}
	transaction_close(&client->transaction);
}

static void on_writer_message(
	struct table_server *server, struct client *client, const struct stn_header *header)
{
	bool resync =
		header->type == STN_MESSAGE_RESYNC_BEGIN || header->type == STN_MESSAGE_RESYNC_END;
	bool begins = header->type == STN_MESSAGE_BEGIN || header->type == STN_MESSAGE_RESYNC_BEGIN;
	struct transaction *transaction = &client->transaction;

	if (client->role != STN_CLIENT_WRITER) {
		answer_refused(server, client, header->sequence, STN_STATUS_BAD_STATE,
			"only a writer may change anything");
	} else if (begins == transaction->open ||
		   (!begins && transaction->resync != resync && header->type != STN_MESSAGE_OPS &&
			   header->type != STN_MESSAGE_ABORT)) {
		transaction_close(transaction);
		answer_refused(server, client, header->sequence, STN_STATUS_BAD_STATE,
			begins ? "a transaction is open: it was discarded"
			       : "no such transaction is open");
	} else if (begins) {
		transaction_begin(transaction, resync, size_max(server, resync));
	} else if (header->type == STN_MESSAGE_OPS) {
		transaction_add(transaction, (const uint8_t *)(header + 1),
			header->length - sizeof(*header));
	} else if (header->type == STN_MESSAGE_ABORT) {
		transaction_close(transaction);
		answer(server, client, header->sequence, NULL);
	} else {
		commit(server, client, header->sequence);
	}
}

/* ---- messages ---- */

/* Sizes of what clients send, 0: nothing they may send; OPS and DATAGRAM are longer. */
static const uint16_t message_size[STN_MESSAGE_COUNT] = {
	[STN_MESSAGE_HELLO] = sizeof(struct stn_hello),
	[STN_MESSAGE_BEGIN] = sizeof(struct stn_header),
	[STN_MESSAGE_OPS] = sizeof(struct stn_header),
	[STN_MESSAGE_COMMIT] = sizeof(struct stn_header),
	[STN_MESSAGE_ABORT] = sizeof(struct stn_header),
	[STN_MESSAGE_RESYNC_BEGIN] = sizeof(struct stn_header),
	[STN_MESSAGE_RESYNC_END] = sizeof(struct stn_header),
	[STN_MESSAGE_STATS] = sizeof(struct stn_header),
	[STN_MESSAGE_ROOM_STATS] = sizeof(struct stn_room_query),
	[STN_MESSAGE_DUMP] = sizeof(struct stn_room_query),
	[STN_MESSAGE_EXPLAIN] = sizeof(struct stn_explain),
	[STN_MESSAGE_NOTICES_SUBSCRIBE] = sizeof(struct stn_header),
	[STN_MESSAGE_DATAGRAM] = sizeof(struct stn_datagram),
};

static bool size_fits(const struct stn_header *header, size_t size)
{
	if (header->type == STN_MESSAGE_OPS)
		return size % 8 == 0;
	if (header->type == STN_MESSAGE_DATAGRAM)
		return datagram_fits((const struct stn_datagram *)header, size);
	return size == message_size[header->type];
}

static const char *message_fault(
	const struct client *client, const struct stn_header *header, size_t size)
{
	if (size < sizeof(*header) || header->magic != STN_TABLE_MAGIC)
		return "not a message of table.sock";
	if (header->version != STN_TABLE_VERSION)
		return "another version of table.sock";
	if (size > STN_TABLE_MESSAGE_MAX || header->length != size)
		return "the length is not that of the message";
	if (header->type >= STN_MESSAGE_COUNT || !message_size[header->type])
		return "unknown type";
	if (!size_fits(header, size))
		return "the size is not that of the type";
	if (header->type != STN_MESSAGE_HELLO && header->epoch != client->epoch)
		return "the epoch is not that of the hello";
	return NULL;
}

static void on_query(
	struct table_server *server, struct client *client, const struct stn_header *header)
{
	int error = 0;

	if (header->type == STN_MESSAGE_STATS) {
		query_stats(&server->query, client, header->sequence, server->config.now_ns(),
			&server->dropped);
	} else if (header->type == STN_MESSAGE_ROOM_STATS) {
		error = query_room_stats(
			&server->query, client, (const struct stn_room_query *)header);
	} else if (header->type == STN_MESSAGE_DUMP) {
		error = query_dump(&server->query, client, (const struct stn_room_query *)header);
	} else if (header->type == STN_MESSAGE_EXPLAIN) {
		error = query_explain(&server->query, client, (const struct stn_explain *)header);
	} else {
		client->subscribed = true;
		answer(server, client, header->sequence, NULL);
	}
	if (error)
		answer_refused(server, client, header->sequence, STN_STATUS_NO_SPACE,
			"too many questions at a time");
	server->more = true;
}

void dispatch_message(struct table_server *server, struct client *client, size_t size)
{
	const struct stn_header *header = (const struct stn_header *)server->input;
	const char *fault = message_fault(client, header, size);

	if (fault) {
		/* Both ends have to agree on where they are; after this they do not. */
		transaction_close(&client->transaction);
		answer_refused(server, client, size >= sizeof(*header) ? header->sequence : 0,
			STN_STATUS_BAD_MESSAGE, fault);
		client->closing = true;
	} else if (header->type == STN_MESSAGE_HELLO) {
		on_hello(server, client, (const struct stn_hello *)header);
	} else if (!client->role) {
		answer_refused(server, client, header->sequence, STN_STATUS_BAD_STATE,
			"hello comes first");
		client->closing = true;
	} else if (header->type <= STN_MESSAGE_RESYNC_END) {
		on_writer_message(server, client, header);
	} else if (header->type == STN_MESSAGE_DATAGRAM) {
		if (client->role == STN_CLIENT_WRITER)
			datagram_send(server, (const struct stn_datagram *)header);
		else
			answer_refused(server, client, header->sequence, STN_STATUS_BAD_STATE,
				"only a writer may speak to legs");
	} else {
		on_query(server, client, header);
	}
	explicit_bzero(server->input, size);
}
