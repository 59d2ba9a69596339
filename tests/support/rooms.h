/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * For tests of rooms/: a registry with repeatable random numbers and a clock that stands still
 * until it is told, requests as JSON, and the whole state as text to compare.
 */
#ifndef STENTOR_TESTS_SUPPORT_ROOMS_H
#define STENTOR_TESTS_SUPPORT_ROOMS_H

#include <stdio.h>
#include <string.h>

#include "controlplane/events/parse.h"
#include "controlplane/rooms/decide.h"
#include "controlplane/rooms/plan.h"
#include "controlplane/rooms/secret.h"
#include "tests/support/random.h"
#include "tests/support/state.h"

struct desk {
	struct registry registry;
	struct moment now;
	struct verdict verdict; /* of the last request */
	char answer[8192];      /* its answer with marks, NUL-terminated, cut if longer */
	unsigned int ops;       /* of the last request */
	unsigned int events;
};

/* Counts up: the test knows each byte, and no two keys are the same. */
static inline int desk_random(void *bytes, size_t size)
{
	static uint64_t next = 1;
	struct random_state state = {next++};

	random_fill(&state, bytes, size);
	return 0;
}

static inline void desk_open(struct desk *desk)
{
	static const struct registry_limits limits = {100, 1000, 1000};

	*desk = (struct desk){.now = {1000000000, 1700000000000}};
	registry_init(&desk->registry, &limits, desk_random);
}

static inline void desk_close(struct desk *desk)
{
	registry_clear(&desk->registry);
}

/* Handles the line into plan; the caller clears or reverts it. True: not refused. */
static inline bool desk_plan(struct desk *desk, struct plan *plan, const char *line)
{
	struct parsed parsed;

	plan_init(plan, &desk->now);
	if (parse_line(line, strlen(line), &parsed, &plan->verdict))
		event_decide(&desk->registry, &parsed.event, plan);
	parse_clear(&parsed);
	desk->verdict = plan->verdict;
	desk->ops = plan->op_count;
	desk->events = 0;
	for (size_t i = 0; i < plan->change_count; i++)
		desk->events += plan->changes[i].type == CHANGE_EVENT;
	snprintf(desk->answer, sizeof(desk->answer), "%.*s", (int)plan->answer.size,
		plan->answer.size == 0 ? "" : plan->answer.text);
	if (plan->verdict.code == VERDICT_OK)
		return true;
	plan_revert(plan, &desk->registry);
	return false;
}

static inline enum verdict_code desk_ask(struct desk *desk, const char *line)
{
	struct plan plan;

	desk_plan(desk, &plan, line);
	plan_clear(&plan);
	return desk->verdict.code;
}

#endif
