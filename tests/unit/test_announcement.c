/* SPDX-License-Identifier: BSD-3-Clause */
/* Followers are told that a room is live: each once, in parts, whatever happens in between. */
#include "controlplane/rooms/due.h"
#include "tests/support/rule.h"

#define TELL_FORMAT \
	"{\"id\":\"i\",\"type\":\"user.upsert\",\"actor\":\"app\",\"user\":\"%s\",\"follows\":[%" \
	"s]}"
#define CROWD 1201 /* three parts: 500, 500, 201 */

static struct desk desk;
static unsigned int told[CROWD + 10]; /* how often u0, u1, ... */
static unsigned int parts;
static bool last;

static void follow(const char *who, const char *whom)
{
	char line[256];

	snprintf(line, sizeof(line), TELL_FORMAT, who, whom);
	ck_assert_msg(desk_ask(&desk, line) == VERDICT_OK, "%s", desk.verdict.message);
}

static void set_up(void)
{
	desk_open(&desk);
	memset(told, 0, sizeof(told));
	parts = 0;
	last = false;
	for (unsigned int i = 0; i < CROWD; i++) {
		char name[8];

		snprintf(name, sizeof(name), "u%u", i);
		follow(name, "\"zoe\",\"ann\"");
	}
	follow("v", "\"zoe\"");
}

static void tear_down(void)
{
	desk_close(&desk);
}

/* Reads the names in the event, in order. */
static void take_event(const char *text, size_t size)
{
	char *copy = strndup(text, size), *names, *at;
	unsigned int number, before = 0;
	char part[32];

	ck_assert_ptr_nonnull(strstr(copy, "\"type\":\"room.live\""));
	snprintf(part, sizeof(part), "\"part\":%u,", parts++);
	ck_assert_ptr_nonnull(strstr(copy, part));
	names = strstr(copy, "\"followers\":[");
	ck_assert_ptr_nonnull(names);
	for (at = strtok(names + 13, ",]"); at != NULL && *at == '"'; at = strtok(NULL, ",]")) {
		if (sscanf(at, "\"u%u\"", &number) != 1)
			break;
		ck_assert_uint_ge(number + 1, before); /* in the order of their records */
		before = number + 1;
		told[number]++;
	}
	last = memmem(text, size, "\"last\":true", 11) != NULL;
	free(copy);
}

/* One step of the clock's work; taken back and done again. False: nothing to tell. */
static bool step(void)
{
	char *before = desk_state(&desk.registry), *after;
	struct plan plan;
	bool done;

	for (unsigned int attempt = 0; attempt < 2; attempt++) {
		plan_init(&plan, &desk.now);
		done = announcement_due(&plan, &desk.registry);
		if (attempt == 1)
			break;
		plan_revert(&plan, &desk.registry);
		plan_clear(&plan);
		after = desk_state(&desk.registry);
		ck_assert_str_eq(before, after);
		free(after);
	}
	for (size_t i = 0; i < plan.change_count; i++) {
		if (plan.changes[i].type == CHANGE_EVENT)
			take_event(plan.changes[i].event.text, plan.changes[i].event.size);
	}
	ck_assert_uint_eq(plan.op_count, 0);
	plan_clear(&plan);
	free(before);
	return done;
}

static void ask(const char *line)
{
	ck_assert_msg(desk_ask(&desk, line) == VERDICT_OK, "%s: %s", line, desk.verdict.message);
}

static void check_told(unsigned int from, unsigned int end, unsigned int times)
{
	for (unsigned int i = from; i < end; i++)
		ck_assert_msg(told[i] == times, "u%u was told %u times", i, told[i]);
}

START_TEST(all_are_told_once_in_parts)
{
	ask(Q("room.open", "ann", ""));
	ck_assert(step());
	check_told(0, 500, 1);
	check_told(500, CROWD, 0);
	ck_assert(!last);
	ck_assert(step());
	ck_assert(!last);
	ck_assert(step());
	ck_assert(last);
	ck_assert_uint_eq(parts, 3);
	check_told(0, CROWD, 1);
	ck_assert(!step());
	ck_assert_uint_eq(desk.registry.telling.count, 0);
}
END_TEST

START_TEST(who_has_no_followers_is_told_of_to_nobody)
{
	ask(Q("room.open", "v", ""));
	ck_assert(step());
	ck_assert(last);
	ck_assert_uint_eq(parts, 1);
	check_told(0, CROWD, 0);
	ck_assert(!step());
}
END_TEST

START_TEST(a_room_for_the_invited_is_not_told_of)
{
	ask(Q("room.open", "ann", ",\"access\":\"invited\""));
	ck_assert(!step());
	check_told(0, CROWD, 0);
}
END_TEST

/* It becomes one while it is being told of. */
START_TEST(telling_ends_when_a_room_is_for_the_invited)
{
	struct room_settings settings;
	struct room *room;
	struct plan plan;

	ask(Q("room.open", "ann", ""));
	ck_assert(step());
	room = registry_room(&desk.registry, "tea");
	plan_room_settings(room, &settings);
	settings.rules.access = ACCESS_INVITED;
	plan_init(&plan, &desk.now);
	ck_assert(plan_room_set(&plan, room, &settings));
	plan_clear(&plan);
	ck_assert(step());
	ck_assert_uint_eq(parts, 1);
	ck_assert(!step());
	check_told(0, 500, 1);
	check_told(500, CROWD, 0);
}
END_TEST

START_TEST(a_scheduled_room_is_told_of_when_it_is_opened)
{
	desk.registry.limits.schedule_max_ms = 86400000;
	ask(Q("room.schedule", "ann", ",\"starts_ms\":1700000009000"));
	ck_assert(!step());
	ask(Q("room.open", "ann", ""));
	ck_assert(step());
	check_told(0, 500, 1);
}
END_TEST

/* Who comes and goes while it is being told: the new are not told, those known before may be; who
 * has been told and follows anew is not told twice. */
START_TEST(who_follows_meanwhile)
{
	ask(Q("room.open", "ann", ""));
	ck_assert(step());
	follow("u1201", "\"ann\""); /* new: their record is younger than the opening */
	follow("u3", "");
	follow("u3", "\"ann\"");
	follow("u700", "");
	follow("u701", "");
	follow("u701", "\"ann\",\"zoe\"");
	while (!last)
		ck_assert(step());
	check_told(0, 700, 1);
	check_told(700, 701, 0);
	check_told(701, CROWD, 1);
	check_told(1201, 1202, 0);
}
END_TEST

START_TEST(all_who_are_left_may_go)
{
	ask(Q("room.open", "ann", ""));
	ck_assert(step());
	for (unsigned int i = 500; i < CROWD; i++) {
		char name[8];

		snprintf(name, sizeof(name), "u%u", i);
		follow(name, "");
	}
	ck_assert(step());
	ck_assert(last);
	check_told(0, 500, 1);
	check_told(500, CROWD, 0);
	ck_assert(!step());
}
END_TEST

START_TEST(a_room_that_closes_is_told_of_no_more)
{
	ask(Q("room.open", "ann", ""));
	ck_assert(step());
	ask(Q("room.close", "ann", ""));
	ck_assert(!step());
	ck_assert_uint_eq(desk.registry.telling.count, 0);
}
END_TEST

/* One room after the other, in the order of their ids. */
START_TEST(rooms_take_turns)
{
	ask(IN("a", "room.open", "v", ""));
	ask(IN("b", "room.open", "ann", ""));
	ck_assert(step());
	check_told(0, CROWD, 0);
	parts = 0;
	ck_assert(step());
	check_told(0, 500, 1);
	ck_assert(step() && step());
	check_told(0, CROWD, 1);
	ck_assert(!step());
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("announcement");
	TCase *tcase = tcase_create("announcement");

	parse_setup();
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_set_timeout(tcase, 30);
	tcase_add_test(tcase, all_are_told_once_in_parts);
	tcase_add_test(tcase, who_has_no_followers_is_told_of_to_nobody);
	tcase_add_test(tcase, a_room_for_the_invited_is_not_told_of);
	tcase_add_test(tcase, telling_ends_when_a_room_is_for_the_invited);
	tcase_add_test(tcase, a_scheduled_room_is_told_of_when_it_is_opened);
	tcase_add_test(tcase, who_follows_meanwhile);
	tcase_add_test(tcase, all_who_are_left_may_go);
	tcase_add_test(tcase, a_room_that_closes_is_told_of_no_more);
	tcase_add_test(tcase, rooms_take_turns);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
