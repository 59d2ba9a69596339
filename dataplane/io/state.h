/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A polling worker: everything one lcore owns. Nothing in here is written by anybody else while the
 * worker runs; the main lcore reads the counters. Made by the main lcore before launch, freed by it
 * after the worker has stopped.
 *
 * A turn of the loop: commands, received packets, packets from other workers, timers, one slice of
 * the fan-out at the head of the queue. So a command is in force after at most one slice, and
 * whatever was put on a port's ring before it was handed over completely within its slice.
 */
#ifndef STENTOR_DATAPLANE_IO_STATE_H
#define STENTOR_DATAPLANE_IO_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>
#include <rte_ring.h>

#include "dataplane/api/table.h"
#include "dataplane/core/fanout.h"
#include "dataplane/core/locator.h"
#include "dataplane/core/select.h"
#include "dataplane/core/srtp.h"
#include "dataplane/io/command.h"
#include "dataplane/io/packet.h"

#define WORKER_PORTS_MAX 4
#define WORKER_QUEUES_MAX 16
#define WORKER_BURST 32
#define WORKER_JOBS_MAX 1024u /* slot packets waiting for fan-out; a power of two */
#define WORKER_RING_SIZE 4096u
#define WORKER_COMMANDS_MAX 64u /* applied in one turn */
#define WORKER_NO_POSITION UINT32_MAX

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
	uint32_t idle_sleep_us;
	uint32_t stale_ms;
	uint32_t preroll_ms;
	uint8_t dscp;
	struct siphash_key hash_key; /* the same for all workers: it decides who owns a tuple */
	struct rte_ring *commands;   /* struct worker_message */
	struct rte_ring *replies;    /* struct reply */
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

/* A leg that sends: its stream in, and its own sequence spaces out. On the home worker. */
struct worker_speaker {
	struct selector_source source;
	struct srtp_receiver receiver;
	struct engine_context *tx; /* NULL: it does not listen */
	struct frame_template template;
	uint64_t own_index[STN_SLOTS_MAX];
	uint8_t port;
	bool mac_known;
	bool connected;
	uint32_t leg;
};

struct worker_leg {
	const struct leg_facts *facts; /* NULL: not known to this worker */
	struct worker_speaker *speaker;
	struct shard_place place;
	uint64_t unmuted_ns; /* what was published before is not sent any more */
	uint32_t rtcp_next;  /* listeners: lowest SRTCP index still accepted */
	bool muted;
	bool connected;
	bool unresolved; /* next hop not known yet: gets nothing, counted */
};

struct worker_room {
	const struct room_facts *facts;
	struct shard shard;
	struct fanout_profile profile[STN_PROFILES_MAX];
	struct selector *selector;    /* home worker only, else NULL */
	struct engine_context *group; /* group key, NULL: no such class */
	struct worker_speaker **speakers;
	uint32_t speaker_count;
	uint32_t speaker_capacity;
	struct shard_place *removed; /* silenced during a fan-out, to be taken out after it */
	uint32_t removed_count;
	uint32_t removed_capacity;
	uint32_t unresolved;        /* listeners without a next hop */
	struct fanout_place rotate; /* where the next fan-out starts */
	bool rotated;               /* by the fan-out under way */
	uint32_t home_position;     /* in worker's homes, WORKER_NO_POSITION: not at home here */
};

/* One slot packet on its way to this worker's listeners. */
struct worker_job {
	struct rte_mbuf *mbuf;
	bool started;
};

struct worker {
	struct worker_config config;
	struct engine_core *core;
	struct arena arena;
	void *arena_memory;
	struct locator locator;
	struct worker_room **room; /* by handle */
	struct worker_leg *leg;    /* by handle */
	uint32_t *home;            /* handles of rooms whose selector is here */
	uint32_t home_count;
	struct worker_job job[WORKER_JOBS_MAX];
	uint32_t job_head; /* free running */
	uint32_t job_tail;
	uint32_t payload_max; /* what every port can carry with our headers */
	struct fanout fanout; /* of the job at the head, once it is started */
	struct fanout_headers headers;
	uint8_t group_packet[RTP_BUILD_MAX + FANOUT_PAYLOAD_MAX + ENGINE_TAG_MAX];
	struct selector_output selection;
	struct reply reply_held; /* could not be queued yet; commands wait for it */
	bool reply_waiting;
	uint64_t now_ns;
	uint64_t tick_ns;
	struct stn_worker_stats stats; /* this worker writes, the main lcore reads */
	bool stop;                     /* the main lcore writes */
};

static inline void worker_drop(struct worker *worker, enum stn_drop reason, uint64_t count)
{
	worker->stats.drop[reason] += count;
}

/* Counts the reason and lets the buffer go. */
static inline void worker_discard(
	struct worker *worker, struct rte_mbuf *mbuf, enum stn_drop reason)
{
	worker_drop(worker, reason, 1);
	rte_pktmbuf_free(mbuf);
}

/* Which of count workers owns listeners at this address. */
static inline unsigned int worker_owner(
	const struct siphash_key *key, const struct stn_address *remote, unsigned int count)
{
	return (unsigned int)((frame_address_hash(key, remote) >> 32) % count);
}

#endif
