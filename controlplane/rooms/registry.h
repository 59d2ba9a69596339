/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * All rooms and members, in memory. Made in main(), used by the loop's thread only. Reading is free
 * for everybody; changes go through plan.h. Ids are box id << 48 | counter and never given twice:
 * the counter starts at the Unix time in 1/65536 s or where the database left off, whichever is
 * more.
 */
#ifndef STENTOR_CONTROLPLANE_ROOMS_REGISTRY_H
#define STENTOR_CONTROLPLANE_ROOMS_REGISTRY_H

#include "controlplane/rooms/room.h"

struct registry_limits {
	uint32_t rooms_max;
	uint32_t members_max;
	uint32_t room_members_max;
};

struct registry {
	struct registry_limits limits;
	struct hash rooms; /* struct room by name */
	struct roster room_roster;
	struct roster members; /* struct member of all rooms by member_id */
	struct hash tokens;    /* struct token of all members by digest */
	uint64_t sequence;     /* of the last event of all rooms */
	uint64_t next_id;      /* the next to be minted, box id included */
	/* Fills with random bytes; 0 or negative errno. */
	int (*random)(void *bytes, size_t size);
};

void registry_init(struct registry *registry, const struct registry_limits *limits,
	int (*random)(void *bytes, size_t size));
/* Erases all keys and frees everything. */
void registry_clear(struct registry *registry);

struct room *registry_room(const struct registry *registry, const char *name);
struct room *registry_room_by_id(const struct registry *registry, uint64_t room_id);
struct member *registry_member(const struct room *room, const char *user);
struct member *registry_member_by_id(const struct registry *registry, uint64_t member_id);

/* Links and unlinks; plan.c and the loading of the database only. 0 or negative errno. */
int registry_room_link(struct registry *registry, struct room *room);
void registry_room_unlink(struct registry *registry, struct room *room);
int registry_member_link(struct registry *registry, struct member *member);
void registry_member_unlink(struct registry *registry, struct member *member);

/* calloc, or NULL; free erases what was secret and accepts NULL. */
struct room *room_make(struct registry *registry);
void room_free(struct room *room);
struct member *member_make(void);
void member_free(struct member *member);

#endif
