/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * All that a registry knows, as text: two that are the same say the same. For tests of rooms/.
 */
#ifndef STENTOR_TESTS_SUPPORT_STATE_H
#define STENTOR_TESTS_SUPPORT_STATE_H

#include <stdio.h>
#include <string.h>

#include "controlplane/rooms/ban.h"
#include "controlplane/rooms/hand.h"
#include "controlplane/rooms/person.h"
#include "controlplane/rooms/registry.h"
#include "controlplane/rooms/report.h"
#include "controlplane/rooms/silence.h"
#include "tests/support/state_ticket.h"

/* On which terms who is muted, who is kept out; in no order, so as sums. */
static inline void desk_print_terms(FILE *out, const struct room *room)
{
	const struct exclusion *exclusion;
	const struct silence *silence;
	uint64_t silences = 0, exclusions = 0;
	size_t position = 0;

	while ((silence = hash_next(&room->silenced, &position)) != NULL)
		silences += desk_sum(silence->user.text) *
			    ((uint64_t)silence->until_ms + silence->by_rank * 16 + silence->held +
				    silence->held_rank * 256 + desk_sum(silence->by.text));
	position = 0;
	while ((exclusion = hash_next(&room->excluded, &position)) != NULL)
		exclusions += desk_sum(exclusion->user.text) * (1u + exclusion->banned);
	fprintf(out, " terms %016llx %016llx", (unsigned long long)silences,
		(unsigned long long)exclusions);
}

static inline void desk_print_bans(FILE *out, const struct registry *registry)
{
	const struct ban *ban;
	uint64_t id = 0;

	while ((ban = roster_next(&registry->ban_roster, &id)) != NULL)
		fprintf(out, "ban %s by %s '%s'\n", ban->key, ban->actor.text, ban->reason);
}

static inline void desk_print_rules(FILE *out, const struct room *room)
{
	const struct room_rules *rules = &room->rules;

	fprintf(out, " state %u access %u '%s' speakers_max %u starts %lld tell %d/%u left %d",
		rules->state, rules->access, rules->language, rules->speakers_max,
		(long long)rules->starts_ms, rules->tell_until != 0, rules->told_parts,
		rules->host_left);
	for (uint32_t i = 0; i < rules->cohost_count; i++)
		fprintf(out, " %s", rules->cohosts[i].text);
	fprintf(out, " pins %zu shares %zu reminders %zu offer %d", room->pins.count,
		room->shares.count, room->reminders.count, room->offer != NULL);
}

static inline void desk_print_reports(FILE *out, const struct registry *registry)
{
	const struct report *report;
	uint64_t id = 0;

	while ((report = roster_next(&registry->reports, &id)) != NULL)
		fprintf(out, "report of %s by %s state %u by '%s' open %d reporters %u\n",
			report->member.text, report->reporter.text, report->state,
			report->resolved_by.text,
			registry_open_report(registry, report->room_id, report->member.text,
				report->reporter.text) == report,
			registry_reporters(registry, report->room_id, report->member.text));
}

/* Users in the order of their ids; of the index of people, sums. */
static inline void desk_print_people(FILE *out, const struct registry *registry)
{
	const struct user *user;
	uint64_t id = 0, sum = 0;
	size_t position = 0;
	const char *name;

	while ((user = roster_next(&registry->user_roster, &id)) != NULL)
		fprintf(out, "user %s %u %d %d '%s'\n", user->name.text, user->followers,
			user->host_grant, user->moderator,
			user->follows == NULL ? "" : user->follows);
	while ((name = hash_next(&registry->crowd.people, &position)) != NULL) {
		const struct person *person = registry_person(registry, name);
		uint64_t weight = person->count + (person->user != NULL) * 1000003ull;

		for (const struct member *m = person->members; m != NULL; m = m->person_next)
			weight += 7 * desk_sum(m->room->name.text);
		for (const struct room *room = person->rooms; room != NULL; room = room->host_next)
			weight += 11 * desk_sum(room->name.text);
		sum += weight * desk_sum(name);
	}
	fprintf(out, "people %zu %016llx telling %zu draining %d\n", registry->crowd.people.count,
		(unsigned long long)sum, registry->telling.count, registry->draining);
}

/* Everything a request may change, except the ids minted. */
static inline char *desk_state(const struct registry *registry)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	uint64_t id = 0, member_at;
	const struct room *room;
	const struct member *m;

	fprintf(out, "seq %llu members %zu rooms %zu tokens %zu legs %zu\n",
		(unsigned long long)registry->sequence, registry->members.count,
		registry->rooms.count, registry->tokens.count, registry->legs.count);
	desk_print_people(out, registry);
	desk_print_bans(out, registry);
	desk_print_money(out, registry);
	desk_print_reports(out, registry);
	while ((room = roster_next(&registry->room_roster, &id)) != NULL) {
		fprintf(out,
			"%s host %s '%s' '%s' floor %d cap %u end %lld seq %llu counts %u %u %u",
			room->name.text, room->host.text, room->title, room->topic,
			room->open_floor, room->capacity, (long long)room->end_ms,
			(unsigned long long)room->sequence, room->listeners, room->speaking_members,
			room->muted);
		desk_print_rules(out, room);
		desk_print_engagement(out, room);
		fprintf(out, " profiles %u", room->put.profile_count);
		for (unsigned int i = 0; i < STN_PROFILES_MAX; i++)
			fprintf(out, " %u/%u", room->put.profile[i].payload_type,
				room->put.profile[i].audio_level_id);
		desk_print_hash(out, "excluded", &room->excluded);
		desk_print_hash(out, "silenced", &room->silenced);
		desk_print_hash(out, "keys", &room->used_keys);
		desk_print_terms(out, room);
		fprintf(out, "\n");
		member_at = 0;
		while ((m = roster_next(&room->roster, &member_at)) != NULL)
			fprintf(out,
				"  %s role %d/%u muted %d until %llu end %lld profile %u port %u"
				" hand %d token %s leg %d\n",
				m->user.text, m->role, m->put.role, member_muted(m),
				(unsigned long long)m->put.mute_until_ns, (long long)m->end_ms,
				m->put.profile, m->put.remote.port_be,
				m->hand == NULL ? 0 : 1 + (int)m->hand->kind,
				m->token == NULL ? "" : m->token->digest, m->put.leg_id != 0);
	}
	fclose(out);
	return text;
}

#endif
