/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * room.live: a room that has gone live is told to the followers of its host, in the order of their
 * record ids, FOLLOWERS_A_PART in an event. How far it is stands in the room's rules and is written
 * in one transaction with the event, so each is told once whatever happens.
 */
#include "controlplane/rooms/due.h"
#include "controlplane/rooms/outgoing.h"
#include "controlplane/rooms/person.h"

#define FOLLOWERS_A_PART 500

/* The next follower to be told; 0: none. */
static uint64_t next_follower(const struct room *room, uint64_t told)
{
	const struct person *host = registry_person(room->registry, room->host.text);
	uint64_t id = host == NULL ? 0 : person_follower_next(host, told);

	return id < room->rules.tell_until ? id : 0;
}

static void write_followers(struct writer *writer, const struct room *room, uint64_t *told)
{
	unsigned int count = 0;
	uint64_t id;

	writer_begin_array(writer, "followers");
	while (count++ < FOLLOWERS_A_PART && (id = next_follower(room, *told)) != 0) {
		const struct user *user = roster_find(&room->registry->user_roster, id);

		writer_string(writer, NULL, user->name.text);
		*told = id;
	}
	writer_end_array(writer);
}

static bool tell_part(struct plan *plan, struct registry *registry, struct room *room)
{
	struct room_settings settings;
	struct room_rules *rules = &settings.rules;
	struct writer writer = {0};
	bool last;

	plan_room_settings(room, &settings);
	outgoing_begin(&writer, plan, registry, room, "room.live");
	writer_string(&writer, "host", room->host.text);
	writer_string(&writer, "title", room->title);
	writer_string(&writer, "topic", room->topic);
	writer_uint(&writer, "part", rules->told_parts++);
	write_followers(&writer, room, &rules->told);
	last = next_follower(room, rules->told) == 0;
	writer_bool(&writer, "last", last);
	if (last)
		rules->tell_until = 0;
	if (plan_room_set(plan, room, &settings))
		return plan_event_end(plan, registry, room, &writer);
	writer_clear(&writer);
	return false;
}

/* A room that has become one for the invited only is told to nobody any more. */
static bool stop(struct plan *plan, struct room *room)
{
	struct room_settings settings;

	plan_room_settings(room, &settings);
	settings.rules.tell_until = 0;
	return plan_room_set(plan, room, &settings);
}

bool announcement_due(struct plan *plan, struct registry *registry)
{
	uint64_t id = 0;
	struct room *room = roster_next(&registry->telling, &id);

	if (room == NULL)
		return false;
	if (room->rules.access == ACCESS_INVITED)
		return stop(plan, room);
	return tell_part(plan, registry, room);
}
