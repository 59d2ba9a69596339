// SPDX-License-Identifier: BSD-3-Clause
/*
 * stentorctl: operates a running Stentor over events.sock.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "controlplane/cli/command.h"
#include "controlplane/cli/complete.h"
#include "controlplane/cli/verb.h"

#define SOCKET_DEFAULT "/run/stentor/events.sock"
#define TIMEOUT_DEFAULT_MS 10000

static const char usage[] =
	"usage: stentorctl [option...] COMMAND\n"
	"\n"
	"  status                      both planes, workers, drops\n"
	"  rooms                       open rooms\n"
	"  room ID                     one room, its slots, who may speak\n"
	"  link ROOM MEMBER            brings the member in by browser, prints the page's address "
	"with\n"
	"                              a fresh token: shown once, the one before ends\n"
	"  desk ROOM MEMBER            the same for the moderator's desk; of a host, cohost or "
	"moderator\n"
	"  legs [ROOM]                 transport endpoints\n"
	"  top                         live: rooms, speakers, copies a second, drops, load\n"
	"  explain ROOM MEMBER         whom a packet of this member reaches, and why not the "
	"others\n"
	"  explain ADDRESS:PORT [SSRC] the same for a packet that came from there\n"
	"  event FILE|-                send JSON lines, print the answers; lines without \"id\" "
	"get one,\n"
	"                              empty lines and lines that begin with # are left out\n"
	"  watch                       what happens, as it happens\n"
	"\n"
	"  --socket PATH      events socket (" SOCKET_DEFAULT ")\n"
	"  --json             JSON on standard output, one document a line\n"
	"  --timeout SECONDS  how long to wait for an answer (10)\n"
	"  --limit N          legs, explain: list at most N\n"
	"  --role ROLE        link, desk: listener, speaker or host (listener; the host: host)\n"
	"  --once             top: one look, then end\n"
	"  --interval SECONDS top: between two looks (1)\n"
	"  --window N         event: requests under way at a time (1: each sees the one before "
	"done)\n"
	"  --raw              event: send every line as it is\n"
	"  --from N           watch: begin behind event N of the log (0: everything)\n"
	"  --room ID          watch: this room only\n"
	"  --help --version\n"
	"\n"
	"Verbs, each a request of the event protocol; \"VERB --help\" says what it takes:\n"
	"%s"
	"\n"
	"  --actor USER       who acts ($STENTOR_ACTOR, or who is logged in)\n"
	"\n"
	"Exit codes: 0 done; 1 the server refused (event: any line); 2 usage; 3 cannot connect;\n"
	"4 no answer, connection lost or answer not understood; 5 status: the data plane is "
	"away.\n";

enum allow {
	ALLOW_LIMIT = 1 << 0,
	ALLOW_ONCE = 1 << 1,
	ALLOW_EVENT = 1 << 2,
	ALLOW_WATCH = 1 << 3,
	ALLOW_ROLE = 1 << 4,
};

static const struct {
	const char *name;
	int arguments_min, arguments_max;
	unsigned int allow;
	int (*run)(const struct command_line *line);
} commands[] = {
	{"status", 0, 0, 0, command_status},
	{"rooms", 0, 0, ALLOW_LIMIT, command_rooms},
	{"room", 1, 1, 0, command_room},
	{"link", 2, 2, ALLOW_ROLE, command_link},
	{"desk", 2, 2, ALLOW_ROLE, command_desk},
	{"legs", 0, 1, ALLOW_LIMIT, command_legs},
	{"top", 0, 0, ALLOW_ONCE, command_top},
	{"explain", 1, 2, ALLOW_LIMIT, command_explain},
	{"event", 1, 1, ALLOW_EVENT, command_event},
	{"watch", 0, 0, ALLOW_WATCH, command_watch},
};

static const struct option options[] = {{"socket", required_argument, NULL, 's'},
	{"json", no_argument, NULL, 'j'}, {"timeout", required_argument, NULL, 't'},
	{"limit", required_argument, NULL, 'l'}, {"once", no_argument, NULL, 'o'},
	{"interval", required_argument, NULL, 'i'}, {"window", required_argument, NULL, 'w'},
	{"raw", no_argument, NULL, 'r'}, {"from", required_argument, NULL, 'f'},
	{"room", required_argument, NULL, 'R'}, {"role", required_argument, NULL, 'O'},
	{"actor", required_argument, NULL, 'a'}, {"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'}, {0}};

static int parse_number(const char *text, double low, double high, double *out)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || !(value >= low && value <= high)) {
		fprintf(stderr, "stentorctl: '%s' is not a number from %g to %g\n", text, low,
			high);
		return -EINVAL;
	}
	*out = value;
	return 0;
}

static int take_option(int c, struct command_line *line, const char **path, unsigned int *given)
{
	double v = 0;
	int error = 0;

	switch (c) {
	case 's':
		*path = optarg;
		break;
	case 'j':
		line->json = true;
		break;
	case 't':
		error = parse_number(optarg, 0.001, 86400, &v);
		line->timeout_ms = (int)(v * 1000);
		break;
	case 'l':
		*given |= ALLOW_LIMIT;
		error = parse_number(optarg, 1, 100000000, &v);
		line->limit = (int)v;
		break;
	case 'o':
		*given |= ALLOW_ONCE;
		line->once = true;
		break;
	case 'i':
		*given |= ALLOW_ONCE;
		error = parse_number(optarg, 0.1, 3600, &v);
		line->interval_ms = (int)(v * 1000);
		break;
	case 'w':
		*given |= ALLOW_EVENT;
		error = parse_number(optarg, 1, 10000, &v);
		line->window = (int)v;
		break;
	case 'r':
		*given |= ALLOW_EVENT;
		line->raw = true;
		break;
	case 'f':
		*given |= ALLOW_WATCH;
		error = parse_number(optarg, 0, 9007199254740992.0, &v);
		line->from = (int64_t)v;
		break;
	case 'R':
		*given |= ALLOW_WATCH;
		line->room = optarg;
		break;
	case 'a':
		line->actor = optarg;
		break;
	case 'O':
		*given |= ALLOW_ROLE;
		line->role = optarg;
		break;
	default:
		return -EINVAL;
	}
	return error;
}

struct work {
	int (*run)(const struct command_line *line); /* NULL: a verb */
	const struct verb *verb;
	json_t *request; /* of the verb; taken over */
};

static int connect_and_run(const struct work *work, struct command_line *line, const char *path)
{
	struct client client;
	int error = client_open(&client, path), code;

	if (error) {
		json_decref(work->request);
		client_describe_failure(stderr, path, error);
		return COMMAND_NO_SOCKET;
	}
	line->client = &client;
	code = work->run != NULL ? work->run(line) : command_verb(line, work->verb, work->request);
	client_close(&client);
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "stentorctl: standard output: %s\n", strerror(errno));
		return COMMAND_BROKEN;
	}
	return code;
}

static void print_usage(FILE *out)
{
	char names[4096] = "";

	for (size_t i = 0; i < verb_count; i++) {
		size_t used = strlen(names);

		snprintf(names + used, sizeof(names) - used, "  %-12s%s\n", verbs[i].name,
			verbs[i].summary);
	}
	fprintf(out, usage, names);
}

static int print_verb_usage(const struct verb *verb)
{
	char text[4096];

	verb_usage(verb, text, sizeof(text));
	printf("usage: stentorctl [--actor USER] %s\n\n%s (%s)\n", text, verb->summary, verb->type);
	return COMMAND_OK;
}

/*
 * What may stand anywhere on the line of a verb is taken out of its arguments. -1: go on; else the
 * program's exit code.
 */
static int take_common(struct command_line *line, const char **path, const struct verb *verb)
{
	static const char *const names[] = {"--socket", "--timeout", "--actor"};
	static const int codes[] = {'s', 't', 'a'};
	unsigned int given = 0;
	int kept = 0;

	for (int i = 0; i < line->argument_count; i++) {
		char *argument = line->arguments[i];
		size_t which = 0;

		if (strcmp(argument, "--help") == 0)
			return print_verb_usage(verb);
		while (which < 3 && strcmp(argument, names[which]) != 0)
			which++;
		if (strcmp(argument, "--json") == 0) {
			line->json = true;
		} else if (which < 3 && i + 1 < line->argument_count) {
			optarg = line->arguments[++i];
			if (take_option(codes[which], line, path, &given))
				return COMMAND_USAGE;
		} else {
			line->arguments[kept++] = argument;
		}
	}
	line->argument_count = kept;
	return -1;
}

static int run_verb(const struct verb *verb, struct command_line *line, const char *path)
{
	struct work work = {NULL, verb, NULL};
	char error[256];
	int code = take_common(line, &path, verb);

	if (code >= 0)
		return code;
	work.request = verb_request(
		verb, line->arguments, line->argument_count, (int64_t)time(NULL) * 1000, error);
	if (work.request != NULL)
		return connect_and_run(&work, line, path);
	fprintf(stderr, "stentorctl: %s; see stentorctl %s --help\n", error, verb->name);
	return COMMAND_USAGE;
}

static int run_command(
	const char *name, struct command_line *line, const char *path, unsigned int given)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		const struct work work = {commands[i].run, NULL, NULL};

		if (strcmp(commands[i].name, name))
			continue;
		if (line->argument_count < commands[i].arguments_min ||
			line->argument_count > commands[i].arguments_max ||
			(given & ~commands[i].allow)) {
			fprintf(stderr, "stentorctl: %s does not take that; see --help\n", name);
			return COMMAND_USAGE;
		}
		return connect_and_run(&work, line, path);
	}
	fprintf(stderr, "stentorctl: no command '%s'; see --help\n", name);
	return COMMAND_USAGE;
}

/* Options up to the first word ("+"), or all of them wherever they stand. -1: go on. */
static int take_options(int argc, char **argv, const char *where, struct command_line *line,
	const char **path, unsigned int *given)
{
	int c;

	optind = 0; /* begin anew */
	while ((c = getopt_long(argc, argv, where, options, NULL)) != -1) {
		if (c == 'h') {
			print_usage(stdout);
			return COMMAND_OK;
		}
		if (c == 'V') {
			puts("stentorctl " STENTOR_VERSION);
			return COMMAND_OK;
		}
		if (take_option(c, line, path, given))
			return COMMAND_USAGE;
	}
	return -1;
}

int main(int argc, char **argv)
{
	struct command_line line = {
		.window = 1, .interval_ms = 1000, .timeout_ms = TIMEOUT_DEFAULT_MS, .from = -1};
	const char *path = SOCKET_DEFAULT;
	const struct verb *verb;
	unsigned int given = 0;
	int code;

	if (argc > 1 && strcmp(argv[1], "complete") == 0)
		return complete_run(argc - 2, argv + 2);
	code = take_options(argc, argv, "+", &line, &path, &given);
	if (code >= 0)
		return code;
	verb = optind == argc ? NULL : verb_find(argv[optind]);
	if (verb == NULL)
		code = take_options(argc, argv, "", &line, &path, &given);
	if (code >= 0)
		return code;
	if (optind == argc) {
		print_usage(stderr);
		return COMMAND_USAGE;
	}
	line.arguments = argv + optind + 1;
	line.argument_count = argc - optind - 1;
	return verb != NULL ? run_verb(verb, &line, path)
			    : run_command(argv[optind], &line, path, given);
}
