// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/io/directory.h"

#include <errno.h>
#include <stdlib.h>

#include "dataplane/io/state.h"

int directory_open(struct directory *directory, const struct siphash_key *key,
	const struct worker_leg *leg, uint32_t max)
{
	uint32_t cells = 16;

	while (cells < max * 2ull)
		cells *= 2;
	*directory = (struct directory){.key = *key, .leg = leg, .mask = cells - 1};
	directory->cell = calloc(cells, sizeof(*directory->cell));
	return directory->cell == NULL ? -ENOMEM : 0;
}

void directory_close(struct directory *directory)
{
	free(directory->cell);
	directory->cell = NULL;
}

static uint64_t id(const struct directory *directory, uint32_t cell)
{
	return directory->leg[cell - 1].facts->leg_id;
}

static uint32_t home(const struct directory *directory, uint64_t leg_id)
{
	return (uint32_t)siphash(&directory->key, &leg_id, sizeof(leg_id)) & directory->mask;
}

/* The cell that holds the leg, or the empty one where it would go. */
static uint32_t probe(const struct directory *directory, uint64_t leg_id)
{
	uint32_t i = home(directory, leg_id);

	while (directory->cell[i] != 0 && id(directory, directory->cell[i]) != leg_id)
		i = (i + 1) & directory->mask;
	return i;
}

void directory_add(struct directory *directory, uint32_t handle)
{
	directory->cell[probe(directory, directory->leg[handle].facts->leg_id)] = handle + 1;
}

void directory_remove(struct directory *directory, uint32_t handle)
{
	uint32_t hole = probe(directory, directory->leg[handle].facts->leg_id), i = hole, want;

	if (directory->cell[hole] != handle + 1)
		return;
	for (;;) {
		i = (i + 1) & directory->mask;
		if (directory->cell[i] == 0)
			break;
		/* It may fill the hole unless its home lies cyclically behind the hole. */
		want = home(directory, id(directory, directory->cell[i]));
		if (((i - want) & directory->mask) < ((i - hole) & directory->mask))
			continue;
		directory->cell[hole] = directory->cell[i];
		hole = i;
	}
	directory->cell[hole] = 0;
}

uint32_t directory_find(const struct directory *directory, uint64_t leg_id)
{
	uint32_t cell = directory->cell[probe(directory, leg_id)];

	return cell != 0 ? cell - 1 : DIRECTORY_NONE;
}
