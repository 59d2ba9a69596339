/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A DTLS-SRTP client on OpenSSL, for tests: datagrams in, datagrams out, no socket. OpenSSL reads
 * the time for its timer from gettimeofday(), which dtls_clock.c replaces in programs that want to
 * set it. One thread per peer.
 */
#ifndef STENTOR_TESTS_SUPPORT_DTLS_PEER_H
#define STENTOR_TESTS_SUPPORT_DTLS_PEER_H

#include <openssl/ssl.h>

#include "controlplane/webrtc/certificate.h"
#include "controlplane/webrtc/datagram.h"
#include "controlplane/webrtc/dtls.h"

#define DTLS_PEER_PROFILES "SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_256_GCM:SRTP_AEAD_AES_128_GCM"

struct dtls_peer_facts {
	const struct certificate *certificate; /* NULL: has none */
	bool stolen;          /* the certificate is another's: its key is unknown */
	const char *profiles; /* NULL: DTLS_PEER_PROFILES; "": none */
	const char *ciphers;  /* NULL: OpenSSL's */
	size_t mtu;           /* 0: 1200 */
	size_t hello_size;    /* pad the ClientHello to about that, 0: not */
	/* A datagram to send. */
	void (*send)(void *context, const uint8_t *bytes, size_t size);
	void *context;
};

struct dtls_peer {
	struct dtls_peer_facts facts;
	SSL_CTX *ssl_context;
	SSL *ssl;
	struct datagram in;
	bool connected;
	bool failed;
	bool closed; /* close_notify was received, authenticated */
};

/* A private key that claims the public half of another: as a thief has a certificate. */
EVP_PKEY *dtls_peer_forge_key(const EVP_PKEY *victim);

void dtls_peer_open(struct dtls_peer *peer, const struct dtls_peer_facts *facts);
void dtls_peer_close(struct dtls_peer *peer);
/* Sends the ClientHello. */
void dtls_peer_start(struct dtls_peer *peer);
void dtls_peer_receive(struct dtls_peer *peer, const uint8_t *bytes, size_t size);
/* Its timer, if it is due. */
void dtls_peer_tick(struct dtls_peer *peer);
/* The keys as RFC 5764 section 4.2 has them, by OpenSSL's client. */
void dtls_peer_keys(struct dtls_peer *peer, struct dtls_keys *keys);

#endif
