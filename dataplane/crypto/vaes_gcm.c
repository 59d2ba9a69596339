// SPDX-License-Identifier: BSD-3-Clause
/*
 * AES-GCM (NIST SP 800-38D) with the IV of RFC 7714 section 8.1, four keys in a register: payloads
 * of up to VAES_SHORT_BLOCKS blocks, and the way to those of more.
 *
 * A pipeline of two groups: while one is encrypted, the one before it is stored and hashed, an
 * element of the hash between two rounds. Round keys are made on the way, two rounds ahead, the
 * first of the next group before this one ends.
 */
#include <assert.h>
#include <string.h>

#include "dataplane/crypto/vaes_hash.h"

/* Groups whose keys are asked for before they are needed. */
#define FETCH_AHEAD 8
/* Rounds by which the key schedule is ahead: what is in its way on both ports delays it. */
#define LEAD 2
#define ROUNDS_MAX 14
#define ZERO ((char)0x80) /* of a shuffle */

/* The beginning of a group, made while the one before it is under way. */
struct front {
	const __m512i *keys;
	__m512i start, round_key[LEAD + 1];
	struct schedule schedule;
};

/* An encrypted group that is neither stored nor hashed. The last block is of the tag. */
struct pending {
	__m512i block[VAES_SHORT_BLOCKS + 1];
	const __m512i *hash_keys;
	uint8_t *out[VAES_LANES];
};

INLINE void front_init(struct front *front, const struct vaes_job *job, unsigned int rounds,
	const struct vaes_lanes *keys, const uint32_t *roc)
{
	front->keys = (const __m512i *)keys;
	front->start = lanes_start(job, front->keys, roc);
	schedule_init(&front->schedule, front->keys, rounds);
	front->round_key[0] = front->keys[0];
	UNROLL
	for (unsigned int i = 1; i <= LEAD; i++)
		front->round_key[i] =
			schedule_key(&front->schedule, rounds, i, front->round_key[i - 1]);
}

/*
 * The hash of a group with `count` blocks of payload has count + 3 elements: the last two blocks of
 * the header (or a zero and the only one), the payload, the lengths. Each odd one from the end, not
 * counting those of the header, is the first of two.
 */
struct progress {
	struct hash hash;
	__m512i block; /* of a first or single element, with the hash so far in it */
	uint8_t *out[VAES_LANES];
};

INLINE __m512i element(const struct vaes_job *job, const struct pending *pending,
	struct progress *progress, unsigned int count, unsigned int i)
{
	if (i == count + 2)
		return table(&job->lengths);
	store_lanes(progress->out, 16 * (i - 2), pending->block[i - 2]);
	return _mm512_shuffle_epi8(
		pending->block[i - 2], table(i == count + 1 ? &job->tail : &vaes_tables.reverse));
}

INLINE void progress_init(
	struct progress *progress, const struct vaes_job *job, const struct pending *pending)
{
	hash_init(&progress->hash, pending->hash_keys);
	for (unsigned int lane = 0; lane < VAES_LANES; lane++)
		progress->out[lane] = pending->out[lane];
	progress->block = table(&job->pair[0]);
}

INLINE void progress_step(struct progress *progress, const struct vaes_job *job,
	const struct pending *pending, unsigned int count, unsigned int i)
{
	const __m512i zero = _mm512_setzero_si512();
	__m512i next;

	if (i == 0) {
		next = element(job, pending, progress, count, 2);
		hash_first(&progress->hash, progress->block, next);
	} else if (i == 1) {
		progress->block = hash_second(&progress->hash, table(&job->pair[1]));
	} else if ((count + 2 - i) % 2 == 1) {
		next = i + 2 < count + 3 ? element(job, pending, progress, count, i + 2) : zero;
		hash_first(&progress->hash, progress->block, next);
	} else if (i == 2) {
		next = i + 1 < count + 3 ? element(job, pending, progress, count, i + 1) : zero;
		progress->block = hash_single(&progress->hash, progress->block, next);
	} else {
		progress->block =
			hash_second(&progress->hash, element(job, pending, progress, count, i));
	}
}

INLINE void progress_end(struct progress *progress, const struct vaes_job *job,
	const struct pending *pending, unsigned int count)
{
	store_lanes(progress->out, job->payload_size,
		_mm512_xor_si512(pending->block[count], reversed(progress->block)));
}

/* What a stage is made for. */
struct shape {
	unsigned int rounds;
	unsigned int count; /* blocks of payload */
	bool first;         /* nothing is pending */
};

/*
 * Encrypts the group of `front` and makes the front of group `next`. `pending` is stored and hashed
 * meanwhile, and then is the group just encrypted.
 */
INLINE void stage(const struct vaes_job *job, const struct vaes_run *run, unsigned int next,
	struct shape shape, struct front *front, struct pending *pending)
{
	const unsigned int lines = shape.rounds == 10 ? VAES_LINES_128 : VAES_LINES_256;
	const unsigned int rounds = shape.rounds, count = shape.count;
	__m512i block[VAES_SHORT_BLOCKS + 1], key[ROUNDS_MAX + 1];
	struct schedule schedule = front->schedule;
	unsigned int elements = count + 3; /* no more than two a round */
	struct progress progress;
	const __m512i *hash_keys = front->keys + (rounds == 10 ? 2 : 3);

	if (!shape.first)
		progress_init(&progress, job, pending);
	UNROLL
	for (unsigned int i = 1; i <= LEAD; i++)
		key[i] = front->round_key[i];
	UNROLL
	for (unsigned int i = 0; i <= count; i++)
		block[i] = _mm512_xor_si512(
			front->start, table(&vaes_tables.counter[i == count ? 0 : i + 1]));
	UNROLL
	for (unsigned int round = 1; round < rounds; round++) {
		if (round + LEAD <= rounds)
			key[round + LEAD] = schedule_key(
				&schedule, rounds, round + LEAD, key[round + LEAD - 1]);
		UNROLL
		for (unsigned int i = 0; i <= count; i++)
			aes_round(&block[i], key[round]);
		if (!shape.first) {
			unsigned int from = elements * (round - 1) / (rounds - 1);
			unsigned int to = elements * round / (rounds - 1);

			if (from < to)
				progress_step(&progress, job, pending, count, from);
			if (from + 1 < to)
				progress_step(&progress, job, pending, count, from + 1);
		}
		if (round == rounds - LEAD)
			front_init(front, job, rounds, run->keys + (size_t)lines * next,
				run->roc + VAES_LANES * next);
	}
	if (!shape.first)
		progress_end(&progress, job, pending, count);
	UNROLL
	for (unsigned int i = 0; i < count; i++)
		pending->block[i] =
			aes_last(block[i], _mm512_xor_si512(key[rounds], table(&job->payload[i])));
	pending->block[count] = aes_last(block[count], key[rounds]);
	pending->hash_keys = hash_keys;
}

INLINE void pending_begin(
	struct pending *pending, const struct vaes_job *job, uint8_t *const out[VAES_LANES])
{
	const __m128i *header = (const __m128i *)job->header;
	__m128i first = _mm_load_si128(header), second = _mm_load_si128(header + 1);
	uint8_t *to[VAES_LANES] = {out[0], out[1], out[2], out[3]};

	/* In whole blocks: what is written behind the header, payload and tag overwrite. */
	for (unsigned int lane = 0; !job->header_written && lane < VAES_LANES; lane++) {
		_mm_storeu_si128((__m128i_u *)to[lane], first);
		if (job->header_blocks > 1)
			_mm_storeu_si128((__m128i_u *)to[lane] + 1, second);
	}
	for (unsigned int lane = 0; lane < VAES_LANES; lane++)
		pending->out[lane] = to[lane] + job->header_size;
}

INLINE void fetch(const struct vaes_lanes *keys, unsigned int lines)
{
	for (unsigned int line = 0; line < lines; line++)
		_mm_prefetch((const char *)(keys + line), _MM_HINT_T0);
}

INLINE void run(const struct vaes_job *job, const struct vaes_run *run, struct shape shape)
{
	const unsigned int lines = shape.rounds == 10 ? VAES_LINES_128 : VAES_LINES_256;
	struct pending memory, *pending = &memory;
	struct progress progress;
	struct front front;

	/* Compilers would keep what is pending in registers, which are all taken, and spill it. */
	__asm__("" : "+r"(pending));
	front_init(&front, job, shape.rounds, run->keys, run->roc);
	/* Behind the last group comes the last one once more, and is left. */
	shape.first = true;
	stage(job, run, run->count > 1, shape, &front, pending);
	pending_begin(pending, job, run->out);
	shape.first = false;
	for (unsigned int i = 1; i < run->count; i++) {
		fetch(run->keys + (size_t)lines * (i + FETCH_AHEAD), lines);
		stage(job, run, i + 1 < run->count ? i + 1 : i, shape, &front, pending);
		pending_begin(pending, job, run->out + 4 * i);
	}
	progress_init(&progress, job, pending);
	UNROLL
	for (unsigned int i = 0; i < shape.count + 3; i++)
		progress_step(&progress, job, pending, shape.count, i);
	progress_end(&progress, job, pending, shape.count);
}

#define KERNEL(rounds_, count_) \
	static void run_##rounds_##_##count_(const struct vaes_job *job, const struct vaes_run *r) \
	{ \
		run(job, r, (struct shape){.rounds = rounds_, .count = count_}); \
	}
#define KERNELS(rounds_) \
	KERNEL(rounds_, 0) \
	KERNEL(rounds_, 1) \
	KERNEL(rounds_, 2) \
	KERNEL(rounds_, 3) \
	KERNEL(rounds_, 4) \
	KERNEL(rounds_, 5) \
	KERNEL(rounds_, 6) \
	KERNEL(rounds_, 7)
KERNELS(10)
KERNELS(14)

/* By key size and blocks of payload: no branch on a length inside a run. */
static void (*const kernels[2][VAES_SHORT_BLOCKS + 1])(
	const struct vaes_job *job, const struct vaes_run *run) = {
	{run_10_0, run_10_1, run_10_2, run_10_3, run_10_4, run_10_5, run_10_6, run_10_7},
	{run_14_0, run_14_1, run_14_2, run_14_3, run_14_4, run_14_5, run_14_6, run_14_7}};

static void put(struct vaes_lanes *to, __m128i block)
{
	_mm512_store_si512(to, _mm512_broadcast_i32x4(block));
}

/* A block of `size` bytes, 1 to 16, zeroes behind. */
static __m128i some_of(const uint8_t *from, unsigned int size)
{
	return _mm_maskz_loadu_epi8((__mmask16)((1u << size) - 1), from);
}

static void header_prepare(struct vaes_job *job, const struct plaintext *p)
{
	const __m128i reverse = _mm_load_si128((const __m128i *)&vaes_tables.reverse);
	unsigned int blocks = (p->header_size + 15) / 16;

	job->header_size = p->header_size;
	job->header_written = p->header_written;
	job->header_blocks = blocks;
	_mm_store_si128((__m128i *)job->hashed, _mm_setzero_si128());
	for (unsigned int i = 0; i < blocks; i++) {
		unsigned int left = p->header_size - 16 * i;
		__m128i block = some_of(p->header + 16 * i, left < 16 ? left : 16);

		_mm_store_si128((__m128i *)job->header + i, block);
		_mm_store_si128((__m128i *)job->hashed + 1 + i, _mm_shuffle_epi8(block, reverse));
	}
}

static void short_prepare(struct vaes_job *job, const struct plaintext *p)
{
	unsigned int blocks = job->payload_blocks, left = p->payload_size;
	/* A header of one block has a block of zeroes before it. */
	const __m128i *pair = (const __m128i *)job->hashed + (job->header_blocks > 1);

	for (unsigned int i = 0; i < blocks; i++, left -= 16)
		put(&job->payload[i], some_of(p->payload + 16 * i, left < 16 ? left : 16));
	put(&job->pair[0], pair[0]);
	put(&job->pair[1], pair[1]);
}

static void job_prepare(struct vaes_job *job, const struct plaintext *p)
{
	const __m128i reverse = _mm_load_si128((const __m128i *)&vaes_tables.reverse);
	uint8_t iv[16] __attribute__((aligned(16))) = {0, 0, (uint8_t)(p->ssrc >> 24),
		(uint8_t)(p->ssrc >> 16), (uint8_t)(p->ssrc >> 8), (uint8_t)p->ssrc, 0, 0, 0, 0,
		(uint8_t)(p->sequence >> 8), (uint8_t)p->sequence};
	unsigned int missing;

	put(&job->iv, _mm_load_si128((const __m128i *)iv));
	put(&job->lengths,
		_mm_set_epi64x((long long)p->header_size * 8, (long long)p->payload_size * 8));
	job->payload_size = p->payload_size;
	job->payload_blocks = (p->payload_size + 15) / 16;
	missing = 16 * job->payload_blocks - p->payload_size;
	/* Of the last block the bytes behind the payload are keystream: not hashed. */
	put(&job->tail,
		_mm_or_si128(reverse, _mm_maskz_set1_epi8((__mmask16)((1u << missing) - 1), ZERO)));
	header_prepare(job, p);
}

/* The lanes beside a run are computed, too, and thrown away. */
struct edges {
	uint32_t roc[ENGINE_BLOCK_LEGS];
	uint8_t *out[ENGINE_BLOCK_LEGS];
	uint8_t waste[VAES_HEADER_MAX + VAES_PAYLOAD_MAX + VAES_TAG_SIZE];
};

static void edges_fill(
	struct edges *edges, struct vaes_run *run, unsigned int before, unsigned int count)
{
	for (unsigned int i = 0; i < VAES_LANES * run->count; i++) {
		bool wanted = i >= before && i < before + count;

		edges->roc[i] = wanted ? run->roc[i - before] : 0;
		edges->out[i] = wanted ? run->out[i - before] : edges->waste;
	}
	run->roc = edges->roc;
	run->out = edges->out;
}

void vaes_gcm_run(enum suite suite, const struct vaes_lanes *groups, unsigned int first,
	unsigned int count, const struct plaintext *p, const uint32_t roc[], uint8_t *const out[])
{
	unsigned int before = first % VAES_LANES;
	struct vaes_run run = {
		.keys = groups + (size_t)first / VAES_LANES * vaes_lines(suite),
		.count = (before + count + VAES_LANES - 1) / VAES_LANES,
		.roc = roc,
		.out = out,
	};
	uint8_t blocks[VAES_PAYLOAD_MAX] __attribute__((aligned(64)));
	struct edges edges;
	struct vaes_job job;

	/* Admission bounds both; a longer one would end this process, not its stack. */
	assert(p->header_size <= VAES_HEADER_MAX && p->payload_size <= VAES_PAYLOAD_MAX);
	if (count == 0)
		return;
	if (count % VAES_LANES != 0 || before != 0)
		edges_fill(&edges, &run, before, count);
	job_prepare(&job, p);
	if (job.payload_blocks <= VAES_SHORT_BLOCKS && job.header_blocks <= VAES_SHORT_HEADER) {
		short_prepare(&job, p);
		kernels[suite == SUITE_AEAD_AES_256_GCM][job.payload_blocks](&job, &run);
		return;
	}
	memcpy(blocks, p->payload, p->payload_size);
	memset(blocks + p->payload_size, 0, 16 * (size_t)job.payload_blocks - p->payload_size);
	job.blocks = blocks;
	vaes_long_run(suite, &job, &run);
}
