/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/rooms/admission.h"
#include "controlplane/rooms/policy.h"
#include "controlplane/rooms/secret.h"

const char *const admission_protection_names[] = {"leg", "group", NULL};
const char *const admission_role_names[] = {"listener", "speaker", "host", NULL};

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

/* The room's profile for this payload type and level id, a new one if there is space. */
static bool take_profile(struct plan *plan, struct room *room, const struct admission *admission,
	struct member *member)
{
	struct stn_op_room_put *put = &room->put;
	struct room_settings settings;
	struct stn_profile wanted = {.payload_type = (uint8_t)admission->payload_type,
		.audio_level_id = (uint8_t)admission->audio_level_id};

	for (uint8_t i = 0; i < put->profile_count; i++) {
		if (memcmp(&put->profile[i], &wanted, sizeof(wanted)) == 0) {
			member->put.profile = i;
			return true;
		}
	}
	if (put->profile_count == STN_PROFILES_MAX)
		return verdict_refuse(&plan->verdict, VERDICT_CAPACITY,
			"payload_type %u with audio_level_id %u: the room has its %u combinations",
			wanted.payload_type, wanted.audio_level_id, STN_PROFILES_MAX);
	member->put.profile = put->profile_count;
	plan_room_settings(room, &settings);
	settings.profile_count++;
	if (!plan_room_set(plan, room, &settings))
		return false;
	put->profile[member->put.profile] = wanted;
	return plan_op(plan, put, sizeof(*put));
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

	if (silence == NULL || member->role == ROLE_LISTENER ||
		(silence->until_ms != 0 && silence->until_ms <= plan->now.wall_ms))
		return;
	member->put.flags |= STN_LEG_MUTED;
	member->put.mute_until_ns = silence->until_ns;
}

static void take_facts(struct plan *plan, struct registry *registry, struct member *member,
	const struct admission *admission)
{
	struct stn_op_leg_put *put = &member->put;

	put->op = (struct stn_op){STN_OP_LEG_PUT, sizeof(*put), 0};
	put->member_id = registry->next_id++;
	put->leg_id = registry->next_id++;
	put->room_id = member->room->put.room_id;
	put->role = member->role == ROLE_LISTENER ? STN_ROLE_LISTENER : STN_ROLE_SPEAKER;
	put->protection = admission->protection == 1 ? STN_PROTECTION_GROUP : STN_PROTECTION_LEG;
	put->transport = STN_TRANSPORT_KEYED;
	if (member->role != ROLE_LISTENER) {
		put->payload_type = (uint8_t)admission->payload_type;
		put->audio_level_id = (uint8_t)admission->audio_level_id;
		put->source_ssrc = (uint32_t)admission->ssrc;
	}
	member->joined_ms = plan->now.wall_ms;
	if (admission->duration_ms != 0)
		member->end_ms = plan->now.wall_ms + (int64_t)admission->duration_ms;
	put->end_ns = moment_mono(&plan->now, member->end_ms);
}

static bool fits(const struct registry *registry, const struct room *room, const char *user,
	struct verdict *verdict)
{
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

bool admission_admit(struct plan *plan, struct registry *registry,
	const struct admission_request *request, const struct admission *admission)
{
	const char *user = admission->member == NULL ? request->actor : admission->member;
	struct room *room = request->room;
	struct member *member;

	if (!policy_join(room, request->actor, user, request->role, &plan->verdict) ||
		!fits(registry, room, user, &plan->verdict))
		return false;
	member = member_make();
	if (member == NULL)
		return verdict_refuse(&plan->verdict, VERDICT_UNAVAILABLE, "out of memory");
	strncpy(member->user.text, user, EVENT_ID_MAX);
	member->role = request->role;
	member->room = room;
	take_facts(plan, registry, member, admission);
	take_silence(plan, member);
	if (!take_address(admission, member, &plan->verdict) ||
		!take_profile(plan, room, admission, member) ||
		!take_keys(plan, registry, member, admission) ||
		!plan_member_add(plan, registry, member)) {
		member_free(member);
		return false;
	}
	return plan_op(plan, &member->put, sizeof(member->put)) &&
	       plan_joined(plan, member_id(member));
}
