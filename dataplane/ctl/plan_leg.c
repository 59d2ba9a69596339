/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/ctl/plan_leg.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/core/ice.h"
#include "dataplane/ctl/plan_key.h"

static bool mute_holds(const struct plan *plan, bool muted, uint64_t until_ns)
{
	return muted && (until_ns == 0 || until_ns > plan->now_ns);
}

static void set_leg_facts(struct leg_facts *facts, const struct stn_op_leg_put *op)
{
	facts->leg_id = op->leg_id;
	facts->member_id = op->member_id;
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
static uint32_t owner(
	const struct plan *plan, const struct room *room, const struct stn_op_leg_put *op)
{
	if (op->role == STN_ROLE_SPEAKER)
		return room->version->facts.home_worker;
	if (op->transport == STN_TRANSPORT_WEBRTC)
		return plan->bus->worker_of_leg(plan->bus->impl, op->leg_id);
	return plan->bus->worker_of(plan->bus->impl, &op->remote);
}

/* A leg that nobody knows of yet; its address is the caller's to set. NULL: refused. */
static struct leg *new_leg(struct plan *plan, struct room *room, const struct stn_op_leg_put *op)
{
	struct leg *leg = registry_make_leg(op->transport == STN_TRANSPORT_WEBRTC);

	if (!leg) {
		plan_no_memory(plan);
		return NULL;
	}
	leg->room = room;
	set_leg_facts(&leg->version->facts, op);
	leg->version->facts.worker = (uint8_t)owner(plan, room, op);
	assert(leg->version->facts.worker < plan->registry->worker_count);
	leg->end_ns = op->end_ns;
	leg->muted = mute_holds(plan, op->flags & STN_LEG_MUTED, op->mute_until_ns);
	leg->mute_until_ns = leg->muted ? op->mute_until_ns : 0;
	leg->mark = plan->batch;
	return leg;
}

/*
 * Somebody else at this address: in a resync it may be one that is not wanted any more. Who was
 * programmed there goes before a browser that was seen there.
 */
static int clear_remote(struct plan *plan, const struct stn_op_leg_put *op)
{
	struct leg *holder = registry_leg_at(plan->registry, &op->remote);
	int error;

	if (!holder)
		return 0;
	if (leg_is_webrtc(holder))
		error = change_clear_path(plan->registry, plan->journal, holder);
	else if (plan->resync && holder->mark != plan->batch)
		error = change_remove_leg(plan->registry, plan->journal, holder);
	else
		return refuse(plan->refusal, STN_STATUS_CONFLICT,
			"the remote address of leg %llu is that of leg %llu",
			(unsigned long long)op->leg_id,
			(unsigned long long)holder->version->facts.leg_id);
	return error ? plan_no_memory(plan) : 0;
}

/* The address a new leg starts with. That of a browser is a hint: where it cannot be, it is not. */
static int find_place(
	struct plan *plan, const struct stn_op_leg_put *op, struct stn_address *remote)
{
	*remote = op->remote;
	if (op->transport == STN_TRANSPORT_WEBRTC) {
		if (op->remote.family && (registry_leg_at(plan->registry, &op->remote) ||
						 plan->bus->route(plan->bus->impl, &op->remote)))
			*remote = (struct stn_address){0};
		return 0;
	}
	if (clear_remote(plan, op))
		return -EINVAL;
	if (plan->bus->route(plan->bus->impl, &op->remote))
		return refuse(plan->refusal, STN_STATUS_NO_ROUTE, "no port reaches leg %llu",
			(unsigned long long)op->leg_id);
	return 0;
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

/* What a leg needs that can be heard from now on. */
static int set_keys(struct plan *plan, struct leg *leg, const struct stn_op_leg_put *op)
{
	if (!plan_has_keys(op))
		return 0;
	if (plan_set_origins(plan, leg, op))
		return -EINVAL;
	/* A listener that was a speaker once keeps what it has received then. */
	if (op->role != STN_ROLE_SPEAKER &&
		!index_store_has(plan->registry->store, INDEX_LEG, op->leg_id))
		return 0;
	return plan_take_cells(plan, leg);
}

static int add_leg(struct plan *plan, const struct stn_op_leg_put *op)
{
	struct registry *registry = plan->registry;
	struct room *room = registry_room(registry, op->room_id);
	struct stn_address remote;
	struct leg *leg;

	if (check_room_of_leg(plan, room, op))
		return -EINVAL;
	if (plan_expired(plan, op->end_ns) || plan_expired(plan, room->end_ns))
		return 0;
	if ((plan_has_keys(op) && plan_check_old_keys(plan, room, op)) ||
		find_place(plan, op, &remote))
		return -EINVAL;
	leg = new_leg(plan, room, op);
	if (!leg)
		return -EINVAL;
	leg_set_remote(leg, &remote);
	if (set_keys(plan, leg, op))
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

static bool same_keys(const struct leg_facts *facts, const struct stn_op_leg_put *op)
{
	return !memcmp(&facts->tx, &op->tx, sizeof(facts->tx)) &&
	       !memcmp(&facts->rx, &op->rx, sizeof(facts->rx));
}

static bool same_leg_facts(const struct leg *leg, const struct stn_op_leg_put *op)
{
	const struct leg_facts *facts = &leg->version->facts;

	return leg_room_id(leg) == op->room_id && facts->member_id == op->member_id &&
	       facts->protection == op->protection && facts->transport == op->transport &&
	       facts->profile == op->profile &&
	       (leg_is_webrtc(leg) || !memcmp(leg_remote(leg), &op->remote, sizeof(op->remote))) &&
	       (!leg_is_keyed(leg) || same_keys(facts, op));
}

static bool same_source(const struct leg_facts *facts, const struct stn_op_leg_put *op)
{
	return facts->role != STN_ROLE_SPEAKER ||
	       (facts->payload_type == op->payload_type &&
		       facts->audio_level_id == op->audio_level_id &&
		       facts->red_payload_type == op->red_payload_type &&
		       facts->source_ssrc == op->source_ssrc);
}

/* Both are seen by workers until the old leg is gone, so each has its own. */
static struct ice_version *copy_ice(const struct ice_version *ice)
{
	struct ice_version *copy = calloc(1, sizeof(*copy));
	struct stn_op_leg_ice op;

	if (!copy)
		return NULL;
	ice_facts_describe(ice->facts, &op);
	copy->facts = ice_facts_make(&op);
	explicit_bzero(&op, sizeof(op));
	if (copy->facts)
		return copy;
	free(copy);
	return NULL;
}

/* Keys that go on: the receiver of the old leg is that of the new one. */
static int carry_keys_over(struct plan *plan, struct leg *leg, const struct leg *old)
{
	memcpy(leg->version->facts.origin, old->version->facts.origin,
		sizeof(leg->version->facts.origin));
	if (leg->version->facts.role != STN_ROLE_SPEAKER && !old->recorded)
		return 0;
	return plan_take_cells(plan, leg);
}

/* The same leg in the other role: another object, because facts are immutable. */
static int switch_role(struct plan *plan, struct leg *old, const struct stn_op_leg_put *op)
{
	struct registry *registry = plan->registry;
	struct leg *leg;

	/* One that became a speaker in this very transaction has not sent anything as one. */
	if (old->version->facts.role == STN_ROLE_SPEAKER && !old->switching && leg_is_keyed(old) &&
		op->protection == STN_PROTECTION_LEG && plan_check_own_indices(plan, old))
		return -EINVAL;
	if (!leg_is_keyed(old) && plan_has_keys(op) && plan_check_old_keys(plan, old->room, op))
		return -EINVAL;
	leg = new_leg(plan, old->room, op);
	if (!leg)
		return -EINVAL;
	leg->switching = true;
	leg_set_remote(leg, leg_remote(old));
	if (leg_is_keyed(old) ? carry_keys_over(plan, leg, old) : set_keys(plan, leg, op))
		goto fail;
	if (leg_ice(old)) {
		leg_browser(leg)->ice = copy_ice(leg_ice(old));
		leg_browser(leg)->ice_due = true;
		if (!leg_ice(leg)) {
			plan_no_memory(plan);
			goto untake;
		}
	}
	if (!change_remove_leg(registry, plan->journal, old) &&
		!change_add_leg(registry, plan->journal, leg))
		return 0;
	plan_no_memory(plan);
untake:
	if (leg->recorded)
		index_store_untake(registry->store, INDEX_LEG, op->leg_id);
fail:
	registry_free_leg(leg);
	return -EINVAL;
}

/* DTLS is done. Other facts, as workers may look at the old ones until they have the new. */
static int key_leg(struct plan *plan, struct leg *leg, const struct stn_op_leg_put *op)
{
	struct leg_version *version;

	if (plan_check_old_keys(plan, leg->room, op))
		return -EINVAL;
	version = registry_make_leg_version();
	if (!version)
		return plan_no_memory(plan);
	*version = *leg->version;
	version->facts.tx = op->tx;
	version->facts.rx = op->rx;
	if (change_key_leg(plan->journal, leg, version)) {
		registry_free_leg_version(version);
		return plan_no_memory(plan);
	}
	return set_keys(plan, leg, op); /* what it took is given back by undo */
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
	if (!same_leg_facts(leg, op) ||
		(leg->version->facts.role == op->role && !same_source(&leg->version->facts, op)))
		return refuse(plan->refusal, STN_STATUS_CONFLICT,
			"leg %llu exists with other facts", (unsigned long long)op->leg_id);
	leg->mark = plan->batch;
	if (leg->version->facts.role != op->role)
		return switch_role(plan, leg, op);
	if (!leg_is_keyed(leg) && plan_has_keys(op) && key_leg(plan, leg, op))
		return -EINVAL;
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

static bool same_ice(const struct ice_version *ice, const struct stn_op_leg_ice *op)
{
	struct stn_op_leg_ice now;
	bool same;

	if (!ice)
		return false;
	ice_facts_describe(ice->facts, &now);
	same = !memcmp(&now, op, sizeof(now));
	explicit_bzero(&now, sizeof(now));
	return same;
}

int plan_set_ice(struct plan *plan, const struct stn_op_leg_ice *op)
{
	/* In a resync the leg may have expired on the way: what is not there needs none. */
	struct leg *leg = plan->resync ? registry_leg(plan->registry, op->leg_id)
				       : find_leg(plan, op->leg_id);
	struct ice_version *ice;

	if (!leg)
		return plan->resync ? 0 : -EINVAL;
	if (!leg_is_webrtc(leg))
		return refuse(plan->refusal, STN_STATUS_BAD_OP,
			"leg %llu is not of transport webrtc", (unsigned long long)op->leg_id);
	if (same_ice(leg_ice(leg), op))
		return 0;
	ice = calloc(1, sizeof(*ice));
	if (ice)
		ice->facts = ice_facts_make(op);
	if (ice && ice->facts && !change_set_ice(plan->journal, leg, ice))
		return 0;
	registry_free_ice(ice);
	return plan_no_memory(plan);
}

int plan_remove_leg(struct plan *plan, uint64_t leg_id)
{
	struct leg *leg = find_leg(plan, leg_id);

	if (!leg)
		return -EINVAL;
	return change_remove_leg(plan->registry, plan->journal, leg) ? plan_no_memory(plan) : 0;
}
