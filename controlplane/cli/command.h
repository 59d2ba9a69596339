/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The commands of stentorctl. Each is given a connected client and what the command line said, does
 * its work on standard output and returns the exit code.
 */
#ifndef STENTOR_CONTROLPLANE_CLI_COMMAND_H
#define STENTOR_CONTROLPLANE_CLI_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "controlplane/cli/client.h"

enum command_exit {
	COMMAND_OK = 0,
	COMMAND_REFUSED = 1, /* the server answered ok:false */
	COMMAND_USAGE = 2,
	COMMAND_NO_SOCKET = 3,
	COMMAND_BROKEN = 4,   /* timeout, connection lost, answer not understood */
	COMMAND_DEGRADED = 5, /* status: answered, but the data plane is not connected */
};

struct command_line {
	struct client *client;
	char **arguments;
	int argument_count;
	bool json;
	bool once;       /* top */
	bool raw;        /* event */
	int window;      /* event: requests under way at a time */
	int limit;       /* explain, legs: how many to list at most; 0: the server's default */
	int interval_ms; /* top */
	int timeout_ms;
	int64_t from;      /* watch: -1 only what is new */
	const char *room;  /* watch */
	const char *role;  /* link; NULL: host for the host, else listener */
	const char *actor; /* verbs; NULL: command_actor() finds one */
};

int command_status(const struct command_line *line);
int command_rooms(const struct command_line *line);
int command_room(const struct command_line *line);
int command_link(const struct command_line *line);
int command_desk(const struct command_line *line);
int command_legs(const struct command_line *line);
int command_explain(const struct command_line *line);
int command_event(const struct command_line *line);
int command_watch(const struct command_line *line);
int command_top(const struct command_line *line);

struct verb;

/* A request made from a verb; taken over. */
int command_verb(const struct command_line *line, const struct verb *verb, json_t *request);
/* Who acts: --actor, $STENTOR_ACTOR, or who is logged in. NULL: nobody knows. */
const char *command_actor(const struct command_line *line);

/*
 * Asks and judges: COMMAND_OK and *answer (the caller's), or the exit code after having said on
 * standard error what went wrong. request is taken over.
 */
int command_ask(const struct command_line *line, json_t *request, json_t **answer);
/*
 * Reads a paged list to its end (or line->limit) into one array under key. request is taken over.
 */
int command_ask_pages(
	const struct command_line *line, json_t *request, const char *key, json_t **list);
/* Prints a document on one line. */
void command_print_json(const json_t *document);

#endif
