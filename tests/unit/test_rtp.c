// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/core/rtp.h"
#include "tests/support/unit.h"

#include <errno.h>
#include <stdio.h>

#define FIXED "\x00\x01\x00\x00\x03\xc0\xde\xad\xbe\xef"

static const struct {
	const char *sentence;
	const char *bytes;
	unsigned int size;
	int result;
	unsigned int header_size;
} rows[] = {
	{"a fixed header is enough", "\x80\x6f" FIXED, 12, 0, 12},
	{"a payload is not part of the header", "\x80\x6f" FIXED "opus", 16, 0, 12},
	{"version 1 is refused", "\x40\x6f" FIXED, 12, -EINVAL, 0},
	{"version 3 is refused", "\xc0\x6f" FIXED, 12, -EINVAL, 0},
	{"two CSRCs are counted", "\x82\x6f" FIXED "\0\0\0\1\0\0\0\2", 20, 0, 20},
	{"a missing CSRC is refused", "\x82\x6f" FIXED "\0\0\0\1", 16, -EINVAL, 0},
	{"an empty extension has its header", "\x90\x6f" FIXED "\xbe\xde\0\0", 16, 0, 16},
	{"an extension of a word", "\x90\x6f" FIXED "\xbe\xde\0\1\x10\xaa\0\0", 20, 0, 20},
	{"an extension longer than the packet is refused",
		"\x90\x6f" FIXED "\xbe\xde\0\2\x10\xaa\0\0", 20, -EINVAL, 0},
	{"an extension of 16,384 words is not one of none",
		"\x90\x6f" FIXED "\xbe\xde\x40\0\x10\xaa\0\0", 20, -EINVAL, 0},
	{"an extension of 65,535 words is refused", "\x90\x6f" FIXED "\xbe\xde\xff\xff", 16,
		-EINVAL, 0},
	{"CSRCs come before the extension", "\x91\x6f" FIXED "\0\0\0\1\xbe\xde\0\0", 20, 0, 20},
};

START_TEST(parse_row)
{
	uint8_t *block;
	const uint8_t *data = unit_block(rows[_i].bytes, rows[_i].size, &block);
	struct rtp rtp;

	ck_assert_msg(
		rtp_parse(data, rows[_i].size, &rtp) == rows[_i].result, "%s", rows[_i].sentence);
	if (rows[_i].result == 0)
		ck_assert_msg(rtp.header_size == rows[_i].header_size, "%s: %u", rows[_i].sentence,
			rtp.header_size);
	free(block);
}
END_TEST

START_TEST(fields_are_where_rfc_3550_has_them)
{
	static const uint8_t wire[] = {0xb1, 0xef, 0x12, 0x34, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 9,
		0xbe, 0xde, 0, 1, 0x10, 0xaa, 0, 0, 'x', 2};
	struct rtp rtp;

	ck_assert_int_eq(rtp_parse(wire, sizeof(wire), &rtp), 0);
	ck_assert(rtp.padding && rtp.extension && rtp.marker);
	ck_assert_uint_eq(rtp.csrc_count, 1);
	ck_assert_uint_eq(rtp.payload_type, 0x6f);
	ck_assert_uint_eq(rtp.sequence, 0x1234);
	ck_assert_uint_eq(rtp.timestamp, 0x01020304);
	ck_assert_uint_eq(rtp.ssrc, 0x05060708);
	ck_assert_uint_eq(rtp.extension_profile, 0xbede);
	ck_assert_uint_eq(rtp.extension_offset, 20);
	ck_assert_uint_eq(rtp.extension_size, 4);
	ck_assert_uint_eq(rtp.header_size, 24);
}
END_TEST

START_TEST(cut_at_every_byte)
{
	static const uint8_t wire[] = {0x91, 0x6f, 0, 1, 0, 0, 3, 0xc0, 1, 2, 3, 4, 0, 0, 0, 1,
		0xbe, 0xde, 0, 2, 0x10, 0xaa, 0, 0, 0, 0, 0, 0};
	unsigned int size;
	uint8_t *block;
	struct rtp rtp;

	for (size = 0; size < sizeof(wire); size++) {
		ck_assert_int_eq(rtp_parse(unit_block(wire, size, &block), size, &rtp), -EINVAL);
		free(block);
	}
	ck_assert_int_eq(rtp_parse(wire, sizeof(wire), &rtp), 0);
}
END_TEST

static const struct {
	const char *sentence;
	const char *bytes;
	unsigned int size;
	int result;
	unsigned int payload_size;
} paddings[] = {
	{"without the bit the last byte is payload", "\x80\x6f" FIXED "ab\x02", 15, 0, 3},
	{"a header alone has an empty payload", "\x80\x6f" FIXED, 12, 0, 0},
	{"padding counts itself", "\xa0\x6f" FIXED "ab\0\x02", 16, 0, 2},
	{"a payload may be all padding", "\xa0\x6f" FIXED "\0\0\0\x04", 16, 0, 0},
	{"padding of 0 is refused", "\xa0\x6f" FIXED "ab\0\0", 16, -EINVAL, 0},
	{"padding longer than the payload is refused", "\xa0\x6f" FIXED "ab\0\x05", 16, -EINVAL, 0},
	{"the bit without a payload is refused", "\xa0\x6f" FIXED, 12, -EINVAL, 0},
};

START_TEST(padding_row)
{
	unsigned int size = 99;
	uint8_t *block;
	const uint8_t *data = unit_block(paddings[_i].bytes, paddings[_i].size, &block);
	struct rtp rtp;

	ck_assert_int_eq(rtp_parse(data, paddings[_i].size, &rtp), 0);
	ck_assert_msg(rtp_payload_size(data, paddings[_i].size, &rtp, &size) == paddings[_i].result,
		"%s", paddings[_i].sentence);
	if (paddings[_i].result == 0)
		ck_assert_msg(size == paddings[_i].payload_size, "%s", paddings[_i].sentence);
	free(block);
}
END_TEST

START_TEST(a_tag_taken_off_too_much_is_no_payload)
{
	unsigned int size;
	struct rtp rtp = {.header_size = 20};

	ck_assert_int_eq(rtp_payload_size((const uint8_t *)"", 19, &rtp, &size), -EINVAL);
}
END_TEST

/* What the iterator gives, written as id:size, one after the other. */
static const struct {
	const char *sentence;
	uint16_t profile;
	const char *bytes;
	unsigned int size;
	const char *expected;
} extensions[] = {
	{"one element of one byte", 0xbede, "\x10\xaa\0\0", 4, "1:1 "},
	{"a length of 15 is 16 bytes", 0xbede,
		"\x2f"
		"0123456789abcdef"
		"\0\0\0",
		20, "2:16 "},
	{"padding between elements is skipped", 0xbede, "\x10\xaa\0\0\x30\xbb\0\0", 8, "1:1 3:1 "},
	{"padding only is nothing", 0xbede, "\0\0\0\0", 4, ""},
	{"id 15 ends it", 0xbede, "\x10\xaa\xf0\0\x30\xbb\0\0", 8, "1:1 "},
	{"id 0 with a length ends it", 0xbede, "\x10\xaa\x02\0\x30\xbb\0\0", 8, "1:1 "},
	{"an element over the end is not given", 0xbede, "\x10\xaa\x22\0", 4, "1:1 "},
	{"a last byte without its data is not given", 0xbede, "\x10\xaa\0\x20", 4, "1:1 "},
	{"two-byte form", 0x1000, "\x01\x01\xaa\x02\x00\x00\x03\x01", 8, "1:1 2:0 "},
	{"two-byte form with appbits", 0x100f, "\x01\x01\xaa\x00", 4, "1:1 "},
	{"id 15 is an id in the two-byte form", 0x1000, "\x0f\x01\xaa\x00", 4, "15:1 "},
	{"ids above 15 exist in the two-byte form", 0x1000, "\xff\x02\xaa\xbb", 4, "255:2 "},
	{"a two-byte element over the end is not given", 0x1000, "\x01\x02\xaa\x00\x02\x04\x00\x00",
		8, "1:2 "},
	{"a two-byte element without a length is not given", 0x1000, "\0\0\0\x01", 4, ""},
	{"another profile is not looked into", 0xabac, "\x10\xaa\0\0", 4, ""},
	{"an empty extension is nothing", 0xbede, "", 0, ""},
};

static void put_extension(uint8_t *wire, uint16_t profile, const char *bytes, unsigned int size)
{
	memcpy(wire, "\x90\x6f" FIXED, 12);
	bytes_store16(wire + 12, profile);
	bytes_store16(wire + 14, (uint16_t)(size / 4));
	memcpy(wire + 16, bytes, size);
}

START_TEST(extension_row)
{
	unsigned int size = 16 + extensions[_i].size;
	struct rtp_extension_iterator iterator;
	struct rtp_extension element;
	char seen[128] = "";
	uint8_t wire[64], *block;
	struct rtp rtp;

	put_extension(wire, extensions[_i].profile, extensions[_i].bytes, extensions[_i].size);
	ck_assert_int_eq(rtp_parse(unit_block(wire, size, &block), size, &rtp), 0);
	iterator = rtp_extension_begin(block, &rtp);
	while (rtp_extension_next(&iterator, &element))
		sprintf(seen + strlen(seen), "%u:%u ", element.id, element.size);
	ck_assert_msg(strcmp(seen, extensions[_i].expected) == 0, "%s: %s", extensions[_i].sentence,
		seen);
	ck_assert(!rtp_extension_next(&iterator, &element));
	free(block);
}
END_TEST

START_TEST(without_the_bit_there_are_no_extensions)
{
	static const uint8_t wire[] = "\x80\x6f" FIXED "\xbe\xde\0\1\x10\xaa\0\0";
	struct rtp_extension_iterator iterator;
	struct rtp_extension element;
	struct rtp rtp;

	ck_assert_int_eq(rtp_parse(wire, 20, &rtp), 0);
	iterator = rtp_extension_begin(wire, &rtp);
	ck_assert(!rtp_extension_next(&iterator, &element));
}
END_TEST

static const struct {
	const char *sentence;
	struct rtp_outgoing facts;
	const char *expected;
	unsigned int size;
} builds[] = {
	{"fixed header only", {111, false, 0x0102, 0x03040506, 0x0708090a, 0, 0, 0},
		"\x80\x6f\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a", 12},
	{"with marker and CSRC", {111, true, 0x0102, 0x03040506, 0x0708090a, 0x0b0c0d0e, 0, 0},
		"\x81\xef\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e", 16},
	{"with a level", {109, false, 1, 2, 3, 0, 14, 0xaa},
		"\x90\x6d\0\1\0\0\0\2\0\0\0\3\xbe\xde\0\1\xe0\xaa\0\0", 20},
	{"with all", {109, false, 1, 2, 3, 4, 1, 0x2a},
		"\x91\x6d\0\1\0\0\0\2\0\0\0\3\0\0\0\4\xbe\xde\0\1\x10\x2a\0\0", 24},
};

START_TEST(build_row)
{
	uint8_t *wire = malloc(builds[_i].size);

	ck_assert_msg(
		rtp_build(&builds[_i].facts, wire) == builds[_i].size, "%s", builds[_i].sentence);
	ck_assert_mem_eq(wire, builds[_i].expected, builds[_i].size);
	free(wire);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rtp");
	TCase *parse = tcase_create("parse"), *build = tcase_create("build");

	tcase_add_loop_test(parse, parse_row, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(parse, fields_are_where_rfc_3550_has_them);
	tcase_add_test(parse, cut_at_every_byte);
	tcase_add_loop_test(parse, padding_row, 0, sizeof(paddings) / sizeof(paddings[0]));
	tcase_add_test(parse, a_tag_taken_off_too_much_is_no_payload);
	tcase_add_loop_test(parse, extension_row, 0, sizeof(extensions) / sizeof(extensions[0]));
	tcase_add_test(parse, without_the_bit_there_are_no_extensions);
	suite_add_tcase(suite, parse);
	tcase_add_loop_test(build, build_row, 0, sizeof(builds) / sizeof(builds[0]));
	suite_add_tcase(suite, build);
	return unit_run(suite);
}
