/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The queue for the floor: who asks for it, who is invited, how both end. A request or an
 * invitation that has expired counts for nothing, also in the moment before floor_due() has said
 * so. Loop's thread; pure.
 */
#ifndef STENTOR_CONTROLPLANE_ROOMS_FLOOR_H
#define STENTOR_CONTROLPLANE_ROOMS_FLOOR_H

#include "controlplane/rooms/hand.h"
#include "controlplane/rooms/plan.h"

/* The member asks and that has not expired; is invited, and so on. */
bool floor_asks(const struct member *member, const struct moment *now);
bool floor_is_invited(const struct member *member, const struct moment *now);

/* How many ask before them. */
uint64_t floor_position(const struct member *member);

/* The member asks or is invited from now on, in place of what was; its id and until_ns are filled
 * in: a request goes on in its place. */
bool floor_raise(struct plan *plan, struct registry *registry, struct member *member,
	const struct hand *hand);
/* Neither, from now on. */
bool floor_lower(struct plan *plan, struct registry *registry, struct member *member);

/* A listener gets the floor: event floor.granted. accepted: an invitation. source: see role.h. */
bool floor_give(struct plan *plan, struct registry *registry, struct member *member,
	const struct source *source, const struct audit *why, bool accepted);

/* The event of that type about a member as it is now; actor and reason from why. */
bool floor_announce(struct plan *plan, struct registry *registry, const struct member *member,
	const char *type, const struct audit *why);

#endif
