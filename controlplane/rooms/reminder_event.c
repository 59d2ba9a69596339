/* SPDX-License-Identifier: BSD-3-Clause */
/* reminder.set, reminder.cancel. */
#include "controlplane/rooms/catalog.h"
#include "controlplane/rooms/due.h"

bool reminder_due(struct plan *plan, struct registry *registry)
{
	return false;
}

const struct event_type reminder_event_types[] = {{NULL}};
