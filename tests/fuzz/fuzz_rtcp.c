// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/core/rtcp.h"
#include "tests/fuzz/fuzz.h"

/* What was accepted can be walked: as many packets, and every block that was counted. */
static void walk(const uint8_t *data, unsigned int size, const struct rtcp *rtcp)
{
	struct cursor cursor = rtcp_begin(data, size);
	unsigned int packets = 0, blocks = 0, nacks = 0, i;
	struct rtcp_item item;
	struct rtcp_block block;
	struct rtcp_nack nack;

	for (; rtcp_next(&cursor, &item); packets++) {
		FUZZ_CHECK(item.body >= data && item.body + item.size <= data + size);
		for (i = 0; rtcp_read_block(&item, i, &block); i++)
			blocks++;
		for (i = 0; rtcp_read_nack(&item, i, &nack); i++)
			nacks++;
	}
	FUZZ_CHECK(packets == rtcp->packets);
	FUZZ_CHECK(blocks == rtcp->report_blocks);
	FUZZ_CHECK(nacks * 4 <= size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rtcp rtcp;

	if (rtcp_parse(data, (unsigned int)size, &rtcp) != 0)
		return 0;
	FUZZ_CHECK(size >= 4 && size % 4 == 0);
	FUZZ_CHECK(rtcp.packets >= 1 && rtcp.packets <= size / 4);
	FUZZ_CHECK(rtcp.report_blocks * 24u <= size);
	FUZZ_CHECK(rtcp.sender_reports * 28u + rtcp.receiver_reports * 8u <= size);
	walk(data, (unsigned int)size, &rtcp);
	return 0;
}
