/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A listener asks for the floor, or is invited to have it. Immutable once it is the member's:
 * plan_member_set() puts another in its place. Loop's thread; the member owns it.
 */
#ifndef STENTOR_CONTROLPLANE_ROOMS_HAND_H
#define STENTOR_CONTROLPLANE_ROOMS_HAND_H

#include "controlplane/rooms/room.h"

#define HAND_MESSAGE_MAX 140 /* bytes */

enum hand_kind { HAND_REQUEST, HAND_INVITE, HAND_KIND_COUNT };

/* What a keyed member will send as a speaker. */
struct source {
	uint32_t ssrc; /* the declared one; 0: the first that authenticates */
	uint8_t payload_type, audio_level_id;
};

struct hand {
	uint64_t id; /* place in room->hands or room->invites: the order of asking */
	enum hand_kind kind;
	char message[HAND_MESSAGE_MAX + 1];
	struct user_id by;       /* who invites; empty: nobody */
	int64_t at_ms, until_ms; /* 0: does not expire */
	uint64_t until_ns;       /* the same, as enforced */
	struct source source;
};

/* NULL: no memory. */
struct hand *hand_copy(const struct hand *hand);
void hand_free(struct hand *hand);

#endif
