// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/core/survey.h"

#include "dataplane/core/ntp.h"
#include "dataplane/core/rtp.h"

/* A round trip of more than a minute is a receiver that does not know its clock. */
#define ROUND_TRIP_MAX (60u << 16)
/* So is a jitter of more than ten seconds. */
#define JITTER_MAX (10u * RTP_CLOCK_HZ)

static unsigned int bucket(const uint32_t bounds[STN_BUCKETS_MAX - 1], uint64_t value)
{
	unsigned int i = 0;

	while (i < STN_BUCKETS_MAX - 1 && value > bounds[i])
		i++;
	return i;
}

void survey_add(struct stn_reception *survey, const struct rtcp_block *block, uint64_t now_ntp)
{
	uint32_t jitter = block->jitter > JITTER_MAX ? JITTER_MAX : block->jitter;
	uint64_t jitter_us = (uint64_t)jitter * 1000000 / RTP_CLOCK_HZ;
	uint32_t round_trip = ntp_middle(now_ntp) - block->last_report - block->delay;
	uint64_t rtt_us = (uint64_t)round_trip * 1000000 >> 16;

	survey->reports++;
	survey->loss[bucket(stn_loss_bounds, block->fraction)]++;
	survey->loss_sum += block->fraction;
	survey->jitter[bucket(stn_delay_bounds_us, jitter_us)]++;
	survey->jitter_sum_us += jitter_us;
	/* RFC 3550 section 6.4.1: A - LSR - DLSR; both are 0 before our first sender report. */
	if (block->last_report == 0 || round_trip > ROUND_TRIP_MAX)
		return;
	survey->rtt[bucket(stn_delay_bounds_us, rtt_us)]++;
	survey->rtt_sum_us += rtt_us;
	survey->rtt_count++;
}

void survey_merge(struct stn_reception *to, const struct stn_reception *from)
{
	unsigned int i;

	to->reports += from->reports;
	to->nacked += from->nacked;
	for (i = 0; i < STN_BUCKETS_MAX; i++) {
		to->loss[i] += from->loss[i];
		to->jitter[i] += from->jitter[i];
		to->rtt[i] += from->rtt[i];
	}
	to->jitter_sum_us += from->jitter_sum_us;
	to->rtt_sum_us += from->rtt_sum_us;
	to->rtt_count += from->rtt_count;
	to->loss_sum += from->loss_sum;
}
