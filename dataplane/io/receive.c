// SPDX-License-Identifier: BSD-3-Clause
#include <rte_ethdev.h>

#include "dataplane/core/demux.h"
#include "dataplane/io/stage.h"

/* To the worker that knows the way to the owner, and to the owner. */
#define HOPS_MAX 2u

static bool same_address(const struct stn_address *a, const struct stn_address *b)
{
	return a->family == b->family &&
	       memcmp(a->address, b->address, a->family == 4 ? 4 : 16) == 0;
}

/* Is it for one of our media endpoints? XDP has looked already; other drivers bring everything. */
static bool is_ours(
	const struct worker *worker, const struct worker_port *port, const struct frame *frame)
{
	unsigned int i;

	if (frame->vlan != port->vlan ||
		(!same_address(&frame->destination, &port->local[0]) &&
			!same_address(&frame->destination, &port->local[1])))
		return false;
	for (i = 0; i < worker->config.media_port_count; i++)
		if (frame->destination.port_be == rte_cpu_to_be_16(worker->config.media_port[i]))
			return true;
	return false;
}

void receive_hand_over(
	struct worker *worker, struct rte_mbuf *mbuf, unsigned int to, enum stn_drop reason)
{
	struct packet_meta *meta = packet_meta(mbuf);

	if (meta->datagram.hops == HOPS_MAX) {
		worker_discard(worker, mbuf, reason);
		return;
	}
	meta->datagram.hops++;
	meta->kind = PACKET_HANDOVER;
	if (rte_ring_sp_enqueue(worker->config.out[to], mbuf) < 0)
		worker_discard(worker, mbuf, STN_DROP_HANDOVER_FULL);
}

/*
 * locate: a leg's packets may arrive on any queue (TRAPS 42). Speakers are known to every worker, a
 * listener to the one its address hashes to: as its owner, or as a way to the owner.
 */
static void locate(struct worker *worker, struct rte_mbuf *mbuf, enum stn_drop reason)
{
	const struct stn_address *remote = &packet_meta(mbuf)->datagram.remote;
	uint32_t place = locator_find(&worker->locator, remote);
	unsigned int owner;

	if (place != LOCATOR_NONE)
		owner = worker_place_owner(place);
	else
		owner = worker_owner(&worker->config.hash_key, remote, worker->config.count);
	if (owner != worker->config.index)
		receive_hand_over(worker, mbuf, owner, reason);
	else if (place == LOCATOR_NONE)
		worker_discard(worker, mbuf, reason);
	else if (reason == STN_DROP_DTLS_UNVALIDATED)
		punt_receive(worker, &worker->leg[worker_place_leg(place)], mbuf);
	else
		admit_datagram(worker, &worker->leg[worker_place_leg(place)], mbuf);
}

/* demux: by its first bytes, wherever it came to. */
static void dispatch(struct worker *worker, struct rte_mbuf *mbuf)
{
	const struct packet_meta *meta = packet_meta(mbuf);
	const uint8_t *payload =
		rte_pktmbuf_mtod_offset(mbuf, const uint8_t *, meta->datagram.payload_offset);

	switch (demux_classify(payload, meta->datagram.payload_size)) {
	case DEMUX_STUN:
		check_receive(worker, mbuf);
		break;
	case DEMUX_DTLS:
		locate(worker, mbuf, STN_DROP_DTLS_UNVALIDATED);
		break;
	case DEMUX_RTP:
	case DEMUX_RTCP:
		locate(worker, mbuf, STN_DROP_NO_LEG);
		break;
	default:
		worker_discard(worker, mbuf, STN_DROP_DEMUX_UNKNOWN);
		break;
	}
}

static void classify(struct worker *worker, unsigned int port, struct rte_mbuf *mbuf)
{
	const uint8_t *data = rte_pktmbuf_mtod(mbuf, const uint8_t *);
	struct packet_meta *meta = packet_meta(mbuf);
	struct frame frame;
	enum stn_drop reason;

	if (mbuf->nb_segs != 1) {
		worker_discard(worker, mbuf, STN_DROP_FRAME_BAD_LENGTH);
		return;
	}
	if (!frame_parse(data, mbuf->data_len, &frame, &reason)) {
		worker_discard(worker, mbuf, reason);
		return;
	}
	if (!is_ours(worker, &worker->config.port[port], &frame)) {
		worker_discard(worker, mbuf, STN_DROP_FRAME_NOT_OURS);
		return;
	}
	meta->arrival_ns = worker->now_ns;
	meta->datagram.remote = frame.source;
	meta->datagram.local = frame.destination;
	meta->datagram.payload_offset = frame.payload_offset;
	meta->datagram.payload_size = frame.payload_size;
	meta->datagram.port = (uint8_t)port;
	meta->datagram.hops = 0;
	dispatch(worker, mbuf);
}

unsigned int receive_poll(struct worker *worker)
{
	struct rte_mbuf *mbufs[WORKER_BURST];
	unsigned int i, q, n, total = 0;
	uint16_t count;

	for (i = 0; i < worker->config.port_count; i++) {
		const struct worker_port *port = &worker->config.port[i];

		for (q = 0; q < port->rx_queue_count; q++) {
			count = rte_eth_rx_burst(
				port->port_id, port->rx_queue[q], mbufs, WORKER_BURST);
			for (n = 0; n < count; n++)
				classify(worker, i, mbufs[n]);
			total += count;
		}
	}
	worker->stats.rx_packets += total;
	return total;
}

unsigned int receive_rings(struct worker *worker)
{
	struct rte_mbuf *mbufs[WORKER_BURST];
	unsigned int from, i, count, total = 0;

	for (from = 0; from < worker->config.count; from++) {
		if (from == worker->config.index)
			continue;
		count = rte_ring_sc_dequeue_burst(
			worker->config.in[from], (void **)mbufs, WORKER_BURST, NULL);
		for (i = 0; i < count; i++) {
			if (packet_meta(mbufs[i])->kind == PACKET_SLOT)
				publish_local(worker, mbufs[i]);
			else
				dispatch(worker, mbufs[i]);
		}
		total += count;
	}
	return total;
}
