/* SPDX-License-Identifier: BSD-3-Clause */
#include "controlplane/rooms/due.h"

bool due_run(struct plan *plan, struct registry *registry)
{
	static const due_step steps[] = {floor_due, host_due, share_due, schedule_due, reminder_due,
		announcement_due, reaction_due};

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (steps[i](plan, registry))
			return true;
		if (plan->verdict.code != VERDICT_OK)
			return false;
	}
	return false;
}

void due_wake(struct registry *registry, uint64_t at_ns)
{
	if (registry->wake_ns == 0 || at_ns < registry->wake_ns)
		registry->wake_ns = at_ns;
}
