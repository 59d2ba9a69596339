/* SPDX-License-Identifier: BSD-3-Clause */
#include "configs/option.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define OVERRIDES_MAX 64

enum action { ACTION_RUN, ACTION_CHECK, ACTION_PRINT_CONFIG, ACTION_VERSION, ACTION_HELP };

struct command_line {
	const char *path;
	enum action action;
	const char *override[OVERRIDES_MAX];
	size_t override_count;
};

static const struct {
	const char *flag;
	enum action action;
} actions[] = {
	{"--check", ACTION_CHECK},
	{"--print-config", ACTION_PRINT_CONFIG},
	{"--version", ACTION_VERSION},
	{"--help", ACTION_HELP},
	{"-h", ACTION_HELP},
};

static void print_usage(const struct option_table *table)
{
	printf("%s: %s\n\n"
	       "usage: %s [--config FILE] [-o KEY=VALUE]... [ACTION]\n"
	       "  --config FILE    configuration (default %s)\n"
	       "  -o KEY=VALUE     one option, wins over the file; lists as in the file\n"
	       "  --check          validate, print the effective configuration, exit\n"
	       "  --print-config   print every option with its default and range, exit\n"
	       "  --version        print the version, exit\n"
	       "  --help           print this, exit\n\n"
	       "options, in the group \"%s\" of the file:\n",
		table->program, table->about, table->program, OPTION_FILE_DEFAULT, table->name);
	option_print_help(table, stdout);
}

static int refuse(const struct option_table *table, const char *argument, const char *reason)
{
	fprintf(stderr, "%s: %s: %s; see --help\n", table->program, argument, reason);
	return -EINVAL;
}

static int parse(
	const struct option_table *table, int argc, char *argv[], struct command_line *line)
{
	for (int i = 1; i < argc; i++) {
		bool known = false;
		if (strcmp(argv[i], "--config") == 0 || strcmp(argv[i], "-o") == 0) {
			if (i + 1 >= argc)
				return refuse(table, argv[i], "value expected");
			if (argv[i][1] == '-') {
				line->path = argv[++i];
				continue;
			}
			if (line->override_count == OVERRIDES_MAX)
				return refuse(table, argv[i], "too many");
			line->override[line->override_count++] = argv[++i];
			continue;
		}
		for (size_t a = 0; a < sizeof(actions) / sizeof(actions[0]); a++)
			if (strcmp(argv[i], actions[a].flag) == 0) {
				line->action = actions[a].action;
				known = true;
			}
		if (!known)
			return refuse(table, argv[i], "unknown argument");
	}
	return 0;
}

/* A whole file into a heap block; *text is the caller's. */
static int load(const char *path, char **text, size_t *size)
{
	char *buffer = malloc(OPTION_FILE_MAX + 1);
	FILE *file = buffer == NULL ? NULL : fopen(path, "re");
	int rc = -errno;
	if (file != NULL) {
		*size = fread(buffer, 1, OPTION_FILE_MAX + 1, file);
		rc = ferror(file) ? -EIO : *size > OPTION_FILE_MAX ? -EFBIG : 0;
		fclose(file);
	}
	if (rc == 0)
		*text = buffer;
	else
		free(buffer);
	return rc;
}

static int read_config(
	const struct option_table *table, const struct command_line *line, void *config)
{
	struct option_error error;
	char *text = NULL;
	struct option_source source = {.name = line->path,
		.override = line->override,
		.override_count = line->override_count};

	int rc = load(line->path, &text, &source.size);
	if (rc != 0) {
		fprintf(stderr, "%s: %s: %s\n", table->program, line->path, strerror(-rc));
		return rc;
	}
	source.text = text;
	rc = option_read(table, &source, config, &error);
	if (rc != 0)
		fprintf(stderr, "%s: %s\n", table->program, error.text);
	free(text);
	return rc;
}

int option_begin(const struct option_table *table, int argc, char *argv[], void *config)
{
	struct command_line line = {.path = OPTION_FILE_DEFAULT};
	int rc = parse(table, argc, argv, &line);
	if (rc != 0)
		return rc;
	switch (line.action) {
	case ACTION_HELP:
		print_usage(table);
		break;
	case ACTION_VERSION:
		printf("%s %s\n", table->program, STENTOR_VERSION);
		break;
	case ACTION_PRINT_CONFIG:
		option_print_documented(table, stdout);
		break;
	default:
		rc = read_config(table, &line, config);
		if (rc != 0 || line.action == ACTION_RUN)
			return rc;
		option_print(table, config, stdout);
	}
	if (fflush(stdout) != 0) {
		perror(table->program);
		return -EIO;
	}
	return 1;
}
