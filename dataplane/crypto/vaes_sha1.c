// SPDX-License-Identifier: BSD-3-Clause
#include <immintrin.h>

#include "dataplane/crypto/vaes_sha1.h"

#define INLINE static inline __attribute__((always_inline))

static const uint32_t constants[4] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};

INLINE __m512i load(const struct sha1_word *word)
{
	return _mm512_load_si512(word);
}

INLINE __m512i same(uint32_t word)
{
	return _mm512_set1_epi32((int)word);
}

INLINE __m512i add(__m512i a, __m512i b)
{
	return _mm512_add_epi32(a, b);
}

/* Ch, Parity, Maj, Parity: FIPS 180-4 section 4.1.1. */
INLINE __m512i mixed(unsigned int round, __m512i b, __m512i c, __m512i d)
{
	if (round < 20)
		return _mm512_ternarylogic_epi32(b, c, d, 0xca);
	if (round >= 40 && round < 60)
		return _mm512_ternarylogic_epi32(b, c, d, 0xe8);
	return _mm512_ternarylogic_epi32(b, c, d, 0x96);
}

/*
 * Word `round` of the message schedule, in the place of the one sixteen before. Plain XORs: the
 * compiler drops those with a word known to be zero, and makes ternary ones of the others.
 */
INLINE __m512i scheduled(__m512i word[SHA1_BLOCK_WORDS], unsigned int round)
{
	__m512i *own = &word[round % 16];

	if (round >= 16)
		*own = _mm512_rol_epi32(_mm512_xor_si512(_mm512_xor_si512(word[(round + 13) % 16],
								 word[(round + 8) % 16]),
						_mm512_xor_si512(word[(round + 2) % 16], *own)),
			1);
	return *own;
}

struct working {
	__m512i a, b, c, d, e;
};

INLINE struct working begin(const struct sha1_state *state)
{
	return (struct working){load(&state->word[0]), load(&state->word[1]), load(&state->word[2]),
		load(&state->word[3]), load(&state->word[4])};
}

/* input: the word of the schedule and the constant. */
INLINE void step(struct working *w, unsigned int round, __m512i input)
{
	__m512i sum = add(add(w->e, input), mixed(round, w->b, w->c, w->d));

	w->e = w->d;
	w->d = w->c;
	w->c = _mm512_rol_epi32(w->b, 30);
	w->b = w->a;
	w->a = add(sum, _mm512_rol_epi32(w->a, 5));
}

INLINE void end(const struct working *w, const struct sha1_state *before, struct sha1_state *state)
{
	_mm512_store_si512(&state->word[0], add(w->a, load(&before->word[0])));
	_mm512_store_si512(&state->word[1], add(w->b, load(&before->word[1])));
	_mm512_store_si512(&state->word[2], add(w->c, load(&before->word[2])));
	_mm512_store_si512(&state->word[3], add(w->d, load(&before->word[3])));
	_mm512_store_si512(&state->word[4], add(w->e, load(&before->word[4])));
}

INLINE void compress(
	const struct sha1_state *before, struct sha1_state *state, __m512i word[SHA1_BLOCK_WORDS])
{
	struct working w = begin(before);

#pragma GCC unroll 80
	for (unsigned int round = 0; round < SHA1_ROUNDS; round++)
		step(&w, round, add(scheduled(word, round), same(constants[round / 20])));
	end(&w, before, state);
}

void vaes_sha1_block(struct sha1_state *state, const struct sha1_word block[SHA1_BLOCK_WORDS])
{
	__m512i word[SHA1_BLOCK_WORDS];

#pragma GCC unroll 16
	for (unsigned int i = 0; i < SHA1_BLOCK_WORDS; i++)
		word[i] = load(&block[i]);
	compress(state, state, word);
}

void vaes_sha1_shared(struct sha1_state *state, const uint32_t schedule[SHA1_ROUNDS])
{
	struct working w = begin(state);

#pragma GCC unroll 80
	for (unsigned int round = 0; round < SHA1_ROUNDS; round++)
		step(&w, round, same(schedule[round]));
	end(&w, state, state);
}

void vaes_sha1_expand(const uint32_t block[SHA1_BLOCK_WORDS], uint32_t schedule[SHA1_ROUNDS])
{
	__m512i word[SHA1_BLOCK_WORDS];

	/* Sixteen times the same, and still faster than what gcc 12 makes of a loop over words. */
#pragma GCC unroll 16
	for (unsigned int i = 0; i < SHA1_BLOCK_WORDS; i++)
		word[i] = same(block[i]);
#pragma GCC unroll 80
	for (unsigned int round = 0; round < SHA1_ROUNDS; round++) {
		__m512i input = add(scheduled(word, round), same(constants[round / 20]));

		schedule[round] = (uint32_t)_mm_cvtsi128_si32(_mm512_castsi512_si128(input));
	}
}

void vaes_sha1_outer(struct sha1_state *state, const struct sha1_state *outer)
{
	__m512i word[SHA1_BLOCK_WORDS];

#pragma GCC unroll 16
	for (unsigned int i = 0; i < SHA1_BLOCK_WORDS; i++)
		word[i] = i < SHA1_STATE_WORDS ? load(&state->word[i]) : _mm512_setzero_si512();
	/* The padded key and the inner digest: 64 and 20 bytes. */
	word[5] = same(0x80000000);
	word[15] = same((64 + 20) * 8);
	compress(outer, state, word);
}
