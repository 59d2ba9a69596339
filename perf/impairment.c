// SPDX-License-Identifier: BSD-3-Clause
#include "perf/impairment.h"

#include <stdbool.h>
#include <string.h>

/* xorshift64*: G. Marsaglia's generator with S. Vigna's multiplier. */
static uint64_t draw(struct impairment *line)
{
	line->state ^= line->state >> 12;
	line->state ^= line->state << 25;
	line->state ^= line->state >> 27;
	return line->state * 2685821657736338717u;
}

static bool happens(struct impairment *line, double probability)
{
	return probability > 0 && (double)(draw(line) >> 11) * 0x1p-53 < probability;
}

static int spoil(struct impairment *line, const uint8_t *bytes, unsigned int size,
	const struct impairment_sink *sink)
{
	uint8_t copy[PACKET_MAX];
	uint64_t bit;

	if (size <= 12 || size > sizeof(copy))
		return 0;
	memcpy(copy, bytes, size);
	/* Behind the fixed header, so that it still reaches the check of the tag. */
	bit = draw(line) % ((size - 12) * 8u);
	copy[12 + bit / 8] ^= (uint8_t)(1u << bit % 8);
	line->spoiled++;
	return sink->send(sink->context, copy, size);
}

int impairment_flush(struct impairment *line, const struct impairment_sink *sink)
{
	unsigned int size = line->held_size;

	line->held_size = 0;
	return size ? sink->send(sink->context, line->held, size) : 0;
}

int impairment_pass(struct impairment *line, const uint8_t *bytes, unsigned int size,
	const struct impairment_sink *sink)
{
	int error = 0;

	if (happens(line, line->loss)) {
		line->lost++;
		return 0;
	}
	if (happens(line, line->spoil))
		error = spoil(line, bytes, size, sink);
	if (!error && !line->held_size && size <= sizeof(line->held) &&
		happens(line, line->reorder)) {
		memcpy(line->held, bytes, size);
		line->held_size = size;
		line->reordered++;
		return 0;
	}
	if (!error)
		error = sink->send(sink->context, bytes, size);
	if (!error && happens(line, line->duplicate)) {
		line->duplicated++;
		error = sink->send(sink->context, bytes, size);
	}
	return error ? error : impairment_flush(line, sink);
}
