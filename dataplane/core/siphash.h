/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SipHash-2-4 (Aumasson and Bernstein, 2012): a keyed hash whose collisions a stranger who does not
 * know the key cannot find, for tables keyed by what strangers send. Any thread; owns nothing.
 */
#ifndef STENTOR_DATAPLANE_CORE_SIPHASH_H
#define STENTOR_DATAPLANE_CORE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

/* Random at start; immutable afterwards. */
struct siphash_key {
	uint64_t k0;
	uint64_t k1;
};

uint64_t siphash(const struct siphash_key *key, const void *data, size_t size);

#endif
