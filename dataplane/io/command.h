/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the main lcore tells a worker, and what the worker answers. This header is all that ctl/
 * sees of io/. Messages travel by value over single-producer single-consumer rings, in order; a
 * worker applies them between two bursts, so a FENCE that was answered proves that everything
 * posted before it is in force, and that nothing staged for transmission contradicts it.
 *
 * Handles are small dense numbers minted by the main lcore: rooms below rooms_max, legs below
 * legs_max. A handle may be given to something new only after a FENCE behind its removal was
 * answered by every worker.
 *
 * `struct leg_facts` and `struct room_facts` are made, owned and freed by the main lcore (after
 * that same fence) and are immutable while a worker can see them.
 */
#ifndef STENTOR_DATAPLANE_IO_COMMAND_H
#define STENTOR_DATAPLANE_IO_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/api/table.h"

/*
 * A 64-bit cell of the index store; written by one worker, read by anybody, each access an aligned
 * 64-bit load or store (relaxed atomic). Initialised, and after a restart already moved ahead
 * (index_resume), before a worker sees it: the first packet takes index_next(value).
 */
struct index_cell {
	uint64_t value;
};

/* A speaker's cells, by position. */
#define LEG_CELL_OWN 0                      /* + slot: last index sent in its own space */
#define LEG_CELL_SOURCE STN_SLOTS_MAX       /* highest SRTP index received + 1, 0: none */
#define LEG_CELL_RTCP (STN_SLOTS_MAX + 1)   /* highest SRTCP index received + 1, 0: none */
#define LEG_CELL_REPORT (STN_SLOTS_MAX + 2) /* last SRTCP index of our reports to it */
#define LEG_CELLS (STN_SLOTS_MAX + 3)

struct room_facts {
	uint64_t room_id;
	uint32_t room;        /* handle */
	uint32_t home_worker; /* owns sources and slots */
	uint8_t slot_count;
	uint8_t profile_count;
	uint32_t slot_ssrc[STN_SLOTS_MAX];
	struct stn_profile profile[STN_PROFILES_MAX];
	struct stn_master_key group_key;
	struct index_cell *slot_index[STN_SLOTS_MAX]; /* last 48-bit index used, survives a crash */
	struct index_cell
		*slot_clock[STN_SLOTS_MAX]; /* RTP timestamp at CLOCK_MONOTONIC 0, 32 bit */
	/*
	 * Last SRTCP index used for this slot's SSRC, by whatever worker: the one cell that several
	 * write, by atomic additions, each of which takes an index for good.
	 */
	struct index_cell *slot_report[STN_SLOTS_MAX];
};

struct ice_facts; /* dataplane/core/ice.h */

/*
 * A WEBRTC leg without keys (both suites NONE) takes part in ICE and DTLS only. remote of a WEBRTC
 * leg is the path it starts with, family 0: none; the present one is known to its owner only.
 */
struct leg_facts {
	uint64_t leg_id;
	uint64_t member_id;
	/* LEG_CELLS of them: speakers with keys, and listeners that were one; else NULL. */
	struct index_cell *cells;
	uint32_t leg;  /* handle */
	uint32_t room; /* handle */
	uint32_t source_ssrc;
	uint8_t worker; /* owner: fans out to it, and receives for it */
	uint8_t role, protection, transport, profile;
	uint8_t payload_type;
	uint8_t audio_level_id;
	uint8_t red_payload_type;
	bool muted; /* at the time it is added */
	struct stn_address remote;
	struct stn_master_key tx;
	struct stn_master_key rx;
	uint32_t origin[STN_SLOTS_MAX];
};
_Static_assert(sizeof(struct leg_facts) == 208, "kept by the million");

struct copy_count {
	uint64_t packets;
	uint64_t payload_bytes;
};

/* What was sent to a leg: of all workers asked its owner fills it in, see listener_copies(). */
struct leg_copies {
	uint64_t leg_id; /* asked about */
	uint32_t leg;    /* its handle */
	struct copy_count count;
};

enum command_type {
	COMMAND_ROOM_ADD = 1, /* room_facts; to every worker */
	COMMAND_ROOM_UPDATE,  /* room_facts replaces the old one, same handle; to every worker */
	COMMAND_ROOM_REMOVE,  /* handle; legs have been removed before; to every worker */
	COMMAND_LEG_ADD,      /* leg_facts; listeners: to the owner, speakers: to every worker */
	COMMAND_LEG_REMOVE,   /* handle; to whom LEG_ADD went; staged copies to it are discarded */
	COMMAND_LEG_MUTE, /* handle, value: source muted; to every worker (cancels its fan-outs) */
	COMMAND_FENCE,    /* value: token, answered by REPLY_FENCE; to every worker */
	COMMAND_ROOM_STATS,  /* handle, value: token, stats to add to, copies: NULL or a leg */
	COMMAND_NEIGHBOUR,   /* io's own: handle, value: low half of leg_id, mac; to the owner */
	COMMAND_LEG_UPDATE,  /* leg_facts replaces the old one, same handle: the leg has its keys
				now; to whom LEG_ADD went */
	COMMAND_LEG_ICE,     /* handle, ice replaces what the leg had; to the owner */
	COMMAND_PATH_ADD,    /* handle, value: leg_id, path: datagrams from there belong to that leg
				of another worker; to the worker_of() the address, for speakers to
				every worker */
	COMMAND_PATH_REMOVE, /* the same; ignored when the address is another leg's by now */
	COMMAND_PATH_LOST,   /* the same, to the owner: another leg has validated that address */
	COMMAND_COUNT
};

struct command {
	uint32_t type; /* enum command_type */
	uint32_t handle;
	uint64_t value;
	union {
		const struct room_facts *room;
		const struct leg_facts *leg;
		const struct ice_facts *ice;
		struct {
			struct stn_room_stats *stats;
			struct leg_copies *copies;
		};
		struct {
			struct stn_address address;
			uint32_t worker; /* the leg's owner */
		} path;
		struct {
			struct stn_address address;
			uint8_t mac[6];
			bool known;
		} neighbour;
	};
};

enum reply_type {
	REPLY_FENCE = 1,  /* value: token */
	REPLY_REFUSED,    /* handle, slot: the command's type, value: enum stn_status: no space */
	REPLY_ROOM_STATS, /* value: token, stats */
	REPLY_SPEAKING,   /* handle: room, slot, leg: handle or UINT32_MAX */
	REPLY_LEG_CONNECTED, /* handle: leg, value: SSRC; first packet that authenticated */
	REPLY_LEG_MOVED,     /* handle: leg, value: leg_id, remote: the path it has now */
	REPLY_LEG_LOST,      /* handle: leg, value: leg_id: silent for the consent time */
	REPLY_COUNT
};

struct reply {
	uint32_t type; /* enum reply_type */
	uint32_t worker;
	uint32_t handle;
	uint32_t slot;
	uint32_t leg;
	uint64_t value;
	uint64_t at_ns;               /* CLOCK_MONOTONIC */
	struct stn_room_stats *stats; /* REPLY_ROOM_STATS: what the command pointed to, filled in */
	struct stn_address remote;    /* REPLY_LEG_MOVED */
};

/* A DTLS datagram between a worker and the main lcore, copied. */
struct bus_datagram {
	uint32_t leg; /* handle */
	uint64_t leg_id;
	struct stn_address remote; /* downward, family 0: the selected path */
	uint32_t size;
	uint8_t bytes[STN_DATAGRAM_MAX];
};

/*
 * The main lcore's end of the rings to all workers. io/ implements it over rte_ring, tests over
 * arrays. post() never blocks: -EAGAIN when the ring is full, the caller keeps the command and
 * polls replies. worker_of() says which worker owns listeners at this address.
 */
struct worker_bus {
	void *impl;
	unsigned int worker_count;
	int (*post)(void *impl, unsigned int worker, const struct command *command);
	bool (*poll)(void *impl, struct reply *reply);
	unsigned int (*worker_of)(void *impl, const struct stn_address *remote);
	/* Which worker owns a WEBRTC listener: any worker can tell from the local ufrag. */
	unsigned int (*worker_of_leg)(void *impl, uint64_t leg_id);
	/* 0, or -ENETUNREACH when no port has an address of that family. */
	int (*route)(void *impl, const struct stn_address *remote);
	/* Whether the next hop of a leg that was added is known: until then it gets nothing. */
	bool (*reachable)(void *impl, uint32_t leg);
	/* DTLS up: false when there is none. */
	bool (*datagram_poll)(void *impl, struct bus_datagram *out);
	/* DTLS down, to the leg's owner: -EAGAIN when the ring or the pool is empty. Never blocks.
	 */
	int (*datagram_send)(void *impl, unsigned int worker, const struct bus_datagram *datagram);
	/* A racy but untorn copy of a worker's counters. */
	void (*stats)(void *impl, unsigned int worker, struct stn_worker_stats *out);
};

#endif
