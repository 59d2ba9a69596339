/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "configs/log.h"
#include "controlplane/store/database.h"

#define PRUNE_EVERY 10000

int database_error(struct store *store, const char *what, int rc)
{
	static struct log_limit limit;

	log_limited(&limit, LOG_LEVEL_ERROR, "database_failed",
		"what=\"%.40s\" code=%d reason=\"%s\"", what, rc,
		sqlite3_errmsg(store->connection));
	switch (rc & 0xff) {
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	default:
		return -EIO;
	}
}

void database_reset(struct store *store, enum statement statement)
{
	sqlite3_reset(store->statements[statement]);
	sqlite3_clear_bindings(store->statements[statement]);
}

int database_row(struct store *store, enum statement statement)
{
	int rc = sqlite3_step(store->statements[statement]);

	if (rc == SQLITE_ROW)
		return 1;
	return rc == SQLITE_DONE ? 0 : database_error(store, "step", rc);
}

int database_run(struct store *store, enum statement statement)
{
	int rc = database_row(store, statement);

	database_reset(store, statement);
	return rc < 0 ? rc : 0;
}

void database_text(struct store *store, enum statement statement, int at, const char *text)
{
	sqlite3_bind_text(store->statements[statement], at, text, -1, SQLITE_STATIC);
}

void database_number(struct store *store, enum statement statement, int at, int64_t number)
{
	sqlite3_bind_int64(store->statements[statement], at, number);
}

void database_bytes(
	struct store *store, enum statement statement, int at, const void *bytes, size_t size)
{
	sqlite3_bind_blob(store->statements[statement], at, bytes, (int)size, SQLITE_STATIC);
}

static const char *reason_of(int rc, struct store *store)
{
	if (rc == -EPROTO)
		return "the schema is of a newer version of this program";
	if (rc == -EBUSY)
		return "another process has it open";
	return store->connection == NULL ? "out of memory" : sqlite3_errmsg(store->connection);
}

int store_open(
	struct store **out, const char *path, const struct store_limits *limits, char *reason)
{
	struct store *store = calloc(1, sizeof(*store));
	mode_t mask;
	int rc;

	if (store == NULL)
		return -ENOMEM;
	store->limits = *limits;
	mask = umask(0077); /* the database and its WAL are nobody else's business */
	rc = sqlite3_open_v2(path, &store->connection,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
			SQLITE_OPEN_NOFOLLOW,
		NULL);
	if (rc == SQLITE_OK) {
		sqlite3_extended_result_codes(store->connection, 1);
		/* The one connection keeps the lock: a second control plane cannot open the file.
		 */
		rc = sqlite3_exec(
			store->connection, "PRAGMA locking_mode = EXCLUSIVE", NULL, NULL, NULL);
	}
	rc = rc == SQLITE_OK ? schema_apply(store) : -EIO;
	umask(mask);
	if (rc == 0)
		rc = schema_prepare(store);
	if (rc != 0) {
		snprintf(reason, 256, "%.200s", reason_of(rc, store));
		store_close(store);
		return rc;
	}
	*out = store;
	return 0;
}

void store_close(struct store *store)
{
	if (store == NULL)
		return;
	for (int i = 0; i < STATEMENT_COUNT; i++)
		sqlite3_finalize(store->statements[i]);
	table_finalize(store);
	sqlite3_close(store->connection);
	free(store);
}

int store_begin(struct store *store)
{
	return database_run(store, STATEMENT_BEGIN);
}

void store_rollback(struct store *store)
{
	if (!sqlite3_get_autocommit(store->connection))
		database_run(store, STATEMENT_ROLLBACK);
}

int database_meta_put(struct store *store, const char *name, uint64_t value)
{
	database_text(store, STATEMENT_META_PUT, 1, name);
	database_number(store, STATEMENT_META_PUT, 2, (int64_t)value);
	return database_run(store, STATEMENT_META_PUT);
}

int database_meta_get(struct store *store, const char *name, uint64_t *value)
{
	int rc;

	database_text(store, STATEMENT_META_GET, 1, name);
	rc = database_row(store, STATEMENT_META_GET);
	*value = rc == 1 ? (uint64_t)sqlite3_column_int64(store->statements[STATEMENT_META_GET], 0)
			 : 0;
	database_reset(store, STATEMENT_META_GET);
	return rc < 0 ? rc : 0;
}

/* Old events and answers go now and then, in a transaction that is being written anyway. */
static int prune(struct store *store)
{
	int rc = 0;

	if (store->last_event > store->limits.log_max &&
		store->last_event - store->pruned_at >= PRUNE_EVERY) {
		database_number(store, STATEMENT_EVENT_PRUNE, 1,
			(int64_t)(store->last_event - store->limits.log_max));
		/* A room that was quiet for long must not count from the beginning again. */
		rc = database_run(store, STATEMENT_ROOM_SEQUENCES);
		if (rc == 0)
			rc = database_run(store, STATEMENT_EVENT_PRUNE);
		store->pruned_at = store->last_event;
	}
	if (rc == 0 && store->answers >= PRUNE_EVERY) {
		database_number(
			store, STATEMENT_ANSWER_PRUNE, 1, (int64_t)store->limits.answers_max);
		rc = database_run(store, STATEMENT_ANSWER_PRUNE);
		store->answers = 0;
	}
	return rc;
}

int store_commit(struct store *store, uint64_t next_id)
{
	int rc = prune(store);

	if (rc == 0)
		rc = database_meta_put(store, "next_id", next_id);
	if (rc == 0)
		rc = database_run(store, STATEMENT_COMMIT);
	if (rc != 0)
		store_rollback(store);
	return rc;
}

int store_answer_find(struct store *store, const char *id, struct writer *text)
{
	sqlite3_stmt *statement = store->statements[STATEMENT_ANSWER_GET];
	int rc;

	database_text(store, STATEMENT_ANSWER_GET, 1, id);
	rc = database_row(store, STATEMENT_ANSWER_GET);
	if (rc == 1)
		writer_append(text, sqlite3_column_blob(statement, 0),
			(size_t)sqlite3_column_bytes(statement, 0));
	database_reset(store, STATEMENT_ANSWER_GET);
	return rc < 0 ? rc : !rc;
}

int store_answer_put(struct store *store, const char *id, const char *text, size_t size)
{
	store->answers++;
	database_text(store, STATEMENT_ANSWER_PUT, 1, id);
	database_bytes(store, STATEMENT_ANSWER_PUT, 2, text, size);
	return database_run(store, STATEMENT_ANSWER_PUT);
}

int store_answer_remove(struct store *store, const char *id)
{
	database_text(store, STATEMENT_ANSWER_REMOVE, 1, id);
	return database_run(store, STATEMENT_ANSWER_REMOVE);
}

int store_log_read(struct store *store, uint64_t room_id, uint64_t *after, unsigned int limit,
	struct writer *text)
{
	enum statement which = room_id == 0 ? STATEMENT_LOG_READ : STATEMENT_LOG_READ_ROOM;
	sqlite3_stmt *statement = store->statements[which];
	int rc;

	database_number(store, which, 1, (int64_t)*after);
	database_number(store, which, 2, limit);
	if (room_id != 0)
		database_number(store, which, 3, (int64_t)room_id);
	while ((rc = database_row(store, which)) == 1) {
		*after = (uint64_t)sqlite3_column_int64(statement, 0);
		writer_append(text, sqlite3_column_blob(statement, 1),
			(size_t)sqlite3_column_bytes(statement, 1));
		writer_append(text, "\n", 1);
	}
	database_reset(store, which);
	return rc;
}

int store_log_first(struct store *store, uint64_t *sequence)
{
	int rc = database_row(store, STATEMENT_LOG_FIRST);

	*sequence =
		rc == 1 ? (uint64_t)sqlite3_column_int64(store->statements[STATEMENT_LOG_FIRST], 0)
			: 0;
	database_reset(store, STATEMENT_LOG_FIRST);
	return rc < 0 ? rc : 0;
}

uint64_t database_boot(void)
{
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
	unsigned long long high = 0, low = 0;

	/* 8-4-4-4-12 hex digits; the first twelve will do. */
	if (file != NULL && fscanf(file, "%8llx-%4llx", &high, &low) != 2)
		high = low = 0;
	if (file != NULL)
		fclose(file);
	return high << 16 | low;
}

int store_epoch(struct store *store, const struct moment *now, uint64_t *epoch)
{
	uint64_t last;
	int rc = database_meta_get(store, "epoch", &last);

	*epoch = last + 1;
	if (now->wall_ms > 0 && (uint64_t)now->wall_ms > *epoch)
		*epoch = (uint64_t)now->wall_ms;
	if (rc == 0)
		rc = database_meta_put(store, "boot", database_boot());
	return rc != 0 ? rc : database_meta_put(store, "epoch", *epoch);
}
