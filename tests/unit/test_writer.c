/* SPDX-License-Identifier: BSD-3-Clause */
#include "controlplane/rooms/writer.h"
#include "tests/support/unit.h"

static void expect(const struct writer *writer, const char *text)
{
	ck_assert(!writer->failed);
	ck_assert_uint_eq(writer->size, strlen(text));
	ck_assert(memcmp(writer->text, text, writer->size) == 0);
}

START_TEST(commas_come_by_themselves)
{
	struct writer w = {0};

	writer_begin_object(&w, NULL);
	writer_string(&w, "a", "b");
	writer_begin_array(&w, "c");
	writer_uint(&w, NULL, UINT64_MAX);
	writer_int(&w, NULL, INT64_MIN);
	writer_begin_object(&w, NULL);
	writer_end_object(&w);
	writer_end_array(&w);
	writer_bool(&w, "d", true);
	writer_null(&w, "e");
	writer_string(&w, "f", NULL);
	writer_real(&w, "g", 0.5);
	writer_id(&w, "h", 9007199254740993);
	writer_end_object(&w);
	expect(&w, "{\"a\":\"b\",\"c\":[18446744073709551615,-9223372036854775808,{}],\"d\":true,"
		   "\"e\":null,\"f\":null,\"g\":0.500,\"h\":\"9007199254740993\"}");
	writer_clear(&w);
}
END_TEST

/* RFC 8259 section 7. */
START_TEST(strings_are_escaped)
{
	struct writer w = {0};

	writer_string(&w, NULL, "q\" b\\ n\n t\t \x01\x1f\x7f \xc3\xa9");
	expect(&w, "\"q\\\" b\\\\ n\\u000a t\\u0009 \\u0001\\u001f\\u007f \xc3\xa9\"");
	writer_clear(&w);
}
END_TEST

START_TEST(no_string_can_look_like_a_mark)
{
	struct writer w = {0};
	char text[WRITER_MARK_SIZE + 1];

	memset(text, 't', sizeof(text));
	text[0] = text[WRITER_MARK_SIZE - 1] = WRITER_MARK;
	text[WRITER_MARK_SIZE] = '\0';
	writer_string(&w, NULL, text);
	ck_assert_ptr_null(memchr(w.text, WRITER_MARK, w.size));
	writer_reset(&w);
	writer_mark(&w, "k", 't', 0x1234);
	expect(&w, "\"k\":\x01t0000000000001234\x01");
	ck_assert_uint_eq(w.size, strlen("\"k\":") + WRITER_MARK_SIZE);
	writer_clear(&w);
}
END_TEST

START_TEST(it_grows)
{
	struct writer w = {0};

	writer_begin_array(&w, NULL);
	for (unsigned int i = 0; i < 10000; i++)
		writer_uint(&w, NULL, 7);
	writer_end_array(&w);
	ck_assert_uint_eq(w.size, 20001);
	ck_assert_int_eq(w.text[20000], ']');
	writer_clear(&w);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("writer");
	TCase *tcase = tcase_create("writer");

	tcase_add_test(tcase, commas_come_by_themselves);
	tcase_add_test(tcase, strings_are_escaped);
	tcase_add_test(tcase, no_string_can_look_like_a_mark);
	tcase_add_test(tcase, it_grows);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
