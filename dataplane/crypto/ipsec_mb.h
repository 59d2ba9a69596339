/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The inside of the ipsec_mb engine, shared by its own files and by the tests that start from
 * session keys. ipsec_mb.c is the engine, _context takes single packets, _kdf derives, _gcm and _cm
 * compute.
 *
 * A library manager, its jobs and the IVs of a run belong to one polling core.
 */
#ifndef STENTOR_DATAPLANE_CRYPTO_IPSEC_MB_H
#define STENTOR_DATAPLANE_CRYPTO_IPSEC_MB_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <intel-ipsec-mb.h>

#include "dataplane/crypto/engine.h"
#include "dataplane/crypto/session.h"

struct ipsec_mb_iv {
	uint32_t word_be[4];
} __attribute__((aligned(16)));

struct engine_core {
	struct gcm_context_data gcm; /* scratch of the direct calls */
	struct ipsec_mb_iv iv[ENGINE_BLOCK_LEGS];
	IMB_MGR *manager;
	/* The library truncates to 12 bytes and no further; SRTP sends 10 of them. */
	uint8_t tag[ENGINE_BLOCK_LEGS][12];
	/* What does not change from run to run is written once, at open. */
	IMB_JOB job[ENGINE_BLOCK_LEGS];
};

struct gcm_block {
	struct gcm_key_data key[ENGINE_BLOCK_LEGS];
	struct ipsec_mb_iv salt[ENGINE_BLOCK_LEGS];
};

struct cm_lane {
	uint8_t round_keys[176];
	uint8_t inner[20]; /* SHA-1 state after the key XOR ipad */
	uint8_t outer[20]; /* SHA-1 state after the key XOR opad */
	struct ipsec_mb_iv salt;
	uint8_t reserved[16];
} __attribute__((aligned(64)));
_Static_assert(sizeof(struct cm_lane) == 256, "four cache lines a leg");

struct cm_block {
	struct cm_lane lane[ENGINE_BLOCK_LEGS];
};

struct gcm_pair {
	struct gcm_key_data key;
	struct ipsec_mb_iv salt;
};

struct engine_context {
	union {
		struct {
			struct gcm_pair rtp, rtcp;
		} gcm;
		struct {
			struct cm_lane rtp, rtcp;
		} cm;
	};
	enum suite suite;
};

/* One packet for a context: RTP or RTCP makes no difference from here on. */
struct ipsec_mb_packet {
	uint8_t *text; /* encrypted part, in place */
	unsigned int text_size;
	const uint8_t *authenticated; /* GCM: AAD. CM: the packet's first byte; text is within */
	unsigned int authenticated_size;
	uint8_t *tag;
	struct ipsec_mb_iv iv;
};

static inline bool ipsec_mb_is_gcm(enum suite suite)
{
	return suite == SUITE_AEAD_AES_128_GCM || suite == SUITE_AEAD_AES_256_GCM;
}

static inline bool ipsec_mb_is_known(enum suite suite)
{
	return ipsec_mb_is_gcm(suite) || suite == SUITE_AES128_CM_HMAC_SHA1_80;
}

/* The salt XOR (SSRC, 48-bit index): RFC 7714 section 8.1 and 9.1, RFC 3711 section 4.1.1. */
static inline struct ipsec_mb_iv ipsec_mb_iv(
	enum suite suite, const struct ipsec_mb_iv *salt, uint32_t ssrc, uint64_t index)
{
	struct ipsec_mb_iv iv = *salt;

	if (suite == SUITE_AES128_CM_HMAC_SHA1_80) {
		iv.word_be[1] ^= __builtin_bswap32(ssrc);
		iv.word_be[2] ^= __builtin_bswap32((uint32_t)(index >> 16));
		iv.word_be[3] ^= __builtin_bswap32((uint32_t)(index << 16));
	} else {
		iv.word_be[0] ^= __builtin_bswap32(ssrc >> 16);
		iv.word_be[1] ^= __builtin_bswap32(ssrc << 16 | (uint32_t)(index >> 32));
		iv.word_be[2] ^= __builtin_bswap32((uint32_t)index);
	}
	return iv;
}

/* RTP headers are 12 bytes and more: no loop over bytes, no call, nothing written behind. */
static inline void ipsec_mb_copy_header(uint8_t *to, const uint8_t *from, unsigned int size)
{
	if (size < 16) {
		memcpy(to, from, 8);
		memcpy(to + size - 8, from + size - 8, 8);
		return;
	}
	for (unsigned int done = 0; done + 16 < size; done += 16)
		memcpy(to + done, from + done, 16);
	memcpy(to + size - 16, from + size - 16, 16);
}

/* In time that does not depend on where they differ. */
static inline bool ipsec_mb_equal(const uint8_t *a, const uint8_t *b, unsigned int size)
{
	volatile uint8_t difference = 0;

	for (unsigned int i = 0; i < size; i++)
		difference |= a[i] ^ b[i];
	return difference == 0;
}

/* The pseudo-random function AES_CM of RFC 3711 section 4.3.3 and RFC 6188, keyed. */
struct ipsec_mb_prf {
	uint8_t round_keys[16 * 15] __attribute__((aligned(16)));
	uint8_t salt[16];
	unsigned int key_size;
};

/* Takes key_size and salt_size from facts. */
void ipsec_mb_prf_init(struct engine_core *core, struct ipsec_mb_prf *prf,
	const struct suite_facts *facts, const uint8_t *key, const uint8_t *salt);
void ipsec_mb_prf(struct engine_core *core, const struct ipsec_mb_prf *prf, uint8_t label,
	uint8_t keystream[32]);

/* RFC 3711 section 4.3.1 with a key derivation rate of 0, AES-256 per RFC 6188. */
void ipsec_mb_derive(
	struct engine_core *core, const struct master_key *master, struct session_keys *keys);

/* The same as key_set() and context_open(), from session keys. */
void ipsec_mb_set(
	struct engine_core *core, void *block, unsigned int lane, const struct session_keys *keys);
struct engine_context *ipsec_mb_open(struct engine_core *core, const struct session_keys *keys);

/* Single packets: members of struct engine. */
void ipsec_mb_close(struct engine_context *context);
unsigned int ipsec_mb_protect(struct engine_core *core, struct engine_context *context,
	uint8_t *packet, unsigned int header_size, unsigned int size, uint32_t ssrc,
	uint64_t index);
int ipsec_mb_unprotect(struct engine_core *core, struct engine_context *context, uint8_t *packet,
	unsigned int header_size, unsigned int size, uint32_t ssrc, uint64_t index);
unsigned int ipsec_mb_protect_rtcp(struct engine_core *core, struct engine_context *context,
	uint8_t *packet, unsigned int size, uint32_t ssrc, uint32_t index);
int ipsec_mb_unprotect_rtcp(struct engine_core *core, struct engine_context *context,
	uint8_t *packet, unsigned int size, uint32_t ssrc, uint32_t index);

void ipsec_mb_gcm_expand(struct engine_core *core, enum suite suite,
	const struct session_half *half, struct gcm_key_data *key, struct ipsec_mb_iv *salt);
/* Bytes of the key schedule, and of the powers of the hash key, that a packet needs. */
size_t ipsec_mb_gcm_hot(enum suite suite, unsigned int payload_size, size_t *powers_size);
void ipsec_mb_gcm_run(struct engine_core *core, enum suite suite, const struct gcm_block *block,
	unsigned int first, unsigned int count, const struct plaintext *p, const uint32_t roc[],
	uint8_t *const out[]);
void ipsec_mb_gcm_encrypt(struct engine_core *core, enum suite suite, const struct gcm_pair *pair,
	const struct ipsec_mb_packet *packet);
/* Decrypts whatever the tag says; false: the tag is wrong. */
bool ipsec_mb_gcm_decrypt(struct engine_core *core, enum suite suite, const struct gcm_pair *pair,
	const struct ipsec_mb_packet *packet);

void ipsec_mb_cm_init(struct engine_core *core);
void ipsec_mb_cm_expand(
	struct engine_core *core, const struct session_half *half, struct cm_lane *lane);
void ipsec_mb_cm_run(struct engine_core *core, const struct cm_block *block, unsigned int first,
	unsigned int count, const struct plaintext *p, const uint32_t roc[], uint8_t *const out[]);
void ipsec_mb_cm_crypt(
	struct engine_core *core, const struct cm_lane *lane, const struct ipsec_mb_packet *packet);
void ipsec_mb_cm_tag(struct engine_core *core, const struct cm_lane *lane, const uint8_t *data,
	unsigned int size, uint8_t tag[10]);

#endif
