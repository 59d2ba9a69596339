// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/core/slot.h"

void slot_init(struct slot *slot, uint64_t index, uint32_t clock, uint64_t now_ns)
{
	*slot = (struct slot){.index = index, .used = UINT64_MAX, .floor = index + 1};
	timeline_init(&slot->timeline, clock, now_ns);
}

void slot_take(struct slot *slot, uint64_t source)
{
	slot->floor = slot->index + 1;
	slot->offset = slot->floor - source;
}

static bool advance(struct slot *slot, uint64_t index)
{
	uint64_t step = index - slot->index;

	if (index > SLOT_INDEX_MAX)
		return false;
	slot->used = (step < SLOT_LATE_MAX ? slot->used << step : 0) | 1;
	slot->index = index;
	return true;
}

/*
 * Why no index is given out twice: above `index` nothing was given out yet, and going there moves
 * `index`. At or below it, only an index whose bit is clear is given out, and its bit is set by
 * that; what `used` no longer covers is refused; slot_init() sets the bits of earlier processes.
 */
bool slot_index(struct slot *slot, uint64_t source, uint64_t *index, bool *late)
{
	uint64_t wanted = source + slot->offset;
	int64_t step = (int64_t)(wanted - slot->index);
	uint64_t behind;

	if (step > SLOT_JUMP_MAX) {
		slot_take(slot, source);
		wanted = slot->floor;
	}
	*index = wanted;
	*late = step <= 0;
	if (step > 0)
		return advance(slot, wanted);
	behind = (uint64_t)-step;
	if (behind >= SLOT_LATE_MAX || wanted < slot->floor || slot->used >> behind & 1)
		return false;
	slot->used |= 1ull << behind;
	return true;
}

bool slot_index_next(struct slot *slot, uint64_t *index)
{
	*index = slot->index + 1;
	return advance(slot, *index);
}
