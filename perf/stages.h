/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where the nanoseconds of a copy go: samples of the worker's stack, each given to the stage of the
 * innermost function that belongs to one. The map of functions is in stages.c and nowhere else.
 * Pure.
 */
#ifndef STENTOR_PERF_STAGES_H
#define STENTOR_PERF_STAGES_H

#include <stdint.h>

enum stage {
	STAGE_BUFFERS,  /* taken from the pool, their fields written */
	STAGE_HEADERS,  /* template, sequence number, checksum, who is next */
	STAGE_PROTECT,  /* the engine */
	STAGE_TRANSMIT, /* bursts to the port */
	STAGE_PORT,     /* the driver, buffers back into the pool included */
	STAGE_QUEUE,    /* rooms and slot packets in their turn */
	STAGE_COMMANDS, /* of the control thread, messages of other workers, timers */
	STAGE_TOOL,     /* the benchmark's own: packets published, samples for libsrtp2 */
	STAGE_KERNEL,   /* interrupts and faults that the thread was charged with */
	STAGE_OTHER,
	STAGE_COUNT,
};

struct stages {
	uint64_t samples[STAGE_COUNT];
	uint64_t total;
};

const char *stage_name(enum stage stage);
/* frames: function names from the outermost to the innermost, with semicolons between. */
enum stage stage_of(const char *frames);
/* "frames count"; negative errno when it is no such line. */
int stages_add(struct stages *stages, const char *line);
/* The share of a copy's time in nanoseconds. */
double stages_ns(const struct stages *stages, enum stage stage, double ns_per_copy);

#endif
