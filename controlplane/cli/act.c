// SPDX-License-Identifier: BSD-3-Clause
/*
 * The verbs: a request from the command line, its answer for people or as JSON.
 */
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "controlplane/cli/command.h"
#include "controlplane/cli/table.h"
#include "controlplane/cli/verb.h"

#define COLUMNS_SHOWN 12

const char *command_actor(const struct command_line *line)
{
	const char *actor = line->actor;
	const struct passwd *user;

	if (actor == NULL || actor[0] == '\0')
		actor = getenv("STENTOR_ACTOR");
	if (actor == NULL || actor[0] == '\0')
		actor = getenv("SUDO_USER");
	if (actor != NULL && actor[0] != '\0')
		return actor;
	user = getpwuid(getuid());
	return user == NULL ? NULL : user->pw_name;
}

static bool is_table(const json_t *value)
{
	return json_is_array(value) && json_is_object(json_array_get(value, 0));
}

/* As many columns as the first row has members that are not tables themselves. */
static void print_rows(const json_t *rows)
{
	struct table_column columns[COLUMNS_SHOWN];
	size_t count = 0;
	const char *key;
	json_t *value;

	json_object_foreach(json_array_get(rows, 0), key, value)
	{
		if (count < COLUMNS_SHOWN && !is_table(value))
			columns[count++] = (struct table_column){key, key};
	}
	table_print(stdout, columns, count, rows);
}

/* One line for each member, tables and objects below, under their name. */
static void print_object(const json_t *object)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)object, key, value)
	{
		const struct table_column column = {key, key};

		if (!is_table(value) && !json_is_object(value))
			table_print_object(stdout, &column, 1, object);
	}
	json_object_foreach((json_t *)object, key, value)
	{
		if (is_table(value)) {
			printf("\n%s\n", key);
			print_rows(value);
		} else if (json_is_object(value) && json_object_size(value) > 0) {
			printf("\n%s\n", key);
			print_object(value);
		}
	}
}

/* A moment in Unix ms, and not a duration: nothing lasts since 2001. */
static bool is_moment(const char *key, const json_t *value)
{
	size_t size = strlen(key);

	return json_is_integer(value) && json_integer_value(value) > 1000000000000 && size > 3 &&
	       strcmp(key + size - 3, "_ms") == 0;
}

/* Moments as people write them, in local time. */
static void tell_times(json_t *value)
{
	const char *key;
	json_t *item;
	void *next;
	size_t i;

	json_object_foreach_safe(value, next, key, item)
	{
		time_t seconds = (time_t)(json_integer_value(item) / 1000);
		char text[32];
		struct tm tm;

		if (!is_moment(key, item)) {
			tell_times(item);
			continue;
		}
		localtime_r(&seconds, &tm);
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
		json_object_set_new(value, key, json_string(text));
	}
	json_array_foreach(value, i, item) tell_times(item);
}

/* What a person has to know about an answer that is good, but not all is. */
static void warn(const json_t *answer)
{
	if (json_is_false(json_object_get(answer, "durable")))
		fprintf(stderr, "stentorctl: in force, but not on the disk yet: the disk fails\n");
	if (json_is_false(json_object_get(answer, "programmed")))
		fprintf(stderr, "stentorctl: the data plane is away: it applies when it is back\n");
}

static int print_answer(const struct command_line *line, json_t *answer)
{
	if (line->json) {
		command_print_json(answer);
	} else {
		warn(answer);
		json_object_del(answer, "id");
		json_object_del(answer, "ok");
		json_object_del(answer, "durable");
		json_object_del(answer, "programmed");
		tell_times(answer);
		print_object(answer);
	}
	json_decref(answer);
	return COMMAND_OK;
}

/* A list is read to its end, unless a limit was given; what else the answer says comes with the
 * first page. */
static int run_list(const struct command_line *line, const struct verb *verb, json_t *request)
{
	json_t *answer, *all = NULL, *next = NULL;
	bool whole = json_object_get(request, "limit") == NULL;
	int code;

	do {
		json_t *page = json_copy(request);

		if (next != NULL)
			json_object_set_new(page, "after", next);
		code = command_ask(line, page, &answer);
		if (code != COMMAND_OK)
			break;
		next = json_incref(json_object_get(answer, "next"));
		if (all == NULL)
			all = json_incref(answer);
		else
			json_array_extend(json_object_get(all, verb->list),
				json_object_get(answer, verb->list));
		json_decref(answer);
	} while (whole && json_is_string(next));
	json_decref(request);
	if (code != COMMAND_OK) {
		json_decref(all);
		return code;
	}
	if (next != NULL)
		json_object_set_new(all, "next", next);
	if (whole && !line->json)
		json_object_del(all, "next");
	return print_answer(line, all);
}

int command_verb(const struct command_line *line, const struct verb *verb, json_t *request)
{
	const struct vocabulary_type *type = vocabulary_find(verb->type);
	const char *actor = command_actor(line);
	json_t *answer;
	int code;

	/* Lists and looks do without one; then they are the operator's, who may see all. */
	if (actor != NULL && (type->actor || line->actor != NULL))
		json_object_set_new(request, "actor", json_string(actor));
	if (verb->list != NULL)
		return run_list(line, verb, request);
	code = command_ask(line, request, &answer);
	return code == COMMAND_OK ? print_answer(line, answer) : code;
}
