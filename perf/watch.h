/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Was the machine quiet while something was measured? Readings of /proc/stat and of a fixed loop of
 * dependent multiplications, whose time is the inverse of the core's clock, before, during and
 * after. Steal time: the hypervisor ran somebody else. Other CPU time: whatever all processes used,
 * less those under this one (or under $STENTOR_BENCH_ROOT, a script that starts the parts of a
 * measurement), less the kernel's own packet threads. Clock drift: the loop's slowest reading over
 * its fastest; each reading is the best of several, so that being interrupted does not count.
 *
 * One thread. watch_add() and watch_judge() are pure.
 */
#ifndef STENTOR_PERF_WATCH_H
#define STENTOR_PERF_WATCH_H

#include <stdbool.h>
#include <stdint.h>

/* Percent of one CPU: 100 is a whole core. More than this is no quiet machine. */
#define WATCH_STEAL_MAX 1.0
#define WATCH_OTHER_MAX 10.0
/* Percent by which the loop may become slower. */
#define WATCH_DRIFT_MAX 5.0

/* Of one CPU, half a second: one tick more or less in fewer of them would be too much. */
#define WATCH_TICKS_MIN 50

#define WATCH_REASONS_MAX 3

struct watch_reading {
	uint64_t total_ticks; /* of all CPUs since boot, idle ones included */
	uint64_t busy_ticks;
	uint64_t steal_ticks;
	uint64_t own_ticks;       /* of busy_ticks */
	uint64_t interrupt_ticks; /* of busy_ticks */
	unsigned int cpus;
	double loop_ns;
};

struct watch {
	struct watch_reading first, last;
	double loop_min_ns, loop_max_ns;
	unsigned int readings;
	bool receives; /* interrupts are the measurement's: it counts packets in them */
};

struct watch_verdict {
	double steal_percent, other_cpu_percent, clock_drift_percent;
	unsigned int reason_count;
	char reason[WATCH_REASONS_MAX][128];
};

/* 0 or negative errno. Takes a few milliseconds. */
int watch_read(struct watch_reading *out);
void watch_add(struct watch *watch, const struct watch_reading *reading);
void watch_judge(const struct watch *watch, struct watch_verdict *out);

#endif
