/* SPDX-License-Identifier: BSD-3-Clause */
/* What the kernel says of another process: time on the processor, memory. Any thread. */
#ifndef STENTOR_PERF_PROCESS_H
#define STENTOR_PERF_PROCESS_H

#include <stdint.h>

struct process_usage {
	double user_s; /* of all its threads, those that have ended included */
	double system_s;
	uint64_t resident_bytes; /* Rss of smaps_rollup */
};

/* 0 or a negative errno: it is gone, or somebody else's. */
int process_read(int pid, struct process_usage *usage);
/* The times only, which costs the process nothing. */
int process_read_time(int pid, struct process_usage *usage);

#endif
