// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "dataplane/crypto/ipsec_mb.h"

static struct engine_core *core_open(void)
{
	struct engine_core *core = aligned_alloc(64, (sizeof(*core) + 63) & ~(size_t)63);

	if (!core)
		return NULL;
	memset(core, 0, sizeof(*core));
	core->manager = alloc_mb_mgr(0);
	if (!core->manager) {
		free(core);
		return NULL;
	}
	init_mb_mgr_auto(core->manager, NULL);
	ipsec_mb_cm_init(core);
	return core;
}

static void core_close(struct engine_core *core)
{
	if (!core)
		return;
	free_mb_mgr(core->manager);
	explicit_bzero(core, sizeof(*core));
	free(core);
}

static bool available(void)
{
	IMB_MGR *manager = alloc_mb_mgr(0);
	bool ready;

	if (!manager)
		return false;
	init_mb_mgr_auto(manager, NULL);
	ready = imb_get_errno(manager) == 0;
	free_mb_mgr(manager);
	return ready;
}

static size_t block_size(enum suite suite)
{
	if (ipsec_mb_is_gcm(suite))
		return sizeof(struct gcm_block);
	return suite == SUITE_AES128_CM_HMAC_SHA1_80 ? sizeof(struct cm_block) : 0;
}

static size_t hot_bytes(enum suite suite, unsigned int payload_size)
{
	size_t powers_size;

	if (suite == SUITE_AES128_CM_HMAC_SHA1_80)
		return offsetof(struct cm_lane, reserved);
	if (!ipsec_mb_is_gcm(suite))
		return 0;
	return ipsec_mb_gcm_hot(suite, payload_size, &powers_size) + powers_size +
	       sizeof(struct ipsec_mb_iv);
}

void ipsec_mb_set(
	struct engine_core *core, void *block, unsigned int lane, const struct session_keys *keys)
{
	struct gcm_block *gcm = block;
	struct cm_block *cm = block;

	if (ipsec_mb_is_gcm(keys->suite))
		ipsec_mb_gcm_expand(
			core, keys->suite, &keys->rtp, &gcm->key[lane], &gcm->salt[lane]);
	else
		ipsec_mb_cm_expand(core, &keys->rtp, &cm->lane[lane]);
}

static int key_set(
	struct engine_core *core, void *block, unsigned int lane, const struct master_key *key)
{
	struct session_keys keys;

	if (!ipsec_mb_is_known(key->suite))
		return -EINVAL;
	ipsec_mb_derive(core, key, &keys);
	ipsec_mb_set(core, block, lane, &keys);
	explicit_bzero(&keys, sizeof(keys));
	return 0;
}

/* nonnull: else gcc 12 with -fsanitize=null sees a path on which explicit_bzero() gets NULL. */
static __attribute__((nonnull)) void key_clear(enum suite suite, void *block, unsigned int lane)
{
	struct gcm_block *gcm = block;
	struct cm_block *cm = block;

	if (ipsec_mb_is_gcm(suite)) {
		explicit_bzero(&gcm->key[lane], sizeof(gcm->key[lane]));
		explicit_bzero(&gcm->salt[lane], sizeof(gcm->salt[lane]));
	} else {
		explicit_bzero(&cm->lane[lane], sizeof(cm->lane[lane]));
	}
}

static void key_move(
	enum suite suite, void *to, unsigned int to_lane, void *from, unsigned int from_lane)
{
	struct gcm_block *gcm_to = to, *gcm_from = from;
	struct cm_block *cm_to = to, *cm_from = from;

	if (to == from && to_lane == from_lane)
		return;
	if (ipsec_mb_is_gcm(suite)) {
		gcm_to->key[to_lane] = gcm_from->key[from_lane];
		gcm_to->salt[to_lane] = gcm_from->salt[from_lane];
	} else {
		cm_to->lane[to_lane] = cm_from->lane[from_lane];
	}
	key_clear(suite, from, from_lane);
}

static void protect_run(struct engine_core *core, enum suite suite, const void *block,
	unsigned int first, unsigned int count, const struct plaintext *p, const uint32_t roc[],
	uint8_t *const out[])
{
	if (ipsec_mb_is_gcm(suite))
		ipsec_mb_gcm_run(core, suite, block, first, count, p, roc, out);
	else
		ipsec_mb_cm_run(core, block, first, count, p, roc, out);
}

static struct engine_context *context_open(struct engine_core *core, const struct master_key *key)
{
	struct engine_context *context;
	struct session_keys keys;

	if (!ipsec_mb_is_known(key->suite))
		return NULL;
	ipsec_mb_derive(core, key, &keys);
	context = ipsec_mb_open(core, &keys);
	explicit_bzero(&keys, sizeof(keys));
	return context;
}

const struct engine engine_ipsec_mb = {
	.name = "ipsec_mb",
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
