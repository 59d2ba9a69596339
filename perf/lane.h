/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a worker's lcore runs in a measurement: the real worker's turns, fed with slot packets in
 * place of a speaker's, each turn timed. Told to rest, it does the same without the worker: what
 * gaps there are then are the machine's, on the same CPU, thread and priority.
 *
 * The lane's thread writes; the caller writes what is under "the caller's", and reads.
 */
#ifndef STENTOR_PERF_LANE_H
#define STENTOR_PERF_LANE_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include "dataplane/io/worker.h"
#include "perf/waits.h"

#define LANE_SLOT_SSRC 0x5354454eu

struct lane {
	struct worker *worker;
	struct wait_phase *phase; /* the caller's memory */
	bool yields;              /* it shares its CPU with the caller */
	uint32_t room_id;
	uint64_t source_id;
	int thread; /* its id; 0: not yet */
	uint64_t index_last, due_ns, seen_copies, seen_ns, ns_per_copy_256;
	uint64_t last_copy_ns, watched_copies, turns, no_buffer;
	uint64_t commands, command_ns, copies, copies_ns; /* of the worker, a turn ago */
	/* The caller's. */
	uint32_t load, phase_now;
	bool watched, rests, stop;
	/* The lane adds, the caller takes. */
	uint64_t longest_ns;
};

uint64_t lane_now_ns(void);
/* The lcore function: arg is the lane; until lane->stop. */
int lane_run(void *arg);
/* For rte_eth_add_tx_callback(): when copies left last. arg is the lane. */
uint16_t lane_on_transmit(
	uint16_t port, uint16_t queue, struct rte_mbuf *mbufs[], uint16_t count, void *arg);

#endif
