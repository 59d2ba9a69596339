/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The steering program, frame by frame, through BPF_PROG_TEST_RUN: verdict, bytes unchanged, and
 * exactly one counter moved, by one. The kernel takes no frame under 14 bytes, so a cut Ethernet
 * header cannot be shown here. Skips (77) where BPF may not be loaded.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <check.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bpf/steer.h"
#include "bpf/steer.skel.h"
#include "tests/bpf/frame.h"

enum setup {
	SETUP_USUAL,     /* ports 1, 40000-40010, 65535; any address; untagged; a socket */
	SETUP_ADDRESSES, /* only the relay's addresses */
	SETUP_VLAN_100,
	SETUP_VLAN_ANY,
	SETUP_NO_SOCKET,
	SETUP_UNCONFIGURED, /* as DPDK attaches it */
};

struct frame_case {
	const char *sentence;
	struct frame_spec frame;
	enum setup setup;
	enum steer_counter counter;
};

#define HOP_BY_HOP \
	{ \
		.type = 0 \
	}
#define ROUTING \
	{ \
		.type = 43, .words = 2 \
	}
#define DESTINATION_OPTIONS \
	{ \
		.type = 60, .words = 1 \
	}
#define FIRST_FRAGMENT \
	{ \
		.type = 44, .fragment = 0x0001 \
	}
#define LATER_FRAGMENT \
	{ \
		.type = 44, .fragment = 0x0008 | 1 \
	}
#define ATOMIC_FRAGMENT \
	{ \
		.type = 44 \
	}

static const struct frame_case cases[] = {
	/* ports */
	{"RTP to a media port goes to its socket", {0}, 0, STEER_REDIRECT},
	{"the first port of a range is media", {.port = 40000}, 0, STEER_REDIRECT},
	{"the last port of a range is media", {.port = 40010}, 0, STEER_REDIRECT},
	{"one below the range passes", {.port = 39999}, 0, STEER_PASS_NOT_MEDIA},
	{"one above the range passes", {.port = 40011}, 0, STEER_PASS_NOT_MEDIA},
	{"port 65535 can be media", {.port = 65535}, 0, STEER_REDIRECT},
	{"port 65534 beside it passes", {.port = 65534}, 0, STEER_PASS_NOT_MEDIA},
	{"port 1 can be media", {.port = 1}, 0, STEER_REDIRECT},
	{"port 0 passes", {.port_zero = true}, 0, STEER_PASS_NOT_MEDIA},
	{"DNS passes", {.port = 53}, 0, STEER_PASS_NOT_MEDIA},
	{"a media source port means nothing", {.port = 53, .source_port = 40000}, 0,
		STEER_PASS_NOT_MEDIA},
	{"a port whose bytes are swapped passes", {.port = 0x409c}, 0, STEER_PASS_NOT_MEDIA},
	/* payloads */
	{"an empty datagram goes to the socket", {.payload_none = true}, 0, STEER_REDIRECT},
	{"one byte goes to the socket", {.payload_size = 1}, 0, STEER_REDIRECT},
	{"the largest frame goes to the socket", {.payload_size = 1472}, 0, STEER_REDIRECT},
	{"Ethernet padding does not matter", {.payload_size = 4, .padding = 14}, 0, STEER_REDIRECT},
	{"STUN is steered", {.first_byte_zero = true}, 0, STEER_REDIRECT},
	{"DTLS is steered", {.first_byte = 22}, 0, STEER_REDIRECT},
	{"a byte of no protocol is steered, the data plane names it", {.first_byte = 15}, 0,
		STEER_REDIRECT},
	/* IPv4 header */
	{"one word of options is walked", {.ihl = 6}, 0, STEER_REDIRECT},
	{"ten words of options are walked", {.ihl = 15}, 0, STEER_REDIRECT},
	{"options before another port pass", {.ihl = 15, .port = 53}, 0, STEER_PASS_NOT_MEDIA},
	{"a header of four words passes", {.ihl_claimed = 4}, 0, STEER_PASS_MALFORMED},
	{"a header of no words passes", {.ihl_zero = true}, 0, STEER_PASS_MALFORMED},
	{"a header longer than the packet passes", {.ihl_claimed = 15, .payload_none = true}, 0,
		STEER_PASS_MALFORMED},
	{"version 5 passes", {.version = 5}, 0, STEER_PASS_MALFORMED},
	{"version 6 under IPv4's EtherType passes", {.version = 6}, 0, STEER_PASS_MALFORMED},
	/* lengths */
	{"IP length one beyond the frame passes", {.ip_length_add = 1}, 0, STEER_PASS_MALFORMED},
	{"IP length below its header passes", {.ip_length_add = -41}, 0, STEER_PASS_MALFORMED},
	{"IP length that leaves no UDP header passes", {.ip_length_add = -33}, 0,
		STEER_PASS_MALFORMED},
	{"UDP length 7 to media is dropped", {.udp_length_add = -33}, 0, STEER_DROP_BAD_LENGTH},
	{"UDP length 0 to media is dropped", {.udp_length_add = -40}, 0, STEER_DROP_BAD_LENGTH},
	{"UDP length one too many to media is dropped", {.udp_length_add = 1}, 0,
		STEER_DROP_BAD_LENGTH},
	{"UDP length 65535 to media is dropped", {.udp_length_add = 65495}, 0,
		STEER_DROP_BAD_LENGTH},
	{"UDP length hidden by Ethernet padding is dropped", {.udp_length_add = 1, .padding = 20},
		0, STEER_DROP_BAD_LENGTH},
	{"UDP length below what IP leaves is lawful", {.udp_length_add = -1}, 0, STEER_REDIRECT},
	{"UDP length of the bare header is lawful", {.udp_length_add = -32}, 0, STEER_REDIRECT},
	{"a wrong UDP length to another port passes", {.udp_length_add = 1, .port = 53}, 0,
		STEER_PASS_NOT_MEDIA},
	/* truncated at every header: 14 Ethernet, 4 tag, 20 IPv4 or 40 IPv6, 8 UDP */
	{"IPv4 with nothing behind Ethernet passes", {.cut = 14}, 0, STEER_PASS_MALFORMED},
	{"IPv4 header one byte short passes", {.cut = 33}, 0, STEER_PASS_MALFORMED},
	{"nothing behind the IPv4 header passes", {.cut = 34}, 0, STEER_PASS_MALFORMED},
	{"cut in the options passes", {.ihl = 8, .cut = 40}, 0, STEER_PASS_MALFORMED},
	{"UDP header one byte short passes", {.cut = 41}, 0, STEER_PASS_MALFORMED},
	{"nothing behind the UDP header passes", {.cut = 42}, 0, STEER_PASS_MALFORMED},
	{"payload one byte short passes", {.cut = 73}, 0, STEER_PASS_MALFORMED},
	{"tag one byte short passes", {.tagged = true, .cut = 17}, 0, STEER_PASS_MALFORMED},
	{"nothing behind the tag passes", {.tagged = true, .cut = 18}, 0, STEER_PASS_MALFORMED},
	{"IPv6 with nothing behind Ethernet passes", {.ipv6 = true, .cut = 14}, 0,
		STEER_PASS_MALFORMED},
	{"IPv6 header one byte short passes", {.ipv6 = true, .cut = 53}, 0, STEER_PASS_MALFORMED},
	{"nothing behind the IPv6 header passes", {.ipv6 = true, .cut = 54}, 0,
		STEER_PASS_MALFORMED},
	{"UDP over IPv6 one byte short passes", {.ipv6 = true, .cut = 61}, 0, STEER_PASS_MALFORMED},
	{"payload over IPv6 one byte short passes", {.ipv6 = true, .cut = 93}, 0,
		STEER_PASS_MALFORMED},
	/* not UDP, not IP */
	{"TCP to the same port passes", {.protocol = 6}, 0, STEER_PASS_NOT_UDP},
	{"ICMP passes", {.protocol = 1}, 0, STEER_PASS_NOT_UDP},
	{"UDP-Lite passes", {.protocol = 136}, 0, STEER_PASS_NOT_UDP},
	{"ARP passes", {.ether_type = 0x0806}, 0, STEER_PASS_NOT_IP},
	{"LLDP passes", {.ether_type = 0x88cc}, 0, STEER_PASS_NOT_IP},
	{"an 802.3 length instead of a type passes", {.ether_type = 60}, 0, STEER_PASS_NOT_IP},
	/* IPv4 fragments */
	{"a first fragment to media is dropped", {.fragment = 0x2000}, 0, STEER_DROP_FRAGMENT},
	{"a first fragment that is only the UDP header is dropped",
		{.fragment = 0x2000, .payload_none = true, .udp_length_add = 800}, 0,
		STEER_DROP_FRAGMENT},
	{"a first fragment behind options is dropped", {.fragment = 0x2000, .ihl = 7}, 0,
		STEER_DROP_FRAGMENT},
	{"a first fragment to another port passes", {.fragment = 0x2000, .port = 53}, 0,
		STEER_PASS_NOT_MEDIA},
	{"a middle fragment passes", {.fragment = 0x2000 | 185}, 0, STEER_PASS_FRAGMENT},
	{"a last fragment passes", {.fragment = 185}, 0, STEER_PASS_FRAGMENT},
	{"the furthest offset passes", {.fragment = 0x1fff}, 0, STEER_PASS_FRAGMENT},
	{"a later fragment of TCP is not UDP", {.fragment = 185, .protocol = 6}, 0,
		STEER_PASS_NOT_UDP},
	{"don't fragment is no fragment", {.fragment = 0x4000}, 0, STEER_REDIRECT},
	{"the reserved flag is no fragment", {.fragment = 0x8000}, 0, STEER_REDIRECT},
	/* VLAN */
	{"a priority tag counts as untagged", {.tagged = true, .tag = 0}, 0, STEER_REDIRECT},
	{"priority bits do not make a VLAN", {.tagged = true, .tag = 0xf000}, 0, STEER_REDIRECT},
	{"a VLAN passes where none is configured", {.tagged = true, .tag = 100}, 0,
		STEER_PASS_VLAN},
	{"our VLAN is steered", {.tagged = true, .tag = 100}, SETUP_VLAN_100, STEER_REDIRECT},
	{"our VLAN with priority is steered", {.tagged = true, .tag = 0xe000 | 100}, SETUP_VLAN_100,
		STEER_REDIRECT},
	{"IPv6 in our VLAN is steered", {.ipv6 = true, .tagged = true, .tag = 100}, SETUP_VLAN_100,
		STEER_REDIRECT},
	{"another VLAN passes", {.tagged = true, .tag = 101}, SETUP_VLAN_100, STEER_PASS_VLAN},
	{"untagged passes where a VLAN is wanted", {0}, SETUP_VLAN_100, STEER_PASS_VLAN},
	{"a priority tag passes where a VLAN is wanted", {.tagged = true}, SETUP_VLAN_100,
		STEER_PASS_VLAN},
	{"a fragment in another VLAN passes", {.tagged = true, .tag = 7, .fragment = 0x2000}, 0,
		STEER_PASS_VLAN},
	{"any VLAN takes a tag", {.tagged = true, .tag = 4094}, SETUP_VLAN_ANY, STEER_REDIRECT},
	{"any VLAN takes no tag", {0}, SETUP_VLAN_ANY, STEER_REDIRECT},
	{"two tags pass", {.tagged = true, .tagged_twice = true}, SETUP_VLAN_ANY,
		STEER_PASS_NOT_IP},
	{"a service tag passes", {.tagged = true, .tag_type = 0x88a8}, SETUP_VLAN_ANY,
		STEER_PASS_NOT_IP},
	{"tagged ARP passes", {.tagged = true, .ether_type = 0x0806}, 0, STEER_PASS_NOT_IP},
	/* IPv6 */
	{"RTP over IPv6 goes to its socket", {.ipv6 = true}, 0, STEER_REDIRECT},
	{"Ethernet padding behind IPv6 does not matter", {.ipv6 = true, .padding = 6}, 0,
		STEER_REDIRECT},
	{"DNS over IPv6 passes", {.ipv6 = true, .port = 53}, 0, STEER_PASS_NOT_MEDIA},
	{"TCP over IPv6 passes", {.ipv6 = true, .protocol = 6}, 0, STEER_PASS_NOT_UDP},
	{"neighbour discovery passes", {.ipv6 = true, .protocol = 58}, 0, STEER_PASS_NOT_UDP},
	{"no next header passes", {.ipv6 = true, .protocol = 59}, 0, STEER_PASS_NOT_UDP},
	{"ESP passes", {.ipv6 = true, .protocol = 50}, 0, STEER_PASS_NOT_UDP},
	{"version 4 under IPv6's EtherType passes", {.ipv6 = true, .version = 4}, 0,
		STEER_PASS_MALFORMED},
	{"IPv6 length one beyond the frame passes", {.ipv6 = true, .ip_length_add = 1}, 0,
		STEER_PASS_MALFORMED},
	{"IPv6 length 0, a jumbogram, passes", {.ipv6 = true, .ip_length_add = -40}, 0,
		STEER_PASS_MALFORMED},
	{"IPv6 length that leaves no UDP header passes", {.ipv6 = true, .ip_length_add = -33}, 0,
		STEER_PASS_MALFORMED},
	{"UDP length 0 over IPv6 is dropped", {.ipv6 = true, .udp_length_add = -40}, 0,
		STEER_DROP_BAD_LENGTH},
	{"UDP length one too many over IPv6 is dropped", {.ipv6 = true, .udp_length_add = 1}, 0,
		STEER_DROP_BAD_LENGTH},
	/* IPv6 extension headers */
	{"media behind hop-by-hop options is dropped",
		{.ipv6 = true, .extension_count = 1, .extension = {HOP_BY_HOP}}, 0,
		STEER_DROP_EXTENSION},
	{"media behind a routing header is dropped",
		{.ipv6 = true, .extension_count = 1, .extension = {ROUTING}}, 0,
		STEER_DROP_EXTENSION},
	{"media behind destination options is dropped",
		{.ipv6 = true, .extension_count = 1, .extension = {DESTINATION_OPTIONS}}, 0,
		STEER_DROP_EXTENSION},
	{"media behind four headers is dropped",
		{.ipv6 = true,
			.extension_count = 4,
			.extension = {HOP_BY_HOP, DESTINATION_OPTIONS, ROUTING,
				DESTINATION_OPTIONS}},
		0, STEER_DROP_EXTENSION},
	{"five headers are not walked",
		{.ipv6 = true,
			.extension_count = 5,
			.extension = {HOP_BY_HOP, DESTINATION_OPTIONS, ROUTING, DESTINATION_OPTIONS,
				DESTINATION_OPTIONS}},
		0, STEER_PASS_NOT_UDP},
	{"another port behind options passes",
		{.ipv6 = true, .port = 53, .extension_count = 1, .extension = {HOP_BY_HOP}}, 0,
		STEER_PASS_NOT_MEDIA},
	{"TCP behind options passes",
		{.ipv6 = true, .protocol = 6, .extension_count = 1, .extension = {HOP_BY_HOP}}, 0,
		STEER_PASS_NOT_UDP},
	{"options one byte short pass",
		{.ipv6 = true,
			.cut = 55,
			.ip_length_add = -47,
			.extension_count = 1,
			.extension = {HOP_BY_HOP}},
		0, STEER_PASS_MALFORMED},
	{"options longer than the packet pass",
		{.ipv6 = true,
			.ip_length_add = -38,
			.extension_count = 1,
			.extension = {DESTINATION_OPTIONS},
			.padding = 1},
		0, STEER_PASS_MALFORMED},
	/* IPv6 fragments */
	{"a first IPv6 fragment to media is dropped",
		{.ipv6 = true, .extension_count = 1, .extension = {FIRST_FRAGMENT}}, 0,
		STEER_DROP_FRAGMENT},
	{"an atomic IPv6 fragment to media is dropped",
		{.ipv6 = true, .extension_count = 1, .extension = {ATOMIC_FRAGMENT}}, 0,
		STEER_DROP_FRAGMENT},
	{"a first fragment behind hop-by-hop options is dropped",
		{.ipv6 = true, .extension_count = 2, .extension = {HOP_BY_HOP, FIRST_FRAGMENT}}, 0,
		STEER_DROP_FRAGMENT},
	{"a first IPv6 fragment to another port passes",
		{.ipv6 = true, .port = 53, .extension_count = 1, .extension = {FIRST_FRAGMENT}}, 0,
		STEER_PASS_NOT_MEDIA},
	{"a later IPv6 fragment passes",
		{.ipv6 = true, .extension_count = 1, .extension = {LATER_FRAGMENT}}, 0,
		STEER_PASS_FRAGMENT},
	{"a later IPv6 fragment of TCP is not UDP",
		{.ipv6 = true, .protocol = 6, .extension_count = 1, .extension = {LATER_FRAGMENT}},
		0, STEER_PASS_NOT_UDP},
	{"an IPv6 fragment header one byte short passes",
		{.ipv6 = true,
			.cut = 61,
			.ip_length_add = -41,
			.extension_count = 1,
			.extension = {FIRST_FRAGMENT}},
		0, STEER_PASS_MALFORMED},
	/* addresses */
	{"our IPv4 address is media", {0}, SETUP_ADDRESSES, STEER_REDIRECT},
	{"another IPv4 address passes", {.elsewhere = true}, SETUP_ADDRESSES, STEER_PASS_NOT_MEDIA},
	{"our IPv6 address is media", {.ipv6 = true}, SETUP_ADDRESSES, STEER_REDIRECT},
	{"another IPv6 address passes", {.ipv6 = true, .elsewhere = true}, SETUP_ADDRESSES,
		STEER_PASS_NOT_MEDIA},
	{"a first fragment to another address passes", {.elsewhere = true, .fragment = 0x2000},
		SETUP_ADDRESSES, STEER_PASS_NOT_MEDIA},
	{"a bad UDP length to another address passes", {.elsewhere = true, .udp_length_add = 1},
		SETUP_ADDRESSES, STEER_PASS_NOT_MEDIA},
	{"any address is media when none is configured", {.elsewhere = true}, 0, STEER_REDIRECT},
	/* no socket */
	{"media without a socket is dropped", {0}, SETUP_NO_SOCKET, STEER_DROP_NO_SOCKET},
	{"IPv6 media without a socket is dropped", {.ipv6 = true}, SETUP_NO_SOCKET,
		STEER_DROP_NO_SOCKET},
	{"STUN without a socket is dropped", {.first_byte = 1}, SETUP_NO_SOCKET,
		STEER_DROP_NO_SOCKET},
	{"another port passes without a socket", {.port = 53}, SETUP_NO_SOCKET,
		STEER_PASS_NOT_MEDIA},
	{"a fragment without a socket is dropped as a fragment", {.fragment = 0x2000},
		SETUP_NO_SOCKET, STEER_DROP_FRAGMENT},
	/* before steer_configure */
	{"media passes before it is configured", {0}, SETUP_UNCONFIGURED, STEER_PASS_UNCONFIGURED},
	{"IPv6 media passes before it is configured", {.ipv6 = true}, SETUP_UNCONFIGURED,
		STEER_PASS_UNCONFIGURED},
	{"a fragment passes before it is configured", {.fragment = 0x2000}, SETUP_UNCONFIGURED,
		STEER_PASS_UNCONFIGURED},
};
#define CASE_COUNT ((int)(sizeof(cases) / sizeof(cases[0])))
_Static_assert(sizeof(cases) / sizeof(cases[0]) >= 60, "the table the program is owed");

#define HOUR_NS UINT64_C(3600000000000)
#define BURST 5

static struct steer_bpf *program;
static int xsk = -1;

static void write_settings(const struct steer_settings *settings)
{
	uint32_t key = 0;

	ck_assert_int_eq(bpf_map_update_elem(bpf_map__fd(program->maps.steer_settings), &key,
				 settings, BPF_ANY),
		0);
}

static void write_port(uint32_t port)
{
	uint32_t word = port / 64;
	uint64_t bits;
	int map = bpf_map__fd(program->maps.steer_ports);

	ck_assert_int_eq(bpf_map_lookup_elem(map, &word, &bits), 0);
	bits |= UINT64_C(1) << (port % 64);
	ck_assert_int_eq(bpf_map_update_elem(map, &word, &bits, BPF_ANY), 0);
}

static void write_address(uint8_t family, const uint8_t *bytes, size_t size)
{
	struct steer_address address = {.family = family};
	uint32_t present = 1;

	memcpy(address.address, bytes, size);
	ck_assert_int_eq(bpf_map_update_elem(bpf_map__fd(program->maps.steer_addresses), &address,
				 &present, BPF_ANY),
		0);
}

static void set_socket(bool present)
{
	uint32_t queue = 0;
	int map = bpf_map__fd(program->maps.xsks_map);

	if (present)
		ck_assert_int_eq(bpf_map_update_elem(map, &queue, &xsk, BPF_ANY), 0);
	else
		bpf_map_delete_elem(map, &queue);
}

static void set_up(enum setup setup)
{
	struct steer_settings settings = {
		.magic = STEER_MAGIC,
		.version = STEER_VERSION,
		.enabled = setup != SETUP_UNCONFIGURED,
		.address_count = setup == SETUP_ADDRESSES ? 2 : 0,
		.vlan = setup == SETUP_VLAN_100   ? 100
			: setup == SETUP_VLAN_ANY ? STEER_VLAN_ANY
						  : 0,
	};

	write_settings(&settings);
	set_socket(setup != SETUP_NO_SOCKET);
}

static void set_up_bucket(uint64_t interval_ns)
{
	struct steer_settings settings = {
		.enabled = 1, .interval_ns = interval_ns, .burst_ns = interval_ns * BURST};

	write_settings(&settings);
	set_socket(true);
}

static void open_program(void)
{
	program = steer_bpf__open_and_load();
	ck_assert_ptr_nonnull(program);
	xsk = socket(AF_XDP, SOCK_RAW, 0);
	ck_assert_int_ge(xsk, 0);
	write_port(1);
	write_port(65535);
	for (uint32_t port = 40000; port <= 40010; port++)
		write_port(port);
	write_address(4, frame_relay4, sizeof(frame_relay4));
	write_address(6, frame_relay6, sizeof(frame_relay6));
}

static void close_program(void)
{
	close(xsk);
	steer_bpf__destroy(program);
}

static void read_counters(uint64_t counters[STEER_COUNTER_COUNT])
{
	int cpu_count = libbpf_num_possible_cpus();
	uint64_t *values = calloc((size_t)cpu_count, sizeof(*values));

	ck_assert_ptr_nonnull(values);
	for (uint32_t i = 0; i < STEER_COUNTER_COUNT; i++) {
		ck_assert_int_eq(
			bpf_map_lookup_elem(bpf_map__fd(program->maps.steer_counters), &i, values),
			0);
		counters[i] = 0;
		for (int cpu = 0; cpu < cpu_count; cpu++)
			counters[i] += values[cpu];
	}
	free(values);
}

/* Runs one frame; what it was counted as. Checks verdict against counter, and the bytes. */
static enum steer_counter run(const struct frame_spec *spec, const char *sentence)
{
	uint64_t before[STEER_COUNTER_COUNT], after[STEER_COUNTER_COUNT];
	uint8_t out[FRAME_SIZE_MAX], *frame;
	size_t size = frame_build(spec, &frame);
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = (uint32_t)size,
		.data_out = out, .data_size_out = sizeof(out), .repeat = 1);
	enum steer_counter moved = STEER_COUNTER_COUNT;

	read_counters(before);
	ck_assert_msg(bpf_prog_test_run_opts(
			      bpf_program__fd(program->progs.stentor_steer), &options) == 0,
		"%s: test run: %s", sentence, strerror(errno));
	read_counters(after);
	ck_assert_msg(options.data_size_out == size && memcmp(out, frame, size) == 0,
		"%s: the bytes changed", sentence);
	free(frame);

	for (unsigned int i = 0; i < STEER_COUNTER_COUNT; i++) {
		if (after[i] == before[i])
			continue;
		ck_assert_msg(after[i] == before[i] + 1 && moved == STEER_COUNTER_COUNT,
			"%s: %s moved too", sentence, steer_counter_name(i));
		moved = i;
	}
	ck_assert_msg(moved != STEER_COUNTER_COUNT, "%s: no counter moved", sentence);
	uint32_t verdict = strncmp(steer_counter_name(moved), "pass", 4) == 0   ? XDP_PASS
			   : strncmp(steer_counter_name(moved), "drop", 4) == 0 ? XDP_DROP
										: XDP_REDIRECT;
	ck_assert_msg(options.retval == verdict, "%s: %s, but verdict %u", sentence,
		steer_counter_name(moved), options.retval);
	return moved;
}

START_TEST(frame_gets_its_verdict)
{
	const struct frame_case *row = &cases[_i];

	set_up(row->setup);
	enum steer_counter counter = run(&row->frame, row->sentence);
	ck_assert_msg(counter == row->counter, "%s: %s instead of %s", row->sentence,
		steer_counter_name(counter), steer_counter_name(row->counter));
}
END_TEST

static void expect(const struct frame_spec *frame, enum steer_counter counter, const char *sentence)
{
	enum steer_counter moved = run(frame, sentence);

	ck_assert_msg(moved == counter, "%s: %s instead of %s", sentence, steer_counter_name(moved),
		steer_counter_name(counter));
}

static struct steer_address bucket_key(const struct frame_spec *frame)
{
	struct steer_address key = {.family = frame->ipv6 ? 6 : 4};

	if (frame->ipv6) {
		const uint8_t prefix[8] = {0x20, 0x01, 0x0d, 0xb8, 0, 0,
			(uint8_t)(frame->source_subnet >> 8), (uint8_t)frame->source_subnet};
		memcpy(key.address, prefix, sizeof(prefix));
	} else {
		for (int i = 0; i < 4; i++)
			key.address[i] = (uint8_t)(frame->source >> (24 - 8 * i));
	}
	return key;
}

/* Moves a source's bucket back in time, as if it had been waiting. */
static void age_bucket(const struct frame_spec *frame, uint64_t by_ns)
{
	struct steer_address key = bucket_key(frame);
	struct steer_bucket bucket;
	int map = bpf_map__fd(program->maps.steer_buckets);

	ck_assert_int_eq(bpf_map_lookup_elem(map, &key, &bucket), 0);
	bucket.full_at_ns -= by_ns;
	ck_assert_int_eq(bpf_map_update_elem(map, &key, &bucket, BPF_EXIST), 0);
}

static void exhaust(const struct frame_spec *frame)
{
	for (int i = 0; i < BURST; i++)
		expect(frame, STEER_REDIRECT, "a token is left");
	expect(frame, STEER_DROP_RATE, "the bucket is empty");
}

START_TEST(bucket_holds_the_burst_and_refills_by_time)
{
	const struct frame_spec stun = {.first_byte = 1, .source = 0x0a000001};

	set_up_bucket(HOUR_NS);
	exhaust(&stun);
	age_bucket(&stun, HOUR_NS);
	expect(&stun, STEER_REDIRECT, "one interval earns one token");
	expect(&stun, STEER_DROP_RATE, "and not two");
	age_bucket(&stun, HOUR_NS * 3);
	for (int i = 0; i < 3; i++)
		expect(&stun, STEER_REDIRECT, "three intervals earn three");
	expect(&stun, STEER_DROP_RATE, "and not four");
}
END_TEST

START_TEST(long_silence_earns_no_more_than_the_burst)
{
	const struct frame_spec stun = {.first_byte = 1, .source = 0x0a000002};
	struct steer_address key = bucket_key(&stun);
	struct steer_bucket bucket = {.full_at_ns = 1};

	set_up_bucket(HOUR_NS / 360); /* the machine has been up for longer than five of these */
	ck_assert_int_eq(bpf_map_update_elem(
				 bpf_map__fd(program->maps.steer_buckets), &key, &bucket, BPF_ANY),
		0);
	exhaust(&stun);
}
END_TEST

START_TEST(dropped_packets_cost_no_token)
{
	const struct frame_spec stun = {.first_byte = 1, .source = 0x0a000003};

	set_up_bucket(HOUR_NS);
	exhaust(&stun);
	for (int i = 0; i < 100; i++)
		expect(&stun, STEER_DROP_RATE, "still empty");
	age_bucket(&stun, HOUR_NS);
	expect(&stun, STEER_REDIRECT, "a flood does not keep its own bucket empty");
}
END_TEST

START_TEST(sources_have_buckets_of_their_own)
{
	const struct frame_spec one = {.first_byte = 22, .source = 0x0a000004};
	const struct frame_spec two = {.first_byte = 22, .source = 0x0a000005};
	const struct frame_spec port = {
		.first_byte = 22, .source = 0x0a000004, .source_port = 50001};

	set_up_bucket(HOUR_NS);
	exhaust(&one);
	expect(&port, STEER_DROP_RATE, "another port of that source");
	exhaust(&two);
}
END_TEST

START_TEST(an_ipv6_source_is_its_64_bit_prefix)
{
	const struct frame_spec one = {
		.ipv6 = true, .first_byte = 1, .source_subnet = 1, .source = 7};
	const struct frame_spec neighbour = {
		.ipv6 = true, .first_byte = 1, .source_subnet = 1, .source = 8};
	const struct frame_spec other = {
		.ipv6 = true, .first_byte = 1, .source_subnet = 2, .source = 7};

	struct frame_spec far = neighbour;

	far.source_high = 0xffffffff;
	set_up_bucket(HOUR_NS);
	exhaust(&one);
	expect(&neighbour, STEER_DROP_RATE, "another address of that /64");
	expect(&far, STEER_DROP_RATE, "the furthest address of that /64");
	exhaust(&other);
}
END_TEST

/* RFC 7983: 0 to 3 STUN, 20 to 63 DTLS. */
START_TEST(only_stun_and_dtls_are_limited)
{
	struct frame_spec frame = {.first_byte = 1, .source = 0x0a000006};

	set_up_bucket(HOUR_NS);
	exhaust(&frame);
	for (int byte = 0; byte < 256; byte++) {
		bool limited = byte <= 3 || (byte >= 20 && byte <= 63);
		frame.first_byte = (uint8_t)byte;
		frame.first_byte_zero = byte == 0;
		expect(&frame, limited ? STEER_DROP_RATE : STEER_REDIRECT, "first byte");
	}
	frame.payload_none = true;
	expect(&frame, STEER_REDIRECT, "an empty datagram has no first byte");
}
END_TEST

START_TEST(what_is_not_media_takes_no_token)
{
	const struct frame_spec other = {.first_byte = 1, .source = 0x0a000007, .port = 3478};
	struct steer_address key = bucket_key(&other);
	struct steer_bucket bucket;

	set_up_bucket(HOUR_NS);
	expect(&other, STEER_PASS_NOT_MEDIA, "a STUN server of the kernel's");
	ck_assert_int_eq(
		bpf_map_lookup_elem(bpf_map__fd(program->maps.steer_buckets), &key, &bucket),
		-ENOENT);
}
END_TEST

START_TEST(no_interval_is_no_limit)
{
	const struct frame_spec stun = {.first_byte = 1, .source = 0x0a000008};

	set_up_bucket(0);
	for (int i = 0; i < 1000; i++)
		expect(&stun, STEER_REDIRECT, "unlimited");
}
END_TEST

START_TEST(every_counter_has_a_name_of_its_own)
{
	for (unsigned int i = 0; i < STEER_COUNTER_COUNT; i++) {
		for (unsigned int j = 0; j < i; j++)
			ck_assert_str_ne(steer_counter_name(i), steer_counter_name(j));
	}
	ck_assert_str_eq(steer_counter_name(STEER_COUNTER_COUNT), "unknown");
}
END_TEST

static Suite *steer_suite(void)
{
	Suite *suite = suite_create("steer");
	TCase *frames = tcase_create("frames");
	TCase *buckets = tcase_create("buckets");

	tcase_add_unchecked_fixture(frames, open_program, close_program);
	tcase_add_loop_test(frames, frame_gets_its_verdict, 0, CASE_COUNT);
	tcase_add_test(frames, every_counter_has_a_name_of_its_own);
	suite_add_tcase(suite, frames);

	tcase_add_unchecked_fixture(buckets, open_program, close_program);
	tcase_add_test(buckets, bucket_holds_the_burst_and_refills_by_time);
	tcase_add_test(buckets, long_silence_earns_no_more_than_the_burst);
	tcase_add_test(buckets, dropped_packets_cost_no_token);
	tcase_add_test(buckets, sources_have_buckets_of_their_own);
	tcase_add_test(buckets, an_ipv6_source_is_its_64_bit_prefix);
	tcase_add_test(buckets, only_stun_and_dtls_are_limited);
	tcase_add_test(buckets, what_is_not_media_takes_no_token);
	tcase_add_test(buckets, no_interval_is_no_limit);
	suite_add_tcase(suite, buckets);
	return suite;
}

int main(void)
{
	struct steer_bpf *probe = steer_bpf__open_and_load();

	if (!probe && errno == EPERM) {
		puts("SKIP: may not load BPF programs (needs CAP_BPF and CAP_NET_ADMIN)");
		return 77;
	}
	steer_bpf__destroy(probe);
	SRunner *runner = srunner_create(steer_suite());
	srunner_set_fork_status(runner, CK_NOFORK); /* one loaded program serves all */
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
