/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "controlplane/exposition.h"

#define LINE_MAX 512

static void line(struct exposition *e, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void line(struct exposition *e, const char *format, ...)
{
	char text[LINE_MAX];
	va_list arguments;
	int size;

	va_start(arguments, format);
	size = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	/* Labels are ours or checked ids: a line that does not fit is a mistake of this program. */
	if (size < 0 || (size_t)size >= sizeof(text))
		e->writer->failed = true;
	else
		writer_append(e->writer, text, (size_t)size);
}

void exposition_family(
	struct exposition *e, const char *name, enum exposition_kind kind, const char *help)
{
	static const char *const kinds[] = {"counter", "gauge", "histogram"};
	const char *suffix = kind == EXPOSITION_COUNTER && !e->openmetrics ? "_total" : "";

	e->family = name;
	e->kind = kind;
	line(e, "# HELP %s%s %s\n", name, suffix, help);
	line(e, "# TYPE %s%s %s\n", name, suffix, kinds[kind]);
}

static void begin_sample(struct exposition *e, const char *labels)
{
	const char *suffix = e->kind == EXPOSITION_COUNTER ? "_total" : "";

	if (labels[0] == '\0')
		line(e, "%s%s ", e->family, suffix);
	else
		line(e, "%s%s{%s} ", e->family, suffix, labels);
}

void exposition_integer(struct exposition *e, const char *labels, uint64_t value)
{
	begin_sample(e, labels);
	line(e, "%" PRIu64 "\n", value);
}

void exposition_real(struct exposition *e, const char *labels, double value)
{
	begin_sample(e, labels);
	line(e, "%.15g\n", value);
}

/* A canonical number of OpenMetrics has a fraction. */
static void bucket(struct exposition *e, const char *labels, double bound, uint64_t total)
{
	char le[32];

	snprintf(le, sizeof(le), "%.9g", bound);
	if (strpbrk(le, ".e") == NULL)
		strcat(le, ".0");
	line(e, "%s_bucket{%s%sle=\"%s\"} %" PRIu64 "\n", e->family, labels,
		labels[0] == '\0' ? "" : ",", le, total);
}

void exposition_histogram(
	struct exposition *e, const char *labels, const struct exposition_histogram *histogram)
{
	uint64_t total = 0;

	for (size_t i = 0; i < histogram->count; i++) {
		total += histogram->buckets[i];
		if (i + 1 < histogram->count)
			bucket(e, labels, histogram->bounds[i] * histogram->unit, total);
	}
	line(e, "%s_bucket{%s%sle=\"+Inf\"} %" PRIu64 "\n", e->family, labels,
		labels[0] == '\0' ? "" : ",", total);
	if (labels[0] == '\0') {
		line(e, "%s_count %" PRIu64 "\n", e->family, total);
		line(e, "%s_sum %.15g\n", e->family, (double)histogram->sum * histogram->unit);
		return;
	}
	line(e, "%s_count{%s} %" PRIu64 "\n", e->family, labels, total);
	line(e, "%s_sum{%s} %.15g\n", e->family, labels, (double)histogram->sum * histogram->unit);
}

void exposition_end(struct exposition *e)
{
	if (e->openmetrics)
		line(e, "# EOF\n");
}
