// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/core/histogram.h"

uint64_t histogram_top(unsigned int bucket)
{
	unsigned int shift;

	if (bucket < 8)
		return bucket;
	if (bucket >= HISTOGRAM_BUCKETS - 1)
		return UINT64_MAX;
	shift = bucket / 8 - 1;
	return ((8ull + bucket % 8 + 1) << shift) - 1;
}

uint64_t histogram_total(const struct histogram *histogram)
{
	uint64_t total = 0;
	unsigned int i;

	for (i = 0; i < HISTOGRAM_BUCKETS; i++)
		total += histogram->count[i];
	return total;
}

uint64_t histogram_quantile(const struct histogram *histogram, double share)
{
	uint64_t total = histogram_total(histogram), seen = 0;
	unsigned int i;

	if (total == 0)
		return 0;
	for (i = 0; i < HISTOGRAM_BUCKETS - 1; i++) {
		seen += histogram->count[i];
		if (seen > 0 && (double)seen >= share * (double)total)
			break;
	}
	return histogram_top(i);
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
	unsigned int i;

	into->sum_ns += from->sum_ns;
	for (i = 0; i < HISTOGRAM_BUCKETS; i++)
		into->count[i] += from->count[i];
}

void histogram_fold(const struct histogram *histogram, const uint32_t bounds_us[],
	unsigned int bound_count, uint64_t out[])
{
	unsigned int i, bound = 0;

	for (i = 0; i <= bound_count; i++)
		out[i] = 0;
	for (i = 0; i < HISTOGRAM_BUCKETS; i++) {
		while (bound < bound_count && histogram_top(i) > bounds_us[bound] * 1000ull)
			bound++;
		out[bound] += histogram->count[i];
	}
}
