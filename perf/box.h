/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A data plane in this process, as main() of the real one makes it, without table.sock: the
 * benchmark is the main lcore and posts commands itself. One port.
 */
#ifndef STENTOR_PERF_BOX_H
#define STENTOR_PERF_BOX_H

#include <stdbool.h>

#include "dataplane/io/bus.h"
#include "dataplane/io/eal.h"
#include "dataplane/io/pool.h"
#include "dataplane/io/port.h"

struct box {
	struct dataplane_config config;
	struct pool pool;
	struct port port;
	struct bus *bus;
	struct worker_bus interface;
	bool eal_started;
};

/* settings: text as an operator would write it. 0 or negative errno, reasons on stderr. */
int box_open(struct box *box, const char *settings, const char *engine);
/* Workers have ended before. Accepts a box that was not opened, zeroed. */
void box_close(struct box *box);
/* Waits for room in the ring, for ten seconds. */
int box_post(struct box *box, unsigned int worker, const struct command *command);
/* Waits until every worker has applied what was posted; -ENOSPC when one refused something. */
int box_fence(struct box *box);

#endif
