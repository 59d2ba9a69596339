/* SPDX-License-Identifier: BSD-3-Clause */
#include "controlplane/link/ops.h"

#include <stdlib.h>
#include <string.h>

/* Space for one more operation, or NULL. Keys must not stay behind in memory that was outgrown. */
static void *reserve(struct link_ops *ops, size_t size)
{
	size_t capacity = ops->capacity ? 2 * ops->capacity : 4096;
	uint8_t *bytes;

	if (ops->failed)
		return NULL;
	if (ops->capacity - ops->size >= size)
		return ops->bytes + ops->size;
	bytes = malloc(capacity);
	if (!bytes) {
		ops->failed = true;
		return NULL;
	}
	if (ops->bytes) {
		memcpy(bytes, ops->bytes, ops->size);
		explicit_bzero(ops->bytes, ops->size);
		free(ops->bytes);
	}
	ops->bytes = bytes;
	ops->capacity = capacity;
	return bytes + ops->size;
}

static void add(struct link_ops *ops, const void *op, enum stn_op_type type, size_t size)
{
	struct stn_op header = {.type = (uint16_t)type, .size = (uint16_t)size};
	uint8_t *to = reserve(ops, size);

	if (!to)
		return;
	memcpy(to, op, size);
	memcpy(to, &header, sizeof(header));
	ops->size += size;
	ops->count++;
}

void link_ops_room_put(struct link_ops *ops, const struct stn_op_room_put *op)
{
	add(ops, op, STN_OP_ROOM_PUT, sizeof(*op));
}

void link_ops_room_remove(struct link_ops *ops, uint64_t room_id)
{
	struct stn_op_room_remove op = {.room_id = room_id};

	add(ops, &op, STN_OP_ROOM_REMOVE, sizeof(op));
}

void link_ops_leg_put(struct link_ops *ops, const struct stn_op_leg_put *op)
{
	add(ops, op, STN_OP_LEG_PUT, sizeof(*op));
}

void link_ops_leg_remove(struct link_ops *ops, uint64_t leg_id)
{
	struct stn_op_leg_remove op = {.leg_id = leg_id};

	add(ops, &op, STN_OP_LEG_REMOVE, sizeof(op));
}

void link_ops_leg_mute(struct link_ops *ops, uint64_t leg_id, bool muted, uint64_t until_ns)
{
	struct stn_op_leg_mute op = {.leg_id = leg_id, .muted = muted, .until_ns = until_ns};

	add(ops, &op, STN_OP_LEG_MUTE, sizeof(op));
}

void link_ops_leg_ice(struct link_ops *ops, const struct stn_op_leg_ice *op)
{
	add(ops, op, STN_OP_LEG_ICE, sizeof(*op));
}

void link_ops_clear(struct link_ops *ops)
{
	if (ops->bytes)
		explicit_bzero(ops->bytes, ops->size);
	free(ops->bytes);
	*ops = (struct link_ops){0};
}
