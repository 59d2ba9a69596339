/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/rooms/admission.h"
#include "controlplane/rooms/catalog.h"
#include "controlplane/rooms/outgoing.h"
#include "controlplane/rooms/policy.h"
#include "controlplane/rooms/secret.h"
#include "controlplane/rooms/session_event.h"

#define GUEST_BYTES 9     /* 72 random bits: no two guests share a name */
#define PASSWORD_BYTES 18 /* 24 ice-chars, RFC 8445 section 5.3 wants 128 bits of randomness */
#define RESOURCE_BYTES 16

static bool no_random(struct plan *plan)
{
	return verdict_refuse(&plan->verdict, VERDICT_UNAVAILABLE, "no random numbers");
}

/* A member of their own for who came without a token: named at random, a listener. */
static struct member *admit_guest(struct plan *plan, struct registry *registry,
	const struct event *event, const struct session_wish *wish)
{
	struct room *room = event_find_room(registry, event, &plan->verdict);
	char name[sizeof(SESSION_GUEST_PREFIX) + 2 * GUEST_BYTES] = SESSION_GUEST_PREFIX;
	unsigned char bytes[GUEST_BYTES];
	struct admission admission = {
		.member = name, .transport = 1, .payload_type = PAYLOAD_TYPE_FALLBACK};
	struct admission_request request = {
		name, room, ROLE_LISTENER, wish->share, wish->uninvited};
	struct member *member;

	if (room == NULL)
		return NULL;
	if (registry->random(bytes, sizeof(bytes)) != 0) {
		no_random(plan);
		return NULL;
	}
	for (size_t i = 0; i < sizeof(bytes); i++)
		sprintf(name + strlen(SESSION_GUEST_PREFIX) + 2 * i, "%02x", bytes[i]);
	if (!admission_admit(plan, registry, &request, &admission))
		return NULL;
	member = registry_member(room, name);
	plan->joined_count = 0; /* the answer to the join is the session's */
	return outgoing_joined(plan, registry, member) ? member : NULL;
}

/*
 * The room's profile for what the client offers. When the room has all it can have, one without
 * the extension or without RED does as well, as long as the payload type is the client's.
 */
static bool take_profile(struct plan *plan, struct room *room, struct session_wish *wish)
{
	struct stn_profile plainer[3] = {wish->profile, wish->profile, wish->profile};
	const struct stn_op_room_put *put = &room->put;
	int position;

	plainer[1].red_payload_type = 0;
	plainer[2].red_payload_type = plainer[2].audio_level_id = 0;
	for (unsigned int i = 0; i < 3; i++) {
		bool known = put->profile_count < STN_PROFILES_MAX;

		for (unsigned int k = 0; k < put->profile_count; k++)
			known = known ||
				memcmp(&put->profile[k], &plainer[i], sizeof(plainer[i])) == 0;
		if (!known)
			continue;
		position = admission_profile(plan, room, &plainer[i]);
		if (position < 0)
			return false;
		wish->agreed = plainer[i];
		wish->position = (uint8_t)position;
		return true;
	}
	return verdict_refuse(&plan->verdict, VERDICT_CAPACITY,
		"payload type %u: \"%s\" has its %u combinations of payload types and extensions",
		wish->profile.payload_type, room->name.text, STN_PROFILES_MAX);
}

int session_mint_ice(const struct registry *registry, uint64_t leg_id, struct stn_op_leg_ice *ice)
{
	unsigned char bytes[PASSWORD_BYTES];
	char text[SECRET_TEXT_SIZE];
	int rc = registry->random(ice->local_random, sizeof(ice->local_random));

	if (rc == 0)
		rc = registry->random(bytes, sizeof(bytes));
	if (rc != 0)
		return rc;
	ice->op = (struct stn_op){STN_OP_LEG_ICE, sizeof(*ice), 0};
	ice->leg_id = leg_id;
	secret_base64(bytes, sizeof(bytes), text);
	memcpy(ice->local_pwd, text, sizeof(ice->local_pwd));
	explicit_bzero(bytes, sizeof(bytes));
	explicit_bzero(text, sizeof(text));
	return 0;
}

/* The secrets of a new session, into the wish. */
static bool mint(struct plan *plan, struct registry *registry, struct session_wish *wish)
{
	unsigned char bytes[RESOURCE_BYTES];

	wish->leg_id = registry->next_id++;
	wish->ice = (struct stn_op_leg_ice){.remote_ufrag_size = wish->remote_ufrag_size,
		.remote_pwd_size = wish->remote_pwd_size};
	/* Of no bytes there may be no pointer. */
	if (wish->remote_ufrag_size > 0)
		memcpy(wish->ice.remote_ufrag, wish->remote_ufrag, wish->remote_ufrag_size);
	if (wish->remote_pwd_size > 0)
		memcpy(wish->ice.remote_pwd, wish->remote_pwd, wish->remote_pwd_size);
	if (session_mint_ice(registry, wish->leg_id, &wish->ice) != 0 ||
		registry->random(bytes, sizeof(bytes)) != 0)
		return no_random(plan);
	for (size_t i = 0; i < sizeof(bytes); i++)
		sprintf(wish->resource + 2 * i, "%02x", bytes[i]);
	explicit_bzero(bytes, sizeof(bytes));
	return true;
}

static struct peer *make_peer(struct plan *plan, const struct session_wish *wish)
{
	struct peer *peer = calloc(1, sizeof(*peer));

	if (peer == NULL ||
		secret_text_digest(wish->resource, strlen(wish->resource), peer->resource) != 0) {
		free(peer);
		verdict_refuse(&plan->verdict, VERDICT_UNAVAILABLE, "out of memory");
		return NULL;
	}
	snprintf(peer->mid, sizeof(peer->mid), "%s", wish->mid);
	peer->ice = wish->ice;
	return peer;
}

/* Everything about the leg, in place of what there was. */
static void fill_state(
	const struct member *member, const struct session_wish *wish, struct member_state *state)
{
	struct stn_op_leg_put *put = &state->put;
	uint64_t id = put->member_id, end_ns = put->end_ns;

	explicit_bzero(put, sizeof(*put));
	put->op = (struct stn_op){STN_OP_LEG_PUT, sizeof(*put), 0};
	put->leg_id = wish->leg_id;
	put->room_id = member->room->put.room_id;
	put->member_id = id;
	put->end_ns = end_ns;
	put->protection = STN_PROTECTION_LEG;
	put->transport = STN_TRANSPORT_WEBRTC;
	put->role = wish->speaks ? STN_ROLE_SPEAKER : STN_ROLE_LISTENER;
	put->profile = wish->receives ? wish->position : 0;
	if (wish->speaks) {
		put->payload_type = wish->payload_type;
		put->audio_level_id = wish->audio_level_id;
		put->red_payload_type = wish->red_payload_type;
		put->source_ssrc = wish->ssrc;
	}
	member_apply_silence(member->room, member->user.text, member->role, put);
	state->ssrc = put->source_ssrc;
	state->keys_known = true;
	state->tried = state->programmed = state->connected = false;
	state->seat_ns = 0;
	state->seat = SEAT_LOST; /* should the program end now, that is how it begins again */
}

static bool replace_leg(struct plan *plan, struct registry *registry, struct member *member,
	struct session_wish *wish)
{
	struct stn_op_leg_remove old = {.op = {STN_OP_LEG_REMOVE, sizeof(old), 0}};
	struct member_state state;
	bool done;

	old.leg_id = member->put.leg_id;
	registry_member_state(member, &state);
	fill_state(member, wish, &state);
	state.peer = make_peer(plan, wish);
	done = state.peer != NULL && plan_member_set(plan, registry, member, &state);
	if (!done)
		peer_free(state.peer);
	explicit_bzero(&state, sizeof(state));
	plan->session = wish->leg_id;
	return done && (old.leg_id == 0 || plan_op(plan, &old, sizeof(old))) &&
	       plan_op(plan, &member->put, sizeof(member->put)) &&
	       plan_op(plan, &member->peer->ice, sizeof(member->peer->ice));
}

static void session_put(struct registry *registry, const struct event *event, struct plan *plan)
{
	const struct session_put *body = event_body(event);
	struct session_wish *wish = body->wish;
	struct member *member = wish->member_id == 0
					? admit_guest(plan, registry, event, wish)
					: registry_member_by_id(registry, wish->member_id);

	if (plan->verdict.code != VERDICT_OK)
		return;
	if (member == NULL || !member_webrtc(member)) {
		verdict_refuse(&plan->verdict, VERDICT_NO_SUCH_MEMBER, "the membership has ended");
		return;
	}
	/* Whoever has been here may come back while the box drains. */
	if (member->seat == SEAT_NEW && member->put.leg_id == 0 &&
		!policy_admits(registry, &plan->verdict))
		return;
	if (wish->speaks && member->role == ROLE_LISTENER) {
		verdict_refuse(&plan->verdict, VERDICT_NOT_ALLOWED,
			"\"%s\" is a listener: ask for the floor first", member->user.text);
		return;
	}
	wish->agreed = wish->profile;
	if ((wish->receives && !take_profile(plan, member->room, wish)) ||
		!mint(plan, registry, wish) || !replace_leg(plan, registry, member, wish))
		return;
	wish->member_id = member_id(member);
}

/* Nothing happens when the leg is another one by now. */
static void session_end(struct registry *registry, const struct event *event, struct plan *plan)
{
	const struct session_end *body = event_body(event);
	struct member *member = registry_member_by_leg(registry, body->leg_id);

	if (member != NULL && member_webrtc(member))
		outgoing_leg_ended(plan, registry, member, body->seat);
}

const struct event_type session_put_type = {"session.put", NULL, sizeof(struct session_put),
	EVENT_CHANGES | EVENT_TAKES_ROOM, session_put};
const struct event_type session_end_type = {
	"session.end", NULL, sizeof(struct session_end), EVENT_CHANGES | EVENT_SAFETY, session_end};
