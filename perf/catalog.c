// SPDX-License-Identifier: BSD-3-Clause
#include "perf/catalog.h"

#include <errno.h>
#include <string.h>

struct reader {
	json_t *parameters, *results;
	json_t *last; /* what a line of more words belongs to; borrowed */
	int in_results;
};

/* Length of the text before the next two spaces. */
static size_t cell(const char *line, size_t size)
{
	const char *end = memmem(line, size, "  ", 2);

	return end != NULL ? (size_t)(end - line) : size;
}

static size_t blanks(const char *line, size_t size)
{
	size_t n = 0;

	while (n < size && line[n] == ' ')
		n++;
	return n;
}

static void add(struct reader *reader, json_t *list, json_t *entry)
{
	if (json_array_append_new(list, entry) == 0)
		reader->last = entry;
}

static void take_option(struct reader *reader, const char *line, size_t size)
{
	size_t name, all = cell(line, size), text;
	const char *space = memchr(line, ' ', all);

	name = space != NULL ? (size_t)(space - line) : all;
	text = all + blanks(line + all, size - all);
	add(reader, reader->parameters,
		json_pack("{s:s%, s:o, s:s%}", "name", line + 2, name - 2, "argument",
			space != NULL ? json_stringn(space + 1, all - name - 1) : json_null(),
			"text", line + text, size - text));
}

/* "name  unit, better  words" */
static void take_result(struct reader *reader, const char *line, size_t size)
{
	size_t name = cell(line, size), unit, facts, text;
	const char *comma;

	unit = name + blanks(line + name, size - name);
	facts = cell(line + unit, size - unit);
	comma = memchr(line + unit, ',', facts);
	text = unit + facts + blanks(line + unit + facts, size - unit - facts);
	if (comma == NULL || comma + 2 > line + unit + facts)
		return;
	add(reader, reader->results,
		json_pack("{s:s%, s:s%, s:s%, s:s%}", "name", line, name, "unit", line + unit,
			(size_t)(comma - line) - unit, "better", comma + 2,
			(size_t)(line + unit + facts - comma) - 2, "text", line + text,
			size - text));
}

static void take_more(struct reader *reader, const char *line, size_t size)
{
	const char *before = json_string_value(json_object_get(reader->last, "text"));

	if (before != NULL)
		json_object_set_new(
			reader->last, "text", json_sprintf("%s %.*s", before, (int)size, line));
}

static void take_line(struct reader *reader, const char *line, size_t size)
{
	size_t indent = blanks(line, size);

	if (indent == 0) {
		reader->in_results = size == 8 && memcmp(line, "Results:", size) == 0;
		reader->last = NULL;
	} else if (indent > 2) {
		take_more(reader, line + indent, size - indent);
	} else if (size > indent + 2 && line[indent] == '-' && line[indent + 1] == '-') {
		take_option(reader, line + indent, size - indent);
	} else if (reader->in_results) {
		take_result(reader, line + indent, size - indent);
	}
}

json_t *catalog_describe(const struct benchmark *benchmark)
{
	struct reader reader = {.parameters = json_array(), .results = json_array()};
	const char *line = benchmark->usage;

	while (*line != '\0') {
		size_t size = strcspn(line, "\n");

		take_line(&reader, line, size);
		line += size + (line[size] == '\n');
	}
	return json_pack("{s:s, s:s, s:o, s:o}", "name", benchmark->name, "summary",
		benchmark->summary, "parameters", reader.parameters, "results", reader.results);
}

int catalog_print(const struct benchmark list[], unsigned int count, int json, FILE *out)
{
	json_t *array = json_array();
	int rc = 0;

	for (unsigned int i = 0; i < count; i++) {
		if (!json)
			fprintf(out, "%-10s %s\n", list[i].name, list[i].summary);
		else if (json_array_append_new(array, catalog_describe(&list[i])) < 0)
			rc = -ENOMEM;
	}
	if (json && rc == 0 &&
		(json_dumpf(array, out, JSON_INDENT(1) | JSON_PRESERVE_ORDER) < 0 ||
			fputc('\n', out) == EOF))
		rc = -EIO;
	json_decref(array);
	return rc;
}
