// SPDX-License-Identifier: BSD-3-Clause
/* Browsers in the scene: how they travel, and what the main lcore does about them. */
#include <arpa/inet.h>
#include <stdlib.h>

#include "dataplane/core/ice.h"
#include "tests/io/harness.h"

#define MAC_FIRST 0x40
#define FRAME_HEADER 14 /* not counted: bytes of IP */

static unsigned int any_worker(struct harness *h)
{
	return random_below(&h->random, h->pool.count);
}

struct browser_place *harness_move(
	struct harness *h, struct peer *peer, uint8_t family, unsigned int port)
{
	uint32_t handle = peer->facts.leg;
	struct stn_address address = {.family = family, .port_be = htons((uint16_t)port)};
	uint8_t mac[6] = {2, 0, 0, 0, 0, (uint8_t)(MAC_FIRST + port % 7)};

	if (family == 4) {
		memcpy(address.address, "\xc6\x33", 2);
		address.address[2] = (uint8_t)(handle >> 8);
		address.address[3] = (uint8_t)handle;
	} else {
		memcpy(address.address, "\x20\x01", 2);
		address.address[14] = (uint8_t)(handle >> 8);
		address.address[15] = (uint8_t)handle;
	}
	return browser_move(peer->browser, &address, mac);
}

void harness_check(struct harness *h, struct peer *peer, unsigned int worker, bool nominate)
{
	uint8_t message[BROWSER_MESSAGE_MAX];
	unsigned int size = browser_check(peer->browser, nominate, &h->random, message);

	harness_datagram(h, peer, worker, message, size);
}

void harness_connect(struct harness *h, struct peer *peer)
{
	struct browser *browser = peer->browser;
	const struct stn_address *here = &browser->place[browser->at].address;

	harness_check(h, peer, any_worker(h), true);
	harness_until(h, memcmp(&browser->selected, here, sizeof(*here)) == 0);
	harness_fence(h);
}

static void post_to_others(
	struct harness *h, const struct peer *peer, const struct command *command)
{
	unsigned int i;

	if (peer->facts.role != STN_ROLE_SPEAKER) {
		i = h->interface.worker_of(h->interface.impl, &command->path.address);
		if (i != peer->facts.worker)
			harness_post(h, i, command);
		return;
	}
	for (i = 0; i < h->pool.count; i++)
		if (i != peer->facts.worker)
			harness_post(h, i, command);
}

static struct command path_command(
	enum command_type type, const struct peer *peer, const struct stn_address *address)
{
	struct command command = {
		.type = type, .handle = peer->facts.leg, .value = peer->facts.leg_id};

	command.path.address = *address;
	command.path.worker = peer->facts.worker;
	return command;
}

void harness_path_remove(struct harness *h, const struct peer *peer)
{
	struct command command;

	if (peer->browser->selected.family == 0)
		return;
	command = path_command(COMMAND_PATH_REMOVE, peer, &peer->browser->selected);
	post_to_others(h, peer, &command);
	peer->browser->selected.family = 0;
}

/* Somebody else had that address: it has it no more. */
static void take_path(struct harness *h, const struct peer *by, const struct stn_address *address)
{
	struct command command;
	unsigned int i;

	for (i = 0; i < h->peer_count; i++) {
		struct peer *peer = h->peer[i];

		if (peer == by || peer->browser == NULL ||
			memcmp(&peer->browser->selected, address, sizeof(*address)) != 0)
			continue;
		harness_path_remove(h, peer);
		command = path_command(COMMAND_PATH_LOST, peer, address);
		harness_post(h, peer->facts.worker, &command);
	}
}

void harness_moved(struct harness *h, const struct reply *reply)
{
	struct peer *peer;
	struct command command;

	if (reply->type != REPLY_LEG_MOVED && reply->type != REPLY_LEG_LOST)
		return;
	ck_assert_uint_lt(reply->handle, h->peer_count);
	peer = h->peer[reply->handle];
	ck_assert_uint_eq(peer->facts.leg_id, reply->value);
	ck_assert_uint_eq(peer->facts.worker, reply->worker);
	harness_path_remove(h, peer);
	if (reply->type == REPLY_LEG_LOST) {
		peer->browser->losses++;
		return;
	}
	peer->browser->moves++;
	ck_assert_ptr_nonnull(browser_place(peer->browser, &reply->remote));
	take_path(h, peer, &reply->remote);
	peer->browser->selected = reply->remote;
	command = path_command(COMMAND_PATH_ADD, peer, &reply->remote);
	post_to_others(h, peer, &command);
}

void harness_key(struct harness *h, struct peer *peer)
{
	struct command command = {.type = COMMAND_LEG_UPDATE, .handle = peer->facts.leg};
	unsigned int slot;

	for (slot = 0; slot < h->room[peer->facts.room].facts.slot_count; slot++)
		peer->facts.origin[slot] = index_origin_for_join(
			h->room[peer->facts.room].slot_index[slot].value, INDEX_ORIGIN_GUARD);
	command.leg = &peer->facts;
	if (peer->facts.role == STN_ROLE_SPEAKER)
		harness_post_all(h, &command);
	else
		harness_post(h, peer->facts.worker, &command);
	harness_fence(h);
}

void harness_ice(struct harness *h, struct peer *peer)
{
	struct command command = {.type = COMMAND_LEG_ICE, .handle = peer->facts.leg};
	struct ice_facts *before = peer->ice;

	peer->ice = ice_facts_make(&peer->browser->ice);
	ck_assert_ptr_nonnull(peer->ice);
	command.ice = peer->ice;
	harness_post(h, peer->facts.worker, &command);
	if (before == NULL)
		return;
	harness_fence(h);
	ice_facts_free(before);
}

int harness_dtls(struct harness *h, const struct peer *peer, const struct stn_address *remote,
	const void *bytes, unsigned int size)
{
	struct bus_datagram datagram = {
		.leg = peer->facts.leg, .leg_id = peer->facts.leg_id, .size = size};

	if (remote != NULL)
		datagram.remote = *remote;
	memcpy(datagram.bytes, bytes, size);
	return h->interface.datagram_send(h->interface.impl, peer->facts.worker, &datagram);
}

void harness_punted(struct harness *h, const struct bus_datagram *datagram)
{
	struct browser *browser;

	ck_assert_uint_lt(datagram->leg, h->peer_count);
	browser = h->peer[datagram->leg]->browser;
	ck_assert_uint_eq(h->peer[datagram->leg]->facts.leg_id, datagram->leg_id);
	memcpy(browser->punted, datagram->bytes, datagram->size);
	browser->punted_size = datagram->size;
	browser->punted_from = datagram->remote;
	browser->punted_count++;
}

/* To an address that has proved nothing: STUN only, and never more than came from there. */
static void check_mirror(struct browser_place *place, const struct wire *wire, unsigned int size)
{
	if (place->proven)
		return;
	ck_assert_uint_le(wire->payload[0], 3);
	place->arrived += size - FRAME_HEADER;
	ck_assert_uint_le(place->arrived, place->sent);
}

static void place_take(
	struct harness *h, struct peer *peer, struct browser_place *place, const struct wire *wire)
{
	struct browser *browser = peer->browser;
	uint8_t answer[BROWSER_MESSAGE_MAX];
	unsigned int size, at = browser->at;

	ck_assert_msg(!peer->gone, "a datagram to a leg that was removed");
	if (wire->payload[0] <= 3) {
		size = browser_take(browser, place, wire->payload, wire->payload_size, answer);
		browser->at = (unsigned int)(place - browser->place);
		if (size != 0)
			harness_datagram(h, peer, any_worker(h), answer, size);
		browser->at = at;
	} else if (wire->payload[0] < 64) {
		memcpy(browser->dtls, wire->payload, wire->payload_size);
		browser->dtls_size = wire->payload_size;
		browser->dtls_count++;
	} else {
		peer_take(peer, wire->payload, wire->payload_size);
	}
}

bool harness_browser_take(struct harness *h, const struct wire *wire, unsigned int size)
{
	struct browser_place *place;
	struct peer *peer;
	unsigned int i;

	for (i = h->peer_count; i-- > 0;) {
		peer = h->peer[i];
		place = peer->browser != NULL ? browser_place(peer->browser, &wire->destination)
					      : NULL;
		if (place == NULL || place->left)
			continue;
		ck_assert_mem_eq(wire->destination_mac, place->mac, sizeof(place->mac));
		check_mirror(place, wire, size);
		place_take(h, peer, place, wire);
		return true;
	}
	return false;
}
