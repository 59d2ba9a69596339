/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stentor-bench generate and sink: the two ends of a relay that is measured from another machine;
 * two-machines.md is the recipe.
 */
#ifndef STENTOR_PERF_GENERATE_H
#define STENTOR_PERF_GENERATE_H

extern const char generate_usage[];
extern const char sink_usage[];

/* argv[0] is the name. Both return the exit code of report.h, or 2: usage. */
int generate_main(int argc, char *argv[]);
int sink_main(int argc, char *argv[]);

#endif
