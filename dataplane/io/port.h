/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A port: one DPDK ethdev, made from the configuration, with a queue pair for each worker. Opened
 * and closed by the main lcore; immutable while workers run.
 */
#ifndef STENTOR_DATAPLANE_IO_PORT_H
#define STENTOR_DATAPLANE_IO_PORT_H

#include <rte_mempool.h>

#include "bpf/steer.h"
#include "dataplane/api/table.h"
#include "dataplane/config.h"
#include "dataplane/io/state.h"

struct port {
	struct port_config config;
	unsigned int number; /* position in the configuration */
	char device[32];     /* vdev name, empty: pci */
	uint16_t port_id;
	uint16_t queues;
	uint8_t mac[6];
	int ifindex;                 /* of the kernel interface, 0: none */
	struct stn_address local[2]; /* IPv4, IPv6; family 0: none */
	bool made;
	bool started;
	bool gateway_known;
	uint8_t gateway_mac[6];
	struct steer *steer;
};

struct port_environment {
	const struct dataplane_config *config;
	struct rte_mempool *const *pool; /* by worker */
};

/* 0 or negative errno, logged with what was wrong. */
int port_open(struct port *port, unsigned int number, const struct port_environment *environment);
void port_close(struct port *port);
/*
 * Buffers that the driver may keep for ever. net_af_xdp does not give back what lies in the rings
 * it shares with the kernel: 2,048 to fill, and as many sent ones that were not reclaimed yet.
 */
unsigned int port_buffers_kept(const struct port *port);
/* What worker `index` of `count` needs to know of it. */
void port_describe(
	const struct port *port, unsigned int index, unsigned int count, struct worker_port *out);

#endif
