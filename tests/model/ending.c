/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * controlplane/ending.c without the conductor: rooms, mutes, memberships and seats whose time is
 * over. In an order that a model can predict: rooms by id, users by name, members by id.
 */
#include <stdlib.h>
#include <string.h>

#include "controlplane/rooms/outgoing.h"
#include "tests/model/driver.h"

static bool end_silence(struct plan *plan, struct registry *registry, struct room *room)
{
	struct audit why = {.reason = "expired"};
	const struct silence *silence, *first = NULL;
	struct user_id user;
	size_t position = 0;

	while ((silence = hash_next(&room->silenced, &position)) != NULL) {
		if (silence->until_ns == 0 || silence->until_ns > plan->now.mono_ns)
			continue;
		if (first == NULL || strcmp(silence->user.text, first->user.text) < 0)
			first = silence;
	}
	if (first == NULL)
		return false;
	user = first->user;
	why.member = user.text;
	outgoing_silence(plan, registry, room, &why, NULL);
	return true;
}

/* All of a room whose time is over, in one event. */
static bool end_members(struct plan *plan, struct registry *registry, struct room *room)
{
	struct member **members = calloc(room->roster.count + 1, sizeof(struct member *));
	struct member *member;
	uint64_t id = 0;
	size_t count = 0;

	while (members != NULL && (member = roster_next(&room->roster, &id)) != NULL) {
		if (member->put.end_ns != 0 && member->put.end_ns <= plan->now.mono_ns)
			members[count++] = member;
	}
	if (count > 0)
		outgoing_members_left(plan, registry, room, members, count, "expired");
	free(members);
	return count > 0;
}

static bool end_seat(struct plan *plan, struct registry *registry)
{
	static const char *const reasons[SEAT_COUNT] = {"expired", "left", "lost"};
	struct member *member;
	uint64_t id = 0;

	while ((member = roster_next(&registry->members, &id)) != NULL) {
		if (member->seat_link == NULL || member->seat_ns == 0 ||
			member->seat_ns > plan->now.mono_ns)
			continue;
		outgoing_member_left(plan, registry, member, reasons[member->seat]);
		return true;
	}
	return false;
}

bool ending_step(struct plan *plan, struct registry *registry)
{
	struct room *room;
	uint64_t id = 0;

	while ((room = roster_next(&registry->room_roster, &id)) != NULL) {
		if (room->put.end_ns != 0 && room->put.end_ns <= plan->now.mono_ns) {
			outgoing_room_closed(plan, registry, room, NULL, "expired");
			return true;
		}
		if (end_silence(plan, registry, room) || end_members(plan, registry, room))
			return true;
	}
	return end_seat(plan, registry);
}
