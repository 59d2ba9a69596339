/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/ctl/datagram.h"

#include <string.h>

bool datagram_fits(const struct stn_datagram *datagram, size_t size)
{
	return size > sizeof(*datagram) && datagram->size <= STN_DATAGRAM_MAX &&
	       size - sizeof(*datagram) == datagram->size &&
	       (datagram->remote.family == 0 || datagram->remote.family == 4 ||
		       datagram->remote.family == 6);
}

void datagram_send(struct table_server *server, const struct stn_datagram *datagram)
{
	const struct leg *leg = registry_leg(&server->registry, datagram->leg_id);
	const struct worker_bus *bus = &server->apply.outbox.bus;
	struct bus_datagram out;

	if (!leg || !leg->visible || !leg_is_webrtc(leg)) {
		server->dropped.datagrams++;
		return;
	}
	out.leg = leg->version->facts.leg;
	out.leg_id = datagram->leg_id;
	out.remote = datagram->remote;
	out.size = datagram->size;
	memcpy(out.bytes, datagram + 1, datagram->size);
	if (bus->datagram_send(bus->impl, leg->version->facts.worker, &out))
		server->dropped.datagrams++;
}

static bool pass_on(
	struct table_server *server, struct client *writer, const struct bus_datagram *in)
{
	const struct leg *leg = registry_leg_by_handle(&server->registry, in->leg);
	struct {
		struct stn_datagram head;
		uint8_t bytes[STN_DATAGRAM_MAX];
	} message;

	if (!writer || writer->output > CLIENT_DATAGRAMS_MAX || in->size > STN_DATAGRAM_MAX ||
		!leg || leg->version->facts.leg_id != in->leg_id)
		return false;
	message.head = (struct stn_datagram){
		.header = {.type = STN_MESSAGE_DATAGRAM},
		.leg_id = in->leg_id,
		.remote = in->remote,
		.size = in->size,
	};
	memcpy(message.bytes, in->bytes, in->size);
	table_client_send(writer, &message.head.header, sizeof(message.head) + in->size);
	return true;
}

unsigned int datagram_take(struct table_server *server, struct client *writer)
{
	const struct worker_bus *bus = &server->apply.outbox.bus;
	struct bus_datagram datagram;
	unsigned int count = 0;

	for (; count < DATAGRAM_TAKE_MAX && bus->datagram_poll(bus->impl, &datagram); count++)
		if (!pass_on(server, writer, &datagram))
			server->dropped.datagrams++;
	return count;
}
