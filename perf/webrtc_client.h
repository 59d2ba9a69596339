/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One WebRTC listener made of OpenSSL and libsrtp2: an offer, the answer to it, one connectivity
 * check, the relay's own check answered, DTLS, the first SRTP packet. It does no more than a
 * browser must, so that thousands of them fit beside what they measure. Single-threaded; the
 * caller watches the socket, calls read() when it is readable and tick() now and then.
 */
#ifndef STENTOR_PERF_WEBRTC_CLIENT_H
#define STENTOR_PERF_WEBRTC_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <srtp2/srtp.h>

#include "perf/binding.h"
#include "perf/dtls_client.h"
#include "perf/mediakey.h"

#define WEBRTC_UFRAG_SIZE 8
#define WEBRTC_PWD_SIZE 24
#define WEBRTC_OFFER_SIZE 8192
#define WEBRTC_SECTIONS_MAX 8

enum webrtc_state {
	WEBRTC_NEW,       /* no answer yet */
	WEBRTC_CHECKING,  /* until our check and the relay's are both answered */
	WEBRTC_SECURING,  /* DTLS */
	WEBRTC_LISTENING, /* keys are there, no media yet */
	WEBRTC_CONNECTED, /* media has come */
	WEBRTC_FAILED,
};

struct webrtc_client {
	const struct dtls_identity *identity;
	int fd;
	enum webrtc_state state;
	const char *failure; /* for people, when FAILED */
	bool check_answered;
	bool challenged; /* a check of the relay has been answered */
	bool opened;     /* a packet has been opened by libsrtp2 */
	bool verify;     /* the caller's: open the first packet; else it only has to come */
	uint8_t transaction[BINDING_TRANSACTION_SIZE];
	char ufrag[WEBRTC_UFRAG_SIZE + 1], pwd[WEBRTC_PWD_SIZE + 1];
	char remote_ufrag[257], remote_pwd[257];
	uint8_t remote_digest[DTLS_DIGEST_SIZE];
	struct sockaddr_storage remote;
	struct dtls_client dtls;
	struct media_key tx, rx;
	uint64_t check_at_ns, check_after_ns; /* when our check is repeated, and the time between */
	uint64_t tick_at_ns;
	uint64_t answered_ns, checked_ns, secured_ns, media_ns; /* when each state was left */
	uint64_t checks_answered;                               /* of ours */
};

/* A bound socket. 0 or a negative errno. */
int webrtc_client_open(struct webrtc_client *client, const struct dtls_identity *identity,
	const struct sockaddr_storage *local);
void webrtc_client_close(struct webrtc_client *client);

/* Writes an offer for that many slots, NUL-terminated, to WEBRTC_OFFER_SIZE bytes. */
void webrtc_client_offer(const struct webrtc_client *client, unsigned int sections, char *out);
/*
 * Takes the answer (NUL-terminated) and sends a first check: to the candidate that is `prefer`, or
 * with NULL to the first of the local address' family. 0, or -EBADMSG when something is missing.
 */
int webrtc_client_answer(struct webrtc_client *client, const char *text,
	const struct sockaddr_storage *prefer, uint64_t now_ns);
/* Takes everything that has arrived. */
void webrtc_client_read(struct webrtc_client *client, uint64_t now_ns);
/* Repeats what is due. */
void webrtc_client_tick(struct webrtc_client *client, uint64_t now_ns);
/* A check, as consent asks for every five seconds (RFC 7675). */
void webrtc_client_consent(struct webrtc_client *client);
/* From now on the kernel drops RTP and RTCP; STUN and DTLS still arrive. Frees what DTLS needed. */
void webrtc_client_ignore_media(struct webrtc_client *client);

#endif
