/* SPDX-License-Identifier: BSD-3-Clause */
#include "controlplane/link/request.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

struct request *request_new(enum request_kind kind, uint16_t type, struct link_ops *ops,
	const void *message, size_t size)
{
	struct request *request = calloc(1, sizeof(*request));

	if (!request)
		return NULL;
	request->kind = kind;
	request->type = type;
	if (message) {
		request->message = malloc(size);
		if (!request->message) {
			free(request);
			return NULL;
		}
		memcpy(request->message, message, size);
		request->size = size;
	}
	if (ops) {
		request->ops = *ops;
		*ops = (struct link_ops){0};
	}
	return request;
}

void request_free(struct request *request)
{
	link_ops_clear(&request->ops);
	free(request->message);
	free(request->origins);
	free(request);
}

static bool counted(const struct request *request)
{
	return request->kind == REQUEST_SUBMIT || request->kind == REQUEST_QUERY;
}

void request_push(struct request_queue *queue, struct request *request)
{
	request->next = NULL;
	if (queue->last)
		queue->last->next = request;
	else
		queue->first = request;
	queue->last = request;
	if (counted(request)) {
		queue->count++;
		queue->bytes += request->ops.size;
	}
	queue->datagrams += request->kind == REQUEST_DATAGRAM;
}

struct request *request_find(const struct request_queue *queue, uint32_t sequence)
{
	struct request *request = queue->first;

	while (request && request->sequence != sequence)
		request = request->next;
	return request;
}

void request_remove(struct request_queue *queue, struct request *request)
{
	struct request *before = NULL;
	struct request **at = &queue->first;

	while (*at != request) {
		before = *at;
		at = &before->next;
	}
	*at = request->next;
	if (queue->last == request)
		queue->last = before;
	if (counted(request)) {
		queue->count--;
		queue->bytes -= request->ops.size;
	}
	queue->datagrams -= request->kind == REQUEST_DATAGRAM;
}

int request_add_origins(
	struct request *request, const struct stn_room_origin *origins, uint32_t count)
{
	size_t total = (size_t)request->origin_count + count;
	struct stn_room_origin *all = realloc(request->origins, total * sizeof(*all));

	if (!all)
		return -ENOMEM;
	memcpy(all + request->origin_count, origins, count * sizeof(*all));
	request->origins = all;
	request->origin_count = (uint32_t)total;
	return 0;
}

/* One message out of a header and a body. */
static int send_message(int fd, struct stn_header *header, const void *body, size_t size)
{
	struct iovec parts[2] = {{header, sizeof(*header)}, {(void *)(uintptr_t)body, size}};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = size ? 2 : 1};

	header->length = (uint32_t)(sizeof(*header) + size);
	while (sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
		if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS)
			return -EAGAIN;
		if (errno != EINTR)
			return -errno;
	}
	return 0;
}

/* As many whole operations as one message holds. */
static size_t slice(const struct link_ops *ops, size_t offset)
{
	size_t size = 0;

	while (offset + size < ops->size) {
		struct stn_op op;

		memcpy(&op, ops->bytes + offset + size, sizeof(op));
		if (size + op.size > STN_TABLE_MESSAGE_MAX - sizeof(struct stn_header))
			break;
		size += op.size;
	}
	return size;
}

static int send_transaction(struct request *request, int fd, struct stn_header *header)
{
	bool resync = request->kind == REQUEST_RESYNC;
	int error;

	if (!request->begun) {
		header->type = resync ? STN_MESSAGE_RESYNC_BEGIN : STN_MESSAGE_BEGIN;
		error = send_message(fd, header, NULL, 0);
		if (error)
			return error;
		request->begun = true;
	}
	while (request->offset < request->ops.size) {
		size_t size = slice(&request->ops, request->offset);

		header->type = STN_MESSAGE_OPS;
		error = send_message(fd, header, request->ops.bytes + request->offset, size);
		if (error)
			return error;
		request->offset += size;
	}
	header->type = resync ? STN_MESSAGE_RESYNC_END : STN_MESSAGE_COMMIT;
	return send_message(fd, header, NULL, 0);
}

static int send_request(struct request *request, int fd, uint64_t epoch)
{
	struct stn_header header = {.magic = STN_TABLE_MAGIC,
		.version = STN_TABLE_VERSION,
		.type = request->type,
		.sequence = request->sequence,
		.epoch = epoch};
	int error;

	if (request->kind == REQUEST_SUBMIT || request->kind == REQUEST_RESYNC)
		error = send_transaction(request, fd, &header);
	else
		error = send_message(fd, &header, request->message + sizeof(header),
			request->size - sizeof(header));
	if (error)
		return error;
	request->begun = true;
	request->sent = true;
	return 0;
}

int request_send(struct request_queue *queue, int fd, uint64_t epoch)
{
	struct request *next;

	for (struct request *request = queue->first; request; request = next) {
		int error = request->sent ? 0 : send_request(request, fd, epoch);

		if (error)
			return error;
		next = request->next;
		if (request->kind == REQUEST_DATAGRAM) {
			request_remove(queue, request);
			request_free(request);
			continue;
		}
		if (counted(request))
			queue->bytes -= request->ops.size;
		link_ops_clear(&request->ops); /* keys are not kept longer than needed */
	}
	return 0;
}
