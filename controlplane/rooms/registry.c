/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/rooms/registry.h"
#include "controlplane/rooms/token.h"

uint64_t moment_mono(const struct moment *now, int64_t wall_ms)
{
	int64_t left_ms = wall_ms - now->wall_ms;

	if (wall_ms == 0)
		return 0;
	if (left_ms <= 0)
		return 1;
	return now->mono_ns + (uint64_t)left_ms * 1000000u;
}

void registry_init(struct registry *registry, const struct registry_limits *limits,
	int (*random)(void *bytes, size_t size))
{
	*registry = (struct registry){.limits = *limits, .random = random, .next_id = 1};
	random(&registry->rooms.seed, sizeof(registry->rooms.seed));
	registry->tokens.seed = registry->rooms.seed;
}

void registry_clear(struct registry *registry)
{
	uint64_t id = 0;
	void *thing;

	while ((thing = roster_next(&registry->members, &id)) != NULL)
		member_free(thing);
	roster_clear(&registry->members);
	id = 0;
	while ((thing = roster_next(&registry->room_roster, &id)) != NULL)
		room_free(thing);
	roster_clear(&registry->room_roster);
	hash_clear(&registry->rooms);
	hash_clear(&registry->tokens);
}

struct room *registry_room(const struct registry *registry, const char *name)
{
	return hash_find(&registry->rooms, name);
}

struct room *registry_room_by_id(const struct registry *registry, uint64_t room_id)
{
	return roster_find(&registry->room_roster, room_id);
}

struct member *registry_member(const struct room *room, const char *user)
{
	return hash_find(&room->members, user);
}

struct member *registry_member_by_id(const struct registry *registry, uint64_t id)
{
	return roster_find(&registry->members, id);
}

int registry_room_link(struct registry *registry, struct room *room)
{
	int rc = hash_add(&registry->rooms, room);

	if (rc != 0)
		return rc;
	rc = roster_add(&registry->room_roster, room->put.room_id, room);
	if (rc != 0)
		hash_remove(&registry->rooms, room->name.text);
	return rc;
}

void registry_room_unlink(struct registry *registry, struct room *room)
{
	hash_remove(&registry->rooms, room->name.text);
	roster_remove(&registry->room_roster, room->put.room_id);
}

static void count_member(struct member *member, uint32_t step)
{
	struct room *room = member->room;

	if (member->role == ROLE_LISTENER)
		room->listeners += step;
	else
		room->speaking_members += step;
	if (member_muted(member))
		room->muted += step;
}

int registry_member_link(struct registry *registry, struct member *member)
{
	struct room *room = member->room;
	int rc = hash_add(&room->members, member);

	if (rc != 0)
		return rc;
	rc = roster_add(&room->roster, member_id(member), member);
	if (rc != 0)
		goto unhash;
	rc = roster_add(&registry->members, member_id(member), member);
	if (rc != 0)
		goto unlist;
	if (member->token != NULL)
		rc = hash_add(&registry->tokens, member->token);
	if (rc != 0)
		goto forget;
	count_member(member, 1);
	return 0;
forget:
	roster_remove(&registry->members, member_id(member));
unlist:
	roster_remove(&room->roster, member_id(member));
unhash:
	hash_remove(&room->members, member->user.text);
	return rc;
}

void registry_member_unlink(struct registry *registry, struct member *member)
{
	struct room *room = member->room;

	hash_remove(&room->members, member->user.text);
	roster_remove(&room->roster, member_id(member));
	roster_remove(&registry->members, member_id(member));
	if (member->token != NULL)
		hash_remove(&registry->tokens, member->token->digest);
	for (unsigned int slot = 0; slot < STN_SLOTS_MAX; slot++) {
		if (room->holder[slot] == member_id(member))
			room->holder[slot] = 0;
	}
	count_member(member, UINT32_MAX); /* minus one */
}

struct room *room_make(struct registry *registry)
{
	struct room *room = calloc(1, sizeof(*room));
	uint64_t seed = 0;

	if (room == NULL)
		return NULL;
	registry->random(&seed, sizeof(seed));
	room->members.seed = room->excluded.seed = seed;
	room->silenced.seed = room->used_keys.seed = seed;
	return room;
}

static void free_things(struct hash *hash)
{
	size_t position = 0;
	void *thing;

	while ((thing = hash_next(hash, &position)) != NULL)
		free(thing);
	hash_clear(hash);
}

void room_free(struct room *room)
{
	if (room == NULL)
		return;
	free_things(&room->excluded);
	free_things(&room->silenced);
	free_things(&room->used_keys);
	hash_clear(&room->members);
	roster_clear(&room->roster);
	free(room->speakers);
	explicit_bzero(room, sizeof(*room));
	free(room);
}

struct member *member_make(void)
{
	return calloc(1, sizeof(struct member));
}

void member_free(struct member *member)
{
	if (member == NULL)
		return;
	token_free(member->token);
	explicit_bzero(member, sizeof(*member));
	free(member);
}
