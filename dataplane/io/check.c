// SPDX-License-Identifier: BSD-3-Clause
/* STUN: to the worker that owns the leg it names, and answered there (core/ice.c decides). */
#include "dataplane/core/frame.h"
#include "dataplane/io/apply.h"
#include "dataplane/io/stage.h"

#define SOURCE_MAC_OFFSET 6

/* Whose message it is. */
struct addressee {
	uint32_t leg; /* handle, DIRECTORY_NONE: not known here */
	unsigned int owner;
	enum stn_drop reason; /* if nobody takes it */
};

static struct addressee addressee_find(const struct worker *worker, const struct stun *stun)
{
	const struct worker_config *config = &worker->config;
	struct addressee to = {.leg = DIRECTORY_NONE, .owner = config->index};
	uint64_t leg_id;
	uint32_t leg;
	uint8_t owner;

	switch (ice_addressee(stun, &leg_id, &owner, &leg, &to.reason)) {
	case ICE_ADDRESSEE_UFRAG:
		to.reason = STN_DROP_STUN_UFRAG;
		to.leg = directory_find(&worker->directory, leg_id);
		if (to.leg != DIRECTORY_NONE)
			to.owner = worker->leg[to.leg].facts->worker;
		else
			to.owner = worker_owner_leg(&config->hash_key, leg_id, config->count);
		break;
	case ICE_ADDRESSEE_TRANSACTION:
		/* Anybody can write numbers: they are held against what there is. */
		to.reason = STN_DROP_STUN_STRAY;
		if (owner < config->count && leg < config->legs_max) {
			to.leg = leg;
			to.owner = owner;
		}
		break;
	case ICE_ADDRESSEE_NOBODY:
		break;
	}
	return to;
}

static void answer(struct worker *worker, const struct packet_meta *meta,
	const struct ice_origin *to, const uint8_t *message, uint16_t size)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(worker->config.pool);

	if (mbuf == NULL) {
		worker->stats.control_refused++;
		return;
	}
	memcpy(rte_pktmbuf_append(mbuf, size), message, size);
	worker->stats.stun_sent += reply_send(worker, to, &meta->datagram.local, mbuf);
}

static void leg_receive(struct worker *worker, struct worker_leg *leg, struct rte_mbuf *mbuf,
	const struct stun *stun)
{
	const struct packet_meta *meta = packet_meta(mbuf);
	struct ice_origin from = {.remote = meta->datagram.remote, .port = meta->datagram.port};
	struct ice_output out;
	unsigned int i;

	memcpy(from.mac, rte_pktmbuf_mtod_offset(mbuf, uint8_t *, SOURCE_MAC_OFFSET),
		sizeof(from.mac));
	ice_receive(leg->ice->state, stun,
		rte_pktmbuf_mtod_offset(mbuf, uint8_t *, meta->datagram.payload_offset), &from,
		worker->now_ns, &out);
	if (out.drop != STN_DROP_COUNT) {
		worker_discard(worker, mbuf, out.drop);
		return;
	}
	worker->stats.answered++;
	for (i = 0; i < out.count; i++)
		answer(worker, meta, &out.to, out.message[i], out.size[i]);
	path_follow(worker, leg, out.event);
	rte_pktmbuf_free(mbuf);
}

void check_receive(struct worker *worker, struct rte_mbuf *mbuf)
{
	const struct packet_meta *meta = packet_meta(mbuf);
	struct addressee to;
	struct stun stun;

	if (stun_parse(rte_pktmbuf_mtod_offset(mbuf, uint8_t *, meta->datagram.payload_offset),
		    meta->datagram.payload_size, &stun) < 0) {
		worker_discard(worker, mbuf, STN_DROP_STUN_MALFORMED);
		return;
	}
	to = addressee_find(worker, &stun);
	if (to.owner != worker->config.index)
		receive_hand_over(worker, mbuf, to.owner, to.reason);
	else if (to.leg == DIRECTORY_NONE || worker->leg[to.leg].ice == NULL)
		worker_discard(worker, mbuf, to.reason);
	else
		leg_receive(worker, &worker->leg[to.leg], mbuf, &stun);
}
