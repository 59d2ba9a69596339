// SPDX-License-Identifier: BSD-3-Clause
/*
 * stentor-ear: a listener made of other people's software. Binds a UDP socket, decrypts with
 * libsrtp2, decodes with libopus, writes what was heard as a WAV file and reports it as JSON.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>
#include <srtp2/srtp.h>

#include "perf/endpoint.h"
#include "perf/mediakey.h"
#include "perf/packet.h"
#include "perf/speech.h"
#include "perf/stream.h"
#include "perf/wav.h"

#define STREAMS_MAX 16
#define ROCS_MAX 8
#define POLL_MS 100

struct options {
	struct sockaddr_storage bind;
	struct media_key key;
	const char *wav;
	const char *report;
	const char *log;
	const char *original;
	double seconds; /* 0: until a signal */
	double idle;    /* 0: never */
	double threshold;
	unsigned int roc_count;
	struct {
		uint32_t ssrc;
		uint32_t roc;
	} roc[ROCS_MAX];
};

struct ear {
	const struct options *options;
	int fd;
	srtp_t srtp;
	struct wav wav;
	struct speech original;
	FILE *log;
	struct stream *stream[STREAMS_MAX];
	unsigned int stream_count;
	uint64_t start_ns;
	uint64_t last_ns; /* of the last accepted packet, 0: none yet */
	uint64_t gap_ns;  /* longest time without any accepted packet */
	double first_wall, last_wall;
	uint64_t datagrams, packets, duplicates, too_old, auth_failures, malformed, rtcp, stun;
	uint64_t unaltered; /* payloads that the original file contains, byte for byte */
	uint64_t streams_refused;
};

static volatile sig_atomic_t stopped;

static void stop(int number)
{
	(void)number;
	stopped = 1;
}

static const char usage[] =
	"usage: stentor-ear --bind ADDRESS:PORT --suite SUITE --key KEY [option...]\n"
	"\n"
	"  --bind ADDRESS:PORT  where to listen; [ADDRESS]:PORT for IPv6\n"
	"  --suite SUITE        gcm128, gcm256, cm80, or the IANA name\n"
	"  --key KEY            master key and salt together, base64 or hex\n"
	"  --wav FILE           write what was heard, 48 kHz mono\n"
	"  --report FILE        write the JSON report there instead of standard output\n"
	"  --log FILE           one line a packet: ns ssrc sequence timestamp marker pt size csrc\n"
	"  --original FILE      Ogg Opus; counts the payloads that it contains unaltered\n"
	"  --seconds S          stop after S seconds\n"
	"  --idle S             stop when nothing has come for S seconds after the first packet\n"
	"  --threshold DB       what counts as speech, in dBFS over 20 ms (-45)\n"
	"  --roc SSRC=N         start this SSRC (hex with 0x) at rollover count N (group keys)\n"
	"\n"
	"Stops at SIGINT or SIGTERM, too. Exit: 0 something was heard, 1 nothing was heard,\n"
	"2 usage, 3 cannot listen or write.\n";

static int parse_roc(struct options *options, const char *text)
{
	char *end;
	unsigned long ssrc = strtoul(text, &end, 0), roc;

	if (*end != '=' || options->roc_count == ROCS_MAX)
		return -EINVAL;
	roc = strtoul(end + 1, &end, 0);
	if (*end)
		return -EINVAL;
	options->roc[options->roc_count].ssrc = (uint32_t)ssrc;
	options->roc[options->roc_count++].roc = (uint32_t)roc;
	return 0;
}

static int parse_options(struct options *options, int argc, char **argv)
{
	static const struct option table[] = {{"bind", required_argument, NULL, 'b'},
		{"suite", required_argument, NULL, 's'}, {"key", required_argument, NULL, 'k'},
		{"wav", required_argument, NULL, 'w'}, {"report", required_argument, NULL, 'r'},
		{"log", required_argument, NULL, 'l'}, {"original", required_argument, NULL, 'o'},
		{"seconds", required_argument, NULL, 'S'}, {"idle", required_argument, NULL, 'i'},
		{"threshold", required_argument, NULL, 't'}, {"roc", required_argument, NULL, 'R'},
		{"help", no_argument, NULL, 'h'}, {0}};
	const char *key = NULL;
	enum media_suite suite = MEDIA_SUITE_COUNT;
	int c, error = 0;

	options->threshold = -45;
	while (!error && (c = getopt_long(argc, argv, "", table, NULL)) != -1) {
		switch (c) {
		case 'b':
			error = endpoint_parse(&options->bind, optarg);
			break;
		case 's':
			error = media_suite_parse(&suite, optarg);
			break;
		case 'k':
			key = optarg;
			break;
		case 'w':
			options->wav = optarg;
			break;
		case 'r':
			options->report = optarg;
			break;
		case 'l':
			options->log = optarg;
			break;
		case 'o':
			options->original = optarg;
			break;
		case 'S':
			options->seconds = atof(optarg);
			break;
		case 'i':
			options->idle = atof(optarg);
			break;
		case 't':
			options->threshold = atof(optarg);
			break;
		case 'R':
			error = parse_roc(options, optarg);
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		default:
			return -EINVAL;
		}
		if (error)
			fprintf(stderr, "stentor-ear: cannot read '%s'\n", optarg);
	}
	if (error || optind != argc || !key || suite == MEDIA_SUITE_COUNT ||
		options->bind.ss_family == 0)
		return -EINVAL;
	error = media_key_parse(&options->key, suite, key);
	if (error)
		fprintf(stderr, "stentor-ear: the key must be %u bytes in base64 or hex\n",
			media_suite_key_size(suite));
	return error;
}

static int open_srtp(struct ear *ear)
{
	srtp_policy_t policy;
	srtp_err_status_t status;

	media_key_policy(&ear->options->key, ssrc_any_inbound, &policy);
	status = srtp_create(&ear->srtp, &policy);
	for (unsigned int i = 0; status == srtp_err_status_ok && i < ear->options->roc_count; i++) {
		uint32_t ssrc = ear->options->roc[i].ssrc;

		policy.ssrc.type = ssrc_specific;
		policy.ssrc.value = ssrc;
		status = srtp_add_stream(ear->srtp, &policy);
		if (status == srtp_err_status_ok)
			status = srtp_set_stream_roc(ear->srtp, ssrc, ear->options->roc[i].roc);
	}
	return status == srtp_err_status_ok ? 0 : -EINVAL;
}

static struct stream *find_stream(struct ear *ear, const struct packet_view *view, uint64_t now_ns)
{
	struct stream *stream;

	for (unsigned int i = 0; i < ear->stream_count; i++)
		if (ear->stream[i]->ssrc == view->ssrc)
			return ear->stream[i];
	if (ear->stream_count == STREAMS_MAX)
		return NULL;
	stream = malloc(sizeof(*stream));
	if (!stream || stream_open(stream, view, now_ns, ear->start_ns) < 0) {
		free(stream);
		return NULL;
	}
	ear->stream[ear->stream_count++] = stream;
	return stream;
}

static bool in_original(const struct ear *ear, const struct packet_view *view)
{
	for (size_t i = 0; i < ear->original.count; i++) {
		const struct speech_packet *p = &ear->original.packet[i];

		if (p->size == view->payload_size &&
			memcmp(ear->original.data + p->offset, view->payload, p->size) == 0)
			return true;
	}
	return false;
}

static void hear(struct ear *ear, const struct packet_view *view, uint64_t now_ns)
{
	struct stream *stream;

	if (ear->packets == 0) {
		ear->start_ns = ear->last_ns = now_ns;
		ear->first_wall = clock_wall_s();
	}
	ear->packets++;
	if (now_ns - ear->last_ns > ear->gap_ns)
		ear->gap_ns = now_ns - ear->last_ns;
	ear->last_ns = now_ns;
	ear->last_wall = clock_wall_s();
	ear->unaltered += in_original(ear, view);
	if (ear->log)
		fprintf(ear->log, "%llu %08x %u %u %d %u %u %08x\n", (unsigned long long)now_ns,
			view->ssrc, view->sequence, view->timestamp, view->marker,
			view->payload_type, view->payload_size,
			view->csrc_count ? view->csrc[0] : 0);
	stream = find_stream(ear, view, now_ns);
	if (stream)
		stream_take(stream, view, now_ns, &ear->wav);
	else
		ear->streams_refused++;
}

static void take_rtcp(struct ear *ear, uint8_t *bytes, int size)
{
	switch (srtp_unprotect_rtcp(ear->srtp, bytes, &size)) {
	case srtp_err_status_ok:
		ear->rtcp++;
		break;
	case srtp_err_status_auth_fail:
		ear->auth_failures++;
		break;
	default:
		ear->malformed++;
	}
}

static void take_datagram(struct ear *ear, uint8_t *bytes, int size)
{
	struct packet_view view;
	uint64_t now_ns = clock_monotonic_ns();

	ear->datagrams++;
	/* Of somebody who does ICE for this address (RFC 7983). */
	if (size > 0 && bytes[0] <= 3) {
		ear->stun++;
		return;
	}
	if (packet_is_rtcp(bytes, (unsigned int)size)) {
		take_rtcp(ear, bytes, size);
		return;
	}
	switch (srtp_unprotect(ear->srtp, bytes, &size)) {
	case srtp_err_status_ok:
		if (packet_parse(&view, bytes, (unsigned int)size) < 0)
			ear->malformed++;
		else
			hear(ear, &view, now_ns);
		break;
	case srtp_err_status_replay_fail:
		ear->duplicates++;
		break;
	case srtp_err_status_replay_old:
		ear->too_old++;
		break;
	case srtp_err_status_auth_fail:
		ear->auth_failures++;
		break;
	default:
		ear->malformed++;
	}
}

static void listen_until_stopped(struct ear *ear)
{
	const struct options *o = ear->options;
	uint64_t begin_ns = clock_monotonic_ns();
	struct pollfd poll_fd = {.fd = ear->fd, .events = POLLIN};
	uint8_t bytes[65536];

	while (!stopped) {
		uint64_t now_ns = clock_monotonic_ns();

		if (o->seconds > 0 && (double)(now_ns - begin_ns) >= o->seconds * 1e9)
			break;
		if (o->idle > 0 && ear->last_ns && (double)(now_ns - ear->last_ns) >= o->idle * 1e9)
			break;
		if (poll(&poll_fd, 1, POLL_MS) <= 0)
			continue;
		for (;;) {
			ssize_t size = recv(ear->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

			if (size < 0)
				break;
			take_datagram(ear, bytes, (int)size);
		}
	}
}

static json_t *describe_stream(const struct stream *s)
{
	json_t *csrcs = json_array();
	char text[16];

	for (unsigned int i = 0; i < s->csrc_count; i++) {
		snprintf(text, sizeof(text), "%08x", s->csrc[i]);
		json_array_append_new(csrcs, json_string(text));
	}
	snprintf(text, sizeof(text), "%08x", s->ssrc);
	return json_pack(
		"{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:f, s:f, s:o}",
		"ssrc", text, "packets", (json_int_t)s->packets, "lost", (json_int_t)stream_lost(s),
		"reordered", (json_int_t)s->reordered, "late", (json_int_t)s->late, "markers",
		(json_int_t)s->markers, "undecodable", (json_int_t)s->undecodable, "concealed",
		(json_int_t)s->concealed, "sequence_lowest", (json_int_t)s->lowest,
		"sequence_highest", (json_int_t)s->highest, "seconds",
		(double)s->samples / WAV_RATE, "longest_gap_ms", (double)s->gap_ns / 1e6,
		"clock_early_ms", (double)s->early_ns / 1e6, "clock_behind_ms",
		(double)s->behind_ns / 1e6, "csrcs", csrcs);
}

static json_t *describe(const struct ear *ear)
{
	json_t *report, *streams = json_array();
	uint64_t lost = 0, markers = 0, undecodable = 0, samples = 0;
	struct wav_level level;

	for (unsigned int i = 0; i < ear->stream_count; i++) {
		const struct stream *s = ear->stream[i];

		lost += stream_lost(s);
		markers += s->markers;
		undecodable += s->undecodable;
		samples += s->samples;
		json_array_append_new(streams, describe_stream(s));
	}
	wav_measure(&ear->wav, ear->options->threshold, &level);
	report = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "packets",
		(json_int_t)ear->packets, "lost", (json_int_t)lost, "duplicates",
		(json_int_t)ear->duplicates, "too_old", (json_int_t)ear->too_old, "auth_failures",
		(json_int_t)ear->auth_failures, "malformed", (json_int_t)ear->malformed, "rtcp",
		(json_int_t)ear->rtcp, "markers", (json_int_t)markers, "undecodable",
		(json_int_t)undecodable, "unaltered", (json_int_t)ear->unaltered, "stun",
		(json_int_t)ear->stun);
	json_object_update_new(
		report, json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:o}", "seconds_audio",
				(double)samples / WAV_RATE, "seconds_recorded", level.seconds,
				"seconds_speech", level.speech_seconds, "longest_gap_ms",
				(double)ear->gap_ns / 1e6, "loudness_dbfs", level.speech_dbfs,
				"rms_dbfs", level.rms_dbfs, "first_time", ear->first_wall,
				"last_time", ear->last_wall, "streams", streams));
	return report;
}

static int write_report(const struct ear *ear)
{
	const char *path = ear->options->report;
	json_t *report = describe(ear);
	size_t flags = JSON_INDENT(2) | JSON_PRESERVE_ORDER;
	int error = path ? json_dump_file(report, path, flags) : json_dumpf(report, stdout, flags);

	if (!path)
		putchar('\n');
	json_decref(report);
	return error ? -EIO : 0;
}

static int run(struct ear *ear)
{
	const struct options *o = ear->options;
	int error;

	ear->fd = endpoint_bind(&o->bind);
	if (ear->fd < 0) {
		fprintf(stderr, "stentor-ear: cannot bind: %s\n", strerror(-ear->fd));
		return ear->fd;
	}
	if (o->log && !(ear->log = fopen(o->log, "w"))) {
		fprintf(stderr, "stentor-ear: %s: %s\n", o->log, strerror(errno));
		return -EIO;
	}
	if (o->original && (error = speech_open(&ear->original, o->original)) < 0) {
		fprintf(stderr, "stentor-ear: %s: %s\n", o->original, strerror(-error));
		return error;
	}
	error = open_srtp(ear);
	if (error < 0) {
		fprintf(stderr, "stentor-ear: libsrtp2 refuses the key\n");
		return error;
	}
	fprintf(stderr, "stentor-ear: listening\n");
	listen_until_stopped(ear);
	for (unsigned int i = 0; i < ear->stream_count; i++)
		stream_flush(ear->stream[i], &ear->wav);
	if (o->wav && (error = wav_write(&ear->wav, o->wav)) < 0)
		fprintf(stderr, "stentor-ear: %s: %s\n", o->wav, strerror(-error));
	return write_report(ear) < 0 ? -EIO : error;
}

static void close_all(struct ear *ear)
{
	for (unsigned int i = 0; i < ear->stream_count; i++) {
		stream_close(ear->stream[i]);
		free(ear->stream[i]);
	}
	if (ear->srtp)
		srtp_dealloc(ear->srtp);
	if (ear->fd >= 0)
		close(ear->fd);
	if (ear->log)
		fclose(ear->log);
	speech_close(&ear->original);
	wav_close(&ear->wav);
}

int main(int argc, char **argv)
{
	struct options options = {0};
	struct ear ear = {.options = &options, .fd = -1};
	struct sigaction action = {.sa_handler = stop};
	int error;

	if (parse_options(&options, argc, argv) < 0) {
		fputs(usage, stderr);
		return 2;
	}
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	if (srtp_init() != srtp_err_status_ok)
		return 3;
	error = run(&ear);
	close_all(&ear);
	srtp_shutdown();
	if (error)
		return 3;
	return ear.packets ? 0 : 1;
}
