/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a report says of waits and of the machine's own gaps beside them: figures of each repeat,
 * and tables of all repeats together. One thread.
 */
#ifndef STENTOR_PERF_GAPS_H
#define STENTOR_PERF_GAPS_H

#include "perf/report.h"
#include "perf/waits.h"

/* The lines of these figures for a usage text. */
#define GAPS_USAGE \
	"  machine_gap_us_p999  us, lower  from one look at the clock to the next on the " \
	"worker's " \
	"CPU while it rests\n" \
	"  machine_gap_us_max  us, lower  the longest\n" \
	"  machine_gaps_over_10us_per_s  per_s, lower  of them\n" \
	"  machine_gaps_over_50us_per_s  per_s, lower  of them\n" \
	"  machine_gap_percent  percent, lower  of the time, in those over 10 us\n"

struct gaps_phase {
	const char *name;
	struct wait_phase sum; /* of all repeats */
};

void gaps_tell_machine(struct report *report, const struct waits *gaps);
/* NAME_wait_us_..., NAME_waits_over_50us_... */
void gaps_tell_waits(struct report *report, const char *name, const struct waits *waits);
/* Tables waits, wait_stages and longest_waits; the first phase is the machine. */
void gaps_tabulate(struct report *report, const struct gaps_phase phases[], unsigned int count,
	uint64_t begin_ns);

#endif
