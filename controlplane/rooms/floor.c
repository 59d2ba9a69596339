/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "controlplane/rooms/admission.h"
#include "controlplane/rooms/due.h"
#include "controlplane/rooms/floor.h"
#include "controlplane/rooms/outgoing.h"
#include "controlplane/rooms/role.h"

#define EXPIRE_A_STEP 64 /* of one room: one transaction, one event each */

static bool expired(const struct hand *hand, const struct moment *now)
{
	return hand->until_ns != 0 && hand->until_ns <= now->mono_ns;
}

static bool holds(const struct member *member, enum hand_kind kind, const struct moment *now)
{
	return member->hand != NULL && member->hand->kind == kind && !expired(member->hand, now);
}

bool floor_asks(const struct member *member, const struct moment *now)
{
	return holds(member, HAND_REQUEST, now);
}

bool floor_is_invited(const struct member *member, const struct moment *now)
{
	return holds(member, HAND_INVITE, now);
}

uint64_t floor_position(const struct member *member)
{
	uint64_t id = 0, position = 0;

	while (roster_next(&member->room->hands, &id) != NULL && id < member->hand->id)
		position++;
	return position;
}

static bool set_hand(
	struct plan *plan, struct registry *registry, struct member *member, struct hand *hand)
{
	struct member_state state;
	bool done;

	registry_member_state(member, &state);
	state.hand = hand;
	done = plan_member_set(plan, registry, member, &state);
	explicit_bzero(&state, sizeof(state));
	return done;
}

bool floor_lower(struct plan *plan, struct registry *registry, struct member *member)
{
	return set_hand(plan, registry, member, NULL);
}

static void expect(struct registry *registry, uint64_t at_ns)
{
	if (at_ns < registry->floor_due_ns)
		registry->floor_due_ns = at_ns;
	due_wake(registry, at_ns);
}

bool floor_raise(struct plan *plan, struct registry *registry, struct member *member,
	const struct hand *hand)
{
	const struct hand *before = member->hand;
	struct hand *copy = hand_copy(hand);

	if (copy == NULL)
		return verdict_refuse(&plan->verdict, VERDICT_UNAVAILABLE, "out of memory");
	copy->until_ns = moment_mono(&plan->now, copy->until_ms);
	if (before != NULL && before->kind == copy->kind) {
		copy->id = before->id;
		copy->at_ms = before->at_ms;
	} else {
		copy->id = registry->next_id++;
		copy->at_ms = plan->now.wall_ms;
	}
	if (!set_hand(plan, registry, member, copy)) {
		hand_free(copy);
		return false;
	}
	if (copy->until_ns != 0)
		expect(registry, copy->until_ns);
	return true;
}

static void begin(struct writer *writer, struct plan *plan, const struct registry *registry,
	const struct member *member, const char *type, const struct audit *why)
{
	const struct hand *hand = member->hand;

	outgoing_begin(writer, plan, registry, member->room, type);
	writer_string(writer, "actor", why->actor);
	writer_string(writer, "member", member->user.text);
	writer_string(writer, "role", admission_role_names[member->role]);
	if (why->reason != NULL)
		writer_string(writer, "reason", why->reason);
	writer_uint(writer, "hands", member->room->hands.count);
	if (hand != NULL && hand->kind == HAND_REQUEST)
		writer_string(writer, "message", hand->message);
	if (hand != NULL && hand->until_ms == 0)
		writer_null(writer, "expires_ms");
	else if (hand != NULL)
		writer_int(writer, "expires_ms", hand->until_ms);
}

bool floor_announce(struct plan *plan, struct registry *registry, const struct member *member,
	const char *type, const struct audit *why)
{
	struct writer writer = {0};

	begin(&writer, plan, registry, member, type, why);
	return plan_event_end(plan, registry, member->room, &writer);
}

bool floor_give(struct plan *plan, struct registry *registry, struct member *member,
	const struct source *source, const struct audit *why, bool accepted)
{
	struct writer writer = {0};

	if (!role_give(plan, registry, member, ROLE_SPEAKER, source))
		return false;
	begin(&writer, plan, registry, member, "floor.granted", why);
	if (!member_webrtc(member))
		writer_id(&writer, "leg", member->put.leg_id);
	if (accepted)
		writer_bool(&writer, "accepted", true);
	return plan_event_end(plan, registry, member->room, &writer);
}

/* ---- expiry ---- */

static bool expire(struct plan *plan, struct registry *registry, struct member *member)
{
	static const char *const kinds[HAND_KIND_COUNT] = {"request", "invite"};
	const char *kind = kinds[member->hand->kind];
	struct writer writer = {0};

	if (!floor_lower(plan, registry, member))
		return false;
	outgoing_begin(&writer, plan, registry, member->room, "floor.expired");
	writer_string(&writer, "member", member->user.text);
	writer_string(&writer, "kind", kind);
	writer_uint(&writer, "hands", member->room->hands.count);
	return plan_event_end(plan, registry, member->room, &writer);
}

/* How many of these have expired now, at most EXPIRE_A_STEP; UINT32_MAX: out of memory. */
static uint32_t expire_some(
	struct plan *plan, struct registry *registry, const struct roster *hands, uint64_t *next_ns)
{
	struct member *member;
	uint32_t count = 0;
	uint64_t id = 0;

	while (count < EXPIRE_A_STEP && (member = roster_next(hands, &id)) != NULL) {
		uint64_t until_ns = member->hand->until_ns;

		if (!expired(member->hand, &plan->now)) {
			if (until_ns != 0 && until_ns < *next_ns)
				*next_ns = until_ns;
			continue;
		}
		if (!expire(plan, registry, member))
			return UINT32_MAX;
		count++;
	}
	return count;
}

bool floor_due(struct plan *plan, struct registry *registry)
{
	uint64_t next_ns = plan->now.mono_ns + DUE_LOOK_NS, id = 0;
	struct room *room;

	if (plan->now.mono_ns < registry->floor_due_ns) {
		due_wake(registry, registry->floor_due_ns);
		return false;
	}
	while ((room = roster_next(&registry->room_roster, &id)) != NULL) {
		uint32_t count = expire_some(plan, registry, &room->hands, &next_ns);

		if (count == 0)
			count = expire_some(plan, registry, &room->invites, &next_ns);
		if (count != 0)
			return count != UINT32_MAX;
	}
	registry->floor_due_ns = next_ns;
	due_wake(registry, next_ns);
	return false;
}
