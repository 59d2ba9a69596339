/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Events for subscribers: what they have in common, and those that also happen by themselves. Each
 * carries its sequence numbers, which are those the registry will have once plan_event_end() is
 * called, and the absolute counts of the room as they are at that point of the plan.
 */
#ifndef STENTOR_CONTROLPLANE_ROOMS_OUTGOING_H
#define STENTOR_CONTROLPLANE_ROOMS_OUTGOING_H

#include "controlplane/rooms/plan.h"

/* Begins the object: sequence numbers, type, time, room, counts. The writer must be empty. room
 * NULL: of none, and nothing of a room is said. */
void outgoing_begin(struct writer *writer, const struct plan *plan, const struct registry *registry,
	const struct room *room, const char *type);

/* Begins one without sequence numbers, for what is only live. */
void outgoing_begin_live(
	struct writer *writer, const struct moment *now, const struct room *room, const char *type);

/* One has come in by themself: event member.joined. */
bool outgoing_joined(struct plan *plan, struct registry *registry, const struct member *member);

/* A WebRTC member's leg ends and their seat is kept for a while: change, leg removal, no event. */
bool outgoing_leg_ended(
	struct plan *plan, struct registry *registry, struct member *member, enum seat seat);

/* Says to the data plane whether the member's leg is muted, if it is one that can send. */
bool outgoing_mute_op(struct plan *plan, const struct member *member);

/* A membership ends: change, leg removal, event member.left. */
bool outgoing_member_left(
	struct plan *plan, struct registry *registry, struct member *member, const char *reason);

/* Many of one room at once end, in one event. */
bool outgoing_members_left(struct plan *plan, struct registry *registry, struct room *room,
	struct member *const *members, size_t count, const char *reason);

/* A room ends, and all memberships with it. actor NULL: by itself. */
bool outgoing_room_closed(struct plan *plan, struct registry *registry, struct room *room,
	const char *actor, const char *reason);

/* A mute begins on these terms (event member.muted), or ends (terms NULL: member.unmuted). Actor
 * and reason may be NULL. */
bool outgoing_silence(struct plan *plan, struct registry *registry, struct room *room,
	const struct audit *why, const struct silence *terms);

#endif
