/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Held media ports: nobody else gets them, and a sender meets silence instead of ICMP. Runs in a
 * network namespace of its own. Skips (77) without the capability to make one.
 */
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bpf/reserve.h"

static struct reserve *reserve;
static char message[256];

static void address_of(struct sockaddr_storage *address, int family, uint16_t port)
{
	memset(address, 0, sizeof(*address));
	address->ss_family = (sa_family_t)family;
	if (family == AF_INET) {
		struct sockaddr_in *ipv4 = (struct sockaddr_in *)address;
		ipv4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		ipv4->sin_port = htons(port);
	} else {
		struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)address;
		ipv6->sin6_addr = in6addr_loopback;
		ipv6->sin6_port = htons(port);
	}
}

/* What a speaker's second packet meets: over loopback the first one's ICMP is there by then. */
static int send_twice(int family, uint16_t port)
{
	struct sockaddr_storage address;
	int fd = socket(family, SOCK_DGRAM, 0), rc = 0;

	address_of(&address, family, port);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	for (int i = 0; i < 2 && rc == 0; i++)
		rc = send(fd, "\200", 1, 0) < 0 ? -errno : 0;
	close(fd);
	return rc;
}

static int bind_to(int family, uint16_t port)
{
	struct sockaddr_storage address;
	int fd = socket(family, SOCK_DGRAM, 0);

	address_of(&address, family, port);
	int rc = bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
	close(fd);
	return rc;
}

START_TEST(a_held_port_is_silent_and_taken)
{
	static const struct steer_port_range ports[] = {{40000, 40002}, {65535, 65535}};
	static const uint16_t held[] = {40000, 40001, 40002, 65535};
	static const int families[] = {AF_INET, AF_INET6};

	ck_assert_int_eq(reserve_open(&reserve, ports, 2, message, sizeof(message)), 0);
	for (int f = 0; f < 2; f++) {
		for (int i = 0; i < 4; i++) {
			ck_assert_int_eq(send_twice(families[f], held[i]), 0);
			ck_assert_int_eq(bind_to(families[f], held[i]), -EADDRINUSE);
		}
		ck_assert_int_eq(send_twice(families[f], 40003), -ECONNREFUSED);
		ck_assert_int_eq(bind_to(families[f], 40003), 0);
	}
	reserve_close(reserve);
	for (int f = 0; f < 2; f++) {
		ck_assert_int_eq(send_twice(families[f], 40000), -ECONNREFUSED);
		ck_assert_int_eq(bind_to(families[f], 40000), 0);
	}
}
END_TEST

START_TEST(a_port_in_use_is_named_and_nothing_is_held)
{
	static const struct steer_port_range ports[] = {{40000, 40005}};
	struct sockaddr_storage address;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	address_of(&address, AF_INET, 40003);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	reserve = NULL;
	ck_assert_int_eq(reserve_open(&reserve, ports, 1, message, sizeof(message)), -EADDRINUSE);
	ck_assert_ptr_nonnull(strstr(message, "40003"));
	ck_assert_ptr_null(reserve);
	close(fd);
	for (uint16_t port = 40000; port <= 40005; port++)
		ck_assert_int_eq(bind_to(AF_INET, port), 0);
	reserve_close(NULL);
}
END_TEST

START_TEST(too_many_ports_are_refused)
{
	static const struct steer_port_range ports[] = {{20000, 20000 + RESERVE_PORTS_MAX}};

	int rc = reserve_open(&reserve, ports, 1, message, sizeof(message));
	ck_assert(rc == -E2BIG || rc == -EMFILE); /* the descriptor limit may be met first */
	ck_assert_int_eq(bind_to(AF_INET, 20000), 0);
}
END_TEST

static Suite *reserve_suite(void)
{
	Suite *suite = suite_create("reserve");
	TCase *ports = tcase_create("ports");

	tcase_add_test(ports, a_held_port_is_silent_and_taken);
	tcase_add_test(ports, a_port_in_use_is_named_and_nothing_is_held);
	tcase_add_test(ports, too_many_ports_are_refused);
	suite_add_tcase(suite, ports);
	return suite;
}

int main(void)
{
	if (unshare(CLONE_NEWNET) < 0 || system("ip link set lo up") != 0) {
		puts("SKIP: needs CAP_SYS_ADMIN and CAP_NET_ADMIN");
		return 77;
	}
	SRunner *runner = srunner_create(reserve_suite());
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
