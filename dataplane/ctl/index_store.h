/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The small shared file that keeps packet indices over the death of the process, so that no (key,
 * SSRC, index) is ever used twice: mapped shared, hence a kill -9 loses nothing. The main lcore
 * allocates and frees records, workers write the cells they were given (relaxed 64-bit stores).
 *
 * The file is input: a file that is not entirely plausible is set aside as "<path>.damaged" and a
 * new one with a new store_id is begun, which makes all older keys stale. A flock keeps a second
 * data plane off.
 *
 * A record is one room or one speaker leg. At the end of the process records stay; one is freed
 * only when its room or leg is removed, because the keys die with it.
 */
#ifndef STENTOR_DATAPLANE_CTL_INDEX_STORE_H
#define STENTOR_DATAPLANE_CTL_INDEX_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/io/command.h"

struct index_store;

enum index_kind { INDEX_ROOM = 1, INDEX_LEG, INDEX_KIND_COUNT };

/* Cells of a record. */
#define INDEX_ROOM_SLOT 0                     /* + slot: last index sent */
#define INDEX_ROOM_CLOCK STN_SLOTS_MAX        /* + slot: RTP timestamp at CLOCK_MONOTONIC 0 */
#define INDEX_ROOM_REPORT (2 * STN_SLOTS_MAX) /* + slot: last SRTCP index sent */
#define INDEX_LEG_OWN LEG_CELL_OWN
#define INDEX_LEG_SOURCE LEG_CELL_SOURCE
#define INDEX_LEG_RTCP LEG_CELL_RTCP
#define INDEX_LEG_REPORT LEG_CELL_REPORT
#define INDEX_CELLS (3 * STN_SLOTS_MAX)

/*
 * Opens or creates; moves every outgoing index of an existing store ahead. records is the capacity
 * of a new file; an existing one keeps its own. -EBUSY: in use by another process.
 */
int index_store_open(struct index_store **store, const char *path, uint32_t records);
/* Accepts NULL. */
void index_store_close(struct index_store *store);

uint64_t index_store_id(const struct index_store *store);
uint32_t index_store_capacity(const struct index_store *store);
uint32_t index_store_used(const struct index_store *store);

/*
 * The cells of a room or leg: those of its record, or of a new zeroed one. *survived tells whether
 * the record was found in the file when this process opened it, i.e. whether it may carry keys of
 * an earlier process on. -ENOSPC when the store is full, -ENOMEM. Takings are counted.
 */
int index_store_take(struct index_store *store, enum index_kind kind, uint64_t id,
	struct index_cell **cells, bool *survived);
bool index_store_has(const struct index_store *store, enum index_kind kind, uint64_t id);
/* The last drop of what was taken frees the record. */
void index_store_drop(struct index_store *store, enum index_kind kind, uint64_t id);
/* Undoes a take: a record that was there before it stays. */
void index_store_untake(struct index_store *store, enum index_kind kind, uint64_t id);
/* Frees all records that nobody has taken: after a resync nobody will come for them. */
void index_store_sweep(struct index_store *store);

static inline uint64_t index_cell_load(const struct index_cell *cell)
{
	return __atomic_load_n(&cell->value, __ATOMIC_RELAXED);
}

static inline void index_cell_store(struct index_cell *cell, uint64_t value)
{
	__atomic_store_n(&cell->value, value, __ATOMIC_RELAXED);
}

#endif
