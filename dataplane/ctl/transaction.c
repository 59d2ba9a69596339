/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/ctl/transaction.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/ctl/plan_leg.h"
#include "dataplane/ctl/plan_room.h"

struct transaction_chunk {
	struct transaction_chunk *next;
	size_t size;
	uint8_t bytes[] __attribute__((aligned(8)));
};

void transaction_begin(struct transaction *transaction, bool resync, size_t size_max)
{
	*transaction = (struct transaction){.open = true, .resync = resync, .size_max = size_max};
}

static void forget(struct transaction *transaction)
{
	struct transaction_chunk *chunk;

	while ((chunk = transaction->first)) {
		transaction->first = chunk->next;
		explicit_bzero(chunk->bytes, chunk->size);
		free(chunk);
	}
	transaction->last = NULL;
	transaction->size = 0;
}

static struct transaction_chunk *keep(
	struct transaction *transaction, const uint8_t *bytes, size_t size)
{
	struct transaction_chunk *chunk;

	if (size > transaction->size_max - transaction->size) {
		refuse(&transaction->refusal, STN_STATUS_NO_SPACE, "more than %zu bytes",
			transaction->size_max);
		return NULL;
	}
	chunk = malloc(sizeof(*chunk) + size);
	if (!chunk) {
		refuse(&transaction->refusal, STN_STATUS_NO_SPACE, "out of memory");
		return NULL;
	}
	chunk->next = NULL;
	chunk->size = size;
	memcpy(chunk->bytes, bytes, size);
	if (transaction->last)
		transaction->last->next = chunk;
	else
		transaction->first = chunk;
	transaction->last = chunk;
	transaction->size += size;
	return chunk;
}

void transaction_add(struct transaction *transaction, const uint8_t *bytes, size_t size)
{
	const struct transaction_chunk *chunk;

	if (transaction->refusal.status)
		return;
	chunk = keep(transaction, bytes, size);
	for (size_t at = 0; chunk && at < size; transaction->count++) {
		const struct stn_op *op =
			operation_read(chunk->bytes + at, size - at, &transaction->refusal);

		if (!op || operation_check(op, &transaction->refusal))
			break;
		at += op->size;
	}
	if (!transaction->refusal.status)
		return;
	transaction->refusal.failed_op = transaction->count;
	forget(transaction);
}

static int run_one(struct plan *plan, const struct stn_op *op)
{
	switch (op->type) {
	case STN_OP_ROOM_PUT:
		return plan_put_room(plan, (const struct stn_op_room_put *)op);
	case STN_OP_ROOM_REMOVE:
		return plan_remove_room(plan, ((const struct stn_op_room_remove *)op)->room_id);
	case STN_OP_LEG_PUT:
		return plan_put_leg(plan, (const struct stn_op_leg_put *)op);
	case STN_OP_LEG_REMOVE:
		return plan_remove_leg(plan, ((const struct stn_op_leg_remove *)op)->leg_id);
	case STN_OP_LEG_ICE:
		return plan_set_ice(plan, (const struct stn_op_leg_ice *)op);
	default:
		return plan_mute_leg(plan, (const struct stn_op_leg_mute *)op);
	}
}

static int run(const struct transaction *transaction, struct plan *plan)
{
	uint32_t position = 0;

	for (const struct transaction_chunk *chunk = transaction->first; chunk;
		chunk = chunk->next) {
		const struct stn_op *op;

		for (size_t at = 0; at < chunk->size; at += op->size) {
			op = (const struct stn_op *)(chunk->bytes + at);
			plan->journal->op = position++;
			if (!run_one(plan, op))
				continue;
			plan->refusal->failed_op = plan->journal->op;
			return -EINVAL;
		}
	}
	return plan_finish(plan);
}

int transaction_run(const struct transaction *transaction, struct plan *plan)
{
	if (transaction->refusal.status) {
		*plan->refusal = transaction->refusal;
		return -EINVAL;
	}
	plan->resync = transaction->resync;
	if (!run(transaction, plan))
		return 0;
	change_undo(plan->registry, plan->journal);
	return -EINVAL;
}

void transaction_close(struct transaction *transaction)
{
	forget(transaction);
	*transaction = (struct transaction){0};
}
