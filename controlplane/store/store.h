/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The database: SQLite, WAL, synchronous=FULL, exactly one connection, prepared statements only.
 * Loop's thread. No key is ever written; what identifies a given key is its SHA-256.
 *
 * A turn of the loop is one transaction: begin, store_write() for each plan, commit. Everything
 * returns 0 or negative errno: -ENOSPC for a full disk, -EIO for anything else; after an error the
 * transaction is gone and store_rollback() may be called any number of times.
 */
#ifndef STENTOR_CONTROLPLANE_STORE_STORE_H
#define STENTOR_CONTROLPLANE_STORE_STORE_H

#include "controlplane/rooms/plan.h"

struct store;

struct store_limits {
	uint64_t log_max;     /* events kept for replay */
	uint64_t answers_max; /* first answers kept */
};

/* Creates or migrates the file. reason takes at least 256 bytes: why not. */
int store_open(
	struct store **store, const char *path, const struct store_limits *limits, char *reason);
/* Accepts NULL. */
void store_close(struct store *store);

int store_begin(struct store *store);
/* The changes of one plan. */
int store_write(struct store *store, const struct plan *plan);
int store_commit(struct store *store, uint64_t next_id);
void store_rollback(struct store *store);

/* The first answer to this id; the text has its marks. 1: there is none. */
int store_answer_find(struct store *store, const char *id, struct writer *text);
/* Within a transaction. */
int store_answer_put(struct store *store, const char *id, const char *text, size_t size);
int store_answer_remove(struct store *store, const char *id);

/* Fills an empty registry: rooms, members without keys, sequence, next id. */
int store_load(struct store *store, struct registry *registry, const struct moment *now);
/* The next writer epoch; greater than every earlier one also if the file was lost. */
int store_epoch(struct store *store, const struct moment *now, uint64_t *epoch);

/*
 * Events with a sequence number greater than `after`, at most limit of them, of one room (0: all),
 * each as a line into text. *after becomes the last one looked at.
 */
int store_log_read(struct store *store, uint64_t room_id, uint64_t *after, unsigned int limit,
	struct writer *text);
/* What of the audit is asked for; NULL, and a room_id of 0: any. */
struct audit_filter {
	const char *room, *actor, *member, *action;
	uint64_t room_id; /* with room: that one, not another of its name */
	int64_t from_ms, to_ms;
	uint64_t after;
	unsigned int limit;
};
/* Writes at most limit entries with an id greater than `after`. *next: read on behind that one (it
 * may be that nothing was written because few of many fit); 0: that is all. */
int store_audit_read(struct store *store, const struct audit_filter *filter, struct writer *writer,
	uint64_t *next);

/* The oldest sequence number still there; 0: none. */
int store_log_first(struct store *store, uint64_t *sequence);

#endif
