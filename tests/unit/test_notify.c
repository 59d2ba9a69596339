/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "configs/notify.h"

static int manager; /* the service manager's end */
static char folder[] = "/tmp/notify.XXXXXX";
static char path[sizeof(folder) + 8];

/* name: a path, or '@' and an abstract name. */
static void listen_at(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	memcpy(address.sun_path, name, strlen(name));
	if (name[0] == '@')
		address.sun_path[0] = '\0';
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	ck_assert_int_ge(manager, 0);
	ck_assert_int_eq(
		bind(manager, (struct sockaddr *)&address,
			(socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
		0);
	setenv("NOTIFY_SOCKET", name, 1);
}

static void setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/socket", folder);
	listen_at(path);
}

static void teardown(void)
{
	close(manager);
	unlink(path);
	rmdir(folder);
}

static const char *received(void)
{
	static char text[1024];
	ssize_t size = recv(manager, text, sizeof(text) - 1, 0);
	text[size > 0 ? size : 0] = '\0';
	return text;
}

START_TEST(each_state_is_one_datagram)
{
	ck_assert_int_eq(notify_ready("2 workers"), 0);
	ck_assert_str_eq(received(), "READY=1\nSTATUS=2 workers");
	ck_assert_int_eq(notify_ready(NULL), 0);
	ck_assert_str_eq(received(), "READY=1");
	ck_assert_int_eq(notify_status("%d legs", 7), 0);
	ck_assert_str_eq(received(), "STATUS=7 legs");
	ck_assert_int_eq(notify_watchdog(), 0);
	ck_assert_str_eq(received(), "WATCHDOG=1");
	ck_assert_int_eq(notify_stopping(), 0);
	ck_assert_str_eq(received(), "STOPPING=1");
	ck_assert_int_eq(notify_send("MAINPID=5"), 0);
	ck_assert_str_eq(received(), "MAINPID=5");
}
END_TEST

START_TEST(an_abstract_socket_works_too)
{
	char name[64];
	close(manager);
	snprintf(name, sizeof(name), "@stentor-test-notify-%d", (int)getpid());
	listen_at(name);
	ck_assert_int_eq(notify_watchdog(), 0);
	ck_assert_str_eq(received(), "WATCHDOG=1");
}
END_TEST

START_TEST(without_a_manager_nothing_happens)
{
	unsetenv("NOTIFY_SOCKET");
	ck_assert_int_eq(notify_ready(NULL), 0);
	setenv("NOTIFY_SOCKET", "", 1);
	ck_assert_int_eq(notify_ready(NULL), 0);
	ck_assert_str_eq(received(), "");
}
END_TEST

START_TEST(a_manager_that_is_gone_is_an_error_not_a_hang)
{
	char *name = calloc(1, 200);
	setenv("NOTIFY_SOCKET", "/tmp/notify.none/socket", 1);
	ck_assert_int_eq(notify_ready(NULL), -ENOENT);
	setenv("NOTIFY_SOCKET", "relative", 1);
	ck_assert_int_eq(notify_ready(NULL), -EAFNOSUPPORT);
	memset(name, '/', 199);
	setenv("NOTIFY_SOCKET", name, 1);
	ck_assert_int_eq(notify_ready(NULL), -E2BIG);
	free(name);
	/* Nobody reads: the queue fills up, and the caller is told instead of held. */
	setenv("NOTIFY_SOCKET", path, 1);
	int rc = 0;
	for (int i = 0; i < 100000 && rc == 0; i++)
		rc = notify_watchdog();
	ck_assert_int_eq(rc, -EAGAIN);
}
END_TEST

START_TEST(the_watchdog_period_is_half_of_what_systemd_waits)
{
	char pid[32];
	unsetenv("WATCHDOG_USEC");
	ck_assert_uint_eq(notify_watchdog_period_ms(), 0);
	setenv("WATCHDOG_USEC", "20000000", 1);
	unsetenv("WATCHDOG_PID");
	ck_assert_uint_eq(notify_watchdog_period_ms(), 10000);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("WATCHDOG_PID", pid, 1);
	ck_assert_uint_eq(notify_watchdog_period_ms(), 10000);
	setenv("WATCHDOG_PID", "1", 1);
	ck_assert_uint_eq(notify_watchdog_period_ms(), 0);
	unsetenv("WATCHDOG_PID");
	setenv("WATCHDOG_USEC", "10s", 1);
	ck_assert_uint_eq(notify_watchdog_period_ms(), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("notify");
	TCase *tests = tcase_create("notify");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, each_state_is_one_datagram);
	tcase_add_test(tests, an_abstract_socket_works_too);
	tcase_add_test(tests, without_a_manager_nothing_happens);
	tcase_add_test(tests, a_manager_that_is_gone_is_an_error_not_a_hang);
	tcase_add_test(tests, the_watchdog_period_is_half_of_what_systemd_waits);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
