// SPDX-License-Identifier: BSD-3-Clause
#include <rte_ethdev.h>

#include "dataplane/io/stage.h"

/*
 * How often a full ring is asked again without taking a single frame. A kernel port makes room in
 * the call itself, so this bounds the wait to some tens of microseconds; a dead port costs no more.
 */
#define RETRIES_MAX 64

/* Returns how many the port took; the rest is still the caller's. */
static unsigned int push(
	struct worker *worker, unsigned int port, struct rte_mbuf *mbufs[], unsigned int count)
{
	const struct worker_port *p = &worker->config.port[port];
	unsigned int sent = 0, retries = 0;
	uint16_t n;

	while (sent < count) {
		n = rte_eth_tx_burst(
			p->port_id, p->tx_queue, mbufs + sent, (uint16_t)(count - sent));
		sent += n;
		if (n != 0)
			retries = 0;
		else if (++retries == RETRIES_MAX)
			break;
	}
	return sent;
}

bool transmit_frame(struct worker *worker, unsigned int port, struct rte_mbuf *mbuf)
{
	if (push(worker, port, &mbuf, 1) == 1)
		return true;
	rte_pktmbuf_free(mbuf);
	return false;
}

unsigned int transmit_burst(
	struct worker *worker, unsigned int port, struct rte_mbuf *mbufs[], unsigned int count)
{
	unsigned int sent = push(worker, port, mbufs, count);

	worker->stats.tx_packets += sent;
	if (sent < count) {
		worker_drop(worker, STN_DROP_TX_REFUSED, count - sent);
		rte_pktmbuf_free_bulk(mbufs + sent, count - sent);
	}
	return sent;
}
