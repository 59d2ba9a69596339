// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/core/rtcp.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rtcp rtcp;

	if (rtcp_parse(data, (unsigned int)size, &rtcp) != 0)
		return 0;
	FUZZ_CHECK(size >= 4 && size % 4 == 0);
	FUZZ_CHECK(rtcp.packets >= 1 && rtcp.packets <= size / 4);
	FUZZ_CHECK(rtcp.report_blocks * 24u <= size);
	FUZZ_CHECK(rtcp.sender_reports * 28u + rtcp.receiver_reports * 8u <= size);
	return 0;
}
