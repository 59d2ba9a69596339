/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a counting sink (bpf/sink.h) has seen, summed up: how many copies of each sequence number
 * there should be and are, how long the first-to-last spread was, who got nothing. Read when the
 * wire is quiet; a run may be at most TALLY_SEQUENCES_MAX packets long, or numbers repeat.
 */
#ifndef STENTOR_PERF_TALLY_H
#define STENTOR_PERF_TALLY_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/sink.h"

#define TALLY_SEQUENCES_MAX 60000

struct tally_sequence {
	uint64_t first_ns;
	uint64_t last_ns;
	uint64_t count;
	uint32_t offset; /* from the lowest sequence number of the run */
	uint16_t sequence;
};

struct tally {
	struct tally_sequence *sequence; /* that arrived at all, by first arrival */
	size_t sequence_count;
	uint64_t slot_packets; /* from the lowest to the highest sequence number */
	uint64_t expected;     /* slot packets times listeners */
	uint64_t received;     /* duplicates included */
	uint64_t duplicated;
	uint64_t lost;
	uint64_t listeners_served; /* got something */
	uint64_t listeners_whole;  /* got everything */
};

/* 0 or a negative errno; -EOVERFLOW: the run was too long. On failure nothing is left to close. */
int tally_open(struct tally *tally, const struct sink *sink, uint32_t listeners);
void tally_close(struct tally *tally);
/* Sorts; returns the p-th percentile (0 to 100) by nearest rank, 0 of nothing. */
double tally_percentile(double *value, size_t count, double p);
/* First-to-last arrival in microseconds of each sequence number from skip on; returns how many. */
size_t tally_spread(const struct tally *tally, size_t skip, double *spread_us);
/*
 * From send_ns[i] to the first arrival of the i-th slot packet, in microseconds, from skip on.
 * Slot packets keep the order of what was sent, so when there are as many of the one as of the
 * other, the n-th comes from the n-th; the caller has made sure of that. Returns how many;
 * *unmatched counts those that arrived before they were sent.
 */
size_t tally_latency(const struct tally *tally, const uint64_t send_ns[], size_t skip,
	double *latency_us, size_t *unmatched);

#endif
