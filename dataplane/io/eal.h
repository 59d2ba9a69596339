/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Starts and stops DPDK's environment: which CPUs, which memory, which drivers. Called once by
 * main.c. Only the drivers that the configured ports need are loaded; nothing of ours is kept in
 * files that outlive the process.
 */
#ifndef STENTOR_DATAPLANE_IO_EAL_H
#define STENTOR_DATAPLANE_IO_EAL_H

#include "dataplane/config.h"

/* Lcore ids given to EAL: the main thread is 0, worker i is i + 1. */
#define EAL_MAIN_LCORE 0u
#define EAL_WORKER_LCORE(worker) ((worker) + 1u)

/* 0 or negative errno; the reason is logged. */
int eal_start(const struct dataplane_config *config);
void eal_stop(void);

#endif
