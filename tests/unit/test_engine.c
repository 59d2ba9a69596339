// SPDX-License-Identifier: BSD-3-Clause
/*
 * The engines against each other: what ipsec_mb puts out is, byte for byte, what libsrtp2 puts out,
 * and each reads what the other wrote. STENTOR_SEED repeats a run.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/crypto/engine.h"
#include "tests/support/random.h"
#include "tests/support/unit.h"

#define PAYLOAD_MAX 1400
#define HEADER_MAX 36
#define OUT_MAX (HEADER_MAX + PAYLOAD_MAX + ENGINE_TAG_MAX)

static const enum suite suites[] = {
	SUITE_AEAD_AES_128_GCM, SUITE_AEAD_AES_256_GCM, SUITE_AES128_CM_HMAC_SHA1_80};
static const unsigned int header_sizes[] = {12, 16, 20, 24, 36};

static struct random_state random_state;

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
	if (size >= 20 && random_next(&random_state) % 2) {
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

/* The libraries are not instrumented: bytes behind each packet show a write too far. */
#define GUARD 64

struct bench {
	const struct engine *engine;
	struct engine_core *core;
	void *block;
	uint8_t *out[ENGINE_BLOCK_LEGS];
};

static void bench_open(struct bench *bench, const struct engine *engine, enum suite suite)
{
	size_t size = engine->block_size(suite);

	memset(bench, 0, sizeof(*bench));
	bench->engine = engine;
	ck_assert(engine->available());
	bench->core = engine->open();
	ck_assert_ptr_nonnull(bench->core);
	bench->block = aligned_alloc(64, (size + 63) & ~(size_t)63);
	memset(bench->block, 0, size);
}

static void bench_close(struct bench *bench, enum suite suite)
{
	size_t size = bench->engine->block_size(suite);

	for (unsigned int lane = 0; lane < ENGINE_BLOCK_LEGS; lane++)
		bench->engine->key_clear(suite, bench->block, lane);
	for (size_t i = 0; i < size; i++)
		ck_assert_uint_eq(((uint8_t *)bench->block)[i], 0);
	bench->engine->close(bench->core);
	free(bench->block);
}

static void bench_run(struct bench *bench, enum suite suite, unsigned int first, unsigned int count,
	const struct plaintext *p, const uint32_t roc[])
{
	unsigned int size = p->header_size + p->payload_size + suite_facts(suite)->tag_size;
	uint8_t guard[GUARD];

	for (unsigned int i = 0; i < count; i++) {
		bench->out[i] = malloc(size + GUARD);
		memset(bench->out[i], 0xee, size + GUARD);
	}
	bench->engine->protect_run(
		bench->core, suite, bench->block, first, count, p, roc, bench->out);
	memset(guard, 0xee, sizeof(guard));
	for (unsigned int i = 0; i < count; i++)
		ck_assert_mem_eq(bench->out[i] + size, guard, sizeof(guard));
}

START_TEST(runs_of_both_engines_are_equal)
{
	enum suite suite = suites[_i];
	struct bench ours, theirs;
	uint8_t header[HEADER_MAX], payload[PAYLOAD_MAX];
	uint32_t ssrc = (uint32_t)random_next(&random_state);
	uint64_t index = 1 + random_next(&random_state) % 0x7fff;
	uint32_t origin[ENGINE_BLOCK_LEGS], roc[ENGINE_BLOCK_LEGS];

	random_seed(&random_state);
	bench_open(&ours, &engine_ipsec_mb, suite);
	bench_open(&theirs, &engine_libsrtp, suite);
	for (unsigned int lane = 0; lane < ENGINE_BLOCK_LEGS; lane++) {
		struct master_key key = random_key(suite);

		ck_assert_int_eq(ours.engine->key_set(ours.core, ours.block, lane, &key), 0);
		ck_assert_int_eq(theirs.engine->key_set(theirs.core, theirs.block, lane, &key), 0);
		origin[lane] = (uint32_t)(lane % 3 ? random_next(&random_state) : 0);
	}
	for (unsigned int payload_size = 0; payload_size <= PAYLOAD_MAX; payload_size++) {
		struct plaintext p = {.header = header,
			.header_size = header_sizes[random_next(&random_state) % 5],
			.payload = payload,
			.payload_size = payload_size,
			.ssrc = ssrc};
		unsigned int count =
			1 + (unsigned int)random_next(&random_state) % ENGINE_BLOCK_LEGS;
		unsigned int first =
			(unsigned int)random_next(&random_state) % (ENGINE_BLOCK_LEGS - count + 1);
		unsigned int size = p.header_size + payload_size + suite_facts(suite)->tag_size;

		index += 1 + random_next(&random_state) % 0x200;
		p.sequence = (uint16_t)index;
		random_fill(&random_state, payload, payload_size);
		header_make(header, p.header_size, ssrc, p.sequence);
		for (unsigned int i = 0; i < count; i++)
			roc[i] = origin[first + i] + (uint32_t)(index >> 16);
		bench_run(&ours, suite, first, count, &p, roc);
		bench_run(&theirs, suite, first, count, &p, roc);
		for (unsigned int i = 0; i < count; i++) {
			ck_assert_mem_eq(ours.out[i], theirs.out[i], size);
			free(ours.out[i]);
			free(theirs.out[i]);
		}
	}
	bench_close(&ours, suite);
	bench_close(&theirs, suite);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("engine");
	TCase *tcase = tcase_create("engine");

	tcase_set_timeout(tcase, 300);
	tcase_add_loop_test(tcase, runs_of_both_engines_are_equal, 0, 3);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
