/* SPDX-License-Identifier: BSD-3-Clause */
#include <sys/time.h>

#include "tests/support/clock.h"

#define START_S 1700000000

static uint64_t clock_ns;

void clock_set(uint64_t now_ns)
{
	clock_ns = now_ns;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone)
{
	time->tv_sec = START_S + (time_t)(clock_ns / 1000000000u);
	time->tv_usec = (suseconds_t)(clock_ns % 1000000000u / 1000);
	return 0;
}
