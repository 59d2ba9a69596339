// SPDX-License-Identifier: BSD-3-Clause
/*
 * Offers. Those named after a browser were recorded from it or have its form (tests/data); what is
 * expected of each was read off its text by eye.
 */
#include <errno.h>

#include "tests/support/sdp_file.h"

struct fact {
	const char *file;
	const char *ufrag;
	const char *pwd;
	uint8_t digest_start[4];
	bool trickle, bundle;
	unsigned int sections;
	struct sdp_section section[3];
};

#define CHROMIUM(text, way) \
	{ \
		.audio = true, .usable = true, .mid = text, .direction = way, \
		.opus_payload_type = 111, .red_payload_type = 63, .audio_level_id = 1, \
		.mid_id = 4, .rtcp_rsize = true \
	}
#define FIREFOX(text, way, number) \
	{ \
		.audio = true, .usable = true, .mid = text, .direction = way, \
		.opus_payload_type = 109, .audio_level_id = 1, .mid_id = 3, .ssrc = number \
	}

static const struct fact facts[] = {
	{"chromium_recvonly_3", "W8oR", "7ZcNxLZvc4fdXe8qqJFOwcuR", {0x1e, 0x3c, 0x47, 0xc1}, true,
		true, 3,
		{CHROMIUM("0", SDP_RECVONLY), CHROMIUM("1", SDP_RECVONLY),
			CHROMIUM("2", SDP_RECVONLY)}},
	{"chromium_sendonly_red", "K66p", "wAPQLRxUulO4bPyRv9/9NzPI", {0xe9, 0x16, 0xef, 0xa6},
		true, true, 1,
		{{.audio = true,
			.usable = true,
			.mid = "0",
			.direction = SDP_SENDONLY,
			.opus_payload_type = 111,
			.red_payload_type = 63,
			.audio_level_id = 1,
			.mid_id = 4,
			.rtcp_rsize = true,
			.ssrc = 4030240271u}}},
	{"chromium_audio_video_data", "Xj+1", "CmNlAe1166Ly1A5bF0zv+deq", {0x60, 0xea, 0xe2, 0x45},
		true, true, 3,
		{CHROMIUM("0", SDP_RECVONLY), {.mid = "1", .rtcp_rsize = true}, {.mid = "2"}}},
	{"firefox_recvonly_3_bundle_only", "5a9ce1cd", "0f4a9ff0e0d2f22aca7ab2b6f1a7c5b1",
		{0x12, 0x34, 0x56, 0x78}, true, true, 3,
		{FIREFOX("0", SDP_RECVONLY, 2655508255u), FIREFOX("1", SDP_RECVONLY, 2655508355u),
			FIREFOX("2", SDP_RECVONLY, 2655508455u)}},
	{"firefox_sendrecv", "5a9ce1cd", "0f4a9ff0e0d2f22aca7ab2b6f1a7c5b1",
		{0x12, 0x34, 0x56, 0x78}, true, true, 1, {FIREFOX("0", SDP_SENDRECV, 2655508255u)}},
	{"obs_whip", "jxGJ", "s4yTgiXNTyhx7nzoMDzOCg", {0x12, 0x34, 0x56, 0x78}, true, true, 2,
		{{.audio = true,
			 .usable = true,
			 .mid = "0",
			 .direction = SDP_SENDONLY,
			 .opus_payload_type = 111,
			 .ssrc = 4230571094u},
			{.mid = "1", .ssrc = 4230571095u}}},
	{"pion_whip", "cLmnVvLIGCVgKXWq", "hBvrBVxSCtpRYDTzDAjKnYbmkkVyNbbO",
		{0x12, 0x34, 0x56, 0x78}, false, true, 1,
		{{.audio = true,
			.usable = true,
			.mid = "0",
			.direction = SDP_SENDRECV,
			.opus_payload_type = 111,
			.nack = true,
			.rtcp_rsize = true,
			.ssrc = 2596996162u}}},
	{"gstreamer_whip", "+jXMEhMXmi1gV3NcO6aQeYCRtZzFyrTO", "eXN0N0Pq7/+SVQHcz8nqTwY0dFo5oPzz",
		{0x12, 0x34, 0x56, 0x78}, true, true, 1,
		{{.audio = true,
			.usable = true,
			.mid = "audio0",
			.direction = SDP_SENDONLY,
			.opus_payload_type = 96,
			.audio_level_id = 1,
			.nack = true,
			.rtcp_rsize = true,
			.ssrc = 2894862034u}}},
	{"minimal_no_bundle", "abcd", "0123456789012345678901", {0x12, 0x34, 0x56, 0x78}, false,
		false, 1,
		{{.audio = true,
			.usable = true,
			.direction = SDP_RECVONLY,
			.opus_payload_type = 96}}},
};

static void check_section(const struct sdp_section *is, const struct sdp_section *due)
{
	ck_assert_int_eq(is->audio, due->audio);
	ck_assert_int_eq(is->usable, due->usable);
	ck_assert_str_eq(is->mid, due->mid);
	ck_assert_uint_eq(is->ssrc, due->audio ? due->ssrc : is->ssrc);
	if (!due->audio)
		return;
	ck_assert_int_eq(is->direction, due->direction);
	ck_assert_uint_eq(is->opus_payload_type, due->opus_payload_type);
	ck_assert_uint_eq(is->red_payload_type, due->red_payload_type);
	ck_assert_uint_eq(is->audio_level_id, due->audio_level_id);
	ck_assert_uint_eq(is->mid_id, due->mid_id);
	ck_assert_int_eq(is->nack, due->nack);
	ck_assert_int_eq(is->rtcp_rsize, due->rtcp_rsize);
	ck_assert_str_eq(is->media, "audio");
	ck_assert_str_eq(is->protocol, "UDP/TLS/RTP/SAVPF");
}

START_TEST(reads_what_clients_really_send)
{
	const struct fact *fact = &facts[_i];
	struct sdp_offer offer;

	sdp_file_parse(fact->file, &offer);
	ck_assert_uint_eq(offer.ice.ufrag_size, strlen(fact->ufrag));
	ck_assert_mem_eq(offer.ice.ufrag, fact->ufrag, offer.ice.ufrag_size);
	ck_assert_uint_eq(offer.ice.pwd_size, strlen(fact->pwd));
	ck_assert_mem_eq(offer.ice.pwd, fact->pwd, offer.ice.pwd_size);
	ck_assert_mem_eq(offer.fingerprint, fact->digest_start, 4);
	ck_assert_int_eq(offer.trickle, fact->trickle);
	ck_assert_int_eq(offer.bundle, fact->bundle);
	ck_assert_uint_eq(offer.section_count, fact->sections);
	for (unsigned int i = 0; i < fact->sections; i++)
		check_section(&offer.section[i], &fact->section[i]);
}
END_TEST

START_TEST(keeps_what_a_refusal_has_to_name)
{
	struct sdp_offer offer;

	sdp_file_parse("chromium_audio_video_data", &offer);
	ck_assert_str_eq(offer.section[1].media, "video");
	ck_assert_str_eq(offer.section[1].format, "96");
	ck_assert_str_eq(offer.section[2].media, "application");
	ck_assert_str_eq(offer.section[2].protocol, "UDP/DTLS/SCTP");
	ck_assert_str_eq(offer.section[2].format, "webrtc-datachannel");
}
END_TEST

START_TEST(a_restart_differs_in_its_credentials_only)
{
	struct sdp_offer before, after;

	sdp_file_parse("chromium_before_restart", &before);
	sdp_file_parse("chromium_after_restart", &after);
	ck_assert_mem_ne(before.ice.ufrag, after.ice.ufrag, 4);
	ck_assert_mem_ne(before.ice.pwd, after.ice.pwd, 24);
	ck_assert_mem_eq(before.fingerprint, after.fingerprint, SDP_FINGERPRINT_SIZE);
	ck_assert_str_eq(before.section[0].mid, after.section[0].mid);
}
END_TEST

/* Whatever the cut, a session has all that makes it safe, or it is none. */
START_TEST(a_cut_offer_is_whole_or_refused)
{
	static const uint8_t zero[SDP_FINGERPRINT_SIZE];
	struct sdp_offer whole, offer;
	struct sdp_error error;
	size_t size;
	char *text = sdp_file_read(sdp_file_names[_i], &size);

	ck_assert_int_eq(sdp_parse_offer(text, size, &whole, &error), 0);
	for (size_t cut = 0; cut < size; cut++) {
		uint8_t *block;
		const char *part = (const char *)unit_block(text, cut, &block);
		int result = sdp_parse_offer(part, cut, &offer, &error);

		free(block);
		ck_assert_int_eq(result, error.reason[0] == '\0' ? 0 : -EINVAL);
		ck_assert_mem_eq(offer.fingerprint, result == 0 ? whole.fingerprint : zero,
			SDP_FINGERPRINT_SIZE);
		ck_assert(result < 0 || (offer.ice.ufrag_size >= 4 && offer.ice.pwd_size >= 22));
	}
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sdp");
	TCase *tc = tcase_create("offers");

	tcase_add_loop_test(
		tc, reads_what_clients_really_send, 0, sizeof(facts) / sizeof(facts[0]));
	tcase_add_test(tc, keeps_what_a_refusal_has_to_name);
	tcase_add_test(tc, a_restart_differs_in_its_credentials_only);
	tcase_add_loop_test(tc, a_cut_offer_is_whole_or_refused, 0, SDP_FILES);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
