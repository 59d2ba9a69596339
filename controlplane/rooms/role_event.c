/* SPDX-License-Identifier: BSD-3-Clause */
/* role.set, and who inherits a room. */
#include "controlplane/rooms/catalog.h"
#include "controlplane/rooms/due.h"

bool host_due(struct plan *plan, struct registry *registry)
{
	return false;
}

const struct event_type role_event_types[] = {{NULL}};
