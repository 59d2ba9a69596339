// SPDX-License-Identifier: BSD-3-Clause
/* Keys of a lane as the vaes engine stores them, and the constants of its kernels. */
#include <string.h>

#include "dataplane/crypto/vaes_hash.h"

#define LANES(...) \
	{ \
		{ \
			{__VA_ARGS__}, {__VA_ARGS__}, {__VA_ARGS__}, \
			{ \
				__VA_ARGS__ \
			} \
		} \
	}
#define WORDS(...) LANES(__VA_ARGS__, __VA_ARGS__, __VA_ARGS__, __VA_ARGS__)
#define ONES 0xff, 0xff, 0xff, 0xff
#define NONE 0, 0, 0, 0
#define COUNTER(value_) LANES(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, value_)
#define ZERO 0x80 /* of a shuffle */
/* Bytes 6 to 9 of the IV, RFC 7714 section 8.1, from the lane's word of four. */
#define ROC(first_) \
	{ \
		ZERO, ZERO, ZERO, ZERO, ZERO, ZERO, first_ + 3, first_ + 2, first_ + 1, first_, \
			ZERO, ZERO, ZERO, ZERO, ZERO, ZERO \
	}

const struct vaes_tables vaes_tables = {
	.reverse = LANES(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
	.last_word = WORDS(12, 13, 14, 15),
	.rotated_word = WORDS(13, 14, 15, 12),
	.roc = {{ROC(0), ROC(4), ROC(8), ROC(12)}},
	.polynomial = LANES(0, 0, 0, 0, 0, 0, 0, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0xc2),
	/* P^-turn of a word in all four places. */
	.turn = {WORDS(ONES), LANES(ONES, NONE, NONE, NONE), LANES(ONES, ONES, NONE, NONE),
		LANES(ONES, NONE, ONES, NONE)},
	/* FIPS 197 section 5.2. */
	.constant = {WORDS(NONE), WORDS(0x01, 0, 0, 0), WORDS(0x02, 0, 0, 0), WORDS(0x04, 0, 0, 0),
		WORDS(0x08, 0, 0, 0), WORDS(0x10, 0, 0, 0), WORDS(0x20, 0, 0, 0),
		WORDS(0x40, 0, 0, 0), WORDS(0x80, 0, 0, 0), WORDS(0x1b, 0, 0, 0),
		WORDS(0x36, 0, 0, 0)},
	.counter = {COUNTER(1), COUNTER(2), COUNTER(3), COUNTER(4), COUNTER(5), COUNTER(6),
		COUNTER(7), COUNTER(8)},
};

INLINE __m128i low_lane(__m512i value)
{
	return _mm512_castsi512_si128(value);
}

INLINE __m128i square(__m128i key)
{
	__m512i wide = _mm512_zextsi128_si512(key);
	struct hash hash = {.key = wide, .key_shifted = hash_shifted(wide)};

	return low_lane(hash_single(&hash, wide, _mm512_setzero_si512()));
}

/* x times the reversed hash key, RFC 8452 appendix A. */
INLINE __m128i hash_key(const uint8_t *round_keys, unsigned int rounds)
{
	__m128i key = _mm_loadu_si128((const __m128i *)round_keys), carry, top;

	for (unsigned int round = 1; round < rounds; round++)
		key = _mm_aesenc_si128(
			key, _mm_loadu_si128((const __m128i *)(round_keys + 16 * round)));
	key = _mm_aesenclast_si128(
		key, _mm_loadu_si128((const __m128i *)(round_keys + 16 * rounds)));
	key = low_lane(reversed(_mm512_zextsi128_si512(key)));
	top = _mm_srai_epi32(_mm_shuffle_epi32(key, 0xff), 31);
	carry = _mm_slli_si128(_mm_srli_epi64(key, 63), 8);
	key = _mm_or_si128(_mm_slli_epi64(key, 1), carry);
	return _mm_xor_si128(
		key, _mm_and_si128(top, _mm_set_epi64x((long long)0xc200000000000000, 1)));
}

/* P^turn of a key. */
INLINE __m128i turned(__m128i key, unsigned int turn)
{
	return low_lane(key_spread(_mm512_zextsi128_si512(key), turn));
}

static void put(struct vaes_lanes *line, unsigned int lane, __m128i value)
{
	_mm_store_si128((__m128i *)line->lane[lane], value);
}

void vaes_gcm_expand(enum suite suite, struct vaes_lanes *group, unsigned int lane,
	const uint8_t *round_keys, const uint8_t salt[12])
{
	bool wide = suite == SUITE_AEAD_AES_256_GCM;
	__m128i first = _mm_loadu_si128((const __m128i *)round_keys);
	__m128i hash = hash_key(round_keys, wide ? 14 : 10);
	uint8_t whole_salt[16] = {0};

	memcpy(whole_salt, salt, 12);
	put(group++, lane, _mm_xor_si128(first, _mm_loadu_si128((const __m128i *)whole_salt)));
	if (wide) {
		__m128i second = _mm_loadu_si128((const __m128i *)(round_keys + 16));

		put(group++, lane, turned(first, -VAES_TURN_EVEN & 3));
		put(group++, lane, turned(second, -VAES_TURN_ODD & 3));
	} else {
		put(group++, lane, turned(first, -VAES_TURN_128 & 3));
	}
	put(group++, lane, square(hash));
	put(group, lane, hash);
}
