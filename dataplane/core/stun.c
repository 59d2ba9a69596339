// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/core/stun.h"

#include <errno.h>
#include <string.h>

#include "dataplane/core/bytes.h"

#define MAGIC_COOKIE 0x2112a442u
#define FINGERPRINT_XOR 0x5354554eu

/* The message type: method 0x001 between the two class bits (RFC 8489 section 5). */
#define TYPE_BINDING 0x0001u
#define TYPE_CLASS_MASK 0x0110u

#define ATTRIBUTE_MAPPED_ADDRESS 0x0001u
#define ATTRIBUTE_USERNAME 0x0006u
#define ATTRIBUTE_MESSAGE_INTEGRITY 0x0008u
#define ATTRIBUTE_ERROR_CODE 0x0009u
#define ATTRIBUTE_UNKNOWN_ATTRIBUTES 0x000au
#define ATTRIBUTE_REALM 0x0014u
#define ATTRIBUTE_NONCE 0x0015u
#define ATTRIBUTE_XOR_MAPPED_ADDRESS 0x0020u
#define ATTRIBUTE_PRIORITY 0x0024u
#define ATTRIBUTE_USE_CANDIDATE 0x0025u
#define ATTRIBUTE_FINGERPRINT 0x8028u
#define ATTRIBUTE_ICE_CONTROLLED 0x8029u
#define ATTRIBUTE_ICE_CONTROLLING 0x802au
#define ATTRIBUTE_OPTIONAL 0x8000u

#define INTEGRITY_SIZE (4u + DIGEST_HMAC_SIZE)
#define FINGERPRINT_SIZE 8u

/* One bit for each attribute that may occur once. */
enum seen {
	SEEN_USERNAME = 1 << 0,
	SEEN_INTEGRITY = 1 << 1,
	SEEN_MAPPED = 1 << 2,
	SEEN_PRIORITY = 1 << 3,
	SEEN_CANDIDATE = 1 << 4,
	SEEN_ROLE = 1 << 5, /* controlling or controlled */
	SEEN_FINGERPRINT = 1 << 6,
};

struct attribute {
	uint16_t type;
	uint16_t size;
	const uint8_t *value;
};

static bool read_mapped(const struct attribute *a, const uint8_t *data, struct stn_address *out)
{
	unsigned int size, i;

	if (a->size != 8 && a->size != 20)
		return false;
	size = a->size - 4u;
	if (a->value[1] != (size == 4 ? 1 : 2))
		return false;
	memset(out, 0, sizeof(*out));
	out->family = size == 4 ? 4 : 6;
	out->port_be = __builtin_bswap16(bytes_load16(a->value + 2) ^ (MAGIC_COOKIE >> 16));
	/* The mask is the cookie and the transaction id, as they stand in the header. */
	for (i = 0; i < size; i++)
		out->address[i] = a->value[4 + i] ^ data[4 + i];
	return true;
}

static bool read_role(const struct attribute *a, struct stun *out)
{
	if (a->size != 8)
		return false;
	out->controlling = a->type == ATTRIBUTE_ICE_CONTROLLING;
	out->controlled = !out->controlling;
	out->tie_breaker = bytes_load64(a->value);
	return true;
}

/* Which bit of `seen` the attribute has; 0: one that is not ours. */
static unsigned int kind(uint16_t type)
{
	switch (type) {
	case ATTRIBUTE_USERNAME:
		return SEEN_USERNAME;
	case ATTRIBUTE_MESSAGE_INTEGRITY:
		return SEEN_INTEGRITY;
	case ATTRIBUTE_XOR_MAPPED_ADDRESS:
		return SEEN_MAPPED;
	case ATTRIBUTE_PRIORITY:
		return SEEN_PRIORITY;
	case ATTRIBUTE_USE_CANDIDATE:
		return SEEN_CANDIDATE;
	case ATTRIBUTE_ICE_CONTROLLED:
	case ATTRIBUTE_ICE_CONTROLLING:
		return SEEN_ROLE;
	case ATTRIBUTE_FINGERPRINT:
		return SEEN_FINGERPRINT;
	}
	return 0;
}

/* Understood, though nothing of it is wanted. */
static bool is_familiar(uint16_t type)
{
	return type == ATTRIBUTE_MAPPED_ADDRESS || type == ATTRIBUTE_ERROR_CODE ||
	       type == ATTRIBUTE_UNKNOWN_ATTRIBUTES || type == ATTRIBUTE_REALM ||
	       type == ATTRIBUTE_NONCE;
}

static bool read_fingerprint(const struct attribute *a, const uint8_t *data)
{
	return a->size == 4 && bytes_load32(a->value) ==
				       (digest_crc32(data, a->value - 4 - data) ^ FINGERPRINT_XOR);
}

static bool read_attribute(const struct attribute *a, const uint8_t *data, struct stun *out)
{
	switch (kind(a->type)) {
	case SEEN_USERNAME:
		out->username = (const char *)a->value;
		out->username_size = a->size;
		return a->size > 0 && a->size <= STUN_USERNAME_MAX;
	case SEEN_INTEGRITY:
		out->integrity_offset = (uint16_t)(a->value - 4 - data);
		return a->size == DIGEST_HMAC_SIZE;
	case SEEN_MAPPED:
		out->mapped_known = read_mapped(a, data, &out->mapped);
		return out->mapped_known;
	case SEEN_PRIORITY:
		return a->size == 4;
	case SEEN_CANDIDATE:
		out->use_candidate = true;
		return a->size == 0;
	case SEEN_ROLE:
		return read_role(a, out);
	case SEEN_FINGERPRINT:
		return read_fingerprint(a, data);
	}
	if (!(a->type & ATTRIBUTE_OPTIONAL) && !is_familiar(a->type) && out->unknown == 0)
		out->unknown = a->type;
	return true;
}

static int read_attributes(struct cursor *cursor, const uint8_t *data, struct stun *out)
{
	unsigned int seen = 0;

	while (cursor_left(cursor) > 0) {
		struct attribute a;
		unsigned int bit;

		a.type = cursor_read16(cursor);
		a.size = cursor_read16(cursor);
		a.value = cursor_take(cursor, (a.size + 3u) & ~3u);
		if (cursor->failed)
			return -EINVAL;
		bit = kind(a.type);
		if (seen & SEEN_FINGERPRINT || seen & bit)
			return -EINVAL;
		if (seen & SEEN_INTEGRITY && bit != SEEN_FINGERPRINT)
			return -EINVAL;
		if (!read_attribute(&a, data, out))
			return -EINVAL;
		seen |= bit;
	}
	return seen & SEEN_FINGERPRINT ? 0 : -EINVAL;
}

int stun_parse(const uint8_t *data, unsigned int size, struct stun *out)
{
	struct cursor cursor = cursor_init(data, size);
	uint16_t type = cursor_read16(&cursor);
	uint16_t length = cursor_read16(&cursor);
	uint32_t cookie = cursor_read32(&cursor);
	const uint8_t *transaction = cursor_take(&cursor, STUN_TRANSACTION_SIZE);
	struct stun stun = {0};
	int result;

	if (cursor.failed || size > STUN_SIZE_MAX || cookie != MAGIC_COOKIE)
		return -EINVAL;
	if ((type & ~TYPE_CLASS_MASK) != TYPE_BINDING)
		return -EINVAL;
	if (length % 4 != 0 || length != cursor_left(&cursor))
		return -EINVAL;
	stun.class = (enum stun_class)((type >> 4 & 1) | (type >> 7 & 2));
	stun.size = (uint16_t)size;
	stun.transaction = transaction;
	result = read_attributes(&cursor, data, &stun);
	if (result == 0)
		*out = stun;
	return result;
}

static void sum_integrity(const uint8_t *data, unsigned int offset, const struct digest_key *key,
	uint8_t sum[DIGEST_HMAC_SIZE])
{
	uint8_t header[STUN_HEADER_SIZE];

	memcpy(header, data, sizeof(header));
	bytes_store16(header + 2, (uint16_t)(offset + INTEGRITY_SIZE - STUN_HEADER_SIZE));
	digest_hmac(key, header, sizeof(header), data + STUN_HEADER_SIZE, offset - STUN_HEADER_SIZE,
		sum);
}

bool stun_verify(const struct stun *stun, const uint8_t *data, const struct digest_key *key)
{
	uint8_t sum[DIGEST_HMAC_SIZE];

	if (stun->integrity_offset == 0)
		return false;
	sum_integrity(data, stun->integrity_offset, key, sum);
	return digest_equal(sum, data + stun->integrity_offset + 4, sizeof(sum));
}

static uint8_t *put_header(uint8_t *out, uint16_t type, const uint8_t *transaction)
{
	bytes_store16(out, type);
	bytes_store32(out + 4, MAGIC_COOKIE);
	memcpy(out + 8, transaction, STUN_TRANSACTION_SIZE);
	return out + STUN_HEADER_SIZE;
}

/* Returns where the value goes. */
static uint8_t *put_attribute(uint8_t *at, uint16_t type, unsigned int size)
{
	bytes_store16(at, type);
	bytes_store16(at + 2, (uint16_t)size);
	return at + 4;
}

static unsigned int put_end(uint8_t *out, uint8_t *at, const struct digest_key *key)
{
	unsigned int offset = (unsigned int)(at - out);
	unsigned int size = offset + INTEGRITY_SIZE + FINGERPRINT_SIZE;

	sum_integrity(
		out, offset, key, put_attribute(at, ATTRIBUTE_MESSAGE_INTEGRITY, DIGEST_HMAC_SIZE));
	bytes_store16(out + 2, (uint16_t)(size - STUN_HEADER_SIZE));
	at = put_attribute(at + INTEGRITY_SIZE, ATTRIBUTE_FINGERPRINT, 4);
	bytes_store32(at, digest_crc32(out, size - FINGERPRINT_SIZE) ^ FINGERPRINT_XOR);
	return size;
}

unsigned int stun_build_success(uint8_t *out, const uint8_t transaction[STUN_TRANSACTION_SIZE],
	const struct stn_address *mapped, const struct digest_key *key)
{
	unsigned int size = mapped->family == 4 ? 4 : 16;
	uint8_t *at = put_header(out, 0x0101, transaction);

	at = put_attribute(at, ATTRIBUTE_XOR_MAPPED_ADDRESS, 4 + size);
	at[0] = 0;
	at[1] = size == 4 ? 1 : 2;
	bytes_store16(
		at + 2, (uint16_t)(__builtin_bswap16(mapped->port_be) ^ (MAGIC_COOKIE >> 16)));
	for (unsigned int i = 0; i < size; i++)
		at[4 + i] = mapped->address[i] ^ out[4 + i];
	return put_end(out, at + 4 + size, key);
}

unsigned int stun_check_size(unsigned int username_size)
{
	return STUN_CHECK_SIZE + ((username_size + 3u) & ~3u);
}

unsigned int stun_build_check(
	uint8_t *out, const struct stun_check *check, const struct digest_key *key)
{
	uint8_t *at = put_header(out, TYPE_BINDING, check->transaction);

	at = put_attribute(at, ATTRIBUTE_USERNAME, check->username_size);
	memset(at, 0, (check->username_size + 3u) & ~3u);
	memcpy(at, check->username, check->username_size);
	at += (check->username_size + 3u) & ~3u;
	at = put_attribute(at, ATTRIBUTE_PRIORITY, 4);
	bytes_store32(at, check->priority);
	at = put_attribute(at + 4, ATTRIBUTE_ICE_CONTROLLED, 8);
	bytes_store64(at, check->tie_breaker);
	return put_end(out, at + 8, key);
}
