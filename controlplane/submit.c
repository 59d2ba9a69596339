/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests on their way to the data plane, and what becomes of those it refuses. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "configs/log.h"
#include "controlplane/conductor.h"
#include "controlplane/rooms/role.h"

static void add_op(struct link_ops *ops, const unsigned char *bytes)
{
	const struct stn_op *op = (const struct stn_op *)bytes;
	const struct stn_op_leg_mute *mute = (const struct stn_op_leg_mute *)bytes;

	switch (op->type) {
	case STN_OP_ROOM_PUT:
		link_ops_room_put(ops, (const struct stn_op_room_put *)bytes);
		break;
	case STN_OP_ROOM_REMOVE:
		link_ops_room_remove(ops, ((const struct stn_op_room_remove *)bytes)->room_id);
		break;
	case STN_OP_LEG_PUT:
		link_ops_leg_put(ops, (const struct stn_op_leg_put *)bytes);
		break;
	case STN_OP_LEG_ICE:
		link_ops_leg_ice(ops, (const struct stn_op_leg_ice *)bytes);
		break;
	case STN_OP_LEG_REMOVE:
		link_ops_leg_remove(ops, ((const struct stn_op_leg_remove *)bytes)->leg_id);
		break;
	case STN_OP_LEG_MUTE:
		link_ops_leg_mute(ops, mute->leg_id, mute->muted != 0, mute->until_ns);
		break;
	default:
		break;
	}
}

static void add_plan(struct link_ops *ops, const struct plan *plan)
{
	size_t at = 0;

	while (at < plan->ops_size) {
		add_op(ops, plan->ops + at);
		at += ((const struct stn_op *)(plan->ops + at))->size;
	}
}

static void set_tried(struct conductor *c, const struct plan *plan, bool tried)
{
	for (size_t i = 0; i < plan->joined_count; i++) {
		struct member *member = registry_member_by_id(c->registry, plan->joined[i]);

		if (member != NULL)
			member->tried = tried;
	}
}

void submit_programmed(struct conductor *c, struct member *member, const struct link_result *result)
{
	struct stn_op_leg_put *put = &member->put;

	member->programmed = put->leg_id != 0;
	if (!member_keyed(member))
		return; /* nothing was protected yet, so nothing is to be remembered */
	put->key_store_id = c->hello.index_store_id;
	if (put->flags & STN_LEG_ORIGIN_KNOWN)
		return;
	for (uint32_t i = 0; i < result->origin_count; i++) {
		if (result->origins[i].room_id == put->room_id) {
			memcpy(put->origin, result->origins[i].origin, sizeof(put->origin));
			put->flags |= STN_LEG_ORIGIN_KNOWN;
			return;
		}
	}
}

static void mark_profiles(struct room *room, const struct stn_op_room_put *put)
{
	if (put->profile_count > room->profiles_known)
		room->profiles_known = put->profile_count;
}

static void mark_rooms(struct conductor *c, const struct plan *plan)
{
	for (size_t at = 0; at < plan->ops_size;) {
		const struct stn_op *op = (const struct stn_op *)(plan->ops + at);
		struct room *room =
			op->type != STN_OP_ROOM_PUT
				? NULL
				: registry_room_by_id(c->registry,
					  ((const struct stn_op_room_put *)op)->room_id);

		if (room != NULL) {
			room->put.group_key_store_id = c->hello.index_store_id;
			mark_profiles(room, (const struct stn_op_room_put *)op);
		}
		at += op->size;
	}
}

/* A join, or another leg, that the data plane does not have and will not get under these keys. */
static void refuse_join(
	struct conductor *c, struct request *request, enum verdict_code code, const char *reason)
{
	verdict_refuse(&request->plan.verdict, code, "%s", reason);
	request->refused = true;
	conductor_write_refusal(request, &request->plan.verdict);
	conductor_push(&c->refused, request);
}

static enum verdict_code code_of(uint32_t status)
{
	switch (status) {
	case STN_STATUS_CONFLICT:
		return VERDICT_CONFLICT;
	case STN_STATUS_NO_SPACE:
		return VERDICT_CAPACITY;
	case STN_STATUS_NO_ROUTE:
	case STN_STATUS_BAD_OP:
		return VERDICT_INVALID;
	default:
		return VERDICT_UNAVAILABLE;
	}
}

/* Without a data plane: joins are kept for the resync, everything else waits for it a while. */
static void postpone(struct conductor *c, struct request *request, uint32_t round)
{
	if (request->plan.joined_count > 0 || !(request->parsed.event.type->flags & EVENT_SAFETY)) {
		conductor_answer(c, request, false);
		return;
	}
	conductor_wait(c, request, round);
}

/* The data plane sees it differently: everything is said again, which settles it. */
static void resync(struct conductor *c, struct request *request)
{
	int rc = link_resync(c->link);

	if (rc != 0 && rc != -ENOTCONN)
		log_error("resync_refused", "errno=%d", -rc);
	conductor_wait(c, request, c->round + 1);
}

static void refused_by_table(
	struct conductor *c, struct request *request, const struct link_result *result)
{
	bool gone = result->status == STN_STATUS_NO_LEG || result->status == STN_STATUS_NO_ROOM;
	char reason[sizeof(request->plan.verdict.message)];

	log_warn("transaction_refused", "type=%s status=%s op=%u reason=\"%s\"",
		request->parsed.event.type->name, stn_status_name(result->status),
		result->failed_op, result->reason);
	if (request->plan.session != 0) {
		snprintf(reason, sizeof(reason), "the data plane refused: %.180s", result->reason);
		verdict_refuse(&request->verdict, code_of(result->status), "%s", reason);
		conductor_refuse(c, request, &request->verdict);
	} else if (request->plan.joined_count > 0) {
		snprintf(reason, sizeof(reason), "the data plane refused: %.180s", result->reason);
		refuse_join(c, request, code_of(result->status), reason);
	} else if (gone && request->plan.op_count == 1) {
		conductor_answer(c, request, true); /* it was to be removed, and is not there */
	} else {
		resync(c, request);
	}
}

/* By their legs: who joined may have got another leg since, of which this says nothing. */
static void mark_joined(
	struct conductor *c, const struct plan *plan, const struct link_result *result)
{
	for (size_t at = 0; plan->joined_count > 0 && at < plan->ops_size;) {
		const struct stn_op *op = (const struct stn_op *)(plan->ops + at);
		const struct stn_op_leg_put *put = (const struct stn_op_leg_put *)op;
		struct member *member = op->type == STN_OP_LEG_PUT
						? registry_member_by_leg(c->registry, put->leg_id)
						: NULL;

		if (member != NULL)
			submit_programmed(c, member, result);
		at += op->size;
	}
}

/* The session's leg is there, without keys as yet. */
static void mark_session(struct conductor *c, const struct plan *plan)
{
	struct member *member = registry_member_by_leg(c->registry, plan->session);

	if (member != NULL)
		member->programmed = true;
}

static void submitted(void *context, const struct link_result *result)
{
	struct request *request = context;
	struct conductor *c = request->conductor;

	switch (result->outcome) {
	case LINK_APPLIED:
		mark_joined(c, &request->plan, result);
		mark_session(c, &request->plan);
		mark_rooms(c, &request->plan);
		conductor_answer(c, request, true);
		break;
	case LINK_REFUSED:
		refused_by_table(c, request, result);
		break;
	case LINK_UNKNOWN:
		/* Keys that may have been used from an origin nobody knows are never used again. */
		if (request->plan.joined_count > 0)
			refuse_join(c, request, VERDICT_UNAVAILABLE,
				request->plan.promotes
					? "the data plane was lost meanwhile: try again"
					: "the data plane was lost meanwhile: join again with "
					  "fresh keys");
		else
			postpone(c, request, c->round + 1);
		break;
	default:
		set_tried(c, &request->plan, false);
		postpone(c, request, c->round + 1);
		break;
	}
}

void submit_request(struct conductor *c, struct request *request)
{
	struct link_ops ops = {0};
	int rc;

	if (request->submitted)
		return; /* submitted() answers */
	if (request->plan.op_count == 0) {
		conductor_answer(c, request, link_state(c->link) == LINK_UP);
		return;
	}
	add_plan(&ops, &request->plan);
	rc = link_submit(c->link, &ops, submitted, request);
	link_ops_clear(&ops);
	if (rc == 0)
		set_tried(c, &request->plan, true);
	else if (rc == -ENOTCONN || request->plan.session != 0)
		postpone(c, request, c->round + 1);
	else if (request->plan.joined_count > 0)
		refuse_join(c, request, VERDICT_UNAVAILABLE,
			"too much waits for the data plane: try again");
	else
		resync(c, request);
}

void submit_ahead(struct conductor *c, struct request *request)
{
	struct link_ops ops = {0};

	if (request->plan.op_count == 0 || link_state(c->link) != LINK_UP)
		return;
	add_plan(&ops, &request->plan);
	request->submitted = link_submit(c->link, &ops, submitted, request) == 0;
	link_ops_clear(&ops);
	if (request->submitted)
		set_tried(c, &request->plan, true);
}

/* Keeps the answer that a repeated id gets in step with what became of the join. */
static void replace_answer(struct conductor *c, struct request *request)
{
	int rc;

	if (request->key[0] == '\0')
		return;
	rc = turn_open(c);
	if (rc == 0 && request->plan.verdict.code == VERDICT_UNAVAILABLE)
		rc = store_answer_remove(c->store, request->key);
	else if (rc == 0)
		rc = store_answer_put(
			c->store, request->key, request->answer.text, request->answer.size);
	if (rc != 0)
		log_error("answer_not_replaced", "id=%s errno=%d", request->id, -rc);
}

/* Whether they all have their legs back. Who has left meanwhile has not: the data plane was told of
 * a leg that it never had. */
static bool all_restored(const struct conductor *c, const struct plan *refused)
{
	for (size_t i = 0; i < refused->change_count; i++) {
		const struct change *change = &refused->changes[i];
		const struct member *member;

		if (change->type != CHANGE_MEMBER_SET)
			continue;
		member = registry_member_by_id(c->registry, change->state.before->put.member_id);
		if (member == NULL || member->put.leg_id != change->state.before->put.leg_id)
			return false;
	}
	return true;
}

static void take_back(struct conductor *c, struct request *request)
{
	struct moment now = conductor_now();
	struct plan plan;

	plan_init(&plan, &now);
	if (role_take_back(&plan, c->registry, &request->plan)) {
		if (plan.change_count > 0)
			turn_fact(c, &plan);
	} else {
		plan_revert(&plan, c->registry);
	}
	plan_clear(&plan);
	if (!all_restored(c, &request->plan) || request->plan.verdict.code == VERDICT_UNAVAILABLE)
		link_resync(c->link);
}

static void end_joined(struct conductor *c, struct request *request)
{
	for (size_t i = 0; i < request->plan.joined_count; i++) {
		struct member *member = registry_member_by_id(c->registry, request->plan.joined[i]);

		if (member != NULL && !member->programmed)
			ending_member(c, member, "refused");
	}
}

void submit_settle_refused(struct conductor *c)
{
	struct request_list refused = c->refused;
	struct request *request;

	if (refused.first == NULL)
		return;
	c->refused = (struct request_list){0};
	for (request = refused.first; request != NULL; request = request->next) {
		if (request->plan.promotes)
			take_back(c, request);
		else
			end_joined(c, request);
		replace_answer(c, request);
	}
	turn_commit(c);
	while ((request = conductor_pop(&refused)) != NULL)
		conductor_answer(c, request, false);
}
