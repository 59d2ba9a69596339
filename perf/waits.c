// SPDX-License-Identifier: BSD-3-Clause
#include "perf/waits.h"

const uint32_t waits_bounds_us[WAITS_BOUNDS] = {
	1, 2, 5, 10, 20, 30, 50, 70, 100, 200, 300, 500, 1000, 2000, 5000, 10000, 20000, 50000};
_Static_assert(WAITS_OVER_10US == 3 && WAITS_OVER_50US == 6, "where 10 and 50 stand");

/* Nearly all are below the first bound. */
void waits_add(struct waits *waits, uint64_t ns)
{
	unsigned int i = 0;

	histogram_add(&waits->histogram, ns);
	if (ns > waits->longest_ns)
		waits->longest_ns = ns;
	while (i < WAITS_BOUNDS && ns > waits_bounds_us[i] * UINT64_C(1000))
		i++;
	if (i == 0)
		return;
	waits->over[i - 1]++;
	waits->over_ns[i - 1] += ns;
}

void waits_merge(struct waits *into, const struct waits *from)
{
	unsigned int i;

	histogram_merge(&into->histogram, &from->histogram);
	for (i = 0; i < WAITS_BOUNDS; i++) {
		into->over[i] += from->over[i];
		into->over_ns[i] += from->over_ns[i];
	}
	if (from->longest_ns > into->longest_ns)
		into->longest_ns = from->longest_ns;
}

uint64_t waits_over(const struct waits *waits, unsigned int bound)
{
	uint64_t count = 0;

	for (; bound < WAITS_BOUNDS; bound++)
		count += waits->over[bound];
	return count;
}

static double ratio(uint64_t part, uint64_t whole)
{
	return whole == 0 ? 0 : (double)part / (double)whole;
}

double waits_over_per_s(const struct waits *waits, unsigned int bound)
{
	return 1e9 * ratio(waits_over(waits, bound), waits->histogram.sum_ns);
}

double waits_time_percent(const struct waits *waits, unsigned int bound)
{
	uint64_t ns = 0;

	for (; bound < WAITS_BOUNDS; bound++)
		ns += waits->over_ns[bound];
	return 100 * ratio(ns, waits->histogram.sum_ns);
}

double waits_percent(const struct waits *waits, unsigned int bound)
{
	return 100 * ratio(waits_over(waits, bound), histogram_total(&waits->histogram));
}

double waits_us(const struct waits *waits, double share)
{
	uint64_t ns = histogram_quantile(&waits->histogram, share);

	return (double)(ns < waits->longest_ns ? ns : waits->longest_ns) / 1e3;
}

static enum wait_stage largest(const uint64_t stage_ns[])
{
	enum wait_stage stage = WAIT_COMMANDS;

	if (stage_ns[WAIT_COPIES] > stage_ns[stage])
		stage = WAIT_COPIES;
	return stage_ns[WAIT_REST] > stage_ns[stage] ? WAIT_REST : stage;
}

static void keep(struct wait_phase *phase, const struct wait *wait)
{
	struct wait *shortest = &phase->longest[0];
	unsigned int i;

	for (i = 1; i < WAITS_LONGEST; i++)
		if (phase->longest[i].ns < shortest->ns)
			shortest = &phase->longest[i];
	if (wait->ns > shortest->ns)
		*shortest = *wait;
}

void wait_note(struct wait_phase *phase, const struct wait *wait)
{
	unsigned int i;

	waits_add(&phase->waits, wait->ns);
	for (i = 0; i < WAIT_STAGES; i++)
		phase->stage_ns[i] += wait->stage_ns[i];
	if (wait->ns <= waits_bounds_us[WAITS_OVER_50US] * UINT64_C(1000))
		return;
	phase->over_50us[largest(wait->stage_ns)]++;
	keep(phase, wait);
}

void wait_merge(struct wait_phase *into, const struct wait_phase *from)
{
	unsigned int i;

	waits_merge(&into->waits, &from->waits);
	for (i = 0; i < WAIT_STAGES; i++) {
		into->stage_ns[i] += from->stage_ns[i];
		into->over_50us[i] += from->over_50us[i];
	}
	for (i = 0; i < WAITS_LONGEST; i++)
		keep(into, &from->longest[i]);
}
