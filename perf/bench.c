// SPDX-License-Identifier: BSD-3-Clause
/*
 * stentor-bench: fanout measures the data plane's production code from inside, joins and events
 * both programs from outside. Results as a table or as JSON.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "configs/log.h"
#include "dataplane/core/fanout.h"
#include "perf/events.h"
#include "perf/fanout.h"
#include "perf/joins.h"

#define EXIT_USAGE 2
#define EXIT_INVALID 3 /* measured, but the copies do not verify */

static const char usage[] =
	"usage: stentor-bench fanout [options]\n"
	"The production path from one slot packet to transmitted copies.\n"
	"  --suite gcm128|gcm256|cm80|group   protection (gcm128)\n"
	"  --engine auto|ipsec_mb|libsrtp     crypto engine (auto)\n"
	"  --listeners N                      1 to 4,194,304 (20000)\n"
	"  --payload BYTES                    1 to 1,400 (100)\n"
	"  --workers N                        1 to 16 (1)\n"
	"  --sink null|memif                  where copies go; memif: another process reads them\n"
	"  --seconds S                        1 to 3,600 (11)\n"
	"  --json                             one JSON object on standard output\n"
	"Exit: 0 measured and verified, 1 failed, 2 usage, 3 copies that do not verify.\n"
	"\n";

static const struct {
	const char *name;
	enum suite suite;
} suites[] = {
	{"gcm128", SUITE_AEAD_AES_128_GCM},
	{"gcm256", SUITE_AEAD_AES_256_GCM},
	{"cm80", SUITE_AES128_CM_HMAC_SHA1_80},
	{"group", SUITE_NONE},
};

static int suite_parse(const char *text, enum suite *out)
{
	size_t i;

	for (i = 0; i < sizeof(suites) / sizeof(suites[0]); i++) {
		if (strcmp(text, suites[i].name) == 0) {
			*out = suites[i].suite;
			return 0;
		}
	}
	fprintf(stderr, "stentor-bench: --suite %s: expected gcm128, gcm256, cm80 or group\n",
		text);
	return -1;
}

static int number_parse(const char *option, const char *text, uint32_t max, uint32_t *out)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*text == '\0' || *text == '-' || *end != '\0' || value < 1 || value > max) {
		fprintf(stderr, "stentor-bench: --%s %s: expected 1 to %u\n", option, text, max);
		return -1;
	}
	*out = (uint32_t)value;
	return 0;
}

static int sink_parse(const char *text, bool *memif)
{
	*memif = strcmp(text, "memif") == 0;
	if (*memif || strcmp(text, "null") == 0)
		return 0;
	fprintf(stderr, "stentor-bench: --sink %s: expected null or memif\n", text);
	return -1;
}

static int options_parse(int argc, char *argv[], struct fanout_options *o, bool *json)
{
	static const struct option options[] = {{"suite", 1, NULL, 's'}, {"engine", 1, NULL, 'e'},
		{"listeners", 1, NULL, 'l'}, {"payload", 1, NULL, 'p'}, {"workers", 1, NULL, 'w'},
		{"sink", 1, NULL, 'k'}, {"seconds", 1, NULL, 't'}, {"json", 0, NULL, 'j'},
		{NULL, 0, NULL, 0}};
	uint32_t seconds = 11;
	int c, rc = 0;

	while (rc == 0 && (c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 's')
			rc = suite_parse(optarg, &o->suite);
		else if (c == 'e')
			o->engine = optarg;
		else if (c == 'l')
			rc = number_parse("listeners", optarg, 4194304, &o->listeners);
		else if (c == 'p')
			rc = number_parse("payload", optarg, FANOUT_PAYLOAD_MAX, &o->payload);
		else if (c == 'w')
			rc = number_parse("workers", optarg, STN_WORKERS_MAX, &o->workers);
		else if (c == 'k')
			rc = sink_parse(optarg, &o->memif);
		else if (c == 't')
			rc = number_parse("seconds", optarg, 3600, &seconds);
		else if (c == 'j')
			*json = true;
		else
			rc = -1;
	}
	o->seconds = seconds;
	return rc == 0 && optind == argc ? 0 : -1;
}

static const char *suite_name(enum suite suite)
{
	return suite == SUITE_NONE ? suites[3].name : suites[suite - 1].name;
}

static void rounds_print(const char *key, const double rounds[FANOUT_ROUNDS])
{
	unsigned int i;

	printf("\"%s\":[", key);
	for (i = 0; i < FANOUT_ROUNDS; i++)
		printf("%s%.2f", i == 0 ? "" : ",", rounds[i]);
	printf("],");
}

static void print_json(const struct fanout_options *o, const struct fanout_result *r)
{
	printf("{\"benchmark\":\"fanout\",\"mpps\":%.3f,\"ns_per_copy\":%.2f,\"engine\":\"%s\",",
		r->mpps, r->ns_per_copy, r->engine);
	printf("\"suite\":\"%s\",\"listeners\":%u,\"payload\":%u,\"workers\":%u,",
		suite_name(o->suite), o->listeners, o->payload, o->workers);
	printf("\"sink\":\"%s\",\"copies\":%lu,\"verified\":%lu,\"verify_failures\":%lu,",
		o->memif ? "memif" : "null", r->copies, r->verified, r->verify_failures);
	if (o->memif)
		printf("\"sink_read\":%lu,\"sink_lost\":%lu,", r->sink_read, r->sink_lost);
	rounds_print("round_ns", r->round_ns);
	rounds_print("round_reference_ns", r->round_reference_ns);
	printf("\"reference_ns\":%.2f,\"ratio\":%.3f,\"hot_bytes_per_listener\":%lu}\n",
		r->reference_ns, r->ns_per_copy / r->reference_ns, r->hot_bytes);
}

static void print_table(const struct fanout_options *o, const struct fanout_result *r)
{
	printf("suite %s, engine %s, %u listeners, %u bytes of payload, %u worker(s), sink %s\n",
		suite_name(o->suite), r->engine, o->listeners, o->payload, o->workers,
		o->memif ? "memif" : "null");
	printf("  copies            %.2f Mpps, %.1f ns each on a worker\n", r->mpps,
		r->ns_per_copy);
	printf("  ipsec_mb alone    %.1f ns: ratio %.2f\n", r->reference_ns,
		r->ns_per_copy / r->reference_ns);
	if (o->memif)
		printf("  read by the sink  %lu, lost %lu\n", r->sink_read, r->sink_lost);
	printf("  verified          %lu copies by libsrtp2, %lu wrong\n", r->verified,
		r->verify_failures);
	printf("  hot bytes         %lu a listener\n", r->hot_bytes);
}

int main(int argc, char *argv[])
{
	struct fanout_options options = {.suite = SUITE_AEAD_AES_128_GCM,
		.engine = "auto",
		.listeners = 20000,
		.payload = 100,
		.workers = 1};
	struct fanout_result result;
	bool json = false;
	int rc;

	if (argc >= 2 && strcmp(argv[1], "--help") == 0) {
		fputs(usage, stdout);
		fputs(events_usage, stdout);
		fputs(joins_usage, stdout);
		return EXIT_SUCCESS;
	}
	if (argc >= 2 && strcmp(argv[1], "events") == 0)
		return events_main(argc - 1, argv + 1);
	if (argc >= 2 && strcmp(argv[1], "joins") == 0)
		return joins_main(argc - 1, argv + 1);
	if (argc < 2 || strcmp(argv[1], "fanout") != 0 ||
		options_parse(argc - 1, argv + 1, &options, &json) < 0) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	log_open(LOG_LEVEL_WARN);
	rc = fanout_measure(&options, &result);
	if (rc < 0) {
		fprintf(stderr, "stentor-bench: %s\n", strerror(-rc));
		return EXIT_FAILURE;
	}
	if (json)
		print_json(&options, &result);
	else
		print_table(&options, &result);
	return result.verify_failures == 0 && result.verified > 0 ? EXIT_SUCCESS : EXIT_INVALID;
}
