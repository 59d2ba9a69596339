/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the kernels of the vaes engine are made of: four lanes of AES rounds, of the key schedule
 * and of the hash. Only files compiled with the engine's -m flags include it.
 *
 * AES runs on one port of the CPU and carry-less products on another, and its scheduler sees no
 * further than about a hundred operations: the two have to stand beside each other in the program.
 * So both are volatile assembler, whose order no compiler changes; what lies between is not.
 */
#ifndef STENTOR_DATAPLANE_CRYPTO_VAES_LANE_H
#define STENTOR_DATAPLANE_CRYPTO_VAES_LANE_H

#include <immintrin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/crypto/vaes.h"

/* Who only looks at headers has no registers of that size. */
#if defined(__AVX512F__) && defined(__VAES__) && defined(__VPCLMULQDQ__)

/* clang makes memory of an operand that may be either, and unrolls long loops only by its own word.
 */
#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#define OPERAND "v"
#else
#define UNROLL _Pragma("GCC unroll 16")
#define OPERAND "vm"
#endif

#define INLINE static inline __attribute__((always_inline))

INLINE void aes_round(__m512i *state, __m512i key)
{
	__asm__ volatile("vaesenc %1, %0, %0" : "+v"(*state) : "v"(key));
}

INLINE __m512i aes_last(__m512i state, __m512i key)
{
	__asm__ volatile("vaesenclast %1, %0, %0" : "+v"(state) : OPERAND(key));
	return state;
}

/* Halves of a and b, 0 the low one. */
#define PRODUCT(name_, immediate_) \
	INLINE __m512i product_##name_(__m512i a, __m512i b) \
	{ \
		__m512i result; \
\
		__asm__ volatile("vpclmulqdq $" #immediate_ ", %2, %1, %0" \
				 : "=v"(result) \
				 : "v"(a), OPERAND(b)); \
		return result; \
	}
PRODUCT(low_low, 0x00)
PRODUCT(high_low, 0x01)
PRODUCT(low_high, 0x10)
PRODUCT(high_high, 0x11)

INLINE __m512i table(const struct vaes_lanes *constant)
{
	return _mm512_load_si512(constant);
}

INLINE __m512i broadcast(const void *block)
{
	return _mm512_broadcast_i32x4(_mm_loadu_si128(block));
}

INLINE __m512i xor3(__m512i a, __m512i b, __m512i c)
{
	return _mm512_ternarylogic_epi64(a, b, c, 0x96);
}

INLINE __m512i reversed(__m512i block)
{
	return _mm512_shuffle_epi8(block, table(&vaes_tables.reverse));
}

/*
 * The key schedule (FIPS 197 section 5.2) in lanes. Be P the step that makes each word of a round
 * key the sum of itself and the words before it: the next key is P(key) with the word `fresh`,
 * taken through the S-box, in all of its words. P to the fourth is the identity, so what is carried
 * is not the key but its P^-turn: into that, `fresh` goes by a mask, and the shifts that make the
 * key of it are none, one or two, 1 on average instead of 2.
 */
INLINE __m512i key_spread(__m512i carried, unsigned int turn)
{
	if (turn % 4 == 1 || turn % 4 == 3)
		carried = _mm512_xor_si512(carried, _mm512_bslli_epi128(carried, 4));
	if (turn % 4 == 1 || turn % 4 == 2)
		carried = _mm512_xor_si512(carried, _mm512_bslli_epi128(carried, 8));
	return carried;
}

INLINE __m512i key_mix(__m512i carried, __m512i fresh, unsigned int turn)
{
	if (turn % 4 == 0)
		return _mm512_xor_si512(carried, fresh);
	/* carried XOR (fresh AND mask) */
	return _mm512_ternarylogic_epi64(carried, fresh, table(&vaes_tables.turn[turn % 4]), 0x78);
}

/* The turns at which a key is stored: those that are cheapest over the whole schedule. */
#define VAES_TURN_128 2
#define VAES_TURN_EVEN 1
#define VAES_TURN_ODD 2

struct schedule {
	__m512i even, odd; /* carried; odd: of the second half of a 256-bit key */
};

INLINE void schedule_init(struct schedule *schedule, const __m512i *keys, unsigned int rounds)
{
	schedule->even = keys[1];
	if (rounds == 14)
		schedule->odd = keys[2];
}

/* The last word of the key before through the S-box: turned and with a constant, or neither. */
INLINE __m512i fresh_word(__m512i before, unsigned int constant)
{
	if (constant == 0)
		return aes_last(_mm512_shuffle_epi8(before, table(&vaes_tables.last_word)),
			_mm512_setzero_si512());
	return aes_last(_mm512_shuffle_epi8(before, table(&vaes_tables.rotated_word)),
		table(&vaes_tables.constant[constant]));
}

/* The key of a round, 1 to rounds, from the one before; of that only the last words count. */
INLINE __m512i schedule_key(
	struct schedule *schedule, unsigned int rounds, unsigned int round, __m512i before)
{
	unsigned int step = round / 2;

	if (rounds == 10) {
		schedule->even =
			key_mix(schedule->even, fresh_word(before, round), round + VAES_TURN_128);
		return key_spread(schedule->even, round + VAES_TURN_128);
	}
	if (round % 2 == 0) {
		schedule->even =
			key_mix(schedule->even, fresh_word(before, step), step + VAES_TURN_EVEN);
		return key_spread(schedule->even, step + VAES_TURN_EVEN);
	}
	if (round > 1)
		schedule->odd = key_mix(schedule->odd, fresh_word(before, 0), step + VAES_TURN_ODD);
	return key_spread(schedule->odd, step + VAES_TURN_ODD);
}

/* Lane i to out[i], without the shuffles that compilers make of it. */
INLINE void store_lanes(uint8_t *const out[VAES_LANES], size_t at, __m512i block)
{
#define STORE(lane_) \
	__asm__ volatile("vextracti32x4 $" #lane_ ", %1, %0" \
			 : "=m"(*(__m128i_u *)(out[lane_] + at)) \
			 : "v"(block))
	_mm_storeu_si128((__m128i_u *)(out[0] + at), _mm512_castsi512_si128(block));
	STORE(1);
	STORE(2);
	STORE(3);
#undef STORE
}

/* IV of each lane, RFC 7714 section 8.1, and the first round key, which came with the salt. */
INLINE __m512i lanes_start(const struct vaes_job *job, const __m512i *keys, const uint32_t *roc)
{
	return xor3(keys[0], table(&job->iv),
		_mm512_shuffle_epi8(broadcast(roc), table(&vaes_tables.roc)));
}

/* In whole blocks: what is written behind the header, payload and tag overwrite. */
INLINE void store_header(const struct vaes_job *job, uint8_t *const out[VAES_LANES])
{
	uint8_t *to[VAES_LANES] = {out[0], out[1], out[2], out[3]};

	for (unsigned int block = 0; block < job->header_blocks; block++) {
		__m128i bytes = _mm_load_si128((const __m128i *)job->header + block);

		for (unsigned int lane = 0; lane < VAES_LANES; lane++)
			_mm_storeu_si128((__m128i_u *)to[lane] + block, bytes);
	}
}

#endif
#endif
