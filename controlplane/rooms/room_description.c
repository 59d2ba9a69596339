/* SPDX-License-Identifier: BSD-3-Clause */
/* A room in answers. */
#include "controlplane/rooms/admission.h"
#include "controlplane/rooms/catalog.h"
#include "controlplane/rooms/hand.h"
#include "controlplane/rooms/opening.h"
#include "controlplane/rooms/pin.h"
#include "controlplane/rooms/policy.h"
#include "controlplane/rooms/reaction.h"
#include "controlplane/rooms/reminder.h"
#include "controlplane/rooms/ticket.h"

void room_describe_slots(struct writer *writer, const struct room *room)
{
	writer_begin_array(writer, "ssrc");
	for (unsigned int slot = 0; slot < room->put.slot_count; slot++)
		writer_uint(writer, NULL, room->put.slot_ssrc[slot]);
	writer_end_array(writer);
}

static void write_time(struct writer *writer, const char *name, int64_t at_ms)
{
	if (at_ms == 0)
		writer_null(writer, name);
	else
		writer_int(writer, name, at_ms);
}

static void describe_rules(struct writer *writer, const struct room_rules *rules)
{
	writer_string(writer, "state", room_state_names[rules->state]);
	writer_string(writer, "language", rules->language);
	writer_string(writer, "access", room_access_names[rules->access]);
	write_time(writer, "starts_ms", rules->state == ROOM_LIVE ? 0 : rules->starts_ms);
	writer_begin_array(writer, "cohosts");
	for (uint32_t i = 0; i < rules->cohost_count; i++)
		writer_string(writer, NULL, rules->cohosts[i].text);
	writer_end_array(writer);
}

void room_describe(struct writer *writer, const struct room *room)
{
	writer_string(writer, "room", room->name.text);
	writer_id(writer, "room_id", room->put.room_id);
	writer_string(writer, "title", room->title);
	writer_string(writer, "topic", room->topic);
	writer_string(writer, "host", room->host.text);
	describe_rules(writer, &room->rules);
	writer_uint(writer, "slots", room->put.slot_count);
	writer_uint(writer, "members", room->roster.count);
	writer_uint(writer, "listeners", room->listeners);
	writer_uint(writer, "speakers", room->speaking_members);
	writer_uint(writer, "muted", room->muted);
	writer_uint(writer, "hands", room->hands.count);
	writer_uint(writer, "capacity", room->capacity);
	writer_bool(writer, "open_floor", room->open_floor);
	write_time(writer, "opened_ms", room->opened_ms);
	write_time(writer, "ends_ms", room->end_ms);
	writer_uint(writer, "room_seq", room->sequence);
}

static void describe_pins(struct writer *writer, const struct room *room)
{
	const struct pin *pin;
	uint64_t id = 0;

	writer_begin_array(writer, "pins");
	while ((pin = roster_next(&room->pins, &id)) != NULL) {
		writer_begin_object(writer, NULL);
		writer_id(writer, "pin", pin->id);
		writer_string(writer, "actor", pin->actor.text);
		writer_string(writer, "text", pin->text);
		writer_string(writer, "url", pin->url);
		writer_int(writer, "at_ms", pin->at_ms);
		writer_end_object(writer);
	}
	writer_end_array(writer);
}

static void describe_viewer(struct writer *writer, const struct registry *registry,
	const struct room *room, const char *user)
{
	const struct member *member = registry_member(room, user);
	const struct hand *hand = member == NULL ? NULL : member->hand;
	enum rank rank = policy_rank(registry, room, user);

	writer_begin_object(writer, "you");
	writer_string(writer, "member", user);
	writer_string(writer, "role", member == NULL ? NULL : admission_role_names[member->role]);
	writer_bool(writer, "muted", member != NULL && member_muted(member));
	writer_bool(writer, "hand", hand != NULL && hand->kind == HAND_REQUEST);
	writer_bool(writer, "invited", hand != NULL && hand->kind == HAND_INVITE);
	writer_bool(writer, "ticket", policy_has_ticket(registry, room, user));
	writer_bool(writer, "reminder", reminder_of_user(room, user) != NULL);
	writer_bool(writer, "may_moderate", rank >= RANK_COHOST);
	writer_uint(writer, "rank", rank);
	writer_end_object(writer);
}

void room_describe_rest(struct writer *writer, const struct registry *registry,
	const struct room *room, const char *viewer)
{
	uint32_t most = room->rules.speakers_max;

	writer_uint(writer, "speakers_max", most == 0 ? registry->limits.room_speakers_max : most);
	writer_uint(writer, "reminders", room->reminders.count);
	describe_pins(writer, room);
	reaction_describe(writer, "reactions", room);
	writer_begin_array(writer, "reaction_choices");
	for (uint32_t i = 0; i < registry->limits.reaction_count; i++)
		writer_string(writer, NULL, registry->limits.reactions[i]);
	writer_end_array(writer);
	offer_describe(writer, "tickets", room->offer);
	if (viewer != NULL)
		describe_viewer(writer, registry, room, viewer);
}
