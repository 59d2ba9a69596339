// SPDX-License-Identifier: BSD-3-Clause
/* The command line of stentor-bench fanout --rooms, and its report. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "configs/log.h"
#include "dataplane/core/fanout.h"
#include "perf/mix.h"
#include "perf/report.h"

#define EXIT_USAGE 2
#define ROOMS_MAX 65536u
#define LISTENERS_MAX 4194304u

const char mix_usage[] =
	"usage: stentor-bench fanout --rooms NxM[,NxM...] [option...]\n"
	"N rooms of M listeners each, a slot packet for every room in a frame: as fast as they go, "
	"then\n"
	"at a share of that, each room at its own moment of the frame.\n"
	"  --rooms NxM[,NxM...]   as in 10000x20,100x1000,1x1000000\n"
	"  --suite SUITE          gcm128, gcm256, cm80 or group: protection (gcm128)\n"
	"  --engine ENGINE        auto, vaes, ipsec_mb or libsrtp (auto)\n"
	"  --payload BYTES        1 to 1,400 (100)\n"
	"  --workers N            1 to 16 (1)\n"
	"  --load PERCENT         of what they can, 1 to 1,000 (70)\n"
	"  --pace-us N            as the option pace_us, 0 to 20,000 (0)\n"
	"  --stale-ms N           as the option stale_ms, 5 to 5,000 (200)\n"
	"  --seconds S            of all turns, 1 to 3,600 (9)\n"
	"  --repeats N            turns as fast as they go, 1 to 101 (5)\n"
	"  --json                 one object, as perf/report.schema.json has it\n"
	"Results:\n"
	"  mpps  Mpps, higher     copies of all workers, as fast as they go\n"
	"  ns_per_copy  ns, lower  of a worker, everything included\n"
	"  frame_ms  ms, neither  under load: each room has a packet in that time\n"
	"  first_us_p50  us, lower  under load: publication to first copies (p99, p999, max)\n"
	"  spread_us_p50  us, lower  of one room only, larger than two slices: first to last copy\n"
	"  small_us_p50  us, lower  to last copy, rooms of up to 100 listeners a worker (p99, "
	"max)\n"
	"  medium_us_p50  us, lower  up to 10,000\n"
	"  large_us_p50  us, lower  more\n"
	"  small_shed_percent  percent, lower  packets not sent whole; medium, large\n"
	"  copies_shed_percent  percent, lower  copies cut or refused, of those begun\n"
	"  busy_percent  percent, neither  of the workers' time, under load\n";

static const char *const suite_names[] = {"gcm128", "gcm256", "cm80", "group"};
static const enum suite suites[] = {
	SUITE_AEAD_AES_128_GCM, SUITE_AEAD_AES_256_GCM, SUITE_AES128_CM_HMAC_SHA1_80, SUITE_NONE};
static const char *const size_names[STN_ROOM_SIZES] = {"small", "medium", "large"};

static int rooms_parse(const char *text, struct mix_options *o)
{
	uint64_t rooms = 0, listeners = 0;
	struct mix_kind *kind;
	char *end;

	for (o->kinds = 0; o->kinds < MIX_KINDS_MAX; text = end + 1) {
		kind = &o->kind[o->kinds++];
		kind->rooms = (uint32_t)strtoul(text, &end, 10);
		if (*end != 'x')
			break;
		kind->listeners = (uint32_t)strtoul(end + 1, &end, 10);
		rooms += kind->rooms;
		listeners += (uint64_t)kind->rooms * kind->listeners;
		if (kind->rooms == 0 || kind->rooms > ROOMS_MAX || kind->listeners == 0 ||
			rooms > ROOMS_MAX || listeners > LISTENERS_MAX)
			break;
		if (*end == '\0')
			return 0;
		if (*end != ',')
			break;
	}
	fprintf(stderr, "stentor-bench: --rooms: NxM[,NxM...], %u rooms and %u listeners at most\n",
		ROOMS_MAX, LISTENERS_MAX);
	return -1;
}

static int suite_parse(const char *text, enum suite *out)
{
	int n = argument_choice("suite", text, suite_names, 4);

	if (n >= 0)
		*out = suites[n];
	return n;
}

static int number_parse(int option, struct mix_options *o)
{
	switch (option) {
	case 'p':
		return argument_number("payload", optarg, 1, FANOUT_PAYLOAD_MAX, &o->payload);
	case 'w':
		return argument_number("workers", optarg, 1, STN_WORKERS_MAX, &o->workers);
	case 'l':
		return argument_number("load", optarg, 1, 1000, &o->load_percent);
	case 'a':
		return argument_number("pace-us", optarg, 0, 20000, &o->pace_us);
	case 'm':
		return argument_number("stale-ms", optarg, 5, 5000, &o->stale_ms);
	case 't':
		return argument_number("seconds", optarg, 1, 3600, &o->seconds);
	case 'r':
		return argument_number("repeats", optarg, 1, REPEATS_MAX, &o->repeats);
	default:
		return -1;
	}
}

static int parse(int argc, char *argv[], struct mix_options *o, enum report_format *format)
{
	static const struct option options[] = {{"rooms", 1, NULL, 'o'}, {"suite", 1, NULL, 's'},
		{"engine", 1, NULL, 'e'}, {"payload", 1, NULL, 'p'}, {"workers", 1, NULL, 'w'},
		{"load", 1, NULL, 'l'}, {"pace-us", 1, NULL, 'a'}, {"stale-ms", 1, NULL, 'm'},
		{"seconds", 1, NULL, 't'}, {"repeats", 1, NULL, 'r'}, {"json", 0, NULL, 'j'},
		{NULL, 0, NULL, 0}};
	int c, rc = 0;

	while (rc >= 0 && (c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'o')
			rc = rooms_parse(optarg, o);
		else if (c == 's')
			rc = suite_parse(optarg, &o->suite);
		else if (c == 'e')
			o->engine = optarg;
		else if (c == 'j')
			*format = REPORT_JSON;
		else
			rc = number_parse(c, o);
	}
	return rc >= 0 && optind == argc ? 0 : -1;
}

static const char *rooms_text(int argc, char *argv[])
{
	int i;

	for (i = 1; i + 1 < argc; i++)
		if (strcmp(argv[i], "--rooms") == 0)
			return argv[i + 1];
	return strchr(argv[1], '=') != NULL ? strchr(argv[1], '=') + 1 : "";
}

static void describe_options(struct report *report, const struct mix_options *o)
{
	unsigned int i = 0;

	while (suites[i] != o->suite)
		i++;
	report_parameter(report, "suite", suite_names[i]);
	report_parameter_number(report, "payload", o->payload);
	report_parameter_number(report, "workers", o->workers);
	report_parameter_number(report, "load_percent", o->load_percent);
	report_parameter_number(report, "pace_us", o->pace_us);
	report_parameter_number(report, "stale_ms", o->stale_ms);
	report_parameter_number(report, "seconds", o->seconds);
}

static void describe_wait(struct report *report, const char *what, const struct histogram *h)
{
	static const struct {
		const char *name;
		double share;
	} rank[] = {{"p50", 0.5}, {"p99", 0.99}, {"p999", 0.999}, {"max", 1}};
	char name[32];
	unsigned int i;

	for (i = 0; histogram_total(h) != 0 && i < 4; i++) {
		snprintf(name, sizeof(name), "%s_us_%s", what, rank[i].name);
		report_value(report, name, "us", REPORT_LOWER,
			(double)histogram_quantile(h, rank[i].share) * 1e-3);
	}
}

static void describe_size(struct report *report, const struct mix_result *r, unsigned int size)
{
	uint64_t whole = histogram_total(&r->last[size]), due = r->published[size];
	char name[32];

	if (due == 0)
		return;
	describe_wait(report, size_names[size], &r->last[size]);
	snprintf(name, sizeof(name), "%s_shed_percent", size_names[size]);
	report_value(report, name, "percent", REPORT_LOWER,
		whole > due ? 0 : 100.0 * (double)(due - whole) / (double)due);
}

static void describe_result(
	struct report *report, const struct mix_options *o, const struct mix_result *r)
{
	unsigned int i;

	report_parameter(report, "engine", r->engine);
	for (i = 0; i < o->repeats; i++) {
		report_value(report, "mpps", "Mpps", REPORT_HIGHER, r->mpps[i]);
		report_value(report, "ns_per_copy", "ns", REPORT_LOWER, r->ns_per_copy[i]);
	}
	report_value(report, "frame_ms", "ms", REPORT_NEITHER, r->frame_ms);
	describe_wait(report, "first", &r->first);
	describe_wait(report, "spread", &r->spread);
	for (i = 0; i < STN_ROOM_SIZES; i++)
		describe_size(report, r, i);
	report_value(report, "copies_shed_percent", "percent", REPORT_LOWER,
		r->copies == 0 ? 0 : 100.0 * (double)(r->stale + r->refused) / (double)r->copies);
	report_value(report, "busy_percent", "percent", REPORT_NEITHER,
		100.0 * (double)r->busy_ns / (double)(r->busy_ns + r->idle_ns + 1));
	if (r->unaccounted != 0)
		report_invalid(
			report, "%lu copies are neither sent nor dropped by name", r->unaccounted);
	if (r->copies == 0)
		report_invalid(report, "no copy was made under load");
}

int mix_main(int argc, char *argv[])
{
	struct mix_options options = {.suite = SUITE_AEAD_AES_128_GCM,
		.engine = "auto",
		.payload = 100,
		.workers = 1,
		.load_percent = 70,
		.stale_ms = 200,
		.repeats = 5,
		.seconds = 9};
	enum report_format format = REPORT_TABLE;
	struct mix_result *result;
	struct report *report;
	int rc;

	if (parse(argc, argv, &options, &format) < 0) {
		fputs(mix_usage, stderr);
		return EXIT_USAGE;
	}
	log_open(LOG_LEVEL_WARN);
	result = calloc(1, sizeof(*result));
	report = report_open("fanout_rooms", argc, argv);
	if (report == NULL || result == NULL)
		return REPORT_EXIT_FAILED;
	report_parameter(report, "rooms", rooms_text(argc, argv));
	describe_options(report, &options);
	rc = mix_measure(&options, result);
	if (rc < 0) {
		fprintf(stderr, "stentor-bench: %s\n", strerror(-rc));
		report_abandon(report);
		free(result);
		return REPORT_EXIT_FAILED;
	}
	describe_result(report, &options, result);
	free(result);
	return report_close(report, format, stdout);
}
