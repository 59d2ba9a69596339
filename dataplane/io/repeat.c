// SPDX-License-Identifier: BSD-3-Clause
/*
 * Answers to NACKs. The packet is protected again from the slot's plaintext under the same index,
 * so that the leg gets the very bytes it has missed: the same key, nonce and text give the same
 * packet, and nothing is ever encrypted twice differently.
 */
#include <string.h>

#include "dataplane/core/index.h"
#include "dataplane/io/report.h"
#include "dataplane/io/stage.h"

/* Of one leg: this many at once, and as many a second as two talkers with everything lost. */
#define BURST 64u
#define RATE_NS 10000000ull
#define EXPIRE_NS 1000000000ull

static void let_go(struct worker *worker, struct rte_mbuf *mbuf)
{
	if (mbuf == NULL)
		return;
	worker->history_packets--;
	rte_pktmbuf_free(mbuf);
}

static void slot_clear(struct worker *worker, struct history *history)
{
	unsigned int i;

	for (i = 0; i < HISTORY_PACKETS; i++)
		let_go(worker, history_take(history, i));
}

void repeat_clear(struct worker *worker, struct worker_room *room)
{
	unsigned int slot;

	for (slot = 0; room->history != NULL && slot < room->facts->slot_count; slot++)
		slot_clear(worker, &room->history[slot]);
}

void repeat_keep(struct worker *worker, struct worker_room *room, struct rte_mbuf *mbuf)
{
	const struct slot_packet *slot = &packet_meta(mbuf)->slot;

	if (room == NULL || room->history == NULL ||
		worker->history_packets >= worker->config.history_max) {
		rte_pktmbuf_free(mbuf);
		return;
	}
	worker->history_packets++;
	let_go(worker, history_put(&room->history[slot->slot], slot->index, mbuf));
}

void repeat_expire(struct worker *worker, struct worker_room *room)
{
	unsigned int slot;

	for (slot = 0; room->history != NULL && slot < room->facts->slot_count; slot++)
		if (room->report[slot].sent_ns != 0 &&
			worker->now_ns - room->report[slot].sent_ns > EXPIRE_NS)
			slot_clear(worker, &room->history[slot]);
}

/* What a leg asks for, found: the slot's packet, and the index it had for this leg. */
struct repeat {
	const struct packet_meta *meta;
	uint64_t index; /* speakers: of their own space; listeners: the slot's */
	uint32_t roc;   /* listeners: their own */
};

/* A speaker's sequence numbers are their own. */
static void *find_own(const struct history *history, const struct report_own own[],
	uint16_t sequence, uint64_t *index)
{
	const struct report_own *entry = &own[sequence % HISTORY_PACKETS];
	uint64_t slot_index;
	void *mbuf;

	if (entry->own == 0 || (uint16_t)entry->own != sequence)
		return NULL;
	mbuf = history_find(history, (uint16_t)entry->slot, &slot_index);
	if (mbuf == NULL || slot_index != entry->slot)
		return NULL;
	*index = entry->own;
	return mbuf;
}

/*
 * Whether a listener may have it: sent at its own ROC, and since it is one. Under its keys what is
 * older may be other packets' indices, from when it was a speaker and had sequence numbers of its
 * own: answering would use a nonce twice.
 */
static bool is_its_own(const struct worker_leg *leg, unsigned int slot, struct repeat *repeat)
{
	return repeat->meta->arrival_ns >= leg->ice->since_ns &&
	       index_leg_roc(index_roc(repeat->index), leg->facts->origin[slot], &repeat->roc);
}

/* False: not there any more, not for this leg, or its source was silenced since. */
static bool find(const struct worker *worker, const struct worker_leg *leg, unsigned int slot,
	uint16_t sequence, struct repeat *out)
{
	const struct worker_room *room = worker->room[leg->facts->room];
	const struct history *history = &room->history[slot];
	struct rte_mbuf *mbuf;

	if (leg->speaker == NULL)
		mbuf = history_find(history, sequence, &out->index);
	else
		mbuf = find_own(history, leg->speaker->sent[slot], sequence, &out->index);
	if (mbuf == NULL)
		return false;
	out->meta = packet_meta(mbuf);
	if (leg->speaker == NULL && !is_its_own(leg, slot, out))
		return false;
	return fan_allowed(worker, out->meta);
}

/* Protects it once more, behind the RTP header in data. Returns the size, 0: it cannot be. */
static unsigned int protect(struct worker *worker, const struct worker_leg *leg,
	const struct repeat *repeat, uint8_t *data)
{
	struct worker_room *room = worker->room[leg->facts->room];
	struct slot_packet packet = repeat->meta->slot;
	const struct engine *engine = worker->config.engine;
	struct fanout_headers headers;
	struct leg_group *group;
	struct leg_block *block;
	struct plaintext plaintext;

	packet.index = repeat->index;
	fanout_headers_build(&headers, &packet, &room->profile[leg->facts->profile], 1);
	if (leg->speaker != NULL) {
		memcpy(data, headers.bytes[0], headers.size[0]);
		memcpy(data + headers.size[0], headers.payload[0], headers.payload_size[0]);
		return engine->protect(worker->core, leg->speaker->tx, data, headers.size[0],
			headers.size[0] + headers.payload_size[0], packet.ssrc, packet.index);
	}
	group = &room->shard.group[leg->place.group];
	block = shard_block(group, leg->place.position);
	plaintext = (struct plaintext){
		.header = headers.bytes[0],
		.header_size = headers.size[0],
		.payload = headers.payload[0],
		.payload_size = headers.payload_size[0],
		.ssrc = packet.ssrc,
		.sequence = index_sequence(packet.index),
	};
	engine->protect_run(worker->core, group->key.suite, shard_keys(group, block),
		leg->place.position % ENGINE_BLOCK_LEGS, 1, &plaintext, &repeat->roc, &data);
	return plaintext.header_size + plaintext.payload_size +
	       suite_facts(group->key.suite)->tag_size;
}

static void repeat_send(
	struct worker *worker, const struct worker_leg *leg, const struct repeat *repeat)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(worker->config.pool);
	unsigned int size = 0;

	if (mbuf != NULL)
		size = protect(worker, leg, repeat, rte_pktmbuf_mtod(mbuf, uint8_t *));
	if (size == 0) {
		worker->stats.control_refused++;
		rte_pktmbuf_free(mbuf);
		return;
	}
	mbuf->data_len = (uint16_t)size;
	mbuf->pkt_len = size;
	worker->stats.retransmitted +=
		reply_send(worker, ice_selected(leg->ice->state), NULL, mbuf);
}

/* The leg's bucket: a moment that moves with each answer and may not run ahead too far. */
static bool may_answer(const struct worker *worker, struct worker_ice *ice)
{
	if (ice->repeat_ns < worker->now_ns)
		ice->repeat_ns = worker->now_ns;
	if (ice->repeat_ns - worker->now_ns > BURST * RATE_NS)
		return false;
	ice->repeat_ns += RATE_NS;
	return true;
}

static bool can_get(const struct worker_leg *leg)
{
	if (!report_reaches(leg))
		return false;
	if (leg->speaker != NULL)
		return leg->speaker->tx != NULL && leg->speaker->sent != NULL;
	return leg->place.group != UINT16_MAX;
}

void repeat_answer(struct worker *worker, struct worker_leg *leg, const struct rtcp_nack *nack)
{
	struct worker_room *room = worker->room[leg->facts->room];
	struct repeat repeat;
	unsigned int slot, i;

	for (slot = 0; slot < room->facts->slot_count; slot++)
		if (room->facts->slot_ssrc[slot] == nack->ssrc)
			break;
	if (slot == room->facts->slot_count || room->history == NULL || !can_get(leg))
		return;
	for (i = 0; i <= 16; i++) {
		if (i > 0 && !(nack->following >> (i - 1) & 1))
			continue;
		room->reception.nacked++;
		if (!find(worker, leg, slot, (uint16_t)(nack->sequence + i), &repeat))
			continue;
		if (!may_answer(worker, leg->ice))
			return;
		repeat_send(worker, leg, &repeat);
	}
}
