// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/core/preroll.h"
#include "tests/support/unit.h"

#include <stdio.h>

/* Numbers are pushed (or popped at 0); what is in it is written down afterwards. */
static const struct {
	const char *sentence;
	unsigned int steps[8];
	unsigned int count;
	const char *expected;
} rows[] = {
	{"in order", {1, 2, 3}, 3, "1 2 3 "},
	{"a late one goes to its place", {1, 3, 4, 2}, 4, "1 2 3 4 "},
	{"an early one goes to the front", {5, 6, 4}, 3, "4 5 6 "},
	{"the same index is refused at the end", {1, 2, 2}, 3, "1 2 "},
	{"the same index is refused in the middle", {1, 2, 3, 2}, 4, "1 2 3 "},
	{"the same index is refused at the front", {1, 2, 1}, 3, "1 2 "},
	{"the lowest is popped first", {2, 1, 3, 0}, 4, "2 3 "},
	{"popping empties it", {1, 0, 0}, 3, ""},
};

static void push(struct preroll *preroll, unsigned int index)
{
	struct selector_packet packet = {.index = index};

	preroll_push(preroll, &packet);
}

/* Every row at every place of the ring. */
START_TEST(row)
{
	unsigned int first, i;
	struct selector_packet packet;
	char seen[64];

	for (first = 0; first < PREROLL_PACKETS_MAX; first++) {
		struct preroll preroll = {.first = first};

		for (i = 0; i < rows[_i].count; i++) {
			if (rows[_i].steps[i])
				push(&preroll, rows[_i].steps[i]);
			else
				preroll_pop(&preroll, &packet);
		}
		seen[0] = '\0';
		while (preroll_peek(&preroll)) {
			unsigned int index = (unsigned int)preroll_peek(&preroll)->index;

			ck_assert(preroll_pop(&preroll, &packet));
			ck_assert_uint_eq(packet.index, index);
			sprintf(seen + strlen(seen), "%u ", index);
		}
		ck_assert_msg(
			strcmp(seen, rows[_i].expected) == 0, "%s: %s", rows[_i].sentence, seen);
	}
}
END_TEST

START_TEST(full_is_full)
{
	struct preroll preroll = {.first = 17};
	struct selector_packet packet = {.index = 5};
	unsigned int i;

	for (i = 0; i < PREROLL_PACKETS_MAX; i++) {
		ck_assert(!preroll_full(&preroll));
		push(&preroll, 100 + i);
	}
	ck_assert(preroll_full(&preroll));
	ck_assert(!preroll_push(&preroll, &packet));
	for (i = 0; i < PREROLL_PACKETS_MAX; i++) {
		ck_assert(preroll_pop(&preroll, &packet));
		ck_assert_uint_eq(packet.index, 100 + i);
	}
	ck_assert(!preroll_pop(&preroll, &packet));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("preroll");
	TCase *tcase = tcase_create("preroll");

	tcase_add_loop_test(tcase, row, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tcase, full_is_full);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
