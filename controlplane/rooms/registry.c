/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/rooms/hand.h"
#include "controlplane/rooms/ledger.h"
#include "controlplane/rooms/reaction.h"
#include "controlplane/rooms/record.h"
#include "controlplane/rooms/registry.h"
#include "controlplane/rooms/reminder.h"
#include "controlplane/rooms/silence.h"
#include "controlplane/rooms/token.h"

uint64_t moment_mono(const struct moment *now, int64_t wall_ms)
{
	int64_t left_ms = wall_ms - now->wall_ms;

	if (wall_ms == 0)
		return 0;
	if (left_ms <= 0)
		return 1;
	return now->mono_ns + (uint64_t)left_ms * 1000000u;
}

void registry_init(struct registry *registry, const struct registry_limits *limits,
	int (*random)(void *bytes, size_t size))
{
	*registry = (struct registry){.limits = *limits, .random = random, .next_id = 1};
	random(&registry->rooms.seed, sizeof(registry->rooms.seed));
	registry->tokens.seed = registry->crowd.people.seed = registry->rooms.seed;
	registry->bans.seed = registry->shares.seed = registry->rooms.seed;
	registry->references.seed = registry->issued.seed = registry->rooms.seed;
	registry->books.seed = registry->rooms.seed;
	reminder_moved(registry);
	registry->open_reports.seed = registry->cases.seed = registry->rooms.seed;
	registry->moderation_rate.actors.seed = registry->rooms.seed;
	registry->reactions_rate.actors.seed = registry->rooms.seed;
}

static void free_records(struct roster *roster, enum record_type type)
{
	uint64_t id = 0;
	void *record;

	while ((record = roster_next(roster, &id)) != NULL)
		record_free(type, record);
	roster_clear(roster);
}

void registry_clear(struct registry *registry)
{
	uint64_t id = 0;
	void *thing;

	while ((thing = roster_next(&registry->members, &id)) != NULL)
		member_free(thing);
	roster_clear(&registry->members);
	roster_clear(&registry->legs);
	registry->seats = NULL;
	id = 0;
	while ((thing = roster_next(&registry->room_roster, &id)) != NULL)
		room_free(thing);
	roster_clear(&registry->room_roster);
	roster_clear(&registry->telling);
	hash_clear(&registry->rooms);
	hash_clear(&registry->tokens);
	crowd_clear(&registry->crowd);
	free_records(&registry->user_roster, RECORD_USER);
	ledger_clear(registry);
	free_records(&registry->tickets, RECORD_TICKET);
	free_records(&registry->entries, RECORD_ENTRY);
	free_records(&registry->reports, RECORD_REPORT);
	free_records(&registry->ban_roster, RECORD_BAN);
	hash_clear(&registry->bans);
	hash_clear(&registry->shares);
	roster_clear(&registry->share_roster);
	hash_clear(&registry->references);
	hash_clear(&registry->issued);
	hash_clear(&registry->open_reports);
	hash_clear(&registry->cases);
	rate_clear(&registry->moderation_rate);
	rate_clear(&registry->reactions_rate);
}

struct room *registry_room(const struct registry *registry, const char *name)
{
	return hash_find(&registry->rooms, name);
}

struct room *registry_room_by_id(const struct registry *registry, uint64_t room_id)
{
	return roster_find(&registry->room_roster, room_id);
}

struct member *registry_member(const struct room *room, const char *user)
{
	return hash_find(&room->members, user);
}

struct member *registry_member_by_leg(const struct registry *registry, uint64_t leg_id)
{
	return leg_id == 0 ? NULL : roster_find(&registry->legs, leg_id);
}

struct member *registry_member_by_id(const struct registry *registry, uint64_t id)
{
	return roster_find(&registry->members, id);
}

static int tell(struct room *room, bool telling)
{
	struct roster *roster = &room->registry->telling;
	int rc = 0;

	if (!telling)
		roster_remove(roster, room->put.room_id);
	else if (roster_find(roster, room->put.room_id) == NULL)
		rc = roster_add(roster, room->put.room_id, room);
	return rc;
}

int registry_room_link(struct registry *registry, struct room *room)
{
	int rc = hash_add(&registry->rooms, room);

	if (rc != 0)
		return rc;
	rc = roster_add(&registry->room_roster, room->put.room_id, room);
	if (rc != 0)
		goto unhash;
	rc = crowd_room_link(&registry->crowd, room);
	if (rc != 0)
		goto unlist;
	rc = tell(room, room->rules.tell_until != 0);
	if (rc == 0)
		return 0;
	crowd_room_unlink(&registry->crowd, room);
unlist:
	roster_remove(&registry->room_roster, room->put.room_id);
unhash:
	hash_remove(&registry->rooms, room->name.text);
	return rc;
}

int registry_room_move(struct room *room, const char *host, bool telling)
{
	int rc = tell(room, telling);

	if (rc == 0)
		rc = crowd_room_move(&room->registry->crowd, room, host);
	if (rc != 0)
		tell(room, room->rules.tell_until != 0);
	return rc;
}

void registry_room_unlink(struct registry *registry, struct room *room)
{
	hash_remove(&registry->rooms, room->name.text);
	roster_remove(&registry->room_roster, room->put.room_id);
	tell(room, false);
	crowd_room_unlink(&registry->crowd, room);
}

static void count_member(struct registry *registry, struct member *member, uint32_t step)
{
	struct room *room = member->room;

	registry->roles[member->role] += step;
	if (member_webrtc(member) && member->put.leg_id != 0)
		registry->sessions += step;
	if (member->role == ROLE_LISTENER) {
		room->listeners += step;
		return;
	}
	room->speaking_members += step;
	if (member_muted(member))
		room->muted += step;
}

static void seat_unlink(struct member *member)
{
	if (member->seat_link == NULL)
		return;
	*member->seat_link = member->seat_next;
	if (member->seat_next != NULL)
		member->seat_next->seat_link = member->seat_link;
	member->seat_link = NULL;
}

static void seat_link(struct registry *registry, struct member *member)
{
	seat_unlink(member);
	if (!member_webrtc(member) || member->put.leg_id != 0)
		return;
	member->seat_next = registry->seats;
	member->seat_link = &registry->seats;
	if (registry->seats != NULL)
		registry->seats->seat_link = &member->seat_next;
	registry->seats = member;
}

static struct roster *hands_of(struct room *room, const struct hand *hand)
{
	return hand->kind == HAND_REQUEST ? &room->hands : &room->invites;
}

static bool same_place(const struct hand *a, const struct hand *b)
{
	return a != NULL && b != NULL && a->kind == b->kind && a->id == b->id;
}

/* Makes what is in `state` findable; what of it is there already stays. 0 or -ENOMEM. */
static int index_state(
	struct registry *registry, struct member *member, const struct member_state *state)
{
	struct room *room = member->room;
	int rc = 0;

	if (state->token != NULL && hash_find(&registry->tokens, state->token->digest) == NULL)
		rc = hash_add(&registry->tokens, state->token);
	if (rc == 0 && state->put.leg_id != 0 &&
		roster_find(&registry->legs, state->put.leg_id) == NULL)
		rc = roster_add(&registry->legs, state->put.leg_id, member);
	if (rc == 0 && state->hand != NULL &&
		roster_find(hands_of(room, state->hand), state->hand->id) == NULL)
		rc = roster_add(hands_of(room, state->hand), state->hand->id, member);
	return rc;
}

/* Takes out what is in `state` and not in `other`. */
static void unindex_state(struct registry *registry, struct member *member,
	const struct member_state *state, const struct member_state *other)
{
	if (state->token != NULL && state->token != other->token &&
		hash_find(&registry->tokens, state->token->digest) == state->token)
		hash_remove(&registry->tokens, state->token->digest);
	if (state->put.leg_id != other->put.leg_id)
		roster_remove(&registry->legs, state->put.leg_id);
	if (state->hand != NULL && !same_place(state->hand, other->hand))
		roster_remove(hands_of(member->room, state->hand), state->hand->id);
}

void registry_member_state(const struct member *member, struct member_state *state)
{
	*state = (struct member_state){.role = member->role,
		.token = member->token,
		.peer = member->peer,
		.hand = member->hand,
		.floor_ms = member->floor_ms,
		.keys_known = member->keys_known,
		.tried = member->tried,
		.programmed = member->programmed,
		.connected = member->connected,
		.ssrc = member->ssrc,
		.seat_ns = member->seat_ns,
		.seat = member->seat,
		.put = member->put};
}

static void load_state(struct member *member, const struct member_state *state)
{
	member->role = state->role;
	member->token = state->token;
	member->peer = state->peer;
	member->hand = state->hand;
	member->floor_ms = state->floor_ms;
	member->keys_known = state->keys_known;
	member->tried = state->tried;
	member->programmed = state->programmed;
	member->connected = state->connected;
	member->ssrc = state->ssrc;
	member->seat_ns = state->seat_ns;
	member->seat = state->seat;
	member->put = state->put;
}

int registry_member_set(
	struct registry *registry, struct member *member, const struct member_state *state)
{
	struct member_state before;
	int rc;

	registry_member_state(member, &before);
	rc = index_state(registry, member, state);
	if (rc == 0) {
		count_member(registry, member, UINT32_MAX); /* minus one */
		load_state(member, state);
		count_member(registry, member, 1);
		unindex_state(registry, member, &before, state);
		seat_link(registry, member);
	} else {
		unindex_state(registry, member, state, &before);
	}
	explicit_bzero(&before, sizeof(before));
	return rc;
}

int registry_member_link(struct registry *registry, struct member *member)
{
	static const struct member_state nothing;
	struct room *room = member->room;
	struct member_state state;
	int rc = hash_add(&room->members, member);

	if (rc != 0)
		return rc;
	rc = roster_add(&room->roster, member_id(member), member);
	if (rc != 0)
		goto unhash;
	rc = roster_add(&registry->members, member_id(member), member);
	if (rc != 0)
		goto unlist;
	registry_member_state(member, &state);
	rc = index_state(registry, member, &state);
	if (rc == 0)
		rc = crowd_member_link(&registry->crowd, member);
	if (rc != 0)
		unindex_state(registry, member, &state, &nothing);
	explicit_bzero(&state, sizeof(state));
	if (rc != 0)
		goto forget;
	count_member(registry, member, 1);
	seat_link(registry, member);
	return 0;
forget:
	roster_remove(&registry->members, member_id(member));
unlist:
	roster_remove(&room->roster, member_id(member));
unhash:
	hash_remove(&room->members, member->user.text);
	return rc;
}

void registry_member_unlink(struct registry *registry, struct member *member)
{
	static const struct member_state nothing;
	struct room *room = member->room;
	struct member_state state;

	hash_remove(&room->members, member->user.text);
	roster_remove(&room->roster, member_id(member));
	roster_remove(&registry->members, member_id(member));
	registry_member_state(member, &state);
	unindex_state(registry, member, &state, &nothing);
	explicit_bzero(&state, sizeof(state));
	for (unsigned int slot = 0; slot < STN_SLOTS_MAX; slot++) {
		if (room->holder[slot] == member_id(member))
			room->holder[slot] = 0;
	}
	count_member(registry, member, UINT32_MAX); /* minus one */
	seat_unlink(member);
	crowd_member_unlink(&registry->crowd, member);
}

void member_apply_silence(const struct room *room, const char *user, enum member_role role,
	struct stn_op_leg_put *put)
{
	const struct silence *silence = hash_find(&room->silenced, user);

	put->flags &= (uint8_t)~STN_LEG_MUTED;
	put->mute_until_ns = 0;
	if (put->role != STN_ROLE_SPEAKER)
		return;
	if (role == ROLE_LISTENER) {
		/* Gave the floor back: the leg can send until it is replaced. */
		put->flags |= STN_LEG_MUTED;
	} else if (silence != NULL) {
		put->flags |= STN_LEG_MUTED;
		put->mute_until_ns = silence->until_ns;
	}
}

struct room *room_make(struct registry *registry)
{
	struct room *room = calloc(1, sizeof(*room));
	uint64_t seed = 0;

	if (room == NULL)
		return NULL;
	room->registry = registry;
	registry->random(&seed, sizeof(seed));
	room->members.seed = room->excluded.seed = seed;
	room->silenced.seed = room->used_keys.seed = room->reminded.seed = seed;
	return room;
}

static void free_things(struct hash *hash)
{
	size_t position = 0;
	void *thing;

	while ((thing = hash_next(hash, &position)) != NULL)
		free(thing);
	hash_clear(hash);
}

void room_free(struct room *room)
{
	if (room == NULL)
		return;
	free_things(&room->excluded);
	free_things(&room->silenced);
	free_things(&room->used_keys);
	hash_clear(&room->members);
	roster_clear(&room->roster);
	roster_clear(&room->hands);
	roster_clear(&room->invites);
	free_records(&room->pins, RECORD_PIN);
	free_records(&room->shares, RECORD_SHARE);
	free_records(&room->reminders, RECORD_REMINDER);
	reminder_clear(room);
	reaction_free(room->reactions);
	record_free(RECORD_OFFER, room->offer);
	free(room->speakers);
	explicit_bzero(room, sizeof(*room));
	free(room);
}

struct member *member_make(void)
{
	return calloc(1, sizeof(struct member));
}

void member_free(struct member *member)
{
	if (member == NULL)
		return;
	token_free(member->token);
	peer_free(member->peer);
	hand_free(member->hand);
	explicit_bzero(member, sizeof(*member));
	free(member);
}

void peer_free(struct peer *peer)
{
	if (peer == NULL)
		return;
	explicit_bzero(peer, sizeof(*peer));
	free(peer);
}

struct hand *hand_copy(const struct hand *hand)
{
	struct hand *copy = malloc(sizeof(*copy));

	if (copy != NULL)
		*copy = *hand;
	return copy;
}

void hand_free(struct hand *hand)
{
	free(hand);
}
