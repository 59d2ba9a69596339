/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The report of a benchmark: one JSON schema for all of them (perf/README.md), and a table for
 * people. Figures are given once a repeat; the report makes median, minimum and maximum of them. It
 * watches the machine from report_open() to report_close() (watch.h), which says whether the
 * figures mean anything.
 *
 * One thread. The report owns copies of all texts. Functions do nothing after memory ran out once;
 * report_close() says so.
 */
#ifndef STENTOR_PERF_REPORT_H
#define STENTOR_PERF_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define REPORT_SCHEMA "stentor.benchmark/1"
#define REPORT_EXIT_VALID 0
#define REPORT_EXIT_FAILED 1  /* it could not be run: no report */
#define REPORT_EXIT_INVALID 3 /* there is a report, and it says why it counts for nothing */

enum report_better { REPORT_LOWER, REPORT_HIGHER, REPORT_NEITHER };

enum report_format { REPORT_TABLE, REPORT_JSON };

struct report;

/* NULL when out of memory. argv is kept as the command. */
struct report *report_open(const char *benchmark, int argc, char *const argv[]);
/* What the run was asked to do: the same for all repeats. */
void report_parameter(struct report *report, const char *name, const char *text);
void report_parameter_number(struct report *report, const char *name, double value);
/* "name=value", a number where it is one: what only the caller of a benchmark knows. */
void report_note(struct report *report, const char *text);
/* One repeat's figure. unit: "Mpps", "ns", "us", "ms", "s", "bytes", "count", "ratio", "percent",
 * "per_s". */
void report_value(struct report *report, const char *name, const char *unit,
	enum report_better better, double value);
/* A curve or distribution for plots: a row of `columns` numbers of the table `name`. */
void report_row(struct report *report, const char *name, const char *const columns[],
	const double values[], unsigned int count);
/* The same with a text in front: columns[0] is its name, so there are count + 1 columns. */
void report_row_named(struct report *report, const char *name, const char *const columns[],
	const char *first, const double values[], unsigned int count);
/* Between two repeats: looks at the machine. */
void report_breathe(struct report *report);
/* It counts packets that come in: time in interrupts is not others'. */
void report_receives(struct report *report);
/* Why the figures do not count: a check failed, the load was never reached, ... */
void report_invalid(struct report *report, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Median of a figure so far; NAN when there is none. */
double report_median(const struct report *report, const char *name);
/* Prints to out and frees. Returns the exit code. Accepts NULL (FAILED). */
int report_close(struct report *report, enum report_format format, FILE *out);
/* Frees without printing, for what could not be run. Accepts NULL. */
void report_abandon(struct report *report);

#endif
