/* SPDX-License-Identifier: BSD-3-Clause */
/* user.upsert, user.get, timeline.get. */
#include "controlplane/rooms/catalog.h"
#include "controlplane/rooms/due.h"

bool announcement_due(struct plan *plan, struct registry *registry)
{
	return false;
}

const struct event_type person_event_types[] = {{NULL}};
