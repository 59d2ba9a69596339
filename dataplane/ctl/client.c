/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/ctl/client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct client_message {
	struct client_message *next;
	size_t size;
	uint8_t bytes[];
};

struct client *table_client_open(int fd, uint64_t id)
{
	struct client *client = calloc(1, sizeof(*client));

	if (!client)
		return NULL;
	client->fd = fd;
	client->id = id;
	return client;
}

static void drop_first(struct client *client)
{
	struct client_message *message = client->first;

	client->first = message->next;
	if (!client->first)
		client->last = NULL;
	client->output -= sizeof(*message) + message->size;
	explicit_bzero(message->bytes, message->size);
	free(message);
}

/*
 * What was not read would make the kernel report ECONNRESET to the peer ahead of the last words
 * that are waiting for it. Bounded: a peer that goes on sending gets its reset.
 */
static void discard_input(struct client *client)
{
	char byte;

	for (unsigned int i = 0; i < 256; i++)
		if (recv(client->fd, &byte, sizeof(byte), MSG_DONTWAIT | MSG_TRUNC) <= 0)
			break;
}

void table_client_close(struct client *client)
{
	discard_input(client);
	transaction_close(&client->transaction);
	while (client->first)
		drop_first(client);
	close(client->fd);
	free(client);
}

/* 1: sent, 0: the socket is full, -1: the client is gone. */
static int send_now(struct client *client, const void *bytes, size_t size)
{
	while (send(client->fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
		if (errno == EINTR)
			continue;
		if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS)
			return 0;
		client->dead = true;
		return -1;
	}
	return 1;
}

static void enqueue(struct client *client, const void *bytes, size_t size)
{
	struct client_message *message;

	if (client->output + sizeof(*message) + size > CLIENT_OUTPUT_MAX ||
		!(message = malloc(sizeof(*message) + size))) {
		client->dead = true;
		return;
	}
	message->next = NULL;
	message->size = size;
	memcpy(message->bytes, bytes, size);
	if (client->last)
		client->last->next = message;
	else
		client->first = message;
	client->last = message;
	client->output += sizeof(*message) + size;
}

void table_client_send(struct client *client, struct stn_header *message, size_t size)
{
	message->magic = STN_TABLE_MAGIC;
	message->version = STN_TABLE_VERSION;
	message->length = (uint32_t)size;
	message->epoch = client->epoch;
	if (client->dead)
		return;
	if (client->first || send_now(client, message, size) == 0)
		enqueue(client, message, size);
}

void table_client_send_result(struct client *client, const struct client_result *result)
{
	struct stn_result message = {
		.header = {.type = result->type, .sequence = result->sequence},
		.failed_op = UINT32_MAX,
		.applied_ns = result->applied_ns,
		.rooms = result->rooms,
		.legs = result->legs,
	};

	if (result->refusal) {
		message.status = result->refusal->status;
		message.failed_op = result->refusal->failed_op;
		memcpy(message.reason, result->refusal->reason, sizeof(message.reason));
	}
	table_client_send(client, &message.header, sizeof(message));
}

bool table_client_send_notice(struct client *client, const struct stn_notice *notice, bool safety)
{
	struct stn_notice message = *notice;

	if (!safety && client->output > CLIENT_TELEMETRY_MAX) {
		client->notices_lost++;
		return false;
	}
	if (client->notices_lost) {
		struct stn_notice lost = {.header = {.type = STN_MESSAGE_NOTICE},
			.type = STN_NOTICE_LOST,
			.at_ns = notice->at_ns,
			.value = client->notices_lost};

		client->notices_lost = 0;
		table_client_send(client, &lost.header, sizeof(lost));
	}
	message.header = (struct stn_header){.type = STN_MESSAGE_NOTICE};
	table_client_send(client, &message.header, sizeof(message));
	return true;
}

bool table_client_flush(struct client *client)
{
	while (client->first && !client->dead) {
		if (send_now(client, client->first->bytes, client->first->size) <= 0)
			break;
		drop_first(client);
	}
	return !client->first;
}
