/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Parts of applying a command that have a file of their own: rooms and speakers, who own more than
 * a row in a table. Worker lcore only, between two bursts.
 */
#ifndef STENTOR_DATAPLANE_IO_APPLY_H
#define STENTOR_DATAPLANE_IO_APPLY_H

#include "dataplane/io/state.h"

/* 0 or -ENOMEM. */
int apply_room_open(struct worker *worker, const struct room_facts *facts);
void apply_room_update(struct worker *worker, const struct room_facts *facts);
/* room may be NULL (its ROOM_ADD was refused): then only the status is written. */
void apply_room_stats(
	const struct worker *worker, const struct worker_room *room, struct stn_room_stats *out);

/* 0, -ENOMEM, or -EINVAL for a key the engine does not take. It is sent nothing yet. */
int apply_speaker_add(struct worker *worker, struct worker_leg *leg);
/* Takes up the keys that have come since. The same errors; then it has none. */
int apply_speaker_keys(struct worker *worker, struct worker_leg *leg);
/* Where it is sent to from now on; mac_known false: held back. */
void apply_speaker_path(const struct worker *worker, struct worker_leg *leg,
	const struct ice_origin *to, bool mac_known);
/* Silence frames that its slot owes are published by the room's timer. */
void apply_speaker_remove(struct worker *worker, struct worker_leg *leg);

void apply_master_key(const struct stn_master_key *wire, struct master_key *out);
void apply_template(
	const struct worker *worker, const struct ice_origin *to, struct frame_template *out);

/*
 * Into the room's shard; leg->unresolved: held back until listener_release(). 0, -ENOSPC, -ENOMEM,
 * or what the engine says of the key.
 */
int listener_add(struct worker *worker, struct worker_leg *leg, const struct ice_origin *to);
/* At once nothing more is sent to it; a fan-out under way goes on without it. */
void listener_remove(struct worker *worker, struct worker_leg *leg);
void listener_release(struct worker *worker, struct worker_leg *leg, const uint8_t mac[6]);
/*
 * What was sent to a leg of this worker since it was added, repetitions (RFC 4585) not included. Of
 * a speaker each copy the port took. Of a listener nothing is counted copy by copy: it is what its
 * room's fan-outs came by with while it was in the shard and not held back. That is exact in the
 * middle of a fan-out too, but for copies that were due and not made, which the worker counts by
 * reason and not by leg: no buffer or refused by the port (tx_no_buffer, tx_refused), the rest of a
 * fan-out that was cut (tx_stale, fanout_cut); and but for packets between a join just before a
 * wrap of the sequence number and that wrap (SHARD_ORIGIN_NEVER, index_origin_for_join()).
 */
struct copy_count listener_copies(const struct worker *worker, const struct worker_leg *leg);
/*
 * Sends to another address from now on, and no packet twice: in place where the headers are alike,
 * else in a new place behind the end of the fan-out under way, which then leaves it out. As
 * listener_add(); on failure it is out.
 */
int listener_redirect(struct worker *worker, struct worker_leg *leg, const struct ice_origin *to);

/* 0, -ENOMEM. message: the next hop of a path to start with. */
int path_leg_add(
	struct worker *worker, struct worker_leg *leg, const struct worker_message *message);
void path_leg_remove(struct worker *worker, struct worker_leg *leg);
/* Brings what is sent where in line with the leg's keys and its selected path. */
int path_update(struct worker *worker, struct worker_leg *leg);
/* What follows from a message, a timer or a command: tuples, copies, replies. */
void path_follow(struct worker *worker, struct worker_leg *leg, enum ice_event event);
/* The next hop of the path that the leg was to start with. */
void path_neighbour(struct worker *worker, struct worker_leg *leg, const uint8_t mac[6]);
/* A tuple for this place; a WEBRTC leg that had it loses it. 0, -EEXIST (a keyed leg's), -ENOSPC.
 */
int path_claim(struct worker *worker, const struct stn_address *address, uint32_t place);
void path_redirect_add(struct worker *worker, const struct command *command);
void path_redirect_remove(struct worker *worker, const struct command *command);
void path_lost(struct worker *worker, const struct command *command);

#endif
