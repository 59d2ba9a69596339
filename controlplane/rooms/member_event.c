/* SPDX-License-Identifier: BSD-3-Clause */
/* member.join, member.token, member.leave, member.list. */
#include <string.h>

#include "controlplane/rooms/admission.h"
#include "controlplane/rooms/catalog.h"
#include "controlplane/rooms/hand.h"
#include "controlplane/rooms/outgoing.h"
#include "controlplane/rooms/policy.h"
#include "controlplane/rooms/role.h"
#include "controlplane/rooms/secret.h"
#include "controlplane/rooms/session_event.h"
#include "controlplane/rooms/token.h"

#define MEMBERS_MAX 2048 /* of one join; the line's 64 KiB hold fewer */
#define DURATION_MAX_MS (366LL * 24 * 3600 * 1000)
#define INHERIT -1 /* an item of "members" takes what the join says */

struct member_join {
	struct admission one;
	int role;
	const char *share;
	struct event_list members;
};

/* The same of a join itself and of an item of "members"; the two differ in the fallbacks. */
#define ADMISSION_FIELDS( \
	type_, at_, transport_, suite_, protection_, payload_type_, level_, duration_) \
	{.name = "member", .kind = FIELD_ID, .offset = offsetof(type_, at_ member)}, \
		{.name = "address", \
			.kind = FIELD_TEXT, \
			.min = 1, \
			.max = 64, \
			.offset = offsetof(type_, at_ address)}, \
		{.name = "port", \
			.kind = FIELD_UINT, \
			.min = 1, \
			.max = 65535, \
			.offset = offsetof(type_, at_ port)}, \
		{.name = "suite", \
			.kind = FIELD_CHOICE, \
			.choices = secret_suite_names, \
			.fallback = (suite_), \
			.offset = offsetof(type_, at_ suite)}, \
		{.name = "protection", \
			.kind = FIELD_CHOICE, \
			.choices = admission_protection_names, \
			.fallback = (protection_), \
			.offset = offsetof(type_, at_ protection)}, \
		{.name = "transport", \
			.kind = FIELD_CHOICE, \
			.choices = admission_transport_names, \
			.fallback = (transport_), \
			.offset = offsetof(type_, at_ transport)}, \
		{.name = "tx_key", \
			.kind = FIELD_TEXT, \
			.min = 1, \
			.max = 128, \
			.offset = offsetof(type_, at_ tx_key)}, \
		{.name = "rx_key", \
			.kind = FIELD_TEXT, \
			.min = 1, \
			.max = 128, \
			.offset = offsetof(type_, at_ rx_key)}, \
		{.name = "payload_type", \
			.kind = FIELD_UINT, \
			.max = 127, \
			.fallback = (payload_type_), \
			.offset = offsetof(type_, at_ payload_type)}, \
		{.name = "audio_level_id", \
			.kind = FIELD_UINT, \
			.max = 14, \
			.fallback = (level_), \
			.offset = offsetof(type_, at_ audio_level_id)}, \
		{.name = "ssrc", \
			.kind = FIELD_UINT, \
			.max = UINT32_MAX, \
			.offset = offsetof(type_, at_ ssrc)}, \
	{ \
		.name = "duration_ms", .kind = FIELD_UINT, .min = 1, .max = DURATION_MAX_MS, \
		.fallback = (duration_), .offset = offsetof(type_, at_ duration_ms) \
	}

static const struct field admission_fields[] = {
	ADMISSION_FIELDS(struct admission, , INHERIT, INHERIT, INHERIT, INHERIT, INHERIT, INHERIT),
	{.name = NULL}};

static const struct field member_join_fields[] = {
	ADMISSION_FIELDS(struct member_join, one., 0, 0, 0, PAYLOAD_TYPE_FALLBACK, 0, 0),
	{.name = "role",
		.kind = FIELD_CHOICE,
		.flags = FIELD_REQUIRED,
		.choices = admission_role_names,
		.offset = offsetof(struct member_join, role)},
	{.name = "share",
		.kind = FIELD_TEXT,
		.min = 1,
		.max = 64,
		.offset = offsetof(struct member_join, share)},
	{.name = "members",
		.kind = FIELD_LIST,
		.max = MEMBERS_MAX,
		.items = admission_fields,
		.item_size = sizeof(struct admission),
		.offset = offsetof(struct member_join, members)},
	{.name = NULL}};

static void inherit(struct admission *item, const struct admission *from)
{
	if (item->transport == INHERIT)
		item->transport = from->transport;
	if (item->suite == INHERIT)
		item->suite = from->suite;
	if (item->protection == INHERIT)
		item->protection = from->protection;
	if (item->payload_type == (uint64_t)INHERIT)
		item->payload_type = from->payload_type;
	if (item->audio_level_id == (uint64_t)INHERIT)
		item->audio_level_id = from->audio_level_id;
	if (item->duration_ms == (uint64_t)INHERIT)
		item->duration_ms = from->duration_ms;
}

static bool admit_all(struct plan *plan, struct registry *registry,
	const struct admission_request *request, const struct member_join *join)
{
	const struct admission *items = join->members.items;

	if (join->members.count == 0)
		return admission_admit(plan, registry, request, &join->one);
	if (join->one.member != NULL || join->one.address != NULL || join->one.port != 0 ||
		join->one.tx_key != NULL || join->one.rx_key != NULL || join->one.ssrc != 0)
		return verdict_refuse(&plan->verdict, VERDICT_INVALID,
			"members: member, address, port, ssrc and keys belong into its items");
	for (size_t i = 0; i < join->members.count; i++) {
		struct admission item = items[i];

		inherit(&item, &join->one);
		if (!admission_admit(plan, registry, request, &item)) {
			struct verdict why = plan->verdict;

			return verdict_refuse(
				&plan->verdict, why.code, "members[%zu]: %.200s", i, why.message);
		}
	}
	return true;
}

static void answer_token(struct plan *plan, const struct registry *registry, uint64_t id)
{
	writer_mark(&plan->answer, "token", SECRET_MARK_TOKEN, id);
	if (registry->limits.public_url != NULL)
		writer_mark(&plan->answer, "url", SECRET_MARK_URL, id);
}

static void answer_leg(struct plan *plan, const struct member *member)
{
	if (member->put.leg_id == 0)
		writer_null(&plan->answer, "leg");
	else
		writer_id(&plan->answer, "leg", member->put.leg_id);
}

static void answer_join(struct plan *plan, const struct registry *registry, const struct room *room)
{
	writer_string(&plan->answer, "room", room->name.text);
	writer_begin_array(&plan->answer, "members");
	for (size_t i = 0; i < plan->joined_count; i++) {
		const struct member *member = registry_member_by_id(registry, plan->joined[i]);
		uint64_t id = member_id(member);

		writer_begin_object(&plan->answer, NULL);
		writer_string(&plan->answer, "member", member->user.text);
		writer_id(&plan->answer, "member_id", id);
		answer_leg(plan, member);
		if (member_webrtc(member)) {
			answer_token(plan, registry, id);
		} else {
			writer_mark(&plan->answer, "tx_key", SECRET_MARK_TX, id);
			writer_mark(&plan->answer, "rx_key", SECRET_MARK_RX, id);
		}
		writer_end_object(&plan->answer);
	}
	writer_end_array(&plan->answer);
	room_describe_slots(&plan->answer, room);
}

/* Announces who came in by this plan. */
static void announce_join(struct plan *plan, struct registry *registry, struct room *room,
	const char *actor, enum member_role role)
{
	struct writer writer = {0};

	outgoing_begin(&writer, plan, registry, room, "member.joined");
	writer_string(&writer, "actor", actor);
	writer_string(&writer, "role", admission_role_names[role]);
	writer_begin_array(&writer, "joined");
	for (size_t i = 0; i < plan->joined_count; i++)
		writer_string(
			&writer, NULL, registry_member_by_id(registry, plan->joined[i])->user.text);
	writer_end_array(&writer);
	plan_event_end(plan, registry, room, &writer);
}

/*
 * Whoever the relay knows from one room comes into another under their own name: only themself,
 * only by WebRTC (a leg to any address would be a way to flood it), and not as a guest, whose name
 * is of one room and who was let in there only.
 */
static bool page_may_join(
	const struct event *event, const struct member_join *join, struct verdict *verdict)
{
	if (!event->page)
		return true;
	if (join->members.count != 0 || !join->one.transport ||
		(join->one.member != NULL && strcmp(join->one.member, event->actor) != 0))
		return verdict_refuse(verdict, VERDICT_NOT_ALLOWED,
			"a page joins nobody but \"%s\", with transport webrtc", event->actor);
	if (strncmp(event->actor, SESSION_GUEST_PREFIX, strlen(SESSION_GUEST_PREFIX)) == 0)
		return verdict_refuse(verdict, VERDICT_NO_SUCH_USER,
			"\"%s\" is a guest of one room: come as a guest here too", event->actor);
	return true;
}

static void member_join(struct registry *registry, const struct event *event, struct plan *plan)
{
	const struct member_join *join = event_body(event);
	struct room *room = event_find_room(registry, event, &plan->verdict);
	struct admission_request request = {
		event->actor, room, (enum member_role)join->role, join->share};

	if (room == NULL || !page_may_join(event, join, &plan->verdict) ||
		!admit_all(plan, registry, &request, join))
		return;
	announce_join(plan, registry, room, event->actor, request.role);
	answer_join(plan, registry, room);
}

struct member_token {
	const char *member;
};

static const struct field member_token_fields[] = {
	{.name = "member", .kind = FIELD_ID, .offset = offsetof(struct member_token, member)},
	{.name = NULL}};

/* The one they had ends with it. A session that is open goes on, under the new one. */
static void member_token(struct registry *registry, const struct event *event, struct plan *plan)
{
	const struct member_token *body = event_body(event);
	const char *user = body->member == NULL ? event->actor : body->member;
	struct room *room = event_find_room(registry, event, &plan->verdict);
	struct member_state state;
	struct member *member;

	if (room == NULL || !policy_token(room, event->actor, user, &plan->verdict))
		return;
	member = event_find_member(room, user, &plan->verdict);
	if (member == NULL)
		return;
	if (!member_webrtc(member)) {
		verdict_refuse(&plan->verdict, VERDICT_CONFLICT,
			"\"%s\" is in \"%s\" with keys, not by webrtc", user, room->name.text);
		return;
	}
	registry_member_state(member, &state);
	state.token = token_mint(registry, member);
	if (state.token == NULL)
		verdict_refuse(&plan->verdict, VERDICT_UNAVAILABLE, "no random numbers");
	else if (!plan_member_set(plan, registry, member, &state))
		token_free(state.token);
	explicit_bzero(&state, sizeof(state));
	writer_string(&plan->answer, "room", room->name.text);
	writer_string(&plan->answer, "member", member->user.text);
	writer_string(&plan->answer, "role", admission_role_names[member->role]);
	answer_token(plan, registry, member_id(member));
}

/* The keys as they are now: of who was made a speaker they are others than those of the join. */
static void member_keys(struct registry *registry, const struct event *event, struct plan *plan)
{
	const struct member_token *body = event_body(event);
	const char *user = body->member == NULL ? event->actor : body->member;
	struct room *room = event_find_room(registry, event, &plan->verdict);
	const struct member *member;

	if (room == NULL || (strcmp(user, event->actor) != 0 &&
				    !policy_at_least(registry, room, event->actor, RANK_HOST,
					    "see the keys of somebody else", &plan->verdict)))
		return;
	member = event_find_member(room, user, &plan->verdict);
	if (member == NULL)
		return;
	if (member_webrtc(member)) {
		verdict_refuse(&plan->verdict, VERDICT_CONFLICT,
			"\"%s\" is in \"%s\" by webrtc, whose keys are nobody else's", user,
			room->name.text);
		return;
	}
	writer_string(&plan->answer, "room", room->name.text);
	writer_string(&plan->answer, "member", member->user.text);
	writer_string(&plan->answer, "role", admission_role_names[member->role]);
	role_answer_leg(plan, event, member);
}

struct member_leave {
	const char *member;
};

static const struct field member_leave_fields[] = {
	{.name = "member", .kind = FIELD_ID, .offset = offsetof(struct member_leave, member)},
	{.name = NULL}};

static void member_leave(struct registry *registry, const struct event *event, struct plan *plan)
{
	const struct member_leave *leave = event_body(event);
	const char *user = leave->member == NULL ? event->actor : leave->member;
	struct room *room = event_find_room(registry, event, &plan->verdict);
	struct member *member;

	if (room == NULL || !policy_leave(room, event->actor, user, &plan->verdict))
		return;
	member = event_find_member(room, user, &plan->verdict);
	if (member == NULL)
		return;
	writer_string(&plan->answer, "room", room->name.text);
	writer_string(&plan->answer, "member", member->user.text);
	outgoing_member_left(plan, registry, member, "left");
}

struct member_list {
	struct page page;
	int role;
};

static const struct field member_list_fields[] = {
	{.name = "after", .kind = FIELD_ID, .offset = offsetof(struct member_list, page.after)},
	{.name = "limit",
		.kind = FIELD_UINT,
		.min = 1,
		.max = LIST_LIMIT_MAX,
		.fallback = LIST_LIMIT_FALLBACK,
		.offset = offsetof(struct member_list, page.limit)},
	{.name = "role",
		.kind = FIELD_CHOICE,
		.choices = admission_role_names,
		.fallback = -1,
		.offset = offsetof(struct member_list, role)},
	{.name = NULL}};

static bool speaking(const struct member *member)
{
	for (unsigned int slot = 0; slot < member->room->put.slot_count; slot++) {
		if (member->room->holder[slot] == member_id(member))
			return true;
	}
	return false;
}

/* A page is not told where others are. */
static void describe(struct writer *writer, const struct member *member, bool page)
{
	char remote[64];

	admission_address_text(&member->put.remote, remote, sizeof(remote));
	writer_begin_object(writer, NULL);
	writer_string(writer, "member", member->user.text);
	writer_id(writer, "member_id", member_id(member));
	if (member->put.leg_id == 0)
		writer_null(writer, "leg");
	else
		writer_id(writer, "leg", member->put.leg_id);
	writer_string(writer, "role", admission_role_names[member->role]);
	writer_string(writer, "transport",
		admission_transport_names[member->put.transport == STN_TRANSPORT_WEBRTC]);
	if (!page)
		writer_string(writer, "remote", member->put.remote.family == 0 ? NULL : remote);
	if (member->ssrc == 0)
		writer_null(writer, "ssrc");
	else
		writer_uint(writer, "ssrc", member->ssrc);
	writer_bool(writer, "muted", member_muted(member));
	writer_bool(writer, "hand", member->hand != NULL && member->hand->kind == HAND_REQUEST);
	writer_bool(writer, "invited", member->hand != NULL && member->hand->kind == HAND_INVITE);
	writer_bool(writer, "connected", member->connected);
	writer_bool(writer, "speaking", speaking(member));
	writer_int(writer, "joined_ms", member->joined_ms);
	writer_end_object(writer);
}

static const struct member *next_with_role(
	const struct room *room, const struct member_list *list, uint64_t *id)
{
	const struct member *member;

	do {
		member = roster_next(&room->roster, id);
	} while (member != NULL && list->role >= 0 && (int)member->role != list->role);
	return member;
}

static void member_list(struct registry *registry, const struct event *event, struct plan *plan)
{
	const struct member_list *list = event_body(event);
	const struct room *room = event_find_room(registry, event, &plan->verdict);
	const struct member *member = NULL;
	uint64_t id, last;

	if (room == NULL || !page_start(&list->page, &id, &plan->verdict))
		return;
	writer_begin_array(&plan->answer, "members");
	for (uint64_t count = 0; count < list->page.limit; count++) {
		member = next_with_role(room, list, &id);
		if (member == NULL)
			break;
		describe(&plan->answer, member, event->page);
	}
	writer_end_array(&plan->answer);
	last = id;
	if (member == NULL || next_with_role(room, list, &id) == NULL)
		writer_null(&plan->answer, "next");
	else
		writer_id(&plan->answer, "next", last);
}

const struct event_type member_event_types[] = {
	{"member.join", member_join_fields, sizeof(struct member_join),
		EVENT_NEEDS_ACTOR | EVENT_NEEDS_ROOM | EVENT_CHANGES | EVENT_PAGE | EVENT_ABROAD,
		member_join},
	{"member.token", member_token_fields, sizeof(struct member_token),
		EVENT_NEEDS_ACTOR | EVENT_NEEDS_ROOM | EVENT_CHANGES, member_token},
	{"member.keys", member_token_fields, sizeof(struct member_token),
		EVENT_NEEDS_ACTOR | EVENT_NEEDS_ROOM, member_keys},
	{"member.leave", member_leave_fields, sizeof(struct member_leave),
		EVENT_NEEDS_ACTOR | EVENT_NEEDS_ROOM | EVENT_CHANGES | EVENT_SAFETY | EVENT_PAGE,
		member_leave},
	{"member.list", member_list_fields, sizeof(struct member_list),
		EVENT_NEEDS_ROOM | EVENT_PAGE, member_list},
	{NULL}};
