// SPDX-License-Identifier: BSD-3-Clause
#include "controlplane/cli/table.h"

#include <stdbool.h>
#include <string.h>

#define COLUMNS_MAX 16

static void clean(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

static void list_text(const json_t *list, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < json_array_size(list) && used + 1 < size; i++) {
		char item[TABLE_TEXT];
		int wrote;

		table_text(json_array_get(list, i), item, sizeof(item));
		wrote = snprintf(text + used, size - used, "%s%s", i ? "," : "", item);
		used += wrote > 0 ? (size_t)wrote : 0;
	}
}

void table_text(const json_t *value, char *text, size_t size)
{
	switch (value ? json_typeof(value) : JSON_NULL) {
	case JSON_STRING:
		snprintf(text, size, "%s", json_string_value(value));
		clean(text);
		break;
	case JSON_INTEGER:
		snprintf(text, size, "%lld", (long long)json_integer_value(value));
		break;
	case JSON_REAL:
		snprintf(text, size, "%.3f", json_real_value(value));
		break;
	case JSON_TRUE:
		snprintf(text, size, "yes");
		break;
	case JSON_FALSE:
		snprintf(text, size, "no");
		break;
	case JSON_ARRAY:
		list_text(value, text, size);
		break;
	case JSON_OBJECT:
		table_text(json_object_get(value, "member"), text, size);
		break;
	default:
		snprintf(text, size, "-");
	}
}

/* Columns, not bytes: a UTF-8 continuation byte takes no place. */
static size_t width_of(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static void print_cell(FILE *out, const char *text, size_t width, bool right, bool last)
{
	size_t own = width_of(text);
	int pad = own < width ? (int)(width - own) : 0;

	if (right)
		fprintf(out, "%*s%s", pad, "", text);
	else
		fprintf(out, "%s%*s", text, last ? 0 : pad, "");
	fputs(last ? "\n" : "  ", out);
}

void table_print(FILE *out, const struct table_column *columns, size_t count, const json_t *rows)
{
	size_t width[COLUMNS_MAX] = {0};
	bool right[COLUMNS_MAX] = {false};
	char text[TABLE_TEXT];

	for (size_t c = 0; c < count; c++) {
		width[c] = strlen(columns[c].title);
		for (size_t r = 0; r < json_array_size(rows); r++) {
			json_t *value = json_object_get(json_array_get(rows, r), columns[c].key);

			table_text(value, text, sizeof(text));
			right[c] |= json_is_number(value);
			if (width_of(text) > width[c])
				width[c] = width_of(text);
		}
	}
	for (size_t c = 0; c < count; c++)
		print_cell(out, columns[c].title, width[c], right[c], c + 1 == count);
	for (size_t r = 0; r < json_array_size(rows); r++)
		for (size_t c = 0; c < count; c++) {
			table_text(json_object_get(json_array_get(rows, r), columns[c].key), text,
				sizeof(text));
			print_cell(out, text, width[c], right[c], c + 1 == count);
		}
}

void table_print_object(
	FILE *out, const struct table_column *columns, size_t count, const json_t *object)
{
	char text[TABLE_TEXT * 4];

	for (size_t c = 0; c < count; c++) {
		table_text(json_object_get(object, columns[c].key), text, sizeof(text));
		fprintf(out, "%-14s %s\n", columns[c].title, text);
	}
}
