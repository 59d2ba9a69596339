// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/crypto/ipsec_mb.h"

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

void ipsec_mb_gcm_run(struct engine_core *core, enum suite suite, const struct gcm_block *block,
	unsigned int first, unsigned int count, const struct plaintext *p, const uint32_t roc[],
	uint8_t *const out[])
{
	aes_gcm_enc_dec_t encrypt = suite == SUITE_AEAD_AES_256_GCM ? core->manager->gcm256_enc
								    : core->manager->gcm128_enc;
	const struct gcm_key_data *key = &block->key[first];

	/* All IVs first: one written just before the call would still be in the store buffer. */
	for (unsigned int i = 0; i < count; i++)
		core->iv[i] = ipsec_mb_iv(suite, &block->salt[first + i], p->ssrc,
			(uint64_t)roc[i] << 16 | p->sequence);
	for (unsigned int i = 0; i < count; i++) {
		uint8_t *text = out[i] + p->header_size;

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
