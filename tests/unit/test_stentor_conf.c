/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * configs/stentor.conf has every option of both programs, with default, unit and range: it is what
 * the option tables say, byte for byte. `test_stentor_conf --write FILE` makes it anew.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/config.h"
#include "dataplane/config.h"

static const struct option_table *const tables[] = {&dataplane_options, &controlplane_options};
#define TABLES ((int)(sizeof(tables) / sizeof(tables[0])))

static const char head[] =
	"# Stentor: configuration of both programs, libconfig syntax; installed as\n"
	"# " OPTION_FILE_DEFAULT ". Every option is here with what it takes and its default;\n"
	"# what is left out has its default. An unknown key, a wrong type or a value out of range "
	"is\n"
	"# refused at start. `stentor-dataplane --check` and `stentor-controlplane --check` "
	"validate the\n"
	"# file and print what is in effect; `-o KEY=VALUE` wins over the file.\n\n";

/* libconfig 1.5 loses a string that was begun when a file is refused; the program ends then. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig";
}

static void write_conf(FILE *out)
{
	fputs(head, out);
	for (int i = 0; i < TABLES; i++) {
		if (i > 0)
			fputc('\n', out);
		option_print_documented(tables[i], out);
	}
}

static char *read_conf(size_t *size)
{
	FILE *file = fopen(STENTOR_CONF, "re");
	char *text = NULL;
	ck_assert_msg(file != NULL, "%s: %s", STENTOR_CONF, strerror(errno));
	size_t room = 1 << 20;
	text = malloc(room);
	*size = fread(text, 1, room, file);
	fclose(file);
	return text;
}

/* The effective configuration as text, or NULL when it was refused. */
static char *effective(const struct option_table *table, const char *text, size_t size)
{
	/* A block of exactly this size, so that a byte read too many is seen. */
	char *exact = malloc(size > 0 ? size : 1), *printed = NULL;
	void *config = malloc(table->size);
	struct option_source source = {.name = "stentor.conf", .text = exact, .size = size};
	struct option_error error;
	size_t printed_size;

	memcpy(exact, text, size);
	int rc = option_read(table, &source, config, &error);
	ck_assert(rc == 0 || rc == -EINVAL);
	ck_assert_msg((rc == 0) == (error.text[0] == '\0'), "cut at %zu: rc %d, reason '%s'", size,
		rc, error.text);
	if (rc == 0) {
		FILE *out = open_memstream(&printed, &printed_size);
		option_print(table, config, out);
		fclose(out);
	}
	free(config);
	free(exact);
	return printed;
}

START_TEST(the_file_is_what_the_tables_say)
{
	size_t size, wanted_size;
	char *text = read_conf(&size), *wanted = NULL;
	FILE *out = open_memstream(&wanted, &wanted_size);
	write_conf(out);
	fclose(out);
	size_t same = 0;
	while (same < size && same < wanted_size && text[same] == wanted[same])
		same++;
	ck_assert_msg(size == wanted_size && same == size,
		"configs/stentor.conf is not what the option tables say (test_stentor_conf --write "
		"makes it anew); the file has\n%.100s\nthe tables say\n%.100s",
		text + same, wanted + same);
	free(text);
	free(wanted);
}
END_TEST

START_TEST(its_values_are_the_defaults)
{
	size_t size;
	char *text = read_conf(&size);
	char *whole = effective(tables[_i], text, size);
	ck_assert_msg(whole != NULL, "%s refuses configs/stentor.conf", tables[_i]->program);
	/* Only what is required has no default to compare with. */
	char *defaults = effective(tables[_i], "", 0);
	if (defaults != NULL)
		ck_assert_str_eq(whole, defaults);
	free(text);
	free(whole);
	free(defaults);
}
END_TEST

/* The values are the defaults, so whatever a cut file is accepted as must be the same. */
START_TEST(cut_at_every_byte_it_is_refused_or_the_same)
{
	size_t size, accepted = 0;
	char *text = read_conf(&size);
	char *whole = effective(tables[_i], text, size);
	ck_assert_ptr_nonnull(whole);
	for (size_t cut = 0; cut < size; cut++) {
		char *got = effective(tables[_i], text, cut);
		if (got == NULL)
			continue;
		accepted++;
		ck_assert_msg(strcmp(got, whole) == 0, "cut at %zu it means\n%s", cut, got);
		free(got);
	}
	ck_assert_uint_lt(accepted, size);
	free(text);
	free(whole);
}
END_TEST

int main(int argc, char *argv[])
{
	if (argc == 3 && strcmp(argv[1], "--write") == 0) {
		FILE *out = fopen(argv[2], "we");
		if (out == NULL)
			return 1;
		write_conf(out);
		return fclose(out) == 0 ? 0 : 1;
	}
	Suite *suite = suite_create("stentor.conf");
	TCase *tests = tcase_create("stentor.conf");
	tcase_set_timeout(tests, 240);
	tcase_add_test(tests, the_file_is_what_the_tables_say);
	tcase_add_loop_test(tests, its_values_are_the_defaults, 0, TABLES);
	tcase_add_loop_test(tests, cut_at_every_byte_it_is_refused_or_the_same, 0, TABLES);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
