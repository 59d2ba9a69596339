/* SPDX-License-Identifier: BSD-3-Clause */
/* One turn of the loop, one transaction. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "configs/log.h"
#include "controlplane/conductor.h"
#include "controlplane/rooms/decide.h"
#include "controlplane/session.h"

#define BACKLOG_MAX 65536

static void fact_push(struct fact_list *list, struct fact *fact)
{
	fact->next = NULL;
	if (list->last == NULL)
		list->first = fact;
	else
		list->last->next = fact;
	list->last = fact;
	list->count++;
}

static struct fact *fact_pop(struct fact_list *list)
{
	struct fact *fact = list->first;

	if (fact == NULL)
		return NULL;
	list->first = fact->next;
	if (list->first == NULL)
		list->last = NULL;
	list->count--;
	return fact;
}

static void fact_free(struct fact *fact)
{
	plan_clear(&fact->plan);
	free(fact);
}

void turn_close(struct conductor *c)
{
	struct fact *fact;

	while ((fact = fact_pop(&c->facts)) != NULL || (fact = fact_pop(&c->backlog)) != NULL)
		fact_free(fact);
}

/* Keeps a plan until the disk takes it; the keys of who left are not needed for that. */
static void backlog_push(struct conductor *c, struct fact *fact)
{
	struct plan *plan = &fact->plan;

	if (c->backlog.count >= BACKLOG_MAX) {
		log_error("backlog_full", "entries=%zu", c->backlog.count);
		fact_free(fact);
		return;
	}
	for (size_t i = 0; i < plan->change_count; i++) {
		struct member *member = plan->changes[i].member;

		if (plan->changes[i].type == CHANGE_MEMBER_REMOVE) {
			explicit_bzero(&member->put.tx, sizeof(member->put.tx));
			explicit_bzero(&member->put.rx, sizeof(member->put.rx));
		} else if (plan->changes[i].type == CHANGE_MEMBER_SET) {
			struct stn_op_leg_put *put = &plan->changes[i].state.before->put;

			explicit_bzero(&put->tx, sizeof(put->tx));
			explicit_bzero(&put->rx, sizeof(put->rx));
		}
	}
	fact_push(&c->backlog, fact);
}

/* The changes wait for the disk; the operations and whom they bring in stay with the request. */
static void backlog_split(struct conductor *c, struct request *request)
{
	struct plan *plan = &request->plan;
	struct fact *fact = request->late;

	request->late = NULL;
	fact->plan.now = plan->now;
	fact->plan.changes = plan->changes;
	fact->plan.change_count = plan->change_count;
	fact->plan.change_capacity = plan->change_capacity;
	plan->changes = NULL;
	plan->change_count = plan->change_capacity = 0;
	backlog_push(c, fact);
}

static void give_up(struct conductor *c)
{
	store_rollback(c->store);
	c->transaction = false;
	c->store_failed = true;
}

int turn_open(struct conductor *c)
{
	int rc = 0;

	if (c->transaction)
		return 0;
	rc = store_begin(c->store);
	c->transaction = rc == 0;
	for (struct fact *f = c->backlog.first; rc == 0 && f != NULL; f = f->next)
		rc = store_write(c->store, &f->plan);
	if (rc != 0)
		give_up(c);
	return rc;
}

/* DTLS of legs that are no more: the peer is told while the data plane still has them. */
static void forget_legs(struct conductor *c, struct plan *plan)
{
	for (size_t i = 0; i < plan->change_count; i++) {
		struct change *change = &plan->changes[i];
		uint64_t leg_id = 0;

		if (change->type == CHANGE_MEMBER_SET &&
			change->state.before->put.leg_id != change->state.leg_id)
			leg_id = change->state.before->put.leg_id;
		else if (change->type == CHANGE_MEMBER_REMOVE && member_webrtc(change->member))
			leg_id = change->member->put.leg_id;
		if (leg_id == 0 || change->forgotten)
			continue;
		change->forgotten = true;
		session_gone(c, leg_id);
		if (change->type == CHANGE_MEMBER_SET && change->state.before->connected)
			notice_connection(c, change->member, false);
	}
}

static void announce(struct conductor *c, struct plan *plan)
{
	forget_legs(c, plan);
	for (size_t i = 0; i < plan->change_count; i++) {
		const struct change *change = &plan->changes[i];
		uint64_t room_id = change->room == NULL ? 0 : change->room->put.room_id;

		if (change->type == CHANGE_EVENT)
			feed_push(c->feed, change->event.sequence, room_id, change->event.text,
				change->event.size);
		else if (change->type == CHANGE_LIVE)
			feed_live(c->feed, room_id, change->event.text, change->event.size);
	}
}

static void decide(struct conductor *c, struct request *request,
	void (*decider)(struct registry *registry, const struct event *event, struct plan *plan))
{
	struct event *event = &request->parsed.event;
	struct plan *plan = &request->plan;
	struct moment now = conductor_now();

	plan_init(plan, &now);
	request->refused = false;
	decider(c->registry, event, plan);
	if (plan->verdict.code == VERDICT_OK && plan->answer.failed)
		verdict_refuse(&plan->verdict, VERDICT_UNAVAILABLE, "out of memory");
	if (plan->verdict.code == VERDICT_OK)
		return;
	plan_revert(plan, c->registry);
	request->refused = true;
	conductor_write_refusal(request, &plan->verdict);
}

/* A refusal by the rules is an answer that a repeated id gets again; bad input is not. */
static bool kept(const struct request *request)
{
	enum verdict_code code = request->plan.verdict.code;

	return code != VERDICT_INVALID && code != VERDICT_UNAVAILABLE &&
	       code != VERDICT_RATE_LIMITED;
}

/* Announced and on its way to the data plane; the plan goes to the backlog if it is not durable. */
static void settle(struct conductor *c, struct request *request)
{
	if (request->refused && request->submitted) {
		/* The data plane has it by now; submitted() answers, and the resync takes it back.
		 */
		link_resync(c->link);
		return;
	}
	if (request->refused) {
		conductor_answer(c, request, false);
		return;
	}
	if (!(request->parsed.event.type->flags & EVENT_CHANGES)) {
		query_start(c, request);
		return;
	}
	announce(c, &request->plan);
	if (!request->durable)
		backlog_split(c, request);
	submit_request(c, request);
}

static void refuse_for_store(struct conductor *c, struct request *request, int rc)
{
	struct verdict verdict;

	verdict_refuse(&verdict, VERDICT_UNAVAILABLE, "%s: nothing was changed",
		rc == -ENOSPC   ? "the disk is full"
		: rc == -ENOMEM ? "out of memory"
				: "the database fails");
	conductor_write_refusal(request, &verdict);
	request->refused = true;
	settle(c, request);
}

/* A place for its changes in the backlog, should it be needed. */
static bool keep_late(struct request *request)
{
	if (request->late == NULL)
		request->late = calloc(1, sizeof(*request->late));
	return request->late != NULL;
}

/* Decided again without the disk: only what makes a room safer, and what changes nothing. */
static void settle_without_store(struct conductor *c, struct request *request, int rc)
{
	unsigned int flags = request->parsed.event.type->flags;
	bool counted = request->plan.now.mono_ns != 0; /* was decided before */

	if (request->refused && request->plan.verdict.code == VERDICT_RATE_LIMITED) {
		settle(c, request);
		return;
	}
	plan_clear(&request->plan);
	if (flags & EVENT_SAFETY)
		keep_late(request);
	/* What the database could never be told later must not happen either. */
	if ((flags & EVENT_CHANGES) && request->late == NULL) {
		refuse_for_store(c, request, flags & EVENT_SAFETY ? -ENOMEM : rc);
		return;
	}
	decide(c, request, counted ? event_decide_again : event_decide);
	if (!request->refused && (flags & EVENT_CHANGES)) {
		request->durable = false;
		conductor_write_answer(request);
	}
	settle(c, request);
}

/* In place: if this could fail for want of memory, registry and database would part. */
static struct request *reverse(struct request *request)
{
	struct request *reversed = NULL;

	while (request != NULL) {
		struct request *next = request->next;

		request->next = reversed;
		reversed = request;
		request = next;
	}
	return reversed;
}

static void fail(struct conductor *c, int rc)
{
	struct request *newest = reverse(c->turn.first), *request, *next;

	give_up(c);
	c->turn = (struct request_list){0};
	for (request = newest; request != NULL; request = request->next)
		plan_revert(&request->plan, c->registry);
	for (request = reverse(newest); request != NULL; request = next) {
		next = request->next;
		request->next = NULL;
		settle_without_store(c, request, rc);
	}
}

static int write(struct conductor *c, struct request *request)
{
	int rc = 0;

	if (request->answer.failed)
		return -ENOMEM;
	if (!request->refused)
		rc = store_write(c->store, &request->plan);
	if (rc == 0 && request->key[0] != '\0')
		rc = store_answer_put(
			c->store, request->key, request->answer.text, request->answer.size);
	return rc;
}

void turn_take(struct conductor *c, struct request *request)
{
	bool changes = request->parsed.event.type->flags & EVENT_CHANGES;
	int rc = 0;

	if (c->facts.first != NULL)
		turn_commit(c);
	if (changes)
		rc = turn_open(c);
	if (rc == 0) {
		decide(c, request, event_decide);
		request->durable = changes;
		if (changes && !request->refused)
			conductor_write_answer(request);
		if (changes && (!request->refused || kept(request)))
			rc = write(c, request);
	}
	conductor_push(&c->turn, request);
	if (rc != 0)
		fail(c, rc);
}

bool turn_fact(struct conductor *c, struct plan *plan)
{
	struct fact *fact;

	if (plan_is_live(plan)) {
		announce(c, plan);
		plan_clear(plan);
		return true;
	}
	assert(c->turn.first == NULL);
	fact = malloc(sizeof(*fact));
	if (fact == NULL) {
		plan_revert(plan, c->registry);
		plan_clear(plan);
		return false;
	}
	fact->plan = *plan;
	*plan = (struct plan){0};
	/* After a failure in this turn the others wait in the backlog too, in their order. */
	if ((c->facts.first == NULL || c->transaction) && turn_open(c) == 0 &&
		store_write(c->store, &fact->plan) != 0)
		give_up(c);
	fact_push(&c->facts, fact);
	return true;
}

static void settle_facts(struct conductor *c, bool durable)
{
	struct fact *fact;

	while ((fact = fact_pop(&c->facts)) != NULL) {
		announce(c, &fact->plan);
		if (durable)
			fact_free(fact);
		else
			backlog_push(c, fact);
	}
}

/*
 * A mute or a removal is in force even when the disk fails, so the data plane need not wait for the
 * disk (3 ms and more a commit) to apply it; the answer waits for both. Only at the head of the
 * turn: what came before may be the join of whom it is about.
 */
static void silence_ahead(struct conductor *c)
{
	struct request *request;

	for (request = c->turn.first; request != NULL; request = request->next) {
		unsigned int flags = request->parsed.event.type->flags;

		if (request->refused || !(flags & EVENT_CHANGES))
			continue;
		if (!(flags & EVENT_SAFETY) || !keep_late(request))
			return;
		forget_legs(c, &request->plan);
		submit_ahead(c, request);
	}
}

void turn_commit(struct conductor *c)
{
	struct request_list turn;
	struct request *request;
	struct fact *fact;
	bool durable = false;
	int rc = 0;

	if (c->transaction) {
		c->transaction = false;
		silence_ahead(c);
		rc = store_commit(c->store, c->registry->next_id);
		durable = rc == 0;
		c->store_failed = rc != 0;
		while (durable && (fact = fact_pop(&c->backlog)) != NULL)
			fact_free(fact);
	}
	settle_facts(c, durable);
	if (rc != 0) {
		fail(c, rc);
		return;
	}
	turn = c->turn;
	c->turn = (struct request_list){0};
	while ((request = conductor_pop(&turn)) != NULL)
		settle(c, request);
}
