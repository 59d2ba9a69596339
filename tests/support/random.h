/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Repeatable randomness for tests: splitmix64, seeded from STENTOR_SEED or the clock, and the seed
 * is printed. Not for keys that matter. One state a test; no threads.
 */
#ifndef STENTOR_TESTS_SUPPORT_RANDOM_H
#define STENTOR_TESTS_SUPPORT_RANDOM_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct random_state {
	uint64_t value;
};

static inline void random_seed(struct random_state *random)
{
	const char *seed = getenv("STENTOR_SEED");
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	random->value = seed ? strtoull(seed, NULL, 0)
			     : (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	printf("STENTOR_SEED=%llu\n", (unsigned long long)random->value);
	fflush(stdout);
}

static inline uint64_t random_next(struct random_state *random)
{
	uint64_t z = random->value += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* 0 to below - 1; below is not 0. */
static inline uint32_t random_below(struct random_state *random, uint32_t below)
{
	return (uint32_t)(random_next(random) >> 32) % below;
}

static inline void random_fill(struct random_state *random, void *to, size_t size)
{
	uint8_t *bytes = to;

	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)random_next(random);
}

#endif
