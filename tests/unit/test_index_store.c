/* SPDX-License-Identifier: BSD-3-Clause */
/* The file that keeps indices: over a kill -9, against damage, against a second process. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dataplane/core/index.h"
#include "dataplane/ctl/index_store.h"

#define RECORDS 8

static char directory[64];
static char path[96];
static char aside[112];

static void set_up(void)
{
	strcpy(directory, "/tmp/stentor-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/index", directory);
	snprintf(aside, sizeof(aside), "%s.damaged", path);
}

static void tear_down(void)
{
	unlink(path);
	unlink(aside);
	ck_assert_int_eq(rmdir(directory), 0);
}

static struct index_store *open_store(void)
{
	struct index_store *store = NULL;

	ck_assert_int_eq(index_store_open(&store, path, RECORDS), 0);
	return store;
}

static struct index_cell *take(
	struct index_store *store, enum index_kind kind, uint64_t id, bool survives)
{
	struct index_cell *cells = NULL;
	bool survived = !survives;

	ck_assert_int_eq(index_store_take(store, kind, id, &cells, &survived), 0);
	ck_assert(survived == survives);
	return cells;
}

START_TEST(values_go_on_ahead_after_the_process_is_gone)
{
	struct index_store *store = open_store();
	uint64_t store_id = index_store_id(store);
	struct index_cell *room = take(store, INDEX_ROOM, 7, false);
	struct index_cell *leg = take(store, INDEX_LEG, 7, false);

	ck_assert_uint_ne(store_id, 0);
	for (unsigned int i = 0; i < INDEX_CELLS; i++)
		ck_assert_uint_eq(room[i].value, 0);
	index_cell_store(&room[INDEX_ROOM_SLOT + 1], 0x12345);
	index_cell_store(&room[INDEX_ROOM_CLOCK + 1], 0xffffffff);
	index_cell_store(&leg[INDEX_LEG_OWN], 99);
	index_cell_store(&leg[INDEX_LEG_SOURCE], 5001);
	index_cell_store(&leg[INDEX_LEG_RTCP], 17);
	index_cell_store(&leg[INDEX_LEG_REPORT], 3);
	index_cell_store(&room[INDEX_ROOM_REPORT + 2], 4);
	index_store_close(store);

	store = open_store();
	ck_assert_uint_eq(index_store_id(store), store_id);
	ck_assert_uint_eq(index_store_used(store), 2);
	room = take(store, INDEX_ROOM, 7, true);
	leg = take(store, INDEX_LEG, 7, true);
	/* What was sent goes on ahead; what was received and the clock stay as they were. */
	ck_assert_uint_eq(room[INDEX_ROOM_SLOT + 1].value, 0x12345 + INDEX_RESUME_GAP);
	ck_assert_uint_eq(room[INDEX_ROOM_SLOT].value, 0);
	ck_assert_uint_eq(room[INDEX_ROOM_CLOCK + 1].value, 0xffffffff);
	ck_assert_uint_eq(leg[INDEX_LEG_OWN].value, 99 + INDEX_RESUME_GAP);
	ck_assert_uint_eq(leg[INDEX_LEG_SOURCE].value, 5001);
	ck_assert_uint_eq(leg[INDEX_LEG_RTCP].value, 17);
	ck_assert_uint_eq(leg[INDEX_LEG_REPORT].value, 3 + INDEX_RESUME_GAP);
	ck_assert_uint_eq(room[INDEX_ROOM_REPORT + 2].value, 4 + INDEX_RESUME_GAP);
	ck_assert_uint_eq(room[INDEX_ROOM_REPORT].value, 0);
	index_store_close(store);
}
END_TEST

/* The child writes as a worker does, tells each value only after it is stored, and is shot. */
START_TEST(a_kill_loses_nothing)
{
	uint64_t told = 0, value;
	struct index_store *store;
	struct index_cell *cells;
	int pipe_fds[2];
	pid_t child;

	ck_assert_int_eq(pipe(pipe_fds), 0);
	child = fork();
	if (child == 0) {
		store = open_store();
		cells = take(store, INDEX_ROOM, 1, false);
		for (value = 1;; value++) {
			index_cell_store(&cells[0], value);
			if (write(pipe_fds[1], &value, sizeof(value)) != sizeof(value))
				_exit(1);
		}
	}
	close(pipe_fds[1]);
	while (told < 5000)
		ck_assert_int_eq(read(pipe_fds[0], &told, sizeof(told)), sizeof(told));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	while (read(pipe_fds[0], &value, sizeof(value)) == sizeof(value))
		told = value;
	close(pipe_fds[0]);
	store = open_store();
	cells = take(store, INDEX_ROOM, 1, true);
	ck_assert_uint_ge(cells[0].value, told + INDEX_RESUME_GAP);
	ck_assert_uint_le(cells[0].value, told + 1 + INDEX_RESUME_GAP);
	index_store_close(store);
}
END_TEST

START_TEST(a_second_process_is_kept_off)
{
	struct index_store *store = open_store();
	struct index_store *other = NULL;

	ck_assert_int_eq(index_store_open(&other, path, RECORDS), -EBUSY);
	ck_assert_ptr_null(other);
	ck_assert_int_ne(access(aside, F_OK), 0);
	index_store_close(store);
	index_store_close(open_store());
}
END_TEST

START_TEST(a_record_is_freed_when_its_owner_is_removed)
{
	struct index_store *store = open_store();
	struct index_cell *cells;
	bool survived;

	for (uint64_t id = 1; id <= RECORDS; id++)
		take(store, INDEX_LEG, id, false);
	ck_assert_int_eq(index_store_take(store, INDEX_LEG, 99, &cells, &survived), -ENOSPC);
	take(store, INDEX_LEG, 3, false)[2].value = 42;
	index_store_drop(store, INDEX_LEG, 3);
	ck_assert(index_store_has(store, INDEX_LEG, 3)); /* taken twice */
	index_store_drop(store, INDEX_LEG, 3);
	ck_assert(!index_store_has(store, INDEX_LEG, 3));
	ck_assert_uint_eq(take(store, INDEX_LEG, 99, false)[2].value, 0);
	index_store_close(store);
}
END_TEST

START_TEST(taking_back_keeps_what_survived)
{
	struct index_store *store = open_store();

	take(store, INDEX_ROOM, 1, false)[0].value = 10;
	index_store_close(store);
	store = open_store();
	take(store, INDEX_ROOM, 1, true);
	index_store_untake(store, INDEX_ROOM, 1);
	ck_assert(index_store_has(store, INDEX_ROOM, 1));
	take(store, INDEX_ROOM, 2, false);
	index_store_untake(store, INDEX_ROOM, 2);
	ck_assert(!index_store_has(store, INDEX_ROOM, 2));
	/* Nobody asked for room 1 again: the resync is over, it goes. */
	take(store, INDEX_ROOM, 3, false);
	index_store_sweep(store);
	ck_assert(!index_store_has(store, INDEX_ROOM, 1));
	ck_assert(index_store_has(store, INDEX_ROOM, 3));
	index_store_close(store);
}
END_TEST

START_TEST(used_up_indices_are_not_gone_on_with)
{
	struct index_store *store = open_store();

	take(store, INDEX_ROOM, 1, false)[0].value = INDEX_MAX - 3;
	index_store_close(store);
	store = open_store();
	ck_assert(!index_store_has(store, INDEX_ROOM, 1));
	index_store_close(store);
}
END_TEST

static size_t read_file(uint8_t *bytes, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t got = read(fd, bytes, size);

	close(fd);
	ck_assert_int_ge(got, 0);
	return (size_t)got;
}

static void write_file(const uint8_t *bytes, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
	close(fd);
}

/*
 * Every byte of the file changed, one at a time: either the store is set aside and begun anew, or
 * the byte says nothing about identity (padding, a free record, the value of a cell).
 */
START_TEST(damage_is_noticed_at_every_byte)
{
	static uint8_t good[16384], bad[16384];
	struct index_store *store = open_store();
	uint64_t store_id = index_store_id(store);
	unsigned int set_aside = 0;
	size_t size;

	/* The first record; its identity is the 24 bytes behind the 4,096 of the header. */
	take(store, INDEX_ROOM, 0x1122334455667788, false)[0].value = 1000;
	index_store_close(store);
	size = read_file(good, sizeof(good));
	ck_assert_uint_eq(size, 4096 + RECORDS * (24 + 8 * INDEX_CELLS));
	for (size_t at = 0; at < size; at++) {
		bool identity = at < 40 || (at >= 4096 && at < 4096 + 24);

		if (at == 40)
			at = 4096; /* padding of the header */
		memcpy(bad, good, size);
		bad[at] ^= 0xff;
		write_file(bad, size);
		store = open_store();
		if (index_store_id(store) != store_id) {
			set_aside++;
			ck_assert_int_eq(access(aside, F_OK), 0);
			ck_assert_uint_eq(index_store_used(store), 0);
		} else {
			ck_assert_msg(!identity, "byte %zu", at);
			ck_assert(index_store_has(store, INDEX_ROOM, 0x1122334455667788));
		}
		index_store_close(store);
		unlink(aside);
	}
	ck_assert_uint_gt(set_aside, 64);
}
END_TEST

START_TEST(a_truncated_file_is_set_aside)
{
	static uint8_t good[16384];
	struct index_store *store = open_store();
	uint64_t store_id = index_store_id(store);
	size_t size;

	take(store, INDEX_ROOM, 1, false);
	index_store_close(store);
	size = read_file(good, sizeof(good));
	for (size_t cut = 1; cut <= size + 8; cut += cut < 64 || cut > size - 64 ? 1 : 37) {
		if (cut == size)
			continue;
		write_file(good, cut);
		store = open_store();
		ck_assert_uint_ne(index_store_id(store), store_id);
		index_store_close(store);
	}
}
END_TEST

static void put_u64(uint8_t *file, size_t at, uint64_t value)
{
	memcpy(file + at, &value, sizeof(value));
}

START_TEST(values_out_of_range_are_set_aside)
{
	static const struct {
		enum index_kind kind;
		unsigned int cell;
		uint64_t most;
	} rows[] = {
		{INDEX_ROOM, INDEX_ROOM_SLOT, INDEX_MAX},
		{INDEX_ROOM, INDEX_ROOM_CLOCK, UINT32_MAX},
		{INDEX_LEG, INDEX_LEG_OWN + 7, INDEX_MAX},
		{INDEX_LEG, INDEX_LEG_SOURCE, INDEX_MAX + 1},
		{INDEX_LEG, INDEX_LEG_RTCP, UINT64_C(1) << 31},
		{INDEX_LEG, INDEX_LEG_REPORT, (UINT64_C(1) << 31) - 1},
		{INDEX_LEG, INDEX_LEG_REPORT + 1, 0},
		{INDEX_ROOM, INDEX_ROOM_REPORT + 7, (UINT64_C(1) << 31) - 1},
	};
	static uint8_t file[16384];

	for (unsigned int i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		struct index_store *store = open_store();
		uint64_t store_id = index_store_id(store);
		size_t size;

		take(store, rows[i / 2].kind, 1, false);
		index_store_close(store);
		size = read_file(file, sizeof(file));
		put_u64(file, 4096 + 24 + 8 * rows[i / 2].cell, rows[i / 2].most + i % 2);
		write_file(file, size);
		store = open_store();
		ck_assert_msg((index_store_id(store) == store_id) == (i % 2 == 0), "row %u", i);
		index_store_close(store);
		unlink(path);
	}
}
END_TEST

START_TEST(a_symbolic_link_or_an_impossible_place_is_an_error)
{
	struct index_store *store = NULL;

	ck_assert_int_eq(symlink("/tmp/stentor-nowhere", path), 0);
	ck_assert_int_eq(index_store_open(&store, path, RECORDS), -ELOOP);
	ck_assert_int_eq(index_store_open(&store, "/nonexistent/stentor/index", RECORDS), -ENOENT);
	ck_assert_int_eq(index_store_open(&store, path, 0), -ERANGE);
	ck_assert_ptr_null(store);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("index store");
	TCase *tests = tcase_create("store");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, values_go_on_ahead_after_the_process_is_gone);
	tcase_add_test(tests, a_kill_loses_nothing);
	tcase_add_test(tests, a_second_process_is_kept_off);
	tcase_add_test(tests, a_record_is_freed_when_its_owner_is_removed);
	tcase_add_test(tests, taking_back_keeps_what_survived);
	tcase_add_test(tests, used_up_indices_are_not_gone_on_with);
	tcase_add_test(tests, damage_is_noticed_at_every_byte);
	tcase_add_test(tests, a_truncated_file_is_set_aside);
	tcase_add_test(tests, values_out_of_range_are_set_aside);
	tcase_add_test(tests, a_symbolic_link_or_an_impossible_place_is_an_error);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
