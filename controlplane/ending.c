/* SPDX-License-Identifier: BSD-3-Clause */
/* What ends by itself: facts, written and announced like requests, with nobody to answer. */
#include <stdlib.h>
#include <string.h>

#include "configs/log.h"
#include "controlplane/conductor.h"
#include "controlplane/rooms/due.h"
#include "controlplane/rooms/outgoing.h"

#define NOTICE_NS 2000000000u /* within it the data plane has said what ended */
#define DUE_A_TURN 256        /* the rest in the next turn, so that requests come in between */
#define SEATS_A_TICK 1000     /* one event each: what is beyond waits a second */

/* Legs without seats end one by one, memberships together. */
static bool end_all(struct conductor *c, struct plan *plan, struct member **members, size_t count,
	const struct ending *ending)
{
	size_t leaving = 0;

	for (size_t i = 0; i < count; i++) {
		struct member *member = members[i];

		if (!ending->leg || !member_webrtc(member))
			members[leaving++] = member;
		else if (!outgoing_leg_ended(plan, c->registry, member, SEAT_LOST))
			return false;
	}
	return leaving == 0 || outgoing_members_left(plan, c->registry, members[0]->room, members,
				       leaving, ending->reason);
}

void ending_in_room(struct conductor *c, struct room *room, const struct ending *ending)
{
	struct member **members = calloc(room->roster.count + 1, sizeof(struct member *));
	struct moment now = conductor_now();
	struct member *member;
	struct plan plan;
	size_t count = 0;
	uint64_t id = 0;

	if (members == NULL)
		return;
	while ((member = roster_next(&room->roster, &id)) != NULL) {
		if (ending->applies(c, member))
			members[count++] = member;
	}
	if (count > 0) {
		plan_init(&plan, &now);
		log_info("members_end", "room=%s count=%zu reason=%s", room->name.text, count,
			ending->reason);
		if (end_all(c, &plan, members, count, ending)) {
			turn_fact(c, &plan);
		} else {
			plan_revert(&plan, c->registry);
			plan_clear(&plan);
		}
	}
	free(members);
}

void ending_members(struct conductor *c, const struct ending *ending)
{
	struct room *room;
	uint64_t id = 0;

	while ((room = roster_next(&c->registry->room_roster, &id)) != NULL)
		ending_in_room(c, room, ending);
}

void ending_room(struct conductor *c, struct room *room, const char *reason)
{
	struct moment now = conductor_now();
	struct plan plan;

	plan_init(&plan, &now);
	log_info("room_ends", "room=%s reason=%s", room->name.text, reason);
	if (outgoing_room_closed(&plan, c->registry, room, NULL, reason)) {
		turn_fact(c, &plan);
		return;
	}
	plan_revert(&plan, c->registry);
	plan_clear(&plan);
}

void ending_member(struct conductor *c, struct member *member, const char *reason)
{
	struct moment now = conductor_now();
	struct plan plan;

	plan_init(&plan, &now);
	if (outgoing_member_left(&plan, c->registry, member, reason)) {
		turn_fact(c, &plan);
		return;
	}
	plan_revert(&plan, c->registry);
	plan_clear(&plan);
}

void ending_leg(struct conductor *c, struct member *member, const char *reason)
{
	struct moment now = conductor_now();
	struct plan plan;

	if (!member_webrtc(member)) {
		ending_member(c, member, reason);
		return;
	}
	if (member->put.leg_id == 0)
		return;
	log_info("session_ends", "member=%s reason=%s", member->user.text, reason);
	plan_init(&plan, &now);
	if (outgoing_leg_ended(&plan, c->registry, member, SEAT_LOST)) {
		turn_fact(c, &plan);
		return;
	}
	plan_revert(&plan, c->registry);
	plan_clear(&plan);
}

void ending_seats(struct conductor *c)
{
	static const char *const reasons[SEAT_COUNT] = {"expired", "left", "lost"};
	struct member *member = c->registry->seats, *next;
	uint64_t now_ns = loop_now_ns();

	for (unsigned int count = 0; member != NULL && count < SEATS_A_TICK; member = next) {
		bool over = member->put.end_ns != 0 && member->put.end_ns <= now_ns;

		next = member->seat_next;
		if (!over && (member->seat_ns == 0 || member->seat_ns > now_ns))
			continue;
		ending_member(c, member, over ? "expired" : reasons[member->seat]);
		count++;
	}
}

static bool is_expired(const struct conductor *c, const struct member *member)
{
	return member->put.end_ns != 0 && member->put.end_ns <= loop_now_ns();
}

static void expire_silences(struct conductor *c, struct room *room, uint64_t now_ns)
{
	size_t position = 0;
	struct silence *silence;

	while ((silence = hash_next(&room->silenced, &position)) != NULL) {
		if (silence->until_ns == 0 || silence->until_ns > now_ns)
			continue;
		ending_silence(c, room, silence->user.text);
		position = 0; /* the table has changed */
	}
}

void ending_silence(struct conductor *c, struct room *room, const char *user)
{
	struct moment now = conductor_now();
	struct audit why = {.reason = "expired"};
	struct user_id name = {0};
	struct plan plan;

	strncpy(name.text, user, EVENT_ID_MAX); /* the silence itself goes with the plan */
	why.member = name.text;
	plan_init(&plan, &now);
	if (outgoing_silence(&plan, c->registry, room, &why, NULL)) {
		turn_fact(c, &plan);
		return;
	}
	plan_revert(&plan, c->registry);
	plan_clear(&plan);
}

/* It says nothing of who has no leg that speaks; of the others it has said it by then. */
static void expire_absent(struct conductor *c)
{
	uint64_t id = 0, now_ns = loop_now_ns();
	struct room *room;

	while ((room = roster_next(&c->registry->room_roster, &id)) != NULL) {
		if (room->silenced.count > 0)
			expire_silences(c, room, now_ns < NOTICE_NS ? 0 : now_ns - NOTICE_NS);
	}
}

void ending_expired(struct conductor *c)
{
	static const struct ending expired = {"expired", false, is_expired};
	struct room *room;
	uint64_t id = 0;

	/* A data plane that is there says itself what has ended. */
	if (link_state(c->link) == LINK_UP || link_state(c->link) == LINK_SYNCING) {
		expire_absent(c);
		return;
	}
	while ((room = roster_next(&c->registry->room_roster, &id)) != NULL) {
		if (room->rules.state == ROOM_LIVE && room->put.end_ns != 0 &&
			room->put.end_ns <= loop_now_ns())
			ending_room(c, room, "expired");
		else
			expire_silences(c, room, loop_now_ns());
	}
	ending_members(c, &expired);
}

void ending_due(struct conductor *c)
{
	struct moment now = conductor_now();
	struct plan plan;
	unsigned int count = 0;

	c->registry->wake_ns = 0;
	for (plan_init(&plan, &now); count < DUE_A_TURN; count++, plan_init(&plan, &now)) {
		if (!due_run(&plan, c->registry))
			break;
		turn_fact(c, &plan);
	}
	plan_revert(&plan, c->registry);
	plan_clear(&plan);
	if (count == DUE_A_TURN)
		due_wake(c->registry, now.mono_ns);
}
