// SPDX-License-Identifier: BSD-3-Clause
/* Listeners in their room's shard: in, out, and elsewhere. */
#include <stdlib.h>

#include <rte_cycles.h>

#include "dataplane/core/index.h"
#include "dataplane/io/apply.h"
#include "dataplane/io/stage.h"

static void current_roc(const struct worker_room *room, uint32_t roc[SHARD_SLOTS_MAX])
{
	unsigned int slot;

	for (slot = 0; slot < SHARD_SLOTS_MAX; slot++)
		roc[slot] =
			slot < room->facts->slot_count
				? index_roc(__atomic_load_n(
					  &room->facts->slot_index[slot]->value, __ATOMIC_RELAXED))
				: 0;
}

/* All that the room's fan-outs have come by with at a place of its group, or would have. */
static struct copy_count passed(const struct worker_room *room, const struct shard_place *place)
{
	const struct group_key *key = &room->shard.group[place->group].key;
	/* Who shares the room's key gets profile 0: copy_group(). */
	unsigned int profile = key->suite == SUITE_NONE ? 0 : key->profile;
	struct copy_count count = {room->begun, room->begun_bytes[profile]};

	if (room->fan != NULL && fanout_is_ahead(&room->fan->fanout, place)) {
		count.packets--;
		count.payload_bytes -= room->fan->headers.payload_size[profile];
	}
	return count;
}

/* From now on it gets what comes by. */
static void count_begin(const struct worker_room *room, struct worker_leg *leg)
{
	struct copy_count count = passed(room, &leg->place);

	leg->copies.packets -= count.packets;
	leg->copies.payload_bytes -= count.payload_bytes;
}

static void count_end(const struct worker_room *room, struct worker_leg *leg)
{
	struct copy_count count = passed(room, &leg->place);

	leg->copies.packets += count.packets;
	leg->copies.payload_bytes += count.payload_bytes;
}

struct copy_count listener_copies(const struct worker *worker, const struct worker_leg *leg)
{
	struct worker_leg now = *leg;

	if (leg->place.group != UINT16_MAX && !leg->unresolved)
		count_end(worker->room[leg->facts->room], &now);
	return now.copies;
}

/*
 * Its own indices under these keys ended, before it came here, where its cells stand. A packet of
 * the slot with one of those may still wait, or be on its way from the home worker: two texts under
 * one nonce. A fan-out cannot leave out a leg by index, so such a packet is nobody's.
 */
static void guard(struct worker_room *room, const struct leg_facts *facts)
{
	unsigned int slot;

	for (slot = 0; slot < room->facts->slot_count; slot++) {
		uint64_t own =
			__atomic_load_n(&facts->cells[LEG_CELL_OWN + slot].value, __ATOMIC_ACQUIRE);
		uint64_t sent =
			__atomic_load_n(&room->facts->slot_index[slot]->value, __ATOMIC_ACQUIRE);
		uint64_t last = ((uint64_t)facts->origin[slot] << 16) + own;

		/* Never more than is under way: the cells may be of other keys, from before. */
		if (last > sent)
			last = sent;
		if (own != 0 && last > room->guard[slot])
			room->guard[slot] = last;
	}
	room->guarded = true;
}

int listener_add(struct worker *worker, struct worker_leg *leg, const struct ice_origin *to)
{
	const struct leg_facts *facts = leg->facts;
	struct worker_room *room = worker->room[facts->room];
	uint32_t never[SHARD_SLOTS_MAX], slot;
	struct frame_template template;
	struct master_key key;
	struct shard_leg add = {
		.group = {.profile = facts->profile, .port = to->port},
		.leg = facts->leg,
		.template = &template,
		.origin = facts->origin,
	};
	int rc;

	apply_template(worker, to, &template);
	if (facts->protection == STN_PROTECTION_LEG) {
		apply_master_key(&facts->tx, &key);
		add.group.suite = key.suite;
		add.key = &key;
	}
	if (leg->unresolved) {
		current_roc(room, never);
		for (slot = 0; slot < SHARD_SLOTS_MAX; slot++)
			never[slot] = SHARD_ORIGIN_NEVER(never[slot]);
		add.origin = never;
	}
	rc = shard_add(&room->shard, worker->core, &add, &leg->place);
	explicit_bzero(&key, sizeof(key));
	if (rc < 0) {
		leg->place.group = UINT16_MAX;
		return rc;
	}
	if (facts->cells != NULL)
		guard(room, facts);
	room->unresolved += leg->unresolved;
	if (!leg->unresolved)
		count_begin(room, leg);
	return 0;
}

static void take_out(
	struct worker *worker, struct worker_room *room, const struct shard_place *place)
{
	uint32_t moved = shard_remove(&room->shard, place);

	if (moved != SHARD_NO_LEG)
		worker->leg[moved].place = *place;
}

/*
 * The last leg of the group moves into the hole, so it must not be one that is silenced itself:
 * such a one at the end is taken off first, and noticed when its own turn comes. One step; returns
 * whether the place was done.
 */
static bool take_out_silenced(
	struct worker *worker, struct worker_room *room, const struct shard_place *place)
{
	const struct leg_group *group = &room->shard.group[place->group];
	struct shard_place last = {.group = place->group};

	if (place->position >= group->count || !shard_is_silenced(&room->shard, place))
		return true;
	last.position = group->count - 1;
	if (last.position == place->position || !shard_is_silenced(&room->shard, &last))
		last = *place;
	take_out(worker, room, &last);
	return last.position == place->position;
}

void listener_tidy_later(struct worker *worker, struct worker_room *room)
{
	if (room->tidying)
		return;
	room->tidying = true;
	room->tidy_next = NULL;
	if (worker->tidy_last != NULL)
		worker->tidy_last->tidy_next = room;
	else
		worker->tidy_first = room;
	worker->tidy_last = room;
}

/* Whether anything is left of it to do. */
static bool tidy(
	struct worker *worker, struct worker_room *room, uint64_t until, unsigned int *done)
{
	while (room->fan == NULL && room->removed_count != 0) {
		if (take_out_silenced(worker, room, &room->removed[room->removed_count - 1]))
			room->removed_count--;
		++*done;
		if (rte_rdtsc() >= until)
			break;
	}
	return room->removed_count != 0;
}

unsigned int listener_tidy(struct worker *worker)
{
	uint64_t until = rte_rdtsc() + worker->slice_cycles / 2;
	const struct worker_room *end = worker->tidy_last;
	unsigned int done = 0;
	bool more = end != NULL;

	while (more) {
		struct worker_room *room = worker->tidy_first;

		more = room != end && rte_rdtsc() < until;
		worker->tidy_first = room->tidy_next;
		if (worker->tidy_first == NULL)
			worker->tidy_last = NULL;
		room->tidying = false;
		if (tidy(worker, room, until, &done))
			listener_tidy_later(worker, room);
		else if (room->closed)
			apply_room_free(worker, room);
	}
	return done;
}

static bool remove_later(
	struct worker *worker, struct worker_room *room, const struct shard_place *place)
{
	struct shard_place *list = room->removed;
	uint32_t capacity = room->removed_capacity ? room->removed_capacity * 2 : 16;

	if (room->removed_count == room->removed_capacity) {
		list = realloc(list, capacity * sizeof(*list));
		if (list == NULL)
			return false;
		room->removed = list;
		room->removed_capacity = capacity;
	}
	room->removed[room->removed_count++] = *place;
	listener_tidy_later(worker, room);
	return true;
}

void listener_remove(struct worker *worker, struct worker_leg *leg)
{
	struct worker_room *room = worker->room[leg->facts->room];
	uint32_t roc[SHARD_SLOTS_MAX];

	if (!leg->unresolved)
		count_end(room, leg);
	room->unresolved -= leg->unresolved;
	leg->unresolved = false;
	current_roc(room, roc);
	shard_silence(&room->shard, &leg->place, roc);
	/* Others that are silenced still may be the last of its group: see take_out_silenced(). */
	if (room->fan == NULL && room->removed_count == 0) {
		take_out(worker, room, &leg->place);
	} else if (!remove_later(worker, room, &leg->place)) {
		/* No memory to remember it: give up this fan-out rather than the removal. */
		if (room->fan != NULL)
			fan_cancel(worker, room, FAN_EVERYBODY);
		while (!take_out_silenced(worker, room, &leg->place))
			;
	}
	leg->place.group = UINT16_MAX;
}

void listener_release(struct worker *worker, struct worker_leg *leg, const uint8_t mac[6])
{
	struct worker_room *room = worker->room[leg->facts->room];

	shard_release(&room->shard, &leg->place, mac, leg->facts->origin);
	if (leg->unresolved)
		count_begin(room, leg);
	room->unresolved -= leg->unresolved;
	leg->unresolved = false;
}

int listener_redirect(struct worker *worker, struct worker_leg *leg, const struct ice_origin *to)
{
	struct worker_room *room = worker->room[leg->facts->room];
	struct frame_template template;

	apply_template(worker, to, &template);
	if (shard_redirect(&room->shard, &leg->place, to->port, &template) == 0)
		return 0;
	listener_remove(worker, leg);
	return listener_add(worker, leg, to);
}
