// SPDX-License-Identifier: BSD-3-Clause
#include "perf/burst.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "perf/endpoint.h"

#define WINDOW_MAX 1024
#define STALL_MS 60000
#define INPUT_FIRST 65536

struct connection {
	int fd;
	unsigned int number;
	unsigned int open;
	unsigned int free[WINDOW_MAX]; /* slots nobody waits in */
	uint64_t sent_ns[WINDOW_MAX];
	char *out;
	size_t out_start, out_end;
	char *in;
	size_t in_size, in_capacity;
	bool over; /* nothing more to ask */
};

struct run {
	const struct burst_plan *plan;
	struct burst *burst;
	struct connection connection[BURST_CONNECTIONS_MAX];
	uint64_t start_ns, end_ns, count;
	size_t capacity; /* of latency_us */
};

static int connect_to(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (strlen(path) >= sizeof(address.sun_path)) {
		close(fd);
		return -ENAMETOOLONG;
	}
	memcpy(address.sun_path, path, strlen(path));
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		int error = -errno;

		close(fd);
		return error;
	}
	return fd;
}

static int open_connection(struct run *run, unsigned int number)
{
	struct connection *c = &run->connection[number];

	c->number = number;
	c->fd = connect_to(run->plan->socket);
	if (c->fd < 0)
		return c->fd;
	for (unsigned int i = 0; i < run->plan->window; i++)
		c->free[i] = i;
	c->in_capacity = INPUT_FIRST;
	c->in = malloc(c->in_capacity);
	c->out = malloc(BURST_LINE_MAX + 1);
	return c->in && c->out ? 0 : -ENOMEM;
}

/* One more line into the empty buffer. */
static void ask(struct run *run, struct connection *c)
{
	unsigned int slot = c->free[run->plan->window - 1 - c->open];
	int head = snprintf(c->out, 80, "{\"id\":\"b%llx.%u.%u.%llu\",",
		(unsigned long long)run->start_ns, c->number, slot, (unsigned long long)run->count);
	size_t size = 0;

	if (run->end_ns == 0 || clock_monotonic_ns() < run->end_ns)
		size = run->plan->make(run->plan->context, c->number, c->out + head,
			BURST_LINE_MAX - (size_t)head);
	if (size == 0) {
		c->over = true;
		return;
	}
	run->count++;
	c->open++;
	c->out_start = 0;
	c->out_end = (size_t)head + size;
	c->out[c->out_end++] = '\n';
	c->sent_ns[slot] = clock_monotonic_ns();
}

static int push(struct run *run, struct connection *c)
{
	for (;;) {
		ssize_t sent;

		if (c->out_start == c->out_end && !c->over && c->open < run->plan->window)
			ask(run, c);
		if (c->out_start == c->out_end)
			return 0;
		sent = send(c->fd, c->out + c->out_start, c->out_end - c->out_start,
			MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent < 0)
			return errno == EAGAIN ? 0 : -errno;
		c->out_start += (size_t)sent;
	}
}

static bool has(const char *line, const char *text)
{
	return strstr(line, text) != NULL;
}

static int note_latency(struct run *run, double us)
{
	struct burst *burst = run->burst;

	if (burst->good == run->capacity) {
		size_t capacity = run->capacity == 0 ? 65536 : run->capacity * 2;
		double *grown = realloc(burst->latency_us, capacity * sizeof(double));

		if (!grown)
			return -ENOMEM;
		burst->latency_us = grown;
		run->capacity = capacity;
	}
	burst->latency_us[burst->good++] = us;
	return 0;
}

/* Answers come in any order; the slot stands in the id. */
static int take_line(struct run *run, struct connection *c, const char *line)
{
	unsigned int number, slot;

	if (sscanf(line, "{\"id\":\"b%*x.%u.%u.", &number, &slot) != 2 || number != c->number ||
		slot >= run->plan->window || c->open == 0)
		return -EPROTO;
	c->open--;
	c->free[run->plan->window - 1 - c->open] = slot;
	if (has(line, "\"ok\":true") && has(line, "\"durable\":true") &&
		(!run->plan->programmed || has(line, "\"programmed\":true")))
		return note_latency(run, (double)(clock_monotonic_ns() - c->sent_ns[slot]) / 1e3);
	if (run->burst->bad++ == 0)
		snprintf(run->burst->failure, sizeof(run->burst->failure), "%s", line);
	return 0;
}

static int take_lines(struct run *run, struct connection *c)
{
	char *at = c->in, *end = c->in + c->in_size, *newline;
	int error = 0;

	while (!error && (newline = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		*newline = '\0';
		error = take_line(run, c, at);
		at = newline + 1;
	}
	c->in_size = (size_t)(end - at);
	memmove(c->in, at, c->in_size);
	return error;
}

static int pull(struct run *run, struct connection *c)
{
	ssize_t got;

	if (c->in_size == c->in_capacity) {
		char *grown = realloc(c->in, c->in_capacity * 2);

		if (!grown)
			return -ENOMEM;
		c->in = grown;
		c->in_capacity *= 2;
	}
	got = recv(c->fd, c->in + c->in_size, c->in_capacity - c->in_size, MSG_DONTWAIT);
	if (got == 0)
		return -ECONNRESET;
	if (got < 0)
		return errno == EAGAIN ? 0 : -errno;
	c->in_size += (size_t)got;
	return take_lines(run, c);
}

/* Until nobody waits for an answer and there is nothing left to ask. */
static int turn(struct run *run, bool *done)
{
	struct pollfd fds[BURST_CONNECTIONS_MAX];
	unsigned int count = run->plan->connections;
	int error = 0, ready;

	*done = true;
	for (unsigned int i = 0; !error && i < count; i++) {
		struct connection *c = &run->connection[i];

		error = push(run, c);
		fds[i] = (struct pollfd){c->fd, POLLIN, 0};
		if (c->out_start < c->out_end)
			fds[i].events |= POLLOUT;
		*done = *done && c->over && c->open == 0;
	}
	if (error || *done)
		return error;
	ready = poll(fds, count, STALL_MS);
	if (ready <= 0)
		return ready == 0 ? -ETIMEDOUT : -errno;
	for (unsigned int i = 0; !error && i < count; i++) {
		if (fds[i].revents & (POLLIN | POLLHUP | POLLERR))
			error = pull(run, &run->connection[i]);
	}
	return error;
}

static void close_connection(struct connection *c)
{
	if (c->fd >= 0)
		close(c->fd);
	free(c->in);
	free(c->out);
}

int burst_run(struct burst *burst, const struct burst_plan *plan)
{
	struct run *run = calloc(1, sizeof(*run));
	bool done = false;
	int error = 0;

	*burst = (struct burst){0};
	if (!run || plan->connections > BURST_CONNECTIONS_MAX || plan->window > WINDOW_MAX) {
		free(run);
		return run ? -EINVAL : -ENOMEM;
	}
	run->plan = plan;
	run->burst = burst;
	for (unsigned int i = 0; i < BURST_CONNECTIONS_MAX; i++)
		run->connection[i].fd = -1;
	for (unsigned int i = 0; !error && i < plan->connections; i++)
		error = open_connection(run, i);
	run->start_ns = clock_monotonic_ns();
	if (plan->seconds > 0)
		run->end_ns = run->start_ns + (uint64_t)(plan->seconds * 1e9);
	while (!error && !done)
		error = turn(run, &done);
	burst->seconds = (double)(clock_monotonic_ns() - run->start_ns) / 1e9;
	for (unsigned int i = 0; i < plan->connections; i++)
		close_connection(&run->connection[i]);
	free(run);
	return error;
}

void burst_free(struct burst *burst)
{
	free(burst->latency_us);
	burst->latency_us = NULL;
}
