// SPDX-License-Identifier: BSD-3-Clause
/* Speakers whose packets go to a relay at an address, at a steady pace, one after another. */
#include "perf/generate.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <srtp2/srtp.h>

#include "perf/argument.h"
#include "perf/report.h"
#include "perf/runlog.h"
#include "perf/scene.h"

/* Sends later than this share make the pace, and so the load, something else than intended. */
#define LATE_MAX 0.02
#define ROOM_NAME 32
/* A million listeners are read in seconds; where somebody carries logs over, it takes a while. */
#define SINK_TIMEOUT_NS 120000000000u
#define SINK_LOOK_NS 50000000u

const char generate_usage[] =
	"usage: stentor-bench generate --relay ADDRESS:PORT --speaker ADDRESS:PORT\n"
	"           --first ADDRESS:PORT --listeners N (--events SOCKET | --write FILE) "
	"[option...]\n"
	"Speakers whose packets go to a relay, each into a room of its own with an equal share of "
	"the\n"
	"listeners; perf/two-machines.md is the recipe.\n"
	"  --relay ADDRESS:PORT   where the relay takes media\n"
	"  --speaker ADDRESS:PORT  ours, of the first; the others' ports follow\n"
	"  --speakers N           1 to 64 (1)\n"
	"  --first ADDRESS:PORT   of the first listener; the others' addresses follow\n"
	"  --ports-per-address N  listeners at one address, their ports follow (1)\n"
	"  --listeners N          of all rooms, each under a key of its own\n"
	"  --events SOCKET        the relay's events.sock, which programs the rooms\n"
	"  --write FILE           events are written there instead, and the speakers begin when a "
	"line\n"
	"                         comes on standard input: the relay has been told by then. Of "
	"the\n"
	"                         second repeat to FILE.2, and so on\n"
	"  --room NAME            rooms are called so, and numbered (generate)\n"
	"  --suite SUITE          gcm128, gcm256 or cm80: of everybody (gcm128)\n"
	"  --payload BYTES        4 to 1,200, with cm80 10: more than silence has with any tag "
	"(100)\n"
	"  --seconds S            after the last speaker has begun, 1 to 1,000 (10)\n"
	"  --ramp S               a further speaker every S seconds, 0: all at once (0)\n"
	"  --repeats N            of everything, in rooms opened anew, 1 to 101 (1); with --log "
	"each "
	"begins\n"
	"                         when the sink has removed the log of the one before\n"
	"  --log FILE             what was sent when, for stentor-bench sink\n"
	"  --json                 one object, as perf/report.schema.json has it\n"
	"Results:\n"
	"  spoken  count, neither  packets sent by all speakers\n"
	"  spoken_late  count, lower  of these, more than 2 ms late\n"
	"  joins_per_s  per_s, higher  listeners by events.sock, until programmed\n"
	"  slot_packets  count, neither  --events: of the relay's rooms; as many as spoken\n"
	"  tx_packets  count, neither  --events: packets the relay says it transmitted\n"
	"  worker_busy  ratio, lower  --events: the busiest worker\n";

struct options {
	struct scene_plan scene;
	const char *write, *log;
	unsigned int speakers, seconds, ramp, repeats;
	enum report_format format;
};

struct generate {
	const struct options *options;
	unsigned int repeat; /* from 1 on */
	struct scene *scene; /* one for each speaker */
	struct scene_plan *plan;
	char (*room)[ROOM_NAME];
	FILE *file;
	struct director_counters before, after;
	double join_seconds;
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

static int take_number(struct options *o, int c)
{
	static const char *const name[] = {"speakers", "ports-per-address", "listeners", "payload",
		"seconds", "ramp", "repeats"};
	static const uint32_t low[] = {1, 1, 1, 4, 1, 0, 1};
	static const uint32_t high[] = {
		RUNLOG_SPEAKERS_MAX, 60000, SINK_LISTENERS_MAX, 1200, 1000, 1000, REPEATS_MAX};
	uint32_t ports = o->scene.crowd.ports_per_address;
	uint32_t *const to[] = {&o->speakers, &ports, &o->scene.crowd.count, &o->scene.payload_size,
		&o->seconds, &o->ramp, &o->repeats};
	int rc = argument_number(name[c], optarg, low[c], high[c], to[c]);

	o->scene.crowd.ports_per_address = (uint16_t)ports;
	return rc;
}

static int take_option(struct options *o, int c)
{
	switch (c) {
	case 'r':
		return endpoint_parse(&o->scene.relay, optarg);
	case 's':
		return endpoint_parse(&o->scene.speaker, optarg);
	case 'f':
		return parse_first(&o->scene.crowd, optarg);
	case 'u':
		return media_suite_parse(&o->scene.crowd.suite, optarg);
	case 'e':
		o->scene.events = optarg;
		return 0;
	case 'w':
		o->write = optarg;
		return 0;
	case 'o':
		o->scene.room = optarg;
		return 0;
	case 'g':
		o->log = optarg;
		return 0;
	case 'j':
		o->format = REPORT_JSON;
		return 0;
	default:
		return c < 7 ? take_number(o, c) : -EINVAL;
	}
}

static int parse(struct options *o, int argc, char *argv[])
{
	static const struct option table[] = {{"relay", 1, NULL, 'r'}, {"speaker", 1, NULL, 's'},
		{"first", 1, NULL, 'f'}, {"suite", 1, NULL, 'u'}, {"events", 1, NULL, 'e'},
		{"write", 1, NULL, 'w'}, {"room", 1, NULL, 'o'}, {"log", 1, NULL, 'g'},
		{"json", 0, NULL, 'j'}, {"speakers", 1, NULL, 0}, {"ports-per-address", 1, NULL, 1},
		{"listeners", 1, NULL, 2}, {"payload", 1, NULL, 3}, {"seconds", 1, NULL, 4},
		{"ramp", 1, NULL, 5}, {"repeats", 1, NULL, 6}, {0}};
	int c, rc = 0;

	while (rc >= 0 && (c = getopt_long(argc, argv, "", table, NULL)) != -1)
		rc = take_option(o, c);
	return rc >= 0 && optind == argc && o->scene.relay.ss_family &&
			       o->scene.speaker.ss_family == AF_INET && o->scene.crowd.port &&
			       (o->scene.payload_size >= 10 ||
				       o->scene.crowd.suite != MEDIA_SUITE_CM80) &&
			       o->scene.crowd.count >= o->speakers && !o->scene.events == !!o->write
		       ? 0
		       : -EINVAL;
}

/* Whole addresses only: a room begins where an address does. */
static uint32_t share(const struct options *o, unsigned int speaker)
{
	uint32_t ports = o->scene.crowd.ports_per_address;
	uint32_t addresses = (o->scene.crowd.count + ports - 1) / ports;
	uint32_t first = (uint32_t)((uint64_t)addresses * speaker / o->speakers);

	return first * ports < o->scene.crowd.count ? first * ports : o->scene.crowd.count;
}

static void plan(struct generate *g, unsigned int speaker)
{
	const struct options *o = g->options;
	struct scene_plan *p = &g->plan[speaker];
	struct sockaddr_in *four = (struct sockaddr_in *)&p->speaker;
	uint32_t first = share(o, speaker);

	*p = o->scene;
	snprintf(g->room[speaker], ROOM_NAME, "%.20s%u", o->scene.room, speaker);
	p->room = g->room[speaker];
	p->crowd.address += first / p->crowd.ports_per_address;
	p->crowd.count = share(o, speaker + 1) - first;
	four->sin_port = htons((uint16_t)(ntohs(four->sin_port) + speaker));
}

static int program(struct generate *g)
{
	const struct options *o = g->options;
	int error = 0;

	for (unsigned int i = 0; error == 0 && i < o->speakers; i++) {
		plan(g, i);
		if (g->plan[i].crowd.count == 0) {
			fprintf(stderr, "speaker %u has no listeners: too few addresses\n", i);
			return -EINVAL;
		}
		g->scene[i].director.file = g->file;
		/* Nobody has told the relay to forget what was written down before. */
		if (g->file != NULL && g->repeat > 1)
			error = scene_empty_room(&g->scene[i], &g->plan[i]);
		if (error == 0)
			error = scene_open_speaker(&g->scene[i], &g->plan[i]);
		if (error == 0)
			error = scene_fill_room(&g->scene[i], &g->plan[i]);
		g->join_seconds += g->scene[i].join_seconds;
	}
	return error;
}

/* Keys are in it, so it is never one that was there. */
static int open_file(struct generate *g)
{
	char path[4096];
	int size;

	if (g->options->write == NULL)
		return 0;
	if (g->repeat == 1)
		size = snprintf(path, sizeof(path), "%s", g->options->write);
	else
		size = snprintf(path, sizeof(path), "%s.%u", g->options->write, g->repeat);
	if (size >= (int)sizeof(path))
		return -ENAMETOOLONG;
	g->file = fopen(path, "wxe");
	return g->file == NULL ? -errno : 0;
}

/* The file is complete; whoever carries it to the relay says when that is done. */
static int wait_for_line(struct generate *g)
{
	int c;

	if (g->file == NULL)
		return 0;
	if (fflush(g->file) != 0)
		return -EIO;
	fprintf(stderr, "%s", g->options->write);
	if (g->repeat > 1)
		fprintf(stderr, ".%u", g->repeat);
	fprintf(stderr, " is written: stentorctl event it on the relay, then press Enter here\n");
	do
		c = getchar();
	while (c != '\n' && c != EOF);
	return c == EOF ? -EPIPE : 0;
}

static int read_counters(struct generate *g, struct director_counters *out)
{
	return g->file == NULL ? director_read(&g->scene[0].director, out) : 0;
}

static int speak(struct generate *g)
{
	const struct options *o = g->options;
	int error = read_counters(g, &g->before);

	for (unsigned int i = 0; error == 0 && i < o->speakers; i++) {
		if (i > 0)
			scene_pause_ns((uint64_t)o->ramp * 1000000000u);
		error = scene_speak(&g->scene[i]);
	}
	if (error == 0)
		scene_pause_ns((uint64_t)o->seconds * 1000000000u);
	for (unsigned int i = 0; i < o->speakers; i++)
		pacer_stop(&g->scene[i].pacer);
	/* What is on its way is counted in the relay by then. */
	scene_pause_ns(500000000u);
	return error == 0 ? read_counters(g, &g->after) : error;
}

static int write_log(struct generate *g)
{
	struct runlog log = {.repeat = g->repeat,
		.repeats = g->options->repeats,
		.speakers = g->options->speakers};
	int error;

	if (g->options->log == NULL)
		return 0;
	for (unsigned int i = 0; i < log.speakers; i++)
		log.speaker[i] = (struct runlog_speaker){.listeners = g->plan[i].crowd.count,
			.count = g->scene[i].pacer.count,
			.send_ns = g->scene[i].pacer.send_ns};
	error = runlog_write(g->options->log, &log);
	if (error)
		fprintf(stderr, "%s: %s\n", g->options->log, strerror(-error));
	return error;
}

/* The next repeat finds the relay as the first one did. */
static int empty_rooms(struct generate *g)
{
	const struct options *o = g->options;
	uint64_t ours = o->scene.crowd.count + o->speakers;
	int error = 0;

	if (g->file != NULL)
		return 0;
	for (unsigned int i = 0; error == 0 && i < o->speakers; i++)
		error = scene_empty_room(&g->scene[i], &g->plan[i]);
	if (error == 0)
		error = director_wait_legs(
			&g->scene[0].director, g->before.legs > ours ? g->before.legs - ours : 0);
	return error;
}

/* The sink has counted, and begun to count anew, when the log is gone. */
static int wait_for_sink(const struct generate *g)
{
	const char *log = g->options->log;
	uint64_t deadline_ns = clock_monotonic_ns() + SINK_TIMEOUT_NS;

	if (log == NULL || g->repeat == g->options->repeats)
		return 0;
	fprintf(stderr, "repeat %u of %u: waiting until the sink removes %s\n", g->repeat,
		g->options->repeats, log);
	while (access(log, F_OK) == 0) {
		if (clock_monotonic_ns() > deadline_ns) {
			fprintf(stderr, "no sink has removed %s\n", log);
			return -ETIMEDOUT;
		}
		scene_pause_ns(SINK_LOOK_NS);
	}
	return 0;
}

static void describe_options(struct report *report, const struct options *o)
{
	static const char *const suite[] = {[MEDIA_SUITE_GCM128] = "gcm128",
		[MEDIA_SUITE_GCM256] = "gcm256",
		[MEDIA_SUITE_CM80] = "cm80"};

	report_parameter(report, "suite", suite[o->scene.crowd.suite]);
	report_parameter_number(report, "speakers", o->speakers);
	report_parameter_number(report, "listeners", o->scene.crowd.count);
	report_parameter_number(report, "payload", o->scene.payload_size);
	report_parameter_number(report, "seconds", o->seconds);
	report_parameter_number(report, "ramp", o->ramp);
	report_parameter_number(report, "repeats", o->repeats);
}

static void describe_relay(struct report *report, const struct generate *g, uint64_t spoken)
{
	const struct director_counters *from = &g->before, *to = &g->after;
	uint64_t packets = to->slot_packets - from->slot_packets;
	double most = 0;

	for (unsigned int i = 0; i < to->worker_count; i++) {
		double busy = (double)(to->busy_ns[i] - from->busy_ns[i]);
		double idle = (double)(to->idle_ns[i] - from->idle_ns[i]);

		most = busy + idle > 0 && busy / (busy + idle) > most ? busy / (busy + idle) : most;
	}
	report_parameter(report, "engine", to->engine);
	report_value(report, "joins_per_s", "per_s", REPORT_HIGHER,
		g->options->scene.crowd.count / g->join_seconds);
	report_value(report, "slot_packets", "count", REPORT_NEITHER, (double)packets);
	report_value(report, "tx_packets", "count", REPORT_NEITHER,
		(double)(to->tx_packets - from->tx_packets));
	report_value(report, "worker_busy", "ratio", REPORT_LOWER, most);
	if (packets != spoken)
		report_invalid(report, "the speakers sent %lu packets, the relay's rooms %lu",
			spoken, packets);
}

static void describe(struct report *report, const struct generate *g)
{
	uint64_t spoken = 0, late = 0, failed = 0;

	for (unsigned int i = 0; i < g->options->speakers; i++) {
		spoken += g->scene[i].pacer.count;
		late += g->scene[i].pacer.late;
		failed += g->scene[i].pacer.failed;
	}
	report_value(report, "spoken", "count", REPORT_NEITHER, (double)spoken);
	report_value(report, "spoken_late", "count", REPORT_LOWER, (double)late);
	if (g->file == NULL)
		describe_relay(report, g, spoken);
	if (failed > 0)
		report_invalid(report, "%lu packets could not be sent", failed);
	if ((double)late > LATE_MAX * (double)spoken)
		report_invalid(report, "%lu of %lu packets were late (at most %g)", late, spoken,
			LATE_MAX);
}

static int run(struct generate *g, struct report *report)
{
	const struct options *o = g->options;
	int error;

	g->scene = calloc(o->speakers, sizeof(*g->scene));
	g->plan = calloc(o->speakers, sizeof(*g->plan));
	g->room = calloc(o->speakers, sizeof(*g->room));
	if (g->scene == NULL || g->plan == NULL || g->room == NULL)
		return -ENOMEM;
	for (unsigned int i = 0; i < o->speakers; i++)
		scene_init(&g->scene[i]);
	error = open_file(g);
	if (error == 0)
		error = program(g);
	if (error == 0)
		error = wait_for_line(g);
	if (error == 0)
		error = speak(g);
	if (error == 0)
		error = empty_rooms(g);
	if (error == 0)
		error = write_log(g);
	if (error == 0)
		describe(report, g);
	return error == 0 ? wait_for_sink(g) : error;
}

static void close_all(struct generate *g)
{
	for (unsigned int i = 0; g->scene != NULL && i < g->options->speakers; i++)
		scene_close(&g->scene[i]);
	if (g->file != NULL)
		fclose(g->file);
	free(g->scene);
	free(g->plan);
	free(g->room);
}

static int run_all(const struct options *o, struct report *report)
{
	int error = 0;

	for (unsigned int i = 1; error == 0 && i <= o->repeats; i++) {
		struct generate generate = {.options = o, .repeat = i};

		error = run(&generate, report);
		close_all(&generate);
		if (i < o->repeats)
			report_breathe(report);
	}
	return error;
}

int generate_main(int argc, char *argv[])
{
	struct options options = {
		.scene = {.room = "generate",
			.crowd = {.ports_per_address = 1, .suite = MEDIA_SUITE_GCM128},
			.payload_size = 100},
		.speakers = 1,
		.seconds = 10,
		.repeats = 1};
	struct report *report;
	int error;

	if (parse(&options, argc, argv) < 0) {
		fputs(generate_usage, stderr);
		return 2;
	}
	report = report_open("generate", argc, argv);
	if (report == NULL || srtp_init() != srtp_err_status_ok) {
		report_abandon(report);
		return REPORT_EXIT_FAILED;
	}
	describe_options(report, &options);
	error = run_all(&options, report);
	srtp_shutdown();
	if (error == 0)
		return report_close(report, options.format, stdout);
	fprintf(stderr, "stentor-bench generate: %s\n", strerror(-error));
	report_abandon(report);
	return REPORT_EXIT_FAILED;
}
