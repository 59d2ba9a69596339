/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Replay window over 48-bit indices, RFC 3711 section 3.3.2: the last REPLAY_WINDOW indices below
 * the highest one received. First replay_check(), then the caller verifies the packet's tag, and
 * only then replay_commit(): nothing that did not authenticate moves the window.
 *
 * Plain memory inside its owner (a receiver); one thread, no locks.
 */
#ifndef STENTOR_DATAPLANE_CORE_REPLAY_H
#define STENTOR_DATAPLANE_CORE_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#define REPLAY_WINDOW 1024

struct replay {
	uint64_t next;                     /* highest index received + 1; 0: none received */
	uint64_t seen[REPLAY_WINDOW / 64]; /* bit index % REPLAY_WINDOW, of the window only */
};

enum replay_verdict {
	REPLAY_NEW,
	REPLAY_DUPLICATE,
	REPLAY_TOO_OLD, /* below the window: whether it was received is not known any more */
	REPLAY_VERDICT_COUNT
};

/*
 * next is what an earlier life persisted: highest + 1, or 0 for a fresh start. Everything below
 * counts as received.
 */
void replay_init(struct replay *replay, uint64_t next);

enum replay_verdict replay_check(const struct replay *replay, uint64_t index);

/* index was REPLAY_NEW when checked, and nothing was committed since. */
void replay_commit(struct replay *replay, uint64_t index);

#endif
