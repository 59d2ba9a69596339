/* SPDX-License-Identifier: BSD-3-Clause */
#include "controlplane/webrtc/record.h"
#include "tests/support/unit.h"

#define HEAD(type_, epoch_, size_) type_, 0xfe, 0xfd, 0, epoch_, 0, 0, 0, 0, 0, 7, 0, size_
#define MESSAGE(type_, length_, number_, offset_, size_) \
	type_, 0, 0, length_, 0, number_, 0, 0, offset_, 0, 0, size_
#define HELLO HEAD(22, 0, 14), MESSAGE(1, 2, 0, 0, 2), 3, 3

static const struct {
	const char *what;
	size_t size, kept;
	uint8_t bytes[96];
} rows[] = {
	{"nothing", 0, 0, {0}},
	{"a ClientHello", 27, 27, {HELLO}},
	{"a ClientHello in a record of DTLS 1.0", 27, 27,
		{22, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, 7, 0, 14, MESSAGE(1, 2, 0, 0, 2), 3, 3}},
	{"a record of TLS 1.2", 27, 0,
		{22, 0x03, 0x03, 0, 0, 0, 0, 0, 0, 0, 7, 0, 14, MESSAGE(1, 2, 0, 0, 2), 3, 3}},
	{"a ClientHello, cut", 26, 0, {HELLO}},
	{"a header only, cut", 12, 0, {HELLO}},
	{"a second ClientHello, as after a cookie", 27, 0,
		{HEAD(22, 0, 14), MESSAGE(1, 2, 1, 0, 2), 3, 3}},
	{"the first half of a ClientHello", 26, 26, {HEAD(22, 0, 13), MESSAGE(1, 2, 0, 0, 1), 3}},
	{"the second half", 26, 26, {HEAD(22, 0, 13), MESSAGE(1, 2, 0, 1, 1), 3}},
	{"a piece behind the end", 26, 0, {HEAD(22, 0, 13), MESSAGE(1, 2, 0, 2, 1), 3}},
	{"an empty piece", 25, 0, {HEAD(22, 0, 12), MESSAGE(1, 2, 0, 0, 0)}},
	{"a piece longer than its record", 26, 0, {HEAD(22, 0, 13), MESSAGE(1, 2, 0, 0, 2), 3}},
	{"an empty handshake record", 13, 0, {HEAD(22, 0, 0)}},
	{"two messages in one record", 39, 39,
		{HEAD(22, 0, 26), MESSAGE(11, 1, 1, 0, 1), 3, MESSAGE(16, 1, 2, 0, 1), 3}},
	{"two messages, the second of a server", 39, 0,
		{HEAD(22, 0, 26), MESSAGE(11, 1, 1, 0, 1), 3, MESSAGE(12, 1, 2, 0, 1), 3}},
	{"a ServerHello", 26, 0, {HEAD(22, 0, 13), MESSAGE(2, 1, 1, 0, 1), 3}},
	{"a plaintext Finished", 26, 0, {HEAD(22, 0, 13), MESSAGE(20, 1, 5, 0, 1), 3}},
	{"a plaintext alert", 15, 0, {HEAD(21, 0, 2), 2, 40}},
	{"an encrypted alert", 15, 15, {HEAD(21, 1, 2), 2, 40}},
	{"an encrypted handshake message", 15, 15, {HEAD(22, 1, 2), 2, 40}},
	{"encrypted application data", 15, 0, {HEAD(23, 1, 2), 2, 40}},
	{"an epoch that never comes", 15, 0, {HEAD(22, 2, 2), 2, 40}},
	{"ChangeCipherSpec", 14, 14, {HEAD(20, 0, 1), 1}},
	{"ChangeCipherSpec of another kind", 14, 0, {HEAD(20, 0, 1), 2}},
	{"ChangeCipherSpec that is too long", 15, 0, {HEAD(20, 0, 2), 1, 1}},
	{"an encrypted ChangeCipherSpec", 14, 0, {HEAD(20, 1, 1), 1}},
	{"a heartbeat", 14, 0, {HEAD(24, 0, 1), 1}},
	{"a record of DTLS 1.3", 5, 0, {0x2f, 1, 2, 3, 4}},
	{"an alert before a hello", 42, 27, {HEAD(21, 0, 2), 2, 40, HELLO}},
	{"an alert behind a hello", 42, 27, {HELLO, HEAD(21, 0, 2), 2, 40}},
	{"garbage behind a hello", 33, 27, {HELLO, 1, 2, 3, 4, 5, 6}},
	{"garbage before a hello", 30, 0, {1, 2, 3, HELLO}},
};

START_TEST(only_what_a_client_may_say_gets_through)
{
	uint8_t *block, *out = malloc(rows[_i].size + 1);
	const uint8_t *in = unit_block(rows[_i].bytes, rows[_i].size, &block);

	ck_assert_ptr_nonnull(out);
	ck_assert_msg(
		record_filter(in, rows[_i].size, out + 1) == rows[_i].kept, "%s", rows[_i].what);
	free(block);
	free(out);
}
END_TEST

START_TEST(what_stays_is_unchanged)
{
	static const uint8_t in[] = {HEAD(21, 0, 2), 2, 40, HELLO, HEAD(21, 0, 2), 1, 0};
	static const uint8_t hello[] = {HELLO};
	uint8_t out[sizeof(in)];

	ck_assert_uint_eq(record_filter(in, sizeof(in), out), sizeof(hello));
	ck_assert_mem_eq(out, hello, sizeof(hello));
}
END_TEST

START_TEST(a_hello_is_known_by_any_piece_and_its_start_by_the_first)
{
	static const uint8_t first[] = {HEAD(22, 0, 13), MESSAGE(1, 2, 0, 0, 1), 3};
	static const uint8_t second[] = {HEAD(22, 0, 13), MESSAGE(1, 2, 0, 1, 1), 3};
	static const uint8_t other[] = {HEAD(22, 0, 13), MESSAGE(11, 1, 1, 0, 1), 3};
	static const uint8_t encrypted[] = {HEAD(22, 1, 13), MESSAGE(1, 2, 0, 0, 1), 3};

	ck_assert(record_has_hello(first, sizeof(first)));
	ck_assert(record_has_hello(second, sizeof(second)));
	ck_assert(!record_has_hello(other, sizeof(other)));
	ck_assert(!record_has_hello(encrypted, sizeof(encrypted)));
	ck_assert(record_has_hello_start(first, sizeof(first)));
	ck_assert(!record_has_hello_start(second, sizeof(second)));
}
END_TEST

START_TEST(fields_are_read_and_written_where_rfc_6347_has_them)
{
	static const uint8_t bytes[] = {
		22, 0xfe, 0xfd, 0x01, 0x02, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0, 1, 9};
	const uint8_t *at = bytes;
	uint8_t copy[sizeof(bytes)];
	struct record record;

	ck_assert(record_next(&at, bytes + sizeof(bytes), &record));
	ck_assert_uint_eq(record.type, RECORD_HANDSHAKE);
	ck_assert_uint_eq(record.epoch, 0x0102);
	ck_assert_uint_eq(record.sequence, 0x111213141516);
	ck_assert_uint_eq(record.size, 1);
	ck_assert_uint_eq(record.payload[0], 9);
	ck_assert(!record_next(&at, bytes + sizeof(bytes), &record));
	memcpy(copy, bytes, sizeof(copy));
	memset(copy + 3, 0, 8);
	record_number(copy, 0x0102, 0x111213141516);
	ck_assert_mem_eq(copy, bytes, sizeof(bytes));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("record");
	TCase *tests = tcase_create("record");

	tcase_add_loop_test(
		tests, only_what_a_client_may_say_gets_through, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tests, what_stays_is_unchanged);
	tcase_add_test(tests, a_hello_is_known_by_any_piece_and_its_start_by_the_first);
	tcase_add_test(tests, fields_are_read_and_written_where_rfc_6347_has_them);
	suite_add_tcase(suite, tests);
	return unit_run(suite);
}
