/* SPDX-License-Identifier: BSD-3-Clause */
/* stentor-bench joins: browsers that join while media runs; see README.md. */
#ifndef STENTOR_PERF_JOINS_H
#define STENTOR_PERF_JOINS_H

extern const char joins_usage[];

/*
 * argv[0] is "joins". JSON on standard output. Returns the exit code: 0 measured and everybody
 * joined without loss, 1 measured but not so, 2 usage, 3 could not measure.
 */
int joins_main(int argc, char *argv[]);

#endif
