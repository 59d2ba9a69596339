// SPDX-License-Identifier: BSD-3-Clause
#include "perf/binding.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#define HEADER_SIZE 20
#define COOKIE 0x2112a442u
#define INTEGRITY_SIZE 24 /* with its header */
#define FINGERPRINT_SIZE 8
#define FINGERPRINT_XOR 0x5354554eu

enum attribute {
	ATTRIBUTE_USERNAME = 0x0006,
	ATTRIBUTE_INTEGRITY = 0x0008,
	ATTRIBUTE_XOR_MAPPED = 0x0020,
	ATTRIBUTE_PRIORITY = 0x0024,
	ATTRIBUTE_USE_CANDIDATE = 0x0025,
	ATTRIBUTE_FINGERPRINT = 0x8028,
	ATTRIBUTE_CONTROLLING = 0x802a,
};

static void put16(uint8_t *at, unsigned int value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value & 0xffff);
}

static unsigned int get16(const uint8_t *at)
{
	return (unsigned int)at[0] << 8 | at[1];
}

static uint32_t get32(const uint8_t *at)
{
	return (uint32_t)get16(at) << 16 | get16(at + 2);
}

/* The polynomial of ISO 3309, bit by bit: a message has a hundred bytes. */
static uint32_t crc(const uint8_t *bytes, unsigned int size)
{
	uint32_t value = 0xffffffffu;

	for (unsigned int i = 0; i < size; i++) {
		value ^= bytes[i];
		for (unsigned int bit = 0; bit < 8; bit++)
			value = value >> 1 ^ (0xedb88320u & (0u - (value & 1)));
	}
	return ~value;
}

static unsigned int append(
	uint8_t *out, unsigned int at, enum attribute type, const void *value, unsigned int size)
{
	put16(out + at, type);
	put16(out + at + 2, size);
	if (size > 0)
		memcpy(out + at + 4, value, size);
	memset(out + at + 4 + size, 0, -size & 3);
	return at + 4 + size + (-size & 3);
}

/* RFC 8489 section 14.5: over everything before, under a length that ends with the attribute. */
static void digest(const uint8_t *bytes, unsigned int before, const char *password,
	uint8_t out[EVP_MAX_MD_SIZE])
{
	uint8_t copy[1500];
	unsigned int size;

	memcpy(copy, bytes, before);
	put16(copy + 2, before + INTEGRITY_SIZE - HEADER_SIZE);
	HMAC(EVP_sha1(), password, (int)strlen(password), copy, before, out, &size);
}

static void begin(uint8_t *out, enum binding_type type, const uint8_t *transaction)
{
	put16(out, type);
	put16(out + 2, 0);
	put32(out + 4, COOKIE);
	memcpy(out + 8, transaction, BINDING_TRANSACTION_SIZE);
}

static unsigned int finish(uint8_t *out, unsigned int at, const char *password)
{
	uint8_t sum[EVP_MAX_MD_SIZE], check[4];

	digest(out, at, password, sum);
	at = append(out, at, ATTRIBUTE_INTEGRITY, sum, INTEGRITY_SIZE - 4);
	put16(out + 2, at + FINGERPRINT_SIZE - HEADER_SIZE);
	put32(check, crc(out, at) ^ FINGERPRINT_XOR);
	return append(out, at, ATTRIBUTE_FINGERPRINT, check, sizeof(check));
}

unsigned int binding_build_request(uint8_t *out, const struct binding_request *request)
{
	uint8_t word[8];
	unsigned int at = HEADER_SIZE;

	begin(out, BINDING_REQUEST, request->transaction);
	at = append(out, at, ATTRIBUTE_USERNAME, request->username,
		(unsigned int)strlen(request->username));
	put32(word, request->priority);
	at = append(out, at, ATTRIBUTE_PRIORITY, word, 4);
	put32(word, (uint32_t)(request->tie_breaker >> 32));
	put32(word + 4, (uint32_t)request->tie_breaker);
	at = append(out, at, ATTRIBUTE_CONTROLLING, word, 8);
	if (request->use_candidate)
		at = append(out, at, ATTRIBUTE_USE_CANDIDATE, NULL, 0);
	return finish(out, at, request->password);
}

/* RFC 8489 section 14.2: the address mixed with the cookie, that of IPv6 with the transaction. */
unsigned int binding_build_success(uint8_t *out,
	const uint8_t transaction[BINDING_TRANSACTION_SIZE], const struct sockaddr_storage *mapped,
	const char *password)
{
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)mapped;
	const struct sockaddr_in *four = (const struct sockaddr_in *)mapped;
	bool is_six = mapped->ss_family == AF_INET6;
	unsigned int size = is_six ? 16 : 4;
	uint8_t value[20] = {0, is_six ? 2 : 1};

	begin(out, BINDING_SUCCESS, transaction);
	put16(value + 2, ntohs(is_six ? six->sin6_port : four->sin_port) ^ COOKIE >> 16);
	memcpy(value + 4, is_six ? (const void *)&six->sin6_addr : (const void *)&four->sin_addr,
		size);
	for (unsigned int i = 0; i < size; i++)
		value[4 + i] ^= out[4 + i];
	return finish(
		out, append(out, HEADER_SIZE, ATTRIBUTE_XOR_MAPPED, value, 4 + size), password);
}

static int take(struct binding *binding, const uint8_t *bytes, unsigned int at, unsigned int size)
{
	unsigned int type = get16(bytes + at);

	if (type == ATTRIBUTE_USERNAME) {
		binding->username = (const char *)bytes + at + 4;
		binding->username_size = size;
	} else if (type == ATTRIBUTE_INTEGRITY) {
		if (size != INTEGRITY_SIZE - 4 || binding->integrity_at != 0)
			return -EBADMSG;
		binding->integrity_at = at;
	} else if (type == ATTRIBUTE_FINGERPRINT) {
		if (size != 4 || get32(bytes + at + 4) != (crc(bytes, at) ^ FINGERPRINT_XOR))
			return -EBADMSG;
	}
	return 0;
}

int binding_parse(struct binding *binding, const uint8_t *bytes, unsigned int size)
{
	struct binding found = {0};
	unsigned int at = HEADER_SIZE, last = 0;

	if (size < HEADER_SIZE || size > 1500 || get32(bytes + 4) != COOKIE ||
		get16(bytes + 2) != size - HEADER_SIZE || size % 4 != 0)
		return -EBADMSG;
	found.type = (enum binding_type)get16(bytes);
	if (found.type != BINDING_REQUEST && found.type != BINDING_SUCCESS &&
		found.type != BINDING_ERROR)
		return -EBADMSG;
	memcpy(found.transaction, bytes + 8, BINDING_TRANSACTION_SIZE);
	while (at < size) {
		unsigned int value = get16(bytes + at + 2);

		if (value > size - at - 4 || take(&found, bytes, at, value) < 0)
			return -EBADMSG;
		last = get16(bytes + at);
		at += 4 + value + (-value & 3);
	}
	if (at != size || last != ATTRIBUTE_FINGERPRINT)
		return -EBADMSG;
	*binding = found;
	return 0;
}

bool binding_verify(const struct binding *binding, const uint8_t *bytes, const char *password)
{
	uint8_t sum[EVP_MAX_MD_SIZE];

	if (binding->integrity_at == 0)
		return false;
	digest(bytes, binding->integrity_at, password, sum);
	return CRYPTO_memcmp(sum, bytes + binding->integrity_at + 4, INTEGRITY_SIZE - 4) == 0;
}
