/* SPDX-License-Identifier: BSD-3-Clause */
/* Who is connected, from where, and until when: limits and deadlines. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "controlplane/http/state.h"

/* The network that counts as one client; an IPv4 address in IPv6 clothes is that address. */
static void read_network(
	const struct sockaddr *address, uint8_t network[HTTP_NETWORK_SIZE], bool *loopback)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
	const uint8_t *bytes;

	memset(network, 0, HTTP_NETWORK_SIZE);
	*loopback = false;
	if (address->sa_family == AF_INET) {
		memcpy(network, &v4->sin_addr, 4);
		*loopback = network[0] == 127;
	} else if (address->sa_family == AF_INET6) {
		bytes = v6->sin6_addr.s6_addr;
		if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
			memcpy(network, bytes + 12, 4);
			*loopback = network[0] == 127;
			return;
		}
		network[15] = 6;
		memcpy(network, bytes, 8);
		*loopback = IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
	}
}

enum MHD_Result connection_admit(void *context, const struct sockaddr *address, socklen_t size)
{
	struct http_server *server = context;
	uint8_t network[HTTP_NETWORK_SIZE];
	unsigned int same = 0;
	bool loopback, good;

	read_network(address, network, &loopback);
	pthread_mutex_lock(&server->mutex);
	for (struct http_connection *c = server->connections; c != NULL; c = c->next)
		same += memcmp(c->network, network, sizeof(network)) == 0;
	good = server->stats.connections < server->config.connections_max &&
	       same < server->config.connections_address_max;
	if (good)
		server->stats.accepted++;
	else if (same >= server->config.connections_address_max)
		server->stats.refused_address++;
	else
		server->stats.refused_total++;
	pthread_mutex_unlock(&server->mutex);
	return good ? MHD_YES : MHD_NO;
}

static void started(struct http_server *server, struct MHD_Connection *handle, void **context)
{
	const union MHD_ConnectionInfo *fd =
		MHD_get_connection_info(handle, MHD_CONNECTION_INFO_CONNECTION_FD);
	const union MHD_ConnectionInfo *address =
		MHD_get_connection_info(handle, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	struct http_connection *c = calloc(1, sizeof(*c));

	*context = c;
	if (c == NULL)
		return;
	c->fd = fd == NULL ? -1 : fd->connect_fd;
	if (address != NULL)
		read_network(address->client_addr, c->network, &c->loopback);
	c->deadline_ns = loop_now_ns() + server->config.request_timeout_ns;
	pthread_mutex_lock(&server->mutex);
	c->next = server->connections;
	if (c->next != NULL)
		c->next->previous = c;
	server->connections = c;
	server->stats.connections++;
	pthread_mutex_unlock(&server->mutex);
}

/* Called before the descriptor is closed: none in the list is ever somebody else's. */
static void stopped(struct http_server *server, struct http_connection *c)
{
	if (c == NULL)
		return;
	pthread_mutex_lock(&server->mutex);
	if (c->previous != NULL)
		c->previous->next = c->next;
	else
		server->connections = c->next;
	if (c->next != NULL)
		c->next->previous = c->previous;
	server->stats.connections--;
	pthread_mutex_unlock(&server->mutex);
	free(c);
}

void connection_notify(void *context, struct MHD_Connection *handle, void **socket_context,
	enum MHD_ConnectionNotificationCode code)
{
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		started(context, handle, socket_context);
	} else {
		stopped(context, *socket_context);
		*socket_context = NULL;
	}
}

void connection_until(
	struct http_server *server, struct http_connection *connection, uint64_t timeout_ns)
{
	pthread_mutex_lock(&server->mutex);
	connection->deadline_ns = timeout_ns == 0 ? 0 : loop_now_ns() + timeout_ns;
	pthread_mutex_unlock(&server->mutex);
}

void connection_cut_overdue(struct http_server *server, uint64_t now_ns)
{
	/* What a slow reader has not taken is thrown away, not kept by the kernel. */
	const struct linger reset = {.l_onoff = 1};

	pthread_mutex_lock(&server->mutex);
	for (struct http_connection *c = server->connections; c != NULL; c = c->next) {
		if (c->deadline_ns == 0 || c->deadline_ns > now_ns)
			continue;
		/* Its thread sees the end of the stream and closes. */
		setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		shutdown(c->fd, SHUT_RDWR);
		c->deadline_ns = 0;
		server->stats.overdue++;
	}
	pthread_mutex_unlock(&server->mutex);
}
