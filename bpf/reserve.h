/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Holds the media ports in the kernel with sockets that swallow what reaches them. Two reasons: no
 * other program, and no outgoing query that is given a port by chance, may get a port whose answers
 * steering would take away; and media that reaches the kernel while a restarted data plane has not
 * attached yet is not answered with ICMP port unreachable, which makes speakers give up.
 *
 * Opened before steer_prepare, kept until after steer_release. One thread; nothing is ever read.
 */
#ifndef STENTOR_BPF_RESERVE_H
#define STENTOR_BPF_RESERVE_H

#include <stddef.h>

#include "bpf/steer.h"

#define RESERVE_PORTS_MAX 1024 /* a descriptor each */

struct reserve;

/*
 * IPv6 and IPv4, all addresses. *out is written only on success. Returns 0 or a negative errno with
 * a message for people: -EADDRINUSE names the port, -E2BIG more ports than RESERVE_PORTS_MAX.
 */
int reserve_open(struct reserve **out, const struct steer_port_range *ports, size_t port_count,
	char *error, size_t size);

/* NULL is fine. */
void reserve_close(struct reserve *reserve);

#endif
