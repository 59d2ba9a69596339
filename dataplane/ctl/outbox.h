/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Commands on their way to workers. A worker's ring may be full; what does not fit waits here, in
 * order, and is posted by the next outbox_flush(). Space is reserved before anything is decided, so
 * that sending cannot fail half way.
 */
#ifndef STENTOR_DATAPLANE_CTL_OUTBOX_H
#define STENTOR_DATAPLANE_CTL_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/io/command.h"

#define OUTBOX_KEPT 64 /* commands a queue has space for without any memory */

struct outbox_queue {
	struct command *commands; /* a ring; kept, or allocated */
	size_t size;              /* a power of two */
	size_t first;
	size_t count;
	struct command kept[OUTBOX_KEPT];
};

struct outbox {
	struct worker_bus bus;
	struct outbox_queue queue[STN_WORKERS_MAX];
	uint64_t posted; /* commands that rings have taken */
};

void outbox_open(struct outbox *outbox, const struct worker_bus *bus);
void outbox_close(struct outbox *outbox);

/* Space for count[worker] more commands to each worker. 0 or -ENOMEM. */
int outbox_reserve(struct outbox *outbox, const size_t count[]);
/* The same count for each. */
int outbox_reserve_all(struct outbox *outbox, size_t count);

/* Within what was reserved. */
void outbox_send(struct outbox *outbox, unsigned int worker, const struct command *command);
void outbox_send_all(struct outbox *outbox, const struct command *command);

/* Posts what the rings take. Returns whether everything is out. */
bool outbox_flush(struct outbox *outbox);

#endif
