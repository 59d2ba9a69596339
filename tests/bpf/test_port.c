/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Steering with DPDK's own net_af_xdp on a veth: the port loads our object, media reaches the port,
 * the rest the kernel, and a data plane killed with SIGKILL is followed by one that starts at once.
 * Runs in a network namespace of its own. Skips (77) without the capabilities.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <check.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "bpf/attachment.h"
#include "bpf/steer.h"
#include "tests/bpf/frame.h"

#define RELAY "veth0"
#define PEER "veth1"
#define FILE_PREFIX "stentor-test-port-%d"
#define BUFFERS 8191
#define DEADLINE_MS 5000

static struct steer *steer;
static struct rte_mempool *pool;
static int peer = -1;  /* packet socket on the peer's end */
static int stack = -1; /* packet socket on the relay's end: what the kernel gets */
static char message[256];

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int start_eal(void)
{
	char path[256], device[512], prefix[64];

	int rc = steer_object_path(NULL, path, sizeof(path));
	if (rc != 0)
		return rc;
	snprintf(device, sizeof(device),
		"net_af_xdp0,iface=" RELAY ",start_queue=0,queue_count=1,xdp_prog=%s", path);
	snprintf(prefix, sizeof(prefix), FILE_PREFIX, (int)getpid());
	char *arguments[] = {"test_port", "-l", "0", "--no-huge", "-m", "64", "--no-pci",
		"--no-telemetry", "--file-prefix", prefix, "--log-level", "error", "--vdev",
		device};
	return rte_eal_init(sizeof(arguments) / sizeof(arguments[0]), arguments);
}

/* Packed in one chunk, see bpf/README.md. */
static struct rte_mempool *make_pool(void)
{
	struct rte_pktmbuf_pool_private private = {
		.mbuf_data_room_size = RTE_MBUF_DEFAULT_BUF_SIZE};
	struct rte_mempool *made = rte_mempool_create_empty("port", BUFFERS,
		sizeof(struct rte_mbuf) + RTE_MBUF_DEFAULT_BUF_SIZE, 0, sizeof(private),
		SOCKET_ID_ANY, RTE_MEMPOOL_F_NO_IOVA_CONTIG);

	if (!made)
		return NULL;
	rte_pktmbuf_pool_init(made, &private);
	if (rte_mempool_populate_default(made) < 0)
		return NULL;
	rte_mempool_obj_iter(made, rte_pktmbuf_init, NULL);
	return made;
}

static int start_port(void)
{
	struct rte_eth_conf conf = {0};
	int rc = steer_prepare(RELAY, message, sizeof(message));

	if (rc != 0)
		return rc;
	if (start_eal() < 0)
		return -EIO;
	pool = make_pool();
	if (!pool)
		return -ENOMEM;
	rc = rte_eth_dev_configure(0, 1, 1, &conf);
	if (rc == 0)
		rc = rte_eth_rx_queue_setup(0, 0, 512, SOCKET_ID_ANY, NULL, pool);
	if (rc == 0)
		rc = rte_eth_tx_queue_setup(0, 0, 512, SOCKET_ID_ANY, NULL);
	return rc == 0 ? rte_eth_dev_start(0) : rc;
}

static int configure(void)
{
	static const struct steer_port_range range = {FRAME_PORT, FRAME_PORT};
	const struct steer_config config = {.ports = &range, .port_count = 1};

	return steer_configure(&steer, RELAY, &config, message, sizeof(message));
}

static int open_packet_socket(const char *ifname)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)if_nametoindex(ifname)};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* Waits until the socket has seen this frame come in, other traffic aside. */
static bool socket_receives(int fd, const uint8_t *frame, size_t size, int timeout_ms)
{
	int64_t deadline = now_ms() + timeout_ms;
	uint8_t bytes[FRAME_SIZE_MAX];

	for (;;) {
		struct pollfd ready = {.fd = fd, .events = POLLIN};
		int64_t left = deadline - now_ms();
		if (left < 0 || poll(&ready, 1, (int)left) <= 0)
			return false;
		struct sockaddr_ll from;
		socklen_t from_size = sizeof(from);
		ssize_t got =
			recvfrom(fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&from, &from_size);
		if (from.sll_pkttype != PACKET_OUTGOING && got == (ssize_t)size &&
			memcmp(bytes, frame, size) == 0)
			return true;
	}
}

/* The same at the port; whatever else arrives there is a failure. */
static bool port_receives(const uint8_t *frame, size_t size)
{
	int64_t deadline = now_ms() + DEADLINE_MS;
	struct rte_mbuf *mbuf;

	while (rte_eth_rx_burst(0, 0, &mbuf, 1) == 0) {
		if (now_ms() > deadline)
			return false;
	}
	bool same = rte_pktmbuf_data_len(mbuf) == size &&
		    memcmp(rte_pktmbuf_mtod(mbuf, void *), frame, size) == 0;
	rte_pktmbuf_free(mbuf);
	return same;
}

static void counters(uint64_t out[STEER_COUNTER_COUNT])
{
	ck_assert_int_eq(steer_counters(steer, out), 0);
}

/* Sends it from the peer; the frame stays the caller's. */
static size_t peer_sends(const struct frame_spec *spec, uint8_t **frame)
{
	size_t size = frame_build(spec, frame);

	ck_assert_int_eq(send(peer, *frame, size, 0), (ssize_t)size);
	return size;
}

/* A first data plane starts and is killed; this process is the second. */
START_TEST(a_killed_data_plane_is_followed_at_once)
{
	int ready[2];
	char byte = 0, command[128];

	ck_assert_int_eq(pipe(ready), 0);
	pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		byte = start_port() == 0 && configure() == 0;
		if (write(ready[1], &byte, 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_int_eq(byte, 1);
	snprintf(command, sizeof(command), "rm -rf /var/run/dpdk/" FILE_PREFIX, (int)pid);
	ck_assert_int_eq(system(command), 0);

	struct attachment found;
	ck_assert_int_eq(attachment_query(&found, (int)if_nametoindex(RELAY)), 0);
	ck_assert_str_eq(found.name, STEER_PROGRAM_NAME);
	close(found.program);

	ck_assert_msg(start_port() == 0, "the second data plane: %s", message);
}
END_TEST

START_TEST(until_configured_everything_passes)
{
	const struct frame_spec media = {0};
	uint8_t *frame;
	size_t size = peer_sends(&media, &frame);

	ck_assert(socket_receives(stack, frame, size, DEADLINE_MS));
	free(frame);
	ck_assert_msg(configure() == 0, "%s", message);
	ck_assert(steer_is_native(steer));
}
END_TEST

START_TEST(media_reaches_the_port_and_not_the_kernel)
{
	const struct frame_spec media[] = {{.source = 1}, {.source = 2, .ihl = 8},
		{.source = 3, .ipv6 = true}, {.source = 4, .tagged = true}};
	uint64_t before[STEER_COUNTER_COUNT], after[STEER_COUNTER_COUNT];
	const struct frame_spec other = {.port = 53};
	uint8_t *frame;

	counters(before);
	for (size_t i = 0; i < sizeof(media) / sizeof(media[0]); i++) {
		size_t size = peer_sends(&media[i], &frame);
		ck_assert_msg(port_receives(frame, size), "frame %zu", i);
		free(frame);
	}
	/* In order behind them on the same queue: what the kernel sees first must be this. */
	size_t size = peer_sends(&other, &frame);
	ck_assert(socket_receives(stack, frame, size, DEADLINE_MS));
	free(frame);
	counters(after);
	ck_assert_uint_eq(after[STEER_REDIRECT] - before[STEER_REDIRECT], 4);
	ck_assert_uint_eq(after[STEER_PASS_NOT_MEDIA] - before[STEER_PASS_NOT_MEDIA], 1);
	ck_assert_uint_eq(after[STEER_DROP_NO_SOCKET], 0);
}
END_TEST

START_TEST(a_first_fragment_reaches_nobody)
{
	const struct frame_spec fragment = {.fragment = 0x2000}, media = {0}, other = {.port = 53};
	uint64_t before[STEER_COUNTER_COUNT], after[STEER_COUNTER_COUNT];
	uint8_t *first, *second, *third;

	counters(before);
	peer_sends(&fragment, &first);
	size_t size = peer_sends(&media, &second);
	ck_assert(port_receives(second, size)); /* and not the fragment before it */
	size = peer_sends(&other, &third);
	ck_assert(socket_receives(stack, third, size, DEADLINE_MS));
	counters(after);
	ck_assert_uint_eq(after[STEER_DROP_FRAGMENT] - before[STEER_DROP_FRAGMENT], 1);
	free(first);
	free(second);
	free(third);
}
END_TEST

/* A figure of the kernel's own ICMP or IP counters in this namespace. */
static long kernel_counter(const char *protocol, const char *name)
{
	char names[2048], values[2048];
	size_t length = strlen(protocol);
	long value = -1;
	FILE *file = fopen("/proc/self/net/snmp", "re");

	ck_assert_ptr_nonnull(file);
	while (value < 0 && fgets(names, sizeof(names), file) &&
		fgets(values, sizeof(values), file)) {
		char *name_rest, *value_rest;
		if (strncmp(names, protocol, length) != 0 || names[length] != ':')
			continue;
		char *title = strtok_r(names, " \n", &name_rest);
		char *figure = strtok_r(values, " \n", &value_rest);
		while (title && figure && value < 0) {
			if (strcmp(title, name) == 0)
				value = strtol(figure, NULL, 10);
			title = strtok_r(NULL, " \n", &name_rest);
			figure = strtok_r(NULL, " \n", &value_rest);
		}
	}
	fclose(file);
	ck_assert_int_ge(value, 0);
	return value;
}

static void await_kernel_counter(const char *protocol, const char *name, long wanted)
{
	int64_t deadline = now_ms() + DEADLINE_MS;

	while (kernel_counter(protocol, name) < wanted) {
		ck_assert_msg(now_ms() < deadline, "%s stays below %ld", name, wanted);
		sched_yield();
	}
	ck_assert_int_eq(kernel_counter(protocol, name), wanted);
}

/* The datagram's rest, which does reach the kernel, is forgotten without a word. */
START_TEST(a_rest_of_fragments_is_never_answered)
{
	const struct frame_spec first = {.fragment = 0x2000}, rest = {.fragment = 5};
	uint8_t *frame;

	peer_sends(&first, &frame);
	free(frame);
	peer_sends(&rest, &frame);
	free(frame);
	await_kernel_counter("Ip", "ReasmFails", 1);
	ck_assert_int_eq(kernel_counter("Ip", "ReasmReqds"), 1);
	ck_assert_int_eq(kernel_counter("Icmp", "OutTimeExcds"), 0);
}
END_TEST

START_TEST(what_the_port_sends_arrives)
{
	const struct frame_spec spec = {.source = 77};
	uint8_t *frame;
	size_t size = frame_build(&spec, &frame);
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(pool);

	ck_assert_ptr_nonnull(mbuf);
	memcpy(rte_pktmbuf_append(mbuf, (uint16_t)size), frame, size);
	ck_assert_uint_eq(rte_eth_tx_burst(0, 0, &mbuf, 1), 1);
	ck_assert(socket_receives(peer, frame, size, DEADLINE_MS));
	free(frame);
}
END_TEST

/* The whole pool lies inside the registered memory: as many frames as there are buffers arrive. */
START_TEST(every_buffer_of_the_pool_can_be_sent)
{
	const struct frame_spec spec = {.source = 78};
	struct rte_mbuf *mbufs[BUFFERS];
	uint8_t *frame;
	size_t size = frame_build(&spec, &frame);
	unsigned int count = rte_mempool_avail_count(pool);

	ck_assert_uint_gt(count, BUFFERS / 2);
	ck_assert_int_eq(rte_pktmbuf_alloc_bulk(pool, mbufs, count), 0);
	for (unsigned int i = 0; i < count; i++) {
		memcpy(rte_pktmbuf_append(mbufs[i], (uint16_t)size), frame, size);
		struct rte_mbuf *one = mbufs[i];
		ck_assert_uint_eq(rte_eth_tx_burst(0, 0, &one, 1), 1);
		ck_assert_msg(socket_receives(peer, frame, size, DEADLINE_MS), "buffer %u", i);
	}
	free(frame);
}
END_TEST

/* The socket DPDK put into the map is queue 0's; nobody polls queue 1. */
START_TEST(a_queue_without_a_socket_drops)
{
	struct attachment found;
	const struct frame_spec media = {0};
	uint8_t *frame;
	size_t size = frame_build(&media, &frame);

	ck_assert_int_eq(attachment_query(&found, (int)if_nametoindex(RELAY)), 0);
	for (uint32_t queue = 0; queue < 2; queue++) {
		struct xdp_md context = {.data_end = (uint32_t)size,
			.ingress_ifindex = if_nametoindex(RELAY),
			.rx_queue_index = queue};
		LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame,
			.data_size_in = (uint32_t)size, .ctx_in = &context,
			.ctx_size_in = sizeof(context), .repeat = 1);
		ck_assert_int_eq(bpf_prog_test_run_opts(found.program, &options), 0);
		ck_assert_uint_eq(options.retval, queue == 0 ? XDP_REDIRECT : XDP_DROP);
	}
	close(found.program);
	free(frame);
}
END_TEST

START_TEST(after_release_everything_passes)
{
	const struct frame_spec media = {.source = 99};
	struct attachment found;
	char command[256];
	uint8_t *frame;

	steer_release(steer);
	ck_assert_int_eq(attachment_query(&found, (int)if_nametoindex(RELAY)), 0);
	ck_assert_uint_eq(found.id, 0);
	size_t size = peer_sends(&media, &frame);
	ck_assert(socket_receives(stack, frame, size, DEADLINE_MS));
	free(frame);

	/* And now a first fragment is answered: the silence above was steering's doing. */
	const struct frame_spec first = {.fragment = 0x2000};
	peer_sends(&first, &frame);
	free(frame);
	await_kernel_counter("Icmp", "OutTimeExcds", 1);
	ck_assert_int_eq(rte_eth_dev_stop(0), 0);
	ck_assert_int_eq(rte_eth_dev_close(0), 0);
	snprintf(command, sizeof(command), "rm -rf %s", rte_eal_get_runtime_dir());
	rte_eal_cleanup();
	ck_assert_int_eq(system(command), 0);
}
END_TEST

static void open_sockets(void)
{
	peer = open_packet_socket(PEER);
	stack = open_packet_socket(RELAY);
}

static Suite *port_suite(void)
{
	Suite *suite = suite_create("port");
	TCase *life = tcase_create("life"); /* in this order: one port's life */

	tcase_add_unchecked_fixture(life, open_sockets, NULL);
	tcase_add_test(life, a_killed_data_plane_is_followed_at_once);
	tcase_add_test(life, until_configured_everything_passes);
	tcase_add_test(life, media_reaches_the_port_and_not_the_kernel);
	tcase_add_test(life, a_first_fragment_reaches_nobody);
	tcase_add_test(life, a_rest_of_fragments_is_never_answered);
	tcase_add_test(life, what_the_port_sends_arrives);
	tcase_add_test(life, every_buffer_of_the_pool_can_be_sent);
	tcase_add_test(life, a_queue_without_a_socket_drops);
	tcase_add_test(life, after_release_everything_passes);
	suite_add_tcase(suite, life);
	return suite;
}

int main(void)
{
	/* Frames carry 02:02:02:02:02:02; the speaker's network is routed so that ICMP could go
	 * out. */
	if (unshare(CLONE_NEWNET) < 0 ||
		system("ip link add " RELAY
		       " address 02:02:02:02:02:02 numrxqueues 2 numtxqueues 2 "
		       "type veth peer name " PEER " numrxqueues 1 numtxqueues 1 && "
		       "ip addr add 198.51.100.7/24 dev " RELAY " && "
		       "ip addr add 192.0.2.254/24 dev " RELAY " && "
		       "ip link set " RELAY " up && ip link set " PEER " up && "
		       "echo 1 > /proc/sys/net/ipv4/ipfrag_time") != 0) {
		puts("SKIP: needs CAP_SYS_ADMIN, CAP_NET_ADMIN, CAP_NET_RAW and veth");
		return 77;
	}
	int xsk = socket(AF_XDP, SOCK_RAW, 0);
	if (xsk < 0) {
		printf("SKIP: no AF_XDP sockets here: %s\n", strerror(errno));
		return 77;
	}
	close(xsk);
	SRunner *runner = srunner_create(port_suite());
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
