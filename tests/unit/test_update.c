/* SPDX-License-Identifier: BSD-3-Clause */
/* room.update: who changes what, and what follows for those who are in the room. */
#include "controlplane/rooms/ticket.h"
#include "tests/support/rule.h"

#define ROOM(more_) Q("room.open", "ann", ",\"cohosts\":[\"cy\"]" more_)
#define PLAN Q("room.schedule", "ann", ",\"starts_ms\":1700003600000,\"duration_ms\":5000")
#define SET(who_, more_) Q("room.update", who_, more_)
#define UPDATED "\"type\":\"room.updated\""
#define OFFER Q("ticket.offer", "ann", ",\"price\":500,\"currency\":\"EUR\",\"quantity\":9")
#define BUY \
	Q("ticket.issue", "app", \
		",\"user\":\"bob\",\"reference\":\"r\",\"price\":500,\"currency\":\"EUR\"")

static const struct rule rules[] = {
	{"the host changes what it is about", {ROOM("")},
		SET("ann", ",\"title\":\"T\",\"topic\":\"t\",\"language\":\"de\""), VERDICT_OK,
		"\"title\":\"T\",\"topic\":\"t\",", 0, 1,
		"\"language\":\"de\",\"access\":\"open\""},
	{"a cohost does", {ROOM("")}, SET("cy", ",\"title\":\"T\",\"speakers_max\":3"), VERDICT_OK,
		"\"title\":\"T\"", 0, 1, UPDATED},
	{"a cohost does not say who comes in", {ROOM("")}, SET("cy", ",\"access\":\"invited\""),
		VERDICT_NOT_ALLOWED, "only the host of \"tea\" may change open_floor, access"},
	{"nor how many", {ROOM("")}, SET("cy", ",\"title\":\"T\",\"capacity\":5"),
		VERDICT_NOT_ALLOWED, "only the host"},
	{"nor that all may speak", {ROOM("")}, SET("cy", ",\"open_floor\":false"),
		VERDICT_NOT_ALLOWED, "only the host"},
	{"nor who hosts with them", {ROOM("")}, SET("cy", ",\"cohosts\":[]"), VERDICT_NOT_ALLOWED,
		"only the host"},
	{"nobody else changes anything", {ROOM("")}, SET("bob", ",\"title\":\"T\""),
		VERDICT_NOT_ALLOWED, "only the host or a cohost"},
	{"a moderator of the platform does", {MODERATOR("mo"), ROOM("")},
		SET("mo", ",\"access\":\"invited\""), VERDICT_OK, "\"access\":\"invited\"", 0, 1,
		"\"access\":\"invited\""},
	{"a language is one", {ROOM("")}, SET("ann", ",\"language\":\"d!\""), VERDICT_INVALID,
		"language: \"d!\""},
	{"or none", {ROOM(",\"language\":\"de\"")}, SET("ann", ",\"language\":\"\""), VERDICT_OK,
		"\"language\":\"\"", 0, 1},

	{"a start is moved, the end with it", {PLAN}, SET("ann", ",\"starts_ms\":1700007200000"),
		VERDICT_OK, "\"ends_ms\":1700007205000", 0, 1, "\"starts_ms\":1700007200000"},
	{"not into the past", {PLAN}, SET("ann", ",\"starts_ms\":1699999999999"), VERDICT_INVALID,
		"has passed"},
	{"a room that has started has no start", {PLAN, Q("room.open", "ann", "")},
		SET("ann", ",\"starts_ms\":1700007200000"), VERDICT_CONFLICT, "has started"},
	{"what is planned may change", {PLAN}, SET("ann", ",\"cohosts\":[\"bob\"],\"capacity\":5"),
		VERDICT_OK, "\"cohosts\":[\"bob\"]", 0, 1},

	{"a speaker who is named becomes a cohost",
		{ROOM(",\"speakers\":[\"sue\"]"), JOIN("sue", "speaker", 5000)},
		SET("ann", ",\"cohosts\":[\"sue\"]"), VERDICT_OK, "\"cohosts\":[\"sue\"]", 1, 2,
		"\"member\":\"sue\",\"role\":\"cohost\",\"was\":\"speaker\""},
	{"a listener gets another leg to speak with", {ROOM(""), JOIN("bob", "listener", 5000)},
		SET("ann", ",\"cohosts\":[\"cy\",\"bob\"]"), VERDICT_OK,
		"\"cohosts\":[\"cy\",\"bob\"]", 2, 2,
		"\"member\":\"bob\",\"role\":\"cohost\",\"was\":\"listener\""},
	{"a cohost who is named no more is a speaker", {ROOM(""), JOIN("cy", "cohost", 5000)},
		SET("ann", ",\"cohosts\":[]"), VERDICT_OK, "\"cohosts\":[]", 1, 2,
		"\"member\":\"cy\",\"role\":\"speaker\",\"was\":\"cohost\""},
	{"one changes for another", {ROOM(""), JOIN("cy", "cohost", 5000), WEB("bob", "listener")},
		SET("ann", ",\"cohosts\":[\"bob\"]"), VERDICT_OK, "\"cohosts\":[\"bob\"]", 1, 3,
		"\"member\":\"bob\",\"role\":\"cohost\",\"was\":\"listener\""},
	{"who stays named stays what they are", {ROOM(""), JOIN("cy", "speaker", 5000)},
		SET("ann", ",\"cohosts\":[\"cy\"]"), VERDICT_OK, "\"cohosts\":[\"cy\"]", 0, 1,
		UPDATED},
	{"whoever is not in the room is only named", {ROOM("")},
		SET("ann", ",\"cohosts\":[\"dan\",\"eve\"]"), VERDICT_OK,
		"\"cohosts\":[\"dan\",\"eve\"]", 0, 1},
	{"there is place for so many",
		{ROOM(",\"speakers_max\":1"), JOIN("ann", "host", 5000),
			JOIN("bob", "listener", 5001)},
		SET("ann", ",\"cohosts\":[\"bob\"]"), VERDICT_CAPACITY,
		"speakers_max: 1 of 1 hold the floor"},
	{"seventeen are too many", {ROOM("")},
		SET("ann", ",\"cohosts\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\","
			   "\"10\",\"11\",\"12\",\"13\",\"14\",\"15\",\"16\",\"17\"]"),
		VERDICT_INVALID, "cohosts: must be an array of at most 16"},

	{"what was sold is not given to all", {ROOM(",\"access\":\"ticketed\""), OFFER, BUY},
		SET("ann", ",\"access\":\"open\""), VERDICT_CONFLICT, "access: 1 have a ticket"},
	{"what was only offered is", {ROOM(",\"access\":\"ticketed\""), OFFER},
		SET("ann", ",\"access\":\"open\""), VERDICT_OK, "\"access\":\"open\"", 0, 1},
};

static void open_desk(struct desk *desk)
{
	desk_open(desk);
	desk->registry.limits.tickets_max = 100;
}

START_TEST(a_request_has_its_answer)
{
	struct desk desk;

	open_desk(&desk);
	rule_check_at(&desk, &rules[_i]);
}
END_TEST

static void must(struct desk *desk, const char *line)
{
	ck_assert_msg(desk_ask(desk, line) == VERDICT_OK, "%s", desk->verdict.message);
}

START_TEST(a_door_that_is_shut_is_not_opened_by_links_of_others)
{
	const struct room *room;
	struct desk desk;

	open_desk(&desk);
	must(&desk, ROOM(""));
	must(&desk, JOIN("bob", "listener", 5000));
	must(&desk, Q("share.create", "bob", ""));
	must(&desk, Q("share.create", "cy", ""));
	must(&desk, Q("share.create", "ann", ""));
	room = registry_room(&desk.registry, "tea");
	must(&desk, SET("ann", ",\"access\":\"followers\""));
	ck_assert_uint_eq(room->shares.count, 3);
	must(&desk, SET("ann", ",\"access\":\"invited\""));
	ck_assert_uint_eq(room->shares.count, 2);
	must(&desk, SET("ann", ",\"access\":\"invited\",\"cohosts\":[]"));
	ck_assert_uint_eq(room->shares.count, 1);
	/* Nobody who is in is put out. */
	ck_assert_ptr_nonnull(registry_member(room, "bob"));
	desk_close(&desk);
}
END_TEST

START_TEST(an_offer_goes_with_the_door_it_was_for)
{
	const struct room *room;
	struct desk desk;

	open_desk(&desk);
	must(&desk, ROOM(",\"access\":\"ticketed\""));
	must(&desk, OFFER);
	room = registry_room(&desk.registry, "tea");
	ck_assert_ptr_nonnull(room->offer);
	must(&desk, SET("ann", ",\"access\":\"ticketed\""));
	ck_assert_ptr_nonnull(room->offer);
	must(&desk, SET("ann", ",\"access\":\"open\""));
	ck_assert_ptr_null(room->offer);
	desk_close(&desk);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("update");
	TCase *tcase = tcase_create("update");

	parse_setup();
	tcase_add_loop_test(tcase, a_request_has_its_answer, 0, sizeof(rules) / sizeof(rules[0]));
	tcase_add_test(tcase, a_door_that_is_shut_is_not_opened_by_links_of_others);
	tcase_add_test(tcase, an_offer_goes_with_the_door_it_was_for);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
