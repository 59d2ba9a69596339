/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "controlplane/rooms/admission.h"
#include "controlplane/rooms/due.h"
#include "controlplane/rooms/outgoing.h"

static void write_room(
	struct writer *writer, const struct moment *now, const struct room *room, const char *type)
{
	writer_string(writer, "type", type);
	writer_int(writer, "at_ms", now->wall_ms);
	writer_string(writer, "room", room->name.text);
}

static void write_counts(struct writer *writer, const struct room *room)
{
	writer_uint(writer, "members", room->roster.count);
	writer_uint(writer, "listeners", room->listeners);
	writer_uint(writer, "speakers", room->speaking_members);
}

void outgoing_begin(struct writer *writer, const struct plan *plan, const struct registry *registry,
	const struct room *room, const char *type)
{
	writer_begin_object(writer, NULL);
	writer_uint(writer, "seq", registry->sequence + 1);
	if (room == NULL) {
		writer_string(writer, "type", type);
		writer_int(writer, "at_ms", plan->now.wall_ms);
		return;
	}
	write_room(writer, &plan->now, room, type);
	writer_uint(writer, "room_seq", room->sequence + 1);
	write_counts(writer, room);
}

void outgoing_begin_live(
	struct writer *writer, const struct moment *now, const struct room *room, const char *type)
{
	writer_begin_object(writer, NULL);
	write_room(writer, now, room, type);
}

bool outgoing_joined(struct plan *plan, struct registry *registry, const struct member *member)
{
	struct writer writer = {0};

	outgoing_begin(&writer, plan, registry, member->room, "member.joined");
	writer_string(&writer, "actor", member->user.text);
	writer_string(&writer, "role", admission_role_names[member->role]);
	writer_begin_array(&writer, "joined");
	writer_string(&writer, NULL, member->user.text);
	writer_end_array(&writer);
	return plan_event_end(plan, registry, member->room, &writer);
}

static bool remove_leg(struct plan *plan, uint64_t leg_id)
{
	struct stn_op_leg_remove op = {.op = {STN_OP_LEG_REMOVE, sizeof(op), 0}, .leg_id = leg_id};

	return leg_id == 0 || plan_op(plan, &op, sizeof(op));
}

/* A fresh state without a leg; nothing of the old one is left in it. */
static void without_leg(const struct plan *plan, const struct registry *registry,
	struct member_state *state, enum seat seat)
{
	struct stn_op_leg_put *put = &state->put;

	put->leg_id = 0;
	put->key_store_id = 0;
	put->remote = (struct stn_address){0};
	put->flags &= (uint8_t)~STN_LEG_ORIGIN_KNOWN;
	explicit_bzero(&put->tx, sizeof(put->tx));
	explicit_bzero(&put->rx, sizeof(put->rx));
	memset(put->origin, 0, sizeof(put->origin));
	state->peer = NULL;
	state->keys_known = true;
	state->tried = state->programmed = state->connected = false;
	state->seat = seat;
	state->seat_ns =
		registry->limits.reconnect_grace_ms == 0
			? 0
			: plan->now.mono_ns + registry->limits.reconnect_grace_ms * 1000000u;
}

bool outgoing_leg_ended(
	struct plan *plan, struct registry *registry, struct member *member, enum seat seat)
{
	uint64_t leg_id = member->put.leg_id;
	struct member_state state;
	bool done;

	registry_member_state(member, &state);
	without_leg(plan, registry, &state, seat);
	done = plan_member_set(plan, registry, member, &state);
	explicit_bzero(&state, sizeof(state));
	return done && remove_leg(plan, leg_id);
}

bool outgoing_member_left(
	struct plan *plan, struct registry *registry, struct member *member, const char *reason)
{
	return outgoing_members_left(plan, registry, member->room, &member, 1, reason);
}

/* Nobody is host in there now: from here on the grace time runs. */
static bool host_leaves(struct plan *plan, struct registry *registry, struct room *room)
{
	uint64_t due_ns = plan->now.mono_ns + registry->limits.host_grace_ms * 1000000u;
	struct room_settings settings;

	plan_room_settings(room, &settings);
	settings.rules.host_left = true;
	settings.host_left_ns = plan->now.mono_ns;
	if (due_ns < registry->host_due_ns)
		registry->host_due_ns = due_ns;
	due_wake(registry, due_ns);
	return plan_room_set(plan, room, &settings);
}

bool outgoing_members_left(struct plan *plan, struct registry *registry, struct room *room,
	struct member *const *members, size_t count, const char *reason)
{
	struct writer writer = {0};

	for (size_t i = 0; i < count; i++) {
		if (strcmp(members[i]->user.text, room->host.text) == 0 &&
			!host_leaves(plan, registry, room))
			return false;
		if (!plan_member_remove(plan, registry, members[i]) ||
			!remove_leg(plan, members[i]->put.leg_id))
			return false;
	}
	outgoing_begin(&writer, plan, registry, room, "member.left");
	writer_begin_array(&writer, "left");
	for (size_t i = 0; i < count; i++)
		writer_string(&writer, NULL, members[i]->user.text);
	writer_end_array(&writer);
	writer_string(&writer, "reason", reason);
	return plan_event_end(plan, registry, room, &writer);
}

bool outgoing_room_closed(struct plan *plan, struct registry *registry, struct room *room,
	const char *actor, const char *reason)
{
	struct stn_op_room_remove op = {.op = {STN_OP_ROOM_REMOVE, sizeof(op), 0}};
	struct writer writer = {0};
	struct member *member;
	uint64_t id = 0;

	while ((member = roster_next(&room->roster, &id)) != NULL) {
		if (!plan_member_remove(plan, registry, member) ||
			!remove_leg(plan, member->put.leg_id))
			return false;
	}
	op.room_id = room->put.room_id;
	outgoing_begin(&writer, plan, registry, room, "room.closed");
	writer_string(&writer, "actor", actor);
	writer_string(&writer, "reason", reason);
	if (!plan_event_end(plan, registry, room, &writer))
		return false;
	if (room->rules.state == ROOM_LIVE && !plan_op(plan, &op, sizeof(op)))
		return false;
	return plan_room_remove(plan, registry, room);
}

bool outgoing_mute_op(struct plan *plan, const struct member *member)
{
	struct stn_op_leg_mute op = {.op = {STN_OP_LEG_MUTE, sizeof(op), 0}};

	if (member->put.leg_id == 0 || member->put.role != STN_ROLE_SPEAKER)
		return true;
	op.leg_id = member->put.leg_id;
	op.muted = (member->put.flags & STN_LEG_MUTED) != 0;
	op.until_ns = member->put.mute_until_ns;
	return plan_op(plan, &op, sizeof(op));
}

static void write_terms(struct writer *writer, const struct silence *terms)
{
	if (terms->until_ms != 0 && !terms->held)
		writer_int(writer, "until_ms", terms->until_ms);
	else
		writer_null(writer, "until_ms");
	writer_string(writer, "undo", terms->by_rank == 0 ? "member" : "hosts");
	if (terms->held)
		writer_bool(writer, "hold", true);
}

bool outgoing_silence(struct plan *plan, struct registry *registry, struct room *room,
	const struct audit *why, const struct silence *terms)
{
	const struct member *member = registry_member(room, why->member);
	struct writer writer = {0};

	if (!plan_silence(plan, room, why->member, terms))
		return false;
	if (member != NULL && !outgoing_mute_op(plan, member))
		return false;
	outgoing_begin(
		&writer, plan, registry, room, terms != NULL ? "member.muted" : "member.unmuted");
	writer_string(&writer, "actor", why->actor);
	writer_string(&writer, "member", why->member);
	if (terms != NULL)
		write_terms(&writer, terms);
	writer_string(&writer, "reason", why->reason);
	return plan_event_end(plan, registry, room, &writer);
}
