/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/ctl/registry.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/core/ice.h"

#define owner_of(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

/* Facts that may be replaced have to wait in limbo without their leg. */
struct webrtc_version {
	struct limbo limbo;
	struct leg_version version;
};

static bool same_room(const void *value, const void *key)
{
	return ((const struct room *)value)->version->facts.room_id == *(const uint64_t *)key;
}

static bool same_leg(const void *value, const void *key)
{
	return ((const struct leg *)value)->version->facts.leg_id == *(const uint64_t *)key;
}

static bool same_remote(const void *value, const void *key)
{
	return !memcmp(leg_remote(value), key, sizeof(struct stn_address));
}

static uint64_t remote_hash(const struct stn_address *remote)
{
	uint64_t half[2];

	memcpy(half, remote->address, sizeof(half));
	return map_hash(half[0] ^ map_hash(half[1] ^ map_hash(remote->port_be)));
}

static int handles_open(struct handle_table *table, uint32_t size)
{
	table->by_handle = calloc(size, sizeof(*table->by_handle));
	table->free_list = calloc(size, sizeof(*table->free_list));
	if (!table->by_handle || !table->free_list)
		return -ENOMEM;
	table->size = size;
	/* Low handles are given first: dense arrays of workers stay dense. */
	for (uint32_t i = 0; i < size; i++)
		table->free_list[i] = size - 1 - i;
	table->free_count = size;
	return 0;
}

static void handles_close(struct handle_table *table)
{
	free(table->by_handle);
	free(table->free_list);
	*table = (struct handle_table){0};
}

static uint32_t handle_take(struct handle_table *table, void *owner)
{
	uint32_t handle;

	assert(table->free_count);
	handle = table->free_list[--table->free_count];
	table->by_handle[handle] = owner;
	return handle;
}

static void handle_release(struct handle_table *table, uint32_t handle)
{
	table->free_list[table->free_count++] = handle;
}

int registry_open(struct registry *registry, struct index_store *store, uint32_t rooms_max,
	uint32_t legs_max, uint32_t worker_count)
{
	*registry = (struct registry){.store = store,
		.worker_count = worker_count,
		.rooms_max = rooms_max,
		.legs_max = legs_max};
	map_init(&registry->rooms, same_room);
	map_init(&registry->legs, same_leg);
	map_init(&registry->remotes, same_remote);
	/* To grow is to place every leg anew, and a million of them keep everything waiting. */
	if (map_reserve(&registry->legs, legs_max) || map_reserve(&registry->remotes, legs_max) ||
		handles_open(&registry->room_handles, rooms_max) ||
		handles_open(&registry->leg_handles, legs_max) ||
		deadline_heap_open(&registry->deadlines, (size_t)rooms_max + legs_max)) {
		registry_close(registry);
		return -ENOMEM;
	}
	return 0;
}

void registry_close(struct registry *registry)
{
	for (size_t i = 0; i < registry->legs.size; i++)
		if (map_at(&registry->legs, i))
			registry_free_leg(map_at(&registry->legs, i));
	for (size_t i = 0; i < registry->rooms.size; i++)
		if (map_at(&registry->rooms, i))
			registry_free_room(map_at(&registry->rooms, i));
	/* The process ends: records stay for the next one, so they are not dropped here. */
	registry->store = NULL;
	registry_release(registry, UINT64_MAX);
	map_close(&registry->rooms);
	map_close(&registry->legs);
	map_close(&registry->remotes);
	handles_close(&registry->room_handles);
	handles_close(&registry->leg_handles);
	deadline_heap_close(&registry->deadlines);
}

struct room *registry_room(const struct registry *registry, uint64_t room_id)
{
	return map_find(&registry->rooms, map_hash(room_id), &room_id);
}

struct leg *registry_leg(const struct registry *registry, uint64_t leg_id)
{
	return map_find(&registry->legs, map_hash(leg_id), &leg_id);
}

struct leg *registry_leg_at(const struct registry *registry, const struct stn_address *remote)
{
	return map_find(&registry->remotes, remote_hash(remote), remote);
}

struct room *registry_room_by_handle(const struct registry *registry, uint32_t handle)
{
	return handle < registry->rooms_max ? registry->room_handles.by_handle[handle] : NULL;
}

struct leg *registry_leg_by_handle(const struct registry *registry, uint32_t handle)
{
	return handle < registry->legs_max ? registry->leg_handles.by_handle[handle] : NULL;
}

uint32_t registry_home(const struct registry *registry)
{
	uint32_t best = 0;

	for (uint32_t i = 1; i < registry->worker_count; i++)
		if (registry->home_rooms[i] < registry->home_rooms[best])
			best = i;
	return best;
}

int registry_attach_room(struct registry *registry, struct room *room)
{
	int error = map_add(&registry->rooms, map_hash(room->version->facts.room_id), room);

	if (error)
		return error;
	registry->home_rooms[room->version->facts.home_worker]++;
	room->removed = false;
	return 0;
}

void registry_detach_room(struct registry *registry, struct room *room)
{
	assert(room->leg_count == 0 && !room->removed);
	map_remove(&registry->rooms, map_hash(room->version->facts.room_id), room);
	registry->home_rooms[room->version->facts.home_worker]--;
	room->removed = true;
}

static int room_reserve(struct room *room)
{
	uint32_t capacity = room->leg_capacity ? 2 * room->leg_capacity : 4;
	struct leg **legs;

	if (room->leg_count < room->leg_capacity)
		return 0;
	legs = realloc(room->legs, capacity * sizeof(*legs));
	if (!legs)
		return -ENOMEM;
	room->legs = legs;
	room->leg_capacity = capacity;
	return 0;
}

static void attach_remote(struct registry *registry, struct leg *leg)
{
	const struct stn_address *remote = leg_remote(leg);
	int error = 0;

	if (remote->family)
		error = map_add(&registry->remotes, remote_hash(remote), leg);
	assert(!error);
	(void)error;
}

static void detach_remote(struct registry *registry, struct leg *leg)
{
	const struct stn_address *remote = leg_remote(leg);

	if (remote->family)
		map_remove(&registry->remotes, remote_hash(remote), leg);
}

void registry_move_leg(struct registry *registry, struct leg *leg, const struct stn_address *remote)
{
	detach_remote(registry, leg);
	leg_set_remote(leg, remote);
	attach_remote(registry, leg);
}

int registry_attach_leg(struct registry *registry, struct leg *leg)
{
	struct room *room = leg->room;
	uint64_t hash = map_hash(leg->version->facts.leg_id);

	/* Space for an address as well, whether it has one now or is given one by a worker. */
	if (room_reserve(room) || map_reserve(&registry->remotes, registry->legs.count + 1) ||
		map_add(&registry->legs, hash, leg))
		return -ENOMEM;
	attach_remote(registry, leg);
	leg->position = room->leg_count++;
	room->legs[leg->position] = leg;
	room->speakers += leg->version->facts.role == STN_ROLE_SPEAKER;
	leg->removed = false;
	return 0;
}

void registry_detach_leg(struct registry *registry, struct leg *leg)
{
	struct room *room = leg->room;

	assert(!leg->removed && room->legs[leg->position] == leg);
	map_remove(&registry->legs, map_hash(leg->version->facts.leg_id), leg);
	detach_remote(registry, leg);
	room->legs[leg->position] = room->legs[--room->leg_count];
	room->legs[leg->position]->position = leg->position;
	room->speakers -= leg->version->facts.role == STN_ROLE_SPEAKER;
	leg->removed = true;
}

void registry_show_room(struct registry *registry, struct room *room)
{
	room->version->facts.room = handle_take(&registry->room_handles, room);
	room->visible = true;
}

void registry_show_leg(struct registry *registry, struct leg *leg)
{
	if (leg_is_webrtc(leg))
		leg->version->facts.remote = leg_browser(leg)->remote;
	leg->version->facts.leg = handle_take(&registry->leg_handles, leg);
	leg->version->facts.room = leg->room->version->facts.room;
	leg->version->facts.muted = leg->muted;
	leg->muted_posted = leg->muted;
	leg->visible = true;
}

static void bury(
	struct registry *registry, struct limbo *limbo, enum limbo_kind kind, uint64_t token)
{
	assert(!registry->limbo_last || registry->limbo_last->token <= token);
	*limbo = (struct limbo){NULL, token, kind};
	if (registry->limbo_last)
		registry->limbo_last->next = limbo;
	else
		registry->limbo_first = limbo;
	registry->limbo_last = limbo;
}

void registry_bury_room(struct registry *registry, struct room *room, uint64_t token)
{
	if (room->visible) {
		registry->room_handles.by_handle[room->version->facts.room] = NULL;
		registry->limbo_room_handles++;
	}
	deadline_set(&registry->deadlines, &room->deadline, DEADLINE_NEVER);
	bury(registry, &room->limbo, LIMBO_ROOM, token);
}

void registry_bury_version(struct registry *registry, struct room_version *version, uint64_t token)
{
	bury(registry, &version->limbo, LIMBO_ROOM_FACTS, token);
}

void registry_bury_leg(struct registry *registry, struct leg *leg, uint64_t token)
{
	if (leg->visible) {
		registry->leg_handles.by_handle[leg->version->facts.leg] = NULL;
		registry->limbo_leg_handles++;
	}
	deadline_set(&registry->deadlines, &leg->deadline, DEADLINE_NEVER);
	bury(registry, &leg->limbo, LIMBO_LEG, token);
}

void registry_bury_leg_version(
	struct registry *registry, struct leg_version *version, uint64_t token)
{
	bury(registry, &owner_of(version, struct webrtc_version, version)->limbo, LIMBO_LEG_FACTS,
		token);
}

void registry_bury_ice(struct registry *registry, struct ice_version *ice, uint64_t token)
{
	bury(registry, &ice->limbo, LIMBO_ICE, token);
}

static void release_room(struct registry *registry, struct room *room)
{
	if (room->visible) {
		handle_release(&registry->room_handles, room->version->facts.room);
		registry->limbo_room_handles--;
	}
	if (registry->store)
		index_store_drop(registry->store, INDEX_ROOM, room->version->facts.room_id);
	registry_free_room(room);
}

static void release_leg(struct registry *registry, struct leg *leg)
{
	if (leg->visible) {
		handle_release(&registry->leg_handles, leg->version->facts.leg);
		registry->limbo_leg_handles--;
	}
	if (leg->recorded && registry->store)
		index_store_drop(registry->store, INDEX_LEG, leg->version->facts.leg_id);
	registry_free_leg(leg);
}

void registry_release(struct registry *registry, uint64_t done)
{
	struct limbo *limbo;

	while ((limbo = registry->limbo_first) && limbo->token <= done) {
		registry->limbo_first = limbo->next;
		if (!registry->limbo_first)
			registry->limbo_last = NULL;
		if (limbo->kind == LIMBO_ROOM)
			release_room(registry, owner_of(limbo, struct room, limbo));
		else if (limbo->kind == LIMBO_LEG)
			release_leg(registry, owner_of(limbo, struct leg, limbo));
		else if (limbo->kind == LIMBO_LEG_FACTS)
			registry_free_leg_version(
				&owner_of(limbo, struct webrtc_version, limbo)->version);
		else if (limbo->kind == LIMBO_ICE)
			registry_free_ice(owner_of(limbo, struct ice_version, limbo));
		else
			registry_free_version(owner_of(limbo, struct room_version, limbo));
	}
}

struct leg_version *registry_make_leg_version(void)
{
	struct webrtc_version *made = calloc(1, sizeof(*made));

	return made ? &made->version : NULL;
}

/* One piece of memory for a KEYED leg: there may be a million of them. */
struct leg *registry_make_leg(bool webrtc)
{
	size_t more = webrtc ? sizeof(struct leg_browser) : sizeof(struct leg_version);
	struct leg *leg = calloc(1, sizeof(*leg) + more);

	if (!leg)
		return NULL;
	leg->version =
		webrtc ? registry_make_leg_version() : (struct leg_version *)(uintptr_t)(leg + 1);
	if (!leg->version) {
		free(leg);
		return NULL;
	}
	leg->version->facts.transport = webrtc ? STN_TRANSPORT_WEBRTC : STN_TRANSPORT_KEYED;
	return leg;
}

void registry_free_room(struct room *room)
{
	registry_free_version(room->version);
	free(room->legs);
	free(room);
}

void registry_free_version(struct room_version *version)
{
	explicit_bzero(version, sizeof(*version));
	free(version);
}

void registry_free_leg(struct leg *leg)
{
	if (leg_is_webrtc(leg)) {
		registry_free_ice(leg_browser(leg)->ice);
		registry_free_leg_version(leg->version);
	} else {
		explicit_bzero(leg->version, sizeof(*leg->version));
	}
	free(leg);
}

void registry_free_leg_version(struct leg_version *version)
{
	explicit_bzero(version, sizeof(*version));
	free(owner_of(version, struct webrtc_version, version));
}

void registry_free_ice(struct ice_version *ice)
{
	if (!ice)
		return;
	ice_facts_free(ice->facts);
	free(ice);
}

void registry_schedule_room(struct registry *registry, struct room *room)
{
	room->deadline.kind = DEADLINE_ROOM;
	deadline_set(&registry->deadlines, &room->deadline,
		room->end_ns ? room->end_ns : DEADLINE_NEVER);
}

void registry_schedule_leg(struct registry *registry, struct leg *leg)
{
	uint64_t at_ns = leg->end_ns ? leg->end_ns : DEADLINE_NEVER;

	if (leg->muted && leg->mute_until_ns && leg->mute_until_ns < at_ns)
		at_ns = leg->mute_until_ns;
	leg->deadline.kind = DEADLINE_LEG;
	deadline_set(&registry->deadlines, &leg->deadline, at_ns);
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
	return map_hash(hash ^ value);
}

static uint64_t room_digest(const struct room *room)
{
	uint64_t hash = mix(1, room->version->facts.room_id);

	hash = mix(hash, room->end_ns);
	hash = mix(hash, room->version->facts.profile_count);
	hash = mix(hash, (uint64_t)room->leg_count << 32 | room->speakers);
	return mix(hash, (uint64_t)room->visible << 1 | room->removed);
}

static uint64_t leg_digest(const struct leg *leg)
{
	uint64_t hash = mix(2, leg->version->facts.leg_id);

	hash = mix(hash, leg->end_ns);
	hash = mix(hash, leg->mute_until_ns);
	hash = mix(hash, (uint64_t)leg->version->facts.role << 32 | leg->version->facts.worker);
	for (unsigned int i = 0; i < STN_SLOTS_MAX; i++)
		hash = mix(hash, leg->version->facts.origin[i]);
	hash = mix(hash, remote_hash(leg_remote(leg)) ^ leg_remote(leg)->family);
	hash = mix(hash, (uint64_t)leg->version->facts.tx.suite << 1 | (leg_ice(leg) != NULL));
	return mix(
		hash, (uint64_t)leg->muted << 2 | (uint64_t)leg->muted_posted << 1 | leg->visible);
}

uint64_t registry_digest(const struct registry *registry)
{
	uint64_t digest = 0;

	for (size_t i = 0; i < registry->rooms.size; i++)
		if (map_at(&registry->rooms, i))
			digest += room_digest(map_at(&registry->rooms, i));
	for (size_t i = 0; i < registry->legs.size; i++)
		if (map_at(&registry->legs, i))
			digest += leg_digest(map_at(&registry->legs, i));
	return digest;
}
