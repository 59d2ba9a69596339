/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "configs/log.h"
#include "controlplane/events/line.h"
#include "controlplane/events/server.h"

#define BACKLOG 64

struct connection {
	uint64_t number; /* 0: free */
	struct server *server;
	struct loop_source source;
	struct line_buffer input;
	char *output;
	size_t output_start, output_size, output_capacity;
	uint64_t progress_ns;  /* when the other side last took a byte, or output began to wait */
	unsigned int expected; /* answers still to come */
	bool finished;         /* the other side sends no more, but may wait for answers */
	bool paused;           /* enough of its requests are under way */
	bool reading;
	bool last_line; /* only what waits is still sent */
	bool broken;    /* closed at the end of what is being handled */
	bool busy;      /* lines are being handled */
};

struct server {
	struct loop *loop;
	struct server_config config;
	struct server_callbacks callbacks;
	void *context;
	char path[108];
	struct loop_source source;
	struct connection *connections;
	unsigned int count;
	uint64_t next_number;
};

static struct connection *find(const struct server *server, uint64_t number)
{
	for (unsigned int i = 0; i < server->config.connections_max; i++) {
		if (server->connections[i].number == number && number != 0)
			return &server->connections[i];
	}
	return NULL;
}

static void disconnect(struct connection *c)
{
	struct server *server = c->server;
	uint64_t number = c->number;

	if (c->busy) {
		c->broken = true;
		return;
	}
	loop_remove(server->loop, &c->source);
	close(c->source.fd);
	line_close(&c->input);
	if (c->output != NULL)
		explicit_bzero(c->output, c->output_capacity);
	free(c->output);
	*c = (struct connection){0};
	server->count--;
	server->callbacks.closed(server->context, number);
}

static size_t pending(const struct connection *c)
{
	return c->output_size - c->output_start;
}

static void watch(struct connection *c)
{
	bool reading =
		pending(c) < SERVER_OUTPUT_HIGH && !c->last_line && !c->finished && !c->paused;
	uint32_t events = (reading ? EPOLLIN : 0u) | (pending(c) > 0 ? EPOLLOUT : 0u);

	c->reading = reading;
	loop_change(c->server->loop, &c->source, events);
}

/* Sends what the socket takes. False: the connection is gone. */
static bool flush(struct connection *c)
{
	while (pending(c) > 0) {
		ssize_t sent = send(c->source.fd, c->output + c->output_start, pending(c),
			MSG_NOSIGNAL | MSG_DONTWAIT);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return true;
		if (sent < 0) {
			disconnect(c);
			return false;
		}
		explicit_bzero(c->output + c->output_start, (size_t)sent);
		c->output_start += (size_t)sent;
		c->progress_ns = loop_now_ns();
	}
	c->output_start = c->output_size = 0;
	if (c->last_line || (c->finished && c->expected == 0)) {
		disconnect(c);
		return false;
	}
	return true;
}

static bool grow(struct connection *c, size_t more)
{
	size_t waiting = pending(c), capacity = c->output_capacity == 0 ? 4096 : c->output_capacity;
	char *output;

	if (c->output_capacity - c->output_size >= more)
		return true;
	while (capacity - waiting < more)
		capacity *= 2;
	output = malloc(capacity);
	if (output == NULL)
		return false;
	if (c->output != NULL) {
		memcpy(output, c->output + c->output_start, waiting);
		explicit_bzero(c->output, c->output_capacity);
		free(c->output);
	}
	c->output = output;
	c->output_capacity = capacity;
	c->output_start = 0;
	c->output_size = waiting;
	return true;
}

void server_send(struct server *server, uint64_t number, const char *line, size_t size)
{
	struct connection *c = find(server, number);
	bool idle;

	if (c == NULL || c->broken || c->last_line)
		return;
	idle = pending(c) == 0;
	if (!grow(c, size)) {
		disconnect(c);
		return;
	}
	memcpy(c->output + c->output_size, line, size);
	c->output_size += size;
	if (!idle)
		return; /* EPOLLOUT will come */
	c->progress_ns = loop_now_ns();
	if (flush(c))
		watch(c);
}

void server_cut(struct server *server, uint64_t number)
{
	struct connection *c = find(server, number);

	if (c != NULL)
		disconnect(c);
}

void server_expect(struct server *server, uint64_t number, int answers)
{
	struct connection *c = find(server, number);

	if (c == NULL)
		return;
	c->expected += (unsigned int)answers;
	if (c->finished && c->expected == 0 && pending(c) == 0)
		disconnect(c);
}

size_t server_pending(const struct server *server, uint64_t number)
{
	const struct connection *c = find(server, number);

	return c == NULL ? 0 : pending(c);
}

unsigned int server_connections(const struct server *server)
{
	return server->count;
}

static void handle_lines(struct connection *c)
{
	struct server *server = c->server;
	enum line_result result;
	char *line;
	size_t size;

	c->busy = true;
	while (!c->broken && c->expected < SERVER_UNDER_WAY &&
		(result = line_next(&c->input, &line, &size)) != LINE_NONE) {
		if (result == LINE_TOO_LONG) {
			server->callbacks.too_long(server->context, c->number);
			continue;
		}
		server->callbacks.line(server->context, c->number, line, size);
		explicit_bzero(line, size);
	}
	c->busy = false;
	c->paused = c->expected >= SERVER_UNDER_WAY;
	if (c->broken)
		disconnect(c);
}

static bool resumable(const struct connection *c)
{
	return c->number != 0 && c->paused && c->expected <= SERVER_UNDER_WAY / 2;
}

bool server_waits(const struct server *server)
{
	for (unsigned int i = 0; i < server->config.connections_max; i++) {
		if (resumable(&server->connections[i]))
			return true;
	}
	return false;
}

void server_resume(struct server *server)
{
	for (unsigned int i = 0; i < server->config.connections_max; i++) {
		struct connection *c = &server->connections[i];

		if (!resumable(c))
			continue;
		handle_lines(c);
		if (c->number != 0)
			watch(c);
	}
}

/* False: the connection is gone. */
static bool receive(struct connection *c)
{
	uint64_t number = c->number;
	struct server *server = c->server;
	size_t size;
	char *space = line_space(&c->input, &size);
	ssize_t got = recv(c->source.fd, space, size, MSG_DONTWAIT);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (got == 0 && (c->expected > 0 || pending(c) > 0)) {
		c->finished = true;
		return true;
	}
	if (got <= 0) {
		disconnect(c);
		return false;
	}
	line_filled(&c->input, (size_t)got);
	handle_lines(c);
	return find(server, number) != NULL;
}

static void connection_ready(void *context, uint32_t events)
{
	struct connection *c = context;
	struct server *server = c->server;
	uint64_t number = c->number;

	if (events & EPOLLOUT) {
		if (!flush(c))
			return;
		if (pending(c) < SERVER_OUTPUT_HIGH)
			server->callbacks.drained(server->context, number);
		if (find(server, number) == NULL)
			return;
		watch(c);
	}
	if (events & (EPOLLHUP | EPOLLERR) && !(events & EPOLLIN))
		disconnect(c);
	else if ((events & EPOLLIN) && c->reading && receive(c))
		watch(c);
}

/* Ourselves, root, the configured user, or somebody whose group is the configured one. */
static bool permitted(const struct server *server, int fd, struct ucred *peer)
{
	socklen_t size = sizeof(*peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, peer, &size) != 0)
		return false;
	return peer->uid == 0 || peer->uid == geteuid() ||
	       (server->config.uid >= 0 && peer->uid == (uid_t)server->config.uid) ||
	       (server->config.gid >= 0 && peer->gid == (gid_t)server->config.gid);
}

static const char no_more[] = "{\"id\":null,\"ok\":false,\"error\":{\"code\":\"capacity\","
			      "\"message\":\"connections_max: too many connections\"}}\n";
static const char not_you[] = "{\"id\":null,\"ok\":false,\"error\":{\"code\":\"not_allowed\","
			      "\"message\":\"this user may not connect: see allowed_uid, "
			      "allowed_gid\"}}\n";

static void turn_away(int fd, const char *line)
{
	if (send(fd, line, strlen(line), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		log_debug("events_turned_away", "errno=%d", errno);
	close(fd);
}

static void take(struct server *server, int fd)
{
	struct connection *c = server->connections;
	static struct log_limit limit;
	struct ucred peer = {0};

	if (!permitted(server, fd, &peer)) {
		log_limited(&limit, LOG_LEVEL_WARN, "events_refused", "uid=%u gid=%u pid=%d",
			peer.uid, peer.gid, peer.pid);
		turn_away(fd, not_you);
		return;
	}
	while (c < server->connections + server->config.connections_max && c->number != 0)
		c++;
	if (c == server->connections + server->config.connections_max) {
		turn_away(fd, no_more);
		return;
	}
	*c = (struct connection){.server = server, .reading = true};
	if (line_open(&c->input) != 0) {
		close(fd);
		return;
	}
	c->source = (struct loop_source){fd, connection_ready, c};
	if (loop_add(server->loop, &c->source, EPOLLIN) != 0) {
		line_close(&c->input);
		close(fd);
		return;
	}
	c->number = ++server->next_number;
	server->count++;
}

static void listener_ready(void *context, uint32_t events)
{
	struct server *server = context;
	int fd;

	while ((fd = accept4(server->source.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
		take(server, fd);
}

/* Removes what a killed process left; a socket somebody listens on, or another file, stays. */
static int remove_stale(const struct sockaddr_un *address)
{
	struct stat about;
	int fd, rc;

	if (lstat(address->sun_path, &about) != 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(about.st_mode))
		return -EEXIST;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	rc = connect(fd, (const struct sockaddr *)address, sizeof(*address));
	close(fd);
	if (rc == 0)
		return -EADDRINUSE;
	return unlink(address->sun_path) == 0 ? 0 : -errno;
}

static int listen_at(struct server *server)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	mode_t mask;
	int fd, rc;

	if (strlen(server->config.path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, server->config.path);
	rc = remove_stale(&address);
	if (rc != 0)
		return rc;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	mask = umask(0117); /* 0660 from the first moment on */
	rc = bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 ? 0 : -errno;
	umask(mask);
	if (rc == 0 && server->config.gid >= 0 &&
		chown(address.sun_path, (uid_t)-1, (gid_t)server->config.gid) != 0)
		log_warn("events_socket_group", "path=%s gid=%lld errno=%d", address.sun_path,
			(long long)server->config.gid, errno);
	if (rc == 0 && listen(fd, BACKLOG) != 0)
		rc = -errno;
	if (rc != 0) {
		close(fd);
		return rc;
	}
	strcpy(server->path, address.sun_path);
	server->source = (struct loop_source){fd, listener_ready, server};
	return loop_add(server->loop, &server->source, EPOLLIN);
}

int server_open(struct server **out, struct loop *loop, const struct server_config *config,
	const struct server_callbacks *callbacks, void *context)
{
	struct server *server = calloc(1, sizeof(*server));
	int rc = -ENOMEM;

	if (server == NULL)
		return rc;
	*server = (struct server){.loop = loop, .config = *config, .callbacks = *callbacks};
	server->context = context;
	server->source.fd = -1;
	server->connections = calloc(config->connections_max, sizeof(struct connection));
	if (server->connections != NULL)
		rc = listen_at(server);
	if (rc != 0) {
		server_close(server);
		return rc;
	}
	*out = server;
	return 0;
}

void server_close(struct server *server)
{
	if (server == NULL)
		return;
	for (unsigned int i = 0; server->connections != NULL && i < server->config.connections_max;
		i++) {
		struct connection *c = &server->connections[i];

		if (c->number != 0 && flush(c))
			disconnect(c);
	}
	if (server->source.fd >= 0) {
		loop_remove(server->loop, &server->source);
		close(server->source.fd);
		unlink(server->path);
	}
	free(server->connections);
	free(server);
}

void server_tick(struct server *server, uint64_t now_ns)
{
	for (unsigned int i = 0; i < server->config.connections_max; i++) {
		struct connection *c = &server->connections[i];

		if (c->number == 0 || pending(c) == 0 ||
			c->progress_ns + server->config.stall_timeout_ns > now_ns)
			continue;
		if (c->last_line) {
			disconnect(c);
			continue;
		}
		/* What waits is kept for a reader that wakes up within one more timeout. */
		server->callbacks.stalled(server->context, c->number);
		c->last_line = true;
		c->progress_ns = now_ns;
		watch(c);
	}
}
