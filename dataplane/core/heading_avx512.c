// SPDX-License-Identifier: BSD-3-Clause
/*
 * heading_write() with a line in a register: the group's, into which the bytes that are a leg's are
 * permuted. Compiled with its own -m flags and entered only when the CPU has them. Four legs' sums
 * over IPv4 are finished at a time.
 */
#include <immintrin.h>
#include <string.h>

#include "dataplane/core/heading.h"

#define INLINE static inline __attribute__((always_inline))
#define LEGS 4u          /* parts of IPv4 legs in a register */
#define SUMS 0x08080808u /* where in their 16-bit words the sums are */

_Static_assert(HEADING_SUM == 2 * 3, "word 3 of each 16 bytes");

bool heading_avx512_available(void)
{
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
	       __builtin_cpu_supports("avx512vbmi");
}

/* One's complement: the carry comes back in below. */
INLINE __m512i finished(__m512i legs, __m512i length)
{
	const __m512i ones = _mm512_set1_epi16(-1);
	__m512i sum = _mm512_mask_add_epi16(legs, SUMS, legs, length);

	sum = _mm512_mask_sub_epi16(
		sum, _mm512_mask_cmplt_epu16_mask(SUMS, sum, length), sum, ones);
	return _mm512_xor_si512(sum, _mm512_maskz_mov_epi16(SUMS, ones));
}

static void first_line_ipv4(const struct heading *heading, const uint8_t *legs, unsigned int count,
	uint8_t *const frame[])
{
	const __m512i line = _mm512_loadu_si512(heading->bytes);
	const __m512i order = _mm512_loadu_si512(heading->order);
	const __m512i length = _mm512_set1_epi16((short)heading->length_be);
	const __m512i step = _mm512_set1_epi8(16);
	__mmask64 own = heading->own;

	for (unsigned int i = 0; i < count; i += LEGS) {
		unsigned int left = count - i < LEGS ? count - i : LEGS;
		__mmask16 there = (__mmask16)((1u << LEGS * left) - 1);
		__m512i four =
			finished(_mm512_maskz_loadu_epi32(there, legs + 16 * (size_t)i), length);
		__m512i from = order;

		for (unsigned int n = 0; n < left; n++) {
			_mm512_storeu_si512(
				frame[i + n], _mm512_mask_permutexvar_epi8(line, own, from, four));
			from = _mm512_add_epi8(from, step);
		}
	}
}

static void first_line_ipv6(const struct heading *heading, const uint8_t *legs, unsigned int count,
	uint8_t *const frame[])
{
	const __m512i line = _mm512_loadu_si512(heading->bytes);
	const __m512i order = _mm512_loadu_si512(heading->order);
	__mmask64 own = heading->own;

	for (unsigned int i = 0; i < count; i++) {
		__m256i leg = _mm256_loadu_si256((const __m256i *)(legs + 32 * (size_t)i));

		_mm512_storeu_si512(frame[i], _mm512_mask_permutexvar_epi8(line, own, order,
						      _mm512_castsi256_si512(leg)));
	}
}

/* The same bytes at the same place of all frames. */
INLINE void line_spread(__m512i line, unsigned int at, unsigned int count, uint8_t *const frame[])
{
	for (unsigned int i = 0; i < count; i++)
		_mm512_storeu_si512(frame[i] + at, line);
}

void heading_write_avx512(const struct heading *heading, const uint8_t *legs, unsigned int count,
	uint8_t *const frame[])
{
	unsigned int size = heading->template_size + heading->packet_size, at;
	bool ipv4 = heading_is_ipv4(heading->template_size);

	if (ipv4)
		first_line_ipv4(heading, legs, count, frame);
	else
		first_line_ipv6(heading, legs, count, frame);
	if (size > HEADING_LINE)
		line_spread(_mm512_loadu_si512(heading->bytes + HEADING_LINE), HEADING_LINE, count,
			frame);
	for (at = sizeof(heading->bytes); at < size; at += HEADING_LINE) {
		unsigned int left = size - at < HEADING_LINE ? size - at : HEADING_LINE;
		__mmask64 there = ~UINT64_C(0) >> (HEADING_LINE - left);

		line_spread(_mm512_maskz_loadu_epi8(
				    there, heading->packet + at - heading->template_size),
			at, count, frame);
	}
	/* With a VLAN tag the sum is behind the first line. */
	if (!ipv4 && heading->template_size > HEADING_LINE)
		for (unsigned int i = 0; i < count; i++)
			memcpy(frame[i] + heading->template_size - 2,
				legs + 32 * (size_t)i + HEADING_SUM, 2);
}
