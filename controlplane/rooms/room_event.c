/* SPDX-License-Identifier: BSD-3-Clause */
/* room.open, room.update, room.close, room.get, room.list. */
#include <stdlib.h>
#include <string.h>

#include "controlplane/rooms/catalog.h"
#include "controlplane/rooms/outgoing.h"
#include "controlplane/rooms/policy.h"
#include "controlplane/rooms/secret.h"

#define ROOM_SLOTS_FALLBACK 3
#define DURATION_MAX_MS (366LL * 24 * 3600 * 1000)

struct room_open {
	const char *title, *topic;
	uint64_t slots, duration_ms, capacity;
	int open_floor;
	struct event_list speakers;
	int group_suite;
	const char *group_key;
};

static const struct field room_open_fields[] = {
	{.name = "title",
		.kind = FIELD_TEXT,
		.max = ROOM_TITLE_MAX,
		.offset = offsetof(struct room_open, title)},
	{.name = "topic",
		.kind = FIELD_TEXT,
		.max = ROOM_TOPIC_MAX,
		.offset = offsetof(struct room_open, topic)},
	{.name = "slots",
		.kind = FIELD_UINT,
		.min = 1,
		.max = STN_SLOTS_MAX,
		.fallback = ROOM_SLOTS_FALLBACK,
		.offset = offsetof(struct room_open, slots)},
	{.name = "duration_ms",
		.kind = FIELD_UINT,
		.min = 1,
		.max = DURATION_MAX_MS,
		.offset = offsetof(struct room_open, duration_ms)},
	{.name = "capacity",
		.kind = FIELD_UINT,
		.min = 1,
		.max = UINT32_MAX,
		.offset = offsetof(struct room_open, capacity)},
	{.name = "open_floor",
		.kind = FIELD_BOOL,
		.offset = offsetof(struct room_open, open_floor)},
	{.name = "speakers",
		.kind = FIELD_IDS,
		.max = ROOM_SPEAKERS_MAX,
		.offset = offsetof(struct room_open, speakers)},
	{.name = "group_suite",
		.kind = FIELD_CHOICE,
		.choices = secret_suite_names,
		.fallback = -1,
		.offset = offsetof(struct room_open, group_suite)},
	{.name = "group_key",
		.kind = FIELD_TEXT,
		.min = 1,
		.max = 128,
		.offset = offsetof(struct room_open, group_key)},
	{.name = NULL}};

void room_describe_slots(struct writer *writer, const struct room *room)
{
	writer_begin_array(writer, "ssrc");
	for (unsigned int slot = 0; slot < room->put.slot_count; slot++)
		writer_uint(writer, NULL, room->put.slot_ssrc[slot]);
	writer_end_array(writer);
}

void room_describe(struct writer *writer, const struct room *room)
{
	writer_string(writer, "room", room->name.text);
	writer_id(writer, "room_id", room->put.room_id);
	writer_string(writer, "title", room->title);
	writer_string(writer, "topic", room->topic);
	writer_string(writer, "host", room->host.text);
	writer_uint(writer, "slots", room->put.slot_count);
	writer_uint(writer, "members", room->roster.count);
	writer_uint(writer, "listeners", room->listeners);
	writer_uint(writer, "speakers", room->speaking_members);
	writer_uint(writer, "muted", room->muted);
	writer_uint(writer, "hands", room->hands.count);
	writer_uint(writer, "capacity", room->capacity);
	writer_bool(writer, "open_floor", room->open_floor);
	writer_int(writer, "opened_ms", room->opened_ms);
	if (room->end_ms == 0)
		writer_null(writer, "ends_ms");
	else
		writer_int(writer, "ends_ms", room->end_ms);
	writer_uint(writer, "room_seq", room->sequence);
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

static bool take_group(struct registry *registry, const struct room_open *open, struct room *room,
	struct verdict *verdict)
{
	unsigned int suite = (unsigned int)(open->group_suite + 1);
	struct stn_master_key *key = &room->put.group_key;

	if (open->group_suite < 0 && open->group_key != NULL)
		return verdict_refuse(
			verdict, VERDICT_INVALID, "group_key: group_suite is missing");
	if (open->group_suite < 0)
		return true;
	room->group_key_known = true;
	if (open->group_key == NULL) {
		if (secret_mint(registry, suite, key) == 0)
			return true;
		return verdict_refuse(verdict, VERDICT_UNAVAILABLE, "no random numbers");
	}
	if (secret_parse(suite, open->group_key, key) == 0)
		return true;
	return verdict_refuse(verdict, VERDICT_INVALID,
		"group_key: not %zu bytes of key and salt in base64 or hex",
		secret_key_size(suite) + secret_salt_size(suite));
}

static bool take_speakers(const struct room_open *open, struct room *room, struct verdict *verdict)
{
	const char *const *ids = open->speakers.items;

	if (open->speakers.count == 0)
		return true;
	room->speakers = calloc(open->speakers.count, sizeof(room->speakers[0]));
	if (room->speakers == NULL)
		return verdict_refuse(verdict, VERDICT_UNAVAILABLE, "out of memory");
	for (size_t i = 0; i < open->speakers.count; i++)
		strncpy(room->speakers[i].text, ids[i], EVENT_ID_MAX);
	room->speaker_count = open->speakers.count;
	return true;
}

/* The room as asked for, not yet in the registry; NULL with the verdict set. */
static struct room *make(struct registry *registry, const struct event *event, struct plan *plan)
{
	const struct room_open *open = event_body(event);
	struct room *room = room_make(registry);
	uint32_t capacity_max = registry->limits.room_members_max;

	if (room == NULL) {
		verdict_refuse(&plan->verdict, VERDICT_UNAVAILABLE, "out of memory");
		return NULL;
	}
	strncpy(room->name.text, event->room, EVENT_ID_MAX);
	strncpy(room->host.text, event->actor, EVENT_ID_MAX);
	strncpy(room->title, open->title == NULL ? "" : open->title, ROOM_TITLE_MAX);
	strncpy(room->topic, open->topic == NULL ? "" : open->topic, ROOM_TOPIC_MAX);
	room->open_floor = open->open_floor;
	room->rules.state = ROOM_LIVE;
	room->capacity = open->capacity == 0 || open->capacity > capacity_max
				 ? capacity_max
				 : (uint32_t)open->capacity;
	room->opened_ms = plan->now.wall_ms;
	if (open->duration_ms != 0)
		room->end_ms = plan->now.wall_ms + (int64_t)open->duration_ms;
	room->put.op = (struct stn_op){STN_OP_ROOM_PUT, sizeof(room->put), 0};
	room->put.room_id = registry->next_id++;
	room->put.end_ns = moment_mono(&plan->now, room->end_ms);
	room->put.slot_count = (uint8_t)open->slots;
	room->put.profile_count = room->profiles_known = 1;
	room->put.profile[0].payload_type = PAYLOAD_TYPE_FALLBACK;
	if (mint_ssrcs(registry, room, &plan->verdict) &&
		take_group(registry, open, room, &plan->verdict) &&
		take_speakers(open, room, &plan->verdict))
		return room;
	room_free(room);
	return NULL;
}

static void announce(struct plan *plan, struct registry *registry, struct room *room,
	const char *type, const char *actor)
{
	struct writer writer = {0};

	outgoing_begin(&writer, plan, registry, room, type);
	writer_string(&writer, "actor", actor);
	writer_string(&writer, "title", room->title);
	writer_string(&writer, "topic", room->topic);
	plan_event_end(plan, registry, room, &writer);
}

static void room_open(struct registry *registry, const struct event *event, struct plan *plan)
{
	struct audit audit = {.actor = event->actor, .action = "room.open"};
	struct room *room;

	if (!policy_may_host(registry, event->actor, &plan->verdict) ||
		!policy_admits(registry, &plan->verdict))
		return;
	if (registry_room(registry, event->room) != NULL) {
		verdict_refuse(
			&plan->verdict, VERDICT_ALREADY_EXISTS, "room \"%s\" is open", event->room);
		return;
	}
	if (registry->rooms.count >= registry->limits.rooms_max) {
		verdict_refuse(&plan->verdict, VERDICT_CAPACITY, "rooms_max: %u rooms are open",
			registry->limits.rooms_max);
		return;
	}
	room = make(registry, event, plan);
	if (room == NULL)
		return;
	if (!plan_room_add(plan, registry, room)) {
		room_free(room);
		return;
	}
	if (!plan_audit(plan, room, &audit) || !plan_op(plan, &room->put, sizeof(room->put)))
		return;
	announce(plan, registry, room, "room.opened", event->actor);
	writer_string(&plan->answer, "room", room->name.text);
	writer_id(&plan->answer, "room_id", room->put.room_id);
	writer_uint(&plan->answer, "slots", room->put.slot_count);
	room_describe_slots(&plan->answer, room);
	if (room->put.group_key.suite != STN_SUITE_NONE)
		writer_mark(&plan->answer, "group_key", SECRET_MARK_GROUP, room->put.room_id);
}

struct room_update {
	const char *title, *topic;
	int open_floor;
	uint64_t capacity, slots;
	const char *group_key;
	int group_suite;
};

/* The last three are known only so that the refusal can say why. */
static const struct field room_update_fields[] = {
	{.name = "title",
		.kind = FIELD_TEXT,
		.max = ROOM_TITLE_MAX,
		.offset = offsetof(struct room_update, title)},
	{.name = "topic",
		.kind = FIELD_TEXT,
		.max = ROOM_TOPIC_MAX,
		.offset = offsetof(struct room_update, topic)},
	{.name = "open_floor",
		.kind = FIELD_BOOL,
		.fallback = -1,
		.offset = offsetof(struct room_update, open_floor)},
	{.name = "capacity",
		.kind = FIELD_UINT,
		.min = 1,
		.max = UINT32_MAX,
		.offset = offsetof(struct room_update, capacity)},
	{.name = "slots",
		.kind = FIELD_UINT,
		.min = 1,
		.max = STN_SLOTS_MAX,
		.offset = offsetof(struct room_update, slots)},
	{.name = "group_key",
		.kind = FIELD_TEXT,
		.min = 1,
		.max = 128,
		.offset = offsetof(struct room_update, group_key)},
	{.name = "group_suite",
		.kind = FIELD_CHOICE,
		.choices = secret_suite_names,
		.fallback = -1,
		.offset = offsetof(struct room_update, group_suite)},
	{.name = NULL}};

static bool immutable_kept(
	const struct room_update *update, const struct room *room, struct verdict *verdict)
{
	if (update->slots != 0 && update->slots != room->put.slot_count)
		return verdict_refuse(verdict, VERDICT_CONFLICT,
			"slots: stays %u for the life of the room", room->put.slot_count);
	if (update->group_key != NULL || update->group_suite >= 0)
		return verdict_refuse(verdict, VERDICT_CONFLICT,
			"group_key and group_suite are fixed when the room is opened");
	return true;
}

static void room_update(struct registry *registry, const struct event *event, struct plan *plan)
{
	const struct room_update *update = event_body(event);
	struct room *room = event_find_room(registry, event, &plan->verdict);
	struct audit audit = {.actor = event->actor, .action = "room.update"};
	struct room_settings settings;

	if (room == NULL || !policy_host(room, event->actor, "change the room", &plan->verdict) ||
		!immutable_kept(update, room, &plan->verdict))
		return;
	plan_room_settings(room, &settings);
	if (update->title != NULL)
		strcpy(settings.title, update->title);
	if (update->topic != NULL)
		strcpy(settings.topic, update->topic);
	if (update->open_floor >= 0)
		settings.open_floor = update->open_floor;
	if (update->capacity > registry->limits.room_members_max)
		settings.capacity = registry->limits.room_members_max;
	else if (update->capacity != 0)
		settings.capacity = (uint32_t)update->capacity;
	if (plan_room_set(plan, room, &settings) && plan_audit(plan, room, &audit))
		announce(plan, registry, room, "room.updated", event->actor);
	room_describe(&plan->answer, room);
}

static void room_close(struct registry *registry, const struct event *event, struct plan *plan)
{
	struct room *room = event_find_room(registry, event, &plan->verdict);
	struct audit audit = {.actor = event->actor, .action = "room.close"};

	if (room == NULL || !policy_host(room, event->actor, "close the room", &plan->verdict))
		return;
	writer_string(&plan->answer, "room", room->name.text);
	if (plan_audit(plan, room, &audit))
		outgoing_room_closed(plan, registry, room, event->actor, "closed");
}

static void room_get(struct registry *registry, const struct event *event, struct plan *plan)
{
	if (event_find_room(registry, event, &plan->verdict) != NULL)
		plan->query = PLAN_QUERY_ROOM;
}

static const struct field room_list_fields[] = {
	{.name = "after", .kind = FIELD_ID, .offset = offsetof(struct page, after)},
	{.name = "limit",
		.kind = FIELD_UINT,
		.min = 1,
		.max = LIST_LIMIT_MAX,
		.fallback = LIST_LIMIT_FALLBACK,
		.offset = offsetof(struct page, limit)},
	{.name = NULL}};

static void room_list(struct registry *registry, const struct event *event, struct plan *plan)
{
	const struct page *page = event_body(event);
	const struct room *room = NULL;
	uint64_t id, last;

	if (!page_start(page, &id, &plan->verdict))
		return;
	writer_begin_array(&plan->answer, "rooms");
	for (uint64_t count = 0; count < page->limit; count++) {
		room = roster_next(&registry->room_roster, &id);
		if (room == NULL)
			break;
		writer_begin_object(&plan->answer, NULL);
		room_describe(&plan->answer, room);
		writer_end_object(&plan->answer);
	}
	writer_end_array(&plan->answer);
	last = id;
	if (room == NULL || roster_next(&registry->room_roster, &id) == NULL)
		writer_null(&plan->answer, "next");
	else
		writer_id(&plan->answer, "next", last);
}

const struct event_type room_event_types[] = {
	{"room.open", room_open_fields, sizeof(struct room_open),
		EVENT_NEEDS_ACTOR | EVENT_NEEDS_ROOM | EVENT_CHANGES, room_open},
	{"room.update", room_update_fields, sizeof(struct room_update),
		EVENT_NEEDS_ACTOR | EVENT_NEEDS_ROOM | EVENT_CHANGES | EVENT_PAGE, room_update},
	{"room.close", NULL, 0,
		EVENT_NEEDS_ACTOR | EVENT_NEEDS_ROOM | EVENT_CHANGES | EVENT_SAFETY | EVENT_PAGE,
		room_close},
	{"room.get", NULL, 0, EVENT_NEEDS_ROOM | EVENT_PAGE | EVENT_ABROAD, room_get},
	{"room.list", room_list_fields, sizeof(struct page), 0, room_list}, {NULL}};
