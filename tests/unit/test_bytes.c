// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/core/bytes.h"
#include "tests/support/unit.h"

START_TEST(loads_are_big_endian_at_odd_addresses)
{
	const uint8_t wire[] = {0xff, 1, 2, 3, 4, 5, 6, 7, 8};

	ck_assert_uint_eq(bytes_load16(wire + 1), 0x0102);
	ck_assert_uint_eq(bytes_load24(wire + 1), 0x010203);
	ck_assert_uint_eq(bytes_load32(wire + 1), 0x01020304);
	ck_assert_uint_eq(bytes_load64(wire + 1), 0x0102030405060708ull);
}
END_TEST

START_TEST(stores_write_only_their_bytes)
{
	const uint8_t expected[] = {0xaa, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0xaa};
	uint8_t wire[16];

	memset(wire, 0xaa, sizeof(wire));
	bytes_store16(wire + 1, 0x0102);
	bytes_store32(wire + 3, 0x03040506);
	bytes_store64(wire + 7, 0x0708090a0b0c0d0eull);
	ck_assert_mem_eq(wire, expected, sizeof(wire));
}
END_TEST

START_TEST(cursor_reads_on_and_ends_exactly)
{
	const uint8_t wire[] = {1, 0, 2, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 4};
	uint8_t *block;
	struct cursor cursor = cursor_init(unit_block(wire, sizeof(wire), &block), sizeof(wire));

	ck_assert_uint_eq(cursor_read8(&cursor), 1);
	ck_assert_uint_eq(cursor_read16(&cursor), 2);
	ck_assert_uint_eq(cursor_read32(&cursor), 3);
	ck_assert_uint_eq(cursor_left(&cursor), 8);
	ck_assert_uint_eq(cursor_read64(&cursor), 4);
	ck_assert_uint_eq(cursor_left(&cursor), 0);
	ck_assert(!cursor.failed);
	ck_assert_ptr_nonnull(cursor_take(&cursor, 0));
	free(block);
}
END_TEST

START_TEST(cursor_error_is_sticky)
{
	const uint8_t wire[] = {1, 2, 3};
	uint8_t *block;
	struct cursor cursor = cursor_init(unit_block(wire, sizeof(wire), &block), sizeof(wire));

	ck_assert_uint_eq(cursor_read32(&cursor), 0);
	ck_assert(cursor.failed);
	/* Three bytes are there, but the parser has lost its place. */
	ck_assert_uint_eq(cursor_read8(&cursor), 0);
	ck_assert_uint_eq(cursor_left(&cursor), 0);
	ck_assert_ptr_null(cursor_take(&cursor, 0));
	free(block);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bytes");
	TCase *tcase = tcase_create("bytes");

	tcase_add_test(tcase, loads_are_big_endian_at_odd_addresses);
	tcase_add_test(tcase, stores_write_only_their_bytes);
	tcase_add_test(tcase, cursor_reads_on_and_ends_exactly);
	tcase_add_test(tcase, cursor_error_is_sticky);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
