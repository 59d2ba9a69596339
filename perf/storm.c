// SPDX-License-Identifier: BSD-3-Clause
#include "perf/storm.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "perf/endpoint.h"

#define CONSENT_NS 5000000000u
#define TICK_NS 5000000u
#define PORT 5004
#define EVENTS_MAX 256
#define CONNECTION_BIT (1ull << 63)

void storm_init(struct storm *storm)
{
	memset(storm, 0, sizeof(*storm));
	storm->epoll = -1;
	for (unsigned int i = 0; i < STORM_CONNECTIONS_MAX; i++)
		storm->connection[i].fd = -1;
}

static int watch(const struct storm *storm, int fd, uint64_t data)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = data};

	return epoll_ctl(storm->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

int storm_connect(struct storm *storm, const struct storm_plan *plan)
{
	int error = dtls_identity_open(&storm->identity);

	storm->plan = plan;
	storm->epoll = epoll_create1(EPOLL_CLOEXEC);
	storm->member = calloc(plan->count, sizeof(storm->member[0]));
	storm->active = calloc(plan->count, sizeof(storm->active[0]));
	storm->held = calloc(plan->count, sizeof(storm->held[0]));
	storm->held_at_ns = calloc(plan->count, sizeof(storm->held_at_ns[0]));
	if (!storm->member || !storm->active || !storm->held || !storm->held_at_ns)
		return -ENOMEM;
	for (unsigned int i = 0; i < plan->count; i++)
		storm->member[i].client.fd = -1;
	for (unsigned int i = 0; !error && i < plan->connections; i++) {
		error = http_client_open(&storm->connection[i], &plan->server);
		if (!error)
			error = watch(storm, storm->connection[i].fd, CONNECTION_BIT | i);
	}
	return error;
}

void storm_close(struct storm *storm)
{
	for (unsigned int i = 0; storm->member && i < storm->plan->count; i++)
		webrtc_client_close(&storm->member[i].client);
	for (unsigned int i = 0; i < STORM_CONNECTIONS_MAX; i++)
		http_client_close(&storm->connection[i]);
	free(storm->member);
	free(storm->active);
	free(storm->held);
	free(storm->held_at_ns);
	dtls_identity_close(&storm->identity);
	if (storm->epoll >= 0)
		close(storm->epoll);
	storm_init(storm);
}

static void hold(struct storm *storm, unsigned int who, uint64_t now_ns)
{
	unsigned int at = (storm->held_first + storm->held_count++) % storm->plan->count;

	storm->held[at] = who;
	storm->held_at_ns[at] = now_ns + CONSENT_NS;
}

static void end(struct storm *storm, unsigned int at, uint64_t now_ns)
{
	unsigned int who = storm->active[at];
	struct storm_member *member = &storm->member[who];

	storm->active[at] = storm->active[--storm->active_count];
	member->ended_ns = now_ns;
	storm->end_ns = now_ns;
	if (member->client.state == WEBRTC_FAILED) {
		storm->failed++;
		if (storm->failure[0] == '\0')
			snprintf(storm->failure, sizeof(storm->failure), "client %u: %s", who,
				member->client.failure);
		webrtc_client_close(&member->client);
		return;
	}
	storm->joined++;
	if (storm->plan->media)
		webrtc_client_ignore_media(&member->client);
	else
		dtls_client_close(&member->client.dtls);
	hold(storm, who, now_ns);
}

static void fail(struct storm_member *member, const char *failure)
{
	member->client.state = WEBRTC_FAILED;
	member->client.failure = failure;
}

static int find_connection(const struct storm *storm)
{
	for (unsigned int i = 0; i < storm->plan->connections; i++) {
		if (!storm->connection[i].busy && storm->connection[i].fd >= 0)
			return (int)i;
	}
	return -1;
}

static void post(struct storm *storm, unsigned int who, unsigned int connection)
{
	struct storm_member *member = &storm->member[who];
	char offer[WEBRTC_OFFER_SIZE];
	const struct http_client_request request = {.method = "POST",
		.path = storm->plan->path,
		.token = storm->plan->token[who],
		.type = "application/sdp",
		.body = offer};

	webrtc_client_offer(&member->client, storm->plan->sections, offer);
	member->connection = (int)connection;
	storm->owner[connection] = who;
	if (http_client_send(&storm->connection[connection], &request) < 0)
		fail(member, "the request could not be sent");
}

static int begin(struct storm *storm, unsigned int connection, uint64_t now_ns)
{
	unsigned int who = storm->begun;
	struct storm_member *member = &storm->member[who];
	struct sockaddr_in local = {.sin_family = AF_INET,
		.sin_port = htons(PORT),
		.sin_addr.s_addr = htonl(storm->plan->address + who)};
	struct sockaddr_storage address = {0};
	int error;

	memcpy(&address, &local, sizeof(local));
	error = webrtc_client_open(&member->client, &storm->identity, &address);
	if (!error)
		error = watch(storm, member->client.fd, who);
	if (error)
		return error;
	member->client.verify = who % storm->plan->verify_every == 0;
	member->begun_ns = now_ns;
	storm->begun++;
	storm->active[storm->active_count++] = who;
	post(storm, who, connection);
	return 0;
}

/* What the rate and the window let begin now. */
static int begin_due(struct storm *storm, unsigned int until, uint64_t now_ns)
{
	const struct storm_plan *plan = storm->plan;
	uint64_t due = until;
	int connection, error = 0;

	if (plan->rate > 0)
		due = (now_ns - storm->begin_ns) * plan->rate / 1000000000u + 1;
	while (!error && storm->begun < until && storm->begun < due &&
		storm->active_count < plan->window && (connection = find_connection(storm)) >= 0)
		error = begin(storm, (unsigned int)connection, now_ns);
	return error;
}

static void take_response(struct storm *storm, unsigned int connection, uint64_t now_ns)
{
	struct http_client *http = &storm->connection[connection];
	struct storm_member *member = &storm->member[storm->owner[connection]];
	int got = http_client_receive(http);

	if (got == 0)
		return;
	member->connection = -1;
	if (got < 0) {
		fail(member, "the server has cut the connection");
		http_client_close(http);
	} else if (http->status != 201) {
		if (storm->failure[0] == '\0')
			snprintf(storm->failure, sizeof(storm->failure), "status %u: %.180s",
				http->status, http->body);
		fail(member, "the request was refused");
	} else if (member->client.state == WEBRTC_NEW) {
		webrtc_client_answer(&member->client, http->body, &storm->plan->candidate, now_ns);
	}
}

/* One packet is enough of those who have joined before. */
static void take_datagrams(struct storm *storm, struct storm_member *member, uint64_t now_ns)
{
	webrtc_client_read(&member->client, now_ns);
	if (member->ended_ns != 0 && !storm->plan->media &&
		member->client.state == WEBRTC_CONNECTED && member->client.media_ns == now_ns)
		webrtc_client_ignore_media(&member->client);
}

static bool is_over(const struct storm *storm, struct storm_member *member, uint64_t now_ns)
{
	static const char *const waits[] = {
		[WEBRTC_NEW] = "no answer from the server",
		[WEBRTC_CHECKING] = "no answer to its check",
		[WEBRTC_SECURING] = "no end of DTLS",
		[WEBRTC_LISTENING] = "no media",
	};
	enum webrtc_state state = member->client.state;

	if (state == WEBRTC_FAILED || state == WEBRTC_CONNECTED ||
		(state == WEBRTC_LISTENING && !storm->plan->media))
		return true;
	if (now_ns < member->begun_ns + storm->plan->timeout_ns)
		return false;
	fail(member, waits[state]);
	return true;
}

static void tick(struct storm *storm, uint64_t now_ns)
{
	bool due = now_ns >= storm->ticked_ns + TICK_NS;

	if (due)
		storm->ticked_ns = now_ns;
	for (unsigned int i = storm->active_count; i-- > 0;) {
		struct storm_member *member = &storm->member[storm->active[i]];

		if (due)
			webrtc_client_tick(&member->client, now_ns);
		if (is_over(storm, member, now_ns))
			end(storm, i, now_ns);
	}
	while (storm->held_count > 0 && now_ns >= storm->held_at_ns[storm->held_first]) {
		unsigned int who = storm->held[storm->held_first];

		storm->held_first = (storm->held_first + 1) % storm->plan->count;
		storm->held_count--;
		webrtc_client_consent(&storm->member[who].client);
		hold(storm, who, now_ns);
	}
}

static int turn(struct storm *storm)
{
	struct epoll_event events[EVENTS_MAX];
	int count = epoll_wait(storm->epoll, events, EVENTS_MAX, 1);
	uint64_t now_ns = clock_monotonic_ns();

	for (int i = 0; i < count; i++) {
		uint64_t data = events[i].data.u64;

		if (data & CONNECTION_BIT)
			take_response(storm, (unsigned int)(data & ~CONNECTION_BIT), now_ns);
		else
			take_datagrams(storm, &storm->member[data], now_ns);
	}
	tick(storm, now_ns);
	return count < 0 && errno != EINTR ? -errno : 0;
}

int storm_run(struct storm *storm, unsigned int until)
{
	int error = 0;

	if (storm->begun == 0)
		storm->begin_ns = clock_monotonic_ns();
	while (!error && storm->joined + storm->failed < until) {
		error = begin_due(storm, until, clock_monotonic_ns());
		if (!error)
			error = turn(storm);
		if (!error && storm->active_count == 0 && find_connection(storm) < 0)
			error = -ECONNRESET;
	}
	return error;
}

int storm_hold(struct storm *storm, uint64_t ns)
{
	uint64_t end_ns = clock_monotonic_ns() + ns;
	int error = 0;

	while (!error && clock_monotonic_ns() < end_ns)
		error = turn(storm);
	return error;
}

unsigned int storm_count_hearing(const struct storm *storm)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < storm->begun; i++)
		count += storm->member[i].client.state == WEBRTC_CONNECTED;
	return count;
}

unsigned int storm_count_opened(const struct storm *storm)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < storm->begun; i++)
		count += storm->member[i].client.opened;
	return count;
}
