/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A source's capture clock: at which moment of our wall clock it captured what has a given RTP
 * timestamp, known from its sender reports (RFC 3550 section 6.4.1). So what we report of a slot
 * is the capture clock and not the jitter of the network (TRAPS 22). Owned by the worker that owns
 * the source.
 *
 * The source's wall clock is not ours. The smallest difference seen between a report's time and its
 * arrival, which is the clocks' difference plus the shortest way here, maps one to the other.
 */
#ifndef STENTOR_DATAPLANE_CORE_CAPTURE_H
#define STENTOR_DATAPLANE_CORE_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/core/rtcp.h"

struct capture_clock {
	bool known;
	uint64_t ntp; /* of the last sender report, the source's clock */
	uint32_t timestamp;
	int64_t difference; /* ours minus the source's, 2^-32 s */
};

/* An authenticated sender report that arrived at this moment of our clock. */
void capture_report(
	struct capture_clock *capture, const struct rtcp_sender *sender, uint64_t arrival_ntp);
/*
 * When the source captured what it gave this timestamp, our clock. False: no report yet, or it is
 * more than 30 s from the last one.
 */
bool capture_time(const struct capture_clock *capture, uint32_t timestamp, uint64_t *ntp);

#endif
