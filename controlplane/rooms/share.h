/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A link into a room that expires, or an invitation to one person. The code is a bearer secret like
 * a token: only its SHA-256 is stored, the text is in memory while the program runs. Loop's thread.
 */
#ifndef STENTOR_CONTROLPLANE_ROOMS_SHARE_H
#define STENTOR_CONTROLPLANE_ROOMS_SHARE_H

#include "controlplane/rooms/record.h"
#include "controlplane/rooms/room.h"

#define SHARES_MAX 1000 /* of a room */

struct share {
	uint64_t id;
	uint64_t room_id;
	struct user_id actor;
	struct user_id member; /* empty: whoever has the code */
	int64_t expires_ms;
	char digest[65];            /* SHA-256 of the code, in hex */
	char code[TOKEN_TEXT_SIZE]; /* empty: from before this program started; no column */
};

extern const struct record_kind share_kind;

/* Whether the registry finds the shares of the room, which leaves it with them. Putting back what
 * was just taken out cannot fail. */
void share_expose(struct registry *registry, const struct room *room, bool exposed);

#endif
