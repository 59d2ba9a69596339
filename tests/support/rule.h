/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rules as sentences: what was said before, what is asked, what comes of it. Each row is checked
 * twice: that the answer, the operations and the events are these and a refusal changes nothing,
 * and that a good request taken back has not been.
 */
#ifndef STENTOR_TESTS_SUPPORT_RULE_H
#define STENTOR_TESTS_SUPPORT_RULE_H

#include "tests/support/rooms.h"
#include "tests/support/unit.h"

#define RULE_BEFORE_MAX 12

struct rule {
	const char *what;
	/* Each must be good. "+cohost USER": of room tea, in it or not; "+wait MS": time passes. */
	const char *before[RULE_BEFORE_MAX];
	const char *line;
	enum verdict_code code;
	const char *says; /* part of the message, or of the answer */
	unsigned int ops, events;
	const char *tells; /* part of one of the events; NULL: whatever */
};

/* A request about room tea. */
#define Q(type_, actor_, more_) \
	"{\"id\":\"i\",\"type\":\"" type_ "\",\"actor\":\"" actor_ "\",\"room\":\"tea\"" more_ "}"
#define IN(room_, type_, actor_, more_) \
	"{\"id\":\"i\",\"type\":\"" type_ "\",\"actor\":\"" actor_ "\",\"room\":\"" room_ \
	"\"" more_ "}"
#define WHO(member_) ",\"member\":\"" member_ "\""
#define JOIN_IN(room_, who_, role_, port_) \
	IN(room_, "member.join", who_, \
		",\"role\":\"" role_ "\",\"address\":\"10.0.0.1\",\"port\":" #port_)
#define JOIN(who_, role_, port_) JOIN_IN("tea", who_, role_, port_)
#define WEB(who_, role_) Q("member.join", who_, ",\"role\":\"" role_ "\",\"transport\":\"webrtc\"")
#define OPEN Q("room.open", "ann", ",\"open_floor\":true")
#define MODERATOR(who_) \
	"{\"id\":\"i\",\"type\":\"user.upsert\",\"actor\":\"app\",\"user\":\"" who_ \
	"\",\"moderator\":true}"

static inline void rule_name_cohost(struct room *room, const char *user)
{
	struct member *member = registry_member(room, user);

	strcpy(room->rules.cohosts[room->rules.cohost_count++].text, user);
	if (member != NULL && member->role == ROLE_SPEAKER)
		member->role = ROLE_COHOST;
}

static inline void rule_prepare(struct desk *desk, const struct rule *rule)
{
	for (unsigned int i = 0; i < RULE_BEFORE_MAX && rule->before[i] != NULL; i++) {
		const char *line = rule->before[i];
		struct room *room = registry_room(&desk->registry, "tea");

		if (strncmp(line, "+cohost ", 8) == 0) {
			rule_name_cohost(room, line + 8);
		} else if (strncmp(line, "+wait ", 6) == 0) {
			desk->now.wall_ms += atoi(line + 6);
			desk->now.mono_ns += (uint64_t)atoi(line + 6) * 1000000;
		} else {
			ck_assert_msg(desk_ask(desk, line) == VERDICT_OK, "%s: before %u: %s",
				rule->what, i, desk->verdict.message);
		}
	}
}

static inline bool rule_told(const struct plan *plan, const char *text)
{
	for (size_t i = 0; i < plan->change_count; i++) {
		const struct change *change = &plan->changes[i];

		if (change->type == CHANGE_EVENT &&
			memmem(change->event.text, change->event.size, text, strlen(text)) != NULL)
			return true;
	}
	return false;
}

/* At a desk that is open, with limits of its own perhaps. Closes it. */
static inline void rule_check_at(struct desk *desk, const struct rule *rule)
{
	struct plan plan;
	char *before, *after;
	const char *text;
	bool good;

	rule_prepare(desk, rule);
	before = desk_state(&desk->registry);
	good = desk_plan(desk, &plan, rule->line);
	ck_assert_msg(desk->verdict.code == rule->code, "%s: %s '%s'", rule->what,
		verdict_code_name(desk->verdict.code), desk->verdict.message);
	text = good ? desk->answer : desk->verdict.message;
	ck_assert_msg(strstr(text, rule->says) != NULL, "%s: '%s'", rule->what, text);
	if (good) {
		ck_assert_msg(desk->ops == rule->ops, "%s: %u ops", rule->what, desk->ops);
		ck_assert_msg(
			desk->events == rule->events, "%s: %u events", rule->what, desk->events);
		ck_assert_msg(rule->tells == NULL || rule_told(&plan, rule->tells),
			"%s: no event has %s", rule->what, rule->tells);
		after = desk_state(&desk->registry);
		ck_assert_msg(rule->events == 0 || strcmp(before, after) != 0,
			"%s: changed nothing", rule->what);
		free(after);
		plan_revert(&plan, &desk->registry);
	}
	plan_clear(&plan);
	after = desk_state(&desk->registry);
	ck_assert_msg(strcmp(before, after) == 0, "%s: is not as before\n%s\n%s", rule->what,
		before, after);
	free(before);
	free(after);
	desk_close(desk);
}

static inline void rule_check(const struct rule *rule)
{
	struct desk desk;

	desk_open(&desk);
	rule_check_at(&desk, rule);
}

#endif
