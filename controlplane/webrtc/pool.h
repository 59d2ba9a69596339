/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The threads that do handshakes. The loop's thread gives a task datagrams and closes it; a task is
 * pinned to one thread, which owns the handshake. What comes out waits in a mailbox that the loop's
 * thread empties when pool_fd() is readable. Nothing but bytes and results crosses over.
 *
 * A task belongs to its maker until pool_start(), then to the pool until its POOL_CLOSED event,
 * which comes exactly once, after pool_finish() and after everything else about that task.
 */
#ifndef STENTOR_CONTROLPLANE_WEBRTC_POOL_H
#define STENTOR_CONTROLPLANE_WEBRTC_POOL_H

#include "controlplane/webrtc/handshake.h"

#define POOL_QUEUE_MAX 4096    /* datagrams that wait for one thread */
#define POOL_TASK_QUEUE_MAX 64 /* of one task */
#define POOL_THREADS_MAX 64

enum pool_event_kind {
	POOL_SEND,
	POOL_DONE, /* connected or failed: task->result */
	POOL_CLOSED
};

struct pool_task;

struct pool_event {
	struct pool_event *next;
	struct pool_task *task;
	enum pool_event_kind kind;
	struct stn_address remote; /* POOL_SEND */
	uint16_t size;
	uint8_t bytes[];
};

struct pool_job; /* loop to thread */

struct pool_task {
	/* Facts, from before the start. */
	uint64_t number;
	uint64_t timeout_at_ns;
	SSL_CTX *context; /* held by the maker until POOL_CLOSED */
	uint8_t fingerprint[DTLS_FINGERPRINT_SIZE];
	void *owner; /* the loop's thread only */

	/* Written by the thread, to be read after POOL_DONE. */
	enum handshake_state state;
	struct handshake_result result;

	/* The pool's own. */
	unsigned int queued; /* under the lock of its thread's queue */
	struct handshake *handshake;
	struct stn_address remote; /* of the last datagram */
	struct pool_task *newer, *older;
	struct pool_job *close_job;
	struct pool_event *done_event, *closed_event;
};

struct pool;

/* 0 or negative errno. */
int pool_open(struct pool **pool, unsigned int threads);
/* Joins the threads. Every started task must have been finished; those whose POOL_CLOSED has not
 * been taken yet go to `drop`. Accepts NULL. */
void pool_close(struct pool *pool, void (*drop)(struct pool_task *task));
int pool_fd(const struct pool *pool);

/* A task with everything it will need, zeroed facts; NULL: no memory. */
struct pool_task *pool_task_make(void);
/* Before pool_start() or after POOL_CLOSED; erases. Accepts NULL. */
void pool_task_free(struct pool_task *task);

void pool_start(struct pool *pool, struct pool_task *task);
/* 0, or -ENOBUFS, -ENOMEM: dropped, the peer sends it again. */
int pool_receive(struct pool *pool, struct pool_task *task, const struct stn_address *remote,
	const uint8_t *bytes, size_t size);
/* Once. */
void pool_finish(struct pool *pool, struct pool_task *task);

/* Everything that waits, oldest first. Give each back with pool_event_free(). */
struct pool_event *pool_take(struct pool *pool);
void pool_event_free(struct pool_event *event);
/* Makes pool_fd() readable. */
void pool_wake(struct pool *pool);

#endif
