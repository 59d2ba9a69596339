// SPDX-License-Identifier: BSD-3-Clause
/*
 * Browsers join while one speaker talks to keyed listeners whose copies are counted in the kernel.
 * Real programs over veth, everything seen from outside.
 */
#include "perf/joins.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <srtp2/srtp.h>

#include "perf/argument.h"
#include "perf/joins_report.h"

#define ROOM "joins"
#define PATH "/whep/" ROOM
#define WARM_UP_NS 1000000000u
#define COOL_DOWN_NS 1000000000u
/* Memory is read when nothing happens any more: consent has been asked for at least once. */
#define SETTLE_NS 6000000000u
/* A few words, and as long as it takes one thread to take them in for everybody. */
#define SPEECH_NS 500000000u
#define HEARING_NS 10000000000u
#define DESCRIPTORS_SPARE 1000

const char joins_usage[] =
	"usage: stentor-bench joins --events SOCKET --http ADDRESS:PORT --relay ADDRESS:PORT\n"
	"                     --speaker-netns FILE --listeners-netns FILE --relay-netns FILE\n"
	"                     --clients-netns FILE --speaker ADDRESS:PORT --first ADDRESS:PORT\n"
	"                     --candidate ADDRESS:PORT --client ADDRESS:0 [option...]\n"
	"ICE, DTLS and the first packet of many browsers, while media runs; perf/joins.sh calls "
	"it.\n"
	"  --joins N              1 to 60,000 (2000)\n"
	"  --rate N               joins begun a second, 0: as fast as they go (0)\n"
	"  --window N             under way at a time, 1 to 4,096 (64)\n"
	"  --connections N        of HTTP, 1 to 64 (16)\n"
	"  --sections N           audio sections of an offer, 1 to 8 (3)\n"
	"  --verify N             the first packet of every N-th is opened by libsrtp2 (10)\n"
	"  --listeners N          keyed, whose copies are counted (1000)\n"
	"  --hold                 memory of connected legs instead: nobody speaks meanwhile\n"
	"  --repeats N            of everything, in a room opened anew, 1 to 101 (1); not with "
	"--hold:\n"
	"                         memory that has grown once does not grow again\n"
	"  --controlplane-pid N, --dataplane-pid N\n"
	"  --note NAME=TEXT       one more parameter of the report, any number of times\n"
	"  --json                 one object, as perf/report.schema.json has it\n"
	"Results:\n"
	"  joined  count, higher  joins with a first packet\n"
	"  failed  count, lower   refused, or not ended within ten seconds\n"
	"  verified  count, neither  first packets that libsrtp2 opened\n"
	"  seconds_taken  s, neither  first request to last packet\n"
	"  joins_per_s  per_s, higher  over that time; clients share the cores\n"
	"  joins_per_cpu_s  per_s, higher  over the control plane's CPU time\n"
	"  controlplane_cpu_s  s, lower  of all its threads\n"
	"  controlplane_user_s  s, lower  of that, its own code\n"
	"  controlplane_system_s  s, lower  of that, the kernel's\n"
	"  dataplane_cpu_s  s, neither  it polls\n"
	"  http_ms_p50  ms, lower   the request written to the answer\n"
	"  http_ms_p95  ms, lower   the request written to the answer\n"
	"  http_ms_p99  ms, lower   the request written to the answer\n"
	"  ice_ms_p50  ms, lower   to the answer of the connectivity check\n"
	"  ice_ms_p95  ms, lower   to the answer of the connectivity check\n"
	"  ice_ms_p99  ms, lower   to the answer of the connectivity check\n"
	"  dtls_ms_p50  ms, lower   to the keys\n"
	"  dtls_ms_p95  ms, lower   to the keys\n"
	"  dtls_ms_p99  ms, lower   to the keys\n"
	"  media_ms_p50  ms, lower   to the first packet\n"
	"  media_ms_p95  ms, lower   to the first packet\n"
	"  media_ms_p99  ms, lower   to the first packet\n"
	"  join_ms_p50  ms, lower   all of it\n"
	"  join_ms_p95  ms, lower   all of it\n"
	"  join_ms_p99  ms, lower   all of it\n"
	"  sent  count, neither   copies due to keyed listeners\n"
	"  received  count, neither  of these\n"
	"  lost  count, lower     of these\n"
	"  duplicated  count, lower  of these\n"
	"  spoken  count, neither  packets of the speaker\n"
	"  slot_packets  count, neither  of the room; as many\n"
	"  spoken_late  count, lower  more than 2 ms late\n"
	"  seat_bytes_controlplane  bytes, lower  --hold: a seat with its token\n"
	"  leg_bytes_controlplane  bytes, lower  --hold: a connected leg\n"
	"  leg_bytes_dataplane  bytes, lower  --hold: a connected leg\n"
	"  growth_bytes_controlplane  bytes, lower  --hold: none to all, together\n"
	"  growth_bytes_dataplane  bytes, lower  --hold: none to all, together\n"
	"  heard  count, higher   --hold: clients that hear the speaker\n"
	"  link_dropped  count, lower  copies the veth pair itself dropped; perf/joins.sh adds "
	"it\n";

enum number {
	JOINS,
	RATE,
	WINDOW,
	CONNECTIONS,
	SECTIONS,
	VERIFY,
	LISTENERS,
	CONTROL,
	DATA,
	REPEATS
};

static const struct option table[] = {{"events", 1, NULL, 'e'}, {"http", 1, NULL, 'h'},
	{"relay", 1, NULL, 'r'}, {"speaker-netns", 1, NULL, 'a'}, {"listeners-netns", 1, NULL, 'b'},
	{"relay-netns", 1, NULL, 'c'}, {"clients-netns", 1, NULL, 'd'}, {"interface", 1, NULL, 'i'},
	{"speaker", 1, NULL, 's'}, {"first", 1, NULL, 'f'}, {"candidate", 1, NULL, 'k'},
	{"client", 1, NULL, 'l'}, {"hold", 0, NULL, 'o'}, {"json", 0, NULL, 'j'},
	{"note", 1, NULL, 'n'}, {"joins", 1, NULL, '0' + JOINS}, {"rate", 1, NULL, '0' + RATE},
	{"window", 1, NULL, '0' + WINDOW}, {"connections", 1, NULL, '0' + CONNECTIONS},
	{"sections", 1, NULL, '0' + SECTIONS}, {"verify", 1, NULL, '0' + VERIFY},
	{"listeners", 1, NULL, '0' + LISTENERS}, {"controlplane-pid", 1, NULL, '0' + CONTROL},
	{"dataplane-pid", 1, NULL, '0' + DATA}, {"repeats", 1, NULL, '0' + REPEATS}, {0}};

static int parse_ipv4(uint32_t *address, uint16_t *port, const char *text)
{
	struct sockaddr_storage parsed;
	const struct sockaddr_in *four = (const struct sockaddr_in *)&parsed;

	if (endpoint_parse(&parsed, text) < 0 || parsed.ss_family != AF_INET)
		return -EINVAL;
	*address = ntohl(four->sin_addr.s_addr);
	*port = ntohs(four->sin_port);
	return 0;
}

static int take_number(struct joins_options *o, enum number which)
{
	static const unsigned int low[] = {1, 0, 1, 1, 1, 1, 1, 1, 1, 1};
	static const unsigned int high[] = {60000, 1000000, 4096, STORM_CONNECTIONS_MAX,
		WEBRTC_SECTIONS_MAX, 60000, SINK_LISTENERS_MAX, 1u << 22, 1u << 22, REPEATS_MAX};
	unsigned int *const to[] = {&o->storm.count, &o->storm.rate, &o->storm.window,
		&o->storm.connections, &o->storm.sections, &o->storm.verify_every,
		&o->scene.crowd.count, &o->controlplane, &o->dataplane, &o->repeats};
	char *end;
	unsigned long value = strtoul(optarg, &end, 10);

	if (*end || end == optarg || value < low[which] || value > high[which])
		return -EINVAL;
	*to[which] = (unsigned int)value;
	return 0;
}

static int take_option(struct joins_options *o, int c)
{
	uint16_t unused;

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
	case 'c':
		o->relay_netns = optarg;
		return 0;
	case 'd':
		o->clients_netns = optarg;
		return 0;
	case 'i':
		o->scene.interface = optarg;
		return 0;
	case 'o':
		o->hold = true;
		return 0;
	case 'j':
		o->format = REPORT_JSON;
		return 0;
	case 'n':
		if (o->notes == JOINS_NOTES_MAX)
			return -EINVAL;
		o->note[o->notes++] = optarg;
		return 0;
	case 'h':
		return endpoint_parse(&o->storm.server, optarg);
	case 'k':
		return endpoint_parse(&o->storm.candidate, optarg);
	case 'r':
		return endpoint_parse(&o->scene.relay, optarg);
	case 's':
		return endpoint_parse(&o->scene.speaker, optarg);
	case 'f':
		return parse_ipv4(&o->scene.crowd.address, &o->scene.crowd.port, optarg);
	case 'l':
		return parse_ipv4(&o->storm.address, &unused, optarg);
	default:
		return c >= '0' && c <= '0' + REPEATS ? take_number(o, (enum number)(c - '0'))
						      : -EINVAL;
	}
}

static int parse_options(struct joins_options *o, int argc, char **argv)
{
	int c;

	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
		if (take_option(o, c) < 0) {
			fprintf(stderr, "stentor-bench joins: cannot take '%s'\n",
				optarg ? optarg : "");
			return -EINVAL;
		}
	}
	return optind == argc && o->scene.events && o->scene.speaker_netns &&
			       o->scene.listeners_netns && o->relay_netns && o->clients_netns &&
			       o->scene.relay.ss_family && o->scene.speaker.ss_family &&
			       o->storm.server.ss_family && o->storm.candidate.ss_family &&
			       o->storm.address && o->scene.crowd.port && o->controlplane &&
			       o->dataplane && (!o->hold || o->repeats == 1)
		       ? 0
		       : -EINVAL;
}

static int read_usage(const struct joins *joins, struct joins_usage *usage)
{
	int error = process_read((int)joins->options->controlplane, &usage->controlplane);

	if (!error)
		error = process_read((int)joins->options->dataplane, &usage->dataplane);
	if (error)
		fprintf(stderr, "the programs' use of the machine: %s\n", strerror(-error));
	return error;
}

static int open_all(struct joins *joins)
{
	const struct joins_options *o = joins->options;
	const rlim_t descriptors = o->storm.count + DESCRIPTORS_SPARE;
	const struct rlimit limit = {descriptors, descriptors};
	int error = setrlimit(RLIMIT_NOFILE, &limit) < 0 ? -errno : 0;

	if (!error)
		error = scene_open(&joins->scene, &o->scene);
	if (!error)
		error = read_usage(joins, &joins->start);
	if (!error)
		error = director_join_browsers(
			&joins->scene.director, o->storm.count, o->storm.token);
	if (!error)
		error = scene_enter(o->relay_netns);
	if (error)
		return error;
	error = storm_connect(&joins->storm, &o->storm);
	if (error)
		fprintf(stderr, "HTTP: %s\n", strerror(-error));
	return error ? error : scene_enter(o->clients_netns);
}

/*
 * A program that has just started touches buffers for the first time whoever joins, so what a leg
 * needs is what the second half adds to the first.
 */
static int run_first_half(struct joins *joins)
{
	int error = storm_run(&joins->storm, joins->options->storm.count / 2);

	if (!error)
		error = storm_hold(&joins->storm, SETTLE_NS);
	return error ? error : read_usage(joins, &joins->half);
}

static int run_storm(struct joins *joins)
{
	const struct joins_options *o = joins->options;
	int error = read_usage(joins, &joins->begun);

	if (!error && o->hold)
		error = run_first_half(joins);
	if (!error)
		error = storm_run(&joins->storm, o->storm.count);
	if (!error)
		error = read_usage(joins, &joins->ended);
	if (joins->storm.failure[0] != '\0')
		fprintf(stderr, "%s\n", joins->storm.failure);
	return error;
}

static int measure_joins(struct joins *joins)
{
	struct pacer *pacer = &joins->scene.pacer;
	int error = scene_speak(&joins->scene);

	scene_pause_ns(WARM_UP_NS);
	if (!error)
		error = run_storm(joins);
	if (!error)
		error = storm_hold(&joins->storm, COOL_DOWN_NS);
	pacer_stop(pacer);
	if (!error)
		error = scene_wait_quiet(&joins->scene);
	joins->connected = joins->ended;
	joins->spoken = pacer->count;
	joins->late = pacer->late;
	return error ? error
		     : tally_open(
			       &joins->tally, joins->scene.sink, joins->options->scene.crowd.count);
}

/* Nobody speaks until memory has been read: 10,000 sockets that hear would be all there is. */
static int measure_memory(struct joins *joins)
{
	int error = run_storm(joins);
	uint64_t deadline_ns;

	if (!error)
		error = storm_hold(&joins->storm, SETTLE_NS);
	if (!error)
		error = read_usage(joins, &joins->connected);
	if (!error)
		error = scene_speak(&joins->scene);
	if (!error)
		error = storm_hold(&joins->storm, SPEECH_NS);
	pacer_stop(&joins->scene.pacer);
	deadline_ns = clock_monotonic_ns() + HEARING_NS;
	while (!error && joins->heard < joins->storm.joined && clock_monotonic_ns() < deadline_ns) {
		error = storm_hold(&joins->storm, SPEECH_NS / 10);
		joins->heard = storm_count_hearing(&joins->storm);
	}
	return error;
}

/* The next repeat finds the relay as the first one did. */
static int empty(struct joins *joins)
{
	const struct scene_plan *plan = &joins->options->scene;
	int error = scene_empty_room(&joins->scene, plan);

	return error ? error : director_wait_legs(&joins->scene.director, 0);
}

static int measure(struct joins *joins, struct report *report)
{
	int error = open_all(joins);

	if (!error)
		error = joins->options->hold ? measure_memory(joins) : measure_joins(joins);
	if (error)
		fprintf(stderr, "stentor-bench joins: %s\n", strerror(-error));
	else
		joins_describe(report, joins);
	storm_close(&joins->storm);
	return error ? error : empty(joins);
}

static int run_once(const struct joins_options *options, struct report *report)
{
	struct joins *joins = calloc(1, sizeof(*joins));
	int error = -ENOMEM;

	if (joins == NULL)
		return error;
	joins->options = options;
	scene_init(&joins->scene);
	storm_init(&joins->storm);
	if (srtp_init() == srtp_err_status_ok) {
		error = measure(joins, report);
		tally_close(&joins->tally);
		scene_close(&joins->scene);
		srtp_shutdown();
	}
	for (unsigned int i = 0; i < options->storm.count; i++) {
		free(options->storm.token[i]);
		options->storm.token[i] = NULL;
	}
	free(joins);
	return error;
}

static int run(const struct joins_options *options, struct report *report)
{
	int error = 0;

	for (unsigned int i = 0; !error && i < options->repeats; i++) {
		if (i > 0)
			report_breathe(report);
		error = run_once(options, report);
	}
	return error;
}

int joins_main(int argc, char *argv[])
{
	struct joins_options options = {
		.scene = {.room = ROOM,
			.interface = "eth0",
			.crowd = {.ports_per_address = 1,
				.suite = MEDIA_SUITE_GCM128,
				.count = 1000},
			.payload_size = 100},
		.repeats = 1,
		.storm = {.path = PATH,
			.count = 2000,
			.window = 64,
			.connections = 16,
			.sections = 3,
			.verify_every = 10,
			.timeout_ns = 10000000000u},
	};
	struct report *report;
	int code = REPORT_EXIT_FAILED;

	if (parse_options(&options, argc, argv) < 0) {
		fputs(joins_usage, stderr);
		return 2;
	}
	options.scene.others = options.storm.count;
	options.storm.media = !options.hold;
	options.storm.token = calloc(options.storm.count, sizeof(char *));
	report = report_open("joins", argc, argv);
	if (options.storm.token != NULL && report != NULL) {
		joins_describe_options(report, &options);
		if (run(&options, report) == 0) {
			code = report_close(report, options.format, stdout);
			report = NULL;
		}
	}
	report_abandon(report);
	free(options.storm.token);
	return code;
}
