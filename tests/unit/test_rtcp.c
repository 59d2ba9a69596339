// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/core/rtcp.h"
#include "tests/support/unit.h"

#include <errno.h>

/* In words of four bytes; a block of 24 is six of them. */
#define SSRC "\xde\xad\xbe\xef"
#define BLOCK "\0\0\0\1\x10\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5\0\0\0\6"
#define INFO "\x01\x02\x03\x04\x05\x06\x07\x08\0\0\x03\xc0\0\0\0\x64\0\0\x27\x10"
#define SR0 "\x80\xc8\0\x06" SSRC INFO
#define SR1 "\x81\xc8\0\x0c" SSRC INFO BLOCK
#define RR0 "\x80\xc9\0\x01" SSRC
#define RR1 "\x81\xc9\0\x07" SSRC BLOCK
#define SDES \
	"\x81\xca\0\x03" SSRC "\x01\x02" \
	"ab\0\0\0\0"
#define BYE "\x81\xcb\0\x01" SSRC
#define NACK "\x81\xcd\0\x03" SSRC "\0\0\0\1\0\1\0\0"
#define PLI "\x81\xce\0\x02" SSRC "\0\0\0\1"

static const struct {
	const char *sentence;
	const char *bytes;
	unsigned int size;
	int result;
	unsigned int packets, sender_reports, receiver_reports, blocks, feedback;
	bool bye, reduced;
} rows[] = {
	{"an empty receiver report", RR0, 8, 0, 1, 0, 1, 0, 0, false, false},
	{"a sender report without blocks", SR0, 28, 0, 1, 1, 0, 0, 0, false, false},
	{"a sender report with SDES", SR1 SDES, 68, 0, 2, 1, 0, 1, 0, false, false},
	{"a receiver report with BYE", RR1 BYE, 40, 0, 2, 0, 1, 1, 0, true, false},
	{"feedback behind a report", RR0 NACK PLI, 36, 0, 3, 0, 1, 0, 2, false, false},
	{"feedback alone is reduced size", NACK, 16, 0, 1, 0, 0, 0, 1, false, true},
	{"BYE for nobody", RR0 "\x80\xcb\0\0", 12, 0, 2, 0, 1, 0, 0, true, false},
	{"an unknown type of the range is passed over", RR0 "\x80\xd0\0\0", 12, 0, 2, 0, 1, 0, 0,
		false, false},
	{"padding in the last packet", RR0 "\xa0\xc9\0\2" SSRC "\0\0\0\4", 20, 0, 2, 0, 2, 0, 0,
		false, false},
	{"the first and the last type of the range", "\x80\xc0\0\0\x80\xdf\0\0", 8, 0, 2, 0, 0, 0,
		0, false, true},
	{"a padded packet that is all padding", RR0 "\xa0\xd0\0\1\0\0\0\4", 16, 0, 2, 0, 1, 0, 0,
		false, false},
	{"a sender report whose block is not there is refused", "\x81\xc8\0\x06" SSRC INFO, 28,
		-EINVAL},
	{"nothing is refused", "", 0, -EINVAL},
	{"version 1 is refused", "\x40\xc9\0\1" SSRC, 8, -EINVAL},
	{"version 1 in the second packet is refused", RR0 "\x40\xc9\0\1" SSRC, 16, -EINVAL},
	{"a type below 192 is refused", "\x80\xbf\0\1" SSRC, 8, -EINVAL},
	{"a type above 223 is refused", "\x80\xe0\0\1" SSRC, 8, -EINVAL},
	{"a length beyond the end is refused", "\x80\xc9\0\2" SSRC, 8, -EINVAL},
	{"bytes behind the last packet are refused", RR0 "\0", 9, -EINVAL},
	{"padding before the last packet is refused", "\xa0\xc9\0\2" SSRC "\0\0\0\4" RR0, 20,
		-EINVAL},
	{"padding of 0 is refused", "\xa0\xc9\0\2" SSRC "\0\0\0\0", 12, -EINVAL},
	{"padding of 3 is refused", "\xa0\xc9\0\2" SSRC "\0\0\0\3", 12, -EINVAL},
	{"padding longer than its packet is refused", "\xa0\xc9\0\2" SSRC "\0\0\0\x0c", 12,
		-EINVAL},
	{"padding that covers the SSRC is refused", "\xa0\xc9\0\2" SSRC "\0\0\0\x08", 12, -EINVAL},
	{"a padded packet without a body is refused", "\xa0\xd0\0\0", 4, -EINVAL},
	{"a sender report without sender info is refused", "\x80\xc8\0\1" SSRC, 8, -EINVAL},
	{"a report block that is not there is refused", "\x82\xc9\0\x07" SSRC BLOCK, 32, -EINVAL},
	{"a BYE for more than it names is refused", RR0 "\x82\xcb\0\1" SSRC, 16, -EINVAL},
	{"feedback without a media SSRC is refused", "\x81\xce\0\1" SSRC, 8, -EINVAL},
};

START_TEST(parse_row)
{
	uint8_t *block;
	struct rtcp rtcp;
	int result =
		rtcp_parse(unit_block(rows[_i].bytes, rows[_i].size, &block), rows[_i].size, &rtcp);

	ck_assert_msg(result == rows[_i].result, "%s", rows[_i].sentence);
	if (result == 0)
		ck_assert_msg(rtcp.packets == rows[_i].packets &&
				      rtcp.sender_reports == rows[_i].sender_reports &&
				      rtcp.receiver_reports == rows[_i].receiver_reports &&
				      rtcp.report_blocks == rows[_i].blocks &&
				      rtcp.feedback == rows[_i].feedback &&
				      rtcp.bye == rows[_i].bye && rtcp.reduced == rows[_i].reduced,
			"%s", rows[_i].sentence);
	free(block);
}
END_TEST

START_TEST(sender_info_is_read)
{
	struct rtcp rtcp;

	ck_assert_int_eq(rtcp_parse((const uint8_t *)SR1, 52, &rtcp), 0);
	ck_assert_uint_eq(rtcp.sender_ssrc, 0xdeadbeef);
	ck_assert_uint_eq(rtcp.sender.ssrc, 0xdeadbeef);
	ck_assert_uint_eq(rtcp.sender.ntp, 0x0102030405060708ull);
	ck_assert_uint_eq(rtcp.sender.timestamp, 960);
	ck_assert_uint_eq(rtcp.sender.packets, 100);
	ck_assert_uint_eq(rtcp.sender.octets, 10000);
}
END_TEST

START_TEST(cut_at_every_byte)
{
	static const char wire[] = SR1 SDES;
	unsigned int size;
	uint8_t *block;
	struct rtcp rtcp;

	for (size = 0; size < 68; size++) {
		/* A cut between the two packets leaves a whole compound. */
		ck_assert_int_eq(rtcp_parse(unit_block(wire, size, &block), size, &rtcp),
			size == 52 ? 0 : -EINVAL);
		free(block);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rtcp");
	TCase *tcase = tcase_create("rtcp");

	tcase_add_loop_test(tcase, parse_row, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tcase, sender_info_is_read);
	tcase_add_test(tcase, cut_at_every_byte);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
