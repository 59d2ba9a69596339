/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What ends by itself. The data plane is not told: these legs are gone there, or the resync that
 * follows does not name them. A little memory is kept for it; false: even with that it could not be
 * done. Loop's thread.
 */
#ifndef STENTOR_CONTROLPLANE_ENDING_H
#define STENTOR_CONTROLPLANE_ENDING_H

#include "controlplane/rooms/room.h"

struct conductor;

bool ending_room(struct conductor *c, struct room *room, const char *reason);
void ending_member(struct conductor *c, struct member *member, const char *reason);
bool ending_silence(struct conductor *c, struct room *room, const char *user);
/* What is past its deadline, when no data plane is there to say so. */
void ending_expired(struct conductor *c);

/* A WebRTC member's leg ends, the seat stays for a while; anybody else's membership ends. */
void ending_leg(struct conductor *c, struct member *member, const char *reason);
/* Seats without a leg that were kept long enough. */
void ending_seats(struct conductor *c);

/* Keeps that memory; called now and then. */
void ending_prepare(struct conductor *c);
/* What happens by the clock: rooms/due.h. */
void ending_due(struct conductor *c);
struct ending {
	const char *reason;
	bool leg; /* as ending_leg() */
	bool (*applies)(const struct conductor *c, const struct member *member);
};
/* All members to whom it applies, in one event a room. */
bool ending_in_room(struct conductor *c, struct room *room, const struct ending *ending);
bool ending_members(struct conductor *c, const struct ending *ending);

#endif
