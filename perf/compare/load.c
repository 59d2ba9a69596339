// SPDX-License-Identifier: BSD-3-Clause
/*
 * stentor-load: the speaker and all the listeners of a comparison, whoever relays between them. For
 * each line "RATE SECONDS" on standard input it sends RTP (SRTP with --key) at that rate, waits
 * until the wire is quiet and writes a line when it begins and one of JSON at the end: what was
 * sent, what an XDP program at the listeners' end counted, how long it all took, and the processor
 * time of the relay meanwhile. Rate 0 only counts for so long.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "perf/mediakey.h"
#include "perf/packet.h"
#include "perf/process.h"
#include "perf/scene.h"
#include "perf/tally.h"

#define PIDS_MAX 8
#define PRIORITY 10
#define CLOCK_RATE 48000
#define SENDS_MAX 4000000
#define PAYLOAD_MAX 1200
#define LATE_NS 2000000u
#define QUIET_NS 200000000u
#define STALLED_NS 1000000000u /* somebody who has the relay's core may keep it so long */
#define QUIET_LIMIT_NS 8000000000u
#define LOOK_NS 5000000u

struct options {
	const char *publisher_netns, *listeners_netns, *interface;
	struct sockaddr_storage from, to;
	struct sink_config sink;
	unsigned int payload, payload_type;
	uint32_t ssrc;
	const char *key;
	enum media_suite suite;
	int pid[PIDS_MAX];
	unsigned int pids;
};

struct load {
	const struct options *options;
	struct sink *sink;
	int fd;
	srtp_t srtp;
	struct media_key key;
	uint16_t sequence;
	uint32_t timestamp;
	uint8_t payload[PAYLOAD_MAX];
	uint64_t *send_ns;
	uint64_t sent, late, failed;
	uint64_t begin_ns, end_ns;
	double cpu_begin_s, cpu_end_s;
};

static const char usage[] =
	"usage: stentor-load --publisher-netns FILE --listeners-netns FILE --from ADDRESS:PORT\n"
	"                    --to ADDRESS:PORT --first ADDRESS:PORT --listeners N [option...]\n"
	"\n"
	"  --interface NAME      the listeners' end (eth0)\n"
	"  --payload BYTES       (100)   --payload-type N (111)   --ssrc N\n"
	"  --key BASE64          SRTP: master key and salt   --suite SUITE (gcm128)\n"
	"  --any-ssrc            the relay gives each listener an SSRC of its own\n"
	"  --pid PID             of the relay, up to eight times\n"
	"\n"
	"Standard input: lines of RATE SECONDS. Exit: 0, 2 usage, 3 could not measure.\n";

static int parse_first(struct sink_config *sink, const char *text)
{
	struct sockaddr_storage first;
	const struct sockaddr_in *four = (const struct sockaddr_in *)&first;

	if (endpoint_parse(&first, text) < 0 || first.ss_family != AF_INET)
		return -EINVAL;
	sink->address = ntohl(four->sin_addr.s_addr);
	sink->port_base = ntohs(four->sin_port);
	return 0;
}

static int take_number(struct options *o, int c)
{
	unsigned long v = strtoul(optarg, NULL, 0);

	switch (c) {
	case 'n':
		o->sink.listener_count = (uint32_t)v;
		return v > 0 && v <= SINK_LISTENERS_MAX ? 0 : -EINVAL;
	case 'l':
		o->payload = (unsigned int)v;
		return v > 0 && v <= PAYLOAD_MAX ? 0 : -EINVAL;
	case 'y':
		o->payload_type = (unsigned int)v;
		return v < 128 ? 0 : -EINVAL;
	case 'c':
		o->ssrc = (uint32_t)v;
		return 0;
	case 'p':
		if (o->pids == PIDS_MAX)
			return -EINVAL;
		o->pid[o->pids++] = (int)v;
		return 0;
	default:
		return -EINVAL;
	}
}

static int take_option(struct options *o, int c)
{
	switch (c) {
	case 'a':
		o->publisher_netns = optarg;
		return 0;
	case 'b':
		o->listeners_netns = optarg;
		return 0;
	case 'i':
		o->interface = optarg;
		return 0;
	case 'f':
		return endpoint_parse(&o->from, optarg);
	case 't':
		return endpoint_parse(&o->to, optarg);
	case '1':
		return parse_first(&o->sink, optarg);
	case 'k':
		o->key = optarg;
		return 0;
	case 's':
		return media_suite_parse(&o->suite, optarg);
	case 'x':
		o->sink.first_ssrc = false;
		return 0;
	default:
		return take_number(o, c);
	}
}

static int parse_options(struct options *o, int argc, char **argv)
{
	static const struct option table[] = {{"publisher-netns", required_argument, NULL, 'a'},
		{"listeners-netns", required_argument, NULL, 'b'},
		{"interface", required_argument, NULL, 'i'}, {"from", required_argument, NULL, 'f'},
		{"to", required_argument, NULL, 't'}, {"first", required_argument, NULL, '1'},
		{"listeners", required_argument, NULL, 'n'},
		{"payload", required_argument, NULL, 'l'},
		{"payload-type", required_argument, NULL, 'y'},
		{"ssrc", required_argument, NULL, 'c'}, {"key", required_argument, NULL, 'k'},
		{"suite", required_argument, NULL, 's'}, {"pid", required_argument, NULL, 'p'},
		{"any-ssrc", no_argument, NULL, 'x'}, {0}};
	int c;

	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1)
		if (take_option(o, c) < 0)
			return -EINVAL;
	return o->publisher_netns && o->listeners_netns && o->from.ss_family && o->to.ss_family &&
			       o->sink.listener_count && o->sink.port_base
		       ? 0
		       : -EINVAL;
}

static int open_speaker(struct load *load)
{
	const struct options *o = load->options;
	srtp_policy_t policy;
	int error = scene_enter(o->publisher_netns);

	if (error)
		return error;
	load->fd = endpoint_bind(&o->from);
	if (load->fd < 0)
		return load->fd;
	if (connect(load->fd, (const struct sockaddr *)&o->to, endpoint_size(&o->to)) < 0)
		return -errno;
	if (getrandom(load->payload, o->payload, 0) != (ssize_t)o->payload)
		return -EIO;
	if (!o->key)
		return 0;
	error = media_key_parse(&load->key, o->suite, o->key);
	if (error)
		return error;
	media_key_policy(&load->key, ssrc_specific, &policy);
	policy.ssrc.value = o->ssrc;
	return srtp_create(&load->srtp, &policy) == srtp_err_status_ok ? 0 : -EINVAL;
}

static int open_all(struct load *load)
{
	char message[256] = "";
	int error = open_speaker(load);

	if (!error)
		error = scene_enter(load->options->listeners_netns);
	if (!error) {
		error = sink_open(&load->sink, load->options->interface, &load->options->sink,
			message, sizeof(message));
		if (error)
			fprintf(stderr, "stentor-load: %s\n", message);
	}
	load->send_ns = calloc(TALLY_SEQUENCES_MAX, sizeof(load->send_ns[0]));
	return !error && !load->send_ns ? -ENOMEM : error;
}

static double read_cpu(const struct load *load)
{
	double seconds = 0;

	for (unsigned int i = 0; i < load->options->pids; i++) {
		struct process_usage spent;

		if (process_read_time(load->options->pid[i], &spent) == 0)
			seconds += spent.user_s + spent.system_s;
	}
	return seconds;
}

static void send_one(struct load *load, uint32_t step)
{
	const struct options *o = load->options;
	const struct packet_plan plan = {.payload_type = (uint8_t)o->payload_type,
		.sequence = load->sequence++,
		.timestamp = load->timestamp,
		.ssrc = o->ssrc};
	uint8_t bytes[PACKET_MAX + SRTP_MAX_TRAILER_LEN];
	int size = packet_build(&plan, load->payload, o->payload, bytes);

	load->timestamp += step;
	if (size > 0 && load->srtp && srtp_protect(load->srtp, bytes, &size) != srtp_err_status_ok)
		size = -1;
	if (load->sent < TALLY_SEQUENCES_MAX)
		load->send_ns[load->sent] = clock_monotonic_ns();
	if (size > 0 && send(load->fd, bytes, (size_t)size, 0) == size)
		load->sent++;
	else
		load->failed++;
}

/* Catches up when it was kept waiting, so that the rate holds. */
static void send_all(struct load *load, double rate, double seconds)
{
	uint64_t count = (uint64_t)(rate * seconds + 0.5), start_ns = clock_monotonic_ns();
	uint32_t step = rate < CLOCK_RATE ? (uint32_t)(CLOCK_RATE / rate) : 1;

	for (uint64_t i = 0; i < count && i < SENDS_MAX; i++) {
		uint64_t due_ns = start_ns + (uint64_t)((double)i * 1e9 / rate);
		struct timespec due = {
			(time_t)(due_ns / 1000000000u), (long)(due_ns % 1000000000u)};

		if (clock_monotonic_ns() < due_ns)
			clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
		load->late += clock_monotonic_ns() > due_ns + LATE_NS;
		send_one(load, step);
	}
	load->end_ns = clock_monotonic_ns();
}

/*
 * Until nothing has come for a while, longer when copies are missing. The relay's time is that of
 * the last look with news.
 */
static int wait_quiet(struct load *load, struct sink_totals *totals)
{
	uint64_t due = load->sent * load->options->sink.listener_count, seen = UINT64_MAX, count;
	uint64_t now_ns = clock_monotonic_ns(), limit_ns = now_ns + QUIET_LIMIT_NS, quiet_ns;
	uint64_t news_ns = now_ns;

	do {
		int error = sink_read_totals(load->sink, totals);

		if (error)
			return error;
		count = totals->received + totals->not_rtp;
		if (count != seen) {
			load->cpu_end_s = read_cpu(load);
			news_ns = now_ns;
		}
		seen = count;
		quiet_ns = totals->received - totals->duplicated >= due ? QUIET_NS : STALLED_NS;
		scene_pause_ns(LOOK_NS);
		now_ns = clock_monotonic_ns();
	} while (now_ns < limit_ns && now_ns < news_ns + quiet_ns);
	return 0;
}

static void add_time(json_t *line, const char *name, double *value, size_t count)
{
	char key[32];

	if (count == 0)
		return;
	snprintf(key, sizeof(key), "%s_p50", name);
	json_object_set_new(line, key, json_real(tally_percentile(value, count, 50)));
	snprintf(key, sizeof(key), "%s_p99", name);
	json_object_set_new(line, key, json_real(tally_percentile(value, count, 99)));
}

/* The n-th that arrives is the n-th that was sent when there are as many of them. */
static int add_times(struct load *load, json_t *line)
{
	struct sink_sequence first;
	struct tally tally;
	size_t count = 0, spreads;
	double *spread, *latency;
	int error;

	if (load->sent == 0 || load->sent > TALLY_SEQUENCES_MAX)
		return 0;
	error = tally_open(&tally, load->sink, load->options->sink.listener_count);
	if (error)
		return error == -EOVERFLOW ? 0 : error;
	if (tally.sequence_count > 0 &&
		sink_read_sequence(load->sink, tally.sequence[0].sequence, &first) == 0)
		json_object_set_new(line, "payload_size", json_integer(first.size));
	spread = calloc(tally.sequence_count + 1, sizeof(double));
	latency = calloc(tally.sequence_count + 1, sizeof(double));
	if (spread && latency) {
		spreads = tally_spread(&tally, 0, spread);
		for (size_t i = 0; tally.slot_packets == load->sent && i < tally.sequence_count;
			i++)
			latency[count++] = (double)(tally.sequence[i].first_ns -
						    load->send_ns[tally.sequence[i].offset]) /
					   1e3;
		add_time(line, "spread_us", spread, spreads);
		add_time(line, "latency_us", latency, count);
	}
	free(spread);
	free(latency);
	tally_close(&tally);
	return 0;
}

static int report(struct load *load, double rate, const struct sink_totals *totals)
{
	uint64_t last_ns =
		rate > 0 && totals->last_ns > load->end_ns ? totals->last_ns : load->end_ns;
	json_t *line = json_pack("{s:f, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:f}", "rate", rate,
		"sent", (json_int_t)load->sent, "late", (json_int_t)load->late, "failed",
		(json_int_t)load->failed, "received",
		(json_int_t)(totals->received - totals->duplicated), "duplicated",
		(json_int_t)totals->duplicated, "not_rtp", (json_int_t)totals->not_rtp, "seconds",
		(double)(last_ns - load->begin_ns) / 1e9, "lag_s",
		(double)(last_ns - load->end_ns) / 1e9, "cpu_s",
		load->cpu_end_s - load->cpu_begin_s);
	int error = add_times(load, line);

	json_dumpf(line, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
	putchar('\n');
	json_decref(line);
	return fflush(stdout) ? -EIO : error;
}

static int step(struct load *load, double rate, double seconds)
{
	struct sink_totals totals;
	int error;

	load->sent = load->late = load->failed = 0;
	/* What a step before has left over is not this one's. */
	error = rate > 0 ? wait_quiet(load, &totals) : 0;
	if (!error)
		error = sink_reset(load->sink);
	if (error)
		return error;
	puts("{\"begun\":true}");
	if (fflush(stdout))
		return -EIO;
	load->cpu_begin_s = read_cpu(load);
	load->begin_ns = clock_monotonic_ns();
	if (rate > 0) {
		send_all(load, rate, seconds);
		error = wait_quiet(load, &totals);
	} else {
		scene_pause_ns((uint64_t)(seconds * 1e9));
		error = sink_read_totals(load->sink, &totals);
		load->cpu_end_s = read_cpu(load);
		load->end_ns = clock_monotonic_ns();
	}
	return error ? error : report(load, rate, &totals);
}

static int run(struct load *load)
{
	const struct sched_param priority = {.sched_priority = PRIORITY};
	double rate, seconds;
	int error = open_all(load);

	if (error)
		return error;
	/* It sends on time or measures itself; without privileges it stays an ordinary process. */
	(void)sched_setscheduler(0, SCHED_FIFO, &priority);
	while (!error && scanf("%lf %lf", &rate, &seconds) == 2)
		error = rate >= 0 && seconds > 0 && seconds <= 600 ? step(load, rate, seconds)
								   : -EINVAL;
	return error;
}

int main(int argc, char **argv)
{
	struct options options = {
		.interface = "eth0",
		.sink = {.ports_per_address = 1, .ear = SINK_NOBODY, .first_ssrc = true},
		.payload = 100,
		.payload_type = 111,
		.ssrc = 0x53544e01u,
		.suite = MEDIA_SUITE_GCM128,
	};
	struct load load = {.options = &options, .fd = -1, .sequence = 1000};
	int error;

	if (parse_options(&options, argc, argv) < 0 || srtp_init() != srtp_err_status_ok) {
		fputs(usage, stderr);
		return 2;
	}
	error = run(&load);
	if (error)
		fprintf(stderr, "stentor-load: %s\n", strerror(-error));
	sink_close(load.sink);
	if (load.srtp)
		srtp_dealloc(load.srtp);
	if (load.fd >= 0)
		close(load.fd);
	free(load.send_ns);
	return error ? 3 : 0;
}
