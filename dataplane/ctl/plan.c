/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/ctl/plan.h"

#include <errno.h>

int plan_no_memory(struct plan *plan)
{
	return refuse(plan->refusal, STN_STATUS_NO_SPACE, "out of memory");
}

bool plan_expired(const struct plan *plan, uint64_t end_ns)
{
	return plan->resync && end_ns && end_ns <= plan->now_ns;
}

uint64_t plan_relative_index(const struct leg *leg, unsigned int slot)
{
	uint64_t last = index_cell_load(leg->room->version->facts.slot_index[slot]);
	uint64_t origin = (uint64_t)leg->version->facts.origin[slot] << 16;

	return last > origin ? last - origin : 0;
}

static int sweep(struct plan *plan)
{
	struct registry *registry = plan->registry;

	plan->journal->op = UINT32_MAX;
	for (uint32_t i = 0; i < registry->legs_max; i++) {
		struct leg *leg = registry->leg_handles.by_handle[i];

		if (leg && !leg->removed && leg->mark != plan->batch &&
			change_remove_leg(registry, plan->journal, leg))
			return plan_no_memory(plan);
	}
	for (uint32_t i = 0; i < registry->rooms_max; i++) {
		struct room *room = registry->room_handles.by_handle[i];

		if (room && !room->removed && room->mark != plan->batch &&
			change_remove_room(registry, plan->journal, room))
			return plan_no_memory(plan);
	}
	return 0;
}

static int over(struct plan *plan, const struct change *change, const char *what, uint32_t limit)
{
	refuse(plan->refusal, STN_STATUS_NO_SPACE, "%s: the limit is %u", what, limit);
	plan->refusal->failed_op = change ? change->op : UINT32_MAX;
	return -EINVAL;
}

static int check_limits(struct plan *plan)
{
	struct registry *registry = plan->registry;
	const struct change *last_room = NULL;
	const struct change *last_leg = NULL;

	for (uint32_t i = 0; i < plan->journal->count; i++) {
		const struct change *change = &plan->journal->changes[i];

		if (change->kind == CHANGE_ROOM_ADD)
			last_room = change;
		if (change->kind != CHANGE_LEG_ADD)
			continue;
		last_leg = change;
		if (!change->leg->removed && change->leg->room->speakers > plan->room_speakers_max)
			return over(plan, change, "speakers of a room", plan->room_speakers_max);
	}
	if (registry_room_count(registry) > registry->rooms_max)
		return over(plan, last_room, "rooms", registry->rooms_max);
	if (registry_leg_count(registry) > registry->legs_max)
		return over(plan, last_leg, "legs", registry->legs_max);
	return 0;
}

int plan_finish(struct plan *plan)
{
	if (plan->resync && sweep(plan))
		return -EINVAL;
	return check_limits(plan);
}
