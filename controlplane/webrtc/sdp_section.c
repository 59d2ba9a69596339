// SPDX-License-Identifier: BSD-3-Clause
#include "controlplane/webrtc/sdp_section.h"

#include <errno.h>
#include <string.h>

#define EXTENSION_ID_MAX 14 /* of the one-byte form, RFC 8285: the only one the relay writes */
#define EXTENSION_MAX 4351  /* the highest that section 7 of it lets an offer name */

typedef int take_value(
	struct sdp_draft *draft, struct sdp_reader *reader, const struct sdp_line *line);

static const struct {
	const char *name;
	enum sdp_direction direction;
} directions[] = {
	{"sendrecv", SDP_SENDRECV},
	{"sendonly", SDP_SENDONLY},
	{"recvonly", SDP_RECVONLY},
	{"inactive", SDP_INACTIVE},
};

/*
 * RFC 5761 section 4: 64 to 95 are RTCP's. 0 is PCMU's, and 0 means "none" to the data plane. What
 * is left are the dynamic numbers, and those below 64 that browsers fall back on.
 */
static bool is_usable_payload_type(uint32_t number)
{
	return number >= 1 && number < SDP_PAYLOAD_TYPES && (number < 64 || number > 95);
}

static int take_direction(struct sdp_shared *shared, struct sdp_reader *reader,
	const struct sdp_line *line, enum sdp_direction direction)
{
	if (shared->direction_known && shared->direction != direction)
		return sdp_fail(reader, line, "a second, different direction");
	shared->direction_known = true;
	shared->direction = direction;
	return 1;
}

/* "a=extmap:3/sendrecv URI ...". One that is meant for one direction only is not taken up. */
static int take_extension(
	struct sdp_shared *shared, struct sdp_reader *reader, const struct sdp_line *line)
{
	struct sdp_text rest = line->rest, uri, direction = sdp_word(&rest);
	struct sdp_text number = sdp_until(&direction, '/');
	uint8_t *id = NULL;
	uint32_t value;

	if (!sdp_number(number, 1, EXTENSION_MAX, &value))
		return sdp_fail(reader, line, "expected an id from 1 to %u", EXTENSION_MAX);
	uri = sdp_word(&rest);
	if (uri.size == 0)
		return sdp_fail(reader, line, "expected a URI after the id");
	if (sdp_equals(uri, "urn:ietf:params:rtp-hdrext:ssrc-audio-level"))
		id = &shared->audio_level_id;
	else if (sdp_equals(uri, "urn:ietf:params:rtp-hdrext:sdes:mid"))
		id = &shared->mid_id;
	if (id == NULL || value > EXTENSION_ID_MAX ||
		(direction.size > 0 && !sdp_equals(direction, "sendrecv")))
		return 1;
	if (*id != 0 && *id != value)
		return sdp_fail(reader, line, "a second id for the same extension");
	*id = (uint8_t)value;
	if (shared->audio_level_id == shared->mid_id)
		return sdp_fail(reader, line, "id %u stands for another extension", value);
	return 1;
}

int sdp_shared_take(
	struct sdp_shared *shared, struct sdp_reader *reader, const struct sdp_line *line)
{
	if (line->type != 'a')
		return 0;
	for (size_t i = 0; i < sizeof(directions) / sizeof(directions[0]); i++) {
		if (sdp_equals(line->value, directions[i].name))
			return take_direction(shared, reader, line, directions[i].direction);
	}
	return sdp_equals(line->name, "extmap") ? take_extension(shared, reader, line) : 0;
}

int sdp_draft_begin(struct sdp_draft *draft, struct sdp_section *section, struct sdp_reader *reader,
	const struct sdp_line *line)
{
	struct sdp_text rest = line->value, media = sdp_word(&rest), port = sdp_word(&rest);
	struct sdp_text protocol = sdp_word(&rest), format;

	*draft = (struct sdp_draft){.section = section, .head = *line, .order = rest};
	*section = (struct sdp_section){0};
	if (!sdp_is_token(media) || media.size >= sizeof(section->media))
		return sdp_fail(reader, line, "expected a medium of 1 to %zu characters",
			sizeof(section->media) - 1);
	if (!sdp_number(port, 0, 65535, &draft->port))
		return sdp_fail(reader, line, "expected a port from 0 to 65535");
	if (protocol.size == 0 || protocol.size >= sizeof(section->protocol))
		return sdp_fail(reader, line, "expected a protocol of 1 to %zu characters",
			sizeof(section->protocol) - 1);
	for (struct sdp_text left = protocol; left.size > 0;) {
		if (!sdp_is_token(sdp_until(&left, '/')))
			return sdp_fail(reader, line, "expected a protocol of tokens and '/'");
	}
	format = sdp_word(&rest);
	if (!sdp_is_token(format) || format.size >= sizeof(section->format))
		return sdp_fail(reader, line, "expected a format of 1 to %zu characters",
			sizeof(section->format) - 1);
	sdp_copy(section->media, sizeof(section->media), media);
	sdp_copy(section->protocol, sizeof(section->protocol), protocol);
	sdp_copy(section->format, sizeof(section->format), format);
	section->audio = sdp_equals(media, "audio");
	return 0;
}

static int take_mid(struct sdp_draft *draft, struct sdp_reader *reader, const struct sdp_line *line)
{
	if (!sdp_is_token(line->rest) || line->rest.size > SDP_MID_MAX)
		return sdp_fail(
			reader, line, "expected a token of 1 to %u characters", SDP_MID_MAX);
	if (draft->section->mid[0] != '\0')
		return sdp_fail(reader, line, "a second a=mid in the section");
	sdp_copy(draft->section->mid, sizeof(draft->section->mid), line->rest);
	return 0;
}

static int take_rtpmap(
	struct sdp_draft *draft, struct sdp_reader *reader, const struct sdp_line *line)
{
	struct sdp_text rest = line->rest, number = sdp_word(&rest), codec = sdp_word(&rest);
	enum sdp_codec kind = SDP_CODEC_OTHER;
	uint32_t value;

	if (!sdp_number(number, 0, SDP_PAYLOAD_TYPES - 1, &value))
		return sdp_fail(reader, line, "expected a payload type from 0 to 127");
	if (sdp_equals_any_case(codec, "opus/48000/2"))
		kind = SDP_CODEC_OPUS;
	else if (sdp_equals_any_case(codec, "red/48000/2"))
		kind = SDP_CODEC_RED;
	if (draft->codec[value] != SDP_CODEC_OTHER && draft->codec[value] != kind)
		return sdp_fail(reader, line, "payload type %u stands for another codec", value);
	draft->codec[value] = (uint8_t)kind;
	return 0;
}

static int take_fmtp(
	struct sdp_draft *draft, struct sdp_reader *reader, const struct sdp_line *line)
{
	struct sdp_text rest = line->rest, number = sdp_word(&rest);
	uint32_t value;

	if (sdp_number(number, 0, SDP_PAYLOAD_TYPES - 1, &value))
		draft->fmtp[value] = rest;
	else if (draft->section->audio)
		return sdp_fail(reader, line, "expected a payload type from 0 to 127");
	return 0;
}

/* "a=rtcp-fb:111 nack": the generic NACK of RFC 4585; "nack pli" and others are something else. */
static int take_feedback(
	struct sdp_draft *draft, struct sdp_reader *reader, const struct sdp_line *line)
{
	struct sdp_text rest = line->rest, number = sdp_word(&rest);
	bool nack = sdp_equals(sdp_word(&rest), "nack") && rest.size == 0;
	uint32_t value;

	if (sdp_equals(number, "*"))
		draft->nack_any |= nack;
	else if (!sdp_number(number, 0, SDP_PAYLOAD_TYPES - 1, &value))
		return sdp_fail(reader, line, "expected a payload type from 0 to 127 or *");
	else
		draft->nack[value] |= nack;
	return 0;
}

static int take_ssrc(
	struct sdp_draft *draft, struct sdp_reader *reader, const struct sdp_line *line)
{
	struct sdp_text rest = line->rest;
	uint32_t value;

	if (!sdp_number(sdp_word(&rest), 0, UINT32_MAX, &value))
		return sdp_fail(reader, line, "expected an SSRC from 0 to 4294967295");
	if (!draft->ssrc_known)
		draft->section->ssrc = value;
	draft->ssrc_known = true;
	return 0;
}

static int take_mux(struct sdp_draft *draft, struct sdp_reader *reader, const struct sdp_line *line)
{
	(void)reader;
	(void)line;
	draft->rtcp_mux = true;
	return 0;
}

static int take_reduced_size(
	struct sdp_draft *draft, struct sdp_reader *reader, const struct sdp_line *line)
{
	(void)reader;
	(void)line;
	draft->section->rtcp_rsize = true;
	return 0;
}

static int take_bundle_only(
	struct sdp_draft *draft, struct sdp_reader *reader, const struct sdp_line *line)
{
	(void)reader;
	(void)line;
	draft->bundle_only = true;
	return 0;
}

static const struct {
	const char *name;
	take_value *take;
} table[] = {
	{"mid", take_mid},
	{"rtpmap", take_rtpmap},
	{"fmtp", take_fmtp},
	{"rtcp-fb", take_feedback},
	{"ssrc", take_ssrc},
	{"rtcp-mux", take_mux},
	{"rtcp-rsize", take_reduced_size},
	{"bundle-only", take_bundle_only},
};

int sdp_draft_take(struct sdp_draft *draft, struct sdp_reader *reader, const struct sdp_line *line)
{
	int taken = sdp_transport_take(&draft->transport, reader, line);

	if (taken == 0)
		taken = sdp_shared_take(&draft->own, reader, line);
	if (taken != 0)
		return taken < 0 ? taken : 0;
	for (size_t i = 0; line->type == 'a' && i < sizeof(table) / sizeof(table[0]); i++) {
		if (sdp_equals(line->name, table[i].name))
			return table[i].take(draft, reader, line);
	}
	return 0;
}

/* The first of its kind that m= lists, 0: none. */
static uint8_t find_codec(const struct sdp_draft *draft, enum sdp_codec kind)
{
	struct sdp_text rest = draft->order;

	while (rest.size > 0) {
		uint32_t number;

		if (sdp_number(sdp_word(&rest), 0, SDP_PAYLOAD_TYPES - 1, &number) &&
			draft->codec[number] == kind && is_usable_payload_type(number))
			return (uint8_t)number;
	}
	return 0;
}

/* RFC 2198 section 5: the payload types of all its blocks, here each of them that Opus. */
static bool red_carries(struct sdp_text blocks, uint8_t payload_type)
{
	unsigned int count = 0;

	while (blocks.size > 0) {
		uint32_t number;

		if (!sdp_number(sdp_until(&blocks, '/'), 0, SDP_PAYLOAD_TYPES - 1, &number) ||
			number != payload_type)
			return false;
		count++;
	}
	return count >= 2;
}

static const char *why_not(const struct sdp_draft *draft)
{
	if (!sdp_equals(
		    (struct sdp_text){draft->section->protocol, strlen(draft->section->protocol)},
		    "UDP/TLS/RTP/SAVPF"))
		return "expected UDP/TLS/RTP/SAVPF";
	if (draft->port == 0 && !draft->bundle_only)
		return "the offer itself disables it with port 0";
	if (draft->section->opus_payload_type == 0)
		return "no opus/48000/2 with a payload type from 1 to 63 or 96 to 127";
	return NULL;
}

const char *sdp_draft_finish(struct sdp_draft *draft, const struct sdp_shared *session)
{
	struct sdp_section *section = draft->section;
	uint8_t opus = find_codec(draft, SDP_CODEC_OPUS), red = find_codec(draft, SDP_CODEC_RED);

	if (!section->audio)
		return "not audio";
	section->opus_payload_type = opus;
	section->nack = draft->nack_any || draft->nack[opus];
	if (red != 0 && red_carries(draft->fmtp[red], opus))
		section->red_payload_type = red;
	section->audio_level_id = draft->own.audio_level_id != 0 ? draft->own.audio_level_id
								 : session->audio_level_id;
	section->mid_id = draft->own.mid_id != 0 ? draft->own.mid_id : session->mid_id;
	section->direction = draft->own.direction_known ? draft->own.direction
			     : session->direction_known ? session->direction
							: SDP_SENDRECV;
	return why_not(draft);
}
