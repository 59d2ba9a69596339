/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A host's ban of a user from all their rooms, those of today and those to come. Loop's thread.
 */
#ifndef STENTOR_CONTROLPLANE_ROOMS_BAN_H
#define STENTOR_CONTROLPLANE_ROOMS_BAN_H

#include "controlplane/rooms/record.h"
#include "controlplane/rooms/room.h"

#define BAN_REASON_SIZE 257
#define BANS_MAX 1000000 /* of all hosts */

struct ban {
	uint64_t id;
	struct user_id host, user, actor;
	char reason[BAN_REASON_SIZE];
	int64_t at_ms;
	char key[2 * EVENT_ID_MAX + 2]; /* "host/user": its name in registry->bans */
};

extern const struct record_kind ban_kind;

/* Whether that host has banned the user. */
struct ban *registry_ban(const struct registry *registry, const char *host, const char *user);

#endif
