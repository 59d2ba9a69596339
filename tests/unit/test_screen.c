// SPDX-License-Identifier: BSD-3-Clause
/*
 * A live display on a pseudo-terminal: whatever ends it, the terminal is given back.
 */
#include <check.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "controlplane/cli/screen.h"

#define TEXT "one\ntwo\nthree\n"
#define DEADLINE_MS 10000

static void display(bool wanted)
{
	struct screen screen;

	screen_open(&screen, wanted);
	do
		screen_show(&screen, TEXT, strlen(TEXT));
	while (!screen_wait(&screen, 100));
	screen_close(&screen);
	_exit(0);
}

static pid_t start(int *terminal, struct winsize *size)
{
	pid_t pid = forkpty(terminal, NULL, NULL, size);

	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		display(true);
	return pid;
}

/* Reads until what came ends with, or contains, text. */
static void read_until(int terminal, char *seen, size_t size, const char *text)
{
	struct pollfd poll_fd = {.fd = terminal, .events = POLLIN};
	size_t used = strlen(seen);

	while (!strstr(seen, text)) {
		ck_assert_int_eq(poll(&poll_fd, 1, DEADLINE_MS), 1);
		ssize_t got = read(terminal, seen + used, size - 1 - used);

		ck_assert_int_gt(got, 0);
		used += (size_t)got;
		seen[used] = '\0';
	}
}

static const int endings[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, 0};

START_TEST(the_terminal_is_given_back)
{
	struct winsize size = {.ws_row = 24, .ws_col = 80};
	char seen[65536] = "";
	struct termios mode;
	int terminal, status;
	pid_t pid = start(&terminal, &size);

	read_until(terminal, seen, sizeof(seen), "three");
	ck_assert_ptr_nonnull(strstr(seen, "\033[?1049h"));
	ck_assert_ptr_nonnull(strstr(seen, "\033[?25l"));
	tcgetattr(terminal, &mode);
	ck_assert(!(mode.c_lflag & ICANON));
	if (endings[_i])
		kill(pid, endings[_i]);
	else
		ck_assert_int_eq(write(terminal, "q", 1), 1);
	read_until(terminal, seen, sizeof(seen), "\033[?25h\033[?1049l");
	/* Asked while the child's side is still open: afterwards there is no terminal to ask. */
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	if (tcgetattr(terminal, &mode) == 0)
		ck_assert((mode.c_lflag & (ICANON | ECHO)) == (ICANON | ECHO));
	close(terminal);
}
END_TEST

START_TEST(what_does_not_fit_is_left_out)
{
	struct winsize size = {.ws_row = 3, .ws_col = 80};
	char seen[65536] = "";
	int terminal, status;
	pid_t pid = start(&terminal, &size);

	read_until(terminal, seen, sizeof(seen), "two");
	read_until(terminal, seen, sizeof(seen), "\033[J");
	ck_assert_ptr_null(strstr(seen, "three"));
	kill(pid, SIGTERM);
	waitpid(pid, &status, 0);
	close(terminal);
}
END_TEST

START_TEST(a_pipe_gets_plain_text)
{
	char seen[65536] = "";
	int fd[2], status;
	pid_t pid;

	ck_assert_int_eq(pipe(fd), 0);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		dup2(fd[1], STDOUT_FILENO);
		display(true);
	}
	close(fd[1]);
	read_until(fd[0], seen, sizeof(seen), TEXT);
	ck_assert_ptr_null(strchr(seen, '\033'));
	kill(pid, SIGINT);
	waitpid(pid, &status, 0);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	close(fd[0]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("screen");
	TCase *cases = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, cases);
	tcase_add_loop_test(
		cases, the_terminal_is_given_back, 0, sizeof(endings) / sizeof(endings[0]));
	tcase_add_test(cases, what_does_not_fit_is_left_out);
	tcase_add_test(cases, a_pipe_gets_plain_text);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
