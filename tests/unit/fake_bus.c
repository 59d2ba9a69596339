/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/fake_bus.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define require(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "fake worker: %s:%d: %s\n", __func__, __LINE__, \
				#condition); \
			abort(); \
		} \
	} while (0)

static int post(void *impl, unsigned int worker, const struct command *command)
{
	struct fake_bus *fake = impl;
	struct fake_worker *to = &fake->worker[worker];

	require(worker < fake->bus.worker_count);
	fake->posts++;
	if (to->count == fake->ring_size ||
		(fake->post_fails && fake->posts % fake->post_fails == 0))
		return -EAGAIN;
	to->ring[(to->first + to->count++) % FAKE_RING_MAX] = *command;
	return 0;
}

static bool poll_reply(void *impl, struct reply *reply)
{
	struct fake_bus *fake = impl;

	if (!fake->reply_count)
		return false;
	*reply = fake->replies[fake->reply_first];
	fake->reply_first = (fake->reply_first + 1) % FAKE_REPLIES_MAX;
	fake->reply_count--;
	return true;
}

static unsigned int worker_of(void *impl, const struct stn_address *remote)
{
	struct fake_bus *fake = impl;

	return (remote->address[3] + remote->port_be) % fake->bus.worker_count;
}

static unsigned int worker_of_leg(void *impl, uint64_t leg_id)
{
	struct fake_bus *fake = impl;

	return (unsigned int)(leg_id / 3 % fake->bus.worker_count);
}

static bool datagram_poll(void *impl, struct bus_datagram *out)
{
	struct fake_bus *fake = impl;

	if (!fake->ups)
		return false;
	*out = fake->up[0];
	if (fake->up_endless) {
		fake->up_endless--;
		return true;
	}
	fake->ups--;
	memmove(fake->up, fake->up + 1, fake->ups * sizeof(fake->up[0]));
	return true;
}

static int datagram_send(void *impl, unsigned int worker, const struct bus_datagram *datagram)
{
	struct fake_bus *fake = impl;
	struct fake_worker *to = &fake->worker[worker];

	require(worker < fake->bus.worker_count);
	require(datagram->size && datagram->size <= STN_DATAGRAM_MAX);
	if (fake->down_full || to->downs == FAKE_DATAGRAMS_MAX)
		return -EAGAIN;
	to->down[to->downs++] = *datagram;
	return 0;
}

static int route(void *impl, const struct stn_address *remote)
{
	struct fake_bus *fake = impl;

	return fake->no_route_ipv6 && remote->family == 6 ? -ENETUNREACH : 0;
}

static bool reachable(void *impl, uint32_t leg)
{
	const struct fake_bus *fake = impl;
	unsigned int i;

	for (i = 0; i < fake->bus.worker_count; i++)
		if (fake->worker[i].leg[leg] != NULL)
			return fake->worker[i].leg[leg]->leg_id != fake->unreachable_leg;
	return false;
}

static void stats(void *impl, unsigned int worker, struct stn_worker_stats *out)
{
	struct fake_bus *fake = impl;

	*out = (struct stn_worker_stats){
		.rx_packets = 1000 + worker, .copies = fake->worker[worker].applied};
}

void fake_bus_init(struct fake_bus *fake, unsigned int workers)
{
	memset(fake, 0, sizeof(*fake));
	fake->ring_size = FAKE_RING_MAX;
	fake->bus = (struct worker_bus){.impl = fake,
		.worker_count = workers,
		.post = post,
		.poll = poll_reply,
		.worker_of = worker_of,
		.worker_of_leg = worker_of_leg,
		.datagram_poll = datagram_poll,
		.datagram_send = datagram_send,
		.route = route,
		.reachable = reachable,
		.stats = stats};
}

void fake_bus_reply(struct fake_bus *fake, const struct reply *reply)
{
	require(fake->reply_count < FAKE_REPLIES_MAX);
	fake->replies[(fake->reply_first + fake->reply_count++) % FAKE_REPLIES_MAX] = *reply;
}

/* ---- addresses ---- */

static struct fake_path *find_path(struct fake_worker *self, const struct stn_address *address)
{
	for (unsigned int i = 0; i < FAKE_PATHS_MAX; i++)
		if (self->path[i].leg_id &&
			!memcmp(&self->path[i].address, address, sizeof(*address)))
			return &self->path[i];
	return NULL;
}

static void path_add(struct fake_bus *fake, unsigned int worker, const struct command *command)
{
	struct fake_worker *self = &fake->worker[worker];
	unsigned int i = 0;

	require(command->path.address.family && command->path.worker != worker);
	require(command->path.worker < fake->bus.worker_count);
	require(!find_path(self, &command->path.address));
	while (self->path[i].leg_id)
		require(++i < FAKE_PATHS_MAX);
	self->path[i] = (struct fake_path){
		command->path.address, command->value, command->handle, command->path.worker};
	self->paths++;
}

static void path_remove(struct fake_worker *self, const struct command *command)
{
	struct fake_path *path = find_path(self, &command->path.address);

	require(path && path->leg_id == command->value && path->leg == command->handle);
	path->leg_id = 0;
	self->paths--;
}

static void path_lost(struct fake_worker *self, const struct command *command)
{
	const struct leg_facts *leg = self->leg[command->handle];

	require(leg && leg->leg_id == command->value && leg->transport == STN_TRANSPORT_WEBRTC);
	self->lost = (struct fake_path){
		command->path.address, command->value, command->handle, command->path.worker};
	self->losses++;
}

/* Nobody may be sent what is for a leg that does not exist any more. */
static void require_no_path(const struct fake_worker *self, uint32_t leg)
{
	for (unsigned int i = 0; i < FAKE_PATHS_MAX; i++)
		require(!self->path[i].leg_id || self->path[i].leg != leg);
}

/* ---- rooms and legs ---- */

static void room_add(struct fake_worker *self, const struct command *command)
{
	const struct room_facts *facts = command->room;

	require(facts->room < FAKE_HANDLES_MAX && facts->room == command->handle);
	if (command->type == COMMAND_ROOM_ADD) {
		require(!self->room[facts->room]);
		self->added_since_fence = true;
	} else {
		const struct room_facts *old = self->room[facts->room];

		require(old && old->room_id == facts->room_id && old != facts);
		require(old->home_worker == facts->home_worker);
		require(!memcmp(old->slot_index, facts->slot_index, sizeof(old->slot_index)));
	}
	for (unsigned int i = 0; i < facts->slot_count; i++)
		require(facts->slot_index[i]->value != 0);
	self->room[facts->room] = facts;
}

static void room_remove(struct fake_worker *self, uint32_t handle)
{
	require(handle < FAKE_HANDLES_MAX && self->room[handle]);
	require(!self->added_since_fence);
	for (unsigned int i = 0; i < FAKE_HANDLES_MAX; i++)
		require(!self->leg[i] || self->leg[i]->room != handle);
	self->room[handle] = NULL;
}

static void require_cells(const struct leg_facts *facts)
{
	/* A listener has them when it was a speaker. */
	if (facts->role == STN_ROLE_SPEAKER)
		require((facts->rx.suite != STN_SUITE_NONE) == (facts->cells != NULL));
}

static bool refuses(struct fake_bus *fake, unsigned int worker, unsigned int *after,
	const struct command *command)
{
	struct reply reply = {.type = REPLY_REFUSED,
		.worker = worker,
		.handle = command->handle,
		.slot = command->type,
		.value = STN_STATUS_NO_SPACE};

	if (!*after || --*after)
		return false;
	fake_bus_reply(fake, &reply);
	return true;
}

/* Keys, once, and nothing else. */
static void leg_update(struct fake_bus *fake, unsigned int worker, const struct command *command)
{
	struct fake_worker *self = &fake->worker[worker];
	const struct leg_facts *facts = command->leg;
	const struct leg_facts *old = self->leg[command->handle];

	require(old && facts != old && facts->leg == command->handle);
	require(facts->leg_id == old->leg_id && facts->room == old->room);
	require(facts->worker == old->worker && facts->role == old->role);
	require(facts->transport == STN_TRANSPORT_WEBRTC);
	require(old->tx.suite == STN_SUITE_NONE && old->rx.suite == STN_SUITE_NONE);
	require(facts->tx.suite != STN_SUITE_NONE && facts->rx.suite != STN_SUITE_NONE);
	require(facts->role != STN_ROLE_SPEAKER || facts->muted == self->muted[command->handle]);
	require_cells(facts);
	self->added_since_fence = true;
	self->updates++;
	if (!refuses(fake, worker, &self->refuse_update_after, command))
		self->leg[command->handle] = facts;
}

static void leg_ice(struct fake_worker *self, unsigned int worker, const struct command *command)
{
	const struct leg_facts *leg = self->leg[command->handle];

	require(leg || self->refused[command->handle]);
	require(command->ice && command->ice != self->ice[command->handle]);
	require(!leg || (leg->transport == STN_TRANSPORT_WEBRTC && leg->worker == worker));
	self->ice[command->handle] = command->ice;
	self->ices++;
}

static void leg_add(struct fake_bus *fake, unsigned int worker, const struct command *command)
{
	struct fake_worker *self = &fake->worker[worker];
	const struct leg_facts *facts = command->leg;
	bool speaker = facts->role == STN_ROLE_SPEAKER;

	require(facts->leg < FAKE_HANDLES_MAX && facts->leg == command->handle);
	require(!self->leg[facts->leg] && !self->refused[facts->leg]);
	require(self->room[facts->room]);
	require(speaker || facts->worker == worker);
	require(!speaker || facts->worker == self->room[facts->room]->home_worker);
	require_cells(facts);
	require_no_path(self, facts->leg);
	/* That of a webrtc leg is only where it began. */
	for (unsigned int i = 0; i < FAKE_HANDLES_MAX; i++)
		require(!self->leg[i] || self->leg[i]->transport != STN_TRANSPORT_KEYED ||
			memcmp(&self->leg[i]->remote, &facts->remote, sizeof(facts->remote)));
	self->added_since_fence = true;
	self->adds++;
	if (refuses(fake, worker, &self->refuse_after, command)) {
		self->refused[facts->leg] = true;
		return;
	}
	self->leg[facts->leg] = facts;
	self->muted[facts->leg] = facts->muted;
}

static void leg_remove(struct fake_worker *self, uint32_t handle)
{
	require(handle < FAKE_HANDLES_MAX && (self->leg[handle] || self->refused[handle]));
	require(!self->added_since_fence);
	require_no_path(self, handle);
	self->leg[handle] = NULL;
	self->ice[handle] = NULL;
	self->refused[handle] = false;
	self->removes++;
}

static void leg_mute(struct fake_worker *self, const struct command *command)
{
	require(command->handle < FAKE_HANDLES_MAX && self->leg[command->handle]);
	require(self->leg[command->handle]->role == STN_ROLE_SPEAKER);
	if (command->value)
		require(!self->added_since_fence && !self->unmuted_since_fence);
	else
		self->unmuted_since_fence = true;
	self->muted[command->handle] = command->value;
	self->mutes++;
}

static void answer(struct fake_bus *fake, unsigned int worker, const struct command *command)
{
	struct reply reply = {.type = REPLY_FENCE,
		.worker = worker,
		.value = command->value,
		.at_ns = ++fake->now_ns};

	if (command->type == COMMAND_ROOM_STATS) {
		const struct room_facts *facts = fake->worker[worker].room[command->handle];

		require(facts);
		reply.type = REPLY_ROOM_STATS;
		reply.stats = command->stats;
		command->stats->reception.reports++;
		if (facts->home_worker == worker) {
			command->stats->status = STN_STATUS_OK;
			command->stats->slot_count = facts->slot_count;
			command->stats->slot[0].leg_id = fake->slot_leg;
			command->stats->slot[0].index = facts->slot_index[0]->value;
		}
		if (command->copies && fake->worker[worker].leg[command->copies->leg]) {
			command->copies->count.packets = 100 * command->copies->leg_id;
			command->copies->count.payload_bytes = 7;
		}
	} else {
		fake->worker[worker].added_since_fence = false;
		fake->worker[worker].unmuted_since_fence = false;
	}
	fake_bus_reply(fake, &reply);
}

static void apply_one(struct fake_bus *fake, unsigned int worker, const struct command *command)
{
	struct fake_worker *self = &fake->worker[worker];

	self->applied++;
	switch (command->type) {
	case COMMAND_ROOM_ADD:
	case COMMAND_ROOM_UPDATE:
		room_add(self, command);
		break;
	case COMMAND_ROOM_REMOVE:
		room_remove(self, command->handle);
		break;
	case COMMAND_LEG_ADD:
		leg_add(fake, worker, command);
		break;
	case COMMAND_LEG_REMOVE:
		leg_remove(self, command->handle);
		break;
	case COMMAND_LEG_MUTE:
		leg_mute(self, command);
		break;
	case COMMAND_LEG_UPDATE:
		leg_update(fake, worker, command);
		break;
	case COMMAND_LEG_ICE:
		leg_ice(self, worker, command);
		break;
	case COMMAND_PATH_ADD:
		path_add(fake, worker, command);
		break;
	case COMMAND_PATH_REMOVE:
		path_remove(self, command);
		break;
	case COMMAND_PATH_LOST:
		path_lost(self, command);
		break;
	case COMMAND_FENCE:
	case COMMAND_ROOM_STATS:
		answer(fake, worker, command);
		break;
	default:
		require(!"a command that tests expect");
	}
}

unsigned int fake_bus_run(struct fake_bus *fake, unsigned int worker, unsigned int commands)
{
	struct fake_worker *self = &fake->worker[worker];
	unsigned int done = 0;

	for (; done < commands && self->count; done++) {
		struct command command = self->ring[self->first];

		self->first = (self->first + 1) % FAKE_RING_MAX;
		self->count--;
		apply_one(fake, worker, &command);
	}
	return done;
}

void fake_bus_run_all(struct fake_bus *fake)
{
	for (unsigned int i = 0; i < fake->bus.worker_count; i++)
		fake_bus_run(fake, i, UINT32_MAX);
}

const struct leg_facts *fake_bus_leg(
	const struct fake_bus *fake, unsigned int worker, uint64_t leg_id)
{
	for (unsigned int i = 0; i < FAKE_HANDLES_MAX; i++)
		if (fake->worker[worker].leg[i] && fake->worker[worker].leg[i]->leg_id == leg_id)
			return fake->worker[worker].leg[i];
	return NULL;
}

const struct room_facts *fake_bus_room(
	const struct fake_bus *fake, unsigned int worker, uint64_t room_id)
{
	for (unsigned int i = 0; i < FAKE_HANDLES_MAX; i++)
		if (fake->worker[worker].room[i] &&
			fake->worker[worker].room[i]->room_id == room_id)
			return fake->worker[worker].room[i];
	return NULL;
}

bool fake_bus_has_leg(const struct fake_bus *fake, uint64_t leg_id)
{
	for (unsigned int i = 0; i < fake->bus.worker_count; i++)
		if (fake_bus_leg(fake, i, leg_id))
			return true;
	return false;
}

bool fake_bus_muted(const struct fake_bus *fake, unsigned int worker, uint64_t leg_id)
{
	const struct leg_facts *leg = fake_bus_leg(fake, worker, leg_id);

	return leg && fake->worker[worker].muted[leg->leg];
}

uint64_t fake_bus_redirect(
	const struct fake_bus *fake, unsigned int worker, const struct stn_address *address)
{
	for (unsigned int i = 0; i < FAKE_PATHS_MAX; i++) {
		const struct fake_path *path = &fake->worker[worker].path[i];

		if (path->leg_id && !memcmp(&path->address, address, sizeof(*address)))
			return path->leg_id;
	}
	return 0;
}

const struct ice_facts *fake_bus_ice(
	const struct fake_bus *fake, unsigned int worker, uint64_t leg_id)
{
	const struct leg_facts *leg = fake_bus_leg(fake, worker, leg_id);

	return leg ? fake->worker[worker].ice[leg->leg] : NULL;
}

void fake_bus_moved(
	struct fake_bus *fake, const struct leg_facts *leg, const struct stn_address *remote)
{
	struct reply reply = {.type = REPLY_LEG_MOVED,
		.worker = leg->worker,
		.handle = leg->leg,
		.value = leg->leg_id,
		.at_ns = ++fake->now_ns,
		.remote = *remote};

	fake_bus_reply(fake, &reply);
}

void fake_bus_lost(struct fake_bus *fake, const struct leg_facts *leg)
{
	struct reply reply = {.type = REPLY_LEG_LOST,
		.worker = leg->worker,
		.handle = leg->leg,
		.value = leg->leg_id,
		.at_ns = ++fake->now_ns};

	fake_bus_reply(fake, &reply);
}

void fake_bus_up(struct fake_bus *fake, const struct leg_facts *leg, const struct stn_address *from,
	const char *text)
{
	struct bus_datagram *datagram = &fake->up[fake->ups];

	require(fake->ups < FAKE_DATAGRAMS_MAX && strlen(text) <= STN_DATAGRAM_MAX);
	fake->ups++;
	datagram->leg = leg->leg;
	datagram->leg_id = leg->leg_id;
	datagram->remote = *from;
	datagram->size = (uint32_t)strlen(text);
	memcpy(datagram->bytes, text, strlen(text));
}
