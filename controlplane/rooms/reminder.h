/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A user wants to be told when a scheduled room is about to start. It is gone with the event that
 * tells them, in one transaction. Loop's thread.
 */
#ifndef STENTOR_CONTROLPLANE_ROOMS_REMINDER_H
#define STENTOR_CONTROLPLANE_ROOMS_REMINDER_H

#include "controlplane/rooms/record.h"
#include "controlplane/rooms/room.h"

struct reminder {
	uint64_t id;
	uint64_t room_id;
	struct user_id user;
	uint64_t before_ms; /* how long before the start */
};

extern const struct record_kind reminder_kind;

#endif
