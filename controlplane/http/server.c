/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "configs/log.h"
#include "controlplane/http/state.h"
#include "controlplane/http/tls.h"

/* Of one connection, at libmicrohttpd: a head of 16 KiB has to fit so that it is we who refuse a
 * larger one, with a reason. */
#define CONNECTION_MEMORY (32u * 1024)
#define DESCRIPTORS_ELSE 256 /* for everything but HTTP */
#define BACKLOG 256

const uint32_t http_stat_bounds_us[HTTP_STAT_BUCKETS - 1] = {
	1000, 5000, 25000, 100000, 500000, 2500000, 10000000};

const char *http_stat_route_name(unsigned int route)
{
	static const char *const names[] = {"whip", "whep", "session", "events", "event_stream",
		"rooms", "room", "metrics", "ready", "page", "health", "other"};

	_Static_assert(sizeof(names) / sizeof(names[0]) == HTTP_STAT_ROUTE_COUNT, "one name each");
	return route < HTTP_STAT_ROUTE_COUNT ? names[route] : "other";
}

void request_list_add(struct http_request_list *list, struct http_request *request)
{
	request->next = NULL;
	request->previous = list->last;
	if (list->last != NULL)
		list->last->next = request;
	else
		list->first = request;
	list->last = request;
}

void request_list_remove(struct http_request_list *list, struct http_request *request)
{
	if (request->previous != NULL)
		request->previous->next = request->next;
	else
		list->first = request->next;
	if (request->next != NULL)
		request->next->previous = request->previous;
	else
		list->last = request->previous;
	request->next = request->previous = NULL;
}

void server_wake(struct http_server *server)
{
	uint64_t one = 1;

	/* Fails only when it would overflow: then it is readable already. */
	if (write(server->source.fd, &one, sizeof(one)) < 0)
		return;
}

bool server_hand(struct http_request *request)
{
	struct http_server *server = request->server;
	bool closing;

	MHD_suspend_connection(request->handle);
	pthread_mutex_lock(&server->mutex);
	closing = server->closing;
	if (!closing) {
		request->phase = REQUEST_HANDED;
		request_list_add(&server->incoming, request);
	}
	pthread_mutex_unlock(&server->mutex);
	if (closing)
		MHD_resume_connection(request->handle);
	else
		server_wake(server);
	return !closing;
}

static void woken(void *context, uint32_t events)
{
	struct http_server *server = context;
	struct http_request *request;
	uint64_t count;

	if (read(server->source.fd, &count, sizeof(count)) < 0)
		return;
	stream_reap(server);
	for (;;) {
		pthread_mutex_lock(&server->mutex);
		request = server->incoming.first;
		if (request != NULL) {
			request_list_remove(&server->incoming, request);
			request_list_add(&server->handed, request);
		}
		pthread_mutex_unlock(&server->mutex);
		if (request == NULL)
			return;
		server->handle(server->context, &request->exchange);
	}
}

void http_respond(struct http_exchange *exchange)
{
	struct http_request *request = (struct http_request *)exchange;
	struct MHD_Connection *handle = request->handle;

	pthread_mutex_lock(&request->server->mutex);
	request_list_remove(&request->server->handed, request);
	request->phase = REQUEST_ANSWERED;
	pthread_mutex_unlock(&request->server->mutex);
	MHD_resume_connection(handle);
}

static bool is_loopback(const struct sockaddr_storage *address)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;

	return address->ss_family == AF_INET ? ntohl(v4->sin_addr.s_addr) >> 24 == 127
					     : IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}

static socklen_t read_address(
	const struct http_server_config *config, struct sockaddr_storage *address)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;

	memset(address, 0, sizeof(*address));
	if (inet_pton(AF_INET, config->address, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(config->port);
		return sizeof(*v4);
	}
	if (inet_pton(AF_INET6, config->address, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(config->port);
		return sizeof(*v6);
	}
	return 0;
}

/* The descriptor, or negative errno. */
static int listen_at(struct http_server *server, char reason[HTTP_REASON_SIZE])
{
	const struct http_server_config *config = &server->config;
	struct sockaddr_storage address;
	socklen_t size = read_address(config, &address);
	int fd, one = 1, rc;

	if (size == 0) {
		snprintf(reason, HTTP_REASON_SIZE, "http_address = %s: not an IP address",
			config->address);
		return -EINVAL;
	}
	if (config->certificate == NULL && !config->plain && !is_loopback(&address)) {
		snprintf(reason, HTTP_REASON_SIZE,
			"http_address = %s: not loopback, so it needs http_certificate and "
			"http_key, or http_plain = true",
			config->address);
		return -EINVAL;
	}
	fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&address, size) != 0 || listen(fd, BACKLOG) != 0 ||
		getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
		rc = -errno;
		snprintf(reason, HTTP_REASON_SIZE, "http_address = %s, http_port = %u: %s",
			config->address, config->port, strerror(-rc));
		close(fd);
		return rc;
	}
	/* The port is at the same place in both. */
	server->port = ntohs(((struct sockaddr_in *)&address)->sin_port);
	return fd;
}

static void log_message(void *context, const char *format, va_list arguments)
	__attribute__((format(printf, 2, 0)));

/* What libmicrohttpd has to say is about single clients, and may quote them. */
static void log_message(void *context, const char *format, va_list arguments)
{
	static struct log_limit limit;

	log_limited(&limit, LOG_LEVEL_DEBUG, "http_library", "text=\"%.60s\"", format);
}

static int start(struct http_server *server, int fd, char reason[HTTP_REASON_SIZE])
{
	const struct http_server_config *config = &server->config;
	unsigned int flags =
		MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
	struct tls_pair tls = {0};
	struct MHD_OptionItem secure[] = {{MHD_OPTION_END, 0, NULL}, {MHD_OPTION_END, 0, NULL},
		{MHD_OPTION_END, 0, NULL}, {MHD_OPTION_END, 0, NULL}};
	int rc;

	if (config->certificate != NULL) {
		rc = tls_load(&tls, config->certificate, config->key, reason, HTTP_REASON_SIZE);
		if (rc != 0)
			return rc;
		flags |= MHD_USE_TLS;
		secure[0] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, tls.certificate};
		secure[1] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, tls.key};
		secure[2] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0,
			"NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"};
	}
	server->daemon = MHD_start_daemon(flags, 0, connection_admit, server, request_access,
		server, MHD_OPTION_EXTERNAL_LOGGER, log_message, NULL, MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
		MHD_OPTION_CONNECTION_LIMIT, config->connections_max + 64,
		MHD_OPTION_CONNECTION_TIMEOUT, 0u, MHD_OPTION_STRICT_FOR_CLIENT, 0,
		MHD_OPTION_URI_LOG_CALLBACK, request_begin, server, MHD_OPTION_NOTIFY_COMPLETED,
		request_completed, server, MHD_OPTION_NOTIFY_CONNECTION, connection_notify, server,
		MHD_OPTION_ARRAY, secure, MHD_OPTION_END);
	tls_clear(&tls);
	if (server->daemon != NULL)
		return 0;
	snprintf(reason, HTTP_REASON_SIZE, "the HTTP library does not start%s%s",
		config->certificate == NULL ? "" : " with the certificate ",
		config->certificate == NULL ? "" : config->certificate);
	return -EINVAL;
}

/* Every connection is a descriptor; the soft limit of a shell is 1,024. */
static void raise_descriptor_limit(unsigned int connections)
{
	struct rlimit limit;
	rlim_t wanted = (rlim_t)connections + DESCRIPTORS_ELSE;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
		return;
	limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < wanted)
		log_warn("http_descriptors", "limit=%llu wanted=%llu",
			(unsigned long long)limit.rlim_cur, (unsigned long long)wanted);
}

int http_server_open(struct http_server **out, struct loop *loop,
	const struct http_server_config *config,
	void (*handle)(void *context, struct http_exchange *exchange), void *context,
	char reason[HTTP_REASON_SIZE])
{
	struct http_server *server = calloc(1, sizeof(*server));
	int rc, fd;

	reason[0] = '\0';
	if (server == NULL)
		return -ENOMEM;
	server->config = *config;
	server->config.policy.tls = config->certificate != NULL;
	server->handle = handle;
	server->context = context;
	server->loop = loop;
	pthread_mutex_init(&server->mutex, NULL);
	raise_descriptor_limit(config->connections_max);
	server->source =
		(struct loop_source){eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), woken, server};
	rc = server->source.fd < 0 ? -errno : loop_add(loop, &server->source, EPOLLIN);
	fd = rc == 0 ? listen_at(server, reason) : rc;
	rc = fd < 0 ? fd : start(server, fd, reason);
	if (rc != 0) {
		if (fd >= 0)
			close(fd);
		if (reason[0] == '\0')
			snprintf(reason, HTTP_REASON_SIZE, "%s", strerror(-rc));
		http_server_close(server);
		return rc;
	}
	*out = server;
	return 0;
}

/* Everybody goes back to libmicrohttpd, which does not stop while somebody is suspended. */
static void let_go(struct http_server *server)
{
	struct http_request *request;

	pthread_mutex_lock(&server->mutex);
	server->closing = true;
	while ((request = server->incoming.first) != NULL) {
		request_list_remove(&server->incoming, request);
		request_list_add(&server->handed, request);
	}
	request = server->handed.first;
	pthread_mutex_unlock(&server->mutex);
	while (request != NULL) {
		struct http_request *next = request->next;

		http_problem(&request->exchange, 503, "shutting down");
		http_respond(&request->exchange);
		request = next;
	}
	for (;;) {
		struct http_stream *stream;

		pthread_mutex_lock(&server->mutex);
		for (stream = server->streams; stream != NULL && stream->ended;)
			stream = stream->next;
		pthread_mutex_unlock(&server->mutex);
		if (stream == NULL)
			return;
		http_stream_end(stream);
	}
}

void http_server_close(struct http_server *server)
{
	if (server == NULL)
		return;
	if (server->daemon != NULL) {
		let_go(server);
		MHD_stop_daemon(server->daemon);
	}
	while (server->gone != NULL) {
		struct http_stream *stream = server->gone;

		server->gone = stream->next;
		stream_free(stream);
	}
	if (server->source.fd >= 0) {
		loop_remove(server->loop, &server->source);
		close(server->source.fd);
	}
	pthread_mutex_destroy(&server->mutex);
	free(server);
}

uint16_t http_server_port(const struct http_server *server)
{
	return server->port;
}

void http_server_tick(struct http_server *server, uint64_t now_ns)
{
	connection_cut_overdue(server, now_ns);
}

void http_server_read_stats(struct http_server *server, struct http_stats *out)
{
	pthread_mutex_lock(&server->mutex);
	*out = server->stats;
	pthread_mutex_unlock(&server->mutex);
}
