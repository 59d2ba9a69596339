/* SPDX-License-Identifier: BSD-3-Clause */
/* stentor-bench joins: browsers that join while media runs; see README.md. */
#ifndef STENTOR_PERF_JOINS_H
#define STENTOR_PERF_JOINS_H

extern const char joins_usage[];

/* argv[0] is "joins". Returns the exit code of report.h, or 2: usage. */
int joins_main(int argc, char *argv[]);

#endif
