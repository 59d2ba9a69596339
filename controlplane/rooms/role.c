/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "controlplane/rooms/admission.h"
#include "controlplane/rooms/outgoing.h"
#include "controlplane/rooms/policy.h"
#include "controlplane/rooms/role.h"
#include "controlplane/rooms/secret.h"

bool role_fits(const struct registry *registry, const struct member *member, enum member_role role,
	struct verdict *verdict)
{
	const struct room *room = member->room;

	if (role == ROLE_COHOST && room->rules.cohost_count == ROOM_COHOSTS_MAX &&
		!policy_is_cohost(room, member->user.text))
		return verdict_refuse(verdict, VERDICT_CAPACITY, "cohosts: %u are named",
			room->rules.cohost_count);
	if (role == ROLE_LISTENER || member->role != ROLE_LISTENER)
		return true;
	return policy_has_place(registry, room, verdict);
}

/* ---- legs ---- */

/* A keyed listener has no key to send under, and keys never change under a leg. */
static bool needs_leg(const struct member *member, enum member_role role)
{
	return role != ROLE_LISTENER && !member_webrtc(member) &&
	       member->put.role != STN_ROLE_SPEAKER;
}

static bool fill_leg(struct plan *plan, struct registry *registry, const struct member *member,
	const struct source *source, struct member_state *state)
{
	static const struct source usual = {.payload_type = PAYLOAD_TYPE_FALLBACK};
	struct stn_op_leg_put *put = &state->put;
	uint8_t suite = put->tx.suite;

	if (source == NULL)
		source = member->hand == NULL ? &usual : &member->hand->source;
	if (put->protection == STN_PROTECTION_GROUP)
		suite = member->room->put.group_key.suite;
	put->leg_id = registry->next_id++;
	put->key_store_id = 0;
	put->protection = STN_PROTECTION_LEG;
	put->role = STN_ROLE_SPEAKER;
	put->flags = 0;
	put->payload_type = source->payload_type;
	put->audio_level_id = source->audio_level_id;
	put->source_ssrc = state->ssrc = source->ssrc;
	memset(put->origin, 0, sizeof(put->origin));
	state->keys_known = true;
	state->tried = state->programmed = state->connected = false;
	if (secret_mint(registry, suite, &put->tx) == 0 &&
		secret_mint(registry, suite, &put->rx) == 0)
		return true;
	return verdict_refuse(&plan->verdict, VERDICT_UNAVAILABLE, "no random numbers");
}

/* In this order: the old one gives its address to the new one. */
static bool replace_leg(struct plan *plan, const struct member *member, uint64_t old_leg_id)
{
	struct stn_op_leg_remove old = {
		.op = {STN_OP_LEG_REMOVE, sizeof(old), 0}, .leg_id = old_leg_id};

	plan->promotes = true;
	return plan_op(plan, &old, sizeof(old)) &&
	       plan_op(plan, &member->put, sizeof(member->put)) &&
	       plan_joined(plan, member_id(member));
}

bool role_give(struct plan *plan, struct registry *registry, struct member *member,
	enum member_role role, const struct source *source)
{
	uint64_t old_leg_id = member->put.leg_id;
	bool replaces = needs_leg(member, role), done = true;
	struct member_state state;

	registry_member_state(member, &state);
	state.role = role;
	state.hand = NULL;
	if (role == ROLE_LISTENER)
		state.floor_ms = 0;
	else if (member->role == ROLE_LISTENER)
		state.floor_ms = plan->now.wall_ms;
	if (replaces)
		done = fill_leg(plan, registry, member, source, &state);
	else if (state.put.leg_id == 0)
		state.put.role = role == ROLE_LISTENER ? STN_ROLE_LISTENER : STN_ROLE_SPEAKER;
	member_apply_silence(member->room, member->user.text, role, &state.put);
	done = done && plan_member_set(plan, registry, member, &state);
	explicit_bzero(&state, sizeof(state));
	if (!done)
		return false;
	return replaces ? replace_leg(plan, member, old_leg_id) : outgoing_mute_op(plan, member);
}

void role_answer_leg(struct plan *plan, const struct event *event, const struct member *member)
{
	if (member->put.leg_id == 0)
		writer_null(&plan->answer, "leg");
	else
		writer_id(&plan->answer, "leg", member->put.leg_id);
	if (event->page || member_webrtc(member))
		return;
	writer_mark(&plan->answer, "tx_key", SECRET_MARK_TX, member_id(member));
	writer_mark(&plan->answer, "rx_key", SECRET_MARK_RX, member_id(member));
}

/* ---- cohosts and the host ---- */

static void unname(struct room_rules *rules, const char *user)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < rules->cohost_count; i++) {
		if (strcmp(rules->cohosts[i].text, user) != 0)
			rules->cohosts[kept++] = rules->cohosts[i];
	}
	for (uint32_t i = kept; i < rules->cohost_count; i++)
		rules->cohosts[i] = (struct user_id){0};
	rules->cohost_count = kept;
}

bool role_unname(struct plan *plan, struct room *room, const char *user)
{
	struct room_settings settings;

	if (!policy_is_cohost(room, user))
		return true;
	plan_room_settings(room, &settings);
	unname(&settings.rules, user);
	return plan_room_set(plan, room, &settings);
}

static bool set_named(struct plan *plan, const struct member *member, bool named)
{
	struct room_settings settings;

	if (!named)
		return role_unname(plan, member->room, member->user.text);
	if (policy_is_cohost(member->room, member->user.text))
		return true;
	plan_room_settings(member->room, &settings);
	settings.rules.cohosts[settings.rules.cohost_count++] = member->user;
	return plan_room_set(plan, member->room, &settings);
}

static bool announce_change(struct plan *plan, struct registry *registry,
	const struct member *member, enum member_role was, const struct audit *why)
{
	struct writer writer = {0};

	outgoing_begin(&writer, plan, registry, member->room, "role.changed");
	writer_string(&writer, "actor", why->actor);
	writer_string(&writer, "member", member->user.text);
	writer_string(&writer, "role", admission_role_names[member->role]);
	writer_string(&writer, "was", admission_role_names[was]);
	if (!member_webrtc(member))
		writer_id(&writer, "leg", member->put.leg_id);
	writer_string(&writer, "reason", why->reason);
	return plan_event_end(plan, registry, member->room, &writer);
}

bool role_change(struct plan *plan, struct registry *registry, struct member *member,
	enum member_role role, const struct audit *why)
{
	enum member_role was = member->role;

	return set_named(plan, member, role == ROLE_COHOST) &&
	       role_give(plan, registry, member, role, NULL) &&
	       announce_change(plan, registry, member, was, why);
}

bool role_may_inherit(
	const struct registry *registry, const struct member *member, struct verdict *verdict)
{
	const struct room *room = member->room;
	uint32_t named = room->rules.cohost_count - policy_is_cohost(room, member->user.text);

	if (registry_member(room, room->host.text) != NULL &&
		!policy_is_cohost(room, room->host.text) && named == ROOM_COHOSTS_MAX)
		return verdict_refuse(verdict, VERDICT_CAPACITY,
			"cohosts: %u are named, there is no place for \"%s\"", named,
			room->host.text);
	return role_fits(registry, member, ROLE_HOST, verdict);
}

static bool announce_host(struct plan *plan, struct registry *registry, struct room *room,
	const char *was, const struct audit *why)
{
	struct writer writer = {0};

	outgoing_begin(&writer, plan, registry, room, "room.host_changed");
	writer_string(&writer, "actor", why->actor);
	writer_string(&writer, "host", room->host.text);
	writer_string(&writer, "was", was);
	writer_string(&writer, "reason", why->reason);
	return plan_event_end(plan, registry, room, &writer);
}

bool role_hand_over(struct plan *plan, struct registry *registry, struct member *member,
	const struct audit *why)
{
	struct room *room = member->room;
	struct member *before = registry_member(room, room->host.text);
	struct user_id was = room->host;
	struct room_settings settings;

	plan_room_settings(room, &settings);
	settings.host = member->user;
	settings.rules.host_left = false;
	unname(&settings.rules, member->user.text);
	if (before != NULL) {
		unname(&settings.rules, was.text);
		settings.rules.cohosts[settings.rules.cohost_count++] = was;
	}
	if (!plan_room_set(plan, room, &settings))
		return false;
	if (before != NULL && before->role == ROLE_HOST &&
		!role_give(plan, registry, before, ROLE_COHOST, NULL))
		return false;
	return role_give(plan, registry, member, ROLE_HOST, NULL) &&
	       announce_host(plan, registry, room, was.text, why);
}

/* A host has silenced them, who is not to lift that by becoming the host. */
static bool is_silenced(const struct room *room, const struct member *member)
{
	const struct silence *silence = hash_find(&room->silenced, member->user.text);

	return silence != NULL && silence->by_rank > RANK_NONE;
}

/* Since when they are what they would inherit as; the smaller id goes before. */
static bool earlier(int64_t a_ms, const struct member *a, int64_t b_ms, const struct member *b)
{
	return b == NULL || a_ms < b_ms || (a_ms == b_ms && member_id(a) < member_id(b));
}

struct member *role_heir(const struct room *room)
{
	struct member *cohost = NULL, *speaker = NULL, *member;
	int64_t cohost_ms = 0, speaker_ms = 0;
	uint64_t id = 0;

	if (room->speaking_members == 0)
		return NULL;
	while ((member = roster_next(&room->roster, &id)) != NULL) {
		if (member->role == ROLE_LISTENER || is_silenced(room, member))
			continue;
		if (member->role == ROLE_COHOST &&
			earlier(member->joined_ms, member, cohost_ms, cohost)) {
			cohost = member;
			cohost_ms = member->joined_ms;
		} else if (member->role == ROLE_SPEAKER &&
			   earlier(member->floor_ms, member, speaker_ms, speaker)) {
			speaker = member;
			speaker_ms = member->floor_ms;
		}
	}
	return cohost != NULL ? cohost : speaker;
}

/* ---- what a data plane refused ---- */

static void restore_leg(const struct member_state *before, struct member_state *state)
{
	state->ssrc = before->ssrc;
	state->keys_known = before->keys_known;
	state->tried = before->tried;
	state->programmed = before->programmed;
	state->connected = before->connected;
	state->put = before->put;
}

static bool restore_member(
	struct plan *plan, struct registry *registry, const struct change *change)
{
	const struct member_state *before = change->state.before;
	struct member *member = registry_member_by_id(registry, before->put.member_id);
	static const struct audit why = {.reason = "refused"};
	struct member_state state;
	enum member_role was;
	bool done;

	if (member == NULL || member->put.leg_id != change->state.leg_id)
		return true;
	was = member->role;
	registry_member_state(member, &state);
	state.role = before->role;
	state.floor_ms = before->floor_ms;
	if (before->put.leg_id != member->put.leg_id)
		restore_leg(before, &state);
	if (before->hand != NULL && member->hand == NULL) {
		state.hand = hand_copy(before->hand);
		if (state.hand == NULL)
			return verdict_refuse(&plan->verdict, VERDICT_UNAVAILABLE, "out of memory");
	}
	member_apply_silence(member->room, member->user.text, state.role, &state.put);
	done = plan_member_set(plan, registry, member, &state);
	if (!done && state.hand != member->hand)
		hand_free(state.hand);
	explicit_bzero(&state, sizeof(state));
	return done && announce_change(plan, registry, member, was, &why);
}

static bool restore_room(struct plan *plan, struct registry *registry, const struct change *change)
{
	static const struct audit why = {.reason = "refused"};
	const struct room_settings *before = change->settings;
	struct room *room = change->room;
	struct room_settings settings;
	struct user_id was = room->host;

	plan_room_settings(room, &settings);
	settings.host = before->host;
	settings.rules.host_left = before->rules.host_left;
	memcpy(settings.rules.cohosts, before->rules.cohosts, sizeof(settings.rules.cohosts));
	settings.rules.cohost_count = before->rules.cohost_count;
	if (!plan_room_set(plan, room, &settings))
		return false;
	return strcmp(was.text, room->host.text) == 0 ||
	       announce_host(plan, registry, room, was.text, &why);
}

/* The room may have ended since, and its memory be somebody else's. */
static bool is_open(
	const struct registry *registry, const struct plan *refused, const struct room *room)
{
	for (size_t i = 0; i < refused->change_count; i++) {
		const struct change *change = &refused->changes[i];

		if (change->type == CHANGE_MEMBER_SET && change->room == room)
			return registry_room_by_id(registry, change->state.before->put.room_id) ==
			       room;
	}
	return false;
}

bool role_take_back(struct plan *plan, struct registry *registry, const struct plan *refused)
{
	for (size_t i = refused->change_count; i > 0; i--) {
		const struct change *change = &refused->changes[i - 1];
		bool done = true;

		if (change->type == CHANGE_MEMBER_SET)
			done = restore_member(plan, registry, change);
		else if (change->type == CHANGE_ROOM_SET &&
			 is_open(registry, refused, change->room))
			done = restore_room(plan, registry, change);
		if (!done)
			return false;
	}
	return true;
}
