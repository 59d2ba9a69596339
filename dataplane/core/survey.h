/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the listeners of a room report, absorbed into histograms (TRAPS 27, 51): never a series per
 * listener, and nothing of it goes to a speaker. Written by one worker, read by the main lcore.
 */
#ifndef STENTOR_DATAPLANE_CORE_SURVEY_H
#define STENTOR_DATAPLANE_CORE_SURVEY_H

#include <stdint.h>

#include "dataplane/api/table.h"
#include "dataplane/core/rtcp.h"

/* A block about a stream of ours. now_ntp: our clock, the one our sender reports are stamped with.
 */
void survey_add(struct stn_reception *survey, const struct rtcp_block *block, uint64_t now_ntp);
/* Adds another worker's to it. */
void survey_merge(struct stn_reception *to, const struct stn_reception *from);

#endif
