// SPDX-License-Identifier: BSD-3-Clause
/*
 * stentor-speaker: sends RTP that libsrtp2 protects, from an Ogg Opus file, a tone or synthetic
 * bytes, at any rate, over a line as bad as one likes. Reports as JSON what it has sent.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>
#include <srtp2/srtp.h>

#include "perf/endpoint.h"
#include "perf/impairment.h"
#include "perf/talker.h"

#define FRAMES_PER_SECOND 50
/* Shorter waits are spun: a sleep's own error would be larger. */
#define SPIN_NS 60000

struct options {
	struct sockaddr_storage bind, to;
	struct talker_plan plan;
	struct media_key key;
	struct impairment line;
	double pps;
	double seconds;
	uint64_t count;
	unsigned int talk_frames, pause_frames; /* both 0: talks all the time */
	const char *log;
	const char *report;
};

struct speaker {
	const struct options *options;
	struct talker talker;
	struct impairment line;
	int fd;
	FILE *log;
	uint64_t made, sent, send_errors, bytes;
	double first_wall, last_wall;
};

static volatile sig_atomic_t stopped;

static void stop(int number)
{
	(void)number;
	stopped = 1;
}

static const char usage[] =
	"usage: stentor-speaker --to ADDRESS:PORT [option...]\n"
	"\n"
	"  --to ADDRESS:PORT     where to send; [ADDRESS]:PORT for IPv6\n"
	"  --bind ADDRESS:PORT   from where (any)\n"
	"  --suite SUITE         gcm128, gcm256, cm80, or the IANA name; without it plain RTP\n"
	"  --key KEY             master key and salt together, base64 or hex\n"
	"  --file FILE           Ogg Opus, round and round\n"
	"  --tone HZ             a tone instead (440)    --tone-level DBFS  how loud (-20)\n"
	"  --payload BYTES       so many meaningless bytes instead\n"
	"  --ssrc N --payload-type N --sequence N --timestamp N --roc N    (random 96+ 0 0 0)\n"
	"  --level-id N          RFC 6464 extension id; --level N fixes the level (as it is)\n"
	"  --pps N               packets a second (50)\n"
	"  --count N             stop after N packets    --seconds S  stop after S seconds\n"
	"  --talk ON,OFF         talk for ON ms, pause for OFF ms, and again\n"
	"  --dtx                 a pause is coded by libopus with DTX instead of left out\n"
	"  --loss P --duplicate P --reorder P --spoil P    probabilities, 0 to 1\n"
	"  --seed N              of those (1)\n"
	"  --log FILE            one line a packet made: ns sequence timestamp size\n"
	"  --report FILE         write the JSON report there instead of standard output\n"
	"\n"
	"Numbers may be hex (0x). Exit: 0 sent, 1 nothing or not all could be sent, 2 usage,\n"
	"3 cannot open something.\n";

static int parse_talk(struct options *o, const char *text)
{
	unsigned int on, off;

	if (sscanf(text, "%u,%u", &on, &off) != 2 || on < 20 || off < 20)
		return -EINVAL;
	o->talk_frames = on / 20;
	o->pause_frames = off / 20;
	return 0;
}

static int parse_probability(double *out, const char *text)
{
	char *end;
	double v = strtod(text, &end);

	if (*end || v < 0 || v > 1)
		return -EINVAL;
	*out = v;
	return 0;
}

static int parse_number(uint64_t *out, uint64_t max, const char *text)
{
	char *end;
	unsigned long long v;

	errno = 0;
	v = strtoull(text, &end, 0);
	if (errno || *end || end == text || v > max)
		return -EINVAL;
	*out = v;
	return 0;
}

static int take_stream_option(struct options *o, int c, const char *text)
{
	struct talker_plan *plan = &o->plan;
	uint64_t v = 0;
	int error;

	switch (c) {
	case 'x':
		error = parse_number(&v, UINT32_MAX, text);
		plan->ssrc = (uint32_t)v;
		break;
	case 'y':
		error = parse_number(&v, 127, text);
		plan->payload_type = (uint8_t)v;
		break;
	case 'q':
		error = parse_number(&v, UINT16_MAX, text);
		plan->sequence = (uint16_t)v;
		break;
	case 'm':
		error = parse_number(&v, UINT32_MAX, text);
		plan->timestamp = (uint32_t)v;
		break;
	case 'c':
		error = parse_number(&v, UINT32_MAX, text);
		plan->roc = (uint32_t)v;
		break;
	case 'i':
		error = parse_number(&v, 14, text);
		plan->level_id = (uint8_t)v;
		break;
	case 'L':
		error = parse_number(&v, 127, text);
		plan->level = (int)v;
		break;
	case 'p':
		error = parse_number(&v, 1400, text);
		plan->payload_size = (unsigned int)v;
		break;
	default:
		return -EINVAL;
	}
	return error;
}

static int take_option(struct options *o, int c, const char *text)
{
	switch (c) {
	case 't':
		return endpoint_parse(&o->to, text);
	case 'b':
		return endpoint_parse(&o->bind, text);
	case 'f':
		o->plan.file = text;
		return 0;
	case 'T':
		o->plan.tone_hz = atof(text);
		return 0;
	case 'e':
		o->plan.tone_dbfs = atof(text);
		return 0;
	case 'P':
		o->pps = atof(text);
		return o->pps > 0 ? 0 : -EINVAL;
	case 'n':
		return parse_number(&o->count, UINT64_MAX, text);
	case 'S':
		o->seconds = atof(text);
		return 0;
	case 'a':
		return parse_talk(o, text);
	case 'd':
		o->plan.dtx = true;
		return 0;
	case '1':
		return parse_probability(&o->line.loss, text);
	case '2':
		return parse_probability(&o->line.duplicate, text);
	case '3':
		return parse_probability(&o->line.reorder, text);
	case '4':
		return parse_probability(&o->line.spoil, text);
	case '5':
		return parse_number(&o->line.state, UINT64_MAX, text);
	case 'l':
		o->log = text;
		return 0;
	case 'r':
		o->report = text;
		return 0;
	default:
		return take_stream_option(o, c, text);
	}
}

static const struct option option_table[] = {{"to", required_argument, NULL, 't'},
	{"bind", required_argument, NULL, 'b'}, {"suite", required_argument, NULL, 's'},
	{"key", required_argument, NULL, 'k'}, {"file", required_argument, NULL, 'f'},
	{"tone", required_argument, NULL, 'T'}, {"tone-level", required_argument, NULL, 'e'},
	{"payload", required_argument, NULL, 'p'}, {"ssrc", required_argument, NULL, 'x'},
	{"payload-type", required_argument, NULL, 'y'}, {"sequence", required_argument, NULL, 'q'},
	{"timestamp", required_argument, NULL, 'm'}, {"roc", required_argument, NULL, 'c'},
	{"level-id", required_argument, NULL, 'i'}, {"level", required_argument, NULL, 'L'},
	{"pps", required_argument, NULL, 'P'}, {"count", required_argument, NULL, 'n'},
	{"seconds", required_argument, NULL, 'S'}, {"talk", required_argument, NULL, 'a'},
	{"dtx", no_argument, NULL, 'd'}, {"loss", required_argument, NULL, '1'},
	{"duplicate", required_argument, NULL, '2'}, {"reorder", required_argument, NULL, '3'},
	{"spoil", required_argument, NULL, '4'}, {"seed", required_argument, NULL, '5'},
	{"log", required_argument, NULL, 'l'}, {"report", required_argument, NULL, 'r'},
	{"help", no_argument, NULL, 'h'}, {0}};

static int parse_options(struct options *o, int argc, char **argv)
{
	const char *key = NULL;
	enum media_suite suite = MEDIA_SUITE_COUNT;
	int c, error = 0;

	while (!error && (c = getopt_long(argc, argv, "", option_table, NULL)) != -1) {
		if (c == 'h') {
			fputs(usage, stdout);
			exit(0);
		}
		if (c == '?')
			return -EINVAL;
		if (c == 'k')
			key = optarg;
		else if (c == 's')
			error = media_suite_parse(&suite, optarg);
		else
			error = take_option(o, c, optarg);
		if (error)
			fprintf(stderr, "stentor-speaker: cannot take '%s'\n", optarg);
	}
	if (error || optind != argc || o->to.ss_family == 0 || !key != (suite == MEDIA_SUITE_COUNT))
		return -EINVAL;
	if (o->bind.ss_family == 0)
		o->bind.ss_family = o->to.ss_family;
	if (!key)
		return 0;
	o->plan.key = &o->key;
	error = media_key_parse(&o->key, suite, key);
	if (error)
		fprintf(stderr, "stentor-speaker: the key must be %u bytes in base64 or hex\n",
			media_suite_key_size(suite));
	return error;
}

static int send_packet(void *context, const uint8_t *bytes, unsigned int size)
{
	struct speaker *speaker = context;
	ssize_t sent = send(speaker->fd, bytes, size, 0);

	/* Nobody listening there yet is an answer to an earlier packet: send this one again. */
	if (sent < 0 && errno == ECONNREFUSED)
		sent = send(speaker->fd, bytes, size, 0);
	if (sent < 0) {
		speaker->send_errors++;
		return 0;
	}
	speaker->last_wall = clock_wall_s();
	if (speaker->sent++ == 0)
		speaker->first_wall = speaker->last_wall;
	speaker->bytes += size;
	return 0;
}

static void wait_until(uint64_t due_ns)
{
	uint64_t now_ns = clock_monotonic_ns();
	struct timespec t;

	if (due_ns > now_ns + SPIN_NS) {
		due_ns -= SPIN_NS / 2;
		t.tv_sec = (time_t)(due_ns / 1000000000u);
		t.tv_nsec = (long)(due_ns % 1000000000u);
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
		due_ns += SPIN_NS / 2;
	}
	while (!stopped && clock_monotonic_ns() < due_ns)
		;
}

static int make_and_send(struct speaker *speaker, bool pause)
{
	const struct impairment_sink sink = {send_packet, speaker};
	struct talker *talker = &speaker->talker;
	uint32_t timestamp = talker->timestamp;
	uint16_t sequence = talker->sequence;
	uint8_t bytes[PACKET_MAX];
	int size;

	if (pause && !speaker->options->plan.dtx) {
		talker_skip(talker);
		return 0;
	}
	size = talker_next(talker, pause, bytes);
	if (size <= 0)
		return size;
	speaker->made++;
	if (speaker->log)
		fprintf(speaker->log, "%llu %u %u %d\n", (unsigned long long)clock_monotonic_ns(),
			sequence, timestamp, size);
	return impairment_pass(&speaker->line, bytes, (unsigned int)size, &sink);
}

static int talk(struct speaker *speaker)
{
	const struct options *o = speaker->options;
	const struct impairment_sink sink = {send_packet, speaker};
	unsigned int cycle = o->talk_frames + o->pause_frames;
	uint64_t start_ns = clock_monotonic_ns();

	for (uint64_t frame = 0; !stopped; frame++) {
		uint64_t due_ns = (uint64_t)((double)frame / o->pps * 1e9);
		bool pause = cycle && frame % cycle >= o->talk_frames;
		int error;

		if (o->seconds > 0 && (double)due_ns >= o->seconds * 1e9)
			break;
		if (o->count && speaker->made >= o->count)
			break;
		wait_until(start_ns + due_ns);
		error = make_and_send(speaker, pause);
		if (error) {
			fprintf(stderr, "stentor-speaker: frame %llu: %s\n",
				(unsigned long long)frame, strerror(-error));
			return error;
		}
	}
	return impairment_flush(&speaker->line, &sink);
}

static int write_report(const struct speaker *s)
{
	const char *path = s->options->report;
	size_t flags = JSON_INDENT(2) | JSON_PRESERVE_ORDER;
	char ssrc[16];
	json_t *report;
	int error;

	snprintf(ssrc, sizeof(ssrc), "%08x", s->options->plan.ssrc);
	report = json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:i, s:I, s:f, s:f}",
		"ssrc", ssrc, "made", (json_int_t)s->made, "sent", (json_int_t)s->sent, "bytes",
		(json_int_t)s->bytes, "send_errors", (json_int_t)s->send_errors, "lost",
		(json_int_t)s->line.lost, "duplicated", (json_int_t)s->line.duplicated, "reordered",
		(json_int_t)s->line.reordered, "spoiled", (json_int_t)s->line.spoiled,
		"next_sequence", (int)s->talker.sequence, "next_timestamp",
		(json_int_t)s->talker.timestamp, "first_time", s->first_wall, "last_time",
		s->last_wall);
	error = path ? json_dump_file(report, path, flags) : json_dumpf(report, stdout, flags);
	if (!path)
		putchar('\n');
	json_decref(report);
	return error ? -EIO : 0;
}

static int run(struct speaker *speaker)
{
	const struct options *o = speaker->options;
	int error;

	speaker->fd = endpoint_bind(&o->bind);
	if (speaker->fd < 0 ||
		connect(speaker->fd, (const struct sockaddr *)&o->to, endpoint_size(&o->to)) < 0) {
		error = speaker->fd < 0 ? speaker->fd : -errno;
		fprintf(stderr, "stentor-speaker: cannot use the addresses: %s\n",
			strerror(-error));
		return error;
	}
	if (o->log && !(speaker->log = fopen(o->log, "w"))) {
		fprintf(stderr, "stentor-speaker: %s: %s\n", o->log, strerror(errno));
		return -EIO;
	}
	error = talker_open(&speaker->talker, &o->plan);
	if (error)
		return error;
	speaker->line = o->line;
	error = talk(speaker);
	talker_close(&speaker->talker);
	if (speaker->log && fclose(speaker->log))
		error = -EIO;
	return write_report(speaker) ? -EIO : error;
}

int main(int argc, char **argv)
{
	struct options options = {
		.pps = FRAMES_PER_SECOND,
		.plan = {.tone_hz = 440, .tone_dbfs = -20, .payload_type = 96, .level = -1},
		.line = {.state = 1},
	};
	struct speaker speaker = {.options = &options, .fd = -1};
	struct sigaction action = {.sa_handler = stop};
	struct media_key random;
	int error;

	if (media_key_random(&random, MEDIA_SUITE_GCM128) < 0)
		return 3;
	memcpy(&options.plan.ssrc, random.bytes, sizeof(options.plan.ssrc));
	if (parse_options(&options, argc, argv) < 0) {
		fputs(usage, stderr);
		return 2;
	}
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	if (srtp_init() != srtp_err_status_ok)
		return 3;
	error = run(&speaker);
	srtp_shutdown();
	if (speaker.fd >= 0)
		close(speaker.fd);
	if (error)
		return 3;
	return speaker.sent && !speaker.send_errors ? 0 : 1;
}
