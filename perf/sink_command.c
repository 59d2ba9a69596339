// SPDX-License-Identifier: BSD-3-Clause
/* stentor-bench sink: all the listeners of a generator, counted in an XDP program. */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "perf/argument.h"
#include "perf/generate.h"
#include "perf/report.h"
#include "perf/runlog.h"
#include "perf/scene.h"
#include "perf/tally.h"

#define SECONDS_MAX 4000
/* Frames left out of the times: the first ones come as a burst when the speaker takes a slot. */
#define WARM_UP 50

const char sink_usage[] =
	"usage: stentor-bench sink --interface NAME --first ADDRESS:PORT --listeners N "
	"[option...]\n"
	"The listeners of stentor-bench generate: every copy counted by an XDP program on the "
	"interface\n"
	"they are behind, and dropped there; perf/two-machines.md is the recipe.\n"
	"  --interface NAME       where the copies arrive\n"
	"  --first ADDRESS:PORT   of the first listener; the others' addresses follow\n"
	"  --ports-per-address N  listeners at one address, their ports follow (1)\n"
	"  --listeners N          of all rooms\n"
	"  --speakers N           of the generator (1)\n"
	"  --log FILE             of the generator: ends when that is there, and compares with it. "
	"Of "
	"a\n"
	"                         repeat that is not the last, it is removed when counting begins "
	"anew\n"
	"  --repeats N            of the generator, 1 to 101 (what its log says)\n"
	"  --seconds S            ends then at the latest, 1 to 4,000 (4000; without --log 10)\n"
	"  --json                 one object, as perf/report.schema.json has it\n"
	"Results:\n"
	"  sent  count, neither   copies that are due: packets sent times listeners\n"
	"  received  count, neither  copies that arrived, duplicates included\n"
	"  lost  count, lower     sent - (received - duplicated)\n"
	"  duplicated  count, lower  of a listener's last packets\n"
	"  peak_per_s  per_s, higher  copies in the best second\n"
	"  listeners_served  count, higher  got something\n"
	"  listeners_whole  count, higher  one speaker: got everything\n"
	"  spread_us_p50  us, lower  one speaker: first to last copy of a packet\n"
	"  spread_us_p99  us, lower  the same\n"
	"  latency_us_p50  us, lower  one speaker, generator on this machine: from before the "
	"send\n"
	"                         to the first copy\n"
	"  latency_us_p99  us, lower  the same\n";

struct options {
	struct scene_plan scene;
	const char *log;
	unsigned int speakers, seconds, repeats; /* repeats 0: what the log says */
	enum report_format format;
};

struct second {
	uint64_t at_ns;
	uint64_t received;
};

struct counter {
	const struct options *options;
	struct scene scene;
	struct runlog log;
	bool logged;
	struct tally tally;
	struct sink_totals totals;
	struct second second[SECONDS_MAX + 2];
	unsigned int seconds;
	unsigned int repeat; /* from 1 on */
};

static int parse_first(struct director_crowd *crowd, const char *text)
{
	struct sockaddr_storage first;
	const struct sockaddr_in *four = (const struct sockaddr_in *)&first;

	if (endpoint_parse(&first, text) < 0 || first.ss_family != AF_INET)
		return -EINVAL;
	crowd->address = ntohl(four->sin_addr.s_addr);
	crowd->port = ntohs(four->sin_port);
	return 0;
}

static int take_option(struct options *o, int c)
{
	uint32_t ports;
	int rc;

	switch (c) {
	case 'i':
		o->scene.interface = optarg;
		return 0;
	case 'f':
		return parse_first(&o->scene.crowd, optarg);
	case 'p':
		rc = argument_number("ports-per-address", optarg, 1, 60000, &ports);
		if (rc == 0)
			o->scene.crowd.ports_per_address = (uint16_t)ports;
		return rc;
	case 'n':
		return argument_number(
			"listeners", optarg, 1, SINK_LISTENERS_MAX, &o->scene.crowd.count);
	case 's':
		return argument_number("speakers", optarg, 1, RUNLOG_SPEAKERS_MAX, &o->speakers);
	case 't':
		return argument_number("seconds", optarg, 1, SECONDS_MAX, &o->seconds);
	case 'R':
		return argument_number("repeats", optarg, 1, REPEATS_MAX, &o->repeats);
	case 'g':
		o->log = optarg;
		return 0;
	case 'j':
		o->format = REPORT_JSON;
		return 0;
	default:
		return -EINVAL;
	}
}

static int parse(struct options *o, int argc, char *argv[])
{
	static const struct option table[] = {{"interface", 1, NULL, 'i'}, {"first", 1, NULL, 'f'},
		{"ports-per-address", 1, NULL, 'p'}, {"listeners", 1, NULL, 'n'},
		{"speakers", 1, NULL, 's'}, {"seconds", 1, NULL, 't'}, {"log", 1, NULL, 'g'},
		{"repeats", 1, NULL, 'R'}, {"json", 0, NULL, 'j'}, {0}};
	int c, rc = 0;

	while (rc >= 0 && (c = getopt_long(argc, argv, "", table, NULL)) != -1)
		rc = take_option(o, c);
	if (o->seconds == 0)
		o->seconds = o->log != NULL ? SECONDS_MAX : 10;
	return rc >= 0 && optind == argc && o->scene.interface && o->scene.crowd.port &&
			       o->scene.crowd.count && (o->log != NULL || o->repeats <= 1)
		       ? 0
		       : -EINVAL;
}

static int look(struct counter *c)
{
	int error = sink_read_totals(c->scene.sink, &c->totals);

	if (error == 0)
		c->second[c->seconds++] = (struct second){clock_monotonic_ns(), c->totals.received};
	return error;
}

/* Until the generator has ended, or time is over; then until nothing is on its way. */
static int watch_wire(struct counter *c)
{
	const struct options *o = c->options;
	uint64_t start_ns = clock_monotonic_ns();
	int error = look(c);

	while (error == 0 && c->seconds <= o->seconds) {
		uint64_t due_ns = start_ns + c->seconds * 1000000000ull, now_ns;

		if (o->log != NULL && access(o->log, R_OK) == 0)
			break;
		now_ns = clock_monotonic_ns();
		if (now_ns < due_ns)
			scene_pause_ns(due_ns - now_ns < 100000000u ? due_ns - now_ns : 100000000u);
		else
			error = look(c);
	}
	if (error == 0)
		error = scene_wait_quiet(&c->scene);
	return error == 0 ? look(c) : error;
}

static int read_all(struct counter *c)
{
	const struct options *o = c->options;
	int error = tally_open(&c->tally, c->scene.sink, o->scene.crowd.count);

	if (error == 0 && o->log != NULL && access(o->log, R_OK) == 0) {
		error = runlog_read(o->log, &c->log);
		c->logged = error == 0;
	}
	return error;
}

static void count(struct report *report, const char *name, enum report_better better, uint64_t n)
{
	report_value(report, name, "count", better, (double)n);
}

static void percentiles(struct report *report, const char *name, double *value, size_t number)
{
	char key[40];

	for (int p = 50; p <= 99; p += 49) {
		snprintf(key, sizeof(key), "%s_us_p%d", name, p);
		report_value(report, key, "us", REPORT_LOWER, tally_percentile(value, number, p));
	}
}

/* Second by second what came, and what was due where that can be told. */
static void describe_seconds(struct report *report, const struct counter *c)
{
	static const char *const columns[][4] = {
		{"at_s", "received", "repeat"}, {"at_s", "received", "sent", "repeat"}};
	bool due = c->logged && c->log.same_machine;
	double peak = 0;

	for (unsigned int i = 1; i < c->seconds; i++) {
		const struct second *from = &c->second[i - 1], *to = &c->second[i];
		double taken_s = (double)(to->at_ns - from->at_ns) / 1e9;
		double row[] = {(double)(to->at_ns - c->second[0].at_ns) / 1e9,
			(double)(to->received - from->received), c->repeat, c->repeat};

		if (due)
			row[2] = (double)(runlog_due(&c->log, to->at_ns) -
					  runlog_due(&c->log, from->at_ns));
		report_row(report, "seconds", columns[due], row, due ? 4 : 3);
		/* The last piece is shorter than the others and proves nothing. */
		if (taken_s > 0.9 && row[1] / taken_s > peak)
			peak = row[1] / taken_s;
	}
	report_value(report, "peak_per_s", "per_s", REPORT_HIGHER, peak);
}

/* Sequence numbers of several rooms say nothing about one packet's way. */
static int describe_times(struct report *report, const struct counter *c)
{
	const struct tally *tally = &c->tally;
	double *value = calloc(tally->sequence_count + 1, sizeof(*value));
	size_t unmatched = 0, number;

	if (value == NULL)
		return -ENOMEM;
	count(report, "listeners_whole", REPORT_HIGHER, tally->listeners_whole);
	number = tally_spread(tally, WARM_UP, value);
	percentiles(report, "spread", value, number);
	if (c->logged && c->log.same_machine && tally->slot_packets == c->log.speaker[0].count) {
		number =
			tally_latency(tally, c->log.speaker[0].send_ns, WARM_UP, value, &unmatched);
		percentiles(report, "latency", value, number);
	}
	free(value);
	if (unmatched > 0)
		report_invalid(report, "%zu packets arrived before they were sent", unmatched);
	if (c->logged && tally->slot_packets != c->log.speaker[0].count)
		report_invalid(report, "the speaker sent %u packets, %lu slot packets came",
			c->log.speaker[0].count, tally->slot_packets);
	return 0;
}

static int describe(struct report *report, const struct counter *c)
{
	uint64_t sent = c->logged ? runlog_due(&c->log, UINT64_MAX) : c->tally.expected;
	uint64_t unique = c->totals.received - c->totals.duplicated;

	report_parameter(report, "xdp", sink_is_native(c->scene.sink) ? "native" : "generic");
	if (c->logged || c->options->speakers == 1) {
		count(report, "sent", REPORT_NEITHER, sent);
		report_value(report, "lost", "count", REPORT_LOWER, (double)sent - (double)unique);
	}
	count(report, "received", REPORT_NEITHER, c->totals.received);
	count(report, "duplicated", REPORT_LOWER, c->totals.duplicated);
	count(report, "listeners_served", REPORT_HIGHER, c->tally.listeners_served);
	describe_seconds(report, c);
	if (c->totals.received == 0)
		report_invalid(report, "nothing arrived at any listener");
	if (c->options->log != NULL && !c->logged)
		report_invalid(report, "the generator had not ended in time");
	if (c->logged && c->log.speakers != c->options->speakers)
		report_invalid(report, "there were %u speakers, not %u", c->log.speakers,
			c->options->speakers);
	return c->options->speakers == 1 ? describe_times(report, c) : 0;
}

/* What two programs were told apart from each other. */
static int agree(struct report *report, const struct counter *c)
{
	unsigned int told = c->options->repeats;

	report_parameter_number(report, "repeats", c->logged ? c->log.repeats : 1);
	if (!c->logged)
		return 0;
	if (c->log.repeat != c->repeat) {
		fprintf(stderr, "%s is of repeat %u, not %u\n", c->options->log, c->log.repeat,
			c->repeat);
		return -EPROTO;
	}
	if (told != 0 && told != c->log.repeats && c->repeat == 1)
		report_invalid(
			report, "the generator has %u repeats, not %u", c->log.repeats, told);
	return 0;
}

static int count_once(struct counter *c, struct report *report)
{
	int error = watch_wire(c);

	if (error == 0)
		error = read_all(c);
	if (error == 0)
		error = agree(report, c);
	return error == 0 ? describe(report, c) : error;
}

/* The generator goes on when its log is gone, so that comes last. */
static int begin_anew(struct counter *c, struct report *report)
{
	int error;

	tally_close(&c->tally);
	runlog_free(&c->log);
	c->logged = false;
	c->seconds = 0;
	report_breathe(report);
	error = sink_reset(c->scene.sink);
	return error == 0 && unlink(c->options->log) < 0 ? -errno : error;
}

static int run(struct counter *c, struct report *report)
{
	int error;

	/* What an earlier run has left would end this one at once. */
	if (c->options->log != NULL && unlink(c->options->log) < 0 && errno != ENOENT)
		return -errno;
	error = scene_open_sink(&c->scene, &c->options->scene);
	if (error)
		return error;
	fprintf(stderr, "stentor-bench sink: counting on %s\n", c->options->scene.interface);
	for (c->repeat = 1;; c->repeat++) {
		error = count_once(c, report);
		if (error != 0 || !c->logged || c->repeat == c->log.repeats)
			return error;
		error = begin_anew(c, report);
		if (error)
			return error;
	}
}

int sink_main(int argc, char *argv[])
{
	struct options options = {/* A silence frame is smaller than any speech of the generator,
				     whatever the suite. */
		.scene = {.crowd = {.ports_per_address = 1, .suite = MEDIA_SUITE_GCM128},
			.voice_only = true},
		.speakers = 1};
	struct counter *counter = calloc(1, sizeof(*counter));
	struct report *report;
	int error;

	if (parse(&options, argc, argv) < 0) {
		fputs(sink_usage, stderr);
		free(counter);
		return 2;
	}
	report = report_open("sink", argc, argv);
	if (report == NULL || counter == NULL) {
		report_abandon(report);
		free(counter);
		return REPORT_EXIT_FAILED;
	}
	report_receives(report);
	report_parameter_number(report, "listeners", options.scene.crowd.count);
	report_parameter_number(report, "speakers", options.speakers);
	options.scene.any_ssrc = options.speakers > 1;
	counter->options = &options;
	scene_init(&counter->scene);
	error = run(counter, report);
	tally_close(&counter->tally);
	runlog_free(&counter->log);
	scene_close(&counter->scene);
	free(counter);
	if (error == 0)
		return report_close(report, options.format, stdout);
	fprintf(stderr, "stentor-bench sink: %s\n", strerror(-error));
	report_abandon(report);
	return REPORT_EXIT_FAILED;
}
