// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/io/port.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_dev.h>
#include <rte_ethdev.h>
#include <rte_ether.h>

#include "configs/log.h"

#define ERROR_SIZE 256
#define AF_XDP_BUFFERS_KEPT 4096u /* a queue: XSK_RING_*__DEFAULT_NUM_DESCS, twice */

static const char *const driver_devices[PORT_DRIVER_COUNT] = {
	[PORT_AF_XDP] = "net_af_xdp",
	[PORT_AF_PACKET] = "net_af_packet",
	[PORT_TAP] = "net_tap",
	[PORT_PCI] = "",
	[PORT_NULL] = "net_null",
	[PORT_RING] = "net_ring",
	[PORT_PCAP] = "net_pcap",
	[PORT_MEMIF] = "net_memif",
};

static int address_parse(const char *text, struct stn_address *out)
{
	char copy[64], *slash;

	snprintf(copy, sizeof(copy), "%s", text);
	slash = strchr(copy, '/');
	if (slash != NULL)
		*slash = '\0';
	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, copy, out->address) == 1)
		out->family = 4;
	else if (inet_pton(AF_INET6, copy, out->address) == 1)
		out->family = 6;
	return out->family == 0 ? -EINVAL : 0;
}

static void address_keep(struct port *port, const struct stn_address *address)
{
	unsigned int i = address->family == 4 ? 0 : 1;

	if (port->local[i].family == 0)
		port->local[i] = *address;
}

static int addresses_from_config(struct port *port)
{
	struct stn_address address;
	unsigned int i;

	for (i = 0; i < port->config.address_count; i++) {
		if (address_parse(port->config.address[i], &address) < 0) {
			log_error("port_address", "port=%u value=%s expected=\"10.0.0.1/24\"",
				port->number, port->config.address[i]);
			return -EINVAL;
		}
		address_keep(port, &address);
	}
	return 0;
}

static bool is_link_local(const struct sockaddr_in6 *sa)
{
	return IN6_IS_ADDR_LINKLOCAL(&sa->sin6_addr);
}

static int addresses_from_kernel(struct port *port)
{
	struct ifaddrs *list, *entry;

	if (getifaddrs(&list) < 0)
		return -errno;
	for (entry = list; entry != NULL; entry = entry->ifa_next) {
		struct stn_address address = {0};

		if (entry->ifa_addr == NULL || strcmp(entry->ifa_name, port->config.interface) != 0)
			continue;
		if (entry->ifa_addr->sa_family == AF_INET) {
			address.family = 4;
			memcpy(address.address,
				&((const struct sockaddr_in *)entry->ifa_addr)->sin_addr, 4);
			address_keep(port, &address);
		} else if (entry->ifa_addr->sa_family == AF_INET6 &&
			   !is_link_local((const struct sockaddr_in6 *)entry->ifa_addr)) {
			address.family = 6;
			memcpy(address.address,
				&((const struct sockaddr_in6 *)entry->ifa_addr)->sin6_addr, 16);
			address_keep(port, &address);
		}
	}
	freeifaddrs(list);
	return 0;
}

static int addresses_find(struct port *port, uint16_t media_port)
{
	unsigned int i;
	int rc = addresses_from_config(port);

	if (rc == 0 && port->local[0].family == 0 && port->local[1].family == 0 &&
		port->config.interface[0] != '\0')
		rc = addresses_from_kernel(port);
	if (rc < 0)
		return rc;
	if (port->local[0].family == 0 && port->local[1].family == 0) {
		log_error("port_address", "port=%u interface=%s error=\"has no address\"",
			port->number, port->config.interface);
		return -EADDRNOTAVAIL;
	}
	for (i = 0; i < 2; i++)
		port->local[i].port_be = htons(media_port);
	return 0;
}

static int gateway_parse(struct port *port)
{
	struct rte_ether_addr mac;

	if (port->config.gateway_mac[0] == '\0')
		return 0;
	if (rte_ether_unformat_addr(port->config.gateway_mac, &mac) < 0) {
		log_error("port_gateway", "port=%u value=%s expected=\"02:00:00:00:00:01\"",
			port->number, port->config.gateway_mac);
		return -EINVAL;
	}
	memcpy(port->gateway_mac, mac.addr_bytes, sizeof(port->gateway_mac));
	port->gateway_known = true;
	return 0;
}

/* Device arguments, as the driver wants them. */
static int arguments(
	const struct port *port, const struct dataplane_config *config, char *out, size_t size)
{
	const struct port_config *p = &port->config;
	char object[256];
	int rc;

	switch (p->driver) {
	case PORT_AF_XDP:
		rc = steer_object_path(config->steer_object, object, sizeof(object));
		if (rc < 0)
			return rc;
		snprintf(out, size, "iface=%s,start_queue=0,queue_count=%u,xdp_prog=%s",
			p->interface, port->queues, object);
		break;
	case PORT_AF_PACKET:
		snprintf(out, size, "iface=%s,qpairs=%u,blocksz=65536,framesz=2048,framecnt=512",
			p->interface, port->queues);
		break;
	case PORT_TAP:
		snprintf(out, size, "iface=%s", p->interface);
		break;
	case PORT_NULL:
		snprintf(out, size, "no-rx=1");
		break;
	case PORT_PCAP:
		snprintf(out, size, "rx_pcap=%s,tx_pcap=%s", p->device, p->output);
		break;
	case PORT_MEMIF:
		snprintf(out, size, "role=%s,socket=%s,socket-abstract=no,rsize=10",
			p->memif_server ? "server" : "client", p->device);
		break;
	default:
		out[0] = '\0';
		break;
	}
	return 0;
}

/* The interface must have a queue for each of ours, and ours for each of its. */
static int queues_check(const struct port *port)
{
	int count = steer_queue_count(port->config.interface);

	if (count == port->queues)
		return 0;
	if (count < 0)
		log_error("port_interface", "port=%u interface=%s error=\"%s\"", port->number,
			port->config.interface, strerror(-count));
	else
		log_error("port_queues",
			"port=%u interface=%s has=%d wanted=%u hint=\"ethtool -L, or workers\"",
			port->number, port->config.interface, count, port->queues);
	return count < 0 ? count : -EINVAL;
}

static int steer_clear(const struct port *port)
{
	char error[ERROR_SIZE];
	int rc = steer_prepare(port->config.interface, error, sizeof(error));

	if (rc < 0)
		log_error("steer_prepare", "port=%u error=\"%s\"", port->number, error);
	return rc;
}

static int steer_ready(struct port *port, const struct dataplane_config *config)
{
	struct steer_port_range ranges[CONFIG_MEDIA_PORTS_MAX];
	struct steer_address addresses[2] = {0};
	struct steer_config steer = {
		.ports = ranges,
		.port_count = config->media_port_count,
		.addresses = addresses,
		.vlan = (uint16_t)port->config.vlan,
		.limit_off = !config->source_limit,
		.rate_per_s = config->source_rate,
		.burst = config->source_burst,
	};
	char error[ERROR_SIZE];
	unsigned int i;
	int rc;

	for (i = 0; i < config->media_port_count; i++)
		ranges[i] = (struct steer_port_range){config->media_port[i], config->media_port[i]};
	for (i = 0; i < 2; i++) {
		if (port->local[i].family == 0)
			continue;
		addresses[steer.address_count].family = port->local[i].family;
		memcpy(addresses[steer.address_count++].address, port->local[i].address, 16);
	}
	rc = steer_configure(&port->steer, port->config.interface, &steer, error, sizeof(error));
	if (rc < 0)
		log_error("steer_configure", "port=%u error=\"%s\"", port->number, error);
	else
		log_info("steer", "port=%u interface=%s mode=%s", port->number,
			port->config.interface,
			steer_is_native(port->steer) ? "native" : "generic");
	return rc;
}

static int device_make(struct port *port, const struct dataplane_config *config)
{
	char args[640];
	int rc;

	if (port->config.driver == PORT_PCI) {
		rc = rte_eal_hotplug_add("pci", port->config.device, "");
		if (rc == 0)
			rc = rte_eth_dev_get_port_by_name(port->config.device, &port->port_id);
		if (rc < 0)
			log_error("port_make", "port=%u device=%s error=%s", port->number,
				port->config.device, strerror(-rc));
		return rc;
	}
	snprintf(port->device, sizeof(port->device), "%s%u", driver_devices[port->config.driver],
		port->number);
	rc = arguments(port, config, args, sizeof(args));
	if (rc == 0)
		rc = rte_eal_hotplug_add("vdev", port->device, args);
	if (rc == 0)
		rc = rte_eth_dev_get_port_by_name(port->device, &port->port_id);
	if (rc < 0)
		log_error("port_make", "port=%u device=%s args=%s error=%s", port->number,
			port->device, args, strerror(-rc));
	return rc;
}

static int queues_make(struct port *port, const struct port_environment *environment)
{
	struct rte_eth_conf conf = {0};
	uint16_t rx = (uint16_t)port->config.descriptors, tx = rx, q;
	unsigned int workers = environment->config->workers;
	int rc;

	rc = rte_eth_dev_configure(port->port_id, port->queues, port->queues, &conf);
	if (rc == 0)
		rc = rte_eth_dev_adjust_nb_rx_tx_desc(port->port_id, &rx, &tx);
	for (q = 0; rc == 0 && q < port->queues; q++) {
		rc = rte_eth_rx_queue_setup(
			port->port_id, q, rx, SOCKET_ID_ANY, NULL, environment->pool[q % workers]);
		if (rc == 0)
			rc = rte_eth_tx_queue_setup(port->port_id, q, tx, SOCKET_ID_ANY, NULL);
	}
	if (rc < 0)
		log_error("port_queues", "port=%u queues=%u descriptors=%u error=%s", port->number,
			port->queues, port->config.descriptors, strerror(-rc));
	return rc;
}

int port_open(struct port *port, unsigned int number, const struct port_environment *environment)
{
	const struct dataplane_config *config = environment->config;
	struct rte_ether_addr mac;
	int rc;

	*port = (struct port){.config = config->port[number], .number = number};
	port->queues = (uint16_t)(port->config.queues ? port->config.queues : config->workers);
	if (port->queues < config->workers) {
		log_error("port_queues", "port=%u queues=%u expected=\"0 or at least workers=%u\"",
			number, port->queues, config->workers);
		return -EINVAL;
	}
	rc = port->config.driver == PORT_AF_XDP ? queues_check(port) : 0;
	if (rc == 0)
		rc = addresses_find(port, config->media_port[0]);
	if (rc == 0)
		rc = gateway_parse(port);
	if (rc < 0)
		return rc;
	port->ifindex = (int)if_nametoindex(port->config.interface);
	rc = device_make(port, config);
	if (rc < 0)
		goto fail;
	port->made = true;
	if (port->config.driver == PORT_AF_XDP)
		rc = steer_clear(port);
	if (rc == 0)
		rc = queues_make(port, environment);
	/* DPDK attached with the first receive queue: media is ours from here on. */
	if (rc == 0 && port->config.driver == PORT_AF_XDP)
		rc = steer_ready(port, config);
	if (rc < 0)
		goto fail;
	rc = rte_eth_dev_start(port->port_id);
	if (rc < 0) {
		log_error("port_start", "port=%u error=%s", number, strerror(-rc));
		goto fail;
	}
	port->started = true;
	if (port->ifindex == 0) /* tap makes its interface only now */
		port->ifindex = (int)if_nametoindex(port->config.interface);
	rte_eth_macaddr_get(port->port_id, &mac);
	memcpy(port->mac, mac.addr_bytes, sizeof(port->mac));
	log_info("port_open", "port=%u device=%s queues=%u descriptors=%u", number, port->device,
		port->queues, port->config.descriptors);
	return 0;
fail:
	port_close(port);
	return rc;
}

void port_close(struct port *port)
{
	steer_release(port->steer);
	port->steer = NULL;
	if (port->started)
		rte_eth_dev_stop(port->port_id);
	if (port->made)
		rte_eth_dev_close(port->port_id);
	port->started = false;
	port->made = false;
}

unsigned int port_buffers_kept(const struct port *port)
{
	return port->config.driver == PORT_AF_XDP ? port->queues * AF_XDP_BUFFERS_KEPT : 0;
}

void port_describe(
	const struct port *port, unsigned int index, unsigned int count, struct worker_port *out)
{
	uint16_t q;

	*out = (struct worker_port){
		.port_id = port->port_id,
		.tx_queue = (uint16_t)index,
		.vlan = (uint16_t)port->config.vlan,
		.mtu = (uint16_t)port->config.mtu,
		.local = {port->local[0], port->local[1]},
	};
	memcpy(out->mac, port->mac, sizeof(out->mac));
	for (q = (uint16_t)index; q < port->queues; q = (uint16_t)(q + count))
		out->rx_queue[out->rx_queue_count++] = q;
}
