/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reactions: who may send which, that one event a half second says how many came, and what a
 * hundred thousand of them a second take.
 */
#include <time.h>

#include "controlplane/rooms/due.h"
#include "tests/support/rule.h"

#define CLAP "\xF0\x9F\x91\x8F" /* U+1F44F */
#define FIRE "\xF0\x9F\x94\xA5" /* U+1F525 */
#define MS_NS 1000000ull
#define SEND(who_, emoji_, more_) Q("reaction.send", who_, ",\"emoji\":\"" emoji_ "\"" more_)

static const struct rule rows[] = {
	{"a member reacts: nothing is stored", {OPEN, JOIN("bob", "listener", 2)},
		SEND("bob", CLAP, ""), VERDICT_OK, "\"emoji\":\"" CLAP "\",\"count\":1", 0, 0},
	{"ten times at once", {OPEN, JOIN("bob", "listener", 2)},
		SEND("bob", CLAP, ",\"count\":10"), VERDICT_OK, "\"count\":10", 0, 0},
	{"not eleven", {OPEN, JOIN("bob", "listener", 2)}, SEND("bob", CLAP, ",\"count\":11"),
		VERDICT_INVALID, "count"},
	{"who is muted may",
		{OPEN, JOIN("ann", "host", 1), Q("moderation.mute", "ann", WHO("ann"))},
		SEND("ann", FIRE, ""), VERDICT_OK, FIRE, 0, 0},
	{"nobody else", {OPEN}, SEND("bob", CLAP, ""), VERDICT_NO_SUCH_MEMBER, "bob"},
	{"in no room", {0}, SEND("bob", CLAP, ""), VERDICT_NO_SUCH_ROOM, "tea"},
	{"only what is on the list", {OPEN, JOIN("bob", "listener", 2)}, SEND("bob", "x", ""),
		VERDICT_INVALID, "one of " CLAP " " FIRE},
	{"an escape is the same", {OPEN, JOIN("bob", "listener", 2)},
		SEND("bob", "\\ud83d\\udc4f", ""), VERDICT_OK, CLAP, 0, 0},
	{"too fast",
		{OPEN, JOIN("bob", "listener", 2), SEND("bob", CLAP, ""), SEND("bob", CLAP, "")},
		SEND("bob", CLAP, ""), VERDICT_RATE_LIMITED, "too often"},
	{"five a second",
		{OPEN, JOIN("bob", "listener", 2), SEND("bob", CLAP, ""), SEND("bob", CLAP, ""),
			"+wait 200"},
		SEND("bob", CLAP, ""), VERDICT_OK, CLAP, 0, 0},
};

static void open_desk(struct desk *desk, uint32_t rate)
{
	desk_open(desk);
	strcpy(desk->registry.limits.reactions[0], CLAP);
	strcpy(desk->registry.limits.reactions[1], FIRE);
	desk->registry.limits.reaction_count = 2;
	desk->registry.limits.reactions_per_second = rate;
	desk->registry.limits.reactions_burst = 2;
}

START_TEST(a_request_has_its_answer)
{
	struct desk desk;

	open_desk(&desk, 5);
	rule_check_at(&desk, &rows[_i]);
}
END_TEST

static void good(struct desk *desk, const char *line)
{
	ck_assert_msg(desk_ask(desk, line) == VERDICT_OK, "%s: %s", line, desk->verdict.message);
}

/* What is told at that time, all rooms' events one after the other. */
static const char *told_at(struct desk *desk, uint64_t mono_ns)
{
	static char text[65536];
	struct plan plan;
	size_t used = 0;
	bool more;

	text[0] = '\0';
	desk->now.mono_ns = mono_ns;
	desk->registry.wake_ns = 0;
	do {
		plan_init(&plan, &desk->now);
		more = reaction_due(&plan, &desk->registry);
		ck_assert(plan_is_live(&plan));
		ck_assert_int_eq(more, plan.change_count > 0);
		for (size_t i = 0; i < plan.change_count; i++)
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%.*s",
				(int)plan.changes[i].event.size, plan.changes[i].event.text);
		plan_clear(&plan);
	} while (more);
	return text;
}

START_TEST(a_half_second_is_one_event)
{
	struct desk desk;
	uint64_t begun;

	open_desk(&desk, 0);
	good(&desk, OPEN);
	good(&desk, JOIN("bob", "listener", 2));
	begun = desk.now.mono_ns;
	desk.registry.wake_ns = 0;
	good(&desk, SEND("bob", CLAP, ",\"count\":3"));
	/* The loop is woken: half a second later, at a twentieth of a second. */
	ck_assert_uint_eq(desk.registry.wake_ns, begun + 500 * MS_NS);
	desk.now.mono_ns += 400 * MS_NS;
	good(&desk, SEND("bob", FIRE, ""));
	good(&desk, SEND("bob", CLAP, ""));
	ck_assert_str_eq(told_at(&desk, begun + 500 * MS_NS - 1), "");
	ck_assert_uint_eq(desk.registry.wake_ns, begun + 500 * MS_NS);
	ck_assert_str_eq(told_at(&desk, begun + 500 * MS_NS),
		"{\"type\":\"room.reactions\",\"at_ms\":1700000000000,\"room\":\"tea\","
		"\"counts\":{\"" CLAP "\":4,\"" FIRE "\":1},\"total\":{\"" CLAP "\":4,\"" FIRE
		"\":1},\"window_ms\":500}\n");
	/* Then nothing, and no waking up for it, until the next comes. */
	ck_assert_str_eq(told_at(&desk, begun + 5000 * MS_NS), "");
	ck_assert_uint_eq(desk.registry.wake_ns, 0);
	desk.now.mono_ns = begun + 5010 * MS_NS;
	good(&desk, SEND("bob", CLAP, ""));
	ck_assert_str_eq(told_at(&desk, begun + 5510 * MS_NS), "");
	ck_assert_ptr_nonnull(strstr(told_at(&desk, begun + 5550 * MS_NS),
		"\"counts\":{\"" CLAP "\":1},\"total\":{\"" CLAP "\":5,\"" FIRE "\":1}"));
	desk_close(&desk);
}
END_TEST

START_TEST(what_is_taken_back_is_not_told)
{
	struct desk desk;
	struct plan plan;

	open_desk(&desk, 0);
	good(&desk, OPEN);
	good(&desk, JOIN("bob", "listener", 2));
	ck_assert(desk_plan(&desk, &plan, SEND("bob", CLAP, "")));
	plan_revert(&plan, &desk.registry);
	plan_clear(&plan);
	ck_assert_str_eq(told_at(&desk, desk.now.mono_ns + 600 * MS_NS), "");
	good(&desk, SEND("bob", FIRE, ""));
	ck_assert_ptr_nonnull(strstr(
		told_at(&desk, desk.now.mono_ns + 600 * MS_NS), "\"total\":{\"" FIRE "\":1}"));
	desk_close(&desk);
}
END_TEST

/* The room ends before the half second does, while others go on. */
START_TEST(of_a_room_that_has_ended_nothing_is_told)
{
	struct desk desk;
	const char *told;

	open_desk(&desk, 0);
	for (char room = 'a'; room <= 'c'; room++) {
		char line[200];

		snprintf(line, sizeof(line), IN("%c", "room.open", "ann", ""), room);
		good(&desk, line);
		snprintf(line, sizeof(line), JOIN_IN("%c", "bob", "listener", 2), room);
		good(&desk, line);
		snprintf(line, sizeof(line),
			IN("%c", "reaction.send", "bob", ",\"emoji\":\"" CLAP "\""), room);
		good(&desk, line);
	}
	good(&desk, IN("b", "room.close", "ann", ""));
	good(&desk, IN("c", "room.close", "ann", ""));
	told = told_at(&desk, desk.now.mono_ns + 600 * MS_NS);
	ck_assert_ptr_nonnull(strstr(told, "\"room\":\"a\""));
	ck_assert_ptr_null(strstr(told, "\"room\":\"b\""));
	ck_assert_ptr_null(strstr(told, "\"room\":\"c\""));
	good(&desk, IN("a", "reaction.send", "bob", ",\"emoji\":\"" CLAP "\""));
	desk_close(&desk); /* with one pending */
}
END_TEST

#define ROOMS 1000
#define SECONDS 2
#define A_SECOND 100000

static double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void many_rooms(struct desk *desk, struct event *events)
{
	static char names[ROOMS][16];
	struct plan plan;
	char line[200];

	desk->registry.limits.rooms_max = ROOMS;
	for (unsigned int r = 0; r < ROOMS; r++) {
		snprintf(names[r], sizeof(names[r]), "r%u", r);
		snprintf(line, sizeof(line), IN("%s", "room.open", "ann", ""), names[r]);
		good(desk, line);
		snprintf(line, sizeof(line), JOIN_IN("%s", "ann", "listener", 2), names[r]);
		good(desk, line);
		events[r] = (struct event){.type = event_type_find("reaction.send"),
			.id = "i",
			.actor = "ann",
			.room = names[r]};
		event_defaults(events[r].type->fields, events[r].body);
		memcpy(events[r].body, &(const char *){CLAP}, sizeof(char *));
		plan_init(&plan, &desk->now);
	}
}

/*
 * 100,000 a second over a thousand rooms: 2,000 events a second, at most, and far less than the
 * second they come in. The bound is wide, for sanitizers and busy machines; the line that is
 * printed is what to look at.
 */
START_TEST(a_hundred_thousand_a_second_cost_little)
{
	static struct event events[ROOMS];
	unsigned int told = 0;
	struct desk desk;
	struct plan plan;
	double begun;

	open_desk(&desk, 0);
	many_rooms(&desk, events);
	begun = seconds_now();
	for (unsigned int i = 0; i < SECONDS * A_SECOND; i++) {
		desk.now.mono_ns += 1000000000ull / A_SECOND;
		plan_init(&plan, &desk.now);
		event_decide(&desk.registry, &events[i % ROOMS], &plan);
		ck_assert_int_eq(plan.verdict.code, VERDICT_OK);
		plan_clear(&plan);
		if (desk.registry.wake_ns > desk.now.mono_ns)
			continue;
		desk.registry.wake_ns = 0;
		plan_init(&plan, &desk.now);
		while (due_run(&plan, &desk.registry)) {
			told += plan_is_live(&plan) ? plan.change_count : 0;
			plan_clear(&plan);
			plan_init(&plan, &desk.now);
		}
	}
	begun = seconds_now() - begun;
	printf("%u reactions in %u rooms: %.3f s, %u events\n", SECONDS * A_SECOND, ROOMS, begun,
		told);
	ck_assert_uint_le(told, ROOMS * SECONDS * 2);
	ck_assert_uint_ge(told, ROOMS * (SECONDS * 2 - 2));
	ck_assert(begun < SECONDS);
	desk_close(&desk);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("reaction");
	TCase *tcase = tcase_create("reaction");

	parse_setup();
	tcase_add_loop_test(tcase, a_request_has_its_answer, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tcase, a_half_second_is_one_event);
	tcase_add_test(tcase, what_is_taken_back_is_not_told);
	tcase_add_test(tcase, of_a_room_that_has_ended_nothing_is_told);
	tcase_add_test(tcase, a_hundred_thousand_a_second_cost_little);
	tcase_set_timeout(tcase, 60);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
