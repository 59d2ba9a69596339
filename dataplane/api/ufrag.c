// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/api/ufrag.h"

#define BYTES 12 /* 96 bits are 16 characters without padding */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void stn_ufrag_make(
	uint64_t leg_id, const uint8_t random[STN_UFRAG_RANDOM_SIZE], char out[STN_UFRAG_SIZE])
{
	uint8_t bytes[BYTES];
	unsigned int i;

	for (i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(leg_id >> (56 - 8 * i));
	for (; i < BYTES; i++)
		bytes[i] = random[i - 8];
	for (i = 0; i < BYTES / 3; i++) {
		uint32_t word = (uint32_t)bytes[3 * i] << 16 | (uint32_t)bytes[3 * i + 1] << 8 |
				bytes[3 * i + 2];

		out[4 * i] = alphabet[word >> 18];
		out[4 * i + 1] = alphabet[word >> 12 & 63];
		out[4 * i + 2] = alphabet[word >> 6 & 63];
		out[4 * i + 3] = alphabet[word & 63];
	}
}

static int value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

int stn_ufrag_parse(const char *text, unsigned int size, uint64_t *leg_id,
	uint8_t random[STN_UFRAG_RANDOM_SIZE])
{
	uint64_t high = 0; /* the first 48 bits, then the last */
	uint64_t low = 0;
	unsigned int i;

	if (size != STN_UFRAG_SIZE)
		return -1;
	for (i = 0; i < STN_UFRAG_SIZE; i++) {
		int value = value_of(text[i]);

		if (value < 0)
			return -1;
		if (i < STN_UFRAG_SIZE / 2)
			high = high << 6 | (uint64_t)value;
		else
			low = low << 6 | (uint64_t)value;
	}
	*leg_id = high << 16 | low >> 32;
	for (i = 0; i < STN_UFRAG_RANDOM_SIZE; i++)
		random[i] = (uint8_t)(low >> (24 - 8 * i));
	return 0;
}
