/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "controlplane/rooms/ban.h"
#include "controlplane/rooms/person.h"
#include "controlplane/rooms/policy.h"
#include "controlplane/rooms/ticket.h"

static const char *const rank_names[RANK_COUNT] = {
	"a member", "the host or a cohost", "the host", "a moderator of the platform"};

const char *policy_rank_name(enum rank rank)
{
	return rank_names[rank];
}

static bool is_host(const struct room *room, const char *user)
{
	return strcmp(room->host.text, user) == 0;
}

bool policy_is_cohost(const struct room *room, const char *user)
{
	for (uint32_t i = 0; i < room->rules.cohost_count; i++) {
		if (strcmp(room->rules.cohosts[i].text, user) == 0)
			return true;
	}
	return false;
}

bool policy_may_host(const struct registry *registry, const char *user, struct verdict *verdict)
{
	uint32_t needed = registry->limits.host_min_followers;
	const struct user *known = registry_user(registry, user);
	uint32_t followers = known == NULL ? 0 : known->followers;

	if (needed == 0 || followers > needed)
		return true;
	if (known != NULL && (known->host_grant || known->moderator))
		return true;
	return verdict_refuse(verdict, VERDICT_NOT_ALLOWED,
		"\"%s\" has %u followers: hosting needs more than %u, or a grant", user, followers,
		needed);
}

bool policy_follows(const struct registry *registry, const char *follower, const char *host)
{
	const struct user *user = registry_user(registry, follower);
	const struct person *person = registry_person(registry, host);

	return user != NULL && person != NULL && person_followed_by(person, user->id);
}

bool policy_admits(const struct registry *registry, struct verdict *verdict)
{
	if (!registry->draining)
		return true;
	return verdict_refuse(verdict, VERDICT_UNAVAILABLE,
		"the box drains: who is in a room may go on, nobody new comes in");
}

enum rank policy_rank(const struct registry *registry, const struct room *room, const char *user)
{
	const struct user *known = registry_user(registry, user);

	if (known != NULL && known->moderator)
		return RANK_PLATFORM;
	if (is_host(room, user))
		return RANK_HOST;
	return policy_is_cohost(room, user) && !policy_shut_out(registry, room, user) ? RANK_COHOST
										      : RANK_NONE;
}

bool policy_at_least(const struct registry *registry, const struct room *room, const char *actor,
	enum rank rank, const char *what, struct verdict *verdict)
{
	if (policy_rank(registry, room, actor) >= rank)
		return true;
	return verdict_refuse(verdict, VERDICT_NOT_ALLOWED,
		"only %s of \"%s\" may %s, \"%s\" is not", rank_names[rank], room->name.text, what,
		actor);
}

bool policy_hosts(const struct room *room, const char *user)
{
	return is_host(room, user) || policy_is_cohost(room, user);
}

bool policy_host(
	const struct room *room, const char *actor, const char *what, struct verdict *verdict)
{
	if (is_host(room, actor))
		return true;
	return verdict_refuse(verdict, VERDICT_NOT_ALLOWED,
		"only the host of \"%s\" may %s, \"%s\" is not", room->name.text, what, actor);
}

bool policy_has_place(
	const struct registry *registry, const struct room *room, struct verdict *verdict)
{
	uint32_t most = room->rules.speakers_max;

	if (most == 0)
		most = registry->limits.room_speakers_max;
	if (most == 0 || room->speaking_members < most)
		return true;
	return verdict_refuse(verdict, VERDICT_CAPACITY, "speakers_max: %u of %u hold the floor",
		room->speaking_members, most);
}

bool policy_shut_out(const struct registry *registry, const struct room *room, const char *user)
{
	return hash_find(&room->excluded, user) != NULL ||
	       registry_ban(registry, room->host.text, user) != NULL;
}

bool policy_let_back(const struct registry *registry, const struct room *room, const char *user,
	struct verdict *verdict)
{
	const struct exclusion *exclusion = hash_find(&room->excluded, user);

	if (!policy_shut_out(registry, room, user))
		return true;
	if (exclusion != NULL && !exclusion->banned)
		return verdict_refuse(verdict, VERDICT_NOT_ALLOWED,
			"\"%s\" was removed from \"%s\" and may not come back", user,
			room->name.text);
	return verdict_refuse(verdict, VERDICT_NOT_ALLOWED, "\"%s\" is banned from \"%s\"", user,
		room->name.text);
}

bool policy_has_ticket(const struct registry *registry, const struct room *room, const char *user)
{
	return ticket_of_user(registry, room->put.room_id, user) != NULL;
}

bool policy_token(
	const struct room *room, const char *actor, const char *user, struct verdict *verdict)
{
	if (strcmp(actor, user) == 0)
		return true;
	return policy_host(room, actor, "get a token for somebody else", verdict);
}

bool policy_leave(
	const struct room *room, const char *actor, const char *user, struct verdict *verdict)
{
	if (strcmp(actor, user) == 0)
		return true;
	return policy_host(room, actor, "end somebody else's membership", verdict);
}

bool policy_moderate(const struct registry *registry, const struct room *room, const char *actor,
	const char *user, const char *what, struct verdict *verdict)
{
	if (!policy_at_least(registry, room, actor, RANK_COHOST, what, verdict))
		return false;
	if (policy_rank(registry, room, user) < policy_rank(registry, room, actor))
		return true;
	return verdict_refuse(verdict, VERDICT_NOT_ALLOWED,
		"\"%s\" may not %s \"%s\", who is of the same rank or above", actor, what, user);
}

bool policy_mute(const struct registry *registry, const struct room *room, const char *actor,
	const char *user, struct verdict *verdict)
{
	return strcmp(actor, user) == 0 ||
	       policy_moderate(registry, room, actor, user, "mute", verdict);
}

enum rank policy_mute_rank(const struct registry *registry, const struct room *room,
	const char *actor, const char *user)
{
	return strcmp(actor, user) == 0 ? RANK_NONE : policy_rank(registry, room, actor);
}

bool policy_unmute(const struct registry *registry, const struct room *room, const char *actor,
	const char *user, struct verdict *verdict)
{
	return strcmp(actor, user) == 0 ||
	       policy_at_least(registry, room, actor, RANK_COHOST, "unmute others", verdict);
}

bool policy_unmute_this(const struct registry *registry, const struct room *room, const char *actor,
	const struct silence *silence, struct verdict *verdict)
{
	if (policy_mute_rank(registry, room, actor, silence->user.text) >= silence->by_rank)
		return true;
	return verdict_refuse(verdict, VERDICT_NOT_ALLOWED,
		"\"%s\" may not undo this mute of \"%s\", only %s may", actor, silence->user.text,
		rank_names[silence->by_rank]);
}

enum rank policy_past_rank(
	const struct registry *registry, uint64_t room_id, const char *host, const char *user)
{
	const struct room *room = registry_room_by_id(registry, room_id);
	const struct user *known = registry_user(registry, user);

	if (room != NULL)
		return policy_rank(registry, room, user);
	if (known != NULL && known->moderator)
		return RANK_PLATFORM;
	return strcmp(host, user) == 0 ? RANK_HOST : RANK_NONE;
}

bool policy_resolve(const struct registry *registry, const struct report *report, const char *actor,
	struct verdict *verdict)
{
	enum rank rank = policy_past_rank(registry, report->room_id, report->host.text, actor);

	if (rank >= RANK_COHOST && rank > policy_past_rank(registry, report->room_id,
						  report->host.text, report->member.text))
		return true;
	return verdict_refuse(verdict, VERDICT_NOT_ALLOWED,
		"only who moderates \"%s\" and stands above \"%s\" may resolve this, \"%s\" "
		"does not",
		report->room.text, report->member.text, actor);
}

bool policy_remove(const struct registry *registry, const struct room *room, const char *actor,
	const char *user, struct verdict *verdict)
{
	enum rank rank = policy_rank(registry, room, actor);

	if (rank >= RANK_COHOST && rank < RANK_PLATFORM && is_host(room, user))
		return verdict_refuse(verdict, VERDICT_NOT_ALLOWED,
			"the host cannot be removed from their own room");
	return policy_moderate(registry, room, actor, user, "remove", verdict);
}

bool policy_ban(const struct registry *registry, const struct room *room, const char *actor,
	const char *user, struct verdict *verdict)
{
	if (!policy_at_least(registry, room, actor, RANK_HOST, "ban", verdict))
		return false;
	if (strcmp(actor, user) == 0 || is_host(room, user))
		return verdict_refuse(verdict, VERDICT_NOT_ALLOWED,
			"\"%s\" cannot be banned from their own rooms", user);
	if (policy_rank(registry, room, user) == RANK_PLATFORM)
		return verdict_refuse(verdict, VERDICT_NOT_ALLOWED,
			"\"%s\" is a moderator of the platform", user);
	return true;
}
