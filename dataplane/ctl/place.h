/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where WEBRTC legs are. The owner of a leg validates its paths; the main lcore keeps addresses
 * unique over all legs and tells the workers that receive from an address whose it is. Main lcore
 * only; every function sends within what was reserved and cannot fail.
 */
#ifndef STENTOR_DATAPLANE_CTL_PLACE_H
#define STENTOR_DATAPLANE_CTL_PLACE_H

#include "dataplane/ctl/outbox.h"
#include "dataplane/ctl/registry.h"

/* To one worker, of one place_moved() or place_lost(). */
#define PLACE_COMMANDS_MAX 4

/* The workers that may receive from the leg's address hand its datagrams over from now on. */
void place_announce(struct outbox *outbox, const struct leg *leg);
/* Not from there any more. Before the leg is removed, so before its handle is another's. */
void place_withdraw(struct outbox *outbox, const struct leg *leg, const struct stn_address *remote);
/* The same when the address is somebody else's now: the owner has to forget that path. */
void place_take(struct outbox *outbox, const struct leg *leg, const struct stn_address *remote);

/* Adds what place_announce() or place_withdraw() may send: to one worker, or to every one. */
void place_count(const struct worker_bus *bus, const struct leg *leg,
	const struct stn_address *remote, size_t count[], size_t *everybody);

/*
 * REPLY_LEG_MOVED and REPLY_LEG_LOST. NULL: the leg is gone, or it may not be at that address
 * because a KEYED leg is programmed there.
 */
const struct leg *place_moved(
	struct registry *registry, struct outbox *outbox, const struct reply *reply);
const struct leg *place_lost(
	struct registry *registry, struct outbox *outbox, const struct reply *reply);

#endif
