// SPDX-License-Identifier: BSD-3-Clause
/*
 * The engines against each other: what vaes and ipsec_mb put out is, byte for byte, what libsrtp2
 * puts out, and each reads what the other wrote. STENTOR_SEED repeats a run.
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/crypto/engine.h"
#include "dataplane/crypto/ipsec_mb.h"
#include "tests/support/random.h"
#include "tests/support/unit.h"

#define PAYLOAD_MAX 1400
#define HEADER_MAX 256
#define PACKET_MAX (HEADER_MAX + PAYLOAD_MAX + ENGINE_SRTCP_TRAILER_MAX)
/* The libraries are not instrumented: bytes behind each packet show a write too far. */
#define GUARD 64
#define GUARD_BYTE 0xee

static const enum suite suites[] = {
	SUITE_AEAD_AES_128_GCM, SUITE_AEAD_AES_256_GCM, SUITE_AES128_CM_HMAC_SHA1_80};

static const unsigned int header_sizes[] = {12, 16, 20, 24, 36}; /* of single packets */

/* Single packets are what ipsec_mb computes for vaes, too. */
static const struct engine *const engines[] = {&engine_ipsec_mb, &engine_libsrtp, &engine_vaes};

/* A CPU without AVX-512 has no vaes: nothing to compare. */
static bool runs_here(const struct engine *engine)
{
	if (engine->available())
		return true;
	ck_assert_str_eq(engine->name, "vaes");
	return false;
}

static struct random_state random_state;

static uint32_t below(uint32_t limit)
{
	return random_below(&random_state, limit);
}

static struct master_key random_key(enum suite suite)
{
	struct master_key key = {.suite = suite};

	random_fill(&random_state, key.key, suite_facts(suite)->key_size);
	random_fill(&random_state, key.salt, suite_facts(suite)->salt_size);
	return key;
}

/* A header libsrtp can parse: CSRCs or an extension make up its size. */
static void header_make(uint8_t *header, unsigned int size, uint32_t ssrc, uint16_t sequence)
{
	random_fill(&random_state, header, size);
	header[0] = 0x80;
	if (size > 72 || (size >= 20 && below(2))) {
		header[0] |= 0x10;
		header[14] = 0;
		header[15] = (uint8_t)((size - 16) / 4);
	} else {
		header[0] |= (uint8_t)((size - 12) / 4);
	}
	header[2] = (uint8_t)(sequence >> 8);
	header[3] = (uint8_t)sequence;
	for (unsigned int i = 0; i < 4; i++)
		header[8 + i] = (uint8_t)(ssrc >> (24 - 8 * i));
}

struct bench {
	const struct engine *engine;
	struct engine_core *core;
	void *block;
	uint8_t *base[ENGINE_BLOCK_LEGS];
	uint8_t *out[ENGINE_BLOCK_LEGS];
};

static void *block_open(const struct engine *engine, enum suite suite)
{
	size_t size = engine->block_size(suite);
	void *block = aligned_alloc(64, (size + 63) & ~(size_t)63);

	ck_assert_ptr_nonnull(block);
	return memset(block, 0, size);
}

static void bench_open(struct bench *bench, const struct engine *engine, enum suite suite)
{
	memset(bench, 0, sizeof(*bench));
	bench->engine = engine;
	ck_assert(engine->available());
	bench->core = engine->open();
	ck_assert_ptr_nonnull(bench->core);
	bench->block = block_open(engine, suite);
}

static bool is_zero(const void *memory, size_t size)
{
	const uint8_t *bytes = memory;

	for (size_t i = 0; i < size; i++) {
		if (bytes[i])
			return false;
	}
	return true;
}

static void bench_close(struct bench *bench, enum suite suite)
{
	for (unsigned int lane = 0; lane < ENGINE_BLOCK_LEGS; lane++)
		bench->engine->key_clear(suite, bench->block, lane);
	ck_assert(is_zero(bench->block, bench->engine->block_size(suite)));
	bench->engine->close(bench->core);
	free(bench->block);
}

static void bench_run(struct bench *bench, enum suite suite, unsigned int first, unsigned int count,
	const struct plaintext *p, const uint32_t roc[])
{
	unsigned int size = p->header_size + p->payload_size + suite_facts(suite)->tag_size;
	struct plaintext text = *p;
	uint8_t guard[GUARD];

	text.header_written = below(2) != 0;
	for (unsigned int i = 0; i < count; i++) {
		unsigned int offset = below(16);

		bench->base[i] = malloc(offset + size + GUARD);
		memset(bench->base[i], GUARD_BYTE, offset + size + GUARD);
		bench->out[i] = bench->base[i] + offset;
		if (text.header_written)
			memcpy(bench->out[i], p->header, p->header_size);
	}
	bench->engine->protect_run(
		bench->core, suite, bench->block, first, count, &text, roc, bench->out);
	memset(guard, GUARD_BYTE, sizeof(guard));
	for (unsigned int i = 0; i < count; i++)
		ck_assert_mem_eq(bench->out[i] + size, guard, sizeof(guard));
}

static void both_set_keys(struct bench *a, struct bench *b, enum suite suite)
{
	for (unsigned int lane = 0; lane < ENGINE_BLOCK_LEGS; lane++) {
		struct master_key key = random_key(suite);

		ck_assert_int_eq(a->engine->key_set(a->core, a->block, lane, &key), 0);
		ck_assert_int_eq(b->engine->key_set(b->core, b->block, lane, &key), 0);
	}
}

/* One random run of payload_size bytes through both. */
static void both_run(struct bench *a, struct bench *b, enum suite suite, unsigned int payload_size,
	uint64_t index, const uint32_t origin[])
{
	uint8_t header[HEADER_MAX], *payload = malloc(payload_size + 1);
	/* libsrtp parses headers. */
	unsigned int step = b->engine == &engine_libsrtp ? 4 : 1;
	struct plaintext p = {.header = header,
		.header_size = 12 + step * below((HEADER_MAX - 12) / step + 1),
		.payload = payload + 1,
		.payload_size = payload_size,
		.ssrc = 0xcafe0000 + below(2),
		.sequence = (uint16_t)index};
	unsigned int count = 1 + below(ENGINE_BLOCK_LEGS);
	unsigned int first = below(ENGINE_BLOCK_LEGS - count + 1);
	uint32_t roc[ENGINE_BLOCK_LEGS];

	random_fill(&random_state, payload + 1, payload_size);
	header_make(header, p.header_size, p.ssrc, p.sequence);
	for (unsigned int i = 0; i < count; i++)
		roc[i] = origin[first + i] + (uint32_t)(index >> 16);
	bench_run(a, suite, first, count, &p, roc);
	bench_run(b, suite, first, count, &p, roc);
	for (unsigned int i = 0; i < count; i++) {
		ck_assert_mem_eq(a->out[i], b->out[i],
			p.header_size + payload_size + suite_facts(suite)->tag_size);
		free(a->base[i]);
		free(b->base[i]);
	}
	free(payload);
}

/* Each of ours with libsrtp, then, for headers of any size, vaes with ipsec_mb. */
START_TEST(runs_of_both_engines_are_equal)
{
	const struct engine *engine = _i < 3 ? &engine_ipsec_mb : &engine_vaes;
	const struct engine *reference = _i < 6 ? &engine_libsrtp : &engine_ipsec_mb;
	enum suite suite = suites[_i % 3];
	struct bench ours, theirs;
	uint64_t index;
	uint32_t origin[ENGINE_BLOCK_LEGS];

	if (!runs_here(engine))
		return;
	random_seed(&random_state);
	bench_open(&ours, engine, suite);
	bench_open(&theirs, reference, suite);
	both_set_keys(&ours, &theirs, suite);
	for (unsigned int lane = 0; lane < ENGINE_BLOCK_LEGS; lane++)
		origin[lane] = lane % 3 ? (uint32_t)random_next(&random_state) : 0;
	index = 1 + below(0x7fff);
	for (unsigned int payload_size = 0; payload_size <= PAYLOAD_MAX; payload_size++) {
		index += 1 + below(0x200);
		both_run(&ours, &theirs, suite, payload_size, index, origin);
	}
	bench_close(&ours, suite);
	bench_close(&theirs, suite);
}
END_TEST

/* One run through vaes and through ipsec_mb, whose headers need not be parsed. */
static void one_run(struct bench *a, struct bench *b, enum suite suite, unsigned int first,
	unsigned int count, const struct plaintext *p)
{
	uint32_t roc[ENGINE_BLOCK_LEGS];

	for (unsigned int i = 0; i < count; i++)
		roc[i] = (uint32_t)random_next(&random_state);
	bench_run(a, suite, first, count, p, roc);
	bench_run(b, suite, first, count, p, roc);
	for (unsigned int i = 0; i < count; i++) {
		ck_assert_mem_eq(a->out[i], b->out[i],
			p->header_size + p->payload_size + suite_facts(suite)->tag_size);
		free(a->base[i]);
		free(b->base[i]);
	}
}

/* Every run there is of a block; then every header length with a payload of every block count. */
START_TEST(every_run_and_header_is_equal)
{
	enum suite suite = suites[_i];
	uint8_t header[HEADER_MAX], payload[PAYLOAD_MAX];
	struct plaintext p = {.header = header, .payload = payload, .ssrc = 0xfeed0001};
	struct bench ours, theirs;

	if (!runs_here(&engine_vaes))
		return;
	random_seed(&random_state);
	random_fill(&random_state, header, sizeof(header));
	random_fill(&random_state, payload, sizeof(payload));
	bench_open(&ours, &engine_vaes, suite);
	bench_open(&theirs, &engine_ipsec_mb, suite);
	both_set_keys(&ours, &theirs, suite);
	for (unsigned int first = 0; first < ENGINE_BLOCK_LEGS; first++) {
		for (unsigned int count = 1; count <= ENGINE_BLOCK_LEGS - first; count++) {
			p.header_size = 20;
			p.payload_size = (first + count) % 160;
			p.sequence++;
			one_run(&ours, &theirs, suite, first, count, &p);
		}
	}
	for (p.header_size = 12; p.header_size <= HEADER_MAX; p.header_size++) {
		for (unsigned int blocks = 0; blocks <= PAYLOAD_MAX / 16; blocks++) {
			p.payload_size = 16 * blocks + below(blocks == PAYLOAD_MAX / 16 ? 9 : 16);
			p.sequence++;
			one_run(&ours, &theirs, suite, below(60), 4, &p);
		}
	}
	bench_close(&ours, suite);
	bench_close(&theirs, suite);
}
END_TEST

/* What libIPSec_MB does on lesser CPUs: its code for each set of instructions. */
static void (*const managers[])(IMB_MGR *) = {
	init_mb_mgr_sse, init_mb_mgr_avx, init_mb_mgr_avx2, init_mb_mgr_avx512};
static const uint64_t manager_features[] = {
	IMB_CPUFLAGS_SSE, IMB_CPUFLAGS_AVX, IMB_CPUFLAGS_AVX2, IMB_CPUFLAGS_AVX512};

START_TEST(every_instruction_set_is_equal)
{
	enum suite suite = suites[_i % 3];
	unsigned int set = (unsigned int)_i / 3;
	uint32_t origin[ENGINE_BLOCK_LEGS] = {0};
	struct bench ours, theirs;

	random_seed(&random_state);
	bench_open(&ours, &engine_ipsec_mb, suite);
	bench_open(&theirs, &engine_libsrtp, suite);
	if ((ours.core->manager->features & manager_features[set]) == manager_features[set]) {
		managers[set](ours.core->manager);
		ck_assert_uint_eq(ours.core->manager->used_arch, IMB_ARCH_SSE + set);
		both_set_keys(&ours, &theirs, suite);
		for (unsigned int step = 0; step < 100; step++)
			both_run(
				&ours, &theirs, suite, below(PAYLOAD_MAX + 1), 1000 + step, origin);
	}
	bench_close(&ours, suite);
	bench_close(&theirs, suite);
}
END_TEST

START_TEST(a_moved_key_is_the_same_key)
{
	const struct engine *engine = engines[_i % 3];
	enum suite suite = suites[_i / 3];
	uint8_t header[12], payload[100];
	struct plaintext p = {.header = header,
		.header_size = 12,
		.payload = payload,
		.payload_size = 100,
		.ssrc = 5,
		.sequence = 6};
	uint32_t roc[1] = {7};
	struct bench bench;
	void *other;
	uint8_t *before;

	if (!runs_here(engine))
		return;
	random_seed(&random_state);
	bench_open(&bench, engine, suite);
	other = block_open(engine, suite);
	for (unsigned int lane = 0; lane < 2; lane++) {
		struct master_key key = random_key(suite);

		ck_assert_int_eq(engine->key_set(bench.core, bench.block, lane, &key), 0);
	}
	header_make(header, 12, p.ssrc, p.sequence);
	bench_run(&bench, suite, 1, 1, &p, roc);
	before = bench.base[0];
	memmove(before, bench.out[0], 112 + suite_facts(suite)->tag_size);

	/* Within the block onto a key that is there, then to another block, then onto itself. */
	engine->key_move(suite, bench.block, 0, bench.block, 1);
	engine->key_move(suite, other, 63, bench.block, 0);
	ck_assert(is_zero(bench.block, engine->block_size(suite)));
	engine->key_move(suite, other, 63, other, 63);
	engine->key_move(suite, bench.block, 5, other, 63);
	ck_assert(is_zero(other, engine->block_size(suite)));
	bench_run(&bench, suite, 5, 1, &p, roc);
	ck_assert_mem_eq(bench.out[0], before, 112 + suite_facts(suite)->tag_size);
	free(bench.base[0]);
	free(before);
	free(other);
	bench_close(&bench, suite);
}
END_TEST

struct pair {
	const struct engine *engine[2];
	struct engine_core *core[2];
	struct engine_context *context[2];
};

static void pair_open(struct pair *pair, enum suite suite)
{
	struct master_key key = random_key(suite);

	for (unsigned int i = 0; i < 2; i++) {
		pair->engine[i] = engines[i];
		ck_assert(pair->engine[i]->available());
		pair->core[i] = pair->engine[i]->open();
		pair->context[i] = pair->engine[i]->context_open(pair->core[i], &key);
		ck_assert_ptr_nonnull(pair->context[i]);
	}
}

static void pair_close(struct pair *pair)
{
	for (unsigned int i = 0; i < 2; i++) {
		pair->engine[i]->context_close(pair->context[i]);
		pair->engine[i]->close(pair->core[i]);
	}
}

/* header_size 0: RTCP. */
struct message {
	const uint8_t *clear;
	unsigned int header_size, size;
	uint32_t ssrc;
	uint64_t index;
};

static unsigned int protect(
	struct pair *pair, unsigned int i, uint8_t *packet, const struct message *m)
{
	if (m->header_size)
		return pair->engine[i]->protect(pair->core[i], pair->context[i], packet,
			m->header_size, m->size, m->ssrc, m->index);
	return pair->engine[i]->protect_rtcp(
		pair->core[i], pair->context[i], packet, m->size, m->ssrc, (uint32_t)m->index);
}

static int unprotect(struct pair *pair, unsigned int i, uint8_t *packet, unsigned int size,
	const struct message *m)
{
	if (m->header_size)
		return pair->engine[i]->unprotect(pair->core[i], pair->context[i], packet,
			m->header_size, size, m->ssrc, m->index);
	return pair->engine[i]->unprotect_rtcp(
		pair->core[i], pair->context[i], packet, size, m->ssrc, (uint32_t)m->index);
}

/* Both write the same, each reads what the other wrote, and not with a bit changed. */
static void pair_step(struct pair *pair, enum suite suite, const struct message *m)
{
	unsigned int expected = m->size + suite_facts(suite)->tag_size + (m->header_size ? 0 : 4);
	uint8_t *packet[2], copy[PACKET_MAX];

	for (unsigned int i = 0; i < 2; i++) {
		packet[i] = malloc(expected + GUARD);
		memset(packet[i] + expected, GUARD_BYTE, GUARD);
		memcpy(packet[i], m->clear, m->size);
		ck_assert_uint_eq(protect(pair, i, packet[i], m), expected);
	}
	ck_assert_mem_eq(packet[0], packet[1], expected + GUARD);
	for (unsigned int i = 0; i < 2; i++) {
		unsigned int bit = below(8 * expected);

		memcpy(copy, packet[1 - i], expected);
		copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_int_eq(unprotect(pair, i, copy, expected, m), -EBADMSG);
		memcpy(copy, packet[1 - i], expected);
		ck_assert_int_eq(unprotect(pair, i, copy, expected, m), (int)m->size);
		ck_assert_mem_eq(copy, m->clear, m->size);
	}
	free(packet[0]);
	free(packet[1]);
}

START_TEST(contexts_of_both_engines_read_each_other)
{
	enum suite suite = suites[_i];
	uint64_t index[12] = {0};
	struct pair pair;

	random_seed(&random_state);
	pair_open(&pair, suite);
	for (unsigned int step = 0; step < 3000; step++) {
		uint8_t clear[PACKET_MAX];
		struct message m = {.clear = clear, .header_size = header_sizes[below(5)]};
		unsigned int payload_size = step <= PAYLOAD_MAX ? step : below(PAYLOAD_MAX + 1);
		unsigned int source = below(12);

		/* Ahead, back and far away: the engines have no say in the index. */
		if (below(50) == 0)
			index[source] = random_next(&random_state) >> 16;
		else if (below(4))
			index[source] += 1 + below(300);
		else
			index[source] -= index[source] > 300 ? below(300) : 0;
		m.size = m.header_size + payload_size;
		m.ssrc = source << 24 | 9;
		m.index = index[source];
		header_make(clear, m.header_size, m.ssrc, (uint16_t)m.index);
		random_fill(&random_state, clear + m.header_size, payload_size);
		pair_step(&pair, suite, &m);
	}
	pair_close(&pair);
}
END_TEST

START_TEST(rtcp_of_both_engines_is_equal)
{
	enum suite suite = suites[_i];
	uint32_t index = 0;
	struct pair pair;

	random_seed(&random_state);
	pair_open(&pair, suite);
	for (unsigned int step = 0; step < 1500; step++) {
		uint8_t clear[PACKET_MAX];
		struct message m = {.clear = clear, .ssrc = 0x4d617273};

		m.size = 8 + 4 * (step <= 340 ? step : below(340));
		index += 1 + below(step % 100 == 0 ? 5000 : 3);
		m.index = index;
		header_make(clear, m.size, 0, 0);
		clear[0] = 0x81;
		clear[1] = 200;
		memcpy(clear + 4, "Mars", 4);
		pair_step(&pair, suite, &m);
	}
	pair_close(&pair);
}
END_TEST

/* RFC 3711 section 3.4: with the E bit off the packet would be in the clear. TRAPS 10. */
START_TEST(rtcp_in_the_clear_is_refused)
{
	enum suite suite = suites[_i / 2];
	unsigned int which = (unsigned int)_i % 2;
	unsigned int tag_size = suite_facts(suite)->tag_size;
	uint8_t packet[64] = {0x80, 201, 0, 1, 'M', 'a', 'r', 's'};
	unsigned int trailer = suite == SUITE_AES128_CM_HMAC_SHA1_80 ? 8 : 8 + tag_size;
	struct message m = {.size = 8, .ssrc = 0x4d617273, .index = 1};
	struct pair pair;

	random_seed(&random_state);
	pair_open(&pair, suite);
	ck_assert_uint_eq(protect(&pair, which, packet, &m), 12 + tag_size);
	ck_assert_uint_eq(packet[trailer], 0x80);
	packet[trailer] = 0;
	ck_assert_int_eq(unprotect(&pair, which, packet, 12 + tag_size, &m), -EBADMSG);
	pair_close(&pair);
}
END_TEST

START_TEST(short_packets_are_refused)
{
	enum suite suite = suites[_i];
	const struct message rtp = {.header_size = 12}, rtcp = {.header_size = 0};
	struct pair pair;

	random_seed(&random_state);
	pair_open(&pair, suite);
	for (unsigned int which = 0; which < 2; which++) {
		for (unsigned int size = 12; size < 12 + suite_facts(suite)->tag_size; size++) {
			uint8_t *packet = calloc(1, size);

			packet[0] = 0x80;
			ck_assert_int_eq(unprotect(&pair, which, packet, size, &rtp), -EBADMSG);
			ck_assert_int_eq(unprotect(&pair, which, packet, size, &rtcp), -EBADMSG);
			free(packet);
		}
	}
	pair_close(&pair);
}
END_TEST

START_TEST(unknown_suites_are_refused)
{
	static const enum suite unknown[] = {SUITE_NONE, SUITE_COUNT};

	for (unsigned int at = 0; engine_at(at); at++) {
		const struct engine *engine = engine_at(at);
		struct engine_core *core = engine->available() ? engine->open() : NULL;

		ck_assert_ptr_nonnull(core);
		for (unsigned int i = 0; i < 2; i++) {
			struct master_key key = {.suite = unknown[i]};
			uint8_t block[64] = {0};

			ck_assert_uint_eq(engine->block_size(unknown[i]), 0);
			ck_assert_int_eq(engine->key_set(core, block, 0, &key), -EINVAL);
			ck_assert_ptr_null(engine->context_open(core, &key));
		}
		engine->context_close(NULL);
		engine->close(core);
		engine->close(NULL);
	}
	ck_assert_uint_eq(suite_facts(SUITE_COUNT)->tag_size, 0);
}
END_TEST

/* The linker sends the engines' own allocations here; the n-th fails, or none when 0. */
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

static unsigned int failing, failed;

static bool fails(void)
{
	if (failing == 0 || --failing > 0)
		return false;
	failed++;
	return true;
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
	return fails() ? NULL : __real_aligned_alloc(alignment, size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

START_TEST(without_memory_the_answer_is_no)
{
	const struct engine *engine = engines[_i % 3];
	struct engine_context *context = NULL;
	struct engine_core *core = NULL;
	struct master_key key;
	void *block;

	if (!runs_here(engine))
		return;
	random_seed(&random_state);
	key = random_key(suites[_i / 3]);
	block = block_open(engine, key.suite);
	ck_assert(engine->available());
	failing = 1;
	ck_assert_ptr_null(engine->open());
	ck_assert_uint_eq(failed, 1);
	core = engine->open();
	ck_assert_ptr_nonnull(core);
	for (unsigned int n = 1; !context; n++) {
		failing = n;
		context = engine->context_open(core, &key);
		ck_assert((context == NULL) == (failing == 0));
	}
	ck_assert_uint_ge(failed, 2);
	engine->context_close(context);
	/* An engine that allocates for a key keeps the lane as it was. */
	failing = 1;
	if (engine->key_set(core, block, 0, &key) < 0)
		ck_assert(is_zero(block, engine->block_size(key.suite)));
	failing = 0;
	ck_assert_int_eq(engine->key_set(core, block, 0, &key), 0);
	engine->key_clear(key.suite, block, 0);
	engine->close(core);
	free(block);
}
END_TEST

START_TEST(engines_are_found_by_name)
{
	ck_assert_ptr_eq(engine_find("ipsec_mb"), &engine_ipsec_mb);
	ck_assert_ptr_eq(engine_find("libsrtp"), &engine_libsrtp);
	ck_assert_ptr_eq(engine_find("vaes"), &engine_vaes);
	ck_assert_ptr_eq(
		engine_find("auto"), engine_vaes.available() ? &engine_vaes : &engine_ipsec_mb);
	ck_assert_ptr_null(engine_find("ipsec"));
	ck_assert_ptr_null(engine_find(""));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("engine");
	TCase *tcase = tcase_create("engine");

	tcase_set_timeout(tcase, 300);
	tcase_add_loop_test(tcase, runs_of_both_engines_are_equal, 0, 9);
	tcase_add_loop_test(tcase, every_run_and_header_is_equal, 0, 3);
	tcase_add_loop_test(tcase, every_instruction_set_is_equal, 0, 12);
	tcase_add_loop_test(tcase, a_moved_key_is_the_same_key, 0, 9);
	tcase_add_loop_test(tcase, contexts_of_both_engines_read_each_other, 0, 3);
	tcase_add_loop_test(tcase, rtcp_of_both_engines_is_equal, 0, 3);
	tcase_add_loop_test(tcase, rtcp_in_the_clear_is_refused, 0, 6);
	tcase_add_loop_test(tcase, short_packets_are_refused, 0, 3);
	tcase_add_test(tcase, unknown_suites_are_refused);
	tcase_add_loop_test(tcase, without_memory_the_answer_is_no, 0, 9);
	tcase_add_test(tcase, engines_are_found_by_name);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
