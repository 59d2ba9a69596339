/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a UDP payload on a media port is, from its first two bytes: RFC 7983 as updated by RFC 9443,
 * RTCP told from RTP by RFC 5761 section 4. It promises nothing about what follows.
 */
#ifndef STENTOR_DATAPLANE_CORE_DEMUX_H
#define STENTOR_DATAPLANE_CORE_DEMUX_H

#include <stdint.h>

enum demux {
	DEMUX_STUN,    /* 0 to 3 */
	DEMUX_DTLS,    /* 20 to 63 */
	DEMUX_RTP,     /* 128 to 191 */
	DEMUX_RTCP,    /* 128 to 191 with a packet type of 192 to 223 */
	DEMUX_UNKNOWN, /* ZRTP, TURN channels, QUIC, and an empty datagram */
	DEMUX_COUNT
};

static inline enum demux demux_classify(const uint8_t *data, unsigned int size)
{
	uint8_t type;

	if (size == 0)
		return DEMUX_UNKNOWN;
	if (data[0] <= 3)
		return DEMUX_STUN;
	if (data[0] >= 20 && data[0] <= 63)
		return DEMUX_DTLS;
	if (data[0] < 128 || data[0] > 191)
		return DEMUX_UNKNOWN;
	/* Without its marker bit an RTCP packet type of 192 to 223 reads as 64 to 95. */
	type = size > 1 ? data[1] & 0x7f : 0;
	return type >= 64 && type <= 95 ? DEMUX_RTCP : DEMUX_RTP;
}

#endif
