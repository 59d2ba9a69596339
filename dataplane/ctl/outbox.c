/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/ctl/outbox.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

/* Smaller queues are kept when they run empty, larger ones (after a resync) are given back. */
#define SIZE_KEPT 1024

static void reset(struct outbox_queue *queue)
{
	queue->commands = queue->kept;
	queue->size = OUTBOX_KEPT;
	queue->first = 0;
	queue->count = 0;
}

static void release(struct outbox_queue *queue)
{
	if (queue->commands != queue->kept)
		free(queue->commands);
	reset(queue);
}

void outbox_open(struct outbox *outbox, const struct worker_bus *bus)
{
	outbox->bus = *bus;
	outbox->posted = 0;
	for (unsigned int i = 0; i < STN_WORKERS_MAX; i++)
		reset(&outbox->queue[i]);
}

void outbox_close(struct outbox *outbox)
{
	for (unsigned int i = 0; i < STN_WORKERS_MAX; i++)
		release(&outbox->queue[i]);
}

static int reserve(struct outbox_queue *queue, size_t count)
{
	size_t size = queue->size;
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
	if (queue->commands != queue->kept)
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
	if (queue->size > SIZE_KEPT)
		release(queue);
	return true;
}

bool outbox_flush(struct outbox *outbox)
{
	bool empty = true;

	for (unsigned int i = 0; i < outbox->bus.worker_count; i++)
		empty &= flush(outbox, i);
	return empty;
}
