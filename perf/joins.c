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

#include "perf/process.h"
#include "perf/report.h"
#include "perf/scene.h"
#include "perf/storm.h"
#include "perf/tally.h"

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
#define NOTES_MAX 8

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

struct options {
	struct scene_plan scene;
	struct storm_plan storm;
	const char *relay_netns;
	const char *clients_netns;
	unsigned int controlplane, dataplane; /* process ids */
	bool hold;
	const char *note[NOTES_MAX];
	unsigned int notes;
	enum report_format format;
};

struct usage {
	struct process_usage controlplane, dataplane;
};

struct joins {
	const struct options *options;
	struct scene scene;
	struct storm storm;
	struct tally tally;
	struct usage start, begun, half, ended, connected;
	uint64_t spoken, late;
	unsigned int heard; /* hold: how many have heard the speaker at the end */
};

enum number { JOINS, RATE, WINDOW, CONNECTIONS, SECTIONS, VERIFY, LISTENERS, CONTROL, DATA };

static const struct option table[] = {{"events", 1, NULL, 'e'}, {"http", 1, NULL, 'h'},
	{"relay", 1, NULL, 'r'}, {"speaker-netns", 1, NULL, 'a'}, {"listeners-netns", 1, NULL, 'b'},
	{"relay-netns", 1, NULL, 'c'}, {"clients-netns", 1, NULL, 'd'}, {"interface", 1, NULL, 'i'},
	{"speaker", 1, NULL, 's'}, {"first", 1, NULL, 'f'}, {"candidate", 1, NULL, 'k'},
	{"client", 1, NULL, 'l'}, {"hold", 0, NULL, 'o'}, {"json", 0, NULL, 'j'},
	{"note", 1, NULL, 'n'}, {"joins", 1, NULL, '0' + JOINS}, {"rate", 1, NULL, '0' + RATE},
	{"window", 1, NULL, '0' + WINDOW}, {"connections", 1, NULL, '0' + CONNECTIONS},
	{"sections", 1, NULL, '0' + SECTIONS}, {"verify", 1, NULL, '0' + VERIFY},
	{"listeners", 1, NULL, '0' + LISTENERS}, {"controlplane-pid", 1, NULL, '0' + CONTROL},
	{"dataplane-pid", 1, NULL, '0' + DATA}, {0}};

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

static int take_number(struct options *o, enum number which)
{
	static const unsigned int low[] = {1, 0, 1, 1, 1, 1, 1, 1, 1};
	static const unsigned int high[] = {60000, 1000000, 4096, STORM_CONNECTIONS_MAX,
		WEBRTC_SECTIONS_MAX, 60000, SINK_LISTENERS_MAX, 1u << 22, 1u << 22};
	unsigned int *const to[] = {&o->storm.count, &o->storm.rate, &o->storm.window,
		&o->storm.connections, &o->storm.sections, &o->storm.verify_every,
		&o->scene.crowd.count, &o->controlplane, &o->dataplane};
	char *end;
	unsigned long value = strtoul(optarg, &end, 10);

	if (*end || end == optarg || value < low[which] || value > high[which])
		return -EINVAL;
	*to[which] = (unsigned int)value;
	return 0;
}

static int take_option(struct options *o, int c)
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
		if (o->notes == NOTES_MAX)
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
		return c >= '0' && c <= '0' + DATA ? take_number(o, (enum number)(c - '0'))
						   : -EINVAL;
	}
}

static int parse_options(struct options *o, int argc, char **argv)
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
			       o->dataplane
		       ? 0
		       : -EINVAL;
}

static int read_usage(const struct joins *joins, struct usage *usage)
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
	const struct options *o = joins->options;
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
	const struct options *o = joins->options;
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

static double milliseconds(const struct storm_member *m, unsigned int phase)
{
	const uint64_t at[] = {m->begun_ns, m->client.answered_ns, m->client.checked_ns,
		m->client.secured_ns, m->ended_ns};

	if (phase == 4)
		return (double)(m->ended_ns - m->begun_ns) / 1e6;
	return (double)(at[phase + 1] - at[phase]) / 1e6;
}

/* HTTP, ICE, DTLS, until media, and all of it. */
static void describe_latencies(struct report *report, const struct joins *joins)
{
	static const char *const name[] = {"http", "ice", "dtls", "media", "join"};
	static const int percent[] = {50, 95, 99};
	const struct storm *storm = &joins->storm;
	double *value = calloc(storm->begun + 1, sizeof(double));
	char key[32];

	for (unsigned int phase = 0; value && phase < 5; phase++) {
		size_t count = 0;

		for (unsigned int i = 0; i < storm->begun; i++) {
			if (storm->member[i].client.state != WEBRTC_FAILED)
				value[count++] = milliseconds(&storm->member[i], phase);
		}
		for (unsigned int i = 0; i < 3; i++) {
			snprintf(key, sizeof(key), "%s_ms_p%d", name[phase], percent[i]);
			report_value(report, key, "ms", REPORT_LOWER,
				tally_percentile(value, count, percent[i]));
		}
	}
	free(value);
}

static double busy_s(const struct process_usage *from, const struct process_usage *to)
{
	return to->user_s - from->user_s + to->system_s - from->system_s;
}

static void describe_processes(struct report *report, const struct joins *joins)
{
	const struct usage *b = &joins->begun, *e = &joins->ended;
	double cpu_s = busy_s(&b->controlplane, &e->controlplane);

	report_value(report, "joins_per_cpu_s", "per_s", REPORT_HIGHER,
		cpu_s > 0 ? joins->storm.joined / cpu_s : 0.0);
	report_value(report, "controlplane_cpu_s", "s", REPORT_LOWER, cpu_s);
	report_value(report, "controlplane_user_s", "s", REPORT_LOWER,
		e->controlplane.user_s - b->controlplane.user_s);
	report_value(report, "controlplane_system_s", "s", REPORT_LOWER,
		e->controlplane.system_s - b->controlplane.system_s);
	report_value(report, "dataplane_cpu_s", "s", REPORT_NEITHER,
		busy_s(&b->dataplane, &e->dataplane));
}

static double per_leg(
	const struct process_usage *from, const struct process_usage *to, unsigned int legs)
{
	return ((double)to->resident_bytes - (double)from->resident_bytes) / legs;
}

static void bytes(struct report *report, const char *name, double value)
{
	report_value(report, name, "bytes", REPORT_LOWER, value);
}

/* Of the seat with its token, and of the leg that is connected. */
static void describe_memory(struct report *report, const struct joins *joins)
{
	const struct usage *s = &joins->start, *m = &joins->begun, *c = &joins->connected;
	const struct usage *h = &joins->half;
	unsigned int all = joins->options->storm.count, second = all - all / 2;

	bytes(report, "seat_bytes_controlplane", per_leg(&s->controlplane, &m->controlplane, all));
	bytes(report, "leg_bytes_controlplane",
		per_leg(&h->controlplane, &c->controlplane, second));
	bytes(report, "leg_bytes_dataplane", per_leg(&h->dataplane, &c->dataplane, second));
	bytes(report, "growth_bytes_controlplane", per_leg(&m->controlplane, &c->controlplane, 1));
	bytes(report, "growth_bytes_dataplane", per_leg(&m->dataplane, &c->dataplane, 1));
	report_value(report, "heard", "count", REPORT_HIGHER, joins->heard);
	if (joins->heard != joins->storm.joined)
		report_invalid(report, "%u of %u clients hear the speaker", joins->heard,
			joins->storm.joined);
}

static void count(struct report *report, const char *name, enum report_better better, uint64_t n)
{
	report_value(report, name, "count", better, (double)n);
}

static void describe_media(struct report *report, const struct joins *joins)
{
	const struct tally *t = &joins->tally;

	count(report, "sent", REPORT_NEITHER, t->expected);
	count(report, "received", REPORT_NEITHER, t->received);
	count(report, "lost", REPORT_LOWER, t->lost);
	count(report, "duplicated", REPORT_LOWER, t->duplicated);
	count(report, "spoken", REPORT_NEITHER, joins->spoken);
	count(report, "slot_packets", REPORT_NEITHER, t->slot_packets);
	count(report, "spoken_late", REPORT_LOWER, joins->late);
	if (t->slot_packets != joins->spoken)
		report_invalid(report, "the speaker sent %lu packets, the room %lu", joins->spoken,
			t->slot_packets);
	if (t->lost > 0)
		report_invalid(report, "%lu copies were lost", t->lost);
}

static void describe(struct report *report, const struct joins *joins)
{
	const struct storm *storm = &joins->storm;
	double seconds = (double)(storm->end_ns - storm->begin_ns) / 1e9;

	count(report, "joined", REPORT_HIGHER, storm->joined);
	count(report, "failed", REPORT_LOWER, storm->failed);
	count(report, "verified", REPORT_NEITHER, storm_count_opened(storm));
	report_value(report, "seconds_taken", "s", REPORT_NEITHER, seconds);
	report_value(report, "joins_per_s", "per_s", REPORT_HIGHER,
		seconds > 0 ? storm->joined / seconds : 0.0);
	describe_processes(report, joins);
	describe_latencies(report, joins);
	if (joins->options->hold)
		describe_memory(report, joins);
	else
		describe_media(report, joins);
	if (storm->failed > 0 || storm->joined < joins->options->storm.count)
		report_invalid(report, "%u of %u joins did not end with media: %s",
			joins->options->storm.count - storm->joined, joins->options->storm.count,
			storm->failure[0] != '\0' ? storm->failure : "no reason known");
}

static void describe_options(struct report *report, const struct options *o)
{
	report_parameter_number(report, "joins", o->storm.count);
	report_parameter_number(report, "rate", o->storm.rate);
	report_parameter_number(report, "window", o->storm.window);
	report_parameter_number(report, "connections", o->storm.connections);
	report_parameter_number(report, "sections", o->storm.sections);
	report_parameter_number(report, "listeners", o->scene.crowd.count);
	report_parameter(report, "hold", o->hold ? "yes" : "no");
	for (unsigned int i = 0; i < o->notes; i++)
		report_note(report, o->note[i]);
}

static int measure(struct joins *joins, struct report *report)
{
	int error = open_all(joins);

	if (!error)
		error = joins->options->hold ? measure_memory(joins) : measure_joins(joins);
	if (error)
		fprintf(stderr, "stentor-bench joins: %s\n", strerror(-error));
	else
		describe(report, joins);
	return error;
}

static int run(const struct options *options, struct report *report)
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
		storm_close(&joins->storm);
		tally_close(&joins->tally);
		scene_close(&joins->scene);
		srtp_shutdown();
	}
	free(joins);
	return error;
}

int joins_main(int argc, char *argv[])
{
	struct options options = {
		.scene = {.room = ROOM,
			.interface = "eth0",
			.crowd = {.ports_per_address = 1,
				.suite = MEDIA_SUITE_GCM128,
				.count = 1000},
			.payload_size = 100},
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
		describe_options(report, &options);
		if (run(&options, report) == 0) {
			code = report_close(report, options.format, stdout);
			report = NULL;
		}
	}
	report_abandon(report);
	for (unsigned int i = 0; options.storm.token != NULL && i < options.storm.count; i++)
		free(options.storm.token[i]);
	free(options.storm.token);
	return code;
}
