/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Workers made of arrays, for tests of ctl/: rings that can be full, answers that come when the
 * test wants them. Each fake worker keeps what it was told and aborts on an order that a real
 * worker could not survive: an unknown or taken handle, a leg without its room, a room removed
 * before its legs, something audible added before a mute or removal of the same transaction, a
 * redirect of a leg that is gone, or an address that is redirected to two legs.
 */
#ifndef STENTOR_TESTS_UNIT_FAKE_BUS_H
#define STENTOR_TESTS_UNIT_FAKE_BUS_H

#include <stdbool.h>
#include <stddef.h>

#include "dataplane/io/command.h"

#define FAKE_WORKERS_MAX 4
#define FAKE_HANDLES_MAX 4096
#define FAKE_RING_MAX 1024
#define FAKE_REPLIES_MAX 4096
#define FAKE_PATHS_MAX 64
#define FAKE_DATAGRAMS_MAX 8

/* Datagrams from there belong to a leg of another worker. */
struct fake_path {
	struct stn_address address;
	uint64_t leg_id; /* 0: free */
	uint32_t leg;
	uint32_t owner;
};

struct fake_worker {
	struct command ring[FAKE_RING_MAX];
	size_t first;
	size_t count;
	const struct room_facts *room[FAKE_HANDLES_MAX];
	const struct leg_facts *leg[FAKE_HANDLES_MAX];
	bool muted[FAKE_HANDLES_MAX];
	bool added_since_fence;
	bool unmuted_since_fence;
	unsigned int applied; /* commands */
	unsigned int adds;
	unsigned int removes;
	unsigned int mutes;
	unsigned int refuse_after; /* LEG_ADDs until one is refused, 0: never */
	bool refused[FAKE_HANDLES_MAX];
	unsigned int refuse_update_after; /* LEG_UPDATEs until one is refused, 0: never */
	const struct ice_facts *ice[FAKE_HANDLES_MAX];
	struct fake_path path[FAKE_PATHS_MAX];
	unsigned int paths;
	unsigned int updates;
	unsigned int ices;
	struct fake_path lost; /* the last PATH_LOST */
	unsigned int losses;
	struct bus_datagram down[FAKE_DATAGRAMS_MAX]; /* what was sent to it */
	unsigned int downs;
};

struct fake_bus {
	struct worker_bus bus;
	unsigned int ring_size;  /* commands a ring takes, up to FAKE_RING_MAX */
	unsigned int post_fails; /* every n-th post is -EAGAIN, 0: none */
	unsigned int posts;
	bool no_route_ipv6;
	uint64_t unreachable_leg; /* its next hop is not known, 0: all are */
	uint64_t now_ns;
	struct fake_worker worker[FAKE_WORKERS_MAX];
	struct reply replies[FAKE_REPLIES_MAX];
	size_t reply_first;
	size_t reply_count;
	uint64_t slot_leg; /* who holds slot 0 in ROOM_STATS */
	struct bus_datagram up[FAKE_DATAGRAMS_MAX];
	unsigned int ups;
	unsigned int up_endless; /* so many more of the first one */
	bool down_full;
};

void fake_bus_init(struct fake_bus *fake, unsigned int workers);
/* Lets a worker apply up to `commands` of what waits. Returns how many it did. */
unsigned int fake_bus_run(struct fake_bus *fake, unsigned int worker, unsigned int commands);
/* Lets all of them apply everything. */
void fake_bus_run_all(struct fake_bus *fake);
void fake_bus_reply(struct fake_bus *fake, const struct reply *reply);

/* What a worker has of a leg or a room, or NULL. */
const struct leg_facts *fake_bus_leg(
	const struct fake_bus *fake, unsigned int worker, uint64_t leg_id);
const struct room_facts *fake_bus_room(
	const struct fake_bus *fake, unsigned int worker, uint64_t room_id);
/* On any worker: */
bool fake_bus_has_leg(const struct fake_bus *fake, uint64_t leg_id);
/* The leg that datagrams from there are handed over for, 0: none. */
uint64_t fake_bus_redirect(
	const struct fake_bus *fake, unsigned int worker, const struct stn_address *address);
/* Credentials of a leg on its owner. */
const struct ice_facts *fake_bus_ice(
	const struct fake_bus *fake, unsigned int worker, uint64_t leg_id);
/* What a worker says when a path of its leg was validated, or when all are silent. */
void fake_bus_moved(
	struct fake_bus *fake, const struct leg_facts *leg, const struct stn_address *remote);
void fake_bus_lost(struct fake_bus *fake, const struct leg_facts *leg);
void fake_bus_up(struct fake_bus *fake, const struct leg_facts *leg, const struct stn_address *from,
	const char *text);
bool fake_bus_muted(const struct fake_bus *fake, unsigned int worker, uint64_t leg_id);

#endif
