/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/ctl/plan_room.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "dataplane/core/index.h"

static int random_u32(uint32_t *value)
{
	while (getrandom(value, sizeof(*value), 0) != sizeof(*value))
		if (errno != EINTR)
			return -errno;
	return 0;
}

static void set_room_facts(struct room_facts *facts, const struct stn_op_room_put *op)
{
	facts->room_id = op->room_id;
	facts->slot_count = op->slot_count;
	facts->profile_count = op->profile_count;
	memcpy(facts->slot_ssrc, op->slot_ssrc, sizeof(facts->slot_ssrc));
	memcpy(facts->profile, op->profile, sizeof(facts->profile));
	facts->group_key = op->group_key;
}

/* The cells of a room: those of an earlier process go on, new ones start at a random place. */
static int take_room_cells(struct plan *plan, struct room *room)
{
	struct room_facts *facts = &room->version->facts;
	struct index_cell *cells;
	int error = index_store_take(
		plan->registry->store, INDEX_ROOM, facts->room_id, &cells, &room->survived);

	if (error == -ENOSPC)
		return refuse(plan->refusal, STN_STATUS_NO_SPACE, "the index store is full");
	if (error)
		return plan_no_memory(plan);
	for (unsigned int i = 0; i < facts->slot_count; i++) {
		uint32_t random[2];

		facts->slot_index[i] = &cells[INDEX_ROOM_SLOT + i];
		facts->slot_clock[i] = &cells[INDEX_ROOM_CLOCK + i];
		facts->slot_report[i] = &cells[INDEX_ROOM_REPORT + i];
		if (index_cell_load(facts->slot_index[i]))
			continue;
		if (random_u32(&random[0]) || random_u32(&random[1])) {
			index_store_untake(plan->registry->store, INDEX_ROOM, facts->room_id);
			return refuse(plan->refusal, STN_STATUS_NO_SPACE, "no random numbers");
		}
		index_cell_store(facts->slot_clock[i], random[1]);
		index_cell_store(facts->slot_index[i], index_initial(random[0]));
	}
	return 0;
}

static int add_room(struct plan *plan, const struct stn_op_room_put *op)
{
	struct registry *registry = plan->registry;
	struct room *room = calloc(1, sizeof(*room));
	uint64_t store_id = index_store_id(registry->store);

	if (room)
		room->version = calloc(1, sizeof(*room->version));
	if (!room || !room->version) {
		free(room);
		return plan_no_memory(plan);
	}
	set_room_facts(&room->version->facts, op);
	room->version->facts.home_worker = registry_home(registry);
	room->end_ns = op->end_ns;
	room->mark = plan->batch;
	if (take_room_cells(plan, room))
		goto fail;
	/* A key that was in use goes on only with the indices it was used with. */
	if (op->group_key.suite != STN_SUITE_NONE && op->group_key_store_id &&
		!plan_expired(plan, op->end_ns) &&
		(op->group_key_store_id != store_id || !room->survived)) {
		refuse(plan->refusal, STN_STATUS_STALE_KEY,
			"the group key belongs to indices that are gone");
	} else if (change_add_room(registry, plan->journal, room)) {
		plan_no_memory(plan);
	} else {
		return 0;
	}
	index_store_untake(registry->store, INDEX_ROOM, op->room_id);
fail:
	registry_free_room(room);
	return -EINVAL;
}

static bool same_room_facts(const struct room_facts *facts, const struct stn_op_room_put *op)
{
	return facts->slot_count == op->slot_count && op->profile_count >= facts->profile_count &&
	       !memcmp(facts->slot_ssrc, op->slot_ssrc, sizeof(facts->slot_ssrc)) &&
	       !memcmp(facts->profile, op->profile,
		       facts->profile_count * sizeof(facts->profile[0])) &&
	       !memcmp(&facts->group_key, &op->group_key, sizeof(facts->group_key));
}

int plan_put_room(struct plan *plan, const struct stn_op_room_put *op)
{
	struct room *room = registry_room(plan->registry, op->room_id);
	struct room_version *version = NULL;

	if (!room)
		return add_room(plan, op);
	if (!same_room_facts(&room->version->facts, op))
		return refuse(plan->refusal, STN_STATUS_CONFLICT,
			"room %llu exists with other slots, profiles or group key",
			(unsigned long long)op->room_id);
	room->mark = plan->batch;
	if (room->version->facts.profile_count != op->profile_count) {
		version = malloc(sizeof(*version));
		if (!version)
			return plan_no_memory(plan);
		*version = *room->version;
		set_room_facts(&version->facts, op);
	}
	if (!version && room->end_ns == op->end_ns)
		return 0;
	if (!change_update_room(plan->journal, room, version, op->end_ns))
		return 0;
	if (version)
		registry_free_version(version);
	return plan_no_memory(plan);
}

int plan_remove_room(struct plan *plan, uint64_t room_id)
{
	struct room *room = registry_room(plan->registry, room_id);

	if (!room)
		return refuse(plan->refusal, STN_STATUS_NO_ROOM, "no room %llu",
			(unsigned long long)room_id);
	if (change_remove_room(plan->registry, plan->journal, room))
		return plan_no_memory(plan);
	return 0;
}
