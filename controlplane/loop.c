/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "controlplane/loop.h"

#define READY_MAX 64

struct loop {
	int epoll_fd;
	bool stopped;
	struct loop_hooks hooks;
	struct epoll_event ready[READY_MAX];
	int ready_count;
};

uint64_t loop_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int loop_open(struct loop **out, const struct loop_hooks *hooks)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	if (loop == NULL)
		return -ENOMEM;
	loop->hooks = *hooks;
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd < 0) {
		free(loop);
		return -errno;
	}
	*out = loop;
	return 0;
}

void loop_close(struct loop *loop)
{
	if (loop == NULL)
		return;
	close(loop->epoll_fd);
	free(loop);
}

static int control(struct loop *loop, int operation, struct loop_source *source, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = source};

	return epoll_ctl(loop->epoll_fd, operation, source->fd, &event) == 0 ? 0 : -errno;
}

int loop_add(struct loop *loop, struct loop_source *source, uint32_t events)
{
	return control(loop, EPOLL_CTL_ADD, source, events);
}

int loop_change(struct loop *loop, struct loop_source *source, uint32_t events)
{
	return control(loop, EPOLL_CTL_MOD, source, events);
}

void loop_remove(struct loop *loop, struct loop_source *source)
{
	control(loop, EPOLL_CTL_DEL, source, 0);
	for (int i = 0; i < loop->ready_count; i++) {
		if (loop->ready[i].data.ptr == source)
			loop->ready[i].data.ptr = NULL;
	}
}

int loop_run(struct loop *loop)
{
	while (!loop->stopped) {
		int timeout_ms = loop->hooks.timeout_ms(loop->hooks.context, loop_now_ns());

		loop->ready_count = epoll_wait(loop->epoll_fd, loop->ready, READY_MAX, timeout_ms);
		if (loop->ready_count < 0 && errno != EINTR)
			return -errno;
		for (int i = 0; i < loop->ready_count; i++) {
			struct loop_source *source = loop->ready[i].data.ptr;

			if (source != NULL)
				source->ready(source->context, loop->ready[i].events);
		}
		loop->ready_count = 0;
		loop->hooks.turn_end(loop->hooks.context, loop_now_ns());
	}
	return 0;
}

void loop_stop(struct loop *loop)
{
	loop->stopped = true;
}
