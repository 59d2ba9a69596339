// SPDX-License-Identifier: BSD-3-Clause
#include "perf/tally.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SEQUENCES 65536
#define LISTENERS_BATCH 4096

static int by_first(const void *a, const void *b)
{
	const struct tally_sequence *first = a, *second = b;

	return first->first_ns < second->first_ns ? -1 : first->first_ns > second->first_ns;
}

static int read_sequences(struct tally *tally, const struct sink *sink)
{
	tally->sequence = calloc(SEQUENCES, sizeof(*tally->sequence));
	if (!tally->sequence)
		return -ENOMEM;
	for (unsigned int s = 0; s < SEQUENCES; s++) {
		struct sink_sequence record;
		int error = sink_read_sequence(sink, (uint16_t)s, &record);

		if (error)
			return error;
		if (record.count == 0)
			continue;
		tally->sequence[tally->sequence_count++] = (struct tally_sequence){
			.first_ns = record.first_ns,
			.last_ns = record.last_ns,
			.count = record.count,
			.sequence = (uint16_t)s,
		};
	}
	qsort(tally->sequence, tally->sequence_count, sizeof(*tally->sequence), by_first);
	return tally->sequence_count > TALLY_SEQUENCES_MAX ? -EOVERFLOW : 0;
}

/* Numbers that never arrived at anybody lie between those that did. */
static void count_slot_packets(struct tally *tally)
{
	int64_t at = 0, lowest = 0, highest = 0;

	for (size_t i = 0; i < tally->sequence_count; i++) {
		struct tally_sequence *s = &tally->sequence[i];

		if (i > 0)
			at += (int16_t)(s->sequence - s[-1].sequence);
		lowest = at < lowest ? at : lowest;
		highest = at > highest ? at : highest;
		s->offset = (uint32_t)at; /* from the first, modulo 2^32, for now */
	}
	for (size_t i = 0; i < tally->sequence_count; i++)
		tally->sequence[i].offset -= (uint32_t)lowest;
	tally->slot_packets = tally->sequence_count ? (uint64_t)(highest - lowest + 1) : 0;
}

static int read_listeners(struct tally *tally, const struct sink *sink, uint32_t listeners)
{
	struct sink_listener *batch = calloc(LISTENERS_BATCH, sizeof(*batch));
	int error = batch ? 0 : -ENOMEM;

	for (uint32_t at = 0; !error && at < listeners; at += LISTENERS_BATCH) {
		uint32_t count =
			listeners - at < LISTENERS_BATCH ? listeners - at : LISTENERS_BATCH;

		error = sink_read_listeners(sink, at, count, batch);
		for (uint32_t i = 0; !error && i < count; i++) {
			uint32_t unique = batch[i].received - batch[i].duplicated;

			tally->listeners_served += unique > 0;
			tally->listeners_whole += unique > 0 && unique >= tally->slot_packets;
		}
	}
	free(batch);
	return error;
}

int tally_open(struct tally *tally, const struct sink *sink, uint32_t listeners)
{
	struct sink_totals totals;
	int error;

	memset(tally, 0, sizeof(*tally));
	error = sink_read_totals(sink, &totals);
	if (!error)
		error = read_sequences(tally, sink);
	if (!error) {
		count_slot_packets(tally);
		error = read_listeners(tally, sink, listeners);
	}
	if (error) {
		tally_close(tally);
		return error;
	}
	for (size_t i = 0; i < tally->sequence_count; i++)
		tally->received += tally->sequence[i].count;
	tally->duplicated = totals.duplicated;
	tally->expected = tally->slot_packets * listeners;
	tally->lost = tally->expected - (tally->received - tally->duplicated);
	return 0;
}

void tally_close(struct tally *tally)
{
	free(tally->sequence);
	tally->sequence = NULL;
	tally->sequence_count = 0;
}

static int by_value(const void *a, const void *b)
{
	double first = *(const double *)a, second = *(const double *)b;

	return first < second ? -1 : first > second;
}

double tally_percentile(double *value, size_t count, double p)
{
	size_t rank;

	if (count == 0)
		return 0;
	qsort(value, count, sizeof(*value), by_value);
	rank = (size_t)ceil(p / 100 * (double)count);
	return value[rank > 0 ? rank - 1 : 0];
}

size_t tally_spread(const struct tally *tally, size_t skip, double *spread_us)
{
	size_t count = 0;

	for (size_t i = skip; i < tally->sequence_count; i++)
		spread_us[count++] =
			(double)(tally->sequence[i].last_ns - tally->sequence[i].first_ns) / 1e3;
	return count;
}

size_t tally_latency(const struct tally *tally, const uint64_t send_ns[], size_t skip,
	double *latency_us, size_t *unmatched)
{
	size_t count = 0;

	for (size_t i = 0; i < tally->sequence_count; i++) {
		const struct tally_sequence *s = &tally->sequence[i];

		if (s->offset < skip)
			continue;
		*unmatched += s->first_ns < send_ns[s->offset];
		latency_us[count++] = (double)(s->first_ns - send_ns[s->offset]) / 1e3;
	}
	return count;
}
