/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the data plane keeps of a listener, by its own declarations: asked of a shard with one leg
 * in it and of sizeof. It says where the bytes that were measured from outside are. IPv4, no VLAN.
 */
#ifndef STENTOR_PERF_FOOTPRINT_H
#define STENTOR_PERF_FOOTPRINT_H

#include <stdbool.h>

#include "dataplane/crypto/engine.h"

struct footprint_part {
	const char *name; /* as in the report, ends in _bytes */
	double bytes;
};

#define FOOTPRINT_PARTS 8

struct footprint {
	struct footprint_part part[FOOTPRINT_PARTS];
	double hot;   /* that one copy of 100 bytes touches */
	double total; /* of the parts; blocks and tables as full as they get */
};

/*
 * SUITE_NONE: a member of the group class. count: listeners on the one worker, legs_max as well. 0
 * or a negative errno.
 */
int footprint_of(const struct engine *engine, enum suite suite, bool browser, double count,
	struct footprint *out);

#endif
