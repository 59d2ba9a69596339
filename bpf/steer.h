/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Steering: the XDP program that sends media ports to AF_XDP and leaves the rest to the kernel.
 * DPDK's net_af_xdp loads and attaches the object; this side clears the way before, fills the
 * program's maps after, reads the counters, and detaches it in the end.
 *
 *   steer_object_path -> vdev net_af_xdp...,xdp_prog=PATH -> steer_prepare -> receive queues set up
 *   -> steer_configure -> port started -> traffic -> steer_release -> port stopped and closed
 *
 * Until steer_configure returns, everything passes to the kernel. Called by one thread, the main
 * lcore; nothing here belongs on a polling core. Needs CAP_SYS_ADMIN (maps are found by id) beside
 * the CAP_NET_ADMIN, CAP_NET_RAW and CAP_BPF that AF_XDP itself needs.
 */
#ifndef STENTOR_BPF_STEER_H
#define STENTOR_BPF_STEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/steer_shared.h"

#define STEER_RATE_DEFAULT 4000
#define STEER_BURST_DEFAULT 8000

struct steer; /* one interface; made by steer_configure, freed by steer_release */

struct steer_port_range {
	uint16_t first; /* host order, both inclusive */
	uint16_t last;
};

struct steer_config {
	const struct steer_port_range *ports;
	size_t port_count;                     /* at least 1 */
	const struct steer_address *addresses; /* local addresses; none: any */
	size_t address_count;                  /* up to STEER_ADDRESSES_MAX */
	uint16_t vlan;                         /* 0: untagged, 1 to 4094, STEER_VLAN_ANY */
	bool limit_off;                        /* no token bucket */
	uint32_t rate_per_s;                   /* STUN and DTLS a source; 0: STEER_RATE_DEFAULT */
	uint32_t burst;                        /* 0: STEER_BURST_DEFAULT */
};

/*
 * Writes the path of the object to hand to DPDK: `configured` if not NULL or empty, else next to
 * the running program as built, else where it is installed. Returns 0, -ENOENT when there is no
 * such file, -EINVAL when DPDK could not take the path (a comma), -ENAMETOOLONG.
 */
int steer_object_path(const char *configured, char *path, size_t size);

/*
 * How many receive queues the interface has in use, or a negative errno. Media that arrives on a
 * queue without a socket is dropped, so this has to equal the number of queues the port opens:
 * `ethtool -L IFACE combined N`, and for a veth numrxqueues N at creation.
 */
int steer_queue_count(const char *ifname);

/*
 * Call right before the receive queues are set up: from here until steer_configure the kernel gets
 * all media (reserve.h keeps it from answering). Raises RLIMIT_MEMLOCK if it may, and removes the
 * program that a killed data plane left on the interface. Returns 0, or a negative errno with a
 * message for people in `error`: -ENODEV no such interface, -EPERM, -EBUSY a stranger's program, or
 * one whose owner lives.
 */
int steer_prepare(const char *ifname, char *error, size_t size);

/*
 * Call as soon as the receive queues are set up (DPDK attaches with the first). Finds our program
 * on the interface, fills its maps and enables it last. *out is written only on success. Returns 0
 * or a negative errno with a message in `error`: -ENOENT nothing attached, -EBUSY not ours, -EPROTO
 * another version.
 */
int steer_configure(struct steer **out, const char *ifname, const struct steer_config *config,
	char *error, size_t size);

/* False when the driver has no XDP of its own and the slow generic path is used (skb mode). */
bool steer_is_native(const struct steer *steer);

/* Sums the per-CPU counters, indexed by enum steer_counter. Returns 0 or a negative errno. */
int steer_counters(const struct steer *steer, uint64_t counters[STEER_COUNTER_COUNT]);

/* Returns the counter's name in snake case, or "unknown". Never NULL. */
const char *steer_counter_name(unsigned int counter);

/* Detaches the program if it is still ours, and frees. NULL is fine. Call before the port stops. */
void steer_release(struct steer *steer);

#endif
