/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a room holds against a user, in it or not: that they are muted, that they may not come back.
 * Immutable once they are in the room; plan_silence() and plan_exclude() put another in their
 * place. Loop's thread; the room owns them.
 */
#ifndef STENTOR_CONTROLPLANE_ROOMS_SILENCE_H
#define STENTOR_CONTROLPLANE_ROOMS_SILENCE_H

#include "controlplane/rooms/room.h"

/* A mute. It belongs to the user, not to the membership: leaving and joining does not shed it. */
struct silence {
	struct user_id user;
	int64_t until_ms;  /* 0: until unmuted */
	uint64_t until_ns; /* the same, as enforced */
	struct user_id by; /* empty: the program */
	uint32_t by_rank;  /* who lifts it needs as much (policy.h); 0: the user may themself */
	/* For reports, until somebody has looked at them: without an end whatever until_ms says.
	 * What it took the place of is kept in `by`, until_ms and held_rank; RANK_COUNT: nothing.
	 */
	bool held;
	uint32_t held_rank;
};

static inline uint64_t silence_end(const struct silence *silence, const struct moment *now)
{
	return silence->held ? 0 : moment_mono(now, silence->until_ms);
}

/* Of a user from this room, whoever its host is. */
struct exclusion {
	struct user_id user;
	bool banned; /* by a ban, and lifted with it; else for the life of the room */
};

#endif
