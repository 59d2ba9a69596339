/* SPDX-License-Identifier: BSD-3-Clause */
/* What must hold after each command, whatever the rules are. */
#include "controlplane/rooms/silence.h"
#include "controlplane/rooms/token.h"
#include "tests/model/driver.h"

/* Who is muted or gave the floor back is so in what programs their leg. */
static const char *check_voice(const struct member *member, const struct moment *now)
{
	const struct silence *silence = hash_find(&member->room->silenced, member->user.text);
	bool over = silence != NULL && silence->until_ns != 0 && silence->until_ns <= now->mono_ns;
	bool silent = member->role == ROLE_LISTENER || (silence != NULL && !over);

	if (silent && member->put.role == STN_ROLE_SPEAKER && !(member->put.flags & STN_LEG_MUTED))
		return "somebody muted can be heard";
	return NULL;
}

static const char *check_member(const struct registry *registry, const struct member *member)
{
	if (hash_find(&member->room->excluded, member->user.text) != NULL)
		return "somebody removed is in the room";
	if (member_webrtc(member) != (member->token != NULL))
		return "a browser without a token, or a token without a browser";
	if (member->token != NULL &&
		(hash_find(&registry->tokens, member->token->digest) != member->token ||
			member->token->member != member))
		return "a token that is not theirs";
	if (member->put.leg_id != 0 &&
		registry_member_by_leg(registry, member->put.leg_id) != member)
		return "a leg that is not theirs";
	return NULL;
}

static const char *check_slots(const struct registry *registry, const struct room *room)
{
	for (unsigned int slot = 0; slot < STN_SLOTS_MAX; slot++) {
		const struct member *holder = registry_member_by_id(registry, room->holder[slot]);

		if (room->holder[slot] == 0)
			continue;
		if (holder == NULL || holder->room != room || holder->put.leg_id == 0)
			return "a slot is held by somebody who is gone";
		if (holder->put.flags & STN_LEG_MUTED || holder->put.role != STN_ROLE_SPEAKER)
			return "a slot is held by somebody muted";
	}
	return NULL;
}

static const char *check_room(const struct registry *registry, const struct room *room,
	const struct moment *now, size_t *tokens)
{
	const char *wrong = check_slots(registry, room);
	const struct member *member;
	uint64_t id = 0;

	if (room->rules.state != ROOM_LIVE && room->roster.count > 0)
		return "members of a room that has not begun";
	while (wrong == NULL && (member = roster_next(&room->roster, &id)) != NULL) {
		*tokens += member->token != NULL;
		wrong = check_member(registry, member);
		if (wrong == NULL)
			wrong = check_voice(member, now);
	}
	return wrong;
}

const char *invariant_broken(const struct registry *registry, const struct moment *now)
{
	const char *wrong = NULL;
	const struct room *room;
	size_t tokens = 0;
	uint64_t id = 0;

	while (wrong == NULL && (room = roster_next(&registry->room_roster, &id)) != NULL)
		wrong = check_room(registry, room, now, &tokens);
	if (wrong == NULL && tokens != registry->tokens.count)
		wrong = "a token of somebody who is gone";
	return wrong;
}
