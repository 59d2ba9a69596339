// SPDX-License-Identifier: BSD-3-Clause
/* The first byte is the id that was agreed, the rest a packet. */
#include "dataplane/core/level.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct level_filter filter = {0};
	uint8_t level = 0xff;
	bool voice = false;
	struct rtp rtp;

	if (size < 1 || rtp_parse(data + 1, (unsigned int)size - 1, &rtp) != 0)
		return 0;
	if (!level_read(data + 1, &rtp, data[0], &level, &voice)) {
		FUZZ_CHECK(level == 0xff);
		return 0;
	}
	FUZZ_CHECK(level <= LEVEL_SILENT);
	level_filter_add(&filter, level, 0);
	FUZZ_CHECK(level_filter_level(&filter) <= LEVEL_SILENT);
	return 0;
}
