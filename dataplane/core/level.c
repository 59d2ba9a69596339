// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/core/level.h"

#define STEP_NS 20000000ull
/* After 32 falls 1.4 % of a difference is left: not worth more steps. */
#define STEPS_MAX 32

bool level_read(const uint8_t *data, const struct rtp *rtp, uint8_t id, uint8_t *level, bool *voice)
{
	struct rtp_extension_iterator iterator = rtp_extension_begin(data, rtp);
	struct rtp_extension element;

	if (id == 0)
		return false;
	while (rtp_extension_next(&iterator, &element)) {
		if (element.id != id || element.size == 0)
			continue;
		*level = element.data[0] & 0x7f;
		*voice = element.data[0] & 0x80;
		return true;
	}
	return false;
}

/* Half of the way up a step of 20 ms, an eighth of the way down. */
void level_filter_add(struct level_filter *filter, uint8_t level, uint64_t now_ns)
{
	uint32_t target = (uint32_t)(LEVEL_SILENT - (level & 0x7f)) << 8;
	uint64_t steps = 1;

	if (filter->started && now_ns > filter->last_ns)
		steps = (now_ns - filter->last_ns + STEP_NS / 2) / STEP_NS;
	if (steps == 0)
		steps = 1;
	filter->started = true;
	filter->last_ns = now_ns;
	if (steps >= STEPS_MAX) {
		filter->loudness_q8 = target;
		return;
	}
	for (; steps > 0; steps--) {
		if (target > filter->loudness_q8)
			filter->loudness_q8 += (target - filter->loudness_q8 + 1) / 2;
		else
			filter->loudness_q8 -= (filter->loudness_q8 - target + 7) / 8;
	}
}

uint8_t level_filter_level(const struct level_filter *filter)
{
	return (uint8_t)(LEVEL_SILENT - (filter->loudness_q8 + 128) / 256);
}
