/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/ctl/index_store.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "configs/log.h"
#include "dataplane/core/index.h"
#include "dataplane/ctl/map.h"

#define MAGIC UINT64_C(0x5844494e544e5453) /* "STNTNIDX" */
#define VERSION 2
#define HEADER_SIZE 4096
#define RECORDS_MAX (16u << 20)

struct file_header {
	uint64_t magic;
	uint32_t version;
	uint32_t record_size;
	uint64_t store_id;
	uint64_t records;
	uint64_t check; /* over everything above */
};

struct record {
	uint32_t kind; /* enum index_kind, 0: free; written last when taken, first when freed */
	uint32_t reserved;
	uint64_t id;
	uint64_t check; /* over kind, id and the store's id */
	struct index_cell cell[INDEX_CELLS];
};
_Static_assert(sizeof(struct record) == 24 + 8 * INDEX_CELLS, "file format");
_Static_assert(sizeof(struct file_header) == 40, "file format");

/* What this process knows of a record; dies with it. */
struct taking {
	uint32_t refs;
	bool survived;
};

struct index_store {
	int fd;
	size_t size;
	struct file_header *header;
	struct record *records;
	struct taking *takings;
	uint32_t *free_list; /* the last free_count are free */
	uint32_t free_count;
	struct map by_id;
};

struct record_key {
	uint32_t kind;
	uint64_t id;
};

static bool same_record(const void *value, const void *key)
{
	const struct record *record = value;
	const struct record_key *wanted = key;

	return record->kind == wanted->kind && record->id == wanted->id;
}

static uint64_t key_hash(uint32_t kind, uint64_t id)
{
	return map_hash(id ^ map_hash(kind));
}

static uint64_t record_check(const struct file_header *header, uint32_t kind, uint64_t id)
{
	return map_hash(key_hash(kind, id) ^ header->store_id);
}

static uint64_t header_check(const struct file_header *header)
{
	uint64_t hash = map_hash(header->magic);

	hash = map_hash(hash ^ ((uint64_t)header->version << 32 | header->record_size));
	hash = map_hash(hash ^ header->store_id);
	return map_hash(hash ^ header->records);
}

static size_t file_size(uint64_t records)
{
	return HEADER_SIZE + records * sizeof(struct record);
}

/* Returns NULL when plausible, otherwise what is wrong, for the log. */
static const char *header_fault(const struct file_header *header, size_t size)
{
	if (header->magic != MAGIC)
		return "magic";
	if (header->version != VERSION || header->record_size != sizeof(struct record))
		return "version";
	if (header->records == 0 || header->records > RECORDS_MAX ||
		file_size(header->records) != size)
		return "size";
	if (header->check != header_check(header) || header->store_id == 0)
		return "header checksum";
	return NULL;
}

/* How far a cell may count; a cell that is not used stays 0. */
static uint64_t cell_max(uint32_t kind, unsigned int cell)
{
	if (kind == INDEX_ROOM) {
		if (cell < INDEX_ROOM_CLOCK)
			return INDEX_MAX;
		return cell < INDEX_ROOM_REPORT ? UINT32_MAX : INDEX_SRTCP_MAX;
	}
	if (cell < INDEX_LEG_SOURCE)
		return INDEX_MAX;
	if (cell == INDEX_LEG_SOURCE)
		return INDEX_MAX + 1;
	if (cell == INDEX_LEG_RTCP)
		return INDEX_SRTCP_MAX + 1;
	return cell == INDEX_LEG_REPORT ? INDEX_SRTCP_MAX : 0;
}

static const char *record_fault(const struct file_header *header, const struct record *record)
{
	if (record->kind >= INDEX_KIND_COUNT || record->id == 0)
		return "record kind";
	if (record->reserved || record->check != record_check(header, record->kind, record->id))
		return "record checksum";
	for (unsigned int i = 0; i < INDEX_CELLS; i++)
		if (record->cell[i].value > cell_max(record->kind, i))
			return "record value";
	return NULL;
}

static void release(struct index_store *store, struct record *record)
{
	/* Free to the next process from here on; the order of the two matters to a kill -9. */
	__atomic_store_n(&record->kind, 0, __ATOMIC_RELEASE);
	memset(&record->id, 0, sizeof(*record) - offsetof(struct record, id));
	store->free_list[store->free_count++] = (uint32_t)(record - store->records);
}

/* What was sent under an SRTCP index is at most as far ahead of the record as for SRTP. */
static bool resume_report(struct index_cell *cell)
{
	if (cell->value == 0)
		return true;
	cell->value += INDEX_RESUME_GAP;
	return cell->value <= INDEX_SRTCP_MAX;
}

/*
 * Continues ahead of everything that was sent. Returns false when the bits of an index are used up:
 * nothing may be sent under those keys again.
 */
static bool resume(struct record *record)
{
	unsigned int reports = record->kind == INDEX_ROOM ? STN_SLOTS_MAX : 1;
	unsigned int first = record->kind == INDEX_ROOM ? INDEX_ROOM_REPORT : INDEX_LEG_REPORT;

	for (unsigned int i = 0; i < STN_SLOTS_MAX; i++) {
		uint64_t last = record->cell[i].value;

		record->cell[i].value = index_resume(last);
		if (last && !record->cell[i].value)
			return false;
	}
	for (unsigned int i = 0; i < reports; i++)
		if (!resume_report(&record->cell[first + i]))
			return false;
	return true;
}

/* Reads all records of a mapped file into memory. Nothing of the file is changed on failure. */
static int load(struct index_store *store, const char **fault)
{
	uint32_t records = (uint32_t)store->header->records;

	store->takings = calloc(records, sizeof(*store->takings));
	store->free_list = calloc(records, sizeof(*store->free_list));
	if (!store->takings || !store->free_list)
		return -ENOMEM;
	for (uint32_t i = records; i-- > 0;) {
		struct record *record = &store->records[i];
		struct record_key key = {record->kind, record->id};

		if (record->kind == 0) {
			store->free_list[store->free_count++] = i;
			continue;
		}
		*fault = record_fault(store->header, record);
		if (!*fault && map_find(&store->by_id, key_hash(key.kind, key.id), &key))
			*fault = "record twice";
		if (*fault)
			return -EINVAL;
		if (map_add(&store->by_id, key_hash(key.kind, key.id), record))
			return -ENOMEM;
		store->takings[i].survived = true;
	}
	return 0;
}

static void resume_all(struct index_store *store)
{
	for (uint32_t i = 0; i < store->header->records; i++) {
		struct record *record = &store->records[i];

		if (record->kind == 0 || resume(record))
			continue;
		log_warn("index_exhausted", "kind=%u id=%llu", record->kind,
			(unsigned long long)record->id);
		map_remove(&store->by_id, key_hash(record->kind, record->id), record);
		release(store, record);
	}
}

static int create(struct index_store *store, const char *path, uint32_t records)
{
	struct file_header header = {MAGIC, VERSION, sizeof(struct record), 0, records, 0};
	int error = posix_fallocate(store->fd, 0, (off_t)file_size(records));

	if (error) {
		log_error("index_store_create", "path=%s error=%s", path, strerror(error));
		return -error;
	}
	store->size = file_size(records);
	store->header = mmap(NULL, store->size, PROT_READ | PROT_WRITE, MAP_SHARED, store->fd, 0);
	if (store->header == MAP_FAILED) {
		store->header = NULL;
		return -errno;
	}
	while (header.store_id == 0)
		if (getrandom(&header.store_id, sizeof(header.store_id), 0) < 0 && errno != EINTR)
			return -errno;
	header.check = header_check(&header);
	*store->header = header;
	log_info("index_store_created", "path=%s store_id=%016llx records=%u", path,
		(unsigned long long)header.store_id, records);
	return 0;
}

static void unmap(struct index_store *store)
{
	if (store->header)
		munmap(store->header, store->size);
	free(store->takings);
	free(store->free_list);
	map_close(&store->by_id);
	store->header = NULL;
	store->takings = NULL;
	store->free_list = NULL;
	store->free_count = 0;
}

/* 0; -EINVAL with *fault set: set it aside; anything else: give up. */
static int load_file(struct index_store *store, size_t size, const char **fault)
{
	int error;

	if (size < HEADER_SIZE || size > file_size(RECORDS_MAX)) {
		*fault = "size";
		return -EINVAL;
	}
	store->size = size;
	store->header = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, store->fd, 0);
	if (store->header == MAP_FAILED) {
		store->header = NULL;
		return -errno;
	}
	store->records = (struct record *)((uint8_t *)store->header + HEADER_SIZE);
	*fault = header_fault(store->header, size);
	error = *fault ? -EINVAL : load(store, fault);
	if (error)
		unmap(store);
	return error;
}

/* Opens and locks; the lock is on the file that has the name, not on one just renamed away. */
static int open_locked(const char *path, struct stat *status)
{
	struct stat named;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int error;

	if (fd < 0) {
		error = -errno;
	} else if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		error = errno == EWOULDBLOCK ? -EBUSY : -errno;
	} else if (fstat(fd, status) < 0 || stat(path, &named) < 0) {
		error = -errno;
	} else if (named.st_ino != status->st_ino || named.st_dev != status->st_dev) {
		error = -EBUSY;
	} else if (!S_ISREG(status->st_mode)) {
		error = -EINVAL;
	} else {
		return fd;
	}
	log_error("index_store_open", "path=%s error=%s", path,
		error == -EBUSY ? "in use by another data plane" : strerror(-error));
	if (fd >= 0)
		close(fd);
	return error;
}

static int set_aside(const char *path, const char *fault)
{
	char aside[PATH_MAX];
	int length = snprintf(aside, sizeof(aside), "%s.damaged", path);

	if (length < 0 || (size_t)length >= sizeof(aside))
		return -ENAMETOOLONG;
	if (rename(path, aside) < 0)
		return -errno;
	log_error("index_store_damaged",
		"path=%s fault=\"%s\" set_aside=%s consequence=\"all legs need fresh keys\"", path,
		fault, aside);
	return 0;
}

static int open_file(struct index_store *store, const char *path, uint32_t records)
{
	const char *fault = NULL;
	struct stat status;
	int error;

	store->fd = open_locked(path, &status);
	if (store->fd < 0)
		return store->fd;
	if (status.st_size > 0) {
		error = load_file(store, (size_t)status.st_size, &fault);
		if (error != -EINVAL) {
			if (!error)
				resume_all(store);
			return error;
		}
		error = set_aside(path, fault);
		close(store->fd);
		store->fd = -1;
		if (error)
			return error;
		store->fd = open_locked(path, &status);
		if (store->fd < 0)
			return store->fd;
		if (status.st_size > 0)
			return -EBUSY;
	}
	error = create(store, path, records);
	if (error)
		return error;
	store->records = (struct record *)((uint8_t *)store->header + HEADER_SIZE);
	return load(store, &fault);
}

int index_store_open(struct index_store **out, const char *path, uint32_t records)
{
	struct index_store *store = calloc(1, sizeof(*store));
	int error;

	if (!store)
		return -ENOMEM;
	store->fd = -1;
	map_init(&store->by_id, same_record);
	if (records == 0 || records > RECORDS_MAX)
		error = -ERANGE;
	else
		error = open_file(store, path, records);
	if (error) {
		index_store_close(store);
		return error;
	}
	*out = store;
	return 0;
}

void index_store_close(struct index_store *store)
{
	if (!store)
		return;
	unmap(store);
	if (store->fd >= 0)
		close(store->fd);
	free(store);
}

uint64_t index_store_id(const struct index_store *store)
{
	return store->header->store_id;
}

uint32_t index_store_capacity(const struct index_store *store)
{
	return (uint32_t)store->header->records;
}

uint32_t index_store_used(const struct index_store *store)
{
	return (uint32_t)store->by_id.count;
}

int index_store_take(struct index_store *store, enum index_kind kind, uint64_t id,
	struct index_cell **cells, bool *survived)
{
	struct record_key key = {kind, id};
	struct record *record = map_find(&store->by_id, key_hash(kind, id), &key);

	assert(kind > 0 && kind < INDEX_KIND_COUNT && id != 0);
	if (!record) {
		if (store->free_count == 0)
			return -ENOSPC;
		record = &store->records[store->free_list[store->free_count - 1]];
		if (map_add(&store->by_id, key_hash(kind, id), record))
			return -ENOMEM;
		store->free_count--;
		store->takings[record - store->records] = (struct taking){0};
		memset(&record->cell, 0, sizeof(record->cell));
		record->reserved = 0;
		record->id = id;
		record->check = record_check(store->header, kind, id);
		__atomic_store_n(&record->kind, kind, __ATOMIC_RELEASE);
	}
	store->takings[record - store->records].refs++;
	*cells = record->cell;
	*survived = store->takings[record - store->records].survived;
	return 0;
}

bool index_store_has(const struct index_store *store, enum index_kind kind, uint64_t id)
{
	struct record_key key = {kind, id};

	return map_find(&store->by_id, key_hash(kind, id), &key) != NULL;
}

static void give_back(struct index_store *store, enum index_kind kind, uint64_t id, bool keep)
{
	struct record_key key = {kind, id};
	struct record *record = map_find(&store->by_id, key_hash(kind, id), &key);
	struct taking *taking;

	assert(record);
	taking = &store->takings[record - store->records];
	assert(taking->refs);
	if (--taking->refs || (keep && taking->survived))
		return;
	map_remove(&store->by_id, key_hash(kind, id), record);
	release(store, record);
}

void index_store_drop(struct index_store *store, enum index_kind kind, uint64_t id)
{
	give_back(store, kind, id, false);
}

void index_store_untake(struct index_store *store, enum index_kind kind, uint64_t id)
{
	give_back(store, kind, id, true);
}

void index_store_sweep(struct index_store *store)
{
	for (uint32_t i = 0; i < store->header->records; i++) {
		struct record *record = &store->records[i];

		if (record->kind == 0 || store->takings[i].refs)
			continue;
		map_remove(&store->by_id, key_hash(record->kind, record->id), record);
		release(store, record);
	}
}
