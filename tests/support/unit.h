/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * For unit tests with Check: run a suite and tell meson, and put input where AddressSanitizer sees
 * one byte too many.
 */
#ifndef STENTOR_TESTS_SUPPORT_UNIT_H
#define STENTOR_TESTS_SUPPORT_UNIT_H

#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Runs, prints Check's summary, returns main()'s value. */
static inline int unit_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* A copy in a heap block that ends where the input ends; free() what `block` gets. */
static inline const uint8_t *unit_block(const void *data, size_t size, uint8_t **block)
{
	*block = malloc(size ? size : 1);
	ck_assert_ptr_nonnull(*block);
	if (size)
		memcpy(*block, data, size);
	return size ? *block : *block + 1;
}

#endif
