// SPDX-License-Identifier: BSD-3-Clause
#include <stdio.h>
#include <string.h>

#include "controlplane/cli/command.h"
#include "controlplane/cli/complete.h"
#include "controlplane/cli/verb.h"

#define ASK_TIMEOUT_MS 500 /* somebody waits with a finger on the key */
#define SOCKET_DEFAULT "/run/stentor/events.sock"

struct completing {
	const char *path; /* of the socket */
	const char *begun;
	const char *room; /* position before, or NULL */
};

static void offer(const struct completing *c, const char *word)
{
	if (strncmp(word, c->begun, strlen(c->begun)) == 0)
		puts(word);
}

static void offer_list(
	const struct completing *c, json_t *request, const char *key, const char *name)
{
	struct client client;
	json_t *answer, *item;
	size_t i;
	int error;

	if (client_open(&client, c->path) != 0) {
		json_decref(request);
		return;
	}
	json_object_set_new(request, "limit", json_integer(500));
	answer = client_ask(&client, request, ASK_TIMEOUT_MS, &error);
	json_array_foreach(json_object_get(answer, key), i, item)
	{
		const char *text = json_string_value(json_object_get(item, name));

		/* An id needs no quotes in a shell; anything else is not one. */
		if (text != NULL && strpbrk(text, " \t\n'\"\\$`;&|<>()") == NULL)
			offer(c, text);
	}
	json_decref(answer);
	client_close(&client);
}

static void offer_value(const struct completing *c, const char *field, const char *const *choices)
{
	for (; choices != NULL && *choices != NULL; choices++)
		offer(c, *choices);
	if (strcmp(field, "room") == 0)
		offer_list(c, json_pack("{s:s}", "type", "room.list"), "rooms", "room");
	else if (strcmp(field, "member") == 0 && c->room != NULL)
		offer_list(c, json_pack("{s:s, s:s}", "type", "member.list", "room", c->room),
			"members", "member");
}

static void offer_options(const struct completing *c, const struct vocabulary_type *type)
{
	static const char *const common[] = {
		"--actor", "--json", "--help", "--socket", "--timeout"};
	char option[80] = "--";

	for (size_t i = 0; i < type->field_count; i++) {
		verb_option_name(&type->fields[i], option + 2, sizeof(option) - 2);
		offer(c, option);
	}
	for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++)
		offer(c, common[i]);
}

static const struct vocabulary_field *option_field(
	const struct vocabulary_type *type, const char *word)
{
	char option[64];

	for (size_t i = 0; strncmp(word, "--", 2) == 0 && i < type->field_count; i++) {
		verb_option_name(&type->fields[i], option, sizeof(option));
		if (strcmp(option, word + 2) == 0)
			return &type->fields[i];
	}
	return NULL;
}

/* Positions before the last word; the first of them is the room of most verbs. */
static unsigned int count_positions(
	const struct vocabulary_type *type, int count, char **words, const char **first)
{
	unsigned int positions = 0;

	for (int i = 0; i + 1 < count; i++) {
		const struct vocabulary_field *field = option_field(type, words[i]);
		bool valued = field != NULL && field->kind != VOCABULARY_BOOL;

		if (strncmp(words[i], "--", 2) == 0) {
			i += valued;
			continue;
		}
		if (positions++ == 0)
			*first = words[i];
	}
	return positions;
}

static void complete_verb(struct completing *c, const struct verb *verb, int count, char **words)
{
	const struct vocabulary_type *type = vocabulary_find(verb->type);
	const struct vocabulary_field *field;
	const char *first = NULL, *name;
	unsigned int position;

	if (type == NULL)
		return;
	position = count_positions(type, count, words, &first);
	if (verb->positions[0] != NULL && strcmp(verb->positions[0], "room") == 0)
		c->room = first;
	field = count > 1 ? option_field(type, words[count - 2]) : NULL;
	if (field != NULL && field->kind != VOCABULARY_BOOL) {
		offer_value(c, field->name, field->choices);
		return;
	}
	if (strncmp(c->begun, "-", 1) == 0) {
		offer_options(c, type);
		return;
	}
	name = position < VERB_POSITIONS_MAX ? verb->positions[position] : NULL;
	if (name == NULL)
		return;
	field = vocabulary_field(type, name);
	offer_value(c, name, field == NULL ? NULL : field->choices);
}

static void complete_command(struct completing *c, const char *command, int position)
{
	if (strcmp(command, "room") == 0 || strcmp(command, "link") == 0 ||
		strcmp(command, "desk") == 0 || strcmp(command, "legs") == 0 ||
		strcmp(command, "explain") == 0) {
		if (position == 0)
			offer_value(c, "room", NULL);
		else
			offer_value(c, "member", NULL);
	}
}

int complete_run(int count, char **words)
{
	static const char *const commands[] = {"status", "rooms", "room", "link", "desk", "legs",
		"top", "explain", "event", "watch"};
	struct completing c = {SOCKET_DEFAULT, count > 0 ? words[count - 1] : "", NULL};
	int at = 0;

	/* Options before the verb; each of these has a value. */
	while (at + 1 < count && strncmp(words[at], "--", 2) == 0) {
		if (strcmp(words[at], "--socket") == 0 && at + 2 < count)
			c.path = words[at + 1];
		at += strcmp(words[at], "--json") == 0 ? 1 : 2;
	}
	if (at + 1 >= count) {
		for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
			offer(&c, commands[i]);
		for (size_t i = 0; i < verb_count; i++)
			offer(&c, verbs[i].name);
		return COMMAND_OK;
	}
	if (verb_find(words[at]) != NULL) {
		complete_verb(&c, verb_find(words[at]), count - at - 1, words + at + 1);
	} else {
		c.room = count - at > 2 ? words[at + 1] : NULL;
		complete_command(&c, words[at], count - at - 2);
	}
	return COMMAND_OK;
}
