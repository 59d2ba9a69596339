/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * floor.request, floor.cancel, floor.grant, floor.deny, floor.release, floor.list. Who asks stands
 * in a queue, in the order of asking. The floor is the membership's role; a browser that gets it
 * sends a new offer to /whip with the token it has, and its leg is replaced.
 */
#include <string.h>

#include "controlplane/rooms/admission.h"
#include "controlplane/rooms/catalog.h"
#include "controlplane/rooms/due.h"
#include "controlplane/rooms/outgoing.h"
#include "controlplane/rooms/policy.h"

#define REASON_MAX 256

struct floor_answer {
	const char *member, *reason;
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

static bool set(struct plan *plan, struct registry *registry, struct member *member,
	enum member_role role, uint64_t hand)
{
	struct member_state state;
	bool done;

	registry_member_state(member, &state);
	state.role = role;
	state.hand = hand;
	if (state.put.leg_id == 0)
		state.put.role = role == ROLE_LISTENER ? STN_ROLE_LISTENER : STN_ROLE_SPEAKER;
	member_apply_silence(member->room, member->user.text, role, &state.put);
	done = plan_member_set(plan, registry, member, &state);
	explicit_bzero(&state, sizeof(state));
	return done;
}

/* An event about one member; actor NULL: it is they who act. */
static bool announce(struct plan *plan, struct registry *registry, const struct member *member,
	const char *type, const struct audit *why)
{
	struct writer writer = {0};

	outgoing_begin(&writer, plan, registry, member->room, type);
	writer_string(&writer, "actor", why->actor);
	writer_string(&writer, "member", member->user.text);
	writer_string(&writer, "role", admission_role_names[member->role]);
	if (why->reason != NULL)
		writer_string(&writer, "reason", why->reason);
	writer_uint(&writer, "hands", member->room->hands.count);
	return plan_event_end(plan, registry, member->room, &writer);
}

static uint64_t position_of(const struct member *member)
{
	uint64_t id = 0, position = 0;

	while (roster_next(&member->room->hands, &id) != NULL && id < member->hand)
		position++;
	return position;
}

static void answer(struct plan *plan, const struct member *member)
{
	writer_string(&plan->answer, "room", member->room->name.text);
	writer_string(&plan->answer, "member", member->user.text);
	writer_string(&plan->answer, "role", admission_role_names[member->role]);
}

/* The member whom the request is about, or NULL with the verdict set. */
static struct member *find(const struct registry *registry, const struct event *event,
	const char *user, struct plan *plan)
{
	struct room *room = event_find_room(registry, event, &plan->verdict);

	return room == NULL ? NULL : event_find_member(room, user, &plan->verdict);
}

static bool grant(struct plan *plan, struct registry *registry, struct member *member,
	const struct audit *why)
{
	return set(plan, registry, member, ROLE_SPEAKER, 0) && outgoing_mute_op(plan, member) &&
	       announce(plan, registry, member, "floor.granted", why);
}

/* A keyed listener has no key to send under; a leg that could send once still can. */
static bool can_become_speaker(const struct member *member, struct verdict *verdict)
{
	if (member_webrtc(member) || member->put.role == STN_ROLE_SPEAKER)
		return true;
	return verdict_refuse(verdict, VERDICT_CONFLICT,
		"\"%s\" has a leg that only listens: leave and join as speaker", member->user.text);
}

static void request(struct registry *registry, const struct event *event, struct plan *plan)
{
	struct member *member = find(registry, event, event->actor, plan);
	struct audit why = {.actor = event->actor};

	if (member == NULL)
		return;
	if (member->role != ROLE_LISTENER) {
		verdict_refuse(&plan->verdict, VERDICT_CONFLICT, "\"%s\" has the floor",
			member->user.text);
		return;
	}
	if (!can_become_speaker(member, &plan->verdict))
		return;
	if (policy_may_speak(member->room, member->user.text)) {
		if (!grant(plan, registry, member, &why))
			return;
	} else if (member->hand == 0) {
		if (!set(plan, registry, member, ROLE_LISTENER, registry->next_id++) ||
			!announce(plan, registry, member, "floor.requested", &why))
			return;
	}
	answer(plan, member);
	writer_bool(&plan->answer, "granted", member->role != ROLE_LISTENER);
	if (member->hand != 0)
		writer_uint(&plan->answer, "position", position_of(member));
}

static void cancel(struct registry *registry, const struct event *event, struct plan *plan)
{
	struct member *member = find(registry, event, event->actor, plan);
	struct audit why = {.actor = event->actor};

	if (member == NULL)
		return;
	answer(plan, member);
	if (member->hand != 0 && set(plan, registry, member, member->role, 0))
		announce(plan, registry, member, "floor.cancelled", &why);
}

/* The member whose request the host decides about, or NULL with the verdict set. */
static struct member *find_asking(
	struct registry *registry, const struct event *event, const char *what, struct plan *plan)
{
	const struct floor_answer *body = event_body(event);
	struct member *member = find(registry, event, body->member, plan);

	if (member == NULL || !policy_host(member->room, event->actor, what, &plan->verdict))
		return NULL;
	if (member->hand != 0)
		return member;
	verdict_refuse(&plan->verdict, VERDICT_CONFLICT, "\"%s\" does not ask for the floor",
		member->user.text);
	return NULL;
}

static void floor_grant(struct registry *registry, const struct event *event, struct plan *plan)
{
	const struct floor_answer *body = event_body(event);
	struct audit why = {event->actor, "floor.grant", body->member, body->reason};
	struct member *member = find_asking(registry, event, "grant the floor", plan);

	if (member == NULL || !plan_audit(plan, member->room, &why) ||
		!grant(plan, registry, member, &why))
		return;
	answer(plan, member);
}

static void deny(struct registry *registry, const struct event *event, struct plan *plan)
{
	const struct floor_answer *body = event_body(event);
	struct audit why = {event->actor, "floor.deny", body->member, body->reason};
	struct member *member = find_asking(registry, event, "deny the floor", plan);

	if (member == NULL || !plan_audit(plan, member->room, &why) ||
		!set(plan, registry, member, member->role, 0) ||
		!announce(plan, registry, member, "floor.denied", &why))
		return;
	answer(plan, member);
}

/*
 * The leg may send on until the page has replaced it, so it is muted for good: as a leg of a
 * member who is no speaker (member_apply_silence()).
 */
static void release(struct registry *registry, const struct event *event, struct plan *plan)
{
	struct member *member = find(registry, event, event->actor, plan);
	struct audit why = {.actor = event->actor};

	if (member == NULL)
		return;
	if (member->role != ROLE_SPEAKER) {
		verdict_refuse(&plan->verdict, VERDICT_CONFLICT,
			"\"%s\" is %s and has no floor to give back", member->user.text,
			admission_role_names[member->role]);
		return;
	}
	if (!set(plan, registry, member, ROLE_LISTENER, 0) || !outgoing_mute_op(plan, member) ||
		!announce(plan, registry, member, "floor.released", &why))
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

static void list(struct registry *registry, const struct event *event, struct plan *plan)
{
	const struct page *page = event_body(event);
	const struct room *room = event_find_room(registry, event, &plan->verdict);
	const struct member *member = NULL;
	uint64_t id, last;

	if (room == NULL || !page_start(page, &id, &plan->verdict))
		return;
	writer_begin_array(&plan->answer, "hands");
	for (uint64_t count = 0; count < page->limit; count++) {
		member = roster_next(&room->hands, &id);
		if (member == NULL)
			break;
		writer_begin_object(&plan->answer, NULL);
		writer_string(&plan->answer, "member", member->user.text);
		writer_id(&plan->answer, "member_id", member_id(member));
		writer_end_object(&plan->answer);
	}
	writer_end_array(&plan->answer);
	writer_uint(&plan->answer, "count", room->hands.count);
	last = id;
	if (member == NULL || roster_next(&room->hands, &id) == NULL)
		writer_null(&plan->answer, "next");
	else
		writer_id(&plan->answer, "next", last);
}

bool floor_due(struct plan *plan, struct registry *registry)
{
	return false;
}

#define CHANGES (EVENT_NEEDS_ACTOR | EVENT_NEEDS_ROOM | EVENT_CHANGES | EVENT_PAGE)

const struct event_type floor_event_types[] = {{"floor.request", NULL, 0, CHANGES, request},
	{"floor.cancel", NULL, 0, CHANGES, cancel},
	{"floor.grant", floor_answer_fields, sizeof(struct floor_answer), CHANGES, floor_grant},
	{"floor.deny", floor_answer_fields, sizeof(struct floor_answer), CHANGES, deny},
	{"floor.release", NULL, 0, CHANGES | EVENT_SAFETY, release},
	{"floor.list", floor_list_fields, sizeof(struct page), EVENT_NEEDS_ROOM | EVENT_PAGE, list},
	{NULL}};
