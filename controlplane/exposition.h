/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Writes metrics as text: OpenMetrics 1.0, or the older format of Prometheus, which differs in how
 * the family of a counter is called and in its end. One family after the other, all of its samples
 * behind it. Pure; running out of memory shows in the writer.
 */
#ifndef STENTOR_CONTROLPLANE_EXPOSITION_H
#define STENTOR_CONTROLPLANE_EXPOSITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controlplane/rooms/writer.h"

enum exposition_kind { EXPOSITION_COUNTER, EXPOSITION_GAUGE, EXPOSITION_HISTOGRAM };

struct exposition {
	struct writer *writer;
	bool openmetrics;
	const char *family; /* of the samples that follow */
	enum exposition_kind kind;
};

/* name without _total. help is one line without backslashes. */
void exposition_family(
	struct exposition *e, const char *name, enum exposition_kind kind, const char *help);
/* A sample of the family. labels: "" or 'a="b",c="d"', already escaped. */
void exposition_integer(struct exposition *e, const char *labels, uint64_t value);
void exposition_real(struct exposition *e, const char *labels, double value);

struct exposition_histogram {
	const uint32_t *bounds; /* count - 1 of them, ascending; in `unit` */
	const uint64_t *buckets;
	size_t count;
	double unit; /* of bounds and sum, in base units: 1e-6 for microseconds */
	uint64_t sum;
};

/* Cumulative, with le, +Inf, _count and _sum. */
void exposition_histogram(
	struct exposition *e, const char *labels, const struct exposition_histogram *histogram);
void exposition_end(struct exposition *e);

#endif
