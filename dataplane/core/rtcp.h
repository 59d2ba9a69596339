/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RTCP after authentication: is the compound well formed (RFC 3550 section 6, reduced size after
 * RFC 5506), and what is in it. Nothing here is ever forwarded (TRAPS 27); BYE is a hint (TRAPS 8).
 * What rtcp_parse() has accepted is walked with rtcp_next(). Any thread; owns nothing.
 */
#ifndef STENTOR_DATAPLANE_CORE_RTCP_H
#define STENTOR_DATAPLANE_CORE_RTCP_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/core/bytes.h"

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

/* One packet of a compound. */
struct rtcp_item {
	uint8_t type;
	uint8_t count;       /* RC, SC or FMT */
	uint32_t ssrc;       /* of who sent it; 0 when there is none in it */
	const uint8_t *body; /* behind the SSRC, without padding */
	unsigned int size;
};

/* Over a compound that rtcp_parse() has accepted. */
struct cursor rtcp_begin(const uint8_t *data, unsigned int size);
bool rtcp_next(struct cursor *cursor, struct rtcp_item *out);

/* RFC 3550 section 6.4.1. lost is cumulative, delays are in 1/65536 s. */
struct rtcp_block {
	uint32_t ssrc;
	uint8_t fraction;
	int32_t lost; /* 24 bit */
	uint32_t highest;
	uint32_t jitter;
	uint32_t last_report;
	uint32_t delay;
};

/* position 0 to count - 1 of a sender's or receiver's report. False: there is none. */
bool rtcp_read_block(const struct rtcp_item *item, unsigned int position, struct rtcp_block *out);

/* A generic NACK, RFC 4585 section 6.2.1: sequence, and those after it whose bits are set. */
struct rtcp_nack {
	uint32_t ssrc; /* of the stream */
	uint16_t sequence;
	uint16_t following;
};

#define RTCP_NACK_FORMAT 1

/* False: none at that position. */
bool rtcp_read_nack(const struct rtcp_item *item, unsigned int position, struct rtcp_nack *out);

/* Both with the largest CNAME. */
#define RTCP_BUILD_MAX 320
#define RTCP_CNAME_MAX 255

/*
 * A compound of a sender report without blocks, or of a receiver report with one, and the CNAME
 * that RFC 3550 section 6.1 wants. cname: 1 to RTCP_CNAME_MAX bytes, NUL-terminated. Returns the
 * size.
 */
unsigned int rtcp_build_sender(
	const struct rtcp_sender *sender, const char *cname, uint8_t out[RTCP_BUILD_MAX]);
unsigned int rtcp_build_receiver(uint32_t ssrc, const struct rtcp_block *block, const char *cname,
	uint8_t out[RTCP_BUILD_MAX]);

#endif
