/* SPDX-License-Identifier: BSD-3-Clause */
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

bool outgoing_member_left(
	struct plan *plan, struct registry *registry, struct member *member, const char *reason)
{
	return outgoing_members_left(plan, registry, member->room, &member, 1, reason);
}

bool outgoing_members_left(struct plan *plan, struct registry *registry, struct room *room,
	struct member *const *members, size_t count, const char *reason)
{
	struct writer writer = {0};

	for (size_t i = 0; i < count; i++) {
		struct stn_op_leg_remove op = {.op = {STN_OP_LEG_REMOVE, sizeof(op), 0}};

		op.leg_id = members[i]->put.leg_id;
		if (!plan_member_remove(plan, registry, members[i]) ||
			!plan_op(plan, &op, sizeof(op)))
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
		struct stn_op_leg_remove leg = {.op = {STN_OP_LEG_REMOVE, sizeof(leg), 0}};

		leg.leg_id = member->put.leg_id;
		if (!plan_member_remove(plan, registry, member) ||
			!plan_op(plan, &leg, sizeof(leg)))
			return false;
	}
	op.room_id = room->put.room_id;
	outgoing_begin(&writer, plan, registry, room, "room.closed");
	writer_string(&writer, "actor", actor);
	writer_string(&writer, "reason", reason);
	return plan_event_end(plan, registry, room, &writer) && plan_op(plan, &op, sizeof(op)) &&
	       plan_room_remove(plan, registry, room);
}

bool outgoing_silence(struct plan *plan, struct registry *registry, struct room *room,
	const struct audit *why, bool muted, int64_t until_ms)
{
	const struct member *member = registry_member(room, why->member);
	struct writer writer = {0};

	if (!plan_silence(plan, room, why->member, muted, until_ms))
		return false;
	if (member != NULL && member->role != ROLE_LISTENER) {
		struct stn_op_leg_mute op = {.op = {STN_OP_LEG_MUTE, sizeof(op), 0}};

		op.leg_id = member->put.leg_id;
		op.muted = muted;
		op.until_ns = member->put.mute_until_ns;
		if (!plan_op(plan, &op, sizeof(op)))
			return false;
	}
	outgoing_begin(&writer, plan, registry, room, muted ? "member.muted" : "member.unmuted");
	writer_string(&writer, "actor", why->actor);
	writer_string(&writer, "member", why->member);
	if (muted && until_ms != 0)
		writer_int(&writer, "until_ms", until_ms);
	else if (muted)
		writer_null(&writer, "until_ms");
	writer_string(&writer, "reason", why->reason);
	return plan_event_end(plan, registry, room, &writer);
}
