/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "configs/log.h"

#define THREADS 4
#define LINES_EACH 2000

static FILE *capture;

/* stderr goes to a file that the test reads back; each test runs in a process of its own. */
static void setup(void)
{
	capture = tmpfile();
	ck_assert_ptr_nonnull(capture);
	dup2(fileno(capture), STDERR_FILENO);
	unsetenv("JOURNAL_STREAM");
	log_open(LOG_LEVEL_INFO);
}

static char *captured(void)
{
	static char text[1 << 20];
	rewind(capture);
	size_t size = fread(text, 1, sizeof(text) - 1, capture);
	text[size] = '\0';
	return text;
}

START_TEST(a_line_has_time_level_event_and_values)
{
	unsigned long seconds, microseconds;
	int end = 0;
	log_info("port_open", "port=%d driver=%s", 3, "null");
	log_warn("alone", NULL);
	char *text = captured();
	ck_assert_int_eq(sscanf(text, "%lu.%6lu info port_open port=3 driver=null\n%n", &seconds,
				 &microseconds, &end),
		2);
	ck_assert_int_gt(end, 0);
	ck_assert_ptr_nonnull(strstr(text + end, " warn alone\n"));
}
END_TEST

START_TEST(less_important_levels_are_left_out)
{
	log_debug("hidden", NULL);
	log_open(LOG_LEVEL_ERROR);
	log_warn("hidden", NULL);
	log_error("shown", NULL);
	ck_assert_ptr_null(strstr(captured(), "hidden"));
	ck_assert_ptr_nonnull(strstr(captured(), "error shown"));
}
END_TEST

START_TEST(a_value_cannot_forge_a_line)
{
	log_info("user", "name=%s", "a\n1.000000 error forged\r\x1b[2J\x7f");
	ck_assert_ptr_nonnull(strstr(captured(), "name=a?1.000000 error forged??[2J?\n"));
	ck_assert_ptr_eq(strchr(captured(), '\n'), strrchr(captured(), '\n'));
}
END_TEST

START_TEST(a_long_line_is_cut_and_says_so)
{
	char value[3 * LOG_LINE_MAX];
	memset(value, 'x', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	log_info("long", "value=%s", value);
	char *text = captured();
	size_t size = strlen(text);
	ck_assert_uint_le(size, LOG_LINE_MAX);
	ck_assert_uint_gt(size, LOG_LINE_MAX - 4);
	ck_assert_str_eq(text + size - 5, "x...\n");
}
END_TEST

START_TEST(errno_survives)
{
	errno = EADDRINUSE;
	log_info("something", "value=%d", 1);
	ck_assert_int_eq(errno, EADDRINUSE);
}
END_TEST

START_TEST(the_journal_gets_a_priority_instead_of_a_time)
{
	struct stat status;
	char stream[64];
	ck_assert_int_eq(fstat(STDERR_FILENO, &status), 0);
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)status.st_dev,
		(unsigned long long)status.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	log_open(LOG_LEVEL_DEBUG);
	log_error("a", "x=%d", 1);
	log_warn("b", NULL);
	log_info("c", NULL);
	log_debug("d", NULL);
	ck_assert_str_eq(captured(), "<3>a x=1\n<4>b\n<6>c\n<7>d\n");
}
END_TEST

START_TEST(a_journal_that_is_not_our_stderr_is_none)
{
	setenv("JOURNAL_STREAM", "1:1", 1);
	log_open(LOG_LEVEL_INFO);
	log_info("c", NULL);
	ck_assert_ptr_null(strstr(captured(), "<6>"));
}
END_TEST

START_TEST(a_limit_lets_one_through_and_counts_the_rest)
{
	struct log_limit limit = {0};
	for (int i = 0; i < 100; i++)
		log_limited(&limit, LOG_LEVEL_WARN, "flood", "i=%d", i);
	ck_assert_ptr_nonnull(strstr(captured(), " warn flood i=0\n"));
	ck_assert_ptr_eq(strchr(captured(), '\n'), strrchr(captured(), '\n'));
	limit.next_ns = 1; /* the second is over */
	log_limited(&limit, LOG_LEVEL_WARN, "flood", "i=%d", 100);
	ck_assert_ptr_nonnull(strstr(captured(), " warn flood suppressed=99 i=100\n"));
	ck_assert_uint_eq(limit.suppressed, 0);
}
END_TEST

static void *write_lines(void *argument)
{
	struct log_limit *limit = argument;
	for (int i = 0; i < LINES_EACH; i++) {
		log_info("line", "value=%s", "abcdefghijklmnopqrstuvwxyz");
		log_limited(limit, LOG_LEVEL_INFO, "limited", NULL);
	}
	return NULL;
}

START_TEST(lines_of_threads_never_mix)
{
	pthread_t thread[THREADS];
	struct log_limit limit = {0};
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&thread[i], NULL, write_lines, &limit), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	unsigned int lines = 0, limited = 0;
	for (char *line = strtok(captured(), "\n"); line != NULL; line = strtok(NULL, "\n")) {
		const char *rest = strstr(line, " info ");
		ck_assert_ptr_nonnull(rest);
		if (strncmp(rest, " info limited", 13) == 0) {
			limited++;
			continue;
		}
		ck_assert_str_eq(rest, " info line value=abcdefghijklmnopqrstuvwxyz");
		lines++;
	}
	ck_assert_uint_eq(lines, THREADS * LINES_EACH);
	/* Nothing is lost from the count: each call was printed or is in suppressed. */
	ck_assert_uint_ge(limited, 1);
	ck_assert_uint_le(limited + limit.suppressed, THREADS * LINES_EACH);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("log");
	TCase *tests = tcase_create("log");
	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, a_line_has_time_level_event_and_values);
	tcase_add_test(tests, less_important_levels_are_left_out);
	tcase_add_test(tests, a_value_cannot_forge_a_line);
	tcase_add_test(tests, a_long_line_is_cut_and_says_so);
	tcase_add_test(tests, errno_survives);
	tcase_add_test(tests, the_journal_gets_a_priority_instead_of_a_time);
	tcase_add_test(tests, a_journal_that_is_not_our_stderr_is_none);
	tcase_add_test(tests, a_limit_lets_one_through_and_counts_the_rest);
	tcase_add_test(tests, lines_of_threads_never_mix);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
