// SPDX-License-Identifier: BSD-3-Clause
/*
 * The benchmark's client against code that it shares nothing with: RFC 5769, the STUN of the data
 * plane, the DTLS and SDP of the control plane, libsrtp2. One thread turns both sides.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "controlplane/webrtc/certificate.h"
#include "controlplane/webrtc/dtls.h"
#include "controlplane/webrtc/sdp.h"
#include "dataplane/core/stun.h"
#include "perf/endpoint.h"
#include "perf/http_client.h"
#include "perf/talker.h"
#include "perf/webrtc_client.h"
#include "tests/support/unit.h"

#define LEG 7
#define DEADLINE_NS 10000000000u

/* RFC 5769 section 2.1; password "VOkJxbRl1RmTxUk/WvJxBt". */
static const uint8_t sample[] = {0x00, 0x01, 0x00, 0x58, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7,
	0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae, 0x80, 0x22, 0x00, 0x10, 0x53, 0x54,
	0x55, 0x4e, 0x20, 0x74, 0x65, 0x73, 0x74, 0x20, 0x63, 0x6c, 0x69, 0x65, 0x6e, 0x74, 0x00,
	0x24, 0x00, 0x04, 0x6e, 0x00, 0x01, 0xff, 0x80, 0x29, 0x00, 0x08, 0x93, 0x2f, 0xf9, 0xb1,
	0x51, 0x26, 0x3b, 0x36, 0x00, 0x06, 0x00, 0x09, 0x65, 0x76, 0x74, 0x6a, 0x3a, 0x68, 0x36,
	0x76, 0x59, 0x20, 0x20, 0x20, 0x00, 0x08, 0x00, 0x14, 0x9a, 0xea, 0xa7, 0x0c, 0xbf, 0xd8,
	0xcb, 0x56, 0x78, 0x1e, 0xf2, 0xb5, 0xb2, 0xd3, 0xf2, 0x49, 0xc1, 0xb5, 0x71, 0xa2, 0x80,
	0x28, 0x00, 0x04, 0xe5, 0x7a, 0x3b, 0xcf};

START_TEST(understands_the_sample_of_rfc_5769)
{
	struct binding binding;
	uint8_t changed[sizeof(sample)];

	ck_assert_int_eq(binding_parse(&binding, sample, sizeof(sample)), 0);
	ck_assert_int_eq(binding.type, BINDING_REQUEST);
	ck_assert_uint_eq(binding.username_size, 9);
	ck_assert_mem_eq(binding.username, "evtj:h6vY", 9);
	ck_assert(binding_verify(&binding, sample, "VOkJxbRl1RmTxUk/WvJxBt"));
	ck_assert(!binding_verify(&binding, sample, "VOkJxbRl1RmTxUk/WvJxBu"));
	for (size_t i = 0; i < sizeof(sample); i++) {
		memcpy(changed, sample, sizeof(sample));
		changed[i] ^= 1;
		ck_assert_int_eq(binding_parse(&binding, changed, sizeof(sample)), -EBADMSG);
	}
	for (unsigned int cut = 0; cut < sizeof(sample); cut++)
		ck_assert_int_eq(binding_parse(&binding, sample, cut), -EBADMSG);
}
END_TEST

START_TEST(the_data_plane_understands_its_messages)
{
	static const char password[] = "0123456789012345678901";
	const struct binding_request request = {.transaction = {1, 2, 3},
		.username = "abcdefg:hij",
		.password = password,
		.tie_breaker = 0x0102030405060708u,
		.priority = 1,
		.use_candidate = true};
	struct sockaddr_storage mapped;
	struct digest_key key;
	uint8_t out[BINDING_SIZE_MAX];
	struct stun stun;

	digest_key_set(&key, password, strlen(password));
	ck_assert_int_eq(stun_parse(out, binding_build_request(out, &request), &stun), 0);
	ck_assert(stun.class == STUN_REQUEST && stun.use_candidate && stun.controlling);
	ck_assert_uint_eq(stun.tie_breaker, request.tie_breaker);
	ck_assert_mem_eq(stun.username, "abcdefg:hij", 11);
	ck_assert(stun_verify(&stun, out, &key));
	ck_assert_int_eq(endpoint_parse(&mapped, "[2001:db8::7]:4711"), 0);
	ck_assert_int_eq(
		stun_parse(out, binding_build_success(out, request.transaction, &mapped, password),
			&stun),
		0);
	ck_assert(stun.class == STUN_SUCCESS && stun_verify(&stun, out, &key));
	ck_assert(stun.mapped_known && stun.mapped.family == 6);
	ck_assert_uint_eq(ntohs(stun.mapped.port_be), 4711);
	ck_assert_uint_eq(stun.mapped.address[15], 7);
}
END_TEST

/* A relay of one leg: what the two planes do, on one socket. */
struct relay {
	int fd;
	struct sockaddr_storage address, peer;
	struct certificate *certificate;
	struct dtls *dtls;
	struct sdp_offer offer;
	struct digest_key local_key, remote_key;
	struct dtls_keys keys;
	bool connected, validated;
	const char *failure;
	bool wrong_fingerprint, wrong_key; /* what it does wrong */
};

static const char relay_ufrag[] = "AAAAAAAAAAcAAAAA", relay_pwd[] = "relayrelayrelayrelayrela";

static void relay_send(void *context, uint64_t leg_id, const struct stn_address *remote,
	const uint8_t *bytes, size_t size)
{
	struct relay *relay = context;

	ck_assert_uint_eq(leg_id, LEG);
	sendto(relay->fd, bytes, size, 0, (struct sockaddr *)&relay->peer,
		endpoint_size(&relay->peer));
}

static void relay_connected(void *context, uint64_t leg_id, const struct dtls_keys *keys)
{
	struct relay *relay = context;

	relay->keys = *keys;
	relay->connected = true;
}

static void relay_failed(
	void *context, uint64_t leg_id, enum dtls_failure failure, const char *reason)
{
	struct relay *relay = context;

	relay->failure = reason;
}

static void relay_closed(void *context, uint64_t leg_id)
{
}

static void relay_open(struct relay *relay)
{
	static const struct dtls_callbacks callbacks = {
		relay_send, relay_connected, relay_failed, relay_closed};
	struct dtls_config config = {.threads = 1,
		.handshakes_max = 8,
		.handshakes_address_max = 8,
		.handshake_timeout_ms = 10000};
	struct sockaddr_storage any;
	socklen_t size = sizeof(relay->address);

	memset(relay, 0, sizeof(*relay));
	ck_assert_int_eq(endpoint_parse(&any, "127.0.0.1:0"), 0);
	relay->fd = endpoint_bind(&any);
	ck_assert_int_ge(relay->fd, 0);
	getsockname(relay->fd, (struct sockaddr *)&relay->address, &size);
	ck_assert_int_eq(certificate_make(&relay->certificate, 30, time(NULL)), 0);
	config.certificate = relay->certificate;
	ck_assert_int_eq(dtls_open(&relay->dtls, &config, &callbacks, relay), 0);
}

static void relay_close(struct relay *relay)
{
	dtls_close(relay->dtls);
	certificate_release(relay->certificate);
	close(relay->fd);
}

/* Offer in, answer out; free() it. */
static char *relay_answer(struct relay *relay, const char *offer)
{
	const struct sockaddr_in *four = (const struct sockaddr_in *)&relay->address;
	struct stn_address candidate = {.family = 4, .port_be = four->sin_port};
	static const uint32_t ssrc[1] = {99};
	uint8_t fingerprint[SDP_FINGERPRINT_SIZE];
	struct sdp_answer answer = {.ufrag = relay_ufrag,
		.pwd = relay_pwd,
		.fingerprint = fingerprint,
		.candidates = &candidate,
		.candidate_count = 1,
		.payload_type = 111,
		.slot_ssrc = ssrc,
		.slot_count = 1};
	struct writer writer = {0};
	struct sdp_error error;
	char *text;

	memcpy(candidate.address, &four->sin_addr, 4);
	memcpy(fingerprint, relay->certificate->fingerprint, sizeof(fingerprint));
	fingerprint[0] ^= relay->wrong_fingerprint;
	ck_assert_msg(sdp_parse_offer(offer, strlen(offer), &relay->offer, &error) == 0, "%s",
		error.reason);
	ck_assert_int_eq(dtls_expect(relay->dtls, LEG, relay->offer.fingerprint), 0);
	digest_key_set(&relay->local_key, relay_pwd, strlen(relay_pwd));
	digest_key_set(&relay->remote_key, relay->offer.ice.pwd, relay->offer.ice.pwd_size);
	ck_assert(sdp_write_answer(&writer, &relay->offer, &answer));
	text = strndup(writer.text, writer.size);
	writer_clear(&writer);
	return text;
}

static void peer_address(const struct relay *relay, struct stn_address *out)
{
	const struct sockaddr_in *four = (const struct sockaddr_in *)&relay->peer;

	*out = (struct stn_address){.family = 4, .port_be = four->sin_port};
	memcpy(out->address, &four->sin_addr, 4);
}

static void relay_check(struct relay *relay, const uint8_t *bytes, unsigned int size)
{
	char username[64];
	struct stun_check check = {.transaction = {4, 5, 6}, .username = username, .priority = 1};
	uint8_t out[STUN_SIZE_MAX];
	struct stn_address peer;
	struct stun stun;

	peer_address(relay, &peer);
	ck_assert_int_eq(stun_parse(bytes, size, &stun), 0);
	if (stun.class == STUN_SUCCESS) {
		ck_assert(stun_verify(&stun, bytes, &relay->remote_key));
		relay->validated = true;
		return;
	}
	ck_assert(stun_verify(&stun, bytes, &relay->local_key));
	ck_assert_mem_eq(stun.username, relay_ufrag, strlen(relay_ufrag));
	size = stun_build_success(out, stun.transaction, &peer, &relay->local_key);
	relay_send(relay, LEG, &peer, out, size);
	check.username_size = (uint16_t)snprintf(username, sizeof(username), "%.*s:%s",
		relay->offer.ice.ufrag_size, relay->offer.ice.ufrag, relay_ufrag);
	relay_send(relay, LEG, &peer, out, stun_build_check(out, &check, &relay->remote_key));
}

static void relay_speak(struct relay *relay)
{
	struct media_key key = {.suite = MEDIA_SUITE_GCM128, .size = 28};
	struct talker_plan plan = {
		.key = &key, .payload_size = 40, .ssrc = 99, .payload_type = 111};
	struct stn_address peer;
	struct talker talker;
	uint8_t out[PACKET_MAX];
	int size;

	ck_assert_uint_eq(relay->keys.tx.suite, STN_SUITE_AEAD_AES_128_GCM);
	memcpy(key.bytes, relay->keys.tx.key, 16);
	memcpy(key.bytes + 16, relay->keys.tx.salt, 12);
	key.bytes[0] ^= relay->wrong_key;
	ck_assert_int_eq(talker_open(&talker, &plan), 0);
	size = talker_next(&talker, false, out);
	ck_assert_int_gt(size, 0);
	talker_close(&talker);
	peer_address(relay, &peer);
	relay_send(relay, LEG, &peer, out, (size_t)size);
}

static void relay_turn(struct relay *relay)
{
	uint8_t bytes[2048];
	socklen_t size = sizeof(relay->peer);
	ssize_t got;

	while ((got = recvfrom(relay->fd, bytes, sizeof(bytes), MSG_DONTWAIT,
			(struct sockaddr *)&relay->peer, &size)) > 0) {
		struct stn_address peer;

		peer_address(relay, &peer);
		if (bytes[0] < 4)
			relay_check(relay, bytes, (unsigned int)got);
		else if (relay->validated)
			dtls_receive(relay->dtls, LEG, &peer, bytes, (size_t)got);
	}
	dtls_process(relay->dtls);
	if (relay->connected) {
		relay_speak(relay);
		relay->connected = false;
	}
}

/* Turns both sides until the client is in that state, or has failed. */
static void run(struct relay *relay, struct webrtc_client *client, enum webrtc_state until)
{
	uint64_t deadline_ns = clock_monotonic_ns() + DEADLINE_NS;

	while (client->state != until && client->state != WEBRTC_FAILED) {
		struct pollfd waiting[3] = {{relay->fd, POLLIN, 0}, {client->fd, POLLIN, 0},
			{dtls_fd(relay->dtls), POLLIN, 0}};

		ck_assert_msg(
			clock_monotonic_ns() < deadline_ns, "still in state %d", client->state);
		poll(waiting, 3, 20);
		relay_turn(relay);
		webrtc_client_read(client, clock_monotonic_ns());
		webrtc_client_tick(client, clock_monotonic_ns());
	}
}

struct pair {
	struct relay relay;
	struct dtls_identity identity;
	struct webrtc_client client;
};

static void pair_begin(struct pair *pair, bool wrong_fingerprint, bool wrong_key)
{
	struct sockaddr_storage any;
	char offer[WEBRTC_OFFER_SIZE], *answer;

	relay_open(&pair->relay);
	pair->relay.wrong_fingerprint = wrong_fingerprint;
	pair->relay.wrong_key = wrong_key;
	ck_assert_int_eq(dtls_identity_open(&pair->identity), 0);
	ck_assert_int_eq(endpoint_parse(&any, "127.0.0.1:0"), 0);
	ck_assert_int_eq(webrtc_client_open(&pair->client, &pair->identity, &any), 0);
	pair->client.verify = true;
	webrtc_client_offer(&pair->client, 3, offer);
	answer = relay_answer(&pair->relay, offer);
	ck_assert_uint_eq(pair->relay.offer.section_count, 3);
	ck_assert_int_eq(webrtc_client_answer(
				 &pair->client, answer, &pair->relay.address, clock_monotonic_ns()),
		0);
	free(answer);
}

static void pair_end(struct pair *pair)
{
	webrtc_client_close(&pair->client);
	dtls_identity_close(&pair->identity);
	relay_close(&pair->relay);
}

START_TEST(joins_and_hears)
{
	struct pair pair;

	pair_begin(&pair, false, false);
	run(&pair.relay, &pair.client, WEBRTC_CONNECTED);
	ck_assert_msg(pair.client.state == WEBRTC_CONNECTED, "%s", pair.client.failure);
	ck_assert(pair.client.opened);
	ck_assert(pair.client.answered_ns <= pair.client.checked_ns &&
		  pair.client.checked_ns <= pair.client.secured_ns &&
		  pair.client.secured_ns <= pair.client.media_ns);
	/* What it protects with is what the relay opens with. */
	ck_assert_mem_eq(pair.client.tx.bytes, pair.relay.keys.rx.key, 16);
	ck_assert_mem_eq(pair.client.tx.bytes + 16, pair.relay.keys.rx.salt, 12);
	pair_end(&pair);
}
END_TEST

START_TEST(keeps_consent_and_hears_no_more)
{
	struct pair pair;
	uint8_t byte;

	pair_begin(&pair, false, false);
	run(&pair.relay, &pair.client, WEBRTC_CONNECTED);
	webrtc_client_ignore_media(&pair.client);
	relay_speak(&pair.relay);
	ck_assert_int_eq(recv(pair.client.fd, &byte, 1, MSG_DONTWAIT), -1);
	ck_assert_uint_eq(pair.client.checks_answered, 1);
	webrtc_client_consent(&pair.client);
	relay_turn(&pair.relay);
	webrtc_client_read(&pair.client, clock_monotonic_ns());
	ck_assert_uint_eq(pair.client.checks_answered, 2);
	pair_end(&pair);
}
END_TEST

START_TEST(does_not_take_another_certificate)
{
	struct pair pair;

	pair_begin(&pair, true, false);
	run(&pair.relay, &pair.client, WEBRTC_CONNECTED);
	ck_assert_int_eq(pair.client.state, WEBRTC_FAILED);
	ck_assert_str_eq(pair.client.failure, "the certificate is not the one of the answer");
	pair_end(&pair);
}
END_TEST

START_TEST(does_not_take_media_under_another_key)
{
	struct pair pair;

	pair_begin(&pair, false, true);
	run(&pair.relay, &pair.client, WEBRTC_CONNECTED);
	ck_assert_int_eq(pair.client.state, WEBRTC_FAILED);
	ck_assert_str_eq(pair.client.failure, "libsrtp2 does not open the first packet");
	pair_end(&pair);
}
END_TEST

START_TEST(an_answer_must_have_the_candidate)
{
	static const char answer[] = "v=0\r\na=ice-ufrag:abcd\r\na=ice-pwd:x\r\n"
				     "a=candidate:1 1 udp 1 192.0.2.1 40000 typ host\r\n"
				     "a=fingerprint:sha-256 %s\r\n";
	struct sockaddr_storage any, prefer;
	struct dtls_identity identity;
	struct webrtc_client client;
	char text[512];

	ck_assert_int_eq(dtls_identity_open(&identity), 0);
	ck_assert_int_eq(endpoint_parse(&any, "127.0.0.1:0"), 0);
	ck_assert_int_eq(endpoint_parse(&prefer, "192.0.2.2:40000"), 0);
	ck_assert_int_eq(webrtc_client_open(&client, &identity, &any), 0);
	snprintf(text, sizeof(text), answer, identity.fingerprint);
	ck_assert_int_eq(webrtc_client_answer(&client, text, &prefer, 0), -EBADMSG);
	ck_assert_int_eq(client.state, WEBRTC_FAILED);
	webrtc_client_close(&client);
	dtls_identity_close(&identity);
}
END_TEST

/* A server that answers with the same text, cut in two at every place. */
START_TEST(reads_responses_in_pieces)
{
	static const char response[] = "HTTP/1.1 201 Created\r\nLOCATION: /session/abc\r\n"
				       "Etag: \"1\"\r\ncontent-length: 5\r\n\r\nv=0\r\n";
	const struct http_client_request request = {.method = "POST",
		.path = "/whep/room",
		.token = "secret",
		.type = "application/sdp",
		.body = "v=0\r\n"};
	struct sockaddr_storage any;
	socklen_t size = sizeof(any);
	struct http_client client;
	int listener = socket(AF_INET, SOCK_STREAM, 0), fd;
	char got[512];

	ck_assert_int_eq(endpoint_parse(&any, "127.0.0.1:0"), 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&any, endpoint_size(&any)), 0);
	listen(listener, 1);
	getsockname(listener, (struct sockaddr *)&any, &size);
	ck_assert_int_eq(http_client_open(&client, &any), 0);
	fd = accept(listener, NULL, NULL);
	for (size_t cut = 1; cut < strlen(response); cut++) {
		struct pollfd waiting = {client.fd, POLLIN, 0};
		ssize_t n;

		ck_assert_int_eq(http_client_send(&client, &request), 0);
		ck_assert_int_eq(http_client_send(&client, &request), -EBUSY);
		n = recv(fd, got, sizeof(got) - 1, 0);
		ck_assert_int_gt(n, 0);
		got[n] = '\0';
		ck_assert_ptr_nonnull(strstr(got, "\r\nAuthorization: Bearer secret\r\n"));
		ck_assert_ptr_nonnull(strstr(got, "\r\nContent-Length: 5\r\n\r\nv=0\r\n"));
		ck_assert_int_eq(send(fd, response, cut, 0), (ssize_t)cut);
		poll(&waiting, 1, 1000);
		ck_assert_int_eq(http_client_receive(&client), 0);
		send(fd, response + cut, strlen(response) - cut, 0);
		poll(&waiting, 1, 1000);
		ck_assert_int_eq(http_client_receive(&client), 1);
		ck_assert_uint_eq(client.status, 201);
		ck_assert_str_eq(client.location, "/session/abc");
		ck_assert_str_eq(client.etag, "\"1\"");
		ck_assert_str_eq(client.body, "v=0\r\n");
	}
	close(fd);
	close(listener);
	http_client_close(&client);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("webrtc_client");
	TCase *tc = tcase_create("client");
	int code;

	srtp_init();
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, understands_the_sample_of_rfc_5769);
	tcase_add_test(tc, the_data_plane_understands_its_messages);
	tcase_add_test(tc, joins_and_hears);
	tcase_add_test(tc, keeps_consent_and_hears_no_more);
	tcase_add_test(tc, does_not_take_another_certificate);
	tcase_add_test(tc, does_not_take_media_under_another_key);
	tcase_add_test(tc, an_answer_must_have_the_candidate);
	tcase_add_test(tc, reads_responses_in_pieces);
	suite_add_tcase(suite, tc);
	code = unit_run(suite);
	srtp_shutdown();
	return code;
}
