/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/ctl/plan_leg.h"

#include <assert.h>
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
			index_cell_load(facts->slot_index[i]), INDEX_ORIGIN_GUARD);
	room->origin_batch = plan->batch;
	plan->origins[plan->origin_count].room_id = facts->room_id;
	memcpy(plan->origins[plan->origin_count].origin, room->origin, sizeof(room->origin));
	plan->origin_count++;
	return 0;
}

/*
 * Keys that were in use before (key_store_id) may go on only where nothing about them was
 * forgotten: the same store, slots that have counted all along, a known origin, and for a speaker
 * its own indices. Everything else needs fresh keys.
 */
static int check_old_keys(
	struct plan *plan, const struct room *room, const struct stn_op_leg_put *op)
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

/* Gives a leg its record of the index store; its cells are for speakers only. */
static int take_leg_cells(struct plan *plan, struct leg *leg)
{
	struct leg_facts *facts = &leg->facts;
	struct index_cell *cells;
	bool survived;
	int error = index_store_take(
		plan->registry->store, INDEX_LEG, facts->leg_id, &cells, &survived);

	if (error == -ENOSPC)
		return refuse(plan->refusal, STN_STATUS_NO_SPACE, "the index store is full");
	if (error)
		return plan_no_memory(plan);
	leg->recorded = true;
	if (facts->role != STN_ROLE_SPEAKER)
		return 0;
	facts->source_index = &cells[INDEX_LEG_SOURCE];
	facts->source_rtcp_index = &cells[INDEX_LEG_RTCP];
	facts->report_index = &cells[INDEX_LEG_REPORT];
	for (unsigned int i = 0; i < leg->room->version->facts.slot_count; i++) {
		uint64_t reached = plan_relative_index(leg, i);

		facts->own_index[i] = &cells[INDEX_LEG_OWN + i];
		/*
		 * A leg that switches is still a listener: its place is taken behind the barrier.
		 * One that goes on from an earlier process has its place already.
		 */
		if (!leg->switching && !index_cell_load(facts->own_index[i]))
			index_cell_store(facts->own_index[i], reached);
	}
	return 0;
}

static bool mute_holds(const struct plan *plan, bool muted, uint64_t until_ns)
{
	return muted && (until_ns == 0 || until_ns > plan->now_ns);
}

static void set_leg_facts(struct leg_facts *facts, const struct stn_op_leg_put *op)
{
	facts->leg_id = op->leg_id;
	facts->room_id = op->room_id;
	facts->member_id = op->member_id;
	facts->remote = op->remote;
	facts->role = op->role;
	facts->protection = op->protection;
	facts->transport = op->transport;
	facts->profile = op->profile;
	facts->payload_type = op->payload_type;
	facts->audio_level_id = op->audio_level_id;
	facts->red_payload_type = op->red_payload_type;
	facts->source_ssrc = op->source_ssrc;
	facts->tx = op->tx;
	facts->rx = op->rx;
}

/* Listeners belong to the worker that receives for them, speakers to the one that has the room. */
static void set_leg_state(const struct plan *plan, struct leg *leg, const struct stn_op_leg_put *op)
{
	leg->facts.worker = op->role == STN_ROLE_SPEAKER
				    ? leg->room->version->facts.home_worker
				    : plan->bus->worker_of(plan->bus->impl, &op->remote);
	assert(leg->facts.worker < plan->registry->worker_count);
	leg->end_ns = op->end_ns;
	leg->muted = mute_holds(plan, op->flags & STN_LEG_MUTED, op->mute_until_ns);
	leg->mute_until_ns = leg->muted ? op->mute_until_ns : 0;
	leg->mark = plan->batch;
}

static int set_origins(struct plan *plan, struct leg *leg, const struct stn_op_leg_put *op)
{
	if (op->protection == STN_PROTECTION_GROUP)
		return 0; /* the room's own ROC, for everybody */
	if (op->flags & STN_LEG_ORIGIN_KNOWN) {
		memcpy(leg->facts.origin, op->origin,
			leg->room->version->facts.slot_count * sizeof(op->origin[0]));
		return 0;
	}
	if (room_origins(plan, leg->room))
		return -EINVAL;
	memcpy(leg->facts.origin, leg->room->origin, sizeof(leg->facts.origin));
	return 0;
}

/* Somebody else at this address: in a resync it may be one that is not wanted any more. */
static int clear_remote(struct plan *plan, const struct stn_op_leg_put *op)
{
	struct leg *holder = registry_leg_at(plan->registry, &op->remote);

	if (!holder)
		return 0;
	if (!plan->resync || holder->mark == plan->batch)
		return refuse(plan->refusal, STN_STATUS_CONFLICT,
			"the remote address of leg %llu is that of leg %llu",
			(unsigned long long)op->leg_id, (unsigned long long)holder->facts.leg_id);
	return change_remove_leg(plan->registry, plan->journal, holder) ? plan_no_memory(plan) : 0;
}

static int check_room_of_leg(
	struct plan *plan, const struct room *room, const struct stn_op_leg_put *op)
{
	if (!room || (plan->resync && room->mark != plan->batch))
		return refuse(plan->refusal, STN_STATUS_NO_ROOM, "no room %llu for leg %llu",
			(unsigned long long)op->room_id, (unsigned long long)op->leg_id);
	if (op->profile >= room->version->facts.profile_count)
		return refuse(plan->refusal, STN_STATUS_BAD_OP, "profile %u of %u", op->profile,
			room->version->facts.profile_count);
	if (op->protection == STN_PROTECTION_GROUP &&
		room->version->facts.group_key.suite == STN_SUITE_NONE)
		return refuse(plan->refusal, STN_STATUS_BAD_OP, "room %llu has no group key",
			(unsigned long long)op->room_id);
	return 0;
}

static int add_leg(struct plan *plan, const struct stn_op_leg_put *op)
{
	struct registry *registry = plan->registry;
	struct room *room = registry_room(registry, op->room_id);
	struct leg *leg;

	if (check_room_of_leg(plan, room, op))
		return -EINVAL;
	if (plan_expired(plan, op->end_ns) || plan_expired(plan, room->end_ns))
		return 0;
	if (check_old_keys(plan, room, op) || clear_remote(plan, op))
		return -EINVAL;
	if (plan->bus->route(plan->bus->impl, &op->remote))
		return refuse(plan->refusal, STN_STATUS_NO_ROUTE, "no port reaches leg %llu",
			(unsigned long long)op->leg_id);
	leg = calloc(1, sizeof(*leg));
	if (!leg)
		return plan_no_memory(plan);
	leg->room = room;
	set_leg_facts(&leg->facts, op);
	set_leg_state(plan, leg, op);
	if (set_origins(plan, leg, op))
		goto fail;
	/* A listener that was a speaker once keeps what it has received then. */
	if ((op->role == STN_ROLE_SPEAKER ||
		    index_store_has(registry->store, INDEX_LEG, op->leg_id)) &&
		take_leg_cells(plan, leg))
		goto fail;
	if (!change_add_leg(registry, plan->journal, leg))
		return 0;
	plan_no_memory(plan);
	if (leg->recorded)
		index_store_untake(registry->store, INDEX_LEG, op->leg_id);
fail:
	registry_free_leg(leg);
	return -EINVAL;
}

static bool same_leg_facts(const struct leg_facts *facts, const struct stn_op_leg_put *op)
{
	return facts->room_id == op->room_id && facts->member_id == op->member_id &&
	       facts->protection == op->protection && facts->transport == op->transport &&
	       facts->profile == op->profile &&
	       !memcmp(&facts->remote, &op->remote, sizeof(facts->remote)) &&
	       !memcmp(&facts->tx, &op->tx, sizeof(facts->tx)) &&
	       !memcmp(&facts->rx, &op->rx, sizeof(facts->rx));
}

static bool same_source(const struct leg_facts *facts, const struct stn_op_leg_put *op)
{
	return facts->role != STN_ROLE_SPEAKER ||
	       (facts->payload_type == op->payload_type &&
		       facts->audio_level_id == op->audio_level_id &&
		       facts->red_payload_type == op->red_payload_type &&
		       facts->source_ssrc == op->source_ssrc);
}

/*
 * A speaker becomes a listener: it goes on at the slots' indices, which are ahead of its own, as
 * it has heard at most what the slots have sent. Two exceptions cannot go on with these keys: a leg
 * that started just before a wrap, and one so far behind (it has spoken long itself) that its
 * receiver would guess the wrong ROC (RFC 3711 section 3.3.1: less than 2^15 ahead).
 */
static int check_own_indices(struct plan *plan, const struct leg *leg)
{
	for (unsigned int i = 0; i < leg->room->version->facts.slot_count; i++) {
		/* Read in this order: the slot's only grows meanwhile. */
		uint64_t own = index_cell_load(leg->facts.own_index[i]);
		uint64_t slot = plan_relative_index(leg, i);

		if (own > slot || slot - own >= SWITCH_GAP_MAX)
			return refuse(plan->refusal, STN_STATUS_STALE_KEY,
				"leg %llu needs fresh keys to become a listener",
				(unsigned long long)leg->facts.leg_id);
	}
	return 0;
}

/* The same leg in the other role: another object, because facts are immutable. */
static int switch_role(struct plan *plan, struct leg *old, const struct stn_op_leg_put *op)
{
	struct registry *registry = plan->registry;
	struct leg *leg;

	/* One that became a speaker in this very transaction has not sent anything as one. */
	if (old->facts.role == STN_ROLE_SPEAKER && !old->switching &&
		op->protection == STN_PROTECTION_LEG && check_own_indices(plan, old))
		return -EINVAL;
	leg = calloc(1, sizeof(*leg));
	if (!leg)
		return plan_no_memory(plan);
	leg->room = old->room;
	leg->switching = true;
	set_leg_facts(&leg->facts, op);
	set_leg_state(plan, leg, op);
	memcpy(leg->facts.origin, old->facts.origin, sizeof(leg->facts.origin));
	if ((op->role == STN_ROLE_SPEAKER || old->recorded) && take_leg_cells(plan, leg))
		goto fail;
	if (!change_remove_leg(registry, plan->journal, old) &&
		!change_add_leg(registry, plan->journal, leg))
		return 0;
	plan_no_memory(plan);
	if (leg->recorded)
		index_store_untake(registry->store, INDEX_LEG, op->leg_id);
fail:
	registry_free_leg(leg);
	return -EINVAL;
}

int plan_put_leg(struct plan *plan, const struct stn_op_leg_put *op)
{
	struct leg *leg = registry_leg(plan->registry, op->leg_id);
	struct leg_change to = {.end_ns = op->end_ns};

	plan->journal->leg_ops++;
	if (!leg)
		return add_leg(plan, op);
	if (check_room_of_leg(plan, leg->room, op))
		return -EINVAL;
	if (!same_leg_facts(&leg->facts, op) ||
		(leg->facts.role == op->role && !same_source(&leg->facts, op)))
		return refuse(plan->refusal, STN_STATUS_CONFLICT,
			"leg %llu exists with other facts", (unsigned long long)op->leg_id);
	leg->mark = plan->batch;
	if (leg->facts.role != op->role)
		return switch_role(plan, leg, op);
	to.muted = mute_holds(plan, op->flags & STN_LEG_MUTED, op->mute_until_ns);
	to.mute_until_ns = to.muted ? op->mute_until_ns : 0;
	return change_update_leg(plan->journal, leg, &to) ? plan_no_memory(plan) : 0;
}

static struct leg *find_leg(struct plan *plan, uint64_t leg_id)
{
	struct leg *leg = registry_leg(plan->registry, leg_id);

	if (!leg)
		refuse(plan->refusal, STN_STATUS_NO_LEG, "no leg %llu", (unsigned long long)leg_id);
	return leg;
}

int plan_mute_leg(struct plan *plan, const struct stn_op_leg_mute *op)
{
	struct leg *leg = find_leg(plan, op->leg_id);
	struct leg_change to;

	if (!leg)
		return -EINVAL;
	to.end_ns = leg->end_ns;
	to.muted = mute_holds(plan, op->muted, op->until_ns);
	to.mute_until_ns = to.muted ? op->until_ns : 0;
	return change_update_leg(plan->journal, leg, &to) ? plan_no_memory(plan) : 0;
}

int plan_remove_leg(struct plan *plan, uint64_t leg_id)
{
	struct leg *leg = find_leg(plan, leg_id);

	if (!leg)
		return -EINVAL;
	return change_remove_leg(plan->registry, plan->journal, leg) ? plan_no_memory(plan) : 0;
}
