/* SPDX-License-Identifier: BSD-3-Clause */
/* Block headers of RFC 2198 section 3, put together by hand. */
#include <errno.h>

#include "dataplane/core/red.h"
#include "tests/support/unit.h"

struct red_case {
	const char *sentence;
	uint8_t bytes[48];
	unsigned int size;
	int result;
	unsigned int blocks;
	unsigned int primary_offset;
};

/* 111 is 0x6f, with F 0xef; 63 is 0x3f. */
static const struct red_case cases[] = {
	{"a primary alone", {0x6f, 1, 2, 3}, 4, 0, 1, 1},
	{"one redundant block of 2 bytes, 960 ticks ago",
		{0xef, 0x0f, 0x00, 0x02, 0x6f, 0xaa, 0xbb, 1, 2, 3}, 10, 0, 2, 7},
	{"two redundant blocks, of 1 and 0 bytes",
		{0xef, 0x1e, 0x00, 0x01, 0xef, 0x0f, 0x00, 0x00, 0x6f, 0xaa, 1}, 11, 0, 3, 10},
	{"length is 10 bits: 0x3fc does not fit", {0xef, 0x0f, 0x03, 0xfc, 0x6f, 1, 2}, 7, -EINVAL},
	{"the offset's low bits are not length", {0xef, 0x0f, 0xfc, 0x01, 0x6f, 0xaa, 1}, 7, 0, 2,
		6},
	{"nothing at all", {0}, 0, -EINVAL},
	{"an empty primary", {0x6f}, 1, -EINVAL},
	{"an empty primary behind a block", {0xef, 0x0f, 0x00, 0x01, 0x6f, 0xaa}, 6, -EINVAL},
	{"a block header cut", {0xef, 0x0f, 0x00}, 3, -EINVAL},
	{"no header of the primary", {0xef, 0x0f, 0x00, 0x00}, 4, -EINVAL},
	{"a block one byte longer than there is", {0xef, 0x0f, 0x00, 0x03, 0x6f, 1, 2}, 7, -EINVAL},
	{"a redundant block of another type", {0xed, 0x0f, 0x00, 0x01, 0x6f, 0xaa, 1}, 7, -EINVAL},
	{"a primary of another type", {0xef, 0x0f, 0x00, 0x01, 0x6d, 0xaa, 1}, 7, -EINVAL},
	{"eight blocks",
		{0xef, 0, 0, 0, 0xef, 0, 0, 0, 0xef, 0, 0, 0, 0xef, 0, 0, 0, 0xef, 0, 0, 0, 0xef, 0,
			0, 0, 0xef, 0, 0, 0, 0x6f, 1},
		30, 0, 8, 29},
	{"nine blocks",
		{0xef, 0, 0, 0, 0xef, 0, 0, 0, 0xef, 0, 0, 0, 0xef, 0, 0, 0, 0xef, 0, 0, 0, 0xef, 0,
			0, 0, 0xef, 0, 0, 0, 0xef, 0, 0, 0, 0x6f, 1},
		34, -EINVAL},
};

START_TEST(blocks)
{
	const struct red_case *c = &cases[_i];
	struct red red = {77, 77};
	uint8_t *block;
	const uint8_t *payload = unit_block(c->bytes, c->size, &block);
	int result = red_parse(payload, c->size, 111, &red);

	ck_assert_msg(result == c->result, "%s: %d", c->sentence, result);
	ck_assert_msg(red.blocks == (result == 0 ? c->blocks : 77), "%s: %u blocks", c->sentence,
		red.blocks);
	ck_assert_msg(red.primary_offset == (result == 0 ? c->primary_offset : 77), "%s: at %u",
		c->sentence, red.primary_offset);
	free(block);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("red");
	TCase *tcase = tcase_create("red");

	tcase_add_loop_test(tcase, blocks, 0, sizeof(cases) / sizeof(cases[0]));
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
