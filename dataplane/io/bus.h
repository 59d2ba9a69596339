/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The main lcore's end of the rings to all workers, with what the main lcore knows of the network:
 * ports, routes, next hops. It fills in a leg's port and Ethernet address on the way to a worker,
 * and tells workers when a next hop becomes known or changes. Main lcore only.
 */
#ifndef STENTOR_DATAPLANE_IO_BUS_H
#define STENTOR_DATAPLANE_IO_BUS_H

#include "dataplane/io/command.h"
#include "dataplane/io/neighbour.h"
#include "dataplane/io/port.h"
#include "dataplane/io/worker.h"

struct bus;

struct bus_config {
	struct worker *const *worker;
	unsigned int worker_count;
	const struct port *port;
	unsigned int port_count;
	struct rte_mempool *const *pool;   /* by worker, for the counters */
	struct neighbour_table *neighbour; /* NULL: every port has a gateway_mac */
	uint32_t legs_max;
};

/* 0 or -ENOMEM. */
int bus_open(struct bus **out, const struct bus_config *config);
void bus_close(struct bus *bus);
/* The interface that ctl/ uses; valid while the bus is open. */
struct worker_bus bus_interface(struct bus *bus);
/* Takes in changes of next hops and passes them on; to be called every few milliseconds. */
void bus_poll(struct bus *bus);

#endif
