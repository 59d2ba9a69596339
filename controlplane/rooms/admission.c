/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/rooms/admission.h"
#include "controlplane/rooms/policy.h"
#include "controlplane/rooms/secret.h"
#include "controlplane/rooms/token.h"

const char *const admission_protection_names[] = {"leg", "group", NULL};
const char *const admission_transport_names[] = {"keyed", "webrtc", NULL};
const char *const admission_role_names[] = {"listener", "speaker", "host", "cohost", NULL};

int admission_address(const char *text, uint64_t port, struct stn_address *address)
{
	*address = (struct stn_address){.port_be = htons((uint16_t)port)};
	if (inet_pton(AF_INET, text, address->address) == 1)
		address->family = 4;
	else if (inet_pton(AF_INET6, text, address->address) == 1)
		address->family = 6;
	else
		return -EINVAL;
	return 0;
}

void admission_address_text(const struct stn_address *address, char *text, size_t size)
{
	char host[INET6_ADDRSTRLEN] = "";

	inet_ntop(address->family == 4 ? AF_INET : AF_INET6, address->address, host, sizeof(host));
	snprintf(text, size, address->family == 4 ? "%s:%u" : "[%s]:%u", host,
		ntohs(address->port_be));
}

/* One host, not a network, a group or this machine's "any". */
static bool unicast(const struct stn_address *address)
{
	static const uint8_t zero[16];
	const uint8_t *a = address->address;

	if (address->family == 4)
		return a[0] != 0 && a[0] < 224;
	return a[0] != 0xff && memcmp(a, zero, sizeof(zero)) != 0;
}

static bool take_address(
	const struct admission *admission, struct member *member, struct verdict *verdict)
{
	if (admission->address == NULL)
		return verdict_refuse(verdict, VERDICT_INVALID, "address: missing");
	if (admission->port == 0)
		return verdict_refuse(verdict, VERDICT_INVALID, "port: missing, 1 to 65535");
	if (admission_address(admission->address, admission->port, &member->put.remote) != 0 ||
		!unicast(&member->put.remote))
		return verdict_refuse(verdict, VERDICT_INVALID,
			"address: \"%.64s\" is not a unicast IPv4 or IPv6 address",
			admission->address);
	return true;
}

int admission_profile(struct plan *plan, struct room *room, const struct stn_profile *wanted)
{
	struct stn_op_room_put *put = &room->put;
	struct room_settings settings;
	uint8_t position = 0;

	while (position < put->profile_count &&
		memcmp(&put->profile[position], wanted, sizeof(*wanted)) != 0)
		position++;
	if (position == STN_PROFILES_MAX) {
		verdict_refuse(&plan->verdict, VERDICT_CAPACITY,
			"payload_type %u with audio_level_id %u: the room has its %u combinations",
			wanted->payload_type, wanted->audio_level_id, STN_PROFILES_MAX);
		return -1;
	}
	if (position == put->profile_count) {
		plan_room_settings(room, &settings);
		settings.profile_count++;
		if (!plan_room_set(plan, room, &settings))
			return -1;
		put->profile[position] = *wanted;
	}
	/* Until it is acknowledged everybody who needs it brings it along. */
	if (position >= room->profiles_known && position >= plan->profiles) {
		if (!plan_op(plan, put, sizeof(*put)))
			return -1;
		plan->profiles = put->profile_count;
	}
	return position;
}

static bool take_profile(struct plan *plan, struct room *room, const struct admission *admission,
	struct member *member)
{
	struct stn_profile wanted = {.payload_type = (uint8_t)admission->payload_type,
		.audio_level_id = (uint8_t)admission->audio_level_id};
	int position = admission_profile(plan, room, &wanted);

	if (position >= 0)
		member->put.profile = (uint8_t)position;
	return position >= 0;
}

static bool take_given_key(struct plan *plan, struct room *room, const char *name, const char *text,
	struct stn_master_key *key)
{
	char digest[65];

	if (secret_parse(key->suite, text, key) != 0)
		return verdict_refuse(&plan->verdict, VERDICT_INVALID,
			"%s: not %zu bytes of key and salt in base64 or hex, as %s has", name,
			secret_key_size(key->suite) + secret_salt_size(key->suite),
			secret_suite_name(key->suite));
	if (secret_digest(key, digest) != 0)
		return verdict_refuse(&plan->verdict, VERDICT_UNAVAILABLE, "no digest");
	if (hash_find(&room->used_keys, digest) != NULL)
		return verdict_refuse(&plan->verdict, VERDICT_CONFLICT,
			"%s: was used in this room before; a key may be used once", name);
	return plan_key_used(plan, room, digest);
}

static bool take_key(struct plan *plan, struct registry *registry, struct room *room,
	const char *name, const char *text, struct stn_master_key *key)
{
	if (text != NULL)
		return take_given_key(plan, room, name, text, key);
	if (secret_mint(registry, key->suite, key) == 0)
		return true;
	return verdict_refuse(&plan->verdict, VERDICT_UNAVAILABLE, "no random numbers");
}

static bool take_keys(struct plan *plan, struct registry *registry, struct member *member,
	const struct admission *admission)
{
	struct stn_op_leg_put *put = &member->put;
	struct room *room = member->room;
	uint8_t suite = (uint8_t)(admission->suite + 1);
	bool sends = member->role != ROLE_LISTENER || admission->rx_key != NULL;

	member->keys_known = true;
	if (put->protection == STN_PROTECTION_GROUP) {
		if (room->put.group_key.suite == STN_SUITE_NONE)
			return verdict_refuse(&plan->verdict, VERDICT_INVALID,
				"protection: \"%s\" was opened without group_suite",
				room->name.text);
		if (member->role != ROLE_LISTENER)
			return verdict_refuse(&plan->verdict, VERDICT_INVALID,
				"protection: group is for listeners, a speaker needs leg");
		if (put->profile != 0)
			return verdict_refuse(&plan->verdict, VERDICT_INVALID,
				"payload_type %d with audio_level_id %d: one key has one "
				"plaintext, "
				"of payload_type %u without a level",
				(int)admission->payload_type, (int)admission->audio_level_id,
				room->put.profile[0].payload_type);
		if (admission->tx_key != NULL || admission->rx_key != NULL)
			return verdict_refuse(&plan->verdict, VERDICT_INVALID,
				"tx_key, rx_key: a group member has no key of their own");
		return true;
	}
	put->tx.suite = suite;
	if (!take_key(plan, registry, room, "tx_key", admission->tx_key, &put->tx))
		return false;
	put->rx.suite = sends ? suite : STN_SUITE_NONE;
	return !sends || take_key(plan, registry, room, "rx_key", admission->rx_key, &put->rx);
}

static void take_silence(const struct plan *plan, struct member *member)
{
	const struct silence *silence = hash_find(&member->room->silenced, member->user.text);

	if (silence != NULL && silence->until_ns != 0 && silence->until_ns <= plan->now.mono_ns)
		return;
	member_apply_silence(member->room, member->user.text, member->role, &member->put);
}

static void take_facts(struct plan *plan, struct registry *registry, struct member *member,
	const struct admission *admission)
{
	struct stn_op_leg_put *put = &member->put;

	put->op = (struct stn_op){STN_OP_LEG_PUT, sizeof(*put), 0};
	put->member_id = registry->next_id++;
	put->transport = admission->transport == 1 ? STN_TRANSPORT_WEBRTC : STN_TRANSPORT_KEYED;
	if (put->transport == STN_TRANSPORT_KEYED)
		put->leg_id = registry->next_id++;
	put->room_id = member->room->put.room_id;
	put->role = member->role == ROLE_LISTENER ? STN_ROLE_LISTENER : STN_ROLE_SPEAKER;
	put->protection = admission->protection == 1 ? STN_PROTECTION_GROUP : STN_PROTECTION_LEG;
	if (member->role != ROLE_LISTENER && put->transport == STN_TRANSPORT_KEYED) {
		put->payload_type = (uint8_t)admission->payload_type;
		put->audio_level_id = (uint8_t)admission->audio_level_id;
		put->source_ssrc = member->ssrc = (uint32_t)admission->ssrc;
	}
	member->joined_ms = plan->now.wall_ms;
	member->floor_ms = member->role == ROLE_LISTENER ? 0 : plan->now.wall_ms;
	if (admission->duration_ms != 0)
		member->end_ms = plan->now.wall_ms + (int64_t)admission->duration_ms;
	put->end_ns = moment_mono(&plan->now, member->end_ms);
}

/* What a browser brings along comes in its SDP; until then there is a seat and a token. */
static bool take_seat(struct plan *plan, struct registry *registry, struct member *member,
	const struct admission *admission)
{
	if (admission->address != NULL || admission->port != 0 || admission->tx_key != NULL ||
		admission->rx_key != NULL || admission->ssrc != 0 || admission->suite != 0 ||
		admission->protection != 0 || admission->audio_level_id != 0 ||
		admission->payload_type != PAYLOAD_TYPE_FALLBACK)
		return verdict_refuse(&plan->verdict, VERDICT_INVALID,
			"transport: webrtc agrees on address, keys and payload types by SDP");
	member->token = token_mint(registry, member);
	if (member->token == NULL)
		return verdict_refuse(&plan->verdict, VERDICT_UNAVAILABLE, "no random numbers");
	member->keys_known = true;
	if (registry->limits.join_timeout_ms != 0)
		member->seat_ns = plan->now.mono_ns + registry->limits.join_timeout_ms * 1000000u;
	return true;
}

static bool take_leg(struct plan *plan, struct registry *registry, struct member *member,
	const struct admission *admission)
{
	return take_address(admission, member, &plan->verdict) &&
	       take_profile(plan, member->room, admission, member) &&
	       take_keys(plan, registry, member, admission);
}

static bool fits(const struct registry *registry, const struct room *room, const char *user,
	struct verdict *verdict)
{
	if (room->rules.state != ROOM_LIVE)
		return verdict_refuse(
			verdict, VERDICT_CONFLICT, "\"%s\" has not started", room->name.text);
	if (registry_member(room, user) != NULL)
		return verdict_refuse(verdict, VERDICT_ALREADY_EXISTS,
			"\"%s\" is in \"%s\" and keeps the seat they have", user, room->name.text);
	if (room->roster.count >= room->capacity)
		return verdict_refuse(verdict, VERDICT_CAPACITY, "\"%s\" is full with %u members",
			room->name.text, room->capacity);
	if (registry->members.count >= registry->limits.members_max)
		return verdict_refuse(verdict, VERDICT_CAPACITY,
			"members_max: %u members in all rooms", registry->limits.members_max);
	return true;
}

/* The host is back: nobody inherits. */
static bool take_room_back(struct plan *plan, const struct member *member)
{
	struct room_settings settings;

	if (!member->room->rules.host_left ||
		strcmp(member->room->host.text, member->user.text) != 0)
		return true;
	plan_room_settings(member->room, &settings);
	settings.rules.host_left = false;
	return plan_room_set(plan, member->room, &settings);
}

bool admission_admit(struct plan *plan, struct registry *registry,
	const struct admission_request *request, const struct admission *admission)
{
	const char *user = admission->member == NULL ? request->actor : admission->member;
	struct room *room = request->room;
	const struct join join = {room, request->actor, user, request->role, request->share,
		request->uninvited, plan->now.wall_ms};
	struct member *member;
	bool taken;

	if (!policy_admits(registry, &plan->verdict) ||
		!policy_join(registry, &join, &plan->verdict) ||
		!fits(registry, room, user, &plan->verdict) ||
		(request->role == ROLE_SPEAKER &&
			!policy_has_place(registry, room, &plan->verdict)))
		return false;
	member = member_make();
	if (member == NULL)
		return verdict_refuse(&plan->verdict, VERDICT_UNAVAILABLE, "out of memory");
	strncpy(member->user.text, user, EVENT_ID_MAX);
	member->role = request->role;
	member->room = room;
	take_facts(plan, registry, member, admission);
	take_silence(plan, member);
	taken = member_webrtc(member) ? take_seat(plan, registry, member, admission)
				      : take_leg(plan, registry, member, admission);
	if (!taken || !plan_member_add(plan, registry, member)) {
		member_free(member);
		return false;
	}
	return (member_webrtc(member) || plan_op(plan, &member->put, sizeof(member->put))) &&
	       plan_joined(plan, member_id(member)) && take_room_back(plan, member);
}
