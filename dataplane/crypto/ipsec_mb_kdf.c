// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/crypto/ipsec_mb.h"

void ipsec_mb_prf_init(struct engine_core *core, struct ipsec_mb_prf *prf,
	const struct suite_facts *facts, const uint8_t *key, const uint8_t *salt)
{
	uint8_t decrypt[sizeof(prf->round_keys)] __attribute__((aligned(16)));

	memset(prf, 0, sizeof(*prf));
	prf->key_size = facts->key_size;
	memcpy(prf->salt, salt, facts->salt_size);
	if (facts->key_size == 32)
		IMB_AES_KEYEXP_256(core->manager, key, prf->round_keys, decrypt);
	else
		IMB_AES_KEYEXP_128(core->manager, key, prf->round_keys, decrypt);
	explicit_bzero(decrypt, sizeof(decrypt));
}

/* AES counter mode over zeros, RFC 3711 section 4.3.3: the keystream is what the PRF puts out. */
void ipsec_mb_prf(struct engine_core *core, const struct ipsec_mb_prf *prf, uint8_t label,
	uint8_t keystream[32])
{
	static const uint8_t zeros[32];
	uint8_t iv[16] __attribute__((aligned(16)));
	IMB_JOB job = {
		.enc_keys = prf->round_keys,
		.dec_keys = prf->round_keys,
		.key_len_in_bytes = prf->key_size,
		.src = zeros,
		.dst = keystream,
		.msg_len_to_cipher_in_bytes = sizeof(zeros),
		.iv = iv,
		.iv_len_in_bytes = sizeof(iv),
		.cipher_mode = IMB_CIPHER_CNTR,
		.cipher_direction = IMB_DIR_ENCRYPT,
		.hash_alg = IMB_AUTH_NULL,
		.chain_order = IMB_ORDER_CIPHER_HASH,
	};

	/* x = (label || r) XOR salt with r = 0: the label is in front of 48 bits of r. */
	memcpy(iv, prf->salt, sizeof(iv));
	iv[7] ^= label;
	IMB_SUBMIT_CIPHER_BURST_NOCHECK(core->manager, &job, 1, IMB_CIPHER_CNTR, IMB_DIR_ENCRYPT,
		(IMB_KEY_SIZE_BYTES)prf->key_size);
}

static void derive_half(struct engine_core *core, const struct ipsec_mb_prf *prf, enum suite suite,
	uint8_t first_label, struct session_half *half)
{
	const struct suite_facts *facts = suite_facts(suite);
	uint8_t keystream[32] __attribute__((aligned(16)));

	memset(half, 0, sizeof(*half));
	ipsec_mb_prf(core, prf, first_label + SESSION_LABEL_KEY, keystream);
	memcpy(half->key, keystream, facts->key_size);
	if (suite == SUITE_AES128_CM_HMAC_SHA1_80) {
		ipsec_mb_prf(core, prf, first_label + SESSION_LABEL_AUTH, keystream);
		memcpy(half->auth, keystream, sizeof(half->auth));
	}
	ipsec_mb_prf(core, prf, first_label + SESSION_LABEL_SALT, keystream);
	memcpy(half->salt, keystream, facts->salt_size);
	explicit_bzero(keystream, sizeof(keystream));
}

void ipsec_mb_derive(
	struct engine_core *core, const struct master_key *master, struct session_keys *keys)
{
	struct ipsec_mb_prf prf;

	ipsec_mb_prf_init(core, &prf, suite_facts(master->suite), master->key, master->salt);
	keys->suite = master->suite;
	derive_half(core, &prf, master->suite, 0, &keys->rtp);
	derive_half(core, &prf, master->suite, SESSION_LABEL_RTCP, &keys->rtcp);
	explicit_bzero(&prf, sizeof(prf));
}
