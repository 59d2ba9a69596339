// SPDX-License-Identifier: BSD-3-Clause
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "perf/mediakey.h"

/* RFC 4568 section 6.1: key and salt of 30 bytes in base64, and what they spell. */
#define SDES_BASE64 "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp1CnVubGVz"
#define SDES_BYTES "YS___semctl () {\t220;}\nu\nunles"

START_TEST(base64_of_rfc_4568_decodes)
{
	struct media_key key;

	ck_assert_int_eq(media_key_parse(&key, MEDIA_SUITE_CM80, SDES_BASE64), 0);
	ck_assert_uint_eq(key.size, 30);
	ck_assert_mem_eq(key.bytes, SDES_BYTES, 30);
}
END_TEST

START_TEST(what_was_formatted_parses_to_the_same)
{
	for (unsigned int s = 0; s < MEDIA_SUITE_COUNT; s++) {
		struct media_key key, again;
		char text[80];

		ck_assert_int_eq(media_key_random(&key, (enum media_suite)s), 0);
		media_key_format(&key, text);
		ck_assert_int_eq(media_key_parse(&again, (enum media_suite)s, text), 0);
		ck_assert_uint_eq(again.size, media_suite_key_size((enum media_suite)s));
		ck_assert_mem_eq(again.bytes, key.bytes, key.size);
	}
}
END_TEST

START_TEST(a_key_of_another_length_is_refused)
{
	static const char *const bad[] = {"", "00",
		"WVNfX19zZW1jdGw=", SDES_BASE64 "AA==", "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp1CnVubG!z",
		"zz0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d"};
	struct media_key key;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_int_lt(media_key_parse(&key, MEDIA_SUITE_CM80, bad[i]), 0);
}
END_TEST

START_TEST(suites_go_by_the_names_of_iana_and_ffmpeg)
{
	enum media_suite suite = MEDIA_SUITE_COUNT;

	ck_assert_int_eq(media_suite_parse(&suite, "AEAD_AES_256_GCM"), 0);
	ck_assert_int_eq(suite, MEDIA_SUITE_GCM256);
	ck_assert_int_eq(media_suite_parse(&suite, "AES_CM_128_HMAC_SHA1_80"), 0);
	ck_assert_int_eq(suite, MEDIA_SUITE_CM80);
	ck_assert_int_eq(media_suite_parse(&suite, "AES128_CM_HMAC_SHA1_80"), 0);
	ck_assert_int_lt(media_suite_parse(&suite, "NULL"), 0);
}
END_TEST

/* The reference packets of libsrtp's own driver (srtp_validate, srtp_validate_gcm). */
static const uint8_t plain[28] = "\x80\x0f\x12\x34\xde\xca\xfb\xad\xca\xfe\xba\xbe"
				 "\xab\xab\xab\xab\xab\xab\xab\xab\xab\xab\xab\xab\xab\xab\xab\xab";

static const struct {
	enum media_suite suite;
	const char *key;
	uint8_t protected[44];
	int size;
} reference[] = {
	{MEDIA_SUITE_CM80, "e1f97a0d3e018be0d64fa32c06de41390ec675ad498afeebb6960b3aabe6",
		"\x80\x0f\x12\x34\xde\xca\xfb\xad\xca\xfe\xba\xbe\x4e\x55\xdc\x4c\xe7\x99\x78\xd8"
		"\x8c\xa4\xd2\x15\x94\x9d\x24\x02\xb7\x8d\x6a\xcc\x99\xea\x17\x9b\x8d\xbb",
		38},
	{MEDIA_SUITE_GCM128, "000102030405060708090a0b0c0d0e0fa0a1a2a3a4a5a6a7a8a9aaab",
		"\x80\x0f\x12\x34\xde\xca\xfb\xad\xca\xfe\xba\xbe\xc5\x00\x2e\xde\x04\xcf\xdd\x2e"
		"\xb9\x11\x59\xe0\x88\x0a\xa0\x6e\xd2\x97\x68\x26\xf7\x96\xb2\x01\xdf\x31\x31\xa1"
		"\x27\xe8\xa3\x92",
		44},
};

START_TEST(a_policy_protects_as_libsrtp_documents)
{
	uint8_t packet[28 + SRTP_MAX_TRAILER_LEN];
	int size = sizeof(plain);
	struct media_key key;
	srtp_policy_t policy;
	srtp_t srtp;

	memcpy(packet, plain, sizeof(plain));
	ck_assert_int_eq(media_key_parse(&key, reference[_i].suite, reference[_i].key), 0);
	media_key_policy(&key, ssrc_any_outbound, &policy);
	ck_assert_int_eq(srtp_create(&srtp, &policy), srtp_err_status_ok);
	ck_assert_int_eq(srtp_protect(srtp, packet, &size), srtp_err_status_ok);
	ck_assert_int_eq(size, reference[_i].size);
	ck_assert_mem_eq(packet, reference[_i].protected, (size_t)size);
	srtp_dealloc(srtp);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mediakey");
	TCase *cases = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	srtp_init();
	suite_add_tcase(suite, cases);
	tcase_add_test(cases, base64_of_rfc_4568_decodes);
	tcase_add_test(cases, what_was_formatted_parses_to_the_same);
	tcase_add_test(cases, a_key_of_another_length_is_refused);
	tcase_add_test(cases, suites_go_by_the_names_of_iana_and_ffmpeg);
	tcase_add_loop_test(cases, a_policy_protects_as_libsrtp_documents, 0, 2);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
