/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The tables of records: statements and rows follow from the columns of a kind, so that none is
 * written twice. What a row says is input: ranges, sizes and ids are checked.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/rooms/registry.h"
#include "controlplane/store/database.h"

#define SQL_SIZE 1024

/* Appends; what does not fit is found out by the one who prepares it. */
static void append(char *sql, const char *text)
{
	size_t used = strlen(sql);

	snprintf(sql + used, SQL_SIZE - used, "%s", text);
}

static void write_put(const struct record_kind *kind, char *sql)
{
	const char *comma = "";

	snprintf(sql, SQL_SIZE, "INSERT INTO %s VALUES (", kind->table);
	for (const struct column *column = kind->columns; column->name != NULL; column++) {
		append(sql, comma);
		append(sql, "?");
		comma = ", ";
	}
	append(sql, ") ON CONFLICT (id) DO UPDATE SET ");
	comma = "";
	for (const struct column *column = kind->columns + 1; column->name != NULL; column++) {
		append(sql, comma);
		append(sql, column->name);
		append(sql, " = excluded.");
		append(sql, column->name);
		comma = ", ";
	}
}

static void write_load(const struct record_kind *kind, char *sql)
{
	const char *comma = "";

	snprintf(sql, SQL_SIZE, "SELECT ");
	for (const struct column *column = kind->columns; column->name != NULL; column++) {
		append(sql, comma);
		append(sql, column->name);
		comma = ", ";
	}
	append(sql, " FROM ");
	append(sql, kind->table);
	append(sql, " ORDER BY id");
}

static void write_statement(const struct record_kind *kind, enum table_statement which, char *sql)
{
	if (which == TABLE_PUT)
		write_put(kind, sql);
	else if (which == TABLE_REMOVE)
		snprintf(sql, SQL_SIZE, "DELETE FROM %s WHERE id = ?1", kind->table);
	else
		write_load(kind, sql);
}

int table_prepare(struct store *store)
{
	char sql[SQL_SIZE];

	for (int type = 0; type < RECORD_COUNT; type++) {
		for (int which = 0; which < TABLE_STATEMENT_COUNT; which++) {
			int rc;

			write_statement(record_kinds[type], (enum table_statement)which, sql);
			rc = sqlite3_prepare_v3(store->connection, sql, -1,
				SQLITE_PREPARE_PERSISTENT, &store->tables[type][which], NULL);
			if (rc != SQLITE_OK)
				return database_error(store, sql, rc);
		}
	}
	return 0;
}

void table_finalize(struct store *store)
{
	for (int type = 0; type < RECORD_COUNT; type++) {
		for (int which = 0; which < TABLE_STATEMENT_COUNT; which++)
			sqlite3_finalize(store->tables[type][which]);
	}
}

static void bind_text(sqlite3_stmt *statement, int at, const char *text)
{
	sqlite3_bind_text(statement, at, text == NULL ? "" : text, -1, SQLITE_STATIC);
}

static void bind(sqlite3_stmt *statement, int at, const struct column *column, const void *record)
{
	const void *field = (const unsigned char *)record + column->offset;

	switch (column->kind) {
	case COLUMN_NUMBER:
		sqlite3_bind_int64(statement, at, (int64_t) * (const uint64_t *)field);
		break;
	case COLUMN_SIGNED:
		sqlite3_bind_int64(statement, at, *(const int64_t *)field);
		break;
	case COLUMN_SMALL:
		sqlite3_bind_int64(statement, at, *(const uint32_t *)field);
		break;
	case COLUMN_FLAG:
		sqlite3_bind_int64(statement, at, *(const bool *)field);
		break;
	case COLUMN_STRING:
		bind_text(statement, at, *(char *const *)field);
		break;
	default:
		bind_text(statement, at, field);
		break;
	}
}

static int run(struct store *store, sqlite3_stmt *statement)
{
	int rc = sqlite3_step(statement);

	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	return rc == SQLITE_DONE ? 0 : database_error(store, "record", rc);
}

static int put(struct store *store, enum record_type type, const void *record)
{
	sqlite3_stmt *statement = store->tables[type][TABLE_PUT];
	int at = 1;

	for (const struct column *c = record_kinds[type]->columns; c->name != NULL; c++)
		bind(statement, at++, c, record);
	return run(store, statement);
}

static int take_out(struct store *store, enum record_type type, const void *record)
{
	sqlite3_stmt *statement = store->tables[type][TABLE_REMOVE];

	sqlite3_bind_int64(statement, 1, (int64_t)record_id(record));
	return run(store, statement);
}

int table_write(struct store *store, const struct record_change *change)
{
	int rc = 0;

	if (change->before != NULL &&
		(change->after == NULL || record_id(change->before) != record_id(change->after)))
		rc = take_out(store, change->type, change->before);
	if (rc == 0 && change->after != NULL)
		rc = put(store, change->type, change->after);
	return rc;
}

/* A text without NUL inside that is not longer than size - 1; to NULL: only looked at. */
static bool take_text(sqlite3_stmt *row, int at, char *to, uint64_t size)
{
	const char *from = (const char *)sqlite3_column_text(row, at);
	size_t length = (size_t)sqlite3_column_bytes(row, at);

	if (from == NULL || length >= size || memchr(from, '\0', length) != NULL)
		return false;
	if (to != NULL)
		memcpy(to, from, length + 1);
	return true;
}

static bool take_string(sqlite3_stmt *row, int at, char **to, uint64_t max)
{
	if (!take_text(row, at, NULL, max + 1))
		return false;
	if (sqlite3_column_bytes(row, at) == 0)
		return true;
	*to = strdup((const char *)sqlite3_column_text(row, at));
	return *to != NULL;
}

static bool take_column(sqlite3_stmt *row, int at, const struct column *column, void *record)
{
	void *field = (unsigned char *)record + column->offset;
	int64_t number = sqlite3_column_int64(row, at);

	switch (column->kind) {
	case COLUMN_NUMBER:
		*(uint64_t *)field = (uint64_t)number;
		return number >= 0;
	case COLUMN_SIGNED:
		*(int64_t *)field = number;
		return true;
	case COLUMN_SMALL:
		*(uint32_t *)field = (uint32_t)number;
		return number >= 0 && (uint64_t)number <= column->max;
	case COLUMN_FLAG:
		*(bool *)field = number != 0;
		return true;
	case COLUMN_USER:
		return take_text(row, at, field, sizeof(struct user_id)) &&
		       event_id_valid(field, strlen(field));
	case COLUMN_TEXT:
		return take_text(row, at, field, column->max);
	case COLUMN_STRING:
		return take_string(row, at, field, column->max);
	default:
		return false;
	}
}

static int load_row(sqlite3_stmt *row, enum record_type type, struct registry *registry)
{
	const struct record_kind *kind = record_kinds[type];
	void *record = calloc(1, kind->size);
	bool right = record != NULL;
	int at = 0, rc = -EIO;

	if (record == NULL)
		return -ENOMEM;
	for (const struct column *c = kind->columns; right && c->name != NULL; c++)
		right = take_column(row, at++, c, record);
	if (right && record_id(record) != 0)
		rc = kind->link(registry, record);
	if (rc != 0)
		record_free(type, record);
	return rc == -ENOENT ? 0 : rc; /* of a room that is gone: it means nothing any more */
}

int table_load(struct store *store, enum record_type type, struct registry *registry)
{
	sqlite3_stmt *row = store->tables[type][TABLE_LOAD];
	int rc = SQLITE_DONE, result = 0;

	while (result == 0 && (rc = sqlite3_step(row)) == SQLITE_ROW)
		result = load_row(row, type, registry);
	if (result == 0 && rc != SQLITE_DONE)
		result = database_error(store, "load", rc);
	sqlite3_reset(row);
	return result;
}
