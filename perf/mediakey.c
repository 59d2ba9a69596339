// SPDX-License-Identifier: BSD-3-Clause
#include "perf/mediakey.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

static const struct {
	const char *names[4];
	unsigned int key_size;
} suites[MEDIA_SUITE_COUNT] = {
	[MEDIA_SUITE_GCM128] = {{"gcm128", "AEAD_AES_128_GCM", "aead_aes_128_gcm"}, 16 + 12},
	[MEDIA_SUITE_GCM256] = {{"gcm256", "AEAD_AES_256_GCM", "aead_aes_256_gcm"}, 32 + 12},
	[MEDIA_SUITE_CM80] = {{"cm80", "AES128_CM_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_80",
				      "SRTP_AES128_CM_HMAC_SHA1_80"},
		16 + 14},
};

static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int media_suite_parse(enum media_suite *suite, const char *text)
{
	for (unsigned int s = 0; s < MEDIA_SUITE_COUNT; s++)
		for (unsigned int n = 0; n < 4 && suites[s].names[n]; n++)
			if (strcasecmp(suites[s].names[n], text) == 0) {
				*suite = (enum media_suite)s;
				return 0;
			}
	return -EINVAL;
}

unsigned int media_suite_key_size(enum media_suite suite)
{
	return suites[suite].key_size;
}

static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int hex_decode(uint8_t *out, unsigned int size, const char *text)
{
	for (unsigned int i = 0; i < size; i++) {
		int high = nibble(text[2 * i]), low = nibble(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return -EINVAL;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return 0;
}

static int base64_decode(uint8_t *out, unsigned int size, const char *text)
{
	uint32_t bits = 0;
	unsigned int have = 0, filled = 0;

	for (; *text && *text != '='; text++) {
		const char *at = strchr(base64, *text);

		if (!at)
			return -EINVAL;
		bits = bits << 6 | (uint32_t)(at - base64);
		have += 6;
		if (have < 8)
			continue;
		have -= 8;
		if (filled == size)
			return -EINVAL;
		out[filled++] = (uint8_t)(bits >> have);
	}
	return filled == size ? 0 : -EINVAL;
}

int media_key_parse(struct media_key *key, enum media_suite suite, const char *text)
{
	struct media_key parsed = {.suite = suite, .size = suites[suite].key_size};
	int error = strlen(text) == 2 * parsed.size
			    ? hex_decode(parsed.bytes, parsed.size, text)
			    : base64_decode(parsed.bytes, parsed.size, text);

	if (error)
		return error;
	*key = parsed;
	return 0;
}

void media_key_format(const struct media_key *key, char *text)
{
	for (unsigned int i = 0; i < key->size; i += 3) {
		unsigned int left = key->size - i;
		uint32_t bits = (uint32_t)key->bytes[i] << 16;

		if (left > 1)
			bits |= (uint32_t)key->bytes[i + 1] << 8;
		if (left > 2)
			bits |= key->bytes[i + 2];
		*text++ = base64[bits >> 18 & 63];
		*text++ = base64[bits >> 12 & 63];
		*text++ = left > 1 ? base64[bits >> 6 & 63] : '=';
		*text++ = left > 2 ? base64[bits & 63] : '=';
	}
	*text = '\0';
}

int media_key_random(struct media_key *key, enum media_suite suite)
{
	struct media_key fresh = {.suite = suite, .size = suites[suite].key_size};

	if (getrandom(fresh.bytes, fresh.size, 0) != (ssize_t)fresh.size)
		return -EIO;
	*key = fresh;
	return 0;
}

void media_key_policy(
	const struct media_key *key, srtp_ssrc_type_t direction, srtp_policy_t *policy)
{
	static void (*const set[])(srtp_crypto_policy_t *) = {
		[MEDIA_SUITE_GCM128] = srtp_crypto_policy_set_aes_gcm_128_16_auth,
		[MEDIA_SUITE_GCM256] = srtp_crypto_policy_set_aes_gcm_256_16_auth,
		[MEDIA_SUITE_CM80] = srtp_crypto_policy_set_rtp_default,
	};

	memset(policy, 0, sizeof(*policy));
	set[key->suite](&policy->rtp);
	set[key->suite](&policy->rtcp);
	policy->ssrc.type = direction;
	policy->key = (unsigned char *)(uintptr_t)key->bytes;
	policy->window_size = 1024;
}
