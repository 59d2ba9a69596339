// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/core/locator.h"

#include <errno.h>
#include <stdlib.h>

int locator_open(struct locator *locator, const struct siphash_key *key, uint32_t max)
{
	*locator = (struct locator){.key = *key, .max = max};
	locator->cells = max + max / 3 + 16;
	locator->cell = calloc(locator->cells, sizeof(*locator->cell));
	return locator->cell == NULL ? -ENOMEM : 0;
}

void locator_close(struct locator *locator)
{
	free(locator->cell);
	locator->cell = NULL;
	locator->count = 0;
}

static uint32_t home(const struct locator *locator, const struct locator_cell *cell)
{
	return (uint32_t)((uint64_t)cell->hash[0] * locator->cells >> 32);
}

static uint32_t next(const struct locator *locator, uint32_t i)
{
	return i + 1 == locator->cells ? 0 : i + 1;
}

/* From one cell on to another, around the end. */
static uint32_t distance(const struct locator *locator, uint32_t from, uint32_t to)
{
	return to >= from ? to - from : to + (locator->cells - from);
}

static struct locator_cell cell_of(
	const struct locator *locator, const struct stn_address *address, uint32_t leg)
{
	uint64_t hash = frame_address_hash(&locator->key, address);

	return (struct locator_cell){{(uint32_t)hash, (uint32_t)(hash >> 32)}, leg + 1};
}

/* The cell that holds the address, or the empty one where it would go. */
static uint32_t probe(const struct locator *locator, const struct locator_cell *wanted)
{
	uint32_t i = home(locator, wanted);

	while (locator->cell[i].leg != 0 && (locator->cell[i].hash[0] != wanted->hash[0] ||
						    locator->cell[i].hash[1] != wanted->hash[1]))
		i = next(locator, i);
	return i;
}

int locator_add(struct locator *locator, const struct stn_address *address, uint32_t leg)
{
	struct locator_cell cell = cell_of(locator, address, leg);
	uint32_t i = probe(locator, &cell);

	if (locator->cell[i].leg != 0)
		return -EEXIST;
	if (locator->count == locator->max)
		return -ENOSPC;
	locator->cell[i] = cell;
	locator->count++;
	return 0;
}

uint32_t locator_find(const struct locator *locator, const struct stn_address *address)
{
	struct locator_cell wanted = cell_of(locator, address, 0);

	/* Of an empty one: LOCATOR_NONE. */
	return locator->cell[probe(locator, &wanted)].leg - 1;
}

void locator_prefetch(const struct locator *locator, const struct stn_address *address)
{
	struct locator_cell wanted = cell_of(locator, address, 0);

	__builtin_prefetch(&locator->cell[home(locator, &wanted)], 1);
}

void locator_remove(struct locator *locator, const struct stn_address *address)
{
	struct locator_cell wanted = cell_of(locator, address, 0);
	uint32_t hole = probe(locator, &wanted), i = hole, want;

	if (locator->cell[hole].leg == 0)
		return;
	locator->count--;
	for (;;) {
		i = next(locator, i);
		if (locator->cell[i].leg == 0)
			break;
		/* It may fill the hole unless its home lies cyclically behind the hole. */
		want = home(locator, &locator->cell[i]);
		if (distance(locator, want, i) < distance(locator, hole, i))
			continue;
		locator->cell[hole] = locator->cell[i];
		hole = i;
	}
	locator->cell[hole] = (struct locator_cell){0};
}
