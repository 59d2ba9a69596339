/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/ctl/operation.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const uint16_t op_size[STN_OP_COUNT] = {
	[STN_OP_ROOM_PUT] = sizeof(struct stn_op_room_put),
	[STN_OP_ROOM_REMOVE] = sizeof(struct stn_op_room_remove),
	[STN_OP_LEG_PUT] = sizeof(struct stn_op_leg_put),
	[STN_OP_LEG_REMOVE] = sizeof(struct stn_op_leg_remove),
	[STN_OP_LEG_MUTE] = sizeof(struct stn_op_leg_mute),
	[STN_OP_LEG_ICE] = sizeof(struct stn_op_leg_ice),
};

/* RFC 7714 section 12 and RFC 3711 section 8.2. */
static const struct {
	uint8_t key_size;
	uint8_t salt_size;
} suite_sizes[STN_SUITE_COUNT] = {
	[STN_SUITE_NONE] = {0, 0},
	[STN_SUITE_AEAD_AES_128_GCM] = {16, 12},
	[STN_SUITE_AEAD_AES_256_GCM] = {32, 12},
	[STN_SUITE_AES128_CM_HMAC_SHA1_80] = {16, 14},
};

int refuse(struct refusal *refusal, enum stn_status status, const char *format, ...)
{
	va_list arguments;

	refusal->status = status;
	refusal->failed_op = UINT32_MAX;
	va_start(arguments, format);
	vsnprintf(refusal->reason, sizeof(refusal->reason), format, arguments);
	va_end(arguments);
	return -EINVAL;
}

const struct stn_op *operation_read(const uint8_t *bytes, size_t size, struct refusal *refusal)
{
	const struct stn_op *op = (const struct stn_op *)bytes;

	if (size < sizeof(*op)) {
		refuse(refusal, STN_STATUS_BAD_OP, "%zu bytes left of an operation", size);
		return NULL;
	}
	if (op->type == 0 || op->type >= STN_OP_COUNT) {
		refuse(refusal, STN_STATUS_BAD_OP, "unknown operation type %u", op->type);
		return NULL;
	}
	if (op->size != op_size[op->type] || op->size > size) {
		refuse(refusal, STN_STATUS_BAD_OP, "operation of type %u has size %u of %zu",
			op->type, op->size, size);
		return NULL;
	}
	return op;
}

static bool all_zero(const void *bytes, size_t size)
{
	const uint8_t *byte = bytes;

	for (size_t i = 0; i < size; i++)
		if (byte[i])
			return false;
	return true;
}

static int check_key(const struct stn_master_key *key, const char *name, struct refusal *refusal)
{
	if (key->suite >= STN_SUITE_COUNT)
		return refuse(refusal, STN_STATUS_BAD_OP, "%s: unknown suite %u", name, key->suite);
	if (!all_zero(key->reserved, sizeof(key->reserved)) ||
		!all_zero(key->key + suite_sizes[key->suite].key_size,
			sizeof(key->key) - suite_sizes[key->suite].key_size) ||
		!all_zero(key->salt + suite_sizes[key->suite].salt_size,
			sizeof(key->salt) - suite_sizes[key->suite].salt_size))
		return refuse(refusal, STN_STATUS_BAD_OP, "%s: unused bytes are not 0", name);
	return 0;
}

static int check_slots(const struct stn_op_room_put *room, struct refusal *refusal)
{
	if (room->slot_count == 0 || room->slot_count > STN_SLOTS_MAX)
		return refuse(refusal, STN_STATUS_BAD_OP, "slot_count %u is not 1 to %u",
			room->slot_count, STN_SLOTS_MAX);
	for (unsigned int i = 0; i < STN_SLOTS_MAX; i++) {
		if ((i < room->slot_count) != (room->slot_ssrc[i] != 0))
			return refuse(refusal, STN_STATUS_BAD_OP, "slot_ssrc[%u] is %#x", i,
				room->slot_ssrc[i]);
		for (unsigned int j = 0; j < i && i < room->slot_count; j++)
			if (room->slot_ssrc[j] == room->slot_ssrc[i])
				return refuse(refusal, STN_STATUS_BAD_OP,
					"slot_ssrc[%u] is used twice", i);
	}
	return 0;
}

static int check_profiles(const struct stn_op_room_put *room, struct refusal *refusal)
{
	if (room->profile_count == 0 || room->profile_count > STN_PROFILES_MAX)
		return refuse(refusal, STN_STATUS_BAD_OP, "profile_count %u is not 1 to %u",
			room->profile_count, STN_PROFILES_MAX);
	for (unsigned int i = 0; i < STN_PROFILES_MAX; i++) {
		const struct stn_profile *profile = &room->profile[i];

		if (i >= room->profile_count
				? !all_zero(profile, sizeof(*profile))
				: profile->payload_type > 127 || profile->red_payload_type > 127 ||
					  profile->audio_level_id > 14 ||
					  !all_zero(profile->reserved, sizeof(profile->reserved)))
			return refuse(refusal, STN_STATUS_BAD_OP, "profile[%u] is out of range", i);
	}
	return 0;
}

static int check_room_put(const struct stn_op_room_put *room, struct refusal *refusal)
{
	if (room->room_id == 0)
		return refuse(refusal, STN_STATUS_BAD_OP, "room_id is 0");
	if (!all_zero(room->reserved, sizeof(room->reserved)) || room->reserved2)
		return refuse(refusal, STN_STATUS_BAD_OP, "reserved bytes are not 0");
	if (check_slots(room, refusal) || check_profiles(room, refusal))
		return -EINVAL;
	return check_key(&room->group_key, "group_key", refusal);
}

static bool address_usable(const struct stn_address *remote)
{
	const uint8_t *byte = remote->address;

	if (remote->reserved || remote->port_be == 0 || all_zero(byte, 16))
		return false;
	if (remote->family == 4)
		return all_zero(byte + 4, 12) && byte[0] != 0 && byte[0] < 224;
	return remote->family == 6 && byte[0] != 0xff;
}

static int check_keyed(const struct stn_op_leg_put *leg, struct refusal *refusal)
{
	bool group = leg->protection == STN_PROTECTION_GROUP;

	if (group != (leg->tx.suite == STN_SUITE_NONE))
		return refuse(
			refusal, STN_STATUS_BAD_OP, "tx suite does not go with the protection");
	/* The header is authenticated: two profiles would be two texts under one key and nonce. */
	if (group && leg->profile != 0)
		return refuse(refusal, STN_STATUS_BAD_OP,
			"profile %u with group protection, which has profile 0", leg->profile);
	if (leg->role == STN_ROLE_SPEAKER && leg->rx.suite == STN_SUITE_NONE)
		return refuse(refusal, STN_STATUS_BAD_OP, "a speaker needs an rx key");
	if (!address_usable(&leg->remote))
		return refuse(refusal, STN_STATUS_BAD_OP, "remote is not a unicast UDP address");
	return 0;
}

/* DTLS gives both keys at once, so they are there both or neither. */
static int check_webrtc(const struct stn_op_leg_put *leg, struct refusal *refusal)
{
	if (leg->protection != STN_PROTECTION_LEG)
		return refuse(refusal, STN_STATUS_BAD_OP, "a webrtc leg has keys of its own");
	if ((leg->tx.suite == STN_SUITE_NONE) != (leg->rx.suite == STN_SUITE_NONE))
		return refuse(refusal, STN_STATUS_BAD_OP, "one key without the other");
	if (!all_zero(&leg->remote, sizeof(leg->remote)) && !address_usable(&leg->remote))
		return refuse(refusal, STN_STATUS_BAD_OP, "remote is not a unicast UDP address");
	return 0;
}

static int check_leg_media(const struct stn_op_leg_put *leg, struct refusal *refusal)
{
	if (check_key(&leg->tx, "tx", refusal) || check_key(&leg->rx, "rx", refusal))
		return -EINVAL;
	if (leg->payload_type > 127 || leg->red_payload_type > 127 || leg->audio_level_id > 14)
		return refuse(refusal, STN_STATUS_BAD_OP,
			"payload_type %u, red_payload_type %u or audio_level_id %u",
			leg->payload_type, leg->red_payload_type, leg->audio_level_id);
	return leg->transport == STN_TRANSPORT_KEYED ? check_keyed(leg, refusal)
						     : check_webrtc(leg, refusal);
}

static int check_leg_put(const struct stn_op_leg_put *leg, struct refusal *refusal)
{
	if (leg->leg_id == 0 || leg->room_id == 0)
		return refuse(refusal, STN_STATUS_BAD_OP, "leg_id or room_id is 0");
	if (leg->role != STN_ROLE_LISTENER && leg->role != STN_ROLE_SPEAKER)
		return refuse(refusal, STN_STATUS_BAD_OP, "unknown role %u", leg->role);
	if (leg->protection != STN_PROTECTION_LEG && leg->protection != STN_PROTECTION_GROUP)
		return refuse(refusal, STN_STATUS_BAD_OP, "unknown protection %u", leg->protection);
	if (leg->transport != STN_TRANSPORT_KEYED && leg->transport != STN_TRANSPORT_WEBRTC)
		return refuse(refusal, STN_STATUS_BAD_OP, "unknown transport %u", leg->transport);
	if (leg->profile >= STN_PROFILES_MAX)
		return refuse(refusal, STN_STATUS_BAD_OP, "profile %u", leg->profile);
	if (leg->flags & ~(STN_LEG_MUTED | STN_LEG_ORIGIN_KNOWN))
		return refuse(refusal, STN_STATUS_BAD_OP, "unknown flags %#x", leg->flags);
	if (leg->mute_until_ns && !(leg->flags & STN_LEG_MUTED))
		return refuse(refusal, STN_STATUS_BAD_OP, "mute_until_ns without the muted flag");
	return check_leg_media(leg, refusal);
}

static int check_leg_mute(const struct stn_op_leg_mute *mute, struct refusal *refusal)
{
	if (mute->muted > 1 || mute->reserved || (mute->until_ns && !mute->muted))
		return refuse(refusal, STN_STATUS_BAD_OP, "muted %u until %llu", mute->muted,
			(unsigned long long)mute->until_ns);
	return 0;
}

/* RFC 8839 section 5.4. */
static bool is_ice_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '+' || c == '/';
}

/* min to max ice-chars, and nothing behind them. */
static bool ice_text_valid(const char *text, unsigned int size, unsigned int min, unsigned int max)
{
	if (size < min || size > max)
		return false;
	for (unsigned int i = 0; i < size; i++)
		if (!is_ice_char(text[i]))
			return false;
	return all_zero(text + size, max - size);
}

static int check_leg_ice(const struct stn_op_leg_ice *ice, struct refusal *refusal)
{
	if (!ice_text_valid(ice->local_pwd, STN_ICE_LOCAL_PWD_SIZE, STN_ICE_LOCAL_PWD_SIZE,
		    STN_ICE_LOCAL_PWD_SIZE))
		return refuse(refusal, STN_STATUS_BAD_OP, "local_pwd is not %u ice-chars",
			STN_ICE_LOCAL_PWD_SIZE);
	if (!ice_text_valid(ice->remote_ufrag, ice->remote_ufrag_size, 4, STN_ICE_UFRAG_MAX))
		return refuse(refusal, STN_STATUS_BAD_OP, "remote_ufrag of %u characters",
			ice->remote_ufrag_size);
	if (!ice_text_valid(ice->remote_pwd, ice->remote_pwd_size, 22, STN_ICE_PWD_MAX))
		return refuse(refusal, STN_STATUS_BAD_OP, "remote_pwd of %u characters",
			ice->remote_pwd_size);
	return 0;
}

int operation_check(const struct stn_op *op, struct refusal *refusal)
{
	if (op->reserved)
		return refuse(refusal, STN_STATUS_BAD_OP, "reserved bytes are not 0");
	if (op->type == STN_OP_ROOM_PUT)
		return check_room_put((const struct stn_op_room_put *)op, refusal);
	if (op->type == STN_OP_LEG_PUT)
		return check_leg_put((const struct stn_op_leg_put *)op, refusal);
	if (op->type == STN_OP_LEG_MUTE)
		return check_leg_mute((const struct stn_op_leg_mute *)op, refusal);
	if (op->type == STN_OP_LEG_ICE)
		return check_leg_ice((const struct stn_op_leg_ice *)op, refusal);
	return 0; /* removals: an id that does not exist is found out at the commit */
}
