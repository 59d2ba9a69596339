/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What operations on legs mean for the registry. Main lcore only. Each returns 0, or -EINVAL with
 * plan->refusal; the caller undoes the journal then.
 */
#ifndef STENTOR_DATAPLANE_CTL_PLAN_LEG_H
#define STENTOR_DATAPLANE_CTL_PLAN_LEG_H

#include "dataplane/ctl/plan.h"

int plan_put_leg(struct plan *plan, const struct stn_op_leg_put *op);
int plan_mute_leg(struct plan *plan, const struct stn_op_leg_mute *op);
int plan_set_ice(struct plan *plan, const struct stn_op_leg_ice *op);
int plan_remove_leg(struct plan *plan, uint64_t leg_id);

#endif
