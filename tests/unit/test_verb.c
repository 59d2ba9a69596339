/* SPDX-License-Identifier: BSD-3-Clause */
/* What a verb of stentorctl makes of its arguments, as sentences. */
#include <stdlib.h>
#include <string.h>

#include "controlplane/cli/verb.h"
#include "tests/support/unit.h"

#define NOW_MS 1700000000000 /* 2023-11-14 22:13:20 UTC */

static const struct {
	const char *what;
	const char *verb;
	const char *arguments[8];
	const char *request; /* sorted by key; NULL: refused */
	const char *says;    /* part of the refusal */
} rows[] = {
	{"positions go by their place", "mute", {"tea", "bob"},
		"{\"member\":\"bob\",\"room\":\"tea\",\"type\":\"moderation.mute\"}", NULL},
	{"options may stand between", "mute", {"tea", "--reason", "too loud", "bob"},
		"{\"member\":\"bob\",\"reason\":\"too loud\",\"room\":\"tea\","
		"\"type\":\"moderation.mute\"}",
		NULL},
	{"an option with an equals sign", "mute", {"tea", "bob", "--reason=a=b"},
		"{\"member\":\"bob\",\"reason\":\"a=b\",\"room\":\"tea\","
		"\"type\":\"moderation.mute\"}",
		NULL},
	{"a duration has a unit", "mute", {"tea", "bob", "--duration", "10m"},
		"{\"duration_ms\":600000,\"member\":\"bob\",\"room\":\"tea\","
		"\"type\":\"moderation.mute\"}",
		NULL},
	{"or is in ms, under the field's own name", "mute", {"tea", "bob", "--duration-ms", "1500"},
		"{\"duration_ms\":1500,\"member\":\"bob\",\"room\":\"tea\","
		"\"type\":\"moderation.mute\"}",
		NULL},
	{"a moment may be from now", "mute", {"tea", "bob", "--until", "+2h"},
		"{\"member\":\"bob\",\"room\":\"tea\",\"type\":\"moderation.mute\","
		"\"until_ms\":1700007200000}",
		NULL},
	{"or a date in UTC", "mute", {"tea", "bob", "--until", "2023-11-15T00:00:00Z"},
		"{\"member\":\"bob\",\"room\":\"tea\",\"type\":\"moderation.mute\","
		"\"until_ms\":1700006400000}",
		NULL},
	{"or one in local time, which is UTC here", "mute",
		{"tea", "bob", "--until", "2023-11-15 00:00"},
		"{\"member\":\"bob\",\"room\":\"tea\",\"type\":\"moderation.mute\","
		"\"until_ms\":1700006400000}",
		NULL},
	{"a flag alone is yes", "open", {"tea", "--open-floor"},
		"{\"open_floor\":true,\"room\":\"tea\",\"type\":\"room.open\"}", NULL},
	{"with no- in front it is no", "open", {"tea", "--no-open-floor"},
		"{\"open_floor\":false,\"room\":\"tea\",\"type\":\"room.open\"}", NULL},
	{"a list of people has commas", "open", {"tea", "--speakers", "ann,bob"},
		"{\"room\":\"tea\",\"speakers\":[\"ann\",\"bob\"],\"type\":\"room.open\"}", NULL},
	{"nobody is a list too", "open", {"tea", "--speakers", ""},
		"{\"room\":\"tea\",\"speakers\":[],\"type\":\"room.open\"}", NULL},
	{"behind -- all are positions", "mute", {"tea", "--", "--bob"},
		"{\"member\":\"--bob\",\"room\":\"tea\",\"type\":\"moderation.mute\"}", NULL},

	{"a missing position", "mute", {"tea"}, NULL, "mute: is missing 'member'"},
	{"one too many", "mute", {"tea", "bob", "eve"}, NULL, "one argument too many: 'eve'"},
	{"an option nobody knows", "mute", {"tea", "bob", "--loud"}, NULL,
		"there is no option '--loud'"},
	{"an option without its value", "mute", {"tea", "bob", "--reason"}, NULL,
		"a value is missing behind '--reason'"},
	{"an option twice", "mute", {"tea", "bob", "--reason", "a", "--reason", "b"}, NULL,
		"given twice"},
	{"a unit nobody knows", "mute", {"tea", "bob", "--duration", "10y"}, NULL,
		"'10y' is not a duration"},
	{"a duration beyond 64 bits", "mute", {"tea", "bob", "--duration", "999999999999999999d"},
		NULL, "is not a duration"},
	{"a date there is not", "mute", {"tea", "bob", "--until", "2023-13-40 00:00"}, NULL,
		"is not a time"},
	{"a number out of range", "open", {"tea", "--slots", "9"}, NULL,
		"slots: '9' is not a number from 1 to 8"},
	{"a negative number", "open", {"tea", "--slots", "-1"}, NULL, "'-1' is not a number"},
	{"a choice that is none", "join", {"tea", "king"}, NULL, "'king' is not one of listener"},
	{"no yes and no no", "open", {"tea", "--open-floor=perhaps"}, NULL, "is not yes or no"},
	{"bytes that are not UTF-8", "open", {"tea", "--title", "\xff"}, NULL, "is not UTF-8"},
};

START_TEST(arguments_become_a_request)
{
	const struct verb *verb = verb_find(rows[_i].verb);
	char error[256] = "";
	char *text = NULL;
	json_t *request;
	int count = 0;

	ck_assert_msg(verb != NULL, "%s", rows[_i].what);
	while (rows[_i].arguments[count] != NULL)
		count++;
	request = verb_request(verb, (char *const *)rows[_i].arguments, count, NOW_MS, error);
	if (rows[_i].request != NULL) {
		ck_assert_msg(request != NULL, "%s: %s", rows[_i].what, error);
		text = json_dumps(request, JSON_COMPACT | JSON_SORT_KEYS);
		ck_assert_msg(strcmp(text, rows[_i].request) == 0, "%s: %s", rows[_i].what, text);
	} else {
		ck_assert_msg(request == NULL, "%s", rows[_i].what);
		ck_assert_msg(strstr(error, rows[_i].says) != NULL, "%s: %s", rows[_i].what, error);
	}
	free(text);
	json_decref(request);
}
END_TEST

/* Commands of their own, with output of their own. */
static const char *const commands[] = {"room.get", "status", "subscribe", "leg.list", "explain"};

START_TEST(every_type_has_a_verb)
{
	for (size_t i = 0; i < vocabulary_count; i++) {
		bool found = false;

		for (size_t v = 0; v < verb_count; v++)
			found = found || strcmp(verbs[v].type, vocabulary[i].name) == 0;
		for (size_t c = 0; c < sizeof(commands) / sizeof(commands[0]); c++)
			found = found || strcmp(commands[c], vocabulary[i].name) == 0;
		ck_assert_msg(found, "%s has no verb", vocabulary[i].name);
	}
}
END_TEST

START_TEST(every_verb_has_a_type_and_its_positions)
{
	for (size_t v = 0; v < verb_count; v++) {
		const struct vocabulary_type *type = vocabulary_find(verbs[v].type);

		ck_assert_msg(type != NULL, "%s: there is no %s", verbs[v].name, verbs[v].type);
		for (size_t p = 0; p < VERB_POSITIONS_MAX && verbs[v].positions[p] != NULL; p++) {
			bool room = strcmp(verbs[v].positions[p], "room") == 0 &&
				    type->room != VOCABULARY_ROOM_NONE;

			ck_assert_msg(room || vocabulary_field(type, verbs[v].positions[p]) != NULL,
				"%s: no field %s", verbs[v].name, verbs[v].positions[p]);
		}
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("verb");
	TCase *tcase = tcase_create("verb");

	setenv("TZ", "UTC", 1);
	suite_add_tcase(suite, tcase);
	tcase_add_loop_test(
		tcase, arguments_become_a_request, 0, (int)(sizeof(rows) / sizeof(rows[0])));
	tcase_add_test(tcase, every_type_has_a_verb);
	tcase_add_test(tcase, every_verb_has_a_type_and_its_positions);
	return unit_run(suite);
}
