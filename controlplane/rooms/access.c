/* SPDX-License-Identifier: BSD-3-Clause */
/* Who gets into a room: the part of policy.h about its door. */
#include <string.h>

#include "controlplane/rooms/policy.h"
#include "controlplane/rooms/share_code.h"

static bool is_host(const struct room *room, const char *user)
{
	return strcmp(room->host.text, user) == 0;
}

static bool is_named_speaker(const struct room *room, const char *user)
{
	for (size_t i = 0; i < room->speaker_count; i++) {
		if (strcmp(room->speakers[i].text, user) == 0)
			return true;
	}
	return false;
}

bool policy_may_speak(const struct room *room, const char *user)
{
	return room->open_floor || policy_hosts(room, user) || is_named_speaker(room, user);
}

static bool follows(const struct registry *registry, const struct room *room, const char *user)
{
	if (policy_follows(registry, user, room->host.text))
		return true;
	for (uint32_t i = 0; i < room->rules.cohost_count; i++) {
		if (policy_follows(registry, user, room->rules.cohosts[i].text))
			return true;
	}
	return false;
}

static bool is_invited(const struct room *room, const char *user, int64_t now_ms)
{
	const struct share *share;
	uint64_t id = 0;

	while ((share = roster_next(&room->shares, &id)) != NULL) {
		if (share->expires_ms > now_ms && strcmp(share->member.text, user) == 0)
			return true;
	}
	return false;
}

/* An invitation is good for whom it names, a link for everybody. */
static bool is_good(const struct share *share, const struct join *join)
{
	return share != NULL && share->room_id == join->room->put.room_id &&
	       share->expires_ms > join->now_ms &&
	       (share->member.text[0] == '\0' || strcmp(share->member.text, join->user) == 0);
}

static bool has_share(const struct registry *registry, const struct join *join)
{
	if (join->share != NULL && is_good(registry_share_by_code(registry, join->share), join))
		return true;
	return is_invited(join->room, join->user, join->now_ms);
}

static bool refuse_share(const struct join *join, struct verdict *verdict)
{
	return verdict_refuse(verdict, VERDICT_NOT_ALLOWED,
		"share: it has expired, or is not for \"%s\" in \"%s\"", join->user,
		join->room->name.text);
}

/* The door of the room, for whoever is not at home in it. */
static bool policy_enter(
	const struct registry *registry, const struct join *join, struct verdict *verdict)
{
	const struct room *room = join->room;
	bool brought = strcmp(join->actor, join->user) != 0;

	if (policy_rank(registry, room, join->user) >= RANK_COHOST ||
		is_named_speaker(room, join->user))
		return true;
	if (room->rules.access == ACCESS_TICKETED)
		return policy_has_ticket(registry, room, join->user) ||
		       verdict_refuse(verdict, VERDICT_NOT_ALLOWED,
			       "\"%s\" has no ticket of \"%s\"", join->user, room->name.text);
	if (!join->uninvited && (brought || room->rules.access == ACCESS_OPEN ||
					(room->rules.access == ACCESS_FOLLOWERS &&
						follows(registry, room, join->user))))
		return true;
	if (has_share(registry, join))
		return true;
	if (join->uninvited || join->share != NULL)
		return refuse_share(join, verdict);
	return verdict_refuse(verdict, VERDICT_NOT_ALLOWED,
		room->rules.access == ACCESS_FOLLOWERS
			? "\"%s\" is for followers of its hosts, \"%s\" is not known as one"
			: "\"%s\" is for those invited, \"%s\" is not",
		room->name.text, join->user);
}

/* The part in it that they want. */
static bool policy_part(
	const struct registry *registry, const struct join *join, struct verdict *verdict)
{
	const struct room *room = join->room;

	if (join->role == ROLE_HOST && !is_host(room, join->user))
		return verdict_refuse(verdict, VERDICT_NOT_ALLOWED,
			"\"%s\" is not the host of \"%s\"", join->user, room->name.text);
	if (join->role == ROLE_COHOST &&
		(is_host(room, join->user) || !policy_hosts(room, join->user)))
		return verdict_refuse(verdict, VERDICT_NOT_ALLOWED,
			"\"%s\" is not a cohost of \"%s\"", join->user, room->name.text);
	if (join->role == ROLE_SPEAKER && !policy_may_speak(room, join->user) &&
		policy_rank(registry, room, join->actor) < RANK_COHOST)
		return verdict_refuse(verdict, VERDICT_NOT_ALLOWED,
			"\"%s\" may not speak in \"%s\": the host admits speakers", join->user,
			room->name.text);
	return true;
}

bool policy_join(const struct registry *registry, const struct join *join, struct verdict *verdict)
{
	if (strcmp(join->actor, join->user) != 0 &&
		!policy_at_least(
			registry, join->room, join->actor, RANK_COHOST, "bring others in", verdict))
		return false;
	return policy_let_back(registry, join->room, join->user, verdict) &&
	       policy_part(registry, join, verdict) && policy_enter(registry, join, verdict);
}

bool policy_share(const struct registry *registry, const struct room *room, const char *actor,
	struct verdict *verdict)
{
	bool closed = room->rules.access == ACCESS_INVITED || room->rules.access == ACCESS_TICKETED;

	if (policy_rank(registry, room, actor) >= RANK_COHOST)
		return true;
	if (closed)
		return policy_at_least(
			registry, room, actor, RANK_COHOST, "share the room", verdict);
	return registry_member(room, actor) != NULL ||
	       verdict_refuse(verdict, VERDICT_NOT_ALLOWED,
		       "only who is in \"%s\" may share it, \"%s\" is not", room->name.text, actor);
}
