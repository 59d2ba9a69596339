/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/rooms/hand.h"
#include "controlplane/rooms/plan.h"
#include "controlplane/rooms/reaction.h"
#include "controlplane/rooms/reminder.h"
#include "controlplane/rooms/share.h"
#include "controlplane/rooms/token.h"

void plan_init(struct plan *plan, const struct moment *now)
{
	*plan = (struct plan){.now = *now};
}

static bool no_memory(struct plan *plan)
{
	return verdict_refuse(&plan->verdict, VERDICT_UNAVAILABLE, "out of memory");
}

/* Room for one more change, so that noting it down cannot fail once it is done. */
static bool reserve(struct plan *plan)
{
	struct change *changes;
	size_t capacity;

	if (plan->change_count < plan->change_capacity)
		return true;
	capacity = plan->change_capacity == 0 ? 8 : plan->change_capacity * 2;
	changes = realloc(plan->changes, capacity * sizeof(*changes));
	if (changes == NULL)
		return no_memory(plan);
	plan->changes = changes;
	plan->change_capacity = capacity;
	return true;
}

static struct change *note(struct plan *plan, enum change_type type, struct room *room)
{
	struct change *change = &plan->changes[plan->change_count++];

	*change = (struct change){.type = type, .room = room};
	return change;
}

bool plan_room_add(struct plan *plan, struct registry *registry, struct room *room)
{
	if (!reserve(plan) || registry_room_link(registry, room) != 0)
		return no_memory(plan);
	note(plan, CHANGE_ROOM_ADD, room);
	return true;
}

static void settings_save(const struct room *room, struct room_settings *settings)
{
	memcpy(settings->title, room->title, sizeof(settings->title));
	memcpy(settings->topic, room->topic, sizeof(settings->topic));
	settings->open_floor = room->open_floor;
	settings->capacity = room->capacity;
	settings->profile_count = room->put.profile_count;
	settings->host = room->host;
	settings->opened_ms = room->opened_ms;
	settings->end_ms = room->end_ms;
	settings->rules = room->rules;
	settings->host_left_ns = room->host_left_ns;
}

static void settings_load(
	struct room *room, const struct room_settings *settings, const struct moment *now)
{
	memcpy(room->title, settings->title, sizeof(room->title));
	memcpy(room->topic, settings->topic, sizeof(room->topic));
	room->open_floor = settings->open_floor;
	room->capacity = settings->capacity;
	room->put.profile_count = settings->profile_count;
	room->host = settings->host;
	room->opened_ms = settings->opened_ms;
	room->host_left_ns = settings->host_left_ns;
	if (room->rules.starts_ms != settings->rules.starts_ms ||
		room->rules.state != settings->rules.state)
		reminder_moved(room->registry);
	/* What has not begun does not end; that it may no longer begin is schedule_due()'s. */
	if (settings->rules.state == ROOM_SCHEDULED)
		room->put.end_ns = 0;
	else if (room->end_ms != settings->end_ms || room->rules.state != settings->rules.state)
		room->put.end_ns = moment_mono(now, settings->end_ms);
	room->end_ms = settings->end_ms;
	room->rules = settings->rules;
	for (unsigned int i = settings->profile_count; i < STN_PROFILES_MAX; i++)
		room->put.profile[i] = (struct stn_profile){0};
}

/* Before they are loaded; going back to what was cannot fail. */
static int settings_index(struct room *room, const struct room_settings *settings)
{
	return registry_room_move(room, settings->host.text, settings->rules.tell_until != 0);
}

void plan_room_settings(const struct room *room, struct room_settings *settings)
{
	settings_save(room, settings);
}

bool plan_room_set(struct plan *plan, struct room *room, const struct room_settings *settings)
{
	struct room_settings *before = malloc(sizeof(*before));

	if (before == NULL || !reserve(plan) || settings_index(room, settings) != 0) {
		free(before);
		return no_memory(plan);
	}
	settings_save(room, before);
	settings_load(room, settings, &plan->now);
	note(plan, CHANGE_ROOM_SET, room)->settings = before;
	return true;
}

bool plan_room_remove(struct plan *plan, struct registry *registry, struct room *room)
{
	if (!reserve(plan))
		return false;
	share_expose(registry, room, false);
	registry_room_unlink(registry, room);
	note(plan, CHANGE_ROOM_REMOVE, room);
	return true;
}

bool plan_member_add(struct plan *plan, struct registry *registry, struct member *member)
{
	if (!reserve(plan) || registry_member_link(registry, member) != 0)
		return no_memory(plan);
	note(plan, CHANGE_MEMBER_ADD, member->room)->member = member;
	return true;
}

bool plan_member_set(struct plan *plan, struct registry *registry, struct member *member,
	const struct member_state *state)
{
	struct member_state *before = malloc(sizeof(*before));
	struct change *change;

	if (before != NULL)
		registry_member_state(member, before);
	if (before == NULL || !reserve(plan) || registry_member_set(registry, member, state) != 0) {
		free(before);
		return no_memory(plan);
	}
	change = note(plan, CHANGE_MEMBER_SET, member->room);
	change->member = member;
	change->state.before = before;
	change->state.peer = state->peer;
	change->state.token = state->token;
	change->state.hand = state->hand;
	change->state.leg_id = state->put.leg_id;
	return true;
}

static void state_free(struct member_state *state)
{
	explicit_bzero(state, sizeof(*state));
	free(state);
}

static void state_revert(struct registry *registry, struct change *change)
{
	struct member *member = change->member;
	struct peer *peer = member->peer;
	struct token *token = member->token;
	struct hand *hand = member->hand;

	registry_member_set(registry, member, change->state.before);
	if (peer != member->peer)
		peer_free(peer);
	if (token != member->token)
		token_free(token);
	if (hand != member->hand)
		hand_free(hand);
	state_free(change->state.before);
}

/* The member itself may be gone. */
static void state_release(struct change *change)
{
	if (change->state.before->peer != change->state.peer)
		peer_free(change->state.before->peer);
	if (change->state.before->token != change->state.token)
		token_free(change->state.before->token);
	if (change->state.before->hand != change->state.hand)
		hand_free(change->state.before->hand);
	state_free(change->state.before);
}

static uint8_t slots_of(const struct member *member)
{
	uint8_t held = 0;

	static_assert(STN_SLOTS_MAX <= 8, "a bit for each slot");
	for (unsigned int slot = 0; slot < STN_SLOTS_MAX; slot++)
		held |= (uint8_t)((member->room->holder[slot] == member_id(member)) << slot);
	return held;
}

bool plan_member_remove(struct plan *plan, struct registry *registry, struct member *member)
{
	uint8_t held = slots_of(member);
	struct change *change;

	if (!reserve(plan))
		return false;
	registry_member_unlink(registry, member);
	change = note(plan, CHANGE_MEMBER_REMOVE, member->room);
	change->member = member;
	change->held = held;
	return true;
}

/* They are heard as they were: the data plane has not been told anything. */
static void removal_revert(struct registry *registry, const struct change *change)
{
	struct member *member = change->member;

	registry_member_link(registry, member);
	for (unsigned int slot = 0; slot < STN_SLOTS_MAX; slot++) {
		if (change->held & 1u << slot)
			member->room->holder[slot] = member_id(member);
	}
}

/* What the room's silences mean for the membership, if there is one. */
static void silence_apply(struct room *room, const char *user)
{
	struct member *member = registry_member(room, user);

	if (member == NULL)
		return;
	room->muted -= member_muted(member);
	member_apply_silence(room, user, member->role, &member->put);
	room->muted += member_muted(member);
}

bool plan_silence(
	struct plan *plan, struct room *room, const char *user, const struct silence *terms)
{
	struct silence *after = NULL, *before;
	struct change *change;

	if (!reserve(plan))
		return false;
	if (terms != NULL) {
		after = calloc(1, sizeof(*after));
		if (after == NULL)
			return no_memory(plan);
		*after = *terms;
		after->user = (struct user_id){0};
		strncpy(after->user.text, user, EVENT_ID_MAX);
		after->until_ns = silence_end(after, &plan->now);
	}
	before = hash_remove(&room->silenced, user);
	if (after != NULL && hash_add(&room->silenced, after) != 0) {
		free(after);
		if (before != NULL)
			hash_add(&room->silenced, before); /* it was there: there is space */
		return no_memory(plan);
	}
	silence_apply(room, user);
	change = note(plan, CHANGE_SILENCE_SET, room);
	change->silence.before = before;
	change->silence.after = after;
	strncpy(change->silence.user.text, user, EVENT_ID_MAX);
	return true;
}

static void silence_revert(struct change *change)
{
	const char *user = change->silence.user.text;

	hash_remove(&change->room->silenced, user);
	if (change->silence.before != NULL)
		hash_add(&change->room->silenced, change->silence.before);
	silence_apply(change->room, user);
	free(change->silence.after);
}

bool plan_exclude(struct plan *plan, struct room *room, const char *user, bool banned)
{
	struct exclusion *after, *before;
	struct change *change;

	if (!reserve(plan))
		return false;
	after = calloc(1, sizeof(*after));
	if (after == NULL)
		return no_memory(plan);
	strncpy(after->user.text, user, EVENT_ID_MAX);
	after->banned = banned;
	before = hash_remove(&room->excluded, user);
	if (hash_add(&room->excluded, after) != 0) {
		free(after);
		if (before != NULL)
			hash_add(&room->excluded, before); /* it was there: there is space */
		return no_memory(plan);
	}
	change = note(plan, CHANGE_EXCLUDE_SET, room);
	change->exclusion.before = before;
	change->exclusion.after = after;
	return true;
}

bool plan_include(struct plan *plan, struct room *room, const char *user)
{
	if (!reserve(plan))
		return false;
	note(plan, CHANGE_EXCLUDE_SET, room)->exclusion.before = hash_remove(&room->excluded, user);
	return true;
}

static void exclusion_revert(struct change *change)
{
	struct exclusion *before = change->exclusion.before, *after = change->exclusion.after;

	if (after != NULL)
		hash_remove(&change->room->excluded, after->user.text);
	if (before != NULL)
		hash_add(&change->room->excluded, before); /* its place is still there */
	free(after);
}

bool plan_key_used(struct plan *plan, struct room *room, const char *digest)
{
	struct used_key *key;

	if (!reserve(plan))
		return false;
	key = calloc(1, sizeof(*key));
	if (key == NULL)
		return no_memory(plan);
	strncpy(key->digest, digest, sizeof(key->digest) - 1);
	if (hash_add(&room->used_keys, key) != 0) {
		free(key);
		return no_memory(plan);
	}
	note(plan, CHANGE_KEY_USED, room)->key = key;
	return true;
}

static void audit_free(struct audit_entry *entry)
{
	free(entry->actor);
	free(entry->member);
	free(entry->reason);
}

bool plan_audit(struct plan *plan, struct room *room, const struct audit *audit)
{
	struct audit_entry entry = {.action = audit->action, .actor = strdup(audit->actor)};
	bool copied = entry.actor != NULL;

	if (audit->member != NULL)
		copied = copied && (entry.member = strdup(audit->member)) != NULL;
	if (audit->reason != NULL)
		copied = copied && (entry.reason = strdup(audit->reason)) != NULL;
	if (!copied || !reserve(plan)) {
		audit_free(&entry);
		return no_memory(plan);
	}
	note(plan, CHANGE_AUDIT, room)->audit = entry;
	return true;
}

bool plan_record(struct plan *plan, struct registry *registry, enum record_type type, void *before,
	void *after)
{
	const struct record_kind *kind = record_kinds[type];

	if (!reserve(plan))
		return false;
	if (before != NULL)
		kind->unlink(registry, before);
	if (after != NULL && kind->link(registry, after) != 0) {
		if (before != NULL)
			kind->link(registry, before); /* it was there: there is space */
		return no_memory(plan);
	}
	note(plan, CHANGE_RECORD, NULL)->record = (struct record_change){type, before, after};
	return true;
}

static void record_revert(struct registry *registry, const struct record_change *change)
{
	const struct record_kind *kind = record_kinds[change->type];

	if (change->after != NULL)
		kind->unlink(registry, change->after);
	if (change->before != NULL)
		kind->link(registry, change->before);
	record_free(change->type, change->after);
}

bool plan_drain(struct plan *plan, struct registry *registry, bool draining)
{
	if (!reserve(plan))
		return false;
	note(plan, CHANGE_DRAIN, NULL)->draining = registry->draining;
	registry->draining = draining;
	return true;
}

bool plan_reaction(struct plan *plan, struct room *room, unsigned int emoji, uint32_t count)
{
	struct change *change;

	if (!reserve(plan) || reaction_add(room, emoji, count, plan->now.mono_ns) != 0)
		return no_memory(plan);
	change = note(plan, CHANGE_REACTION, room);
	change->reaction.emoji = emoji;
	change->reaction.count = count;
	return true;
}

bool plan_event_end(
	struct plan *plan, struct registry *registry, struct room *room, struct writer *writer)
{
	struct change *change;

	writer_end_object(writer);
	if (writer->failed || !reserve(plan)) {
		writer_clear(writer);
		return no_memory(plan);
	}
	registry->sequence++;
	change = note(plan, CHANGE_EVENT, room);
	change->event.sequence = registry->sequence;
	change->event.room_sequence = room == NULL ? 0 : ++room->sequence;
	change->event.text = writer->text; /* now the change's own */
	change->event.size = writer->size;
	*writer = (struct writer){0};
	return true;
}

bool plan_live_end(struct plan *plan, struct room *room, struct writer *writer)
{
	struct change *change;

	writer_end_object(writer);
	writer_append(writer, "\n", 1);
	if (writer->failed || !reserve(plan)) {
		writer_clear(writer);
		return no_memory(plan);
	}
	change = note(plan, CHANGE_LIVE, room);
	change->event.text = writer->text; /* now the change's own */
	change->event.size = writer->size;
	*writer = (struct writer){0};
	return true;
}

bool plan_is_live(const struct plan *plan)
{
	for (size_t i = 0; i < plan->change_count; i++) {
		if (plan->changes[i].type != CHANGE_LIVE)
			return false;
	}
	return true;
}

static void revert_one(struct registry *registry, struct change *change, const struct moment *now)
{
	switch (change->type) {
	case CHANGE_ROOM_ADD:
		registry_room_unlink(registry, change->room);
		room_free(change->room);
		break;
	case CHANGE_ROOM_SET:
		settings_index(change->room, change->settings);
		settings_load(change->room, change->settings, now);
		free(change->settings);
		break;
	case CHANGE_ROOM_REMOVE:
		/* Its places in the tables are still there: linking again cannot fail. */
		registry_room_link(registry, change->room);
		share_expose(registry, change->room, true);
		break;
	case CHANGE_MEMBER_ADD:
		registry_member_unlink(registry, change->member);
		member_free(change->member);
		break;
	case CHANGE_MEMBER_SET:
		state_revert(registry, change);
		break;
	case CHANGE_MEMBER_REMOVE:
		removal_revert(registry, change);
		break;
	case CHANGE_EXCLUDE_SET:
		exclusion_revert(change);
		break;
	case CHANGE_SILENCE_SET:
		silence_revert(change);
		break;
	case CHANGE_KEY_USED:
		hash_remove(&change->room->used_keys, change->key->digest);
		free(change->key);
		break;
	case CHANGE_AUDIT:
		audit_free(&change->audit);
		break;
	case CHANGE_EVENT:
		registry->sequence--;
		if (change->room != NULL)
			change->room->sequence--;
		free(change->event.text);
		break;
	case CHANGE_LIVE:
		free(change->event.text);
		break;
	case CHANGE_RECORD:
		record_revert(registry, &change->record);
		break;
	case CHANGE_DRAIN:
		registry->draining = change->draining;
		break;
	case CHANGE_REACTION:
		reaction_take_back(change->room, change->reaction.emoji, change->reaction.count);
		break;
	default:
		break;
	}
}

void plan_revert(struct plan *plan, struct registry *registry)
{
	while (plan->change_count > 0)
		revert_one(registry, &plan->changes[--plan->change_count], &plan->now);
}

/* What left the registry by this change belongs to nobody else now. */
static void release_one(struct change *change)
{
	switch (change->type) {
	case CHANGE_ROOM_SET:
		free(change->settings);
		break;
	case CHANGE_ROOM_REMOVE:
		room_free(change->room);
		break;
	case CHANGE_MEMBER_SET:
		state_release(change);
		break;
	case CHANGE_MEMBER_REMOVE:
		member_free(change->member);
		break;
	case CHANGE_SILENCE_SET:
		free(change->silence.before);
		break;
	case CHANGE_EXCLUDE_SET:
		free(change->exclusion.before);
		break;
	case CHANGE_AUDIT:
		audit_free(&change->audit);
		break;
	case CHANGE_EVENT:
	case CHANGE_LIVE:
		free(change->event.text);
		break;
	case CHANGE_RECORD:
		record_free(change->record.type, change->record.before);
		break;
	default:
		break;
	}
}

void plan_clear(struct plan *plan)
{
	for (size_t i = 0; i < plan->change_count; i++)
		release_one(&plan->changes[i]);
	free(plan->changes);
	if (plan->ops != NULL)
		explicit_bzero(plan->ops, plan->ops_capacity);
	free(plan->ops);
	free(plan->joined);
	writer_clear(&plan->answer);
	*plan = (struct plan){0};
}
