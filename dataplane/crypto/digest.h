/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The two sums of a STUN message: HMAC-SHA1 (RFC 2104) under a key whose first block is hashed once
 * and kept, and the CRC-32 of ISO 3309. Any thread, no locks, nothing allocated. A digest_key is
 * plain memory of its owner, who zeroises it.
 *
 * By the block functions of OpenSSL and by zlib: libIPSec_MB hashes from a kept state only through
 * a job manager of the calling core, and the way through EVP allocates for every message.
 */
#ifndef STENTOR_DATAPLANE_CRYPTO_DIGEST_H
#define STENTOR_DATAPLANE_CRYPTO_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIGEST_HMAC_SIZE 20

/* SHA-1 states after the inner and the outer padded key. */
struct digest_key {
	uint32_t inner[5];
	uint32_t outer[5];
};

void digest_key_set(struct digest_key *key, const void *secret, size_t size);
/* Over head and then body, so that a changed header needs no copy of what follows it. */
void digest_hmac(const struct digest_key *key, const void *head, size_t head_size, const void *body,
	size_t body_size, uint8_t out[DIGEST_HMAC_SIZE]);
/* In constant time. */
bool digest_equal(const void *a, const void *b, size_t size);

uint32_t digest_crc32(const void *data, size_t size);

#endif
