/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "dataplane/api/table.h"
#include "dataplane/api/ufrag.h"
#include "tests/support/unit.h"

/* RFC 4648 section 4, by hand: 00 00 00 | 00 00 00 | 01 ff fe | fd fc fb. */
START_TEST(is_base64_of_id_and_random)
{
	const uint8_t random[4] = {0xfe, 0xfd, 0xfc, 0xfb};
	char text[STN_UFRAG_SIZE];

	stn_ufrag_make(0x1ff, random, text);
	ck_assert_mem_eq(text, "AAAAAAAAAf/+/fz7", STN_UFRAG_SIZE);
}
END_TEST

START_TEST(reads_back_what_it_wrote)
{
	static const uint64_t ids[] = {1, 0x8000000000000000ull, UINT64_MAX, 0x0123456789abcdefull};
	const uint8_t random[4] = {0, 0x80, 0xff, 1};
	char text[STN_UFRAG_SIZE];
	uint8_t back[4];
	uint64_t id;
	size_t i;

	for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		stn_ufrag_make(ids[i], random, text);
		ck_assert_int_eq(stn_ufrag_parse(text, sizeof(text), &id, back), 0);
		ck_assert_uint_eq(id, ids[i]);
		ck_assert_mem_eq(back, random, sizeof(back));
	}
}
END_TEST

START_TEST(refuses_other_sizes_and_characters)
{
	char text[STN_UFRAG_SIZE + 1] = "AAAAAAAAAf/+/fz7";
	uint8_t back[4];
	uint64_t id = 7;
	size_t i;

	ck_assert_int_eq(stn_ufrag_parse(text, 15, &id, back), -1);
	ck_assert_int_eq(stn_ufrag_parse(text, 17, &id, back), -1);
	ck_assert_int_eq(stn_ufrag_parse(text, 0, &id, back), -1);
	for (i = 0; i < STN_UFRAG_SIZE; i++) {
		char was = text[i];

		text[i] = "=-_:. \n\0\xff@[`{/"[i % 13];
		if (text[i] != '/')
			ck_assert_int_eq(stn_ufrag_parse(text, STN_UFRAG_SIZE, &id, back), -1);
		text[i] = was;
	}
	ck_assert_uint_eq(id, 7);
}
END_TEST

START_TEST(cname_is_the_ssrc_in_hex)
{
	char cname[STN_CNAME_SIZE];

	stn_slot_cname(0x0a1b2c3f, cname);
	ck_assert_str_eq(cname, "stentor-0a1b2c3f");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ufrag");
	TCase *tcase = tcase_create("ufrag");

	tcase_add_test(tcase, is_base64_of_id_and_random);
	tcase_add_test(tcase, reads_back_what_it_wrote);
	tcase_add_test(tcase, refuses_other_sizes_and_characters);
	tcase_add_test(tcase, cname_is_the_ssrc_in_hex);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
