/* SPDX-License-Identifier: BSD-3-Clause */
#include "controlplane/rooms/event.h"
#include "tests/support/unit.h"

static const struct {
	const char *what;
	const char *text;
	bool valid;
} ids[] = {
	{"empty", "", false},
	{"one character", "a", true},
	{"every kind of character", "Az09_.:-", true},
	{"64 characters", "0123456789012345678901234567890123456789012345678901234567890123", true},
	{"65 characters", "01234567890123456789012345678901234567890123456789012345678901234",
		false},
	{"a space", "a b", false},
	{"a slash", "a/b", false},
	{"a quote", "a\"b", false},
	{"above ASCII", "\xc3\xa9", false},
	{"a control byte", "a\n", false},
};

START_TEST(an_id_has_its_characters_and_length)
{
	ck_assert_msg(event_id_valid(ids[_i].text, strlen(ids[_i].text)) == ids[_i].valid, "%s",
		ids[_i].what);
}
END_TEST

START_TEST(every_type_is_found_by_its_name_and_is_whole)
{
	const struct event_type *type;
	size_t count = 0;

	for (; (type = event_type_at(count)) != NULL; count++) {
		ck_assert_ptr_eq(event_type_find(type->name), type);
		ck_assert_ptr_nonnull(type->handle);
		ck_assert_uint_le(type->body_size, EVENT_BODY_MAX);
		for (const struct field *f = type->fields; f != NULL && f->name != NULL; f++) {
			ck_assert_uint_lt(f->kind, FIELD_COUNT);
			ck_assert_uint_lt(f->offset, type->body_size);
			ck_assert_msg((f->kind == FIELD_CHOICE) == (f->choices != NULL), "%s %s",
				type->name, f->name);
			ck_assert_msg((f->kind == FIELD_LIST) == (f->items != NULL), "%s %s",
				type->name, f->name);
		}
	}
	ck_assert_uint_ge(count, 15);
	ck_assert_ptr_null(event_type_find("room"));
	ck_assert_ptr_null(event_type_find(""));
}
END_TEST

START_TEST(what_was_not_given_has_its_fallback)
{
	struct body {
		uint64_t number;
		int choice, flag;
		const char *text;
		struct event_list list;
	} body;
	static const char *const choices[] = {"a", "b", NULL};
	static const struct field fields[] = {{.name = "n",
						      .kind = FIELD_UINT,
						      .fallback = 7,
						      .offset = offsetof(struct body, number)},
		{.name = "c",
			.kind = FIELD_CHOICE,
			.choices = choices,
			.fallback = -1,
			.offset = offsetof(struct body, choice)},
		{.name = "f",
			.kind = FIELD_BOOL,
			.fallback = 1,
			.offset = offsetof(struct body, flag)},
		{.name = "t", .kind = FIELD_TEXT, .offset = offsetof(struct body, text)},
		{.name = "l", .kind = FIELD_IDS, .offset = offsetof(struct body, list)},
		{.name = NULL}};

	memset(&body, 0xa5, sizeof(body));
	event_defaults(fields, &body);
	ck_assert_uint_eq(body.number, 7);
	ck_assert_int_eq(body.choice, -1);
	ck_assert_int_eq(body.flag, 1);
	ck_assert_ptr_null(body.text);
	ck_assert_ptr_null(body.list.items);
	ck_assert_uint_eq(body.list.count, 0);
}
END_TEST

START_TEST(every_verdict_has_a_name)
{
	struct verdict verdict;

	for (int code = 0; code < VERDICT_COUNT; code++)
		ck_assert_str_ne(verdict_code_name((enum verdict_code)code), "unknown");
	ck_assert_str_eq(verdict_code_name(VERDICT_NO_SUCH_MEMBER), "no_such_member");
	ck_assert_str_eq(verdict_code_name(VERDICT_COUNT), "unknown");
	ck_assert(!verdict_refuse(&verdict, VERDICT_CAPACITY, "%d of %s", 3, "rooms"));
	ck_assert_int_eq(verdict.code, VERDICT_CAPACITY);
	ck_assert_str_eq(verdict.message, "3 of rooms");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("event");
	TCase *tcase = tcase_create("event");

	tcase_add_loop_test(
		tcase, an_id_has_its_characters_and_length, 0, sizeof(ids) / sizeof(ids[0]));
	tcase_add_test(tcase, every_type_is_found_by_its_name_and_is_whole);
	tcase_add_test(tcase, what_was_not_given_has_its_fallback);
	tcase_add_test(tcase, every_verdict_has_a_name);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
