/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stentor-bench fanout --rooms: many rooms of several sizes on the real workers, each room with a
 * slot packet of its own every frame, published by its home worker to all of them. First as fast as
 * they go, then at a given share of that, every room at its own moment of the frame.
 */
#ifndef STENTOR_PERF_MIX_H
#define STENTOR_PERF_MIX_H

#include <stdint.h>

#include "dataplane/api/table.h"
#include "dataplane/core/histogram.h"
#include "dataplane/crypto/engine.h"
#include "perf/argument.h"

#define MIX_KINDS_MAX 8

struct mix_kind {
	uint32_t rooms;
	uint32_t listeners; /* of each */
};

struct mix_options {
	struct mix_kind kind[MIX_KINDS_MAX];
	unsigned int kinds;
	enum suite suite;
	const char *engine;
	uint32_t payload; /* bytes */
	uint32_t workers;
	uint32_t load_percent;
	uint32_t pace_us;
	uint32_t stale_ms;
	uint32_t repeats;
	uint32_t seconds; /* of all turns */
};

struct mix_result {
	const char *engine;
	double mpps[REPEATS_MAX];
	double ns_per_copy[REPEATS_MAX]; /* of one worker */
	double frame_ms;                 /* every room has a packet in that time, under load */
	/* Under load, of all workers. By size of the room as in stn_room_size_bounds. */
	struct histogram first;
	struct histogram last[STN_ROOM_SIZES];
	struct histogram spread;            /* of one room larger than a slice: first to last */
	uint64_t published[STN_ROOM_SIZES]; /* once a worker */
	uint64_t copies, stale, refused; /* copies due, cut, not taken by the port or no buffer */
	uint64_t unaccounted;            /* copies that are neither sent nor dropped by name */
	uint64_t idle_ns, busy_ns;
};

extern const char mix_usage[];
/* argv[0] is "fanout". Returns the exit code. */
int mix_main(int argc, char *argv[]);
/* 0 or negative errno; reasons on stderr. */
int mix_measure(const struct mix_options *options, struct mix_result *result);

#endif
