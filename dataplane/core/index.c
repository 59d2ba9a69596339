// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/core/index.h"

uint64_t index_estimate(uint64_t highest, uint16_t sequence)
{
	uint64_t roc = highest >> 16;
	uint16_t last = index_sequence(highest);

	if (last < 0x8000) {
		/* Far ahead means from before the last wrap; there is none before ROC 0. */
		if (sequence > last && sequence - last > 0x8000 && roc > 0)
			roc--;
	} else if (sequence < last - 0x8000 && roc < UINT32_MAX) {
		roc++;
	}
	return roc << 16 | sequence;
}

uint64_t index_initial(uint32_t random)
{
	return 1 + random % 0x7ffe;
}

uint64_t index_next(uint64_t last)
{
	return last + 1;
}

bool index_exhausted(uint64_t last)
{
	return last >= INDEX_MAX;
}

uint64_t index_resume(uint64_t persisted)
{
	if (persisted == 0 || persisted > INDEX_MAX - INDEX_RESUME_GAP)
		return 0;
	return persisted + INDEX_RESUME_GAP;
}

uint32_t index_origin_for_join(uint64_t last, unsigned int guard)
{
	uint64_t next = last + 1;

	/* The last `guard` sequence numbers of a ROC are 2^16 - guard .. 2^16 - 1. */
	return index_roc(next + guard);
}
