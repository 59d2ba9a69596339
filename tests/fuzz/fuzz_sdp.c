// SPDX-License-Identifier: BSD-3-Clause
/*
 * An offer, the answer to it, and the answer read as an offer; the same bytes as a fragment. What
 * stands in an accepted offer can be put into lines without a way to break them.
 */
#include <string.h>

#include "controlplane/webrtc/sdp.h"
#include "tests/fuzz/fuzz.h"

static const uint8_t fingerprint[SDP_FINGERPRINT_SIZE] = {1};
static const uint32_t ssrc[STN_SLOTS_MAX] = {1, 2, 3, 4, 5, 6, 7, 8};
static const struct stn_address candidate = {.family = 6, .port_be = 0x409c, .address = {0x20, 1}};

static bool is_text(const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text <= 0x20 || *text >= 0x7f)
			return false;
	}
	return true;
}

static void check_offer(const struct sdp_offer *offer)
{
	bool usable = false;

	FUZZ_CHECK(offer->ice.ufrag_size >= 4 && offer->ice.ufrag_size <= STN_ICE_UFRAG_MAX);
	FUZZ_CHECK(offer->ice.pwd_size >= 22 && offer->ice.pwd_size <= STN_ICE_PWD_MAX);
	FUZZ_CHECK(offer->section_count >= 1 && offer->section_count <= SDP_SECTIONS_MAX);
	for (unsigned int i = 0; i < offer->section_count; i++) {
		const struct sdp_section *s = &offer->section[i];

		FUZZ_CHECK(is_text(s->mid) && is_text(s->media) && is_text(s->protocol) &&
			   is_text(s->format));
		FUZZ_CHECK(s->media[0] != '\0' && s->protocol[0] != '\0' && s->format[0] != '\0');
		FUZZ_CHECK(!s->usable || (s->audio && s->opus_payload_type != 0));
		FUZZ_CHECK(s->red_payload_type == 0 || s->red_payload_type != s->opus_payload_type);
		FUZZ_CHECK(s->audio_level_id <= 14 && s->mid_id <= 14);
		usable |= s->usable;
	}
	FUZZ_CHECK(usable);
}

/* Turned round: what only an answer says is overwritten in place. */
static void check_answer(const struct sdp_offer *offer, struct writer *writer)
{
	struct sdp_offer back;
	struct sdp_error error;
	char *at;

	writer_append(writer, "", 1);
	for (at = writer->text; (at = strstr(at, "\r\na=setup:passive")) != NULL; at++)
		memcpy(at, "\r\na=setup:actpass", 17);
	at = strstr(writer->text, "\r\na=ice-lite");
	FUZZ_CHECK(at != NULL);
	at[10] = 'x';
	FUZZ_CHECK(sdp_parse_offer(writer->text, writer->size - 1, &back, &error) == 0);
	FUZZ_CHECK(memcmp(back.fingerprint, fingerprint, sizeof(fingerprint)) == 0);
	FUZZ_CHECK(back.section_count == offer->section_count && back.bundle == offer->bundle);
	for (unsigned int i = 0; i < back.section_count; i++) {
		FUZZ_CHECK(strcmp(back.section[i].mid, offer->section[i].mid) == 0);
		FUZZ_CHECK(back.section[i].usable == offer->section[i].usable);
	}
}

static void answer_offer(const struct sdp_offer *offer, uint8_t choice)
{
	struct sdp_answer answer = {.ufrag = "AAAAAAAAAAAAAAAA",
		.pwd = "pwdpwdpwdpwdpwdpwdpwdpwd",
		.fingerprint = fingerprint,
		.candidates = &candidate,
		.candidate_count = choice & 1,
		.receive = (choice & 2) != 0,
		.red_payload_type = (choice & 4) != 0 ? 63 : 0,
		.spread_unsignalled = (choice & 8) != 0,
		.payload_type = offer->section[0].opus_payload_type,
		.audio_level_id = offer->section[0].audio_level_id,
		.slot_ssrc = ssrc,
		.slot_count = choice >> 5};
	struct writer writer = {0};

	FUZZ_CHECK(sdp_write_answer(&writer, offer, &answer));
	check_answer(offer, &writer);
	writer_reset(&writer);
	FUZZ_CHECK(sdp_write_fragment(&writer, offer, &answer));
	{
		struct sdp_fragment fragment;
		struct sdp_error error;

		FUZZ_CHECK(sdp_parse_fragment(writer.text, writer.size, &fragment, &error) == 0);
		FUZZ_CHECK(fragment.ice_known && fragment.end_of_candidates);
	}
	writer_clear(&writer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct sdp_fragment fragment;
	struct sdp_offer offer;
	struct sdp_error error;

	if (sdp_parse_fragment(text, size, &fragment, &error) != 0)
		FUZZ_CHECK(error.reason[0] != '\0');
	else if (fragment.ice_known)
		FUZZ_CHECK(fragment.ice.ufrag_size >= 4 && fragment.ice.pwd_size >= 22);
	if (sdp_parse_offer(text, size, &offer, &error) != 0) {
		FUZZ_CHECK(error.reason[0] != '\0' && strpbrk(error.reason, "\r\n") == NULL);
		return 0;
	}
	check_offer(&offer);
	answer_offer(&offer, data[size / 2]);
	return 0;
}
