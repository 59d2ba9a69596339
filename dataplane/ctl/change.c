/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/ctl/change.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

/* Returns space for one more change, counted only once it is filled in. */
static struct change *next_change(struct journal *journal, enum change_kind kind)
{
	struct change *change;

	if (journal->count == journal->capacity) {
		uint32_t capacity = journal->capacity ? 2 * journal->capacity : 16;

		change = realloc(journal->changes, capacity * sizeof(*change));
		if (!change)
			return NULL;
		journal->changes = change;
		journal->capacity = capacity;
	}
	change = &journal->changes[journal->count];
	*change = (struct change){.kind = kind, .op = journal->op};
	return change;
}

int change_add_room(struct registry *registry, struct journal *journal, struct room *room)
{
	struct change *change = next_change(journal, CHANGE_ROOM_ADD);

	if (!change || registry_attach_room(registry, room))
		return -ENOMEM;
	change->room = room;
	journal->count++;
	return 0;
}

int change_update_room(
	struct journal *journal, struct room *room, struct room_version *version, uint64_t end_ns)
{
	struct change *change = next_change(journal, CHANGE_ROOM_UPDATE);

	if (!change)
		return -ENOMEM;
	change->room = room;
	change->end_ns = room->end_ns;
	room->end_ns = end_ns;
	if (version) {
		change->replaced = true;
		change->version = room->version;
		change->due = room->due;
		room->version = version;
		room->due = true;
	}
	journal->count++;
	return 0;
}

int change_remove_leg(struct registry *registry, struct journal *journal, struct leg *leg)
{
	struct change *change = next_change(journal, CHANGE_LEG_REMOVE);

	if (!change)
		return -ENOMEM;
	registry_detach_leg(registry, leg);
	change->leg = leg;
	journal->count++;
	return 0;
}

int change_remove_room(struct registry *registry, struct journal *journal, struct room *room)
{
	struct change *change;

	while (room->leg_count)
		if (change_remove_leg(registry, journal, room->legs[room->leg_count - 1]))
			return -ENOMEM;
	change = next_change(journal, CHANGE_ROOM_REMOVE);
	if (!change)
		return -ENOMEM;
	registry_detach_room(registry, room);
	change->room = room;
	journal->count++;
	return 0;
}

int change_add_leg(struct registry *registry, struct journal *journal, struct leg *leg)
{
	struct change *change = next_change(journal, CHANGE_LEG_ADD);

	if (!change || registry_attach_leg(registry, leg))
		return -ENOMEM;
	change->leg = leg;
	journal->barrier |= leg->switching;
	journal->count++;
	return 0;
}

int change_update_leg(struct journal *journal, struct leg *leg, const struct leg_change *to)
{
	struct change *change;

	if (leg->end_ns == to->end_ns && leg->muted == to->muted &&
		leg->mute_until_ns == to->mute_until_ns)
		return 0;
	change = next_change(journal, CHANGE_LEG_UPDATE);
	if (!change)
		return -ENOMEM;
	change->leg = leg;
	change->end_ns = leg->end_ns;
	change->mute_until_ns = leg->mute_until_ns;
	change->muted = leg->muted;
	leg->end_ns = to->end_ns;
	leg->mute_until_ns = to->mute_until_ns;
	leg->muted = to->muted;
	journal->count++;
	return 0;
}

int change_key_leg(struct journal *journal, struct leg *leg, struct leg_version *version)
{
	struct change *change = next_change(journal, CHANGE_LEG_KEYS);

	if (!change)
		return -ENOMEM;
	change->leg = leg;
	change->leg_version = leg->version;
	change->due = leg->keys_due;
	leg->version = version;
	leg->keys_due = true;
	journal->count++;
	return 0;
}

int change_set_ice(struct journal *journal, struct leg *leg, struct ice_version *ice)
{
	struct change *change = next_change(journal, CHANGE_LEG_ICE);
	struct leg_browser *browser = leg_browser(leg);

	if (!change)
		return -ENOMEM;
	change->leg = leg;
	change->ice = browser->ice;
	change->due = browser->ice_due;
	browser->ice = ice;
	browser->ice_due = true;
	journal->count++;
	return 0;
}

int change_clear_path(struct registry *registry, struct journal *journal, struct leg *leg)
{
	static const struct stn_address nowhere;
	struct change *change = next_change(journal, CHANGE_LEG_PATH);

	if (!change)
		return -ENOMEM;
	change->leg = leg;
	change->remote = *leg_remote(leg);
	registry_move_leg(registry, leg, &nowhere);
	journal->count++;
	return 0;
}

static void undo_keys(struct registry *registry, const struct change *change)
{
	struct leg *leg = change->leg;

	if (leg->recorded)
		index_store_untake(registry->store, INDEX_LEG, leg->version->facts.leg_id);
	leg->recorded = false;
	registry_free_leg_version(leg->version);
	leg->version = change->leg_version;
	leg->keys_due = change->due;
}

static void undo_ice(const struct change *change)
{
	struct leg_browser *browser = leg_browser(change->leg);

	registry_free_ice(browser->ice);
	browser->ice = change->ice;
	browser->ice_due = change->due;
}

static void undo_leg(struct registry *registry, const struct change *change)
{
	struct leg *leg = change->leg;

	if (change->kind == CHANGE_LEG_ADD) {
		registry_detach_leg(registry, leg);
		if (leg->recorded)
			index_store_untake(registry->store, INDEX_LEG, leg->version->facts.leg_id);
		registry_free_leg(leg);
	} else if (change->kind == CHANGE_LEG_REMOVE) {
		int error = registry_attach_leg(registry, leg);

		/* Nothing shrinks, and no more is attached than was before. */
		assert(!error);
		(void)error;
	} else if (change->kind == CHANGE_LEG_KEYS) {
		undo_keys(registry, change);
	} else if (change->kind == CHANGE_LEG_ICE) {
		undo_ice(change);
	} else if (change->kind == CHANGE_LEG_PATH) {
		registry_move_leg(registry, leg, &change->remote);
	} else {
		leg->end_ns = change->end_ns;
		leg->mute_until_ns = change->mute_until_ns;
		leg->muted = change->muted;
	}
}

static void undo_room(struct registry *registry, const struct change *change)
{
	struct room *room = change->room;

	if (change->kind == CHANGE_ROOM_ADD) {
		registry_detach_room(registry, room);
		index_store_untake(registry->store, INDEX_ROOM, room->version->facts.room_id);
		registry_free_room(room);
	} else if (change->kind == CHANGE_ROOM_REMOVE) {
		int error = registry_attach_room(registry, room);

		assert(!error);
		(void)error;
	} else {
		if (change->replaced) {
			registry_free_version(room->version);
			room->version = change->version;
			room->due = change->due;
		}
		room->end_ns = change->end_ns;
	}
}

void change_undo(struct registry *registry, struct journal *journal)
{
	while (journal->count) {
		const struct change *change = &journal->changes[--journal->count];

		if (change_is_of_leg(change))
			undo_leg(registry, change);
		else
			undo_room(registry, change);
	}
}

void journal_close(struct journal *journal)
{
	free(journal->changes);
	*journal = (struct journal){0};
}
