/* SPDX-License-Identifier: BSD-3-Clause */
#include "controlplane/link/link.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "controlplane/link/receive.h"

#define MS UINT64_C(1000000)
#define RESYNC_DEADLINES 12 /* a resync may carry a million legs */
#define DATAGRAMS_MAX 1024  /* waiting for the socket: DTLS sends what is lost again */

static const char *const state_names[] = {
	[LINK_DOWN] = "down",
	[LINK_GREETING] = "greeting",
	[LINK_DUMPING] = "dumping",
	[LINK_SYNCING] = "syncing",
	[LINK_UP] = "up",
	[LINK_UNSYNCED] = "unsynced",
	[LINK_FENCED] = "fenced",
};
_Static_assert(sizeof(state_names) / sizeof(state_names[0]) == LINK_STATE_COUNT, "a name each");

const char *link_state_name(enum link_state state)
{
	return (unsigned int)state < LINK_STATE_COUNT ? state_names[state] : "unknown";
}

/* ---- open and close ---- */

static void set_defaults(struct link_config *config)
{
	if (!config->pending_max)
		config->pending_max = 1024;
	if (!config->pending_bytes_max)
		config->pending_bytes_max = 64u << 20;
	if (!config->deadline_ns)
		config->deadline_ns = 5000 * MS;
	if (!config->backoff_min_ns)
		config->backoff_min_ns = 20 * MS;
	if (!config->backoff_max_ns)
		config->backoff_max_ns = 1000 * MS;
}

int link_open(struct link **out, const struct link_config *config,
	const struct link_callbacks *callbacks, void *context)
{
	struct link *link;

	if (!config->path || !config->epoch ||
		strlen(config->path) >= sizeof(link->address.sun_path))
		return -EINVAL;
	link = calloc(1, sizeof(*link));
	if (!link)
		return -ENOMEM;
	link->config = *config;
	link->config.path = NULL; /* the copy is in address */
	set_defaults(&link->config);
	link->callbacks = *callbacks;
	link->context = context;
	link->address.sun_family = AF_UNIX;
	strcpy(link->address.sun_path, config->path);
	link->fd = -1;
	link->backoff_ns = link->config.backoff_min_ns;
	link->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (link->epoll_fd < 0) {
		int error = -errno;

		link_close(link);
		return error;
	}
	*out = link;
	return 0;
}

void link_close(struct link *link)
{
	struct request *request;

	if (!link)
		return;
	while ((request = link->queue.first)) {
		request_remove(&link->queue, request);
		request_free(request);
	}
	if (link->fd >= 0)
		close(link->fd);
	if (link->epoll_fd >= 0)
		close(link->epoll_fd);
	free(link);
}

int link_fd(const struct link *link)
{
	return link->epoll_fd;
}

enum link_state link_state(const struct link *link)
{
	return link->state;
}

/* ---- sending ---- */

/* Calls nobody back: what goes wrong is dealt with by the next link_process(). */
static void send_queue(struct link *link)
{
	struct epoll_event event = {.events = EPOLLIN};
	int error;

	if (link->fd < 0 || link->broken)
		return;
	error = request_send(&link->queue, link->fd, link->config.epoch);
	if (error && error != -EAGAIN) {
		link->broken = error;
	} else if ((error == -EAGAIN) != link->blocked) {
		link->blocked = error == -EAGAIN;
		if (link->blocked)
			event.events |= EPOLLOUT;
		if (epoll_ctl(link->epoll_fd, EPOLL_CTL_MOD, link->fd, &event))
			link->broken = -errno;
	}
}

static void push(struct link *link, struct request *request, unsigned int deadlines)
{
	request->sequence = ++link->sequence;
	request->patience_ns = deadlines * link->config.deadline_ns;
	request_push(&link->queue, request);
}

void link_push_internal(struct link *link, uint16_t type, const void *message, size_t size)
{
	struct request *request = request_new(REQUEST_INTERNAL, type, NULL, message, size);

	if (request)
		push(link, request, 1);
	else
		link->broken = -ENOMEM;
}

static int check_open(const struct link *link, enum link_state from)
{
	if (link->state == LINK_FENCED)
		return -ESHUTDOWN;
	if (link->state < from || link->fd < 0)
		return -ENOTCONN;
	return link->queue.count >= link->config.pending_max ? -ENOBUFS : 0;
}

int link_submit(struct link *link, struct link_ops *ops,
	void (*done)(void *context, const struct link_result *result), void *context)
{
	struct request *request;
	int error = check_open(link, LINK_SYNCING);

	if (error)
		return error;
	if (ops->failed)
		return -ENOMEM;
	if (ops->size > link->config.pending_bytes_max - link->queue.bytes)
		return -ENOBUFS;
	request = request_new(REQUEST_SUBMIT, STN_MESSAGE_BEGIN, ops, NULL, 0);
	if (!request)
		return -ENOMEM;
	request->done = done;
	request->context = context;
	push(link, request, 1);
	send_queue(link);
	return 0;
}

int link_query(struct link *link, const struct stn_header *message, size_t size,
	void (*answer)(void *context, const struct stn_header *message, bool last), void *context)
{
	struct request *request;
	int error = check_open(link, LINK_DUMPING);

	if (error)
		return error;
	if (size < sizeof(*message) || size > STN_TABLE_MESSAGE_MAX)
		return -EINVAL;
	request = request_new(REQUEST_QUERY, message->type, NULL, message, size);
	if (!request)
		return -ENOMEM;
	request->answer = answer;
	request->context = context;
	push(link, request, 1);
	send_queue(link);
	return 0;
}

int link_datagram(struct link *link, uint64_t leg_id, const struct stn_address *remote,
	const uint8_t *bytes, size_t size)
{
	struct {
		struct stn_datagram head;
		uint8_t bytes[STN_DATAGRAM_MAX];
	} message = {.head = {.leg_id = leg_id, .size = (uint32_t)size}};
	struct request *request;

	if (size == 0 || size > STN_DATAGRAM_MAX)
		return -EINVAL;
	if (link->state == LINK_FENCED)
		return -ESHUTDOWN;
	if (link->state < LINK_SYNCING || link->fd < 0)
		return -ENOTCONN;
	if (link->queue.datagrams >= DATAGRAMS_MAX)
		return -ENOBUFS;
	if (remote)
		message.head.remote = *remote;
	memcpy(message.bytes, bytes, size);
	request = request_new(REQUEST_DATAGRAM, STN_MESSAGE_DATAGRAM, NULL, &message,
		sizeof(message.head) + size);
	if (!request)
		return -ENOMEM;
	push(link, request, 1);
	send_queue(link);
	return 0;
}

int link_resync(struct link *link)
{
	if (link->state == LINK_FENCED)
		return -ESHUTDOWN;
	if (link->state < LINK_SYNCING)
		return -ENOTCONN;
	link->resync_wanted = true;
	return 0;
}

/* ---- the end of requests and connections ---- */

void link_finish(struct link *link, struct request *request, const struct link_result *result)
{
	if (request->kind == REQUEST_RESYNC) {
		if (link->callbacks.resync_done)
			link->callbacks.resync_done(link->context, result);
	} else if (request->kind == REQUEST_SUBMIT) {
		request->done(request->context, result);
	} else if (request->kind == REQUEST_QUERY) {
		request->answer(request->context, NULL, true);
	}
	request_free(request);
}

static void fail(struct link *link, struct request *request, const char *reason)
{
	struct link_result result = {
		.outcome = request->sent ? LINK_UNKNOWN : LINK_NOT_APPLIED,
		.status = STN_STATUS_BAD_STATE,
		.failed_op = UINT32_MAX,
		.reason = reason,
	};

	link_finish(link, request, &result);
}

void link_disconnect(struct link *link, int error, enum link_state state)
{
	struct request_queue lost = link->queue;
	bool was_up = link->state > LINK_GREETING;

	if (link->fd >= 0)
		close(link->fd);
	link->fd = -1;
	link->broken = 0;
	link->blocked = false;
	link->resync_wanted = false;
	link->state = state;
	link->queue = (struct request_queue){0};
	link->attempt_ns = link->now_ns + link->backoff_ns;
	link->backoff_ns *= 2;
	if (link->backoff_ns > link->config.backoff_max_ns)
		link->backoff_ns = link->config.backoff_max_ns;
	while (lost.first) {
		struct request *request = lost.first;

		request_remove(&lost, request);
		fail(link, request, "connection to the data plane lost");
	}
	if (was_up && link->callbacks.lost)
		link->callbacks.lost(link->context, error);
}

/* ---- connecting ---- */

static void attempt(struct link *link)
{
	struct stn_hello hello = {.role = STN_CLIENT_WRITER};
	struct epoll_event event = {.events = EPOLLIN};

	link->state = LINK_GREETING;
	link->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (link->fd < 0 ||
		connect(link->fd, (const struct sockaddr *)&link->address, sizeof(link->address)) ||
		epoll_ctl(link->epoll_fd, EPOLL_CTL_ADD, link->fd, &event)) {
		link_disconnect(link, -errno, LINK_DOWN);
		return;
	}
	link_push_internal(link, STN_MESSAGE_HELLO, &hello, sizeof(hello));
	send_queue(link);
}

void link_begin_resync(struct link *link)
{
	struct link_ops ops = {0};
	struct request *request;

	link->resync_wanted = false;
	link->callbacks.resync(link->context, &ops);
	request = ops.failed ? NULL
			     : request_new(REQUEST_RESYNC, STN_MESSAGE_RESYNC_BEGIN, &ops, NULL, 0);
	if (!request) {
		link_ops_clear(&ops);
		link->broken = -ENOMEM;
		return;
	}
	link->state = LINK_SYNCING;
	push(link, request, RESYNC_DEADLINES);
}

/* ---- the turn ---- */

/*
 * What was begun and is not answered in time says that the data plane hangs, or has lost count:
 * the connection ends, and the resync after the next one settles what became of it.
 */
static int check_deadlines(struct link *link)
{
	struct request *next;

	for (struct request *request = link->queue.first; request; request = next) {
		next = request->next;
		/* Counted from the first turn after it was made: only here the time is known. */
		if (!request->deadline_ns)
			request->deadline_ns = link->now_ns + request->patience_ns;
		if (request->deadline_ns > link->now_ns)
			continue;
		if (request->begun && request->kind != REQUEST_QUERY)
			return -ETIMEDOUT;
		if (request->begun && !request->sent)
			return -ETIMEDOUT;
		request_remove(&link->queue, request);
		fail(link, request, "the deadline has passed");
		next = link->queue.first; /* the callback may have changed the queue */
	}
	return 0;
}

void link_process(struct link *link, uint64_t now_ns)
{
	int error;

	link->now_ns = now_ns;
	if (link->state == LINK_FENCED)
		return;
	if (link->fd < 0) {
		if (now_ns < link->attempt_ns)
			return;
		attempt(link);
		if (link->fd < 0)
			return;
	}
	error = link->broken ? 0 : receive_messages(link);
	if (link->fd < 0)
		return; /* fenced */
	if (!error && link->resync_wanted)
		link_begin_resync(link);
	send_queue(link);
	if (!error)
		error = link->broken;
	if (!error)
		error = check_deadlines(link);
	if (error && link->fd >= 0)
		link_disconnect(link, error, LINK_DOWN);
}

int link_timeout_ms(const struct link *link, uint64_t now_ns)
{
	uint64_t at_ns = UINT64_MAX;

	if (link->state == LINK_FENCED)
		return -1;
	if (link->broken || link->resync_wanted)
		return 0;
	if (link->fd < 0)
		at_ns = link->attempt_ns;
	for (const struct request *request = link->queue.first; request; request = request->next) {
		uint64_t deadline_ns =
			request->deadline_ns ? request->deadline_ns : now_ns + request->patience_ns;

		if (deadline_ns < at_ns)
			at_ns = deadline_ns;
	}
	if (at_ns == UINT64_MAX)
		return -1;
	if (at_ns <= now_ns)
		return 0;
	at_ns = (at_ns - now_ns + MS - 1) / MS;
	return at_ns < 60000 ? (int)at_ns : 60000;
}
