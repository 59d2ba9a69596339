// SPDX-License-Identifier: BSD-3-Clause
#include "perf/footprint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/core/ice_state.h"
#include "dataplane/core/shard.h"
#include "dataplane/ctl/registry.h"
#include "dataplane/io/state.h"

#define PAYLOAD 100
#define LOCATOR_CELLS (2 * 4 / 3.0) /* a browser has up to two addresses in it */
#define BUS 8                       /* the next hop, see io/bus.c */
#define SLOTS 3                     /* of a room, where nobody says otherwise */

/* glibc: eight bytes before each piece, multiples of 16, 32 at least. */
static double piece(size_t size)
{
	size_t whole = (size + 8 + 15) & ~(size_t)15;

	return size == 0 ? 0 : (double)(whole < 32 ? 32 : whole);
}

/* Entries of a table that doubles, for each of count that are in it. */
static double share(double count, double fill)
{
	double size = 64;

	while (size * fill < count)
		size *= 2;
	return size / count;
}

/* A leg in a shard of its own says what a lane takes. */
static int measure_lane(const struct engine *engine, enum suite suite, struct footprint *out)
{
	const size_t size = 4u << 20;
	struct engine_core *core = engine->open();
	void *memory = aligned_alloc(ARENA_ALIGN, size);
	struct frame_template template = {
		.size = FRAME_ETHERNET_SIZE + FRAME_IPV4_SIZE + FRAME_UDP_SIZE, .family = 4};
	uint32_t origin[SHARD_SLOTS_MAX] = {0};
	struct master_key key = {.suite = suite, .key = {1}};
	struct shard_leg leg = {.group = {.suite = suite},
		.key = suite == SUITE_NONE ? NULL : &key,
		.template = &template,
		.origin = origin};
	struct shard_place place;
	struct arena arena;
	struct shard shard;
	int rc = -ENOMEM;

	if (core != NULL && memory != NULL) {
		memset(memory, 0, size);
		arena_init(&arena, memory, size);
		shard_init(&shard, engine, &arena, SLOTS);
		rc = shard_add(&shard, core, &leg, &place);
	}
	if (rc == 0) {
		double lanes = ENGINE_BLOCK_LEGS;
		double keys = suite == SUITE_NONE ? 0 : (double)engine->block_size(suite) / lanes;
		double part = shard.group[place.group].part_size;
		double all = shard.group[place.group].block_size / lanes;

		out->part[5] = (struct footprint_part){"lane_bytes", all - keys - part};
		out->part[6] = (struct footprint_part){"template_bytes", part};
		out->part[7] = (struct footprint_part){"key_bytes", keys};
		out->hot = part + sizeof(uint32_t);
		if (suite != SUITE_NONE)
			out->hot += (double)engine->hot_bytes(suite, PAYLOAD);
		shard_close(&shard);
	}
	free(memory);
	if (core != NULL)
		engine->close(core);
	return rc;
}

int footprint_of(const struct engine *engine, enum suite suite, bool browser, double count,
	struct footprint *out)
{
	double maps = 2 * sizeof(uint64_t) * share(count, 0.75);
	double ice = browser ? piece(sizeof(struct ice_version)) +
				       piece(sizeof(struct ice_facts) + 4 + 1 + 20 + 24)
			     : 0;
	/* Of a keyed leg one piece with the leg. */
	double facts = piece(sizeof(struct leg_version) + (browser ? sizeof(struct limbo) : 0)) +
		       (browser ? piece(sizeof(struct leg_browser)) : 0);
	double browsing = browser ? piece(sizeof(struct worker_ice)) +
					    piece(sizeof(struct ice_leg)) + sizeof(uint32_t)
				  : 0;
	double directory = browser ? sizeof(uint32_t) * share(count, 0.5) : 0;
	int rc;

	*out = (struct footprint){0};
	rc = measure_lane(engine, suite, out);
	if (rc < 0)
		return rc;
	out->part[0] = (struct footprint_part){
		"registry_bytes", sizeof(struct leg) + sizeof(void *) * share(count, 1) +
					  sizeof(void *) + sizeof(uint32_t) + BUS};
	out->part[1] = (struct footprint_part){"facts_bytes", facts + ice};
	out->part[2] = (struct footprint_part){"maps_bytes", maps};
	out->part[3] =
		(struct footprint_part){"worker_bytes", sizeof(struct worker_leg) + browsing};
	out->part[4] = (struct footprint_part){
		"locator_bytes", sizeof(struct locator_cell) * LOCATOR_CELLS + directory};
	for (int i = 0; i < FOOTPRINT_PARTS; i++)
		out->total += out->part[i].bytes;
	return 0;
}
