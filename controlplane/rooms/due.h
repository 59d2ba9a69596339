/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What happens by itself, by the clock: requests and invitations for the floor expire, a room
 * without its host is inherited, shares end, rooms that were not begun are closed, reminders come
 * due, followers are told, reactions are summed up. Pure, and a step at a time: each call does one
 * thing that is due at plan->now into an empty plan, which is written like a request's.
 *
 * A step is a function in the file of its family; due.c lists them in the order in which they run.
 */
#ifndef STENTOR_CONTROLPLANE_ROOMS_DUE_H
#define STENTOR_CONTROLPLANE_ROOMS_DUE_H

#include "controlplane/rooms/plan.h"

/* Each: does the first thing that is due, if any. True: the plan has something in it, ask again.
 * False with a verdict: out of memory, the plan is to be reverted. */
typedef bool (*due_step)(struct plan *plan, struct registry *registry);

bool floor_due(struct plan *plan, struct registry *registry);
bool host_due(struct plan *plan, struct registry *registry);
bool share_due(struct plan *plan, struct registry *registry);
bool schedule_due(struct plan *plan, struct registry *registry);
bool reminder_due(struct plan *plan, struct registry *registry);
bool announcement_due(struct plan *plan, struct registry *registry);
bool reaction_due(struct plan *plan, struct registry *registry);

/* A step that keeps the earliest time of its own looks at everything again no later than after it.
 */
#define DUE_LOOK_NS 10000000000u

/* The first step that has something to do. */
bool due_run(struct plan *plan, struct registry *registry);

/* due_run() is to be called no later than then (CLOCK_MONOTONIC). */
void due_wake(struct registry *registry, uint64_t at_ns);

#endif
