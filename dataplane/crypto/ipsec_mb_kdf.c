// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/crypto/ipsec_mb.h"

/* AES counter mode over zeros, RFC 3711 section 4.3.3: keystream is what the PRF puts out. */
static void derive(struct engine_core *core, const struct master_key *master,
	const void *round_keys, uint8_t label, uint8_t keystream[32])
{
	static const uint8_t zeros[32];
	const struct suite_facts *facts = suite_facts(master->suite);
	/* x = (label || r) XOR salt with r = 0; the label is 7 bytes from the right end of x. */
	uint8_t iv[16] __attribute__((aligned(16))) = {0};
	IMB_JOB job = {
		.enc_keys = round_keys,
		.dec_keys = round_keys,
		.key_len_in_bytes = facts->key_size,
		.src = zeros,
		.dst = keystream,
		.msg_len_to_cipher_in_bytes = 32,
		.iv = iv,
		.iv_len_in_bytes = 16,
		.cipher_mode = IMB_CIPHER_CNTR,
		.cipher_direction = IMB_DIR_ENCRYPT,
		.hash_alg = IMB_AUTH_NULL,
		.chain_order = IMB_ORDER_CIPHER_HASH,
	};

	memcpy(iv, master->salt, facts->salt_size);
	iv[7] ^= label;
	IMB_SUBMIT_CIPHER_BURST_NOCHECK(core->manager, &job, 1, IMB_CIPHER_CNTR, IMB_DIR_ENCRYPT,
		(IMB_KEY_SIZE_BYTES)facts->key_size);
}

static void derive_half(struct engine_core *core, const struct master_key *master,
	const void *round_keys, uint8_t first_label, struct session_half *half)
{
	const struct suite_facts *facts = suite_facts(master->suite);
	uint8_t keystream[32] __attribute__((aligned(16)));

	memset(half, 0, sizeof(*half));
	derive(core, master, round_keys, first_label + SESSION_LABEL_KEY, keystream);
	memcpy(half->key, keystream, facts->key_size);
	if (master->suite == SUITE_AES128_CM_HMAC_SHA1_80) {
		derive(core, master, round_keys, first_label + SESSION_LABEL_AUTH, keystream);
		memcpy(half->auth, keystream, sizeof(half->auth));
	}
	derive(core, master, round_keys, first_label + SESSION_LABEL_SALT, keystream);
	memcpy(half->salt, keystream, facts->salt_size);
	explicit_bzero(keystream, sizeof(keystream));
}

void ipsec_mb_derive(
	struct engine_core *core, const struct master_key *master, struct session_keys *keys)
{
	uint8_t encrypt[16 * 15] __attribute__((aligned(16)));
	uint8_t decrypt[16 * 15] __attribute__((aligned(16)));

	if (suite_facts(master->suite)->key_size == 32)
		IMB_AES_KEYEXP_256(core->manager, master->key, encrypt, decrypt);
	else
		IMB_AES_KEYEXP_128(core->manager, master->key, encrypt, decrypt);
	keys->suite = master->suite;
	derive_half(core, master, encrypt, 0, &keys->rtp);
	derive_half(core, master, encrypt, SESSION_LABEL_RTCP, &keys->rtcp);
	explicit_bzero(encrypt, sizeof(encrypt));
	explicit_bzero(decrypt, sizeof(decrypt));
}
