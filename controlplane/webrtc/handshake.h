/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One DTLS-SRTP handshake as the server: datagrams in, datagrams out, at the end keys or a reason.
 * OpenSSL does the protocol on a BIO that keeps datagram boundaries; flights are sent again from
 * here, with the same borders, by a clock that the caller reads. No I/O, no threads: whoever holds
 * the handshake calls it. A context is shared by all handshakes with one certificate.
 */
#ifndef STENTOR_CONTROLPLANE_WEBRTC_HANDSHAKE_H
#define STENTOR_CONTROLPLANE_WEBRTC_HANDSHAKE_H

#include <stdbool.h>

#include <openssl/types.h>

#include "controlplane/webrtc/association.h"
#include "controlplane/webrtc/dtls.h"

#define HANDSHAKE_DATAGRAM_OUT_MAX 1200
#define HANDSHAKE_BYTES_IN_MAX 65536
#define HANDSHAKE_DATAGRAMS_IN_MAX 512 /* an offer in 256-byte pieces, several times over */
#define HANDSHAKE_FLIGHT_MAX 8192
#define HANDSHAKE_FLIGHT_DATAGRAMS_MAX 16
#define HANDSHAKE_RETRANSMIT_FIRST_NS 1000000000ULL
/* A client that repeats itself faster than that has not waited for our answer. */
#define HANDSHAKE_REPEAT_NS 40000000ULL

enum handshake_state { HANDSHAKE_RUNNING, HANDSHAKE_CONNECTED, HANDSHAKE_FAILED };

struct handshake_sink {
	void (*send)(void *context, const uint8_t *bytes, size_t size);
	void *context;
};

struct handshake_result {
	enum dtls_failure failure;
	const char *reason; /* static text */
	struct dtls_keys keys;
	struct association association;
};

struct handshake;

/* NULL: no memory, or the certificate is of no use. Release with SSL_CTX_free(). */
SSL_CTX *handshake_context(const struct certificate *certificate);

/* 0 or -ENOMEM. Holds the context. The sink must outlive it. */
int handshake_open(struct handshake **handshake, SSL_CTX *context,
	const uint8_t fingerprint[DTLS_FINGERPRINT_SIZE], const struct handshake_sink *sink,
	uint64_t timeout_at_ns);
/* Accepts NULL; erases. */
void handshake_close(struct handshake *handshake);

/* One datagram as record_filter() left it. */
enum handshake_state handshake_receive(
	struct handshake *handshake, const uint8_t *bytes, size_t size, uint64_t now_ns);
/* To be called when handshake_deadline_ns() has come. */
enum handshake_state handshake_tick(struct handshake *handshake, uint64_t now_ns);
uint64_t handshake_deadline_ns(const struct handshake *handshake);
/* Moves the result out: keys when connected, the reason when failed. */
void handshake_take(struct handshake *handshake, struct handshake_result *result);

#endif
