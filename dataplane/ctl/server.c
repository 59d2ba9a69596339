/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/ctl/server.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "configs/log.h"
#include "dataplane/ctl/datagram.h"
#include "dataplane/ctl/dispatch.h"
#include "dataplane/ctl/listener.h"
#include "dataplane/ctl/place.h"

#define MS UINT64_C(1000000)
/* While workers owe answers the loop spins this long, then it waits a millisecond at a time. */
#define SPIN_NS (2 * MS)
#define REPLIES_MAX 4096 /* a turn */
#define HANDSHAKE_NS (100 * MS)
#define MESSAGES_MAX 64 /* a client and turn */

static uint64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 * MS + (uint64_t)now.tv_nsec;
}

/* ---- opening ---- */

static void set_defaults(struct table_server_config *config)
{
	if (!config->index_records)
		config->index_records = config->rooms_max + 16384;
	if (!config->room_speakers_max)
		config->room_speakers_max = 256;
	if (!config->window)
		config->window = APPLY_WINDOW;
	if (!config->clients_max)
		config->clients_max = 32;
	if (!config->transaction_bytes_max)
		config->transaction_bytes_max = 64u << 20;
	if (!config->version)
		config->version = STENTOR_VERSION;
	if (!config->engine)
		config->engine = "";
	if (!config->now_ns)
		config->now_ns = monotonic_ns;
}

static int open_core(struct table_server *server, const struct worker_bus *bus)
{
	const struct table_server_config *config = &server->config;
	int error = index_store_open(&server->store, config->index_path, config->index_records);

	if (error)
		return error;
	error = registry_open(&server->registry, server->store, config->rooms_max, config->legs_max,
		bus->worker_count);
	if (error)
		return error;
	apply_open(&server->apply, &server->registry, bus, &dispatch_events, server);
	server->apply.room_speakers_max = config->room_speakers_max;
	server->apply.window = config->window;
	error = query_open(&server->query, &server->apply, dispatch_client, server);
	server->query.started_ns = config->now_ns();
	return error;
}

static int open_sockets(struct table_server *server)
{
	struct epoll_event event = {.events = EPOLLIN};

	server->clients = calloc(server->config.clients_max, sizeof(*server->clients));
	server->input = aligned_alloc(8, STN_TABLE_MESSAGE_MAX + 64);
	if (!server->clients || !server->input)
		return -ENOMEM;
	server->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (server->epoll_fd < 0)
		return -errno;
	server->listen_fd = listener_open(server->config.path, server->config.allowed_gid);
	if (server->listen_fd < 0)
		return server->listen_fd;
	return epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, server->listen_fd, &event) ? -errno : 0;
}

int table_server_open(struct table_server **out, const struct table_server_config *config,
	const struct worker_bus *bus)
{
	struct table_server *server;
	int error;

	if (!config->path || !config->index_path || bus->worker_count == 0 ||
		bus->worker_count > STN_WORKERS_MAX || config->rooms_max == 0 ||
		config->rooms_max > 1u << 20 || config->legs_max == 0 ||
		config->legs_max > 1u << 24 || config->media_count > STN_MEDIA_MAX)
		return -EINVAL;
	server = calloc(1, sizeof(*server));
	if (!server)
		return -ENOMEM;
	server->epoll_fd = -1;
	server->listen_fd = -1;
	server->config = *config;
	set_defaults(&server->config);
	error = open_core(server, bus);
	if (!error)
		error = open_sockets(server);
	while (!error && server->instance_id == 0)
		if (getrandom(&server->instance_id, sizeof(server->instance_id), 0) < 0 &&
			errno != EINTR)
			error = -errno;
	if (error) {
		table_server_close(server);
		return error;
	}
	*out = server;
	return 0;
}

void table_server_close(struct table_server *server)
{
	if (!server)
		return;
	for (uint32_t i = 0; server->clients && i < server->config.clients_max; i++)
		if (server->clients[i])
			table_client_close(server->clients[i]);
	listener_close(server->listen_fd, server->config.path);
	if (server->epoll_fd >= 0)
		close(server->epoll_fd);
	query_close(&server->query);
	apply_close(&server->apply);
	registry_close(&server->registry);
	index_store_close(server->store);
	free(server->clients);
	free(server->input);
	free(server);
}

/* ---- clients ---- */

static void accept_client(struct table_server *server)
{
	struct listener_peers allowed = {server->config.allowed_uid, server->config.allowed_gid};
	struct epoll_event event = {.events = EPOLLIN};
	uint32_t slot = 0;
	int fd;

	while ((fd = listener_accept(server->listen_fd, &allowed)) >= 0) {
		while (slot < server->config.clients_max && server->clients[slot])
			slot++;
		if (slot == server->config.clients_max) {
			log_limited(&server->full_limit, LOG_LEVEL_WARN, "table_clients_full",
				"clients_max=%u", server->config.clients_max);
			close(fd);
			continue;
		}
		server->clients[slot] = table_client_open(fd, ++server->client_last);
		event.data.u32 = slot + 1;
		if (!server->clients[slot]) {
			close(fd);
		} else if (epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, fd, &event)) {
			table_client_close(server->clients[slot]);
			server->clients[slot] = NULL;
		} else {
			server->clients[slot]->close_by_ns =
				server->config.now_ns() + DISPATCH_HELLO_NS;
		}
	}
}

/*
 * A transaction that waits behind its barrier, or many that are not in force yet, hold the writer
 * up. What is still to be staged: a resync, which has to see all of it, and another writer, who
 * asks first what there is.
 */
static bool held_up(const struct table_server *server, const struct client *client)
{
	const struct apply *apply = &server->apply;

	if (client->role != STN_CLIENT_WRITER)
		return false;
	return apply_busy(apply) || server->batches_out >= DISPATCH_BATCHES_MAX ||
	       (apply_staging(apply) &&
		       (client->transaction.resync || apply->staging_last->client != client->id));
}

static void read_client(struct table_server *server, struct client *client)
{
	for (unsigned int i = 0; i < MESSAGES_MAX; i++) {
		ssize_t size;

		if (client->dead || client->closing || held_up(server, client))
			return;
		size = recv(client->fd, server->input, STN_TABLE_MESSAGE_MAX + 1, MSG_DONTWAIT);
		if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
			return;
		if (size <= 0)
			client->dead = true;
		else
			dispatch_message(server, client, (size_t)size);
	}
}

static void watch_output(struct table_server *server, struct client *client, uint32_t slot)
{
	bool wants = client->first != NULL;
	struct epoll_event event = {.events = EPOLLIN | (wants ? EPOLLOUT : 0)};

	event.data.u32 = slot + 1;
	if (wants == client->wants_output)
		return;
	client->wants_output = wants;
	epoll_ctl(server->epoll_fd, EPOLL_CTL_MOD, client->fd, &event);
}

static void tend_clients(struct table_server *server, uint64_t now_ns)
{
	for (uint32_t i = 0; i < server->config.clients_max; i++) {
		struct client *client = server->clients[i];

		if (!client)
			continue;
		if (table_client_flush(client) && client->closing)
			client->dead = true;
		if (client->closing && client->role) {
			/* Once: from here on it is treated as one that has not greeted. */
			client->role = 0;
			client->close_by_ns = now_ns + DISPATCH_CLOSING_NS;
		}
		if (!client->role && now_ns >= client->close_by_ns)
			client->dead = true;
		if (client->dead) {
			dispatch_gone(server, client);
			table_client_close(client);
			server->clients[i] = NULL;
		} else {
			watch_output(server, client, i);
		}
	}
}

/* ---- the turn ---- */

static int wait_ms(const struct table_server *server, int timeout_ms, uint64_t now_ns)
{
	uint64_t left_ms;

	if (server->more || timeout_ms <= 0)
		return 0;
	if (apply_pending(&server->apply) || server->query_pending)
		return now_ns - server->progress_ns < SPIN_NS ? 0 : 1;
	if (server->due_ns <= now_ns)
		return 0;
	/* A handshake is several flights: where there was one datagram the next is near. */
	if (now_ns - server->datagram_ns < HANDSHAKE_NS)
		return 1;
	left_ms = (server->due_ns - now_ns + MS - 1) / MS;
	return left_ms < (uint64_t)timeout_ms ? (int)left_ms : timeout_ms;
}

static void take_events(struct table_server *server, int timeout)
{
	struct epoll_event events[16];
	int count = epoll_wait(server->epoll_fd, events, 16, timeout);

	for (int i = 0; i < count; i++) {
		uint32_t slot = events[i].data.u32;

		if (slot == 0)
			accept_client(server);
		else if (server->clients[slot - 1])
			read_client(server, server->clients[slot - 1]);
	}
}

static void take_replies(struct table_server *server, uint64_t now_ns)
{
	const struct worker_bus *bus = &server->apply.outbox.bus;
	struct reply reply;
	unsigned int left = REPLIES_MAX;

	/* A reply is taken only when there is space for what it makes us tell the workers. */
	while (left && !outbox_reserve_all(&server->apply.outbox, PLACE_COMMANDS_MAX) &&
		bus->poll(bus->impl, &reply)) {
		dispatch_reply(server, &reply);
		left--;
	}
	if (left < REPLIES_MAX)
		server->progress_ns = now_ns;
	server->more = left == 0;
}

static void take_datagrams(struct table_server *server, uint64_t now_ns)
{
	unsigned int taken = datagram_take(server, dispatch_writer(server));

	if (taken)
		server->datagram_ns = now_ns;
	server->more |= taken == DATAGRAM_TAKE_MAX;
}

void table_server_poll(struct table_server *server, int timeout_ms)
{
	uint64_t now_ns = server->config.now_ns();

	take_events(server, wait_ms(server, timeout_ms, now_ns));
	now_ns = server->config.now_ns();
	take_replies(server, now_ns);
	take_datagrams(server, now_ns);
	server->due_ns = apply_poll(&server->apply, now_ns);
	server->more |= query_poll(&server->query);
	server->query_pending = query_pending(&server->query);
	dispatch_pressure(server, now_ns);
	outbox_flush(&server->apply.outbox);
	if (server->posted != server->apply.outbox.posted)
		server->progress_ns = now_ns;
	server->posted = server->apply.outbox.posted;
	tend_clients(server, now_ns);
}

void table_server_status(const struct table_server *server, struct table_server_status *status)
{
	*status = (struct table_server_status){
		.rooms = registry_room_count(&server->registry),
		.legs = registry_leg_count(&server->registry),
		.epoch_highest = server->epoch_highest,
		.notices_dropped = server->dropped.notices,
		.datagrams_dropped = server->dropped.datagrams,
	};
	for (uint32_t i = 0; i < server->config.clients_max; i++) {
		if (!server->clients[i])
			continue;
		status->clients++;
		status->writer |= server->clients[i]->role == STN_CLIENT_WRITER;
	}
}

uint64_t table_server_digest(const struct table_server *server)
{
	return registry_digest(&server->registry);
}
