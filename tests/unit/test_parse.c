/* SPDX-License-Identifier: BSD-3-Clause */
#include "controlplane/events/parse.h"
#include "tests/support/unit.h"

static const struct {
	const char *what;
	const char *line;
	const char *reason; /* part of the message; NULL: good */
} lines[] = {
	{"a good one", "{\"id\":\"1\",\"type\":\"status\"}", NULL},
	{"white space", " { \"id\" : \"1\" , \"type\" : \"status\" } ", NULL},
	{"nothing", "", "not JSON"},
	{"not JSON", "hello", "not JSON"},
	{"an array", "[]", "must be a JSON object"},
	{"cut off", "{\"id\":\"1\",\"type\":\"status\"", "not JSON"},
	{"something behind it", "{\"id\":\"1\",\"type\":\"status\"} {}", "not JSON"},
	{"a key twice", "{\"id\":\"1\",\"type\":\"status\",\"id\":\"2\"}", "duplicate"},
	{"a NUL in a string", "{\"id\":\"1\",\"type\":\"sta\\u0000tus\"}", "not JSON"},
	{"invalid UTF-8", "{\"id\":\"1\",\"type\":\"\xff\"}", "not JSON"},
	{"too deep", "{\"id\":\"1\",\"type\":[[[[[[]]]]]]}", "nested deeper than 6"},
	{"brackets in a string are not depth",
		"{\"id\":\"1\",\"type\":\"room.open\",\"actor\":\"a\",\"room\":\"r\","
		"\"title\":\"[[[[[[[[{{{{\\\"[[[\"}",
		NULL},
	{"no id", "{\"type\":\"status\"}", "id: missing"},
	{"id not a string", "{\"id\":1,\"type\":\"status\"}", "id: must be a string"},
	{"id with odd characters", "{\"id\":\"a b\",\"type\":\"status\"}", "id: must be a string"},
	{"no type", "{\"id\":\"1\"}", "type: missing"},
	{"an unknown type", "{\"id\":\"1\",\"type\":\"room.fly\"}", "there is no \"room.fly\""},
	{"no actor", "{\"id\":\"1\",\"type\":\"room.close\",\"room\":\"r\"}", "actor: missing"},
	{"no room", "{\"id\":\"1\",\"type\":\"room.close\",\"actor\":\"a\"}", "room: missing"},
	{"an unknown field", "{\"id\":\"1\",\"type\":\"status\",\"x\":1}", "x: this type"},
	{"a room where none belongs", "{\"id\":\"1\",\"type\":\"status\",\"room\":\"r\"}",
		"room: this type"},
	{"slots too many",
		"{\"id\":\"1\",\"type\":\"room.open\",\"actor\":\"a\",\"room\":\"r\","
		"\"slots\":9}",
		"slots: must be an integer from 1 to 8"},
	{"slots a real number",
		"{\"id\":\"1\",\"type\":\"room.open\",\"actor\":\"a\","
		"\"room\":\"r\",\"slots\":3.0}",
		"slots: must be an integer"},
	{"slots beyond 64 bits",
		"{\"id\":\"1\",\"type\":\"room.open\",\"actor\":\"a\","
		"\"room\":\"r\",\"slots\":18446744073709551617}",
		"not JSON"},
	{"slots negative",
		"{\"id\":\"1\",\"type\":\"room.open\",\"actor\":\"a\",\"room\":\"r\","
		"\"slots\":-1}",
		"slots: must be an integer"},
	{"a flag in words",
		"{\"id\":\"1\",\"type\":\"room.open\",\"actor\":\"a\",\"room\":\"r\","
		"\"open_floor\":\"yes\"}",
		"open_floor: must be true or false"},
	{"a role nobody has",
		"{\"id\":\"1\",\"type\":\"member.join\",\"actor\":\"a\","
		"\"room\":\"r\",\"role\":\"king\"}",
		"role: must be one of listener, speaker, host"},
	{"no role", "{\"id\":\"1\",\"type\":\"member.join\",\"actor\":\"a\",\"room\":\"r\"}",
		"role: missing"},
	{"members not an array",
		"{\"id\":\"1\",\"type\":\"member.join\",\"actor\":\"a\","
		"\"room\":\"r\",\"role\":\"host\",\"members\":{}}",
		"members: must be an array"},
	{"an item that is not an object",
		"{\"id\":\"1\",\"type\":\"member.join\",\"actor\":\"a\","
		"\"room\":\"r\",\"role\":\"host\",\"members\":[1]}",
		"members[0]: must be an object"},
	{"an unknown field in an item",
		"{\"id\":\"1\",\"type\":\"member.join\",\"actor\":\"a\",\"room\":\"r\","
		"\"role\":\"host\",\"members\":[{\"member\":\"b\"},{\"role\":\"host\"}]}",
		"members[1]: role: this type"},
	{"an id in a list",
		"{\"id\":\"1\",\"type\":\"room.open\",\"actor\":\"a\",\"room\":\"r\","
		"\"speakers\":[\"b\",7]}",
		"speakers: must be a string"},
};

START_TEST(a_line_is_good_or_the_reason_names_it)
{
	struct verdict verdict = {0};
	struct parsed parsed;
	uint8_t *block;
	const uint8_t *line = unit_block(lines[_i].line, strlen(lines[_i].line), &block);
	bool good = parse_line((const char *)line, strlen(lines[_i].line), &parsed, &verdict);

	ck_assert_msg(
		good == (lines[_i].reason == NULL), "%s: %s", lines[_i].what, verdict.message);
	if (!good) {
		ck_assert_int_eq(verdict.code, VERDICT_INVALID);
		ck_assert_msg(strstr(verdict.message, lines[_i].reason) != NULL, "%s: '%s'",
			lines[_i].what, verdict.message);
	}
	parse_clear(&parsed);
	free(block);
}
END_TEST

START_TEST(the_id_is_known_also_when_the_rest_is_bad)
{
	static const char line[] = "{\"id\":\"me\",\"type\":\"nothing\"}";
	struct verdict verdict;
	struct parsed parsed;

	ck_assert(!parse_line(line, strlen(line), &parsed, &verdict));
	ck_assert_str_eq(parsed.id, "me");
	parse_clear(&parsed);
}
END_TEST

START_TEST(a_raw_nul_is_refused)
{
	static const char line[] = "{\"id\":\"1\",\"type\":\"sta\0tus\"}";
	struct verdict verdict;
	struct parsed parsed;

	ck_assert(!parse_line(line, sizeof(line) - 1, &parsed, &verdict));
	parse_clear(&parsed);
}
END_TEST

static const struct {
	const char *what;
	const char *line;
	enum verdict_code code;
} page_lines[] = {
	{"who it is need not be said", "{\"id\":\"1\",\"type\":\"floor.request\"}", VERDICT_OK},
	{"but may be",
		"{\"id\":\"1\",\"type\":\"floor.request\",\"actor\":\"bob\",\"room\":\"tea\"}",
		VERDICT_OK},
	{"somebody else", "{\"id\":\"1\",\"type\":\"floor.request\",\"actor\":\"ann\"}",
		VERDICT_NOT_ALLOWED},
	{"another room", "{\"id\":\"1\",\"type\":\"floor.request\",\"room\":\"pub\"}",
		VERDICT_NOT_ALLOWED},
	{"a type of applications", "{\"id\":\"1\",\"type\":\"status\"}", VERDICT_NOT_ALLOWED},
	{"a subscription", "{\"id\":\"1\",\"type\":\"subscribe\"}", VERDICT_NOT_ALLOWED},
	{"no type", "{\"id\":\"1\"}", VERDICT_INVALID},
	{"an actor that is no id", "{\"id\":\"1\",\"type\":\"floor.request\",\"actor\":1}",
		VERDICT_INVALID},
};

START_TEST(a_page_speaks_for_its_member)
{
	static const struct parse_as as = {"bob", "tea"};
	struct verdict verdict = {0};
	struct parsed parsed;
	const char *line = page_lines[_i].line;
	bool good = parse_line_as(line, strlen(line), &as, &parsed, &verdict);

	ck_assert_msg(verdict.code == page_lines[_i].code, "%s: %s", page_lines[_i].what,
		verdict.message);
	ck_assert_int_eq(good, page_lines[_i].code == VERDICT_OK);
	if (good) {
		ck_assert_str_eq(parsed.event.actor, "bob");
		ck_assert_str_eq(parsed.event.room, "tea");
		ck_assert(parsed.event.page);
	}
	parse_clear(&parsed);
}
END_TEST

START_TEST(a_page_asks_about_other_rooms_too)
{
	static const struct parse_as as = {"bob", "tea"};
	static const char line[] = "{\"id\":\"1\",\"type\":\"room.get\",\"room\":\"pub\"}";
	struct verdict verdict = {0};
	struct parsed parsed;

	ck_assert(parse_line_as(line, strlen(line), &as, &parsed, &verdict));
	ck_assert_str_eq(parsed.event.actor, "bob");
	ck_assert_str_eq(parsed.event.room, "pub");
	parse_clear(&parsed);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("parse");
	TCase *tcase = tcase_create("parse");

	parse_setup();
	tcase_add_loop_test(
		tcase, a_line_is_good_or_the_reason_names_it, 0, sizeof(lines) / sizeof(lines[0]));
	tcase_add_test(tcase, the_id_is_known_also_when_the_rest_is_bad);
	tcase_add_test(tcase, a_raw_nul_is_refused);
	tcase_add_loop_test(
		tcase, a_page_speaks_for_its_member, 0, sizeof(page_lines) / sizeof(page_lines[0]));
	tcase_add_test(tcase, a_page_asks_about_other_rooms_too);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
