/* SPDX-License-Identifier: BSD-3-Clause */
/* Writes the changes of a plan: one statement or two for each. */
#include <errno.h>
#include <string.h>

#include "controlplane/rooms/hand.h"
#include "controlplane/store/database.h"

static void bind_settings(
	struct store *store, enum statement at, int first, const struct room *room)
{
	database_text(store, at, first, room->title);
	database_text(store, at, first + 1, room->topic);
	database_number(store, at, first + 2, room->open_floor);
	database_number(store, at, first + 3, room->capacity);
}

static void bind_rules(struct store *store, enum statement at, const struct room *room)
{
	const struct room_rules *rules = &room->rules;

	database_number(store, at, 8, room->opened_ms);
	database_number(store, at, 9, room->end_ms);
	database_number(store, at, 16, rules->state);
	database_number(store, at, 17, rules->access);
	database_text(store, at, 18, rules->language);
	database_number(store, at, 19, rules->speakers_max);
	database_number(store, at, 20, rules->starts_ms);
	database_bytes(
		store, at, 21, rules->cohosts, rules->cohost_count * sizeof(rules->cohosts[0]));
	database_number(store, at, 22, (int64_t)rules->told);
	database_number(store, at, 23, (int64_t)rules->tell_until);
	database_number(store, at, 24, rules->told_parts);
	database_number(store, at, 25, rules->host_left);
}

static void bind_profiles(
	struct store *store, enum statement at, int position, const struct room *room)
{
	database_bytes(store, at, position, room->put.profile,
		room->put.profile_count * sizeof(room->put.profile[0]));
}

static int room_add(struct store *store, const struct room *room)
{
	enum statement at = STATEMENT_ROOM_ADD;

	database_number(store, at, 1, (int64_t)room->put.room_id);
	database_text(store, at, 2, room->name.text);
	database_text(store, at, 3, room->host.text);
	bind_settings(store, at, 4, room);
	bind_rules(store, at, room);
	database_number(store, at, 10, (int64_t)room->sequence);
	database_number(store, at, 11, room->put.slot_count);
	database_bytes(store, at, 12, room->put.slot_ssrc, sizeof(room->put.slot_ssrc));
	bind_profiles(store, at, 13, room);
	database_number(store, at, 14, room->put.group_key.suite);
	database_bytes(store, at, 15, room->speakers == NULL ? (const void *)"" : room->speakers,
		room->speaker_count * sizeof(room->speakers[0]));
	return database_run(store, at);
}

static int room_set(struct store *store, const struct room *room)
{
	database_number(store, STATEMENT_ROOM_SET, 1, (int64_t)room->put.room_id);
	database_text(store, STATEMENT_ROOM_SET, 3, room->host.text);
	bind_settings(store, STATEMENT_ROOM_SET, 4, room);
	bind_profiles(store, STATEMENT_ROOM_SET, 13, room);
	bind_rules(store, STATEMENT_ROOM_SET, room);
	return database_run(store, STATEMENT_ROOM_SET);
}

static int room_remove(struct store *store, const struct room *room)
{
	static const enum statement all[] = {STATEMENT_ROOM_REMOVE, STATEMENT_ROOM_CLEAR_EXCLUDED,
		STATEMENT_ROOM_CLEAR_SILENCED, STATEMENT_ROOM_CLEAR_KEYS, STATEMENT_ROOM_CLEAR_PINS,
		STATEMENT_ROOM_CLEAR_SHARES, STATEMENT_ROOM_CLEAR_OFFERS,
		STATEMENT_ROOM_CLEAR_REMINDERS};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(all) / sizeof(all[0]); i++) {
		database_number(store, all[i], 1, (int64_t)room->put.room_id);
		rc = database_run(store, all[i]);
	}
	return rc;
}

/* The suites of a WebRTC leg are agreed by DTLS and not written: its keys come with them. */
static void bind_leg(struct store *store, enum statement at, const struct member *member)
{
	const struct stn_op_leg_put *put = &member->put;
	bool keyed = !member_webrtc(member);

	if (put->leg_id != 0)
		database_number(store, at, 2, (int64_t)put->leg_id);
	database_bytes(store, at, 8, &put->remote, sizeof(put->remote));
	database_number(store, at, 9, put->protection);
	database_number(store, at, 11, put->profile);
	database_number(store, at, 12, put->payload_type);
	database_number(store, at, 13, put->audio_level_id);
	database_number(store, at, 14, put->source_ssrc);
	database_number(store, at, 15, keyed ? put->tx.suite : 0);
	database_number(store, at, 16, keyed ? put->rx.suite : 0);
	database_number(store, at, 17, put->red_payload_type);
	database_number(store, at, 18, put->role);
}

static void bind_hand(struct store *store, enum statement at, const struct hand *hand)
{
	database_number(store, at, 19, (int64_t)hand->id);
	database_number(store, at, 24, hand->kind);
	database_text(store, at, 25, hand->message);
	database_text(store, at, 26, hand->by.text);
	database_number(store, at, 27, hand->at_ms);
	database_number(store, at, 28, hand->until_ms);
	database_number(store, at, 30, hand->source.ssrc);
	database_number(store, at, 31, hand->source.payload_type);
	database_number(store, at, 32, hand->source.audio_level_id);
}

/* What may change; what is not bound is NULL, or nothing. */
static void bind_state(struct store *store, enum statement at, const struct member *member)
{
	database_number(store, at, 1, (int64_t)member_id(member));
	database_number(store, at, 5, member->role);
	bind_leg(store, at, member);
	if (member->hand != NULL)
		bind_hand(store, at, member->hand);
	else
		database_number(store, at, 19, 0);
	database_number(store, at, 20, member->seat);
	database_number(store, at, 29, member->floor_ms);
	if (member->token != NULL)
		database_text(store, at, 21, member->token->digest);
	if (member->peer != NULL) {
		database_text(store, at, 22, member->peer->resource);
		database_text(store, at, 23, member->peer->mid);
	}
}

static int member_add(struct store *store, const struct member *member)
{
	const struct stn_op_leg_put *put = &member->put;
	enum statement at = STATEMENT_MEMBER_ADD;

	bind_state(store, at, member);
	database_number(store, at, 3, (int64_t)put->room_id);
	database_text(store, at, 4, member->user.text);
	database_number(store, at, 6, member->joined_ms);
	database_number(store, at, 7, member->end_ms);
	database_number(store, at, 10, put->transport);
	return database_run(store, at);
}

static int member_set(struct store *store, const struct member *member)
{
	bind_state(store, STATEMENT_MEMBER_SET, member);
	return database_run(store, STATEMENT_MEMBER_SET);
}

static int member_remove(struct store *store, const struct member *member)
{
	database_number(store, STATEMENT_MEMBER_REMOVE, 1, (int64_t)member_id(member));
	return database_run(store, STATEMENT_MEMBER_REMOVE);
}

static int named(struct store *store, enum statement at, const struct room *room, const char *name)
{
	database_number(store, at, 1, (int64_t)room->put.room_id);
	database_text(store, at, 2, name);
	return database_run(store, at);
}

static int silence_set(struct store *store, const struct change *change)
{
	const char *user = change->silence.user.text;

	if (change->silence.after == NULL)
		return named(store, STATEMENT_SILENCE_REMOVE, change->room, user);
	database_number(store, STATEMENT_SILENCE_PUT, 3, change->silence.after->until_ms);
	database_number(store, STATEMENT_SILENCE_PUT, 4, change->silence.after->by_rank);
	database_text(store, STATEMENT_SILENCE_PUT, 5, change->silence.after->by.text);
	/* What a hold took the place of, beginning with 1. */
	database_number(store, STATEMENT_SILENCE_PUT, 6,
		change->silence.after->held ? 1 + (int64_t)change->silence.after->held_rank : 0);
	database_number(store, STATEMENT_SILENCE_PUT, 7, (int64_t)change->silence.after->until_ns);
	return named(store, STATEMENT_SILENCE_PUT, change->room, user);
}

static int exclude_set(struct store *store, const struct change *change)
{
	const struct exclusion *before = change->exclusion.before, *after = change->exclusion.after;

	if (after == NULL)
		return named(store, STATEMENT_EXCLUDE_REMOVE, change->room, before->user.text);
	database_number(store, STATEMENT_EXCLUDE_PUT, 3, after->banned);
	return named(store, STATEMENT_EXCLUDE_PUT, change->room, after->user.text);
}

/* 0: of no room. */
static int64_t room_id(const struct change *change)
{
	return change->room == NULL ? 0 : (int64_t)change->room->put.room_id;
}

static int audit_add(struct store *store, const struct change *change, int64_t at_ms)
{
	enum statement at = STATEMENT_AUDIT_ADD;

	database_number(store, at, 1, at_ms);
	database_text(store, at, 2, change->room == NULL ? "" : change->room->name.text);
	database_number(store, at, 3, room_id(change));
	database_text(store, at, 4, change->audit.actor);
	database_text(store, at, 5, change->audit.action);
	database_text(store, at, 6, change->audit.member);
	database_text(store, at, 7, change->audit.reason);
	return database_run(store, at);
}

static int event_add(struct store *store, const struct change *change)
{
	enum statement at = STATEMENT_EVENT_ADD;

	store->last_event = change->event.sequence;
	database_number(store, at, 1, (int64_t)change->event.sequence);
	database_number(store, at, 2, room_id(change));
	database_number(store, at, 3, (int64_t)change->event.room_sequence);
	database_bytes(store, at, 4, change->event.text, change->event.size);
	return database_run(store, at);
}

static int write_one(struct store *store, const struct plan *plan, const struct change *change)
{
	switch (change->type) {
	case CHANGE_ROOM_ADD:
		return room_add(store, change->room);
	case CHANGE_ROOM_SET:
		return room_set(store, change->room);
	case CHANGE_ROOM_REMOVE:
		return room_remove(store, change->room);
	case CHANGE_MEMBER_ADD:
		return member_add(store, change->member);
	case CHANGE_MEMBER_SET:
		return member_set(store, change->member);
	case CHANGE_MEMBER_REMOVE:
		return member_remove(store, change->member);
	case CHANGE_EXCLUDE_SET:
		return exclude_set(store, change);
	case CHANGE_SILENCE_SET:
		return silence_set(store, change);
	case CHANGE_KEY_USED:
		return named(store, STATEMENT_KEY_ADD, change->room, change->key->digest);
	case CHANGE_AUDIT:
		return audit_add(store, change, plan->now.wall_ms);
	case CHANGE_EVENT:
		return event_add(store, change);
	case CHANGE_LIVE:
	case CHANGE_REACTION:
		return 0;
	case CHANGE_RECORD:
		return table_write(store, &change->record);
	case CHANGE_DRAIN:
		return database_meta_put(store, "draining", !change->draining);
	default:
		return -EINVAL;
	}
}

int store_write(struct store *store, const struct plan *plan)
{
	for (size_t i = 0; i < plan->change_count; i++) {
		int rc = write_one(store, plan, &plan->changes[i]);

		if (rc != 0)
			return rc;
	}
	return 0;
}
