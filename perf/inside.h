/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A whole data plane in this process, on a null port: the real workers on CPUs of their own (the
 * last one shares the caller's if there are not enough), the real table server on the caller's, and
 * a writer on table.sock. In place of a speaker's packets, slot packets are published on the
 * workers (lane.h): back to back, or so that forwarding takes a given share of their time. All but
 * the lanes' loop runs on the calling thread.
 */
#ifndef STENTOR_PERF_INSIDE_H
#define STENTOR_PERF_INSIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/api/table.h"
#include "perf/lane.h"

#define INSIDE_ROOM 1u
#define INSIDE_SPEAKER 1u /* leg_id; listener i has INSIDE_LISTENER + i */
#define INSIDE_LISTENER 100u
#define INSIDE_PHASES 512u

struct inside;

struct inside_result {
	uint32_t sequence, status;
	uint64_t read_ns;
};

/* Of the workers, since the start. */
struct inside_totals {
	uint64_t copies, commands, command_ns, command_max_ns;
};

struct inside_size {
	uint32_t listeners_max, workers;
};

int inside_open(struct inside **out, const struct inside_size *size);
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
/* Waits are counted under this phase from now on; those of the one before may be read. */
void inside_phase(struct inside *in, unsigned int phase);
/* The first worker's. */
const struct wait_phase *inside_counted(const struct inside *in, unsigned int phase);
/* The lanes leave their workers alone, and go on looking at the clock. */
void inside_rest(struct inside *in, bool rests);
/* The first worker's longest wait since it was last asked. */
uint64_t inside_longest_ns(struct inside *in);
/* Copies that were due and not handed to the port: refused, too late, or without a buffer. */
uint64_t inside_lost(const struct inside *in);
struct inside_totals inside_totals(const struct inside *in);
/* All that follows is the first worker's. */
const struct stn_worker_stats *inside_stats(const struct inside *in);
/* Whether it has a CPU that this thread is not on. */
bool inside_is_alone(const struct inside *in);
/* Page faults of its thread. */
uint64_t inside_faults(const struct inside *in);
/* When the last copy was handed to the port, and how many while watched. */
uint64_t inside_last_copy_ns(const struct inside *in);
void inside_watch(struct inside *in, bool watched);
uint64_t inside_watched(const struct inside *in);
/* Turns of the worker's loop so far. */
uint64_t inside_turns(const struct inside *in);
uint64_t inside_now_ns(void);

#endif
