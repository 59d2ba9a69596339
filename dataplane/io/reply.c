// SPDX-License-Identifier: BSD-3-Clause
/* Datagrams of our own: headers for where they go, and out. */
#include "dataplane/io/stage.h"

bool reply_send(struct worker *worker, const struct ice_origin *to, const struct stn_address *local,
	struct rte_mbuf *mbuf)
{
	const struct worker_port *port = &worker->config.port[to->port];
	unsigned int payload_size = mbuf->data_len;
	struct frame_path path = {
		.vlan = port->vlan,
		.dscp = worker->config.dscp,
		.local = local != NULL ? *local : port->local[to->remote.family == 4 ? 0 : 1],
		.remote = to->remote,
	};
	struct frame_template template;
	struct frame_lengths lengths;
	uint8_t *frame;

	memcpy(path.source_mac, port->mac, sizeof(path.source_mac));
	memcpy(path.destination_mac, to->mac, sizeof(path.destination_mac));
	if (frame_template_build(&path, &template) < 0 ||
		template.size - FRAME_ETHERNET_SIZE + payload_size > port->mtu) {
		worker->stats.control_refused++;
		rte_pktmbuf_free(mbuf);
		return false;
	}
	frame = (uint8_t *)rte_pktmbuf_prepend(mbuf, template.size);
	memcpy(frame, template.bytes, template.size);
	lengths = frame_lengths(payload_size);
	if (template.family == 4)
		frame_finish_ipv4(frame, template.size, &lengths);
	else
		frame_finish_ipv6(frame, template.size, payload_size);
	if (transmit_frame(worker, to->port, mbuf))
		return true;
	worker->stats.control_refused++;
	return false;
}
