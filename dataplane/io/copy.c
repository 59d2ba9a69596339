// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/core/index.h"
#include "dataplane/io/stage.h"

/* They have profile 0. */
void copy_group(struct worker *worker, struct worker_room *room, const struct slot_packet *packet)
{
	struct worker_fan *fan = room->fan;
	unsigned int header_size = fan->headers.size[0];
	unsigned int payload_size = fan->headers.payload_size[0];
	uint8_t *out = fan->group_packet;

	fan->fanout.group_packet = out;
	fan->fanout.group_size = 0;
	if (room->group == NULL)
		return;
	memcpy(out, fan->headers.bytes[0], header_size);
	memcpy(out + header_size, fan->headers.payload[0], payload_size);
	fan->fanout.group_size = (uint16_t)worker->config.engine->protect(worker->core, room->group,
		out, header_size, header_size + payload_size, packet->ssrc, packet->index);
}

/* The next index in a speaker's own sequence space, on record before it is used; 0: none left. */
static uint64_t own_index(
	struct worker_speaker *speaker, const struct leg_facts *facts, unsigned int slot)
{
	if (index_exhausted(speaker->own_index[slot]))
		return 0;
	speaker->own_index[slot] = index_next(speaker->own_index[slot]);
	__atomic_store_n(&facts->cells[LEG_CELL_OWN + slot].value, speaker->own_index[slot],
		__ATOMIC_RELEASE);
	return speaker->own_index[slot];
}

static void copy_to_speaker(struct worker *worker, struct worker_room *room,
	struct worker_speaker *speaker, const struct slot_packet *packet)
{
	struct worker_leg *leg = &worker->leg[speaker->leg];
	const struct leg_facts *facts = leg->facts;
	const struct fanout_profile *profile = &room->profile[facts->profile];
	struct slot_packet own = *packet;
	struct fanout_headers headers;
	struct frame_lengths lengths;
	struct rte_mbuf *mbuf;
	unsigned int size, header = speaker->template.size;
	uint8_t *frame;

	own.index = own_index(speaker, facts, packet->slot);
	if (own.index == 0)
		return;
	if (speaker->sent != NULL)
		speaker->sent[packet->slot][own.index % HISTORY_PACKETS] =
			(struct report_own){own.index, packet->index};
	fanout_headers_build(&headers, &own, profile, 1);
	worker->stats.copies++;
	mbuf = rte_pktmbuf_alloc(worker->config.pool);
	if (mbuf == NULL) {
		worker_drop(worker, STN_DROP_TX_NO_BUFFER, 1);
		return;
	}
	frame = rte_pktmbuf_mtod(mbuf, uint8_t *);
	memcpy(frame, speaker->template.bytes, header);
	memcpy(frame + header, headers.bytes[0], headers.size[0]);
	memcpy(frame + header + headers.size[0], headers.payload[0], headers.payload_size[0]);
	size = worker->config.engine->protect(worker->core, speaker->tx, frame + header,
		headers.size[0], headers.size[0] + headers.payload_size[0], own.ssrc, own.index);
	if (size == 0) { /* the engine had no memory */
		worker_discard(worker, mbuf, STN_DROP_TX_NO_BUFFER);
		return;
	}
	lengths = frame_lengths(size);
	if (speaker->template.family == 4)
		frame_finish_ipv4(frame, header, &lengths);
	else
		frame_finish_ipv6(frame, header, size);
	mbuf->data_len = (uint16_t)(header + size);
	mbuf->pkt_len = header + size;
	if (transmit_burst(worker, speaker->port, &mbuf, 1) == 0)
		return;
	leg->copies.packets++;
	leg->copies.payload_bytes += headers.payload_size[0];
}

void copy_speakers(struct worker *worker, struct worker_room *room, const struct packet_meta *meta)
{
	uint32_t i;

	for (i = 0; i < room->speaker_count; i++) {
		struct worker_speaker *speaker = room->speakers[i];

		if (speaker->leg == meta->source || speaker->tx == NULL)
			continue;
		if (!speaker->mac_known) {
			worker->stats.copies++;
			worker_drop(worker, STN_DROP_TX_NO_NEIGHBOUR, 1);
			continue;
		}
		copy_to_speaker(worker, room, speaker, &meta->slot);
	}
}

/* What a port reads of an mbuf, in the mbuf's order: from rearm_data to before hash. */
struct mbuf_facts {
	uint16_t data_off;
	uint16_t refcnt;
	uint16_t nb_segs;
	uint16_t port;
	uint64_t ol_flags;
	uint32_t packet_type;
	uint32_t pkt_len;
	uint16_t data_len;
	uint16_t vlan_tci;
	uint32_t hash;
};
_Static_assert(sizeof(struct mbuf_facts) == 32, "two registers");
_Static_assert(offsetof(struct rte_mbuf, ol_flags) - offsetof(struct rte_mbuf, rearm_data) ==
		       offsetof(struct mbuf_facts, ol_flags),
	"as DPDK has it");
_Static_assert(offsetof(struct rte_mbuf, data_len) - offsetof(struct rte_mbuf, rearm_data) ==
		       offsetof(struct mbuf_facts, data_len),
	"as DPDK has it");

/*
 * Buffers for a run. What differs from buffer to buffer is not read but known: where it begins, and
 * by the mempool's invariant that it has refcnt 1, one segment and no next. So all that a port
 * reads is one constant, stored at once. The mbuf's second cache line stays as it is: resetting
 * that, as rte_pktmbuf_alloc_bulk() does, costs a tenth of a group copy. Returns how many there
 * are.
 */
static unsigned int buffers_get(struct worker *worker, struct rte_mbuf *mbufs[], unsigned int count,
	uint32_t size, uint8_t *frames[])
{
	const struct mbuf_facts facts = {.data_off = RTE_PKTMBUF_HEADROOM,
		.refcnt = 1,
		.nb_segs = 1,
		.port = RTE_MBUF_PORT_INVALID,
		.pkt_len = size,
		.data_len = (uint16_t)size};
	unsigned int i;

	/* All or nothing, says the pool: when they are few, ask for fewer. */
	while (count != 0 && rte_mempool_get_bulk(worker->config.pool, (void **)mbufs, count) < 0)
		count /= 2;
	for (i = 0; i < count; i++) {
		memcpy(&mbufs[i]->rearm_data, &facts, sizeof(facts));
		frames[i] = (uint8_t *)(mbufs[i] + 1) + PACKET_PRIVATE_SIZE + RTE_PKTMBUF_HEADROOM;
	}
	return count;
}

unsigned int copy_run(struct worker *worker, struct worker_room *room, struct fanout_run *run)
{
	const struct fanout *fanout = &room->fan->fanout;
	uint32_t size = fanout_frame_size(fanout, run->group);
	struct rte_mbuf *mbufs[ENGINE_BLOCK_LEGS];
	uint8_t *frames[ENGINE_BLOCK_LEGS];
	unsigned int wanted = run->count, sent = 0;

	worker->stats.copies += wanted;
	if (run->group->key.suite == SUITE_NONE && fanout->group_size == 0) {
		/* The engine had no memory for the one packet they share. */
		worker_drop(worker, STN_DROP_TX_NO_BUFFER, wanted);
		return wanted;
	}
	run->count = buffers_get(worker, mbufs, wanted, size, frames);
	worker_drop(worker, STN_DROP_TX_NO_BUFFER, wanted - run->count);
	if (run->count != 0) {
		fanout_write(fanout, worker->core, run, frames);
		fanout_look_ahead(run);
		sent = transmit_burst(worker, run->group->key.port, mbufs, run->count);
	}
	/* Who went without is served first next time, so that the same tail is not always lost. */
	if (sent < wanted && !room->rotated) {
		room->rotate = run->first;
		room->rotate.position += sent;
		room->rotated = true;
	}
	return wanted;
}
