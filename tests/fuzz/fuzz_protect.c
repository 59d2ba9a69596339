// SPDX-License-Identifier: BSD-3-Clause
/*
 * A run of legs, its shape and its plaintext from the input: what vaes puts out is, byte for byte,
 * what ipsec_mb puts out, and nothing is written behind it. Bytes: suite and
 * what the header has beside whole words, first lane, lanes, words of the header, ROC, seed of
 * keys, payload size (2), then payload, repeated as often as needed.
 */
#include <stdlib.h>
#include <string.h>

#include "dataplane/crypto/engine.h"
#include "tests/fuzz/fuzz.h"

#define FACTS 8
#define PAYLOAD_MAX 1400
#define HEADER_MAX 256
#define GUARD 32
#define GUARD_BYTE 0xee
#define PACKET_MAX (HEADER_MAX + PAYLOAD_MAX + ENGINE_TAG_MAX + GUARD)

struct shape {
	enum suite suite;
	unsigned int first, count;
	struct plaintext p;
	uint32_t roc[ENGINE_BLOCK_LEGS];
};

static void keys_set(const struct engine *engine, struct engine_core *core, void *block,
	const struct shape *s, uint8_t seed)
{
	for (unsigned int lane = 0; lane < ENGINE_BLOCK_LEGS; lane++) {
		struct master_key key = {.suite = s->suite};

		for (unsigned int i = 0; i < sizeof(key.key); i++)
			key.key[i] = (uint8_t)(seed * 31 + lane * 7 + i * 13);
		for (unsigned int i = 0; i < suite_facts(s->suite)->salt_size; i++)
			key.salt[i] = (uint8_t)(seed + lane * 3 + i * 5);
		FUZZ_CHECK(engine->key_set(core, block, lane, &key) == 0);
	}
}

/* The run by that engine into `packets`, PACKET_MAX apart. */
static void protect(
	const struct engine *engine, const struct shape *s, uint8_t seed, uint8_t *packets)
{
	size_t size = (engine->block_size(s->suite) + 63) & ~(size_t)63;
	struct engine_core *core = engine->open();
	uint8_t *block = aligned_alloc(64, size), *out[ENGINE_BLOCK_LEGS];

	FUZZ_CHECK(core != NULL && block != NULL);
	memset(block, 0, size);
	memset(packets, GUARD_BYTE, (size_t)PACKET_MAX * ENGINE_BLOCK_LEGS);
	keys_set(engine, core, block, s, seed);
	for (unsigned int i = 0; i < s->count; i++)
		out[i] = packets + (size_t)PACKET_MAX * i;
	engine->protect_run(core, s->suite, block, s->first, s->count, &s->p, s->roc, out);
	free(block);
	engine->close(core);
}

static void shape_take(
	struct shape *s, const uint8_t *data, size_t size, uint8_t *header, uint8_t *payload)
{
	static const enum suite suites[3] = {
		SUITE_AEAD_AES_128_GCM, SUITE_AEAD_AES_256_GCM, SUITE_AES128_CM_HMAC_SHA1_80};

	s->suite = suites[(data[0] & 0x3f) % 3];
	s->first = data[1] % ENGINE_BLOCK_LEGS;
	s->count = 1 + data[2] % (ENGINE_BLOCK_LEGS - s->first);
	s->p = (struct plaintext){.header = header,
		.header_size = 12 + 4 * (data[3] % ((HEADER_MAX - 12) / 4)) + (data[0] >> 6),
		.payload = payload,
		.payload_size = (unsigned int)(data[6] << 8 | data[7]) % (PAYLOAD_MAX + 1),
		.ssrc = 0x01020304u * data[5],
		.sequence = (uint16_t)(data[4] << 8 | data[5])};
	for (unsigned int i = 0; i < s->p.header_size; i++)
		header[i] = data[i % size];
	for (unsigned int i = 0; i < s->p.payload_size; i++)
		payload[i] = data[(FACTS + i) % size];
	for (unsigned int i = 0; i < s->count; i++)
		s->roc[i] = (uint32_t)(data[4] * 65537u + i * 3);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t ours[PACKET_MAX * ENGINE_BLOCK_LEGS], theirs[sizeof(ours)];
	uint8_t header[HEADER_MAX], payload[PAYLOAD_MAX];
	struct shape shape = {0};

	if (size < FACTS || !engine_vaes.available())
		return 0;
	shape_take(&shape, data, size, header, payload);
	protect(&engine_vaes, &shape, data[5], ours);
	protect(&engine_ipsec_mb, &shape, data[5], theirs);
	FUZZ_CHECK(memcmp(ours, theirs, sizeof(ours)) == 0);
	return 0;
}
