// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/core/locator.h"

#include <errno.h>
#include <stdlib.h>

int locator_open(struct locator *locator, const struct siphash_key *key, uint32_t max)
{
	uint32_t cells = 16;

	while (cells < max * 2ull)
		cells *= 2;
	*locator = (struct locator){.key = *key, .mask = cells - 1};
	locator->cell = calloc(cells, sizeof(*locator->cell));
	return locator->cell == NULL ? -ENOMEM : 0;
}

void locator_close(struct locator *locator)
{
	free(locator->cell);
	locator->cell = NULL;
	locator->count = 0;
}

static uint32_t home(const struct locator *locator, const struct stn_address *address)
{
	return (uint32_t)frame_address_hash(&locator->key, address) & locator->mask;
}

/* The cell that holds the address, or the empty one where it would go. */
static uint32_t probe(const struct locator *locator, const struct stn_address *address)
{
	uint32_t i = home(locator, address);

	while (locator->cell[i].address.family != 0 &&
		!frame_address_equal(&locator->cell[i].address, address))
		i = (i + 1) & locator->mask;
	return i;
}

int locator_add(struct locator *locator, const struct stn_address *address, uint32_t leg)
{
	uint32_t i = probe(locator, address);

	if (locator->cell[i].address.family != 0)
		return -EEXIST;
	if (locator->count > locator->mask / 2)
		return -ENOSPC;
	locator->cell[i].address = *address;
	locator->cell[i].leg = leg;
	locator->count++;
	return 0;
}

uint32_t locator_find(const struct locator *locator, const struct stn_address *address)
{
	const struct locator_cell *cell = &locator->cell[probe(locator, address)];

	return cell->address.family != 0 ? cell->leg : LOCATOR_NONE;
}

void locator_remove(struct locator *locator, const struct stn_address *address)
{
	uint32_t hole = probe(locator, address), i = hole, want;

	if (locator->cell[hole].address.family == 0)
		return;
	locator->count--;
	for (;;) {
		i = (i + 1) & locator->mask;
		if (locator->cell[i].address.family == 0)
			break;
		/* It may fill the hole unless its home lies cyclically behind the hole. */
		want = home(locator, &locator->cell[i].address);
		if (((i - want) & locator->mask) < ((i - hole) & locator->mask))
			continue;
		locator->cell[hole] = locator->cell[i];
		hole = i;
	}
	locator->cell[hole] = (struct locator_cell){0};
}
