/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of the driver share: the registry under test with its database, and the writer of
 * the line that answers a command. One thread; the desk is made in main().
 */
#ifndef STENTOR_TESTS_MODEL_DRIVER_H
#define STENTOR_TESTS_MODEL_DRIVER_H

#include <jansson.h>

#include "controlplane/rooms/plan.h"
#include "controlplane/store/store.h"

struct driver {
	struct registry registry;
	struct registry_limits limits;
	struct store *store; /* NULL: no database */
	const char *path;    /* of it */
	bool transaction;
	unsigned int written; /* plans in the transaction */
	bool kept;            /* what is decided now is for the database */
	struct moment now;
	struct writer out; /* the line that answers the command */
};

/* limits.c: the members of the object into limits; false: one of them is unknown. */
bool limits_take(struct registry_limits *limits, json_t *object);

/* dump.c: everything there is, as a member "state" of the object that is open. */
void dump_state(struct writer *out, const struct registry *registry);

/* outcome.c: what a plan has in it, as members of the object that is open. */
void outcome_write(struct writer *out, const struct registry *registry, const struct plan *plan);

/* ending.c: what ends by itself while no data plane is there to say so, one plan at a time. True:
 * the plan has something in it. */
bool ending_step(struct plan *plan, struct registry *registry);

/* invariant.c: what is wrong with the registry; NULL: nothing. */
const char *invariant_broken(const struct registry *registry, const struct moment *now);

/* session.c: a browser's session begins and ends as the conductor would have it. */
void session_begin(struct driver *driver, struct plan *plan, json_t *command);
void session_over(struct driver *driver, struct plan *plan, json_t *command);

#endif
