// SPDX-License-Identifier: BSD-3-Clause
#include "perf/gaps.h"

#include <stdio.h>
#include <stdlib.h>

#define PHASES_MAX 8u

static void value(
	struct report *report, const char *name, const char *what, const char *unit, double number)
{
	char text[64];

	snprintf(text, sizeof(text), "%s_%s", name, what);
	report_value(report, text, unit, REPORT_LOWER, number);
}

void gaps_tell_machine(struct report *report, const struct waits *gaps)
{
	value(report, "machine", "gap_us_p999", "us", waits_us(gaps, 0.999));
	value(report, "machine", "gap_us_max", "us", (double)gaps->longest_ns / 1e3);
	value(report, "machine", "gaps_over_10us_per_s", "per_s",
		waits_over_per_s(gaps, WAITS_OVER_10US));
	value(report, "machine", "gaps_over_50us_per_s", "per_s",
		waits_over_per_s(gaps, WAITS_OVER_50US));
	value(report, "machine", "gap_percent", "percent",
		waits_time_percent(gaps, WAITS_OVER_10US));
}

void gaps_tell_waits(struct report *report, const char *name, const struct waits *waits)
{
	value(report, name, "wait_us_p99", "us", waits_us(waits, 0.99));
	value(report, name, "wait_us_p999", "us", waits_us(waits, 0.999));
	value(report, name, "wait_us_p9999", "us", waits_us(waits, 0.9999));
	value(report, name, "wait_us_max", "us", (double)waits->longest_ns / 1e3);
	value(report, name, "waits_over_50us_per_s", "per_s",
		waits_over_per_s(waits, WAITS_OVER_50US));
	value(report, name, "waits_over_50us_percent", "percent",
		waits_percent(waits, WAITS_OVER_50US));
}

/* By bound: how many a second were longer, of each phase. */
static void tabulate_waits(
	struct report *report, const struct gaps_phase phases[], unsigned int count)
{
	char names[PHASES_MAX][32];
	const char *columns[PHASES_MAX + 1] = {"over_us"};
	double values[PHASES_MAX + 1];
	unsigned int i, p;

	for (p = 0; p < count; p++) {
		snprintf(names[p], sizeof(names[p]), "%s_per_s", phases[p].name);
		columns[p + 1] = names[p];
	}
	for (i = 0; i < WAITS_BOUNDS; i++) {
		values[0] = waits_bounds_us[i];
		for (p = 0; p < count; p++)
			values[p + 1] = waits_over_per_s(&phases[p].sum.waits, i);
		report_row(report, "waits", columns, values, count + 1);
	}
}

/* Pauses from outside fall on stages by the time spent in them; what is ours falls on one. */
static void tabulate_stages(
	struct report *report, const struct gaps_phase phases[], unsigned int count)
{
	static const char *const columns[] = {"phase", "commands_time_percent",
		"copies_time_percent", "rest_time_percent", "over_50us_in_commands",
		"over_50us_in_copies", "over_50us_in_rest"};
	unsigned int p, s;

	for (p = 0; p < count; p++) {
		const struct wait_phase *phase = &phases[p].sum;
		double ns = (double)phase->waits.histogram.sum_ns, values[2 * WAIT_STAGES];

		for (s = 0; s < WAIT_STAGES; s++) {
			values[s] = ns > 0 ? 100 * (double)phase->stage_ns[s] / ns : 0;
			values[WAIT_STAGES + s] = (double)phase->over_50us[s];
		}
		report_row_named(
			report, "wait_stages", columns, phases[p].name, values, 2 * WAIT_STAGES);
	}
}

static int longer_first(const void *a, const void *b)
{
	const struct wait *x = a, *y = b;

	return x->ns < y->ns ? 1 : x->ns > y->ns ? -1 : 0;
}

static void tabulate_longest(
	struct report *report, const struct gaps_phase *phase, uint64_t begin_ns)
{
	static const char *const columns[] = {"phase", "time_s", "wait_us", "commands",
		"commands_us", "copies", "copies_us", "rest_us"};
	struct wait longest[WAITS_LONGEST];
	unsigned int i;

	for (i = 0; i < WAITS_LONGEST; i++)
		longest[i] = phase->sum.longest[i];
	qsort(longest, WAITS_LONGEST, sizeof(longest[0]), longer_first);
	for (i = 0; i < WAITS_LONGEST && longest[i].ns != 0; i++) {
		const struct wait *wait = &longest[i];
		double values[] = {(double)(wait->at_ns - begin_ns) / 1e9, (double)wait->ns / 1e3,
			(double)wait->commands, (double)wait->stage_ns[WAIT_COMMANDS] / 1e3,
			(double)wait->copies, (double)wait->stage_ns[WAIT_COPIES] / 1e3,
			(double)wait->stage_ns[WAIT_REST] / 1e3};

		report_row_named(report, "longest_waits", columns, phase->name, values, 7);
	}
}

void gaps_tabulate(struct report *report, const struct gaps_phase phases[], unsigned int count,
	uint64_t begin_ns)
{
	unsigned int p;

	tabulate_waits(report, phases, count);
	tabulate_stages(report, phases, count);
	for (p = 0; p < count; p++)
		tabulate_longest(report, &phases[p], begin_ns);
}
