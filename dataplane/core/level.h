/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Audio levels: reading RFC 6464 from an authenticated packet, and smoothing. A level is a claim of
 * the sender (TRAPS 26): it may win a slot, it is never authority. Any thread; owns nothing.
 */
#ifndef STENTOR_DATAPLANE_CORE_LEVEL_H
#define STENTOR_DATAPLANE_CORE_LEVEL_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/core/rtp.h"

#define LEVEL_SILENT 127 /* -127 dBov; 0 is the loudest */

/* The element `id` (1 to 255) of a parsed packet. False when it is absent or empty. */
bool level_read(
	const uint8_t *data, const struct rtp *rtp, uint8_t id, uint8_t *level, bool *voice);

/* Loudness: 0 silent to 127 loudest, in 1/256 dB. All zero is a silent start. */
struct level_filter {
	uint32_t loudness_q8;
	bool started;
	uint64_t last_ns;
};

/* Rises within about 40 ms, falls within about 200 ms; time counts, not the number of packets. */
void level_filter_add(struct level_filter *filter, uint8_t level, uint64_t now_ns);
/* The smoothed level as RFC 6464 counts, 0 loudest to 127. */
uint8_t level_filter_level(const struct level_filter *filter);

#endif
