/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reminders: who sets which, when they are due by a wall clock that stands, goes, jumps ahead and
 * falls back, how many that share a moment are spread, and a slow model of all of it.
 */
#include <inttypes.h>

#include "controlplane/rooms/due.h"
#include "tests/support/rule.h"

/* The desk's clock stands at 1,700,000,000,000 ms; the room starts an hour later. */
#define NOW_MS 1700000000000
#define START_MS 1700003600000
#define PLAN Q("room.schedule", "ann", ",\"starts_ms\":1700003600000")
#define SET(who_, more_) Q("reminder.set", who_, more_)
#define MINUTE ",\"before_ms\":60000"
#define CANCEL(who_) Q("reminder.cancel", who_, "")

static const struct rule rows[] = {
	{"a reminder of the start", {PLAN}, SET("bob", ""), VERDICT_OK, "\"due_ms\":1700003600000",
		0, 0},
	{"of a minute before it", {PLAN}, SET("bob", MINUTE), VERDICT_OK,
		"\"due_ms\":1700003540000", 0, 0},
	{"of a day before it", {PLAN}, SET("bob", ",\"before_ms\":86400000"), VERDICT_OK,
		"\"due_ms\":1699917200000", 0, 0},
	{"not of more than that", {PLAN}, SET("bob", ",\"before_ms\":86400001"), VERDICT_INVALID,
		"before_ms"},
	{"again takes the place of the first", {PLAN, SET("bob", "")}, SET("bob", MINUTE),
		VERDICT_OK, "\"due_ms\":1700003540000", 0, 0},
	{"of no room", {0}, SET("bob", ""), VERDICT_NO_SUCH_ROOM, "tea"},
	{"of a room that is live", {OPEN}, SET("bob", ""), VERDICT_CONFLICT, "is live already"},
	{"cancelled", {PLAN, SET("bob", "")}, CANCEL("bob"), VERDICT_OK, "\"reminder\":\"", 0, 0},
	{"once", {PLAN, SET("bob", ""), CANCEL("bob")}, CANCEL("bob"), VERDICT_NO_SUCH_THING,
		"\"bob\" has no reminder"},
	{"nobody's else", {PLAN, SET("bob", "")}, CANCEL("eve"), VERDICT_NO_SUCH_THING, "eve"},
	{"it moves with the room",
		{PLAN, SET("bob", MINUTE), Q("room.update", "ann", ",\"starts_ms\":1700000120000")},
		SET("eve", MINUTE), VERDICT_OK, "\"due_ms\":1700000060000", 0, 0},
};

static void open_desk(struct desk *desk)
{
	desk_open(desk);
	desk->registry.limits.schedule_max_ms = 14 * 24 * 3600000ull;
	desk->registry.limits.reminder_spread_min = 1000;
}

START_TEST(a_request_has_its_answer)
{
	struct desk desk;

	open_desk(&desk);
	rule_check_at(&desk, &rows[_i]);
}
END_TEST

static void good(struct desk *desk, const char *line)
{
	ck_assert_msg(desk_ask(desk, line) == VERDICT_OK, "%s: %s", line, desk->verdict.message);
}

static void set_many(struct desk *desk, unsigned int count, unsigned int before_ms)
{
	char line[160];

	for (unsigned int i = 0; i < count; i++) {
		snprintf(line, sizeof(line), SET("u%u.%u", ",\"before_ms\":%u"), before_ms, i,
			before_ms);
		good(desk, line);
	}
}

/* One step of what is due; its event, without a newline. False: there is none. */
static bool step(struct desk *desk, char *text, size_t size)
{
	struct plan plan;
	bool done;

	desk->registry.wake_ns = 0;
	plan_init(&plan, &desk->now);
	done = reminder_due(&plan, &desk->registry);
	ck_assert_int_eq(plan.verdict.code, VERDICT_OK);
	for (size_t i = 0; i < plan.change_count; i++) {
		if (plan.changes[i].type == CHANGE_EVENT)
			snprintf(text, size, "%.*s", (int)plan.changes[i].event.size,
				plan.changes[i].event.text);
	}
	plan_clear(&plan);
	return done;
}

/* How many are told at that time; the wall clock alone moves. */
static unsigned int told_at(struct desk *desk, int64_t wall_ms)
{
	static char text[65536];
	unsigned int told = 0;

	desk->now.wall_ms = wall_ms;
	while (step(desk, text, sizeof(text))) {
		unsigned int part = 0;

		for (const char *at = text; (at = strstr(at, "\"user\":")) != NULL; at++)
			part++;
		ck_assert_uint_ge(part, 1);
		ck_assert_uint_le(part, 500);
		told += part;
	}
	return told;
}

START_TEST(it_comes_in_time_and_once)
{
	char text[1024];
	struct desk desk;

	open_desk(&desk);
	good(&desk, PLAN);
	good(&desk, SET("bob", MINUTE));
	good(&desk, SET("eve", ""));
	desk.now.wall_ms = START_MS - 60001;
	ck_assert(!step(&desk, text, sizeof(text)));
	/* The loop is woken a millisecond later. */
	ck_assert_uint_eq(desk.registry.wake_ns, desk.now.mono_ns + 1000000);
	desk.now.wall_ms++;
	ck_assert(step(&desk, text, sizeof(text)));
	ck_assert_ptr_nonnull(strstr(text, "\"type\":\"reminder.due\""));
	ck_assert_ptr_nonnull(strstr(text, "\"user\":\"bob\"}],\"due_ms\":1700003540000,"
					   "\"starts_ms\":1700003600000}"));
	ck_assert_ptr_null(strstr(text, "eve"));
	ck_assert(!step(&desk, text, sizeof(text)));
	ck_assert_ptr_null(reminder_of_user(registry_room(&desk.registry, "tea"), "bob"));
	ck_assert_uint_eq(told_at(&desk, START_MS - 1), 0);
	ck_assert_uint_eq(told_at(&desk, START_MS), 1);
	ck_assert_uint_eq(told_at(&desk, START_MS + 1000), 0);
	/* Nothing is left to wait for. */
	ck_assert_uint_eq(desk.registry.wake_ns, 0);
	desk_close(&desk);
}
END_TEST

/* TRAPS 57: the wall clock is what was promised; ahead makes due, back repeats nothing. */
START_TEST(the_clock_is_set)
{
	struct desk desk;

	open_desk(&desk);
	good(&desk, PLAN);
	set_many(&desk, 3, 60000);
	set_many(&desk, 2, 0);
	ck_assert_uint_eq(told_at(&desk, NOW_MS), 0);
	/* A year ahead, and back. */
	ck_assert_uint_eq(told_at(&desk, NOW_MS + 365 * 86400000ll), 5);
	ck_assert_uint_eq(told_at(&desk, NOW_MS - 365 * 86400000ll), 0);
	ck_assert_uint_eq(told_at(&desk, START_MS), 0);
	/* A year back first: it is due when the clock says so, not an hour from now. */
	desk.now.wall_ms = NOW_MS;
	set_many(&desk, 4, 1000);
	ck_assert_uint_eq(told_at(&desk, NOW_MS - 365 * 86400000ll), 0);
	ck_assert_uint_eq(told_at(&desk, START_MS - 1001), 0);
	ck_assert_uint_eq(told_at(&desk, START_MS - 1000), 4);
	desk_close(&desk);
}
END_TEST

START_TEST(it_moves_with_the_room)
{
	struct desk desk;
	struct plan plan;

	open_desk(&desk);
	good(&desk, PLAN);
	set_many(&desk, 3, 60000);
	ck_assert_uint_eq(told_at(&desk, NOW_MS), 0);
	good(&desk, Q("room.update", "ann", ",\"starts_ms\":1700000120000"));
	ck_assert_uint_eq(told_at(&desk, NOW_MS + 59999), 0);
	/* Later, and taken back; the clock has not moved meanwhile. */
	ck_assert(desk_plan(&desk, &plan, Q("room.update", "ann", ",\"starts_ms\":1700003600000")));
	ck_assert_uint_eq(told_at(&desk, NOW_MS + 60000), 0);
	plan_revert(&plan, &desk.registry);
	plan_clear(&plan);
	ck_assert_uint_eq(told_at(&desk, NOW_MS + 60000), 3);
	desk_close(&desk);
}
END_TEST

/* Early, at the opening: the event says when that was. */
START_TEST(a_room_that_opens_early_calls_everybody)
{
	char text[1024];
	struct desk desk;

	open_desk(&desk);
	good(&desk, PLAN);
	good(&desk, SET("bob", MINUTE));
	desk.now.wall_ms += 5000;
	good(&desk, Q("room.open", "ann", ""));
	ck_assert(step(&desk, text, sizeof(text)));
	ck_assert_ptr_nonnull(strstr(text, "\"user\":\"bob\"}],\"due_ms\":1700000005000,"
					   "\"starts_ms\":1700000005000}"));
	ck_assert(!step(&desk, text, sizeof(text)));
	desk_close(&desk);
}
END_TEST

START_TEST(a_room_that_is_cancelled_calls_nobody)
{
	struct desk desk;

	open_desk(&desk);
	good(&desk, PLAN);
	set_many(&desk, 3, 0);
	good(&desk, Q("room.close", "ann", ""));
	ck_assert_uint_eq(told_at(&desk, START_MS), 0);
	desk_close(&desk);
}
END_TEST

/* 1,001 share a moment: each is told in the second of the minute that its id gives it. */
START_TEST(many_are_spread_over_a_minute)
{
	unsigned int expected[60] = {0}, told = 0;
	const struct reminder *reminder;
	struct desk desk;
	uint64_t id = 0;

	open_desk(&desk);
	desk.registry.limits.room_members_max = 3000;
	good(&desk, PLAN);
	set_many(&desk, 1001, 0);
	set_many(&desk, 700, 60000);
	while ((reminder = roster_next(&registry_room(&desk.registry, "tea")->reminders, &id)) !=
		NULL)
		expected[id % 60] += reminder->before_ms == 0;
	ck_assert_uint_eq(told_at(&desk, START_MS - 60000), 700);
	ck_assert_uint_eq(told_at(&desk, START_MS - 1), 0);
	for (unsigned int second = 0; second < 60; second++) {
		ck_assert_uint_eq(told_at(&desk, START_MS + second * 1000 + 999), expected[second]);
		told += expected[second];
		/* Woken at the next second, which some of so many have. */
		if (second < 59)
			ck_assert_uint_eq(desk.registry.wake_ns, desk.now.mono_ns + 1000000);
	}
	ck_assert_uint_eq(told, 1001);
	desk_close(&desk);
}
END_TEST

START_TEST(as_many_as_the_limit_are_not)
{
	struct desk desk;

	open_desk(&desk);
	good(&desk, PLAN);
	set_many(&desk, 1000, 0);
	ck_assert_uint_eq(told_at(&desk, START_MS), 1000);
	desk_close(&desk);
}
END_TEST

/* Half of the minute is over when the clock jumps an hour: all the others at once. */
START_TEST(a_minute_that_has_passed_is_not_waited_for)
{
	unsigned int told;
	struct desk desk;

	open_desk(&desk);
	desk.registry.limits.room_members_max = 3000;
	good(&desk, PLAN);
	set_many(&desk, 1200, 0);
	told = told_at(&desk, START_MS + 29000);
	ck_assert_uint_gt(told, 0);
	ck_assert_uint_lt(told, 1200);
	ck_assert_uint_eq(told_at(&desk, START_MS + 3600000), 1200 - told);
	desk_close(&desk);
}
END_TEST

#define ROOMS 5
#define USERS 40
#define STEPS 20000

/* By the rule's words: more than 10 that share a due time when it comes are spread. */
#define LIMIT 10
#define GROUPS 3 /* none, one or two minutes before the start */

struct model_group {
	int64_t begun_ms; /* the due time for which it was decided whether */
	bool spread;      /* they are spread */
};

struct model_room {
	bool scheduled;
	int64_t starts_ms;
	int group[USERS]; /* -1: has no reminder */
	struct model_group groups[GROUPS];
};

static unsigned int model_count(const struct model_room *room, int group)
{
	unsigned int count = 0;

	for (unsigned int user = 0; user < USERS; user++)
		count += room->group[user] == group;
	return count;
}

/* Who is to be told now; ids are the registry's. */
static unsigned int model_due(
	struct model_room *room, const struct desk *desk, unsigned int r, bool *due)
{
	const struct room *open;
	unsigned int count = 0;
	char name[16];

	snprintf(name, sizeof(name), "r%u", r);
	open = registry_room(&desk->registry, name);
	for (unsigned int user = 0; user < USERS; user++) {
		struct model_group *group;
		int64_t due_ms = room->starts_ms - room->group[user] * 60000;

		due[user] = false;
		if (!room->scheduled || room->group[user] < 0 || due_ms > desk->now.wall_ms)
			continue;
		group = &room->groups[room->group[user]];
		if (group->begun_ms != due_ms)
			*group = (struct model_group){
				due_ms, model_count(room, room->group[user]) > LIMIT};
		snprintf(name, sizeof(name), "u%u", user);
		if (group->spread)
			due_ms += (int64_t)(reminder_of_user(open, name)->id % 60) * 1000;
		due[user] = due_ms <= desk->now.wall_ms;
		count += due[user];
	}
	return count;
}

static unsigned int model_told(struct model_room *room, const bool *due, const char *text)
{
	unsigned int user, count = 0;

	for (const char *at = text; (at = strstr(at, "\"user\":\"u")) != NULL; at++) {
		ck_assert_int_eq(sscanf(at, "\"user\":\"u%u\"", &user), 1);
		ck_assert_msg(due[user] && room->group[user] >= 0, "u%u is told: %s", user, text);
		room->group[user] = -1;
		count++;
	}
	return count;
}

static void clear_room(struct model_room *room, int64_t starts_ms)
{
	*room = (struct model_room){.scheduled = starts_ms != 0, .starts_ms = starts_ms};
	for (unsigned int user = 0; user < USERS; user++)
		room->group[user] = -1;
}

static void model_ask(struct desk *desk, struct model_room *rooms, struct random_state *random)
{
	unsigned int r = random_below(random, ROOMS), user = random_below(random, USERS);
	unsigned int kind = random_below(random, 20);
	int group = (int)random_below(random, GROUPS);
	int64_t starts_ms = desk->now.wall_ms + 1 + random_below(random, 600000);
	struct model_room *room = &rooms[r], after = rooms[r];
	struct plan plan;
	char line[200];
	bool expected;

	if (kind == 0) {
		expected = !room->scheduled;
		clear_room(&after, starts_ms);
		snprintf(line, sizeof(line),
			IN("r%u", "room.schedule", "ann", ",\"starts_ms\":%" PRId64), r, starts_ms);
	} else if (kind == 1) {
		expected = room->scheduled;
		after.starts_ms = starts_ms;
		snprintf(line, sizeof(line),
			IN("r%u", "room.update", "ann", ",\"starts_ms\":%" PRId64), r, starts_ms);
	} else if (kind == 2 && random_below(random, 10) == 0) {
		expected = room->scheduled;
		clear_room(&after, 0);
		snprintf(line, sizeof(line), IN("r%u", "room.close", "ann", ""), r);
	} else if (kind < 16) {
		expected = room->scheduled;
		after.group[user] = group;
		snprintf(line, sizeof(line),
			"{\"id\":\"i\",\"type\":\"reminder.set\",\"actor\":\"u%u\",\"room\":\"r%"
			"u\","
			"\"before_ms\":%d}",
			user, r, group * 60000);
	} else {
		expected = room->scheduled && room->group[user] >= 0;
		after.group[user] = -1;
		snprintf(line, sizeof(line),
			"{\"id\":\"i\",\"type\":\"reminder.cancel\",\"actor\":\"u%u\","
			"\"room\":\"r%u\"}",
			user, r);
	}
	ck_assert_msg(
		desk_plan(desk, &plan, line) == expected, "%s: %s", line, desk->verdict.message);
	/* A group that is empty, if only until that is taken back, begins anew. */
	for (int i = 0; expected && kind > 2 && i < GROUPS; i++) {
		bool only = room->group[user] == i && model_count(room, i) == 1;

		if (only || model_count(room, i) == 0 || model_count(&after, i) == 0)
			room->groups[i].begun_ms = after.groups[i].begun_ms = 0;
	}
	if (expected && random_below(random, 4) == 0)
		plan_revert(&plan, &desk->registry);
	else if (expected)
		*room = after;
	plan_clear(&plan);
}

START_TEST(everybody_is_told_in_time_and_once)
{
	static struct model_room rooms[ROOMS];
	static bool due[ROOMS][USERS];
	struct random_state random;
	static char text[16384];
	unsigned int r, total = 0;
	struct desk desk;

	random_seed(&random);
	open_desk(&desk);
	desk.registry.limits.reminder_spread_min = LIMIT;
	for (r = 0; r < ROOMS; r++)
		clear_room(&rooms[r], 0);
	for (unsigned int i = 0; i < STEPS; i++) {
		unsigned int expected = 0, told = 0;

		model_ask(&desk, rooms, &random);
		desk.now.wall_ms += random_below(&random, 300);
		desk.now.mono_ns += 1000000;
		for (r = 0; r < ROOMS; r++)
			expected += model_due(&rooms[r], &desk, r, due[r]);
		while (step(&desk, text, sizeof(text))) {
			ck_assert_int_eq(
				sscanf(strstr(text, "\"room\":"), "\"room\":\"r%u\"", &r), 1);
			told += model_told(&rooms[r], due[r], text);
		}
		ck_assert_uint_eq(told, expected);
		total += told;
	}
	ck_assert_uint_gt(total, STEPS / 10);
	desk_close(&desk);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("reminder");
	TCase *tcase = tcase_create("reminder");

	parse_setup();
	tcase_add_loop_test(tcase, a_request_has_its_answer, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tcase, it_comes_in_time_and_once);
	tcase_add_test(tcase, the_clock_is_set);
	tcase_add_test(tcase, it_moves_with_the_room);
	tcase_add_test(tcase, a_room_that_opens_early_calls_everybody);
	tcase_add_test(tcase, a_room_that_is_cancelled_calls_nobody);
	tcase_add_test(tcase, many_are_spread_over_a_minute);
	tcase_add_test(tcase, as_many_as_the_limit_are_not);
	tcase_add_test(tcase, a_minute_that_has_passed_is_not_waited_for);
	tcase_add_test(tcase, everybody_is_told_in_time_and_once);
	tcase_set_timeout(tcase, 120);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
