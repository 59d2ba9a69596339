// SPDX-License-Identifier: BSD-3-Clause
#include "perf/endpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BUFFER_SIZE (8 << 20)

int endpoint_parse(struct sockaddr_storage *address, const char *text)
{
	struct sockaddr_storage parsed = {0};
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)&parsed;
	struct sockaddr_in *four = (struct sockaddr_in *)&parsed;
	const char *colon = strrchr(text, ':');
	char host[ENDPOINT_TEXT], *end;
	size_t size = colon ? (size_t)(colon - text) : sizeof(host);
	unsigned long port;

	if (size >= sizeof(host) || colon[1] < '0' || colon[1] > '9')
		return -EINVAL;
	port = strtoul(colon + 1, &end, 10);
	if (*end || port > UINT16_MAX)
		return -EINVAL;
	memcpy(host, text, size);
	host[size] = '\0';
	if (size > 2 && host[0] == '[' && host[size - 1] == ']') {
		host[size - 1] = '\0';
		six->sin6_family = AF_INET6;
		six->sin6_port = htons((uint16_t)port);
		if (inet_pton(AF_INET6, host + 1, &six->sin6_addr) != 1)
			return -EINVAL;
	} else {
		four->sin_family = AF_INET;
		four->sin_port = htons((uint16_t)port);
		if (inet_pton(AF_INET, host, &four->sin_addr) != 1)
			return -EINVAL;
	}
	*address = parsed;
	return 0;
}

socklen_t endpoint_size(const struct sockaddr_storage *address)
{
	return address->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
					      : sizeof(struct sockaddr_in);
}

int endpoint_bind(const struct sockaddr_storage *address)
{
	int fd = socket(address->ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0), size = BUFFER_SIZE;
	int error;

	if (fd < 0)
		return -errno;
	/* FORCE passes rmem_max and needs CAP_NET_ADMIN; without it we take what we get. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	if (bind(fd, (const struct sockaddr *)address, endpoint_size(address)) < 0) {
		error = -errno;
		close(fd);
		return error;
	}
	return fd;
}

uint64_t clock_monotonic_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

double clock_wall_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}
