/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The inside of the vaes engine: AES-GCM for many keys at a time. A zmm register holds one 128-bit
 * block of four legs, so lanes are listeners: all legs of a run get the same plaintext at the same
 * counters, and differ in key, ROC and where the copy goes. What a group of four needs lies lane by
 * lane in one stretch of memory that is read once from front to back.
 *
 * vaes_gcm.c is compiled with its own -m flags and is entered only when the CPU has them.
 */
#ifndef STENTOR_DATAPLANE_CRYPTO_VAES_H
#define STENTOR_DATAPLANE_CRYPTO_VAES_H

#include <stdint.h>

#include "dataplane/crypto/engine.h"
#include "dataplane/crypto/session.h"

#define VAES_LANES 4
#define VAES_POWERS 8
#define VAES_ROUND_KEYS_128 11
#define VAES_ROUND_KEYS_256 15
#define VAES_GROUPS (ENGINE_BLOCK_LEGS / VAES_LANES)

/* A 128-bit block of each of four legs. */
struct vaes_lanes {
	uint8_t lane[VAES_LANES][16];
} __attribute__((aligned(64)));

/*
 * A group: salts (12 bytes, then a counter of zero), round keys, powers of the hash key from the
 * highest to the first, in the form in which POLYVAL multiplies (RFC 8452 appendix A).
 */
#define VAES_GROUP_LANES(round_keys) (1 + (round_keys) + VAES_POWERS)

static inline unsigned int vaes_round_keys(enum suite suite)
{
	return suite == SUITE_AEAD_AES_256_GCM ? VAES_ROUND_KEYS_256 : VAES_ROUND_KEYS_128;
}

/* The same as key_set(), from session keys. The suite is one of GCM. */
void vaes_set(
	struct engine_core *core, void *block, unsigned int lane, const struct session_keys *keys);

/* From the expanded cipher key: everything of one lane. round_keys: 16 bytes each. */
void vaes_gcm_expand(enum suite suite, struct vaes_lanes *group, unsigned int lane,
	const uint8_t *round_keys, const uint8_t salt[12]);

/* As protect_run() of struct engine. */
void vaes_gcm_run(enum suite suite, const struct vaes_lanes *groups, unsigned int first,
	unsigned int count, const struct plaintext *p, const uint32_t roc[], uint8_t *const out[]);

#endif
