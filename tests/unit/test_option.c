/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "configs/option.h"
#include "configs/option_scan.h"

/* libconfig 1.5 loses a string that was begun when a file is refused; the program ends then. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig";
}

struct port {
	char interface[16];
	unsigned int queues;
};

struct idle {
	uint32_t after_ms;
};

struct relay {
	unsigned int workers;
	uint8_t share;
	int64_t offset;
	uint64_t memory;
	bool metrics;
	char socket[20];
	int engine;
	struct idle idle;
	uint16_t media[4];
	unsigned int media_count;
	struct port port[2];
	unsigned int port_count;
};

static const char *const engines[] = {"auto", "ipsec_mb", "libsrtp", NULL};

static const struct option idle_options[] = {
	{.key = "after_ms",
		.type = OPTION_INT,
		.fallback = "5",
		.max = 100,
		.unit = "ms",
		.help = "Idle.",
		OPTION_FIELD(struct idle, after_ms)},
	{.key = NULL},
};

static const struct option port_options[] = {
	{.key = "interface",
		.type = OPTION_STRING,
		.min = 1,
		.help = "Interface.",
		OPTION_FIELD(struct port, interface)},
	{.key = "queues",
		.type = OPTION_INT,
		.fallback = "1",
		.min = 1,
		.max = 16,
		.help = "Queues.",
		OPTION_FIELD(struct port, queues)},
	{.key = NULL},
};

static const struct option options[] = {
	{.key = "workers",
		.type = OPTION_INT,
		.fallback = "2",
		.min = 1,
		.max = 16,
		.help = "Workers.",
		OPTION_FIELD(struct relay, workers)},
	{.key = "share",
		.type = OPTION_INT,
		.fallback = "255",
		.max = 255,
		.help = "One byte.",
		OPTION_FIELD(struct relay, share)},
	{.key = "offset",
		.type = OPTION_INT,
		.fallback = "-7",
		.min = -10,
		.max = 10,
		.help = "Signed.",
		OPTION_FIELD(struct relay, offset)},
	{.key = "memory",
		.type = OPTION_INT,
		.fallback = "8589934592L",
		.max = INT64_MAX,
		.help = "Wide.",
		OPTION_FIELD(struct relay, memory)},
	{.key = "metrics",
		.type = OPTION_BOOL,
		.fallback = "true",
		.help = "Metrics.",
		OPTION_FIELD(struct relay, metrics)},
	{.key = "socket",
		.type = OPTION_STRING,
		.fallback = "/run/r.sock",
		.min = 1,
		.help = "Socket.",
		OPTION_FIELD(struct relay, socket)},
	{.key = "engine",
		.type = OPTION_ENUM,
		.fallback = "auto",
		.names = engines,
		.help = "Engine.",
		OPTION_FIELD(struct relay, engine)},
	{.key = "idle",
		.type = OPTION_GROUP,
		.fields = idle_options,
		.help = "Idle back-off.",
		OPTION_FIELD(struct relay, idle)},
	{.key = "media_ports",
		.type = OPTION_INT,
		.fallback = "[ 4000, 4001 ]",
		.min = 1,
		.max = 65535,
		.list_min = 1,
		.help = "Media ports.",
		OPTION_LIST(struct relay, media, media_count)},
	{.key = "ports",
		.type = OPTION_GROUP,
		.fields = port_options,
		.example = "( { interface = \"eth1\"; } )",
		.list_min = 1,
		.help = "Ports.",
		OPTION_LIST(struct relay, port, port_count)},
	{.key = NULL},
};

/* A rule between two options. */
static int relay_check(const void *config, struct option_error *error)
{
	const struct relay *relay = config;
	if (relay->workers <= 8 || relay->port[0].queues > 1)
		return 0;
	snprintf(error->text, sizeof(error->text), "workers > 8 need more than one queue");
	return -EINVAL;
}

static const struct option_table table = {
	"relay", "stentor-relay", "a table for tests", options, sizeof(struct relay), relay_check};

#define PORTS "ports = ( { interface = \"e\"; } );"

/* The text lies in a block of exactly its size, so that a byte too many is seen. */
static int read_text(const char *text, size_t size, struct relay *relay, struct option_error *error)
{
	char *exact = malloc(size > 0 ? size : 1);
	memcpy(exact, text, size);
	struct option_source source = {.name = "t.conf", .text = exact, .size = size};
	int rc = option_read(&table, &source, relay, error);
	free(exact);
	return rc;
}

START_TEST(fallbacks_fill_what_the_file_leaves_out)
{
	static const char text[] = "relay = { " PORTS " };";
	struct relay relay;
	struct option_error error;
	ck_assert_int_eq(read_text(text, strlen(text), &relay, &error), 0);
	ck_assert_str_eq(error.text, "");
	ck_assert_uint_eq(relay.workers, 2);
	ck_assert_uint_eq(relay.share, 255);
	ck_assert_int_eq(relay.offset, -7);
	ck_assert_uint_eq(relay.memory, 8589934592u);
	ck_assert(relay.metrics);
	ck_assert_str_eq(relay.socket, "/run/r.sock");
	ck_assert_int_eq(relay.engine, 0);
	ck_assert_uint_eq(relay.idle.after_ms, 5);
	ck_assert_uint_eq(relay.media_count, 2);
	ck_assert_uint_eq(relay.media[1], 4001);
	ck_assert_uint_eq(relay.port_count, 1);
	ck_assert_str_eq(relay.port[0].interface, "e");
	ck_assert_uint_eq(relay.port[0].queues, 1);
}
END_TEST

START_TEST(the_file_wins_over_fallbacks)
{
	static const char text[] =
		"controlplane = { anything = 1; };\n"
		"relay = { workers = 16; share = 0; offset = -10; memory = 5; metrics = false;\n"
		"socket = \"/1234567890123456.s\"; engine = \"libsrtp\"; idle = { after_ms = 0; "
		"};\n"
		"media_ports = [ 65535 ]; ports = ( { interface = \"a\"; queues = 16; },\n"
		"{ interface = \"b\"; } ); };";
	struct relay relay;
	struct option_error error;
	ck_assert_msg(read_text(text, strlen(text), &relay, &error) == 0, "%s", error.text);
	ck_assert_uint_eq(relay.workers, 16);
	ck_assert_uint_eq(relay.share, 0);
	ck_assert_int_eq(relay.offset, -10);
	ck_assert_uint_eq(relay.memory, 5);
	ck_assert(!relay.metrics);
	ck_assert_uint_eq(strlen(relay.socket), sizeof(relay.socket) - 1);
	ck_assert_int_eq(relay.engine, 2);
	ck_assert_uint_eq(relay.idle.after_ms, 0);
	ck_assert_uint_eq(relay.media_count, 1);
	ck_assert_uint_eq(relay.media[0], 65535);
	ck_assert_uint_eq(relay.media[1], 0);
	ck_assert_uint_eq(relay.port_count, 2);
	ck_assert_uint_eq(relay.port[0].queues, 16);
	ck_assert_str_eq(relay.port[1].interface, "b");
	ck_assert_uint_eq(relay.port[1].queues, 1);
}
END_TEST

static const struct {
	const char *what;
	const char *text;
	const char *message; /* all of it, file and line included */
} refused[] = {
	{"an unknown key", "relay = {\n worker = 1; };",
		"t.conf:2: relay.worker = 1: no such option"},
	{"an unknown group", "rely = {};",
		"t.conf:1: rely (0 elements): no such group; known: dataplane, controlplane"},
	{"a scalar at the top", "workers = 1;",
		"t.conf:1: workers = 1: no such group; known: dataplane, controlplane"},
	{"a group that is a number", "relay = 1;", "t.conf:1: relay = 1: allowed: a group { ... }"},
	{"below the range", "relay = {\n\n workers = 0; };",
		"t.conf:3: relay.workers = 0: allowed: integer, 1 to 16"},
	{"above the range", "relay = { workers = 17; };",
		"t.conf:1: relay.workers = 17: allowed: integer, 1 to 16"},
	{"beyond one byte", "relay = { share = 256; };",
		"t.conf:1: relay.share = 256: allowed: integer, 0 to 255"},
	{"a string for an integer", "relay = { workers = \"2\"; };",
		"t.conf:1: relay.workers = \"2\": allowed: integer, 1 to 16"},
	{"a float for an integer", "relay = { workers = 2.0; };",
		"t.conf:1: relay.workers = 2: allowed: integer, 1 to 16"},
	{"a bool for an integer", "relay = { workers = true; };",
		"t.conf:1: relay.workers = true: allowed: integer, 1 to 16"},
	{"an integer for a bool", "relay = { metrics = 1; };",
		"t.conf:1: relay.metrics = 1: allowed: true or false"},
	{"a name that is none of them", "relay = { engine = \"vaes\"; };",
		"t.conf:1: relay.engine = \"vaes\": allowed: one of \"auto\", \"ipsec_mb\", "
		"\"libsrtp\""},
	{"a name in another case", "relay = { engine = \"Auto\"; };",
		"t.conf:1: relay.engine = \"Auto\": allowed: one of \"auto\", \"ipsec_mb\", "
		"\"libsrtp\""},
	{"a text one byte too long", "relay = { socket = \"/1234567890123456.so\"; };",
		"t.conf:1: relay.socket = \"/1234567890123456.so\": allowed: text of 1 to 19 "
		"bytes"},
	{"an empty text", "relay = { socket = \"\"; };",
		"t.conf:1: relay.socket = \"\": allowed: text of 1 to 19 bytes"},
	{"a line break in a text", "relay = { socket = \"a\\nb\"; };",
		"t.conf:1: relay.socket = \"a\nb\": allowed: text of 1 to 19 bytes"},
	{"a list for a scalar", "relay = { workers = [ 1 ]; };",
		"t.conf:1: relay.workers (1 elements): allowed: integer, 1 to 16"},
	{"a scalar for a list", "relay = { media_ports = 4000; };",
		"t.conf:1: relay.media_ports = 4000: allowed: list of 1 to 4, each integer, 1 to "
		"65535"},
	{"an empty list", "relay = { media_ports = [ ]; };",
		"t.conf:1: relay.media_ports (0 elements): allowed: list of 1 to 4, each integer, "
		"1 to "
		"65535"},
	{"a list too long", "relay = { media_ports = [ 1, 2, 3, 4, 5 ]; };",
		"t.conf:1: relay.media_ports (5 elements): allowed: list of 1 to 4, each integer, "
		"1 to "
		"65535"},
	{"an element out of range", "relay = { media_ports = [ 1,\n 0 ]; };",
		"t.conf:2: relay.media_ports[1] = 0: allowed: list of 1 to 4, each integer, 1 to "
		"65535"},
	{"a group that is no group", "relay = { ports = ( 1 ); };",
		"t.conf:1: relay.ports[0] = 1: allowed: list of 1 to 2, each { ... }"},
	{"an unknown key in an element",
		"relay = { ports = ( { interface = \"e\";\n queue = 1; } ); };",
		"t.conf:2: relay.ports[0].queue = 1: no such option"},
	{"an element out of range in a group", "relay = { ports = ( { queues = 17; } ); };",
		"t.conf:1: relay.ports[0].queues = 17: allowed: integer, 1 to 16"},
	{"an element without what it must have", "relay = {\n ports = ( { queues = 1; } ); };",
		"t.conf:2: relay.ports[0].interface is missing; required: text of 1 to 15 bytes"},
	{"nested out of range", "relay = { idle = { after_ms = 101; }; };",
		"t.conf:1: relay.idle.after_ms = 101: allowed: integer, 0 to 100 ms"},
	{"a required option left out", "relay = { };",
		"t.conf: ports is missing; required: list of 1 to 2, each { ... }"},
	{"nothing at all", "", "t.conf: ports is missing; required: list of 1 to 2, each { ... }"},
	{"the same key twice", "relay = { workers = 1;\n workers = 1; };",
		"t.conf:2: duplicate setting name"},
	{"a bracket left open", "relay = {\n workers = 1;\n", "t.conf:3: syntax error"},
	{"33 bits, which libconfig would cut to 1", "relay = {\n workers = 4294967297; };",
		"t.conf:2: integer too large"},
	{"33 bits in hex", "relay = { workers = 0x100000001; };", "t.conf:1: integer too large"},
	{"more than 64 bits", "relay = { memory = 99999999999999999999L; };",
		"t.conf:1: integer too large"},
	{"a number hidden behind a comment", "relay = { /* \" */ workers = 4294967297; };",
		"t.conf:1: integer too large"},
	{"another file", "relay = {\n@include \"/etc/passwd\"\n};",
		"t.conf:2: @include is not supported: one program, one file"},
	{"a rule between options", "relay = { workers = 9; " PORTS " };",
		"workers > 8 need more than one queue"},
};

START_TEST(bad_files_are_refused_by_line_key_and_range)
{
	struct relay relay;
	struct option_error error;
	int rc = read_text(refused[_i].text, strlen(refused[_i].text), &relay, &error);
	ck_assert_msg(rc == -EINVAL, "%s: accepted", refused[_i].what);
	ck_assert_msg(strcmp(error.text, refused[_i].message) == 0, "%s:\n  got  %s\n  want %s",
		refused[_i].what, error.text, refused[_i].message);
}
END_TEST

START_TEST(a_nul_byte_is_refused)
{
	static const char text[] = "relay = { " PORTS " };\n\0x";
	struct relay relay;
	struct option_error error;
	ck_assert_int_eq(read_text(text, sizeof(text) - 1, &relay, &error), -EINVAL);
	ck_assert_str_eq(error.text, "t.conf:2: NUL byte");
}
END_TEST

START_TEST(numbers_in_names_strings_and_comments_are_left_alone)
{
	static const char text[] =
		"# 99999999999\n// 99999999999\n/* 99999999999\n @include */\n"
		"controlplane = { a99999999999 = \"99999999999 \\\" @include\"; };\n"
		"relay = { memory = 99999999999L; workers = 0x10; offset = +5; " PORTS
		"ports_99999999999 = 1; };";
	struct relay relay;
	struct option_error error;
	ck_assert_int_eq(read_text(text, strlen(text), &relay, &error), -EINVAL);
	ck_assert_str_eq(error.text, "t.conf:6: relay.ports_99999999999 = 1: no such option");
}
END_TEST

static const struct {
	const char *assignment;
	const char *message; /* NULL: accepted */
} overrides[] = {
	{"workers=8", NULL},
	{"engine=libsrtp", NULL},
	{"socket=/tmp/a=b \"c\"", NULL},
	{"media_ports=[ 5, 6 ]", NULL},
	{"idle={ after_ms = 9; }", NULL},
	{"workers=0", "-o: workers = 0: allowed: integer, 1 to 16"},
	{"workers=4294967297", "-o: workers = 4294967297: allowed: integer, 1 to 16"},
	{"workers=1; share = 1", "-o: workers = 1; share = 1: allowed: integer, 1 to 16"},
	{"workers=", "-o: workers = : allowed: integer, 1 to 16"},
	{"engine=", "-o: engine = : allowed: one of \"auto\", \"ipsec_mb\", \"libsrtp\""},
	{"worker=1", "-o worker=1: no such option"},
	{"workers", "-o workers: KEY=VALUE expected"},
	{"=1", "-o =1: no such option"},
	{"", "-o : KEY=VALUE expected"},
};

START_TEST(the_command_line_wins_over_the_file)
{
	static const char text[] = "relay = { workers = 3; " PORTS " };";
	const char *assignment = overrides[_i].assignment;
	struct option_source source = {.name = "t.conf",
		.text = text,
		.size = strlen(text),
		.override = &assignment,
		.override_count = 1};
	struct relay relay;
	struct option_error error;
	int rc = option_read(&table, &source, &relay, &error);
	ck_assert_int_eq(rc, overrides[_i].message == NULL ? 0 : -EINVAL);
	ck_assert_str_eq(error.text, overrides[_i].message == NULL ? "" : overrides[_i].message);
	if (rc != 0)
		return;
	switch (_i) {
	case 0:
		ck_assert_uint_eq(relay.workers, 8);
		break;
	case 1:
		ck_assert_int_eq(relay.engine, 2);
		break;
	case 2:
		ck_assert_str_eq(relay.socket, "/tmp/a=b \"c\"");
		break;
	case 3:
		ck_assert_uint_eq(relay.media[1], 6);
		break;
	default:
		ck_assert_uint_eq(relay.idle.after_ms, 9);
	}
}
END_TEST

START_TEST(a_required_option_may_come_from_the_command_line)
{
	const char *assignment = "ports=( { interface = \"x\"; } )";
	struct option_source source = {
		.name = "t.conf", .override = &assignment, .override_count = 1};
	struct relay relay;
	struct option_error error;
	ck_assert_int_eq(option_read(&table, &source, &relay, &error), 0);
	ck_assert_str_eq(relay.port[0].interface, "x");
}
END_TEST

/* What print writes, as a heap block that the caller frees. */
static char *printed(const struct relay *relay, bool documented, size_t *size)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, size);
	if (documented)
		option_print_documented(&table, out);
	else
		option_print(&table, relay, out);
	fclose(out);
	return text;
}

START_TEST(what_is_printed_reads_back_to_the_same)
{
	static const char text[] =
		"relay = { workers = 3; memory = 99999999999L; offset = -1;\n"
		"socket = \"a\\\\\\\"b\"; engine = \"ipsec_mb\"; metrics = false;\n"
		"idle = { after_ms = 7; }; ports = ( { interface = \"e\"; },\n"
		"{ interface = \"f\"; queues = 2; } ); };";
	struct relay relay, again;
	struct option_error error;
	size_t size;
	ck_assert_msg(read_text(text, strlen(text), &relay, &error) == 0, "%s", error.text);
	ck_assert_str_eq(relay.socket, "a\\\"b");
	char *first = printed(&relay, false, &size);
	ck_assert_msg(read_text(first, size, &again, &error) == 0, "%s\n%s", error.text, first);
	char *second = printed(&again, false, &size);
	ck_assert_str_eq(first, second);
	ck_assert_int_eq(memcmp(&relay, &again, sizeof(relay)), 0);
	free(first);
	free(second);
}
END_TEST

START_TEST(the_documented_file_is_valid_and_says_the_defaults)
{
	struct relay relay;
	struct option_error error;
	size_t size;
	char *text = printed(NULL, true, &size);
	ck_assert_msg(read_text(text, size, &relay, &error) == 0, "%s\n%s", error.text, text);
	ck_assert_uint_eq(relay.workers, 2);
	ck_assert_str_eq(relay.port[0].interface, "eth1");
	ck_assert_ptr_nonnull(strstr(text, "\n\t# Workers.\n\t#   = integer, 1 to 16; default 2\n"
					   "\tworkers = 2;\n"));
	for (const char *line = text; line != NULL; line = strchr(line + 1, '\n'))
		ck_assert_uint_le(strcspn(line + 1, "\n"), 100);
	free(text);
}
END_TEST

/* A cut file is either a complaint or a whole configuration; never a crash, never half of a value.
 */
START_TEST(a_file_cut_at_every_byte_is_refused_or_whole)
{
	struct relay relay;
	struct option_error error;
	size_t size, accepted = 0;
	char *text = printed(NULL, true, &size);
	for (size_t cut = 0; cut <= size; cut++) {
		int rc = read_text(text, cut, &relay, &error);
		ck_assert(rc == 0 || rc == -EINVAL);
		ck_assert_int_eq(rc == 0, error.text[0] == '\0');
		/* Only what follows the closing brace may be lost. */
		if (rc == 0) {
			accepted++;
			ck_assert_uint_ge(cut, size - 2);
		}
	}
	ck_assert_uint_eq(accepted, 3);
	free(text);
}
END_TEST

/* Any single byte changed: still only refused or accepted. */
START_TEST(a_file_with_a_byte_changed_never_crashes)
{
	static const char bytes[] = "\0\"\\{}()[];=,#/*0-.eL@\n\xff";
	struct relay relay;
	struct option_error error;
	size_t size;
	char *text = printed(NULL, true, &size);
	for (size_t at = 0; at < size; at++) {
		char kept = text[at];
		text[at] = bytes[at % (sizeof(bytes) - 1)];
		int rc = read_text(text, size, &relay, &error);
		ck_assert_int_eq(rc == 0, error.text[0] == '\0');
		text[at] = kept;
	}
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("option");
	TCase *tests = tcase_create("option");
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, fallbacks_fill_what_the_file_leaves_out);
	tcase_add_test(tests, the_file_wins_over_fallbacks);
	tcase_add_loop_test(tests, bad_files_are_refused_by_line_key_and_range, 0,
		(int)(sizeof(refused) / sizeof(refused[0])));
	tcase_add_test(tests, a_nul_byte_is_refused);
	tcase_add_test(tests, numbers_in_names_strings_and_comments_are_left_alone);
	tcase_add_loop_test(tests, the_command_line_wins_over_the_file, 0,
		(int)(sizeof(overrides) / sizeof(overrides[0])));
	tcase_add_test(tests, a_required_option_may_come_from_the_command_line);
	tcase_add_test(tests, what_is_printed_reads_back_to_the_same);
	tcase_add_test(tests, the_documented_file_is_valid_and_says_the_defaults);
	tcase_add_test(tests, a_file_cut_at_every_byte_is_refused_or_whole);
	tcase_add_test(tests, a_file_with_a_byte_changed_never_crashes);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
