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
#include "tests/bpf/steer_case.h"

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
	const struct steer_case *row = &steer_cases[_i];

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
	tcase_add_loop_test(frames, frame_gets_its_verdict, 0, (int)steer_case_count);
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
