// SPDX-License-Identifier: BSD-3-Clause
#include <rte_ethdev.h>

#include "dataplane/core/demux.h"
#include "dataplane/io/stage.h"

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

static void hand_over(struct worker *worker, struct rte_mbuf *mbuf, unsigned int to)
{
	packet_meta(mbuf)->kind = PACKET_HANDOVER;
	if (rte_ring_sp_enqueue(worker->config.out[to], mbuf) < 0)
		worker_discard(worker, mbuf, STN_DROP_HANDOVER_FULL);
}

/*
 * locate: a leg's packets may arrive on any queue. Speakers are known to every worker, listeners to
 * the one their address hashes to; handed_over ends the search (TRAPS 42).
 */
static void locate(struct worker *worker, struct rte_mbuf *mbuf, bool handed_over)
{
	const struct stn_address *remote = &packet_meta(mbuf)->datagram.remote;
	uint32_t handle = locator_find(&worker->locator, remote);
	unsigned int owner;

	if (handle != LOCATOR_NONE)
		owner = worker->leg[handle].facts->worker;
	else
		owner = worker_owner(&worker->config.hash_key, remote, worker->config.count);
	if (owner != worker->config.index && !handed_over)
		hand_over(worker, mbuf, owner);
	else if (handle == LOCATOR_NONE || owner != worker->config.index)
		worker_discard(worker, mbuf, STN_DROP_NO_LEG);
	else
		admit_datagram(worker, &worker->leg[handle], mbuf);
}

static void classify(struct worker *worker, const struct worker_port *port, struct rte_mbuf *mbuf)
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
	if (!is_ours(worker, port, &frame)) {
		worker_discard(worker, mbuf, STN_DROP_FRAME_NOT_OURS);
		return;
	}
	switch (demux_classify(data + frame.payload_offset, frame.payload_size)) {
	case DEMUX_STUN:
		worker_discard(worker, mbuf, STN_DROP_STUN_MALFORMED);
		return;
	case DEMUX_DTLS:
		worker_discard(worker, mbuf, STN_DROP_DTLS_UNVALIDATED);
		return;
	case DEMUX_RTP:
	case DEMUX_RTCP:
		break;
	default:
		worker_discard(worker, mbuf, STN_DROP_DEMUX_UNKNOWN);
		return;
	}
	meta->arrival_ns = worker->now_ns;
	meta->datagram.remote = frame.source;
	meta->datagram.payload_offset = frame.payload_offset;
	meta->datagram.payload_size = frame.payload_size;
	locate(worker, mbuf, false);
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
				classify(worker, port, mbufs[n]);
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
				locate(worker, mbufs[i], true);
		}
		total += count;
	}
	return total;
}
