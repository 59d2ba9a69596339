/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The operations between BEGIN and COMMIT, as they came: framed and range-checked on arrival, kept
 * until the commit, zeroised afterwards because they carry keys. The first thing that is wrong is
 * remembered and is the answer to the commit; nothing more is kept then.
 */
#ifndef STENTOR_DATAPLANE_CTL_TRANSACTION_H
#define STENTOR_DATAPLANE_CTL_TRANSACTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/ctl/plan.h"

struct transaction_chunk;

struct transaction {
	struct transaction_chunk *first;
	struct transaction_chunk *last;
	size_t size;
	size_t size_max;
	uint32_t count;
	bool open;
	bool resync;
	struct refusal refusal;
};

void transaction_begin(struct transaction *transaction, bool resync, size_t size_max);
/* The operations of one message; size is a multiple of 8 or the message is bad. */
void transaction_add(struct transaction *transaction, const uint8_t *bytes, size_t size);
/*
 * Runs the operations into the plan's journal. 0, or -EINVAL with plan->refusal, and then the
 * registry is as it was.
 */
int transaction_run(const struct transaction *transaction, struct plan *plan);
/* Forgets everything. May be called any number of times. */
void transaction_close(struct transaction *transaction);

#endif
