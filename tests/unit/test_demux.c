// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/core/demux.h"
#include "tests/support/unit.h"

/* RFC 9443 section 3, figure 2: first and last of each range. */
static const struct {
	const char *sentence;
	uint8_t first, last;
	enum demux expected;
} ranges[] = {
	{"0 to 3 is STUN", 0, 3, DEMUX_STUN},
	{"4 to 15 is nothing", 4, 15, DEMUX_UNKNOWN},
	{"16 to 19 is ZRTP", 16, 19, DEMUX_UNKNOWN},
	{"20 to 63 is DTLS", 20, 63, DEMUX_DTLS},
	{"64 to 79 is a TURN channel or QUIC", 64, 79, DEMUX_UNKNOWN},
	{"80 to 127 is QUIC", 80, 127, DEMUX_UNKNOWN},
	{"128 to 191 with Opus is RTP", 128, 191, DEMUX_RTP},
	{"192 to 255 is QUIC", 192, 255, DEMUX_UNKNOWN},
};

START_TEST(first_byte)
{
	unsigned int byte;

	for (byte = ranges[_i].first; byte <= ranges[_i].last; byte++) {
		const uint8_t data[] = {(uint8_t)byte, 111};

		ck_assert_msg(demux_classify(data, 2) == ranges[_i].expected, "%s, but not %u",
			ranges[_i].sentence, byte);
	}
}
END_TEST

static const struct {
	const char *sentence;
	uint8_t second;
	enum demux expected;
} seconds[] = {
	{"payload type 63 is RTP", 63, DEMUX_RTP},
	{"payload type 63 with marker is RTP", 191, DEMUX_RTP},
	{"packet type 192 is RTCP", 192, DEMUX_RTCP},
	{"a sender report is RTCP", 200, DEMUX_RTCP},
	{"payload feedback is RTCP", 206, DEMUX_RTCP},
	{"packet type 223 is RTCP", 223, DEMUX_RTCP},
	{"64 without the top bit is taken for RTCP", 64, DEMUX_RTCP},
	{"95 without the top bit is taken for RTCP", 95, DEMUX_RTCP},
	{"payload type 96 is RTP", 96, DEMUX_RTP},
	{"payload type 96 with marker is RTP", 224, DEMUX_RTP},
	{"payload type 127 with marker is RTP", 255, DEMUX_RTP},
};

START_TEST(second_byte)
{
	const uint8_t data[] = {0x80, seconds[_i].second};

	ck_assert_msg(demux_classify(data, 2) == seconds[_i].expected, "%s", seconds[_i].sentence);
}
END_TEST

START_TEST(short_datagrams)
{
	uint8_t *block;
	const uint8_t *data = unit_block("\x80", 1, &block);

	ck_assert_int_eq(demux_classify(data, 1), DEMUX_RTP);
	ck_assert_int_eq(demux_classify(data, 0), DEMUX_UNKNOWN);
	free(block);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("demux");
	TCase *tcase = tcase_create("demux");

	tcase_add_loop_test(tcase, first_byte, 0, sizeof(ranges) / sizeof(ranges[0]));
	tcase_add_loop_test(tcase, second_byte, 0, sizeof(seconds) / sizeof(seconds[0]));
	tcase_add_test(tcase, short_datagrams);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
