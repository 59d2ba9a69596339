/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What keys bring with them: origins, old indices, records of the index store. These are the rules
 * that keep a (key, SSRC, index) from being used twice. Main lcore only. Each returns 0, or -EINVAL
 * with plan->refusal.
 */
#ifndef STENTOR_DATAPLANE_CTL_PLAN_KEY_H
#define STENTOR_DATAPLANE_CTL_PLAN_KEY_H

#include "dataplane/ctl/plan.h"

/* WEBRTC legs are put without keys first. */
static inline bool plan_has_keys(const struct stn_op_leg_put *op)
{
	return op->transport != STN_TRANSPORT_WEBRTC || op->tx.suite != STN_SUITE_NONE;
}

/*
 * Keys that were in use before (key_store_id) may go on only where nothing about them was
 * forgotten: the same store, slots that have counted all along, a known origin, and for a speaker
 * its own indices. Everything else needs fresh keys.
 */
int plan_check_old_keys(
	struct plan *plan, const struct room *room, const struct stn_op_leg_put *op);
/* Where the slots count from for this leg, whose keys are set now. */
int plan_set_origins(struct plan *plan, struct leg *leg, const struct stn_op_leg_put *op);
/* Gives a leg its record of the index store; its cells are for speakers only. */
int plan_take_cells(struct plan *plan, struct leg *leg);
/*
 * A speaker becomes a listener: it goes on at the slots' indices, which are ahead of its own, as
 * it has heard at most what the slots have sent. Two exceptions cannot go on with these keys: a leg
 * that started just before a wrap, and one so far behind (it has spoken long itself) that its
 * receiver would guess the wrong ROC (RFC 3711 section 3.3.1: less than 2^15 ahead).
 */
int plan_check_own_indices(struct plan *plan, const struct leg *leg);

#endif
