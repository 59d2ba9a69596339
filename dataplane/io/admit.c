// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/core/demux.h"
#include "dataplane/core/level.h"
#include "dataplane/core/red.h"
#include "dataplane/core/rtcp.h"
#include "dataplane/core/rtp.h"
#include "dataplane/io/apply.h"
#include "dataplane/io/stage.h"

/*
 * What a WEBRTC leg has to have before a packet of it is decrypted (TRAPS 1): STN_DROP_COUNT when
 * all is there. A keyed leg has it from the start.
 */
static enum stn_drop refusal(const struct worker_leg *leg, const struct stn_address *remote)
{
	const struct leg_facts *facts = leg->facts;
	bool receives = leg->speaker != NULL && facts->rx.suite != STN_SUITE_NONE;

	if (leg->ice == NULL)
		return frame_address_equal(&facts->remote, remote) ? STN_DROP_COUNT
								   : STN_DROP_NO_LEG;
	if (!ice_path_validated(leg->ice->state, remote))
		return STN_DROP_NO_LEG;
	if ((facts->tx.suite == STN_SUITE_NONE && facts->rx.suite == STN_SUITE_NONE) ||
		(receives && leg->speaker->receiver.context == NULL))
		return STN_DROP_LEG_NOT_KEYED;
	return STN_DROP_COUNT;
}

/* It has authenticated: a sign of life (TRAPS 30). */
static void alive(const struct worker *worker, const struct worker_leg *leg, struct rte_mbuf *mbuf)
{
	if (leg->ice != NULL)
		ice_alive(leg->ice->state, &packet_meta(mbuf)->datagram.remote, worker->now_ns);
}

static void connected(struct worker *worker, bool *flag, uint32_t leg)
{
	struct reply reply = {.type = REPLY_LEG_CONNECTED, .handle = leg};

	if (*flag)
		return;
	*flag = true;
	(void)apply_notify(worker, &reply);
}

/*
 * The Opus frame in a payload, as it is or as RED's primary block; what was around it is kept for
 * who takes RED. False: not what the payload type says.
 */
static bool read_payload(const struct leg_facts *facts, const struct rtp *rtp,
	const uint8_t *payload, uint16_t size, struct slot_packet *out)
{
	struct red red;

	*out = (struct slot_packet){.payload = payload, .payload_size = size};
	if (rtp->payload_type == facts->payload_type)
		return true;
	if (red_parse(payload, size, facts->payload_type, &red) < 0)
		return false;
	out->payload += red.primary_offset;
	out->payload_size = (uint16_t)(size - red.primary_offset);
	if (red.blocks == 1)
		return true; /* nothing redundant in it */
	out->red = payload;
	out->red_size = size;
	out->red_payload_type = facts->payload_type;
	return true;
}

/*
 * The first packet that authenticates tells the declared or adopted SSRC, which names the speaker
 * in the CSRC of what we send.
 */
static void select_packet(struct worker *worker, struct worker_speaker *speaker,
	struct rte_mbuf *mbuf, const struct rtp *rtp, const struct srtp_packet *packet)
{
	struct worker_room *room = worker->room[worker->leg[speaker->leg].facts->room];
	struct packet_meta *meta = packet_meta(mbuf);
	const struct leg_facts *facts = worker->leg[speaker->leg].facts;
	uint64_t arrival_ns = meta->arrival_ns;
	struct selector_packet in;
	struct slot_packet slot;
	unsigned int payload_size;

	if (rtp_payload_size(packet->data, packet->size, rtp, &payload_size) < 0) {
		worker_discard(worker, mbuf, STN_DROP_RTP_MALFORMED);
		return;
	}
	if (payload_size > worker->payload_max) {
		worker_discard(worker, mbuf, STN_DROP_PAYLOAD_TOO_LARGE);
		return;
	}
	if (!read_payload(
		    facts, rtp, packet->data + rtp->header_size, (uint16_t)payload_size, &slot)) {
		worker_discard(worker, mbuf, STN_DROP_RTP_MALFORMED);
		return;
	}
	in = (struct selector_packet){
		.handle = mbuf,
		.index = packet->index,
		.arrival_ns = arrival_ns,
		.timestamp = rtp->timestamp,
		.payload_size = slot.payload_size,
		.marker = rtp->marker,
	};
	if (facts->audio_level_id != 0)
		in.has_level =
			level_read(packet->data, rtp, facts->audio_level_id, &in.level, &in.voice);
	arrival_packet(&speaker->arrival, packet->index, rtp->timestamp, arrival_ns);
	if (!capture_time(&speaker->capture, rtp->timestamp, &slot.ntp))
		slot.ntp = report_ntp(worker, arrival_ns);
	meta->kind = PACKET_SLOT;
	meta->slot = slot;
	speaker->source.ssrc = rtp->ssrc;
	selector_packet(room->selector, &speaker->source, &in, &worker->selection);
	publish_selection(worker, room);
}

static void admit_rtp(struct worker *worker, struct worker_leg *leg, struct rte_mbuf *mbuf,
	struct srtp_packet *packet)
{
	struct worker_speaker *speaker = leg->speaker;
	struct rtp rtp;
	int reason;

	if (speaker == NULL || leg->facts->role != STN_ROLE_SPEAKER ||
		leg->facts->rx.suite == STN_SUITE_NONE) {
		worker_discard(worker, mbuf, STN_DROP_LEG_NOT_SPEAKER);
		return;
	}
	if (rtp_parse(packet->data, packet->size, &rtp) < 0) {
		worker_discard(worker, mbuf, STN_DROP_RTP_MALFORMED);
		return;
	}
	if (rtp.payload_type != leg->facts->payload_type &&
		(leg->facts->red_payload_type == 0 ||
			rtp.payload_type != leg->facts->red_payload_type)) {
		worker_discard(worker, mbuf, STN_DROP_RTP_PAYLOAD_TYPE);
		return;
	}
	packet->header_size = rtp.header_size;
	reason = srtp_receive_rtp(&speaker->receiver, packet);
	if (reason != 0) {
		worker_discard(worker, mbuf, (enum stn_drop)reason);
		return;
	}
	alive(worker, leg, mbuf);
	connected(worker, &speaker->connected, leg->facts->leg);
	select_packet(worker, speaker, mbuf, &rtp, packet);
}

/*
 * Listeners report rarely and by the hundred thousand, so no receiver is kept for them: one is made
 * for the packet, with a strictly rising index in place of the window. Reports that overtake each
 * other are lost, which costs nothing.
 */
static int receive_report(struct worker *worker, struct worker_leg *leg, struct srtp_packet *packet)
{
	struct srtp_receiver receiver;
	struct master_key key;
	uint64_t cell = leg->rtcp_next;
	struct srtp_receiver_facts facts = {
		.engine = worker->config.engine,
		.core = worker->core,
		.key = &key,
		.rtcp_cell = &cell,
	};
	int reason;

	apply_master_key(&leg->facts->rx, &key);
	reason = srtp_receiver_open(&receiver, &facts);
	explicit_bzero(&key, sizeof(key));
	if (reason < 0)
		return STN_DROP_SRTCP_AUTH;
	reason = srtp_receive_rtcp(&receiver, packet);
	srtp_receiver_close(&receiver);
	if (reason == 0)
		leg->rtcp_next = (uint32_t)cell;
	return reason;
}

static void admit_rtcp(struct worker *worker, struct worker_leg *leg, struct rte_mbuf *mbuf,
	struct srtp_packet *packet)
{
	struct rtcp rtcp;
	int reason;

	if (leg->facts->rx.suite == STN_SUITE_NONE) {
		worker_discard(worker, mbuf, STN_DROP_LEG_NOT_SPEAKER);
		return;
	}
	if (leg->speaker != NULL)
		reason = srtp_receive_rtcp(&leg->speaker->receiver, packet);
	else
		reason = receive_report(worker, leg, packet);
	if (reason != 0) {
		worker_discard(worker, mbuf, (enum stn_drop)reason);
		return;
	}
	alive(worker, leg, mbuf);
	connected(worker, leg->speaker != NULL ? &leg->speaker->connected : &leg->connected,
		leg->facts->leg);
	if (rtcp_parse(packet->data, packet->size, &rtcp) < 0) {
		worker_discard(worker, mbuf, STN_DROP_RTCP_MALFORMED);
		return;
	}
	report_receive(worker, leg, packet->data, packet->size);
	worker_discard(worker, mbuf, STN_DROP_RTCP_ABSORBED);
}

void admit_datagram(struct worker *worker, struct worker_leg *leg, struct rte_mbuf *mbuf)
{
	const struct packet_meta *meta = packet_meta(mbuf);
	struct srtp_packet packet = {
		.data = rte_pktmbuf_mtod_offset(mbuf, uint8_t *, meta->datagram.payload_offset),
		.size = meta->datagram.payload_size,
	};
	enum stn_drop reason = refusal(leg, &meta->datagram.remote);

	if (reason != STN_DROP_COUNT)
		worker_discard(worker, mbuf, reason);
	else if (demux_classify(packet.data, packet.size) == DEMUX_RTCP)
		admit_rtcp(worker, leg, mbuf, &packet);
	else
		admit_rtp(worker, leg, mbuf, &packet);
}
