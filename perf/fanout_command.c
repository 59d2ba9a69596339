// SPDX-License-Identifier: BSD-3-Clause
/* The command line of stentor-bench fanout, and its report. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "configs/log.h"
#include "dataplane/core/fanout.h"
#include "perf/argument.h"
#include "perf/fanout.h"
#include "perf/mix.h"
#include "perf/report.h"

#define EXIT_USAGE 2

const char fanout_usage[] =
	"usage: stentor-bench fanout [option...]\n"
	"The production path from one slot packet to transmitted copies, in turns with "
	"libIPSec_MB\n"
	"alone on the same keys.\n"
	"  --suite SUITE          gcm128, gcm256, cm80 or group: protection (gcm128)\n"
	"  --engine ENGINE        auto, vaes, ipsec_mb or libsrtp (auto)\n"
	"  --listeners N          1 to 4,194,304 (20000)\n"
	"  --payload BYTES        1 to 1,400 (100)\n"
	"  --workers N            1 to 16 (1)\n"
	"  --sink SINK            null or memif: where copies go; of memif another process reads "
	"them (null)\n"
	"  --seconds S            of all turns, 1 to 3,600 (11)\n"
	"  --repeats N            turns, 1 to 101 (5)\n"
	"  --reference WHEN       on or off: turns of libIPSec_MB alone in between (on)\n"
	"  --json                 one object, as perf/report.schema.json has it\n"
	"Results:\n"
	"  mpps  Mpps, higher     copies of all workers\n"
	"  ns_per_copy  ns, lower  of a worker, everything included\n"
	"  reference_ns  ns, neither  libIPSec_MB alone, the same payload and keys on the same "
	"core\n"
	"  ratio  ratio, lower    ns_per_copy over reference_ns\n"
	"  copies  count, neither  that the port took\n"
	"  verified  count, neither  copies opened by libsrtp2\n"
	"  verify_failures  count, lower  of these, copies that were wrong\n"
	"  hot_bytes_per_listener  bytes, lower  template, origin and what the engine reads of the "
	"key\n"
	"  sink_read  count, neither  memif: copies the other process read\n"
	"  sink_lost  count, lower  memif: copies the port took and nobody read\n";

/* In the order of their numbers in suite[]. */
static const char *const suite_names[] = {"gcm128", "gcm256", "cm80", "group"};
static const enum suite suite[] = {
	SUITE_AEAD_AES_128_GCM, SUITE_AEAD_AES_256_GCM, SUITE_AES128_CM_HMAC_SHA1_80, SUITE_NONE};
static const char *const sink_names[] = {"null", "memif"};

static int suite_parse(const char *text, enum suite *out)
{
	int n = argument_choice("suite", text, suite_names, 4);

	if (n >= 0)
		*out = suite[n];
	return n;
}

static int sink_parse(const char *text, bool *memif)
{
	int n = argument_choice("sink", text, sink_names, 2);

	*memif = n == 1;
	return n;
}

static int reference_parse(const char *text, bool *off)
{
	static const char *const names[] = {"on", "off"};
	int n = argument_choice("reference", text, names, 2);

	*off = n == 1;
	return n;
}

static int options_parse(
	int argc, char *argv[], struct fanout_options *o, enum report_format *format)
{
	static const struct option options[] = {{"suite", 1, NULL, 's'}, {"engine", 1, NULL, 'e'},
		{"listeners", 1, NULL, 'l'}, {"payload", 1, NULL, 'p'}, {"workers", 1, NULL, 'w'},
		{"sink", 1, NULL, 'k'}, {"seconds", 1, NULL, 't'}, {"repeats", 1, NULL, 'r'},
		{"reference", 1, NULL, 'R'}, {"json", 0, NULL, 'j'}, {NULL, 0, NULL, 0}};
	uint32_t seconds = 11;
	int c, rc = 0;

	while (rc >= 0 && (c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 's')
			rc = suite_parse(optarg, &o->suite);
		else if (c == 'e')
			o->engine = optarg;
		else if (c == 'l')
			rc = argument_number("listeners", optarg, 1, 4194304, &o->listeners);
		else if (c == 'p')
			rc = argument_number("payload", optarg, 1, FANOUT_PAYLOAD_MAX, &o->payload);
		else if (c == 'w')
			rc = argument_number("workers", optarg, 1, STN_WORKERS_MAX, &o->workers);
		else if (c == 'k')
			rc = sink_parse(optarg, &o->memif);
		else if (c == 't')
			rc = argument_number("seconds", optarg, 1, 3600, &seconds);
		else if (c == 'r')
			rc = argument_number("repeats", optarg, 1, REPEATS_MAX, &o->rounds);
		else if (c == 'R')
			rc = reference_parse(optarg, &o->no_reference);
		else if (c == 'j')
			*format = REPORT_JSON;
		else
			rc = -1;
	}
	o->seconds = seconds;
	return rc >= 0 && optind == argc ? 0 : -1;
}

static const char *suite_name(enum suite wanted)
{
	unsigned int i = 0;

	while (suite[i] != wanted)
		i++;
	return suite_names[i];
}

static void describe_options(struct report *report, const struct fanout_options *o)
{
	report_parameter(report, "suite", suite_name(o->suite));
	report_parameter_number(report, "listeners", o->listeners);
	report_parameter_number(report, "payload", o->payload);
	report_parameter_number(report, "workers", o->workers);
	report_parameter(report, "sink", sink_names[o->memif]);
	report_parameter_number(report, "seconds", o->seconds);
}

static void describe_result(
	struct report *report, const struct fanout_options *o, const struct fanout_result *r)
{
	unsigned int i;

	report_parameter(report, "engine", r->engine);
	for (i = 0; i < o->rounds; i++) {
		report_value(report, "mpps", "Mpps", REPORT_HIGHER, r->round_mpps[i]);
		report_value(report, "ns_per_copy", "ns", REPORT_LOWER, r->round_ns[i]);
		if (o->no_reference)
			continue;
		report_value(
			report, "reference_ns", "ns", REPORT_NEITHER, r->round_reference_ns[i]);
		report_value(report, "ratio", "ratio", REPORT_LOWER,
			r->round_ns[i] / r->round_reference_ns[i]);
	}
	report_value(report, "copies", "count", REPORT_NEITHER, (double)r->copies);
	report_value(report, "verified", "count", REPORT_NEITHER, (double)r->verified);
	report_value(report, "verify_failures", "count", REPORT_LOWER, (double)r->verify_failures);
	report_value(report, "hot_bytes_per_listener", "bytes", REPORT_LOWER, (double)r->hot_bytes);
	if (o->memif) {
		report_value(report, "sink_read", "count", REPORT_NEITHER, (double)r->sink_read);
		report_value(report, "sink_lost", "count", REPORT_LOWER, (double)r->sink_lost);
	}
	if (r->verified == 0)
		report_invalid(report, "no copy was looked at");
	if (r->verify_failures > 0)
		report_invalid(
			report, "%lu of %lu copies do not verify", r->verify_failures, r->verified);
}

/* Many rooms are another measurement, with options of its own. */
static bool has_rooms(int argc, char *argv[])
{
	int i;

	for (i = 1; i < argc; i++)
		if (strncmp(argv[i], "--rooms", 7) == 0)
			return true;
	return false;
}

int fanout_main(int argc, char *argv[])
{
	struct fanout_options options = {.suite = SUITE_AEAD_AES_128_GCM,
		.engine = "auto",
		.listeners = 20000,
		.payload = 100,
		.workers = 1,
		.rounds = 5};
	enum report_format format = REPORT_TABLE;
	struct fanout_result result;
	struct report *report;
	int rc;

	if (has_rooms(argc, argv))
		return mix_main(argc, argv);
	if (options_parse(argc, argv, &options, &format) < 0) {
		fputs(fanout_usage, stderr);
		return EXIT_USAGE;
	}
	log_open(LOG_LEVEL_WARN);
	report = report_open("fanout", argc, argv);
	if (report == NULL)
		return REPORT_EXIT_FAILED;
	describe_options(report, &options);
	rc = fanout_measure(&options, &result);
	if (rc < 0) {
		fprintf(stderr, "stentor-bench: %s\n", strerror(-rc));
		report_abandon(report);
		return REPORT_EXIT_FAILED;
	}
	describe_result(report, &options, &result);
	return report_close(report, format, stdout);
}
