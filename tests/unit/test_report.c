/* SPDX-License-Identifier: BSD-3-Clause */
/* What goes into and comes out of RTCP reports; bytes and numbers by hand after RFC 3550. */
#include "dataplane/core/arrival.h"
#include "dataplane/core/capture.h"
#include "dataplane/core/history.h"
#include "dataplane/core/ntp.h"
#include "dataplane/core/survey.h"
#include "tests/support/unit.h"

#define MS UINT64_C(1000000)
#define FRAME 960 /* ticks of 20 ms */

START_TEST(sender_report_on_the_wire)
{
	static const uint8_t expected[] = {/* V=2, RC 0, SR, 6 words behind the first */
		0x80, 200, 0, 6, 1, 2, 3, 4, 0xe0, 0, 0, 1, 0x80, 0, 0, 0, 0, 0, 0x03, 0xc0, 0, 0,
		0, 7, 0, 0, 0x01, 0x00,
		/* SDES: 1 chunk, CNAME of 2 bytes, ended by zeros to a whole word */
		0x81, 202, 0, 3, 1, 2, 3, 4, 1, 2, 'a', 'b', 0, 0, 0, 0};
	const struct rtcp_sender sender = {0x01020304, 0xe000000180000000, 960, 7, 256};
	uint8_t out[RTCP_BUILD_MAX];
	struct rtcp rtcp;

	ck_assert_uint_eq(rtcp_build_sender(&sender, "ab", out), sizeof(expected));
	ck_assert_mem_eq(out, expected, sizeof(expected));
	ck_assert_int_eq(rtcp_parse(out, sizeof(expected), &rtcp), 0);
	ck_assert_uint_eq(rtcp.sender.ntp, sender.ntp);
}
END_TEST

START_TEST(receiver_report_on_the_wire)
{
	static const uint8_t expected[] = {0x81, 201, 0, 7, 0, 0, 0, 9, 0xde, 0xad, 0xbe, 0xef, 64,
		0xff, 0xff, 0xfe, 0, 1, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 5,
		/* CNAME of 3 bytes: 5 bytes, then at least one zero */
		0x81, 202, 0, 3, 0, 0, 0, 9, 1, 3, 'a', 'b', 'c', 0, 0, 0};
	const struct rtcp_block block = {0xdeadbeef, 64, -2, 0x10002, 3, 4, 5};
	struct rtcp_block back;
	struct rtcp_item item;
	struct cursor cursor;
	uint8_t out[RTCP_BUILD_MAX];

	ck_assert_uint_eq(rtcp_build_receiver(9, &block, "abc", out), sizeof(expected));
	ck_assert_mem_eq(out, expected, sizeof(expected));
	cursor = rtcp_begin(out, sizeof(expected));
	ck_assert(rtcp_next(&cursor, &item));
	ck_assert(rtcp_read_block(&item, 0, &back));
	ck_assert_mem_eq(&back, &block, sizeof(block));
	ck_assert(!rtcp_read_block(&item, 1, &back));
	ck_assert(rtcp_next(&cursor, &item));
	ck_assert_uint_eq(item.type, RTCP_SDES);
	ck_assert(!rtcp_next(&cursor, &item));
}
END_TEST

START_TEST(longest_cname_fits)
{
	const struct rtcp_block block = {0};
	char cname[RTCP_CNAME_MAX + 2];
	uint8_t *out = malloc(RTCP_BUILD_MAX);
	struct rtcp rtcp;
	unsigned int size;

	memset(cname, 'x', sizeof(cname) - 1);
	cname[sizeof(cname) - 1] = '\0'; /* one too long: cut */
	size = rtcp_build_receiver(1, &block, cname, out);
	ck_assert_uint_le(size, RTCP_BUILD_MAX);
	ck_assert_int_eq(rtcp_parse(out, size, &rtcp), 0);
	free(out);
}
END_TEST

START_TEST(nack_names_sequence_and_followers)
{
	/* RTPFB, FMT 1: two FCI entries. */
	static const uint8_t wire[] = {
		0x81, 205, 0, 4, 0, 0, 0, 1, 0, 0, 0, 2, 0xff, 0xfe, 0x80, 0x01, 0, 5, 0, 0};
	struct rtcp_item item;
	struct rtcp_nack nack;
	struct cursor cursor = rtcp_begin(wire, sizeof(wire));

	ck_assert(rtcp_next(&cursor, &item));
	ck_assert(rtcp_read_nack(&item, 0, &nack));
	ck_assert_uint_eq(nack.ssrc, 2);
	ck_assert_uint_eq(nack.sequence, 0xfffe);
	ck_assert_uint_eq(nack.following, 0x8001);
	ck_assert(rtcp_read_nack(&item, 1, &nack));
	ck_assert_uint_eq(nack.sequence, 5);
	ck_assert(!rtcp_read_nack(&item, 2, &nack));
	item.count = 15; /* another format of feedback */
	ck_assert(!rtcp_read_nack(&item, 0, &nack));
}
END_TEST

/* Ten packets of 20 ms, the fourth and the fifth missing, one 10 ms late: 2 * 256 / 10 is 51. */
START_TEST(loss_and_jitter)
{
	struct arrival arrival = {0};
	struct rtcp_block block;
	unsigned int i;

	ck_assert(!arrival_report(&arrival, 1, 0, &block));
	for (i = 0; i < 10; i++)
		if (i != 3 && i != 4)
			arrival_packet(&arrival, 65530 + i, i * FRAME,
				(1000 + i * 20 + (i == 8 ? 10 : 0)) * MS);
	ck_assert(arrival_report(&arrival, 0xabc, 2000 * MS, &block));
	ck_assert_uint_eq(block.ssrc, 0xabc);
	ck_assert_int_eq(block.lost, 2);
	ck_assert_uint_eq(block.fraction, 51);
	ck_assert_uint_eq(block.highest, 65539); /* one cycle, sequence 3 */
	/* D is 480 ticks twice: J*16 = 480, then 480 + 480 - 30 = 930; J = 58. */
	ck_assert_uint_eq(block.jitter, 58);
	ck_assert_uint_eq(block.last_report, 0);
	ck_assert_uint_eq(block.delay, 0);
	/* Nothing expected since: nothing lost since. */
	ck_assert(arrival_report(&arrival, 0xabc, 3000 * MS, &block));
	ck_assert_uint_eq(block.fraction, 0);
	ck_assert_int_eq(block.lost, 2);
}
END_TEST

START_TEST(all_lost_since_the_last_report)
{
	struct arrival arrival = {0};
	struct rtcp_block block;

	arrival_packet(&arrival, 5, 0, MS);
	ck_assert(arrival_report(&arrival, 1, MS, &block));
	arrival_packet(&arrival, 1005, 0, MS);
	ck_assert(arrival_report(&arrival, 1, MS, &block));
	ck_assert_uint_eq(block.fraction, 999 * 256 / 1000);
	ck_assert_int_eq(block.lost, 999);
}
END_TEST

START_TEST(duplicates_make_loss_negative)
{
	struct arrival arrival = {0};
	struct rtcp_block block;

	arrival_packet(&arrival, 5, 0, MS);
	arrival_packet(&arrival, 4, 0, MS); /* reordered in front of the first */
	arrival_packet(&arrival, 4, 0, MS);
	ck_assert(arrival_report(&arrival, 1, MS, &block));
	ck_assert_int_eq(block.lost, -1);
	ck_assert_uint_eq(block.fraction, 0);
}
END_TEST

START_TEST(echo_of_the_sender_report)
{
	struct arrival arrival = {0};
	struct rtcp_block block;

	arrival_packet(&arrival, 1, 0, MS);
	arrival_sender_report(&arrival, 0x1122334455667788, 1000 * MS);
	ck_assert(arrival_report(&arrival, 1, 2500 * MS, &block));
	ck_assert_uint_eq(block.last_report, 0x33445566);
	ck_assert_uint_eq(block.delay, 65536 + 32768);
}
END_TEST

START_TEST(ntp_of_the_unix_epoch)
{
	ck_assert_uint_eq(ntp_from_ns(0), (uint64_t)2208988800 << 32);
	ck_assert_uint_eq(ntp_from_ns(1500 * MS), ((uint64_t)2208988801 << 32) + 0x80000000);
	ck_assert_uint_eq(ntp_middle(0x1122334455667788), 0x33445566);
}
END_TEST

#define SECOND (UINT64_C(1) << 32)

/* The source's clock is 5 s behind ours, its way here takes 250 ms, once 1,250 ms. */
START_TEST(capture_clock_ignores_what_the_network_adds)
{
	struct capture_clock capture = {0};
	struct rtcp_sender sender = {.ntp = 100 * SECOND, .timestamp = 5000};
	uint64_t ntp;

	ck_assert(!capture_time(&capture, 5000, &ntp));
	capture_report(&capture, &sender, 105 * SECOND + SECOND / 4);
	ck_assert(capture_time(&capture, 5000 + 48000, &ntp));
	ck_assert_uint_eq(ntp, 106 * SECOND + SECOND / 4);
	ck_assert(capture_time(&capture, 5000 - 24000, &ntp));
	ck_assert_uint_eq(ntp, 104 * SECOND + 3 * SECOND / 4);
	/* The next one is late by a second: a 64th of it is believed. */
	sender = (struct rtcp_sender){.ntp = 105 * SECOND, .timestamp = 5000 + 5 * 48000};
	capture_report(&capture, &sender, 111 * SECOND + SECOND / 4);
	ck_assert(capture_time(&capture, 5000 + 5 * 48000, &ntp));
	ck_assert_uint_eq(ntp, 110 * SECOND + SECOND / 4 + SECOND / 64);
	/* Less than ever before: that is the clocks' difference. */
	sender = (struct rtcp_sender){.ntp = 110 * SECOND, .timestamp = 5000 + 10 * 48000};
	capture_report(&capture, &sender, 115 * SECOND + SECOND / 8);
	ck_assert(capture_time(&capture, 5000 + 10 * 48000, &ntp));
	ck_assert_uint_eq(ntp, 115 * SECOND + SECOND / 8);
}
END_TEST

START_TEST(capture_clock_that_was_set)
{
	struct capture_clock capture = {0};
	struct rtcp_sender sender = {.ntp = 100 * SECOND, .timestamp = UINT32_MAX};
	uint64_t ntp;

	capture_report(&capture, &sender, 200 * SECOND);
	sender.ntp = 50 * SECOND; /* an hour or a minute back: believed at once */
	capture_report(&capture, &sender, 205 * SECOND);
	/* Over the wrap of the timestamp. */
	ck_assert(capture_time(&capture, 48000 - 1, &ntp));
	ck_assert_uint_eq(ntp, 206 * SECOND);
	ck_assert(capture_time(&capture, 30 * 48000 - 1, &ntp));
	ck_assert(!capture_time(&capture, 30 * 48000, &ntp));
	ck_assert(!capture_time(&capture, UINT32_MAX - 30 * 48000 - 1, &ntp));
}
END_TEST

START_TEST(history_finds_over_the_wrap)
{
	struct history history = {0};
	int packets[HISTORY_PACKETS + 1];
	uint64_t index = 0, first = 65536 - 4;
	unsigned int i;

	ck_assert_ptr_null(history_find(&history, 0, &index));
	for (i = 0; i < HISTORY_PACKETS; i++)
		ck_assert_ptr_null(history_put(&history, first + i, &packets[i]));
	ck_assert_ptr_eq(history_find(&history, 65535, &index), &packets[3]);
	ck_assert_uint_eq(index, 65535);
	ck_assert_ptr_eq(history_find(&history, 0, &index), &packets[4]);
	ck_assert_uint_eq(index, 65536);
	/* The oldest one makes room. */
	ck_assert_ptr_eq(history_put(&history, first + i, &packets[i]), &packets[0]);
	ck_assert_ptr_null(history_find(&history, (uint16_t)first, &index));
	for (i = 0; i < HISTORY_PACKETS; i++)
		ck_assert_ptr_nonnull(history_take(&history, i));
	ck_assert_ptr_null(history_take(&history, 0));
	ck_assert_ptr_null(history_find(&history, 0, &index));
}
END_TEST

START_TEST(survey_counts_what_is_reported)
{
	struct stn_reception survey = {0}, sum = {0};
	/* 5 of 256; 480 ticks are 10 ms; sent back after half a second. */
	struct rtcp_block block = {1, 5, 0, 0, 480, 0x00010000, 0x8000};
	uint64_t now = (UINT64_C(0x00018000) + 0x2000) << 16; /* 0x2000/65536 s: 125 ms */

	survey_add(&survey, &block, now);
	ck_assert_uint_eq(survey.reports, 1);
	ck_assert_uint_eq(survey.loss[2], 1);   /* above 3, up to 5 */
	ck_assert_uint_eq(survey.jitter[3], 1); /* up to 10 ms */
	ck_assert_uint_eq(survey.jitter_sum_us, 10000);
	ck_assert_uint_eq(survey.rtt[7], 1); /* above 100 ms, up to 250 */
	ck_assert_uint_eq(survey.rtt_sum_us, 125000);
	/* Worst cases land in the last bucket, nonsense in none. */
	block = (struct rtcp_block){1, 255, 0, 0, UINT32_MAX, 1, 0};
	survey_add(&survey, &block, now);
	ck_assert_uint_eq(survey.loss[STN_BUCKETS_MAX - 1], 1);
	ck_assert_uint_eq(survey.jitter[STN_BUCKETS_MAX - 1], 1);
	block.last_report = ntp_middle(now) + 1; /* from the future */
	survey_add(&survey, &block, now);
	ck_assert_uint_eq(survey.rtt_count, 2);
	survey_merge(&sum, &survey);
	survey_merge(&sum, &survey);
	ck_assert_uint_eq(sum.reports, 6);
	ck_assert_uint_eq(sum.loss[2], 2);
	ck_assert_uint_eq(sum.rtt_sum_us, 2 * survey.rtt_sum_us);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("report");
	TCase *tcase = tcase_create("report");

	tcase_add_test(tcase, sender_report_on_the_wire);
	tcase_add_test(tcase, receiver_report_on_the_wire);
	tcase_add_test(tcase, longest_cname_fits);
	tcase_add_test(tcase, nack_names_sequence_and_followers);
	tcase_add_test(tcase, loss_and_jitter);
	tcase_add_test(tcase, all_lost_since_the_last_report);
	tcase_add_test(tcase, duplicates_make_loss_negative);
	tcase_add_test(tcase, echo_of_the_sender_report);
	tcase_add_test(tcase, ntp_of_the_unix_epoch);
	tcase_add_test(tcase, capture_clock_ignores_what_the_network_adds);
	tcase_add_test(tcase, capture_clock_that_was_set);
	tcase_add_test(tcase, history_finds_over_the_wrap);
	tcase_add_test(tcase, survey_counts_what_is_reported);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
