/* SPDX-License-Identifier: BSD-3-Clause */
#include "controlplane/rooms/announcement.h"
#include "controlplane/rooms/due.h"

void announcement_begin(
	struct registry *registry, struct room_rules *rules, const struct moment *now)
{
	rules->told = 0;
	rules->told_parts = 0;
	rules->tell_until = 0;
	if (rules->access == ACCESS_INVITED)
		return;
	rules->tell_until = registry->next_id;
	due_wake(registry, now->mono_ns);
}

bool announcement_due(struct plan *plan, struct registry *registry)
{
	return false;
}
