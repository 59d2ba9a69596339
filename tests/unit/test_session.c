// SPDX-License-Identifier: BSD-3-Clause
/*
 * The vectors of the RFCs. Most of them start from session keys, which libsrtp2 does not take: what
 * starts there is asked of ipsec_mb, what starts from a master key of both engines. test_engine.c
 * shows that the two are equal.
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "dataplane/crypto/engine.h"
#include "dataplane/crypto/ipsec_mb.h"
#include "dataplane/crypto/vaes.h"
#include "dataplane/crypto/vaes_cm.h"
#include "tests/support/random.h"
#include "tests/support/unit.h"

#define HEX_MAX 256

struct bytes {
	uint8_t data[HEX_MAX];
	unsigned int size;
};

static unsigned int digit(char c)
{
	return (unsigned int)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

/* Blanks are for reading. */
static struct bytes hex(const char *text)
{
	struct bytes bytes = {.size = 0};

	for (; *text; text++) {
		if (*text == ' ')
			continue;
		ck_assert_uint_lt(bytes.size, HEX_MAX);
		bytes.data[bytes.size++] = (uint8_t)(digit(text[0]) << 4 | digit(text[1]));
		text++;
	}
	return bytes;
}

static struct engine_core *core;

static void setup(void)
{
	core = engine_ipsec_mb.open();
	ck_assert_ptr_nonnull(core);
}

static void teardown(void)
{
	engine_ipsec_mb.close(core);
}

/* RFC 3711 appendix B.2. The last block shown is the 65,282nd. */
START_TEST(rfc3711_b2_keystream)
{
	struct bytes key = hex("2B7E151628AED2A6ABF7158809CF4F3C");
	struct bytes salt = hex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD");
	struct session_half half = {.key = {0}};
	struct cm_lane lane;
	struct ipsec_mb_packet packet = {.text_size = 1044512};

	memcpy(half.key, key.data, key.size);
	memcpy(half.salt, salt.data, salt.size);
	ipsec_mb_cm_expand(core, &half, &lane);
	packet.text = calloc(1, packet.text_size);
	packet.iv = ipsec_mb_iv(SUITE_AES128_CM_HMAC_SHA1_80, &lane.salt, 0, 0);
	ipsec_mb_cm_crypt(core, &lane, &packet);
	ck_assert_mem_eq(packet.text,
		hex("E03EAD0935C95E80E166B16DD92B4EB4 D23513162B02D0F72A43A2FE4A5F97AB"
		    "41E95B3BB0A2E8DD477901E4FCA894C0")
			.data,
		48);
	ck_assert_mem_eq(packet.text + packet.text_size - 48,
		hex("EC8CDF7398607CB0F2D21675EA9EA1E4 362B7C3C6773516318A077D7FC5073AE"
		    "6A2CC3787889374FBEB4C81B17BA6C44")
			.data,
		48);
	free(packet.text);
}
END_TEST

/* The same blocks as the ciphertext of a run: its plaintext is zeros, the last of them cut. */
START_TEST(rfc3711_b2_run)
{
	struct bytes key = hex("2B7E151628AED2A6ABF7158809CF4F3C");
	struct bytes salt = hex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD");
	uint8_t zeros[45] = {0}, packet[12 + sizeof(zeros) + 10], *out[1] = {packet};
	struct plaintext p = {.header = zeros,
		.header_size = 12,
		.payload = zeros,
		.payload_size = sizeof(zeros)};
	struct session_keys keys = {.suite = SUITE_AES128_CM_HMAC_SHA1_80};
	uint32_t roc[1] = {0};
	void *block = aligned_alloc(64, vaes_cm_block_size());

	memcpy(keys.rtp.key, key.data, key.size);
	memcpy(keys.rtp.salt, salt.data, salt.size);
	for (unsigned int lane = 0; engine_vaes.available() && lane < ENGINE_BLOCK_LEGS; lane++) {
		memset(block, 0, vaes_cm_block_size());
		vaes_cm_set(core, block, lane, &keys);
		memset(packet, 0xee, sizeof(packet));
		vaes_cm_run(block, lane, 1, &p, roc, out);
		ck_assert_mem_eq(packet, zeros, 12);
		ck_assert_mem_eq(packet + 12,
			hex("E03EAD0935C95E80E166B16DD92B4EB4 D23513162B02D0F72A43A2FE4A5F97AB"
			    "41E95B3BB0A2E8DD477901E4FC")
				.data,
			sizeof(zeros));
	}
	free(block);
}
END_TEST

#define B3_KEY "E1F97A0D3E018BE0D64FA32C06DE4139"
#define B3_SALT "0EC675AD498AFEEBB6960B3AABE6"
#define B3_CIPHER_KEY "C61E7A93744F39EE10734AFE3FF7A087"
#define B3_CIPHER_SALT "30CBBC08863D8C85D49DB34A9AE1"
#define B3_AUTH_KEY "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4" /* its first 20 of 94 bytes */

static struct master_key master(enum suite suite, const char *key, const char *salt)
{
	struct master_key m = {.suite = suite};
	struct bytes bytes = hex(key);

	memcpy(m.key, bytes.data, bytes.size);
	bytes = hex(salt);
	memcpy(m.salt, bytes.data, bytes.size);
	return m;
}

START_TEST(rfc3711_b3_key_derivation)
{
	struct master_key m = master(SUITE_AES128_CM_HMAC_SHA1_80, B3_KEY, B3_SALT);
	struct session_keys keys;

	ipsec_mb_derive(core, &m, &keys);
	ck_assert_mem_eq(keys.rtp.key, hex(B3_CIPHER_KEY).data, 16);
	ck_assert_mem_eq(keys.rtp.salt, hex(B3_CIPHER_SALT).data, 14);
	ck_assert_mem_eq(keys.rtp.auth, hex(B3_AUTH_KEY).data, 20);
	if (!engine_vaes.available())
		return;
	memset(&keys, 0xee, sizeof(keys));
	vaes_derive(&m, &keys);
	ck_assert_mem_eq(keys.rtp.key, hex(B3_CIPHER_KEY).data, 16);
	ck_assert_mem_eq(keys.rtp.salt, hex(B3_CIPHER_SALT).data, 14);
	ck_assert_mem_eq(keys.rtp.auth, hex(B3_AUTH_KEY).data, 20);
}
END_TEST

/* RFC 6188 section 7.2: the PRF of AEAD_AES_256_GCM's keys, here with a salt of 14 bytes. */
START_TEST(rfc6188_7_2_key_derivation)
{
	const struct suite_facts facts = {"AES_256_CM", 32, 14, 10};
	struct bytes key = hex("f0f04914b513f2763a1b1fa130f10e29 98f6f6e43e4309d1e622a0e332b9f1b6");
	struct bytes salt = hex("3b04803de51ee7c96423ab5b78d2");
	struct ipsec_mb_prf prf;
	uint8_t keystream[32];

	ipsec_mb_prf_init(core, &prf, &facts, key.data, salt.data);
	ipsec_mb_prf(core, &prf, SESSION_LABEL_KEY, keystream);
	ck_assert_mem_eq(keystream,
		hex("5ba1064e30ec51613cad926c5a28ef73 1ec7fb397f70a960653caf06554cd8c4").data, 32);
	ipsec_mb_prf(core, &prf, SESSION_LABEL_SALT, keystream);
	ck_assert_mem_eq(keystream, hex("fa31791685ca444a9e07c6c64e93").data, 14);
	ipsec_mb_prf(core, &prf, SESSION_LABEL_AUTH, keystream);
	ck_assert_mem_eq(keystream, hex("fd9c32d39ed5fbb5a9dc96b30818454d1313dc05").data, 20);
}
END_TEST

/* FIPS 197 appendix A.1 and A.3: the last round key. */
START_TEST(fips197_key_expansion)
{
	struct bytes key = hex("2b7e151628aed2a6abf7158809cf4f3c");
	uint8_t round_keys[16 * VAES_ROUND_KEYS_MAX] __attribute__((aligned(16)));

	if (!engine_vaes.available())
		return;
	vaes_round_keys(key.data, key.size, round_keys);
	ck_assert_mem_eq(round_keys, key.data, 16);
	ck_assert_mem_eq(round_keys + 160, hex("d014f9a8c9ee2589e13f0cc8b6630ca6").data, 16);
	key = hex("603deb1015ca71be2b73aef0857d7781 1f352c073b6108d72d9810a30914dff4");
	vaes_round_keys(key.data, key.size, round_keys);
	ck_assert_mem_eq(round_keys, key.data, 32);
	ck_assert_mem_eq(round_keys + 224, hex("fe4890d1e6188d0b046df344706c631e").data, 16);
}
END_TEST

/* Every suite, keys at random; the half of SRTCP is left out. */
START_TEST(vaes_derives_what_ipsec_mb_derives)
{
	static const struct session_half none;
	struct session_keys expected, keys;
	struct random_state random;
	struct master_key m;

	random_seed(&random);
	for (unsigned int i = 0; engine_vaes.available() && i < 1000; i++) {
		memset(&m, 0, sizeof(m));
		random_fill(&random, m.key, sizeof(m.key));
		random_fill(&random, m.salt, sizeof(m.salt));
		m.suite = (enum suite)_i;
		ipsec_mb_derive(core, &m, &expected);
		memset(&keys, 0xee, sizeof(keys));
		vaes_derive(&m, &keys);
		ck_assert_int_eq(keys.suite, expected.suite);
		ck_assert_mem_eq(&keys.rtp, &expected.rtp, sizeof(keys.rtp));
		ck_assert_mem_eq(&keys.rtcp, &none, sizeof(none));
	}
}
END_TEST

#define KEY_128 "000102030405060708090a0b0c0d0e0f"
#define KEY_256 "000102030405060708090a0b0c0d0e0f 101112131415161718191a1b1c1d1e1f"
#define QUID_PRO_QUO "517569642070726f2071756f"
#define GALLIA \
	"8040f17b 8041f8d3 5501a0b2 47616c6c 69612065 7374206f 6d6e6973 20646976" \
	"69736120 696e2070 61727465 73207472 6573"
#define MARS \
	"81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61" \
	"deadbeef deadbeef deadbeef deadbeef deadbeef"

static const struct {
	const char *name;
	enum suite suite;
	const char *key;
	bool rtcp;
	const char *clear;
	const char *protected;
	uint64_t index;
} rfc7714[] = {
	{"16.1.1 and 16.1.2", SUITE_AEAD_AES_128_GCM, KEY_128, false, GALLIA,
		"8040f17b 8041f8d3 5501a0b2 f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5"
		"0d294e6f 42a5f47a 51c7d19b 36de3adf 8833899d 7f27beb1 6a9152cf 765ee439 0cce",
		0xf17b},
	{"16.2.1 and 16.2.2", SUITE_AEAD_AES_256_GCM, KEY_256, false, GALLIA,
		"8040f17b 8041f8d3 5501a0b2 32b1de78 a822fe12 ef9f78fa 332e33aa b1801238"
		"9a58e2f3 b50b2a02 76ffae0f 1ba63799 b87b7aa3 db36dfff d6b0f9bb 7878d7a7 6c13",
		0xf17b},
	{"17.1 and 17.2", SUITE_AEAD_AES_128_GCM, KEY_128, true, MARS,
		"81c8000d 4d617273 63e94885 dcdab67c a727d766 2f6b7e99 7ff5c0f7 6c06f32d"
		"c676a5f1 730d6fda 4ce09b46 86303ded 0bb9275b c84aa458 96cf4d2f c5abf872"
		"45d9eade 800005d4",
		0x5d4},
	{"17.3 and 17.4", SUITE_AEAD_AES_256_GCM, KEY_256, true, MARS,
		"81c8000d 4d617273 d50ae4d1 f5ce5d30 4ba297e4 7d470c28 2c3ece5d bffe0a50"
		"a2eaa5c1 110555be 8415f658 c61de047 6f1b6fad 1d1eb30c 4446839f 57ff6f6c"
		"b26ac3be 800005d4",
		0x5d4},
};

START_TEST(rfc7714_packets)
{
	struct bytes key = hex(rfc7714[_i].key), salt = hex(QUID_PRO_QUO);
	struct bytes clear = hex(rfc7714[_i].clear), expected = hex(rfc7714[_i].protected);
	struct bytes packet = clear;
	struct session_keys keys = {.suite = rfc7714[_i].suite};
	const struct engine *engine = &engine_ipsec_mb;
	struct engine_context *context;
	int size;

	memcpy(keys.rtp.key, key.data, key.size);
	memcpy(keys.rtp.salt, salt.data, salt.size);
	keys.rtcp = keys.rtp;
	context = ipsec_mb_open(core, &keys);
	if (rfc7714[_i].rtcp) {
		packet.size = engine->protect_rtcp(core, context, packet.data, packet.size,
			0x4d617273, (uint32_t)rfc7714[_i].index);
	} else {
		packet.size = engine->protect(
			core, context, packet.data, 12, packet.size, 0x5501a0b2, rfc7714[_i].index);
	}
	ck_assert_msg(packet.size == expected.size, "%s", rfc7714[_i].name);
	ck_assert_mem_eq(packet.data, expected.data, expected.size);
	if (rfc7714[_i].rtcp) {
		size = engine->unprotect_rtcp(core, context, packet.data, packet.size, 0x4d617273,
			(uint32_t)rfc7714[_i].index);
	} else {
		size = engine->unprotect(
			core, context, packet.data, 12, packet.size, 0x5501a0b2, rfc7714[_i].index);
	}
	ck_assert_int_eq(size, (int)clear.size);
	ck_assert_mem_eq(packet.data, clear.data, clear.size);
	engine->context_close(context);
}
END_TEST

/* The same packet through a run: the path of listeners. */
START_TEST(rfc7714_runs)
{
	struct bytes key = hex(rfc7714[_i].key), salt = hex(QUID_PRO_QUO);
	struct bytes clear = hex(GALLIA), expected = hex(rfc7714[_i].protected);
	struct session_keys keys = {.suite = rfc7714[_i].suite};
	struct plaintext p = {.header = clear.data,
		.header_size = 12,
		.payload = clear.data + 12,
		.payload_size = clear.size - 12,
		.ssrc = 0x5501a0b2,
		.sequence = 0xf17b};
	struct gcm_block *block = aligned_alloc(64, sizeof(*block));
	uint32_t roc[1] = {0};
	uint8_t packet[HEX_MAX];
	uint8_t *out[1] = {packet};

	memcpy(keys.rtp.key, key.data, key.size);
	memcpy(keys.rtp.salt, salt.data, salt.size);
	memset(block, 0, sizeof(*block));
	ipsec_mb_set(core, block, 63, &keys);
	engine_ipsec_mb.protect_run(core, keys.suite, block, 63, 1, &p, roc, out);
	ck_assert_mem_eq(packet, expected.data, expected.size);
	if (engine_vaes.available()) {
		memset(block, 0, sizeof(*block));
		memset(packet, 0, sizeof(packet));
		vaes_set(core, block, 62, &keys);
		engine_vaes.protect_run(core, keys.suite, block, 62, 1, &p, roc, out);
		ck_assert_mem_eq(packet, expected.data, expected.size);
	}
	free(block);
}
END_TEST

/*
 * From a master key, both engines. The first is computed here with OpenSSL from the session keys
 * that RFC 3711 B.3 prints; the others are the packets of libsrtp's own test driver.
 */
#define PAYLOAD_AB "abababababababababababababababab"
#define RTP_AB "800f1234 decafbad cafebabe" PAYLOAD_AB
#define RTCP_AB "81c8000b cafebabe" PAYLOAD_AB
#define GCM_SALT "a0a1a2a3a4a5a6a7a8a9aaab"

static const struct {
	enum suite suite;
	const char *key, *salt;
	bool rtcp;
	const char *protected; /* NULL: computed */
} from_master[] = {
	{SUITE_AES128_CM_HMAC_SHA1_80, B3_KEY, B3_SALT, false, NULL},
	{SUITE_AES128_CM_HMAC_SHA1_80, B3_KEY, B3_SALT, false,
		"800f1234 decafbad cafebabe 4e55dc4c e79978d8 8ca4d215 949d2402"
		"b78d6acc 99ea179b 8dbb"},
	{SUITE_AES128_CM_HMAC_SHA1_80, B3_KEY, B3_SALT, true,
		"81c8000b cafebabe 7128035b e487b9bd bef89041 f977a5a8 80000001"
		"993e08cd 54d6c123 0798"},
	{SUITE_AEAD_AES_128_GCM, KEY_128, GCM_SALT, false,
		"800f1234 decafbad cafebabe c5002ede 04cfdd2e b91159e0 880aa06e"
		"d2976826 f796b201 df3131a1 27e8a392"},
	{SUITE_AEAD_AES_128_GCM, KEY_128, GCM_SALT, true,
		"81c8000b cafebabe c98b8b5d f0392a55 852b6c21 ac8e7025 c52c6fbe"
		"a2b3b446 ea31123b a88ce61e 80000001"},
};

/* RFC 3711 section 4.1.1 and 4.2 for SSRC 0xcafebabe and index 0x1234. */
static struct bytes openssl_cm(const struct bytes *clear)
{
	struct bytes key = hex(B3_CIPHER_KEY), salt = hex(B3_CIPHER_SALT), auth = hex(B3_AUTH_KEY);
	struct bytes iv = hex("00000000 cafebabe 00000000 12340000"), packet = *clear;
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	uint8_t tag[20];
	int size;

	for (unsigned int i = 0; i < salt.size; i++)
		iv.data[i] ^= salt.data[i];
	ck_assert(EVP_EncryptInit_ex(context, EVP_aes_128_ctr(), NULL, key.data, iv.data));
	ck_assert(EVP_EncryptUpdate(
		context, packet.data + 12, &size, clear->data + 12, (int)clear->size - 12));
	EVP_CIPHER_CTX_free(context);
	memset(packet.data + packet.size, 0, 4);
	HMAC(EVP_sha1(), auth.data, (int)auth.size, packet.data, packet.size + 4, tag, NULL);
	memcpy(packet.data + packet.size, tag, 10);
	packet.size += 10;
	return packet;
}

/* A run under the master key of B.3: the packets of OpenSSL and of libsrtp's own test driver. */
START_TEST(rfc3711_b3_run)
{
	struct master_key m = master(SUITE_AES128_CM_HMAC_SHA1_80, B3_KEY, B3_SALT);
	struct bytes clear = hex(RTP_AB), expected[2] = {openssl_cm(&clear)};
	struct plaintext p = {.header = clear.data,
		.header_size = 12,
		.payload = clear.data + 12,
		.payload_size = clear.size - 12,
		.ssrc = 0xcafebabe,
		.sequence = 0x1234};
	uint32_t roc[1] = {0};
	uint8_t packet[HEX_MAX], *out[1] = {packet};
	void *block = aligned_alloc(64, vaes_cm_block_size());

	expected[1] = hex(from_master[1].protected);
	ck_assert_uint_eq(expected[1].size, expected[0].size);
	if (engine_vaes.available()) {
		memset(block, 0, vaes_cm_block_size());
		ck_assert_int_eq(engine_vaes.key_set(core, block, 17, &m), 0);
		engine_vaes.protect_run(core, m.suite, block, 17, 1, &p, roc, out);
		ck_assert_mem_eq(packet, expected[0].data, expected[0].size);
		ck_assert_mem_eq(packet, expected[1].data, expected[1].size);
	}
	free(block);
}
END_TEST

START_TEST(both_engines_from_a_master_key)
{
	const struct engine *engine = engine_at((unsigned int)_i % 2);
	const unsigned int row = (unsigned int)_i / 2;
	bool rtcp = from_master[row].rtcp;
	struct bytes clear = hex(rtcp ? RTCP_AB : RTP_AB), packet = clear, expected;
	struct master_key m =
		master(from_master[row].suite, from_master[row].key, from_master[row].salt);
	struct engine_core *own;
	struct engine_context *context;
	int size;

	expected =
		from_master[row].protected ? hex(from_master[row].protected) : openssl_cm(&clear);
	ck_assert(engine->available());
	own = engine->open();
	context = engine->context_open(own, &m);
	packet.size =
		rtcp ? engine->protect_rtcp(own, context, packet.data, packet.size, 0xcafebabe, 1)
		     : engine->protect(
			       own, context, packet.data, 12, packet.size, 0xcafebabe, 0x1234);
	ck_assert_msg(packet.size == expected.size, "%s row %u", engine->name, row);
	ck_assert_mem_eq(packet.data, expected.data, expected.size);
	size = rtcp ? engine->unprotect_rtcp(own, context, packet.data, packet.size, 0xcafebabe, 1)
		    : engine->unprotect(
			      own, context, packet.data, 12, packet.size, 0xcafebabe, 0x1234);
	ck_assert_int_eq(size, (int)clear.size);
	ck_assert_mem_eq(packet.data, clear.data, clear.size);
	engine->context_close(context);
	engine->close(own);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("session");
	TCase *tcase = tcase_create("vectors");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, rfc3711_b2_keystream);
	tcase_add_test(tcase, rfc3711_b2_run);
	tcase_add_test(tcase, rfc3711_b3_key_derivation);
	tcase_add_test(tcase, rfc3711_b3_run);
	tcase_add_test(tcase, rfc6188_7_2_key_derivation);
	tcase_add_test(tcase, fips197_key_expansion);
	tcase_add_loop_test(
		tcase, vaes_derives_what_ipsec_mb_derives, SUITE_AEAD_AES_128_GCM, SUITE_COUNT);
	tcase_add_loop_test(tcase, rfc7714_packets, 0, 4);
	tcase_add_loop_test(tcase, rfc7714_runs, 0, 2);
	tcase_add_loop_test(tcase, both_engines_from_a_master_key, 0, 10);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
