/* SPDX-License-Identifier: BSD-3-Clause */
/* A plan as JSON: events, table operations, entries of the audit. */
#include <string.h>

#include "tests/model/driver.h"

static void write_events(struct writer *out, const struct plan *plan, enum change_type type)
{
	writer_begin_array(out, type == CHANGE_EVENT ? "events" : "live");
	for (size_t i = 0; i < plan->change_count; i++) {
		const struct change *change = &plan->changes[i];
		size_t size = change->event.size;

		if (change->type != type)
			continue;
		/* A live one ends with the newline of its line. */
		if (size > 0 && change->event.text[size - 1] == '\n')
			size--;
		writer_raw(out, change->event.text, size);
	}
	writer_end_array(out);
}

static void write_leg_put(struct writer *out, const struct stn_op_leg_put *put)
{
	writer_id(out, "leg", put->leg_id);
	writer_id(out, "member", put->member_id);
	writer_id(out, "room", put->room_id);
	writer_bool(out, "sends", put->role == STN_ROLE_SPEAKER);
	writer_bool(out, "muted", (put->flags & STN_LEG_MUTED) != 0);
	writer_uint(out, "until_ns", put->mute_until_ns);
}

static void write_op(struct writer *out, const struct stn_op *op)
{
	const struct stn_op_leg_mute *mute = (const struct stn_op_leg_mute *)op;

	writer_begin_object(out, NULL);
	switch (op->type) {
	case STN_OP_ROOM_PUT:
		writer_string(out, "op", "room_put");
		writer_id(out, "room", ((const struct stn_op_room_put *)op)->room_id);
		break;
	case STN_OP_ROOM_REMOVE:
		writer_string(out, "op", "room_remove");
		writer_id(out, "room", ((const struct stn_op_room_remove *)op)->room_id);
		break;
	case STN_OP_LEG_PUT:
		writer_string(out, "op", "leg_put");
		write_leg_put(out, (const struct stn_op_leg_put *)op);
		break;
	case STN_OP_LEG_REMOVE:
		writer_string(out, "op", "leg_remove");
		writer_id(out, "leg", ((const struct stn_op_leg_remove *)op)->leg_id);
		break;
	case STN_OP_LEG_MUTE:
		writer_string(out, "op", "leg_mute");
		writer_id(out, "leg", mute->leg_id);
		writer_bool(out, "muted", mute->muted != 0);
		writer_uint(out, "until_ns", mute->until_ns);
		break;
	default:
		writer_string(out, "op", "leg_ice");
		break;
	}
	writer_end_object(out);
}

static void write_audit(struct writer *out, const struct plan *plan)
{
	writer_begin_array(out, "audit");
	for (size_t i = 0; i < plan->change_count; i++) {
		const struct change *change = &plan->changes[i];

		if (change->type != CHANGE_AUDIT)
			continue;
		writer_begin_object(out, NULL);
		writer_string(out, "room", change->room == NULL ? NULL : change->room->name.text);
		writer_string(out, "actor", change->audit.actor);
		writer_string(out, "action", change->audit.action);
		writer_string(out, "member", change->audit.member);
		writer_string(out, "reason", change->audit.reason);
		writer_end_object(out);
	}
	writer_end_array(out);
}

void outcome_write(struct writer *out, const struct registry *registry, const struct plan *plan)
{
	write_events(out, plan, CHANGE_EVENT);
	write_events(out, plan, CHANGE_LIVE);
	writer_begin_array(out, "ops");
	for (size_t at = 0; at < plan->ops_size;) {
		const struct stn_op *op = (const struct stn_op *)(plan->ops + at);

		write_op(out, op);
		at += op->size;
	}
	writer_end_array(out);
	write_audit(out, plan);
}
