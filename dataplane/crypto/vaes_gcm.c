// SPDX-License-Identifier: BSD-3-Clause
/*
 * AES-GCM (NIST SP 800-38D) with the IV of RFC 7714 section 8.1, four keys in a register.
 *
 * The hash is computed as POLYVAL: GHASH(H, X) is POLYVAL(x * reversed H, reversed X) reversed (RFC
 * 8452 appendix A), whose product needs no shift of its own. Products are summed up unreduced, and
 * reduced once for up to VAES_POWERS blocks.
 */
#include <assert.h>
#include <immintrin.h>
#include <string.h>

#include "dataplane/crypto/ipsec_mb.h"
#include "dataplane/crypto/vaes.h"

#define TAG_SIZE 16
#define CHUNK 8 /* blocks of ciphertext under way at a time; as many as there are powers */
#define PAYLOAD_MAX 1408
#define HEADER_MAX 256
#define INLINE static inline __attribute__((always_inline))

_Static_assert(CHUNK == VAES_POWERS, "a chunk is reduced once");

/* What is the same for all groups of a run. */
struct job {
	__m512i iv;          /* SSRC and sequence number where they belong in the IV */
	__m512i length;      /* the last block of the hash */
	__m512i tail;        /* ones where the last block has bytes */
	__mmask16 tail_mask; /* the same of one lane */
	unsigned int header_size, header_blocks;
	unsigned int payload_size;
	unsigned int chunks;    /* full ones, before the last */
	const uint8_t *header;  /* as it is sent */
	const uint8_t *hashed;  /* the header in reversed blocks, zeroes behind it */
	const uint8_t *payload; /* zeroes behind it, up to a whole block */
};

INLINE __m512i reversed(__m512i block)
{
	const __m512i order = _mm512_broadcast_i32x4(
		_mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));

	return _mm512_shuffle_epi8(block, order);
}

INLINE __m512i load_block(const uint8_t *from)
{
	return _mm512_broadcast_i32x4(_mm_load_si128((const __m128i *)from));
}

/* The counter is the last byte of the IV: a packet has less than 256 blocks. */
INLINE __m512i counter(unsigned int value)
{
	return _mm512_broadcast_i32x4(_mm_set_epi32((int)(value << 24), 0, 0, 0));
}

struct sum {
	__m512i low, middle, high;
};

INLINE void add_product(struct sum *sum, __m512i block, __m512i power)
{
	sum->low = _mm512_xor_si512(sum->low, _mm512_clmulepi64_epi128(block, power, 0x00));
	sum->high = _mm512_xor_si512(sum->high, _mm512_clmulepi64_epi128(block, power, 0x11));
	sum->middle =
		_mm512_ternarylogic_epi64(sum->middle, _mm512_clmulepi64_epi128(block, power, 0x01),
			_mm512_clmulepi64_epi128(block, power, 0x10), 0x96);
}

/* Montgomery's way: two steps of 64 bits, RFC 8452 and Gueron's "POLYVAL". */
INLINE __m512i reduced(const struct sum *sum)
{
	const __m512i polynomial = _mm512_set1_epi64((long long)0xc200000000000000);
	__m512i low = _mm512_xor_si512(sum->low, _mm512_bslli_epi128(sum->middle, 8));
	__m512i high = _mm512_xor_si512(sum->high, _mm512_bsrli_epi128(sum->middle, 8));

	low = _mm512_xor_si512(_mm512_shuffle_epi32(low, _MM_PERM_BADC),
		_mm512_clmulepi64_epi128(low, polynomial, 0x00));
	/* The last two terms at once. */
	return _mm512_ternarylogic_epi64(high, _mm512_shuffle_epi32(low, _MM_PERM_BADC),
		_mm512_clmulepi64_epi128(low, polynomial, 0x00), 0x96);
}

/* The power of the hash key that a block gets which is the n-th from the end, 1 to VAES_POWERS. */
INLINE __m512i power(const __m512i *powers, unsigned int n)
{
	return powers[VAES_POWERS - n];
}

/* Headers have one to three blocks, rarely up to 16: any number, in steps of CHUNK. */
INLINE __m512i hash_header(const struct job *job, const __m512i *powers)
{
	__m512i hash = _mm512_setzero_si512();
	unsigned int left = job->header_blocks;
	const uint8_t *at = job->hashed;

	while (left > 0) {
		unsigned int some = left > CHUNK ? CHUNK : left;
		struct sum sum = {
			_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512()};

		for (unsigned int i = 0; i < some; i++) {
			__m512i block = load_block(at + 16 * i);

			if (i == 0)
				block = _mm512_xor_si512(block, hash);
			add_product(&sum, block, power(powers, some - i));
		}
		hash = reduced(&sum);
		at += 16 * (size_t)some;
		left -= some;
	}
	return hash;
}

/* Of a group. */
struct keys {
	const __m512i *round, *powers;
	__m512i start; /* IV with a counter of zero, and the first round key */
	unsigned int rounds;
};

/* Encrypts count counter blocks that have the first round key in them. */
INLINE void encrypt(const struct keys *keys, unsigned int count, __m512i block[CHUNK])
{
	for (unsigned int round = 1; round < keys->rounds; round++) {
		__m512i key = keys->round[round];

#pragma GCC unroll 8
		for (unsigned int i = 0; i < count; i++)
			block[i] = _mm512_aesenc_epi128(block[i], key);
	}
#pragma GCC unroll 8
	for (unsigned int i = 0; i < count; i++)
		block[i] = _mm512_aesenclast_epi128(block[i], keys->round[keys->rounds]);
}

INLINE void store(uint8_t *const out[VAES_LANES], size_t at, __m512i block)
{
	_mm_storeu_si128((__m128i *)(out[0] + at), _mm512_castsi512_si128(block));
	_mm_storeu_si128((__m128i *)(out[1] + at), _mm512_extracti32x4_epi32(block, 1));
	_mm_storeu_si128((__m128i *)(out[2] + at), _mm512_extracti32x4_epi32(block, 2));
	_mm_storeu_si128((__m128i *)(out[3] + at), _mm512_extracti32x4_epi32(block, 3));
}

INLINE void store_tail(uint8_t *const out[VAES_LANES], size_t at, __mmask16 mask, __m512i block)
{
	_mm_mask_storeu_epi8(out[0] + at, mask, _mm512_castsi512_si128(block));
	_mm_mask_storeu_epi8(out[1] + at, mask, _mm512_extracti32x4_epi32(block, 1));
	_mm_mask_storeu_epi8(out[2] + at, mask, _mm512_extracti32x4_epi32(block, 2));
	_mm_mask_storeu_epi8(out[3] + at, mask, _mm512_extracti32x4_epi32(block, 3));
}

/*
 * CHUNK blocks of the payload, from block `done` on. What of the last of them is behind the payload
 * is stored all the same, where the tag will be; it is not hashed: `kept` is ones for what is.
 */
INLINE __m512i full_chunk(const struct job *job, const struct keys *keys, __m512i hash,
	unsigned int done, __m512i kept, uint8_t *const out[VAES_LANES])
{
	struct sum sum = {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512()};
	__m512i block[CHUNK];

#pragma GCC unroll 8
	for (unsigned int i = 0; i < CHUNK; i++)
		block[i] = _mm512_xor_si512(keys->start, counter(done + i + 2));
	encrypt(keys, CHUNK, block);
#pragma GCC unroll 8
	for (unsigned int i = 0; i < CHUNK; i++) {
		size_t at = 16 * ((size_t)done + i);

		block[i] = _mm512_xor_si512(block[i], load_block(job->payload + at));
		store(out, job->header_size + at, block[i]);
		if (i == CHUNK - 1)
			block[i] = _mm512_and_si512(block[i], kept);
		block[i] = reversed(block[i]);
		if (i == 0)
			block[i] = _mm512_xor_si512(block[i], hash);
		add_product(&sum, block[i], power(keys->powers, CHUNK - i));
	}
	return reduced(&sum);
}

/* The last `count` blocks of the payload, the length, the tag. */
INLINE void last_chunk(const struct job *job, const struct keys *keys, __m512i hash,
	unsigned int count, uint8_t *const out[VAES_LANES])
{
	struct sum sum = {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512()};
	unsigned int done = job->chunks * CHUNK;
	__m512i block[CHUNK], last;

	block[count] = _mm512_xor_si512(keys->start, counter(1));
#pragma GCC unroll 8
	for (unsigned int i = 0; i < count; i++)
		block[i] = _mm512_xor_si512(keys->start, counter(done + i + 2));
	encrypt(keys, count + 1, block);
#pragma GCC unroll 8
	for (unsigned int i = 0; i < count; i++) {
		size_t at = 16 * ((size_t)done + i);

		block[i] = _mm512_xor_si512(block[i], load_block(job->payload + at));
		if (i + 1 == count) {
			store_tail(out, job->header_size + at, job->tail_mask, block[i]);
			block[i] = _mm512_and_si512(block[i], job->tail);
		} else {
			store(out, job->header_size + at, block[i]);
		}
		block[i] = reversed(block[i]);
		if (i == 0)
			block[i] = _mm512_xor_si512(block[i], hash);
		add_product(&sum, block[i], power(keys->powers, count + 1 - i));
	}
	last = count == 0 ? _mm512_xor_si512(job->length, hash) : job->length;
	add_product(&sum, last, power(keys->powers, 1));
	store(out, job->header_size + job->payload_size,
		_mm512_xor_si512(block[count], reversed(reduced(&sum))));
}

/* ROC of each lane where it belongs in the IV: bytes 6 to 9, RFC 7714 section 8.1. */
INLINE __m512i roc_lanes(const uint32_t roc[VAES_LANES])
{
	const __m512i spread = _mm512_set_epi32(3, 3, 3, 3, 2, 2, 2, 2, 1, 1, 1, 1, 0, 0, 0, 0);
	const __m512i place = _mm512_broadcast_i32x4(
		_mm_set_epi8(-1, -1, -1, -1, -1, -1, 0, 1, 2, 3, -1, -1, -1, -1, -1, -1));
	__m512i four = _mm512_castsi128_si512(_mm_loadu_si128((const __m128i *)roc));

	return _mm512_shuffle_epi8(_mm512_permutexvar_epi32(spread, four), place);
}

INLINE void protect_group(const struct job *job, const struct vaes_lanes *group,
	unsigned int rounds, unsigned int count, const uint32_t roc[VAES_LANES],
	uint8_t *const out[VAES_LANES])
{
	const __m512i ones = _mm512_set1_epi64(-1);
	const __m512i *salt = (const __m512i *)group;
	struct keys keys = {salt + 1, salt + 1 + rounds + 1, ones, rounds};
	__m512i hash;

	keys.start = _mm512_ternarylogic_epi64(*salt, job->iv, roc_lanes(roc), 0x96);
	keys.start = _mm512_xor_si512(keys.start, keys.round[0]);
	for (unsigned int lane = 0; lane < VAES_LANES; lane++)
		ipsec_mb_copy_header(out[lane], job->header, job->header_size);
	hash = hash_header(job, keys.powers);
	for (unsigned int chunk = 0; chunk < job->chunks; chunk++) {
		bool last = count == 0 && chunk + 1 == job->chunks;

		hash = full_chunk(job, &keys, hash, chunk * CHUNK, last ? job->tail : ones, out);
	}
	last_chunk(job, &keys, hash, count, out);
}

/* The lanes of the run; those beside it are computed, too, and thrown away. */
struct lanes {
	unsigned int first, count;
	const uint32_t *roc;
	uint8_t *const *out;
};

INLINE void run(const struct job *job, const struct vaes_lanes *groups, unsigned int rounds,
	unsigned int count, const struct lanes *lanes)
{
	unsigned int step = VAES_GROUP_LANES(rounds + 1);
	unsigned int at = lanes->first & ~(VAES_LANES - 1u), end = lanes->first + lanes->count;
	uint8_t waste[HEADER_MAX + PAYLOAD_MAX + TAG_SIZE];

	for (; at < end; at += VAES_LANES) {
		const struct vaes_lanes *group = groups + (size_t)at / VAES_LANES * step;
		uint32_t roc[VAES_LANES];
		uint8_t *out[VAES_LANES];

		for (unsigned int line = 0; line < step; line++)
			__builtin_prefetch(group + step + line);
		if (at >= lanes->first && at + VAES_LANES <= end) {
			protect_group(job, group, rounds, count, lanes->roc + at - lanes->first,
				lanes->out + at - lanes->first);
			continue;
		}
		for (unsigned int i = 0; i < VAES_LANES; i++) {
			bool wanted = at + i >= lanes->first && at + i < end;

			roc[i] = wanted ? lanes->roc[at + i - lanes->first] : 0;
			out[i] = wanted ? lanes->out[at + i - lanes->first] : waste;
		}
		protect_group(job, group, rounds, count, roc, out);
	}
}

#define KERNEL(bits_, rounds_, count_) \
	static void run_##bits_##_##count_( \
		const struct job *job, const struct vaes_lanes *groups, const struct lanes *lanes) \
	{ \
		run(job, groups, rounds_, count_, lanes); \
	}
#define KERNELS(bits_, rounds_) \
	KERNEL(bits_, rounds_, 0) \
	KERNEL(bits_, rounds_, 1) \
	KERNEL(bits_, rounds_, 2) \
	KERNEL(bits_, rounds_, 3) \
	KERNEL(bits_, rounds_, 4) \
	KERNEL(bits_, rounds_, 5) \
	KERNEL(bits_, rounds_, 6) \
	KERNEL(bits_, rounds_, 7)
KERNELS(128, 10)
KERNELS(256, 14)

/* By key size and blocks in the last chunk: no branch on a length inside a run. */
static void (*const kernels[2][CHUNK])(
	const struct job *job, const struct vaes_lanes *groups, const struct lanes *lanes) = {
	{run_128_0, run_128_1, run_128_2, run_128_3, run_128_4, run_128_5, run_128_6, run_128_7},
	{run_256_0, run_256_1, run_256_2, run_256_3, run_256_4, run_256_5, run_256_6, run_256_7}};

/* Whole blocks, zeroes behind, each reversed. */
static unsigned int hash_blocks(const uint8_t *from, unsigned int size, uint8_t *to)
{
	unsigned int blocks = (size + 15) / 16;

	memset(to, 0, 16 * (size_t)blocks);
	for (unsigned int i = 0; i < size; i++)
		to[(i & ~15u) + 15 - i % 16] = from[i];
	return blocks;
}

static __m512i iv_of(const struct plaintext *p)
{
	uint8_t iv[16] = {0, 0, (uint8_t)(p->ssrc >> 24), (uint8_t)(p->ssrc >> 16),
		(uint8_t)(p->ssrc >> 8), (uint8_t)p->ssrc, 0, 0, 0, 0, (uint8_t)(p->sequence >> 8),
		(uint8_t)p->sequence};

	return _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)iv));
}

static __m512i tail_of(unsigned int size, __mmask16 *mask)
{
	unsigned int bytes = size == 0 ? 0 : (size - 1) % 16 + 1;

	*mask = (__mmask16)((1u << bytes) - 1);
	return _mm512_broadcast_i32x4(_mm_maskz_set1_epi8(*mask, -1));
}

void vaes_gcm_run(enum suite suite, const struct vaes_lanes *groups, unsigned int first,
	unsigned int count, const struct plaintext *p, const uint32_t roc[], uint8_t *const out[])
{
	uint8_t hashed[HEADER_MAX] __attribute__((aligned(16)));
	uint8_t payload[PAYLOAD_MAX] __attribute__((aligned(64)));
	unsigned int blocks = (p->payload_size + 15) / 16;
	const struct lanes lanes = {first, count, roc, out};
	struct job job = {.iv = iv_of(p),
		.length = _mm512_broadcast_i32x4(_mm_set_epi64x(
			(long long)p->header_size * 8, (long long)p->payload_size * 8)),
		.header_size = p->header_size,
		.payload_size = p->payload_size,
		.header = p->header,
		.hashed = hashed,
		.payload = payload};

	/* Admission bounds both; a longer one would end this process, not its stack. */
	assert(p->header_size <= HEADER_MAX && p->payload_size <= PAYLOAD_MAX);
	/* The last chunk has the length block, and so at most CHUNK - 1 others. */
	job.chunks = blocks / CHUNK;
	job.tail = tail_of(p->payload_size, &job.tail_mask);
	job.header_blocks = hash_blocks(p->header, p->header_size, hashed);
	memcpy(payload, p->payload, p->payload_size);
	memset(payload + p->payload_size, 0, 16 * (size_t)blocks - p->payload_size);
	kernels[suite == SUITE_AEAD_AES_256_GCM][blocks % CHUNK](&job, groups, &lanes);
}

INLINE __m128i multiply(__m128i a, __m128i b)
{
	const struct sum zero = {
		_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512()};
	struct sum sum = zero;

	add_product(&sum, _mm512_zextsi128_si512(a), _mm512_zextsi128_si512(b));
	return _mm512_castsi512_si128(reduced(&sum));
}

/* x times the reversed hash key, RFC 8452 appendix A. */
INLINE __m128i hash_key(const uint8_t *round_keys, unsigned int rounds)
{
	const __m128i order = _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
	__m128i key = _mm_loadu_si128((const __m128i *)round_keys), carry, top;

	for (unsigned int round = 1; round < rounds; round++)
		key = _mm_aesenc_si128(
			key, _mm_loadu_si128((const __m128i *)(round_keys + 16 * round)));
	key = _mm_aesenclast_si128(
		key, _mm_loadu_si128((const __m128i *)(round_keys + 16 * rounds)));
	key = _mm_shuffle_epi8(key, order);
	top = _mm_srai_epi32(_mm_shuffle_epi32(key, 0xff), 31);
	carry = _mm_slli_si128(_mm_srli_epi64(key, 63), 8);
	key = _mm_or_si128(_mm_slli_epi64(key, 1), carry);
	return _mm_xor_si128(
		key, _mm_and_si128(top, _mm_set_epi64x((long long)0xc200000000000000, 1)));
}

void vaes_gcm_expand(enum suite suite, struct vaes_lanes *group, unsigned int lane,
	const uint8_t *round_keys, const uint8_t salt[12])
{
	unsigned int count = vaes_round_keys(suite);
	struct vaes_lanes *powers = group + 1 + count;
	__m128i key = hash_key(round_keys, count - 1), value = key;

	memcpy(group->lane[lane], salt, 12);
	memset(group->lane[lane] + 12, 0, 4);
	for (unsigned int i = 0; i < count; i++)
		memcpy(group[1 + i].lane[lane], round_keys + 16 * i, 16);
	for (unsigned int n = 1; n <= VAES_POWERS; n++) {
		_mm_store_si128((__m128i *)powers[VAES_POWERS - n].lane[lane], value);
		value = multiply(value, key);
	}
}
