/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Keeping somebody out of a room: what removal and ban have in common. Pure; loop's thread.
 */
#ifndef STENTOR_CONTROLPLANE_ROOMS_EXCLUSION_H
#define STENTOR_CONTROLPLANE_ROOMS_EXCLUSION_H

#include "controlplane/rooms/plan.h"

/*
 * The user, in the room or not, may not come back: their membership ends (event member.left with
 * that reason), invitations that name them, links they made and their place among the cohosts go.
 * banned: a ban did it; an exclusion by removal that is there already stays one.
 */
bool exclusion_begin(struct plan *plan, struct registry *registry, struct room *room,
	const char *user, bool banned, const char *reason);

/* A ban's exclusion ends, if there is one; others stay. */
bool exclusion_lift(struct plan *plan, struct room *room, const char *user);

#endif
