/* SPDX-License-Identifier: BSD-3-Clause */
/* Rooms by what they are, and the bubbles on top of a timeline. */
#include "tests/support/rule.h"

#define LIST(more_) "{\"id\":\"i\",\"type\":\"room.list\"" more_ "}"
#define TELL(who_, more_) \
	"{\"id\":\"i\",\"type\":\"user.upsert\",\"actor\":\"app\",\"user\":\"" who_ "\"" more_ "}"
#define FOLLOWS(list_) ",\"follows\":[" list_ "]"
#define EVE_FOLLOWS TELL("eve", FOLLOWS("\"ann\",\"bob\",\"cat\",\"dan\""))
#define TIMELINE(who_, more_) \
	"{\"id\":\"i\",\"type\":\"timeline.get\",\"actor\":\"" who_ "\"" more_ "}"
#define ROOM(name_, host_, more_) IN(name_, "room.open", host_, more_)
#define PLAN(name_, host_, at_) IN(name_, "room.schedule", host_, ",\"starts_ms\":17000" at_)
#define NONE "\"bubbles\":[]"
#define WHO_IS(user_, role_) "{\"user\":\"" user_ "\",\"role\":\"" role_ "\"}"

static const struct rule rows[] = {
	{"live rooms are listed", {ROOM("a", "ann", ""), PLAN("b", "ann", "00001000")}, LIST(""),
		VERDICT_OK, "\"rooms\":[{\"room\":\"a\","},
	{"scheduled rooms are not among them",
		{ROOM("a", "ann", ""), PLAN("b", "ann", "00001000"), ROOM("c", "ann", "")},
		LIST(",\"limit\":1,\"after\":\"2\""), VERDICT_OK, "\"rooms\":[{\"room\":\"c\","},
	{"unless they are asked for", {ROOM("a", "ann", ""), PLAN("b", "ann", "00001000")},
		LIST(",\"state\":\"scheduled\""), VERDICT_OK, "\"rooms\":[{\"room\":\"b\","},
	{"rooms that have ended are not a state", {0}, LIST(",\"state\":\"ended\""),
		VERDICT_INVALID, "state"},
	{"of a topic", {ROOM("a", "ann", ",\"topic\":\"tea\""), ROOM("b", "ann", "")},
		LIST(",\"topic\":\"tea\""), VERDICT_OK, "\"rooms\":[{\"room\":\"a\","},
	{"the whole topic", {ROOM("a", "ann", ",\"topic\":\"teapots\"")},
		LIST(",\"topic\":\"tea\""), VERDICT_OK, "\"rooms\":[],\"next\":null"},
	{"without a topic", {ROOM("a", "ann", ",\"topic\":\"tea\""), ROOM("b", "ann", "")},
		LIST(",\"topic\":\"\""), VERDICT_OK, "\"rooms\":[{\"room\":\"b\","},
	{"in a language",
		{ROOM("a", "ann", ",\"language\":\"de\""),
			ROOM("b", "ann", ",\"language\":\"pt-BR\"")},
		LIST(",\"language\":\"pt-BR\""), VERDICT_OK, "\"rooms\":[{\"room\":\"b\","},
	{"with so many in them at least",
		{ROOM("a", "ann", ""), ROOM("b", "ann", ""), JOIN_IN("b", "bob", "listener", 1)},
		LIST(",\"min_members\":1"), VERDICT_OK, "\"rooms\":[{\"room\":\"b\","},
	{"with so many at most",
		{ROOM("b", "ann", ""), JOIN_IN("b", "bob", "listener", 1), ROOM("a", "ann", "")},
		LIST(",\"max_members\":0"), VERDICT_OK, "\"rooms\":[{\"room\":\"a\","},
	{"a page says where the next begins",
		{ROOM("a", "ann", ""), ROOM("b", "ann", ",\"topic\":\"t\""), ROOM("c", "ann", "")},
		LIST(",\"limit\":1,\"topic\":\"\""), VERDICT_OK, "\"next\":\"1\""},
	{"and that there is none", {ROOM("a", "ann", ""), ROOM("b", "ann", ",\"topic\":\"t\"")},
		LIST(",\"limit\":1,\"topic\":\"\""), VERDICT_OK, "\"next\":null"},
	{"the biggest first",
		{ROOM("a", "ann", ""), ROOM("b", "ann", ""), JOIN_IN("b", "bob", "listener", 1)},
		LIST(",\"sort\":\"size\",\"limit\":1"), VERDICT_OK, "\"rooms\":[{\"room\":\"b\","},
	{"among equals the older", {ROOM("b", "ann", ""), ROOM("a", "ann", "")},
		LIST(",\"sort\":\"size\",\"limit\":1"), VERDICT_OK, "\"rooms\":[{\"room\":\"b\","},
	{"of the biggest there is one page", {ROOM("b", "ann", ""), ROOM("a", "ann", "")},
		LIST(",\"sort\":\"size\",\"limit\":1"), VERDICT_OK, "\"next\":null"},
	{"and no second", {0}, LIST(",\"sort\":\"size\",\"after\":\"1\""), VERDICT_INVALID,
		"no second page"},
	{"what is no id is refused", {0}, LIST(",\"after\":\"a\""), VERDICT_INVALID, "after"},

	{"who is not known has an empty timeline", {ROOM("a", "ann", "")}, TIMELINE("eve", ""),
		VERDICT_OK, NONE},
	{"who follows nobody, too", {TELL("eve", ""), ROOM("a", "ann", "")}, TIMELINE("eve", ""),
		VERDICT_OK, NONE},
	{"somebody followed hosts, a bubble",
		{EVE_FOLLOWS, ROOM("a", "ann", ",\"title\":\"T\",\"language\":\"de\""),
			JOIN_IN("a", "ann", "host", 1)},
		TIMELINE("eve", ""), VERDICT_OK,
		"\"bubbles\":[{\"room\":\"a\",\"title\":\"T\",\"topic\":\"\",\"language\":\"de\","
		"\"state\":\"live\",\"host\":\"ann\",\"access\":\"open\",\"members\":1,"
		"\"listeners\":0,\"speakers\":1,\"opened_ms\":1700000000000,\"score\":8,\"who\":"
		"[" WHO_IS("ann", "host") "],\"followed\":1}]"},
	{"a room whose host is away has nobody to show", {EVE_FOLLOWS, ROOM("a", "ann", "")},
		TIMELINE("eve", ""), VERDICT_OK, NONE},
	{"who left is not there any more",
		{EVE_FOLLOWS, ROOM("a", "zoe", ""), JOIN_IN("a", "ann", "listener", 1),
			IN("a", "member.leave", "ann", "")},
		TIMELINE("eve", ""), VERDICT_OK, NONE},
	{"those followed by role, then by name; others do not count",
		{EVE_FOLLOWS, ROOM("a", "cat", ",\"open_floor\":true"),
			JOIN_IN("a", "zoe", "speaker", 1), JOIN_IN("a", "dan", "listener", 2),
			JOIN_IN("a", "ann", "listener", 3), JOIN_IN("a", "cat", "host", 4),
			JOIN_IN("a", "bob", "speaker", 5)},
		TIMELINE("eve", ""), VERDICT_OK,
		"\"members\":5,\"listeners\":2,\"speakers\":3,\"opened_ms\":1700000000000,"
		"\"score\":14,\"who\":[" WHO_IS("cat", "host") "," WHO_IS(
			"bob", "speaker") "," WHO_IS("ann", "listener") "," WHO_IS("dan",
			"listener") "],\"followed\":4}"},
	{"five are named, all are counted",
		{TELL("eve", FOLLOWS("\"a\",\"b\",\"c\",\"d\",\"e\",\"f\"")), OPEN,
			JOIN("f", "listener", 1), JOIN("e", "listener", 2),
			JOIN("d", "listener", 3), JOIN("c", "listener", 4),
			JOIN("b", "listener", 5), JOIN("a", "listener", 6)},
		TIMELINE("eve", ""), VERDICT_OK, WHO_IS("e", "listener") "],\"followed\":6}"},
	{"a cohost weighs six",
		{EVE_FOLLOWS, OPEN, "+cohost bob", JOIN("bob", "speaker", 1), "+cohost bob"},
		TIMELINE("eve", ""), VERDICT_OK, "\"score\":6,\"who\":[" WHO_IS("bob", "cohost")},
	{"more important rooms first",
		{EVE_FOLLOWS, ROOM("a", "zoe", ""), JOIN_IN("a", "ann", "listener", 1),
			ROOM("b", "bob", ""), JOIN_IN("b", "bob", "host", 2)},
		TIMELINE("eve", ",\"limit\":1"), VERDICT_OK, "\"bubbles\":[{\"room\":\"b\""},
	{"among those the bigger",
		{EVE_FOLLOWS, ROOM("a", "zoe", ""), JOIN_IN("a", "ann", "listener", 1),
			ROOM("b", "zoe", ""), JOIN_IN("b", "bob", "listener", 2),
			JOIN_IN("b", "zoe", "host", 3)},
		TIMELINE("eve", ",\"limit\":1"), VERDICT_OK, "\"bubbles\":[{\"room\":\"b\""},
	{"among those the older",
		{EVE_FOLLOWS, ROOM("b", "zoe", ""), ROOM("a", "zoe", ""),
			JOIN_IN("a", "ann", "listener", 1), JOIN_IN("b", "bob", "listener", 2)},
		TIMELINE("eve", ",\"limit\":1"), VERDICT_OK, "\"bubbles\":[{\"room\":\"b\""},
	{"what somebody followed plans comes behind what is live",
		{EVE_FOLLOWS, PLAN("p", "ann", "00009000"), PLAN("q", "bob", "00005000"),
			ROOM("a", "zoe", ""), JOIN_IN("a", "ann", "listener", 1)},
		TIMELINE("eve", ",\"limit\":1"), VERDICT_OK, "\"bubbles\":[{\"room\":\"a\""},
	{"the sooner first",
		{EVE_FOLLOWS, PLAN("p", "ann", "00009000"), PLAN("q", "bob", "00005000")},
		TIMELINE("eve", ",\"limit\":1"), VERDICT_OK, "\"bubbles\":[{\"room\":\"q\""},
	{"with its host, and when", {EVE_FOLLOWS, PLAN("p", "ann", "00009000")},
		TIMELINE("eve", ""), VERDICT_OK,
		"\"state\":\"scheduled\",\"host\":\"ann\",\"access\":\"open\",\"members\":0,"
		"\"listeners\":0,\"speakers\":0,\"starts_ms\":1700000009000,\"score\":8,\"who\":"
		"[" WHO_IS("ann", "host") "],\"followed\":1}]"},
	{"plans of others are not shown", {EVE_FOLLOWS, PLAN("p", "zoe", "00009000")},
		TIMELINE("eve", ""), VERDICT_OK, NONE},
	{"who was removed does not see the room",
		{EVE_FOLLOWS, OPEN, JOIN("bob", "listener", 1), JOIN("eve", "listener", 2),
			Q("moderation.remove", "ann", WHO("eve"))},
		TIMELINE("eve", ""), VERDICT_OK, NONE},
	{"who is banned does not see what the host plans",
		{EVE_FOLLOWS, OPEN, Q("moderation.ban", "ann", WHO("eve")),
			PLAN("p", "ann", "00009000")},
		TIMELINE("eve", ""), VERDICT_OK, NONE},
	{"a room for those invited is not shown to others",
		{EVE_FOLLOWS, ROOM("a", "ann", ",\"access\":\"invited\""),
			JOIN_IN("a", "ann", "host", 1)},
		TIMELINE("eve", ""), VERDICT_OK, NONE},
	{"it is shown to those invited",
		{EVE_FOLLOWS, ROOM("a", "ann", ",\"access\":\"invited\""),
			JOIN_IN("a", "ann", "host", 1), IN("a", "share.create", "ann", WHO("eve"))},
		TIMELINE("eve", ""), VERDICT_OK, "\"bubbles\":[{\"room\":\"a\""},
	{"no longer followed, no longer shown",
		{EVE_FOLLOWS, ROOM("a", "ann", ""), JOIN_IN("a", "ann", "host", 1),
			TELL("eve", FOLLOWS("\"bob\""))},
		TIMELINE("eve", ""), VERDICT_OK, NONE},
	{"the room has ended",
		{EVE_FOLLOWS, ROOM("a", "ann", ""), JOIN_IN("a", "ann", "host", 1),
			IN("a", "room.close", "ann", "")},
		TIMELINE("eve", ""), VERDICT_OK, NONE},
};

START_TEST(a_request_has_its_answer)
{
	struct desk desk;

	desk_open(&desk);
	desk.registry.limits.schedule_max_ms = 86400000;
	desk.registry.limits.schedules_per_host_max = 10;
	rule_check_at(&desk, &rows[_i]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("discovery");
	TCase *tcase = tcase_create("discovery");

	parse_setup();
	tcase_add_loop_test(tcase, a_request_has_its_answer, 0, sizeof(rows) / sizeof(rows[0]));
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
