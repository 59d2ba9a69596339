/* SPDX-License-Identifier: BSD-3-Clause */
#include "configs/option.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#define COLUMNS 100
#define TAB 8
#define TEXT_MAX 1024

static const char *const tabs = "\t\t\t\t\t\t\t\t";

/* Appends to text; what does not fit is cut. */
static void __attribute__((format(printf, 3, 4)))
append(char *text, size_t size, const char *format, ...)
{
	size_t used = strlen(text);
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text + used, size - used, format, arguments);
	va_end(arguments);
}

void option_describe(const struct option *option, char *text, size_t size)
{
	text[0] = '\0';
	if (option->list_max > 0)
		append(text, size, "list of %zu to %zu, each ", option->list_min, option->list_max);
	switch (option->type) {
	case OPTION_BOOL:
		append(text, size, "true or false");
		break;
	case OPTION_INT:
		append(text, size, "integer, %" PRId64 " to %" PRId64 "%s%s", option->min,
			option->max, option->unit == NULL ? "" : " ",
			option->unit == NULL ? "" : option->unit);
		break;
	case OPTION_STRING:
		append(text, size, "text of %" PRId64 " to %zu bytes", option->min,
			option->size - 1);
		break;
	case OPTION_ENUM:
		append(text, size, "one of");
		for (unsigned int i = 0; option->names[i] != NULL; i++)
			append(text, size, "%s \"%s\"", i > 0 ? "," : "", option->names[i]);
		break;
	case OPTION_GROUP:
		append(text, size, "{ ... }");
		break;
	default:
		assert(!"an option type without words");
	}
}

static int64_t load_integer(const struct option *option, const void *from)
{
	bool is_signed = option->min < 0;
	switch (option->size) {
	case 1:
		return is_signed ? *(const int8_t *)from : *(const uint8_t *)from;
	case 2:
		return is_signed ? *(const int16_t *)from : *(const uint16_t *)from;
	case 4:
		return is_signed ? *(const int32_t *)from : (int64_t) * (const uint32_t *)from;
	default:
		return *(const int64_t *)from;
	}
}

static void print_quoted(const char *text, FILE *out)
{
	fputc('"', out);
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

static void print_options(const struct option *options, const void *config, int depth, FILE *out);

static void print_element(const struct option *option, const void *from, int depth, FILE *out)
{
	int64_t value;
	switch (option->type) {
	case OPTION_BOOL:
		fputs(*(const bool *)from ? "true" : "false", out);
		break;
	case OPTION_INT:
		value = load_integer(option, from);
		/* libconfig wants its suffix on what does not fit 32 bits. */
		fprintf(out, "%" PRId64 "%s", value,
			value > INT32_MAX || value < INT32_MIN ? "L" : "");
		break;
	case OPTION_STRING:
		print_quoted(from, out);
		break;
	case OPTION_ENUM:
		print_quoted(option->names[load_integer(option, from)], out);
		break;
	case OPTION_GROUP:
		fputs("{\n", out);
		print_options(option->fields, from, depth + 1, out);
		fprintf(out, "%.*s}", depth, tabs);
		break;
	default:
		assert(!"an option type without a printer");
	}
}

static void print_list(const struct option *option, const void *config, int depth, FILE *out)
{
	const char *from = (const char *)config + option->offset;
	bool groups = option->type == OPTION_GROUP;
	unsigned int count = *(const unsigned int *)((const char *)config + option->count_offset);
	fputs(groups ? "(" : "[", out);
	for (unsigned int i = 0; i < count; i++) {
		fputs(i > 0 ? ", " : " ", out);
		print_element(option, from + i * option->size, depth, out);
	}
	fputs(groups ? " )" : " ]", out);
}

static void print_options(const struct option *options, const void *config, int depth, FILE *out)
{
	for (const struct option *option = options; option->key != NULL; option++) {
		fprintf(out, "%.*s%s = ", depth, tabs, option->key);
		if (option->list_max > 0)
			print_list(option, config, depth, out);
		else
			print_element(option, (const char *)config + option->offset, depth, out);
		fputs(";\n", out);
	}
}

void option_print(const struct option_table *table, const void *config, FILE *out)
{
	fprintf(out, "%s = {\n", table->name);
	print_options(table->options, config, 1, out);
	fputs("};\n", out);
}

/* A comment wrapped at word borders; lead begins each line, mark is put before the first word. */
static void print_comment(
	const char *text, int depth, const char *lead, const char *mark, FILE *out)
{
	size_t width = COLUMNS - (size_t)depth * TAB - strlen(lead) - strlen(mark);
	while (*text != '\0') {
		size_t take = strlen(text);
		if (take > width) {
			for (take = width; take > 0 && text[take] != ' '; take--)
				;
			take = take == 0 ? width : take;
		}
		fprintf(out, "%.*s%s%s%.*s\n", depth, tabs, lead, mark, (int)take, text);
		mark = mark[0] == '\0' ? mark : "  ";
		text += take;
		text += strspn(text, " ");
	}
}

/* The value a file would have: fallback, or example. */
static void print_shown_value(const struct option *option, char *text, size_t size)
{
	const char *value = option->fallback != NULL ? option->fallback : option->example;
	bool bare = option->list_max == 0 &&
		    (option->type == OPTION_STRING || option->type == OPTION_ENUM);
	assert(value != NULL && "stentor.conf shows every option: a fallback or an example");
	snprintf(text, size, bare ? "\"%s\"" : "%s", value);
}

/* "integer, 1 to 16; default 1" */
static void describe_fully(const struct option *option, char *text, size_t size)
{
	char value[TEXT_MAX];
	option_describe(option, text, size);
	if (option->fallback == NULL) {
		append(text, size, "; required");
		return;
	}
	print_shown_value(option, value, sizeof(value));
	append(text, size, "; default %s", value);
}

static void print_documented(const struct option *option, int depth, FILE *out)
{
	char text[TEXT_MAX];
	fputc('\n', out);
	if (option->type == OPTION_GROUP && option->list_max == 0) {
		print_comment(option->help, depth, "# ", "", out);
		fprintf(out, "%.*s%s = {", depth, tabs, option->key);
		for (const struct option *field = option->fields; field->key != NULL; field++)
			print_documented(field, depth + 1, out);
		fprintf(out, "%.*s};\n", depth, tabs);
		return;
	}
	print_comment(option->help, depth, "# ", "", out);
	describe_fully(option, text, sizeof(text));
	print_comment(text, depth, "#   ", "= ", out);
	for (const struct option *field = option->type == OPTION_GROUP ? option->fields : NULL;
		field != NULL && field->key != NULL; field++) {
		fprintf(out, "%.*s#\n%.*s#   %s\n", depth, tabs, depth, tabs, field->key);
		print_comment(field->help, depth, "#     ", "", out);
		describe_fully(field, text, sizeof(text));
		print_comment(text, depth, "#     ", "= ", out);
	}
	print_shown_value(option, text, sizeof(text));
	fprintf(out, "%.*s%s = %s;\n", depth, tabs, option->key, text);
}

void option_print_documented(const struct option_table *table, FILE *out)
{
	char text[TEXT_MAX];
	snprintf(text, sizeof(text), "%s: %s", table->program, table->about);
	print_comment(text, 0, "# ", "", out);
	fprintf(out, "%s = {", table->name);
	for (const struct option *option = table->options; option->key != NULL; option++)
		print_documented(option, 1, out);
	fputs("};\n", out);
}

void option_print_help(const struct option_table *table, FILE *out)
{
	char text[TEXT_MAX];
	for (const struct option *option = table->options; option->key != NULL; option++) {
		describe_fully(option, text, sizeof(text));
		fprintf(out, "  %-20s %s\n  %-20s   = %s\n", option->key, option->help, "", text);
	}
}
