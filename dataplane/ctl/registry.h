/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is programmed: rooms and legs, by id, by address, by handle. Memory of the main lcore; the
 * facts inside are read by workers from the moment the room or leg is visible until the fence
 * behind its removal was answered, and are immutable in between. Until then what was removed waits
 * in limbo, so that its memory, its handle and its index record are not given to anybody else.
 *
 * Attaching and detaching changes only what the main lcore knows; change.h undoes it, apply.h
 * tells the workers.
 */
#ifndef STENTOR_DATAPLANE_CTL_REGISTRY_H
#define STENTOR_DATAPLANE_CTL_REGISTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/ctl/index_store.h"
#include "dataplane/ctl/leg.h"
#include "dataplane/ctl/map.h"

#define HANDLE_NONE UINT32_MAX

struct handle_table {
	void **by_handle;
	uint32_t *free_list;
	uint32_t free_count;
	uint32_t size;
};

struct registry {
	struct index_store *store; /* not owned */
	struct map rooms;          /* by room_id */
	struct map legs;           /* by leg_id */
	struct map remotes;        /* legs by address */
	struct handle_table room_handles;
	struct handle_table leg_handles;
	struct deadline_heap deadlines;
	struct limbo *limbo_first;
	struct limbo *limbo_last;
	uint32_t limbo_room_handles; /* handles that come back once the fences are answered */
	uint32_t limbo_leg_handles;
	uint32_t worker_count;
	uint32_t home_rooms[STN_WORKERS_MAX]; /* rooms at home on each worker */
	uint32_t rooms_max;
	uint32_t legs_max;
};

int registry_open(struct registry *registry, struct index_store *store, uint32_t rooms_max,
	uint32_t legs_max, uint32_t worker_count);
/* Frees everything, keys zeroised. The index store keeps the records. */
void registry_close(struct registry *registry);

struct room *registry_room(const struct registry *registry, uint64_t room_id);
struct leg *registry_leg(const struct registry *registry, uint64_t leg_id);
struct leg *registry_leg_at(const struct registry *registry, const struct stn_address *remote);
/* What workers speak of; NULL when the handle is not in use. */
struct room *registry_room_by_handle(const struct registry *registry, uint32_t handle);
struct leg *registry_leg_by_handle(const struct registry *registry, uint32_t handle);

static inline uint32_t registry_room_count(const struct registry *registry)
{
	return (uint32_t)registry->rooms.count;
}

static inline uint32_t registry_leg_count(const struct registry *registry)
{
	return (uint32_t)registry->legs.count;
}

/* The worker with the fewest rooms at home. */
uint32_t registry_home(const struct registry *registry);

/* 0 or -ENOMEM, then nothing was changed. What was just detached can always be attached again. */
int registry_attach_room(struct registry *registry, struct room *room);
void registry_detach_room(struct registry *registry, struct room *room);
int registry_attach_leg(struct registry *registry, struct leg *leg);
void registry_detach_leg(struct registry *registry, struct leg *leg);

/*
 * The WEBRTC leg is at another address now (family 0: at none), where no other leg is. Cannot fail:
 * every leg that may have an address has its space.
 */
void registry_move_leg(
	struct registry *registry, struct leg *leg, const struct stn_address *remote);

/* Gives a handle; the caller has seen to it that there is one. */
void registry_show_room(struct registry *registry, struct room *room);
void registry_show_leg(struct registry *registry, struct leg *leg);

/* Puts what workers may still look at aside until the fence `token` was answered. */
void registry_bury_room(struct registry *registry, struct room *room, uint64_t token);
void registry_bury_version(struct registry *registry, struct room_version *version, uint64_t token);
void registry_bury_leg(struct registry *registry, struct leg *leg, uint64_t token);
void registry_bury_leg_version(
	struct registry *registry, struct leg_version *version, uint64_t token);
void registry_bury_ice(struct registry *registry, struct ice_version *ice, uint64_t token);
/* Frees what was waiting for fences up to `done`. */
void registry_release(struct registry *registry, uint64_t done);

/* Zeroed, but for the transport; NULL: out of memory. */
struct leg *registry_make_leg(bool webrtc);
/* Other facts of a WEBRTC leg. */
struct leg_version *registry_make_leg_version(void);
/* Frees what workers never saw. index: undo the taking of its record, or drop it. */
void registry_free_room(struct room *room);
void registry_free_version(struct room_version *version);
void registry_free_leg(struct leg *leg);
void registry_free_leg_version(struct leg_version *version);
void registry_free_ice(struct ice_version *ice); /* accepts NULL */

/* Sets, moves or cancels the deadline after end_ns, mute_until_ns or muted have changed. */
void registry_schedule_room(struct registry *registry, struct room *room);
void registry_schedule_leg(struct registry *registry, struct leg *leg);

/* Over everything mutable except counters; the same set in another order has the same digest. */
uint64_t registry_digest(const struct registry *registry);

#endif
