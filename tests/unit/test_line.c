/* SPDX-License-Identifier: BSD-3-Clause */
#include "controlplane/events/line.h"
#include "tests/support/random.h"
#include "tests/support/unit.h"

static void feed(struct line_buffer *buffer, const char *bytes, size_t size)
{
	size_t space;
	char *to = line_space(buffer, &space);

	ck_assert_uint_ge(space, size);
	memcpy(to, bytes, size);
	line_filled(buffer, size);
}

static void expect(struct line_buffer *buffer, const char *wanted)
{
	char *line;
	size_t size;

	ck_assert_int_eq(line_next(buffer, &line, &size), LINE_FOUND);
	ck_assert_uint_eq(size, strlen(wanted));
	ck_assert(memcmp(line, wanted, size) == 0);
}

START_TEST(lines_come_however_the_bytes_are_cut)
{
	struct line_buffer buffer;
	char *line;
	size_t size;

	ck_assert_int_eq(line_open(&buffer), 0);
	ck_assert_int_eq(line_next(&buffer, &line, &size), LINE_NONE);
	feed(&buffer, "a", 1);
	ck_assert_int_eq(line_next(&buffer, &line, &size), LINE_NONE);
	feed(&buffer, "b\n\ncd\ne", 7);
	expect(&buffer, "ab");
	expect(&buffer, "");
	expect(&buffer, "cd");
	ck_assert_int_eq(line_next(&buffer, &line, &size), LINE_NONE);
	feed(&buffer, "f\n", 2);
	expect(&buffer, "ef");
	line_close(&buffer);
}
END_TEST

/* A line of `length`, and a short one behind it, in pieces of random sizes. */
static void check_length(size_t length, struct random_state *random)
{
	struct line_buffer buffer;
	size_t total = length + 1 + 3, at = 0, found = 0, too_long = 0, size;
	char *stream = malloc(total), *line;

	memset(stream, 'x', total);
	stream[length] = '\n';
	memcpy(stream + length + 1, "ok\n", 3);
	ck_assert_int_eq(line_open(&buffer), 0);
	while (at < total) {
		size_t space, piece;
		char *to = line_space(&buffer, &space);
		enum line_result result;

		ck_assert_uint_gt(space, 0);
		piece = 1 + random_below(random, 70000);
		piece = piece > space ? space : piece;
		piece = piece > total - at ? total - at : piece;
		memcpy(to, stream + at, piece);
		line_filled(&buffer, piece);
		at += piece;
		while ((result = line_next(&buffer, &line, &size)) != LINE_NONE) {
			found += result == LINE_FOUND;
			too_long += result == LINE_TOO_LONG;
			if (result == LINE_FOUND)
				ck_assert(size == length || size == 2);
		}
	}
	ck_assert_uint_eq(too_long, length > EVENTS_LINE_MAX);
	ck_assert_uint_eq(found, length > EVENTS_LINE_MAX ? 1 : 2);
	line_close(&buffer);
	free(stream);
}

START_TEST(too_long_is_said_once_and_skipped_to_its_end)
{
	static const size_t lengths[] = {EVENTS_LINE_MAX - 1, EVENTS_LINE_MAX, EVENTS_LINE_MAX + 1,
		EVENTS_LINE_MAX + 2, 2 * EVENTS_LINE_MAX, 2 * EVENTS_LINE_MAX + 1, 1000000};
	struct random_state random;

	random_seed(&random);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		for (unsigned int round = 0; round < 50; round++)
			check_length(lengths[i], &random);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("line");
	TCase *tcase = tcase_create("line");

	tcase_add_test(tcase, lines_come_however_the_bytes_are_cut);
	tcase_add_test(tcase, too_long_is_said_once_and_skipped_to_its_end);
	tcase_set_timeout(tcase, 60);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
