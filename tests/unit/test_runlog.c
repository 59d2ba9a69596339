// SPDX-License-Identifier: BSD-3-Clause
/* What a generator leaves for a sink. */
#include <stdio.h>
#include <unistd.h>

#include "perf/runlog.h"
#include "tests/support/unit.h"

static char path[64];

static void make_path(void)
{
	snprintf(path, sizeof(path), "/tmp/test_runlog.%d", (int)getpid());
}

static void remove_path(void)
{
	unlink(path);
}

START_TEST(what_was_written_is_read)
{
	uint64_t first[] = {1, 2, UINT64_C(9007199254740993)}, second[] = {5};
	const struct runlog log = {.repeat = 2,
		.repeats = 3,
		.speakers = 2,
		.speaker = {{10, 3, first}, {7, 1, second}}};
	struct runlog got;

	ck_assert_int_eq(runlog_write(path, &log), 0);
	ck_assert_int_eq(runlog_read(path, &got), 0);
	ck_assert(got.same_machine);
	ck_assert_uint_eq(got.repeat, 2);
	ck_assert_uint_eq(got.repeats, 3);
	ck_assert_uint_eq(got.speakers, 2);
	ck_assert_uint_eq(got.speaker[0].listeners, 10);
	ck_assert_uint_eq(got.speaker[0].count, 3);
	ck_assert_mem_eq(got.speaker[0].send_ns, first, sizeof(first));
	/* 10 listeners for each packet of the first speaker, 7 for that of the second. */
	ck_assert_uint_eq(runlog_due(&got, 1), 0);
	ck_assert_uint_eq(runlog_due(&got, 3), 20);
	ck_assert_uint_eq(runlog_due(&got, UINT64_MAX), 37);
	runlog_free(&got);
}
END_TEST

/* Each is a log but for one thing. */
#define REPEAT "\"repeat\":1,\"repeats\":1,"
static const char *const bad[] = {"", "{", "[]", "{" REPEAT "\"speakers\":[]}",
	"{" REPEAT "\"speakers\":{}}", "{" REPEAT "\"speakers\":[{\"send_ns\":[1]}]}",
	"{" REPEAT "\"speakers\":[{\"listeners\":0,\"send_ns\":[1]}]}",
	"{" REPEAT "\"speakers\":[{\"listeners\":1,\"send_ns\":[1,-2]}]}",
	"{" REPEAT "\"speakers\":[{\"listeners\":1,\"send_ns\":[\"1\"]}]}",
	"{" REPEAT "\"speakers\":[{\"listeners\":4294967296,\"send_ns\":[]}]}",
	"{\"speakers\":[{\"listeners\":3,\"send_ns\":[1]}]}",
	"{\"repeat\":0,\"repeats\":1,\"speakers\":[{\"listeners\":3,\"send_ns\":[1]}]}",
	"{\"repeat\":3,\"repeats\":2,\"speakers\":[{\"listeners\":3,\"send_ns\":[1]}]}",
	"{\"repeat\":1,\"repeats\":102,\"speakers\":[{\"listeners\":3,\"send_ns\":[1]}]}"};

START_TEST(what_is_no_log_is_refused)
{
	FILE *file = fopen(path, "w");
	struct runlog got;

	ck_assert_ptr_nonnull(file);
	fputs(bad[_i], file);
	fclose(file);
	ck_assert_msg(runlog_read(path, &got) < 0, "%s", bad[_i]);
}
END_TEST

START_TEST(another_machine_is_another_boot)
{
	FILE *file = fopen(path, "w");
	struct runlog got;

	ck_assert_ptr_nonnull(file);
	fputs("{\"boot\":\"6a6f2f5e\"," REPEAT "\"speakers\":[{\"listeners\":3,\"send_ns\":[1]}]}",
		file);
	fclose(file);
	ck_assert_int_eq(runlog_read(path, &got), 0);
	ck_assert(!got.same_machine);
	ck_assert_uint_eq(runlog_due(&got, UINT64_MAX), 3);
	runlog_free(&got);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("runlog");
	TCase *tcase = tcase_create("all");

	tcase_add_checked_fixture(tcase, make_path, remove_path);
	tcase_add_test(tcase, what_was_written_is_read);
	tcase_add_loop_test(
		tcase, what_is_no_log_is_refused, 0, (int)(sizeof(bad) / sizeof(bad[0])));
	tcase_add_test(tcase, another_machine_is_another_boot);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
