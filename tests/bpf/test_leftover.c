/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whose program is on the interface: a killed owner's is replaced, a living owner's and a
 * stranger's are refused with a message, and what steer_configure writes is what was asked. Runs in
 * a network namespace of its own. Skips (77) without the capabilities.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <check.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bpf/attachment.h"
#include "bpf/steer.h"
#include "bpf/steer.skel.h"

#define NATIVE "veth0" /* has XDP of its own */
#define GENERIC "lo"   /* has not */

static char message[256];

static const struct steer_port_range ports[] = {{40000, 40002}, {65535, 65535}};

static struct steer_config usual_config(void)
{
	return (struct steer_config){.ports = ports, .port_count = 2};
}

/* As DPDK does it: load, attach without a link, so that it outlives the process. */
static void attach_ours(const char *ifname)
{
	struct steer_bpf *program = steer_bpf__open_and_load();

	ck_assert_ptr_nonnull(program);
	ck_assert_int_eq(bpf_xdp_attach((int)if_nametoindex(ifname),
				 bpf_program__fd(program->progs.stentor_steer),
				 XDP_FLAGS_UPDATE_IF_NOEXIST, NULL),
		0);
	steer_bpf__destroy(program);
}

/* A two-instruction program that passes everything, under any name. */
static void attach_named(const char *ifname, const char *name)
{
	const struct bpf_insn pass[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS},
		{.code = BPF_JMP | BPF_EXIT},
	};
	int program = bpf_prog_load(BPF_PROG_TYPE_XDP, name, "GPL", pass, 2, NULL);

	ck_assert_int_ge(program, 0);
	ck_assert_int_eq(bpf_xdp_attach((int)if_nametoindex(ifname), program, 0, NULL), 0);
	close(program);
}

static void expect_attached(const char *ifname, const char *name)
{
	struct attachment found;

	ck_assert_int_eq(attachment_query(&found, (int)if_nametoindex(ifname)), 0);
	if (!name) {
		ck_assert_uint_eq(found.id, 0);
		return;
	}
	ck_assert_uint_ne(found.id, 0);
	ck_assert_str_eq(found.name, name);
	close(found.program);
}

static void detach(const char *ifname)
{
	bpf_xdp_detach((int)if_nametoindex(ifname), 0, NULL);
	expect_attached(ifname, NULL);
}

static void clean(void)
{
	detach(NATIVE);
	detach(GENERIC);
	memset(message, 0, sizeof(message));
}

/* A data plane: configures the program on NATIVE and lives until it is killed. */
static pid_t start_owner(void)
{
	int ready[2];
	char byte = 0;

	ck_assert_int_eq(pipe(ready), 0);
	pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		struct steer *steer;
		struct steer_config config = usual_config();
		attach_ours(NATIVE);
		byte = steer_configure(&steer, NATIVE, &config, message, sizeof(message)) == 0;
		if (write(ready[1], &byte, 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	ck_assert_int_eq(byte, 1);
	close(ready[0]);
	return pid;
}

static void kill_owner(pid_t pid)
{
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

START_TEST(a_free_interface_is_left_alone)
{
	ck_assert_int_eq(steer_prepare(NATIVE, message, sizeof(message)), 0);
	expect_attached(NATIVE, NULL);
}
END_TEST

START_TEST(a_missing_interface_is_named)
{
	ck_assert_int_eq(steer_prepare("nosuch0", message, sizeof(message)), -ENODEV);
	ck_assert_ptr_nonnull(strstr(message, "nosuch0"));
}
END_TEST

START_TEST(the_program_of_a_killed_owner_is_replaced)
{
	pid_t pid = start_owner();

	kill_owner(pid);
	expect_attached(NATIVE, STEER_PROGRAM_NAME);
	ck_assert_int_eq(steer_prepare(NATIVE, message, sizeof(message)), 0);
	expect_attached(NATIVE, NULL);
	attach_ours(NATIVE); /* as the restarted data plane would: nothing in the way */
	expect_attached(NATIVE, STEER_PROGRAM_NAME);
}
END_TEST

START_TEST(the_program_of_a_living_owner_is_refused)
{
	char number[16];
	pid_t pid = start_owner();

	int rc = steer_prepare(NATIVE, message, sizeof(message));
	snprintf(number, sizeof(number), " %d", pid);
	kill_owner(pid);
	ck_assert_int_eq(rc, -EBUSY);
	ck_assert_ptr_nonnull(strstr(message, number));
	expect_attached(NATIVE, STEER_PROGRAM_NAME);
}
END_TEST

START_TEST(a_leftover_nobody_configured_is_removed)
{
	attach_ours(NATIVE);
	ck_assert_int_eq(steer_prepare(NATIVE, message, sizeof(message)), 0);
	expect_attached(NATIVE, NULL);
}
END_TEST

START_TEST(a_leftover_in_generic_mode_is_removed)
{
	attach_ours(GENERIC);
	ck_assert_int_eq(steer_prepare(GENERIC, message, sizeof(message)), 0);
	expect_attached(GENERIC, NULL);
}
END_TEST

START_TEST(a_leftover_of_another_version_is_removed_by_its_name)
{
	attach_named(NATIVE, STEER_PROGRAM_NAME);
	ck_assert_int_eq(steer_prepare(NATIVE, message, sizeof(message)), 0);
	expect_attached(NATIVE, NULL);
}
END_TEST

START_TEST(a_stranger_is_refused_by_name)
{
	attach_named(NATIVE, "firewall");
	ck_assert_int_eq(steer_prepare(NATIVE, message, sizeof(message)), -EBUSY);
	ck_assert_ptr_nonnull(strstr(message, NATIVE));
	ck_assert_ptr_nonnull(strstr(message, "\"firewall\""));
	expect_attached(NATIVE, "firewall");
}
END_TEST

START_TEST(a_name_that_only_begins_like_ours_is_a_stranger)
{
	attach_named(NATIVE, STEER_PROGRAM_NAME "2");
	ck_assert_int_eq(steer_prepare(NATIVE, message, sizeof(message)), -EBUSY);
	expect_attached(NATIVE, STEER_PROGRAM_NAME "2");
}
END_TEST

START_TEST(configure_refuses_what_is_not_ours)
{
	struct steer_config config = usual_config();
	struct steer *steer = NULL;

	ck_assert_int_eq(
		steer_configure(&steer, NATIVE, &config, message, sizeof(message)), -ENOENT);
	attach_named(NATIVE, "firewall");
	ck_assert_int_eq(
		steer_configure(&steer, NATIVE, &config, message, sizeof(message)), -EBUSY);
	detach(NATIVE);
	attach_named(NATIVE, STEER_PROGRAM_NAME);
	ck_assert_int_eq(
		steer_configure(&steer, NATIVE, &config, message, sizeof(message)), -EPROTO);
	ck_assert_ptr_null(steer);
}
END_TEST

START_TEST(configure_refuses_nonsense)
{
	static const struct steer_port_range none[] = {{0, 5}}, reversed[] = {{9, 8}};
	static const struct steer_address address = {.family = 5};
	const struct steer_config wrong[] = {
		{0},
		{.ports = none, .port_count = 1},
		{.ports = reversed, .port_count = 1},
		{.ports = ports, .port_count = 1, .addresses = &address, .address_count = 1},
		{.ports = ports, .port_count = 1, .address_count = STEER_ADDRESSES_MAX + 1},
		{.ports = ports, .port_count = 1, .vlan = 4095},
		{.ports = ports, .port_count = 1, .rate_per_s = 1000000001},
	};
	struct steer *steer = NULL;

	attach_ours(NATIVE);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		message[0] = '\0';
		ck_assert_int_eq(
			steer_configure(&steer, NATIVE, &wrong[i], message, sizeof(message)),
			-EINVAL);
		ck_assert_str_ne(message, "");
	}
	ck_assert_ptr_null(steer);
}
END_TEST

/* A descriptor of a map of what is attached to NATIVE. */
static int open_map(const char *name, uint32_t key_size, uint32_t value_size)
{
	struct attachment found;

	ck_assert_int_eq(attachment_query(&found, (int)if_nametoindex(NATIVE)), 0);
	int map = attachment_map(found.program, name, key_size, value_size);
	close(found.program);
	ck_assert_int_ge(map, 0);
	return map;
}

START_TEST(configure_writes_what_was_asked)
{
	struct steer_address address = {.family = 4, .address = {192, 0, 2, 9}};
	struct steer_config config = usual_config();
	struct steer_settings settings;
	struct steer *steer;
	uint32_t key = 0, present = 0;
	uint64_t bits;

	config.addresses = &address;
	config.address_count = 1;
	config.vlan = 100;
	attach_ours(NATIVE);
	ck_assert_int_eq(steer_configure(&steer, NATIVE, &config, message, sizeof(message)), 0);
	ck_assert(steer_is_native(steer));

	int map = open_map(STEER_SETTINGS_MAP, 4, sizeof(settings));
	ck_assert_int_eq(bpf_map_lookup_elem(map, &key, &settings), 0);
	close(map);
	ck_assert_uint_eq(settings.enabled, 1);
	ck_assert_uint_eq(settings.address_count, 1);
	ck_assert_uint_eq(settings.vlan, 100);
	ck_assert_uint_eq(settings.owner_pid, (uint32_t)getpid());
	ck_assert_uint_eq(settings.interval_ns, 250000);   /* 4,000 a second */
	ck_assert_uint_eq(settings.burst_ns, 2000000000u); /* 8,000 of them */

	map = open_map(STEER_PORTS_MAP, 4, 8);
	for (uint32_t word = 0; word < STEER_PORT_WORDS; word++) {
		uint64_t wanted = word == 625    ? 7 /* 40000 = 625 x 64 */
				  : word == 1023 ? UINT64_C(1) << 63
						 : 0;
		ck_assert_int_eq(bpf_map_lookup_elem(map, &word, &bits), 0);
		ck_assert_uint_eq(bits, wanted);
	}
	close(map);

	map = open_map(STEER_ADDRESSES_MAP, sizeof(address), 4);
	ck_assert_int_eq(bpf_map_lookup_elem(map, &address, &present), 0);
	close(map);
	steer_release(steer);
	expect_attached(NATIVE, NULL);
}
END_TEST

START_TEST(limit_and_rate_can_be_chosen)
{
	struct steer_config config = usual_config();
	struct steer_settings settings;
	struct steer *steer;
	uint32_t key = 0;

	for (int off = 0; off < 2; off++) {
		config.limit_off = off;
		config.rate_per_s = 1000;
		config.burst = 30;
		attach_ours(NATIVE);
		ck_assert_int_eq(
			steer_configure(&steer, NATIVE, &config, message, sizeof(message)), 0);
		int map = open_map(STEER_SETTINGS_MAP, 4, sizeof(settings));
		ck_assert_int_eq(bpf_map_lookup_elem(map, &key, &settings), 0);
		close(map);
		ck_assert_uint_eq(settings.interval_ns, off ? 0 : 1000000);
		ck_assert_uint_eq(settings.burst_ns, off ? 0 : 30000000);
		steer_release(steer);
	}
}
END_TEST

START_TEST(generic_mode_is_told)
{
	struct steer_config config = usual_config();
	struct steer *steer;

	attach_ours(GENERIC);
	ck_assert_int_eq(steer_configure(&steer, GENERIC, &config, message, sizeof(message)), 0);
	ck_assert(!steer_is_native(steer));
	steer_release(steer);
	expect_attached(GENERIC, NULL);
}
END_TEST

START_TEST(release_does_not_remove_a_newcomer)
{
	struct steer_config config = usual_config();
	struct steer *steer;

	attach_ours(NATIVE);
	ck_assert_int_eq(steer_configure(&steer, NATIVE, &config, message, sizeof(message)), 0);
	detach(NATIVE);
	attach_named(NATIVE, "firewall");
	steer_release(steer);
	expect_attached(NATIVE, "firewall");
	steer_release(NULL);
}
END_TEST

START_TEST(the_object_is_found_where_it_was_built)
{
	char path[4096], tiny[8];

	ck_assert_int_eq(steer_object_path(NULL, path, sizeof(path)), 0);
	ck_assert_int_eq(access(path, R_OK), 0);
	ck_assert_int_eq(
		steer_object_path("/nonexistent/steer.bpf.o", path, sizeof(path)), -ENOENT);
	ck_assert_int_eq(steer_object_path("/proc/self/exe", tiny, sizeof(tiny)), -ENAMETOOLONG);
	ck_assert_int_eq(symlink("/dev/null", "test_leftover,comma"), 0);
	int rc = steer_object_path("test_leftover,comma", path, sizeof(path));
	unlink("test_leftover,comma");
	ck_assert_int_eq(rc, -EINVAL);
}
END_TEST

START_TEST(receive_queues_are_counted)
{
	ck_assert_int_eq(steer_queue_count(NATIVE), 3);
	ck_assert_int_eq(steer_queue_count("veth1"), 1);
	ck_assert_int_eq(steer_queue_count(GENERIC), 1);
	ck_assert_int_eq(steer_queue_count("nosuch0"), -ENODEV);
	ck_assert_int_eq(steer_queue_count("a-name-that-is-too-long"), -ENODEV);
}
END_TEST

static Suite *leftover_suite(void)
{
	Suite *suite = suite_create("leftover");
	TCase *prepare = tcase_create("prepare");
	TCase *configure = tcase_create("configure");

	tcase_add_checked_fixture(prepare, clean, clean);
	tcase_add_test(prepare, a_free_interface_is_left_alone);
	tcase_add_test(prepare, a_missing_interface_is_named);
	tcase_add_test(prepare, receive_queues_are_counted);
	tcase_add_test(prepare, the_program_of_a_killed_owner_is_replaced);
	tcase_add_test(prepare, the_program_of_a_living_owner_is_refused);
	tcase_add_test(prepare, a_leftover_nobody_configured_is_removed);
	tcase_add_test(prepare, a_leftover_in_generic_mode_is_removed);
	tcase_add_test(prepare, a_leftover_of_another_version_is_removed_by_its_name);
	tcase_add_test(prepare, a_stranger_is_refused_by_name);
	tcase_add_test(prepare, a_name_that_only_begins_like_ours_is_a_stranger);
	suite_add_tcase(suite, prepare);

	tcase_add_checked_fixture(configure, clean, clean);
	tcase_add_test(configure, configure_refuses_what_is_not_ours);
	tcase_add_test(configure, configure_refuses_nonsense);
	tcase_add_test(configure, configure_writes_what_was_asked);
	tcase_add_test(configure, limit_and_rate_can_be_chosen);
	tcase_add_test(configure, generic_mode_is_told);
	tcase_add_test(configure, release_does_not_remove_a_newcomer);
	tcase_add_test(configure, the_object_is_found_where_it_was_built);
	suite_add_tcase(suite, configure);
	return suite;
}

/* 0, or 77 with the reason printed. */
static int enter_namespace(void)
{
	struct steer_bpf *probe = steer_bpf__open_and_load();
	int may_load = probe || errno != EPERM;

	steer_bpf__destroy(probe);
	if (!may_load || unshare(CLONE_NEWNET) < 0) {
		puts("SKIP: needs CAP_SYS_ADMIN, CAP_NET_ADMIN and CAP_BPF");
		return 77;
	}
	if (system("ip link set lo up && ip link add " NATIVE
		   " numrxqueues 3 type veth peer name veth1 numrxqueues 1 && "
		   "ip link set " NATIVE " up && ip link set veth1 up") != 0) {
		puts("SKIP: this kernel makes no veth");
		return 77;
	}
	return 0;
}

int main(void)
{
	int rc = enter_namespace();

	if (rc != 0)
		return rc;
	SRunner *runner = srunner_create(leftover_suite());
	srunner_set_fork_status(
		runner, CK_NOFORK); /* owners are children that must be waited for */
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
