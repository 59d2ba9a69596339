/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mute trials: while a speaker talks to everybody, mute them, see when the last copy of their voice
 * arrives at any listener, unmute, wait until they are heard again, repeat.
 */
#ifndef STENTOR_PERF_TRIAL_H
#define STENTOR_PERF_TRIAL_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/sink.h"
#include "perf/director.h"
#include "perf/pacer.h"

struct trial_result {
	unsigned int trials;
	uint64_t after_ack; /* copies of voice that arrived after the acknowledgement, all trials */
	double *mute_us; /* last arrival after the line was written, 0 if before; trials of them */
	double *ack_us;  /* acknowledgement after the line was written */
	double *unmute_us; /* first voice after the line was written */
};

/*
 * The pacer runs. Every other mute is written within the first quarter of a frame, when the copies
 * of a packet are still under way, the others at any time. 0, or a negative errno with what was
 * wrong on standard error: the trials are then no measurement.
 */
int trial_run(struct trial_result *result, unsigned int trials, struct director *director,
	struct pacer *pacer, struct sink *sink);
void trial_free(struct trial_result *result);

#endif
