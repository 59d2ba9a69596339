/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * room.live: a room that goes live is told to the followers of its host, in the order of their
 * record ids, FOLLOWERS_A_PART in an event. How far it is stands in the room's rules and is written
 * in one transaction with the event, so each is told once whatever happens. Loop's thread.
 */
#ifndef STENTOR_CONTROLPLANE_ROOMS_ANNOUNCEMENT_H
#define STENTOR_CONTROLPLANE_ROOMS_ANNOUNCEMENT_H

#include "controlplane/rooms/registry.h"

#define FOLLOWERS_A_PART 500

/* In the rules of a room that goes live, before they are put into the room by plan_*(): who follows
 * now will be told. Wakes the clock's work. */
void announcement_begin(
	struct registry *registry, struct room_rules *rules, const struct moment *now);

#endif
