// SPDX-License-Identifier: BSD-3-Clause
/*
 * AES-GCM of packets that are not short (vaes_gcm.c), four keys in a register: a unit of
 * eight blocks is encrypted while the unit before it is hashed. Groups follow each other.
 */
#include "dataplane/crypto/vaes_hash.h"

#define UNIT 8
#define ROUNDS_MAX 14
#define FETCH_AHEAD 2 /* groups */
#define BLOCKS_MAX (VAES_PAYLOAD_MAX / 16)

/*
 * element: the last block of the header, then the payload's, as they are sent: what is hashed, but
 * for what comes before and the lengths.
 */
struct group {
	__m512i element[1 + BLOCKS_MAX];
	__m512i key[ROUNDS_MAX + 1];
	__m512i start, tag;
	__m512i value; /* the hash so far */
	struct hash hash;
	uint8_t *out[VAES_LANES];
};

/* All but the last block, in pairs, a block of zeroes before them when they are odd. */
INLINE void header_hash(struct group *group, const struct vaes_job *job)
{
	unsigned int last = job->header_blocks - 1;

	group->value = _mm512_setzero_si512();
	for (unsigned int i = 1 - last % 2; i <= last; i += 2) {
		hash_first(&group->hash,
			_mm512_xor_si512(group->value, broadcast(job->hashed + 16 * i)),
			_mm512_setzero_si512());
		group->value = hash_second(&group->hash, broadcast(job->hashed + 16 * i + 16));
	}
	group->element[0] = broadcast(job->header + 16 * (size_t)last);
}

INLINE void group_init(struct group *group, const struct vaes_job *job, unsigned int rounds,
	const struct vaes_lanes *keys, const uint32_t *roc, uint8_t *const *out)
{
	const __m512i *lines = (const __m512i *)keys;
	struct schedule schedule;

	schedule_init(&schedule, lines, rounds);
	group->start = lanes_start(job, lines, roc);
	group->key[0] = lines[0];
	UNROLL
	for (unsigned int round = 1; round <= rounds; round++)
		group->key[round] = schedule_key(&schedule, rounds, round, group->key[round - 1]);
	hash_init(&group->hash, lines + (rounds == 10 ? 2 : 3));
	header_hash(group, job);
	store_header(job, out);
	for (unsigned int lane = 0; lane < VAES_LANES; lane++)
		group->out[lane] = out[lane] + job->header_size;
}

/* The counter is the last byte of the IV: a packet has less than 256 blocks. */
INLINE __m512i counter(unsigned int value)
{
	return _mm512_maskz_set1_epi32(0x8888, (int)(value << 24));
}

/* Two elements of the eight that are hashed while a unit is encrypted. */
INLINE void hash_two(struct group *group, const __m512i *element)
{
	hash_first(&group->hash, _mm512_xor_si512(group->value, reversed(element[0])),
		_mm512_setzero_si512());
	group->value = hash_second(&group->hash, reversed(element[1]));
}

/* Block 0 of unit 0 is the tag's, then come the payload's. */
INLINE void unit_encrypt(
	struct group *group, const struct vaes_job *job, unsigned int rounds, unsigned int unit)
{
	__m512i block[UNIT], *element = &group->element[UNIT * unit];

	UNROLL
	for (unsigned int i = 0; i < UNIT; i++)
		block[i] = _mm512_xor_si512(group->start, counter(UNIT * unit + i + 1));
	UNROLL
	for (unsigned int round = 1; round < rounds; round++) {
		UNROLL
		for (unsigned int i = 0; i < UNIT; i++)
			aes_round(&block[i], group->key[round]);
		if (unit != 0 && round % 2 == 0 && round <= UNIT)
			hash_two(group, element - UNIT + round - 2);
	}
	UNROLL
	for (unsigned int i = 0; i < UNIT; i++) {
		unsigned int at = UNIT * unit + i - 1;

		block[i] = aes_last(block[i], group->key[rounds]);
		if (unit == 0 && i == 0) {
			group->tag = block[i];
			continue;
		}
		if (at >= job->payload_blocks)
			break;
		block[i] = _mm512_xor_si512(block[i], broadcast(job->blocks + 16 * (size_t)at));
		store_lanes(group->out, 16 * (size_t)at, block[i]);
		element[i] = block[i];
	}
}

/* The 1 to 8 elements that are left, the lengths, the tag. */
INLINE void group_end(struct group *group, const struct vaes_job *job, unsigned int hashed)
{
	unsigned int left = job->payload_blocks + 1 - hashed;
	const __m512i *element = &group->element[hashed];
	const __m512i zero = _mm512_setzero_si512();

	if (left % 2 == 0) {
		group->value = hash_single(
			&group->hash, _mm512_xor_si512(group->value, reversed(*element)), zero);
		element++;
		left--;
	}
	for (; left > 1; left -= 2, element += 2)
		hash_two(group, element);
	hash_first(&group->hash,
		_mm512_xor_si512(group->value, _mm512_shuffle_epi8(*element, table(&job->tail))),
		zero);
	group->value = hash_second(&group->hash, table(&job->lengths));
	store_lanes(group->out, job->payload_size,
		_mm512_xor_si512(group->tag, reversed(group->value)));
}

INLINE void run(const struct vaes_job *job, const struct vaes_run *run, unsigned int rounds)
{
	const unsigned int lines = rounds == 10 ? VAES_LINES_128 : VAES_LINES_256;
	unsigned int units = (job->payload_blocks + 1 + UNIT - 1) / UNIT;
	struct group group;

	for (unsigned int i = 0; i < run->count; i++) {
		const struct vaes_lanes *keys = run->keys + (size_t)lines * i;

		for (unsigned int line = 0; line < lines; line++)
			_mm_prefetch(
				(const char *)(keys + FETCH_AHEAD * lines + line), _MM_HINT_T0);
		group_init(&group, job, rounds, keys, run->roc + 4 * i, run->out + 4 * i);
		unit_encrypt(&group, job, rounds, 0);
		for (unsigned int unit = 1; unit < units; unit++)
			unit_encrypt(&group, job, rounds, unit);
		group_end(&group, job, UNIT * (units - 1));
	}
}

static void run_10(const struct vaes_job *job, const struct vaes_run *r)
{
	run(job, r, 10);
}

static void run_14(const struct vaes_job *job, const struct vaes_run *r)
{
	run(job, r, 14);
}

void vaes_long_run(enum suite suite, const struct vaes_job *job, const struct vaes_run *r)
{
	if (suite == SUITE_AEAD_AES_256_GCM)
		run_14(job, r);
	else
		run_10(job, r);
}
