/* SPDX-License-Identifier: BSD-3-Clause */
/* reaction.send. */
#include "controlplane/rooms/catalog.h"
#include "controlplane/rooms/due.h"

bool reaction_due(struct plan *plan, struct registry *registry)
{
	return false;
}

const struct event_type reaction_event_types[] = {{NULL}};
