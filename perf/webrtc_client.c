// SPDX-License-Identifier: BSD-3-Clause
#include "perf/webrtc_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "perf/endpoint.h"
#include "perf/packet.h"

/* RFC 8445 section 14: a lost check is repeated after 500 ms, then twice as long. */
#define CHECK_FIRST_NS 500000000u
#define TICK_NS 50000000u
#define PRIORITY_HOST 1862270975u /* peer reflexive 110, local preference 65535, component 1 */
#define DATAGRAM_MAX 2048

static void fail(struct webrtc_client *client, const char *failure)
{
	client->state = WEBRTC_FAILED;
	client->failure = failure;
}

static void random_text(char *out, unsigned int size)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint8_t bytes[WEBRTC_PWD_SIZE];

	if (getrandom(bytes, size, 0) != (ssize_t)size)
		memset(bytes, 0, size);
	for (unsigned int i = 0; i < size; i++)
		out[i] = alphabet[bytes[i] & 63];
	out[size] = '\0';
}

int webrtc_client_open(struct webrtc_client *client, const struct dtls_identity *identity,
	const struct sockaddr_storage *local)
{
	int error, one = 1;

	*client = (struct webrtc_client){.identity = identity};
	random_text(client->ufrag, WEBRTC_UFRAG_SIZE);
	random_text(client->pwd, WEBRTC_PWD_SIZE);
	client->fd = socket(local->ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (client->fd < 0)
		return -errno;
	setsockopt(client->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(client->fd, (const struct sockaddr *)local, endpoint_size(local)) < 0) {
		error = -errno;
		webrtc_client_close(client);
		return error;
	}
	return 0;
}

void webrtc_client_close(struct webrtc_client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	client->fd = -1;
	dtls_client_close(&client->dtls);
}

void webrtc_client_offer(const struct webrtc_client *client, unsigned int sections, char *out)
{
	size_t size = WEBRTC_OFFER_SIZE, at;

	at = (size_t)snprintf(
		out, size, "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE");
	for (unsigned int i = 0; i < sections && i < WEBRTC_SECTIONS_MAX; i++)
		at += (size_t)snprintf(out + at, size - at, " %u", i);
	at += (size_t)snprintf(out + at, size - at,
		"\r\na=ice-ufrag:%s\r\na=ice-pwd:%s\r\na=fingerprint:sha-256 %s\r\n"
		"a=setup:active\r\n",
		client->ufrag, client->pwd, client->identity->fingerprint);
	for (unsigned int i = 0; i < sections && i < WEBRTC_SECTIONS_MAX; i++)
		at += (size_t)snprintf(out + at, size - at,
			"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:%u\r\n"
			"a=recvonly\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n"
			"a=fmtp:111 minptime=10;useinbandfec=1\r\n",
			i);
}

/* The rest of the first line that begins so. False: there is none, or it is too long. */
static bool find_line(const char *text, const char *start, char *out, size_t capacity)
{
	const char *at = strstr(text, start);
	size_t size;

	if (at == NULL)
		return false;
	at += strlen(start);
	size = strcspn(at, "\r\n");
	if (size >= capacity)
		return false;
	memcpy(out, at, size);
	out[size] = '\0';
	return true;
}

static bool read_digest(const char *text, uint8_t out[DTLS_DIGEST_SIZE])
{
	for (unsigned int i = 0; i < DTLS_DIGEST_SIZE; i++) {
		unsigned int byte;

		if (sscanf(text + 3 * i, "%2x", &byte) != 1)
			return false;
		out[i] = (uint8_t)byte;
	}
	return true;
}

static bool same_address(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	return a->ss_family == b->ss_family && memcmp(a, b, endpoint_size(a)) == 0;
}

static bool find_candidate(
	struct webrtc_client *client, const char *text, const struct sockaddr_storage *prefer)
{
	struct sockaddr_storage local = {0};
	socklen_t size = sizeof(local);

	getsockname(client->fd, (struct sockaddr *)&local, &size);
	for (const char *at = text; (at = strstr(at, "a=candidate:")) != NULL; at++) {
		char address[64], whole[80];
		unsigned int port;

		if (sscanf(at, "a=candidate:%*s %*u %*s %*u %63s %u", address, &port) != 2)
			continue;
		snprintf(whole, sizeof(whole), strchr(address, ':') ? "[%s]:%u" : "%s:%u", address,
			port);
		if (endpoint_parse(&client->remote, whole) == 0 &&
			(prefer != NULL ? same_address(&client->remote, prefer)
					: client->remote.ss_family == local.ss_family))
			return true;
	}
	return false;
}

/* A datagram that cannot be sent is one that was lost on the way. */
static void send_datagram(void *context, const uint8_t *bytes, size_t size)
{
	struct webrtc_client *client = context;

	(void)!send(client->fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void send_check(struct webrtc_client *client)
{
	char username[2 * 257 + 2];
	struct binding_request request = {.username = username,
		.password = client->remote_pwd,
		.tie_breaker = 0x5374656e746f7201u,
		.priority = PRIORITY_HOST,
		.use_candidate = true};
	uint8_t out[BINDING_SIZE_MAX];

	snprintf(username, sizeof(username), "%s:%s", client->remote_ufrag, client->ufrag);
	memcpy(request.transaction, client->transaction, sizeof(request.transaction));
	send_datagram(client, out, binding_build_request(out, &request));
}

void webrtc_client_consent(struct webrtc_client *client)
{
	if (getrandom(client->transaction, sizeof(client->transaction), 0) > 0)
		send_check(client);
}

int webrtc_client_answer(struct webrtc_client *client, const char *text,
	const struct sockaddr_storage *prefer, uint64_t now_ns)
{
	char digest[DTLS_DIGEST_TEXT];

	if (!find_line(
		    text, "\na=ice-ufrag:", client->remote_ufrag, sizeof(client->remote_ufrag)) ||
		!find_line(text, "\na=ice-pwd:", client->remote_pwd, sizeof(client->remote_pwd)) ||
		!find_line(text, "\na=fingerprint:sha-256 ", digest, sizeof(digest)) ||
		!read_digest(digest, client->remote_digest) ||
		!find_candidate(client, text, prefer) ||
		connect(client->fd, (const struct sockaddr *)&client->remote,
			endpoint_size(&client->remote)) < 0) {
		fail(client, "the answer lacks credentials, fingerprint or the candidate");
		return -EBADMSG;
	}
	client->state = WEBRTC_CHECKING;
	client->answered_ns = now_ns;
	client->check_after_ns = CHECK_FIRST_NS;
	client->check_at_ns = now_ns + CHECK_FIRST_NS;
	webrtc_client_consent(client);
	return 0;
}

static void finish_handshake(struct webrtc_client *client, uint64_t now_ns)
{
	uint8_t digest[DTLS_DIGEST_SIZE];

	if (!dtls_client_read_digest(&client->dtls, digest) ||
		memcmp(digest, client->remote_digest, sizeof(digest)) != 0) {
		fail(client, "the certificate is not the one of the answer");
	} else if (dtls_client_read_keys(&client->dtls, &client->tx, &client->rx) < 0) {
		fail(client, "no SRTP keys");
	} else {
		client->state = WEBRTC_LISTENING;
		client->secured_ns = now_ns;
	}
}

static void take_progress(struct webrtc_client *client, int progress, uint64_t now_ns)
{
	if (progress < 0)
		fail(client, "DTLS has failed");
	else if (progress > 0 && client->state == WEBRTC_SECURING)
		finish_handshake(client, now_ns);
}

/*
 * DTLS counts on a path that the relay has validated: a ClientHello that overtakes the answer to
 * its check is dropped, and OpenSSL repeats it only after a second.
 */
static void secure(struct webrtc_client *client, uint64_t now_ns)
{
	if (client->state != WEBRTC_CHECKING || !client->check_answered || !client->challenged)
		return;
	client->state = WEBRTC_SECURING;
	client->checked_ns = now_ns;
	if (dtls_client_open(&client->dtls, client->identity, send_datagram, client) < 0)
		fail(client, "no memory");
	else
		take_progress(client, dtls_client_drive(&client->dtls, NULL, 0), now_ns);
}

static void answer_check(
	struct webrtc_client *client, const struct binding *binding, const uint8_t *bytes)
{
	uint8_t out[BINDING_SIZE_MAX];

	if (!binding_verify(binding, bytes, client->pwd))
		return;
	send_datagram(client, out,
		binding_build_success(out, binding->transaction, &client->remote, client->pwd));
	client->challenged = true;
}

static void take_binding(
	struct webrtc_client *client, const uint8_t *bytes, unsigned int size, uint64_t now_ns)
{
	struct binding binding;

	if (binding_parse(&binding, bytes, size) < 0)
		return;
	if (binding.type == BINDING_REQUEST) {
		answer_check(client, &binding, bytes);
	} else if (binding.type == BINDING_SUCCESS &&
		   memcmp(binding.transaction, client->transaction, sizeof(binding.transaction)) ==
			   0 &&
		   binding_verify(&binding, bytes, client->remote_pwd)) {
		client->check_answered = true;
		client->checks_answered++;
	}
	secure(client, now_ns);
}

/* libsrtp2's word that what came was protected with the keys of this handshake. */
static bool open_packet(const struct webrtc_client *client, const uint8_t *bytes, int size)
{
	uint8_t copy[DATAGRAM_MAX];
	srtp_policy_t policy;
	srtp_t srtp;
	bool good;

	media_key_policy(&client->rx, ssrc_any_inbound, &policy);
	if (srtp_create(&srtp, &policy) != srtp_err_status_ok)
		return false;
	memcpy(copy, bytes, (size_t)size);
	good = srtp_unprotect(srtp, copy, &size) == srtp_err_status_ok;
	srtp_dealloc(srtp);
	return good;
}

static void take_media(
	struct webrtc_client *client, const uint8_t *bytes, unsigned int size, uint64_t now_ns)
{
	if (client->state != WEBRTC_LISTENING || packet_is_rtcp(bytes, size))
		return;
	if (client->verify && !open_packet(client, bytes, (int)size)) {
		fail(client, "libsrtp2 does not open the first packet");
		return;
	}
	client->opened = client->verify;
	client->state = WEBRTC_CONNECTED;
	client->media_ns = now_ns;
}

static void take(struct webrtc_client *client, const uint8_t *bytes, size_t size, uint64_t now_ns)
{
	if (bytes[0] < 4)
		take_binding(client, bytes, (unsigned int)size, now_ns);
	else if (bytes[0] >= 128)
		take_media(client, bytes, (unsigned int)size, now_ns);
	else if (bytes[0] >= 20 && bytes[0] < 64 && client->dtls.ssl != NULL)
		take_progress(client, dtls_client_drive(&client->dtls, bytes, size), now_ns);
}

void webrtc_client_read(struct webrtc_client *client, uint64_t now_ns)
{
	uint8_t bytes[DATAGRAM_MAX];
	ssize_t size;

	while ((size = recv(client->fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0 &&
		client->state != WEBRTC_FAILED)
		take(client, bytes, (size_t)size, now_ns);
}

void webrtc_client_tick(struct webrtc_client *client, uint64_t now_ns)
{
	if (client->state == WEBRTC_CHECKING && now_ns >= client->check_at_ns) {
		send_check(client);
		client->check_after_ns *= 2;
		client->check_at_ns = now_ns + client->check_after_ns;
	}
	if (client->state == WEBRTC_SECURING && now_ns >= client->tick_at_ns) {
		take_progress(client, dtls_client_tick(&client->dtls), now_ns);
		client->tick_at_ns = now_ns + TICK_NS;
	}
}

void webrtc_client_ignore_media(struct webrtc_client *client)
{
	/* The payload's first byte is behind eight bytes of UDP header. */
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 8),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 128, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	struct sock_fprog program = {.len = 4, .filter = code};

	setsockopt(client->fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
	dtls_client_close(&client->dtls);
}
