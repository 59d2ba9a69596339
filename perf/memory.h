/* SPDX-License-Identifier: BSD-3-Clause */
/* `stentor-bench memory`: what a listener takes of the data plane's memory. */
#ifndef STENTOR_PERF_MEMORY_H
#define STENTOR_PERF_MEMORY_H

extern const char memory_usage[];
/* argv[0]: the name of the benchmark. Returns the exit code. */
int memory_main(int argc, char *argv[]);

#endif
