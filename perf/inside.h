/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A whole data plane in this process, on a null port: the real worker on its own CPU, the real
 * table server on this one, and a writer on table.sock. In place of a speaker's packets, slot
 * packets are published on the worker as its home would: back to back, or so that forwarding takes
 * a given share of the worker's time. All but the lane's loop runs on the calling thread.
 */
#ifndef STENTOR_PERF_INSIDE_H
#define STENTOR_PERF_INSIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/api/table.h"

#define INSIDE_ROOM 1u
#define INSIDE_SPEAKER 1u /* leg_id; listener i has INSIDE_LISTENER + i */
#define INSIDE_LISTENER 100u
#define INSIDE_PHASES 512u
#define INSIDE_WAITS 2001u /* microseconds, the last is for all above */

/* What the worker's lane counts; read it when the phase is over. */
struct inside_phase {
	uint64_t wait[INSIDE_WAITS]; /* from one look at the receive queue to the next */
	uint64_t longest_ns;
};

struct inside;

struct inside_result {
	uint32_t sequence, status;
	uint64_t read_ns;
};

int inside_open(struct inside **out, uint32_t listeners_max);
void inside_close(struct inside *in);

/* Operations into the open transaction; inside_commit() says under which sequence it went. */
int inside_join(struct inside *in, uint32_t first, uint32_t count);
int inside_leave(struct inside *in, uint32_t first, uint32_t count);
int inside_mute(struct inside *in, bool muted);
int inside_commit(struct inside *in, uint32_t *sequence);
/* One turn of the table server; whether a result came. Negative errno when the server is gone. */
int inside_poll(struct inside *in, struct inside_result *result);
/* Turns until this result: 0, or -ETIMEDOUT, -EPROTO for a refusal. */
int inside_wait(struct inside *in, uint32_t sequence);

/* percent: of the worker's time for forwarding, 100: without a pause, 0: nothing. */
void inside_load(struct inside *in, uint32_t percent);
/* Waits are counted under this phase from now on. */
const struct inside_phase *inside_phase(struct inside *in, unsigned int phase);
/* The longest wait since it was last asked. */
uint64_t inside_longest_ns(struct inside *in);
/* Copies that were due and not handed to the port: refused, too late, or without a buffer. */
uint64_t inside_lost(const struct inside *in);
const struct stn_worker_stats *inside_stats(const struct inside *in);
/* When the last copy was handed to the port, and how many while watched. */
uint64_t inside_last_copy_ns(const struct inside *in);
void inside_watch(struct inside *in, bool watched);
uint64_t inside_watched(const struct inside *in);
/* Turns of the worker's loop so far. */
uint64_t inside_turns(const struct inside *in);
uint64_t inside_now_ns(void);

#endif
