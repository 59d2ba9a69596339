// SPDX-License-Identifier: BSD-3-Clause
/*
 * Memory of rooms whose turn comes soon. A small room's packet is over in a microsecond, and all
 * that it touches is cold: the room, its facts, the packet, the block. One load leads to the next,
 * so a room is looked at three times, a room's turn apart each: what a step asks for is there when
 * the next one needs it.
 */
#include <rte_prefetch.h>

#include "dataplane/io/stage.h"

#define LINE 64u
/* Of the keys: the engine asks for those that follow itself, a group of legs ahead. */
#define KEY_LINES 16u

static void fetch(const void *from, size_t size)
{
	const uint8_t *p = from;
	size_t at;

	for (at = 0; at < size; at += LINE)
		rte_prefetch0(p + at);
}

static void fetch_room(const struct worker_room *room)
{
	fetch(room, offsetof(struct worker_room, shard.group[1]));
}

static void fetch_packet(const struct worker *worker, const struct worker_room *room)
{
	struct rte_mbuf *mbuf;

	fetch(room->facts, LINE);
	fetch(room->shard.group[0].blocks, LINE);
	if (room->queue.count == 0)
		return;
	mbuf = queue_first(&worker->queue, room);
	fetch(mbuf, LINE);
	fetch(packet_meta(mbuf), sizeof(struct packet_meta));
}

static void fetch_block(const struct worker *worker, const struct worker_room *room)
{
	const struct leg_group *group = &room->shard.group[0];
	const struct slot_packet *packet;
	struct leg_block *block;
	uint32_t legs = RTE_MIN(group->count, ENGINE_BLOCK_LEGS);

	if (room->queue.count == 0)
		return;
	packet = &packet_meta(queue_first(&worker->queue, room))->slot;
	fetch(packet->payload, packet->payload_size);
	if (room->shard.group_count == 0 || group->count == 0)
		return;
	block = shard_block(group, 0);
	fetch(shard_origins(block, packet->slot), ENGINE_BLOCK_LEGS * sizeof(uint32_t));
	fetch(shard_parts(group, block, 0), (size_t)legs * group->part_size);
	if (group->keys_offset != 0)
		fetch(shard_keys(group, block), KEY_LINES * LINE);
}

void ahead_fetch(const struct worker *worker)
{
	const struct worker_queue *queue = &worker->queue;
	uint32_t length = queue_length(queue);

	if (length > 3)
		fetch_room(queue_at(queue, 3)->room);
	if (length > 2)
		fetch_packet(worker, queue_at(queue, 2)->room);
	if (length > 1)
		fetch_block(worker, queue_at(queue, 1)->room);
}
