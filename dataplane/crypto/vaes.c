// SPDX-License-Identifier: BSD-3-Clause
/*
 * The vaes engine: runs of AES-GCM by vaes_gcm.c, those of AES-CM with HMAC-SHA1 by vaes_cm.c;
 * single packets by the ipsec_mb engine, whose core it is.
 */
#include <cpuid.h>
#include <errno.h>

#include "dataplane/crypto/ipsec_mb.h"
#include "dataplane/crypto/vaes.h"
#include "dataplane/crypto/vaes_cm.h"

/* CPUID leaf 7, subleaf 0. */
#define EBX_AVX512 (1u << 16 | 1u << 30 | 1u << 31) /* F, BW, VL */
#define EBX_AVX2_BMI2 (1u << 5 | 1u << 8)
#define ECX_VAES_VPCLMULQDQ (1u << 9 | 1u << 10)
#define XCR0_ZMM 0xe6u /* x87 aside: SSE, AVX, opmask and both halves of zmm are saved */

static bool saves_zmm(void)
{
	uint32_t low, high;

	__asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return (low & XCR0_ZMM) == XCR0_ZMM;
}

static bool available(void)
{
	unsigned int a, b, c, d;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE) || !(c & bit_AES) || !saves_zmm())
		return false;
	if (!__get_cpuid_count(7, 0, &a, &b, &c, &d))
		return false;
	return (b & EBX_AVX512) == EBX_AVX512 && (b & EBX_AVX2_BMI2) == EBX_AVX2_BMI2 &&
	       (c & ECX_VAES_VPCLMULQDQ) == ECX_VAES_VPCLMULQDQ && engine_ipsec_mb.available();
}

static struct engine_core *core_open(void)
{
	return engine_ipsec_mb.open();
}

static void core_close(struct engine_core *core)
{
	engine_ipsec_mb.close(core);
}

static struct vaes_lanes *group_of(enum suite suite, void *block, unsigned int lane)
{
	return (struct vaes_lanes *)block + lane / VAES_LANES * vaes_lines(suite);
}

static size_t block_size(enum suite suite)
{
	if (ipsec_mb_is_gcm(suite))
		return VAES_GROUPS * vaes_lines(suite) * sizeof(struct vaes_lanes);
	return suite == SUITE_AES128_CM_HMAC_SHA1_80 ? vaes_cm_block_size() : 0;
}

static size_t hot_bytes(enum suite suite, unsigned int payload_size)
{
	if (ipsec_mb_is_gcm(suite))
		return block_size(suite) / ENGINE_BLOCK_LEGS;
	return vaes_cm_block_size() / ENGINE_BLOCK_LEGS;
}

void vaes_set(
	struct engine_core *core, void *block, unsigned int lane, const struct session_keys *keys)
{
	uint8_t round_keys[16 * VAES_ROUND_KEYS_MAX] __attribute__((aligned(16)));

	if (keys->suite == SUITE_AES128_CM_HMAC_SHA1_80) {
		vaes_cm_set(core, block, lane, keys);
		return;
	}
	vaes_round_keys(keys->rtp.key, suite_facts(keys->suite)->key_size, round_keys);
	vaes_gcm_expand(keys->suite, group_of(keys->suite, block, lane), lane % VAES_LANES,
		round_keys, keys->rtp.salt);
	explicit_bzero(round_keys, sizeof(round_keys));
}

static int key_set(
	struct engine_core *core, void *block, unsigned int lane, const struct master_key *key)
{
	struct session_keys keys;

	if (!ipsec_mb_is_known(key->suite))
		return -EINVAL;
	vaes_derive(key, &keys);
	vaes_set(core, block, lane, &keys);
	explicit_bzero(&keys, sizeof(keys));
	return 0;
}

static void key_clear(enum suite suite, void *block, unsigned int lane)
{
	struct vaes_lanes *group;

	if (!ipsec_mb_is_gcm(suite)) {
		vaes_cm_clear(block, lane);
		return;
	}
	group = group_of(suite, block, lane);
	for (size_t i = 0; i < vaes_lines(suite); i++)
		explicit_bzero(group[i].lane[lane % VAES_LANES], 16);
}

static void key_move(
	enum suite suite, void *to, unsigned int to_lane, void *from, unsigned int from_lane)
{
	struct vaes_lanes *target, *source;

	if (!ipsec_mb_is_gcm(suite)) {
		vaes_cm_move(to, to_lane, from, from_lane);
		return;
	}
	if (to == from && to_lane == from_lane)
		return;
	target = group_of(suite, to, to_lane);
	source = group_of(suite, from, from_lane);
	for (size_t i = 0; i < vaes_lines(suite); i++)
		memcpy(target[i].lane[to_lane % VAES_LANES], source[i].lane[from_lane % VAES_LANES],
			16);
	key_clear(suite, from, from_lane);
}

static void protect_run(struct engine_core *core, enum suite suite, const void *block,
	unsigned int first, unsigned int count, const struct plaintext *p, const uint32_t roc[],
	uint8_t *const out[])
{
	if (ipsec_mb_is_gcm(suite))
		vaes_gcm_run(suite, block, first, count, p, roc, out);
	else
		vaes_cm_run(block, first, count, p, roc, out);
}

static struct engine_context *context_open(struct engine_core *core, const struct master_key *key)
{
	return engine_ipsec_mb.context_open(core, key);
}

const struct engine engine_vaes = {
	.name = "vaes",
	.available = available,
	.open = core_open,
	.close = core_close,
	.block_size = block_size,
	.hot_bytes = hot_bytes,
	.key_set = key_set,
	.key_move = key_move,
	.key_clear = key_clear,
	.protect_run = protect_run,
	.context_open = context_open,
	.context_close = ipsec_mb_close,
	.protect = ipsec_mb_protect,
	.unprotect = ipsec_mb_unprotect,
	.protect_rtcp = ipsec_mb_protect_rtcp,
	.unprotect_rtcp = ipsec_mb_unprotect_rtcp,
};
