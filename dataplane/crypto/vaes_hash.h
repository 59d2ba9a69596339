/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The hash of GCM in four lanes, for the kernels of the vaes engine; see vaes_lane.h.
 */
#ifndef STENTOR_DATAPLANE_CRYPTO_VAES_HASH_H
#define STENTOR_DATAPLANE_CRYPTO_VAES_HASH_H

#include "dataplane/crypto/vaes_lane.h"

#if defined(__AVX512F__) && defined(__VAES__) && defined(__VPCLMULQDQ__)

/*
 * The hash is computed as POLYVAL: GHASH(H, X) is POLYVAL(x * reversed H, reversed X) reversed (RFC
 * 8452 appendix A), whose product needs no shift of its own. A block of halves A1, A0 times H is
 * summed up as A1 * H + A0 * (H / x^64): 192 bits, which one more division by x^64 (Montgomery)
 * reduces, where four products of halves would be 256 bits and need two.
 */
INLINE __m512i polynomial(void)
{
	return table(&vaes_tables.polynomial);
}

INLINE __m512i swapped(__m512i value)
{
	return _mm512_shuffle_epi32(value, _MM_PERM_BADC);
}

/* value / x^64 */
INLINE __m512i hash_shifted(__m512i value)
{
	return _mm512_xor_si512(swapped(value), product_low_low(value, polynomial()));
}

struct hash {
	__m512i key, key_shifted, square, square_shifted;
	__m512i low, high; /* bits 0 to 127, and 64 to 191 */
};

/* keys: the square of the hash key, then itself. */
INLINE void hash_init(struct hash *hash, const __m512i *keys)
{
	hash->square = keys[0];
	hash->key = keys[1];
	hash->square_shifted = hash_shifted(hash->square);
	hash->key_shifted = hash_shifted(hash->key);
}

INLINE __m512i hash_reduced(const struct hash *hash)
{
	return xor3(hash->high, swapped(hash->low), product_low_low(hash->low, polynomial()));
}

/* The first of two blocks; what the hash so far is to be added to comes with it: `next`. */
INLINE void hash_first(struct hash *hash, __m512i block, __m512i next)
{
	__m512i a = product_low_low(block, hash->square_shifted);
	__m512i b = product_high_low(block, hash->square);
	__m512i c = product_low_high(block, hash->square_shifted);
	__m512i d = product_high_high(block, hash->square);

	hash->low = _mm512_xor_si512(a, b);
	hash->high = xor3(c, d, next);
}

/* The second one. Returns the hash so far, XOR `next`. */
INLINE __m512i hash_second(struct hash *hash, __m512i block)
{
	__m512i a = product_low_low(block, hash->key_shifted);
	__m512i b = product_high_low(block, hash->key);
	__m512i c = product_low_high(block, hash->key_shifted);
	__m512i d = product_high_high(block, hash->key);

	hash->low = xor3(hash->low, a, b);
	hash->high = xor3(hash->high, c, d);
	return hash_reduced(hash);
}

INLINE __m512i hash_single(struct hash *hash, __m512i block, __m512i next)
{
	hash->low = _mm512_setzero_si512();
	hash->high = next;
	return hash_second(hash, block);
}

#endif
#endif
