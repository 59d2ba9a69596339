/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A thread that sends one talker's packet every 20 ms and remembers when. The thread owns the
 * talker while it runs; send_ns[] and count are written by it and read by anybody.
 */
#ifndef STENTOR_PERF_PACER_H
#define STENTOR_PERF_PACER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "perf/talker.h"

#define PACER_PERIOD_NS 20000000u
#define PACER_SENDS_MAX 131072

struct pacer {
	struct talker *talker;
	int fd; /* connected */
	pthread_t thread;
	bool running;
	atomic_bool stop;
	_Atomic uint32_t count; /* packets sent */
	_Atomic uint32_t late;  /* sent more than 2 ms after their time */
	_Atomic uint32_t failed;
	uint64_t send_ns[PACER_SENDS_MAX]; /* [i] is written before count becomes i + 1 */
};

/* 0 or a negative errno. Counts from 0 again. */
int pacer_start(struct pacer *pacer, struct talker *talker, int fd);
/* Returns when the last packet is out. Any number of times. */
void pacer_stop(struct pacer *pacer);

#endif
