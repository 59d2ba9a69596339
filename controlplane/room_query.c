/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "controlplane/room_query.h"
#include "controlplane/rooms/catalog.h"

static void write_slots(struct conductor *c, struct writer *w, const struct stn_room_stats *stats)
{
	uint64_t now_ns = loop_now_ns();

	writer_begin_array(w, "slot");
	for (uint32_t i = 0; i < stats->slot_count && i < STN_SLOTS_MAX; i++) {
		const struct stn_slot_stats *slot = &stats->slot[i];
		const struct room *room = registry_room_by_id(c->registry, stats->room_id);
		const struct member *holder =
			slot->leg_id == 0 || room == NULL
				? NULL
				: registry_member_by_id(c->registry, room->holder[i]);

		/* The notice that names the holder may not have come yet. */
		if (holder != NULL && holder->put.leg_id != slot->leg_id)
			holder = NULL;
		writer_begin_object(w, NULL);
		writer_uint(w, "slot", i);
		writer_uint(w, "ssrc", slot->ssrc);
		writer_string(w, "member", holder == NULL ? NULL : holder->user.text);
		if (slot->leg_id == 0)
			writer_null(w, "leg");
		else
			writer_id(w, "leg", slot->leg_id);
		writer_uint(w, "level", slot->level);
		writer_uint(w, "index", slot->index);
		writer_uint(w, "packets", slot->packets);
		if (slot->last_ns == 0)
			writer_null(w, "idle_ms");
		else
			writer_uint(w, "idle_ms",
				now_ns > slot->last_ns ? (now_ns - slot->last_ns) / 1000000 : 0);
		writer_end_object(w);
	}
	writer_end_array(w);
}

/* What the listeners' reports say, since the room was programmed: who watches takes differences. */
static void write_reception(struct writer *w, const struct stn_reception *reception)
{
	double reports = reception->reports == 0 ? 1 : (double)reception->reports;
	double rtts = reception->rtt_count == 0 ? 1 : (double)reception->rtt_count;

	writer_begin_object(w, "reception");
	writer_uint(w, "reports", reception->reports);
	writer_uint(w, "lost_sum", reception->loss_sum);
	writer_real(w, "lost_percent", (double)reception->loss_sum / reports / 256 * 100);
	writer_uint(w, "nacked", reception->nacked);
	writer_real(w, "jitter_ms", (double)reception->jitter_sum_us / reports / 1000);
	if (reception->rtt_count == 0)
		writer_null(w, "rtt_ms");
	else
		writer_real(w, "rtt_ms", (double)reception->rtt_sum_us / rtts / 1000);
	writer_end_object(w);
}

/* Nobody holds one before the room is live; later nobody knows, without a data plane. */
static void write_no_slots(struct writer *w, const struct room *room)
{
	if (room->rules.state == ROOM_LIVE) {
		writer_null(w, "slot");
		return;
	}
	writer_begin_array(w, "slot");
	writer_end_array(w);
}

static void room_answered(void *context, const struct stn_header *message, bool last)
{
	struct request *request = context;
	struct conductor *c = request->conductor;
	const struct stn_room_stats *stats = (const struct stn_room_stats *)message;
	const struct room *room = registry_room(c->registry, request->parsed.event.room);
	struct verdict gone;

	if (room == NULL) {
		verdict_refuse(&gone, VERDICT_NO_SUCH_ROOM, "no room \"%s\" is open",
			request->parsed.event.room);
		conductor_refuse(c, request, &gone);
		return;
	}
	writer_begin_object(&request->plan.answer, "room");
	room_describe(&request->plan.answer, room);
	if (message != NULL && message->type == STN_MESSAGE_ROOM_STATS_REPLY &&
		message->length >= sizeof(*stats) && stats->status == STN_STATUS_OK) {
		write_slots(c, &request->plan.answer, stats);
		write_reception(&request->plan.answer, &stats->reception);
	} else {
		write_no_slots(&request->plan.answer, room);
		writer_null(&request->plan.answer, "reception");
	}
	room_describe_rest(&request->plan.answer, c->registry, room,
		request->parsed.event.page ? request->parsed.event.actor : NULL);
	writer_end_object(&request->plan.answer);
	conductor_finish(c, request);
}

void room_query_start(struct conductor *c, struct request *request)
{
	struct stn_room_query query = {.header.type = STN_MESSAGE_ROOM_STATS};
	const struct room *room = registry_room(c->registry, request->parsed.event.room);

	if (room != NULL)
		query.room_id = room->put.room_id;
	if (room == NULL || room->rules.state == ROOM_SCHEDULED ||
		link_query(c->link, &query.header, sizeof(query), room_answered, request) != 0)
		room_answered(request, NULL, true);
}
