// SPDX-License-Identifier: BSD-3-Clause
/*
 * A room that moves while it is forwarded: listeners are added over table.sock, transaction behind
 * transaction, while slot packets keep the worker busy to a given share, and then removed again.
 */
#include "perf/moving.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "configs/log.h"
#include "perf/argument.h"
#include "perf/gaps.h"
#include "perf/inside.h"
#include "perf/report.h"

#define ROW_NS 100000000u
/* Calm, and the same for the machine alone; half of what makes a packet under way stale. */
#define SLICE_NS 100000000u
#define SLICES 5u            /* of each before joins, between them and leaves, and after */
#define SETTLE_NS 300000000u /* packets that wait become stale in less */
#define BATCHES_OUT 8u       /* transactions under way */
#define SEQUENCES 4096u

const char moving_usage[] =
	"usage: stentor-bench moving [option...]\n"
	"Joins and leaves, programmed over table.sock into a worker that forwards.\n"
	"  --listeners N          there from the start, 1 to 4,000,000 (50000)\n"
	"  --joins N              1 to 4,000,000 (1000000)\n"
	"  --batch N              joins of a transaction, 1 to 8,192 (256)\n"
	"  --load PERCENT         of the worker's time for forwarding, 0 to 100; 100: back to back "
	"(70)\n"
	"  --workers N            1 to 16 (1); waits are the first one's\n"
	"  --repeats N            1 to 101 (5)\n"
	"  --json                 one object, as perf/report.schema.json has it\n"
	"Results:\n"
	"  joins_per_s  count, higher  from the first operation sent to the last result read\n"
	"  leaves_per_s  count, higher  the same, of all who had joined\n"
	"  join_copies_lost  count, lower  copies due and not handed to the port, joins and after\n"
	"  leave_copies_lost  count, lower  the same for the leaves\n" GAPS_USAGE
	"  calm_wait_us_p99  us, lower  from one look at the receive queue to the next, nobody "
	"coming or going (p999, p9999)\n"
	"  calm_wait_us_max  us, lower  the longest\n"
	"  calm_waits_over_50us_per_s  per_s, lower  of them\n"
	"  calm_waits_over_50us_percent  percent, lower  of all looks\n"
	"  calm_faults  count, lower  page faults of the worker\n"
	"  join_wait_us_p99  us, lower  the same during the joins; and all others of calm\n"
	"  leave_wait_us_p99  us, lower  the same during the leaves\n"
	"  command_wait_us_max  us, lower  the longest that was due to commands, from the start "
	"on, so far\n"
	"  command_ns  ns, lower  of the worker, a command of the joins\n"
	"  mpps  Mpps, higher  copies during the joins\n";

struct options {
	uint32_t listeners, joins, batch, load, workers, repeats;
	enum report_format format;
};

/* Nobody's is what lies between; each repeat has its own of all. */
enum phase { PHASE_NOBODYS, PHASE_MACHINE, PHASE_CALM, PHASE_JOIN, PHASE_LEAVE, PHASE_COUNT };

#define PHASES_TOLD (PHASE_COUNT - PHASE_MACHINE)

struct run {
	const struct options *options;
	struct inside *in;
	struct report *report;
	uint64_t begin_ns, row_ns;
	uint32_t done; /* joins less leaves, answered */
	uint32_t repeat;
	uint64_t lost, copies;
	uint32_t size[SEQUENCES]; /* of transactions under way */
	uint64_t faulted[PHASE_COUNT];
	struct gaps_phase told[PHASES_TOLD];
};

static void row(struct run *run)
{
	static const char *const columns[] = {
		"time_s", "joined", "copies", "copies_lost", "longest_wait_us"};
	uint64_t now_ns = inside_now_ns(), lost, copies;
	double values[5];

	if (now_ns < run->row_ns)
		return;
	run->row_ns += ROW_NS;
	lost = inside_lost(run->in);
	copies = inside_totals(run->in).copies;
	values[0] = (double)(now_ns - run->begin_ns) / 1e9;
	values[1] = run->done;
	values[2] = (double)(copies - run->copies);
	values[3] = lost > run->lost ? (double)(lost - run->lost) : 0;
	values[4] = (double)inside_longest_ns(run->in) / 1e3;
	run->lost = lost;
	run->copies = copies;
	report_row(run->report, "storm", columns, values, 5);
}

static int rest(struct run *run, uint64_t ns)
{
	uint64_t until_ns = inside_now_ns() + ns;
	struct inside_result result;
	int error = 0;

	while (error >= 0 && inside_now_ns() < until_ns) {
		error = inside_poll(run->in, &result);
		row(run);
	}
	return error < 0 ? error : 0;
}

/* All of them in transactions, several under way; returns when every one was answered. */
static int storm(struct run *run, uint32_t first, uint32_t count, bool join)
{
	uint32_t sent = 0, answered = 0, out = 0, sequence;
	struct inside_result result;
	int error = 0;

	while (error >= 0 && answered < count) {
		if (sent < count && out < BATCHES_OUT) {
			uint32_t size = count - sent < run->options->batch ? count - sent
									   : run->options->batch;

			error = join ? inside_join(run->in, first + sent, size)
				     : inside_leave(run->in, first + sent, size);
			if (!error)
				error = inside_commit(run->in, &sequence);
			if (error)
				break;
			run->size[sequence % SEQUENCES] = size;
			sent += size;
			out++;
		}
		error = inside_poll(run->in, &result);
		if (error > 0) {
			answered += run->size[result.sequence % SEQUENCES];
			run->done += join ? run->size[result.sequence % SEQUENCES]
					  : -run->size[result.sequence % SEQUENCES];
			out--;
		}
		row(run);
	}
	return error < 0 ? error : 0;
}

static void value(struct run *run, const char *name, const char *unit, double number)
{
	report_value(run->report, name, unit, REPORT_LOWER, number);
}

static void begin_phase(struct run *run, enum phase phase)
{
	run->faulted[phase] -= inside_faults(run->in);
	inside_phase(run->in, run->repeat * PHASE_COUNT + phase);
}

static void end_phase(struct run *run, enum phase phase)
{
	inside_phase(run->in, PHASE_NOBODYS);
	run->faulted[phase] += inside_faults(run->in);
}

static int joins(struct run *run)
{
	uint64_t begin_ns, lost = inside_lost(run->in), ns;
	struct inside_totals before = inside_totals(run->in), after;
	int error;

	begin_phase(run, PHASE_JOIN);
	begin_ns = inside_now_ns();
	error = storm(run, run->options->listeners, run->options->joins, true);
	if (error)
		return error;
	ns = inside_now_ns() - begin_ns;
	after = inside_totals(run->in);
	end_phase(run, PHASE_JOIN);
	error = rest(run, SETTLE_NS);
	report_value(run->report, "joins_per_s", "count", REPORT_HIGHER,
		run->options->joins * 1e9 / (double)ns);
	report_value(run->report, "mpps", "Mpps", REPORT_HIGHER,
		(double)(after.copies - before.copies) * 1e3 / (double)ns);
	value(run, "command_ns", "ns",
		(double)(after.command_ns - before.command_ns) /
			(double)(after.commands - before.commands));
	value(run, "join_copies_lost", "count", (double)(inside_lost(run->in) - lost));
	return error;
}

static int leaves(struct run *run)
{
	uint64_t begin_ns, lost = inside_lost(run->in), ns;
	int error;

	begin_phase(run, PHASE_LEAVE);
	begin_ns = inside_now_ns();
	error = storm(run, run->options->listeners, run->options->joins, false);
	if (error)
		return error;
	ns = inside_now_ns() - begin_ns;
	end_phase(run, PHASE_LEAVE);
	error = rest(run, SETTLE_NS);
	report_value(run->report, "leaves_per_s", "count", REPORT_HIGHER,
		run->options->joins * 1e9 / (double)ns);
	lost = inside_lost(run->in) > lost ? inside_lost(run->in) - lost : 0;
	value(run, "leave_copies_lost", "count", (double)lost);
	return error;
}

/* In turns: the machine alone, the worker resting; and the worker with nobody coming or going. */
static int stand_still(struct run *run)
{
	int error = 0;

	for (unsigned int i = 0; !error && i < SLICES; i++) {
		inside_rest(run->in, true);
		begin_phase(run, PHASE_MACHINE);
		error = rest(run, SLICE_NS);
		end_phase(run, PHASE_MACHINE);
		inside_rest(run->in, false);
		if (!error)
			error = rest(run, SLICE_NS / 8);
		begin_phase(run, PHASE_CALM);
		if (!error)
			error = rest(run, SLICE_NS);
		end_phase(run, PHASE_CALM);
	}
	return error;
}

static void tell(struct run *run)
{
	static const char *const names[] = {NULL, "machine", "calm", "join", "leave"};

	for (enum phase p = PHASE_MACHINE; p < PHASE_COUNT; p++) {
		struct gaps_phase *told = &run->told[p - PHASE_MACHINE];
		const struct wait_phase *phase =
			inside_counted(run->in, run->repeat * PHASE_COUNT + p);
		char name[32];

		told->name = names[p];
		wait_merge(&told->sum, phase);
		if (p == PHASE_MACHINE) {
			gaps_tell_machine(run->report, &phase->waits);
			continue;
		}
		gaps_tell_waits(run->report, names[p], &phase->waits);
		snprintf(name, sizeof(name), "%s_faults", names[p]);
		value(run, name, "count", (double)run->faulted[p]);
	}
	value(run, "command_wait_us_max", "us",
		(double)inside_totals(run->in).command_max_ns / 1e3);
}

static int measure(struct run *run)
{
	int error;

	memset(run->faulted, 0, sizeof(run->faulted));
	error = stand_still(run);
	if (!error)
		error = joins(run);
	if (!error)
		error = stand_still(run);
	if (!error)
		error = leaves(run);
	if (!error)
		error = stand_still(run);
	if (!error)
		tell(run);
	return error;
}

static int measure_all(struct run *run)
{
	const struct inside_size size = {
		run->options->listeners + run->options->joins, run->options->workers};
	int error = inside_open(&run->in, &size);

	if (error)
		return error;
	run->begin_ns = run->row_ns = inside_now_ns();
	error = storm(run, 0, run->options->listeners, true);
	inside_load(run->in, run->options->load);
	if (!error)
		error = rest(run, SETTLE_NS);
	for (; !error && run->repeat < run->options->repeats; run->repeat++) {
		if (run->repeat != 0)
			report_breathe(run->report);
		error = measure(run);
	}
	gaps_tabulate(run->report, run->told, PHASES_TOLD, run->begin_ns);
	if (!inside_is_alone(run->in))
		report_invalid(run->report, "the worker shares its CPU with who programs it");
	inside_close(run->in);
	return error;
}

static int parse(struct options *o, int argc, char *argv[])
{
	static const struct option names[] = {{"listeners", 1, NULL, 'l'}, {"joins", 1, NULL, 'n'},
		{"batch", 1, NULL, 'b'}, {"load", 1, NULL, 'p'}, {"workers", 1, NULL, 'w'},
		{"repeats", 1, NULL, 'r'}, {"json", 0, NULL, 'j'}, {NULL, 0, NULL, 0}};
	int c, rc = 0;

	while (rc >= 0 && (c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (c == 'l')
			rc = argument_number("listeners", optarg, 1, 4000000, &o->listeners);
		else if (c == 'n')
			rc = argument_number("joins", optarg, 1, 4000000, &o->joins);
		else if (c == 'b')
			rc = argument_number("batch", optarg, 1, 8192, &o->batch);
		else if (c == 'p')
			rc = argument_number("load", optarg, 0, 100, &o->load);
		else if (c == 'w')
			rc = argument_number("workers", optarg, 1, STN_WORKERS_MAX, &o->workers);
		else if (c == 'r')
			rc = argument_number("repeats", optarg, 1, REPEATS_MAX, &o->repeats);
		else if (c == 'j')
			o->format = REPORT_JSON;
		else
			rc = -1;
	}
	return rc >= 0 && optind == argc && o->listeners + o->joins <= 4000000 ? 0 : -1;
}

int moving_main(int argc, char *argv[])
{
	struct options options = {.listeners = 50000,
		.joins = 1000000,
		.batch = 256,
		.load = 70,
		.workers = 1,
		.repeats = 5};
	struct run run = {.options = &options};
	int error = 0;

	if (parse(&options, argc, argv) < 0) {
		fputs(moving_usage, stderr);
		return 2;
	}
	run.report = report_open("moving", argc, argv);
	report_parameter_number(run.report, "listeners", options.listeners);
	report_parameter_number(run.report, "joins", options.joins);
	report_parameter_number(run.report, "batch", options.batch);
	report_parameter_number(run.report, "load_percent", options.load);
	report_parameter_number(run.report, "workers", options.workers);
	log_open(LOG_LEVEL_WARN);
	error = measure_all(&run);
	if (error == 0)
		return report_close(run.report, options.format, stdout);
	fprintf(stderr, "stentor-bench: %s\n", strerror(-error));
	report_abandon(run.report);
	return REPORT_EXIT_FAILED;
}
