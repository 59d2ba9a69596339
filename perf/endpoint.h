/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ADDRESS:PORT as people write it ([ADDRESS]:PORT for IPv6) and UDP sockets bound to it, and the
 * clocks of the tools. No name service: numbers only.
 */
#ifndef STENTOR_PERF_ENDPOINT_H
#define STENTOR_PERF_ENDPOINT_H

#include <stdint.h>
#include <sys/socket.h>

#define ENDPOINT_TEXT 64

/* -EINVAL when it is no numeric address with a port from 0 to 65535. */
int endpoint_parse(struct sockaddr_storage *address, const char *text);
socklen_t endpoint_size(const struct sockaddr_storage *address);
/* A bound UDP socket with large buffers, close-on-exec; or -errno. */
int endpoint_bind(const struct sockaddr_storage *address);
/* CLOCK_MONOTONIC. */
uint64_t clock_monotonic_ns(void);
/* Seconds since 1970. */
double clock_wall_s(void);

#endif
