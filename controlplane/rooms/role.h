/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A member's role, and what follows from it: who is counted as having the floor, whose leg may
 * send, who is named as cohost, whose room it is. Used by whatever gives roles: the floor,
 * role.set, demotion, the list of cohosts, inheritance. Nothing here asks whether the actor may.
 *
 * A keyed member whose leg only listens gets another one with the role: same address, fresh keys in
 * both directions. Loop's thread; pure.
 */
#ifndef STENTOR_CONTROLPLANE_ROOMS_ROLE_H
#define STENTOR_CONTROLPLANE_ROOMS_ROLE_H

#include "controlplane/rooms/hand.h"
#include "controlplane/rooms/plan.h"

/* The member could have that role: there is place for it. Changes nothing. */
bool role_fits(const struct registry *registry, const struct member *member, enum member_role role,
	struct verdict *verdict);

/* Gives it. A request for the floor or an invitation ends, the data plane is told; no event.
 * source: what a keyed listener who becomes a speaker will send; NULL: the usual. */
bool role_give(struct plan *plan, struct registry *registry, struct member *member,
	enum member_role role, const struct source *source);

/* The same with the naming as cohost that goes with it, and the event role.changed. Not to or from
 * host. why: actor (NULL: nobody) and reason. */
bool role_change(struct plan *plan, struct registry *registry, struct member *member,
	enum member_role role, const struct audit *why);

/* Not named as cohost any more, in the room or not; no event. */
bool role_unname(struct plan *plan, struct room *room, const char *user);

/* The room is the member's from now on; who had it and is in it becomes a cohost. Event
 * room.host_changed. There must be place: role_may_inherit(). */
bool role_hand_over(struct plan *plan, struct registry *registry, struct member *member,
	const struct audit *why);
bool role_may_inherit(
	const struct registry *registry, const struct member *member, struct verdict *verdict);

/* Who inherits a room that its host has left: the cohost who is in it for the longest, else who
 * speaks for the longest; nobody whom a host has silenced. NULL: nobody. */
struct member *role_heir(const struct room *room);

/* What a data plane refused to do: whoever got another leg by `refused` has the one before again,
 * with role, request and room as they were, if it is still theirs. Event role.changed, reason
 * "refused". False: out of memory. */
bool role_take_back(struct plan *plan, struct registry *registry, const struct plan *refused);

/* Into the answer: the leg, and its keys as marks, unless it is a page that asks. */
void role_answer_leg(struct plan *plan, const struct event *event, const struct member *member);

#endif
