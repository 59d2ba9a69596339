// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/io/queue.h"

#include <errno.h>
#include <stdlib.h>

#include "dataplane/io/state.h"

#define NO_JOB UINT32_MAX
/* See queue_put(): a lone room may fill a fifth of the queue, which ends when the rest is free. */
#define SHARE 4

int queue_open(struct worker_queue *queue, uint32_t rooms_max, uint32_t jobs_max)
{
	uint32_t size = rte_align32pow2(rooms_max), i;

	queue->job = calloc(jobs_max, sizeof(*queue->job));
	queue->ring = calloc(size, sizeof(*queue->ring));
	/* Memory of fans that are never used at once is never touched. */
	queue->fan = calloc(rooms_max, sizeof(*queue->fan));
	if (queue->job == NULL || queue->ring == NULL || queue->fan == NULL)
		return -ENOMEM;
	queue->mask = size - 1;
	queue->jobs_max = jobs_max;
	for (i = 0; i < jobs_max; i++)
		queue->job[i].next = i + 1 < jobs_max ? i + 1 : NO_JOB;
	return 0;
}

void queue_close(struct worker_queue *queue)
{
	free(queue->job);
	free(queue->ring);
	free(queue->fan);
	*queue = (struct worker_queue){0};
}

bool queue_put(struct worker_queue *queue, struct worker_room *room, struct rte_mbuf *mbuf)
{
	struct queue_room *list = &room->queue;
	uint32_t left = queue->jobs_max - queue->job_count, i = queue->job_free;

	if (left == 0 || list->count > left / SHARE)
		return false;
	queue->job_free = queue->job[i].next;
	queue->job_count++;
	queue->job[i] = (struct queue_job){.mbuf = mbuf, .next = NO_JOB};
	if (list->count == 0)
		list->first = i;
	else
		queue->job[list->last].next = i;
	list->last = i;
	list->count++;
	if (!list->in_ring) {
		queue->ring[queue->tail++ & queue->mask] = (struct queue_entry){.room = room};
		list->in_ring = true;
	}
	return true;
}

struct rte_mbuf *queue_first(const struct worker_queue *queue, const struct worker_room *room)
{
	return queue->job[room->queue.first].mbuf;
}

static void job_put(struct worker_queue *queue, uint32_t i)
{
	queue->job[i].next = queue->job_free;
	queue->job_free = i;
	queue->job_count--;
}

void queue_take(struct worker_queue *queue, struct worker_room *room)
{
	struct queue_room *list = &room->queue;
	uint32_t i = list->first;

	list->first = queue->job[i].next;
	list->count--;
	job_put(queue, i);
}

void queue_filter(struct worker_queue *queue, struct worker_room *room,
	bool (*keep)(void *arg, struct rte_mbuf *mbuf), void *arg)
{
	struct queue_room *list = &room->queue;
	uint32_t i = list->first, left = list->count, next;

	list->count = 0;
	for (; left > 0; left--, i = next) {
		next = queue->job[i].next;
		if (!keep(arg, queue->job[i].mbuf)) {
			job_put(queue, i);
			continue;
		}
		queue->job[i].next = NO_JOB;
		if (list->count++ == 0)
			list->first = i;
		else
			queue->job[list->last].next = i;
		list->last = i;
	}
}

void queue_rotate(struct worker_queue *queue)
{
	struct queue_entry entry = *queue_at(queue, 0);

	queue->head++;
	queue->ring[queue->tail++ & queue->mask] = entry;
	queue->spent = 0;
}

void queue_leave(struct worker_queue *queue)
{
	queue_at(queue, 0)->room->queue.in_ring = false;
	queue->head++;
	queue->spent = 0;
}

void queue_remove(struct worker_queue *queue, struct worker_room *room)
{
	uint32_t i, length = queue_length(queue);

	if (!room->queue.in_ring)
		return;
	for (i = 0; queue_at(queue, i)->room != room; i++)
		RTE_VERIFY(i < length);
	if (i == 0)
		queue->spent = 0;
	for (; i + 1 < length; i++)
		*queue_at(queue, i) = *queue_at(queue, i + 1);
	queue->tail--;
	room->queue.in_ring = false;
}

struct worker_fan *queue_fan_get(struct worker_queue *queue)
{
	struct worker_fan *fan = queue->fan_free;

	if (fan == NULL)
		return &queue->fan[queue->fans_used++];
	queue->fan_free = fan->next;
	return fan;
}

void queue_fan_put(struct worker_queue *queue, struct worker_fan *fan)
{
	fan->next = queue->fan_free;
	queue->fan_free = fan;
}
