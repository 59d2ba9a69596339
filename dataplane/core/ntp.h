/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * NTP timestamps as RTCP has them (RFC 3550 section 4): seconds in the upper 32 bits, fractions of
 * 2^-32 s in the lower. Pure functions, any thread.
 */
#ifndef STENTOR_DATAPLANE_CORE_NTP_H
#define STENTOR_DATAPLANE_CORE_NTP_H

#include <stdint.h>

#define NTP_UNIX_EPOCH 2208988800ull /* seconds from 1900 to 1970 */

/* Nanoseconds since 1970. */
static inline uint64_t ntp_from_ns(uint64_t unix_ns)
{
	uint64_t seconds = unix_ns / 1000000000u, rest = unix_ns % 1000000000u;

	return (seconds + NTP_UNIX_EPOCH) << 32 | (rest << 32) / 1000000000u;
}

/* The middle 32 bits, as LSR has them: 1/65536 s. */
static inline uint32_t ntp_middle(uint64_t ntp)
{
	return (uint32_t)(ntp >> 16);
}

#endif
