// SPDX-License-Identifier: BSD-3-Clause
/* Rooms and their speakers: what lives on a room's home worker. */
#include <errno.h>
#include <stdlib.h>

#include "dataplane/core/index.h"
#include "dataplane/core/survey.h"
#include "dataplane/io/apply.h"
#include "dataplane/io/stage.h"

#define SPEAKERS_FIRST 4u

void apply_master_key(const struct stn_master_key *wire, struct master_key *out)
{
	out->suite = (enum suite)wire->suite;
	memcpy(out->key, wire->key, sizeof(out->key));
	memcpy(out->salt, wire->salt, sizeof(out->salt));
}

static int selector_open(struct worker *worker, struct worker_room *room)
{
	struct selector_config config = selector_config_default;
	struct selector_slot_facts facts[STN_SLOTS_MAX];
	unsigned int slot;

	config.preroll_ms = worker->config.preroll_ms;
	room->selector = calloc(1, sizeof(*room->selector));
	if (room->selector == NULL)
		return -ENOMEM;
	for (slot = 0; slot < room->facts->slot_count; slot++)
		facts[slot] = (struct selector_slot_facts){
			.ssrc = room->facts->slot_ssrc[slot],
			.index = room->facts->slot_index[slot]->value,
			.clock = (uint32_t)room->facts->slot_clock[slot]->value,
		};
	selector_init(room->selector, &config, facts, room->facts->slot_count, worker->now_ns);
	room->home_position = worker->home_count;
	worker->home[worker->home_count++] = (struct worker_home){
		.tick_ns = selector_next_tick_ns(room->selector), .room = room->facts->room};
	return 0;
}

static void profiles_set(struct worker_room *room)
{
	unsigned int i;

	for (i = 0; i < room->facts->profile_count; i++) {
		room->profile[i].payload_type = room->facts->profile[i].payload_type;
		room->profile[i].audio_level_id = room->facts->profile[i].audio_level_id;
		room->profile[i].red_payload_type = room->facts->profile[i].red_payload_type;
	}
}

void apply_room_free(struct worker *worker, struct worker_room *room)
{
	shard_close(&room->shard);
	worker->config.engine->context_close(room->group);
	free(room->selector);
	free(room->speakers);
	free(room->removed);
	free(room);
}

int apply_room_open(struct worker *worker, const struct room_facts *facts)
{
	struct worker_room *room = calloc(1, sizeof(*room));
	struct master_key key;
	int rc = -ENOMEM;

	if (room == NULL)
		return rc;
	room->facts = facts;
	room->room_id = facts->room_id;
	room->home_position = WORKER_NO_POSITION;
	shard_init(&room->shard, worker->config.engine, &worker->arena, facts->slot_count);
	profiles_set(room);
	if (facts->group_key.suite != STN_SUITE_NONE) {
		apply_master_key(&facts->group_key, &key);
		room->group = worker->config.engine->context_open(worker->core, &key);
		explicit_bzero(&key, sizeof(key));
		if (room->group == NULL)
			goto fail;
	}
	if (facts->home_worker == worker->config.index) {
		rc = selector_open(worker, room);
		if (rc < 0)
			goto fail;
	}
	worker->room[facts->room] = room;
	worker->stats.rooms++;
	return 0;
fail:
	apply_room_free(worker, room);
	return rc;
}

void apply_room_update(struct worker *worker, const struct room_facts *facts)
{
	struct worker_room *room = worker->room[facts->room];

	if (room == NULL)
		return;
	room->facts = facts;
	profiles_set(room);
}

void apply_room_close(struct worker *worker, uint32_t handle)
{
	struct worker_room *room = worker->room[handle];
	struct worker_home last;

	if (room == NULL)
		return;
	fan_cancel(worker, room, FAN_EVERYBODY);
	queue_remove(&worker->queue, room);
	if (room->home_position != WORKER_NO_POSITION) {
		last = worker->home[--worker->home_count];
		worker->home[room->home_position] = last;
		worker->room[last.room]->home_position = room->home_position;
	}
	worker->room[handle] = NULL;
	worker->stats.rooms--;
	report_close_room(worker, room);
	room->closed = true;
	room->facts = NULL; /* the main lcore frees them behind the next fence */
	/* Thousands may have left it a moment ago, whose keys are still to be erased. */
	if (!room->tidying)
		apply_room_free(worker, room);
}

static int speakers_reserve(struct worker_room *room)
{
	uint32_t capacity = room->speaker_capacity ? room->speaker_capacity * 2 : SPEAKERS_FIRST;
	struct worker_speaker **speakers;

	if (room->speaker_count < room->speaker_capacity)
		return 0;
	speakers = realloc(room->speakers, capacity * sizeof(struct worker_speaker *));
	if (speakers == NULL)
		return -ENOMEM;
	room->speakers = speakers;
	room->speaker_capacity = capacity;
	return 0;
}

static int receiver_open(
	struct worker *worker, struct worker_speaker *speaker, const struct leg_facts *facts)
{
	struct master_key key;
	struct srtp_receiver_facts receiver = {
		.engine = worker->config.engine,
		.core = worker->core,
		.key = &key,
		.ssrc = facts->source_ssrc,
		.rtp_cell = facts->cells != NULL ? &facts->cells[LEG_CELL_SOURCE].value : NULL,
		.rtcp_cell = facts->cells != NULL ? &facts->cells[LEG_CELL_RTCP].value : NULL,
	};
	int rc;

	if (facts->rx.suite == STN_SUITE_NONE)
		return 0;
	apply_master_key(&facts->rx, &key);
	rc = srtp_receiver_open(&speaker->receiver, &receiver);
	explicit_bzero(&key, sizeof(key));
	return rc;
}

static int sender_open(
	struct worker *worker, struct worker_speaker *speaker, const struct leg_facts *facts)
{
	struct master_key key;
	unsigned int slot;

	if (facts->tx.suite == STN_SUITE_NONE)
		return 0;
	for (slot = 0; slot < STN_SLOTS_MAX; slot++)
		if (facts->cells != NULL)
			speaker->own_index[slot] = facts->cells[LEG_CELL_OWN + slot].value;
	apply_master_key(&facts->tx, &key);
	speaker->tx = worker->config.engine->context_open(worker->core, &key);
	explicit_bzero(&key, sizeof(key));
	/* Without memory for it its NACKs go unanswered. */
	if (facts->transport == STN_TRANSPORT_WEBRTC)
		speaker->sent = calloc(STN_SLOTS_MAX, sizeof(*speaker->sent));
	return speaker->tx == NULL ? -ENOMEM : 0;
}

static void speaker_free(struct worker *worker, struct worker_speaker *speaker)
{
	srtp_receiver_close(&speaker->receiver);
	worker->config.engine->context_close(speaker->tx);
	free(speaker->sent);
	explicit_bzero(speaker, sizeof(*speaker));
	free(speaker);
}

int apply_speaker_add(struct worker *worker, struct worker_leg *leg)
{
	const struct leg_facts *facts = leg->facts;
	struct worker_room *room = worker->room[facts->room];
	struct worker_speaker *speaker = calloc(1, sizeof(*speaker));
	int rc = -ENOMEM;

	if (speaker == NULL)
		return rc;
	rc = speakers_reserve(room);
	if (rc == 0)
		rc = receiver_open(worker, speaker, facts);
	if (rc == 0)
		rc = sender_open(worker, speaker, facts);
	if (rc < 0) {
		speaker_free(worker, speaker);
		return rc;
	}
	speaker->leg = facts->leg;
	selector_source_init(&speaker->source, facts->leg, facts->source_ssrc, facts->muted);
	room->speakers[room->speaker_count++] = speaker;
	leg->speaker = speaker;
	return 0;
}

int apply_speaker_keys(struct worker *worker, struct worker_leg *leg)
{
	struct worker_speaker *speaker = leg->speaker;
	int rc = 0;

	if (speaker->receiver.context == NULL)
		rc = receiver_open(worker, speaker, leg->facts);
	if (rc == 0 && speaker->tx == NULL)
		rc = sender_open(worker, speaker, leg->facts);
	if (rc < 0)
		srtp_receiver_close(&speaker->receiver);
	return rc;
}

void apply_speaker_path(const struct worker *worker, struct worker_leg *leg,
	const struct ice_origin *to, bool mac_known)
{
	struct worker_speaker *speaker = leg->speaker;

	apply_template(worker, to, &speaker->template);
	speaker->port = to->port;
	speaker->mac_known = mac_known;
}

void apply_speaker_remove(struct worker *worker, struct worker_leg *leg)
{
	struct worker_room *room = worker->room[leg->facts->room];
	uint32_t i;

	selector_remove(room->selector, &leg->speaker->source, worker->now_ns, &worker->selection);
	publish_selection(worker, room);
	for (i = 0; i < room->speaker_count; i++)
		if (room->speakers[i] == leg->speaker)
			break;
	room->speakers[i] = room->speakers[--room->speaker_count];
	speaker_free(worker, leg->speaker);
	leg->speaker = NULL;
}

void apply_room_stats(
	const struct worker *worker, const struct worker_room *room, struct stn_room_stats *out)
{
	struct selector_slot_view view;
	unsigned int slot, i;

	if (room != NULL)
		survey_merge(&out->reception, &room->reception);
	if (room == NULL || room->selector == NULL)
		return; /* not at home here */
	out->status = STN_STATUS_OK;
	out->slot_count = room->facts->slot_count;
	out->home_worker = worker->config.index;
	for (i = 0; i < room->speaker_count; i++)
		out->muted += room->speakers[i]->source.muted;
	for (slot = 0; slot < room->facts->slot_count; slot++) {
		selector_slot_view(room->selector, slot, &view);
		out->slot[slot] = (struct stn_slot_stats){
			.ssrc = view.ssrc,
			.level = view.level,
			.index = view.index,
			.packets = view.packets,
			.last_ns = view.last_ns,
		};
		if (view.holder != SELECTOR_NOBODY)
			out->slot[slot].leg_id = worker->leg[view.holder].facts->leg_id;
	}
}
