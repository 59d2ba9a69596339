/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The data plane's configuration: group "dataplane" of stentor.conf. Filled in once at start by
 * configs/option.h, then read-only. Used by main.c, which hands the parts down.
 */
#ifndef STENTOR_DATAPLANE_CONFIG_H
#define STENTOR_DATAPLANE_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "configs/option.h"

#define CONFIG_PORTS_MAX 4
#define CONFIG_ADDRESSES_MAX 4
#define CONFIG_MEDIA_PORTS_MAX 8

enum port_driver {
	PORT_AF_XDP,
	PORT_AF_PACKET,
	PORT_TAP,
	PORT_PCI,
	PORT_NULL,
	PORT_RING,
	PORT_PCAP,
	PORT_MEMIF,
	PORT_DRIVER_COUNT
};

struct port_config {
	int driver;          /* enum port_driver */
	char interface[16];  /* af_xdp, af_packet: a kernel interface; tap: the one to make */
	char device[64];     /* pci: address; pcap: files or memif: socket, see stentor.conf */
	char output[128];    /* pcap: file for what is sent */
	unsigned int queues; /* 0: one per worker */
	unsigned int descriptors;
	unsigned int vlan; /* 0: untagged */
	unsigned int mtu;
	char address[CONFIG_ADDRESSES_MAX][64]; /* "10.0.0.1/24"; empty: read from the interface */
	unsigned int address_count;
	char gateway_mac[18]; /* next hop of everything; empty: the kernel's neighbour table */
	bool memif_server;
};

struct dataplane_config {
	struct port_config port[CONFIG_PORTS_MAX];
	unsigned int port_count;
	unsigned int workers;
	char lcores[64];
	uint16_t media_port[CONFIG_MEDIA_PORTS_MAX];
	unsigned int media_port_count;
	int engine;
	char table_socket[108];
	unsigned int socket_uid;
	unsigned int socket_gid;
	char index_store[256];
	unsigned int rooms_max;
	unsigned int legs_max;
	unsigned int buffers; /* packet buffers per worker */
	int huge_pages;       /* enum huge_pages */
	unsigned int memory_mb;
	char steer_object[256];
	bool source_limit;
	unsigned int source_rate;
	unsigned int source_burst;
	unsigned int idle_sleep_us;
	unsigned int slice_copies;
	unsigned int stale_ms;
	unsigned int pace_us;
	unsigned int pace_burst_copies;
	unsigned int preroll_ms;
	unsigned int dscp;
	unsigned int consent_timeout_ms;
	int log_level;
};

enum huge_pages { HUGE_AUTO, HUGE_REQUIRE, HUGE_NEVER };

/* A card reads our memory by physical address: huge pages, contiguous buffers, all drivers. */
static inline bool config_has_card(const struct dataplane_config *config)
{
	unsigned int i;

	for (i = 0; i < config->port_count; i++)
		if (config->port[i].driver == PORT_PCI)
			return true;
	return false;
}

extern const struct option_table dataplane_options;

#endif
