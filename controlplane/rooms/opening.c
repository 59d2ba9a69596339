/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "controlplane/rooms/opening.h"
#include "controlplane/rooms/outgoing.h"

const char *const room_access_names[] = {"open", "followers", "invited", "ticketed", NULL};
const char *const room_state_names[] = {"scheduled", "live", NULL};

bool opening_language_valid(const char *text, struct verdict *verdict)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
	size_t size = text == NULL ? 0 : strlen(text);

	if (size == 0 || (size >= 2 && strspn(text, allowed) == size))
		return true;
	return verdict_refuse(verdict, VERDICT_INVALID,
		"language: \"%.35s\" is no language tag: 2 to 35 of A-Z, a-z, 0-9 and -", text);
}

uint32_t opening_capacity(const struct registry *registry, uint64_t wanted)
{
	uint32_t most = registry->limits.room_members_max;

	return wanted == 0 || wanted > most ? most : (uint32_t)wanted;
}

uint32_t opening_speakers_max(const struct registry *registry, uint64_t wanted)
{
	uint32_t most = registry->limits.room_speakers_max;

	return most != 0 && wanted > most ? most : (uint32_t)wanted;
}

void opening_cohosts(
	const struct event_list *ids, const struct user_id *host, struct room_rules *rules)
{
	const char *const *names = ids->items;

	memset(rules->cohosts, 0, sizeof(rules->cohosts));
	rules->cohost_count = 0;
	for (size_t i = 0; i < ids->count; i++) {
		bool known = strcmp(names[i], host->text) == 0;

		for (uint32_t k = 0; k < rules->cohost_count; k++)
			known = known || strcmp(names[i], rules->cohosts[k].text) == 0;
		if (!known)
			strncpy(rules->cohosts[rules->cohost_count++].text, names[i], EVENT_ID_MAX);
	}
}

bool opening_start_valid(const struct registry *registry, const struct moment *now,
	uint64_t starts_ms, struct verdict *verdict)
{
	uint64_t most_ms = registry->limits.schedule_max_ms, now_ms = (uint64_t)now->wall_ms;

	if (starts_ms <= now_ms)
		return verdict_refuse(verdict, VERDICT_INVALID,
			"starts_ms: %llu has passed, it is %llu", (unsigned long long)starts_ms,
			(unsigned long long)now_ms);
	if (most_ms == 0 || starts_ms - now_ms <= most_ms)
		return true;
	return verdict_refuse(verdict, VERDICT_INVALID,
		"starts_ms: at most %llu days ahead, %llu or before",
		(unsigned long long)(most_ms / 86400000), (unsigned long long)(now_ms + most_ms));
}

bool opening_fits(const struct registry *registry, struct verdict *verdict)
{
	if (registry->rooms.count < registry->limits.rooms_max)
		return true;
	return verdict_refuse(verdict, VERDICT_CAPACITY, "rooms_max: %u rooms are open or planned",
		registry->limits.rooms_max);
}

static bool mint_ssrcs(struct registry *registry, struct room *room, struct verdict *verdict)
{
	for (unsigned int slot = 0; slot < room->put.slot_count;) {
		uint32_t *ssrc = &room->put.slot_ssrc[slot];
		bool fresh;

		if (registry->random(ssrc, sizeof(*ssrc)) != 0)
			return verdict_refuse(verdict, VERDICT_UNAVAILABLE, "no random numbers");
		fresh = *ssrc != 0;
		for (unsigned int other = 0; other < slot; other++)
			fresh = fresh && room->put.slot_ssrc[other] != *ssrc;
		slot += fresh;
	}
	return true;
}

static bool take_speakers(const struct room_wish *wish, struct room *room, struct verdict *verdict)
{
	const char *const *ids = wish->speakers.items;

	if (wish->speakers.count == 0)
		return true;
	room->speakers = calloc(wish->speakers.count, sizeof(room->speakers[0]));
	if (room->speakers == NULL)
		return verdict_refuse(verdict, VERDICT_UNAVAILABLE, "out of memory");
	for (size_t i = 0; i < wish->speakers.count; i++)
		strncpy(room->speakers[i].text, ids[i], EVENT_ID_MAX);
	room->speaker_count = wish->speakers.count;
	return true;
}

static void take_rules(
	const struct registry *registry, const struct room_wish *wish, struct room *room)
{
	struct room_rules *rules = &room->rules;

	rules->access = wish->access < 0 ? ACCESS_OPEN : (enum room_access)wish->access;
	strncpy(rules->language, wish->language == NULL ? "" : wish->language,
		ROOM_LANGUAGE_SIZE - 1);
	rules->speakers_max = opening_speakers_max(registry, wish->speakers_max);
	opening_cohosts(&wish->cohosts, &room->host, rules);
}

struct room *opening_make(struct registry *registry, const struct event *event,
	const struct room_wish *wish, struct plan *plan)
{
	struct room *room;

	if (!opening_language_valid(wish->language, &plan->verdict))
		return NULL;
	room = room_make(registry);
	if (room == NULL) {
		verdict_refuse(&plan->verdict, VERDICT_UNAVAILABLE, "out of memory");
		return NULL;
	}
	strncpy(room->name.text, event->room, EVENT_ID_MAX);
	strncpy(room->host.text, event->actor, EVENT_ID_MAX);
	strncpy(room->title, wish->title == NULL ? "" : wish->title, ROOM_TITLE_MAX);
	strncpy(room->topic, wish->topic == NULL ? "" : wish->topic, ROOM_TOPIC_MAX);
	room->open_floor = wish->open_floor > 0;
	room->capacity = opening_capacity(registry, wish->capacity);
	room->put.op = (struct stn_op){STN_OP_ROOM_PUT, sizeof(room->put), 0};
	room->put.room_id = registry->next_id++;
	room->put.slot_count = (uint8_t)(wish->slots == 0 ? ROOM_SLOTS_FALLBACK : wish->slots);
	room->put.profile_count = room->profiles_known = 1;
	room->put.profile[0].payload_type = PAYLOAD_TYPE_FALLBACK;
	take_rules(registry, wish, room);
	if (mint_ssrcs(registry, room, &plan->verdict) && take_speakers(wish, room, &plan->verdict))
		return room;
	room_free(room);
	return NULL;
}

bool opening_announce(struct plan *plan, struct registry *registry, struct room *room,
	const char *type, const char *actor)
{
	struct writer writer = {0};

	outgoing_begin(&writer, plan, registry, room, type);
	writer_string(&writer, "actor", actor);
	writer_string(&writer, "title", room->title);
	writer_string(&writer, "topic", room->topic);
	writer_string(&writer, "language", room->rules.language);
	writer_string(&writer, "access", room_access_names[room->rules.access]);
	if (room->rules.starts_ms == 0)
		writer_null(&writer, "starts_ms");
	else
		writer_int(&writer, "starts_ms", room->rules.starts_ms);
	if (strcmp(type, "room.opened") == 0)
		writer_bool(&writer, "scheduled", room->rules.starts_ms != 0);
	return plan_event_end(plan, registry, room, &writer);
}
