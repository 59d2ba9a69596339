/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * floor.request, floor.cancel, floor.accept, floor.grant, floor.deny, floor.invite, floor.release,
 * floor.list. Who asks stands in a queue, in the order of asking. The floor is the membership's
 * role: a browser that gets it sends a new offer to /whip with the token it has, and its leg is
 * replaced; a keyed listener gets another leg at once.
 */
#include <string.h>

#include "controlplane/rooms/admission.h"
#include "controlplane/rooms/catalog.h"
#include "controlplane/rooms/floor.h"
#include "controlplane/rooms/policy.h"
#include "controlplane/rooms/role.h"

#define REASON_MAX 256
#define REQUEST_MIN_MS 10000
#define REQUEST_MAX_MS (24LL * 3600 * 1000)
#define INVITE_MIN_MS 1000
#define INVITE_MAX_MS (3600LL * 1000)

/* floor.request and floor.accept: what a keyed member will send. */
struct floor_request {
	const char *message;
	uint64_t duration_ms, ssrc, payload_type, audio_level_id;
};

#define SOURCE_FIELDS \
	{.name = "ssrc", \
		.kind = FIELD_UINT, \
		.max = UINT32_MAX, \
		.offset = offsetof(struct floor_request, ssrc)}, \
		{.name = "payload_type", \
			.kind = FIELD_UINT, \
			.max = 127, \
			.fallback = PAYLOAD_TYPE_FALLBACK, \
			.offset = offsetof(struct floor_request, payload_type)}, \
	{ \
		.name = "audio_level_id", .kind = FIELD_UINT, .max = 14, \
		.offset = offsetof(struct floor_request, audio_level_id) \
	}

static const struct field floor_request_fields[] = {
	{.name = "message",
		.kind = FIELD_TEXT,
		.max = HAND_MESSAGE_MAX,
		.offset = offsetof(struct floor_request, message)},
	{.name = "duration_ms",
		.kind = FIELD_UINT,
		.min = REQUEST_MIN_MS,
		.max = REQUEST_MAX_MS,
		.offset = offsetof(struct floor_request, duration_ms)},
	SOURCE_FIELDS, {.name = NULL}};

static const struct field floor_accept_fields[] = {SOURCE_FIELDS, {.name = NULL}};

struct floor_answer {
	const char *member, *reason;
	uint64_t duration_ms; /* floor.invite */
};

/* floor.grant and floor.deny. */
static const struct field floor_answer_fields[] = {
	{.name = "member",
		.kind = FIELD_ID,
		.flags = FIELD_REQUIRED,
		.offset = offsetof(struct floor_answer, member)},
	{.name = "reason",
		.kind = FIELD_TEXT,
		.max = REASON_MAX,
		.offset = offsetof(struct floor_answer, reason)},
	{.name = NULL}};

static const struct field floor_invite_fields[] = {
	{.name = "member",
		.kind = FIELD_ID,
		.flags = FIELD_REQUIRED,
		.offset = offsetof(struct floor_answer, member)},
	{.name = "reason",
		.kind = FIELD_TEXT,
		.max = REASON_MAX,
		.offset = offsetof(struct floor_answer, reason)},
	{.name = "duration_ms",
		.kind = FIELD_UINT,
		.min = INVITE_MIN_MS,
		.max = INVITE_MAX_MS,
		.offset = offsetof(struct floor_answer, duration_ms)},
	{.name = NULL}};

static void answer(struct plan *plan, const struct member *member)
{
	writer_string(&plan->answer, "room", member->room->name.text);
	writer_string(&plan->answer, "member", member->user.text);
	writer_string(&plan->answer, "role", admission_role_names[member->role]);
}

static void answer_expiry(struct writer *writer, const struct hand *hand)
{
	if (hand->until_ms == 0)
		writer_null(writer, "expires_ms");
	else
		writer_int(writer, "expires_ms", hand->until_ms);
}

/* The actor as a member of the room, or NULL with the verdict set. */
static struct member *find_actor(
	const struct registry *registry, const struct event *event, struct plan *plan)
{
	struct room *room = event_find_room(registry, event, &plan->verdict);

	return room == NULL ? NULL : event_find_member(room, event->actor, &plan->verdict);
}

static bool is_listener(const struct member *member, struct verdict *verdict)
{
	if (member->role == ROLE_LISTENER)
		return true;
	return verdict_refuse(verdict, VERDICT_CONFLICT, "\"%s\" has the floor", member->user.text);
}

static bool read_source(const struct member *member, const struct floor_request *body,
	struct source *source, struct verdict *verdict)
{
	*source = (struct source){.ssrc = (uint32_t)body->ssrc,
		.payload_type = (uint8_t)body->payload_type,
		.audio_level_id = (uint8_t)body->audio_level_id};
	if (!member_webrtc(member) || (body->ssrc == 0 && body->audio_level_id == 0 &&
					      body->payload_type == PAYLOAD_TYPE_FALLBACK))
		return true;
	return verdict_refuse(verdict, VERDICT_INVALID,
		"transport: webrtc agrees on ssrc and payload types by SDP");
}

static bool accept_invite(struct plan *plan, struct registry *registry, struct member *member,
	const struct source *source)
{
	struct user_id by = member->hand->by;
	struct audit why = {.actor = by.text};

	return role_fits(registry, member, ROLE_SPEAKER, &plan->verdict) &&
	       floor_give(plan, registry, member, source, &why, true);
}

/* A limit that was named, or the program's; 0: none. */
static int64_t expiry(const struct plan *plan, uint64_t duration_ms, uint64_t fallback_ms)
{
	uint64_t lasts_ms = duration_ms != 0 ? duration_ms : fallback_ms;

	return lasts_ms == 0 ? 0 : plan->now.wall_ms + (int64_t)lasts_ms;
}

static bool ask(struct plan *plan, struct registry *registry, struct member *member,
	const struct floor_request *body, const struct source *source)
{
	struct audit why = {.actor = member->user.text};
	struct hand hand = {.kind = HAND_REQUEST, .source = *source};

	if (floor_is_invited(member, &plan->now))
		return accept_invite(plan, registry, member, source);
	if (policy_may_speak(member->room, member->user.text))
		return role_fits(registry, member, ROLE_SPEAKER, &plan->verdict) &&
		       floor_give(plan, registry, member, source, &why, false);
	if (body->message != NULL)
		strncpy(hand.message, body->message, HAND_MESSAGE_MAX);
	hand.until_ms = expiry(plan, body->duration_ms, registry->limits.floor_request_ms);
	return floor_raise(plan, registry, member, &hand) &&
	       floor_announce(plan, registry, member, "floor.requested", &why);
}

static void request(struct registry *registry, const struct event *event, struct plan *plan)
{
	const struct floor_request *body = event_body(event);
	struct member *member = find_actor(registry, event, plan);
	struct source source;

	if (member == NULL || !is_listener(member, &plan->verdict) ||
		!read_source(member, body, &source, &plan->verdict) ||
		!ask(plan, registry, member, body, &source))
		return;
	answer(plan, member);
	writer_bool(&plan->answer, "granted", member->hand == NULL);
	if (member->hand == NULL) {
		role_answer_leg(plan, event, member);
	} else {
		writer_uint(&plan->answer, "position", floor_position(member));
		answer_expiry(&plan->answer, member->hand);
	}
}

/* Takes a request back, or refuses an invitation. */
static void cancel(struct registry *registry, const struct event *event, struct plan *plan)
{
	struct member *member = find_actor(registry, event, plan);
	struct audit why = {.actor = event->actor};
	bool invited;

	if (member == NULL)
		return;
	answer(plan, member);
	if (member->hand == NULL)
		return;
	invited = member->hand->kind == HAND_INVITE;
	if (floor_lower(plan, registry, member))
		floor_announce(plan, registry, member,
			invited ? "floor.declined" : "floor.cancelled", &why);
}

static void floor_accept(struct registry *registry, const struct event *event, struct plan *plan)
{
	const struct floor_request *body = event_body(event);
	struct member *member = find_actor(registry, event, plan);
	struct source source;

	if (member == NULL)
		return;
	if (!floor_is_invited(member, &plan->now)) {
		verdict_refuse(&plan->verdict, VERDICT_CONFLICT,
			"\"%s\" is not, or no longer, invited to speak", member->user.text);
		return;
	}
	if (!read_source(member, body, &source, &plan->verdict) ||
		!accept_invite(plan, registry, member, &source))
		return;
	answer(plan, member);
	role_answer_leg(plan, event, member);
}

/* The member about whom a host decides, or NULL with the verdict set. */
static struct member *find_other(
	struct registry *registry, const struct event *event, const char *what, struct plan *plan)
{
	const struct floor_answer *body = event_body(event);
	struct room *room = event_find_room(registry, event, &plan->verdict);

	if (room == NULL ||
		!policy_at_least(registry, room, event->actor, RANK_COHOST, what, &plan->verdict))
		return NULL;
	return event_find_member(room, body->member, &plan->verdict);
}

static struct member *find_asking(
	struct registry *registry, const struct event *event, const char *what, struct plan *plan)
{
	struct member *member = find_other(registry, event, what, plan);

	if (member == NULL || floor_asks(member, &plan->now))
		return member;
	verdict_refuse(&plan->verdict, VERDICT_CONFLICT, "\"%s\" does not ask for the floor",
		member->user.text);
	return NULL;
}

static bool grant(struct plan *plan, struct registry *registry, struct member *member,
	const struct audit *why)
{
	return role_fits(registry, member, ROLE_SPEAKER, &plan->verdict) &&
	       plan_audit(plan, member->room, why) &&
	       floor_give(plan, registry, member, NULL, why, false);
}

static void floor_grant(struct registry *registry, const struct event *event, struct plan *plan)
{
	const struct floor_answer *body = event_body(event);
	struct audit why = {event->actor, "floor.grant", body->member, body->reason};
	struct member *member = find_asking(registry, event, "grant the floor", plan);

	if (member == NULL || !grant(plan, registry, member, &why))
		return;
	answer(plan, member);
	role_answer_leg(plan, event, member);
}

static void deny(struct registry *registry, const struct event *event, struct plan *plan)
{
	const struct floor_answer *body = event_body(event);
	struct audit why = {event->actor, "floor.deny", body->member, body->reason};
	struct member *member = find_asking(registry, event, "deny the floor", plan);

	if (member == NULL || !plan_audit(plan, member->room, &why) ||
		!floor_lower(plan, registry, member) ||
		!floor_announce(plan, registry, member, "floor.denied", &why))
		return;
	answer(plan, member);
}

/* Who asks already has it at once. */
static void invite(struct registry *registry, const struct event *event, struct plan *plan)
{
	const struct floor_answer *body = event_body(event);
	struct audit why = {event->actor, "floor.invite", body->member, body->reason};
	struct member *member = find_other(registry, event, "invite to speak", plan);
	struct hand hand = {.kind = HAND_INVITE, .source.payload_type = PAYLOAD_TYPE_FALLBACK};

	if (member == NULL || !is_listener(member, &plan->verdict))
		return;
	if (floor_asks(member, &plan->now)) {
		if (!grant(plan, registry, member, &why))
			return;
	} else {
		strncpy(hand.by.text, event->actor, EVENT_ID_MAX);
		hand.until_ms = expiry(plan, body->duration_ms, registry->limits.floor_invite_ms);
		if (!plan_audit(plan, member->room, &why) ||
			!floor_raise(plan, registry, member, &hand) ||
			!floor_announce(plan, registry, member, "floor.invited", &why))
			return;
	}
	answer(plan, member);
	writer_bool(&plan->answer, "granted", member->hand == NULL);
	if (member->hand == NULL)
		role_answer_leg(plan, event, member);
	else
		answer_expiry(&plan->answer, member->hand);
}

/*
 * The leg may send on until the page has replaced it, so it is muted for good: as a leg of a
 * member who is no speaker (member_apply_silence()).
 */
static void release(struct registry *registry, const struct event *event, struct plan *plan)
{
	struct member *member = find_actor(registry, event, plan);
	struct audit why = {.actor = event->actor};

	if (member == NULL)
		return;
	if (member->role != ROLE_SPEAKER) {
		verdict_refuse(&plan->verdict, VERDICT_CONFLICT,
			"\"%s\" is %s and has no floor to give back", member->user.text,
			admission_role_names[member->role]);
		return;
	}
	if (!role_give(plan, registry, member, ROLE_LISTENER, NULL) ||
		!floor_announce(plan, registry, member, "floor.released", &why))
		return;
	answer(plan, member);
}

static const struct field floor_list_fields[] = {
	{.name = "after", .kind = FIELD_ID, .offset = offsetof(struct page, after)},
	{.name = "limit",
		.kind = FIELD_UINT,
		.min = 1,
		.max = LIST_LIMIT_MAX,
		.fallback = LIST_LIMIT_FALLBACK,
		.offset = offsetof(struct page, limit)},
	{.name = NULL}};

static void describe(struct writer *writer, const struct member *member)
{
	const struct hand *hand = member->hand;
	bool asks = hand->kind == HAND_REQUEST;

	writer_begin_object(writer, NULL);
	writer_string(writer, "member", member->user.text);
	writer_id(writer, "member_id", member_id(member));
	writer_string(writer, "kind", asks ? "request" : "invite");
	if (asks)
		writer_string(writer, "message", hand->message);
	else
		writer_string(writer, "by", hand->by.text);
	writer_int(writer, "at_ms", hand->at_ms);
	answer_expiry(writer, hand);
}

/* The page of requests; the last one's id into *id. False: there are no more behind it. */
static bool list_requests(
	struct writer *writer, const struct room *room, uint64_t most, uint64_t *id)
{
	const struct member *member = NULL;
	uint64_t position = 0, behind = 0;

	while (roster_next(&room->hands, &behind) != NULL && behind <= *id)
		position++;
	writer_begin_array(writer, "hands");
	for (uint64_t count = 0; count < most; count++) {
		member = roster_next(&room->hands, id);
		if (member == NULL)
			break;
		describe(writer, member);
		writer_uint(writer, "position", position++);
		writer_end_object(writer);
	}
	writer_end_array(writer);
	behind = *id;
	return member != NULL && roster_next(&room->hands, &behind) != NULL;
}

/* With the first page only: as many as it may have. */
static void list_invites(struct writer *writer, const struct room *room, uint64_t most)
{
	const struct member *member;
	uint64_t id = 0;

	writer_begin_array(writer, "invites");
	while (most-- > 0 && (member = roster_next(&room->invites, &id)) != NULL) {
		describe(writer, member);
		writer_end_object(writer);
	}
	writer_end_array(writer);
	writer_uint(writer, "invited", room->invites.count);
}

static void list(struct registry *registry, const struct event *event, struct plan *plan)
{
	const struct page *page = event_body(event);
	const struct room *room = event_find_room(registry, event, &plan->verdict);
	uint64_t id;
	bool more;

	if (room == NULL || !page_start(page, &id, &plan->verdict))
		return;
	more = list_requests(&plan->answer, room, page->limit, &id);
	writer_uint(&plan->answer, "count", room->hands.count);
	list_invites(&plan->answer, room, page->after == NULL ? page->limit : 0);
	if (more)
		writer_id(&plan->answer, "next", id);
	else
		writer_null(&plan->answer, "next");
}

#define CHANGES (EVENT_NEEDS_ACTOR | EVENT_NEEDS_ROOM | EVENT_CHANGES | EVENT_PAGE)

const struct event_type floor_event_types[] = {
	{"floor.request", floor_request_fields, sizeof(struct floor_request), CHANGES | EVENT_RATED,
		request},
	{"floor.cancel", NULL, 0, CHANGES | EVENT_RATED, cancel},
	{"floor.accept", floor_accept_fields, sizeof(struct floor_request), CHANGES | EVENT_RATED,
		floor_accept},
	{"floor.grant", floor_answer_fields, sizeof(struct floor_answer), CHANGES | EVENT_RATED,
		floor_grant},
	{"floor.deny", floor_answer_fields, sizeof(struct floor_answer), CHANGES | EVENT_RATED,
		deny},
	{"floor.invite", floor_invite_fields, sizeof(struct floor_answer), CHANGES | EVENT_RATED,
		invite},
	{"floor.release", NULL, 0, CHANGES | EVENT_SAFETY, release},
	{"floor.list", floor_list_fields, sizeof(struct page), EVENT_NEEDS_ROOM | EVENT_PAGE, list},
	{NULL}};
