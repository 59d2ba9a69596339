// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/core/shard.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BLOCKS_FIRST 8u /* block pointers of a new group: one cache line */

void shard_init(
	struct shard *shard, const struct engine *engine, struct arena *arena, unsigned int slots)
{
	assert(slots >= 1 && slots <= SHARD_SLOTS_MAX);
	memset(shard, 0, sizeof(*shard));
	shard->slots = slots;
	shard->write_headings = heading_writer_find();
	shard->engine = engine;
	shard->arena = arena;
}

static size_t pointers_size(uint32_t capacity)
{
	return (size_t)capacity * sizeof(struct leg_block *);
}

/*
 * Arrays of block pointers double, and the arena keeps a handful of sizes only, so they are cut
 * from malloc: growth happens once in 512 joins and then ever more rarely.
 */
static int group_reserve(struct leg_group *group)
{
	struct leg_block **blocks;
	uint32_t capacity = group->block_capacity ? group->block_capacity * 2 : BLOCKS_FIRST;

	if (group->block_count < group->block_capacity)
		return 0;
	blocks = realloc(group->blocks, pointers_size(capacity));
	if (blocks == NULL)
		return -ENOMEM;
	group->blocks = blocks;
	group->block_capacity = capacity;
	return 0;
}

static bool key_equal(const struct group_key *a, const struct group_key *b)
{
	return a->suite == b->suite && a->profile == b->profile && a->port == b->port &&
	       a->template_size == b->template_size;
}

static void group_init(struct shard *shard, struct leg_group *group, const struct group_key *key,
	const uint8_t common[FRAME_TEMPLATE_MAX])
{
	size_t keys = key->suite == SUITE_NONE ? 0 : shard->engine->block_size(key->suite);
	size_t rows = shard->slots * sizeof(uint32_t) * ENGINE_BLOCK_LEGS, end;

	memset(group, 0, sizeof(*group));
	group->key = *key;
	memcpy(group->common, common, sizeof(group->common));
	group->part_size = heading_leg_size(key->template_size);
	group->parts_offset = (uint32_t)(sizeof(struct leg_block) + rows);
	end = group->parts_offset + (size_t)group->part_size * ENGINE_BLOCK_LEGS;
	if (keys != 0)
		group->keys_offset = (uint32_t)end;
	group->block_size = (uint32_t)(end + keys);
}

static struct leg_group *group_get(
	struct shard *shard, const struct group_key *key, const uint8_t common[FRAME_TEMPLATE_MAX])
{
	struct leg_group *group;
	unsigned int i;

	for (i = 0; i < shard->group_count; i++)
		if (key_equal(&shard->group[i].key, key) &&
			memcmp(shard->group[i].common, common, FRAME_TEMPLATE_MAX) == 0)
			return &shard->group[i];
	if (shard->group_count == SHARD_GROUPS_MAX)
		return NULL;
	group = &shard->group[shard->group_count++];
	group_init(shard, group, key, common);
	return group;
}

static void block_drop(struct shard *shard, struct leg_group *group)
{
	group->block_count--;
	arena_put(shard->arena, group->blocks[group->block_count], group->block_size);
	group->blocks[group->block_count] = NULL;
}

int shard_add(struct shard *shard, struct engine_core *core, const struct shard_leg *leg,
	struct shard_place *place)
{
	uint8_t common[FRAME_TEMPLATE_MAX], part[32];
	struct group_key key = leg->group;
	struct leg_group *group;
	struct leg_block *block;
	uint32_t lane, slot;
	int rc;

	key.template_size = leg->template->size;
	heading_split(leg->template, common, part);
	group = group_get(shard, &key, common);
	if (group == NULL)
		return -ENOSPC;
	lane = group->count % ENGINE_BLOCK_LEGS;
	if (lane == 0) {
		rc = group_reserve(group);
		if (rc < 0)
			return rc;
		block = arena_get(shard->arena, group->block_size);
		if (block == NULL)
			return -ENOMEM;
		group->blocks[group->block_count++] = block;
	}
	block = shard_block(group, group->count);
	if (group->keys_offset != 0) {
		rc = shard->engine->key_set(core, shard_keys(group, block), lane, leg->key);
		if (rc < 0) {
			if (lane == 0)
				block_drop(shard, group);
			return rc;
		}
	}
	memcpy(shard_parts(group, block, lane), part, group->part_size);
	for (slot = 0; slot < shard->slots; slot++)
		shard_origins(block, slot)[lane] = leg->origin[slot];
	block->leg[lane] = leg->leg;
	block->silenced[lane] = false;
	place->group = (uint16_t)(group - shard->group);
	place->position = group->count++;
	shard->legs++;
	return 0;
}

void shard_silence(struct shard *shard, const struct shard_place *place, const uint32_t roc[])
{
	struct leg_group *group = &shard->group[place->group];
	struct leg_block *block = shard_block(group, place->position);
	uint32_t lane = place->position % ENGINE_BLOCK_LEGS, slot;

	if (block->silenced[lane])
		return;
	block->silenced[lane] = true;
	for (slot = 0; slot < shard->slots; slot++)
		shard_origins(block, slot)[lane] = SHARD_ORIGIN_NEVER(roc[slot]);
	shard->legs--;
	shard->silenced++;
}

static void leg_move(struct shard *shard, struct leg_group *group, uint32_t to, uint32_t from)
{
	struct leg_block *b = shard_block(group, to), *a = shard_block(group, from);
	uint32_t i = to % ENGINE_BLOCK_LEGS, j = from % ENGINE_BLOCK_LEGS, slot;

	memcpy(shard_parts(group, b, i), shard_parts(group, a, j), group->part_size);
	for (slot = 0; slot < shard->slots; slot++)
		shard_origins(b, slot)[i] = shard_origins(a, slot)[j];
	b->leg[i] = a->leg[j];
	b->silenced[i] = a->silenced[j];
	if (group->keys_offset != 0)
		shard->engine->key_move(
			group->key.suite, shard_keys(group, b), i, shard_keys(group, a), j);
}

uint32_t shard_remove(struct shard *shard, const struct shard_place *place)
{
	struct leg_group *group = &shard->group[place->group];
	struct leg_block *block = shard_block(group, place->position);
	uint32_t lane = place->position % ENGINE_BLOCK_LEGS;
	uint32_t last = group->count - 1, moved = SHARD_NO_LEG;

	assert(place->position < group->count);
	if (block->silenced[lane])
		shard->silenced--;
	else
		shard->legs--;
	if (group->keys_offset != 0)
		shard->engine->key_clear(group->key.suite, shard_keys(group, block), lane);
	if (place->position != last) {
		leg_move(shard, group, place->position, last);
		moved = block->leg[lane];
	}
	group->count--;
	if (group->count % ENGINE_BLOCK_LEGS == 0)
		block_drop(shard, group);
	return moved;
}

void shard_release(struct shard *shard, const struct shard_place *place, const uint8_t mac[6],
	const uint32_t origin[])
{
	struct leg_group *group = &shard->group[place->group];
	struct leg_block *block = shard_block(group, place->position);
	uint32_t lane = place->position % ENGINE_BLOCK_LEGS, slot;

	memcpy(shard_parts(group, block, lane) + HEADING_MAC, mac, FRAME_MAC_SIZE);
	if (block->silenced[lane])
		return;
	for (slot = 0; slot < shard->slots; slot++)
		shard_origins(block, slot)[lane] = origin[slot];
}

int shard_redirect(struct shard *shard, const struct shard_place *place, uint8_t port,
	const struct frame_template *template)
{
	struct leg_group *group = &shard->group[place->group];
	struct leg_block *block = shard_block(group, place->position);
	uint8_t common[FRAME_TEMPLATE_MAX], part[32];

	if (group->key.port != port || group->key.template_size != template->size)
		return -ENOENT;
	heading_split(template, common, part);
	if (memcmp(group->common, common, sizeof(common)) != 0)
		return -ENOENT;
	memcpy(shard_parts(group, block, place->position % ENGINE_BLOCK_LEGS), part,
		group->part_size);
	return 0;
}

void shard_close(struct shard *shard)
{
	unsigned int i;
	uint32_t position;

	for (i = 0; i < shard->group_count; i++) {
		struct leg_group *group = &shard->group[i];

		/* The libsrtp engine's keys are objects: clear lane by lane. */
		for (position = 0; group->keys_offset != 0 && position < group->count; position++)
			shard->engine->key_clear(group->key.suite,
				shard_keys(group, shard_block(group, position)),
				position % ENGINE_BLOCK_LEGS);
		while (group->block_count > 0)
			block_drop(shard, group);
		free(group->blocks);
	}
	memset(shard->group, 0, sizeof(shard->group));
	shard->group_count = 0;
	shard->legs = 0;
	shard->silenced = 0;
}
