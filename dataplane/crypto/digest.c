// SPDX-License-Identifier: BSD-3-Clause
/* The block functions of SHA-1 are deprecated for what EVP cannot do: start from a kept state. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <string.h>
#include <zlib.h>

#include "dataplane/crypto/digest.h"

static void state_keep(uint32_t state[5], const uint8_t block[SHA_CBLOCK])
{
	SHA_CTX sha;

	SHA1_Init(&sha);
	SHA1_Transform(&sha, block);
	state[0] = sha.h0;
	state[1] = sha.h1;
	state[2] = sha.h2;
	state[3] = sha.h3;
	state[4] = sha.h4;
	OPENSSL_cleanse(&sha, sizeof(sha));
}

/* As if one block had been hashed. */
static void state_take(SHA_CTX *sha, const uint32_t state[5])
{
	SHA1_Init(sha);
	sha->h0 = state[0];
	sha->h1 = state[1];
	sha->h2 = state[2];
	sha->h3 = state[3];
	sha->h4 = state[4];
	sha->Nl = SHA_CBLOCK * 8;
}

void digest_key_set(struct digest_key *key, const void *secret, size_t size)
{
	uint8_t block[SHA_CBLOCK] = {0};
	unsigned int i;

	if (size > sizeof(block))
		SHA1(secret, size, block);
	else if (size > 0)
		memcpy(block, secret, size);
	for (i = 0; i < sizeof(block); i++)
		block[i] ^= 0x36;
	state_keep(key->inner, block);
	for (i = 0; i < sizeof(block); i++)
		block[i] ^= 0x36 ^ 0x5c;
	state_keep(key->outer, block);
	OPENSSL_cleanse(block, sizeof(block));
}

void digest_hmac(const struct digest_key *key, const void *head, size_t head_size, const void *body,
	size_t body_size, uint8_t out[DIGEST_HMAC_SIZE])
{
	uint8_t inner[SHA_DIGEST_LENGTH];
	SHA_CTX sha;

	state_take(&sha, key->inner);
	SHA1_Update(&sha, head, head_size);
	SHA1_Update(&sha, body, body_size);
	SHA1_Final(inner, &sha);
	state_take(&sha, key->outer);
	SHA1_Update(&sha, inner, sizeof(inner));
	SHA1_Final(out, &sha);
}

bool digest_equal(const void *a, const void *b, size_t size)
{
	return CRYPTO_memcmp(a, b, size) == 0;
}

uint32_t digest_crc32(const void *data, size_t size)
{
	return (uint32_t)crc32(0, data, (uInt)size);
}
