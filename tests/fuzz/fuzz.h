/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What every fuzz target has: the entry point, and a check that stays on in every build. A target
 * checks what its parser promises, not only that it survives.
 */
#ifndef STENTOR_TESTS_FUZZ_FUZZ_H
#define STENTOR_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void fuzz_check(int holds, const char *promise)
{
	if (holds)
		return;
	fprintf(stderr, "promise broken: %s\n", promise);
	abort();
}

#define FUZZ_CHECK(promise) fuzz_check((promise), #promise)

#endif
