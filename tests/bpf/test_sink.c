/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The counting sink, copy by copy, through BPF_PROG_TEST_RUN on the program that sink_open
 * attached: which listener a destination is, duplicates, lateness, silence, the ear, the mark,
 * first and last arrival. Runs in a network namespace of its own on lo. Skips (77) without the
 * capabilities.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <check.h>
#include <errno.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bpf/attachment.h"
#include "bpf/sink.h"

#define BASE 0x0a640000u /* 10.100.0.0 */
#define PORTS 100
#define FIRST_PORT 5000
#define LISTENERS 250
#define SILENCE_SIZE 19 /* three bytes and a GCM tag */
#define SSRC 0x11223344u

struct copy {
	uint32_t listener;
	uint16_t sequence;
	int size;         /* RTP payload; 0: 100 */
	uint32_t ssrc;    /* 0: SSRC */
	uint32_t address; /* 0: from the listener */
	uint16_t port;    /* 0: from the listener */
	uint8_t second;   /* 0: payload type 111 */
	uint8_t first;    /* 0: version 2, nothing else */
	int csrc_count;
	int extension_words; /* with an extension header when first says so */
	uint16_t ether_type;
	uint8_t protocol;
	uint16_t fragment;
	int udp_length_add;
	int cut;
};

static struct sink *sink;
static int program = -1;
static char message[256];

static struct sink_config usual_config(void)
{
	return (struct sink_config){
		.address = BASE,
		.port_base = FIRST_PORT,
		.ports_per_address = PORTS,
		.listener_count = LISTENERS,
		.ear = SINK_NOBODY,
		.silence_size = SILENCE_SIZE,
	};
}

static void open_sink(const struct sink_config *config)
{
	struct attachment found;

	ck_assert_msg(sink_open(&sink, "lo", config, message, sizeof(message)) == 0, "%s", message);
	ck_assert_int_eq(attachment_query(&found, (int)if_nametoindex("lo")), 0);
	ck_assert_str_eq(found.name, SINK_PROGRAM_NAME);
	program = found.program;
}

static void open_usual(void)
{
	struct sink_config config = usual_config();

	open_sink(&config);
}

static void close_sink(void)
{
	close(program);
	sink_close(sink);
	sink = NULL;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void put16(uint8_t *at, unsigned int value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value & 0xffff);
}

static int build(uint8_t *frame, const struct copy *copy)
{
	uint32_t address = BASE + copy->listener / PORTS;
	unsigned int port = FIRST_PORT + copy->listener % PORTS;
	uint8_t *ip = frame + 14, *udp = ip + 20, *rtp = udp + 8;
	bool extended = copy->first & 0x10;
	int size = 12 + copy->csrc_count * 4 + (extended ? 4 + copy->extension_words * 4 : 0);

	memset(frame, 0, 2048);
	if (extended)
		put16(rtp + 12 + copy->csrc_count * 4 + 2, (unsigned int)copy->extension_words);
	size += copy->size ? copy->size : 100;
	put16(frame + 12, copy->ether_type ? copy->ether_type : 0x0800);
	ip[0] = 0x45;
	put16(ip + 2, (unsigned int)(28 + size));
	put16(ip + 6, copy->fragment);
	ip[9] = copy->protocol ? copy->protocol : 17;
	put32(ip + 16, copy->address ? copy->address : address);
	put16(udp, 40000);
	put16(udp + 2, copy->port ? copy->port : port);
	put16(udp + 4, (unsigned int)(8 + size + copy->udp_length_add));
	rtp[0] = copy->first ? copy->first : (uint8_t)(0x80 | copy->csrc_count);
	rtp[1] = copy->second ? copy->second : 111;
	put16(rtp + 2, copy->sequence);
	put32(rtp + 8, copy->ssrc ? copy->ssrc : SSRC);
	return copy->cut ? copy->cut : 42 + size;
}

/* Shows the copy to the program; its verdict. */
static uint32_t send_copy(const struct copy *copy)
{
	uint8_t frame[2048], out[2048];
	int size = build(frame, copy);
	uint8_t *exact = malloc((size_t)size);
	ck_assert_ptr_nonnull(exact);
	memcpy(exact, frame, (size_t)size);
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = exact, .data_size_in = (uint32_t)size,
		.data_out = out, .data_size_out = sizeof(out), .repeat = 1);

	ck_assert_int_eq(bpf_prog_test_run_opts(program, &options), 0);
	ck_assert_uint_eq(options.data_size_out, (uint32_t)size);
	ck_assert_int_eq(memcmp(out, exact, (size_t)size), 0);
	free(exact);
	return options.retval;
}

static void send_sequences(uint32_t listener, const uint16_t *sequences, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct copy copy = {.listener = listener, .sequence = sequences[i]};
		ck_assert_uint_eq(send_copy(&copy), XDP_DROP);
	}
}

static struct sink_totals totals(void)
{
	struct sink_totals sum;

	ck_assert_int_eq(sink_read_totals(sink, &sum), 0);
	return sum;
}

static struct sink_listener listener(uint32_t index)
{
	struct sink_listener value;

	ck_assert_int_eq(sink_read_listener(sink, index, &value), 0);
	return value;
}

START_TEST(each_destination_is_its_listener)
{
	struct sink_listener all[LISTENERS];

	for (uint32_t i = 0; i < LISTENERS; i++) {
		for (uint32_t times = 0; times <= i % 3; times++) {
			struct copy copy = {.listener = i, .sequence = (uint16_t)times};
			ck_assert_uint_eq(send_copy(&copy), XDP_DROP);
		}
	}
	ck_assert_int_eq(sink_read_listeners(sink, 0, LISTENERS, all), 0);
	for (uint32_t i = 0; i < LISTENERS; i++)
		ck_assert_uint_eq(all[i].received, i % 3 + 1);
	ck_assert_int_eq(sink_read_listeners(sink, 101, 7, all), 0);
	for (uint32_t i = 0; i < 7; i++)
		ck_assert_uint_eq(all[i].received, (101 + i) % 3 + 1);
	ck_assert_int_eq(sink_read_listeners(sink, LISTENERS - 1, 2, all), -ERANGE);
}
END_TEST

START_TEST(what_is_nobodys_passes_and_changes_nothing)
{
	const struct copy strange[] = {
		{.address = BASE - 1},
		{.listener = 249, .port = FIRST_PORT + 50}, /* would be listener 250 */
		{.address = BASE + 3},
		{.address = BASE + 42949673}, /* times 100 is 2^32 + 4 */
		{.address = 0xffffffff},
		{.port = FIRST_PORT - 1},
		{.port = FIRST_PORT + PORTS},
		{.port = 65535},
		{.ether_type = 0x86dd},
		{.protocol = 6},
		{.fragment = 0x2000},
		{.fragment = 1},
		{.cut = 41},
		{.cut = 14},
	};
	struct sink_totals before = totals();

	for (size_t i = 0; i < sizeof(strange) / sizeof(strange[0]); i++)
		ck_assert_msg(send_copy(&strange[i]) == XDP_PASS, "row %zu", i);
	struct sink_totals after = totals();
	ck_assert_uint_eq(after.passed - before.passed, sizeof(strange) / sizeof(strange[0]));
	ck_assert_uint_eq(after.received, 0);
	ck_assert_uint_eq(after.not_rtp, 0);
}
END_TEST

START_TEST(what_is_not_rtp_is_told_apart)
{
	const struct copy other[] = {
		{.second = 200}, /* RTCP, RFC 5761 */
		{.second = 192},
		{.second = 223},
		{.first = 0x40},          /* version 1 */
		{.first = 1},             /* STUN */
		{.cut = 53},              /* RTP header one byte short */
		{.udp_length_add = 1},    /* longer than the frame */
		{.udp_length_add = -101}, /* shorter than its RTP header */
		{.first = 0x90, .size = 1, .extension_words = 0, .udp_length_add = -2},
	};

	for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
		ck_assert_msg(send_copy(&other[i]) == XDP_DROP, "row %zu", i);
		ck_assert_msg(totals().not_rtp == i + 1, "row %zu", i);
	}
	const struct copy near[] = {{.second = 191}, {.second = 224}};
	for (size_t i = 0; i < 2; i++)
		ck_assert_uint_eq(send_copy(&near[i]), XDP_DROP);
	ck_assert_uint_eq(totals().received, 2);
}
END_TEST

START_TEST(duplicates_are_found_within_64)
{
	const uint16_t sequences[] = {100, 101, 101, 100, 163, 164, 101, 101, 100, 102};
	/* fresh: 100 101 163 164 102; again: 101 100 101 101; 100 is 64 behind 164: late */

	send_sequences(3, sequences, sizeof(sequences) / sizeof(sequences[0]));
	struct sink_listener one = listener(3);
	ck_assert_uint_eq(one.received, 10);
	ck_assert_uint_eq(one.duplicated, 4);
	ck_assert_uint_eq(one.late, 1);
	ck_assert_uint_eq(one.highest, 65536 + 164);
	ck_assert_uint_eq(totals().duplicated, 4);
	ck_assert_uint_eq(totals().late, 1);
	ck_assert_uint_eq(listener(2).received, 0);
}
END_TEST

START_TEST(the_sequence_number_wraps)
{
	const uint16_t sequences[] = {65534, 65535, 1, 0, 65535, 0, 2};

	send_sequences(0, sequences, sizeof(sequences) / sizeof(sequences[0]));
	ck_assert_uint_eq(listener(0).duplicated, 2);
	ck_assert_uint_eq(listener(0).late, 0);
	ck_assert_uint_eq(listener(0).highest, 65536 + 2);
	ck_assert_uint_eq(listener(0).window, 0x1f);
}
END_TEST

START_TEST(a_leap_empties_the_window)
{
	const uint16_t sequences[] = {9, 10, 74, 10, 11, 1000};

	send_sequences(0, sequences, 3);
	ck_assert_uint_eq(listener(0).window, 1);
	send_sequences(0, sequences + 3, 2); /* 10 is 64 behind: late; 11 is 63 behind: new */
	ck_assert_uint_eq(listener(0).late, 1);
	ck_assert_uint_eq(listener(0).window, UINT64_C(1) << 63 | 1);
	send_sequences(0, sequences + 5, 1);
	ck_assert_uint_eq(listener(0).window, 1);
	ck_assert_uint_eq(listener(0).duplicated, 0);
}
END_TEST

START_TEST(a_sequence_remembers_count_first_and_last)
{
	struct copy copy = {.sequence = 4711, .size = 77};
	struct sink_sequence record;

	ck_assert_int_eq(sink_read_sequence(sink, 4711, &record), 0);
	ck_assert_uint_eq(record.count, 0);
	ck_assert_uint_eq(record.first_ns, 0);
	uint64_t before = now_ns();
	send_copy(&copy);
	uint64_t between = now_ns();
	for (copy.listener = 1; copy.listener < 5; copy.listener++)
		send_copy(&copy);
	uint64_t middle = now_ns();
	send_copy(&copy);
	uint64_t after = now_ns();
	ck_assert_int_eq(sink_read_sequence(sink, 4711, &record), 0);
	ck_assert_uint_eq(record.count, 6);
	ck_assert_uint_eq(record.size, 77);
	ck_assert_uint_eq(record.ssrc, SSRC);
	ck_assert(before <= record.first_ns && record.first_ns <= between);
	ck_assert(middle <= record.last_ns && record.last_ns <= after);
	ck_assert_uint_eq(totals().first_ns, record.first_ns);
	ck_assert_uint_eq(totals().last_ns, record.last_ns);
	ck_assert_int_eq(sink_read_sequence(sink, 4712, &record), 0);
	ck_assert_uint_eq(record.count, 0);
}
END_TEST

START_TEST(silence_is_told_from_voice_by_its_size)
{
	const struct copy copies[] = {
		{.sequence = 1, .size = 19},
		{.sequence = 2, .size = 20},
		{.sequence = 3, .size = 19, .csrc_count = 1},
		{.sequence = 4, .size = 20, .csrc_count = 1},
		{.sequence = 5, .size = 19, .first = 0x90, .extension_words = 1},
		{.sequence = 6, .size = 20, .first = 0x91, .csrc_count = 1, .extension_words = 3},
		{.sequence = 7, .size = 1},
	};

	for (size_t i = 0; i < sizeof(copies) / sizeof(copies[0]); i++)
		send_copy(&copies[i]);
	ck_assert_uint_eq(totals().silence, 4);
	ck_assert_uint_eq(totals().voice, 3);
	ck_assert_uint_eq(totals().received, 7);
	ck_assert_uint_eq(listener(0).silence, 4);
	struct sink_sequence record;
	ck_assert_int_eq(sink_read_sequence(sink, 6, &record), 0);
	ck_assert_uint_eq(totals().last_voice_ns, record.last_ns);
	ck_assert_uint_lt(totals().last_voice_ns, totals().last_ns);
}
END_TEST

START_TEST(silence_may_be_left_out_of_everything_else)
{
	const struct copy silence = {.sequence = 2, .size = SILENCE_SIZE, .ssrc = SSRC + 1};
	const struct copy voice = {.sequence = 1, .size = SILENCE_SIZE + 1};
	struct sink_config config = usual_config();
	struct sink_sequence record;
	struct sink_totals sum, same;

	config.voice_only = config.first_ssrc = true;
	open_sink(&config);
	ck_assert_uint_eq(send_copy(&silence), XDP_DROP);
	sum = totals();
	ck_assert_uint_eq(sum.silence, 1);
	same = (struct sink_totals){.silence = 1};
	ck_assert_int_eq(memcmp(&sum, &same, sizeof(sum)), 0);
	/* Nor is the SSRC that it came with the first one. */
	ck_assert_uint_eq(send_copy(&voice), XDP_DROP);
	ck_assert_uint_eq(send_copy(&silence), XDP_DROP);
	ck_assert_uint_eq(totals().received, 1);
	ck_assert_uint_eq(totals().other_ssrc, 0);
	ck_assert_uint_eq(listener(0).received, 1);
	ck_assert_uint_eq(listener(0).silence, 0);
	ck_assert_int_eq(sink_read_sequence(sink, 1, &record), 0);
	ck_assert_uint_eq(record.count, 1);
	ck_assert_int_eq(sink_read_sequence(sink, 2, &record), 0);
	ck_assert_uint_eq(record.count, 0);
	close_sink();
}
END_TEST

START_TEST(bytes_are_those_of_frames)
{
	const struct copy copy = {.size = 100};

	send_copy(&copy);
	ck_assert_uint_eq(totals().bytes, 14 + 20 + 8 + 12 + 100);
}
END_TEST

START_TEST(the_ear_is_counted_and_passed_on)
{
	struct copy ear = {.listener = 9}, other = {.listener = 8}, control = {.listener = 9};

	control.second = 200;
	ck_assert_uint_eq(send_copy(&ear), XDP_DROP);
	sink_set_ear(sink, 9);
	ck_assert_uint_eq(send_copy(&ear), XDP_PASS);
	ck_assert_uint_eq(send_copy(&other), XDP_DROP);
	ck_assert_uint_eq(send_copy(&control), XDP_PASS);
	ck_assert_uint_eq(totals().ear, 1);
	ck_assert_uint_eq(totals().received, 3);
	ck_assert_uint_eq(listener(9).received, 2);
	sink_set_ear(sink, SINK_NOBODY);
	ck_assert_uint_eq(send_copy(&ear), XDP_DROP);
}
END_TEST

START_TEST(the_mark_counts_what_comes_later)
{
	struct copy voice = {.size = 100}, silence = {.size = 19};

	send_copy(&voice);
	ck_assert_uint_eq(totals().voice_after, 0);
	ck_assert_int_eq(sink_mark(sink, now_ns() + UINT64_C(3600000000000)), 0);
	send_copy(&voice);
	ck_assert_uint_eq(totals().voice_after, 0);
	ck_assert_int_eq(sink_mark(sink, now_ns()), 0);
	send_copy(&voice);
	send_copy(&voice);
	send_copy(&silence);
	ck_assert_uint_eq(totals().voice_after, 2);
	ck_assert_uint_eq(totals().silence_after, 1);
	ck_assert_int_eq(sink_mark(sink, now_ns()), 0);
	ck_assert_uint_eq(totals().voice_after, 0);
	send_copy(&silence);
	ck_assert_uint_eq(totals().voice_after, 0);
	ck_assert_uint_eq(totals().silence_after, 1);
	ck_assert_uint_eq(totals().voice, 4);
}
END_TEST

START_TEST(reset_forgets_everything)
{
	const uint16_t sequences[] = {1, 2, 2};
	struct sink_sequence record;

	send_sequences(LISTENERS - 1, sequences, 3);
	ck_assert_int_eq(sink_mark(sink, 1), 0);
	send_sequences(LISTENERS - 1, sequences, 1);
	ck_assert_int_eq(sink_reset(sink), 0);
	struct sink_totals sum = totals(), none = {0};
	ck_assert_int_eq(memcmp(&sum, &none, sizeof(sum)), 0);
	ck_assert_uint_eq(listener(LISTENERS - 1).received, 0);
	ck_assert_uint_eq(listener(LISTENERS - 1).highest, 0);
	ck_assert_int_eq(sink_read_sequence(sink, 2, &record), 0);
	ck_assert_uint_eq(record.count, 0);
}
END_TEST

START_TEST(another_ssrc_is_only_counted)
{
	struct sink_config config = usual_config();
	struct sink_sequence record;
	struct copy ours = {.sequence = 5}, other = {.sequence = 5, .ssrc = 0x99};

	for (int first = 0; first < 2; first++) {
		config.ssrc = first ? 0 : SSRC;
		config.first_ssrc = first;
		open_sink(&config);
		send_copy(&ours);
		send_copy(&other);
		send_copy(&other);
		ck_assert_uint_eq(totals().received, 3);
		ck_assert_uint_eq(totals().other_ssrc, 2);
		ck_assert_uint_eq(totals().duplicated, 0);
		ck_assert_int_eq(sink_read_sequence(sink, 5, &record), 0);
		ck_assert_uint_eq(record.count, 1);
		if (first) {
			ck_assert_int_eq(sink_reset(sink), 0);
			send_copy(&other);
			ck_assert_uint_eq(totals().other_ssrc, 0);
		}
		close_sink();
	}
	config.first_ssrc = false;
	open_sink(&config);
	send_copy(&ours);
	send_copy(&other);
	ck_assert_uint_eq(totals().other_ssrc, 0);
	ck_assert_int_eq(sink_read_sequence(sink, 5, &record), 0);
	ck_assert_uint_eq(record.count, 2);
	close_sink();
}
END_TEST

START_TEST(a_million_listeners_fit)
{
	struct sink_config config = usual_config();
	struct copy last = {.address = BASE + (SINK_LISTENERS_MAX - 1) / PORTS,
		.port = FIRST_PORT + (SINK_LISTENERS_MAX - 1) % PORTS};

	config.listener_count = SINK_LISTENERS_MAX;
	open_sink(&config);
	ck_assert_uint_eq(send_copy(&last), XDP_DROP);
	ck_assert_uint_eq(listener(SINK_LISTENERS_MAX - 1).received, 1);

	struct sink_listener *all = calloc(SINK_LISTENERS_MAX, sizeof(*all));
	uint64_t sum = 0;
	ck_assert_ptr_nonnull(all);
	ck_assert_int_eq(sink_read_listeners(sink, 0, SINK_LISTENERS_MAX, all), 0);
	for (uint32_t i = 0; i < SINK_LISTENERS_MAX; i++)
		sum += all[i].received;
	ck_assert_uint_eq(sum, 1);
	ck_assert_uint_eq(all[SINK_LISTENERS_MAX - 1].received, 1);
	free(all);
	close_sink();
}
END_TEST

START_TEST(open_refuses_nonsense)
{
	struct sink_config wrong[5];
	const char *ifname[5] = {"lo", "lo", "lo", "lo", "nosuch0"};
	struct sink *none = NULL;

	for (int i = 0; i < 5; i++)
		wrong[i] = usual_config();
	wrong[0].listener_count = 0;
	wrong[1].listener_count = SINK_LISTENERS_MAX + 1;
	wrong[2].ports_per_address = 0;
	wrong[3].port_base = 65500;
	for (int i = 0; i < 5; i++) {
		int rc = sink_open(&none, ifname[i], &wrong[i], message, sizeof(message));
		ck_assert_int_eq(rc, i == 4 ? -ENODEV : -EINVAL);
	}
	ck_assert_ptr_null(none);
	sink_close(NULL);
}
END_TEST

START_TEST(closing_frees_the_interface)
{
	struct attachment found;
	struct sink_config config = usual_config();
	struct sink *second = NULL;

	open_usual();
	ck_assert_int_lt(sink_open(&second, "lo", &config, message, sizeof(message)), 0);
	ck_assert_ptr_null(second);
	close_sink();
	ck_assert_int_eq(attachment_query(&found, (int)if_nametoindex("lo")), 0);
	ck_assert_uint_eq(found.id, 0);
}
END_TEST

static Suite *sink_suite(void)
{
	Suite *suite = suite_create("sink");
	TCase *copies = tcase_create("copies");
	TCase *opening = tcase_create("opening");

	tcase_add_checked_fixture(copies, open_usual, close_sink);
	tcase_add_test(copies, each_destination_is_its_listener);
	tcase_add_test(copies, what_is_nobodys_passes_and_changes_nothing);
	tcase_add_test(copies, what_is_not_rtp_is_told_apart);
	tcase_add_test(copies, duplicates_are_found_within_64);
	tcase_add_test(copies, the_sequence_number_wraps);
	tcase_add_test(copies, a_leap_empties_the_window);
	tcase_add_test(copies, a_sequence_remembers_count_first_and_last);
	tcase_add_test(copies, silence_is_told_from_voice_by_its_size);
	tcase_add_test(copies, bytes_are_those_of_frames);
	tcase_add_test(copies, the_ear_is_counted_and_passed_on);
	tcase_add_test(copies, the_mark_counts_what_comes_later);
	tcase_add_test(copies, reset_forgets_everything);
	suite_add_tcase(suite, copies);
	tcase_add_test(opening, silence_may_be_left_out_of_everything_else);
	tcase_add_test(opening, another_ssrc_is_only_counted);
	tcase_add_test(opening, a_million_listeners_fit);
	tcase_add_test(opening, open_refuses_nonsense);
	tcase_add_test(opening, closing_frees_the_interface);
	suite_add_tcase(suite, opening);
	return suite;
}

int main(void)
{
	struct sink_config config = usual_config();

	if (unshare(CLONE_NEWNET) < 0 || system("ip link set lo up") != 0) {
		puts("SKIP: needs CAP_SYS_ADMIN and CAP_NET_ADMIN");
		return 77;
	}
	int rc = sink_open(&sink, "lo", &config, message, sizeof(message));
	if (rc == -EPERM) {
		printf("SKIP: %s\n", message);
		return 77;
	}
	if (rc == 0)
		sink_close(sink);
	SRunner *runner = srunner_create(sink_suite());
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
