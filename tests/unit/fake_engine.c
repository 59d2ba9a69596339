// SPDX-License-Identifier: BSD-3-Clause
#include "tests/unit/fake_engine.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct fake_block {
	struct master_key key[ENGINE_BLOCK_LEGS];
};

static bool available(void)
{
	return true;
}

static struct engine_core *core_open(void)
{
	struct fake_core *core = calloc(1, sizeof(*core));

	if (core != NULL)
		core->refuse = -1;
	return (struct engine_core *)core;
}

static void core_close(struct engine_core *core)
{
	free(core);
}

static size_t block_size(enum suite suite)
{
	/* Different for each suite, as it is in real engines. */
	return sizeof(struct fake_block) + 64 * (size_t)suite;
}

static int key_set(
	struct engine_core *core, void *block, unsigned int lane, const struct master_key *key)
{
	struct fake_core *fake = (struct fake_core *)core;

	assert(lane < ENGINE_BLOCK_LEGS);
	if (fake->refuse == 0)
		return -EINVAL;
	if (fake->refuse > 0)
		fake->refuse--;
	((struct fake_block *)block)->key[lane] = *key;
	return 0;
}

static void key_clear(enum suite suite, void *block, unsigned int lane)
{
	assert(lane < ENGINE_BLOCK_LEGS);
	memset(&((struct fake_block *)block)->key[lane], 0, sizeof(struct master_key));
}

static void key_move(
	enum suite suite, void *to, unsigned int to_lane, void *from, unsigned int from_lane)
{
	((struct fake_block *)to)->key[to_lane] = ((struct fake_block *)from)->key[from_lane];
	key_clear(suite, from, from_lane);
}

static void protect_run(struct engine_core *core, enum suite suite, const void *block,
	unsigned int first, unsigned int count, const struct plaintext *p, const uint32_t roc[],
	uint8_t *const out[])
{
	struct fake_core *fake = (struct fake_core *)core;
	unsigned int i;

	assert(count >= 1 && first + count <= ENGINE_BLOCK_LEGS);
	fake->runs++;
	if (count > fake->longest_run)
		fake->longest_run = count;
	for (i = 0; i < count; i++) {
		const struct master_key *key = &((const struct fake_block *)block)->key[first + i];
		struct fake_tag tag = {.roc = roc[i]};

		memcpy(tag.key, key->key, sizeof(tag.key));
		memcpy(out[i], p->header, p->header_size);
		memcpy(out[i] + p->header_size, p->payload, p->payload_size);
		memcpy(out[i] + p->header_size + p->payload_size, &tag,
			suite_facts(suite)->tag_size);
	}
}

const struct engine fake_engine = {
	.name = "fake",
	.available = available,
	.open = core_open,
	.close = core_close,
	.block_size = block_size,
	.key_set = key_set,
	.key_move = key_move,
	.key_clear = key_clear,
	.protect_run = protect_run,
};
