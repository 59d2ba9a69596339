// SPDX-License-Identifier: BSD-3-Clause
/*
 * stentor-sink: stands where the listeners are, on one network interface, counts every copy to each
 * of them in an XDP program and drops it. One JSON line a second, and one that sums up at the end.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "bpf/sink.h"
#include "perf/endpoint.h"
#include "perf/tally.h"

struct options {
	const char *interface;
	struct sink_config config;
	double interval;
	double seconds;
};

static const char usage[] =
	"usage: stentor-sink --interface NAME --first ADDRESS:PORT --listeners N [option...]\n"
	"\n"
	"  --first ADDRESS:PORT    listener 0 (IPv4); listener i is at ADDRESS + i / P, PORT + i % "
	"P\n"
	"  --ports-per-address P   (1)\n"
	"  --ear I                 copies to listener I go on to the kernel after being counted\n"
	"  --silence BYTES         RTP payloads up to this, tag included, are silence\n"
	"  --ssrc N                count by sequence number only this one (the first one seen)\n"
	"  --interval S            between two lines (1)    --seconds S  then end\n"
	"\n"
	"Ends at SIGINT or SIGTERM, too; its last line has \"final\":true. Exit: 0, 2 usage,\n"
	"3 cannot attach or read.\n";

static int parse_options(struct options *o, int argc, char **argv)
{
	static const struct option table[] = {{"interface", required_argument, NULL, 'i'},
		{"first", required_argument, NULL, 'f'},
		{"listeners", required_argument, NULL, 'n'},
		{"ports-per-address", required_argument, NULL, 'p'},
		{"ear", required_argument, NULL, 'e'}, {"silence", required_argument, NULL, 'q'},
		{"ssrc", required_argument, NULL, 's'}, {"interval", required_argument, NULL, 't'},
		{"seconds", required_argument, NULL, 'S'}, {"help", no_argument, NULL, 'h'}, {0}};
	struct sockaddr_storage first = {0};
	const struct sockaddr_in *four = (const struct sockaddr_in *)&first;
	int c;

	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
		switch (c) {
		case 'i':
			o->interface = optarg;
			break;
		case 'f':
			if (endpoint_parse(&first, optarg) < 0 || first.ss_family != AF_INET)
				return -EINVAL;
			break;
		case 'n':
			o->config.listener_count = (uint32_t)strtoul(optarg, NULL, 0);
			break;
		case 'p':
			o->config.ports_per_address = (uint16_t)strtoul(optarg, NULL, 0);
			break;
		case 'e':
			o->config.ear = (uint32_t)strtoul(optarg, NULL, 0);
			break;
		case 'q':
			o->config.silence_size = (uint32_t)strtoul(optarg, NULL, 0);
			break;
		case 's':
			o->config.ssrc = (uint32_t)strtoul(optarg, NULL, 0);
			o->config.first_ssrc = false;
			break;
		case 't':
			o->interval = atof(optarg);
			break;
		case 'S':
			o->seconds = atof(optarg);
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		default:
			return -EINVAL;
		}
	}
	o->config.address = ntohl(four->sin_addr.s_addr);
	o->config.port_base = ntohs(four->sin_port);
	return o->interface && first.ss_family && o->config.listener_count && o->interval > 0 &&
			       optind == argc
		       ? 0
		       : -EINVAL;
}

static int print_line(const struct sink *sink, uint64_t start_ns)
{
	struct sink_totals totals;
	int error = sink_read_totals(sink, &totals);

	if (error)
		return error;
	printf("{\"seconds\":%.3f,\"received\":%llu,\"duplicated\":%llu,\"late\":%llu,"
	       "\"silence\":%llu,\"other_ssrc\":%llu,\"not_rtp\":%llu,\"passed\":%llu,"
	       "\"ear\":%llu,\"bytes\":%llu}\n",
		(double)(clock_monotonic_ns() - start_ns) / 1e9,
		(unsigned long long)totals.received, (unsigned long long)totals.duplicated,
		(unsigned long long)totals.late, (unsigned long long)totals.silence,
		(unsigned long long)totals.other_ssrc, (unsigned long long)totals.not_rtp,
		(unsigned long long)totals.passed, (unsigned long long)totals.ear,
		(unsigned long long)totals.bytes);
	fflush(stdout);
	return 0;
}

static int print_final(const struct sink *sink, const struct options *o)
{
	struct tally tally;
	int error = tally_open(&tally, sink, o->config.listener_count);
	double *spread;
	size_t count;
	json_t *line;

	if (error)
		return error;
	spread = calloc(tally.sequence_count + 1, sizeof(*spread));
	if (!spread) {
		tally_close(&tally);
		return -ENOMEM;
	}
	count = tally_spread(&tally, 0, spread);
	line = json_pack("{s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:b}", "final", 1,
		"listeners", (json_int_t)o->config.listener_count, "listeners_served",
		(json_int_t)tally.listeners_served, "listeners_whole",
		(json_int_t)tally.listeners_whole, "slot_packets", (json_int_t)tally.slot_packets,
		"expected", (json_int_t)tally.expected, "received", (json_int_t)tally.received,
		"lost", (json_int_t)tally.lost, "duplicated", (json_int_t)tally.duplicated,
		"spread_us_p50", tally_percentile(spread, count, 50), "spread_us_p99",
		tally_percentile(spread, count, 99), "native", sink_is_native(sink));
	json_dumpf(line, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
	putchar('\n');
	json_decref(line);
	free(spread);
	tally_close(&tally);
	return fflush(stdout) ? -EIO : 0;
}

/* Waits for a signal or until due; true when it is time to end. */
static bool wait_signal(const sigset_t *signals, uint64_t due_ns)
{
	uint64_t now_ns = clock_monotonic_ns();
	uint64_t left = due_ns > now_ns ? due_ns - now_ns : 0;
	struct timespec timeout = {(time_t)(left / 1000000000u), (long)(left % 1000000000u)};

	return sigtimedwait(signals, NULL, &timeout) > 0;
}

static int run(const struct options *o)
{
	uint64_t start_ns = clock_monotonic_ns();
	char message[256] = "";
	struct sink *sink;
	sigset_t signals;
	int error;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	error = sink_open(&sink, o->interface, &o->config, message, sizeof(message));
	if (error) {
		fprintf(stderr, "stentor-sink: %s\n", message);
		return error;
	}
	fprintf(stderr, "stentor-sink: counting on %s\n", o->interface);
	for (uint64_t n = 1; !error; n++) {
		uint64_t due_ns = (uint64_t)((double)n * o->interval * 1e9);

		if (wait_signal(&signals, start_ns + due_ns))
			break;
		error = print_line(sink, start_ns);
		if (o->seconds > 0 && (double)due_ns >= o->seconds * 1e9)
			break;
	}
	if (!error)
		error = print_final(sink, o);
	if (error)
		fprintf(stderr, "stentor-sink: %s\n", strerror(-error));
	sink_close(sink);
	return error;
}

int main(int argc, char **argv)
{
	struct options options = {
		.interval = 1,
		.config = {.ports_per_address = 1, .ear = SINK_NOBODY, .first_ssrc = true},
	};

	if (parse_options(&options, argc, argv) < 0) {
		fputs(usage, stderr);
		return 2;
	}
	return run(&options) ? 3 : 0;
}
