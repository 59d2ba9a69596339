/* SPDX-License-Identifier: BSD-3-Clause */
/* What ends by itself: facts, written and announced like requests, with nobody to answer. */
#include <stdlib.h>
#include <string.h>

#include "configs/log.h"
#include "controlplane/conductor.h"
#include "controlplane/rooms/due.h"
#include "controlplane/rooms/outgoing.h"

#define RESERVE 98304         /* of memory; small enough to stay in the heap when it is freed */
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

void ending_prepare(struct conductor *c)
{
	if (c->reserve == NULL)
		c->reserve = malloc(RESERVE);
}

/* A plan to begin with, twice: the second time there is the memory that was kept for it. */
static bool try(struct conductor *c, struct plan *plan, unsigned int *tries)
{
	struct moment now = conductor_now();

	if (*tries > 0) {
		free(c->reserve);
		c->reserve = NULL;
	}
	plan_init(plan, &now);
	return (*tries)++ < 2;
}

/* What was planned is done, or nothing has happened. */
static bool take(struct conductor *c, struct plan *plan, bool planned)
{
	if (planned)
		return turn_fact(c, plan);
	plan_revert(plan, c->registry);
	plan_clear(plan);
	return false;
}

static bool end_in_room(
	struct conductor *c, struct plan *plan, struct room *room, const struct ending *ending)
{
	struct member **members = calloc(room->roster.count + 1, sizeof(struct member *));
	struct member *member;
	size_t count = 0;
	uint64_t id = 0;
	bool done = members != NULL;

	while (done && (member = roster_next(&room->roster, &id)) != NULL) {
		if (ending->applies(c, member))
			members[count++] = member;
	}
	if (count > 0) {
		log_info("members_end", "room=%s count=%zu reason=%s", room->name.text, count,
			ending->reason);
		done = take(c, plan, end_all(c, plan, members, count, ending));
	}
	free(members);
	return done;
}

bool ending_in_room(struct conductor *c, struct room *room, const struct ending *ending)
{
	unsigned int tries = 0;
	struct plan plan;

	while (try(c, &plan, &tries)) {
		if (end_in_room(c, &plan, room, ending))
			return true;
	}
	return false;
}

bool ending_members(struct conductor *c, const struct ending *ending)
{
	struct room *room;
	uint64_t id = 0;
	bool done = true;

	while ((room = roster_next(&c->registry->room_roster, &id)) != NULL)
		done = ending_in_room(c, room, ending) && done;
	return done;
}

bool ending_room(struct conductor *c, struct room *room, const char *reason)
{
	unsigned int tries = 0;
	struct plan plan;

	log_info("room_ends", "room=%s reason=%s", room->name.text, reason);
	while (try(c, &plan, &tries)) {
		if (take(c, &plan, outgoing_room_closed(&plan, c->registry, room, NULL, reason)))
			return true;
	}
	return false;
}

void ending_member(struct conductor *c, struct member *member, const char *reason)
{
	unsigned int tries = 0;
	struct plan plan;

	while (try(c, &plan, &tries)) {
		if (take(c, &plan, outgoing_member_left(&plan, c->registry, member, reason)))
			return;
	}
}

void ending_leg(struct conductor *c, struct member *member, const char *reason)
{
	unsigned int tries = 0;
	struct plan plan;

	if (!member_webrtc(member)) {
		ending_member(c, member, reason);
		return;
	}
	if (member->put.leg_id == 0)
		return;
	log_info("session_ends", "member=%s reason=%s", member->user.text, reason);
	while (try(c, &plan, &tries)) {
		if (take(c, &plan, outgoing_leg_ended(&plan, c->registry, member, SEAT_LOST)))
			return;
	}
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
		if (!ending_silence(c, room, silence->user.text))
			return;
		position = 0; /* the table has changed */
	}
}

bool ending_silence(struct conductor *c, struct room *room, const char *user)
{
	struct audit why = {.reason = "expired"};
	struct user_id name = {0};
	unsigned int tries = 0;
	struct plan plan;

	strncpy(name.text, user, EVENT_ID_MAX); /* the silence itself goes with the plan */
	why.member = name.text;
	while (try(c, &plan, &tries)) {
		if (take(c, &plan, outgoing_silence(&plan, c->registry, room, &why, NULL)))
			return true;
	}
	return false;
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

	/* What is there lasts as long as the data plane says: the wall clock may have been set. */
	if (!c->dumped &&
		(link_state(c->link) != LINK_DOWN || loop_now_ns() < c->started_ns + NOTICE_NS))
		return;
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

/*
 * What the clock makes due, unlike what ends, can wait for the disk: told without it, it would be
 * told again after a restart, under another number.
 */
static bool disk_takes(struct conductor *c)
{
	if (c->store_failed && turn_open(c) == 0)
		turn_commit(c);
	return !c->store_failed;
}

void ending_due(struct conductor *c)
{
	struct moment now = conductor_now();
	struct plan plan;
	unsigned int count = 0;

	c->registry->wake_ns = 0;
	if (!disk_takes(c))
		return; /* the next tick asks again */
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
