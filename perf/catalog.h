/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The benchmarks of stentor-bench as a list, for people and for harnesses. What a harness gets is
 * read from the usage text that people get, which therefore has a form:
 *
 *   "usage: stentor-bench NAME ...\n"
 *   "  --option ARGUMENT      words (default)\n"        ARGUMENT is missing for a switch
 *   "                         more words\n"
 *   "Results:\n"
 *   "  name  unit, lower      words\n"                  or higher, or neither
 *
 * with two spaces or more before the words, and lines that begin otherwise ignored.
 */
#ifndef STENTOR_PERF_CATALOG_H
#define STENTOR_PERF_CATALOG_H

#include <stdio.h>

#include <jansson.h>

struct benchmark {
	const char *name;
	const char *summary; /* half a line */
	const char *usage;
	/* argv[0] is the name; returns the exit code of report.h, or 2: usage. */
	int (*run)(int argc, char *argv[]);
};

/* {"name", "summary", "parameters": [..], "results": [..]}; NULL when out of memory. */
json_t *catalog_describe(const struct benchmark *benchmark);
/* One line each, or an array with --json. 0 or -ENOMEM. */
int catalog_print(const struct benchmark list[], unsigned int count, int json, FILE *out);

#endif
