/* SPDX-License-Identifier: BSD-3-Clause */
#include "controlplane/rooms/decide.h"
#include "controlplane/rooms/person.h"

#define MS_NS 1000000u

static bool in_time(struct registry *registry, const struct event *event, struct plan *plan)
{
	const struct registry_limits *limits = &registry->limits;
	bool reacts = event->type->flags & EVENT_REACTS;
	const struct rate_limit limit =
		reacts ? (struct rate_limit){limits->reactions_per_second, limits->reactions_burst}
		       : (struct rate_limit){
				 limits->moderation_per_second, limits->moderation_burst};
	const struct user *user;
	uint64_t wait_ns;

	if (!(event->type->flags & (EVENT_RATED | EVENT_REACTS)) || event->actor == NULL)
		return true;
	user = registry_user(registry, event->actor);
	if (user != NULL && user->moderator)
		return true;
	wait_ns = rate_take(reacts ? &registry->reactions_rate : &registry->moderation_rate, &limit,
		event->actor, plan->now.mono_ns);
	if (wait_ns == 0)
		return true;
	verdict_refuse(&plan->verdict, VERDICT_RATE_LIMITED,
		"\"%s\" asks too often: %u a second, %u at once", event->actor, limit.per_second,
		limit.burst);
	plan->verdict.retry_after_ms = (wait_ns + MS_NS - 1) / MS_NS;
	return false;
}

void event_decide(struct registry *registry, const struct event *event, struct plan *plan)
{
	if (in_time(registry, event, plan))
		event_decide_again(registry, event, plan);
}

void event_decide_again(struct registry *registry, const struct event *event, struct plan *plan)
{
	event->type->handle(registry, event, plan);
}
