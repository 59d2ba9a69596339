// SPDX-License-Identifier: BSD-3-Clause
/*
 * Both real programs, the data plane on a null port; this program is the application. Durable
 * events of all kinds, then a large room that is joined in batches, its memory, and how long either
 * program needs to have all of it again after kill -9.
 */
#include "perf/events.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "controlplane/cli/client.h"
#include "perf/argument.h"
#include "perf/burst.h"
#include "perf/endpoint.h"
#include "perf/planes.h"
#include "perf/process.h"
#include "perf/report.h"
#include "perf/tally.h"

#define ROOMS_EACH 16 /* of a connection */
#define CROWD 8       /* browsers in each of them */
#define STEPS 7
#define POLL_NS 2000000
#define START_TIMEOUT_NS 60000000000u
#define ASK_TIMEOUT_MS 20000

const char events_usage[] =
	"usage: stentor-bench events [options]\n"
	"What the control plane takes, keeps and brings back, with a data plane on a null port.\n"
	"  --members N            of the large room, 1,000 to 1,000,000 (100000)\n"
	"  --batch N              members of a join, 1 to 900 (500)\n"
	"  --connections N        1 to 32 (8)\n"
	"  --window N             requests under way on each, 1 to 1,024 (64)\n"
	"  --seconds S            of durable events, 1 to 600 (10)\n"
	"  --folder DIR           where the database is made (/var/tmp): what its disk syncs, "
	"counts\n"
	"  --repeats N            of everything, from empty programs on, 1 to 101 (1)\n"
	"  --json                 one object, as perf/report.schema.json has it\n"
	"Results:\n"
	"  sync_us_p50  us, neither  a write and fdatasync() of 4 KiB in that folder\n"
	"  durable_per_s  per_s, higher  durable and programmed answers, each a change of its own\n"
	"  durable_ms_p50  ms, lower  a line written to its answer read\n"
	"  durable_ms_p99  ms, lower  the same\n"
	"  durable_refused  count, lower  answers of any other kind\n"
	"  durable_cpu_us  us, lower  of all threads of the control plane, an event\n"
	"  joins_per_s  per_s, higher  members, first batch written to last one programmed\n"
	"  joins_ms_p50  ms, lower  a batch\n"
	"  joins_ms_p99  ms, lower  a batch\n"
	"  joins_refused  count, lower  batches not programmed\n"
	"  join_cpu_us  us, lower  of all threads of the control plane, a member\n"
	"  member_bytes_controlplane  bytes, lower  growth of resident memory, each\n"
	"  member_bytes_dataplane  bytes, lower  growth of resident memory, each\n"
	"  restart_controlplane_s  s, lower  killed, started, loaded and in step again\n"
	"  restart_dataplane_s  s, lower  killed, started and all legs programmed again\n";

struct options {
	unsigned int members, batch, connections, window, seconds, repeats;
	const char *folder;
	enum report_format format;
};

struct events {
	struct options options;
	struct planes planes;
	struct client client;
	unsigned int made[BURST_CONNECTIONS_MAX]; /* requests, of each connection */
	unsigned int joined;                      /* members asked for */
	double sync_us;
	struct burst durable, joins;
	struct process_usage durable_from, durable_to, joins_from, joins_to, data_from, data_to;
	double controlplane_s, dataplane_s; /* until all is there again */
};

/* Setting up: each connection has rooms of its own with a speaker and a few browsers. */
static size_t make_room(void *context, unsigned int connection, char *text, size_t size)
{
	struct events *e = context;
	unsigned int n = e->made[connection]++, room = n % ROOMS_EACH;
	unsigned int speaker = connection * ROOMS_EACH + room;
	int used;

	switch (n / ROOMS_EACH) {
	case 0:
		return (size_t)snprintf(text, size,
			"\"type\":\"room.open\",\"actor\":\"host\",\"room\":\"r%u.%u\"}",
			connection, room);
	case 1:
		return (size_t)snprintf(text, size,
			"\"type\":\"member.join\",\"actor\":\"host\",\"room\":\"r%u.%u\","
			"\"role\":\"speaker\",\"member\":\"s\",\"address\":\"10.200.%u.%u\","
			"\"port\":5004}",
			connection, room, speaker / 250, 1 + speaker % 250);
	case 2:
		used = snprintf(text, size,
			"\"type\":\"member.join\",\"actor\":\"host\",\"room\":\"r%u.%u\","
			"\"role\":\"listener\",\"transport\":\"webrtc\",\"members\":[",
			connection, room);
		for (unsigned int i = 0; i < CROWD; i++)
			used += snprintf(text + used, size - (size_t)used, "%s{\"member\":\"m%u\"}",
				i == 0 ? "" : ",", i);
		return (size_t)(used + snprintf(text + used, size - (size_t)used, "]}"));
	default:
		return 0;
	}
}

/* Every one of these changes something, so every one has to be on the disk. */
static size_t make_durable(void *context, unsigned int connection, char *text, size_t size)
{
	static const char *const step[STEPS] = {
		"\"type\":\"room.update\",\"actor\":\"host\",\"title\":\"A title, number %u\"",
		"\"type\":\"floor.request\",\"actor\":\"m%u\"",
		"\"type\":\"floor.deny\",\"actor\":\"host\",\"member\":\"m%u\"",
		"\"type\":\"moderation.mute\",\"actor\":\"host\",\"member\":\"s\",\"reason\":"
		"\"loud %u\"",
		"\"type\":\"moderation.unmute\",\"actor\":\"host\",\"member\":\"s\",\"reason\":"
		"\"%u\"",
		"\"type\":\"member.leave\",\"actor\":\"m%u\"",
		"\"type\":\"member.join\",\"actor\":\"m%u\",\"role\":\"listener\",\"transport\":"
		"\"webrtc\"",
	};
	struct events *e = context;
	unsigned int n = e->made[connection]++, round = n / ROOMS_EACH;
	unsigned int member = round / STEPS % CROWD;
	int used = snprintf(text, size, "\"room\":\"r%u.%u\",", connection, n % ROOMS_EACH);

	used += snprintf(text + used, size - (size_t)used, step[round % STEPS], member);
	return (size_t)(used + snprintf(text + used, size - (size_t)used, "}"));
}

/* Listeners of the large room, each at an address of its own. */
static size_t make_join(void *context, unsigned int connection, char *text, size_t size)
{
	struct events *e = context;
	unsigned int first = e->joined, last = first + e->options.batch;
	int used;

	if (last > e->options.members)
		last = e->options.members;
	if (first == last)
		return 0;
	used = snprintf(text, size,
		"\"type\":\"member.join\",\"actor\":\"host\",\"room\":\"large\",\"role\":"
		"\"listener\",\"members\":[");
	for (unsigned int i = first; i < last; i++)
		used += snprintf(text + used, size - (size_t)used,
			"%s{\"member\":\"l%u\",\"address\":\"10.%u.%u.%u\",\"port\":5004}",
			i == first ? "" : ",", i, i >> 16, i >> 8 & 255, i & 255);
	e->joined = last;
	return (size_t)(used + snprintf(text + used, size - (size_t)used, "]}"));
}

static int run(struct events *e, struct burst *burst, double seconds,
	size_t (*make)(void *, unsigned int, char *, size_t))
{
	struct burst_plan plan = {.socket = e->planes.events,
		.connections = e->options.connections,
		.window = e->options.window,
		.seconds = seconds,
		.programmed = true,
		.make = make,
		.context = e};
	int error;

	/* A batch fills a line; more of them under way would only wait. */
	if (make == make_join)
		plan.connections = plan.window = 2;
	memset(e->made, 0, sizeof(e->made));
	error = burst_run(burst, &plan);
	if (burst->bad > 0)
		fprintf(stderr, "%s\n", burst->failure);
	return error;
}

static int reconnect(struct events *e)
{
	client_close(&e->client);
	return client_open(&e->client, e->planes.events);
}

/* Both know of each other, and the data plane has that many legs. */
static bool in_step(struct events *e, uint64_t legs)
{
	int error;
	json_t *answer, *plane;
	const char *link;
	bool done;

	if (e->client.fd < 0 && reconnect(e) < 0)
		return false;
	answer = client_ask(
		&e->client, json_pack("{s:s}", "type", "status"), ASK_TIMEOUT_MS, &error);
	if (!answer) {
		client_close(&e->client);
		e->client.fd = -1;
		return false;
	}
	plane = json_object_get(answer, "dataplane");
	link = json_string_value(json_object_get(plane, "link"));
	done = link && strcmp(link, "up") == 0 &&
	       (uint64_t)json_integer_value(json_object_get(plane, "legs")) == legs;
	json_decref(answer);
	return done;
}

static int wait_in_step(struct events *e, uint64_t legs)
{
	const struct timespec pause = {.tv_nsec = POLL_NS};
	uint64_t end_ns = clock_monotonic_ns() + START_TIMEOUT_NS;

	while (!in_step(e, legs)) {
		if (clock_monotonic_ns() > end_ns)
			return -ETIMEDOUT;
		nanosleep(&pause, NULL);
	}
	return 0;
}

static uint64_t legs(const struct events *e, uint64_t crowd)
{
	return crowd + (uint64_t)e->options.connections * ROOMS_EACH;
}

static int start(struct events *e)
{
	int error = planes_open(&e->planes, e->options.folder, e->options.members);

	if (!error)
		error = planes_sync_us(&e->planes, &e->sync_us);
	if (!error)
		error = planes_start(&e->planes, PLANE_DATA);
	if (!error)
		error = planes_start(&e->planes, PLANE_CONTROL);
	return error ? error : wait_in_step(e, 0);
}

static int measure_durable(struct events *e)
{
	struct burst setup;
	int error = run(e, &setup, 0, make_room);

	burst_free(&setup);
	if (!error && setup.bad > 0)
		error = -EPROTO;
	if (!error)
		error = process_read(e->planes.pid[PLANE_CONTROL], &e->durable_from);
	if (!error)
		error = run(e, &e->durable, e->options.seconds, make_durable);
	return error ? error : process_read(e->planes.pid[PLANE_CONTROL], &e->durable_to);
}

static int open_large(struct events *e)
{
	int error = 0;
	json_t *answer = client_ask(&e->client,
		json_pack("{s:s, s:s, s:s}", "type", "room.open", "actor", "host", "room", "large"),
		ASK_TIMEOUT_MS, &error);

	if (answer && !json_is_true(json_object_get(answer, "ok")))
		error = -EPROTO;
	json_decref(answer);
	return error;
}

static int measure_joins(struct events *e)
{
	int error = open_large(e);

	if (!error)
		error = process_read(e->planes.pid[PLANE_CONTROL], &e->joins_from);
	if (!error)
		error = process_read(e->planes.pid[PLANE_DATA], &e->data_from);
	if (!error)
		error = run(e, &e->joins, 0, make_join);
	if (!error)
		error = process_read(e->planes.pid[PLANE_CONTROL], &e->joins_to);
	if (!error)
		error = process_read(e->planes.pid[PLANE_DATA], &e->data_to);
	return error;
}

/* From the start of the program, its loading included, until everybody is where they were. */
static int measure_restart(struct events *e, enum plane which, double *seconds)
{
	uint64_t start_ns;
	int error;

	planes_kill(&e->planes, which);
	start_ns = clock_monotonic_ns();
	error = planes_start(&e->planes, which);
	if (!error)
		error = wait_in_step(e, legs(e, e->options.members));
	*seconds = (double)(clock_monotonic_ns() - start_ns) / 1e9;
	return error;
}

static double cpu_s(const struct process_usage *from, const struct process_usage *to)
{
	return to->user_s - from->user_s + to->system_s - from->system_s;
}

/* count: of what its requests asked for. */
static void describe_burst(
	struct report *report, const char *prefix, struct burst *burst, double count)
{
	char key[64];

	snprintf(key, sizeof(key), "%s_per_s", prefix);
	report_value(report, key, "per_s", REPORT_HIGHER,
		burst->seconds > 0 ? count / burst->seconds : 0);
	for (int p = 50; p <= 99; p += 49) {
		snprintf(key, sizeof(key), "%s_ms_p%d", prefix, p);
		report_value(report, key, "ms", REPORT_LOWER,
			tally_percentile(burst->latency_us, burst->good, p) / 1e3);
	}
	snprintf(key, sizeof(key), "%s_refused", prefix);
	report_value(report, key, "count", REPORT_LOWER, (double)burst->bad);
	if (burst->bad > 0)
		report_invalid(report, "%lu answers of %s were refusals", (unsigned long)burst->bad,
			prefix);
}

static double grown(const struct process_usage *from, const struct process_usage *to)
{
	return (double)to->resident_bytes - (double)from->resident_bytes;
}

static void describe_options(struct report *report, const struct options *o)
{
	report_parameter_number(report, "members", o->members);
	report_parameter_number(report, "batch", o->batch);
	report_parameter_number(report, "connections", o->connections);
	report_parameter_number(report, "window", o->window);
	report_parameter_number(report, "seconds", o->seconds);
	report_parameter(report, "folder", o->folder);
}

static void describe(struct report *report, struct events *e)
{
	double members = e->options.members;

	report_value(report, "sync_us_p50", "us", REPORT_NEITHER, e->sync_us);
	describe_burst(report, "durable", &e->durable, (double)e->durable.good);
	report_value(report, "durable_cpu_us", "us", REPORT_LOWER,
		cpu_s(&e->durable_from, &e->durable_to) * 1e6 / (double)e->durable.good);
	describe_burst(report, "joins", &e->joins, e->joins.bad == 0 ? members : 0);
	report_value(report, "join_cpu_us", "us", REPORT_LOWER,
		cpu_s(&e->joins_from, &e->joins_to) * 1e6 / members);
	report_value(report, "member_bytes_controlplane", "bytes", REPORT_LOWER,
		grown(&e->joins_from, &e->joins_to) / members);
	report_value(report, "member_bytes_dataplane", "bytes", REPORT_LOWER,
		grown(&e->data_from, &e->data_to) / members);
	report_value(report, "restart_controlplane_s", "s", REPORT_LOWER, e->controlplane_s);
	report_value(report, "restart_dataplane_s", "s", REPORT_LOWER, e->dataplane_s);
}

static int measure(struct events *e)
{
	int error = start(e);

	if (!error)
		error = measure_durable(e);
	if (!error)
		error = measure_joins(e);
	if (!error)
		error = measure_restart(e, PLANE_CONTROL, &e->controlplane_s);
	if (!error)
		error = measure_restart(e, PLANE_DATA, &e->dataplane_s);
	return error;
}

static int parse(struct options *o, int argc, char **argv)
{
	static const struct option table[] = {{"members", 1, NULL, 0}, {"batch", 1, NULL, 1},
		{"connections", 1, NULL, 2}, {"window", 1, NULL, 3}, {"seconds", 1, NULL, 4},
		{"repeats", 1, NULL, 5}, {"folder", 1, NULL, 6}, {"json", 0, NULL, 7}, {0}};
	static const unsigned int low[] = {1000, 1, 1, 1, 1, 1},
				  high[] = {1000000, 900, 32, 1024, 600, REPEATS_MAX};
	unsigned int *const to[] = {
		&o->members, &o->batch, &o->connections, &o->window, &o->seconds, &o->repeats};
	int c, rc = 0;

	while (rc == 0 && (c = getopt_long(argc, argv, "", table, NULL)) != -1) {
		if (c == 6)
			o->folder = optarg;
		else if (c == 7)
			o->format = REPORT_JSON;
		else if (c > 7)
			rc = -EINVAL;
		else
			rc = argument_number(table[c].name, optarg, low[c], high[c], to[c]);
	}
	return optind == argc ? rc : -EINVAL;
}

static int run_once(struct report *report, const struct options *options)
{
	struct events *e = calloc(1, sizeof(*e));
	int error;

	if (!e)
		return -ENOMEM;
	e->options = *options;
	e->client.fd = -1;
	error = measure(e);
	if (!error)
		describe(report, e);
	client_close(&e->client);
	planes_close(&e->planes);
	burst_free(&e->durable);
	burst_free(&e->joins);
	free(e);
	return error;
}

int events_main(int argc, char *argv[])
{
	struct options options = {100000, 500, 8, 64, 10, 1, "/var/tmp", REPORT_TABLE};
	struct report *report;
	int error = 0;

	if (parse(&options, argc, argv) < 0) {
		fputs(events_usage, stderr);
		return 2;
	}
	report = report_open("events", argc, argv);
	if (!report)
		return REPORT_EXIT_FAILED;
	describe_options(report, &options);
	for (unsigned int i = 0; !error && i < options.repeats; i++) {
		error = run_once(report, &options);
		report_breathe(report);
	}
	if (!error)
		return report_close(report, options.format, stdout);
	fprintf(stderr, "stentor-bench events: %s\n", strerror(-error));
	report_abandon(report);
	return REPORT_EXIT_FAILED;
}
