// SPDX-License-Identifier: BSD-3-Clause
/*
 * Datagrams at the DTLS server, one after the other: a 16-bit size and bytes each. The first byte
 * says what they meet: a handshake that has just begun, or the association of one that is over.
 * Before and after, an honest OpenSSL client must get on as if they had not been: with the
 * handshake if it still runs, and with the close of the association always.
 */
#include <stdbool.h>
#include <string.h>

#include "controlplane/webrtc/handshake.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/dtls_peer.h"

#define NOW_S 1700000000
#define QUEUE_MAX 64

struct queue {
	unsigned int count;
	struct {
		size_t size;
		uint8_t bytes[RECORD_DATAGRAM_MAX];
	} datagram[QUEUE_MAX];
};

static struct certificate *ours, *theirs;
static SSL_CTX *context;
static struct queue up, down;
static bool quiet; /* what is sent is only counted */
static size_t bytes_out;

static void keep(void *to, const uint8_t *bytes, size_t size)
{
	struct queue *queue = to;

	FUZZ_CHECK(size <= HANDSHAKE_DATAGRAM_OUT_MAX);
	bytes_out += size;
	if (quiet)
		return;
	FUZZ_CHECK(queue->count < QUEUE_MAX);
	queue->datagram[queue->count].size = size;
	memcpy(queue->datagram[queue->count++].bytes, bytes, size);
}

static struct handshake *open_handshake(void)
{
	struct handshake_sink sink = {keep, &down};
	struct handshake *handshake = NULL;

	if (context == NULL) {
		FUZZ_CHECK(certificate_make(&ours, 30, NOW_S) == 0);
		FUZZ_CHECK(certificate_make(&theirs, 30, NOW_S) == 0);
		context = handshake_context(ours);
		FUZZ_CHECK(context != NULL);
	}
	FUZZ_CHECK(
		handshake_open(&handshake, context, theirs->fingerprint, &sink, UINT64_MAX) == 0);
	return handshake;
}

static void open_peer(struct dtls_peer *peer)
{
	struct dtls_peer_facts facts = {.certificate = theirs, .send = keep, .context = &up};

	up.count = down.count = 0;
	quiet = false;
	dtls_peer_open(peer, &facts);
	dtls_peer_start(peer);
}

static enum handshake_state receive(struct handshake *handshake, const uint8_t *bytes, size_t size)
{
	uint8_t kept[RECORD_DATAGRAM_MAX], again[RECORD_DATAGRAM_MAX];
	size_t count = record_filter(bytes, size, kept);

	FUZZ_CHECK(count <= size);
	FUZZ_CHECK(record_filter(kept, count, again) == count);
	FUZZ_CHECK(memcmp(kept, again, count) == 0);
	record_has_hello(bytes, size);
	return count == 0 ? HANDSHAKE_RUNNING : handshake_receive(handshake, kept, count, 0);
}

/* The honest client goes on until both wait. */
static enum handshake_state go_on(struct handshake *handshake, struct dtls_peer *peer)
{
	enum handshake_state state = HANDSHAKE_RUNNING;

	while (up.count + down.count > 0) {
		unsigned int count = up.count;

		up.count = 0;
		for (unsigned int i = 0; i < count; i++)
			state = receive(handshake, up.datagram[i].bytes, up.datagram[i].size);
		count = down.count;
		down.count = 0;
		for (unsigned int i = 0; i < count; i++)
			dtls_peer_receive(peer, down.datagram[i].bytes, down.datagram[i].size);
	}
	return state;
}

/* Calls `deliver` for each datagram of the input. */
static void each(const uint8_t *data, size_t size,
	void (*deliver)(void *argument, const uint8_t *bytes, size_t size), void *argument)
{
	while (size >= 2) {
		size_t length = (size_t)data[0] << 8 | data[1];

		data += 2;
		size -= 2;
		if (length > size || length > RECORD_DATAGRAM_MAX)
			return;
		deliver(argument, data, length);
		data += length;
		size -= length;
	}
}

static void to_handshake(void *argument, const uint8_t *bytes, size_t size)
{
	FUZZ_CHECK(receive(argument, bytes, size) != HANDSHAKE_CONNECTED);
}

static void at_a_new_handshake(const uint8_t *data, size_t size)
{
	struct handshake *handshake = open_handshake();
	struct handshake_result result;

	quiet = true;
	bytes_out = 0;
	each(data, size, to_handshake, handshake);
	FUZZ_CHECK(bytes_out <= 16384 + size);
	handshake_tick(handshake, UINT64_MAX);
	handshake_take(handshake, &result);
	FUZZ_CHECK(result.failure != 0 && result.reason != NULL);
	FUZZ_CHECK(result.association.key_size == 0);
	FUZZ_CHECK(result.keys.rx.suite == STN_SUITE_NONE);
	handshake_close(handshake);
}

static void to_association(void *argument, const uint8_t *bytes, size_t size)
{
	FUZZ_CHECK(association_receive(argument, bytes, size) == ASSOCIATION_NOTHING);
}

static void at_an_association(const uint8_t *data, size_t size)
{
	struct handshake *handshake = open_handshake();
	struct association before;
	struct handshake_result result;
	struct dtls_peer peer;

	open_peer(&peer);
	FUZZ_CHECK(go_on(handshake, &peer) == HANDSHAKE_CONNECTED);
	handshake_take(handshake, &result);
	handshake_close(handshake);
	before = result.association;
	each(data, size, to_association, &result.association);
	FUZZ_CHECK(memcmp(&before, &result.association, sizeof(before)) == 0);
	SSL_shutdown(peer.ssl);
	FUZZ_CHECK(up.count == 1);
	FUZZ_CHECK(association_receive(&result.association, up.datagram[0].bytes,
			   up.datagram[0].size) == ASSOCIATION_CLOSED);
	dtls_peer_close(&peer);
}

/* Only records that the filter drops may be without any effect on a client's handshake. */
static void to_filter(void *argument, const uint8_t *bytes, size_t size)
{
	uint8_t kept[RECORD_DATAGRAM_MAX];

	if (record_filter(bytes, size, kept) == 0)
		FUZZ_CHECK(receive(argument, bytes, size) == HANDSHAKE_RUNNING);
}

static void between(const uint8_t *data, size_t size)
{
	struct handshake *handshake = open_handshake();
	struct dtls_peer peer;

	open_peer(&peer);
	each(data, size, to_filter, handshake);
	FUZZ_CHECK(go_on(handshake, &peer) == HANDSHAKE_CONNECTED);
	FUZZ_CHECK(peer.connected);
	handshake_close(handshake);
	dtls_peer_close(&peer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const kinds[])(const uint8_t *, size_t) = {
		at_a_new_handshake, at_an_association, between};

	if (size > 0)
		kinds[data[0] % 3](data + 1, size - 1);
	return 0;
}
