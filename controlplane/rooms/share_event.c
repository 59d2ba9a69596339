/* SPDX-License-Identifier: BSD-3-Clause */
/* share.create. */
#include "controlplane/rooms/catalog.h"
#include "controlplane/rooms/due.h"

bool share_due(struct plan *plan, struct registry *registry)
{
	return false;
}

const struct event_type share_event_types[] = {{NULL}};
