/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A handshake of controlplane/webrtc/ and an OpenSSL client with a link between them that loses,
 * doubles, delays and holds what a test tells it to. Time stands still until both wait for it.
 */
#ifndef STENTOR_TESTS_SUPPORT_DTLS_SCENE_H
#define STENTOR_TESTS_SUPPORT_DTLS_SCENE_H

#include "controlplane/webrtc/handshake.h"
#include "tests/support/dtls_peer.h"

#define SCENE_QUEUE_MAX 512

enum scene_way { SCENE_UP, SCENE_DOWN }; /* to the relay, to the client */
enum scene_fate { SCENE_PASS, SCENE_LOSE, SCENE_DOUBLE, SCENE_DELAY };

struct scene_datagram {
	enum scene_way way;
	uint64_t due_ns;
	size_t size;
	uint8_t bytes[RECORD_DATAGRAM_MAX];
};

struct scene {
	struct certificate *ours, *theirs;
	uint8_t expected[DTLS_FINGERPRINT_SIZE]; /* the client's, unless a test changes it */
	SSL_CTX *context;
	struct handshake *handshake;
	enum handshake_state state;
	struct handshake_result result;
	struct dtls_peer_facts facts;
	struct dtls_peer peer;
	uint64_t now_ns;

	/* What happens to the number-th datagram of a way; NULL: all pass. */
	enum scene_fate (*fate)(struct scene *scene, enum scene_way way, unsigned int number);
	/* Called before each datagram that the relay gets; may inject with scene_inject(). */
	void (*before)(struct scene *scene);
	uint64_t user[4]; /* the test's own */

	unsigned int number[2]; /* datagrams sent so far, by way */
	size_t largest[2];
	size_t bytes[2];
	unsigned int waiting;
	struct scene_datagram queue[SCENE_QUEUE_MAX];
};

void scene_open(struct scene *scene);
/* Makes the client and the handshake, by what facts, expected and so on say by then. */
void scene_start(struct scene *scene);
/* Delivers, and moves the clock when nothing is under way, until both are done or limit_ns. */
void scene_run(struct scene *scene, uint64_t limit_ns);
/* Straight to the relay, filtered like any other datagram. */
void scene_inject(struct scene *scene, const uint8_t *bytes, size_t size);
/* After the handshake: hands what waits for the client over, and what waits for the relay to it. */
void scene_deliver_down(struct scene *scene);
/* Takes the oldest datagram under way to the relay; false: there is none. */
bool scene_take_up(struct scene *scene, struct scene_datagram *out);
void scene_send_down(struct scene *scene, const uint8_t *bytes, size_t size);
void scene_close(struct scene *scene);

#endif
