// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/core/demux.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum demux demux = demux_classify(data, (unsigned int)size);

	FUZZ_CHECK(demux < DEMUX_COUNT);
	FUZZ_CHECK(size > 0 || demux == DEMUX_UNKNOWN);
	return 0;
}
