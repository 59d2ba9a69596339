/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * All workers of a process with their buffers and rings, made and launched together. Main lcore
 * only. The order is fixed: buffers first (ports need them), then ports (the caller's), then the
 * workers; stopped and freed in reverse.
 */
#ifndef STENTOR_DATAPLANE_IO_POOL_H
#define STENTOR_DATAPLANE_IO_POOL_H

#include "dataplane/config.h"
#include "dataplane/io/port.h"
#include "dataplane/io/worker.h"

struct pool {
	unsigned int count;
	struct rte_mempool *buffers[STN_WORKERS_MAX];
	struct worker *worker[STN_WORKERS_MAX];
	struct rte_ring *commands[STN_WORKERS_MAX];
	struct rte_ring *replies[STN_WORKERS_MAX];
	struct rte_ring *punts[STN_WORKERS_MAX];
	struct rte_ring *datagrams[STN_WORKERS_MAX];
	struct rte_ring *between[STN_WORKERS_MAX][STN_WORKERS_MAX]; /* from, to */
	bool launched;
};

/* 0 or negative errno, logged. */
int pool_buffers_open(struct pool *pool, const struct dataplane_config *config);
int pool_open(struct pool *pool, const struct dataplane_config *config, const struct engine *engine,
	const struct port ports[]);
void pool_launch(struct pool *pool);
/* Waits for the workers to leave their loops. */
void pool_stop(struct pool *pool);
/* Frees workers and rings, keeps the buffers. */
void pool_close(struct pool *pool);
/* Buffers not given back, all workers together: 0 after ports and workers are closed. */
unsigned int pool_buffers_in_use(const struct pool *pool);
void pool_buffers_close(struct pool *pool);

#endif
