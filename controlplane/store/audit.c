/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads the audit back, a page at a time. */
#include "controlplane/store/database.h"

/* Rows looked at for a page: what is rare among them must not hold up the loop (20 ms). */
#define WINDOW 20000

static void write_entry(sqlite3_stmt *row, struct writer *writer)
{
	static const char *const names[] = {"room", "actor", "action", "member", "reason"};

	writer_begin_object(writer, NULL);
	writer_id(writer, "audit", (uint64_t)sqlite3_column_int64(row, 0));
	writer_int(writer, "at_ms", sqlite3_column_int64(row, 1));
	for (int i = 0; i < 5; i++) {
		const char *text = (const char *)sqlite3_column_text(row, 2 + i);

		writer_string(writer, names[i], text == NULL || *text == '\0' ? NULL : text);
	}
	writer_end_object(writer);
}

static int last_id(struct store *store, uint64_t *id)
{
	int rc = database_row(store, STATEMENT_AUDIT_LAST);

	if (rc == 1)
		*id = (uint64_t)sqlite3_column_int64(store->statements[STATEMENT_AUDIT_LAST], 0);
	database_reset(store, STATEMENT_AUDIT_LAST);
	return rc < 0 ? rc : 0;
}

static void bind(
	struct store *store, enum statement which, const struct audit_filter *filter, uint64_t end)
{
	database_number(store, which, 1, (int64_t)filter->after);
	database_text(store, which, 2, filter->room);
	database_text(store, which, 3, filter->actor);
	database_text(store, which, 4, filter->member);
	database_text(store, which, 5, filter->action);
	database_number(store, which, 6, filter->from_ms);
	database_number(store, which, 7, filter->to_ms);
	/* One more than asked for, to know that there is one. */
	database_number(store, which, 8, (int64_t)filter->limit + 1);
	database_number(store, which, 9, (int64_t)filter->room_id);
	database_number(store, which, 10, (int64_t)end);
}

int store_audit_read(struct store *store, const struct audit_filter *filter, struct writer *writer,
	uint64_t *next)
{
	enum statement which =
		filter->room == NULL ? STATEMENT_AUDIT_READ : STATEMENT_AUDIT_READ_ROOM;
	sqlite3_stmt *row = store->statements[which];
	uint64_t last = 0, written = 0, end = INT64_MAX;
	unsigned int count = 0;
	int rc = last_id(store, &last);

	*next = 0;
	if (rc != 0)
		return rc;
	if (filter->room == NULL && filter->after < last && last - filter->after > WINDOW)
		end = filter->after + WINDOW;
	bind(store, which, filter, end);
	while ((rc = database_row(store, which)) == 1 && count++ < filter->limit) {
		written = (uint64_t)sqlite3_column_int64(row, 0);
		write_entry(row, writer);
	}
	database_reset(store, which);
	if (rc == 1)
		*next = written;
	else if (end < last)
		*next = end;
	return rc < 0 ? rc : 0;
}
