// SPDX-License-Identifier: BSD-3-Clause
#include "controlplane/cli/client.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define BUFFER_SIZE 65536

int client_open(struct client *client, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int error;

	memset(client, 0, sizeof(*client));
	client->fd = -1;
	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	if (getrandom(&client->nonce, sizeof(client->nonce), 0) != sizeof(client->nonce))
		return -EIO;
	client->buffer = malloc(BUFFER_SIZE);
	if (!client->buffer)
		return -ENOMEM;
	client->capacity = BUFFER_SIZE;
	client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (client->fd < 0 ||
		connect(client->fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		error = -errno;
		client_close(client);
		return error;
	}
	return 0;
}

void client_close(struct client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	client->fd = -1;
	free(client->buffer);
	client->buffer = NULL;
}

void client_describe_failure(FILE *out, const char *path, int error)
{
	switch (-error) {
	case ENOENT:
		fprintf(out,
			"stentorctl: there is no socket %s: is stentor-controlplane running? "
			"(--socket names another one)\n",
			path);
		break;
	case EACCES:
	case EPERM:
		fprintf(out,
			"stentorctl: not permitted to use %s: it is open to its owner and group "
			"only (ls -l shows them)\n",
			path);
		break;
	case ECONNREFUSED:
		fprintf(out,
			"stentorctl: nobody answers at %s: stentor-controlplane has ended and left "
			"its socket behind\n",
			path);
		break;
	case ENOTSOCK:
	case EPROTOTYPE:
		fprintf(out, "stentorctl: %s is not the events socket\n", path);
		break;
	default:
		fprintf(out, "stentorctl: %s: %s\n", path, strerror(-error));
	}
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int wait_for(int fd, short events, int64_t deadline_ms)
{
	struct pollfd poll_fd = {.fd = fd, .events = events};
	int64_t left = deadline_ms < 0 ? -1 : deadline_ms - now_ms();
	int ready = poll(&poll_fd, 1, deadline_ms < 0 ? -1 : left > 0 ? (int)left : 0);

	if (ready < 0)
		return -errno;
	return ready ? 0 : -ETIMEDOUT;
}

static int send_all(struct client *client, const char *bytes, size_t size, int64_t deadline_ms)
{
	while (size > 0) {
		ssize_t sent = send(client->fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
		int error;

		if (sent > 0) {
			bytes += sent;
			size -= (size_t)sent;
			continue;
		}
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		error = wait_for(client->fd, POLLOUT, deadline_ms);
		if (error)
			return error;
	}
	return 0;
}

int client_send(struct client *client, const char *line, size_t size, int timeout_ms)
{
	int64_t deadline_ms = timeout_ms < 0 ? -1 : now_ms() + timeout_ms;
	int error = send_all(client, line, size, deadline_ms);

	return error ? error : send_all(client, "\n", 1, deadline_ms);
}

static int make_room(struct client *client)
{
	char *grown;

	if (client->start > 0) {
		memmove(client->buffer, client->buffer + client->start,
			client->end - client->start);
		client->end -= client->start;
		client->start = 0;
	}
	if (client->end < client->capacity)
		return 0;
	if (client->capacity >= CLIENT_LINE_MAX)
		return -EMSGSIZE;
	grown = realloc(client->buffer, 2 * client->capacity);
	if (!grown)
		return -ENOMEM;
	client->buffer = grown;
	client->capacity *= 2;
	return 0;
}

int client_receive(struct client *client, int timeout_ms, char **line, size_t *size)
{
	int64_t deadline_ms = timeout_ms < 0 ? -1 : now_ms() + timeout_ms;
	size_t searched = 0;

	for (;;) {
		char *begin = client->buffer + client->start;
		size_t have = client->end - client->start;
		char *newline = memchr(begin + searched, '\n', have - searched);
		ssize_t got;
		int error;

		if (newline) {
			*newline = '\0';
			*line = begin;
			*size = (size_t)(newline - begin);
			client->start += *size + 1;
			return 1;
		}
		searched = have;
		error = make_room(client);
		if (!error)
			error = wait_for(client->fd, POLLIN, deadline_ms);
		if (error)
			return error;
		got = recv(client->fd, client->buffer + client->end, client->capacity - client->end,
			MSG_DONTWAIT);
		if (got == 0)
			return 0;
		if (got < 0 && errno != EAGAIN)
			return -errno;
		if (got > 0)
			client->end += (size_t)got;
	}
}

void client_mint_id(struct client *client, char *text, size_t size)
{
	snprintf(text, size, "ctl-%016llx-%u", (unsigned long long)client->nonce,
		++client->requests);
}

static json_t *receive_answer(struct client *client, const char *id, int timeout_ms, int *error)
{
	int64_t deadline_ms = now_ms() + timeout_ms;

	for (;;) {
		int64_t left = deadline_ms - now_ms();
		const char *got_id;
		json_t *answer;
		char *line;
		size_t size;
		int got = client_receive(client, left > 0 ? (int)left : 0, &line, &size);

		if (got <= 0) {
			*error = got == 0 ? -ECONNRESET : got;
			return NULL;
		}
		answer = json_loadb(line, size, 0, NULL);
		if (!answer) {
			*error = -EPROTO;
			return NULL;
		}
		got_id = json_string_value(json_object_get(answer, "id"));
		if (got_id && strcmp(got_id, id) == 0)
			return answer;
		json_decref(answer);
	}
}

json_t *client_ask(struct client *client, json_t *request, int timeout_ms, int *error)
{
	char id[48];
	char *line;

	client_mint_id(client, id, sizeof(id));
	json_object_set_new(request, "id", json_string(id));
	line = json_dumps(request, JSON_COMPACT);
	json_decref(request);
	*error = line ? client_send(client, line, strlen(line), timeout_ms) : -ENOMEM;
	free(line);
	return *error ? NULL : receive_answer(client, id, timeout_ms, error);
}
