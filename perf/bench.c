// SPDX-License-Identifier: BSD-3-Clause
/*
 * stentor-bench: benchmarks of the data plane's production code from inside, and of both programs
 * from outside. Each is a row of the table here and a file of its own; report.h prints for all.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "perf/account.h"
#include "perf/catalog.h"
#include "perf/events.h"
#include "perf/fanout.h"
#include "perf/generate.h"
#include "perf/joins.h"
#include "perf/memory.h"
#include "perf/moving.h"
#include "perf/mute.h"

#define EXIT_USAGE 2

static const struct benchmark table[] = {
	{"fanout", "one slot packet to transmitted copies, on the production path", fanout_usage,
		fanout_main},
	{"events", "durable events, joins of a large room, restarts, with both programs",
		events_usage, events_main},
	{"joins", "browsers that join while media runs; called by perf/joins.sh", joins_usage,
		joins_main},
	{"account", "a copy's nanoseconds by stage; called by perf/account.sh", account_usage,
		account_main},
	{"memory", "bytes a listener takes of the data plane, measured and accounted for",
		memory_usage, memory_main},
	{"moving", "joins and leaves of a million listeners while the worker forwards",
		moving_usage, moving_main},
	{"mute", "mutes at full load: the last copy, and any after the acknowledgement", mute_usage,
		mute_main},
	{"generate", "speakers towards a relay, from another machine", generate_usage,
		generate_main},
	{"sink", "their listeners: every copy counted on an interface", sink_usage, sink_main},
};

#define COUNT (sizeof(table) / sizeof(table[0]))

static const char usage[] = "usage: stentor-bench BENCHMARK [option...]\n"
			    "       stentor-bench BENCHMARK --help\n"
			    "       stentor-bench --list [--json]\n"
			    "Exit: 0 measured and valid, 1 could not be run, 2 usage, 3 measured, "
			    "but the report says why\n"
			    "the figures do not count.\n";

static const struct benchmark *find(const char *name)
{
	for (size_t i = 0; i < COUNT; i++)
		if (strcmp(table[i].name, name) == 0)
			return &table[i];
	return NULL;
}

static int list(int argc, char *argv[])
{
	int json = argc > 0 && strcmp(argv[0], "--json") == 0;

	if (argc > json) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	return catalog_print(table, COUNT, json, stdout) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char *argv[])
{
	const struct benchmark *benchmark;

	if (argc >= 2 && strcmp(argv[1], "--list") == 0)
		return list(argc - 2, argv + 2);
	if (argc >= 2 && strcmp(argv[1], "--help") == 0) {
		fputs(usage, stdout);
		return catalog_print(table, COUNT, 0, stdout) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	}
	benchmark = argc >= 2 ? find(argv[1]) : NULL;
	if (benchmark == NULL) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	if (argc >= 3 && strcmp(argv[2], "--help") == 0) {
		fputs(benchmark->usage, stdout);
		return EXIT_SUCCESS;
	}
	return benchmark->run(argc - 1, argv + 1);
}
