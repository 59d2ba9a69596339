/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How long things took, log-linear: eight buckets to each doubling, so a bucket's bounds are an
 * eighth apart at most, from a nanosecond to half a minute. Adding is a shift and an increment.
 * One thread writes; another may read a count that is being written, which is an aligned store.
 */
#ifndef STENTOR_DATAPLANE_CORE_HISTOGRAM_H
#define STENTOR_DATAPLANE_CORE_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_BUCKETS 264u

struct histogram {
	uint64_t sum_ns;
	uint64_t count[HISTOGRAM_BUCKETS];
};

/* Below 8 ns each has its own; from there on the top bit and the three behind it decide. */
static inline unsigned int histogram_bucket(uint64_t ns)
{
	unsigned int top, bucket;

	if (ns < 8)
		return (unsigned int)ns;
	top = 63u - (unsigned int)__builtin_clzll(ns);
	bucket = (top - 2) * 8 + (unsigned int)(ns >> (top - 3) & 7);
	return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

static inline void histogram_add(struct histogram *histogram, uint64_t ns)
{
	histogram->sum_ns += ns;
	histogram->count[histogram_bucket(ns)]++;
}

/* The largest value that falls into the bucket; the last one has no end. */
uint64_t histogram_top(unsigned int bucket);
uint64_t histogram_total(const struct histogram *histogram);
/* What the share (0 to 1) of values is not above, to a bucket; 0: there are none. */
uint64_t histogram_quantile(const struct histogram *histogram, double share);
void histogram_merge(struct histogram *into, const struct histogram *from);
/*
 * Into coarser buckets, the way Prometheus has them: bounds ascending, in microseconds, one bucket
 * more than bounds. A bucket that straddles a bound counts above it.
 */
void histogram_fold(const struct histogram *histogram, const uint32_t bounds_us[],
	unsigned int bound_count, uint64_t out[]);

#endif
