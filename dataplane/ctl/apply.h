/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Carries what was decided to the workers, in an order that is safe at every moment: mutes and
 * removals first, then rooms, then legs, then unmutes, then a fence to every worker. The result of
 * a transaction is reported when all have answered. Deadlines go the same way without a
 * transaction.
 *
 * What silences goes out at the commit. What is added goes in slices (stage.h), in the order of the
 * commits, with a window of additions under way: a mute never waits behind a million joins, and
 * results come in the order in which transactions were done, not committed.
 *
 * Why one ring a worker is enough: a mute goes to every worker, so whoever hears of a new leg has
 * heard of the mute before. Only where something may not exist twice (a leg that changes its role,
 * handles that run short) a barrier comes in between: what is new waits until a fence behind the
 * removals was answered.
 */
#ifndef STENTOR_DATAPLANE_CTL_APPLY_H
#define STENTOR_DATAPLANE_CTL_APPLY_H

#include "dataplane/ctl/outbox.h"
#include "dataplane/ctl/transaction.h"

#define APPLY_WINDOW 512u /* additions under way, unless told otherwise */
#define APPLY_FLIGHTS 64u /* slices under way; a power of two */

/* What is staged next; the order within a batch. */
enum batch_stage { STAGE_ROOMS, STAGE_KEYS, STAGE_LEGS, STAGE_UPDATES, STAGE_DONE };

/* A committed transaction whose last fence is still out. */
struct batch {
	struct batch *next;
	uint64_t committed_ns;
	uint64_t hold; /* nothing removed behind this fence may be freed: the journal names it */
	enum batch_stage stage;
	uint32_t at;     /* in the journal */
	uint64_t token;  /* of the fence that ends it; of the barrier while it waits */
	uint64_t client; /* who is told, and under which sequence */
	uint32_t sequence;
	uint32_t refused; /* enum stn_status: a worker had no space after all */
	bool resync;
	struct journal journal;
	struct stn_room_origin *origins;
	uint32_t origin_count;
};

struct apply_events {
	/* In force everywhere, or refused by a worker; batch is freed afterwards. */
	void (*result)(void *context, const struct batch *batch, uint64_t applied_ns);
	/* type, room, leg and time are filled in. */
	void (*notice)(void *context, const struct stn_notice *notice);
};

struct apply {
	struct registry *registry;
	struct outbox outbox;
	struct apply_events events;
	void *context;
	uint32_t room_speakers_max;
	uint64_t token_last;
	uint64_t batch_last;
	uint64_t done; /* fences up to this one were answered by every worker */
	uint64_t answered[STN_WORKERS_MAX];
	uint64_t answered_ns[STN_WORKERS_MAX];
	struct stn_wait delay; /* of transactions, until they were in force */
	struct batch *first;   /* fences are out, in the order of their tokens */
	struct batch *last;
	struct batch *staging_first; /* in the order of their commits */
	struct batch *staging_last;
	struct batch *waiting;   /* behind a barrier; not among those being staged yet */
	uint32_t promised_rooms; /* handles that those being staged will take */
	uint32_t promised_legs;
	uint32_t window; /* additions that may be under way */
	uint32_t flying; /* that are */
	struct apply_flight {
		uint64_t token; /* of the fence behind a slice */
		uint32_t count; /* additions in it */
	} flight[APPLY_FLIGHTS];
	uint32_t flight_first; /* both run freely */
	uint32_t flight_last;
};

struct apply_request {
	uint64_t client;
	uint32_t sequence;
	uint64_t now_ns;
};

void apply_open(struct apply *apply, struct registry *registry, const struct worker_bus *bus,
	const struct apply_events *events, void *context);
void apply_close(struct apply *apply);

/*
 * 0: the result follows. -EINVAL: refused, nothing was changed. Not while apply_busy(), a resync
 * not while apply_staging().
 */
int apply_commit(struct apply *apply, const struct transaction *transaction,
	const struct apply_request *request, struct refusal *refusal);

/* A transaction waits behind its barrier: the next one has to wait too. */
static inline bool apply_busy(const struct apply *apply)
{
	return apply->waiting != NULL;
}

/* Not everything that was committed has been told to the workers. */
static inline bool apply_staging(const struct apply *apply)
{
	return apply->staging_first != NULL;
}

/* Workers owe an answer. */
static inline bool apply_pending(const struct apply *apply)
{
	return apply->done != apply->token_last;
}

/* REPLY_FENCE and REPLY_REFUSED. */
void apply_reply(struct apply *apply, const struct reply *reply);

/*
 * Posts what waits, enforces deadlines that are due (a bounded number), reports what was answered.
 * Returns when it has to be called again at the latest, DEADLINE_NEVER: on a reply.
 */
uint64_t apply_poll(struct apply *apply, uint64_t now_ns);

#endif
