/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/ctl/apply.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "configs/log.h"
#include "dataplane/ctl/place.h"

#define owner_of(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

/* Legs that one poll expires at most: well under a millisecond, then others have a turn. */
#define EXPIRE_MAX 256
/* To one worker, when a leg goes: its path, then itself. */
#define LEG_COMMANDS_MAX 2
#define RETRY_NS UINT64_C(1000000)

void apply_open(struct apply *apply, struct registry *registry, const struct worker_bus *bus,
	const struct apply_events *events, void *context)
{
	*apply = (struct apply){.registry = registry, .events = *events, .context = context};
	outbox_open(&apply->outbox, bus);
}

/* What a change has put something else in place of is behind the next fence. */
static void bury_replaced(struct apply *apply, const struct change *change)
{
	uint64_t token = apply->token_last + 1;

	if (change->kind == CHANGE_ROOM_UPDATE && change->replaced)
		registry_bury_version(apply->registry, change->version, token);
	else if (change->kind == CHANGE_LEG_KEYS)
		registry_bury_leg_version(apply->registry, change->leg_version, token);
	else if (change->kind == CHANGE_LEG_ICE && change->ice)
		registry_bury_ice(apply->registry, change->ice, token);
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
	if (apply->waiting)
		for (uint32_t i = 0; i < apply->waiting->journal.count; i++)
			bury_replaced(apply, &apply->waiting->journal.changes[i]);
	free_batch(apply->waiting);
	apply->waiting = NULL;
	apply->last = NULL;
	outbox_close(&apply->outbox);
}

/* ---- commands ---- */

static void send_leg(struct apply *apply, enum command_type type, const struct leg *leg)
{
	struct command command = {.type = type, .handle = leg->version->facts.leg};

	if (type == COMMAND_LEG_ADD || type == COMMAND_LEG_UPDATE)
		command.leg = &leg->version->facts;
	if (leg->version->facts.role == STN_ROLE_SPEAKER)
		outbox_send_all(&apply->outbox, &command);
	else
		outbox_send(&apply->outbox, leg->version->facts.worker, &command);
}

/* Once, however often a transaction has set them. */
static void send_ice(struct apply *apply, struct leg *leg)
{
	struct command command = {.type = COMMAND_LEG_ICE, .handle = leg->version->facts.leg};

	if (!leg->ice_due || !leg->visible || leg->removed)
		return;
	leg->ice_due = false;
	command.ice = leg->ice->facts;
	outbox_send(&apply->outbox, leg->version->facts.worker, &command);
}

static void send_mute(struct apply *apply, struct leg *leg)
{
	struct command command = {
		.type = COMMAND_LEG_MUTE, .handle = leg->version->facts.leg, .value = leg->muted};

	leg->muted_posted = leg->muted;
	/* A listener has no source that could be muted; its facts say so should it become one. */
	if (leg->version->facts.role == STN_ROLE_SPEAKER)
		outbox_send_all(&apply->outbox, &command);
}

static void send_room(struct apply *apply, enum command_type type, const struct room *room)
{
	struct command command = {.type = type, .handle = room->version->facts.room};

	if (type != COMMAND_ROOM_REMOVE)
		command.room = &room->version->facts;
	outbox_send_all(&apply->outbox, &command);
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
	place_withdraw(&apply->outbox, leg, &leg->remote);
	if (leg->visible)
		send_leg(apply, COMMAND_LEG_REMOVE, leg);
	registry_bury_leg(apply->registry, leg, apply->token_last + 1);
}

static void drop_room(struct apply *apply, struct room *room)
{
	if (room->visible)
		send_room(apply, COMMAND_ROOM_REMOVE, room);
	registry_bury_room(apply->registry, room, apply->token_last + 1);
}

/* ---- a transaction, stage by stage ---- */

/* What one change may send: to one worker, or to every one. */
static void count_change(
	const struct apply *apply, const struct change *change, size_t count[], size_t *everybody)
{
	const struct worker_bus *bus = &apply->outbox.bus;
	const struct leg *leg = change->leg;
	bool whole = change->kind == CHANGE_LEG_ADD || change->kind == CHANGE_LEG_REMOVE;

	if (!change_is_of_leg(change) || change->kind == CHANGE_LEG_UPDATE) {
		++*everybody;
		return;
	}
	/* The owner: credentials behind an addition, or what is sent to it alone. */
	count[leg->version->facts.worker]++;
	if (whole)
		place_count(bus, leg, &leg->remote, count, everybody);
	else if (change->kind == CHANGE_LEG_PATH)
		place_count(bus, leg, &change->remote, count, everybody);
	if (!whole && change->kind != CHANGE_LEG_KEYS)
		return;
	if (leg->version->facts.role == STN_ROLE_SPEAKER)
		++*everybody;
	else
		count[leg->version->facts.worker]++;
}

static int reserve(struct apply *apply, const struct journal *journal)
{
	size_t count[STN_WORKERS_MAX] = {0};
	size_t everybody = 2; /* barrier and fence */

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
			send_mute(apply, leg);
	}
	for (uint32_t i = 0; i < journal->count; i++)
		if (journal->changes[i].kind == CHANGE_ROOM_REMOVE)
			drop_room(apply, journal->changes[i].room);
}

static void stage_room(struct apply *apply, const struct change *change)
{
	struct room *room = change->room;

	bury_replaced(apply, change);
	if (room->removed)
		return;
	if (!room->visible) {
		registry_show_room(apply->registry, room);
		send_room(apply, COMMAND_ROOM_ADD, room);
	} else if (change->replaced) {
		send_room(apply, COMMAND_ROOM_UPDATE, room);
	}
	registry_schedule_room(apply->registry, room);
}

/* From a listener's place on, now that no worker sends to it as a listener any more. */
static void take_place(struct leg *leg)
{
	for (unsigned int i = 0; i < leg->room->version->facts.slot_count; i++) {
		uint64_t reached = plan_relative_index(leg, i);

		if (leg->version->facts.own_index[i] &&
			index_cell_load(leg->version->facts.own_index[i]) < reached)
			index_cell_store(leg->version->facts.own_index[i], reached);
	}
}

static void stage_leg(struct apply *apply, struct leg *leg)
{
	if (leg->removed)
		return;
	if (leg->switching && leg->version->facts.role == STN_ROLE_SPEAKER)
		take_place(leg);
	leg->switching = false;
	registry_show_leg(apply->registry, leg);
	send_leg(apply, COMMAND_LEG_ADD, leg);
	send_ice(apply, leg);
	place_announce(&apply->outbox, leg);
	registry_schedule_leg(apply->registry, leg);
}

/* New keys and credentials of a leg that is there. */
static void stage_replacement(struct apply *apply, const struct change *change)
{
	struct leg *leg = change->leg;

	bury_replaced(apply, change);
	if (change->kind == CHANGE_LEG_ICE) {
		send_ice(apply, leg);
	} else if (leg->visible && !leg->removed) {
		leg->version->facts.muted = leg->muted_posted;
		send_leg(apply, COMMAND_LEG_UPDATE, leg);
	}
}

static void stage_additions(struct apply *apply, const struct journal *journal)
{
	for (uint32_t i = 0; i < journal->count; i++)
		if (journal->changes[i].kind == CHANGE_ROOM_ADD ||
			journal->changes[i].kind == CHANGE_ROOM_UPDATE)
			stage_room(apply, &journal->changes[i]);
	for (uint32_t i = 0; i < journal->count; i++)
		if (journal->changes[i].kind == CHANGE_LEG_KEYS ||
			journal->changes[i].kind == CHANGE_LEG_ICE)
			stage_replacement(apply, &journal->changes[i]);
	for (uint32_t i = 0; i < journal->count; i++)
		if (journal->changes[i].kind == CHANGE_LEG_ADD)
			stage_leg(apply, journal->changes[i].leg);
	for (uint32_t i = 0; i < journal->count; i++) {
		struct leg *leg = journal->changes[i].leg;

		if (journal->changes[i].kind != CHANGE_LEG_UPDATE || leg->removed || !leg->visible)
			continue;
		if (!leg->muted && leg->muted_posted)
			send_mute(apply, leg);
		registry_schedule_leg(apply->registry, leg);
	}
}

static void finish_staging(struct apply *apply, struct batch *batch)
{
	stage_additions(apply, &batch->journal);
	batch->token = send_fence(apply);
	batch->next = NULL;
	if (apply->last)
		apply->last->next = batch;
	else
		apply->first = batch;
	apply->last = batch;
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
			bury_replaced(apply, change);
	}
	journal->count = kept;
}

/* Whether what is new has to wait for handles that are still in use on workers. */
static bool handles_short(const struct apply *apply, const struct journal *journal)
{
	uint32_t rooms = 0, legs = 0;

	for (uint32_t i = 0; i < journal->count; i++) {
		rooms += journal->changes[i].kind == CHANGE_ROOM_ADD;
		legs += journal->changes[i].kind == CHANGE_LEG_ADD;
	}
	return rooms > apply->registry->room_handles.free_count ||
	       legs > apply->registry->leg_handles.free_count;
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

	assert(!apply->waiting);
	if (!batch)
		return refuse(refusal, STN_STATUS_NO_SPACE, "out of memory");
	if (plan_batch(apply, batch, transaction, request->now_ns, refusal)) {
		free_batch(batch);
		return -EINVAL;
	}
	batch->client = request->client;
	batch->sequence = request->sequence;
	stage_removals(apply, &batch->journal);
	if (batch->journal.barrier) {
		prune(apply, &batch->journal);
		batch->token = send_fence(apply);
		apply->waiting = batch;
	} else {
		finish_staging(apply, batch);
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
	registry_release(apply->registry, batch->token);
	if (reserve(apply, &batch->journal))
		return; /* no memory just now: tried again by the next poll */
	apply->waiting = NULL;
	finish_staging(apply, batch);
}

static void report(struct apply *apply)
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

static void withdraw(struct apply *apply, struct batch *batch, uint32_t status)
{
	batch->refused = status;
	for (uint32_t i = 0; i < batch->journal.count; i++) {
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
	struct batch *batch = apply->first;

	while (batch && batch->token <= apply->answered[worker])
		batch = batch->next;
	if (!batch || batch->refused)
		return;
	log_error("worker_refused", "worker=%u status=%s", worker, stn_status_name(status));
	if (outbox_reserve_all(
		    &apply->outbox, (size_t)registry_leg_count(apply->registry) * LEG_COMMANDS_MAX +
					    registry_room_count(apply->registry) + 1)) {
		for (; batch; batch = batch->next)
			batch->refused = status;
		log_error("roll_back_failed", "error=\"out of memory\"");
		return;
	}
	if (apply->waiting)
		withdraw(apply, apply->waiting, status);
	for (struct batch *later = batch; later; later = later->next)
		withdraw(apply, later, status);
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
			send_mute(apply, leg);
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
	report(apply);
	/* What a waiting journal still names is not freed under it. */
	registry_release(apply->registry, apply->waiting && apply->waiting->token < apply->done
						  ? apply->waiting->token
						  : apply->done);
	next_ns = expire(apply, now_ns);
	if (!outbox_flush(&apply->outbox) || apply->waiting)
		return now_ns;
	return next_ns;
}
