/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "controlplane/events/parse.h"
#include "controlplane/rooms/secret.h"
#include "tests/support/rooms.h"
#include "tests/support/unit.h"

/* RFC 3711 appendix B.3: master key and salt, and their base64 by coreutils' base64(1). */
static const char hex[] = "E1F97A0D3E018BE0D64FA32C06DE41390EC675AD498AFEEBB6960B3AABE6";
static const char base64[] = "4fl6DT4Bi+DWT6MsBt5BOQ7Gda1Jiv7rtpYLOqvm";

START_TEST(hex_and_base64_are_the_same_key)
{
	struct stn_master_key a, b;
	char text[SECRET_TEXT_SIZE];

	ck_assert_int_eq(secret_parse(STN_SUITE_AES128_CM_HMAC_SHA1_80, hex, &a), 0);
	ck_assert_int_eq(secret_parse(STN_SUITE_AES128_CM_HMAC_SHA1_80, base64, &b), 0);
	ck_assert_mem_eq(&a, &b, sizeof(a));
	ck_assert_uint_eq(a.key[0], 0xe1);
	ck_assert_uint_eq(a.key[15], 0x39);
	ck_assert_uint_eq(a.salt[0], 0x0e);
	ck_assert_uint_eq(a.salt[13], 0xe6);
	ck_assert_uint_eq(a.salt[14], 0);
	secret_text(&a, text);
	ck_assert_str_eq(text, base64);
}
END_TEST

static const struct {
	const char *what;
	unsigned int suite;
	const char *text;
} bad[] = {
	{"nothing", STN_SUITE_AEAD_AES_128_GCM, ""},
	{"a key for another suite", STN_SUITE_AEAD_AES_128_GCM, hex},
	{"one digit too few", STN_SUITE_AES128_CM_HMAC_SHA1_80,
		"E1F97A0D3E018BE0D64FA32C06DE41390EC675AD498AFEEBB6960B3AABE"},
	{"not a digit", STN_SUITE_AES128_CM_HMAC_SHA1_80,
		"G1F97A0D3E018BE0D64FA32C06DE41390EC675AD498AFEEBB6960B3AABE6"},
	{"not base64", STN_SUITE_AES128_CM_HMAC_SHA1_80,
		"4fl6DT4Bi+DWT6MsBt5BOQ7Gda1Jiv7rtpYLOqv*"},
	{"padding where there is none", STN_SUITE_AES128_CM_HMAC_SHA1_80,
		"4fl6DT4Bi+DWT6MsBt5BOQ7Gda1Jiv7rtpYLOq=="},
	{"padding missing", STN_SUITE_AEAD_AES_128_GCM, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
	{"padding in the middle", STN_SUITE_AEAD_AES_128_GCM,
		"AAAA==AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="},
};

START_TEST(a_bad_key_is_refused)
{
	struct stn_master_key key;

	ck_assert_msg(
		secret_parse(bad[_i].suite, bad[_i].text, &key) == -EINVAL, "%s", bad[_i].what);
}
END_TEST

START_TEST(every_suite_reads_what_it_writes)
{
	struct desk desk;

	desk_open(&desk);
	for (unsigned int suite = 1; suite < STN_SUITE_COUNT; suite++) {
		struct stn_master_key key, again;
		char text[SECRET_TEXT_SIZE];

		ck_assert_int_eq(secret_mint(&desk.registry, suite, &key), 0);
		secret_text(&key, text);
		ck_assert_int_eq(secret_parse(suite, text, &again), 0);
		ck_assert_mem_eq(&key, &again, sizeof(key));
	}
	desk_close(&desk);
}
END_TEST

/* SHA-256 by coreutils' sha256sum(1) over the 30 bytes. */
START_TEST(the_digest_is_sha_256_of_key_and_salt)
{
	struct stn_master_key key;
	char digest[65];

	ck_assert_int_eq(secret_parse(STN_SUITE_AES128_CM_HMAC_SHA1_80, hex, &key), 0);
	ck_assert_int_eq(secret_digest(&key, digest), 0);
	ck_assert_str_eq(
		digest, "05e33d617bc415a86b79184ecc0675e4d68a2a1f0374fd392e2bc5f2294fb542");
}
END_TEST

START_TEST(marks_become_keys_and_null_when_the_member_is_gone)
{
	struct desk desk;
	struct writer text = {0}, out = {0};
	struct member *member;
	uint64_t id = 0;

	desk_open(&desk);
	ck_assert_int_eq(desk_ask(&desk, "{\"id\":\"1\",\"type\":\"room.open\",\"actor\":\"a\","
					 "\"room\":\"r\"}"),
		VERDICT_OK);
	ck_assert_int_eq(
		desk_ask(&desk, "{\"id\":\"2\",\"type\":\"member.join\",\"actor\":\"a\","
				"\"room\":\"r\",\"role\":\"host\",\"address\":\"10.0.0.1\","
				"\"port\":9,\"suite\":\"AES128_CM_HMAC_SHA1_80\",\"tx_key\":"
				"\"4fl6DT4Bi+DWT6MsBt5BOQ7Gda1Jiv7rtpYLOqvm\"}"),
		VERDICT_OK);
	member = roster_next(&desk.registry.members, &id);
	writer_mark(&text, "k", SECRET_MARK_TX, id);
	writer_mark(&text, "p", SECRET_MARK_PROGRAMMED, 0);
	secret_expand(&desk.registry, true, text.text, text.size, &out);
	ck_assert_uint_eq(out.size, strlen("\"k\":\"\",\"p\":true") + strlen(base64));
	ck_assert(memcmp(out.text + 5, base64, strlen(base64)) == 0);
	writer_reset(&out);
	registry_member_unlink(&desk.registry, member);
	member_free(member);
	secret_expand(&desk.registry, false, text.text, text.size, &out);
	ck_assert_uint_eq(out.size, strlen("\"k\":null,\"p\":false"));
	ck_assert(memcmp(out.text, "\"k\":null,\"p\":false", out.size) == 0);
	writer_clear(&out);
	writer_clear(&text);
	desk_close(&desk);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("secret");
	TCase *tcase = tcase_create("secret");

	tcase_add_test(tcase, hex_and_base64_are_the_same_key);
	tcase_add_loop_test(tcase, a_bad_key_is_refused, 0, sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(tcase, every_suite_reads_what_it_writes);
	tcase_add_test(tcase, the_digest_is_sha_256_of_key_and_salt);
	tcase_add_test(tcase, marks_become_keys_and_null_when_the_member_is_gone);
	parse_setup();
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
