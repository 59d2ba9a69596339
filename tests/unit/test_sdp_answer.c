// SPDX-License-Identifier: BSD-3-Clause
/*
 * Answers and fragments. An answer is read in two ways: by looking for whole lines in the section
 * where they belong, and by the parser of offers, after its two lines that only an answer may have
 * are turned round.
 */
#include <arpa/inet.h>
#include <errno.h>

#include "tests/support/sdp_file.h"

static const uint8_t fingerprint[SDP_FINGERPRINT_SIZE] = {0xab, 1, 2, 3, [31] = 0xcd};
static const uint32_t ssrc[3] = {4000000001u, 2, 3};
static const struct stn_address candidates[3] = {
	{.family = 4, .port_be = 0x409c, .address = {192, 0, 2, 1}}, /* 40000 */
	{.family = 6, .port_be = 0x409c, .address = {0x20, 1, 0x0d, 0xb8, [15] = 1}},
	{.family = 4, .port_be = 0x419c, .address = {192, 0, 2, 1}},
};

static struct sdp_answer answer_for(const struct sdp_offer *offer)
{
	struct sdp_answer answer = {.session_id = 42,
		.ufrag = "UFRAGUFRAGUFRAG1",
		.pwd = "PWDPWDPWDPWDPWDPWDPWDPWD",
		.fingerprint = fingerprint,
		.candidates = candidates,
		.candidate_count = 3,
		.receive = true,
		.slot_ssrc = ssrc,
		.slot_count = 3};

	for (unsigned int i = offer->section_count; i-- > 0;) {
		if (!offer->section[i].usable)
			continue;
		answer.payload_type = offer->section[i].opus_payload_type;
		answer.audio_level_id = offer->section[i].audio_level_id;
		answer.red_payload_type = offer->section[i].red_payload_type;
	}
	return answer;
}

/* NUL-terminated; free() it. */
static char *write_answer(const struct sdp_offer *offer, const struct sdp_answer *answer)
{
	struct writer writer = {0};
	char *text;

	ck_assert(sdp_write_answer(&writer, offer, answer));
	text = strndup(writer.text, writer.size);
	writer_clear(&writer);
	return text;
}

/* Part 0 is the session, part n the n-th section; free() it. */
static char *part_of(const char *text, unsigned int part)
{
	const char *from = text, *to;

	for (unsigned int i = 0; i < part; i++) {
		from = strstr(from, "\r\nm=");
		ck_assert_ptr_nonnull(from);
		from += 2;
	}
	to = strstr(from, "\r\nm=");
	return strndup(from, to == NULL ? strlen(from) : (size_t)(to + 2 - from));
}

static bool has(const char *text, unsigned int part, const char *line)
{
	char *in = part_of(text, part), whole[256];
	bool first, later;

	snprintf(whole, sizeof(whole), "\r\n%s\r\n", line);
	first = strncmp(in, whole + 2, strlen(whole) - 2) == 0;
	later = strstr(in, whole) != NULL;
	free(in);
	return first || later;
}

static bool mentions(const char *text, unsigned int part, const char *words)
{
	char *in = part_of(text, part);
	bool found = strstr(in, words) != NULL;

	free(in);
	return found;
}

START_TEST(three_sections_hear_three_slots)
{
	struct sdp_offer offer;
	struct sdp_answer answer;
	char *text;

	sdp_file_parse("chromium_recvonly_3", &offer);
	answer = answer_for(&offer);
	answer.red_payload_type = 0;
	text = write_answer(&offer, &answer);
	ck_assert(has(text, 0, "v=0"));
	ck_assert(has(text, 0, "o=- 42 1 IN IP4 127.0.0.1"));
	ck_assert(has(text, 0, "a=group:BUNDLE 0 1 2"));
	ck_assert(has(text, 0, "a=ice-lite"));
	ck_assert(has(text, 0, "a=ice-options:trickle ice2"));
	for (unsigned int i = 1; i <= 3; i++) {
		static const char *const lines[] = {"m=audio 40000 UDP/TLS/RTP/SAVPF 111",
			"c=IN IP4 192.0.2.1", "a=sendonly", "a=rtcp-mux", "a=rtcp-rsize",
			"a=ice-ufrag:UFRAGUFRAGUFRAG1", "a=ice-pwd:PWDPWDPWDPWDPWDPWDPWDPWD",
			"a=setup:passive", "a=rtpmap:111 opus/48000/2",
			"a=fmtp:111 minptime=10;useinbandfec=1",
			"a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level",
			"a=fingerprint:sha-256 "
			"AB:01:02:03:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:"
			"00:00:00:00:00:00:00:CD"};

		for (size_t j = 0; j < sizeof(lines) / sizeof(lines[0]); j++)
			ck_assert_msg(has(text, i, lines[j]), "section %u: %s", i, lines[j]);
		ck_assert(!mentions(text, i, "red"));
		ck_assert(!mentions(text, i, "nack"));
		ck_assert(!mentions(text, i, "usedtx"));
	}
	ck_assert(has(text, 1, "a=ssrc:4000000001 cname:stentor-ee6b2801"));
	ck_assert(has(text, 2, "a=ssrc:2 cname:stentor-00000002"));
	ck_assert(has(text, 3, "a=ssrc:3 msid:slot-2 slot-2-audio"));
	free(text);
}
END_TEST

/* RFC 8445: 126 * 2^24 + 65535 * 2^8 + 255 = 2130706431, each next one 256 less. */
START_TEST(candidates_stand_in_the_first_section)
{
	struct sdp_offer offer;
	struct sdp_answer answer;
	char *text;

	sdp_file_parse("chromium_recvonly_3", &offer);
	answer = answer_for(&offer);
	text = write_answer(&offer, &answer);
	ck_assert(has(text, 1, "a=candidate:1 1 udp 2130706431 192.0.2.1 40000 typ host"));
	ck_assert(has(text, 1, "a=candidate:2 1 udp 2130706175 2001:db8::1 40000 typ host"));
	ck_assert(has(text, 1, "a=candidate:1 1 udp 2130705919 192.0.2.1 40001 typ host"));
	ck_assert(has(text, 1, "a=end-of-candidates"));
	ck_assert(!mentions(text, 2, "candidate"));
	free(text);
}
END_TEST

START_TEST(red_stands_first_when_it_is_agreed)
{
	struct sdp_offer offer;
	struct sdp_answer answer;
	char *text;

	sdp_file_parse("chromium_sendrecv_recvonly", &offer);
	answer = answer_for(&offer);
	text = write_answer(&offer, &answer);
	ck_assert(has(text, 1, "m=audio 40000 UDP/TLS/RTP/SAVPF 63 111"));
	ck_assert(has(text, 1, "a=sendrecv"));
	ck_assert(has(text, 1, "a=rtpmap:63 red/48000/2"));
	ck_assert(has(text, 1, "a=fmtp:63 111/111"));
	ck_assert(has(text, 1, "a=fmtp:111 minptime=10;useinbandfec=1;usedtx=1"));
	ck_assert(has(text, 2, "a=sendonly"));
	ck_assert(has(text, 2, "a=fmtp:111 minptime=10;useinbandfec=1"));
	free(text);
	/* Listeners agreed to another number: slots cannot carry theirs, the source may. */
	answer.red_payload_type = 64;
	text = write_answer(&offer, &answer);
	ck_assert(has(text, 1, "m=audio 40000 UDP/TLS/RTP/SAVPF 63 111"));
	ck_assert(has(text, 2, "m=audio 40000 UDP/TLS/RTP/SAVPF 111"));
	free(text);
}
END_TEST

/* RFC 3264 section 6: as many sections as offered, in their order. */
START_TEST(what_is_no_audio_is_refused_in_its_place)
{
	struct sdp_offer offer;
	struct sdp_answer answer;
	char *text;

	sdp_file_parse("chromium_audio_video_data", &offer);
	answer = answer_for(&offer);
	text = write_answer(&offer, &answer);
	ck_assert(has(text, 0, "a=group:BUNDLE 0"));
	ck_assert(has(text, 2, "m=video 0 UDP/TLS/RTP/SAVPF 96"));
	ck_assert(has(text, 2, "a=mid:1"));
	ck_assert(has(text, 3, "m=application 0 UDP/DTLS/SCTP webrtc-datachannel"));
	ck_assert(!mentions(text, 2, "ice"));
	free(text);
}
END_TEST

START_TEST(who_may_not_speak_is_not_received)
{
	struct sdp_offer offer;
	struct sdp_answer answer;
	char *text;

	sdp_file_parse("chromium_sendonly", &offer);
	answer = answer_for(&offer);
	answer.receive = false;
	text = write_answer(&offer, &answer);
	ck_assert(has(text, 1, "a=inactive"));
	ck_assert(!mentions(text, 1, "msid"));
	free(text);
	sdp_file_parse("chromium_sendrecv_recvonly", &offer);
	text = write_answer(&offer, &answer);
	ck_assert(has(text, 1, "a=sendonly"));
	ck_assert(has(text, 2, "a=sendonly"));
	free(text);
}
END_TEST

START_TEST(sections_and_slots_need_not_be_as_many)
{
	struct sdp_offer offer;
	struct sdp_answer answer;
	char *text;

	sdp_file_parse("chromium_recvonly_3", &offer);
	answer = answer_for(&offer);
	answer.slot_count = 2;
	text = write_answer(&offer, &answer);
	ck_assert(has(text, 2, "a=sendonly"));
	ck_assert(has(text, 3, "a=inactive"));
	ck_assert(!mentions(text, 3, "ssrc:"));
	free(text);
	sdp_file_parse("chromium_recvonly_1", &offer);
	answer.slot_count = 3;
	text = write_answer(&offer, &answer);
	ck_assert(mentions(text, 1, "a=ssrc:4000000001 "));
	free(text);
	answer.spread_unsignalled = true;
	text = write_answer(&offer, &answer);
	ck_assert(!mentions(text, 1, "a=ssrc:"));
	ck_assert(has(text, 1, "a=msid:slot-0 slot-0-audio"));
	free(text);
}
END_TEST

START_TEST(a_slot_goes_where_the_payload_type_fits)
{
	struct sdp_offer offer;
	struct sdp_answer answer;
	char *text;

	sdp_file_parse("chromium_recvonly_3", &offer);
	answer = answer_for(&offer);
	offer.section[1].opus_payload_type = 96;
	text = write_answer(&offer, &answer);
	ck_assert(has(text, 1, "a=msid:slot-0 slot-0-audio"));
	ck_assert(has(text, 2, "a=inactive"));
	ck_assert(has(text, 3, "a=msid:slot-1 slot-1-audio"));
	free(text);
}
END_TEST

START_TEST(says_only_what_was_offered)
{
	struct sdp_offer offer;
	struct sdp_answer answer;
	char *text;

	sdp_file_parse("minimal_no_bundle", &offer);
	answer = answer_for(&offer);
	answer.candidate_count = 0;
	text = write_answer(&offer, &answer);
	ck_assert(has(text, 1, "m=audio 9 UDP/TLS/RTP/SAVPF 96"));
	ck_assert(has(text, 1, "c=IN IP4 0.0.0.0"));
	ck_assert(has(text, 0, "a=ice-options:ice2"));
	ck_assert(!mentions(text, 0, "BUNDLE"));
	ck_assert(!mentions(text, 1, "a=mid"));
	ck_assert(!mentions(text, 1, "extmap"));
	ck_assert(!mentions(text, 1, "rsize"));
	free(text);
	sdp_file_parse("pion_whip", &offer);
	answer = answer_for(&offer);
	text = write_answer(&offer, &answer);
	ck_assert(has(text, 1, "a=rtcp-fb:111 nack"));
	free(text);
}
END_TEST

START_TEST(the_default_destination_may_be_ipv6)
{
	struct sdp_offer offer;
	struct sdp_answer answer;
	char *text;

	sdp_file_parse("chromium_recvonly_1", &offer);
	answer = answer_for(&offer);
	answer.candidates = &candidates[1];
	answer.candidate_count = 1;
	text = write_answer(&offer, &answer);
	ck_assert(has(text, 1, "c=IN IP6 2001:db8::1"));
	free(text);
}
END_TEST

/* Of the same length, so that it can be done in place. */
static void replace(char *text, const char *from, const char *to)
{
	for (char *at = text; (at = strstr(at, from)) != NULL; at += strlen(to))
		memcpy(at, to, strlen(to));
}

static void check_back(const struct sdp_section *back, const struct sdp_section *offered)
{
	static const enum sdp_direction other[] = {
		SDP_SENDRECV, SDP_RECVONLY, SDP_SENDONLY, SDP_INACTIVE};

	ck_assert_str_eq(back->mid, offered->mid);
	ck_assert_str_eq(back->media, offered->media);
	ck_assert_int_eq(back->usable, offered->usable);
	if (!offered->usable)
		return;
	ck_assert_uint_eq(back->opus_payload_type, offered->opus_payload_type);
	ck_assert_uint_eq(back->red_payload_type, offered->red_payload_type);
	ck_assert_uint_eq(back->audio_level_id, offered->audio_level_id);
	ck_assert_uint_eq(back->mid_id, 0);
	ck_assert_int_eq(back->nack, offered->nack);
	ck_assert_int_eq(back->rtcp_rsize, offered->rtcp_rsize);
	ck_assert_int_eq(back->direction, other[offered->direction]);
}

START_TEST(every_answer_reads_back)
{
	struct sdp_offer offer, back;
	struct sdp_answer answer;
	struct sdp_error error;
	char *text;

	sdp_file_parse(sdp_file_names[_i], &offer);
	answer = answer_for(&offer);
	text = write_answer(&offer, &answer);
	for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
		ck_assert_int_eq(at[-1], '\r');
	replace(text, "a=setup:passive", "a=setup:actpass");
	replace(text, "a=ice-lite", "a=ice-l1te");
	ck_assert_msg(sdp_parse_offer(text, strlen(text), &back, &error) == 0, "%s\n%s",
		error.reason, text);
	ck_assert_mem_eq(back.fingerprint, fingerprint, SDP_FINGERPRINT_SIZE);
	ck_assert_mem_eq(back.ice.ufrag, answer.ufrag, 16);
	ck_assert_mem_eq(back.ice.pwd, answer.pwd, 24);
	ck_assert_int_eq(back.bundle, offer.bundle);
	ck_assert_uint_eq(back.section_count, offer.section_count);
	for (unsigned int i = 0; i < offer.section_count; i++)
		check_back(&back.section[i], &offer.section[i]);
	free(text);
}
END_TEST

/* RFC 9725 section 4.3.2, its example, and what else a fragment may be. */
START_TEST(reads_fragments)
{
	static const char trickle[] = "a=group:BUNDLE 0 1\r\n"
				      "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"
				      "a=mid:0\r\n"
				      "a=ice-ufrag:EsAw\r\n"
				      "a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n"
				      "a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ "
				      "host generation 0 ufrag EsAw network-id 1\r\n"
				      "a=candidate:3471623853 1 udp 2122194687 198.51.100.2 61765 "
				      "typ host generation 0 ufrag EsAw network-id 2\r\n"
				      "a=end-of-candidates\r\n";
	struct sdp_fragment fragment;
	struct sdp_error error;

	ck_assert_int_eq(sdp_parse_fragment(trickle, strlen(trickle), &fragment, &error), 0);
	ck_assert(fragment.ice_known && fragment.end_of_candidates);
	ck_assert_uint_eq(fragment.candidate_count, 2);
	ck_assert_uint_eq(fragment.ice.ufrag_size, 4);
	ck_assert_mem_eq(fragment.ice.ufrag, "EsAw", 4);
	ck_assert_mem_eq(fragment.ice.pwd, "P2uYro0UCOQ4zxjKXaWCBui1", 24);
	ck_assert_int_eq(sdp_parse_fragment("a=end-of-candidates", 19, &fragment, &error), 0);
	ck_assert(!fragment.ice_known && fragment.end_of_candidates);
}
END_TEST

START_TEST(refuses_fragments)
{
	static const struct {
		const char *text;
		const char *reason;
	} rows[] = {
		{"a=ice-ufrag:abcd\n", "a=ice-ufrag and a=ice-pwd: one without the other"},
		{"a=ice-ufrag:abc\n", "line 1: a=ice-ufrag:abc: expected 4 to 256 characters of "
				      "A-Z a-z 0-9 + /"},
		{"m=audio 9 x 1\na=ice-ufrag:abcd\nm=audio 9 x 1\na=ice-ufrag:abce\n",
			"line 3: m=audio 9 x 1: its a=ice-ufrag is another than before: one "
			"transport carries all"},
		{"a=candidate:1 1 udp 1 192.0.2.1\n",
			"line 1: a=candidate:1 1 udp 1 192.0.2.1: expected an address and a port "
			"from 0 to 65535"},
		{"hello\n", "line 1: hello: expected a letter and '='"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sdp_fragment fragment;
		struct sdp_error error;

		ck_assert_int_eq(
			sdp_parse_fragment(rows[i].text, strlen(rows[i].text), &fragment, &error),
			-EINVAL);
		ck_assert_str_eq(error.reason, rows[i].reason);
	}
}
END_TEST

START_TEST(a_restart_answers_with_a_fragment)
{
	static const char expected[] =
		"a=ice-lite\r\na=ice-options:trickle ice2\r\na=group:BUNDLE 0 1 2\r\n"
		"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n"
		"a=ice-ufrag:UFRAGUFRAGUFRAG1\r\na=ice-pwd:PWDPWDPWDPWDPWDPWDPWDPWD\r\n"
		"a=candidate:1 1 udp 2130706431 192.0.2.1 40000 typ host\r\n"
		"a=end-of-candidates\r\n";
	struct sdp_offer offer;
	struct sdp_answer answer;
	struct writer writer = {0};

	sdp_file_parse("chromium_recvonly_3", &offer);
	answer = answer_for(&offer);
	answer.candidate_count = 1;
	ck_assert(sdp_write_fragment(&writer, &offer, &answer));
	ck_assert_uint_eq(writer.size, strlen(expected));
	ck_assert_mem_eq(writer.text, expected, writer.size);
	writer_clear(&writer);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sdp_answer");
	TCase *tc = tcase_create("answers");

	tcase_add_test(tc, three_sections_hear_three_slots);
	tcase_add_test(tc, candidates_stand_in_the_first_section);
	tcase_add_test(tc, red_stands_first_when_it_is_agreed);
	tcase_add_test(tc, what_is_no_audio_is_refused_in_its_place);
	tcase_add_test(tc, who_may_not_speak_is_not_received);
	tcase_add_test(tc, sections_and_slots_need_not_be_as_many);
	tcase_add_test(tc, a_slot_goes_where_the_payload_type_fits);
	tcase_add_test(tc, says_only_what_was_offered);
	tcase_add_test(tc, the_default_destination_may_be_ipv6);
	tcase_add_loop_test(tc, every_answer_reads_back, 0, SDP_FILES);
	tcase_add_test(tc, reads_fragments);
	tcase_add_test(tc, refuses_fragments);
	tcase_add_test(tc, a_restart_answers_with_a_fragment);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
