/* SPDX-License-Identifier: BSD-3-Clause */
/* What of a plan is for the data plane: nothing of it is a change that could be taken back. */
#include <stdlib.h>
#include <string.h>

#include "controlplane/rooms/plan.h"

static bool no_memory(struct plan *plan)
{
	return verdict_refuse(&plan->verdict, VERDICT_UNAVAILABLE, "out of memory");
}

bool plan_op(struct plan *plan, const void *op, size_t size)
{
	if (plan->ops_capacity - plan->ops_size < size) {
		size_t capacity = plan->ops_capacity == 0 ? 512 : plan->ops_capacity * 2;
		unsigned char *ops;

		while (capacity - plan->ops_size < size)
			capacity *= 2;
		/* Not realloc: what is left behind would hold keys. */
		ops = malloc(capacity);
		if (ops == NULL)
			return no_memory(plan);
		if (plan->ops != NULL) {
			memcpy(ops, plan->ops, plan->ops_size);
			explicit_bzero(plan->ops, plan->ops_capacity);
			free(plan->ops);
		}
		plan->ops = ops;
		plan->ops_capacity = capacity;
	}
	memcpy(plan->ops + plan->ops_size, op, size);
	plan->ops_size += size;
	plan->op_count++;
	return true;
}

bool plan_joined(struct plan *plan, uint64_t id)
{
	if (plan->joined_count == plan->joined_capacity) {
		size_t capacity = plan->joined_capacity == 0 ? 4 : plan->joined_capacity * 2;
		uint64_t *joined = realloc(plan->joined, capacity * sizeof(*joined));

		if (joined == NULL)
			return no_memory(plan);
		plan->joined = joined;
		plan->joined_capacity = capacity;
	}
	plan->joined[plan->joined_count++] = id;
	return true;
}
