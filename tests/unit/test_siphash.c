// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/core/siphash.h"
#include "tests/support/unit.h"

/* Aumasson and Bernstein, "SipHash: a fast short-input PRF", appendix A: key 00..0f, input 00..0e.
 */
START_TEST(vector_of_the_paper)
{
	const struct siphash_key key = {0x0706050403020100ull, 0x0f0e0d0c0b0a0908ull};
	uint8_t input[15], *block;
	unsigned int i;

	for (i = 0; i < sizeof(input); i++)
		input[i] = (uint8_t)i;
	ck_assert_uint_eq(siphash(&key, unit_block(input, sizeof(input), &block), sizeof(input)),
		0xa129ca6149be45e5ull);
	free(block);
}
END_TEST

/* First entries of the authors' vectors_sip64: inputs of 0, 1 and 8 bytes. */
START_TEST(vectors_of_the_reference)
{
	const struct siphash_key key = {0x0706050403020100ull, 0x0f0e0d0c0b0a0908ull};
	const uint8_t input[8] = {0, 1, 2, 3, 4, 5, 6, 7};

	ck_assert_uint_eq(siphash(&key, input, 0), 0x726fdb47dd0e0e31ull);
	ck_assert_uint_eq(siphash(&key, input, 1), 0x74f839c593dc67fdull);
	ck_assert_uint_eq(siphash(&key, input, 8), 0x93f5f5799a932462ull);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("siphash");
	TCase *tcase = tcase_create("siphash");

	tcase_add_test(tcase, vector_of_the_paper);
	tcase_add_test(tcase, vectors_of_the_reference);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
