// SPDX-License-Identifier: BSD-3-Clause
/*
 * stentor-legs: WebRTC listeners for somebody else's server, whose signalling is the caller's. It
 * writes a description of each, takes the server's for each, does the connectivity check and the
 * DTLS handshake and says when a leg has its keys. Then it keeps the sockets until its input ends.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <jansson.h>

#include "perf/endpoint.h"
#include "perf/scene.h"
#include "perf/webrtc_client.h"

#define COUNT_MAX 60000
#define INPUT UINT32_MAX
#define INPUT_SIZE 65536
#define TIMEOUT_NS 20000000000u
#define TICK_MS 20
#define EVENTS 64

struct legs {
	unsigned int count;
	struct dtls_identity identity;
	struct webrtc_client *client;
	uint64_t *begun_ns; /* 0: not yet, UINT64_MAX: told how it ended */
	int epoll;
	char input[INPUT_SIZE];
	size_t input_size;
};

static const char usage[] =
	"usage: stentor-legs --netns FILE --first ADDRESS:PORT --count N\n"
	"\n"
	"Leg i is at ADDRESS + i. Output: {\"client\":i,\"sdp\":\"...\"} for each, then\n"
	"{\"client\":i,\"failure\":null or text} as they end. Input: "
	"{\"client\":i,\"sdp\":\"...\"}\n"
	"of the server. Exit: 0 at the end of input, 2 usage, 3 something was refused.\n";

static int say(json_t *line)
{
	json_dumpf(line, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
	putchar('\n');
	json_decref(line);
	return fflush(stdout) ? -EIO : 0;
}

static int open_leg(struct legs *legs, uint32_t i, const struct sockaddr_storage *first)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
	struct sockaddr_storage local = *first;
	struct sockaddr_in *four = (struct sockaddr_in *)&local;
	char offer[WEBRTC_OFFER_SIZE];
	int error;

	four->sin_addr.s_addr = htonl(ntohl(four->sin_addr.s_addr) + i);
	error = webrtc_client_open(&legs->client[i], &legs->identity, &local);
	if (error)
		return error;
	/* The server is ICE lite: it sends no check of its own that DTLS had to wait for. */
	legs->client[i].challenged = true;
	webrtc_client_offer(&legs->client[i], 1, offer);
	if (epoll_ctl(legs->epoll, EPOLL_CTL_ADD, legs->client[i].fd, &event) < 0)
		return -errno;
	return say(json_pack("{s:I, s:s}", "client", (json_int_t)i, "sdp", offer));
}

static int take_line(struct legs *legs, const char *line, size_t size)
{
	json_t *request = json_loadb(line, size, 0, NULL);
	json_int_t i = json_integer_value(json_object_get(request, "client"));
	const char *sdp = json_string_value(json_object_get(request, "sdp"));
	uint64_t now_ns = clock_monotonic_ns();
	int error = -EBADMSG;

	if (sdp && i >= 0 && i < legs->count) {
		error = webrtc_client_answer(&legs->client[i], sdp, NULL, now_ns);
		legs->begun_ns[i] = now_ns;
	}
	json_decref(request);
	return error;
}

/* 1: there is no more input. */
static int take_input(struct legs *legs)
{
	ssize_t size = read(STDIN_FILENO, legs->input + legs->input_size,
		sizeof(legs->input) - legs->input_size);
	char *begin = legs->input, *end;
	int error = 0;

	if (size <= 0)
		return 1;
	legs->input_size += (size_t)size;
	while (!error && (end = memchr(begin, '\n', legs->input_size)) != NULL) {
		error = take_line(legs, begin, (size_t)(end - begin));
		legs->input_size -= (size_t)(end + 1 - begin);
		begin = end + 1;
	}
	memmove(legs->input, begin, legs->input_size);
	return error;
}

static int look_after(struct legs *legs, uint32_t i, uint64_t now_ns)
{
	struct webrtc_client *client = &legs->client[i];
	const char *failure = NULL;

	webrtc_client_tick(client, now_ns);
	if (client->state == WEBRTC_FAILED)
		failure = client->failure;
	else if (now_ns > legs->begun_ns[i] + TIMEOUT_NS)
		failure = client->state == WEBRTC_CHECKING ? "no answer to the check"
							   : "DTLS does not end";
	else if (client->state != WEBRTC_LISTENING && client->state != WEBRTC_CONNECTED)
		return 0;
	legs->begun_ns[i] = UINT64_MAX;
	if (!failure)
		webrtc_client_ignore_media(client);
	return say(json_pack("{s:I, s:s?}", "client", (json_int_t)i, "failure", failure));
}

static int run(struct legs *legs, const struct sockaddr_storage *first)
{
	struct epoll_event event[EVENTS], input = {.events = EPOLLIN, .data.u32 = INPUT};
	uint64_t ticked_ns = 0, now_ns;
	int error = 0;

	if (epoll_ctl(legs->epoll, EPOLL_CTL_ADD, STDIN_FILENO, &input) < 0)
		return -errno;
	for (uint32_t i = 0; !error && i < legs->count; i++)
		error = open_leg(legs, i, first);
	while (!error) {
		int ready = epoll_wait(legs->epoll, event, EVENTS, TICK_MS);

		now_ns = clock_monotonic_ns();
		for (int e = 0; !error && e < ready; e++) {
			if (event[e].data.u32 == INPUT)
				error = take_input(legs);
			else
				webrtc_client_read(&legs->client[event[e].data.u32], now_ns);
		}
		if (now_ns < ticked_ns + TICK_MS * 1000000u)
			continue;
		ticked_ns = now_ns;
		for (uint32_t i = 0; !error && i < legs->count; i++)
			if (legs->begun_ns[i] != 0 && legs->begun_ns[i] != UINT64_MAX)
				error = look_after(legs, i, now_ns);
	}
	return error;
}

static int parse_options(struct legs *legs, struct sockaddr_storage *first, const char **netns,
	int argc, char **argv)
{
	static const struct option table[] = {{"netns", required_argument, NULL, 'n'},
		{"first", required_argument, NULL, 'f'}, {"count", required_argument, NULL, 'c'},
		{0}};
	int c;

	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
		if (c == 'n')
			*netns = optarg;
		else if (c == 'c')
			legs->count = (unsigned int)strtoul(optarg, NULL, 10);
		else if (c != 'f' || endpoint_parse(first, optarg) < 0)
			return -EINVAL;
	}
	return *netns && first->ss_family == AF_INET && legs->count > 0 && legs->count <= COUNT_MAX
		       ? 0
		       : -EINVAL;
}

int main(int argc, char **argv)
{
	struct rlimit files = {COUNT_MAX + 100, COUNT_MAX + 100};
	struct sockaddr_storage first = {0};
	const char *netns = NULL;
	static struct legs legs;
	int error;

	if (parse_options(&legs, &first, &netns, argc, argv) < 0) {
		fputs(usage, stderr);
		return 2;
	}
	setrlimit(RLIMIT_NOFILE, &files);
	legs.client = calloc(legs.count, sizeof(legs.client[0]));
	legs.begun_ns = calloc(legs.count, sizeof(legs.begun_ns[0]));
	legs.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (!legs.client || !legs.begun_ns || srtp_init() != srtp_err_status_ok ||
		dtls_identity_open(&legs.identity) < 0)
		return 3;
	/* Janus says that the check is good before it can take a ClientHello, and so loses the
	 * first. */
	legs.identity.hasty = true;
	error = scene_enter(netns);
	if (!error)
		error = run(&legs, &first);
	if (error < 0)
		fprintf(stderr, "stentor-legs: %s\n", strerror(-error));
	return error < 0 ? 3 : 0;
}
