/* SPDX-License-Identifier: BSD-3-Clause */
#include "bpf/reserve.h"

#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct reserve {
	size_t count;
	int sockets[RESERVE_PORTS_MAX];
};

/* Accepts no byte of anything: dropped before it is queued, and no ICMP is sent. */
static int swallow(int fd)
{
	struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
	const struct sock_fprog program = {.len = 1, .filter = &nothing};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

static int bind_ipv4(int fd, uint16_t port)
{
	const struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};

	return bind(fd, (const struct sockaddr *)&address, sizeof(address));
}

static int bind_both(int fd, uint16_t port)
{
	const struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	const int off = 0;

	if (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) < 0)
		return -1;
	return bind(fd, (const struct sockaddr *)&address, sizeof(address));
}

/* One socket for both families, or for IPv4 where the kernel has no IPv6. */
static int hold(uint16_t port)
{
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool both = fd >= 0;

	if (!both && errno == EAFNOSUPPORT)
		fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (swallow(fd) < 0 || (both ? bind_both(fd, port) : bind_ipv4(fd, port)) < 0) {
		int rc = -errno;
		close(fd);
		return rc;
	}
	return fd;
}

int reserve_open(struct reserve **out, const struct steer_port_range *ports, size_t port_count,
	char *error, size_t size)
{
	struct reserve *reserve = calloc(1, sizeof(*reserve));
	int fd = 0;

	if (!reserve)
		return -ENOMEM;
	for (size_t i = 0; i < port_count; i++) {
		for (uint32_t port = ports[i].first; port <= ports[i].last; port++) {
			fd = reserve->count < RESERVE_PORTS_MAX ? hold((uint16_t)port) : -E2BIG;
			if (fd < 0) {
				snprintf(error, size, "cannot hold UDP port %u for media: %s", port,
					strerror(-fd));
				goto fail;
			}
			reserve->sockets[reserve->count++] = fd;
		}
	}
	*out = reserve;
	return 0;
fail:
	reserve_close(reserve);
	return fd;
}

void reserve_close(struct reserve *reserve)
{
	if (!reserve)
		return;
	for (size_t i = 0; i < reserve->count; i++)
		close(reserve->sockets[i]);
	free(reserve);
}
