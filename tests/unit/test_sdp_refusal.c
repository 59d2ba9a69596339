// SPDX-License-Identifier: BSD-3-Clause
/* What is refused, with the reason for people; and what is not taken up, but no reason to refuse.
 */
#include <errno.h>

#include "controlplane/webrtc/sdp.h"
#include "tests/support/unit.h"

/*
 * One is changed so that it is wrong in one way. Line numbers are those of this text: v= is 1, the
 * first m= is 9, the second 20.
 */
#define FINGERPRINT \
	"01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:" \
	"1E:1F:20"
static const char good[] = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
			   "a=group:BUNDLE 0 1\r\n"
			   "a=ice-ufrag:UFRAG\r\n"
			   "a=fingerprint:sha-256 " FINGERPRINT "\r\n"
			   "a=setup:actpass\r\n"
			   "m=audio 9 UDP/TLS/RTP/SAVPF 111 63\r\n"
			   "a=mid:0\r\n"
			   "a=ice-pwd:PASSWORDPASSWORDPASSWORD\r\n"
			   "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n"
			   "a=rtcp-mux\r\n"
			   "a=recvonly\r\n"
			   "a=rtpmap:111 opus/48000/2\r\n"
			   "a=rtpmap:63 red/48000/2\r\n"
			   "a=fmtp:63 111/111\r\n"
			   "a=candidate:1 1 udp 2113937151 192.0.2.2 54494 typ host\r\n"
			   "a=ssrc:7 cname:x\r\n"
			   "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n"
			   "a=mid:1\r\n"
			   "a=rtcp-mux\r\n"
			   "a=rtpmap:96 VP8/90000\r\n";

struct change {
	const char *from;
	const char *to;
	const char *reason; /* NULL: is accepted */
};

static const struct change changes[] = {
	{"v=0\r\n", "v=1\r\n", "line 1: v=1: expected v=0 at the start"},
	{"v=0\r\n", "", "line 1: o=- 1 1 IN IP4 127.0.0.1: expected v=0 at the start"},
	{"t=0 0\r\n", "v=0\r\n", "line 4: v=0: a second v="},
	{"t=0 0\r\n", "",
		"line 8: m=audio 9 UDP/TLS/RTP/SAVPF 111 63: expected o=, s= and t= before the "
		"first m="},
	{"s=-\r\n", "",
		"line 8: m=audio 9 UDP/TLS/RTP/SAVPF 111 63: expected o=, s= and t= before the "
		"first m="},
	{"s=-\r\n", "s-\r\n", "line 3: s-: expected a letter and '='"},
	{"s=-\r\n", "S=-\r\n", "line 3: S=-: expected a letter and '='"},
	{"s=-\r\n", "s=-\r\n\r\n", "line 4: : expected a letter and '='"},
	{"s=-\r\n", "s=a\rb\r\n", "line 3: s=a?b: a line ends with CR LF or LF, not with CR"},
	{"s=-\r\n", "s=\x1b[31m\xff\r\n", NULL},
	{"a=group:BUNDLE 0 1\r\n", "",
		"2 sections without a=group:BUNDLE: there is one port for everything"},
	{"a=group:BUNDLE 0 1\r\n", "a=group:BUNDLE 1\r\n",
		"line 9: m=audio 9 UDP/TLS/RTP/SAVPF 111 63: its a=mid is not in a=group:BUNDLE"},
	{"a=group:BUNDLE 0 1\r\n", "a=group:BUNDLE 0\r\n", NULL},
	{"a=group:BUNDLE 0 1\r\n", "a=group:BUNDLE 0 1\r\na=group:BUNDLE 0 1\r\n",
		"line 6: a=group:BUNDLE 0 1: a second bundle: at most one"},
	{"a=group:BUNDLE 0 1\r\n", "a=group:BUNDLE 0 1\r\na=group:LS 0 1\r\n", NULL},
	{"a=ice-ufrag:UFRAG\r\n", "", "no a=ice-ufrag in the session or its sections"},
	{"UFRAG", "abc",
		"line 6: a=ice-ufrag:abc: expected 4 to 256 characters of A-Z a-z 0-9 + /"},
	{"UFRAG", "ab cd",
		"line 6: a=ice-ufrag:ab cd: expected 4 to 256 characters of A-Z a-z 0-9 + /"},
	{"UFRAG",
		"ab\x01"
		"cd",
		"line 6: a=ice-ufrag:ab?cd: expected 4 to 256 characters of A-Z a-z 0-9 + /"},
	{"a=ice-ufrag:UFRAG", "a=ice-ufrag:UFRAG\r\na=ice-ufrag:OTHER",
		"line 7: a=ice-ufrag:OTHER: a second, different one"},
	{"a=ice-ufrag:UFRAG", "a=ice-ufrag:UFRAG\r\na=ice-ufrag:UFRAG", NULL},
	{"a=rtcp-mux\r\na=recvonly", "a=rtcp-mux\r\na=ice-ufrag:OTHER\r\na=recvonly",
		"line 9: m=audio 9 UDP/TLS/RTP/SAVPF 111 63: its a=ice-ufrag is another than "
		"before: one transport carries all"},
	{"a=rtpmap:96", "a=ice-pwd:ANOTHERANOTHERANOTHER00\r\na=rtpmap:96",
		"line 20: m=video 9 UDP/TLS/RTP/SAVPF 96: its a=ice-pwd is another than before: "
		"one transport carries all"},
	{"a=ice-pwd:PASSWORDPASSWORDPASSWORD\r\n", "",
		"no a=ice-pwd in the session or its sections"},
	{"PASSWORDPASSWORDPASSWORD", "tooshort",
		"line 11: a=ice-pwd: expected 22 to 256 characters of A-Z a-z 0-9 + /"},
	{"a=fingerprint:sha-256 " FINGERPRINT "\r\n", "",
		"no a=fingerprint in the session or its sections"},
	{"sha-256 " FINGERPRINT, "sha-1 01:02",
		"a=fingerprint: expected sha-256, which every browser uses"},
	{"sha-256 " FINGERPRINT, "SHA-256 " FINGERPRINT, NULL},
	{"sha-256 " FINGERPRINT, "sha-512 00\r\na=fingerprint:sha-256 " FINGERPRINT, NULL},
	{"1F:20", "1F",
		"line 7: a=fingerprint:sha-256 01:02:03:04:05:06:07:08:09...: expected 32 pairs of "
		"hex digits with ':' between"},
	{"1F:20", "1F:2g",
		"line 7: a=fingerprint:sha-256 01:02:03:04:05:06:07:08:09...: expected 32 pairs of "
		"hex digits with ':' between"},
	{"1F:20", "1F-20",
		"line 7: a=fingerprint:sha-256 01:02:03:04:05:06:07:08:09...: expected 32 pairs of "
		"hex digits with ':' between"},
	{"1F:20", "1F:20:21",
		"line 7: a=fingerprint:sha-256 01:02:03:04:05:06:07:08:09...: expected 32 pairs of "
		"hex digits with ':' between"},
	{"1F:20", "1f:20", NULL},
	{"a=fingerprint:sha-256 ", "a=fingerprint:",
		"line 7: a=fingerprint:01:02:03:04:05:06:07:08:09:0A:0B:0...: expected the name of "
		"a hash"},
	{"a=fingerprint:sha-256 ", "a=fingerprint: sha-256 ", NULL},
	{"a=setup:actpass\r\n", "",
		"no a=setup in the session or its sections: expected actpass or active"},
	{"actpass", "passive",
		"line 8: a=setup:passive: expected actpass or active: the relay is passive"},
	{"actpass", "holdconn",
		"line 8: a=setup:holdconn: expected actpass or active: the relay is passive"},
	{"actpass", "active", NULL},
	{"a=setup", "a=ice-lite\r\na=setup",
		"a=ice-lite: the relay is a lite agent, and two of them never check"},
	{"m=audio 9 UDP/TLS/RTP/SAVPF", "m=audio 9 RTP/AVP",
		"line 9: m=audio 9 RTP/AVP 111 63: expected UDP/TLS/RTP/SAVPF"},
	{"m=audio 9 UDP/TLS/RTP/SAVPF", "m=audio 9 RTP/SAVPF",
		"line 9: m=audio 9 RTP/SAVPF 111 63: expected UDP/TLS/RTP/SAVPF"},
	{"m=audio 9", "m=audio 0",
		"line 9: m=audio 0 UDP/TLS/RTP/SAVPF 111 63: the offer itself disables it with "
		"port 0"},
	{"m=audio 9", "m=audio 65536",
		"line 9: m=audio 65536 UDP/TLS/RTP/SAVPF 111 63: expected a port from 0 to 65535"},
	{"m=audio 9", "m=audio nine",
		"line 9: m=audio nine UDP/TLS/RTP/SAVPF 111 63: expected a port from 0 to 65535"},
	{"m=audio 9 UDP/TLS/RTP/SAVPF 111 63", "m=audio 9 UDP/TLS/RTP/SAVPF",
		"line 9: m=audio 9 UDP/TLS/RTP/SAVPF: expected a format of 1 to 31 characters"},
	{"m=audio 9 UDP/TLS/RTP/SAVPF 111 63", "m=audio",
		"line 9: m=audio: expected a port from 0 to 65535"},
	{"m=audio 9 UDP/TLS/RTP/SAVPF 111 63", "m=audio 9 UDP//TLS 111",
		"line 9: m=audio 9 UDP//TLS 111: expected a protocol of tokens and '/'"},
	{"m=video", "m=averyverylongmedium",
		"line 20: m=averyverylongmedium 9 UDP/TLS/RTP/SAVPF 96: expected a medium of 1 to "
		"15 characters"},
	{"m=audio", "m=video", "no m=audio section"},
	{"a=mid:0", "a=mid:12345678901234567",
		"line 10: a=mid:12345678901234567: expected a token of 1 to 16 characters"},
	{"a=mid:0", "a=mid:0 1", "line 10: a=mid:0 1: expected a token of 1 to 16 characters"},
	{"a=mid:0", "a=mid:", "line 10: a=mid:: expected a token of 1 to 16 characters"},
	{"a=mid:0", "a=mid:0\r\na=mid:2", "line 11: a=mid:2: a second a=mid in the section"},
	{"a=mid:0\r\n", "",
		"line 9: m=audio 9 UDP/TLS/RTP/SAVPF 111 63: its a=mid is not in a=group:BUNDLE"},
	{"a=mid:1", "a=mid:0",
		"line 20: m=video 9 UDP/TLS/RTP/SAVPF 96: its a=mid:0 is that of an earlier "
		"section"},
	{"a=rtcp-mux\r\na=recvonly", "a=recvonly",
		"line 9: m=audio 9 UDP/TLS/RTP/SAVPF 111 63: expected a=rtcp-mux: there is one "
		"port for everything"},
	{"a=recvonly", "a=recvonly\r\na=sendonly",
		"line 15: a=sendonly: a second, different direction"},
	{"opus/48000/2", "OPUS/48000/2", NULL},
	{"opus/48000/2", "opus/48000",
		"line 9: m=audio 9 UDP/TLS/RTP/SAVPF 111 63: no opus/48000/2 with a payload type "
		"from 1 to 63 or 96 to 127"},
	{"opus/48000/2", "PCMU/8000",
		"line 9: m=audio 9 UDP/TLS/RTP/SAVPF 111 63: no opus/48000/2 with a payload type "
		"from 1 to 63 or 96 to 127"},
	{"SAVPF 111 63", "SAVPF 63",
		"line 9: m=audio 9 UDP/TLS/RTP/SAVPF 63: no opus/48000/2 with a payload type from "
		"1 to 63 or 96 to 127"},
	{"a=rtpmap:63 red", "a=rtpmap:111 red",
		"line 16: a=rtpmap:111 red/48000/2: payload type 111 stands for another codec"},
	{"a=rtpmap:63 red", "a=rtpmap:128 red",
		"line 16: a=rtpmap:128 red/48000/2: expected a payload type from 0 to 127"},
	{"a=fmtp:63", "a=fmtp:x",
		"line 17: a=fmtp:x 111/111: expected a payload type from 0 to 127"},
	{"a=ssrc:7", "a=ssrc:4294967296",
		"line 19: a=ssrc:4294967296 cname:x: expected an SSRC from 0 to 4294967295"},
	{"a=ssrc:7", "a=ssrc:-7",
		"line 19: a=ssrc:-7 cname:x: expected an SSRC from 0 to 4294967295"},
	{"a=extmap:1", "a=extmap:0",
		"line 12: a=extmap:0 urn:ietf:params:rtp-hdrext:ssrc-audio...: expected an id from "
		"1 to 4351"},
	{"a=extmap:1 urn", "a=extmap:1\r\na=x:urn",
		"line 12: a=extmap:1: expected a URI after the id"},
	{"a=extmap:1 urn", "a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid\r\na=extmap:1 urn",
		"line 13: a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio...: id 1 stands for "
		"another extension"},
	{"a=extmap:1 urn",
		"a=extmap:2 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\na=extmap:1 urn",
		"line 13: a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio...: a second id for the "
		"same extension"},
	{"candidate:1 1", "candidate:1 0",
		"line 18: a=candidate:1 0 udp 2113937151 192.0.2.2 54494 t...: expected a "
		"component from 1 to 256"},
	{"candidate:1 1", "candidate:? 1",
		"line 18: a=candidate:? 1 udp 2113937151 192.0.2.2 54494 t...: expected a "
		"foundation of 1 to 32 ice-chars"},
	{" udp ", " u(p ",
		"line 18: a=candidate:1 1 u(p 2113937151 192.0.2.2 54494 t...: expected a "
		"transport"},
	{"2113937151", "4294967296",
		"line 18: a=candidate:1 1 udp 4294967296 192.0.2.2 54494 t...: expected a priority "
		"from 1 to 4294967295"},
	{"54494", "70000",
		"line 18: a=candidate:1 1 udp 2113937151 192.0.2.2 70000 t...: expected an address "
		"and a port from 0 to 65535"},
	{"192.0.2.2", "<script>",
		"line 18: a=candidate:1 1 udp 2113937151 <script> 54494 ty...: expected an address "
		"and a port from 0 to 65535"},
	{"192.0.2.2", "b7c5ba65-5f1a-4d3c-8f27-0a8b7a3b1a11.local", NULL},
	{"192.0.2.2", "fe80::1%eth0", NULL},
	{"typ host", "host",
		"line 18: a=candidate:1 1 udp 2113937151 192.0.2.2 54494 h...: expected typ and a "
		"type"},
	{"typ host", "typ",
		"line 18: a=candidate:1 1 udp 2113937151 192.0.2.2 54494 t...: "
		"expected typ and a type"},
};

/* The text with the first "from" replaced, in a block that ends where it ends. */
static char *changed(const struct change *change, size_t *size)
{
	const char *at = strstr(good, change->from);
	size_t before = (size_t)(at - good), to_size = strlen(change->to);
	size_t after = strlen(at + strlen(change->from));
	char *text = malloc(before + to_size + after);

	ck_assert_ptr_nonnull(at);
	memcpy(text, good, before);
	memcpy(text + before, change->to, to_size);
	memcpy(text + before + to_size, at + strlen(change->from), after);
	*size = before + to_size + after;
	return text;
}

START_TEST(says_what_is_wrong_and_where)
{
	const struct change *change = &changes[_i];
	struct sdp_offer offer, empty = {0};
	struct sdp_error error;
	size_t size;
	char *text = changed(change, &size);
	int result = sdp_parse_offer(text, size, &offer, &error);

	free(text);
	ck_assert_str_eq(error.reason, change->reason == NULL ? "" : change->reason);
	ck_assert_int_eq(result, change->reason == NULL ? 0 : -EINVAL);
	if (result < 0)
		ck_assert_mem_eq(&offer, &empty, sizeof(offer));
}
END_TEST

START_TEST(the_text_that_is_changed_is_good)
{
	struct sdp_offer offer;
	struct sdp_error error;

	ck_assert_int_eq(sdp_parse_offer(good, sizeof(good) - 1, &offer, &error), 0);
	ck_assert_uint_eq(offer.section[0].red_payload_type, 63);
	ck_assert_uint_eq(offer.section[0].ssrc, 7);
}
END_TEST

/* RED of something else than that Opus is none; payload types that are RTCP's are not used. */
START_TEST(takes_red_only_of_this_opus)
{
	static const struct {
		struct change change;
		uint8_t opus, red;
	} rows[] = {
		{{"63 111/111", "63 111/111/111", NULL}, 111, 63},
		{{"63 111/111", "63 111", NULL}, 111, 0},
		{{"63 111/111", "63 111/0", NULL}, 111, 0},
		{{"63 111/111", "63 9/9", NULL}, 111, 0},
		{{"63 111/111", "63 111/111/", NULL}, 111, 63},
		{{"63 111/111", "63 /111/111", NULL}, 111, 0},
		{{"a=fmtp:63 111/111\r\n", "", NULL}, 111, 0},
		{{"red/48000/2", "RED/48000/2", NULL}, 111, 63},
		{{"red/48000/2", "red/8000", NULL}, 111, 0},
		{{"111 63\r\n", "72 111\r\na=rtpmap:72 opus/48000/2\r\n", NULL}, 111, 0},
		{{"111 63\r\n", "63 111\r\n", NULL}, 111, 63},
		{{"111 63\r\n", "35 111 63\r\na=rtpmap:35 opus/48000/2\r\n", NULL}, 35, 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sdp_offer offer;
		struct sdp_error error;
		size_t size;
		char *text = changed(&rows[i].change, &size);

		ck_assert_int_eq(sdp_parse_offer(text, size, &offer, &error), 0);
		ck_assert_msg(offer.section[0].opus_payload_type == rows[i].opus &&
				      offer.section[0].red_payload_type == rows[i].red,
			"row %zu: opus %u, red %u", i, offer.section[0].opus_payload_type,
			offer.section[0].red_payload_type);
		free(text);
	}
}
END_TEST

START_TEST(takes_extensions_of_both_directions_and_small_ids)
{
	static const struct {
		struct change change;
		uint8_t level;
	} rows[] = {
		{{"a=extmap:1 ", "a=extmap:14 ", NULL}, 14},
		{{"a=extmap:1 ", "a=extmap:15 ", NULL}, 0},
		{{"a=extmap:1 ", "a=extmap:4096 ", NULL}, 0},
		{{"a=extmap:1 ", "a=extmap:1/sendrecv ", NULL}, 1},
		{{"a=extmap:1 ", "a=extmap:1/recvonly ", NULL}, 0},
		{{"audio-level\r\n", "audio-level vad=on\r\n", NULL}, 1},
		{{"audio-level\r\n", "audio-levels\r\n", NULL}, 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sdp_offer offer;
		struct sdp_error error;
		size_t size;
		char *text = changed(&rows[i].change, &size);

		ck_assert_int_eq(sdp_parse_offer(text, size, &offer, &error), 0);
		ck_assert_uint_eq(offer.section[0].audio_level_id, rows[i].level);
		free(text);
	}
}
END_TEST

/* count: lines are v=, o=, s=, t= and then so many of "text". */
static int parse_many(const char *text, unsigned int count, struct sdp_error *error)
{
	static const char head[] = "v=0\no=- 1 1 IN IP4 0.0.0.0\ns=-\nt=0 0\n";
	size_t each = strlen(text), size = strlen(head);
	char *whole = malloc(size + each * count);
	struct sdp_offer offer;
	int result;

	memcpy(whole, head, size);
	for (unsigned int i = 0; i < count; i++, size += each)
		memcpy(whole + size, text, each);
	result = sdp_parse_offer(whole, size, &offer, error);
	free(whole);
	return result;
}

START_TEST(has_limits)
{
	struct sdp_offer offer;
	struct sdp_error error;
	char *large = malloc(SDP_SIZE_MAX + 1);

	memset(large, 'a', SDP_SIZE_MAX + 1);
	ck_assert_int_eq(sdp_parse_offer(large, SDP_SIZE_MAX + 1, &offer, &error), -EINVAL);
	ck_assert_str_eq(error.reason, "65537 bytes: at most 65536");
	ck_assert_int_eq(sdp_parse_offer(large, SDP_SIZE_MAX, &offer, &error), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error.reason, "expected a letter and '='"));
	large[7] = '\0';
	ck_assert_int_eq(sdp_parse_offer(large, 100, &offer, &error), -EINVAL);
	ck_assert_str_eq(error.reason, "a NUL byte: SDP is text");
	ck_assert_int_eq(sdp_parse_offer(large, 0, &offer, &error), -EINVAL);
	ck_assert_str_eq(error.reason, "the body is empty: expected SDP");
	free(large);
	ck_assert_int_eq(parse_many("a=x\n", SDP_LINES_MAX - 4, &error), -EINVAL);
	ck_assert_str_eq(error.reason, "no m= section: expected m=audio");
	ck_assert_int_eq(parse_many("a=x\n", SDP_LINES_MAX - 3, &error), -EINVAL);
	ck_assert_str_eq(error.reason, "line 513: a=x: at most 512 lines");
	ck_assert_int_eq(parse_many("m=video 9 x 1\n", SDP_SECTIONS_MAX + 1, &error), -EINVAL);
	ck_assert_str_eq(error.reason, "line 21: m=video 9 x 1: at most 16 sections");
	ck_assert_int_eq(parse_many("m=video 9 x 1\n", SDP_SECTIONS_MAX, &error), -EINVAL);
	ck_assert_str_eq(error.reason,
		"16 sections without a=group:BUNDLE: there is one port for everything");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sdp_refusal");
	TCase *tc = tcase_create("refusals");

	tcase_add_loop_test(
		tc, says_what_is_wrong_and_where, 0, sizeof(changes) / sizeof(changes[0]));
	tcase_add_test(tc, the_text_that_is_changed_is_good);
	tcase_add_test(tc, takes_red_only_of_this_opus);
	tcase_add_test(tc, takes_extensions_of_both_directions_and_small_ids);
	tcase_add_test(tc, has_limits);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
