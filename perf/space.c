// SPDX-License-Identifier: BSD-3-Clause
/*
 * stentor-space: measures a running relay from outside. It is the application (events.sock), the
 * one speaker (libsrtp2) and, by an XDP program that counts and drops, all the listeners.
 * perf/space.sh makes the namespaces and starts the relay; README.md says what the figures mean.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <srtp2/srtp.h>

#include "perf/argument.h"
#include "perf/report.h"
#include "perf/scene.h"
#include "perf/tally.h"
#include "perf/trial.h"

#define SECONDS_MAX 1100
/* Frames left out of the times: the first ones come as a burst when the speaker takes a slot. */
#define WARM_UP 50
/* Sends later than this share make the pace, and so the load, something else than intended. */
#define LATE_MAX 0.02
#define NOTES_MAX 8

struct options {
	struct scene_plan scene;
	unsigned int seconds;
	unsigned int mutes;
	unsigned int repeats;
	const char *note[NOTES_MAX];
	unsigned int notes;
	enum report_format format;
};

struct space {
	const struct options *options;
	struct scene scene;
	struct director_counters before, after;
	uint64_t transmitted, counted; /* copies, by the data plane and by the sink */
	struct tally tally;
	double *spread_us, *latency_us;
	size_t spread_count, latency_count, unmatched;
	uint64_t spoken, late;
	struct trial_result trial;
	const char *invalid; /* why this is no measurement, or NULL */
};

static const char usage[] =
	"usage: stentor-space --events SOCKET --speaker-netns FILE --listeners-netns FILE\n"
	"                     --relay ADDRESS:PORT --speaker ADDRESS:PORT --first ADDRESS:PORT\n"
	"                     --listeners N [option...]\n"
	"\n"
	"  --interface NAME        the listeners' end (eth0)\n"
	"  --ports-per-address P   (1)\n"
	"  --suite SUITE           of everybody: gcm128, gcm256, cm80 (gcm128)\n"
	"  --payload BYTES         of the speaker's packets (100)\n"
	"  --seconds S             of steady speech (10)\n"
	"  --mutes N               mute trials after that (50)\n"
	"\n"
	"  --repeats N             of the speech, 1 to 101 (1)\n"
	"  --note NAME=TEXT        one more parameter of the report, any number of times\n"
	"  --json                  one object, as perf/report.schema.json has it\n"
	"\n"
	"Exit: 0 valid, 1 could not be run, 2 usage, 3 the report says why it is not valid.\n";

static const struct option table[] = {{"events", required_argument, NULL, 'e'},
	{"speaker-netns", required_argument, NULL, 'a'},
	{"listeners-netns", required_argument, NULL, 'b'},
	{"interface", required_argument, NULL, 'i'}, {"relay", required_argument, NULL, 'r'},
	{"speaker", required_argument, NULL, 's'}, {"first", required_argument, NULL, 'f'},
	{"listeners", required_argument, NULL, 'n'},
	{"ports-per-address", required_argument, NULL, 'p'},
	{"suite", required_argument, NULL, 'u'}, {"payload", required_argument, NULL, 'l'},
	{"seconds", required_argument, NULL, 't'}, {"repeats", required_argument, NULL, 'R'},
	{"note", required_argument, NULL, 'N'}, {"json", no_argument, NULL, 'j'},
	{"mutes", required_argument, NULL, 'm'}, {"help", no_argument, NULL, 'h'}, {0}};

static int parse_first(struct options *o, const char *text)
{
	struct sockaddr_storage first;
	const struct sockaddr_in *four = (const struct sockaddr_in *)&first;

	if (endpoint_parse(&first, text) < 0 || first.ss_family != AF_INET)
		return -EINVAL;
	o->scene.crowd.address = ntohl(four->sin_addr.s_addr);
	o->scene.crowd.port = ntohs(four->sin_port);
	return 0;
}

static int parse_count(unsigned int *out, const char *text, unsigned int low, unsigned int high)
{
	char *end;
	unsigned long v = strtoul(text, &end, 10);

	if (*end || end == text || v < low || v > high)
		return -EINVAL;
	*out = (unsigned int)v;
	return 0;
}

static int take_option(struct options *o, int c)
{
	unsigned int v = 0;
	int error;

	switch (c) {
	case 'e':
		o->scene.events = optarg;
		return 0;
	case 'a':
		o->scene.speaker_netns = optarg;
		return 0;
	case 'b':
		o->scene.listeners_netns = optarg;
		return 0;
	case 'i':
		o->scene.interface = optarg;
		return 0;
	case 'r':
		return endpoint_parse(&o->scene.relay, optarg);
	case 's':
		return endpoint_parse(&o->scene.speaker, optarg);
	case 'f':
		return parse_first(o, optarg);
	case 'n':
		return parse_count(&o->scene.crowd.count, optarg, 1, SINK_LISTENERS_MAX);
	case 'p':
		error = parse_count(&v, optarg, 1, 60000);
		o->scene.crowd.ports_per_address = (uint16_t)v;
		return error;
	case 'u':
		return media_suite_parse(&o->scene.crowd.suite, optarg);
	case 'l':
		return parse_count(&o->scene.payload_size, optarg, 4, 1200);
	case 't':
		return parse_count(&o->seconds, optarg, 2, SECONDS_MAX);
	case 'm':
		return parse_count(&o->mutes, optarg, 0, 10000);
	case 'R':
		return parse_count(&o->repeats, optarg, 1, REPEATS_MAX);
	case 'N':
		if (o->notes == NOTES_MAX)
			return -EINVAL;
		o->note[o->notes++] = optarg;
		return 0;
	case 'j':
		o->format = REPORT_JSON;
		return 0;
	default:
		return -EINVAL;
	}
}

static int parse_options(struct options *o, int argc, char **argv)
{
	int c;

	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
		if (c == 'h') {
			fputs(usage, stdout);
			exit(0);
		}
		if (take_option(o, c) < 0) {
			fprintf(stderr, "stentor-space: cannot take '%s'\n", optarg ? optarg : "");
			return -EINVAL;
		}
	}
	return optind == argc && o->scene.events && o->scene.speaker_netns &&
			       o->scene.listeners_netns && o->scene.relay.ss_family &&
			       o->scene.speaker.ss_family && o->scene.crowd.count &&
			       o->scene.crowd.port
		       ? 0
		       : -EINVAL;
}

/* Compares the account of the data plane with the sink's, when the wire is quiet. */
static int settle(struct space *space)
{
	struct director_counters now;
	struct sink_totals totals;
	int error = scene_wait_quiet(&space->scene);

	if (!error)
		error = director_read(&space->scene.director, &now);
	if (!error)
		error = sink_read_totals(space->scene.sink, &totals);
	if (error)
		return error;
	space->transmitted = now.tx_packets - space->before.tx_packets;
	space->counted = totals.received;
	return 0;
}

static int speak(struct space *space)
{
	int error = sink_reset(space->scene.sink);

	if (!error)
		error = director_read(&space->scene.director, &space->before);
	if (!error)
		error = scene_speak(&space->scene);
	if (error)
		return error;
	scene_pause_ns((uint64_t)space->options->seconds * 1000000000u);
	/* Busy is a share of the time under load, so the second look is taken before the end. */
	error = director_read(&space->scene.director, &space->after);
	pacer_stop(&space->scene.pacer);
	if (!error)
		error = settle(space);
	space->spoken = space->scene.pacer.count;
	space->late = space->scene.pacer.late;
	return error ? error
		     : tally_open(
			       &space->tally, space->scene.sink, space->options->scene.crowd.count);
}

static int take_times(struct space *space)
{
	const struct tally *tally = &space->tally;

	space->spread_us = calloc(tally->sequence_count + 1, sizeof(double));
	space->latency_us = calloc(tally->sequence_count + 1, sizeof(double));
	if (!space->spread_us || !space->latency_us)
		return -ENOMEM;
	space->spread_count = tally_spread(tally, WARM_UP, space->spread_us);
	if (tally->slot_packets != space->spoken)
		return 0;
	space->latency_count = tally_latency(
		tally, space->scene.pacer.send_ns, WARM_UP, space->latency_us, &space->unmatched);
	return 0;
}

static int run_trials(struct space *space)
{
	int error = 0;

	if (!space->options->mutes)
		return 0;
	error = sink_reset(space->scene.sink);
	if (!error)
		error = scene_speak(&space->scene);
	if (!error)
		error = trial_run(&space->trial, space->options->mutes, &space->scene.director,
			&space->scene.pacer, space->scene.sink);
	pacer_stop(&space->scene.pacer);
	return error;
}

static void judge(struct space *space)
{
	const struct tally *tally = &space->tally;

	if (tally->slot_packets == 0)
		space->invalid = "nothing arrived at any listener";
	else if (tally->sequence_count <= WARM_UP)
		space->invalid = "too short";
	else if (tally->slot_packets != space->spoken)
		space->invalid = "not as many slot packets as the speaker sent";
	else if ((double)space->late > LATE_MAX * (double)space->spoken)
		space->invalid = "the speaker could not keep its pace";
	else if (space->scene.pacer.failed)
		space->invalid = "the speaker could not send";
	else if (space->unmatched)
		space->invalid = "a packet arrived before it was sent";
	else if (space->after.slot_packets < space->before.slot_packets)
		space->invalid = "the data plane was restarted meanwhile";
}

static void describe_options(struct report *report, const struct options *o)
{
	report_parameter_number(report, "listeners", o->scene.crowd.count);
	report_parameter_number(report, "payload", o->scene.payload_size);
	report_parameter_number(report, "seconds", o->seconds);
	report_parameter_number(report, "mutes", o->mutes);
	for (unsigned int i = 0; i < o->notes; i++)
		report_note(report, o->note[i]);
}

static void count(struct report *report, const char *name, enum report_better better, uint64_t n)
{
	report_value(report, name, "count", better, (double)n);
}

/* What perf/plot.sh draws: the value at each per cent. */
static void distribution(struct report *report, const char *name, double *value, size_t number)
{
	static const char *const columns[] = {"percent", "us"};
	char key[40];

	snprintf(key, sizeof(key), "%s_us", name);
	for (int p = 1; number > 0 && p <= 100; p++) {
		double row[] = {p, tally_percentile(value, number, p)};

		report_row(report, key, columns, row, 2);
	}
}

static void percentiles(struct report *report, const char *name, double *value, size_t number)
{
	char key[40];

	distribution(report, name, value, number);

	for (int p = 50; p <= 99; p += 49) {
		snprintf(key, sizeof(key), "%s_us_p%d", name, p);
		report_value(report, key, "us", REPORT_LOWER, tally_percentile(value, number, p));
	}
}

/* The busiest: when that one is full, the relay is. All of them are in the table. */
static void describe_busy(struct report *report, const struct space *space)
{
	static const char *const columns[] = {"worker", "busy"};
	double most = 0;

	for (unsigned int i = 0; i < space->after.worker_count; i++) {
		double b = (double)(space->after.busy_ns[i] - space->before.busy_ns[i]);
		double idle = (double)(space->after.idle_ns[i] - space->before.idle_ns[i]);
		double row[] = {i, b + idle > 0 ? b / (b + idle) : 0};

		report_row(report, "worker_busy", columns, row, 2);
		most = row[1] > most ? row[1] : most;
	}
	report_value(report, "worker_busy", "ratio", REPORT_LOWER, most);
}

static void describe_speech(struct report *report, struct space *space)
{
	const struct tally *tally = &space->tally;

	count(report, "sent", REPORT_NEITHER, tally->expected);
	count(report, "received", REPORT_NEITHER, tally->received);
	count(report, "lost", REPORT_LOWER, tally->lost);
	count(report, "duplicated", REPORT_LOWER, tally->duplicated);
	percentiles(report, "spread", space->spread_us, space->spread_count);
	percentiles(report, "latency", space->latency_us, space->latency_count);
	describe_busy(report, space);
	count(report, "spoken", REPORT_NEITHER, space->spoken);
	count(report, "slot_packets", REPORT_NEITHER, tally->slot_packets);
	count(report, "spoken_late", REPORT_LOWER, space->late);
	count(report, "listeners_served", REPORT_HIGHER, tally->listeners_served);
	count(report, "listeners_whole", REPORT_HIGHER, tally->listeners_whole);
	report_value(report, "unaccounted", "count", REPORT_LOWER,
		(double)((int64_t)space->transmitted - (int64_t)space->counted));
}

static void describe_trials(struct report *report, struct trial_result *t)
{
	percentiles(report, "mute", t->mute_us, t->trials);
	percentiles(report, "ack", t->ack_us, t->trials);
	report_value(report, "unmute_us_p50", "us", REPORT_LOWER,
		tally_percentile(t->unmute_us, t->trials, 50));
	count(report, "after_ack", REPORT_LOWER, t->after_ack);
	count(report, "mute_trials", REPORT_NEITHER, t->trials);
}

static void forget_speech(struct space *space)
{
	tally_close(&space->tally);
	free(space->spread_us);
	free(space->latency_us);
	space->spread_us = space->latency_us = NULL;
	space->spread_count = space->latency_count = space->unmatched = 0;
}

static int measure_speech(struct space *space, struct report *report)
{
	int error = speak(space);

	if (!error)
		error = take_times(space);
	if (error)
		return error;
	judge(space);
	describe_speech(report, space);
	forget_speech(space);
	report_breathe(report);
	return 0;
}

static int measure(struct space *space, struct report *report)
{
	const struct options *o = space->options;
	int error = scene_open(&space->scene, &o->scene);

	for (unsigned int i = 0; !error && !space->invalid && i < o->repeats; i++)
		error = measure_speech(space, report);
	if (error)
		return error;
	if (!space->invalid && run_trials(space) < 0)
		space->invalid = "a mute trial failed";
	describe_trials(report, &space->trial);
	report_parameter(report, "engine", space->after.engine);
	report_parameter(report, "sink", sink_is_native(space->scene.sink) ? "native" : "generic");
	report_value(report, "joins_per_s", "per_s", REPORT_HIGHER,
		o->scene.crowd.count / space->scene.join_seconds);
	if (space->invalid)
		report_invalid(report, "%s", space->invalid);
	return 0;
}

static void close_all(struct space *space)
{
	scene_close(&space->scene);
	trial_free(&space->trial);
	forget_speech(space);
}

int main(int argc, char **argv)
{
	struct options options = {
		.scene = {.room = "space",
			.interface = "eth0",
			.crowd = {.ports_per_address = 1, .suite = MEDIA_SUITE_GCM128},
			.payload_size = 100},
		.seconds = 10,
		.mutes = 50,
		.repeats = 1,
	};
	int code = REPORT_EXIT_FAILED;
	struct report *report;
	struct space *space;

	if (parse_options(&options, argc, argv) < 0) {
		fputs(usage, stderr);
		return 2;
	}
	space = calloc(1, sizeof(*space));
	report = report_open("space", argc, argv);
	if (!space || !report || srtp_init() != srtp_err_status_ok)
		return code;
	space->options = &options;
	scene_init(&space->scene);
	describe_options(report, &options);
	if (measure(space, report) == 0)
		code = report_close(report, options.format, stdout);
	else
		report_abandon(report);
	close_all(space);
	free(space);
	srtp_shutdown();
	return code;
}
