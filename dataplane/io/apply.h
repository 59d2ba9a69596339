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

/* 0, -ENOMEM, or -EINVAL for a key the engine does not take. */
int apply_speaker_add(
	struct worker *worker, struct worker_leg *leg, const struct worker_message *message);
/* Silence frames that its slot owes are published by the room's timer. */
void apply_speaker_remove(struct worker *worker, struct worker_leg *leg);

void apply_master_key(const struct stn_master_key *wire, struct master_key *out);
void apply_template(const struct worker *worker, const struct leg_facts *facts,
	const struct worker_message *message, struct frame_template *out);

#endif
