/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Why a packet was not forwarded. Every discard of the data plane has one of these reasons, so that
 * at any quiet moment rx = forwarded + punted + answered + the sum of the drops on the receive
 * side, slot packets published, once a worker = slot_packets + publish and fanout drops (but
 * fanout_cut), and copies = tx_packets + the sum of the tx drops.
 *
 * The numbers travel over table.sock; append, never reorder.
 */
#ifndef STENTOR_DATAPLANE_API_DROP_H
#define STENTOR_DATAPLANE_API_DROP_H

#include <stdint.h>

enum stn_drop {
	/* receive side: one count for each received frame that goes no further */
	STN_DROP_FRAME_TRUNCATED,  /* shorter than its headers say */
	STN_DROP_FRAME_NOT_IP,     /* neither IPv4 nor IPv6 */
	STN_DROP_FRAME_FRAGMENT,   /* IPv4 fragment or IPv6 fragment header */
	STN_DROP_FRAME_NOT_UDP,    /* another transport, or an IPv6 extension header */
	STN_DROP_FRAME_BAD_LENGTH, /* IP and UDP lengths contradict each other */
	STN_DROP_FRAME_NOT_OURS,   /* destination address or port is not a media endpoint */
	STN_DROP_DEMUX_UNKNOWN,    /* first byte outside RFC 7983 */
	STN_DROP_STUN_MALFORMED, /* not a well formed Binding message with FINGERPRINT, RFC 8489 */
	STN_DROP_DTLS_UNVALIDATED, /* DTLS from a tuple that is no validated path of a leg */
	STN_DROP_NO_LEG,           /* source tuple belongs to no leg */
	STN_DROP_LEG_NOT_SPEAKER,  /* media from a leg that may not send */
	STN_DROP_RTP_MALFORMED,    /* RFC 3550 header does not fit */
	STN_DROP_RTP_PAYLOAD_TYPE, /* payload type not agreed for this leg */
	STN_DROP_RTP_UNKNOWN_SSRC, /* SSRC not declared for this leg */
	STN_DROP_SRTP_REPLAY,      /* index already received */
	STN_DROP_SRTP_TOO_OLD,     /* index below the replay window */
	STN_DROP_SRTP_AUTH,        /* tag does not verify */
	STN_DROP_RTCP_MALFORMED,   /* RFC 3550 section 6, after authentication */
	STN_DROP_SRTCP_REPLAY,
	STN_DROP_SRTCP_AUTH,
	STN_DROP_RTCP_ABSORBED,     /* valid RTCP, consumed here, never forwarded */
	STN_DROP_SOURCE_MUTED,      /* authenticated, but the source is muted */
	STN_DROP_NOT_SELECTED,      /* authenticated, but no slot is held */
	STN_DROP_SLOT_REORDERED,    /* older than what its slot has already sent past */
	STN_DROP_PAYLOAD_TOO_LARGE, /* does not fit the frame with our headers */
	STN_DROP_HANDOVER_FULL,     /* ring to the owning worker was full */
	/* publish and transmit side: one count for each copy, or slot packet, not sent */
	STN_DROP_PUBLISH_FULL,      /* slot packet: ring to a fan-out worker was full */
	STN_DROP_PUBLISH_NO_BUFFER, /* slot packet: no buffer */
	STN_DROP_FANOUT_STALE,      /* slot packet: waited longer than it is worth */
	STN_DROP_FANOUT_CANCELLED,  /* slot packet: source muted or removed while it waited */
	STN_DROP_FANOUT_CUT,        /* slot packet: the same, in the middle of its fan-out */
	STN_DROP_TX_NO_BUFFER,      /* copies: no buffer, or no memory to protect it */
	STN_DROP_TX_REFUSED,        /* copies: port took nothing within the retry bound */
	STN_DROP_TX_NO_NEIGHBOUR,   /* copies: next hop unknown */
	/* in the kernel, by XDP steering: these frames were never received by us */
	STN_DROP_STEER_NO_SOCKET,  /* media on a receive queue that has no worker */
	STN_DROP_STEER_FRAGMENT,   /* first fragment towards a media endpoint */
	STN_DROP_STEER_EXTENSION,  /* media behind IPv6 extension headers */
	STN_DROP_STEER_BAD_LENGTH, /* UDP length contradicts the IP length */
	STN_DROP_STEER_RATE,       /* STUN or DTLS beyond the source's bucket */
	/* receive side again */
	STN_DROP_STUN_UFRAG,     /* our half of USERNAME names no leg, or an old generation */
	STN_DROP_STUN_INTEGRITY, /* MESSAGE-INTEGRITY, or the peer's half of USERNAME, is wrong */
	STN_DROP_STUN_REPLAY,    /* transaction id seen from another address */
	STN_DROP_STUN_STRAY,     /* answers nobody waits for, indications, error responses */
	STN_DROP_STUN_LIMITED,   /* more checks, paths or moves than a leg may have */
	STN_DROP_DTLS_LIMITED,  /* a leg's bucket is empty, or the control plane does not keep up */
	STN_DROP_LEG_NOT_KEYED, /* media before DTLS is done */
	/* publish and transmit side again */
	STN_DROP_TX_STALE, /* copies: the packet grew too old in the middle of its fan-out */
	STN_DROP_COUNT
};

/* Returns the reason's name in snake case, or "unknown". Never NULL. */
const char *stn_drop_name(unsigned int reason);

#endif
