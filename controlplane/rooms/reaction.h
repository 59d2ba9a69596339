/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Emoji that members send, summed up: one live event a room and half second says how many came,
 * however many people clap. In memory only, and made when the first one comes. Loop's thread; the
 * room owns it.
 */
#ifndef STENTOR_CONTROLPLANE_ROOMS_REACTION_H
#define STENTOR_CONTROLPLANE_ROOMS_REACTION_H

#include "controlplane/rooms/registry.h"
#include "controlplane/rooms/writer.h"

#define REACTION_WINDOW_MS 500

struct reactions {
	uint64_t total[REACTIONS_MAX];   /* since the room is live, or this program runs */
	uint32_t pending[REACTIONS_MAX]; /* not told yet */
	uint64_t flush_ns;               /* when they will be (CLOCK_MONOTONIC) */
	struct room *room;
	/* In registry->reacting while anything is pending, in the order of flush_ns. */
	struct reactions *next, **link;
};

/* The position of the emoji among those that may be sent, or -1. */
int reaction_find(const struct registry *registry, const char *emoji);
/* Counts it; 0 or -ENOMEM. Of a plan: reaction_take_back() undoes it while the plan may be
 * reverted, which ends before the next reaction_due(). */
int reaction_add(struct room *room, unsigned int emoji, uint32_t count, uint64_t now_ns);
void reaction_take_back(struct room *room, unsigned int emoji, uint32_t count);
/* No longer pending. */
void reaction_told(struct reactions *reactions);
/* Accepts NULL. */
void reaction_free(struct reactions *reactions);
/* {"👏":12,...} of those that are not zero, under that name. */
void reaction_describe(struct writer *writer, const char *name, const struct room *room);

#endif
