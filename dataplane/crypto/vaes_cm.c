// SPDX-License-Identifier: BSD-3-Clause
/*
 * AES in counter mode (RFC 3711 section 4.1.1) for four legs in a register, and HMAC-SHA1 (section
 * 4.2) over what it wrote for sixteen.
 *
 * Sixteen messages lie side by side, a word of each in 64 bytes: the header and the padding are
 * written once in a run, the ciphertext goes there straight from the registers it was made in. Four
 * registers hold a block of ciphertext of sixteen legs; two rounds of unpacking make four words of
 * it, and put leg 4g + l in place 4l + g. So everything of the hash is kept in that order.
 */
#include <assert.h>
#include <immintrin.h>
#include <string.h>

#include "dataplane/crypto/ipsec_mb.h"
#include "dataplane/crypto/vaes_cm.h"
#include "dataplane/crypto/vaes_sha1.h"

#define TAG_SIZE 10
#define ROUNDS 10
#define CHUNK 8 /* blocks of a leg under way at a time; a round has a latency of 3 cycles */
#define PAYLOAD_MAX 1408
#define HEADER_MAX 256
/* Behind it ROC, a bit, the length in 8 bytes, and up to the end of a block of SHA-1. */
#define MESSAGE_WORDS ((HEADER_MAX + PAYLOAD_MAX + 4 + 9 + 63) / 64 * SHA1_BLOCK_WORDS)
#define INLINE static inline __attribute__((always_inline))

/* A block of ciphertext of sixteen legs, words in host order, zeroes behind the payload. */
struct text {
	__m512i group[VAES_CM_GROUPS];
};

/* What is the same for all legs of a run, and the messages of sixteen. */
struct job {
	__m512i iv;          /* SSRC and sequence number where they belong */
	__m512i tail;        /* ones where the last block has bytes */
	__mmask16 tail_mask; /* the same of one leg */
	unsigned int header_size, payload_size;
	unsigned int blocks; /* of the payload */
	unsigned int base;   /* the word of the message in which the payload begins */
	unsigned int shift;  /* bits of the header in it */
	unsigned int hashed; /* blocks of SHA-1 */
	uint32_t length;     /* in bits, the last word */
	bool shared;         /* the last of them is padding only, and in schedule */
	const uint8_t *header;
	uint8_t payload[PAYLOAD_MAX] __attribute__((aligned(64)));
	uint32_t schedule[SHA1_ROUNDS];
	struct text text[PAYLOAD_MAX / 16];
	struct sha1_word message[MESSAGE_WORDS];
};

/* Of sixteen legs. */
struct legs {
	uint32_t roc[SHA1_LANES] __attribute__((aligned(64)));
	uint8_t *out[SHA1_LANES];
};

INLINE __m512i same(uint32_t word)
{
	return _mm512_set1_epi32((int)word);
}

INLINE __m512i load_block(const uint8_t *from)
{
	return _mm512_broadcast_i32x4(_mm_load_si128((const __m128i *)from));
}

/* Between the order of bytes in a packet and words. */
INLINE __m512i swapped(__m512i words)
{
	return _mm512_shuffle_epi8(words, _mm512_broadcast_i32x4(_mm_set_epi8(12, 13, 14, 15, 8, 9,
						  10, 11, 4, 5, 6, 7, 0, 1, 2, 3)));
}

/* The next round key of four legs, FIPS 197 section 5.2: AESENCLAST is SubBytes and the constant.
 */
INLINE __m512i next_key(__m512i key, unsigned int constant)
{
	/* RotWord of the last word in all four; ShiftRows does not move equal columns. */
	const __m512i rotate = _mm512_set1_epi32(0x0c0f0e0d);
	__m512i word = _mm512_aesenclast_epi128(_mm512_shuffle_epi8(key, rotate), same(constant));

	key = _mm512_xor_si512(key, _mm512_bslli_epi128(key, 4));
	return _mm512_ternarylogic_epi32(key, _mm512_bslli_epi128(key, 8), word, 0x96);
}

/* Round constants, FIPS 197 section 5.2. */
static const uint8_t constants[ROUNDS + 1] = {
	0, 0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0x1b, 0x36};

/* Encrypts count counter blocks and leaves the round keys, or finds them left. */
INLINE void encrypt(__m512i keys[ROUNDS + 1], bool left, unsigned int count, __m512i block[CHUNK])
{
#pragma GCC unroll 8
	for (unsigned int i = 0; i < count; i++)
		block[i] = _mm512_xor_si512(block[i], keys[0]);
#pragma GCC unroll 10
	for (unsigned int round = 1; round <= ROUNDS; round++) {
		__m512i key;

		if (!left)
			keys[round] = next_key(keys[round - 1], constants[round]);
		key = keys[round];
#pragma GCC unroll 8
		for (unsigned int i = 0; i < count; i++)
			block[i] = round < ROUNDS ? _mm512_aesenc_epi128(block[i], key)
						  : _mm512_aesenclast_epi128(block[i], key);
	}
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

/* Of four legs. */
struct group {
	__m512i keys[ROUNDS + 1];
	__m512i start;       /* IV with the counter of the next chunk */
	unsigned int number; /* of four in sixteen legs */
	unsigned int done;   /* blocks */
	uint8_t *const *out;
};

/* The counter is the last byte of the IV: a packet has less than 256 blocks. */
INLINE __m512i counter(unsigned int value)
{
	return _mm512_broadcast_i32x4(_mm_set_epi32((int)(value << 24), 0, 0, 0));
}

/*
 * `count` blocks of the payload from block `done` on. The last of all is written as far as it goes,
 * and is zero behind that where it is hashed. expanded: the round keys are there.
 */
INLINE void chunk(
	struct job *job, struct group *group, unsigned int count, bool expanded, bool last)
{
	unsigned int done = group->done;
	__m512i block[CHUNK];

#pragma GCC unroll 8
	for (unsigned int i = 0; i < count; i++)
		block[i] = _mm512_xor_si512(group->start, counter(i));
	encrypt(group->keys, expanded, count, block);
#pragma GCC unroll 8
	for (unsigned int i = 0; i < count; i++) {
		size_t at = 16 * ((size_t)done + i);

		block[i] = _mm512_xor_si512(block[i], load_block(job->payload + at));
		if (last && i + 1 == count) {
			store_tail(group->out, job->header_size + at, job->tail_mask, block[i]);
			block[i] = _mm512_and_si512(block[i], job->tail);
		} else {
			store(group->out, job->header_size + at, block[i]);
		}
		job->text[done + i].group[group->number] = swapped(block[i]);
	}
	group->done = done + count;
	if (!last)
		group->start = _mm512_add_epi32(group->start, counter(CHUNK));
}

#define KERNEL(count_) \
	static void only_##count_(struct job *job, struct group *group) \
	{ \
		chunk(job, group, count_, false, true); \
	} \
	static void last_##count_(struct job *job, struct group *group) \
	{ \
		chunk(job, group, count_, true, true); \
	}
KERNEL(1)
KERNEL(2)
KERNEL(3)
KERNEL(4)
KERNEL(5)
KERNEL(6)
KERNEL(7)
KERNEL(8)

static void first_8(struct job *job, struct group *group)
{
	chunk(job, group, CHUNK, false, false);
}

static void next_8(struct job *job, struct group *group)
{
	chunk(job, group, CHUNK, true, false);
}

/* By blocks in the chunk less one: no branch on a length inside. */
static void (*const only[CHUNK])(struct job *job, struct group *group) = {
	only_1, only_2, only_3, only_4, only_5, only_6, only_7, only_8};
static void (*const last[CHUNK])(struct job *job, struct group *group) = {
	last_1, last_2, last_3, last_4, last_5, last_6, last_7, last_8};

/* ROC of each leg where it belongs in the IV: bytes 8 to 11. */
INLINE __m512i roc_lanes(const uint32_t roc[VAES_LANES])
{
	const __m512i spread = _mm512_set_epi32(3, 3, 3, 3, 2, 2, 2, 2, 1, 1, 1, 1, 0, 0, 0, 0);
	const __m512i place = _mm512_broadcast_i32x4(
		_mm_set_epi8(-1, -1, -1, -1, 0, 1, 2, 3, -1, -1, -1, -1, -1, -1, -1, -1));
	__m512i four = _mm512_castsi128_si512(_mm_load_si128((const __m128i *)roc));

	return _mm512_shuffle_epi8(_mm512_permutexvar_epi32(spread, four), place);
}

INLINE void cipher(struct job *job, const struct vaes_cm_unit *unit, unsigned int number,
	const struct legs *legs)
{
	uint8_t *const *out = legs->out + (size_t)VAES_LANES * number;
	unsigned int kernel = (job->blocks - 1) % CHUNK;
	struct group group;

	for (unsigned int lane = 0; lane < VAES_LANES; lane++)
		ipsec_mb_copy_header(out[lane], job->header, job->header_size);
	if (job->blocks == 0)
		return;
	group.keys[0] = _mm512_load_si512(&unit->key[number]);
	group.start = _mm512_ternarylogic_epi32(_mm512_load_si512(&unit->salt[number]), job->iv,
		roc_lanes(legs->roc + (size_t)VAES_LANES * number), 0x96);
	group.number = number;
	group.done = 0;
	group.out = out;
	if (job->blocks <= CHUNK) {
		only[kernel](job, &group);
		return;
	}
	first_8(job, &group);
	while (group.done + CHUNK < job->blocks)
		next_8(job, &group);
	last[kernel](job, &group);
}

static uint32_t read_word(const uint8_t *from)
{
	uint32_t word;

	memcpy(&word, from, sizeof(word));
	return __builtin_bswap32(word);
}

/* Four registers of four legs each to four words of sixteen. */
INLINE void transpose(const struct text *text, struct sha1_word word[4])
{
	__m512i low = _mm512_unpacklo_epi32(text->group[0], text->group[1]);
	__m512i high = _mm512_unpackhi_epi32(text->group[0], text->group[1]);
	__m512i more_low = _mm512_unpacklo_epi32(text->group[2], text->group[3]);
	__m512i more_high = _mm512_unpackhi_epi32(text->group[2], text->group[3]);

	_mm512_store_si512(&word[0], _mm512_unpacklo_epi64(low, more_low));
	_mm512_store_si512(&word[1], _mm512_unpackhi_epi64(low, more_low));
	_mm512_store_si512(&word[2], _mm512_unpacklo_epi64(high, more_high));
	_mm512_store_si512(&word[3], _mm512_unpackhi_epi64(high, more_high));
}

INLINE __m512i shifted(__m512i before, __m512i word, unsigned int bits)
{
	return _mm512_or_si512(_mm512_srl_epi32(word, _mm_cvtsi32_si128((int)bits)),
		_mm512_sll_epi32(before, _mm_cvtsi32_si128((int)(32 - bits))));
}

/* The payload begins within a word, behind the last bytes of the header. */
static void shift(struct job *job)
{
	struct sha1_word *word = job->message + job->base;
	__m512i before = same(read_word(job->header + job->header_size - 4));

	for (unsigned int i = 0; i <= 4 * job->blocks; i++) {
		__m512i own =
			i < 4 * job->blocks ? _mm512_load_si512(&word[i]) : _mm512_setzero_si512();

		_mm512_store_si512(&word[i], shifted(before, own, job->shift));
		before = own;
	}
}

/* RFC 3711 section 4.2: ROC behind the packet; then what FIPS 180-4 section 5.1.1 pads with. */
INLINE void finish(struct job *job, const struct legs *legs)
{
	const __m512i order =
		_mm512_set_epi32(15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0);
	unsigned int end = job->header_size + job->payload_size, bits = end % 4 * 8;
	struct sha1_word *word = job->message + end / 4;
	__m512i roc = _mm512_permutexvar_epi32(order, _mm512_load_si512(legs->roc));
	__m512i before = bits ? _mm512_load_si512(word) : _mm512_setzero_si512();

	/* Shifts by 32 bits give zero. */
	_mm512_store_si512(&word[0],
		_mm512_or_si512(before, _mm512_srl_epi32(roc, _mm_cvtsi32_si128((int)bits))));
	_mm512_store_si512(&word[1], shifted(roc, same(0x80000000), bits));
	_mm512_store_si512(
		&job->message[(size_t)job->hashed * SHA1_BLOCK_WORDS - 1], same(job->length));
}

/* Back to the order of legs, and 80 bits of it. */
INLINE void store_tags(
	const struct job *job, const struct sha1_state *digest, const struct legs *legs)
{
	const __mmask16 tag = (1u << TAG_SIZE) - 1;
	size_t at = (size_t)job->header_size + job->payload_size;
	__m512i a = swapped(_mm512_load_si512(&digest->word[0]));
	__m512i b = swapped(_mm512_load_si512(&digest->word[1]));
	__m512i c = swapped(_mm512_load_si512(&digest->word[2]));
	__m512i low = _mm512_unpacklo_epi32(a, b), more_low = _mm512_unpacklo_epi32(c, c);
	__m512i high = _mm512_unpackhi_epi32(a, b), more_high = _mm512_unpackhi_epi32(c, c);

	store_tail(legs->out, at, tag, _mm512_unpacklo_epi64(low, more_low));
	store_tail(legs->out + 4, at, tag, _mm512_unpackhi_epi64(low, more_low));
	store_tail(legs->out + 8, at, tag, _mm512_unpacklo_epi64(high, more_high));
	store_tail(legs->out + 12, at, tag, _mm512_unpackhi_epi64(high, more_high));
}

/* Sixteen legs. A group of four beside the run is not ciphered; its hash is nobody's. */
struct unit {
	const struct vaes_cm_unit *keys;
	struct legs legs;
	unsigned int first, end; /* of the groups within */
};

/*
 * All of sixteen before the next: ciphering those between the blocks of SHA-1 of these was 40.9 ns
 * a copy against 41.7 at 1,000 keys, and nothing at a million.
 */
INLINE void authenticate(struct job *job, const struct unit *unit)
{
	unsigned int own = job->hashed - job->shared;
	struct sha1_state state = unit->keys->inner;

	for (unsigned int i = 0; i < job->blocks; i++)
		transpose(&job->text[i], &job->message[job->base + 4 * i]);
	if (job->shift)
		shift(job);
	finish(job, &unit->legs);
	for (unsigned int i = 0; i < own; i++)
		vaes_sha1_block(&state, &job->message[(size_t)i * SHA1_BLOCK_WORDS]);
	if (job->shared)
		vaes_sha1_shared(&state, job->schedule);
	vaes_sha1_outer(&state, &unit->keys->outer);
	store_tags(job, &state, &unit->legs);
}

/* RFC 3711 section 4.1.1, without salt and ROC. */
static __m512i iv_of(const struct plaintext *p)
{
	uint8_t iv[16] = {0, 0, 0, 0, (uint8_t)(p->ssrc >> 24), (uint8_t)(p->ssrc >> 16),
		(uint8_t)(p->ssrc >> 8), (uint8_t)p->ssrc, 0, 0, 0, 0, (uint8_t)(p->sequence >> 8),
		(uint8_t)p->sequence};

	return _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)iv));
}

/* Everything of the messages that is the same for all legs. */
static void lay_out(struct job *job)
{
	unsigned int size = job->header_size + job->payload_size + (unsigned int)sizeof(uint32_t);

	job->base = job->header_size / 4;
	job->shift = job->header_size % 4 * 8;
	job->hashed = (size + 9 + 63) / 64;
	job->shared = size <= 64 * (job->hashed - 1);
	job->length = 8 * (64 + size); /* behind the padded key */
	for (unsigned int i = 0; i < job->base; i++)
		_mm512_store_si512(&job->message[i], same(read_word(job->header + 4 * i)));
	for (unsigned int i = job->base; i < job->hashed * SHA1_BLOCK_WORDS; i++)
		_mm512_store_si512(&job->message[i], _mm512_setzero_si512());
	if (job->shared) {
		uint32_t block[SHA1_BLOCK_WORDS] = {0};

		block[0] = size == 64 * (job->hashed - 1) ? 0x80000000 : 0;
		block[SHA1_BLOCK_WORDS - 1] = job->length;
		vaes_sha1_expand(block, job->schedule);
	}
}

static void prepare(struct job *job, const struct plaintext *p)
{
	unsigned int blocks = (p->payload_size + 15) / 16;
	unsigned int bytes = blocks ? p->payload_size - 16 * (blocks - 1) : 0;

	/* Admission bounds both; a longer one would end this process, not its stack. */
	assert(p->header_size >= 12 && p->header_size <= HEADER_MAX);
	assert(p->payload_size <= PAYLOAD_MAX);
	job->iv = iv_of(p);
	job->tail_mask = (__mmask16)((1u << bytes) - 1);
	job->tail = _mm512_broadcast_i32x4(_mm_maskz_set1_epi8(job->tail_mask, -1));
	job->header_size = p->header_size;
	job->payload_size = p->payload_size;
	job->blocks = blocks;
	job->header = p->header;
	memcpy(job->payload, p->payload, p->payload_size);
	memset(job->payload + p->payload_size, 0, 16 * (size_t)blocks - p->payload_size);
	lay_out(job);
}

/* What a run is called with. */
struct run {
	const struct vaes_cm_unit *units;
	unsigned int first, end;
	const uint32_t *roc;
	uint8_t *const *out;
	uint8_t waste[HEADER_MAX + PAYLOAD_MAX + TAG_SIZE];
};

/* The sixteen from lane `at` on; the keys of the next are asked for. */
INLINE void unit_open(struct unit *unit, struct run *run, unsigned int at)
{
	const struct vaes_cm_unit *keys = &run->units[at / SHA1_LANES];

	unit->keys = keys;
	unit->first = at < run->first ? (run->first - at) / VAES_LANES : 0;
	unit->end = (run->end - at + VAES_LANES - 1) / VAES_LANES;
	if (unit->end > VAES_CM_GROUPS)
		unit->end = VAES_CM_GROUPS;
	for (size_t line = 0; line < sizeof(*keys); line += 64)
		__builtin_prefetch((const uint8_t *)(keys + 1) + line);
	for (unsigned int i = 0; i < SHA1_LANES; i++) {
		bool wanted = at + i >= run->first && at + i < run->end;

		unit->legs.roc[i] = wanted ? run->roc[at + i - run->first] : 0;
		unit->legs.out[i] = wanted ? run->out[at + i - run->first] : run->waste;
	}
}

/* Lanes beside the run are computed, too, and thrown away. */
void vaes_cm_run(const void *block, unsigned int first, unsigned int count,
	const struct plaintext *p, const uint32_t roc[], uint8_t *const out[])
{
	struct run run;
	struct unit unit;
	struct job job;

	run.units = block;
	run.first = first;
	run.end = first + count;
	run.roc = roc;
	run.out = out;
	prepare(&job, p);
	for (unsigned int at = first & ~(SHA1_LANES - 1u); at < run.end; at += SHA1_LANES) {
		unit_open(&unit, &run, at);
		for (unsigned int number = unit.first; number < unit.end; number++)
			cipher(&job, unit.keys, number, &unit.legs);
		authenticate(&job, &unit);
	}
}
