/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What we keep with each packet buffer, in the mbuf's private area: written by the worker that has
 * the buffer, immutable once the buffer has been published to other workers.
 */
#ifndef STENTOR_DATAPLANE_IO_PACKET_H
#define STENTOR_DATAPLANE_IO_PACKET_H

#include <rte_mbuf.h>

#include "dataplane/core/fanout.h"
#include "dataplane/core/frame.h"

enum packet_kind {
	PACKET_HANDOVER, /* a received datagram for the worker that owns its leg */
	PACKET_SLOT,     /* a slot packet to be fanned out */
	PACKET_DTLS,     /* a datagram to or from the control plane; source is the leg */
	PACKET_KIND_COUNT
};

struct packet_meta {
	enum packet_kind kind;
	uint32_t room; /* handle and id: a handle may have been given to another room */
	uint64_t room_id;
	uint32_t source; /* leg handle, SELECTOR_NOBODY: the relay's own silence */
	uint64_t source_id;
	uint64_t arrival_ns;
	union {
		struct slot_packet slot;
		struct {
			struct stn_address remote;
			struct stn_address local; /* where it was sent to */
			uint16_t payload_offset;
			uint16_t payload_size;
			uint8_t port; /* it came in by, position in the worker's list */
			uint8_t hops; /* how often it was handed over */
		} datagram;
	};
};

/*
 * Whole cache lines, so that a buffer begins on one, and with RTE_PKTMBUF_HEADROOM a copy does: its
 * headers are stored a line at a time.
 */
#define PACKET_PRIVATE_SIZE RTE_ALIGN_CEIL(sizeof(struct packet_meta), RTE_CACHE_LINE_SIZE)

static inline struct packet_meta *packet_meta(struct rte_mbuf *mbuf)
{
	return rte_mbuf_to_priv(mbuf);
}

#endif
