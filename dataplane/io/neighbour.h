/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Next hops: a copy of the kernel's routes and neighbours, kept current over rtnetlink. AF_XDP and
 * af_packet bypass the kernel's output path, so we ask it where a packet would go. Main lcore only;
 * workers get Ethernet addresses by message. A hop is a small number that stays valid for the life
 * of the table; its address may become known, or change, later.
 */
#ifndef STENTOR_DATAPLANE_IO_NEIGHBOUR_H
#define STENTOR_DATAPLANE_IO_NEIGHBOUR_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/api/table.h"

#define NEIGHBOUR_HOPS_MAX 65534u
#define NEIGHBOUR_NO_HOP UINT16_MAX

struct neighbour_table;

struct neighbour_hop {
	struct stn_address address; /* port_be is 0 */
	int ifindex;
	uint8_t mac[6];
	bool known;
	bool wanted; /* a leg uses it: the kernel is asked to resolve it */
};

/* Reads routes and neighbours and listens for changes. 0 or negative errno, logged. */
int neighbour_open(struct neighbour_table **out);
void neighbour_close(struct neighbour_table *table);
/* Readable when the kernel has changes to tell. */
int neighbour_fd(const struct neighbour_table *table);
/*
 * Takes in what the kernel says, then calls changed() for each wanted hop whose address became
 * known or changed. Never blocks.
 */
void neighbour_poll(struct neighbour_table *table,
	void (*changed)(void *arg, uint16_t hop, const struct neighbour_hop *), void *arg);
/*
 * The hop towards remote by longest prefix and lowest metric. 0, -ENETUNREACH without a route,
 * -ENOSPC when the table is full. A new hop is resolved in the background.
 */
int neighbour_resolve(
	struct neighbour_table *table, const struct stn_address *remote, uint16_t *hop);
const struct neighbour_hop *neighbour_hop(const struct neighbour_table *table, uint16_t hop);

#endif
