/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The one way from a request to its plan: whether the actor asks too often, then the type's
 * handler. Pure; loop's thread.
 */
#ifndef STENTOR_CONTROLPLANE_ROOMS_DECIDE_H
#define STENTOR_CONTROLPLANE_ROOMS_DECIDE_H

#include "controlplane/rooms/plan.h"

/*
 * Into an empty plan. Types with EVENT_RATED or EVENT_REACTS take one from the actor's bucket
 * first, whatever comes of the request then; who finds none is refused rate_limited, before
 * anything else is looked at. Moderators of the platform and requests without an actor are not
 * counted.
 */
void event_decide(struct registry *registry, const struct event *event, struct plan *plan);

/* The same request once more, counted already. */
void event_decide_again(struct registry *registry, const struct event *event, struct plan *plan);

#endif
