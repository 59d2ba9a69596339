/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The life of a worker: made by the main lcore before launch, run on its own lcore, freed by the
 * main lcore after it has stopped. What it consists of is in state.h, what it does in stage.h.
 */
#ifndef STENTOR_DATAPLANE_IO_WORKER_H
#define STENTOR_DATAPLANE_IO_WORKER_H

#include "dataplane/io/state.h"

/* 0 or negative errno, logged. */
int worker_open(struct worker **out, const struct worker_config *config);
/* After the loop has ended. Frees all rooms and legs it still has. */
void worker_close(struct worker *worker);
/* The lcore function: arg is the worker; returns 0 once worker->stop is set. */
int worker_loop(void *arg);
/* One turn; returns how much there was to do. Tests and benchmarks drive the worker with it. */
unsigned int worker_turn(struct worker *worker);
/* Hash of everything mutable except counters and what is under way (TRAPS 2). For tests. */
uint64_t worker_digest(const struct worker *worker);

#endif
