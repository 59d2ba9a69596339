/* SPDX-License-Identifier: BSD-3-Clause */
#include "controlplane/link/receive.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define MESSAGES_MAX 256 /* read in one link_process(): others have a turn */

static int on_hello_reply(struct link *link, const struct stn_hello_reply *reply)
{
	struct stn_header subscribe = {0};
	struct stn_room_query dump = {0};

	/* CONFLICT: our own old connection is not yet gone; tried again after the backoff. */
	if (reply->status != STN_STATUS_OK)
		return reply->status == STN_STATUS_CONFLICT ? -EAGAIN : -EPROTO;
	link->backoff_ns = link->config.backoff_min_ns;
	link->state = LINK_DUMPING;
	if (link->callbacks.connected)
		link->callbacks.connected(link->context, reply);
	link_push_internal(link, STN_MESSAGE_NOTICES_SUBSCRIBE, &subscribe, sizeof(subscribe));
	if (link->config.dump && !link->dumped)
		link_push_internal(link, STN_MESSAGE_DUMP, &dump, sizeof(dump));
	else
		link_begin_resync(link);
	return 0;
}

static int on_dump_reply(struct link *link, const struct stn_header *header)
{
	const uint8_t *at = (const uint8_t *)(header + 1);
	const uint8_t *end = (const uint8_t *)header + header->length;

	while (at < end) {
		const struct stn_op *op = (const struct stn_op *)at;
		size_t left = (size_t)(end - at);

		if (left < sizeof(*op) || op->size > left || op->size % 8)
			return -EPROTO;
		if (op->type == STN_OP_ROOM_PUT && op->size == sizeof(struct stn_op_room_put)) {
			if (link->callbacks.dump_room)
				link->callbacks.dump_room(
					link->context, (const struct stn_op_room_put *)op);
		} else if (op->type == STN_OP_LEG_PUT &&
			   op->size == sizeof(struct stn_op_leg_put)) {
			if (link->callbacks.dump_leg)
				link->callbacks.dump_leg(
					link->context, (const struct stn_op_leg_put *)op);
		} else if (op->type == STN_OP_LEG_ICE &&
			   op->size == sizeof(struct stn_op_leg_ice)) {
			if (link->callbacks.dump_leg_ice)
				link->callbacks.dump_leg_ice(
					link->context, (const struct stn_op_leg_ice *)op);
		} else {
			return -EPROTO;
		}
		at += op->size;
	}
	return 0;
}

static void on_result(struct link *link, struct request *request, const struct stn_result *message)
{
	char reason[STN_REASON_SIZE];
	struct link_result result = {
		.outcome = message->status == STN_STATUS_OK ? LINK_APPLIED : LINK_REFUSED,
		.status = message->status,
		.failed_op = message->failed_op,
		.applied_ns = message->applied_ns,
		.rooms = message->rooms,
		.legs = message->legs,
		.reason = reason,
		.origins = request->origins,
		.origin_count = request->origin_count,
	};
	bool applied = result.outcome == LINK_APPLIED;

	memcpy(reason, message->reason, sizeof(reason));
	reason[sizeof(reason) - 1] = '\0';
	request_remove(&link->queue, request);
	if (request->kind == REQUEST_RESYNC)
		link->state = applied ? LINK_UP : LINK_UNSYNCED;
	link_finish(link, request, &result);
}

/* The messages that end the answer to a query. */
static bool is_last(uint16_t type)
{
	return type != STN_MESSAGE_DUMP_REPLY && type != STN_MESSAGE_EXPLAIN_REPLY;
}

static int on_query_answer(
	struct link *link, struct request *request, const struct stn_header *header)
{
	if (request->kind == REQUEST_QUERY) {
		bool last = is_last(header->type);

		if (last)
			request_remove(&link->queue, request);
		request->answer(request->context, header, last);
		if (last)
			request_free(request);
		return 0;
	}
	if (header->type == STN_MESSAGE_DUMP_REPLY)
		return on_dump_reply(link, header);
	request_remove(&link->queue, request);
	request_free(request);
	if (header->type != STN_MESSAGE_DUMP_END)
		return header->type == STN_MESSAGE_RESULT ? 0 : -EPROTO;
	link->dumped = true;
	if (link->callbacks.dump_end)
		link->callbacks.dump_end(
			link->context, ((const struct stn_result *)header)->status);
	link_begin_resync(link);
	return 0;
}

static int on_answer(struct link *link, const struct stn_header *header)
{
	struct request *request = request_find(&link->queue, header->sequence);

	if (!request)
		return 0; /* its deadline has passed */
	if (header->type == STN_MESSAGE_HELLO_REPLY) {
		if (link->state != LINK_GREETING)
			return -EPROTO;
		request_remove(&link->queue, request);
		request_free(request);
		return on_hello_reply(link, (const struct stn_hello_reply *)header);
	}
	if (request->kind != REQUEST_SUBMIT && request->kind != REQUEST_RESYNC)
		return on_query_answer(link, request, header);
	if (header->type == STN_MESSAGE_ORIGINS)
		return request_add_origins(request, (const struct stn_room_origin *)(header + 1),
			(uint32_t)((header->length - sizeof(*header)) /
				   sizeof(struct stn_room_origin)));
	if (header->type != STN_MESSAGE_RESULT)
		return -EPROTO;
	on_result(link, request, (const struct stn_result *)header);
	return 0;
}

/* The least size of what the data plane sends, 0: nothing it may send. */
static const uint16_t message_size[STN_MESSAGE_COUNT] = {
	[STN_MESSAGE_HELLO_REPLY] = sizeof(struct stn_hello_reply),
	[STN_MESSAGE_ORIGINS] = sizeof(struct stn_header),
	[STN_MESSAGE_RESULT] = sizeof(struct stn_result),
	[STN_MESSAGE_FENCED] = sizeof(struct stn_fenced),
	[STN_MESSAGE_STATS_REPLY] = offsetof(struct stn_stats, worker),
	[STN_MESSAGE_ROOM_STATS_REPLY] = sizeof(struct stn_room_stats),
	[STN_MESSAGE_DUMP_REPLY] = sizeof(struct stn_header),
	[STN_MESSAGE_DUMP_END] = sizeof(struct stn_result),
	[STN_MESSAGE_EXPLAIN_REPLY] = sizeof(struct stn_header),
	[STN_MESSAGE_EXPLAIN_END] = sizeof(struct stn_explain_summary),
	[STN_MESSAGE_NOTICE] = sizeof(struct stn_notice),
	[STN_MESSAGE_DATAGRAM] = sizeof(struct stn_datagram),
};

static int on_datagram(struct link *link, const struct stn_datagram *datagram)
{
	if (datagram->size == 0 || datagram->size > STN_DATAGRAM_MAX ||
		datagram->header.length != sizeof(*datagram) + datagram->size)
		return -EPROTO;
	if (link->callbacks.datagram)
		link->callbacks.datagram(link->context, datagram, (const uint8_t *)(datagram + 1));
	return 0;
}

/* Returns 0, or why the connection has to end. */
static int on_message(struct link *link, size_t size)
{
	const struct stn_header *header = (const struct stn_header *)link->input;

	if (size < sizeof(*header) || header->magic != STN_TABLE_MAGIC ||
		header->version != STN_TABLE_VERSION || header->length != size ||
		header->type >= STN_MESSAGE_COUNT || !message_size[header->type] ||
		size < message_size[header->type])
		return -EPROTO;
	if (header->type == STN_MESSAGE_FENCED) {
		uint64_t epoch = ((const struct stn_fenced *)header)->epoch;

		link_disconnect(link, -ESHUTDOWN, LINK_FENCED);
		if (link->callbacks.fenced)
			link->callbacks.fenced(link->context, epoch);
		return 0;
	}
	if (header->type == STN_MESSAGE_DATAGRAM)
		return on_datagram(link, (const struct stn_datagram *)header);
	if (header->type != STN_MESSAGE_NOTICE)
		return on_answer(link, header);
	if (link->callbacks.notice)
		link->callbacks.notice(link->context, (const struct stn_notice *)header);
	return 0;
}

int receive_messages(struct link *link)
{
	for (unsigned int i = 0; i < MESSAGES_MAX && link->fd >= 0; i++) {
		ssize_t size = recv(link->fd, link->input, STN_TABLE_MESSAGE_MAX + 1, MSG_DONTWAIT);
		int error;

		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0)
			return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -errno;
		if (size == 0)
			return -ECONNRESET;
		error = on_message(link, (size_t)size);
		explicit_bzero(link->input, (size_t)size);
		if (error)
			return error;
	}
	return 0;
}
