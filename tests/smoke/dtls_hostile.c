// SPDX-License-Identifier: BSD-3-Clause
/*
 * Those who do not play by the rules of DTLS, against the real programs, over WHEP and ICE that are
 * in order. Run by dtls_hostile_test.sh, which has made a member of the room for each line of
 * tokens on standard input. Starts where HTTP is and goes where browsers are.
 *
 *     dtls-hostile ROOM CLIENTS-NETNS CANDIDATE STRANGERS-NETNS STRANGERS-CANDIDATE
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/x509.h>

#include "perf/endpoint.h"
#include "perf/http_client.h"
#include "perf/webrtc_client.h"
#include "tests/support/dtls_peer.h"

#define SECOND 1000000000ULL
#define FLOOD_ANSWERED_MAX 8 /* handshakes_address_max of the test's configuration */
#define FLOOD (2 * FLOOD_ANSWERED_MAX)

static struct http_client http;
static struct sockaddr_storage candidate, local, strangers_candidate;
static const char *room;
static char token[256]; /* of the client opened last */
static int clients_netns, strangers_netns;
static struct dtls_identity own;

static void fail(const char *what, const char *why)
{
	fprintf(stderr, "FAIL: %s: %s\n", what, why ? why : "");
	exit(1);
}

static void step(const char *what)
{
	printf("%.2f %s\n", (double)clock_monotonic_ns() / (double)SECOND, what);
	fflush(stdout);
}

static void enter(int netns)
{
	if (setns(netns, CLONE_NEWNET) < 0)
		fail("setns", strerror(errno));
}

static void request_of(const struct http_client_request *request, unsigned int status)
{
	struct pollfd ready = {.fd = http.fd, .events = POLLIN};
	int rc = 0;

	if (http_client_send(&http, request) != 0)
		fail(request->method, "the request cannot be sent");
	while (rc == 0 && poll(&ready, 1, 5000) == 1)
		rc = http_client_receive(&http);
	if (rc != 1 || http.status != status)
		fail(request->method, rc == 1 ? http.body : "no response");
}

/* HTTP has its connection already; sockets from here on are where clients are. */
static void post(struct webrtc_client *client)
{
	char offer[WEBRTC_OFFER_SIZE], path[128];
	struct http_client_request request = {.method = "POST",
		.path = path,
		.token = token,
		.type = "application/sdp",
		.body = offer};

	if (fgets(token, sizeof(token), stdin) == NULL)
		fail("post", "no token left");
	token[strcspn(token, "\n")] = '\0';
	snprintf(path, sizeof(path), "/whep/%s", room);
	webrtc_client_offer(client, 1, offer);
	request_of(&request, 201);
	if (webrtc_client_answer(client, http.body, &candidate, clock_monotonic_ns()) != 0)
		fail("answer", client->failure);
}

static void open_client(struct webrtc_client *client)
{
	if (webrtc_client_open(client, &own, &local) != 0)
		fail("open", "no socket");
	post(client);
}

/* Until it has that state or cannot get there; `each` is called for every turn. */
static bool run(struct webrtc_client *client, enum webrtc_state wanted, uint64_t limit_ns,
	void (*each)(struct webrtc_client *client))
{
	uint64_t until_ns = clock_monotonic_ns() + limit_ns;
	struct pollfd ready = {.fd = client->fd, .events = POLLIN};

	while (client->state != wanted && client->state != WEBRTC_FAILED &&
		clock_monotonic_ns() < until_ns) {
		if (each != NULL)
			each(client);
		poll(&ready, 1, 20);
		webrtc_client_read(client, clock_monotonic_ns());
		webrtc_client_tick(client, clock_monotonic_ns());
	}
	return client->state == wanted;
}

static void expect_connects(
	struct webrtc_client *client, const char *what, void (*each)(struct webrtc_client *client))
{
	if (!run(client, WEBRTC_LISTENING, 10 * SECOND, each))
		fail(what, client->failure ? client->failure : "not in time");
}

/* DTLS once more on the path that is there, as somebody else. */
static void again(struct webrtc_client *client, const struct dtls_identity *identity)
{
	dtls_client_close(&client->dtls);
	client->identity = identity;
	client->state = WEBRTC_CHECKING;
	client->check_at_ns = 0;
	webrtc_client_consent(client);
}

static void be_somebody_else(struct dtls_identity *identity)
{
	if (dtls_identity_open(identity) != 0)
		fail("identity", "OpenSSL");
}

static void steal_certificate(struct dtls_identity *identity)
{
	X509 *x509 = SSL_CTX_get0_certificate(own.context);
	EVP_PKEY *forged = dtls_peer_forge_key(X509_get0_pubkey(x509));

	be_somebody_else(identity);
	if (SSL_CTX_use_certificate(identity->context, x509) != 1 ||
		SSL_CTX_use_PrivateKey(identity->context, forged) != 1)
		fail("identity", "the stolen certificate cannot be used");
	EVP_PKEY_free(forged);
}

static void have_no_certificate(struct dtls_identity *identity)
{
	SSL_CTX *context = SSL_CTX_new(DTLS_client_method());

	be_somebody_else(identity);
	SSL_CTX_free(identity->context);
	identity->context = context;
	SSL_CTX_set_options(context, SSL_OP_NO_QUERY_MTU);
	SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_tlsext_use_srtp(context, "SRTP_AEAD_AES_128_GCM");
}

static void offer_no_profile(struct dtls_identity *identity)
{
	be_somebody_else(identity);
	SSL_CTX_set_tlsext_use_srtp(identity->context, "SRTP_AES128_CM_SHA1_32");
}

static const struct {
	const char *what;
	void (*become)(struct dtls_identity *identity);
} impostors[] = {
	{"another certificate than the one of the SDP", be_somebody_else},
	{"a copied certificate", steal_certificate},
	{"no certificate", have_no_certificate},
	{"no SRTP profile", offer_no_profile},
};

/* Refused each; and the leg that they tried to take still belongs to who has the key. */
static void try_impostors(void)
{
	for (unsigned int i = 0; i < sizeof(impostors) / sizeof(impostors[0]); i++) {
		struct dtls_identity other;
		struct webrtc_client client;
		uint64_t until_ns = clock_monotonic_ns() + 10 * SECOND;

		step(impostors[i].what);
		impostors[i].become(&other);
		open_client(&client);
		client.identity = &other;
		if (run(&client, WEBRTC_LISTENING, 3 * SECOND, NULL))
			fail(impostors[i].what, "is let in");
		if (client.state != WEBRTC_FAILED || client.dtls.ssl == NULL)
			fail(impostors[i].what, "is not refused by DTLS");
		/* A hold-off drops the first hellos. */
		do {
			again(&client, &own);
		} while (!run(&client, WEBRTC_LISTENING, SECOND / 2, NULL) &&
			 clock_monotonic_ns() < until_ns);
		if (client.state != WEBRTC_LISTENING)
			fail(impostors[i].what, "takes the leg with it");
		webrtc_client_close(&client);
		dtls_identity_close(&other);
	}
}

static void send_alerts(struct webrtc_client *client)
{
	/* Fatal handshake_failure, and close_notify. */
	static const uint8_t alerts[] = {21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 2, 40, 21,
		0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 10, 0, 2, 1, 0};

	(void)!send(client->fd, alerts, sizeof(alerts), 0);
}

/* Consent is still answered: the leg is there. */
static void expect_alive(struct webrtc_client *client, const char *what)
{
	uint64_t answered = client->checks_answered, until_ns = clock_monotonic_ns() + 5 * SECOND;

	while (client->checks_answered == answered) {
		struct pollfd ready = {.fd = client->fd, .events = POLLIN};

		if (clock_monotonic_ns() > until_ns || client->state == WEBRTC_FAILED)
			fail(what, "the leg is gone");
		webrtc_client_consent(client);
		poll(&ready, 1, 200);
		webrtc_client_read(client, clock_monotonic_ns());
	}
}

static void try_alerts(void)
{
	struct webrtc_client client;

	step("plaintext alerts from the client's own address, before, during and after");
	open_client(&client);
	expect_connects(&client, "alerts", send_alerts);
	for (unsigned int i = 0; i < 10; i++) {
		send_alerts(&client);
		expect_alive(&client, "alerts");
	}
	webrtc_client_close(&client);
}

static int stranger;
static struct dtls_peer stranger_peer;

static void stranger_sends(void *context, const uint8_t *bytes, size_t size)
{
	(void)!send(stranger, bytes, size, 0);
}

/* A hello of its own each time, and alerts, from where no check has come from. */
static void race(struct webrtc_client *client)
{
	struct dtls_peer_facts facts = {.send = stranger_sends};
	struct webrtc_client from = {.fd = stranger};

	dtls_peer_open(&stranger_peer, &facts);
	dtls_peer_start(&stranger_peer);
	dtls_peer_close(&stranger_peer);
	send_alerts(&from);
}

static void try_race(void)
{
	struct webrtc_client client;
	uint8_t bytes[2048];

	step("a ClientHello race from a third namespace");
	enter(strangers_netns);
	stranger = socket(strangers_candidate.ss_family, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	if (stranger < 0 || connect(stranger, (struct sockaddr *)&strangers_candidate,
				    endpoint_size(&strangers_candidate)) != 0)
		fail("race", strerror(errno));
	enter(clients_netns);
	open_client(&client);
	expect_connects(&client, "race", race);
	for (unsigned int i = 0; i < 20; i++)
		race(&client);
	expect_alive(&client, "race");
	if (recv(stranger, bytes, sizeof(bytes), 0) > 0)
		fail("race", "the stranger is answered");
	close(stranger);
	webrtc_client_close(&client);
}

/* Begins DTLS and never goes on; true if there was an answer to the hello. */
static bool half_open(struct webrtc_client *client)
{
	uint64_t until_ns = clock_monotonic_ns() + SECOND / 4;
	struct pollfd ready = {.fd = client->fd, .events = POLLIN};
	uint8_t bytes[2048];

	open_client(client);
	if (!run(client, WEBRTC_SECURING, 10 * SECOND, NULL))
		fail("flood", "no path");
	while (clock_monotonic_ns() < until_ns) {
		poll(&ready, 1, 20);
		if (recv(client->fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0 && bytes[0] == 22)
			return true;
	}
	return false;
}

static void try_flood(void)
{
	static struct webrtc_client flood[FLOOD];
	struct webrtc_client before, honest;
	uint64_t begin_ns;
	unsigned int answered = 0;

	step("half-open handshakes from one address");
	open_client(&before);
	expect_connects(&before, "flood", NULL);
	for (unsigned int i = 0; i < FLOOD; i++)
		answered += half_open(&flood[i]);
	printf("%u of %u were answered\n", answered, FLOOD);
	if (answered < FLOOD_ANSWERED_MAX || answered == FLOOD)
		fail("flood", "the cap does not hold, or nobody is answered");
	expect_alive(&before, "flood");
	/* Idle ones of that address make room for who does go on. */
	begin_ns = clock_monotonic_ns();
	open_client(&honest);
	expect_connects(&honest, "flood", NULL);
	printf("one more of that address took %.2f s\n",
		(double)(clock_monotonic_ns() - begin_ns) / (double)SECOND);
	for (unsigned int i = 0; i < FLOOD; i++)
		webrtc_client_close(&flood[i]);
	webrtc_client_close(&honest);
	webrtc_client_close(&before);
}

/* Our close_notify is on the wire when a session ends: record type 21, epoch 1. */
static void try_our_close(void)
{
	struct http_client_request request = {.method = "DELETE", .token = token};
	uint64_t until_ns = clock_monotonic_ns() + 5 * SECOND;
	struct webrtc_client client;
	char path[sizeof(http.location)];
	uint8_t bytes[2048] = {0};

	step("a session that is deleted is closed by an encrypted alert");
	open_client(&client);
	strcpy(path, http.location);
	request.path = path;
	expect_connects(&client, "our close", NULL);
	request_of(&request, 200);
	while (bytes[0] != 21 || bytes[4] != 1) {
		struct pollfd ready = {.fd = client.fd, .events = POLLIN};

		if (clock_monotonic_ns() > until_ns)
			fail("our close", "has not come");
		poll(&ready, 1, 100);
		(void)!recv(client.fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	}
	webrtc_client_close(&client);
}

/* The client's close_notify ends its leg: checks are not answered any more. */
static void try_their_close(void)
{
	uint64_t until_ns = clock_monotonic_ns() + 10 * SECOND, answered;
	struct webrtc_client client;

	step("a client that says goodbye is gone");
	open_client(&client);
	expect_connects(&client, "their close", NULL);
	expect_alive(&client, "their close");
	SSL_shutdown(client.dtls.ssl);
	do {
		struct pollfd ready = {.fd = client.fd, .events = POLLIN};

		if (clock_monotonic_ns() > until_ns)
			fail("their close", "the leg is still there");
		answered = client.checks_answered;
		webrtc_client_consent(&client);
		while (poll(&ready, 1, 500) == 1) {
			webrtc_client_read(&client, clock_monotonic_ns());
			if (client.checks_answered != answered || client.state == WEBRTC_FAILED)
				break;
		}
	} while (client.checks_answered != answered);
	webrtc_client_close(&client);
}

int main(int argc, char **argv)
{
	struct sockaddr_storage server;

	if (argc != 6 || endpoint_parse(&candidate, argv[3]) != 0 ||
		endpoint_parse(&strangers_candidate, argv[5]) != 0 ||
		endpoint_parse(&local, "0.0.0.0:0") != 0)
		fail("usage", "ROOM CLIENTS-NETNS CANDIDATE STRANGERS-NETNS CANDIDATE");
	room = argv[1];
	clients_netns = open(argv[2], O_RDONLY | O_CLOEXEC);
	strangers_netns = open(argv[4], O_RDONLY | O_CLOEXEC);
	if (endpoint_parse(&server, "127.0.0.1:8080") != 0 || http_client_open(&http, &server) != 0)
		fail("http", strerror(errno));
	if (dtls_identity_open(&own) != 0)
		fail("identity", "OpenSSL");
	enter(clients_netns);
	try_impostors();
	try_alerts();
	try_race();
	try_our_close();
	try_their_close();
	try_flood();
	return 0;
}
