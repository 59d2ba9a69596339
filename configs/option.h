/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Configuration. One const table per program gives parsing, defaults, ranges, the output of
 *--check,
 * --help and --print-config, and so the lines of configs/stentor.conf. Values land in a plain
 *struct that main() owns; nothing here is allocated or kept. Called at start, from one thread.
 *
 *	struct relay_config {
 *		unsigned int workers;
 *		char socket[108];
 *		int engine;
 *		uint16_t media_port[8];
 *		unsigned int media_port_count;
 *		struct port_config { char interface[16]; unsigned int queues; } port[4];
 *		unsigned int port_count;
 *	};
 *	static const char *const engine_names[] = {"auto", "ipsec_mb", "libsrtp", NULL};
 *	static const struct option port_option[] = {
 *		{.key = "interface", .type = OPTION_STRING, .min = 1, .help = "Kernel interface.",
 *		 OPTION_FIELD(struct port_config, interface)},              no .fallback: must be
 *given
 *		{.key = "queues", .type = OPTION_INT, .fallback = "1", .min = 1, .max = 16,
 *		 .help = "Receive queues.", OPTION_FIELD(struct port_config, queues)},
 *		{.key = NULL}};
 *	static const struct option relay_option[] = {
 *		{.key = "workers", .type = OPTION_INT, .fallback = "1", .min = 1, .max = 16,
 *		 .help = "Polling workers.", OPTION_FIELD(struct relay_config, workers)},
 *		{.key = "socket", .type = OPTION_STRING, .fallback = "/run/x.sock", .min = 1,
 *		 .help = "Where to listen.", OPTION_FIELD(struct relay_config, socket)},
 *		{.key = "engine", .type = OPTION_ENUM, .fallback = "auto", .names = engine_names,
 *		 .help = "Crypto engine.", OPTION_FIELD(struct relay_config, engine)},
 *		{.key = "media_ports", .type = OPTION_INT, .fallback = "[ 4000 ]", .min = 1, .max =
 *65535, .help = "UDP ports.", OPTION_LIST(struct relay_config, media_port, media_port_count)},
 *		{.key = "ports", .type = OPTION_GROUP, .fields = port_option,
 *		 .example = "( { interface = \"eth1\"; } )", .list_min = 1,
 *		 .help = "Ports.", OPTION_LIST(struct relay_config, port, port_count)},
 *		{.key = NULL}};
 *	const struct option_table relay_options = {"relay", "stentor-relay", "one line about it",
 *		relay_option, sizeof(struct relay_config), relay_check};
 *	...
 *	int rc = option_begin(&relay_options, argc, argv, &config);
 *	if (rc != 0)
 *		return rc > 0 ? 0 : OPTION_EXIT_REFUSED;
 */
#ifndef STENTOR_CONFIGS_OPTION_H
#define STENTOR_CONFIGS_OPTION_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define OPTION_FILE_DEFAULT "/etc/stentor/stentor.conf"
#define OPTION_FILE_MAX (1u << 20) /* bytes of a configuration file */
#define OPTION_EXIT_REFUSED 78     /* EX_CONFIG: the units do not restart on it */

enum option_type {
	OPTION_BOOL,   /* bool */
	OPTION_INT,    /* any integer member; min and max are inclusive and must fit it */
	OPTION_STRING, /* char[]; .min is the least length, the array's size bounds it above */
	OPTION_ENUM,   /* any integer member; takes the position in .names */
	OPTION_GROUP,  /* a struct described by .fields */
	OPTION_TYPE_COUNT
};

struct option {
	const char *key; /* NULL ends the list */
	enum option_type type;
	/* Default value. INT, BOOL, lists: as in the file. STRING, ENUM: bare. NULL: required. */
	const char *fallback;
	const char *example; /* value shown in stentor.conf when there is no fallback */
	int64_t min, max;
	const char *const *names;    /* ENUM: NULL-terminated */
	const char *unit;            /* "ms", "packets"; NULL: none */
	const struct option *fields; /* GROUP */
	const char *help;            /* one or two sentences */
	size_t offset;
	size_t size;         /* of the member, or of one element of a list */
	size_t list_max;     /* elements; 0: not a list */
	size_t list_min;     /* least number of elements */
	size_t count_offset; /* of the `unsigned int` that takes the number of elements */
};

/* Where a scalar, a string or one group goes. */
#define OPTION_FIELD(type_, member_) \
	.offset = offsetof(type_, member_), .size = sizeof(((type_ *)0)->member_)

/* Where a list goes: an array member and its `unsigned int` count. */
#define OPTION_LIST(type_, member_, count_) \
	.offset = offsetof(type_, member_), .size = sizeof(((type_ *)0)->member_[0]), \
	.list_max = sizeof(((type_ *)0)->member_) / sizeof(((type_ *)0)->member_[0]), \
	.count_offset = offsetof(type_, count_)

struct option_error {
	char text[512]; /* file:line: key = value: what is allowed; or empty */
};

struct option_table {
	const char *name;    /* group in the file: "dataplane" */
	const char *program; /* "stentor-dataplane" */
	const char *about;   /* one line for --help */
	const struct option *options;
	size_t size; /* of the configuration struct */
	/* Rules between options. 0, or -EINVAL with the reason in error->text. NULL: none. */
	int (*check)(const void *config, struct option_error *error);
};

/*
 * Handles the command line: --config FILE, -o KEY=VALUE (any option, wins over the file), --check,
 * --print-config, --version, --help. Returns 0: config is complete, run. 1: what was asked for has
 * been printed, exit with 0. Negative errno: refused, the reason was printed to stderr.
 */
int option_begin(const struct option_table *table, int argc, char *argv[], void *config);

/* Where values come from: a whole file's text, then assignments of the command line over it. */
struct option_source {
	const char *name; /* for messages */
	const char *text; /* need not end in NUL; may be NULL when size is 0 */
	size_t size;
	const char *const *override; /* "key=value" */
	size_t override_count;
};

/*
 * Fills config: fallbacks, text, overrides; then checks that nothing required is missing and the
 * rules between options. 0, or -EINVAL (-ENOMEM) with error filled in; config is then unspecified.
 */
int option_read(const struct option_table *table, const struct option_source *source, void *config,
	struct option_error *error);

/* Prints the effective configuration in libconfig syntax; reads back to the same. */
void option_print(const struct option_table *table, const void *config, FILE *out);

/* Prints the group as it stands in configs/stentor.conf: every option with help, range, default. */
void option_print_documented(const struct option_table *table, FILE *out);

/* Prints two lines an option, for --help. */
void option_print_help(const struct option_table *table, FILE *out);

/* "integer, 1 to 16", "one of auto, libsrtp": what a value may be, for messages. */
void option_describe(const struct option *option, char *text, size_t size);

#endif
