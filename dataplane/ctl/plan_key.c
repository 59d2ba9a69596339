/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/ctl/plan_key.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/core/index.h"

/* Half of what a receiver can bridge, as the slot moves on until the switch is done. */
#define SWITCH_GAP_MAX 0x4000

/* All legs that are new in a room in one transaction start from the same origins. */
static int room_origins(struct plan *plan, struct room *room)
{
	const struct room_facts *facts = &room->version->facts;

	if (room->origin_batch == plan->batch)
		return 0;
	if (plan->origin_count == plan->origin_capacity) {
		uint32_t capacity = plan->origin_capacity ? 2 * plan->origin_capacity : 4;
		struct stn_room_origin *origins =
			realloc(plan->origins, capacity * sizeof(*origins));

		if (!origins)
			return plan_no_memory(plan);
		plan->origins = origins;
		plan->origin_capacity = capacity;
	}
	memset(room->origin, 0, sizeof(room->origin));
	for (unsigned int i = 0; i < facts->slot_count; i++)
		room->origin[i] = index_origin_for_join(
			index_cell_load(facts->slot_index[i]), index_guard_behind(plan->ahead));
	room->origin_batch = plan->batch;
	plan->origins[plan->origin_count].room_id = facts->room_id;
	memcpy(plan->origins[plan->origin_count].origin, room->origin, sizeof(room->origin));
	plan->origin_count++;
	return 0;
}

int plan_set_origins(struct plan *plan, struct leg *leg, const struct stn_op_leg_put *op)
{
	if (op->protection == STN_PROTECTION_GROUP)
		return 0; /* the room's own ROC, for everybody */
	if (op->flags & STN_LEG_ORIGIN_KNOWN) {
		memcpy(leg->version->facts.origin, op->origin,
			leg->room->version->facts.slot_count * sizeof(op->origin[0]));
		return 0;
	}
	if (room_origins(plan, leg->room))
		return -EINVAL;
	memcpy(leg->version->facts.origin, leg->room->origin, sizeof(leg->version->facts.origin));
	return 0;
}

int plan_check_old_keys(struct plan *plan, const struct room *room, const struct stn_op_leg_put *op)
{
	struct index_store *store = plan->registry->store;
	bool known = op->flags & STN_LEG_ORIGIN_KNOWN;

	if (!op->key_store_id && !known)
		return 0;
	if (op->key_store_id != index_store_id(store) || !room->survived)
		return refuse(plan->refusal, STN_STATUS_STALE_KEY,
			"the keys of leg %llu belong to indices that are gone",
			(unsigned long long)op->leg_id);
	if (op->role == STN_ROLE_SPEAKER && !index_store_has(store, INDEX_LEG, op->leg_id))
		return refuse(plan->refusal, STN_STATUS_STALE_KEY,
			"the indices of speaker %llu are gone", (unsigned long long)op->leg_id);
	if (op->protection == STN_PROTECTION_GROUP)
		return 0;
	if (!known)
		return refuse(plan->refusal, STN_STATUS_STALE_KEY,
			"the origin of leg %llu is not known", (unsigned long long)op->leg_id);
	for (unsigned int i = 0; i < room->version->facts.slot_count; i++) {
		uint64_t last = index_cell_load(room->version->facts.slot_index[i]);

		if (op->origin[i] > index_roc(last) + UINT64_C(1))
			return refuse(plan->refusal, STN_STATUS_STALE_KEY,
				"origin[%u] of leg %llu is ahead of its slot", i,
				(unsigned long long)op->leg_id);
	}
	return 0;
}

int plan_take_cells(struct plan *plan, struct leg *leg)
{
	struct leg_facts *facts = &leg->version->facts;
	struct index_cell *cells;
	bool survived;
	int error = index_store_take(
		plan->registry->store, INDEX_LEG, facts->leg_id, &cells, &survived);

	if (error == -ENOSPC)
		return refuse(plan->refusal, STN_STATUS_NO_SPACE, "the index store is full");
	if (error)
		return plan_no_memory(plan);
	leg->recorded = true;
	facts->cells = cells;
	if (facts->role != STN_ROLE_SPEAKER)
		return 0;
	for (unsigned int i = 0; i < leg->room->version->facts.slot_count; i++) {
		uint64_t reached = plan_relative_index(leg, i);

		/*
		 * A leg that switches is still a listener: its place is taken behind the barrier.
		 * One that goes on from an earlier process has its place already.
		 */
		if (!leg->switching && !index_cell_load(&cells[LEG_CELL_OWN + i]))
			index_cell_store(&cells[LEG_CELL_OWN + i], reached);
	}
	return 0;
}

int plan_check_own_indices(struct plan *plan, const struct leg *leg)
{
	for (unsigned int i = 0; i < leg->room->version->facts.slot_count; i++) {
		/* Read in this order: the slot's only grows meanwhile. */
		uint64_t own = index_cell_load(&leg->version->facts.cells[LEG_CELL_OWN + i]);
		uint64_t slot = plan_relative_index(leg, i);

		if (own > slot || slot - own >= SWITCH_GAP_MAX)
			return refuse(plan->refusal, STN_STATUS_STALE_KEY,
				"leg %llu needs fresh keys to become a listener",
				(unsigned long long)leg->version->facts.leg_id);
	}
	return 0;
}
