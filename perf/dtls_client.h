/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The client's side of a DTLS-SRTP handshake on OpenSSL (RFC 5764), a datagram at a time: what came
 * in is given in, what goes out is sent by a callback. One identity (key, certificate) serves any
 * number of handshakes. Single-threaded.
 */
#ifndef STENTOR_PERF_DTLS_CLIENT_H
#define STENTOR_PERF_DTLS_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/ssl.h>

#include "perf/mediakey.h"

#define DTLS_DIGEST_SIZE 32
#define DTLS_DIGEST_TEXT (3 * DTLS_DIGEST_SIZE)

struct dtls_identity {
	SSL_CTX *context;
	char fingerprint[DTLS_DIGEST_TEXT]; /* SHA-256, as SDP writes it */
	bool hasty; /* the caller's: repeat a lost flight after 50 ms, not after a second */
};

struct dtls_client {
	SSL *ssl;
	const uint8_t *in; /* the datagram being read */
	size_t in_size;
	void (*send)(void *context, const uint8_t *bytes, size_t size);
	void *context;
	bool done;
};

/* 0 or -EIO: OpenSSL refuses, which it has said on standard error. ECDSA P-256, DTLS 1.2. */
int dtls_identity_open(struct dtls_identity *identity);
void dtls_identity_close(struct dtls_identity *identity);

/* 0 or -ENOMEM. The callback is called from drive, tick and close. */
int dtls_client_open(struct dtls_client *client, const struct dtls_identity *identity,
	void (*send)(void *context, const uint8_t *bytes, size_t size), void *context);
void dtls_client_close(struct dtls_client *client);
/*
 * Gives a datagram in, or begins with size 0. 1: the handshake is complete; 0: it goes on;
 * -EPROTO: it has failed.
 */
int dtls_client_drive(struct dtls_client *client, const uint8_t *bytes, size_t size);
/* Sends again what is due. As drive. */
int dtls_client_tick(struct dtls_client *client);
/* After completion: what to protect with (tx) and to open with (rx). -EPROTO: no profile. */
int dtls_client_read_keys(
	const struct dtls_client *client, struct media_key *tx, struct media_key *rx);
/* SHA-256 of the peer's certificate. False: it has none. */
bool dtls_client_read_digest(const struct dtls_client *client, uint8_t digest[DTLS_DIGEST_SIZE]);

#endif
