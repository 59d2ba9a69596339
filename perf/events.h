/* SPDX-License-Identifier: BSD-3-Clause */
/* stentor-bench events: what the control plane takes, keeps and brings back; see README.md. */
#ifndef STENTOR_PERF_EVENTS_H
#define STENTOR_PERF_EVENTS_H

extern const char events_usage[];

/*
 * argv[0] is "events". JSON on standard output. Returns the exit code: 0 measured, 1 measured but
 * something was refused, 2 usage, 3 could not measure.
 */
int events_main(int argc, char *argv[]);

#endif
