/* SPDX-License-Identifier: BSD-3-Clause */
/* Lines of events.sock, from the bytes to the plan. */
#include <jansson.h>

#include "controlplane/events/line.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/rooms.h"

/* An answer is JSON: one object once its marks are replaced. */
static void check_answer(const struct desk *desk, const struct plan *plan)
{
	struct writer text = {0}, whole = {0};
	json_t *root;

	writer_begin_object(&text, NULL);
	writer_raw(&text, plan->answer.text, plan->answer.size);
	writer_end_object(&text);
	secret_expand(&desk->registry, false, text.text, text.size, &whole);
	root = json_loadb(whole.text, whole.size, JSON_REJECT_DUPLICATES, NULL);
	FUZZ_CHECK(json_is_object(root));
	json_decref(root);
	writer_clear(&text);
	writer_clear(&whole);
}

static void check_events(const struct plan *plan)
{
	for (size_t i = 0; i < plan->change_count; i++) {
		const struct change *change = &plan->changes[i];
		json_t *root;

		if (change->type != CHANGE_EVENT)
			continue;
		root = json_loadb(
			change->event.text, change->event.size, JSON_REJECT_DUPLICATES, NULL);
		FUZZ_CHECK(json_is_object(root));
		FUZZ_CHECK(json_integer_value(json_object_get(root, "seq")) ==
			   (json_int_t)change->event.sequence);
		json_decref(root);
	}
}

/* Operations are whole, of known types, and as many as the plan says. */
static void check_ops(const struct plan *plan)
{
	size_t at = 0;
	uint32_t count = 0;

	for (; at < plan->ops_size; count++) {
		const struct stn_op *op = (const struct stn_op *)(plan->ops + at);

		FUZZ_CHECK(op->type >= 1 && op->type < STN_OP_COUNT && op->size >= sizeof(*op));
		at += op->size;
	}
	FUZZ_CHECK(at == plan->ops_size && count == plan->op_count);
}

static void handle(struct desk *desk, char *line, size_t size)
{
	char *before = desk_state(&desk->registry), *after;
	struct parsed parsed;
	struct plan plan;
	bool good;

	plan_init(&plan, &desk->now);
	good = parse_line(line, size, &parsed, &plan.verdict);
	FUZZ_CHECK(good == (plan.verdict.code == VERDICT_OK));
	if (good) {
		event_decide(&desk->registry, &parsed.event, &plan);
		good = plan.verdict.code == VERDICT_OK;
	}
	if (good) {
		check_answer(desk, &plan);
		check_events(&plan);
		check_ops(&plan);
	} else {
		FUZZ_CHECK(plan.verdict.message[0] != '\0');
		plan_revert(&plan, &desk->registry);
		after = desk_state(&desk->registry);
		FUZZ_CHECK(strcmp(before, after) == 0);
		free(after);
	}
	plan_clear(&plan);
	parse_clear(&parsed);
	free(before);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct line_buffer lines;
	struct desk desk;
	size_t at = 0;

	parse_setup();
	desk_open(&desk);
	if (line_open(&lines) != 0)
		return 0;
	while (at < size) {
		enum line_result result;
		size_t space, line_size;
		char *line, *to = line_space(&lines, &space);

		FUZZ_CHECK(space > 0);
		space = space < size - at ? space : size - at;
		memcpy(to, data + at, space);
		line_filled(&lines, space);
		at += space;
		while ((result = line_next(&lines, &line, &line_size)) != LINE_NONE) {
			if (result == LINE_FOUND)
				handle(&desk, line, line_size);
		}
	}
	line_close(&lines);
	desk_close(&desk);
	return 0;
}
