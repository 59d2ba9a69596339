// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/io/report.h"

#include <stdlib.h>
#include <string.h>

#include "dataplane/core/index.h"
#include "dataplane/core/ntp.h"
#include "dataplane/core/survey.h"
#include "dataplane/io/apply.h"
#include "dataplane/io/stage.h"

/* Sender reports every five ticks, RFC 3550 section 6.2. Reports to speakers every tick: what
 * their encoder adapts to should be fresh. */
#define SENDER_TICKS 5
/* Its clock is not known any better than that: no report of it (TRAPS 22). */
#define SILENT_NS 2000000000ull
/*
 * Legs that tick within this time share one report. Twenty a second use up the 31 bits of SRTCP
 * indices in three years.
 */
#define EDITION_NS 50000000ull

uint64_t report_ntp(const struct worker *worker, uint64_t at_ns)
{
	return ntp_from_ns(at_ns + worker->config.unix_offset_ns);
}

void report_open_room(struct worker_room *room)
{
	unsigned int slots = room->facts->slot_count;

	if (room->report == NULL)
		room->report = calloc(slots, sizeof(*room->report));
	if (room->report != NULL && room->history == NULL)
		room->history = calloc(slots, sizeof(*room->history));
}

void report_close_room(struct worker *worker, struct worker_room *room)
{
	repeat_clear(worker, room);
	free(room->history);
	free(room->report);
	room->history = NULL;
	room->report = NULL;
}

bool report_reaches(const struct worker_leg *leg)
{
	return leg->ice != NULL && !leg->ice->lost && !leg->ice->start_unresolved &&
	       ice_selected(leg->ice->state) != NULL;
}

void report_slot(
	const struct worker *worker, struct worker_room *room, const struct packet_meta *meta)
{
	struct report_slot *slot = &room->report[meta->slot.slot];

	slot->timestamp = meta->slot.timestamp;
	slot->ntp = meta->slot.ntp;
	slot->sent_ns = worker->now_ns;
	slot->packets++;
	slot->octets += meta->slot.payload_size;
}

/* Takes an SRTCP index for good, before it is used. 0: none is left. */
static uint32_t take_index(struct index_cell *cell)
{
	uint64_t index = __atomic_add_fetch(&cell->value, 1, __ATOMIC_ACQ_REL);

	return index <= INDEX_SRTCP_MAX ? (uint32_t)index : 0;
}

/* Brings the slot's report up to now. False: there is nothing to report. */
static bool refresh(struct worker *worker, struct worker_room *room, unsigned int number)
{
	struct report_slot *slot = &room->report[number];
	char cname[STN_CNAME_SIZE];
	struct rtcp_sender sender = {
		.ssrc = room->facts->slot_ssrc[number],
		.ntp = report_ntp(worker, worker->now_ns),
		.packets = slot->packets,
		.octets = slot->octets,
	};

	if (slot->sent_ns == 0 || worker->now_ns - slot->sent_ns > SILENT_NS)
		return false;
	if (slot->report_size != 0 && worker->now_ns - slot->report_ns < EDITION_NS)
		return true;
	slot->report_size = 0;
	slot->report_index = take_index(room->facts->slot_report[number]);
	if (slot->report_index == 0)
		return false;
	/* The capture clock goes on from the last packet. */
	sender.timestamp =
		slot->timestamp +
		(uint32_t)((int64_t)(sender.ntp - slot->ntp) * (int64_t)RTP_CLOCK_HZ >> 32);
	stn_slot_cname(sender.ssrc, cname);
	slot->report_size = (uint16_t)rtcp_build_sender(&sender, cname, slot->report);
	slot->report_ns = worker->now_ns;
	return true;
}

struct message {
	const uint8_t *bytes;
	unsigned int size;
	uint32_t ssrc;
	uint32_t index;
};

static void send(struct worker *worker, const struct worker_leg *leg,
	struct engine_context *context, const struct message *message)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(worker->config.pool);
	unsigned int size;
	uint8_t *data;

	if (mbuf == NULL) {
		worker->stats.control_refused++;
		return;
	}
	data = rte_pktmbuf_mtod(mbuf, uint8_t *);
	memcpy(data, message->bytes, message->size);
	size = worker->config.engine->protect_rtcp(
		worker->core, context, data, message->size, message->ssrc, message->index);
	if (size == 0) {
		worker->stats.control_refused++;
		rte_pktmbuf_free(mbuf);
		return;
	}
	mbuf->data_len = (uint16_t)size;
	mbuf->pkt_len = size;
	worker->stats.rtcp_sent += reply_send(worker, ice_selected(leg->ice->state), NULL, mbuf);
}

/* Returns how many there were to send. */
static unsigned int send_slots(struct worker *worker, struct worker_room *room,
	const struct worker_leg *leg, struct engine_context *context)
{
	unsigned int i, count = 0;

	for (i = 0; i < room->facts->slot_count; i++) {
		struct report_slot *slot = &room->report[i];
		struct message message = {.ssrc = room->facts->slot_ssrc[i]};

		if (!refresh(worker, room, i))
			continue;
		message.bytes = slot->report;
		message.size = slot->report_size;
		message.index = slot->report_index;
		send(worker, leg, context, &message);
		/* 1/65536 s that it was made before it was sent: no part of the round trip. */
		leg->ice->report_late[i] =
			(uint16_t)((worker->now_ns - slot->report_ns) * 65536 / 1000000000u);
		count++;
	}
	return count;
}

/*
 * Our own name in reports to a speaker: none of the slots', whose SRTCP indices are counted
 * elsewhere.
 */
static uint32_t reporter_ssrc(const struct room_facts *facts)
{
	uint32_t ssrc = 1;
	unsigned int i;

	for (i = 0; i < facts->slot_count; i++)
		if (facts->slot_ssrc[i] == ssrc) {
			ssrc++;
			i = UINT32_MAX; /* start over: there are at most eight */
		}
	return ssrc;
}

static void report_to_speaker(
	struct worker *worker, const struct worker_room *room, const struct worker_leg *leg)
{
	struct worker_speaker *speaker = leg->speaker;
	uint8_t bytes[RTCP_BUILD_MAX];
	struct message message = {.bytes = bytes, .ssrc = reporter_ssrc(room->facts)};
	struct rtcp_block block;

	if (!arrival_report(&speaker->arrival, speaker->receiver.rtp.ssrc, worker->now_ns, &block))
		return;
	message.index = take_index(&leg->facts->cells[LEG_CELL_REPORT]);
	if (message.index == 0)
		return;
	message.size = rtcp_build_receiver(message.ssrc, &block, "stentor", bytes);
	send(worker, leg, speaker->tx, &message);
}

static bool anything_to_send(struct worker *worker, struct worker_room *room)
{
	unsigned int i;

	for (i = 0; i < room->facts->slot_count; i++)
		if (refresh(worker, room, i))
			return true;
	return false;
}

/*
 * Listeners are many and report rarely: their SRTCP context is made for the occasion, instead of
 * keeping a second key schedule for each.
 */
static unsigned int report_to_listener(
	struct worker *worker, struct worker_room *room, const struct worker_leg *leg)
{
	struct engine_context *context;
	struct master_key key;
	unsigned int count;

	if (!anything_to_send(worker, room))
		return 0;
	apply_master_key(&leg->facts->tx, &key);
	context = worker->config.engine->context_open(worker->core, &key);
	explicit_bzero(&key, sizeof(key));
	if (context == NULL)
		return 0;
	count = send_slots(worker, room, leg, context);
	worker->config.engine->context_close(context);
	return count;
}

void report_tick(struct worker *worker, struct worker_leg *leg)
{
	struct worker_room *room = worker->room[leg->facts->room];
	unsigned int sent;

	repeat_expire(worker, room);
	if (leg->facts->tx.suite == STN_SUITE_NONE || room->report == NULL || !report_reaches(leg))
		return;
	if (leg->speaker != NULL && leg->speaker->tx == NULL)
		return;
	if (leg->speaker != NULL)
		report_to_speaker(worker, room, leg);
	if (leg->ice->report_wait > 0) {
		leg->ice->report_wait--;
		return;
	}
	if (leg->speaker != NULL)
		sent = send_slots(worker, room, leg, leg->speaker->tx);
	else
		sent = report_to_listener(worker, room, leg);
	/* When there is something to report again, the first report comes within a tick. */
	if (sent != 0)
		leg->ice->report_wait = SENDER_TICKS - 1;
}

/* Number of the slot with this SSRC; slot_count: none has it. */
static unsigned int slot_of(const struct worker_room *room, uint32_t ssrc)
{
	unsigned int i;

	for (i = 0; i < room->facts->slot_count; i++)
		if (room->facts->slot_ssrc[i] == ssrc)
			break;
	return i;
}

static void absorb_blocks(const struct worker *worker, const struct worker_leg *leg,
	struct worker_room *room, const struct rtcp_item *item)
{
	struct rtcp_block block;
	unsigned int i, slot;

	for (i = 0; rtcp_read_block(item, i, &block); i++) {
		slot = slot_of(room, block.ssrc);
		if (slot == room->facts->slot_count)
			continue;
		if (leg->ice != NULL)
			block.delay += leg->ice->report_late[slot];
		survey_add(&room->reception, &block, report_ntp(worker, worker->now_ns));
	}
}

/* The speaker's own sender report: its capture clock, and what we echo to it. */
static void absorb_sender(const struct worker *worker, struct worker_speaker *speaker,
	const uint8_t *data, unsigned int size)
{
	struct rtcp rtcp;

	if (rtcp_parse(data, size, &rtcp) < 0 || rtcp.sender_reports == 0 ||
		rtcp.sender.ssrc != speaker->receiver.rtp.ssrc)
		return;
	arrival_sender_report(&speaker->arrival, rtcp.sender.ntp, worker->now_ns);
	capture_report(&speaker->capture, &rtcp.sender, report_ntp(worker, worker->now_ns));
}

void report_receive(
	struct worker *worker, struct worker_leg *leg, const uint8_t *data, unsigned int size)
{
	struct worker_room *room = worker->room[leg->facts->room];
	struct cursor cursor = rtcp_begin(data, size);
	struct rtcp_item item;
	struct rtcp_nack nack;
	unsigned int i;

	if (leg->speaker != NULL)
		absorb_sender(worker, leg->speaker, data, size);
	while (rtcp_next(&cursor, &item)) {
		absorb_blocks(worker, leg, room, &item);
		for (i = 0; rtcp_read_nack(&item, i, &nack); i++)
			repeat_answer(worker, leg, &nack);
	}
}
