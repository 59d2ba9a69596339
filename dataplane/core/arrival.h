/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a receiver report says of one source (RFC 3550 section 6.4.1, appendices A.3 and A.8): loss,
 * jitter, and the echo of the source's last sender report. Owned by the worker that owns the
 * source; fed with authenticated packets only.
 */
#ifndef STENTOR_DATAPLANE_CORE_ARRIVAL_H
#define STENTOR_DATAPLANE_CORE_ARRIVAL_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/core/rtcp.h"

struct arrival {
	bool any;
	uint64_t first; /* 48-bit index of the first packet */
	uint64_t highest;
	uint64_t received;
	uint64_t expected_prior;
	uint64_t received_prior;
	uint32_t transit;       /* ticks of 48 kHz */
	uint32_t jitter;        /* the same, times 16 */
	uint32_t sender_report; /* middle of the last one's NTP timestamp, 0: none */
	uint64_t sender_report_ns;
};

void arrival_packet(
	struct arrival *arrival, uint64_t index, uint32_t timestamp, uint64_t arrival_ns);
void arrival_sender_report(struct arrival *arrival, uint64_t ntp, uint64_t arrival_ns);
/* The block to report now; the fraction counts from here on anew. False: nothing came yet. */
bool arrival_report(
	struct arrival *arrival, uint32_t ssrc, uint64_t now_ns, struct rtcp_block *out);

#endif
