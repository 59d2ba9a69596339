// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/crypto/ipsec_mb.h"

#include <stddef.h>

#define TAG_SIZE 16

void ipsec_mb_gcm_expand(struct engine_core *core, enum suite suite,
	const struct session_half *half, struct gcm_key_data *key, struct ipsec_mb_iv *salt)
{
	if (suite == SUITE_AEAD_AES_256_GCM)
		IMB_AES256_GCM_PRE(core->manager, half->key, key);
	else
		IMB_AES128_GCM_PRE(core->manager, half->key, key);
	memcpy(salt, half->salt, sizeof(*salt));
}

/*
 * What one packet touches of a key: the round keys in front and, behind, as many powers of the hash
 * key as the payload has blocks (of the AVX-512 code; found by changing each byte in turn). The
 * processor does not foresee a step of 1,024 bytes with a hole in it: asking for it eight keys
 * ahead makes 34 ns of 37 with 20,000 keys, and 57 of 89 with 100,000 (100-byte payload, 4 KiB
 * pages); a distance of 4 to 12 is as good.
 */
#define PREFETCH_KEYS 8
#define LINE 64
#define POWERS_MAX 48
#define POWERS_END (offsetof(struct gcm_key_data, ghash_keys) + POWERS_MAX * 16)

size_t ipsec_mb_gcm_hot(enum suite suite, unsigned int payload_size, size_t *powers_size)
{
	size_t powers = ((size_t)payload_size + 15) / 16;

	if (powers < 1)
		powers = 1;
	*powers_size = 16 * (powers < POWERS_MAX ? powers : POWERS_MAX);
	return 16 * (suite == SUITE_AEAD_AES_256_GCM ? 15 : 11);
}

/* Inlined by force: gcc 12 takes a function of prefetches for one without effect, and drops it. */
static inline __attribute__((always_inline)) void prefetch(const uint8_t *first, const uint8_t *end)
{
	const uint8_t *line = first - (uintptr_t)first % LINE;

	for (; line < end; line += LINE)
		__builtin_prefetch(line);
}

static inline __attribute__((always_inline)) void prefetch_key(
	const struct gcm_key_data *key, size_t round_keys_size, size_t powers_size)
{
	const uint8_t *bytes = (const uint8_t *)key;

	prefetch(bytes, bytes + round_keys_size);
	prefetch(bytes + POWERS_END - powers_size, bytes + POWERS_END);
}

void ipsec_mb_gcm_run(struct engine_core *core, enum suite suite, const struct gcm_block *block,
	unsigned int first, unsigned int count, const struct plaintext *p, const uint32_t roc[],
	uint8_t *const out[])
{
	aes_gcm_enc_dec_t encrypt = suite == SUITE_AEAD_AES_256_GCM ? core->manager->gcm256_enc
								    : core->manager->gcm128_enc;
	const struct gcm_key_data *key = &block->key[first];
	size_t powers_size;
	size_t round_keys_size = ipsec_mb_gcm_hot(suite, p->payload_size, &powers_size);

	/* All IVs first: one written just before the call would still be in the store buffer. */
	for (unsigned int i = 0; i < count; i++)
		core->iv[i] = ipsec_mb_iv(suite, &block->salt[first + i], p->ssrc,
			(uint64_t)roc[i] << 16 | p->sequence);
	for (unsigned int i = 0; i < count; i++) {
		uint8_t *text = out[i] + p->header_size;

		/* Also behind this run: the next one goes on there. */
		if (first + i + PREFETCH_KEYS < ENGINE_BLOCK_LEGS)
			prefetch_key(&key[i + PREFETCH_KEYS], round_keys_size, powers_size);
		ipsec_mb_copy_header(out[i], p->header, p->header_size);
		encrypt(&key[i], &core->gcm, text, p->payload, p->payload_size,
			(const uint8_t *)&core->iv[i], p->header, p->header_size,
			text + p->payload_size, TAG_SIZE);
	}
}

void ipsec_mb_gcm_encrypt(struct engine_core *core, enum suite suite, const struct gcm_pair *pair,
	const struct ipsec_mb_packet *packet)
{
	aes_gcm_enc_dec_t encrypt = suite == SUITE_AEAD_AES_256_GCM ? core->manager->gcm256_enc
								    : core->manager->gcm128_enc;

	encrypt(&pair->key, &core->gcm, packet->text, packet->text, packet->text_size,
		(const uint8_t *)&packet->iv, packet->authenticated, packet->authenticated_size,
		packet->tag, TAG_SIZE);
}

bool ipsec_mb_gcm_decrypt(struct engine_core *core, enum suite suite, const struct gcm_pair *pair,
	const struct ipsec_mb_packet *packet)
{
	aes_gcm_enc_dec_t decrypt = suite == SUITE_AEAD_AES_256_GCM ? core->manager->gcm256_dec
								    : core->manager->gcm128_dec;
	uint8_t tag[TAG_SIZE];

	decrypt(&pair->key, &core->gcm, packet->text, packet->text, packet->text_size,
		(const uint8_t *)&packet->iv, packet->authenticated, packet->authenticated_size,
		tag, sizeof(tag));
	return ipsec_mb_equal(tag, packet->tag, sizeof(tag));
}
