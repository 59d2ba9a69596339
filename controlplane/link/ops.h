/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The operations of one transaction, as they go over table.sock. Plain memory of the thread that
 * fills it, without a bound of its own: link_submit() has one.
 */
#ifndef STENTOR_CONTROLPLANE_LINK_OPS_H
#define STENTOR_CONTROLPLANE_LINK_OPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/api/table.h"

/* Operations in the order in which they take effect; the memory is the struct's own. */
struct link_ops {
	uint8_t *bytes;
	size_t size;
	size_t capacity;
	uint32_t count;
	bool failed; /* out of memory: sticky, link_submit() returns -ENOMEM */
};

/* Plain memory: zero it to begin with. op.type and op.size are filled in by link_ops_*(). */
void link_ops_room_put(struct link_ops *ops, const struct stn_op_room_put *op);
void link_ops_room_remove(struct link_ops *ops, uint64_t room_id);
void link_ops_leg_put(struct link_ops *ops, const struct stn_op_leg_put *op);
void link_ops_leg_remove(struct link_ops *ops, uint64_t leg_id);
void link_ops_leg_mute(struct link_ops *ops, uint64_t leg_id, bool muted, uint64_t until_ns);
void link_ops_leg_ice(struct link_ops *ops, const struct stn_op_leg_ice *op);
/* Zeroises (keys) and frees; the struct can be filled again. */
void link_ops_clear(struct link_ops *ops);

#endif
