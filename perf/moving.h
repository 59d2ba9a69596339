/* SPDX-License-Identifier: BSD-3-Clause */
/* `stentor-bench moving`: a million joins and leaves into a worker that forwards. */
#ifndef STENTOR_PERF_MOVING_H
#define STENTOR_PERF_MOVING_H

extern const char moving_usage[];
int moving_main(int argc, char *argv[]);

#endif
