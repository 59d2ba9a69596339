/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RTCP after authentication: is the compound well formed (RFC 3550 section 6, reduced size after
 * RFC 5506), and what is in it. Nothing here is ever forwarded (TRAPS 27); BYE is a hint (TRAPS 8).
 * Any thread; owns nothing.
 */
#ifndef STENTOR_DATAPLANE_CORE_RTCP_H
#define STENTOR_DATAPLANE_CORE_RTCP_H

#include <stdbool.h>
#include <stdint.h>

#define RTCP_SR 200
#define RTCP_RR 201
#define RTCP_SDES 202
#define RTCP_BYE 203
#define RTCP_APP 204
#define RTCP_RTPFB 205
#define RTCP_PSFB 206
#define RTCP_XR 207

/* RFC 3550 section 6.4.1: what ties the sender's RTP clock to its wall clock. */
struct rtcp_sender {
	uint32_t ssrc;
	uint64_t ntp;
	uint32_t timestamp;
	uint32_t packets;
	uint32_t octets;
};

struct rtcp {
	uint32_t sender_ssrc; /* of the first packet */
	uint16_t packets;     /* in the compound */
	uint16_t sender_reports;
	uint16_t receiver_reports;
	uint16_t report_blocks;
	uint16_t feedback;         /* RTPFB and PSFB: NACK, PLI and their kind */
	bool bye;                  /* names sender_ssrc, or anybody */
	bool reduced;              /* does not begin with a report */
	struct rtcp_sender sender; /* the first sender report; ssrc 0 and sender_reports 0: none */
};

/*
 * 0, or -EINVAL: a version other than 2, a type outside 192 to 223, lengths that do not add up to
 * exactly size, padding before the last packet or larger than it, counts that do not fit.
 */
int rtcp_parse(const uint8_t *data, unsigned int size, struct rtcp *out);

#endif
