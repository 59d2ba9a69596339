// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/crypto/digest.h"
#include "tests/support/unit.h"

#include <openssl/hmac.h>
#include <stdio.h>

/* RFC 2202 section 3. */
static const struct {
	const char *key;
	unsigned int key_size;
	const char *data;
	unsigned int data_size;
	const char *digest;
} vectors[] = {
	{"\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b", 20,
		"Hi There", 8, "b617318655057264e28bc0b6fb378c8ef146be00"},
	{"Jefe", 4, "what do ya want for nothing?", 28, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"},
	/* 20 times 0xaa; a key of 80 below. NULL: `data_size` times 0xdd or 0xcd. */
	{NULL, 20, "\xdd", 50, "125d7342b9ac11cd91a39af48aa17b4f63f175d3"},
	{"\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16"
	 "\x17\x18\x19",
		25, "\xcd", 50, "4c9007f4026250c6bc8414f9bf50c86c2d7235da"},
	{"\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c\x0c", 20,
		"Test With Truncation", 20, "4c1a03424b55e07fe7f27be1d58bb9324a9a5a04"},
	{NULL, 80, "Test Using Larger Than Block-Size Key - Hash Key First", 54,
		"aa4ae5e15272d00e95705637ce8a3b55ed402112"},
	{NULL, 80, "Test Using Larger Than Block-Size Key and Larger Than One Block-Size Data", 73,
		"e8e99d0f45237d786d6bbaa7965c7808bbff1a91"},
};

static void as_text(const uint8_t digest[DIGEST_HMAC_SIZE], char text[2 * DIGEST_HMAC_SIZE + 1])
{
	for (unsigned int i = 0; i < DIGEST_HMAC_SIZE; i++)
		snprintf(text + 2 * i, 3, "%02x", digest[i]);
}

START_TEST(rfc2202)
{
	uint8_t key[80], data[80], out[DIGEST_HMAC_SIZE];
	unsigned int size = vectors[_i].data_size, cut;
	char text[2 * DIGEST_HMAC_SIZE + 1];
	struct digest_key kept;

	memset(key, 0xaa, sizeof(key));
	if (vectors[_i].key)
		memcpy(key, vectors[_i].key, vectors[_i].key_size);
	if (size == 50)
		memset(data, vectors[_i].data[0], size);
	else
		memcpy(data, vectors[_i].data, size);
	digest_key_set(&kept, key, vectors[_i].key_size);
	for (cut = 0; cut <= size; cut++) {
		digest_hmac(&kept, data, cut, data + cut, size - cut, out);
		as_text(out, text);
		ck_assert_str_eq(text, vectors[_i].digest);
	}
}
END_TEST

/* Every size of key and of message around the block borders, against OpenSSL's own HMAC. */
START_TEST(against_openssl)
{
	uint8_t key[130], data[300], out[DIGEST_HMAC_SIZE], expected[DIGEST_HMAC_SIZE];
	struct digest_key kept;

	for (unsigned int i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)(i * 7 + 1);
	for (unsigned int i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 13 + 5);
	for (unsigned int key_size = 1; key_size <= sizeof(key); key_size++) {
		digest_key_set(&kept, key, key_size);
		for (unsigned int size = 0; size <= sizeof(data); size++) {
			ck_assert_ptr_nonnull(
				HMAC(EVP_sha1(), key, (int)key_size, data, size, expected, NULL));
			digest_hmac(&kept, data, size / 3, data + size / 3, size - size / 3, out);
			ck_assert_mem_eq(out, expected, sizeof(out));
		}
	}
}
END_TEST

START_TEST(crc32_check_value)
{
	/* The check value of CRC-32/ISO-HDLC in the catalogue of parametrised CRC algorithms. */
	ck_assert_uint_eq(digest_crc32("123456789", 9), 0xcbf43926);
	ck_assert_uint_eq(digest_crc32("", 0), 0);
}
END_TEST

START_TEST(equal_sees_every_bit)
{
	uint8_t a[DIGEST_HMAC_SIZE], b[DIGEST_HMAC_SIZE];

	memset(a, 0x5a, sizeof(a));
	for (unsigned int bit = 0; bit < 8 * sizeof(a); bit++) {
		memcpy(b, a, sizeof(b));
		ck_assert(digest_equal(a, b, sizeof(a)));
		b[bit / 8] ^= (uint8_t)(1u << bit % 8);
		ck_assert(!digest_equal(a, b, sizeof(a)));
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("digest");
	TCase *tcase = tcase_create("digest");

	tcase_add_loop_test(tcase, rfc2202, 0, sizeof(vectors) / sizeof(vectors[0]));
	tcase_add_test(tcase, against_openssl);
	tcase_add_test(tcase, crc32_check_value);
	tcase_add_test(tcase, equal_sees_every_bit);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
