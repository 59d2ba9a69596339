/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the main lcore gives a worker: its configuration, immutable while it runs, messages, and the
 * rules by which any worker, and the main lcore, can tell who owns a leg.
 */
#ifndef STENTOR_DATAPLANE_IO_SETUP_H
#define STENTOR_DATAPLANE_IO_SETUP_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mempool.h>
#include <rte_ring.h>

#include "dataplane/api/table.h"
#include "dataplane/core/frame.h"
#include "dataplane/crypto/engine.h"
#include "dataplane/io/command.h"

#define WORKER_PORTS_MAX 4
#define WORKER_QUEUES_MAX 16
#define WORKER_LEGS_MAX (1u << 24)

/* What a worker needs to know of a port. Immutable. */
struct worker_port {
	uint16_t port_id;
	uint16_t tx_queue;
	uint16_t rx_queue[WORKER_QUEUES_MAX];
	unsigned int rx_queue_count;
	uint16_t vlan;
	uint16_t mtu;
	uint8_t mac[6];
	struct stn_address local[2]; /* IPv4, IPv6; family 0: none. With the media port. */
};

struct worker_config {
	unsigned int index;
	unsigned int count; /* workers of the process */
	const struct engine *engine;
	struct rte_mempool *pool;
	struct worker_port port[WORKER_PORTS_MAX];
	unsigned int port_count;
	uint16_t media_port[8];
	unsigned int media_port_count;
	uint32_t rooms_max;
	uint32_t legs_max;
	uint64_t arena_size;
	uint32_t slice_copies;
	uint32_t jobs_max; /* slot packets that may wait */
	uint32_t idle_sleep_us;
	uint32_t stale_ms;
	uint32_t pace_us; /* 0: not paced */
	uint32_t pace_burst_copies;
	uint32_t preroll_ms;
	uint8_t dscp;
	uint32_t consent_timeout_ms;
	uint32_t history_max;    /* buffers that may wait to be asked for again */
	uint64_t unix_offset_ns; /* Unix time minus CLOCK_MONOTONIC, when the process began */
	/* The same for all workers. */
	struct siphash_key hash_key;           /* decides who owns a tuple or a WEBRTC leg */
	struct siphash_key ice_key;            /* of our transaction ids */
	struct rte_ring *commands;             /* struct worker_message */
	struct rte_ring *replies;              /* struct reply */
	struct rte_ring *punts;                /* mbufs: DTLS up to the main lcore */
	struct rte_ring *datagrams;            /* mbufs: DTLS down from it */
	struct rte_ring *in[STN_WORKERS_MAX];  /* mbufs from each other worker */
	struct rte_ring *out[STN_WORKERS_MAX]; /* mbufs to each other worker */
};

/* A command with what io/ adds to it: where the leg's packets go. */
struct worker_message {
	struct command command;
	uint64_t posted_ns; /* LEG_MUTE: when; CLOCK_MONOTONIC */
	uint8_t port;
	bool mac_known;
	uint8_t mac[6];
};

/* Which of count workers owns listeners at this address. */
static inline unsigned int worker_owner(
	const struct siphash_key *key, const struct stn_address *remote, unsigned int count)
{
	return (unsigned int)((frame_address_hash(key, remote) >> 32) % count);
}

/* Which of count workers owns a WEBRTC listener. */
static inline unsigned int worker_owner_leg(
	const struct siphash_key *key, uint64_t leg_id, unsigned int count)
{
	return (unsigned int)((siphash(key, &leg_id, sizeof(leg_id)) >> 32) % count);
}

/* What the locator says of a tuple: whose it is, and the handle of its leg. */
static inline uint32_t worker_place(uint32_t owner, uint32_t leg)
{
	return owner << 24 | leg;
}

static inline uint32_t worker_place_owner(uint32_t place)
{
	return place >> 24;
}

static inline uint32_t worker_place_leg(uint32_t place)
{
	return place & (WORKER_LEGS_MAX - 1);
}

#endif
