/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rules of the rooms without sockets and clock: commands on standard input, a line of JSON
 * each, and for each a line of what came of it. A command says what time it is, and its number:
 * ids and random numbers follow from that, so a command means the same when others before it are
 * left out. See README.md.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controlplane/events/parse.h"
#include "controlplane/rooms/decide.h"
#include "controlplane/rooms/due.h"
#include "controlplane/rooms/secret.h"
#include "tests/model/driver.h"
#include "tests/support/random.h"

#define IDS_A_COMMAND 65536
#define PLANS_A_TRANSACTION 200
#define STEPS_MAX 100000 /* of one due run: more is a step that never ends */

static struct random_state random_numbers;

static int fill_random(void *bytes, size_t size)
{
	random_fill(&random_numbers, bytes, size);
	return 0;
}

static void die(const char *what)
{
	fprintf(stderr, "rooms_driver: %s\n", what);
	exit(1);
}

static void open_database(struct driver *d)
{
	static const struct store_limits limits = {1000, 1000};
	char reason[256] = "";

	registry_init(&d->registry, &d->limits, fill_random);
	if (d->path == NULL)
		return;
	if (store_open(&d->store, d->path, &limits, reason) != 0)
		die(reason);
	if (store_load(d->store, &d->registry, &d->now) != 0)
		die("the database cannot be loaded");
}

static void commit(struct driver *d)
{
	if (d->transaction && store_commit(d->store, d->registry.next_id) != 0)
		die("commit");
	d->transaction = false;
	d->written = 0;
}

static void write_plan(struct driver *d, const struct plan *plan)
{
	if (d->store == NULL || plan->change_count == 0 || plan_is_live(plan))
		return;
	if (!d->transaction && store_begin(d->store) != 0)
		die("begin");
	d->transaction = true;
	if (store_write(d->store, plan) != 0) {
		fflush(stdout);
		die("write");
	}
	if (++d->written >= PLANS_A_TRANSACTION)
		commit(d);
}

static void free_slot(struct registry *registry, uint64_t id)
{
	const struct member *member = registry_member_by_id(registry, id);

	for (unsigned int slot = 0; member != NULL && slot < STN_SLOTS_MAX; slot++) {
		if (member->room->holder[slot] == id)
			member->room->holder[slot] = 0;
	}
}

/* As a data plane that takes everything: it has the profiles, and who is silent, or has no leg or
 * a new one, holds no slot. */
static void program(struct driver *d, const struct plan *plan)
{
	const struct member *member;
	struct room *room;
	uint64_t id = 0;

	for (size_t at = 0; at < plan->ops_size;) {
		const struct stn_op *op = (const struct stn_op *)(plan->ops + at);
		const struct stn_op_room_put *put = (const struct stn_op_room_put *)op;

		at += op->size;
		if (op->type == STN_OP_ROOM_PUT &&
			(room = registry_room_by_id(&d->registry, put->room_id)) != NULL)
			room->profiles_known = put->profile_count;
		if (op->type == STN_OP_LEG_PUT)
			free_slot(&d->registry, ((const struct stn_op_leg_put *)op)->member_id);
		if (op->type == STN_OP_LEG_MUTE && ((const struct stn_op_leg_mute *)op)->muted &&
			(member = registry_member_by_leg(&d->registry,
				 ((const struct stn_op_leg_mute *)op)->leg_id)) != NULL)
			free_slot(&d->registry, member_id(member));
	}
	while (plan->ops_size > 0 && (member = roster_next(&d->registry.members, &id)) != NULL) {
		if (member->put.leg_id == 0)
			free_slot(&d->registry, id);
	}
}

/* The request of the line, decided into the plan. page: member and room whose page sends it.
 * decide: event_decide, or event_decide_again: it counts against nobody. */
static void ask(struct driver *d, struct plan *plan, const char *line, json_t *page,
	void (*decide)(struct registry *, const struct event *, struct plan *))
{
	struct parse_as as = {json_string_value(json_array_get(page, 0)),
		json_string_value(json_array_get(page, 1))};
	struct parsed parsed;

	if (parse_line_as(line, strlen(line), page == NULL ? NULL : &as, &parsed, &plan->verdict))
		decide(&d->registry, &parsed.event, plan);
	d->kept = parsed.event.type != NULL && (parsed.event.type->flags & EVENT_CHANGES);
	parse_clear(&parsed);
}

static void write_answer(struct driver *d, const struct plan *plan)
{
	struct writer text = {0}, whole = {0};

	writer_begin_object(&text, NULL);
	writer_raw(&text, plan->answer.text, plan->answer.size);
	writer_end_object(&text);
	secret_expand(&d->registry, true, text.text, text.size, &whole);
	writer_begin_array(&d->out, "answer");
	writer_raw(&d->out, whole.text, whole.size);
	writer_end_array(&d->out);
	writer_clear(&text);
	writer_clear(&whole);
}

/* Says what came of it; refused or not, the plan is done with. */
static void settle(struct driver *d, struct plan *plan)
{
	struct writer *out = &d->out;

	if (plan->answer.failed)
		die("an answer failed");
	writer_string(out, "code",
		plan->verdict.code == VERDICT_OK ? "ok" : verdict_code_name(plan->verdict.code));
	if (plan->verdict.code != VERDICT_OK) {
		writer_string(out, "message", plan->verdict.message);
		writer_uint(out, "retry_after_ms", plan->verdict.retry_after_ms);
		plan_revert(plan, &d->registry);
	} else {
		write_answer(d, plan);
		writer_uint(out, "query", plan->query);
		outcome_write(out, &d->registry, plan);
		if (d->kept)
			write_plan(d, plan);
		program(d, plan);
	}
	plan_clear(plan);
}

/* Steps of the clock, until there is nothing left to do. */
static void run_steps(struct driver *d, bool (*step)(struct plan *plan, struct registry *registry))
{
	struct plan plan;

	writer_begin_array(&d->out, "steps");
	for (unsigned int count = 0;; count++) {
		plan_init(&plan, &d->now);
		if (!step(&plan, &d->registry))
			break;
		if (count == STEPS_MAX)
			die("a due step has no end");
		writer_begin_object(&d->out, NULL);
		settle(d, &plan);
		writer_end_object(&d->out);
	}
	if (plan.verdict.code != VERDICT_OK)
		die(plan.verdict.message);
	plan_revert(&plan, &d->registry);
	plan_clear(&plan);
	writer_end_array(&d->out);
}

static void due(struct driver *d)
{
	d->registry.wake_ns = 0;
	run_steps(d, due_run);
	writer_uint(&d->out, "wake_ns", d->registry.wake_ns);
}

static void reload(struct driver *d)
{
	if (d->store == NULL)
		return;
	commit(d);
	store_close(d->store);
	registry_clear(&d->registry);
	open_database(d);
}

static char *state_of(const struct registry *registry)
{
	struct writer writer = {0};

	writer_begin_object(&writer, NULL);
	dump_state(&writer, registry);
	writer_end_object(&writer);
	writer_append(&writer, "", 1);
	return writer.text;
}

/* A transaction that the disk refuses: everything decided in it is taken back, newest first. */
static void revert(struct driver *d, json_t *lines)
{
	size_t count = json_array_size(lines);
	struct plan *plans = calloc(count + 1, sizeof(*plans));
	char *before = state_of(&d->registry), *after;

	for (size_t i = 0; plans != NULL && i < count; i++) {
		plan_init(&plans[i], &d->now);
		ask(d, &plans[i], json_string_value(json_array_get(lines, i)), NULL,
			event_decide_again);
		if (plans[i].verdict.code != VERDICT_OK)
			plan_revert(&plans[i], &d->registry);
	}
	for (size_t i = count; i > 0; i--) {
		plan_revert(&plans[i - 1], &d->registry);
		plan_clear(&plans[i - 1]);
	}
	after = state_of(&d->registry);
	writer_bool(&d->out, "same", strcmp(before, after) == 0);
	if (strcmp(before, after) != 0) {
		writer_begin_array(&d->out, "states");
		writer_raw(&d->out, before, strlen(before));
		writer_raw(&d->out, after, strlen(after));
		writer_end_array(&d->out);
	}
	free(plans);
	free(before);
	free(after);
}

/* The data plane says who holds a slot: a leg that can be heard, or nobody. */
static void hold(struct driver *d, json_t *command)
{
	const char *name = json_string_value(json_object_get(command, "room"));
	const char *user = json_string_value(json_object_get(command, "member"));
	uint64_t slot = (uint64_t)json_integer_value(json_object_get(command, "slot"));
	struct room *room = name == NULL ? NULL : registry_room(&d->registry, name);
	const struct member *member =
		room == NULL || user == NULL ? NULL : registry_member(room, user);
	bool heard = member != NULL && member->put.leg_id != 0 &&
		     member->put.role == STN_ROLE_SPEAKER && !(member->put.flags & STN_LEG_MUTED);

	if (room != NULL && slot < room->put.slot_count && (user == NULL || heard)) {
		for (unsigned int other = 0; heard && other < STN_SLOTS_MAX; other++) {
			if (room->holder[other] == member_id(member))
				room->holder[other] = 0;
		}
		room->holder[slot] = heard ? member_id(member) : 0;
	}
	writer_bool(&d->out, "held", heard);
}

/* Names of all types there are, with what pages may use. */
static void list_types(struct driver *d)
{
	const struct event_type *type;

	writer_begin_object(&d->out, "types");
	for (size_t i = 0; (type = event_type_at(i)) != NULL; i++)
		writer_uint(&d->out, type->name, type->flags);
	writer_end_object(&d->out);
}

static void take_moment(struct driver *d, json_t *command)
{
	uint64_t number = (uint64_t)json_integer_value(json_object_get(command, "n"));

	d->now.wall_ms = json_integer_value(json_object_get(command, "at_ms"));
	d->now.mono_ns =
		(uint64_t)json_integer_value(json_object_get(command, "mono_ms")) * 1000000u;
	/* Not a multiple of what a step of random_next() adds: streams would overlap. */
	random_numbers.value = number * UINT64_C(0xd6e8feb86659fd93);
	if (d->registry.next_id < number * IDS_A_COMMAND)
		d->registry.next_id = number * IDS_A_COMMAND;
}

static void run(struct driver *d, json_t *command)
{
	const char *line = json_string_value(json_object_get(command, "line"));
	const char *what = json_string_value(json_object_get(command, "do"));
	struct plan plan;

	plan_init(&plan, &d->now);
	d->kept = true;
	if (line != NULL) {
		ask(d, &plan, line, json_object_get(command, "page"), event_decide);
		settle(d, &plan);
	} else if (what == NULL) {
		die("neither line nor do");
	} else if (strcmp(what, "due") == 0) {
		due(d);
	} else if (strcmp(what, "expire") == 0) {
		run_steps(d, ending_step);
	} else if (strcmp(what, "reload") == 0) {
		reload(d);
	} else if (strcmp(what, "dump") == 0) {
		dump_state(&d->out, &d->registry);
	} else if (strcmp(what, "revert") == 0) {
		revert(d, json_object_get(command, "lines"));
	} else if (strcmp(what, "hold") == 0) {
		hold(d, command);
	} else if (strcmp(what, "types") == 0) {
		list_types(d);
	} else if (strcmp(what, "session") == 0) {
		session_begin(d, &plan, command);
		settle(d, &plan);
	} else if (strcmp(what, "session_end") == 0) {
		session_over(d, &plan, command);
		settle(d, &plan);
	} else {
		die("there is no such command");
	}
}

static json_t *read_command(char **line, size_t *capacity)
{
	ssize_t size = getline(line, capacity, stdin);
	json_t *command;

	if (size <= 0)
		return NULL;
	command = json_loadb(*line, (size_t)size, 0, NULL);
	if (!json_is_object(command))
		die("a command is not JSON");
	return command;
}

int main(int argc, char **argv)
{
	struct driver d = {.path = argc > 1 ? argv[1] : NULL};
	char *line = NULL;
	size_t capacity = 0;
	json_t *first, *command;

	parse_setup();
	first = read_command(&line, &capacity);
	if (first == NULL || !limits_take(&d.limits, json_object_get(first, "limits")))
		die("the first command has the limits, and knows them");
	open_database(&d);
	while ((command = read_command(&line, &capacity)) != NULL) {
		take_moment(&d, command);
		writer_reset(&d.out);
		writer_begin_object(&d.out, NULL);
		run(&d, command);
		writer_string(&d.out, "broken", invariant_broken(&d.registry, &d.now));
		writer_end_object(&d.out);
		if (d.out.failed)
			die("no memory");
		writer_append(&d.out, "\n", 1);
		fwrite(d.out.text, 1, d.out.size, stdout);
		if (json_is_true(json_object_get(command, "flush")))
			fflush(stdout);
		json_decref(command);
	}
	commit(&d);
	store_close(d.store);
	registry_clear(&d.registry);
	writer_clear(&d.out);
	json_decref(first);
	free(line);
	return 0;
}
