// SPDX-License-Identifier: BSD-3-Clause
/* The main lcore's part of the harness: rooms and legs come, change, go, and are accounted for. */
#include <arpa/inet.h>
#include <stdlib.h>

#include <rte_ethdev.h>

#include "tests/io/harness.h"

#define OWN_INDEX_FIRST 2000u

struct harness_room *harness_room(struct harness *h, uint8_t slot_count, uint8_t group_suite,
	unsigned int home_worker, uint64_t slot_index)
{
	struct harness_room *room = &h->room[h->room_count];
	struct command command = {.type = COMMAND_ROOM_ADD, .room = &room->facts};
	struct peer key = {0};
	unsigned int slot;

	ck_assert_uint_lt(h->room_count, HARNESS_ROOMS_MAX);
	room->facts = (struct room_facts){
		.room_id = 0x700000 + h->room_count,
		.room = h->room_count,
		.home_worker = home_worker,
		.slot_count = slot_count,
		.profile_count = 2,
		.profile = {{.payload_type = HARNESS_PAYLOAD_TYPE},
			{.payload_type = 96, .audio_level_id = 4}},
	};
	if (group_suite != STN_SUITE_NONE) {
		peer_keys(&key, group_suite, STN_SUITE_NONE, &h->random);
		srtp_dealloc(key.hear);
		room->facts.group_key = key.facts.tx;
	}
	for (slot = 0; slot < STN_SLOTS_MAX; slot++) {
		room->slot_index[slot].value = slot_index ? slot_index : HARNESS_FIRST_INDEX;
		room->slot_clock[slot].value = 0x1000u * slot;
		if (slot >= slot_count)
			continue;
		room->facts.slot_ssrc[slot] = HARNESS_SLOT_SSRC(h->room_count, slot);
		room->facts.slot_index[slot] = &room->slot_index[slot];
		room->facts.slot_clock[slot] = &room->slot_clock[slot];
		room->facts.slot_report[slot] = &room->slot_report[slot];
	}
	h->room_count++;
	harness_post_all(h, &command);
	return room;
}

void harness_room_remove(struct harness *h, struct harness_room *room)
{
	struct command command = {.type = COMMAND_ROOM_REMOVE, .handle = room->facts.room};
	unsigned int i;

	for (i = 0; i < h->peer_count; i++)
		if (h->peer[i]->facts.room == room->facts.room)
			harness_leave(h, h->peer[i]);
	harness_post_all(h, &command);
	room->removed = true;
}

/* Distinct for each handle; a listener's also says which worker owns it. */
static struct stn_address address_make(
	const struct harness *h, uint32_t handle, const struct harness_leg *leg)
{
	struct stn_address address = {.family = leg->family ? leg->family : 4};
	unsigned int port;

	if (address.family == 4) {
		address.address[0] = 198;
		address.address[1] = 51;
		address.address[2] = (uint8_t)(handle >> 8);
		address.address[3] = (uint8_t)handle;
	} else {
		address.address[0] = 0x20;
		address.address[1] = 0x01;
		address.address[14] = (uint8_t)(handle >> 8);
		address.address[15] = (uint8_t)handle;
	}
	for (port = 5000;; port++) {
		address.port_be = htons((uint16_t)port);
		if (leg->worker == 0 ||
			h->interface.worker_of(h->interface.impl, &address) == leg->worker - 1)
			return address;
	}
}

static void origins_set(struct peer *peer, const struct harness_room *room, const uint32_t *origin)
{
	unsigned int slot;

	for (slot = 0; slot < room->facts.slot_count; slot++)
		peer->facts.origin[slot] =
			origin != NULL ? origin[slot]
				       : index_origin_for_join(
						 room->slot_index[slot].value, INDEX_ORIGIN_GUARD);
}

static void speaker_set(struct harness *h, struct peer *peer, const struct harness_leg *leg)
{
	struct leg_facts *facts = &peer->facts;
	unsigned int slot;

	peer->ssrc = leg->source_ssrc ? leg->source_ssrc : 0xa0000000u + facts->leg;
	peer->sequence =
		leg->sequence ? leg->sequence : (uint16_t)(1 + random_below(&h->random, 0x7000));
	peer->timestamp = (uint32_t)random_next(&h->random);
	facts->source_ssrc = leg->source_ssrc;
	facts->payload_type = HARNESS_PAYLOAD_TYPE;
	if (facts->role != STN_ROLE_SPEAKER)
		return;
	facts->cells = peer->cells;
	peer->cells[LEG_CELL_SOURCE].value = leg->source_index;
	peer->cells[LEG_CELL_RTCP].value = leg->source_rtcp_index;
	for (slot = 0; slot < STN_SLOTS_MAX; slot++)
		peer->cells[LEG_CELL_OWN + slot].value =
			leg->own_index ? leg->own_index : OWN_INDEX_FIRST;
}

/* Its owner, credentials and first address; returns the facts to add the leg with. */
static const struct leg_facts *browser_set(
	struct harness *h, struct peer *peer, const struct harness_leg *leg)
{
	struct leg_facts *facts = &peer->facts;

	peer->browser = calloc(1, sizeof(*peer->browser));
	ck_assert_ptr_nonnull(peer->browser);
	if (facts->role == STN_ROLE_LISTENER) {
		do {
			facts->leg_id += 0x1000000;
			facts->worker =
				h->interface.worker_of_leg(h->interface.impl, facts->leg_id);
		} while (leg->worker != 0 && facts->worker != leg->worker - 1);
	}
	browser_credentials(peer->browser, facts->leg_id, &h->random);
	if (leg->start != NULL) {
		static const uint8_t gateway[6] = {2, 0, 0, 0, 0, 2};

		facts->remote = *leg->start;
		browser_move(peer->browser, leg->start, gateway)->proven = true;
	} else {
		harness_move(h, peer, leg->family ? leg->family : 4, 5000);
	}
	peer->first = *facts;
	if (!leg->keyed) {
		peer->first.tx = (struct stn_master_key){0};
		peer->first.rx = (struct stn_master_key){0};
	}
	return &peer->first;
}

struct peer *harness_join(
	struct harness *h, struct harness_room *room, const struct harness_leg *leg)
{
	struct peer *peer = leg->ready ? leg->ready : calloc(1, sizeof(*peer));
	struct leg_facts *facts = &peer->facts;
	struct command command = {.type = COMMAND_LEG_ADD, .leg = facts};

	ck_assert_uint_lt(h->peer_count, HARNESS_PEERS_MAX);
	facts->leg = h->peer_count;
	facts->leg_id = 0x900000 + h->peer_count;
	facts->room = room->facts.room;
	facts->role = leg->role ? leg->role : STN_ROLE_LISTENER;
	facts->protection = leg->group ? STN_PROTECTION_GROUP : STN_PROTECTION_LEG;
	facts->transport = leg->webrtc ? STN_TRANSPORT_WEBRTC : STN_TRANSPORT_KEYED;
	facts->profile = leg->profile;
	facts->audio_level_id = leg->audio_level_id;
	facts->muted = leg->muted;
	if (!leg->webrtc)
		facts->remote = leg->remote ? *leg->remote : address_make(h, facts->leg, leg);
	peer->level_id = leg->audio_level_id;
	if (facts->role == STN_ROLE_LISTENER && leg->profile == 1)
		peer->level_id = 4;
	if (leg->ready == NULL)
		peer_keys(peer, leg->group ? STN_SUITE_NONE : leg->tx_suite, leg->rx_suite,
			&h->random);
	if (leg->group)
		peer_hear_with(peer, &room->facts.group_key);
	origins_set(peer, room, leg->origin);
	speaker_set(h, peer, leg);
	facts->worker = facts->role == STN_ROLE_SPEAKER
				? room->facts.home_worker
				: h->interface.worker_of(h->interface.impl, &facts->remote);
	if (leg->webrtc)
		command.leg = browser_set(h, peer, leg);
	command.handle = facts->leg;
	h->peer[h->peer_count++] = peer;
	if (facts->role == STN_ROLE_SPEAKER)
		harness_post_all(h, &command);
	else
		harness_post(h, facts->worker, &command);
	if (leg->webrtc)
		harness_ice(h, peer);
	return peer;
}

static void post_to_holders(struct harness *h, const struct peer *peer, const struct command *what)
{
	if (peer->facts.role == STN_ROLE_SPEAKER)
		harness_post_all(h, what);
	else
		harness_post(h, peer->facts.worker, what);
}

void harness_leave(struct harness *h, struct peer *peer)
{
	struct command command = {.type = COMMAND_LEG_REMOVE, .handle = peer->facts.leg};

	if (peer->browser != NULL)
		harness_path_remove(h, peer);
	post_to_holders(h, peer, &command);
}

void harness_mute(struct harness *h, struct peer *peer, bool muted)
{
	struct command command = {
		.type = COMMAND_LEG_MUTE, .handle = peer->facts.leg, .value = muted};

	harness_post_all(h, &command);
}

/* Packets that selectors still keep; they come out within the preroll's length. */
static uint64_t pending(const struct harness *h)
{
	uint64_t total = 0;
	unsigned int i, w;

	for (w = 0; w < h->pool.count; w++)
		for (i = 0; i < h->config.rooms_max; i++) {
			const struct worker_room *room = h->pool.worker[w]->room[i];

			if (room != NULL && room->selector != NULL)
				total += selector_pending(room->selector);
		}
	return total;
}

/* Slot packets that selectors have given out; of rooms that are still there. */
static uint64_t emitted(const struct harness *h)
{
	uint64_t total = 0;
	unsigned int i, slot;

	for (i = 0; i < h->room_count; i++) {
		const struct room_facts *facts = &h->room[i].facts;
		const struct worker_room *room =
			h->pool.worker[facts->home_worker]->room[facts->room];

		for (slot = 0; room != NULL && slot < facts->slot_count; slot++)
			total += room->selector->slot[slot].packets;
	}
	return total;
}

static void balance_check(const struct harness *h)
{
	struct stn_worker_stats s = harness_stats(h);
	uint64_t dropped = 0;
	unsigned int reason;
	bool rooms_removed = false;

	for (reason = 0; reason < STN_DROP_PUBLISH_FULL; reason++)
		dropped += s.drop[reason];
	ck_assert_uint_eq(s.rx_packets, h->sent);
	for (reason = STN_DROP_STUN_UFRAG; reason <= STN_DROP_LEG_NOT_KEYED; reason++)
		dropped += s.drop[reason];
	ck_assert_uint_eq(s.rx_packets, s.forwarded + s.answered + s.punted + dropped);
	ck_assert_uint_eq(s.copies,
		s.tx_packets + s.drop[STN_DROP_TX_NO_BUFFER] + s.drop[STN_DROP_TX_REFUSED] +
			s.drop[STN_DROP_TX_NO_NEIGHBOUR] + s.drop[STN_DROP_TX_STALE]);
	if (h->options.driver == NULL)
		ck_assert_uint_eq(
			s.tx_packets + s.stun_sent + s.dtls_sent + s.rtcp_sent + s.retransmitted,
			h->taken);
	for (reason = 0; reason < h->room_count; reason++)
		rooms_removed |= h->room[reason].removed;
	if (rooms_removed)
		return;
	ck_assert_uint_eq((emitted(h) - s.drop[STN_DROP_PUBLISH_NO_BUFFER]) * h->pool.count,
		s.slot_packets + s.drop[STN_DROP_PUBLISH_FULL] + s.drop[STN_DROP_FANOUT_STALE] +
			s.drop[STN_DROP_FANOUT_CANCELLED]);
}

static void everybody_out(struct harness *h)
{
	static const uint32_t no_cells[4 * HARNESS_PEERS_MAX];
	unsigned int i;

	for (i = 0; i < h->room_count; i++)
		if (!h->room[i].removed)
			harness_room_remove(h, &h->room[i]);
	harness_fence(h);
	harness_settle(h);
	for (i = 0; i < h->pool.count; i++) {
		const struct worker *worker = h->pool.worker[i];

		ck_assert_uint_eq(worker->locator.count, 0);
		ck_assert_uint_eq(worker->stats.legs, 0);
		ck_assert_uint_eq(worker->stats.rooms, 0);
		ck_assert_uint_eq(worker->home_count, 0);
		ck_assert_uint_eq(worker->ice_count, 0);
		ck_assert_mem_eq(worker->directory.cell, no_cells,
			(worker->directory.mask + 1) * sizeof(*no_cells));
		ck_assert_uint_eq(arena_in_use(&worker->arena), 0);
	}
}

void harness_close(struct harness *h)
{
	unsigned int i;

	h->closed_port = false;
	harness_settle(h);
	harness_until(h, pending(h) == 0);
	harness_settle(h);
	balance_check(h);
	ck_assert_uint_eq(h->lost, 0);
	everybody_out(h);
	if (!h->closed_punts)
		ck_assert_uint_eq(pool_buffers_in_use(&h->pool), 0);
	pool_close(&h->pool);
	bus_close(h->bus);
	if (h->options.driver == NULL) {
		rte_eth_dev_stop(h->ring_port);
		rte_eth_dev_close(h->ring_port);
	}
	h->port.port_id = h->own_port;
	port_close(&h->port);
	for (i = 0; i < h->config.workers; i++) {
		rte_ring_free(h->receive[i]);
		rte_ring_free(h->transmit[i]);
	}
	ck_assert_uint_eq(pool_buffers_in_use(&h->pool), 0);
	pool_buffers_close(&h->pool);
	for (i = 0; i < h->peer_count; i++)
		peer_close(h->peer[i]);
	eal_stop();
	free(h);
}
