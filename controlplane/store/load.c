/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads everything back at start. What the file says is input: sizes and ranges are checked. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/rooms/policy.h"
#include "controlplane/rooms/hand.h"
#include "controlplane/rooms/secret.h"
#include "controlplane/rooms/token.h"
#include "controlplane/store/database.h"

#define ID_MASK ((1ULL << 48) - 1)

struct loading {
	struct store *store;
	struct registry *registry;
	const struct moment *now;
	sqlite3_stmt *row;
	bool same_boot; /* as when the file was written last */
};

static int64_t number(const struct loading *l, int column)
{
	return sqlite3_column_int64(l->row, column);
}

static bool text(const struct loading *l, int column, char *to, size_t size)
{
	const char *from = (const char *)sqlite3_column_text(l->row, column);
	size_t length = (size_t)sqlite3_column_bytes(l->row, column);

	if (from == NULL || length >= size || memchr(from, '\0', length) != NULL)
		return false;
	memcpy(to, from, length + 1);
	return true;
}

/* A user or room id. */
static bool name(const struct loading *l, int column, struct user_id *to)
{
	return text(l, column, to->text, sizeof(to->text)) &&
	       event_id_valid(to->text, strlen(to->text));
}

/* A blob of count items of that size, at most max of them. */
static bool items(
	const struct loading *l, int column, void *to, size_t size, size_t max, size_t *count)
{
	size_t bytes = (size_t)sqlite3_column_bytes(l->row, column);

	if (bytes % size != 0 || bytes / size > max)
		return false;
	*count = bytes / size;
	if (bytes > 0)
		memcpy(to, sqlite3_column_blob(l->row, column), bytes);
	return true;
}

static bool load_speakers(const struct loading *l, struct room *room)
{
	size_t bytes = (size_t)sqlite3_column_bytes(l->row, 14);

	if (bytes == 0)
		return true;
	room->speakers = calloc(1, bytes);
	if (room->speakers == NULL || !items(l, 14, room->speakers, sizeof(room->speakers[0]),
					      ROOM_SPEAKERS_MAX, &room->speaker_count))
		return false;
	for (size_t i = 0; i < room->speaker_count; i++)
		room->speakers[i].text[EVENT_ID_MAX] = '\0';
	return true;
}

static bool fill_room(const struct loading *l, struct room *room)
{
	struct stn_op_room_put *put = &room->put;
	size_t profiles = 0, ssrcs = 0;

	put->op = (struct stn_op){STN_OP_ROOM_PUT, sizeof(*put), 0};
	put->room_id = (uint64_t)number(l, 0);
	room->open_floor = number(l, 5) != 0;
	room->capacity = (uint32_t)number(l, 6);
	room->opened_ms = number(l, 7);
	room->end_ms = number(l, 8);
	put->slot_count = (uint8_t)number(l, 10);
	put->group_key.suite = (uint8_t)number(l, 13);
	room->sequence = (uint64_t)number(l, 25);
	if (!name(l, 1, &room->name) || !name(l, 2, &room->host) ||
		!text(l, 3, room->title, sizeof(room->title)) ||
		!text(l, 4, room->topic, sizeof(room->topic)) ||
		!items(l, 11, put->slot_ssrc, sizeof(uint32_t), STN_SLOTS_MAX, &ssrcs) ||
		!items(l, 12, put->profile, sizeof(put->profile[0]), STN_PROFILES_MAX, &profiles) ||
		!load_speakers(l, room))
		return false;
	put->profile_count = room->profiles_known = (uint8_t)profiles;
	return put->slot_count >= 1 && put->slot_count <= ssrcs && profiles >= 1 &&
	       put->group_key.suite < STN_SUITE_COUNT && put->room_id != 0;
}

static bool fill_rules(const struct loading *l, struct room_rules *rules)
{
	size_t cohosts = 0;

	rules->state = (enum room_state)number(l, 15);
	rules->access = (enum room_access)number(l, 16);
	rules->speakers_max = (uint32_t)number(l, 18);
	rules->starts_ms = number(l, 19);
	rules->told = (uint64_t)number(l, 21);
	rules->tell_until = (uint64_t)number(l, 22);
	rules->told_parts = (uint32_t)number(l, 23);
	rules->host_left = number(l, 24) != 0;
	if ((unsigned int)rules->state >= ROOM_STATE_COUNT ||
		(unsigned int)rules->access >= ACCESS_COUNT ||
		!text(l, 17, rules->language, sizeof(rules->language)) ||
		!items(l, 20, rules->cohosts, sizeof(rules->cohosts[0]), ROOM_COHOSTS_MAX,
			&cohosts))
		return false;
	for (size_t i = 0; i < cohosts; i++)
		rules->cohosts[i].text[EVENT_ID_MAX] = '\0';
	rules->cohost_count = (uint32_t)cohosts;
	return true;
}

static int load_room(struct loading *l)
{
	struct room *room = room_make(l->registry);
	int rc = -EIO;

	if (room == NULL)
		return -ENOMEM;
	room->host_left_ns = l->now->mono_ns;
	if (fill_room(l, room) && fill_rules(l, &room->rules)) {
		/* What has not begun does not end. */
		if (room->rules.state == ROOM_LIVE)
			room->put.end_ns = moment_mono(l->now, room->end_ms);
		rc = registry_room_link(l->registry, room);
	}
	if (rc != 0)
		room_free(room);
	return rc;
}

/* A digest in hex as it was written. */
static bool digest(const struct loading *l, int column, char *to)
{
	return text(l, column, to, SECRET_DIGEST_SIZE) &&
	       strspn(to, "0123456789abcdef") == SECRET_DIGEST_SIZE - 1;
}

/* A WebRTC member: the keys of the leg, if there is one, are in the data plane or nowhere. */
static bool fill_webrtc(const struct loading *l, struct member *member)
{
	const struct registry_limits *limits = &l->registry->limits;
	uint64_t kept_ms = limits->reconnect_grace_ms;
	char token[SECRET_DIGEST_SIZE];

	member->seat = (enum seat)number(l, 19);
	if ((unsigned int)member->seat >= SEAT_COUNT || !digest(l, 20, token) ||
		(member->token = token_restore(member, token)) == NULL)
		return false;
	if (member->seat == SEAT_NEW)
		kept_ms = limits->join_timeout_ms;
	member->keys_known = member->put.leg_id == 0;
	if (member->put.leg_id == 0) {
		member->seat_ns = kept_ms == 0 ? 0 : l->now->mono_ns + kept_ms * 1000000u;
		return true;
	}
	member->peer = calloc(1, sizeof(*member->peer));
	return member->peer != NULL && digest(l, 21, member->peer->resource) &&
	       text(l, 22, member->peer->mid, sizeof(member->peer->mid));
}

static bool fill_hand(const struct loading *l, struct member *member)
{
	struct hand *hand;

	if (number(l, 18) == 0)
		return true;
	hand = member->hand = calloc(1, sizeof(*hand));
	if (hand == NULL)
		return false;
	hand->id = (uint64_t)number(l, 18);
	hand->kind = (enum hand_kind)number(l, 23);
	hand->at_ms = number(l, 26);
	hand->until_ms = number(l, 27);
	hand->until_ns = moment_mono(l->now, hand->until_ms);
	hand->source.ssrc = (uint32_t)number(l, 29);
	hand->source.payload_type = (uint8_t)number(l, 30);
	hand->source.audio_level_id = (uint8_t)number(l, 31);
	return (unsigned int)hand->kind < HAND_KIND_COUNT &&
	       text(l, 24, hand->message, sizeof(hand->message)) &&
	       text(l, 25, hand->by.text, sizeof(hand->by.text));
}

static bool fill_member(const struct loading *l, struct member *member)
{
	struct stn_op_leg_put *put = &member->put;
	size_t remotes = 0;

	put->op = (struct stn_op){STN_OP_LEG_PUT, sizeof(*put), 0};
	put->member_id = (uint64_t)number(l, 0);
	put->leg_id = (uint64_t)number(l, 1);
	put->room_id = (uint64_t)number(l, 2);
	member->role = (enum member_role)number(l, 4);
	member->joined_ms = number(l, 5);
	member->end_ms = number(l, 6);
	put->end_ns = moment_mono(l->now, member->end_ms);
	put->protection = (uint8_t)number(l, 8);
	put->transport = (uint8_t)number(l, 9);
	put->profile = (uint8_t)number(l, 10);
	put->payload_type = (uint8_t)number(l, 11);
	put->audio_level_id = (uint8_t)number(l, 12);
	put->source_ssrc = (uint32_t)number(l, 13);
	put->tx.suite = (uint8_t)number(l, 14);
	put->rx.suite = (uint8_t)number(l, 15);
	put->red_payload_type = (uint8_t)number(l, 16);
	put->role = (uint8_t)number(l, 17);
	member->floor_ms = number(l, 28);
	member->ssrc = put->source_ssrc;
	member->room = registry_room_by_id(l->registry, put->room_id);
	if (member->room == NULL || !name(l, 3, &member->user) ||
		!items(l, 7, &put->remote, sizeof(put->remote), 1, &remotes) || remotes != 1 ||
		(unsigned int)member->role >= ROLE_COUNT || put->tx.suite >= STN_SUITE_COUNT ||
		put->rx.suite >= STN_SUITE_COUNT ||
		put->profile >= member->room->put.profile_count ||
		(put->role != STN_ROLE_LISTENER && put->role != STN_ROLE_SPEAKER))
		return false;
	member_apply_silence(member->room, member->user.text, member->role, put);
	return fill_hand(l, member) && (!member_webrtc(member) || fill_webrtc(l, member));
}

static int load_member(struct loading *l)
{
	struct member *member = member_make();
	int rc = -EIO;

	if (member == NULL)
		return -ENOMEM;
	if (fill_member(l, member))
		rc = registry_member_link(l->registry, member);
	if (rc != 0)
		member_free(member);
	return rc;
}

/* Rows of a room that is gone mean nothing. */
static int load_excluded(struct loading *l)
{
	struct room *room = registry_room_by_id(l->registry, (uint64_t)number(l, 0));
	struct exclusion *exclusion = room == NULL ? NULL : calloc(1, sizeof(*exclusion));

	if (room == NULL)
		return 0;
	if (exclusion == NULL || !name(l, 1, &exclusion->user) ||
		hash_add(&room->excluded, exclusion) != 0) {
		free(exclusion);
		return -EIO;
	}
	exclusion->banned = number(l, 2) != 0;
	return 0;
}

static bool fill_silence(const struct loading *l, struct silence *silence)
{
	int64_t rank = number(l, 3), held = number(l, 5);

	silence->until_ms = number(l, 2);
	silence->by_rank = (uint32_t)rank;
	silence->held = held != 0;
	silence->held_rank = held == 0 ? 0 : (uint32_t)(held - 1);
	silence->until_ns = silence_end(silence, l->now);
	/* The wall clock may have been set since; in the same boot the other one has not. */
	if (l->same_boot && silence->until_ns != 0 && number(l, 6) > 0)
		silence->until_ns = (uint64_t)number(l, 6);
	return name(l, 1, &silence->user) && rank >= RANK_NONE && rank < RANK_COUNT && held >= 0 &&
	       held <= 1 + RANK_COUNT && text(l, 4, silence->by.text, sizeof(silence->by.text));
}

static int load_silenced(struct loading *l)
{
	struct room *room = registry_room_by_id(l->registry, (uint64_t)number(l, 0));
	struct silence *silence = room == NULL ? NULL : calloc(1, sizeof(*silence));

	if (room == NULL)
		return 0;
	if (silence == NULL || !fill_silence(l, silence) ||
		hash_add(&room->silenced, silence) != 0) {
		free(silence);
		return -EIO;
	}
	return 0;
}

static int load_key(struct loading *l)
{
	struct room *room = registry_room_by_id(l->registry, (uint64_t)number(l, 0));
	struct used_key *key = room == NULL ? NULL : calloc(1, sizeof(*key));

	if (room == NULL)
		return 0;
	if (key == NULL || !text(l, 1, key->digest, sizeof(key->digest)) ||
		hash_add(&room->used_keys, key) != 0) {
		free(key);
		return -EIO;
	}
	return 0;
}

static int each(struct loading *l, enum statement statement, int (*load)(struct loading *l))
{
	int rc, result = 0;

	l->row = l->store->statements[statement];
	while (result == 0 && (rc = database_row(l->store, statement)) != 0)
		result = rc < 0 ? rc : load(l);
	database_reset(l->store, statement);
	return result;
}

static int load_last(struct loading *l)
{
	l->registry->sequence = l->store->last_event = (uint64_t)number(l, 0);
	return 0;
}

int store_load(struct store *store, struct registry *registry, const struct moment *now)
{
	struct loading l = {store, registry, now, NULL, false};
	uint64_t next_id, pruned, draining = 0, boot;
	int rc = database_meta_get(store, "boot", &boot);

	l.same_boot = boot != 0 && boot == database_boot();
	if (rc == 0)
		rc = each(&l, STATEMENT_LOAD_ROOMS, load_room);
	if (rc == 0)
		rc = each(&l, STATEMENT_LOAD_EXCLUDED, load_excluded);
	if (rc == 0)
		rc = each(&l, STATEMENT_LOAD_SILENCED, load_silenced);
	if (rc == 0)
		rc = each(&l, STATEMENT_LOAD_KEYS, load_key);
	if (rc == 0)
		rc = each(&l, STATEMENT_LOAD_MEMBERS, load_member);
	if (rc == 0)
		rc = each(&l, STATEMENT_LOG_LAST, load_last);
	for (enum record_type type = 0; rc == 0 && type < RECORD_COUNT; type++)
		rc = table_load(store, type, registry);
	if (rc == 0)
		rc = database_meta_get(store, "draining", &draining);
	if (rc == 0)
		rc = database_meta_get(store, "next_id", &next_id);
	if (rc == 0)
		rc = store_log_first(store, &pruned);
	if (rc != 0)
		return rc;
	store->pruned_at = pruned;
	registry->draining = draining != 0;
	if ((next_id & ID_MASK) > (registry->next_id & ID_MASK))
		registry->next_id = (registry->next_id & ~ID_MASK) | (next_id & ID_MASK);
	return 0;
}
