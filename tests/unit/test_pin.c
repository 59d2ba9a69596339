/* SPDX-License-Identifier: BSD-3-Clause */
/* Pins: what hosts put on top of a room. */
#include "controlplane/rooms/pin.h"
#include "tests/support/rule.h"

#define PIN(who_, more_) Q("pin.add", who_, more_)
#define TEXT ",\"text\":\"Agenda\""
#define URL(url_) ",\"url\":\"" url_ "\""
#define ADDED "\"pin\":\""
/* The room is the desk's first id, pins follow it. */
#define UNPIN(who_, pin_) Q("pin.remove", who_, ",\"pin\":\"" pin_ "\"")
#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A512 A64 A64 A64 A64 A64 A64 A64 A64

static const struct rule rows[] = {
	{"the host pins a text", {OPEN}, PIN("ann", TEXT), VERDICT_OK, ADDED "2\"", 0, 1,
		"\"type\":\"pin.added\""},
	{"subscribers see what it says", {OPEN}, PIN("ann", TEXT URL("https://example.org/a?b#c")),
		VERDICT_OK, ADDED, 0, 1,
		"\"actor\":\"ann\",\"pin\":\"2\",\"text\":\"Agenda\",\"url\":\"https://example.org/"
		"a?b#c\"}"},
	{"a link alone is enough", {OPEN}, PIN("ann", URL("http://example.org")), VERDICT_OK, ADDED,
		0, 1, "\"text\":null,\"url\":\"http://example.org\""},
	{"nothing is not", {OPEN}, PIN("ann", ""), VERDICT_INVALID, "text or url"},
	{"a cohost pins", {OPEN, "+cohost bob"}, PIN("bob", TEXT), VERDICT_OK, ADDED, 0, 1},
	{"nobody else does", {OPEN}, PIN("bob", TEXT), VERDICT_NOT_ALLOWED,
		"only the host or a cohost"},
	{"a moderator of the platform does", {OPEN, MODERATOR("eve")}, PIN("eve", TEXT), VERDICT_OK,
		ADDED, 0, 1},
	{"who may comes before what", {OPEN}, PIN("bob", URL("ftp://example.org")),
		VERDICT_NOT_ALLOWED, "bob"},
	{"a room that is not there", {0}, PIN("ann", TEXT), VERDICT_NO_SUCH_ROOM, "tea"},
	{"a text has its length", {OPEN}, PIN("ann", ",\"text\":\"" A512 "\""), VERDICT_OK, ADDED,
		0, 1},
	{"and no byte more", {OPEN}, PIN("ann", ",\"text\":\"" A512 "a\""), VERDICT_INVALID,
		"1 to 512 bytes"},
	{"no other scheme", {OPEN}, PIN("ann", URL("javascript:alert(1)")), VERDICT_INVALID,
		"url: must begin with http"},
	{"no other scheme in disguise", {OPEN}, PIN("ann", URL(" https://example.org")),
		VERDICT_INVALID, "url"},
	{"no host", {OPEN}, PIN("ann", URL("https:///path")), VERDICT_INVALID, "url"},
	{"nothing at all", {OPEN}, PIN("ann", URL("https://")), VERDICT_INVALID, "url"},
	{"no spaces", {OPEN}, PIN("ann", URL("https://a.b/c d")), VERDICT_INVALID, "url"},
	{"no line ends", {OPEN}, PIN("ann", URL("https://a.b/c\\nd")), VERDICT_INVALID, "url"},
	{"no DEL", {OPEN}, PIN("ann", URL("https://a.b/\\u007f")), VERDICT_INVALID, "url"},
	{"capitals are fine", {OPEN}, PIN("ann", URL("HTTPS://a.b")), VERDICT_OK, ADDED, 0, 1},
	{"eight at most",
		{OPEN, PIN("ann", TEXT), PIN("ann", TEXT), PIN("ann", TEXT), PIN("ann", TEXT),
			PIN("ann", TEXT), PIN("ann", TEXT), PIN("ann", TEXT), PIN("ann", TEXT)},
		PIN("ann", TEXT), VERDICT_CAPACITY, "has its 8 pins"},
	{"one less and one more",
		{OPEN, PIN("ann", TEXT), PIN("ann", TEXT), PIN("ann", TEXT), PIN("ann", TEXT),
			PIN("ann", TEXT), PIN("ann", TEXT), PIN("ann", TEXT), PIN("ann", TEXT),
			UNPIN("ann", "4")},
		PIN("ann", TEXT), VERDICT_OK, ADDED "10\"", 0, 1},

	{"a pin is taken down", {OPEN, PIN("ann", TEXT)}, UNPIN("ann", "2"), VERDICT_OK, ADDED "2",
		0, 1, "\"type\":\"pin.removed\""},
	{"by any of the hosts", {OPEN, PIN("ann", TEXT), "+cohost bob"}, UNPIN("bob", "2"),
		VERDICT_OK, ADDED "2", 0, 1, "\"actor\":\"bob\",\"pin\":\"2\"}"},
	{"not by others", {OPEN, PIN("ann", TEXT)}, UNPIN("bob", "2"), VERDICT_NOT_ALLOWED,
		"remove a pin"},
	{"once", {OPEN, PIN("ann", TEXT), UNPIN("ann", "2")}, UNPIN("ann", "2"),
		VERDICT_NO_SUCH_THING, "no pin \"2\" in \"tea\""},
	{"there is no such number", {OPEN, PIN("ann", TEXT)}, UNPIN("ann", "3"),
		VERDICT_NO_SUCH_THING, "no pin"},
	{"what is no number", {OPEN, PIN("ann", TEXT)}, UNPIN("ann", "2a"), VERDICT_NO_SUCH_THING,
		"no pin \"2a\""},
	{"a number beyond all", {OPEN, PIN("ann", TEXT)}, UNPIN("ann", "99999999999999999999999"),
		VERDICT_NO_SUCH_THING, "no pin"},
	{"a pin of another room", {OPEN, PIN("ann", TEXT), IN("jam", "room.open", "ann", "")},
		IN("jam", "pin.remove", "ann", ",\"pin\":\"2\""), VERDICT_NO_SUCH_THING, "jam"},
	{"pins go with the room", {OPEN, PIN("ann", TEXT)}, Q("room.close", "ann", ""), VERDICT_OK,
		"tea", 1, 1},
};

START_TEST(a_request_has_its_answer)
{
	rule_check(&rows[_i]);
}
END_TEST

/* In the order in which they were put up. */
START_TEST(a_room_shows_its_pins)
{
	struct desk desk;
	struct room *room;
	const struct pin *pin;
	uint64_t id = 0;

	desk_open(&desk);
	ck_assert(desk_ask(&desk, OPEN) == VERDICT_OK);
	ck_assert(desk_ask(&desk, PIN("ann", TEXT)) == VERDICT_OK);
	ck_assert(desk_ask(&desk, PIN("ann", URL("https://a.b/"))) == VERDICT_OK);
	room = registry_room(&desk.registry, "tea");
	pin = roster_next(&room->pins, &id);
	ck_assert_str_eq(pin->text, "Agenda");
	ck_assert_str_eq(pin->url, "");
	ck_assert_str_eq(pin->actor.text, "ann");
	ck_assert_int_eq(pin->at_ms, 1700000000000);
	pin = roster_next(&room->pins, &id);
	ck_assert_str_eq(pin->text, "");
	ck_assert_str_eq(pin->url, "https://a.b/");
	ck_assert_ptr_null(roster_next(&room->pins, &id));
	desk_close(&desk);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pin");
	TCase *tcase = tcase_create("pin");

	parse_setup();
	tcase_add_loop_test(tcase, a_request_has_its_answer, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tcase, a_room_shows_its_pins);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
