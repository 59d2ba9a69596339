/* SPDX-License-Identifier: BSD-3-Clause */
/* What the command lines of benchmarks have in common. 0 or -EINVAL with a reason on stderr. */
#ifndef STENTOR_PERF_ARGUMENT_H
#define STENTOR_PERF_ARGUMENT_H

#include <stdint.h>

#define REPEATS_MAX 101

int argument_number(
	const char *option, const char *text, uint32_t low, uint32_t high, uint32_t *out);

/* The place of the text in names[]; the reason lists them. */
int argument_choice(
	const char *option, const char *text, const char *const names[], unsigned int count);

#endif
