/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of store/ share: the connection, its statements, error translation. */
#ifndef STENTOR_CONTROLPLANE_STORE_DATABASE_H
#define STENTOR_CONTROLPLANE_STORE_DATABASE_H

#include <sqlite3.h>

#include "controlplane/store/store.h"

enum statement {
	STATEMENT_BEGIN,
	STATEMENT_COMMIT,
	STATEMENT_ROLLBACK,
	STATEMENT_META_PUT,
	STATEMENT_META_GET,
	STATEMENT_ROOM_ADD,
	STATEMENT_ROOM_SET,
	STATEMENT_ROOM_REMOVE,
	STATEMENT_ROOM_CLEAR_EXCLUDED,
	STATEMENT_ROOM_CLEAR_SILENCED,
	STATEMENT_ROOM_CLEAR_KEYS,
	STATEMENT_ROOM_CLEAR_PINS,
	STATEMENT_ROOM_CLEAR_SHARES,
	STATEMENT_ROOM_CLEAR_OFFERS,
	STATEMENT_ROOM_CLEAR_REMINDERS,
	STATEMENT_MEMBER_ADD,
	STATEMENT_MEMBER_SET,
	STATEMENT_MEMBER_REMOVE,
	STATEMENT_EXCLUDE_PUT,
	STATEMENT_EXCLUDE_REMOVE,
	STATEMENT_SILENCE_PUT,
	STATEMENT_SILENCE_REMOVE,
	STATEMENT_KEY_ADD,
	STATEMENT_AUDIT_ADD,
	STATEMENT_AUDIT_READ,
	STATEMENT_AUDIT_READ_ROOM,
	STATEMENT_AUDIT_LAST,
	STATEMENT_EVENT_ADD,
	STATEMENT_ROOM_SEQUENCES,
	STATEMENT_EVENT_PRUNE,
	STATEMENT_ANSWER_PUT,
	STATEMENT_ANSWER_GET,
	STATEMENT_ANSWER_REMOVE,
	STATEMENT_ANSWER_PRUNE,
	STATEMENT_LOG_READ,
	STATEMENT_LOG_READ_ROOM,
	STATEMENT_LOG_FIRST,
	STATEMENT_LOG_LAST,
	STATEMENT_LOAD_ROOMS,
	STATEMENT_LOAD_MEMBERS,
	STATEMENT_LOAD_EXCLUDED,
	STATEMENT_LOAD_SILENCED,
	STATEMENT_LOAD_KEYS,
	STATEMENT_COUNT
};

/* Of each table of records. */
enum table_statement { TABLE_PUT, TABLE_REMOVE, TABLE_LOAD, TABLE_STATEMENT_COUNT };

struct store {
	sqlite3 *connection;
	sqlite3_stmt *statements[STATEMENT_COUNT];
	sqlite3_stmt *tables[RECORD_COUNT][TABLE_STATEMENT_COUNT];
	struct store_limits limits;
	uint64_t pruned_at;  /* event sequence at the last pruning */
	uint64_t answers;    /* put since the last pruning */
	uint64_t last_event; /* highest sequence written */
};

/* Makes or migrates the tables. */
int schema_apply(struct store *store);
/* Prepares all statements. */
int schema_prepare(struct store *store);

/* -ENOSPC, -EIO...; logs what SQLite says, at most once a second. */
int database_error(struct store *store, const char *what, int rc);
/* Runs a statement that returns no row, resets and unbinds it. */
int database_run(struct store *store, enum statement statement);
/* The next row: 1, end: 0, else negative errno. The caller resets. */
int database_row(struct store *store, enum statement statement);
void database_reset(struct store *store, enum statement statement);
void database_text(struct store *store, enum statement statement, int at, const char *text);
void database_number(struct store *store, enum statement statement, int at, int64_t number);
void database_bytes(
	struct store *store, enum statement statement, int at, const void *bytes, size_t size);

/* table.c: the tables of records. */
int table_prepare(struct store *store);
void table_finalize(struct store *store);
int table_write(struct store *store, const struct record_change *change);
/* All records of that type into the registry. */
int table_load(struct store *store, enum record_type type, struct registry *registry);

/* A number that no other boot of this machine has; 0: not known. */
uint64_t database_boot(void);
/* Numbers by name; a missing one is 0. */
int database_meta_put(struct store *store, const char *name, uint64_t value);
int database_meta_get(struct store *store, const char *name, uint64_t *value);

#endif
