// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/core/arrival.h"

#define NS_PER_6_TICKS 125000ull /* of 48 kHz */
#define LOST_MAX 0x7fffff        /* 24 bit, signed */
#define LOST_MIN (-0x800000)

static uint32_t ticks(uint64_t ns)
{
	return (uint32_t)(ns / NS_PER_6_TICKS * 6 + ns % NS_PER_6_TICKS * 6 / NS_PER_6_TICKS);
}

void arrival_packet(
	struct arrival *arrival, uint64_t index, uint32_t timestamp, uint64_t arrival_ns)
{
	uint32_t transit = ticks(arrival_ns) - timestamp;
	int32_t difference = (int32_t)(transit - arrival->transit);

	if (!arrival->any) {
		arrival->any = true;
		arrival->first = index;
		arrival->highest = index;
		difference = 0;
	}
	/* Reordered in front of the first one: it counts from there. */
	if (index < arrival->first)
		arrival->first = index;
	if (index > arrival->highest)
		arrival->highest = index;
	arrival->received++;
	arrival->transit = transit;
	if (difference < 0)
		difference = -difference;
	arrival->jitter += (uint32_t)difference - ((arrival->jitter + 8) >> 4);
}

void arrival_sender_report(struct arrival *arrival, uint64_t ntp, uint64_t arrival_ns)
{
	arrival->sender_report = (uint32_t)(ntp >> 16);
	arrival->sender_report_ns = arrival_ns;
}

bool arrival_report(struct arrival *arrival, uint32_t ssrc, uint64_t now_ns, struct rtcp_block *out)
{
	uint64_t expected = arrival->highest - arrival->first + 1;
	uint64_t expected_interval = expected - arrival->expected_prior;
	uint64_t received_interval = arrival->received - arrival->received_prior;
	int64_t lost = (int64_t)(expected - arrival->received);
	uint64_t since_ns = now_ns - arrival->sender_report_ns;

	if (!arrival->any)
		return false;
	*out = (struct rtcp_block){
		.ssrc = ssrc,
		.highest = (uint32_t)arrival->highest,
		.jitter = arrival->jitter >> 4,
	};
	out->lost = (int32_t)(lost > LOST_MAX ? LOST_MAX : lost < LOST_MIN ? LOST_MIN : lost);
	if (expected_interval > received_interval) {
		uint64_t fraction =
			((expected_interval - received_interval) << 8) / expected_interval;

		out->fraction = (uint8_t)(fraction > 255 ? 255 : fraction);
	}
	if (arrival->sender_report != 0) {
		out->last_report = arrival->sender_report;
		out->delay = (uint32_t)(since_ns / 1000000000u * 65536 +
					since_ns % 1000000000u * 65536 / 1000000000u);
	}
	arrival->expected_prior = expected;
	arrival->received_prior = arrival->received;
	return true;
}
