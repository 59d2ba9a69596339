// SPDX-License-Identifier: BSD-3-Clause
#include "perf/programmer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define WAIT_S 10
#define RETRY_NS 20000000l

static int send_message(struct programmer *programmer, uint16_t type, size_t size)
{
	struct stn_header header = {.magic = STN_TABLE_MAGIC,
		.version = STN_TABLE_VERSION,
		.type = type,
		.length = (uint32_t)size,
		.sequence = ++programmer->sequence,
		.epoch = programmer->epoch};

	memcpy(programmer->message, &header, sizeof(header));
	if (send(programmer->fd, programmer->message, size, MSG_NOSIGNAL) != (ssize_t)size)
		return errno ? -errno : -EIO;
	return 0;
}

/* The next message of that type, which has at least `size` bytes. */
static int receive(struct programmer *programmer, uint16_t type, size_t size)
{
	struct stn_header header;
	ssize_t got;

	do {
		got = recv(programmer->fd, programmer->message, sizeof(programmer->message), 0);
		if (got < (ssize_t)sizeof(header))
			return got < 0 ? -errno : -ECONNRESET;
		memcpy(&header, programmer->message, sizeof(header));
	} while (header.type != type);
	return (size_t)got >= size ? 0 : -EPROTO;
}

static int greet(struct programmer *programmer)
{
	struct stn_hello hello = {.role = STN_CLIENT_WRITER};
	int error;

	memcpy(programmer->message, &hello, sizeof(hello));
	error = send_message(programmer, STN_MESSAGE_HELLO, sizeof(hello));
	if (!error)
		error = receive(programmer, STN_MESSAGE_HELLO_REPLY, sizeof(programmer->hello));
	if (error)
		return error;
	memcpy(&programmer->hello, programmer->message, sizeof(programmer->hello));
	return programmer->hello.status == STN_STATUS_OK ? 0 : -EPROTO;
}

int programmer_open(struct programmer *programmer, const char *socket_path)
{
	struct timespec pause = {.tv_nsec = RETRY_NS}, now, end;
	struct timeval patience = {.tv_sec = WAIT_S};
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	programmer->epoch = 1;
	programmer->sequence = 0;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", socket_path);
	programmer->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (programmer->fd < 0)
		return -errno;
	(void)setsockopt(programmer->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += WAIT_S;
	while (connect(programmer->fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec >= end.tv_sec) {
			int error = -errno;

			programmer_close(programmer);
			return error;
		}
		nanosleep(&pause, NULL);
	}
	return greet(programmer);
}

void programmer_close(struct programmer *programmer)
{
	if (programmer->fd >= 0)
		close(programmer->fd);
	programmer->fd = -1;
	explicit_bzero(programmer->message, sizeof(programmer->message));
}

static int send_operations(struct programmer *programmer)
{
	size_t size = programmer->used;

	if (size <= sizeof(struct stn_header))
		return 0;
	programmer->used = sizeof(struct stn_header);
	return send_message(programmer, STN_MESSAGE_OPS, size);
}

int programmer_begin(struct programmer *programmer)
{
	programmer->used = sizeof(struct stn_header);
	return send_message(programmer, STN_MESSAGE_BEGIN, sizeof(struct stn_header));
}

int programmer_add(struct programmer *programmer, const void *operation, size_t size)
{
	int error = 0;

	if (programmer->used + size > sizeof(programmer->message))
		error = send_operations(programmer);
	if (error)
		return error;
	memcpy(programmer->message + programmer->used, operation, size);
	programmer->used += size;
	return 0;
}

int programmer_commit(struct programmer *programmer)
{
	struct stn_result result;
	int error = send_operations(programmer);

	if (!error)
		error = send_message(programmer, STN_MESSAGE_COMMIT, sizeof(struct stn_header));
	if (!error)
		error = receive(programmer, STN_MESSAGE_RESULT, sizeof(result));
	if (error)
		return error;
	memcpy(&result, programmer->message, sizeof(result));
	if (result.status == STN_STATUS_OK)
		return 0;
	fprintf(stderr, "stentor-bench: %s, operation %u: %.*s\n", stn_status_name(result.status),
		result.failed_op, (int)sizeof(result.reason), result.reason);
	return -EPROTO;
}
