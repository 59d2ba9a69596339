/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The real workers in this process, on a port whose ends are rings. The test is the main lcore: it
 * posts commands, reads replies, and drives the turns of all workers itself, on one thread. What
 * the port sends is delivered to peers at once.
 *
 * One harness a process: Check runs each test in a process of its own, and DPDK starts only once.
 */
#ifndef STENTOR_TESTS_IO_HARNESS_H
#define STENTOR_TESTS_IO_HARNESS_H

#include <check.h>

#include <rte_ring.h>

#include "dataplane/core/index.h"
#include "dataplane/io/bus.h"
#include "dataplane/io/eal.h"
#include "dataplane/io/pool.h"
#include "dataplane/io/port.h"
#include "dataplane/io/stage.h"
#include "tests/io/peer.h"
#include "tests/io/wire.h"

#define HARNESS_PEERS_MAX 2048
#define HARNESS_ROOMS_MAX 8
#define HARNESS_REPLIES_MAX 1024
#define HARNESS_SKIPPED 77
#define HARNESS_PAYLOAD_TYPE 111
#define HARNESS_SLOT_SSRC(room, slot) (0x51070000u + ((room) << 8) + (slot))
#define HARNESS_FIRST_INDEX 1000u /* of every slot, unless told otherwise */

/* 0: the configuration's default. */
struct harness_options {
	const struct engine *engine; /* NULL: the best one */
	unsigned int workers;
	unsigned int legs_max, rooms_max, buffers;
	unsigned int slice_copies, stale_ms, vlan, mtu;
	unsigned int pace_us, pace_burst_copies;
	int preroll_ms;               /* -1: none */
	unsigned int transmit_frames; /* length of the port's transmit rings, a power of two */
	/* A port of this driver, as it is, in place of the rings; pcap: with these files. */
	const char *driver, *file_in, *file_out;
	bool no_gateway; /* next hops are not known */
};

struct harness_room {
	struct room_facts facts;
	struct index_cell slot_index[STN_SLOTS_MAX], slot_clock[STN_SLOTS_MAX];
	struct index_cell slot_report[STN_SLOTS_MAX];
	bool removed;
};

struct harness {
	struct harness_options options;
	struct dataplane_config config;
	const struct engine *engine;
	struct pool pool;
	struct port port;
	uint16_t ring_port, own_port;
	struct rte_ring *receive[STN_WORKERS_MAX], *transmit[STN_WORKERS_MAX];
	struct bus *bus;
	struct worker_bus interface;
	struct random_state random;
	struct harness_room room[HARNESS_ROOMS_MAX];
	unsigned int room_count;
	struct peer *peer[HARNESS_PEERS_MAX]; /* by leg handle */
	unsigned int peer_count;
	struct reply reply[HARNESS_REPLIES_MAX]; /* all but fences */
	unsigned int reply_count;
	uint64_t fences;     /* answered for the last token */
	uint64_t token;      /* last fence */
	uint64_t sent;       /* frames given to the relay */
	uint64_t taken;      /* frames taken from the port */
	bool closed_port;    /* nothing is taken from the transmit rings */
	bool closed_replies; /* nor replies */
	bool closed_punts;   /* the main lcore takes no datagrams */
	unsigned int lost;   /* frames to addresses that no peer has */
};

struct harness_leg {
	uint8_t role; /* 0: listener */
	uint8_t tx_suite, rx_suite;
	bool group;     /* hears with the room's key */
	uint8_t family; /* 0: 4 */
	uint8_t profile;
	bool muted;
	uint8_t audio_level_id;
	uint32_t source_ssrc;             /* declared */
	unsigned int worker;              /* of a listener: 1 + its owner, 0: whichever */
	const uint32_t *origin;           /* NULL: as the control side would choose it now */
	const struct stn_address *remote; /* NULL: one of its own */
	uint16_t sequence;                /* first that it sends, 0: random in the lower half */
	uint64_t source_index;            /* highest received + 1 in an earlier life */
	struct peer *ready;               /* made before, with its keys */
	uint64_t own_index;               /* last used in its own sequence space, 0: 2,000 */
	uint64_t source_rtcp_index;
	bool webrtc;                     /* a browser: keys come by harness_key() */
	bool keyed;                      /* a browser whose keys are there from the start */
	const struct stn_address *start; /* the path that an earlier process had validated */
};

struct harness *harness_open(const struct harness_options *options);
/* Takes everything down and checks that nothing is missing, left over or uncounted. */
void harness_close(struct harness *h);
/* For main(): whether DPDK starts here at all; tried in a child. */
bool harness_possible(void);
/* Runs the suite in forks, or skips. */
int harness_main(Suite *suite);

/* All workers, once. Returns how much there was to do. */
unsigned int harness_turn(struct harness *h);
unsigned int harness_turn_one(struct harness *h, unsigned int worker);
/* Until nothing is under way: no job, no command, no frame in a ring. */
void harness_settle(struct harness *h);
/* Turns until `condition` holds, for five seconds of the scene's clock at most. */
#define harness_until(h, condition) \
	do { \
		uint64_t until_ns_ = harness_now_ns() + 5000000000ull; \
		while (!(condition)) { \
			ck_assert_msg(harness_now_ns() < until_ns_, "timeout: %s", #condition); \
			harness_turn(h); \
		} \
	} while (0)
/*
 * From harness_open() on the clock is the scene's: a turn takes 50 us and a look a microsecond, so
 * a slow machine changes nothing, and nobody waits.
 */
uint64_t harness_now_ns(void);
void harness_pass(uint64_t ns);

/* Posted to every worker. slot_count 1 to 8; group: a suite, or NONE. */
struct harness_room *harness_room(struct harness *h, uint8_t slot_count, uint8_t group_suite,
	unsigned int home_worker, uint64_t slot_index);
void harness_room_remove(struct harness *h, struct harness_room *room);
struct peer *harness_join(
	struct harness *h, struct harness_room *room, const struct harness_leg *leg);
/* Posts the removal; after the next fence nothing may reach the peer any more. */
void harness_leave(struct harness *h, struct peer *peer);
/* A browser's next check, into that worker's queue; answers travel by random queues. */
void harness_check(struct harness *h, struct peer *peer, unsigned int worker, bool nominate);
/* The browser goes to another address; port: in host order. */
struct browser_place *harness_move(
	struct harness *h, struct peer *peer, uint8_t family, unsigned int port);
/* Checks until the relay has selected where the browser is. */
void harness_connect(struct harness *h, struct peer *peer);
/* DTLS is done: LEG_UPDATE with the peer's keys. */
void harness_key(struct harness *h, struct peer *peer);
/* Credentials as the browser has them now. */
void harness_ice(struct harness *h, struct peer *peer);
/* A datagram of the control plane for the browser. remote NULL: the selected path. */
int harness_dtls(struct harness *h, const struct peer *peer, const struct stn_address *remote,
	const void *bytes, unsigned int size);
/* Nobody is to find the browser's selected path any more. */
void harness_path_remove(struct harness *h, const struct peer *peer);
/* What the main lcore does about a reply of a WEBRTC leg. */
void harness_moved(struct harness *h, const struct reply *reply);
/* A datagram came up. */
void harness_punted(struct harness *h, const struct bus_datagram *datagram);
/* Of frames to one of a browser's places: false when there is none with that address. */
bool harness_browser_take(struct harness *h, const struct wire *wire, unsigned int size);
void harness_mute(struct harness *h, struct peer *peer, bool muted);
void harness_post(struct harness *h, unsigned int worker, const struct command *command);
void harness_post_all(struct harness *h, const struct command *command);
/* Posts fences and turns until all workers have answered. */
void harness_fence(struct harness *h);
/* Refusals so far. */
unsigned int harness_refusals(const struct harness *h);

/* A frame into the worker's receive queue. */
void harness_frame(struct harness *h, unsigned int worker, const uint8_t *frame, unsigned int size);
/* A datagram from the peer's address to the media port. */
void harness_datagram(struct harness *h, const struct peer *peer, unsigned int worker,
	const uint8_t *datagram, unsigned int size);
/* As it would look on the wire. */
struct wire harness_wire(const struct harness *h, const struct stn_address *from,
	const uint8_t *datagram, unsigned int size);
/* The speaker's next packet, into its own worker's queue. Loud enough to be selected. */
void harness_speak(struct harness *h, struct peer *speaker, const char *payload);
/* Sums over the workers. */
uint64_t harness_drops(const struct harness *h, enum stn_drop reason);
struct stn_worker_stats harness_stats(const struct harness *h);

#endif
