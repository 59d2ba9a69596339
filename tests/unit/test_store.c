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
#define KEY "E1F97A0D3E018BE0D64FA32C06DE41390EC675AD498AFEEBB6960B3A"

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
	run(desk, store, Q("room.update", ",\"title\":\"T2\",\"capacity\":7"));
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
		ck_assert(!file_has(path, member->put.tx.key, 16));
		ck_assert(!file_has(wal, member->put.tx.key, 16));
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
	ck_assert_int_eq(sqlite3_column_int(count, 0), 4);
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
	tcase_add_test(tcase, epochs_grow);
	tcase_set_timeout(tcase, 60);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
