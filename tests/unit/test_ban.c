/* SPDX-License-Identifier: BSD-3-Clause */
/* A ban is from all rooms of a host: those of now, those to come, and those that change hands. */
#include "tests/support/rule.h"

#define BAN(actor_, who_) Q("moderation.ban", actor_, WHO(who_))
#define UNBAN(actor_, who_) Q("moderation.unban", actor_, WHO(who_))
#define OPEN_AS(room_, host_) IN(room_, "room.open", host_, ",\"open_floor\":true")
#define HOUSE OPEN, OPEN_AS("pub", "ann"), OPEN_AS("bar", "deb")
#define BOB_IN(room_, port_) JOIN_IN(room_, "bob", "speaker", port_)
#define EVERYWHERE HOUSE, BOB_IN("tea", 1), BOB_IN("pub", 2), BOB_IN("bar", 3)

static const struct rule rows[] = {
	{"out of all of the host's rooms, and no others", {EVERYWHERE}, BAN("ann", "bob"),
		VERDICT_OK, "\"host\":\"ann\",\"rooms\":[\"tea\",\"pub\"]", 2, 3,
		"\"reason\":\"banned\""},
	{"the room it was asked in says so", {EVERYWHERE},
		Q("moderation.ban", "ann", WHO("bob") ",\"reason\":\"spam\""), VERDICT_OK, "rooms",
		2, 3, "\"host\":\"ann\",\"reason\":\"spam\"}"},
	{"who is nowhere is banned as well", {OPEN}, BAN("ann", "bob"), VERDICT_OK, "\"rooms\":[]",
		0, 1, "moderation.banned"},
	{"a moderator of the platform bans for the host", {EVERYWHERE, MODERATOR("mo")},
		BAN("mo", "bob"), VERDICT_OK, "\"host\":\"ann\",\"rooms\":[\"tea\",\"pub\"]", 2, 3},
	{"a cohost does not", {OPEN, "+cohost cy"}, BAN("cy", "bob"), VERDICT_NOT_ALLOWED,
		"only the host of"},
	{"nobody bans themself", {OPEN}, BAN("ann", "ann"), VERDICT_NOT_ALLOWED, "own rooms"},
	{"nor the host from what is theirs", {OPEN, MODERATOR("mo")}, BAN("mo", "ann"),
		VERDICT_NOT_ALLOWED, "own rooms"},
	{"nor a moderator of the platform", {OPEN, MODERATOR("mo")}, BAN("ann", "mo"),
		VERDICT_NOT_ALLOWED, "moderator of the platform"},
	{"not twice", {OPEN, BAN("ann", "bob")}, BAN("ann", "bob"), VERDICT_ALREADY_EXISTS,
		"is banned from the rooms of \"ann\""},
	{"nor in another of their rooms", {HOUSE, BAN("ann", "bob")},
		IN("pub", "moderation.ban", "ann", WHO("bob")), VERDICT_ALREADY_EXISTS, "banned"},
	{"another host has bans of their own", {HOUSE, BAN("ann", "bob")},
		IN("bar", "moderation.ban", "deb", WHO("bob")), VERDICT_OK, "\"host\":\"deb\"", 0,
		1},
	{"who was removed may be banned",
		{OPEN, BOB_IN("tea", 1), Q("moderation.remove", "ann", WHO("bob"))},
		BAN("ann", "bob"), VERDICT_OK, "\"rooms\":[]", 0, 1},

	{"who is banned does not come back", {EVERYWHERE, BAN("ann", "bob")}, BOB_IN("tea", 4),
		VERDICT_NOT_ALLOWED, "\"bob\" is banned"},
	{"nor into the other room", {EVERYWHERE, BAN("ann", "bob")}, BOB_IN("pub", 4),
		VERDICT_NOT_ALLOWED, "banned"},
	{"nor by the host's hand", {OPEN, BAN("ann", "bob")},
		Q("member.join", "ann",
			WHO("bob") ",\"role\":\"listener\",\"transport\":\"webrtc\""),
		VERDICT_NOT_ALLOWED, "banned"},
	{"nor into a room opened later", {OPEN, BAN("ann", "bob"), OPEN_AS("new", "ann")},
		BOB_IN("new", 4), VERDICT_NOT_ALLOWED, "banned"},
	{"but into another host's", {OPEN, BAN("ann", "bob"), OPEN_AS("bar", "deb")},
		BOB_IN("bar", 4), VERDICT_OK, "bob", 1, 1},
	{"a cohost who is banned has no rank",
		{OPEN, BOB_IN("tea", 1), "+cohost cy", BAN("ann", "cy")},
		Q("moderation.mute", "cy", WHO("bob")), VERDICT_NOT_ALLOWED,
		"only the host or a cohost"},

	{"a ban is lifted", {OPEN, BAN("ann", "bob")}, UNBAN("ann", "bob"), VERDICT_OK,
		"\"host\":\"ann\"", 0, 1, "moderation.unbanned"},
	{"not by a cohost", {OPEN, "+cohost cy", BAN("ann", "bob")}, UNBAN("cy", "bob"),
		VERDICT_NOT_ALLOWED, "only the host"},
	{"not where there is none", {OPEN}, UNBAN("ann", "bob"), VERDICT_NO_SUCH_THING,
		"is not banned"},
	{"a removal is none", {OPEN, BOB_IN("tea", 1), Q("moderation.remove", "ann", WHO("bob"))},
		UNBAN("ann", "bob"), VERDICT_NO_SUCH_THING, "is not banned"},
	{"then they come back, into all rooms",
		{EVERYWHERE, BAN("ann", "bob"), IN("pub", "moderation.unban", "ann", WHO("bob"))},
		BOB_IN("tea", 4), VERDICT_OK, "bob", 1, 1},
	{"but not where they had been removed",
		{OPEN, BOB_IN("tea", 1), Q("moderation.remove", "ann", WHO("bob")),
			BAN("ann", "bob"), UNBAN("ann", "bob")},
		BOB_IN("tea", 4), VERDICT_NOT_ALLOWED, "was removed"},
};

START_TEST(a_rule_holds)
{
	rule_check(&rows[_i]);
}
END_TEST

/* As an inheritance does it. */
static void hand_over(struct desk *desk, const char *host)
{
	strcpy(registry_room(&desk->registry, "tea")->host.text, host);
}

START_TEST(a_ban_outlasts_the_host)
{
	struct desk desk;

	desk_open(&desk);
	desk_ask(&desk, OPEN);
	ck_assert_int_eq(desk_ask(&desk, BAN("ann", "bob")), VERDICT_OK);
	hand_over(&desk, "deb");
	ck_assert_int_eq(desk_ask(&desk, BOB_IN("tea", 1)), VERDICT_NOT_ALLOWED);
	/* Whose it is now may let them in; ann's other rooms are not theirs to open. */
	ck_assert_int_eq(desk_ask(&desk, UNBAN("deb", "bob")), VERDICT_OK);
	ck_assert_int_eq(desk_ask(&desk, UNBAN("deb", "bob")), VERDICT_NO_SUCH_THING);
	ck_assert_int_eq(desk_ask(&desk, BOB_IN("tea", 1)), VERDICT_OK);
	ck_assert_int_eq(desk_ask(&desk, OPEN_AS("new", "ann")), VERDICT_OK);
	ck_assert_int_eq(desk_ask(&desk, BOB_IN("new", 2)), VERDICT_NOT_ALLOWED);
	desk_close(&desk);
}
END_TEST

START_TEST(the_present_hosts_bans_count)
{
	struct desk desk;

	desk_open(&desk);
	desk_ask(&desk, OPEN);
	desk_ask(&desk, OPEN_AS("bar", "deb"));
	ck_assert_int_eq(
		desk_ask(&desk, IN("bar", "moderation.ban", "deb", WHO("bob"))), VERDICT_OK);
	ck_assert_int_eq(desk_ask(&desk, BOB_IN("tea", 1)), VERDICT_OK);
	desk_ask(&desk, Q("member.leave", "bob", ""));
	hand_over(&desk, "deb");
	ck_assert_int_eq(desk_ask(&desk, BOB_IN("tea", 1)), VERDICT_NOT_ALLOWED);
	desk_close(&desk);
}
END_TEST

/* One plan over more rooms than operations fit into one message of the table. */
START_TEST(one_plan_over_all_rooms)
{
	const size_t fit = STN_TABLE_MESSAGE_MAX / sizeof(struct stn_op_leg_remove);
	struct desk desk;
	struct plan plan;
	char line[256];

	desk_open(&desk);
	desk.registry.limits.rooms_max = desk.registry.limits.members_max = 10000;
	desk_ask(&desk, OPEN);
	for (size_t i = 0; i < fit + 10; i++) {
		snprintf(line, sizeof(line),
			"{\"id\":\"i\",\"type\":\"room.open\",\"actor\":\"ann\",\"room\":\"r%zu\"}",
			i);
		ck_assert_int_eq(desk_ask(&desk, line), VERDICT_OK);
		snprintf(line, sizeof(line),
			"{\"id\":\"i\",\"type\":\"member.join\",\"actor\":\"bob\",\"room\":\"r%"
			"zu\","
			"\"role\":\"listener\",\"address\":\"10.0.0.1\",\"port\":%zu}",
			i, i + 1);
		ck_assert_int_eq(desk_ask(&desk, line), VERDICT_OK);
	}
	ck_assert(desk_plan(&desk, &plan, BAN("ann", "bob")));
	ck_assert_uint_eq(plan.op_count, fit + 10);
	ck_assert_uint_gt(plan.ops_size, STN_TABLE_MESSAGE_MAX);
	ck_assert_uint_eq(desk.registry.members.count, 0);
	plan_revert(&plan, &desk.registry);
	plan_clear(&plan);
	ck_assert_uint_eq(desk.registry.members.count, fit + 10);
	desk_close(&desk);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ban");
	TCase *tcase = tcase_create("ban");

	parse_setup();
	tcase_add_loop_test(tcase, a_rule_holds, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tcase, a_ban_outlasts_the_host);
	tcase_add_test(tcase, the_present_hosts_bans_count);
	tcase_add_test(tcase, one_plan_over_all_rooms);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
