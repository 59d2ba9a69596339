/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What operations on rooms mean for the registry. Main lcore only. Each returns 0, or -EINVAL with
 * plan->refusal; the caller undoes the journal then.
 */
#ifndef STENTOR_DATAPLANE_CTL_PLAN_ROOM_H
#define STENTOR_DATAPLANE_CTL_PLAN_ROOM_H

#include "dataplane/ctl/plan.h"

int plan_put_room(struct plan *plan, const struct stn_op_room_put *op);
int plan_remove_room(struct plan *plan, uint64_t room_id);

#endif
