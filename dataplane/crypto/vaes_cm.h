/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * AES128_CM_HMAC_SHA1_80 of the vaes engine: runs of legs, sixteen at a time, lanes are listeners.
 * Keys of a block are 72 bytes a leg; round keys are expanded from them for each run. An engine
 * core is that of ipsec_mb, which derives keys and keeps single packets.
 *
 * vaes_cm.c is compiled with the flags of vaes_gcm.c and is entered only when the CPU has them;
 * vaes_cm_key.c is plain.
 */
#ifndef STENTOR_DATAPLANE_CRYPTO_VAES_CM_H
#define STENTOR_DATAPLANE_CRYPTO_VAES_CM_H

#include "dataplane/crypto/engine.h"
#include "dataplane/crypto/session.h"
#include "dataplane/crypto/vaes.h"
#include "dataplane/crypto/vaes_sha1.h"

#define VAES_CM_UNITS (ENGINE_BLOCK_LEGS / SHA1_LANES)
#define VAES_CM_GROUPS (SHA1_LANES / VAES_LANES)

/* Keys of sixteen legs. Leg VAES_LANES * g + l is in place VAES_CM_GROUPS * l + g of the states. */
struct vaes_cm_unit {
	struct vaes_lanes key[VAES_CM_GROUPS]; /* of the cipher, not expanded */
	struct vaes_lanes salt[VAES_CM_GROUPS];
	struct sha1_state inner, outer; /* after the key XOR ipad and opad (RFC 2104) */
};
_Static_assert(sizeof(struct vaes_cm_unit) == 72 * SHA1_LANES, "18 cache lines for sixteen legs");

/* Members of struct engine, for this suite; set is key_set() from session keys. */
size_t vaes_cm_block_size(void);
void vaes_cm_set(
	struct engine_core *core, void *block, unsigned int lane, const struct session_keys *keys);
void vaes_cm_clear(void *block, unsigned int lane);
void vaes_cm_move(void *to, unsigned int to_lane, void *from, unsigned int from_lane);
void vaes_cm_run(const void *block, unsigned int first, unsigned int count,
	const struct plaintext *p, const uint32_t roc[], uint8_t *const out[]);

#endif
