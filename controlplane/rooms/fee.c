/* SPDX-License-Identifier: BSD-3-Clause */
#include "controlplane/rooms/fee.h"

#define BASIS_POINTS 10000u /* of one whole */

uint64_t fee_of(const struct fee_tier *tiers, uint32_t count, uint64_t gross, uint64_t base)
{
	uint64_t from = gross, end = gross + base, fee = 0;

	for (uint32_t i = 0; i < count && from < end; i++) {
		uint64_t to = end < tiers[i].up_to ? end : tiers[i].up_to;

		if (to <= from)
			continue;
		/* A part is at most PRICE_MAX: the product has 44 bits. */
		fee += (to - from) * tiers[i].basis_points / BASIS_POINTS;
		from = to;
	}
	return fee;
}
