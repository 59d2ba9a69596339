/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The event loop: epoll, one thread. What is ready is handled, then the end of the turn is, where
 * everything decided in the turn is written in one transaction. Sources belong to their owners.
 */
#ifndef STENTOR_CONTROLPLANE_LOOP_H
#define STENTOR_CONTROLPLANE_LOOP_H

#include <stdint.h>

struct loop;

struct loop_source {
	int fd;
	void (*ready)(void *context, uint32_t events); /* EPOLLIN ... */
	void *context;
};

struct loop_hooks {
	int (*timeout_ms)(void *context, uint64_t now_ns); /* -1: nothing is planned */
	void (*turn_end)(void *context, uint64_t now_ns);
	void *context;
};

/* 0 or negative errno. */
int loop_open(struct loop **loop, const struct loop_hooks *hooks);
void loop_close(struct loop *loop);

int loop_add(struct loop *loop, struct loop_source *source, uint32_t events);
int loop_change(struct loop *loop, struct loop_source *source, uint32_t events);
/* Its ready() is not called any more, not even in this turn. */
void loop_remove(struct loop *loop, struct loop_source *source);

/* Until loop_stop(). 0 or negative errno. */
int loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

/* CLOCK_MONOTONIC. */
uint64_t loop_now_ns(void);

#endif
