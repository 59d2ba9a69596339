/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>
#include <errno.h>

#include "controlplane/store/database.h"

/*
 * One step a version; a step that was released is never changed. Ids are 64 bit and unsigned, and
 * lie in SQLite's signed integers bit by bit: the box id keeps them below 2^63.
 */
static const char *const migrations[] = {
	"CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE rooms (room_id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
	" host TEXT NOT NULL, title TEXT NOT NULL, topic TEXT NOT NULL,"
	" open_floor INTEGER NOT NULL, capacity INTEGER NOT NULL, opened_ms INTEGER NOT NULL,"
	" end_ms INTEGER NOT NULL, sequence INTEGER NOT NULL, slot_count INTEGER NOT NULL,"
	" slot_ssrc BLOB NOT NULL, profiles BLOB NOT NULL, group_suite INTEGER NOT NULL,"
	" speakers BLOB NOT NULL);"
	"CREATE TABLE members (member_id INTEGER PRIMARY KEY, leg_id INTEGER NOT NULL UNIQUE,"
	" room_id INTEGER NOT NULL, user TEXT NOT NULL, role INTEGER NOT NULL,"
	" joined_ms INTEGER NOT NULL, end_ms INTEGER NOT NULL, remote BLOB NOT NULL,"
	" protection INTEGER NOT NULL, transport INTEGER NOT NULL, profile INTEGER NOT NULL,"
	" payload_type INTEGER NOT NULL, audio_level_id INTEGER NOT NULL, ssrc INTEGER NOT NULL,"
	" tx_suite INTEGER NOT NULL, rx_suite INTEGER NOT NULL);"
	"CREATE INDEX members_room ON members (room_id);"
	"CREATE TABLE excluded (room_id INTEGER NOT NULL, user TEXT NOT NULL,"
	" PRIMARY KEY (room_id, user)) WITHOUT ROWID;"
	"CREATE TABLE silenced (room_id INTEGER NOT NULL, user TEXT NOT NULL,"
	" until_ms INTEGER NOT NULL, PRIMARY KEY (room_id, user)) WITHOUT ROWID;"
	"CREATE TABLE used_keys (room_id INTEGER NOT NULL, digest TEXT NOT NULL,"
	" PRIMARY KEY (room_id, digest)) WITHOUT ROWID;"
	"CREATE TABLE audit (audit_id INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL,"
	" room TEXT NOT NULL, room_id INTEGER NOT NULL, actor TEXT, action TEXT NOT NULL,"
	" member TEXT, reason TEXT);"
	"CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit"
	" BEGIN SELECT RAISE(ABORT, 'audit only appends'); END;"
	"CREATE TRIGGER audit_is_final BEFORE UPDATE ON audit"
	" BEGIN SELECT RAISE(ABORT, 'audit only appends'); END;"
	"CREATE TABLE events (sequence INTEGER PRIMARY KEY, room_id INTEGER NOT NULL,"
	" room_sequence INTEGER NOT NULL, text BLOB NOT NULL);"
	"CREATE INDEX events_room ON events (room_id, sequence);"
	"CREATE TABLE answers (answer_id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" id TEXT NOT NULL UNIQUE, text BLOB NOT NULL);",
	/*
	 * Members that come by WebRTC: a seat without a leg (leg_id NULL), a token and a session's
	 * resource id by their SHA-256. SQLite takes no NOT NULL back, so the table is made anew.
	 */
	"CREATE TABLE members_2 (member_id INTEGER PRIMARY KEY, leg_id INTEGER UNIQUE,"
	" room_id INTEGER NOT NULL, user TEXT NOT NULL, role INTEGER NOT NULL,"
	" joined_ms INTEGER NOT NULL, end_ms INTEGER NOT NULL, remote BLOB NOT NULL,"
	" protection INTEGER NOT NULL, transport INTEGER NOT NULL, profile INTEGER NOT NULL,"
	" payload_type INTEGER NOT NULL, audio_level_id INTEGER NOT NULL, ssrc INTEGER NOT NULL,"
	" tx_suite INTEGER NOT NULL, rx_suite INTEGER NOT NULL,"
	" red_payload_type INTEGER NOT NULL, leg_role INTEGER NOT NULL, hand INTEGER NOT NULL,"
	" seat INTEGER NOT NULL, token TEXT, resource TEXT, mid TEXT);"
	"INSERT INTO members_2 SELECT *, 0, CASE role WHEN 0 THEN 1 ELSE 2 END, 0, 0, NULL, NULL, "
	"NULL"
	" FROM members;"
	"DROP TABLE members;"
	"ALTER TABLE members_2 RENAME TO members;"
	"CREATE INDEX members_room ON members (room_id);",
	/*
	 * Rules of a room, terms of a mute, hands with their message, and the tables of records,
	 * whose columns are those of rooms/record.h in their order. The ledger only appends.
	 */
	"ALTER TABLE rooms ADD COLUMN state INTEGER NOT NULL DEFAULT 1;"
	"ALTER TABLE rooms ADD COLUMN access INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE rooms ADD COLUMN language TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE rooms ADD COLUMN speakers_max INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE rooms ADD COLUMN starts_ms INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE rooms ADD COLUMN cohosts BLOB NOT NULL DEFAULT x'';"
	"ALTER TABLE rooms ADD COLUMN told INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE rooms ADD COLUMN tell_until INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE rooms ADD COLUMN told_parts INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE rooms ADD COLUMN host_left INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE silenced ADD COLUMN by_rank INTEGER NOT NULL DEFAULT 2;"
	"ALTER TABLE silenced ADD COLUMN by_user TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE silenced ADD COLUMN held INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE silenced ADD COLUMN until_ns INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE excluded ADD COLUMN banned INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE members ADD COLUMN hand_kind INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE members ADD COLUMN hand_message TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE members ADD COLUMN hand_by TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE members ADD COLUMN hand_at_ms INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE members ADD COLUMN hand_until_ms INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE members ADD COLUMN floor_ms INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE members ADD COLUMN hand_ssrc INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE members ADD COLUMN hand_payload_type INTEGER NOT NULL DEFAULT 111;"
	"ALTER TABLE members ADD COLUMN hand_level_id INTEGER NOT NULL DEFAULT 0;"
	"CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
	" followers INTEGER NOT NULL, host_grant INTEGER NOT NULL, moderator INTEGER NOT NULL,"
	" updated_ms INTEGER NOT NULL, follows TEXT NOT NULL);"
	"CREATE TABLE bans (id INTEGER PRIMARY KEY, host TEXT NOT NULL, user TEXT NOT NULL,"
	" actor TEXT NOT NULL, reason TEXT NOT NULL, at_ms INTEGER NOT NULL,"
	" UNIQUE (host, user));"
	"CREATE TABLE pins (id INTEGER PRIMARY KEY, room_id INTEGER NOT NULL, actor TEXT NOT NULL,"
	" at_ms INTEGER NOT NULL, text TEXT NOT NULL, url TEXT NOT NULL);"
	"CREATE TABLE shares (id INTEGER PRIMARY KEY, room_id INTEGER NOT NULL, actor TEXT NOT "
	"NULL,"
	" member TEXT NOT NULL, expires_ms INTEGER NOT NULL, digest TEXT NOT NULL UNIQUE);"
	"CREATE TABLE offers (id INTEGER PRIMARY KEY, room_id INTEGER NOT NULL UNIQUE,"
	" price INTEGER NOT NULL, currency TEXT NOT NULL, quantity INTEGER NOT NULL,"
	" issued INTEGER NOT NULL, sale_from_ms INTEGER NOT NULL, sale_until_ms INTEGER NOT NULL);"
	"CREATE TABLE tickets (id INTEGER PRIMARY KEY, room_id INTEGER NOT NULL, room TEXT NOT "
	"NULL,"
	" host TEXT NOT NULL, user TEXT NOT NULL, state INTEGER NOT NULL, price INTEGER NOT NULL,"
	" provider_fee INTEGER NOT NULL, fee INTEGER NOT NULL, share INTEGER NOT NULL,"
	" currency TEXT NOT NULL, reference TEXT NOT NULL UNIQUE, issued_ms INTEGER NOT NULL,"
	" refunded_ms INTEGER NOT NULL, CHECK (price = provider_fee + fee + share));"
	"CREATE TABLE ledger (id INTEGER PRIMARY KEY, ticket_id INTEGER NOT NULL,"
	" kind INTEGER NOT NULL, price INTEGER NOT NULL, provider_fee INTEGER NOT NULL,"
	" fee INTEGER NOT NULL, share INTEGER NOT NULL, at_ms INTEGER NOT NULL,"
	" CHECK (price = provider_fee + fee + share));"
	"CREATE TRIGGER ledger_is_kept BEFORE DELETE ON ledger"
	" BEGIN SELECT RAISE(ABORT, 'the ledger only appends'); END;"
	"CREATE TRIGGER ledger_is_final BEFORE UPDATE ON ledger"
	" BEGIN SELECT RAISE(ABORT, 'the ledger only appends'); END;"
	"CREATE TABLE reports (id INTEGER PRIMARY KEY, room_id INTEGER NOT NULL, room TEXT NOT "
	"NULL,"
	" host TEXT NOT NULL, reporter TEXT NOT NULL, member TEXT NOT NULL,"
	" category INTEGER NOT NULL, state INTEGER NOT NULL, at_ms INTEGER NOT NULL,"
	" resolved_ms INTEGER NOT NULL, resolved_by TEXT NOT NULL, note TEXT NOT NULL,"
	" text TEXT NOT NULL, evidence TEXT NOT NULL);"
	"CREATE TABLE reminders (id INTEGER PRIMARY KEY, room_id INTEGER NOT NULL,"
	" user TEXT NOT NULL, before_ms INTEGER NOT NULL, UNIQUE (room_id, user));"
	"CREATE INDEX audit_room ON audit (room, audit_id);"
	"CREATE INDEX pins_room ON pins (room_id);"
	"CREATE INDEX shares_room ON shares (room_id);",
};
#define VERSION ((int)(sizeof(migrations) / sizeof(migrations[0])))

static const char *const statements[] = {
	[STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
	[STATEMENT_COMMIT] = "COMMIT",
	[STATEMENT_ROLLBACK] = "ROLLBACK",
	[STATEMENT_META_PUT] = "INSERT OR REPLACE INTO meta VALUES (?1, ?2)",
	[STATEMENT_META_GET] = "SELECT value FROM meta WHERE name = ?1",
	[STATEMENT_ROOM_ADD] = "INSERT INTO rooms VALUES"
			       " (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15,"
			       " ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25)",
	[STATEMENT_ROOM_SET] =
		"UPDATE rooms SET host = ?3, title = ?4, topic = ?5, open_floor = ?6,"
		" capacity = ?7, opened_ms = ?8, end_ms = ?9, profiles = ?13, state = ?16,"
		" access = ?17, language = ?18, speakers_max = ?19, starts_ms = ?20, cohosts = ?21,"
		" told = ?22, tell_until = ?23, told_parts = ?24, host_left = ?25"
		" WHERE room_id = ?1",
	/* The room's own rows go with it; its events stay for replay, the audit for good. */
	[STATEMENT_ROOM_REMOVE] = "DELETE FROM rooms WHERE room_id = ?1",
	[STATEMENT_ROOM_CLEAR_EXCLUDED] = "DELETE FROM excluded WHERE room_id = ?1",
	[STATEMENT_ROOM_CLEAR_SILENCED] = "DELETE FROM silenced WHERE room_id = ?1",
	[STATEMENT_ROOM_CLEAR_KEYS] = "DELETE FROM used_keys WHERE room_id = ?1",
	[STATEMENT_ROOM_CLEAR_PINS] = "DELETE FROM pins WHERE room_id = ?1",
	[STATEMENT_ROOM_CLEAR_SHARES] = "DELETE FROM shares WHERE room_id = ?1",
	[STATEMENT_ROOM_CLEAR_OFFERS] = "DELETE FROM offers WHERE room_id = ?1",
	[STATEMENT_ROOM_CLEAR_REMINDERS] = "DELETE FROM reminders WHERE room_id = ?1",
	[STATEMENT_MEMBER_ADD] = "INSERT INTO members VALUES"
				 " (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14,"
				 " ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23,"
				 " coalesce(?24, 0), coalesce(?25, ''), coalesce(?26, ''),"
				 " coalesce(?27, 0), coalesce(?28, 0), ?29, coalesce(?30, 0),"
				 " coalesce(?31, 0), coalesce(?32, 0))",
	[STATEMENT_MEMBER_SET] =
		"UPDATE members SET leg_id = ?2, role = ?5, remote = ?8, protection = ?9,"
		" profile = ?11,"
		" payload_type = ?12, audio_level_id = ?13, ssrc = ?14, tx_suite = ?15,"
		" rx_suite = ?16, red_payload_type = ?17, leg_role = ?18, hand = ?19, seat = ?20,"
		" token = ?21, resource = ?22, mid = ?23, hand_kind = coalesce(?24, 0),"
		" hand_message = coalesce(?25, ''), hand_by = coalesce(?26, ''),"
		" hand_at_ms = coalesce(?27, 0), hand_until_ms = coalesce(?28, 0),"
		" floor_ms = ?29, hand_ssrc = coalesce(?30, 0),"
		" hand_payload_type = coalesce(?31, 0), hand_level_id = coalesce(?32, 0)"
		" WHERE member_id = ?1",
	[STATEMENT_MEMBER_REMOVE] = "DELETE FROM members WHERE member_id = ?1",
	[STATEMENT_EXCLUDE_PUT] = "INSERT OR REPLACE INTO excluded VALUES (?1, ?2, ?3)",
	[STATEMENT_EXCLUDE_REMOVE] = "DELETE FROM excluded WHERE room_id = ?1 AND user = ?2",
	[STATEMENT_SILENCE_PUT] =
		"INSERT OR REPLACE INTO silenced VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	[STATEMENT_SILENCE_REMOVE] = "DELETE FROM silenced WHERE room_id = ?1 AND user = ?2",
	[STATEMENT_KEY_ADD] = "INSERT OR IGNORE INTO used_keys VALUES (?1, ?2)",
	[STATEMENT_AUDIT_ADD] =
		"INSERT INTO audit (at_ms, room, room_id, actor, action, member, reason)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	[STATEMENT_EVENT_ADD] = "INSERT INTO events VALUES (?1, ?2, ?3, ?4)",
	[STATEMENT_ROOM_SEQUENCES] =
		"UPDATE rooms SET sequence = coalesce((SELECT max(room_sequence) FROM events"
		" WHERE events.room_id = rooms.room_id), sequence)",
	[STATEMENT_EVENT_PRUNE] = "DELETE FROM events WHERE sequence <= ?1",
	[STATEMENT_ANSWER_PUT] = "INSERT OR REPLACE INTO answers (id, text) VALUES (?1, ?2)",
	[STATEMENT_ANSWER_GET] = "SELECT text FROM answers WHERE id = ?1",
	[STATEMENT_ANSWER_REMOVE] = "DELETE FROM answers WHERE id = ?1",
	[STATEMENT_ANSWER_PRUNE] = "DELETE FROM answers WHERE answer_id <="
				   " (SELECT max(answer_id) FROM answers) - ?1",
	[STATEMENT_LOG_READ] = "SELECT sequence, text FROM events WHERE sequence > ?1"
			       " ORDER BY sequence LIMIT ?2",
	[STATEMENT_LOG_READ_ROOM] = "SELECT sequence, text FROM events WHERE room_id = ?3"
				    " AND sequence > ?1 ORDER BY sequence LIMIT ?2",
	[STATEMENT_LOG_FIRST] = "SELECT min(sequence) FROM events",
	[STATEMENT_LOG_LAST] = "SELECT max(sequence) FROM events",
	[STATEMENT_LOAD_ROOMS] =
		"SELECT rooms.*, coalesce((SELECT max(room_sequence) FROM events"
		" WHERE events.room_id = rooms.room_id), rooms.sequence) FROM rooms"
		" ORDER BY room_id",
	[STATEMENT_AUDIT_READ] =
		"SELECT audit_id, at_ms, room, actor, action, member, reason FROM audit"
		" WHERE audit_id > ?1 AND audit_id <= ?10 AND (?3 IS NULL OR actor = ?3)"
		" AND (?4 IS NULL OR member = ?4) AND (?5 IS NULL OR action = ?5)"
		" AND at_ms >= ?6 AND at_ms <= ?7 ORDER BY audit_id LIMIT ?8",
	[STATEMENT_AUDIT_READ_ROOM] =
		"SELECT audit_id, at_ms, room, actor, action, member, reason FROM audit"
		" WHERE room = ?2 AND audit_id > ?1 AND (?9 = 0 OR room_id = ?9)"
		" AND (?3 IS NULL OR actor = ?3) AND (?4 IS NULL OR member = ?4)"
		" AND (?5 IS NULL OR action = ?5) AND at_ms >= ?6 AND at_ms <= ?7"
		" ORDER BY audit_id LIMIT ?8",
	[STATEMENT_AUDIT_LAST] = "SELECT max(audit_id) FROM audit",
	[STATEMENT_LOAD_MEMBERS] = "SELECT * FROM members ORDER BY member_id",
	[STATEMENT_LOAD_EXCLUDED] = "SELECT room_id, user, banned FROM excluded",
	[STATEMENT_LOAD_SILENCED] =
		"SELECT room_id, user, until_ms, by_rank, by_user, held, until_ns FROM silenced",
	[STATEMENT_LOAD_KEYS] = "SELECT room_id, digest FROM used_keys",
};
static_assert(sizeof(statements) / sizeof(statements[0]) == STATEMENT_COUNT, "text of each");

static int exec(struct store *store, const char *sql)
{
	int rc = sqlite3_exec(store->connection, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : database_error(store, "schema", rc);
}

static int version_get(struct store *store, int *version)
{
	sqlite3_stmt *statement;
	int rc = sqlite3_prepare_v2(store->connection, "PRAGMA user_version", -1, &statement, NULL);

	if (rc == SQLITE_OK) {
		rc = sqlite3_step(statement);
		*version = sqlite3_column_int(statement, 0);
		sqlite3_finalize(statement);
	}
	return rc == SQLITE_ROW ? 0 : database_error(store, "user_version", rc);
}

static int migrate(struct store *store, int version)
{
	char *step = sqlite3_mprintf("BEGIN EXCLUSIVE; %s PRAGMA user_version = %d; COMMIT;",
		migrations[version], version + 1);
	int rc = step == NULL ? -ENOMEM : exec(store, step);

	sqlite3_free(step);
	if (rc != 0 && !sqlite3_get_autocommit(store->connection))
		sqlite3_exec(store->connection, "ROLLBACK", NULL, NULL, NULL);
	return rc;
}

int schema_apply(struct store *store)
{
	int version = 0;
	int rc = exec(store, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
			     "PRAGMA foreign_keys = OFF; PRAGMA trusted_schema = OFF;");

	if (rc == 0)
		rc = version_get(store, &version);
	if (rc == 0 && version > VERSION)
		return -EPROTO; /* written by a newer program: hands off */
	for (; rc == 0 && version < VERSION; version++)
		rc = migrate(store, version);
	return rc;
}

int schema_prepare(struct store *store)
{
	for (int i = 0; i < STATEMENT_COUNT; i++) {
		int rc = sqlite3_prepare_v3(store->connection, statements[i], -1,
			SQLITE_PREPARE_PERSISTENT, &store->statements[i], NULL);

		if (rc != SQLITE_OK)
			return database_error(store, statements[i], rc);
	}
	return table_prepare(store);
}
