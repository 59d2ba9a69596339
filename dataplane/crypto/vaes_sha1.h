/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The compression of SHA-1 (FIPS 180-4 section 6.1.2) for sixteen messages of one length side by
 * side: a zmm register holds one 32-bit word of each. Words are in host order, and which message is
 * in which place is the caller's. Nothing is kept here.
 *
 * vaes_sha1.c is compiled with the flags of vaes_gcm.c and is entered only when the CPU has them.
 */
#ifndef STENTOR_DATAPLANE_CRYPTO_VAES_SHA1_H
#define STENTOR_DATAPLANE_CRYPTO_VAES_SHA1_H

#include <stdint.h>

#define SHA1_LANES 16
#define SHA1_STATE_WORDS 5
#define SHA1_BLOCK_WORDS 16
#define SHA1_ROUNDS 80

/* One word of sixteen messages. */
struct sha1_word {
	uint32_t lane[SHA1_LANES];
} __attribute__((aligned(64)));

struct sha1_state {
	struct sha1_word word[SHA1_STATE_WORDS];
};

/* One block of each message. */
void vaes_sha1_block(struct sha1_state *state, const struct sha1_word block[SHA1_BLOCK_WORDS]);

/* One block that is the same in all messages, from what vaes_sha1_expand() made of it. */
void vaes_sha1_shared(struct sha1_state *state, const uint32_t schedule[SHA1_ROUNDS]);
void vaes_sha1_expand(const uint32_t block[SHA1_BLOCK_WORDS], uint32_t schedule[SHA1_ROUNDS]);

/* The second hash of HMAC (RFC 2104): state is the inner digest and becomes the outer one. */
void vaes_sha1_outer(struct sha1_state *state, const struct sha1_state *outer);

#endif
