// SPDX-License-Identifier: BSD-3-Clause
#include "perf/compare/loop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "perf/endpoint.h"
#include "perf/packet.h"

#define BATCH_MAX 1024
#define LISTENERS_MAX 1000000
#define COPY_MAX (PACKET_MAX + SRTP_MAX_TRAILER_LEN)

struct options {
	const struct loop_backend *backend;
	struct sockaddr_storage local, first;
	enum media_suite suite;
	uint32_t listeners;
	unsigned int batch;
};

struct loop {
	const struct options *options;
	void *state;
	int fd;
	uint64_t index; /* of the last packet, 0: none yet */
	struct media_key *key;
	struct sockaddr_in *to;
	struct mmsghdr message[BATCH_MAX];
	struct iovec piece[BATCH_MAX];
	uint8_t copy[BATCH_MAX][COPY_MAX];
};

static const char usage[] =
	"usage: stentor-loop --backend evp|srtp|none --local ADDRESS:PORT --first ADDRESS:PORT\n"
	"                    --listeners N [--suite SUITE] [--batch N]\n"
	"\n"
	"Relays RTP (no CSRC, no extension) from --local to N listeners at ADDRESS, ADDRESS + 1,\n"
	"..., each under a random key of its own. Writes \"ready\" when it has them and ends at a\n"
	"signal. --suite gcm128 (default) or cm80 (srtp only); --batch copies a sendmmsg (64).\n"
	"Exit: 2 usage, 3 something was refused.\n";

static const struct loop_backend *find_backend(const char *name)
{
	static const struct loop_backend *const backends[] = {&loop_evp, &loop_srtp, &loop_none};

	for (unsigned int i = 0; i < sizeof(backends) / sizeof(backends[0]); i++)
		if (strcmp(backends[i]->name, name) == 0)
			return backends[i];
	return NULL;
}

static int parse_options(struct options *o, int argc, char **argv)
{
	static const struct option table[] = {{"backend", required_argument, NULL, 'b'},
		{"local", required_argument, NULL, 'l'}, {"first", required_argument, NULL, 'f'},
		{"listeners", required_argument, NULL, 'n'},
		{"suite", required_argument, NULL, 's'}, {"batch", required_argument, NULL, 'm'},
		{0}};
	int c, error = 0;

	while (!error && (c = getopt_long(argc, argv, "", table, NULL)) != -1) {
		switch (c) {
		case 'b':
			o->backend = find_backend(optarg);
			break;
		case 'l':
			error = endpoint_parse(&o->local, optarg);
			break;
		case 'f':
			error = endpoint_parse(&o->first, optarg);
			break;
		case 'n':
			o->listeners = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		case 's':
			error = media_suite_parse(&o->suite, optarg);
			break;
		case 'm':
			o->batch = (unsigned int)strtoul(optarg, NULL, 10);
			break;
		default:
			error = -EINVAL;
		}
	}
	return !error && o->backend && o->local.ss_family == AF_INET &&
			       o->first.ss_family == AF_INET && o->listeners > 0 &&
			       o->listeners <= LISTENERS_MAX && o->batch > 0 &&
			       o->batch <= BATCH_MAX
		       ? 0
		       : -EINVAL;
}

static int make_listeners(struct loop *loop)
{
	const struct options *o = loop->options;
	struct sockaddr_in first;

	memcpy(&first, &o->first, sizeof(first));
	loop->key = calloc(o->listeners, sizeof(loop->key[0]));
	loop->to = calloc(o->listeners, sizeof(loop->to[0]));
	if (loop->key == NULL || loop->to == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < o->listeners; i++) {
		int error = media_key_random(&loop->key[i], o->suite);

		if (error)
			return error;
		loop->to[i] = first;
		loop->to[i].sin_addr.s_addr = htonl(ntohl(first.sin_addr.s_addr) + i);
	}
	return o->backend->open(&loop->state, loop->key, o->listeners);
}

/* The comparison is with SRTP, so what the first and the last listener get must be some. */
static int check(struct loop *loop, uint32_t listener, uint64_t index)
{
	uint8_t rtp[LOOP_HEADER + 100] = {0x80, 111, (uint8_t)(index >> 8), (uint8_t)index};
	uint8_t copy[COPY_MAX];
	srtp_policy_t policy;
	srtp_t session;
	int size, ok;

	memset(rtp + LOOP_HEADER, 0x5a, 100);
	size = loop->options->backend->protect(
		loop->state, listener, index, rtp, sizeof(rtp), copy);
	if (loop->options->backend == &loop_none)
		return 0;
	media_key_policy(&loop->key[listener], ssrc_any_inbound, &policy);
	if (size < 0 || srtp_create(&session, &policy) != srtp_err_status_ok)
		return -EIO;
	ok = srtp_unprotect(session, copy, &size) == srtp_err_status_ok &&
	     size == (int)sizeof(rtp) && memcmp(copy, rtp, sizeof(rtp)) == 0;
	srtp_dealloc(session);
	return ok ? 0 : -EBADMSG;
}

static void prepare(struct loop *loop)
{
	for (unsigned int i = 0; i < BATCH_MAX; i++) {
		loop->piece[i].iov_base = loop->copy[i];
		loop->message[i].msg_hdr = (struct msghdr){.msg_namelen = sizeof(loop->to[0]),
			.msg_iov = &loop->piece[i],
			.msg_iovlen = 1};
	}
}

static void send_batch(struct loop *loop, unsigned int count)
{
	unsigned int at = 0;

	while (at < count) {
		int sent = sendmmsg(loop->fd, loop->message + at, count - at, 0);

		/* What the kernel refuses is lost; the counting end will miss it. */
		at += sent > 0 ? (unsigned int)sent : 1;
	}
}

static int fan_out(struct loop *loop, const uint8_t *rtp, unsigned int size)
{
	const struct options *o = loop->options;
	unsigned int used = 0;

	for (uint32_t i = 0; i < o->listeners; i++) {
		int length = o->backend->protect(
			loop->state, i, loop->index, rtp, size, loop->copy[used]);

		if (length < 0)
			return length;
		loop->piece[used].iov_len = (size_t)length;
		loop->message[used].msg_hdr.msg_name = &loop->to[i];
		if (++used == o->batch) {
			send_batch(loop, used);
			used = 0;
		}
	}
	send_batch(loop, used);
	return 0;
}

/* The nearest index with that sequence number, RFC 3711 section 3.3.1 in short. */
static void follow(struct loop *loop, const uint8_t *rtp)
{
	uint16_t sequence = (uint16_t)(rtp[2] << 8 | rtp[3]);
	int16_t step = (int16_t)(sequence - (uint16_t)loop->index);

	loop->index = loop->index == 0 ? sequence : loop->index + (uint64_t)(int64_t)step;
}

static int relay(struct loop *loop)
{
	uint8_t rtp[PACKET_MAX];
	int error = 0;

	while (!error) {
		ssize_t size = recv(loop->fd, rtp, sizeof(rtp), 0);

		if (size < 0 && errno != EINTR)
			return -errno;
		if (size < LOOP_HEADER || rtp[0] != 0x80)
			continue;
		follow(loop, rtp);
		error = fan_out(loop, rtp, (unsigned int)size);
	}
	return error;
}

static int run(struct loop *loop)
{
	const struct options *o = loop->options;
	int error = make_listeners(loop);

	if (!error)
		error = check(loop, 0, 1);
	if (!error && o->listeners > 1)
		error = check(loop, o->listeners - 1, 1);
	if (error)
		return error;
	loop->fd = endpoint_bind(&o->local);
	if (loop->fd < 0)
		return loop->fd;
	prepare(loop);
	puts("ready");
	fflush(stdout);
	return relay(loop);
}

int main(int argc, char **argv)
{
	struct options options = {.suite = MEDIA_SUITE_GCM128, .batch = 64};
	struct loop *loop;
	int error;

	if (parse_options(&options, argc, argv) < 0) {
		fputs(usage, stderr);
		return 2;
	}
	loop = calloc(1, sizeof(*loop));
	if (loop == NULL || srtp_init() != srtp_err_status_ok)
		return 3;
	loop->options = &options;
	error = run(loop);
	fprintf(stderr, "stentor-loop: %s\n", strerror(-error));
	return 3;
}
