/* SPDX-License-Identifier: BSD-3-Clause */
/* The whole registry as JSON: what the model must have, too. */
#include <stdlib.h>
#include <string.h>

#include "controlplane/rooms/admission.h"
#include "controlplane/rooms/hand.h"
#include "controlplane/rooms/reaction.h"
#include "controlplane/rooms/silence.h"
#include "controlplane/rooms/ticket.h"
#include "tests/model/driver.h"

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The things of a hash begin with their names, so a list of them can be put in order. */
static void **sorted(const struct hash *hash)
{
	void **things = calloc(hash->count + 1, sizeof(*things));
	size_t position = 0, count = 0;

	while (things != NULL && (things[count] = hash_next(hash, &position)) != NULL)
		count++;
	if (things != NULL)
		qsort(things, count, sizeof(*things), by_name);
	return things;
}

/* By user: whether a ban did it. */
static void write_excluded(struct writer *out, const struct room *room)
{
	void **things = sorted(&room->excluded);

	writer_begin_object(out, "excluded");
	for (size_t i = 0; i < room->excluded.count; i++) {
		const struct exclusion *exclusion = things[i];

		writer_bool(out, exclusion->user.text, exclusion->banned);
	}
	writer_end_object(out);
	free(things);
}

static void write_silences(struct writer *out, const struct room *room)
{
	void **things = sorted(&room->silenced);

	writer_begin_object(out, "silenced");
	for (size_t i = 0; i < room->silenced.count; i++) {
		const struct silence *silence = things[i];

		writer_begin_object(out, silence->user.text);
		writer_int(out, "until_ms", silence->until_ms);
		writer_uint(out, "until_ns", silence->until_ns);
		writer_string(out, "by", silence->by.text);
		writer_uint(out, "by_rank", silence->by_rank);
		writer_bool(out, "held", silence->held);
		writer_uint(out, "held_rank", silence->held_rank);
		writer_end_object(out);
	}
	writer_end_object(out);
	free(things);
}

static void write_hand(struct writer *out, const struct member *member)
{
	static const char *const kinds[HAND_KIND_COUNT] = {"request", "invite"};
	const struct hand *hand = member->hand;

	writer_begin_array(out, "hand");
	if (hand != NULL) {
		writer_begin_object(out, NULL);
		writer_string(out, "kind", kinds[hand->kind]);
		writer_string(out, "message", hand->message);
		writer_string(out, "by", hand->by.text);
		writer_int(out, "at_ms", hand->at_ms);
		writer_int(out, "until_ms", hand->until_ms);
		writer_uint(out, "until_ns", hand->until_ns);
		writer_uint(out, "ssrc", hand->source.ssrc);
		writer_uint(out, "payload_type", hand->source.payload_type);
		writer_uint(out, "audio_level_id", hand->source.audio_level_id);
		writer_end_object(out);
	}
	writer_end_array(out);
}

static void write_member(struct writer *out, const struct member *member)
{
	const struct stn_op_leg_put *put = &member->put;

	writer_begin_object(out, NULL);
	writer_string(out, "member", member->user.text);
	writer_id(out, "member_id", member_id(member));
	writer_string(out, "role", admission_role_names[member->role]);
	writer_id(out, "leg", put->leg_id);
	writer_bool(out, "sends", put->role == STN_ROLE_SPEAKER);
	writer_bool(out, "muted", (put->flags & STN_LEG_MUTED) != 0);
	writer_uint(out, "until_ns", put->mute_until_ns);
	writer_bool(out, "webrtc", member_webrtc(member));
	writer_string(out, "token", member->token == NULL ? NULL : member->token->digest);
	writer_int(out, "joined_ms", member->joined_ms);
	writer_int(out, "end_ms", member->end_ms);
	writer_uint(out, "end_ns", put->end_ns);
	writer_uint(out, "seat_ns", put->leg_id == 0 ? member->seat_ns : 0);
	writer_uint(out, "seat", put->leg_id == 0 ? member->seat : SEAT_NEW);
	writer_int(out, "floor_ms", member->floor_ms);
	write_hand(out, member);
	writer_end_object(out);
}

static void write_rules(struct writer *out, const struct room_rules *rules)
{
	writer_uint(out, "state", rules->state);
	writer_uint(out, "access", rules->access);
	writer_string(out, "language", rules->language);
	writer_uint(out, "speakers_max", rules->speakers_max);
	writer_int(out, "starts_ms", rules->starts_ms);
	writer_uint(out, "told_parts", rules->told_parts);
	writer_bool(out, "host_left", rules->host_left);
	writer_begin_array(out, "cohosts");
	for (uint32_t i = 0; i < rules->cohost_count; i++)
		writer_string(out, NULL, rules->cohosts[i].text);
	writer_end_array(out);
}

/* The counts that are kept, and what they are counts of. */
static void write_counts(struct writer *out, const struct room *room)
{
	uint32_t listeners = 0, speaking = 0, muted = 0;
	const struct member *member;
	uint64_t id = 0;

	while ((member = roster_next(&room->roster, &id)) != NULL) {
		listeners += member->role == ROLE_LISTENER;
		speaking += member->role != ROLE_LISTENER;
		muted += member_muted(member);
	}
	writer_bool(out, "counts_right",
		listeners == room->listeners && speaking == room->speaking_members &&
			muted == room->muted && room->members.count == room->roster.count);
}

static void write_record(struct writer *out, enum record_type type, const void *record)
{
	const struct column *column = record_kinds[type]->columns;

	writer_begin_object(out, NULL);
	for (; column->name != NULL; column++) {
		const unsigned char *at = (const unsigned char *)record + column->offset;
		uint64_t number = 0;
		uint32_t small = 0;

		switch (column->kind) {
		case COLUMN_NUMBER:
			memcpy(&number, at, sizeof(number));
			writer_id(out, column->name, number);
			break;
		case COLUMN_SIGNED:
			memcpy(&number, at, sizeof(number));
			writer_int(out, column->name, (int64_t)number);
			break;
		case COLUMN_SMALL:
			memcpy(&small, at, sizeof(small));
			writer_uint(out, column->name, small);
			break;
		case COLUMN_FLAG:
			writer_bool(out, column->name, *(const bool *)at);
			break;
		case COLUMN_STRING:
			/* The database has no NULL. */
			writer_string(out, column->name,
				*(char *const *)at == NULL ? "" : *(char *const *)at);
			break;
		default:
			writer_string(out, column->name, (const char *)at);
			break;
		}
	}
	writer_end_object(out);
}

static void write_records(
	struct writer *out, const char *name, const struct roster *roster, enum record_type type)
{
	const void *record;
	uint64_t id = 0;

	writer_begin_array(out, name);
	while ((record = roster_next(roster, &id)) != NULL)
		write_record(out, type, record);
	writer_end_array(out);
}

static void write_room(struct writer *out, const struct room *room)
{
	const struct member *member;
	uint64_t id = 0;

	writer_begin_object(out, NULL);
	writer_string(out, "room", room->name.text);
	writer_id(out, "room_id", room->put.room_id);
	writer_string(out, "host", room->host.text);
	writer_string(out, "title", room->title);
	writer_string(out, "topic", room->topic);
	writer_bool(out, "open_floor", room->open_floor);
	writer_uint(out, "capacity", room->capacity);
	writer_int(out, "opened_ms", room->opened_ms);
	writer_int(out, "end_ms", room->end_ms);
	writer_uint(out, "end_ns", room->put.end_ns);
	writer_uint(out, "room_seq", room->sequence);
	writer_uint(out, "slots", room->put.slot_count);
	writer_begin_array(out, "speakers");
	for (size_t i = 0; i < room->speaker_count; i++)
		writer_string(out, NULL, room->speakers[i].text);
	writer_end_array(out);
	write_rules(out, &room->rules);
	write_counts(out, room);
	writer_uint(out, "host_left_ns", room->rules.host_left ? room->host_left_ns : 0);
	reaction_describe(out, "reactions", room);
	write_excluded(out, room);
	write_silences(out, room);
	writer_begin_array(out, "members");
	while ((member = roster_next(&room->roster, &id)) != NULL)
		write_member(out, member);
	writer_end_array(out);
	writer_begin_array(out, "holders");
	for (unsigned int slot = 0; slot < STN_SLOTS_MAX; slot++) {
		if (room->holder[slot] != 0)
			writer_id(out, NULL, room->holder[slot]);
	}
	writer_end_array(out);
	write_records(out, "pins", &room->pins, RECORD_PIN);
	write_records(out, "shares", &room->shares, RECORD_SHARE);
	write_records(out, "reminders", &room->reminders, RECORD_REMINDER);
	writer_begin_array(out, "offer");
	if (room->offer != NULL)
		write_record(out, RECORD_OFFER, room->offer);
	writer_end_array(out);
	writer_end_object(out);
}

void dump_state(struct writer *out, const struct registry *registry)
{
	const struct room *room;
	uint64_t id = 0;

	writer_begin_object(out, "state");
	writer_uint(out, "seq", registry->sequence);
	writer_bool(out, "draining", registry->draining);
	writer_uint(out, "members", registry->members.count);
	writer_uint(out, "tokens", registry->tokens.count);
	writer_uint(out, "legs", registry->legs.count);
	writer_uint(out, "sessions", registry->sessions);
	writer_begin_array(out, "rooms");
	while ((room = roster_next(&registry->room_roster, &id)) != NULL)
		write_room(out, room);
	writer_end_array(out);
	write_records(out, "users", &registry->user_roster, RECORD_USER);
	write_records(out, "bans", &registry->ban_roster, RECORD_BAN);
	write_records(out, "tickets", &registry->tickets, RECORD_TICKET);
	write_records(out, "entries", &registry->entries, RECORD_ENTRY);
	write_records(out, "reports", &registry->reports, RECORD_REPORT);
	writer_end_object(out);
}
