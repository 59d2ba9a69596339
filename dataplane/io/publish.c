// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/io/stage.h"

void publish_local(struct worker *worker, struct rte_mbuf *mbuf)
{
	const struct packet_meta *meta = packet_meta(mbuf);
	struct worker_room *room = worker->room[meta->room];

	/* The handle may have been given to another room while the packet was in a ring. */
	if (room == NULL || room->room_id != meta->room_id)
		worker_discard(worker, mbuf, STN_DROP_FANOUT_CANCELLED);
	else if (!queue_put(&worker->queue, room, mbuf))
		worker_discard(worker, mbuf, STN_DROP_PUBLISH_FULL);
}

/* One reference for each worker; who has no listeners of the room lets go of it at once. */
void publish_packet(struct worker *worker, struct rte_mbuf *mbuf)
{
	unsigned int to;

	if (worker->config.count > 1)
		rte_mbuf_refcnt_update(mbuf, (int16_t)(worker->config.count - 1));
	for (to = 0; to < worker->config.count; to++) {
		if (to == worker->config.index)
			publish_local(worker, mbuf);
		else if (rte_ring_sp_enqueue(worker->config.out[to], mbuf) < 0)
			worker_discard(worker, mbuf, STN_DROP_PUBLISH_FULL);
	}
}

/* A buffer for what the relay itself says: a silence frame. NULL: none left, counted. */
static struct rte_mbuf *silence_buffer(struct worker *worker)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(worker->config.pool);
	struct packet_meta *meta;
	uint8_t *payload;

	if (mbuf == NULL) {
		worker_drop(worker, STN_DROP_PUBLISH_NO_BUFFER, 1);
		return NULL;
	}
	payload = (uint8_t *)rte_pktmbuf_append(mbuf, SELECTOR_SILENCE_SIZE);
	memcpy(payload, selector_silence, SELECTOR_SILENCE_SIZE);
	meta = packet_meta(mbuf);
	meta->kind = PACKET_SLOT;
	meta->slot = (struct slot_packet){
		.payload = payload,
		.payload_size = SELECTOR_SILENCE_SIZE,
		.ntp = report_ntp(worker, worker->now_ns),
	};
	return mbuf;
}

static void publish_emission(
	struct worker *worker, struct worker_room *room, const struct selector_emission *emission)
{
	struct rte_mbuf *mbuf = emission->handle;
	struct packet_meta *meta;

	if (mbuf == NULL)
		mbuf = silence_buffer(worker);
	else
		worker->stats.forwarded++;
	if (mbuf == NULL)
		return;
	meta = packet_meta(mbuf);
	/* What counts from here on is how long it waits to be sent: a preroll is old on purpose. */
	meta->arrival_ns = worker->now_ns;
	meta->room = room->facts->room;
	meta->room_id = room->facts->room_id;
	meta->source = emission->source;
	meta->source_id = 0;
	if (emission->source != SELECTOR_NOBODY)
		meta->source_id = worker->leg[emission->source].facts->leg_id;
	meta->slot.index = emission->index;
	meta->slot.ssrc = room->facts->slot_ssrc[emission->slot];
	meta->slot.timestamp = emission->timestamp;
	meta->slot.csrc = emission->csrc;
	meta->slot.slot = emission->slot;
	meta->slot.marker = emission->marker;
	meta->slot.has_level = emission->has_level;
	meta->slot.level = (uint8_t)(emission->voice << 7 | (emission->level & 0x7f));
	publish_packet(worker, mbuf);
}

static void notify_holders(struct worker *worker, struct worker_room *room)
{
	unsigned int slot;

	for (slot = 0; slot < room->selector->slot_count; slot++) {
		struct reply reply = {
			.type = REPLY_SPEAKING,
			.handle = room->facts->room,
			.slot = slot,
			.leg = selector_holder(room->selector, slot),
		};

		if (worker->selection.changed & 1u << slot)
			(void)apply_notify(worker, &reply);
	}
}

void publish_selection(struct worker *worker, struct worker_room *room)
{
	const struct selector_output *out = &worker->selection;
	unsigned int i;

	/*
	 * The index is on record before the packet that uses it can leave: a process killed in
	 * between has skipped an index, which is harmless; the other order would repeat one.
	 */
	for (i = 0; i < out->emission_count; i++) {
		unsigned int slot = out->emission[i].slot;

		__atomic_store_n(&room->facts->slot_index[slot]->value,
			selector_slot_index(room->selector, slot), __ATOMIC_RELEASE);
	}
	for (i = 0; i < out->emission_count; i++)
		publish_emission(worker, room, &out->emission[i]);
	for (i = 0; i < out->release_count; i++)
		worker_discard(worker, out->release[i].handle, out->release[i].reason);
	if (out->changed != 0)
		notify_holders(worker, room);
	worker->home[room->home_position].tick_ns = selector_next_tick_ns(room->selector);
}

unsigned int publish_ticks(struct worker *worker)
{
	unsigned int i, done = 0;

	for (i = 0; i < worker->home_count; i++) {
		struct worker_room *room;

		if (worker->home[i].tick_ns > worker->now_ns)
			continue;
		room = worker->room[worker->home[i].room];
		selector_tick(room->selector, worker->now_ns, &worker->selection);
		publish_selection(worker, room);
		done++;
	}
	return done;
}
