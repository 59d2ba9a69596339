// SPDX-License-Identifier: BSD-3-Clause
#include "perf/account.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "perf/report.h"
#include "perf/stages.h"

/* A stage of one percent is then known to a third of itself. */
#define SAMPLES_MIN 1000

const char account_usage[] =
	"usage: stentor-bench account --folded FILE --report FILE [option...]\n"
	"Where the nanoseconds of a copy go: samples of the worker's stack, given to stages by "
	"the\n"
	"functions they were in. perf/account.sh takes the samples and calls this.\n"
	"  --folded FILE          a stack a line, outermost;...;innermost COUNT\n"
	"  --report FILE          of the run of stentor-bench fanout they were taken in\n"
	"  --json                 one object, as perf/report.schema.json has it\n"
	"Results:\n"
	"  ns_per_copy  ns, lower  of that run, while it was sampled\n"
	"  samples  count, neither  of the worker's thread, while it made copies\n"
	"  error_percent  percent, lower  standard error of a share, at most\n";

struct options {
	const char *folded, *report;
	enum report_format format;
};

static int parse(struct options *o, int argc, char *argv[])
{
	static const struct option table[] = {
		{"folded", 1, NULL, 'f'}, {"report", 1, NULL, 'r'}, {"json", 0, NULL, 'j'}, {0}};
	int c;

	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
		if (c == 'f')
			o->folded = optarg;
		else if (c == 'r')
			o->report = optarg;
		else if (c == 'j')
			o->format = REPORT_JSON;
		else
			return -EINVAL;
	}
	return optind == argc && o->folded != NULL && o->report != NULL ? 0 : -EINVAL;
}

static int read_stages(const char *path, struct stages *stages)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	int error = 0;

	if (file == NULL)
		return -errno;
	while (error == 0 && getline(&line, &size, file) > 0)
		error = stages_add(stages, line);
	free(line);
	fclose(file);
	return error == 0 && stages->total == 0 ? -ENODATA : error;
}

/* What the run was asked to do, and why it counts for nothing if it does. */
static int take_run(struct report *report, const json_t *run, double *ns)
{
	const json_t *validity = json_object_get(run, "validity");
	const json_t *result = json_object_get(json_object_get(run, "results"), "ns_per_copy");
	const char *name;
	json_t *value;
	size_t i;

	if (!json_is_number(json_object_get(result, "median")))
		return -EPROTO;
	*ns = json_number_value(json_object_get(result, "median"));
	json_object_foreach(json_object_get(run, "parameters"), name, value)
	{
		if (json_is_string(value))
			report_parameter(report, name, json_string_value(value));
		else
			report_parameter_number(report, name, json_number_value(value));
	}
	json_array_foreach(json_object_get(validity, "reasons"), i, value)
		report_invalid(report, "the sampled run: %s", json_string_value(value));
	return 0;
}

static void describe(struct report *report, const struct stages *stages, double ns)
{
	static const char *const columns[] = {"stage", "ns", "percent"};

	report_value(report, "ns_per_copy", "ns", REPORT_LOWER, ns);
	report_value(report, "samples", "count", REPORT_NEITHER, (double)stages->total);
	/* Of a share p of n samples it is sqrt(p (1 - p) / n), most at one half: 1 / 4n at least.
	 */
	report_value(report, "error_percent", "percent", REPORT_LOWER,
		50 / __builtin_sqrt((double)stages->total));
	for (enum stage stage = 0; stage < STAGE_COUNT; stage++) {
		double row[] = {stages_ns(stages, stage, ns), stages_ns(stages, stage, 100)};

		report_row_named(report, "stages", columns, stage_name(stage), row, 2);
	}
	if (stages->total < SAMPLES_MIN)
		report_invalid(report, "%lu samples are too few (at least %d)", stages->total,
			SAMPLES_MIN);
}

static int account(struct report *report, const struct options *o)
{
	struct stages stages = {0};
	json_error_t reason;
	json_t *run = json_load_file(o->report, 0, &reason);
	int error = read_stages(o->folded, &stages);
	double ns = 0;

	if (run == NULL)
		fprintf(stderr, "%s: %s\n", o->report, reason.text);
	else if (error < 0)
		fprintf(stderr, "%s: %s\n", o->folded, strerror(-error));
	else
		error = take_run(report, run, &ns);
	if (run != NULL && error == 0)
		describe(report, &stages, ns);
	else
		error = -EINVAL;
	json_decref(run);
	return error;
}

int account_main(int argc, char *argv[])
{
	struct options options = {.format = REPORT_TABLE};
	struct report *report;

	if (parse(&options, argc, argv) < 0) {
		fputs(account_usage, stderr);
		return 2;
	}
	report = report_open("account", argc, argv);
	if (report == NULL)
		return REPORT_EXIT_FAILED;
	if (account(report, &options) == 0)
		return report_close(report, options.format, stdout);
	report_abandon(report);
	return REPORT_EXIT_FAILED;
}
