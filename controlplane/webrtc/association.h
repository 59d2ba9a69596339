/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What stays of a DTLS connection when its handshake is over and OpenSSL's objects are gone: the
 * record keys, so that close_notify can be told from a stranger's and sent, and our Finished for a
 * client who did not get it (RFC 6347 section 4.2.4). AES-GCM only (RFC 5288). Pure but for
 * OpenSSL; written by the handshake's thread, then by the loop's.
 */
#ifndef STENTOR_CONTROLPLANE_WEBRTC_ASSOCIATION_H
#define STENTOR_CONTROLPLANE_WEBRTC_ASSOCIATION_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/types.h>

#include "controlplane/webrtc/record.h"

#define ASSOCIATION_KEY_MAX 32
#define ASSOCIATION_FINISHED_SIZE 24 /* header and the 12 bytes of verify_data */
#define ASSOCIATION_NONCE_SIZE 8
#define ASSOCIATION_TAG_SIZE 16
/* ChangeCipherSpec and Finished. */
#define ASSOCIATION_OUT_MAX 128

struct association_side {
	uint8_t key[ASSOCIATION_KEY_MAX];
	uint8_t salt[4];
};

struct association {
	struct association_side client;
	struct association_side server;
	uint64_t read_highest; /* replay window, RFC 6347 section 4.1.2.6 */
	uint64_t read_window;  /* bit i: read_highest - i; 0: nothing yet */
	uint64_t write_sequence;
	uint64_t write_nonce;    /* explicit part: goes on from the handshake's last one */
	uint64_t plain_sequence; /* of epoch 0 */
	uint8_t key_size;        /* 0: not open */
	uint8_t finished[ASSOCIATION_FINISHED_SIZE];
};

enum association_verdict {
	ASSOCIATION_NOTHING,  /* a stranger's, a replay, or nothing that matters */
	ASSOCIATION_CLOSED,   /* close_notify or a fatal alert of the peer, authenticated */
	ASSOCIATION_FINISHED, /* the client sent its Finished again: it has not seen ours */
};

/*
 * From a complete handshake, whose SSL_get_finished() has been sent in the record at `finished`.
 * plain_sequence: the next unused number of epoch 0. 0, or -EINVAL: a suite it does not know.
 */
int association_open(struct association *association, const SSL *ssl, const struct record *finished,
	uint64_t plain_sequence);
void association_erase(struct association *association);

enum association_verdict association_receive(
	struct association *association, const uint8_t *bytes, size_t size);

/* Both write one datagram of at most ASSOCIATION_OUT_MAX bytes and return its size, 0: failed. */
size_t association_write_finished(struct association *association, uint8_t *out);
size_t association_write_close(struct association *association, uint8_t *out);

#endif
