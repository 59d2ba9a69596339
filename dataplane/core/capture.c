// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/core/capture.h"

#include "dataplane/core/rtp.h"

#define SECOND (1ll << 32)
#define STALE_TICKS (30 * (int64_t)RTP_CLOCK_HZ)
/* A difference that changes by more is a clock that was set, not a network. */
#define STEP (2 * SECOND)
/* Clocks drift apart: the smallest difference is forgotten, a 64th of what is above it a report. */
#define LEAK 64

void capture_report(
	struct capture_clock *capture, const struct rtcp_sender *sender, uint64_t arrival_ntp)
{
	int64_t difference = (int64_t)(arrival_ntp - sender->ntp);
	int64_t above = difference - capture->difference;

	if (!capture->known || above < 0 || above > STEP)
		capture->difference = difference;
	else
		capture->difference += above / LEAK;
	capture->known = true;
	capture->ntp = sender->ntp;
	capture->timestamp = sender->timestamp;
}

bool capture_time(const struct capture_clock *capture, uint32_t timestamp, uint64_t *ntp)
{
	int64_t ticks = (int32_t)(timestamp - capture->timestamp);

	if (!capture->known || ticks > STALE_TICKS || ticks < -STALE_TICKS)
		return false;
	*ntp = capture->ntp + (uint64_t)capture->difference +
	       (uint64_t)(ticks * SECOND / (int64_t)RTP_CLOCK_HZ);
	return true;
}
