/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The listeners of one room on one worker, laid out for fan-out. Legs that share everything but
 * key, origin and destination form a group (profile, protection, suite, port, headers); a group
 * is a list of blocks of ENGINE_BLOCK_LEGS lanes, dense up to its count. A leg is found by its
 * position in its group: block position / 64, lane position % 64.
 *
 * Owned by one worker; immutable facts were copied in, nothing points outside except the arena.
 * A leg can be silenced in place (shard_silence) while a fan-out is under way and is taken out by
 * moving the last leg into its place (shard_remove) when none is: a moved leg would be missed.
 */
#ifndef STENTOR_DATAPLANE_CORE_SHARD_H
#define STENTOR_DATAPLANE_CORE_SHARD_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/core/arena.h"
#include "dataplane/core/frame.h"
#include "dataplane/core/heading.h"
#include "dataplane/crypto/engine.h"

#define SHARD_SLOTS_MAX 8
#define SHARD_GROUPS_MAX 32
#define SHARD_NO_LEG UINT32_MAX

/* An origin this far ahead of any ROC is never reached: the leg gets nothing. */
#define SHARD_ORIGIN_NEVER(roc) ((uint32_t)(roc) + 0x7fffffffu)

struct group_key {
	enum suite suite; /* SUITE_NONE: the room's group key protects */
	uint8_t profile;
	uint8_t port;          /* position among the data plane's ports */
	uint8_t template_size; /* Ethernet to UDP, bytes */
};

/*
 * What no copy reads. Followed in memory by a row of origins for each slot of the room, by the
 * legs' parts of the headers (heading.h), and by the engine's keys.
 */
struct leg_block {
	uint32_t leg[ENGINE_BLOCK_LEGS];
	bool silenced[ENGINE_BLOCK_LEGS];
};
_Static_assert(sizeof(struct leg_block) % 64 == 0, "the rows start on a cache line");

struct leg_group {
	struct group_key key;
	uint8_t common[FRAME_TEMPLATE_MAX]; /* of the legs' headers, template_size bytes of it */
	uint32_t part_size;                 /* of each leg's own part: 16 or 32 */
	uint32_t parts_offset;              /* bytes from the block's start */
	uint32_t block_size;                /* bytes */
	uint32_t keys_offset;               /* bytes from the block's start, 0: no keys */
	uint32_t count;                     /* legs, silenced ones included */
	uint32_t block_count;               /* blocks in use */
	uint32_t block_capacity;            /* entries of blocks */
	struct leg_block **blocks;          /* from the arena; grows by doubling */
};

struct shard {
	const struct engine *engine;
	struct arena *arena;
	heading_writer write_headings;
	uint32_t slots;    /* of the room */
	uint32_t legs;     /* not silenced */
	uint32_t silenced; /* waiting to be taken out */
	unsigned int group_count;
	struct leg_group group[SHARD_GROUPS_MAX];
};

/* Where a leg lies; kept by the caller, updated when another leg moves. */
struct shard_place {
	uint16_t group; /* UINT16_MAX: nowhere */
	uint32_t position;
};

struct shard_leg {
	struct group_key group;       /* template_size is taken from the template */
	uint32_t leg;                 /* handle */
	const struct master_key *key; /* NULL with SUITE_NONE */
	const struct frame_template *template;
	const uint32_t *origin; /* of each slot */
};

/* slots: 1 to SHARD_SLOTS_MAX. */
void shard_init(
	struct shard *shard, const struct engine *engine, struct arena *arena, unsigned int slots);
/* Gives all memory back, keys zeroised. */
void shard_close(struct shard *shard);
/* 0 and *place, or -ENOSPC (groups), -ENOMEM (arena), or what the engine says of the key. */
int shard_add(struct shard *shard, struct engine_core *core, const struct shard_leg *leg,
	struct shard_place *place);
/* At once nothing more is sent to the leg; its place stays. roc: of each slot, now. */
void shard_silence(struct shard *shard, const struct shard_place *place, const uint32_t roc[]);
/* Takes the leg out. Returns the handle of the leg that moved into its place, or SHARD_NO_LEG. */
uint32_t shard_remove(struct shard *shard, const struct shard_place *place);
/* Changes the destination MAC and, if it was held back, lets a leg start at these origins. */
void shard_release(struct shard *shard, const struct shard_place *place, const uint8_t mac[6],
	const uint32_t origin[]);

/*
 * Other headers of the same kind for a leg; what it is held back for stays. -ENOENT when they
 * belong into another group: then nothing has changed.
 */
int shard_redirect(struct shard *shard, const struct shard_place *place, uint8_t port,
	const struct frame_template *template);

static inline struct leg_block *shard_block(const struct leg_group *group, uint32_t position)
{
	return group->blocks[position / ENGINE_BLOCK_LEGS];
}

static inline bool shard_is_silenced(const struct shard *shard, const struct shard_place *place)
{
	const struct leg_block *block = shard_block(&shard->group[place->group], place->position);

	return block->silenced[place->position % ENGINE_BLOCK_LEGS];
}

/* The row of a slot: an origin for each lane. */
static inline uint32_t *shard_origins(struct leg_block *block, unsigned int slot)
{
	return (uint32_t *)(block + 1) + (size_t)slot * ENGINE_BLOCK_LEGS;
}

/* From this lane on. */
static inline uint8_t *shard_parts(
	const struct leg_group *group, struct leg_block *block, uint32_t lane)
{
	return (uint8_t *)block + group->parts_offset + (size_t)lane * group->part_size;
}

static inline void *shard_keys(const struct leg_group *group, struct leg_block *block)
{
	return (uint8_t *)block + group->keys_offset;
}

#endif
