// SPDX-License-Identifier: BSD-3-Clause
/* DTLS on its way to and from the control plane: only over paths that ICE has validated. */
#include "dataplane/io/stage.h"

/*
 * A handshake is some 20 datagrams even when the peer cuts its flights into 256 bytes (TRAPS 33),
 * and its timer sends a flight again after a second at the earliest.
 */
#define DTLS_INTERVAL_NS (1000000000ull / 24)
#define DTLS_BURST_NS (48 * DTLS_INTERVAL_NS)

static bool bucket_take(const struct worker *worker, struct worker_ice *ice)
{
	uint64_t from = RTE_MAX(ice->dtls_until_ns, worker->now_ns);

	if (from + DTLS_INTERVAL_NS - worker->now_ns > DTLS_BURST_NS)
		return false;
	ice->dtls_until_ns = from + DTLS_INTERVAL_NS;
	return true;
}

void punt_receive(struct worker *worker, struct worker_leg *leg, struct rte_mbuf *mbuf)
{
	struct packet_meta *meta = packet_meta(mbuf);

	if (leg->ice == NULL || leg->ice->lost ||
		!ice_path_validated(leg->ice->state, &meta->datagram.remote)) {
		worker_discard(worker, mbuf, STN_DROP_DTLS_UNVALIDATED);
		return;
	}
	meta->kind = PACKET_DTLS;
	meta->source = leg->facts->leg;
	meta->source_id = leg->facts->leg_id;
	if (!bucket_take(worker, leg->ice) || rte_ring_sp_enqueue(worker->config.punts, mbuf) < 0) {
		worker_discard(worker, mbuf, STN_DROP_DTLS_LIMITED);
		return;
	}
	worker->stats.punted++;
}

/* The path it is for, as long as that is one; NULL: none. */
static const struct ice_origin *way(const struct worker *worker, const struct packet_meta *meta)
{
	const struct worker_leg *leg = &worker->leg[meta->source];

	if (leg->ice == NULL || leg->facts->leg_id != meta->source_id || leg->ice->lost ||
		leg->ice->start_unresolved)
		return NULL;
	if (meta->datagram.remote.family == 0)
		return ice_selected(leg->ice->state);
	return ice_path(leg->ice->state, &meta->datagram.remote);
}

unsigned int punt_send(struct worker *worker)
{
	struct rte_mbuf *mbufs[WORKER_BURST];
	const struct ice_origin *to;
	unsigned int i, count;

	count = rte_ring_sc_dequeue_burst(
		worker->config.datagrams, (void **)mbufs, WORKER_BURST, NULL);
	for (i = 0; i < count; i++) {
		to = way(worker, packet_meta(mbufs[i]));
		if (to != NULL) {
			worker->stats.dtls_sent += reply_send(worker, to, NULL, mbufs[i]);
			continue;
		}
		worker->stats.control_refused++;
		rte_pktmbuf_free(mbufs[i]);
	}
	return count;
}
