/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * JSON objects as lines and columns for people. Everything that came over the socket is printed
 * with control characters replaced, so that a room title cannot talk to the terminal.
 */
#ifndef STENTOR_CONTROLPLANE_CLI_TABLE_H
#define STENTOR_CONTROLPLANE_CLI_TABLE_H

#include <stddef.h>
#include <stdio.h>

#include <jansson.h>

#define TABLE_TEXT 128

struct table_column {
	const char *title;
	const char *key;
};

/*
 * A value as short text: "-" for null and missing, yes/no, lists with commas, of an object its
 * member.
 */
void table_text(const json_t *value, char *text, size_t size);
/* rows: an array of objects. As wide as its content; numbers to the right. */
void table_print(FILE *out, const struct table_column *columns, size_t count, const json_t *rows);
/* One "title  value" line for each column, of one object. */
void table_print_object(
	FILE *out, const struct table_column *columns, size_t count, const json_t *object);

#endif
