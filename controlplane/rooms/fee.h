/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the platform takes of a ticket. The rate falls, or rises, with what the host has earned so
 * far in that currency; a ticket that reaches over a border between two tiers is split there, as
 * income is by a tax table. Integers only, fractions of a minor unit stay with the host. Pure
 * arithmetic.
 */
#ifndef STENTOR_CONTROLPLANE_ROOMS_FEE_H
#define STENTOR_CONTROLPLANE_ROOMS_FEE_H

#include "controlplane/rooms/registry.h"

/*
 * The fee of a ticket worth `base` minor units (its price without what the provider keeps) to a
 * host whose tickets were worth `gross` before: in each tier the part of [gross, gross + base) that
 * lies in it, times its basis points, rounded down. At most base; 0 without tiers.
 */
uint64_t fee_of(const struct fee_tier *tiers, uint32_t count, uint64_t gross, uint64_t base);

#endif
