/* SPDX-License-Identifier: BSD-3-Clause */
/* stentor-bench events: what the control plane takes, keeps and brings back; see README.md. */
#ifndef STENTOR_PERF_EVENTS_H
#define STENTOR_PERF_EVENTS_H

extern const char events_usage[];

/* argv[0] is "events". Returns the exit code of report.h, or 2: usage. */
int events_main(int argc, char *argv[]);

#endif
