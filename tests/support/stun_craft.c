// SPDX-License-Identifier: BSD-3-Clause
#include "tests/support/stun_craft.h"

#include <openssl/hmac.h>
#include <string.h>

static void put16(uint8_t *at, unsigned int value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

void craft_begin(struct craft *craft, uint16_t type, const uint8_t transaction[12])
{
	static const uint8_t cookie[4] = {0x21, 0x12, 0xa4, 0x42};

	put16(craft->bytes, type);
	put16(craft->bytes + 2, 0);
	memcpy(craft->bytes + 4, cookie, 4);
	memcpy(craft->bytes + 8, transaction, 12);
	craft->size = 20;
}

void craft_put(struct craft *craft, uint16_t type, const void *value, unsigned int size)
{
	uint8_t *at = craft->bytes + craft->size;

	put16(at, type);
	put16(at + 2, size);
	memset(at + 4, 0, (size + 3) / 4 * 4);
	if (size)
		memcpy(at + 4, value, size);
	craft->size += 4 + (size + 3) / 4 * 4;
	put16(craft->bytes + 2, craft->size - 20);
}

void craft_integrity(struct craft *craft, const char *secret)
{
	uint8_t sum[20] = {0};
	unsigned int covered = craft->size;

	craft_put(craft, CRAFT_INTEGRITY, sum, sizeof(sum));
	HMAC(EVP_sha1(), secret, (int)strlen(secret), craft->bytes, covered,
		craft->bytes + covered + 4, NULL);
}

void craft_fingerprint(struct craft *craft)
{
	craft_put(craft, CRAFT_FINGERPRINT, "\0\0\0", 4);
	craft_seal(craft);
}

void craft_seal(struct craft *craft)
{
	uint32_t crc = 0xffffffff;
	unsigned int covered = craft->size - 8;
	uint8_t *at = craft->bytes + covered + 4;

	for (unsigned int i = 0; i < covered; i++) {
		crc ^= craft->bytes[i];
		for (unsigned int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	crc = ~crc ^ 0x5354554e;
	put16(at, crc >> 16);
	put16(at + 2, crc & 0xffff);
}

void craft_mapped(struct craft *craft, const struct stn_address *address)
{
	unsigned int size = address->family == 4 ? 4 : 16;
	uint8_t value[20] = {0, size == 4 ? 1 : 2};

	memcpy(value + 2, &address->port_be, 2);
	value[2] ^= 0x21;
	value[3] ^= 0x12;
	for (unsigned int i = 0; i < size; i++)
		value[4 + i] = address->address[i] ^ craft->bytes[4 + i];
	craft_put(craft, CRAFT_MAPPED, value, 4 + size);
}

void craft_check(struct craft *craft, const uint8_t transaction[12], const char *username,
	const char *secret, unsigned int flags)
{
	craft_begin(craft, CRAFT_REQUEST, transaction);
	craft_put(craft, CRAFT_USERNAME, username, (unsigned int)strlen(username));
	craft_put(craft, CRAFT_NETWORK_INFO, "\0\1\0\x0a", 4);
	craft_put(craft, flags & CRAFT_IS_CONTROLLED ? CRAFT_CONTROLLED : CRAFT_CONTROLLING,
		"\x7d\x1e\x5b\x0c\x33\x91\xfa\x68", 8);
	if (flags & CRAFT_NOMINATES)
		craft_put(craft, CRAFT_USE_CANDIDATE, NULL, 0);
	craft_put(craft, CRAFT_PRIORITY, "\x6e\x7f\x1e\xff", 4);
	craft_integrity(craft, secret);
	craft_fingerprint(craft);
}

void craft_success(struct craft *craft, const uint8_t transaction[12],
	const struct stn_address *mapped, const char *secret)
{
	craft_begin(craft, CRAFT_SUCCESS, transaction);
	craft_mapped(craft, mapped);
	craft_integrity(craft, secret);
	craft_fingerprint(craft);
}
