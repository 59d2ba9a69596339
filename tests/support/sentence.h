/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rules as sentences: what was said before, what is asked, what the answer is. A refusal changes
 * nothing, and a good request taken back has not been. Over the desk of rooms.h.
 */
#ifndef STENTOR_TESTS_SUPPORT_SENTENCE_H
#define STENTOR_TESTS_SUPPORT_SENTENCE_H

#include "tests/support/rooms.h"
#include "tests/support/unit.h"

struct sentence {
	const char *what;
	const char *before[6]; /* each must be good */
	const char *line;
	enum verdict_code code;
	const char *says; /* part of the message, or of the answer */
	unsigned int ops, events;
};

/* The desk is open and prepared; it is closed here. */
static inline void sentence_check(struct desk *desk, const struct sentence *row)
{
	const char *text;
	char *state, *after;
	struct plan plan;

	for (unsigned int i = 0; i < 6 && row->before[i] != NULL; i++)
		ck_assert_msg(desk_ask(desk, row->before[i]) == VERDICT_OK, "%s: before %u: %s",
			row->what, i, desk->verdict.message);
	state = desk_state(&desk->registry);
	desk_plan(desk, &plan, row->line);
	ck_assert_msg(desk->verdict.code == row->code, "%s: %s '%s'", row->what,
		verdict_code_name(desk->verdict.code), desk->verdict.message);
	text = row->code == VERDICT_OK ? desk->answer : desk->verdict.message;
	ck_assert_msg(strstr(text, row->says) != NULL, "%s: '%s'", row->what, text);
	if (row->code == VERDICT_OK) {
		ck_assert_msg(desk->ops == row->ops, "%s: %u ops", row->what, desk->ops);
		ck_assert_msg(
			desk->events == row->events, "%s: %u events", row->what, desk->events);
		after = desk_state(&desk->registry);
		if (row->events > 0)
			ck_assert_msg(strcmp(state, after) != 0, "%s: changed nothing", row->what);
		free(after);
		plan_revert(&plan, &desk->registry);
	}
	plan_clear(&plan);
	after = desk_state(&desk->registry);
	ck_assert_msg(strcmp(state, after) == 0, "%s: changed\n%s\n%s", row->what, state, after);
	free(state);
	free(after);
	desk_close(desk);
}

#endif
