/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a run of stentor-bench joins was asked for and has seen, and the report of it. One thread;
 * the tokens of the storm are the run's, everything else of the options stays as it was parsed.
 */
#ifndef STENTOR_PERF_JOINS_REPORT_H
#define STENTOR_PERF_JOINS_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "perf/process.h"
#include "perf/report.h"
#include "perf/scene.h"
#include "perf/storm.h"
#include "perf/tally.h"

#define JOINS_NOTES_MAX 8

struct joins_options {
	struct scene_plan scene;
	struct storm_plan storm;
	const char *relay_netns;
	const char *clients_netns;
	unsigned int controlplane, dataplane; /* process ids */
	unsigned int repeats;
	bool hold;
	const char *note[JOINS_NOTES_MAX];
	unsigned int notes;
	enum report_format format;
};

struct joins_usage {
	struct process_usage controlplane, dataplane;
};

struct joins {
	const struct joins_options *options;
	struct scene scene;
	struct storm storm;
	struct tally tally;
	struct joins_usage start, begun, half, ended, connected;
	uint64_t spoken, late;
	unsigned int heard; /* hold: how many have heard the speaker at the end */
};

void joins_describe_options(struct report *report, const struct joins_options *o);
/* One repeat. */
void joins_describe(struct report *report, const struct joins *joins);

#endif
