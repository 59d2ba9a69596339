// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/core/stun.h"
#include "tests/support/stun_craft.h"
#include "tests/support/unit.h"

#include <errno.h>
#include <openssl/evp.h>

#define COOKIE "\x21\x12\xa4\x42"
#define ID "\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae"
#define PASSWORD "VOkJxbRl1RmTxUk/WvJxBt"

/* RFC 5769 sections 2.1 to 2.4. */
static const char request[] =
	"\x00\x01\x00\x58" COOKIE ID "\x80\x22\x00\x10STUN test client"
	"\x00\x24\x00\x04\x6e\x00\x01\xff\x80\x29\x00\x08\x93\x2f\xf9\xb1\x51\x26\x3b\x36"
	"\x00\x06\x00\x09\x65\x76\x74\x6a\x3a\x68\x36\x76\x59\x20\x20\x20"
	"\x00\x08\x00\x14\x9a\xea\xa7\x0c\xbf\xd8\xcb\x56\x78\x1e\xf2\xb5\xb2\xd3\xf2\x49\xc1\xb5"
	"\x71\xa2\x80\x28\x00\x04\xe5\x7a\x3b\xcf";
static const char response_ipv4[] =
	"\x01\x01\x00\x3c" COOKIE ID "\x80\x22\x00\x0btest vector\x20"
	"\x00\x20\x00\x08\x00\x01\xa1\x47\xe1\x12\xa6\x43"
	"\x00\x08\x00\x14\x2b\x91\xf5\x99\xfd\x9e\x90\xc3\x8c\x74\x89\xf9\x2a\xf9\xba\x53\xf0\x6b"
	"\xe7\xd7\x80\x28\x00\x04\xc0\x7d\x4c\x96";
static const char response_ipv6[] =
	"\x01\x01\x00\x48" COOKIE ID "\x80\x22\x00\x0btest vector\x20"
	"\x00\x20\x00\x14\x00\x02\xa1\x47\x01\x13\xa9\xfa\xa5\xd3\xf1\x79\xbc\x25\xf4\xb5\xbe\xd2"
	"\xb9\xd9"
	"\x00\x08\x00\x14\xa3\x82\x95\x4e\x4b\xe6\x7b\xf1\x17\x84\xc9\x7c\x82\x92\xc2\x75\xbf\xe3"
	"\xed\x41\x80\x28\x00\x04\xc8\xfb\x0b\x4c";
static const char long_term[] =
	"\x00\x01\x00\x60" COOKIE "\x78\xad\x34\x33\xc6\xad\x72\xc0\x29\xda\x41\x2e"
	"\x00\x06\x00\x12\xe3\x83\x9e\xe3\x83\x88\xe3\x83\xaa\xe3\x83\x83\xe3\x82\xaf\xe3\x82\xb9"
	"\x00\x00\x00\x15\x00\x1c\x66\x2f\x2f\x34\x39\x39\x6b\x39\x35\x34\x64\x36\x4f\x4c\x33\x34"
	"\x6f\x4c\x39\x46\x53\x54\x76\x79\x36\x34\x73\x41\x00\x14\x00\x0b\x65\x78\x61\x6d\x70\x6c"
	"\x65\x2e\x6f\x72\x67\x00"
	"\x00\x08\x00\x14\xf6\x70\x24\x65\x6d\xd6\x4a\x3e\x02\xb8\xe0\x71\x2e\x85\xc9\xa2\x8c\xa8"
	"\x96\x66";

static const uint8_t id[12] = ID;
static const uint8_t address_ipv6[16] = {0x20, 0x01, 0x0d, 0xb8, 0x12, 0x34, 0x56, 0x78, 0x00, 0x11,
	0x22, 0x33, 0x44, 0x55, 0x66, 0x77};

static int parse(const void *data, size_t size, struct stun *out)
{
	uint8_t *block;
	int result = stun_parse(unit_block(data, size, &block), (unsigned int)size, out);

	free(block);
	return result;
}

static bool verify(const struct stun *stun, const void *data, const char *password)
{
	struct digest_key key;

	digest_key_set(&key, password, strlen(password));
	return stun_verify(stun, data, &key);
}

START_TEST(rfc5769_request)
{
	struct stun stun;

	ck_assert_int_eq(stun_parse((const uint8_t *)request, sizeof(request) - 1, &stun), 0);
	ck_assert_int_eq(stun.class, STUN_REQUEST);
	ck_assert_uint_eq(stun.size, sizeof(request) - 1);
	ck_assert_mem_eq(stun.transaction, id, sizeof(id));
	ck_assert_uint_eq(stun.username_size, 9);
	ck_assert_mem_eq(stun.username, "evtj:h6vY", 9);
	ck_assert(stun.controlled && !stun.controlling && !stun.use_candidate);
	ck_assert_uint_eq(stun.tie_breaker, UINT64_C(0x932ff9b151263b36));
	ck_assert_uint_eq(stun.unknown, 0);
	ck_assert(!stun.mapped_known);
	ck_assert(verify(&stun, request, PASSWORD));
	ck_assert(!verify(&stun, request, "VOkJxbRl1RmTxUk/WvJxBu"));
}
END_TEST

START_TEST(rfc5769_response)
{
	const char *message = _i ? response_ipv6 : response_ipv4;
	unsigned int size = _i ? sizeof(response_ipv6) - 1 : sizeof(response_ipv4) - 1;
	struct stun stun;

	ck_assert_int_eq(stun_parse((const uint8_t *)message, size, &stun), 0);
	ck_assert_int_eq(stun.class, STUN_SUCCESS);
	ck_assert(stun.mapped_known);
	ck_assert_uint_eq(stun.mapped.family, _i ? 6 : 4);
	ck_assert_uint_eq(__builtin_bswap16(stun.mapped.port_be), 32853);
	if (_i)
		ck_assert_mem_eq(stun.mapped.address, address_ipv6, 16);
	else
		ck_assert_mem_eq(stun.mapped.address, "\xc0\0\2\1\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	ck_assert(verify(&stun, message, PASSWORD));
}
END_TEST

/* It has no FINGERPRINT, so it is none of ours; with one it parses, and its HMAC is right. */
START_TEST(rfc5769_long_term)
{
	static const char credentials[] =
		"\xe3\x83\x9e\xe3\x83\x88\xe3\x83\xaa\xe3\x83\x83\xe3\x82\xaf\xe3\x82\xb9"
		":example.org:TheMatrIX";
	static struct craft craft;
	unsigned char md5[16];
	struct digest_key key;
	struct stun stun;

	ck_assert_int_eq(parse(long_term, sizeof(long_term) - 1, &stun), -EINVAL);
	craft.size = sizeof(long_term) - 1;
	memcpy(craft.bytes, long_term, craft.size);
	craft_fingerprint(&craft);
	ck_assert_int_eq(stun_parse(craft.bytes, craft.size, &stun), 0);
	ck_assert_uint_eq(stun.username_size, 18);
	ck_assert_uint_eq(stun.unknown, 0);
	ck_assert_int_eq(
		EVP_Digest(credentials, sizeof(credentials) - 1, md5, NULL, EVP_md5(), NULL), 1);
	digest_key_set(&key, md5, sizeof(md5));
	ck_assert(stun_verify(&stun, craft.bytes, &key));
}
END_TEST

START_TEST(cut_and_inverted_at_every_byte)
{
	static const struct {
		const char *bytes;
		size_t size;
	} messages[] = {
		{request, sizeof(request) - 1},
		{response_ipv4, sizeof(response_ipv4) - 1},
		{response_ipv6, sizeof(response_ipv6) - 1},
	};
	uint8_t wrong[256];
	struct stun stun;

	for (size_t i = 0; i < messages[_i].size; i++) {
		ck_assert_int_eq(parse(messages[_i].bytes, i, &stun), -EINVAL);
		for (unsigned int bit = 0; bit < 8; bit++) {
			memcpy(wrong, messages[_i].bytes, messages[_i].size);
			wrong[i] ^= (uint8_t)(1u << bit);
			ck_assert_int_eq(parse(wrong, messages[_i].size, &stun), -EINVAL);
		}
	}
	memcpy(wrong, messages[_i].bytes, messages[_i].size);
	wrong[messages[_i].size] = 0;
	ck_assert_int_eq(parse(wrong, messages[_i].size + 1, &stun), -EINVAL);
	memset(wrong + messages[_i].size, 0, 4);
	ck_assert_int_eq(parse(wrong, messages[_i].size + 4, &stun), -EINVAL);
}
END_TEST

#define NAME1 "AAAAAAAAAAAAAAAA:evtj"
static const char zeros[2048];

/* One attribute in front of a right MESSAGE-INTEGRITY and FINGERPRINT, which is then read. */
static const struct {
	const char *sentence;
	uint16_t type;
	unsigned int size;
	const char *value;
	int result;
} attributes[] = {
	{"a username of one byte", CRAFT_USERNAME, 1, "a", 0},
	{"a username of 513 bytes", CRAFT_USERNAME, 513, zeros, 0},
	{"a username of 514 bytes is refused", CRAFT_USERNAME, 514, zeros, -EINVAL},
	{"an empty username is refused", CRAFT_USERNAME, 0, "", -EINVAL},
	{"a priority", CRAFT_PRIORITY, 4, zeros, 0},
	{"an empty priority is refused", CRAFT_PRIORITY, 0, zeros, -EINVAL},
	{"a priority of 3 bytes is refused", CRAFT_PRIORITY, 3, zeros, -EINVAL},
	{"a priority of 5 bytes is refused", CRAFT_PRIORITY, 5, zeros, -EINVAL},
	{"a nomination", CRAFT_USE_CANDIDATE, 0, "", 0},
	{"a nomination with a value is refused", CRAFT_USE_CANDIDATE, 1, zeros, -EINVAL},
	{"controlling", CRAFT_CONTROLLING, 8, zeros, 0},
	{"controlling without tie-breaker is refused", CRAFT_CONTROLLING, 0, zeros, -EINVAL},
	{"controlling of 7 bytes is refused", CRAFT_CONTROLLING, 7, zeros, -EINVAL},
	{"controlled of 9 bytes is refused", CRAFT_CONTROLLED, 9, zeros, -EINVAL},
	{"an IPv4 address", CRAFT_MAPPED, 8, "\0\1\0\0\0\0\0\0", 0},
	{"an IPv4 address with the family of IPv6 is refused", CRAFT_MAPPED, 8, "\0\2\0\0\0\0\0\0",
		-EINVAL},
	{"an IPv6 address of 8 bytes more is refused", CRAFT_MAPPED, 28, zeros, -EINVAL},
	{"an IPv6 address with the family of IPv4 is refused", CRAFT_MAPPED, 20,
		"\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", -EINVAL},
	{"an address of family 0 is refused", CRAFT_MAPPED, 8, zeros, -EINVAL},
	{"an empty address is refused", CRAFT_MAPPED, 0, zeros, -EINVAL},
	{"a second integrity in front is refused", CRAFT_INTEGRITY, 20, zeros, -EINVAL},
	{"an integrity of SHA-256's size is refused", CRAFT_INTEGRITY, 32, zeros, -EINVAL},
	{"a fingerprint in front is refused", CRAFT_FINGERPRINT, 4, zeros, -EINVAL},
	{"unknown and optional is passed over", 0x8888, 77, zeros, 0},
	{"a kilobyte of unknown and optional", 0xc071, 1024, zeros, 0},
	{"more than a datagram of it is refused", 0xc071, 1460, zeros, -EINVAL},
	{"software", CRAFT_SOFTWARE, 0, "", 0},
};

START_TEST(attribute_row)
{
	static struct craft craft;
	struct stun stun;

	craft_begin(&craft, CRAFT_REQUEST, id);
	craft_put(&craft, attributes[_i].type, attributes[_i].value, attributes[_i].size);
	craft_integrity(&craft, PASSWORD);
	craft_fingerprint(&craft);
	ck_assert_msg(parse(craft.bytes, craft.size, &stun) == attributes[_i].result, "%s",
		attributes[_i].sentence);
	if (attributes[_i].result)
		return;
	ck_assert_int_eq(stun_parse(craft.bytes, craft.size, &stun), 0);
	ck_assert(verify(&stun, craft.bytes, PASSWORD));
	ck_assert_uint_eq(stun.unknown, 0);
}
END_TEST

/* A right one once is accepted, twice is refused, and so are both roles. */
START_TEST(doubled)
{
	static const struct {
		uint16_t first, second;
		unsigned int size;
		const char *value;
		int result;
	} rows[] = {
		{CRAFT_USERNAME, CRAFT_USERNAME, 9, "evtj:h6vY", -EINVAL},
		{CRAFT_PRIORITY, CRAFT_PRIORITY, 4, zeros, -EINVAL},
		{CRAFT_USE_CANDIDATE, CRAFT_USE_CANDIDATE, 0, zeros, -EINVAL},
		{CRAFT_CONTROLLING, CRAFT_CONTROLLING, 8, zeros, -EINVAL},
		{CRAFT_CONTROLLED, CRAFT_CONTROLLING, 8, zeros, -EINVAL},
		{CRAFT_MAPPED, CRAFT_MAPPED, 8, "\0\1\0\0\0\0\0\0", -EINVAL},
		{CRAFT_NETWORK_INFO, CRAFT_NETWORK_INFO, 4, zeros, 0},
		{CRAFT_SOFTWARE, CRAFT_SOFTWARE, 4, zeros, 0},
	};
	static struct craft craft;
	struct stun stun;

	craft_begin(&craft, CRAFT_REQUEST, id);
	craft_put(&craft, rows[_i].first, rows[_i].value, rows[_i].size);
	craft_put(&craft, rows[_i].second, rows[_i].value, rows[_i].size);
	craft_integrity(&craft, PASSWORD);
	craft_fingerprint(&craft);
	ck_assert_int_eq(parse(craft.bytes, craft.size, &stun), rows[_i].result);
}
END_TEST

START_TEST(unknown_and_required_is_told)
{
	static const uint16_t types[] = {0x0002, 0x001c, 0x7fff};
	static struct craft craft;
	struct stun stun;

	for (unsigned int i = 0; i < 3; i++) {
		craft_begin(&craft, CRAFT_REQUEST, id);
		craft_put(&craft, types[i], zeros, 8);
		craft_put(&craft, 0x0003, zeros, 8);
		craft_fingerprint(&craft);
		ck_assert_int_eq(parse(craft.bytes, craft.size, &stun), 0);
		ck_assert_uint_eq(stun.unknown, types[i]);
	}
}
END_TEST

/* Every order of what Chromium sends: right when the last two are where they have to be. */
START_TEST(every_order)
{
	static const uint16_t types[7] = {CRAFT_USERNAME, CRAFT_NETWORK_INFO, CRAFT_CONTROLLING,
		CRAFT_USE_CANDIDATE, CRAFT_PRIORITY, CRAFT_INTEGRITY, CRAFT_FINGERPRINT};
	static const unsigned int sizes[7] = {21, 4, 8, 0, 4};
	static struct craft craft;
	unsigned int accepted = 0;
	struct stun stun;

	for (unsigned int n = 0; n < 5040; n++) {
		unsigned int left[7] = {0, 1, 2, 3, 4, 5, 6}, order[7], rest = n;

		craft_begin(&craft, CRAFT_REQUEST, id);
		for (unsigned int i = 0; i < 7; i++) {
			unsigned int pick = rest % (7 - i);

			rest /= 7 - i;
			order[i] = left[pick];
			memmove(left + pick, left + pick + 1, (6 - pick) * sizeof(left[0]));
			if (types[order[i]] == CRAFT_INTEGRITY)
				craft_integrity(&craft, PASSWORD);
			else if (types[order[i]] == CRAFT_FINGERPRINT)
				craft_fingerprint(&craft);
			else
				craft_put(&craft, types[order[i]], NAME1, sizes[order[i]]);
		}
		ck_assert_int_eq(parse(craft.bytes, craft.size, &stun),
			order[5] == 5 && order[6] == 6 ? 0 : -EINVAL);
		if (order[5] != 5 || order[6] != 6)
			continue;
		ck_assert_int_eq(stun_parse(craft.bytes, craft.size, &stun), 0);
		ck_assert(verify(&stun, craft.bytes, PASSWORD));
		ck_assert(stun.use_candidate && stun.controlling && stun.username_size == 21);
		accepted++;
	}
	ck_assert_uint_eq(accepted, 120);
}
END_TEST

/* Everything that a fingerprint cannot tell, because it is made over it. */
START_TEST(header_row)
{
	static const struct {
		const char *sentence;
		unsigned int at;
		uint8_t value;
		int result;
		enum stun_class class;
	} rows[] = {
		{"a request", 0, 0x00, 0, STUN_REQUEST},
		{"a success response", 0, 0x01, 0, STUN_SUCCESS},
		{"an indication", 1, 0x11, 0, STUN_INDICATION},
		{"another method is refused", 1, 0x03, -EINVAL, 0},
		{"a method with a high bit is refused", 0, 0x02, -EINVAL, 0},
		{"the first two bits are not zero: refused", 0, 0x40, -EINVAL, 0},
		{"the first bit is not zero: refused", 0, 0x80, -EINVAL, 0},
		{"another cookie is refused", 4, 0x20, -EINVAL, 0},
		{"a length that is no multiple of four is refused", 3, 0x09, -EINVAL, 0},
		{"a length beyond the end is refused", 3, 0x0c, -EINVAL, 0},
		{"a length before the end is refused", 3, 0x04, -EINVAL, 0},
	};
	static struct craft craft;
	struct stun stun;

	craft_begin(&craft, CRAFT_REQUEST, id);
	craft_fingerprint(&craft);
	craft.bytes[rows[_i].at] = rows[_i].value;
	craft_seal(&craft);
	ck_assert_msg(
		parse(craft.bytes, craft.size, &stun) == rows[_i].result, "%s", rows[_i].sentence);
	if (rows[_i].result == 0)
		ck_assert_int_eq(stun.class, rows[_i].class);
}
END_TEST

START_TEST(error_class)
{
	static struct craft craft;
	struct stun stun;

	craft_begin(&craft, CRAFT_ERROR, id);
	craft_put(&craft, CRAFT_ERROR_CODE, "\0\0\4\x57", 4);
	craft_fingerprint(&craft);
	ck_assert_int_eq(parse(craft.bytes, craft.size, &stun), 0);
	ck_assert_int_eq(stun.class, STUN_ERROR);
	ck_assert(!verify(&stun, craft.bytes, PASSWORD));
}
END_TEST

START_TEST(builds_responses)
{
	struct stn_address to = {.family = _i ? 6 : 4, .port_be = __builtin_bswap16(32853)};
	uint8_t out[STUN_SUCCESS_SIZE_IPV6];
	static struct craft expected;
	struct digest_key key;
	unsigned int size;

	if (_i)
		memcpy(to.address, address_ipv6, 16);
	else
		memcpy(to.address, "\xc0\0\2\1", 4);
	digest_key_set(&key, PASSWORD, strlen(PASSWORD));
	size = stun_build_success(out, id, &to, &key);
	craft_success(&expected, id, &to, PASSWORD);
	ck_assert_uint_eq(size, _i ? STUN_SUCCESS_SIZE_IPV6 : STUN_SUCCESS_SIZE_IPV4);
	ck_assert_uint_eq(size, expected.size);
	ck_assert_mem_eq(out, expected.bytes, size);
}
END_TEST

START_TEST(builds_checks)
{
	static const char name[513] = "theirs:ours";
	struct stun_check check = {.username = name, .priority = 0x6effffff, .tie_breaker = 77};
	uint8_t out[STUN_CHECK_SIZE + 516];
	static struct craft expected;
	struct digest_key key;
	unsigned int size;

	memcpy(check.transaction, id, sizeof(id));
	digest_key_set(&key, PASSWORD, strlen(PASSWORD));
	for (check.username_size = 1; check.username_size <= 513; check.username_size++) {
		memset(out, 0xff, sizeof(out));
		size = stun_build_check(out, &check, &key);
		craft_begin(&expected, CRAFT_REQUEST, id);
		craft_put(&expected, CRAFT_USERNAME, name, check.username_size);
		craft_put(&expected, CRAFT_PRIORITY, "\x6e\xff\xff\xff", 4);
		craft_put(&expected, CRAFT_CONTROLLED, "\0\0\0\0\0\0\0\x4d", 8);
		craft_integrity(&expected, PASSWORD);
		craft_fingerprint(&expected);
		ck_assert_uint_eq(size, expected.size);
		ck_assert_uint_eq(size, stun_check_size(check.username_size));
		ck_assert_mem_eq(out, expected.bytes, size);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("stun");
	TCase *tcase = tcase_create("stun");

	tcase_add_test(tcase, rfc5769_request);
	tcase_add_loop_test(tcase, rfc5769_response, 0, 2);
	tcase_add_test(tcase, rfc5769_long_term);
	tcase_add_loop_test(tcase, cut_and_inverted_at_every_byte, 0, 3);
	tcase_add_loop_test(tcase, attribute_row, 0, sizeof(attributes) / sizeof(attributes[0]));
	tcase_add_loop_test(tcase, doubled, 0, 8);
	tcase_add_test(tcase, unknown_and_required_is_told);
	tcase_add_test(tcase, every_order);
	tcase_add_loop_test(tcase, header_row, 0, 11);
	tcase_add_test(tcase, error_class);
	tcase_add_loop_test(tcase, builds_responses, 0, 2);
	tcase_add_test(tcase, builds_checks);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
