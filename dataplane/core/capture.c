// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/core/capture.h"

#include "dataplane/core/rtp.h"

#define SECOND (1ll << 32)
#define STALE (30 * SECOND)
/* A difference that changes by more is a clock that was set, not a network. */
#define STEP (2 * SECOND)
/* Clocks drift apart: the smallest difference is forgotten, a 64th of what is above it a report. */
#define LEAK 64

void capture_report(struct capture *capture, const struct rtcp_sender *sender, uint64_t arrival_ntp)
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

bool capture_at(const struct capture *capture, uint64_t ntp, uint32_t *timestamp)
{
	int64_t since = (int64_t)(ntp - (uint64_t)capture->difference - capture->ntp);

	if (!capture->known || since > STALE || since < -STALE)
		return false;
	/* 30 s are 37 bits of 2^-32 s; times 48,000 they fit. */
	*timestamp = capture->timestamp + (uint32_t)((since * (int64_t)RTP_CLOCK_HZ) >> 32);
	return true;
}
