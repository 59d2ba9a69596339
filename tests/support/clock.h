/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * gettimeofday() of a program that links clock.c: it stands still and moves only when told. Shared
 * libraries get it too, so that OpenSSL's DTLS timer can be tested without waiting.
 */
#ifndef STENTOR_TESTS_SUPPORT_CLOCK_H
#define STENTOR_TESTS_SUPPORT_CLOCK_H

#include <stdint.h>

void clock_set(uint64_t now_ns);

#endif
