/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Slot packets that wait for their fan-out, and which room goes next. A room's packets are sent in
 * the order in which they came, one behind the other; rooms with work take turns, so that a small
 * one waits for a slice of a large one and never for all of it. A room stands in the ring once at
 * most.
 *
 * Everything is bounded and made before the worker starts: jobs, a place in the ring and a fan for
 * every room. Fans are given out last in, first out: what is touched is as many as are under way,
 * and a small room, which is done within its turn, always works in the same warm one.
 * One worker's; its lcore only.
 */
#ifndef STENTOR_DATAPLANE_IO_QUEUE_H
#define STENTOR_DATAPLANE_IO_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include "dataplane/core/fanout.h"

struct worker_room;

/* A fan-out under way. */
struct worker_fan {
	struct fanout fanout;
	struct fanout_headers headers;
	uint64_t stale_ns;       /* from then on what is left is not sent any more */
	uint64_t paced_ns;       /* until when the allowance has been credited */
	uint64_t pace_rate;      /* copies in 2^24 ns; 0: not paced */
	uint32_t allowance;      /* copies that may leave now */
	bool stale;              /* what is left is counted only */
	uint32_t runs;           /* made */
	uint64_t first_ns;       /* when the first of them was */
	struct worker_fan *next; /* not in use */
	uint8_t group_packet[RTP_BUILD_MAX + FANOUT_PAYLOAD_MAX + ENGINE_TAG_MAX];
};

/* One room's packets, in order; the first one may be under way. */
struct queue_room {
	uint32_t first;
	uint32_t last;
	uint32_t count;
	bool in_ring; /* also for a while after its last packet was taken away */
};

struct queue_job {
	struct rte_mbuf *mbuf;
	uint32_t next; /* of the same room, or the next free one */
};

struct queue_entry {
	struct worker_room *room;
	uint64_t not_before_ns; /* it is paced, and has nothing to send until then */
};

struct worker_queue {
	struct queue_job *job;
	uint32_t job_free;
	uint32_t job_count; /* of all rooms */
	uint32_t jobs_max;
	struct queue_entry *ring;
	uint32_t mask;
	uint32_t head; /* free running */
	uint32_t tail;
	uint32_t spent; /* by the room at the head, in this turn of its */
	struct worker_fan *fan;
	struct worker_fan *fan_free;
	uint32_t fans_used; /* those beyond were never touched */
};

/* 0 or -ENOMEM. */
int queue_open(struct worker_queue *queue, uint32_t rooms_max, uint32_t jobs_max);
void queue_close(struct worker_queue *queue);

/*
 * The last of its room. False: no space. A room may hold a quarter of what is free, so that those
 * who are behind leave space to those who are not.
 */
bool queue_put(struct worker_queue *queue, struct worker_room *room, struct rte_mbuf *mbuf);
/* The room's first; it has one. */
struct rte_mbuf *queue_first(const struct worker_queue *queue, const struct worker_room *room);
/* Takes the first away; the room stays in the ring. */
void queue_take(struct worker_queue *queue, struct worker_room *room);
/*
 * Asks for each of the room's packets whether to keep it; what is not kept is the callback's to
 * free. The room stays in the ring.
 */
void queue_filter(struct worker_queue *queue, struct worker_room *room,
	bool (*keep)(void *arg, struct rte_mbuf *mbuf), void *arg);

/* How many stand in the ring. */
static inline uint32_t queue_length(const struct worker_queue *queue)
{
	return queue->tail - queue->head;
}

/* The one `ahead` places behind the head; there are more than that. */
static inline struct queue_entry *queue_at(const struct worker_queue *queue, uint32_t ahead)
{
	return &queue->ring[(queue->head + ahead) & queue->mask];
}

/* The head goes to the end. */
void queue_rotate(struct worker_queue *queue);
/* The head leaves: it has nothing more. */
void queue_leave(struct worker_queue *queue);
/* The room leaves wherever it stands: it is about to be freed, and has no packets. */
void queue_remove(struct worker_queue *queue, struct worker_room *room);

/* There is one for every room. */
struct worker_fan *queue_fan_get(struct worker_queue *queue);
void queue_fan_put(struct worker_queue *queue, struct worker_fan *fan);

#endif
