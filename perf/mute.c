// SPDX-License-Identifier: BSD-3-Clause
/*
 * Mutes of the only speaker while copies leave without a pause: how long until the last one, and
 * whether any leaves after the acknowledgement was read.
 */
#include "perf/mute.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "configs/log.h"
#include "perf/argument.h"
#include "perf/gaps.h"
#include "perf/inside.h"
#include "perf/report.h"
#include "perf/tally.h"

#define TURNS_WATCHED 4u /* of the worker, after the acknowledgement */
#define CROWD_OUT 8u     /* transactions of joins under way */
#define GAP_SLICES 10u   /* between trials the machine is watched alone, so often */
#define GAP_NS 100000000u

const char mute_usage[] =
	"usage: stentor-bench mute [option...]\n"
	"Mutes over table.sock while the worker sends without a pause.\n"
	"  --listeners N          1 to 1,000,000 (100000)\n"
	"  --trials N             mutes of a repeat, each with its unmute, 1 to 1,000,000 "
	"(100000)\n"
	"  --joins N              that join during each repeat, in transactions of --batch (0)\n"
	"  --batch N              1 to 8,192 (256)\n"
	"  --repeats N            1 to 101 (1)\n"
	"  --json                 one object, as perf/report.schema.json has it\n"
	"Results:\n"
	"  mute_us_p50  us, lower  from just before the mute is written to the last copy handed to "
	"the port\n"
	"  mute_us_p99  us, lower  the same\n"
	"  mute_us_max  us, lower  the same\n"
	"  mutes_over_50us  count, lower  of them\n" GAPS_USAGE
	"  ack_us_p50  us, lower  the mute written to its acknowledgement read\n"
	"  ack_us_p99  us, lower  the same\n"
	"  force_us_mean  us, lower  told by the main lcore, in force on the worker\n"
	"  force_us_max  us, lower  the longest\n"
	"  after_ack  count, lower  copies handed to the port after the acknowledgement was read\n"
	"  mpps  Mpps, higher  copies, silent times included\n";

struct options {
	uint32_t listeners, trials, joins, batch, repeats;
	enum report_format format;
};

struct run {
	const struct options *options;
	struct inside *in;
	struct report *report;
	double *mute_us, *ack_us; /* by trial */
	uint32_t joined, out;     /* of the crowd: sent, and transactions not answered */
	uint32_t repeat;
};

/* One turn; keeps the crowd coming. *read_ns: when `sequence` was answered, or 0. */
static int step(struct run *run, uint32_t sequence, uint64_t *read_ns)
{
	struct inside_result result;
	uint32_t left = run->options->joins - run->joined, joins;
	int got = inside_poll(run->in, &result);

	*read_ns = 0;
	if (got > 0 && result.sequence == sequence)
		*read_ns = result.read_ns;
	else if (got > 0)
		run->out--;
	if (got < 0 || left == 0 || run->out == CROWD_OUT)
		return got < 0 ? got : 0;
	if (left > run->options->batch)
		left = run->options->batch;
	got = inside_join(run->in, run->options->listeners + run->joined, left);
	if (got == 0)
		got = inside_commit(run->in, &joins);
	run->joined += left;
	run->out++;
	return got;
}

static int set_mute(struct run *run, bool muted, uint64_t *began_ns, uint64_t *read_ns)
{
	uint32_t sequence;
	int error = inside_mute(run->in, muted);

	*began_ns = inside_now_ns();
	if (!error)
		error = inside_commit(run->in, &sequence);
	for (*read_ns = 0; !error && *read_ns == 0;)
		error = step(run, sequence, read_ns);
	return error;
}

static int turns(struct run *run, uint32_t count)
{
	uint64_t until = inside_turns(run->in) + count, ignored;
	int error = 0;

	while (!error && inside_turns(run->in) < until)
		error = step(run, 0, &ignored);
	return error;
}

static int trial(struct run *run, uint32_t number)
{
	uint64_t began_ns, read_ns, last_ns, ignored;
	int error = set_mute(run, true, &began_ns, &read_ns);

	if (error)
		return error;
	inside_watch(run->in, true);
	error = turns(run, TURNS_WATCHED);
	inside_watch(run->in, false);
	last_ns = inside_last_copy_ns(run->in);
	run->mute_us[number] = last_ns > began_ns ? (double)(last_ns - began_ns) / 1e3 : 0;
	run->ack_us[number] = (double)(read_ns - began_ns) / 1e3;
	if (!error)
		error = set_mute(run, false, &ignored, &read_ns);
	/* Until it is heard again, and then some, so that mutes fall anywhere in a fan-out. */
	while (!error && inside_last_copy_ns(run->in) <= last_ns)
		error = turns(run, 1);
	return error ? error : turns(run, 1 + number % 13);
}

static int drain(struct run *run)
{
	uint64_t ignored;
	int error = 0;

	while (!error && (run->out != 0 || run->joined < run->options->joins))
		error = step(run, 0, &ignored);
	return error;
}

static int leave(struct run *run)
{
	uint32_t at, sequence;
	int error = 0;

	for (at = 0; !error && at < run->joined; at += run->options->batch) {
		uint32_t left = run->joined - at;

		error = inside_leave(run->in, run->options->listeners + at,
			left < run->options->batch ? left : run->options->batch);
		if (!error)
			error = inside_commit(run->in, &sequence);
		if (!error)
			error = inside_wait(run->in, sequence);
	}
	run->joined = 0;
	return error;
}

static void value(struct run *run, const char *name, double number)
{
	report_value(run->report, name, "us", REPORT_LOWER, number);
}

static void tell(struct run *run, const struct stn_wait *before, const struct stn_wait *now)
{
	uint64_t mutes = 0, slow = 0;
	unsigned int i;

	for (i = 0; i < run->options->trials; i++)
		slow += run->mute_us[i] > 50;
	report_value(run->report, "mutes_over_50us", "count", REPORT_LOWER, (double)slow);

	for (i = 0; i < STN_BUCKETS_MAX; i++)
		mutes += now->count[i] - before->count[i];
	value(run, "mute_us_p50", tally_percentile(run->mute_us, run->options->trials, 50));
	value(run, "mute_us_p99", tally_percentile(run->mute_us, run->options->trials, 99));
	value(run, "mute_us_max", tally_percentile(run->mute_us, run->options->trials, 100));
	value(run, "ack_us_p50", tally_percentile(run->ack_us, run->options->trials, 50));
	value(run, "ack_us_p99", tally_percentile(run->ack_us, run->options->trials, 99));
	if (mutes != 0)
		value(run, "force_us_mean",
			(double)(now->sum_ns - before->sum_ns) / 1e3 / (double)mutes);
	value(run, "force_us_max", (double)now->max_ns / 1e3);
}

/* While the worker rests, as much as a mute would have to wait for. */
static int watch_machine(struct run *run)
{
	uint64_t until_ns = inside_now_ns() + GAP_NS;
	struct inside_result result;
	int got = 0;

	inside_rest(run->in, true);
	inside_phase(run->in, 1 + run->repeat);
	while (got >= 0 && inside_now_ns() < until_ns) {
		got = inside_poll(run->in, &result);
		run->out -= got > 0;
	}
	inside_phase(run->in, 0);
	inside_rest(run->in, false);
	return got < 0 ? got : 0;
}

static int trials(struct run *run)
{
	uint32_t slice = (run->options->trials + GAP_SLICES - 1) / GAP_SLICES;
	int error = 0;

	for (uint32_t i = 0; !error && i < run->options->trials; i++) {
		if (i % slice == 0)
			error = watch_machine(run);
		if (!error)
			error = trial(run, i);
	}
	return error;
}

static int measure(struct run *run)
{
	struct stn_wait before = inside_stats(run->in)->mute_delay, now;
	uint64_t watched = inside_watched(run->in), begin_ns = inside_now_ns();
	uint64_t copies = inside_stats(run->in)->tx_packets, ns;
	int error = trials(run);

	if (error)
		return error;
	ns = inside_now_ns() - begin_ns;
	copies = inside_stats(run->in)->tx_packets - copies;
	now = inside_stats(run->in)->mute_delay;
	watched = inside_watched(run->in) - watched;
	tell(run, &before, &now);
	gaps_tell_machine(run->report, &inside_counted(run->in, 1 + run->repeat)->waits);
	report_value(run->report, "after_ack", "count", REPORT_LOWER, (double)watched);
	report_value(run->report, "mpps", "Mpps", REPORT_HIGHER, (double)copies * 1e3 / (double)ns);
	if (watched != 0)
		report_invalid(run->report, "%llu copies left after their mute was acknowledged",
			(unsigned long long)watched);
	error = drain(run);
	return error ? error : leave(run);
}

static int measure_all(struct run *run)
{
	uint32_t at, sequence;
	const struct inside_size size = {run->options->listeners + run->options->joins, 1};
	int error = inside_open(&run->in, &size);

	if (error)
		return error;
	for (at = 0; !error && at < run->options->listeners; at += 4096) {
		uint32_t left = run->options->listeners - at;

		error = inside_join(run->in, at, left < 4096 ? left : 4096);
		if (!error)
			error = inside_commit(run->in, &sequence);
		if (!error)
			error = inside_wait(run->in, sequence);
	}
	inside_load(run->in, 100);
	for (; !error && run->repeat < run->options->repeats; run->repeat++) {
		if (run->repeat != 0)
			report_breathe(run->report);
		error = measure(run);
	}
	inside_close(run->in);
	return error;
}

static int parse(struct options *o, int argc, char *argv[])
{
	static const struct option names[] = {{"listeners", 1, NULL, 'l'}, {"trials", 1, NULL, 't'},
		{"joins", 1, NULL, 'n'}, {"batch", 1, NULL, 'b'}, {"repeats", 1, NULL, 'r'},
		{"json", 0, NULL, 'j'}, {NULL, 0, NULL, 0}};
	int c, rc = 0;

	while (rc >= 0 && (c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (c == 'l')
			rc = argument_number("listeners", optarg, 1, 1000000, &o->listeners);
		else if (c == 't')
			rc = argument_number("trials", optarg, 1, 1000000, &o->trials);
		else if (c == 'n')
			rc = argument_number("joins", optarg, 0, 3000000, &o->joins);
		else if (c == 'b')
			rc = argument_number("batch", optarg, 1, 8192, &o->batch);
		else if (c == 'r')
			rc = argument_number("repeats", optarg, 1, REPEATS_MAX, &o->repeats);
		else if (c == 'j')
			o->format = REPORT_JSON;
		else
			rc = -1;
	}
	return rc >= 0 && optind == argc ? 0 : -1;
}

int mute_main(int argc, char *argv[])
{
	struct options options = {
		.listeners = 100000, .trials = 100000, .joins = 0, .batch = 256, .repeats = 1};
	struct run run = {.options = &options};
	int error = -ENOMEM;

	if (parse(&options, argc, argv) < 0) {
		fputs(mute_usage, stderr);
		return 2;
	}
	log_open(LOG_LEVEL_WARN);
	run.report = report_open("mute", argc, argv);
	report_parameter_number(run.report, "listeners", options.listeners);
	report_parameter_number(run.report, "trials", options.trials);
	report_parameter_number(run.report, "joins", options.joins);
	report_parameter_number(run.report, "batch", options.batch);
	run.mute_us = calloc(options.trials, sizeof(*run.mute_us));
	run.ack_us = calloc(options.trials, sizeof(*run.ack_us));
	if (run.mute_us != NULL && run.ack_us != NULL)
		error = measure_all(&run);
	free(run.mute_us);
	free(run.ack_us);
	if (error == 0)
		return report_close(run.report, options.format, stdout);
	fprintf(stderr, "stentor-bench: %s\n", strerror(-error));
	report_abandon(run.report);
	return REPORT_EXIT_FAILED;
}
