/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/ctl/outbox.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

/* Smaller queues are kept when they run empty, larger ones (after a resync) are given back. */
#define SIZE_KEPT 1024

void outbox_open(struct outbox *outbox, const struct worker_bus *bus)
{
	*outbox = (struct outbox){.bus = *bus};
}

void outbox_close(struct outbox *outbox)
{
	for (unsigned int i = 0; i < STN_WORKERS_MAX; i++) {
		free(outbox->queue[i].commands);
		outbox->queue[i] = (struct outbox_queue){0};
	}
}

static int reserve(struct outbox_queue *queue, size_t count)
{
	size_t size = queue->size ? queue->size : 64;
	struct command *commands;

	if (count <= queue->size - queue->count)
		return 0;
	while (size - queue->count < count)
		size *= 2;
	commands = calloc(size, sizeof(*commands));
	if (!commands)
		return -ENOMEM;
	for (size_t i = 0; i < queue->count; i++)
		commands[i] = queue->commands[(queue->first + i) & (queue->size - 1)];
	free(queue->commands);
	queue->commands = commands;
	queue->size = size;
	queue->first = 0;
	return 0;
}

int outbox_reserve(struct outbox *outbox, const size_t count[])
{
	for (unsigned int i = 0; i < outbox->bus.worker_count; i++)
		if (reserve(&outbox->queue[i], count[i]))
			return -ENOMEM;
	return 0;
}

int outbox_reserve_all(struct outbox *outbox, size_t count)
{
	for (unsigned int i = 0; i < outbox->bus.worker_count; i++)
		if (reserve(&outbox->queue[i], count))
			return -ENOMEM;
	return 0;
}

void outbox_send(struct outbox *outbox, unsigned int worker, const struct command *command)
{
	struct outbox_queue *queue = &outbox->queue[worker];

	assert(worker < outbox->bus.worker_count && queue->count < queue->size);
	queue->commands[(queue->first + queue->count++) & (queue->size - 1)] = *command;
}

void outbox_send_all(struct outbox *outbox, const struct command *command)
{
	for (unsigned int i = 0; i < outbox->bus.worker_count; i++)
		outbox_send(outbox, i, command);
}

static bool flush(struct outbox *outbox, unsigned int worker)
{
	struct outbox_queue *queue = &outbox->queue[worker];

	while (queue->count) {
		if (outbox->bus.post(outbox->bus.impl, worker, &queue->commands[queue->first]))
			return false;
		queue->first = (queue->first + 1) & (queue->size - 1);
		queue->count--;
		outbox->posted++;
	}
	if (queue->size > SIZE_KEPT) {
		free(queue->commands);
		*queue = (struct outbox_queue){0};
	}
	return true;
}

bool outbox_flush(struct outbox *outbox)
{
	bool empty = true;

	for (unsigned int i = 0; i < outbox->bus.worker_count; i++)
		empty &= flush(outbox, i);
	return empty;
}
