/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/ctl/stage.h"

#include "dataplane/ctl/place.h"
#include "dataplane/ctl/plan.h"
#include "dataplane/ctl/tell.h"

/* When a change has its turn: STAGE_DONE, it was carried out at the commit. */
static enum batch_stage stage_of(enum change_kind kind)
{
	switch (kind) {
	case CHANGE_ROOM_ADD:
	case CHANGE_ROOM_UPDATE:
		return STAGE_ROOMS;
	case CHANGE_LEG_KEYS:
	case CHANGE_LEG_ICE:
		return STAGE_KEYS;
	case CHANGE_LEG_ADD:
		return STAGE_LEGS;
	case CHANGE_LEG_UPDATE:
		return STAGE_UPDATES;
	default:
		return STAGE_DONE;
	}
}

bool stage_is_empty(const struct journal *journal)
{
	for (uint32_t i = 0; i < journal->count; i++)
		if (stage_of(journal->changes[i].kind) < STAGE_UPDATES)
			return false;
	return true;
}

void stage_count(const struct journal *journal, uint32_t *rooms, uint32_t *legs)
{
	*rooms = *legs = 0;
	for (uint32_t i = 0; i < journal->count; i++) {
		*rooms += journal->changes[i].kind == CHANGE_ROOM_ADD;
		*legs += journal->changes[i].kind == CHANGE_LEG_ADD;
	}
}

void stage_bury_replaced(struct registry *registry, const struct change *change, uint64_t token)
{
	if (change->kind == CHANGE_ROOM_UPDATE && change->replaced)
		registry_bury_version(registry, change->version, token);
	else if (change->kind == CHANGE_LEG_KEYS)
		registry_bury_leg_version(registry, change->leg_version, token);
	else if (change->kind == CHANGE_LEG_ICE && change->ice)
		registry_bury_ice(registry, change->ice, token);
}

static void bury_replaced(struct apply *apply, const struct change *change)
{
	stage_bury_replaced(apply->registry, change, apply->token_last + 1);
}

void stage_abandon(struct apply *apply, const struct batch *batch)
{
	for (uint32_t i = 0; i < batch->journal.count; i++) {
		const struct change *change = &batch->journal.changes[i];
		enum batch_stage stage = stage_of(change->kind);

		if (stage > batch->stage || (stage == batch->stage && i >= batch->at))
			bury_replaced(apply, change);
	}
}

static void stage_room(struct apply *apply, const struct change *change)
{
	struct room *room = change->room;

	bury_replaced(apply, change);
	if (room->removed)
		return;
	if (!room->visible) {
		registry_show_room(apply->registry, room);
		tell_room(&apply->outbox, COMMAND_ROOM_ADD, room);
	} else if (room->due) {
		tell_room(&apply->outbox, COMMAND_ROOM_UPDATE, room);
	}
	room->due = false;
	registry_schedule_room(apply->registry, room);
}

/* From a listener's place on, now that no worker sends to it as a listener any more. */
static void take_place(struct leg *leg)
{
	struct index_cell *cells = leg->version->facts.cells;

	for (unsigned int i = 0; i < leg->room->version->facts.slot_count; i++) {
		uint64_t reached = plan_relative_index(leg, i);

		if (cells && index_cell_load(&cells[LEG_CELL_OWN + i]) < reached)
			index_cell_store(&cells[LEG_CELL_OWN + i], reached);
	}
}

static void stage_leg(struct apply *apply, struct leg *leg)
{
	if (leg->removed)
		return;
	if (leg->switching && leg->version->facts.role == STN_ROLE_SPEAKER)
		take_place(leg);
	leg->switching = false;
	registry_show_leg(apply->registry, leg);
	tell_leg(&apply->outbox, COMMAND_LEG_ADD, leg);
	leg->keys_due = false;
	tell_ice(&apply->outbox, leg);
	place_announce(&apply->outbox, leg);
	registry_schedule_leg(apply->registry, leg);
}

/* New keys and credentials of a leg that is there; of one that is not, its addition tells. */
static void stage_replacement(struct apply *apply, const struct change *change)
{
	struct leg *leg = change->leg;

	bury_replaced(apply, change);
	if (change->kind == CHANGE_LEG_ICE) {
		tell_ice(&apply->outbox, leg);
	} else if (leg->keys_due && leg->visible && !leg->removed) {
		leg->version->facts.muted = leg->muted_posted;
		tell_leg(&apply->outbox, COMMAND_LEG_UPDATE, leg);
		leg->keys_due = false;
	}
}

static void stage_update(struct apply *apply, struct leg *leg)
{
	if (leg->removed || !leg->visible)
		return;
	if (!leg->muted && leg->muted_posted)
		tell_mute(&apply->outbox, leg);
	registry_schedule_leg(apply->registry, leg);
}

/* False: it has to wait for a handle. */
static bool stage_change(struct apply *apply, const struct change *change)
{
	struct registry *registry = apply->registry;

	switch (stage_of(change->kind)) {
	case STAGE_ROOMS:
		if (change->kind == CHANGE_ROOM_ADD && !change->room->removed &&
			!registry->room_handles.free_count)
			return false;
		apply->promised_rooms -= change->kind == CHANGE_ROOM_ADD;
		stage_room(apply, change);
		break;
	case STAGE_KEYS:
		stage_replacement(apply, change);
		break;
	case STAGE_LEGS:
		if (!change->leg->removed && !registry->leg_handles.free_count)
			return false;
		apply->promised_legs--;
		stage_leg(apply, change->leg);
		break;
	default:
		stage_update(apply, change->leg);
		break;
	}
	return true;
}

uint32_t stage_slice(struct apply *apply, struct batch *batch, uint32_t max)
{
	const struct journal *journal = &batch->journal;
	uint32_t sent = 0;

	for (; batch->stage < STAGE_DONE; batch->stage++, batch->at = 0) {
		for (; batch->at < journal->count; batch->at++) {
			if (stage_of(journal->changes[batch->at].kind) != batch->stage)
				continue;
			if (sent == max || !stage_change(apply, &journal->changes[batch->at]))
				return sent;
			sent++;
		}
	}
	return sent;
}
