/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A polling worker: everything one lcore owns. Nothing in here is written by anybody else while the
 * worker runs; the main lcore reads the counters. Made by the main lcore before launch, freed by it
 * after the worker has stopped.
 *
 * A turn of the loop: commands, received packets, packets from other workers, timers, one slice of
 * the fan-outs of the rooms whose turn it is. So a command is in force after at most one slice, and
 * whatever was put on a port's ring before it was handed over completely within its slice.
 */
#ifndef STENTOR_DATAPLANE_IO_STATE_H
#define STENTOR_DATAPLANE_IO_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_cycles.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "dataplane/api/table.h"
#include "dataplane/core/fanout.h"
#include "dataplane/core/histogram.h"
#include "dataplane/core/ice.h"
#include "dataplane/core/locator.h"
#include "dataplane/core/select.h"
#include "dataplane/core/srtp.h"
#include "dataplane/io/command.h"
#include "dataplane/io/directory.h"
#include "dataplane/io/packet.h"
#include "dataplane/io/queue.h"
#include "dataplane/io/report.h"
#include "dataplane/io/setup.h"

#define WORKER_BURST 32
#define WORKER_JOBS_MAX 8192u /* slot packets waiting for fan-out, if there are the buffers */
#define WORKER_RING_SIZE 4096u
#define WORKER_COMMANDS_MAX 32u /* taken from the ring at a time */
#define WORKER_SLICE_US 20u     /* commands of one turn end after so long, and what they left */
#define WORKER_HURRY_MAX 16u    /* removals; of more than so many none is in a hurry */
#define WORKER_PUNTS_MAX 256u   /* DTLS datagrams waiting, either way; a power of two */
#define WORKER_NO_POSITION UINT32_MAX

/* A leg that sends: its stream in, and its own sequence spaces out. On the home worker. */
struct worker_speaker {
	struct selector_source source;
	struct srtp_receiver receiver;
	struct engine_context *tx; /* NULL: it does not listen */
	struct arrival arrival;    /* WEBRTC legs: what we report to it */
	struct capture_clock capture;
	struct report_own (*sent)[HISTORY_PACKETS]; /* the same: by slot; NULL: not kept */
	struct frame_template template;
	uint64_t own_index[STN_SLOTS_MAX];
	uint8_t port;
	bool mac_known;
	bool connected;
	uint32_t leg;
};

/* What the owner of a WEBRTC leg keeps besides. */
struct worker_ice {
	struct ice_leg *state;
	struct stn_address path[ICE_PATHS_MAX]; /* in the locator; family 0: none */
	uint64_t dtls_until_ns;                 /* the bucket of DTLS is empty until then */
	uint32_t position;                      /* in the worker's list of such legs */
	bool start_unresolved;                  /* the path it starts with has no next hop yet */
	bool lost;                              /* for good; whatever it has is held back */
	bool tell_moved;                        /* replies that found no space */
	bool tell_lost;
	uint8_t report_wait;                 /* ticks to the next sender reports */
	uint16_t report_late[STN_SLOTS_MAX]; /* how old the last ones were, 1/65536 s */
	uint64_t repeat_ns;                  /* how far its bucket of repetitions is used up */
	uint64_t since_ns; /* listeners: when it entered the shard first; 0: not yet */
};

struct worker_leg {
	const struct leg_facts *facts; /* NULL: not known to this worker */
	struct worker_speaker *speaker;
	struct worker_ice *ice; /* WEBRTC legs, at their owner */
	struct shard_place place;
	/*
	 * What it was sent. For a listener that is in the shard and not held back: less what its
	 * room had counted when that began, modulo 2^64, see listener_copies().
	 */
	struct copy_count copies;
	uint64_t unmuted_ns; /* what was published before is not sent any more */
	uint32_t rtcp_next;  /* listeners: lowest SRTCP index still accepted */
	bool muted;
	bool connected;
	bool unresolved; /* next hop not known yet: gets nothing, counted */
};

/* What every fan-out reads comes first, up to the shard's first group. */
struct worker_room {
	const struct room_facts *facts;
	uint64_t room_id;             /* the facts' */
	struct queue_room queue;      /* slot packets for this worker's listeners */
	struct worker_fan *fan;       /* of the first of them; NULL: it has not begun */
	struct report_slot *report;   /* by slot; rooms with WEBRTC legs here, else NULL */
	struct history *history;      /* the same */
	struct engine_context *group; /* group key, NULL: no such class */
	struct fanout_place rotate;   /* where the next fan-out starts */
	uint32_t unresolved;          /* listeners without a next hop */
	uint32_t speaker_count;
	uint32_t removed_count;
	bool rotated; /* by the fan-out under way */
	bool guarded; /* there is a guard */
	struct fanout_profile profile[STN_PROFILES_MAX];
	uint64_t begun;                         /* fan-outs */
	uint64_t begun_bytes[STN_PROFILES_MAX]; /* payload of a copy of each of them */
	struct shard shard;
	uint32_t speaker_capacity;
	struct worker_speaker **speakers;
	struct selector *selector;     /* home worker only, else NULL */
	struct worker_room *tidy_next; /* of those with places to be taken out */
	bool tidying;                  /* it is one of them */
	bool closed;                   /* nobody's any more: freed when it is empty */
	struct shard_place *removed;   /* silenced during a fan-out, to be taken out after it */
	uint32_t removed_capacity;
	uint64_t guard[STN_SLOTS_MAX]; /* by slot: up to it none begins, see listener.c */
	uint32_t home_position;        /* in worker's homes, WORKER_NO_POSITION: not at home here */
	struct stn_reception reception;
};

/* How many were posted: who compares with what was applied knows whether one waits. */
struct worker_urgent {
	uint64_t mutes __attribute__((aligned(64)));
	uint64_t removals;
};

/*
 * When a room's selector wants its tick, kept apart from it: to look at 10,000 selectors every 2 ms
 * would take half of that.
 */
struct worker_home {
	uint64_t tick_ns;
	uint32_t room; /* handle */
};

struct worker {
	struct worker_config config;
	struct engine_core *core;
	struct arena arena;
	void *arena_memory;
	struct locator locator;     /* from tuples to places, see worker_place() */
	struct directory directory; /* WEBRTC legs by id */
	struct worker_room **room;  /* by handle */
	struct worker_leg *leg;     /* by handle */
	uint32_t *ice;              /* handles of the WEBRTC legs that this worker owns */
	uint32_t ice_count;
	uint32_t ice_next;        /* whose timer is looked at next */
	uint64_t ice_due_ns;      /* a second for each timer that is due */
	struct worker_home *home; /* rooms whose selector is here */
	uint32_t home_count;
	struct worker_queue queue;
	uint32_t payload_max;     /* what every port can carry with our headers */
	uint32_t history_packets; /* buffers that wait to be asked for again */
	struct selector_output selection;
	struct reply reply_held; /* could not be queued yet; commands wait for it */
	bool reply_waiting;
	struct worker_message inbox[WORKER_COMMANDS_MAX]; /* taken from the ring, to be applied */
	unsigned int inbox_first, inbox_count;
	struct worker_room *tidy_first, *tidy_last;
	uint64_t slice_cycles;    /* WORKER_SLICE_US; tests make it 0: one command a turn */
	uint64_t commands_cycle;  /* no commands before, while packets wait to be sent */
	bool packets_wait;        /* to be sent, and could be */
	uint64_t mutes, removals; /* applied */
	uint64_t now_ns;          /* when this turn began */
	uint64_t now_tsc;         /* the same */
	uint64_t tsc_unit;        /* nanoseconds of a tick, times 2^32 */
	uint64_t skew_ns;         /* tests let time pass; else 0 */
	uint64_t tick_ns;
	struct stn_worker_stats stats; /* this worker writes, the main lcore reads */
	/* How long after it was published a packet's first and last copy left; as stats. */
	struct histogram first_copy;
	struct histogram last_copy[STN_ROOM_SIZES];
	bool stop;                   /* the main lcore writes */
	struct worker_urgent urgent; /* the same */
};

/* Now, in the middle of a turn. */
static inline uint64_t worker_clock_ns(const struct worker *worker)
{
	return worker->now_ns + ((rte_rdtsc() - worker->now_tsc) * worker->tsc_unit >> 32);
}

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

#endif
