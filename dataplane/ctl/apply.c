/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/ctl/apply.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "configs/log.h"
#include "dataplane/ctl/place.h"
#include "dataplane/ctl/stage.h"
#include "dataplane/ctl/tell.h"

#define owner_of(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

/* Legs that one poll expires at most: well under a millisecond, then others have a turn. */
#define EXPIRE_MAX 256
/* To one worker, when a leg goes: its path, then itself. */
#define LEG_COMMANDS_MAX 2
#define RETRY_NS UINT64_C(1000000)
/* Additions between two fences: the outbox keeps the space for as many. */
#define SLICE_MAX 128u

void apply_open(struct apply *apply, struct registry *registry, const struct worker_bus *bus,
	const struct apply_events *events, void *context)
{
	*apply = (struct apply){.registry = registry,
		.events = *events,
		.context = context,
		.window = APPLY_WINDOW};
	outbox_open(&apply->outbox, bus);
}

static void free_batch(struct batch *batch)
{
	if (!batch)
		return;
	journal_close(&batch->journal);
	free(batch->origins);
	free(batch);
}

void apply_close(struct apply *apply)
{
	struct batch *batch;

	while ((batch = apply->first)) {
		apply->first = batch->next;
		free_batch(batch);
	}
	while ((batch = apply->staging_first)) {
		apply->staging_first = batch->next;
		stage_abandon(apply, batch);
		free_batch(batch);
	}
	if (apply->waiting)
		stage_abandon(apply, apply->waiting);
	free_batch(apply->waiting);
	apply->waiting = NULL;
	apply->last = apply->staging_last = NULL;
	outbox_close(&apply->outbox);
}

static uint64_t send_fence(struct apply *apply)
{
	struct command command = {.type = COMMAND_FENCE, .value = ++apply->token_last};

	outbox_send_all(&apply->outbox, &command);
	return apply->token_last;
}

/* What is removed now is behind the next fence. */
static void drop_leg(struct apply *apply, struct leg *leg)
{
	place_withdraw(&apply->outbox, leg, leg_remote(leg));
	if (leg->visible)
		tell_leg(&apply->outbox, COMMAND_LEG_REMOVE, leg);
	registry_bury_leg(apply->registry, leg, apply->token_last + 1);
}

static void drop_room(struct apply *apply, struct room *room)
{
	if (room->visible)
		tell_room(&apply->outbox, COMMAND_ROOM_REMOVE, room);
	registry_bury_room(apply->registry, room, apply->token_last + 1);
}

/* ---- a transaction, stage by stage ---- */

/* What one change may send at the commit: to one worker, or to every one. */
static void count_change(
	const struct apply *apply, const struct change *change, size_t count[], size_t *everybody)
{
	const struct worker_bus *bus = &apply->outbox.bus;
	const struct leg *leg = change->leg;

	if (change->kind == CHANGE_ROOM_REMOVE || change->kind == CHANGE_LEG_UPDATE) {
		++*everybody;
	} else if (change->kind == CHANGE_LEG_PATH) {
		count[leg->version->facts.worker]++;
		place_count(bus, leg, &change->remote, count, everybody);
	} else if (change->kind == CHANGE_LEG_REMOVE) {
		place_count(bus, leg, leg_remote(leg), count, everybody);
		if (leg->version->facts.role == STN_ROLE_SPEAKER)
			++*everybody;
		else
			count[leg->version->facts.worker]++;
	}
}

static int reserve(struct apply *apply, const struct journal *journal)
{
	size_t count[STN_WORKERS_MAX] = {0};
	size_t everybody = 1; /* the fence or barrier */

	for (uint32_t i = 0; i < journal->count; i++)
		count_change(apply, &journal->changes[i], count, &everybody);
	for (unsigned int i = 0; i < STN_WORKERS_MAX; i++)
		count[i] += everybody;
	return outbox_reserve(&apply->outbox, count);
}

/* Everything that silences. Legs are removed before their room is. */
static void stage_removals(struct apply *apply, const struct journal *journal)
{
	for (uint32_t i = 0; i < journal->count; i++) {
		const struct change *change = &journal->changes[i];
		struct leg *leg = change->leg;

		if (change->kind == CHANGE_LEG_REMOVE)
			drop_leg(apply, leg);
		else if (change->kind == CHANGE_LEG_PATH)
			place_take(&apply->outbox, leg, &change->remote);
		else if (change->kind == CHANGE_LEG_UPDATE && leg->visible && !leg->removed &&
			 leg->muted && !leg->muted_posted)
			tell_mute(&apply->outbox, leg);
	}
	for (uint32_t i = 0; i < journal->count; i++)
		if (journal->changes[i].kind == CHANGE_ROOM_REMOVE)
			drop_room(apply, journal->changes[i].room);
}

/* Everything is told: its result comes with the answer to this fence. */
static void finish_staging(struct apply *apply, struct batch *batch, uint64_t token)
{
	batch->token = token;
	batch->next = NULL;
	if (apply->last)
		apply->last->next = batch;
	else
		apply->first = batch;
	apply->last = batch;
}

static void begin_staging(struct apply *apply, struct batch *batch, uint64_t hold)
{
	uint32_t rooms, legs;

	stage_count(&batch->journal, &rooms, &legs);
	apply->promised_rooms += rooms;
	apply->promised_legs += legs;
	batch->hold = hold;
	batch->next = NULL;
	if (apply->staging_last)
		apply->staging_last->next = batch;
	else
		apply->staging_first = batch;
	apply->staging_last = batch;
}

static void land_flights(struct apply *apply)
{
	while (apply->flight_first != apply->flight_last) {
		const struct apply_flight *flight =
			&apply->flight[apply->flight_first % APPLY_FLIGHTS];

		if (flight->token > apply->done)
			break;
		apply->flying -= flight->count;
		apply->flight_first++;
	}
}

static void fly(struct apply *apply, uint64_t token, uint32_t count)
{
	apply->flight[apply->flight_last++ % APPLY_FLIGHTS] = (struct apply_flight){token, count};
	apply->flying += count;
}

/* As much as the window has space for. */
static void continue_staging(struct apply *apply)
{
	struct batch *batch;

	land_flights(apply);
	while ((batch = apply->staging_first) &&
		apply->flight_last - apply->flight_first < APPLY_FLIGHTS) {
		uint32_t max = apply->window - apply->flying, sent;

		if (max > SLICE_MAX)
			max = SLICE_MAX;
		if (max == 0 || outbox_reserve_all(&apply->outbox, STAGE_COMMANDS * max + 1))
			return; /* at the latest, the next poll tries again */
		sent = stage_slice(apply, batch, max);
		if (sent == 0 && batch->stage != STAGE_DONE)
			return;
		fly(apply, send_fence(apply), sent);
		if (batch->stage != STAGE_DONE)
			continue;
		apply->staging_first = batch->next;
		if (!apply->staging_first)
			apply->staging_last = NULL;
		finish_staging(apply, batch, apply->token_last);
	}
}

/*
 * What the same transaction removed again will be freed when the barrier is answered; the rest of
 * its journal is for what stays.
 */
static void prune(struct apply *apply, struct journal *journal)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < journal->count; i++) {
		struct change *change = &journal->changes[i];

		if (change_is_of_leg(change) ? !change->leg->removed : !change->room->removed)
			journal->changes[kept++] = *change;
		else
			stage_bury_replaced(apply->registry, change, apply->token_last + 1);
	}
	journal->count = kept;
}

/* Whether what is new has to wait for handles that are still in use on workers. */
static bool handles_short(const struct apply *apply, const struct journal *journal)
{
	uint32_t rooms, legs;

	stage_count(journal, &rooms, &legs);
	return rooms + apply->promised_rooms > apply->registry->room_handles.free_count ||
	       legs + apply->promised_legs > apply->registry->leg_handles.free_count;
}

static int plan_batch(struct apply *apply, struct batch *batch,
	const struct transaction *transaction, uint64_t now_ns, struct refusal *refusal)
{
	struct plan plan = {.registry = apply->registry,
		.bus = &apply->outbox.bus,
		.journal = &batch->journal,
		.refusal = refusal,
		.now_ns = now_ns,
		.batch = ++apply->batch_last,
		.ahead = apply->promised_legs + transaction->count,
		.room_speakers_max = apply->room_speakers_max};
	int error = transaction_run(transaction, &plan);

	batch->origins = plan.origins;
	batch->origin_count = plan.origin_count;
	if (error)
		return error;
	batch->resync = plan.resync;
	batch->journal.barrier |= handles_short(apply, &batch->journal);
	if (!reserve(apply, &batch->journal))
		return 0;
	change_undo(apply->registry, &batch->journal);
	return refuse(refusal, STN_STATUS_NO_SPACE, "out of memory");
}

int apply_commit(struct apply *apply, const struct transaction *transaction,
	const struct apply_request *request, struct refusal *refusal)
{
	struct batch *batch = calloc(1, sizeof(*batch));

	assert(!apply->waiting && !(transaction->resync && apply->staging_first));
	if (!batch)
		return refuse(refusal, STN_STATUS_NO_SPACE, "out of memory");
	if (plan_batch(apply, batch, transaction, request->now_ns, refusal)) {
		free_batch(batch);
		return -EINVAL;
	}
	batch->client = request->client;
	batch->sequence = request->sequence;
	batch->committed_ns = request->now_ns;
	batch->hold = apply->token_last;
	stage_removals(apply, &batch->journal);
	if (batch->journal.barrier) {
		prune(apply, &batch->journal);
		batch->token = send_fence(apply);
		apply->waiting = batch;
	} else if (stage_is_empty(&batch->journal)) {
		stage_slice(apply, batch, UINT32_MAX);
		finish_staging(apply, batch, send_fence(apply));
	} else {
		begin_staging(apply, batch, batch->hold);
		continue_staging(apply);
	}
	outbox_flush(&apply->outbox);
	return 0;
}

/* ---- answers ---- */

/* The barrier was answered: what was removed is gone, its handles and places are free. */
static void continue_waiting(struct apply *apply)
{
	struct batch *batch = apply->waiting;

	if (!batch || batch->token > apply->done)
		return;
	apply->waiting = NULL;
	begin_staging(apply, batch, batch->token);
}

/* Fences up to which nobody needs any more what was removed: what a journal names is needed. */
static uint64_t releasable(const struct apply *apply)
{
	uint64_t token = apply->done;
	const struct batch *batch;

	for (batch = apply->first; batch; batch = batch->next)
		if (batch->hold < token)
			token = batch->hold;
	/* They are in the order of their commits. */
	if (apply->staging_first && apply->staging_first->hold < token)
		token = apply->staging_first->hold;
	if (apply->waiting && apply->waiting->token < token)
		token = apply->waiting->token;
	return token;
}

static void report(struct apply *apply, uint64_t now_ns)
{
	uint64_t applied_ns = 0;
	struct batch *batch;

	for (unsigned int i = 0; i < apply->outbox.bus.worker_count; i++)
		if (apply->answered_ns[i] > applied_ns)
			applied_ns = apply->answered_ns[i];
	while ((batch = apply->first) && batch->token <= apply->done) {
		apply->first = batch->next;
		if (!apply->first)
			apply->last = NULL;
		/* Nobody has named them: what an earlier process left will not be asked for. */
		if (batch->resync && !batch->refused)
			index_store_sweep(apply->registry->store);
		stn_wait_add(&apply->delay, now_ns - batch->committed_ns);
		apply->events.result(apply->context, batch, applied_ns);
		free_batch(batch);
	}
}

static void answer(struct apply *apply, unsigned int worker, uint64_t token, uint64_t at_ns)
{
	uint64_t done = UINT64_MAX;

	apply->answered[worker] = token;
	apply->answered_ns[worker] = at_ns;
	for (unsigned int i = 0; i < apply->outbox.bus.worker_count; i++)
		if (apply->answered[i] < done)
			done = apply->answered[i];
	apply->done = done;
}

static void withdraw_room(struct apply *apply, struct room *room)
{
	while (room->leg_count) {
		struct leg *leg = room->legs[room->leg_count - 1];

		registry_detach_leg(apply->registry, leg);
		drop_leg(apply, leg);
	}
	registry_detach_room(apply->registry, room);
	drop_room(apply, room);
}

static void notify(struct apply *apply, enum stn_notice_type type, const struct room *room,
	const struct leg *leg, uint64_t now_ns)
{
	struct stn_notice notice = {
		.type = type, .at_ns = now_ns, .room_id = room->version->facts.room_id};

	if (leg) {
		notice.leg_id = leg->version->facts.leg_id;
		notice.member_id = leg->version->facts.member_id;
	}
	apply->events.notice(apply->context, &notice);
}

/* space: for the commands that take it back. */
static void withdraw(struct apply *apply, struct batch *batch, uint32_t status, bool space)
{
	batch->refused = status;
	for (uint32_t i = 0; space && i < batch->journal.count; i++) {
		const struct change *change = &batch->journal.changes[i];

		if (change->kind == CHANGE_ROOM_ADD && !change->room->removed) {
			withdraw_room(apply, change->room);
		} else if ((change->kind == CHANGE_LEG_ADD || change->kind == CHANGE_LEG_KEYS) &&
			   !change->leg->removed) {
			/* Which of its new keys have been used nobody knows. */
			if (change->kind == CHANGE_LEG_KEYS)
				notify(apply, STN_NOTICE_LEG_LOST, change->leg->room, change->leg,
					apply->answered_ns[0]);
			registry_detach_leg(apply->registry, change->leg);
			drop_leg(apply, change->leg);
		}
	}
}

/*
 * A worker has no space for what it was told, which our own limits are there to prevent. What was
 * added since its last answer is taken back, that transaction's and all later ones' (they may build
 * on it); what they removed or muted stays so.
 */
static void roll_back(struct apply *apply, unsigned int worker, uint32_t status)
{
	struct batch *batch = apply->first, *later;
	const struct batch *oldest;
	bool space;

	while (batch && batch->token <= apply->answered[worker])
		batch = batch->next;
	oldest = batch ? batch : apply->staging_first;
	if (!oldest || oldest->refused)
		return;
	log_error("worker_refused", "worker=%u status=%s", worker, stn_status_name(status));
	space = !outbox_reserve_all(
		&apply->outbox, (size_t)registry_leg_count(apply->registry) * LEG_COMMANDS_MAX +
					registry_room_count(apply->registry) + 1);
	if (!space)
		log_error("roll_back_failed", "error=\"out of memory\"");
	if (apply->waiting)
		withdraw(apply, apply->waiting, status, space);
	for (later = apply->staging_first; later; later = later->next)
		withdraw(apply, later, status, space);
	for (later = batch; later; later = later->next)
		withdraw(apply, later, status, space);
	if (!space)
		return;
	send_fence(apply);
	for (; batch; batch = batch->next)
		batch->token = apply->token_last;
}

void apply_reply(struct apply *apply, const struct reply *reply)
{
	if (reply->worker >= apply->outbox.bus.worker_count)
		return;
	if (reply->type == REPLY_FENCE)
		answer(apply, reply->worker, reply->value, reply->at_ns);
	else
		roll_back(apply, reply->worker, (uint32_t)reply->value);
}

/* ---- deadlines ---- */

static void expire_leg(struct apply *apply, struct leg *leg, uint64_t now_ns)
{
	if (leg->end_ns && leg->end_ns <= now_ns) {
		notify(apply, STN_NOTICE_LEG_EXPIRED, leg->room, leg, now_ns);
		registry_detach_leg(apply->registry, leg);
		drop_leg(apply, leg);
		return;
	}
	/* Behind a barrier it may have been put off already, without the heap knowing. */
	if (leg->muted && leg->mute_until_ns && leg->mute_until_ns <= now_ns) {
		leg->muted = false;
		leg->mute_until_ns = 0;
		if (leg->visible && leg->muted_posted)
			tell_mute(&apply->outbox, leg);
		notify(apply, STN_NOTICE_MUTE_ENDED, leg->room, leg, now_ns);
	}
	registry_schedule_leg(apply->registry, leg);
}

/* Returns false when legs are left for the next poll. */
static bool expire_room(
	struct apply *apply, struct room *room, unsigned int *budget, uint64_t now_ns)
{
	if (!room->end_ns || room->end_ns > now_ns) {
		registry_schedule_room(apply->registry, room);
		return true;
	}
	while (room->leg_count && *budget) {
		struct leg *leg = room->legs[room->leg_count - 1];

		registry_detach_leg(apply->registry, leg);
		drop_leg(apply, leg);
		--*budget;
	}
	if (room->leg_count) {
		registry_schedule_room(apply->registry, room);
		return false;
	}
	notify(apply, STN_NOTICE_ROOM_EXPIRED, room, NULL, now_ns);
	registry_detach_room(apply->registry, room);
	drop_room(apply, room);
	return true;
}

static uint64_t expire(struct apply *apply, uint64_t now_ns)
{
	unsigned int budget = EXPIRE_MAX;
	struct deadline *due;
	bool fence = false;

	if (deadline_next(&apply->registry->deadlines) > now_ns)
		return deadline_next(&apply->registry->deadlines);
	/* Deadlines are not lost for want of memory: they stay due. */
	if (outbox_reserve_all(&apply->outbox, EXPIRE_MAX * LEG_COMMANDS_MAX + 2))
		return now_ns + RETRY_NS;
	while (budget && (due = deadline_take(&apply->registry->deadlines, now_ns))) {
		budget--;
		fence = true;
		if (due->kind == DEADLINE_LEG)
			expire_leg(apply, owner_of(due, struct leg, deadline), now_ns);
		else if (!expire_room(apply, owner_of(due, struct room, deadline), &budget, now_ns))
			break;
	}
	if (fence)
		send_fence(apply);
	return deadline_next(&apply->registry->deadlines);
}

uint64_t apply_poll(struct apply *apply, uint64_t now_ns)
{
	uint64_t next_ns;

	continue_waiting(apply);
	report(apply, now_ns);
	registry_release(apply->registry, releasable(apply));
	continue_staging(apply);
	next_ns = expire(apply, now_ns);
	if (!outbox_flush(&apply->outbox) || apply->waiting)
		return now_ns;
	/* Replies bring it on; without any, it is memory that is short. */
	if (apply->staging_first && next_ns > now_ns + RETRY_NS)
		return now_ns + RETRY_NS;
	return next_ns;
}
