// SPDX-License-Identifier: BSD-3-Clause
/*
 * link, desk: brings a member in and prints the address of the room's page, or of the moderator's
 * desk, with their token. Somebody who is in already gets a fresh token, as a token is shown once.
 */
#include <stdlib.h>
#include <string.h>

#include "controlplane/cli/command.h"

/* Who acts: only the room's host may bring others in. The caller's, or NULL with the code set. */
static char *find_host(const struct command_line *line, const char *room, int *code)
{
	json_t *answer;
	const char *host;
	char *copy = NULL;

	*code = command_ask(
		line, json_pack("{s:s, s:s}", "type", "room.get", "room", room), &answer);
	if (*code != COMMAND_OK)
		return NULL;
	host = json_string_value(json_object_get(json_object_get(answer, "room"), "host"));
	if (host != NULL)
		copy = strdup(host);
	if (copy == NULL)
		*code = COMMAND_BROKEN;
	json_decref(answer);
	return copy;
}

/* Whether the answer is that refusal. */
static bool is_refused(const json_t *answer, const char *code)
{
	const char *got =
		json_string_value(json_object_get(json_object_get(answer, "error"), "code"));

	return got != NULL && strcmp(got, code) == 0;
}

static int ask_token(
	const struct command_line *line, const char *host, const char *role, json_t **answer)
{
	const char *room = line->arguments[0], *member = line->arguments[1];
	json_t *join = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "type", "member.join", "actor",
		host, "room", room, "member", member, "role", role, "transport", "webrtc");
	int error;
	json_t *first = client_ask(line->client, json_incref(join), line->timeout_ms, &error);
	bool in = is_refused(first, "already_exists");

	if (first != NULL && json_is_true(json_object_get(first, "ok"))) {
		json_decref(join);
		*answer = first;
		return COMMAND_OK;
	}
	json_decref(first);
	if (!in) {
		json_object_del(join, "id");
		return command_ask(line, join, answer); /* says what is wrong */
	}
	json_decref(join);
	return command_ask(line,
		json_pack("{s:s, s:s, s:s, s:s}", "type", "member.token", "actor", host, "room",
			room, "member", member),
		answer);
}

/* The server knows its own public address, of the room's page only; without one, from "/" on. */
static void print_address(const char *room, const char *url, const char *token, bool desk)
{
	const char *page = url == NULL ? NULL : strstr(url, "/room/");
	int size = page == NULL ? 0 : (int)(page - url);

	printf("%.*s%s%s%s%s\n", size, size == 0 ? "" : url, desk ? "/console#room=" : "/room/",
		room, desk ? "&token=" : "#token=", token);
}

static int bring_in(const struct command_line *line, bool desk)
{
	const char *room = line->arguments[0], *member = line->arguments[1], *role = line->role;
	const char *token;
	json_t *answer, *given;
	int code;
	char *host = find_host(line, room, &code);

	if (host == NULL)
		return code;
	if (role == NULL)
		role = strcmp(host, member) == 0 ? "host" : "listener";
	code = ask_token(line, host, role, &answer);
	free(host);
	if (code != COMMAND_OK)
		return code;
	given = json_array_get(json_object_get(answer, "members"), 0);
	given = given == NULL ? answer : given;
	token = json_string_value(json_object_get(given, "token"));
	if (line->json)
		command_print_json(answer);
	else
		print_address(room, json_string_value(json_object_get(given, "url")),
			token == NULL ? "" : token, desk);
	code = token == NULL ? COMMAND_BROKEN : COMMAND_OK;
	json_decref(answer);
	return code;
}

int command_link(const struct command_line *line)
{
	return bring_in(line, false);
}

int command_desk(const struct command_line *line)
{
	return bring_in(line, true);
}
