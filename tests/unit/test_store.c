/* SPDX-License-Identifier: BSD-3-Clause */
/* What is committed is there again, key bytes are not, and a failing disk is reported. */
#include <errno.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controlplane/store/store.h"
#include "tests/support/rooms.h"
#include "tests/support/unit.h"

static const struct store_limits limits = {100000, 100000};
static char folder[64], path[128];

static void setup(void)
{
	strcpy(folder, "/tmp/stentor-store-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/db", folder);
}

static void teardown(void)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
	char name[160];

	for (size_t i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "%s%s", path, suffixes[i]);
		unlink(name);
	}
	rmdir(folder);
}

static struct store *open_it(void)
{
	struct store *store = NULL;
	char reason[256] = "";

	ck_assert_msg(store_open(&store, path, &limits, reason) == 0, "%s", reason);
	return store;
}

/* Decides and writes in a transaction of its own. */
static void run(struct desk *desk, struct store *store, const char *line)
{
	struct plan plan;

	ck_assert_msg(desk_plan(desk, &plan, line), "%s", desk->verdict.message);
	ck_assert_int_eq(store_begin(store), 0);
	ck_assert_int_eq(store_write(store, &plan), 0);
	ck_assert_int_eq(store_commit(store, desk->registry.next_id), 0);
	plan_clear(&plan);
}

#define Q(type_, more_) \
	"{\"id\":\"i\",\"type\":\"" type_ "\",\"actor\":\"ann\",\"room\":\"tea\"" more_ "}"
#define JOIN(who_, role_, port_) \
	Q("member.join", ",\"role\":\"" role_ "\",\"member\":\"" who_ \
			 "\",\"address\":\"10.0.0.1\",\"port\":" #port_)
#define WEB(who_, role_) \
	Q("member.join", ",\"role\":\"" role_ "\",\"member\":\"" who_ "\",\"transport\":" \
			 "\"webrtc\"")
#define AS(who_, type_) \
	"{\"id\":\"i\",\"type\":\"" type_ "\",\"actor\":\"" who_ "\",\"room\":\"tea\"}"
#define KEY "E1F97A0D3E018BE0D64FA32C06DE41390EC675AD498AFEEBB6960B3A"

#define REPORT(who_, category_) \
	"{\"id\":\"i\",\"type\":\"moderation.report\",\"actor\":\"" who_ \
	"\",\"room\":\"tea\",\"member\":\"bob\",\"category\":\"" category_ \
	"\",\"text\":\"\xc3\xa4\"}"

/* Mutes on all kinds of terms, a ban, reports open and resolved, and the hold they bring. */
static void moderate(struct desk *desk, struct store *store)
{
	char line[256];
	uint64_t id = 0;

	desk->registry.limits.report_hold_count = 2;
	run(desk, store, REPORT("r1", "spam"));
	roster_next(&desk->registry.reports, &id);
	snprintf(line, sizeof(line),
		Q("moderation.resolve", ",\"resolution\":\"upheld\",\"note\":\"n\","
					"\"report\":\"%llu\""),
		(unsigned long long)id);
	run(desk, store, line);
	run(desk, store, REPORT("r2", "other"));
	run(desk, store, REPORT("r1", "spam"));
	run(desk, store, Q("moderation.mute", ",\"member\":\"eve\",\"undo\":\"member\""));
	run(desk, store, Q("moderation.ban", ",\"member\":\"web3\",\"reason\":\"b\""));
	run(desk, store, Q("moderation.ban", ",\"member\":\"out\""));
	run(desk, store, Q("moderation.ban", ",\"member\":\"zed\""));
	run(desk, store, Q("moderation.unban", ",\"member\":\"zed\""));
}

static void fill(struct desk *desk, struct store *store)
{
	run(desk, store,
		Q("room.open", ",\"title\":\"T\",\"topic\":\"t\",\"slots\":5,"
			       "\"speakers\":[\"bob\",\"eve\"],\"duration_ms\":99999,"
			       "\"group_suite\":\"AEAD_AES_128_GCM\""));
	run(desk, store, JOIN("ann", "host", 1));
	run(desk, store, JOIN("bob", "speaker", 2));
	run(desk, store,
		Q("member.join", ",\"role\":\"listener\",\"member\":\"eve\",\"port\":3,"
				 "\"address\":\"2001:db8::1\",\"payload_type\":109,"
				 "\"tx_key\":\"" KEY "\""));
	run(desk, store, JOIN("out", "listener", 4));
	run(desk, store, JOIN("gone", "listener", 5));
	run(desk, store, Q("moderation.mute", ",\"member\":\"bob\",\"duration_ms\":5000"));
	run(desk, store, Q("moderation.mute", ",\"member\":\"ann\""));
	run(desk, store, Q("moderation.unmute", ",\"member\":\"ann\""));
	run(desk, store, Q("moderation.remove", ",\"member\":\"out\",\"reason\":\"noise\""));
	run(desk, store, Q("member.leave", ",\"member\":\"gone\""));
	run(desk, store, WEB("web", "listener"));
	run(desk, store, WEB("web2", "listener"));
	run(desk, store, WEB("web3", "speaker"));
	run(desk, store, AS("web2", "floor.request"));
	run(desk, store, AS("web", "floor.request"));
	run(desk, store, AS("web2", "member.token"));
	run(desk, store, AS("web3", "floor.release"));
	run(desk, store, Q("floor.grant", ",\"member\":\"web2\""));
	run(desk, store, Q("room.update", ",\"title\":\"T2\",\"capacity\":9"));
	moderate(desk, store);
	run(desk, store,
		"{\"id\":\"i\",\"type\":\"room.open\",\"actor\":\"x\",\"room\":\"other\"}");
	run(desk, store,
		"{\"id\":\"i\",\"type\":\"room.close\",\"actor\":\"x\",\"room\":\"other\"}");
}

START_TEST(what_was_written_is_there_again)
{
	struct store *store = open_it();
	struct desk before, after;
	char *a, *b;

	desk_open(&before);
	fill(&before, store);
	store_close(store);
	desk_open(&after);
	store = open_it();
	ck_assert_int_eq(store_load(store, &after.registry, &after.now), 0);
	a = desk_state(&before.registry);
	b = desk_state(&after.registry);
	ck_assert_str_eq(a, b);
	ck_assert_uint_ge(after.registry.next_id, before.registry.next_id);
	/* The rules hold as before: removed, admitted, key used. */
	ck_assert_int_eq(desk_ask(&after, JOIN("out", "listener", 9)), VERDICT_NOT_ALLOWED);
	ck_assert_int_eq(desk_ask(&after, Q("member.leave", ",\"member\":\"eve\"")), VERDICT_OK);
	ck_assert_int_eq(
		desk_ask(&after,
			Q("member.join",
				",\"role\":\"listener\",\"port\":3,"
				"\"address\":\"10.0.0.9\",\"member\":\"eve\",\"tx_key\":\"" KEY
				"\"")),
		VERDICT_CONFLICT);
	const struct member *bob = registry_member(registry_room(&after.registry, "tea"), "bob");
	ck_assert(!bob->keys_known);
	ck_assert_uint_eq(bob->put.tx.suite, STN_SUITE_AEAD_AES_128_GCM);
	free(a);
	free(b);
	store_close(store);
	desk_close(&before);
	desk_close(&after);
}
END_TEST

static bool file_has(const char *name, const void *what, size_t size)
{
	FILE *file = fopen(name, "rb");
	static char bytes[4 << 20];
	size_t got;

	if (file == NULL)
		return false;
	got = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	return memmem(bytes, got, what, size) != NULL;
}

START_TEST(no_key_touches_the_disk)
{
	struct store *store = open_it();
	struct desk desk;
	const struct member *member;
	uint64_t id = 0;
	char wal[160];
	struct stat about;

	desk_open(&desk);
	fill(&desk, store);
	snprintf(wal, sizeof(wal), "%s-wal", path);
	ck_assert(file_has(wal, "noise", 5)); /* the search finds what is there */
	while ((member = roster_next(&desk.registry.members, &id)) != NULL) {
		const void *secret = member->put.tx.key;

		if (member->token != NULL)
			secret = member->token->text;
		ck_assert(!file_has(path, secret, 16));
		ck_assert(!file_has(wal, secret, 16));
	}
	ck_assert(!file_has(wal, KEY, 20));
	ck_assert_int_eq(stat(path, &about), 0);
	ck_assert_uint_eq(about.st_mode & 0777, 0600);
	store_close(store);
	desk_close(&desk);
}
END_TEST

START_TEST(answers_are_kept_and_rolled_back_with_their_effect)
{
	struct store *store = open_it();
	struct writer text = {0};

	ck_assert_int_eq(store_answer_find(store, "a", &text), 1);
	ck_assert_int_eq(store_begin(store), 0);
	ck_assert_int_eq(store_answer_put(store, "a", "one", 3), 0);
	store_rollback(store);
	ck_assert_int_eq(store_answer_find(store, "a", &text), 1);
	ck_assert_int_eq(store_begin(store), 0);
	ck_assert_int_eq(store_answer_put(store, "a", "two", 3), 0);
	ck_assert_int_eq(store_commit(store, 1), 0);
	store_close(store);
	store = open_it();
	ck_assert_int_eq(store_answer_find(store, "a", &text), 0);
	ck_assert_uint_eq(text.size, 3);
	ck_assert(memcmp(text.text, "two", 3) == 0);
	writer_clear(&text);
	store_close(store);
}
END_TEST

START_TEST(the_log_is_read_page_by_page)
{
	struct store *store = open_it();
	struct writer text = {0};
	struct desk desk;
	uint64_t after = 0, first;
	size_t lines = 0;

	desk_open(&desk);
	fill(&desk, store);
	ck_assert_int_eq(store_log_first(store, &first), 0);
	ck_assert_uint_eq(first, 1);
	for (uint64_t before = UINT64_MAX; after != before;) {
		before = after;
		writer_reset(&text);
		ck_assert_int_eq(store_log_read(store, 0, &after, 3, &text), 0);
		for (size_t i = 0; i < text.size; i++)
			lines += text.text[i] == '\n';
	}
	ck_assert_uint_eq(lines, desk.registry.sequence);
	/* One room only: its room_seq is its count. */
	const struct room *room = registry_room(&desk.registry, "tea");
	after = lines = 0;
	writer_reset(&text);
	ck_assert_int_eq(store_log_read(store, room->put.room_id, &after, 100, &text), 0);
	for (size_t i = 0; i < text.size; i++)
		lines += text.text[i] == '\n';
	ck_assert_uint_eq(lines, room->sequence);
	writer_clear(&text);
	store_close(store);
	desk_close(&desk);
}
END_TEST

/* The ledger of who did what: no statement takes a line out or changes it. */
START_TEST(the_audit_only_appends)
{
	struct store *store = open_it();
	struct desk desk;
	sqlite3 *other;

	desk_open(&desk);
	fill(&desk, store);
	store_close(store);
	ck_assert_int_eq(sqlite3_open(path, &other), SQLITE_OK);
	ck_assert_int_eq(
		sqlite3_exec(other, "DELETE FROM audit", NULL, NULL, NULL), SQLITE_CONSTRAINT);
	ck_assert_int_eq(sqlite3_exec(other, "UPDATE audit SET actor = 'x'", NULL, NULL, NULL),
		SQLITE_CONSTRAINT);
	sqlite3_stmt *count;
	ck_assert_int_eq(sqlite3_prepare_v2(other,
				 "SELECT count(*) FROM audit WHERE action LIKE 'moderation.%'", -1,
				 &count, NULL),
		SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(count), SQLITE_ROW);
	/* Three mutes and unmutes, a removal; in moderate() three reports, a decision, a hold, a
	 * mute, four about bans. */
	ck_assert_int_eq(sqlite3_column_int(count, 0), 14);
	sqlite3_finalize(count);
	sqlite3_close(other);
	desk_close(&desk);
}
END_TEST

START_TEST(a_second_process_cannot_open_it)
{
	struct store *store = open_it(), *second = NULL;
	char reason[256] = "";

	ck_assert_int_lt(store_open(&second, path, &limits, reason), 0);
	ck_assert_str_ne(reason, "");
	store_close(store);
}
END_TEST

START_TEST(a_newer_schema_is_left_alone)
{
	struct store *store = open_it();
	char reason[256] = "";
	sqlite3 *other;

	store_close(store);
	ck_assert_int_eq(sqlite3_open(path, &other), SQLITE_OK);
	ck_assert_int_eq(
		sqlite3_exec(other, "PRAGMA user_version = 99", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(other);
	ck_assert_int_eq(store_open(&store, path, &limits, reason), -EPROTO);
	ck_assert_ptr_nonnull(strstr(reason, "newer"));
}
END_TEST

/* The tables as version 1 of this program made them, to the letter. */
static const char version_1[] =
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
	" id TEXT NOT NULL UNIQUE, text BLOB NOT NULL);";

static void make_version_1(void)
{
	sqlite3 *old;
	char *why = NULL;

	ck_assert_int_eq(sqlite3_open(path, &old), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(old, version_1, NULL, NULL, NULL), SQLITE_OK);
	ck_assert_msg(
		sqlite3_exec(old,
			"INSERT INTO meta VALUES ('next_id', 500);"
			"INSERT INTO rooms VALUES (100, 'tea', 'ann', 'T', 't', 0, 50, 1, 0, 0, 3,"
			" x'010000000200000003000000', x'6f00000000000000', 0, '');"
			/* remote: family 4, port 5004, 10.0.0.7 */
			"INSERT INTO members VALUES (101, 102, 100, 'ann', 2, 7, 0,"
			" x'0400138c0a000007000000000000000000000000', 1, 1, 0, 111, 1, 4711, 1, "
			"1);"
			"INSERT INTO members VALUES (103, 104, 100, 'bob', 0, 8, 0,"
			" x'0400138d0a000007000000000000000000000000', 1, 1, 0, 0, 0, 0, 3, 0);"
			"INSERT INTO excluded VALUES (100, 'out');"
			"INSERT INTO silenced VALUES (100, 'ann', 0);"
			"INSERT INTO events VALUES (1, 100, 1, '{}');"
			"PRAGMA user_version = 1;",
			NULL, NULL, &why) == SQLITE_OK,
		"%s", why);
	sqlite3_close(old);
}

START_TEST(version_1_is_taken_over)
{
	struct store *store;
	const struct room *room;
	const struct member *ann, *bob;
	struct desk desk;

	make_version_1();
	desk_open(&desk);
	store = open_it();
	ck_assert_int_eq(store_load(store, &desk.registry, &desk.now), 0);
	room = registry_room(&desk.registry, "tea");
	ck_assert_ptr_nonnull(room);
	ann = registry_member(room, "ann");
	bob = registry_member(room, "bob");
	ck_assert(ann != NULL && bob != NULL);
	ck_assert_uint_eq(ann->put.role, STN_ROLE_SPEAKER);
	ck_assert_uint_eq(ann->put.leg_id, 102);
	ck_assert_uint_eq(ann->put.source_ssrc, 4711);
	ck_assert_uint_eq(ann->put.remote.address[3], 7);
	ck_assert(member_muted(ann));
	ck_assert_uint_eq(bob->put.role, STN_ROLE_LISTENER);
	ck_assert_uint_eq(bob->put.tx.suite, STN_SUITE_AES128_CM_HMAC_SHA1_80);
	ck_assert_uint_eq(bob->put.red_payload_type, 0);
	ck_assert_ptr_null(bob->token);
	ck_assert_ptr_eq(registry_member_by_leg(&desk.registry, 104), bob);
	/* And goes on as the new one: a seat, which version 1 could not say. */
	run(&desk, store, WEB("web", "listener"));
	store_close(store);
	desk_close(&desk);
	desk_open(&desk);
	store = open_it();
	ck_assert_int_eq(store_load(store, &desk.registry, &desk.now), 0);
	ck_assert_uint_eq(desk.registry.members.count, 3);
	ck_assert_uint_eq(desk.registry.tokens.count, 1);
	store_close(store);
	desk_close(&desk);
}
END_TEST

START_TEST(epochs_grow)
{
	struct store *store = open_it();
	struct moment now = {0, 1000}, back = {0, 500};
	uint64_t first, second;

	ck_assert_int_eq(store_epoch(store, &now, &first), 0);
	ck_assert_uint_eq(first, 1000);
	store_close(store);
	store = open_it();
	/* The clock was set back meanwhile. */
	ck_assert_int_eq(store_epoch(store, &back, &second), 0);
	ck_assert_uint_eq(second, 1001);
	store_close(store);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store");
	TCase *tcase = tcase_create("store");

	parse_setup();
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, what_was_written_is_there_again);
	tcase_add_test(tcase, no_key_touches_the_disk);
	tcase_add_test(tcase, answers_are_kept_and_rolled_back_with_their_effect);
	tcase_add_test(tcase, the_log_is_read_page_by_page);
	tcase_add_test(tcase, the_audit_only_appends);
	tcase_add_test(tcase, a_second_process_cannot_open_it);
	tcase_add_test(tcase, a_newer_schema_is_left_alone);
	tcase_add_test(tcase, version_1_is_taken_over);
	tcase_add_test(tcase, epochs_grow);
	tcase_set_timeout(tcase, 60);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
