// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/core/rtp.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rtp_extension_iterator iterator;
	struct rtp_extension element;
	unsigned int payload_size, seen = 0;
	struct rtp rtp;

	if (rtp_parse(data, (unsigned int)size, &rtp) != 0)
		return 0;
	FUZZ_CHECK(rtp.header_size >= RTP_HEADER_SIZE && rtp.header_size <= size);
	FUZZ_CHECK(rtp.extension || rtp.extension_size == 0);
	if (rtp_payload_size(data, (unsigned int)size, &rtp, &payload_size) == 0)
		FUZZ_CHECK(rtp.header_size + payload_size <= size);
	iterator = rtp_extension_begin(data, &rtp);
	while (rtp_extension_next(&iterator, &element)) {
		FUZZ_CHECK(element.id != 0);
		FUZZ_CHECK(element.data >= data + rtp.extension_offset);
		FUZZ_CHECK(element.data + element.size <= data + rtp.header_size);
		seen++;
	}
	FUZZ_CHECK(seen <= rtp.extension_size);
	return 0;
}
