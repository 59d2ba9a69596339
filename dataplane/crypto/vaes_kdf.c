// SPDX-License-Identifier: BSD-3-Clause
/*
 * From a master key to what a run needs, with the AES instructions and nothing else: a join pays
 * for no key of a direction, of SRTCP or of decryption that its lane does not have.
 */
#include <immintrin.h>
#include <string.h>

#include "dataplane/crypto/vaes.h"

#define BLOCKS_MAX 5 /* a cipher key of 256 bits, an authentication key, a salt */
#define ROUNDS_128 10
#define ROUNDS_256 14

static inline __m128i first_lane(const struct vaes_lanes *line)
{
	return _mm_load_si128((const __m128i *)line->lane[0]);
}

/* FIPS 197 section 5.2: each word with all before it; substituted is in all four. */
static inline __m128i next_key(__m128i key, __m128i substituted)
{
	key = _mm_xor_si128(key, _mm_slli_si128(key, 4));
	key = _mm_xor_si128(key, _mm_slli_si128(key, 8));
	return _mm_xor_si128(key, substituted);
}

/* SubWord: the last round of AES, where four equal columns make ShiftRows nothing. */
static inline __m128i substitute(
	__m128i key, const struct vaes_lanes *word, const struct vaes_lanes *constant)
{
	return _mm_aesenclast_si128(_mm_shuffle_epi8(key, first_lane(word)), first_lane(constant));
}

static void expand_128(const uint8_t *key, __m128i *round_key)
{
	__m128i k = _mm_loadu_si128((const __m128i *)key);

	round_key[0] = k;
	for (unsigned int round = 1; round <= ROUNDS_128; round++) {
		k = next_key(
			k, substitute(k, &vaes_tables.rotated_word, &vaes_tables.constant[round]));
		round_key[round] = k;
	}
}

static void expand_256(const uint8_t *key, __m128i *round_key)
{
	__m128i even = _mm_loadu_si128((const __m128i *)key);
	__m128i odd = _mm_loadu_si128((const __m128i *)(key + 16));

	for (unsigned int round = 0; round < ROUNDS_256; round += 2) {
		round_key[round] = even;
		round_key[round + 1] = odd;
		even = next_key(even, substitute(odd, &vaes_tables.rotated_word,
					      &vaes_tables.constant[round / 2 + 1]));
		odd = next_key(
			odd, substitute(even, &vaes_tables.last_word, &vaes_tables.constant[0]));
	}
	round_key[ROUNDS_256] = even;
}

void vaes_round_keys(const uint8_t *key, unsigned int key_size, uint8_t *round_keys)
{
	if (key_size == 32)
		expand_256(key, (__m128i *)round_keys);
	else
		expand_128(key, (__m128i *)round_keys);
}

/* All blocks side by side: one alone would wait for every round. */
static void encrypt(const __m128i *round_key, unsigned int rounds, __m128i block[BLOCKS_MAX])
{
	for (unsigned int i = 0; i < BLOCKS_MAX; i++)
		block[i] = _mm_xor_si128(block[i], round_key[0]);
	for (unsigned int round = 1; round < rounds; round++)
		for (unsigned int i = 0; i < BLOCKS_MAX; i++)
			block[i] = _mm_aesenc_si128(block[i], round_key[round]);
	for (unsigned int i = 0; i < BLOCKS_MAX; i++)
		block[i] = _mm_aesenclast_si128(block[i], round_key[rounds]);
}

void vaes_derive(const struct master_key *master, struct session_keys *keys)
{
	static const uint8_t label[BLOCKS_MAX] = {SESSION_LABEL_KEY, SESSION_LABEL_KEY,
		SESSION_LABEL_AUTH, SESSION_LABEL_AUTH, SESSION_LABEL_SALT};
	static const uint8_t counter[BLOCKS_MAX] = {0, 1, 0, 1, 0};
	const struct suite_facts *facts = suite_facts(master->suite);
	uint8_t round_keys[16 * VAES_ROUND_KEYS_MAX] __attribute__((aligned(16)));
	uint8_t blocks[BLOCKS_MAX][16] __attribute__((aligned(16)));
	uint8_t salt[16] = {0};

	memcpy(salt, master->salt, facts->salt_size);
	for (unsigned int i = 0; i < BLOCKS_MAX; i++) {
		memcpy(blocks[i], salt, sizeof(salt));
		blocks[i][7] ^= label[i];
		blocks[i][15] = counter[i];
	}
	vaes_round_keys(master->key, facts->key_size, round_keys);
	encrypt((const __m128i *)round_keys, facts->key_size == 32 ? ROUNDS_256 : ROUNDS_128,
		(__m128i *)blocks);
	memset(keys, 0, sizeof(*keys));
	keys->suite = master->suite;
	memcpy(keys->rtp.key, blocks[0], facts->key_size);
	if (master->suite == SUITE_AES128_CM_HMAC_SHA1_80)
		memcpy(keys->rtp.auth, blocks[2], sizeof(keys->rtp.auth));
	memcpy(keys->rtp.salt, blocks[4], facts->salt_size);
	explicit_bzero(round_keys, sizeof(round_keys));
	explicit_bzero(blocks, sizeof(blocks));
}
