// SPDX-License-Identifier: BSD-3-Clause
#include "perf/http_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "perf/endpoint.h"

static void format_host(const struct sockaddr_storage *server, char *out, size_t size)
{
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)server;
	const struct sockaddr_in *four = (const struct sockaddr_in *)server;
	char text[INET6_ADDRSTRLEN];

	if (server->ss_family == AF_INET6) {
		inet_ntop(AF_INET6, &six->sin6_addr, text, sizeof(text));
		snprintf(out, size, "[%s]:%u", text, ntohs(six->sin6_port));
	} else {
		inet_ntop(AF_INET, &four->sin_addr, text, sizeof(text));
		snprintf(out, size, "%s:%u", text, ntohs(four->sin_port));
	}
}

int http_client_open(struct http_client *client, const struct sockaddr_storage *server)
{
	int one = 1, error;

	*client = (struct http_client){.buffer = malloc(HTTP_CLIENT_SIZE + 1)};
	client->fd = socket(server->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (client->buffer == NULL || client->fd < 0 ||
		connect(client->fd, (const struct sockaddr *)server, endpoint_size(server)) < 0 ||
		fcntl(client->fd, F_SETFL, O_NONBLOCK) < 0) {
		error = client->buffer == NULL ? -ENOMEM : -errno;
		http_client_close(client);
		return error;
	}
	setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	format_host(server, client->host, sizeof(client->host));
	return 0;
}

void http_client_close(struct http_client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	client->fd = -1;
	free(client->buffer);
	client->buffer = NULL;
}

/* A request is far smaller than a socket's buffer, which is empty between requests. */
int http_client_send(struct http_client *client, const struct http_client_request *request)
{
	char *out = client->buffer;
	size_t body_size = request->body != NULL ? strlen(request->body) : 0;
	int size;
	ssize_t sent;

	if (client->busy)
		return -EBUSY;
	size = snprintf(out, HTTP_CLIENT_SIZE,
		"%s %s HTTP/1.1\r\nHost: %s\r\n%s%s%s%s%s%s%s%s%sContent-Length: %zu\r\n\r\n%s",
		request->method, request->path, client->host,
		request->token != NULL ? "Authorization: Bearer " : "",
		request->token != NULL ? request->token : "", request->token != NULL ? "\r\n" : "",
		request->type != NULL ? "Content-Type: " : "",
		request->type != NULL ? request->type : "", request->type != NULL ? "\r\n" : "",
		request->if_match != NULL ? "If-Match: " : "",
		request->if_match != NULL ? request->if_match : "",
		request->if_match != NULL ? "\r\n" : "", body_size,
		request->body != NULL ? request->body : "");
	if (size < 0 || size >= HTTP_CLIENT_SIZE)
		return -EMSGSIZE;
	sent = send(client->fd, out, (size_t)size, MSG_NOSIGNAL);
	if (sent != size)
		return sent < 0 ? -errno : -EMSGSIZE;
	client->busy = true;
	client->size = 0;
	return 0;
}

/* Copies a field's value; heads are small, so each is looked for on its own. */
static bool find_field(const char *head, const char *name, char *out, size_t capacity)
{
	size_t name_size = strlen(name);

	for (const char *at = strstr(head, "\r\n"); at != NULL; at = strstr(at, "\r\n")) {
		const char *end;

		at += 2;
		if (strncasecmp(at, name, name_size) != 0 || at[name_size] != ':')
			continue;
		at += name_size + 1;
		at += strspn(at, " \t");
		end = strstr(at, "\r\n");
		if (end == NULL || (size_t)(end - at) >= capacity)
			return false;
		memcpy(out, at, (size_t)(end - at));
		out[end - at] = '\0';
		return true;
	}
	return false;
}

static int parse_head(struct http_client *client, char *end)
{
	char length[24] = "0";

	end[2] = '\0'; /* the last field keeps its CR LF */
	if (sscanf(client->buffer, "HTTP/1.1 %3u", &client->status) != 1)
		return -EBADMSG;
	find_field(client->buffer, "Content-Length", length, sizeof(length));
	client->location[0] = client->etag[0] = '\0';
	find_field(client->buffer, "Location", client->location, sizeof(client->location));
	find_field(client->buffer, "ETag", client->etag, sizeof(client->etag));
	end[2] = '\r';
	client->body = end + 4;
	client->body_size = strtoul(length, NULL, 10);
	return client->body_size <= HTTP_CLIENT_SIZE ? 0 : -EMSGSIZE;
}

int http_client_receive(struct http_client *client)
{
	ssize_t got = recv(client->fd, client->buffer + client->size,
		HTTP_CLIENT_SIZE - client->size, MSG_DONTWAIT);
	char *end;
	int error;

	if (got == 0)
		return -ECONNRESET;
	if (got < 0)
		return errno == EAGAIN ? 0 : -errno;
	client->size += (size_t)got;
	client->buffer[client->size] = '\0';
	end = strstr(client->buffer, "\r\n\r\n");
	if (end == NULL)
		return client->size == HTTP_CLIENT_SIZE ? -EMSGSIZE : 0;
	error = parse_head(client, end);
	if (error)
		return error;
	if (client->buffer + client->size < client->body + client->body_size)
		return client->size == HTTP_CLIENT_SIZE ? -EMSGSIZE : 0;
	client->busy = false;
	return 1;
}
