// SPDX-License-Identifier: BSD-3-Clause
/* Answers and fragments: written line by line from what was agreed, never copied from an offer. */
#include <arpa/inet.h>
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "controlplane/webrtc/sdp.h"

#define LINE_MAX_SIZE 256 /* of what is put with a format; the longest is about 120 */
#define NO_SLOT (-1)

/* What a section of the offer becomes. */
struct role {
	bool source; /* the client speaks here */
	int slot;    /* and hears this one, or NO_SLOT */
	bool spread; /* together with those after it */
};

struct assignment {
	struct role role[SDP_SECTIONS_MAX];
	int tagged; /* the first section that is accepted: it carries the bundle's transport */
};

static void put(struct writer *writer, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void put(struct writer *writer, const char *format, ...)
{
	char line[LINE_MAX_SIZE];
	int size;
	va_list list;

	va_start(list, format);
	size = vsnprintf(line, sizeof(line) - 2, format, list);
	va_end(list);
	assert(size > 0 && (size_t)size < sizeof(line) - 2);
	memcpy(line + size, "\r\n", 2);
	writer_append(writer, line, (size_t)size + 2);
}

static bool can_send(const struct sdp_section *section)
{
	return section->direction == SDP_SENDRECV || section->direction == SDP_SENDONLY;
}

static bool wants_to_receive(const struct sdp_section *section)
{
	return section->direction == SDP_SENDRECV || section->direction == SDP_RECVONLY;
}

static void assign(
	const struct sdp_offer *offer, const struct sdp_answer *answer, struct assignment *out)
{
	bool source_left = answer->receive;
	unsigned int slots = 0;
	struct role *last = NULL;

	out->tagged = -1;
	for (unsigned int i = 0; i < offer->section_count; i++) {
		const struct sdp_section *section = &offer->section[i];
		struct role *role = &out->role[i];

		*role = (struct role){.slot = NO_SLOT};
		if (!section->usable)
			continue;
		if (out->tagged < 0)
			out->tagged = (int)i;
		role->source = source_left && can_send(section);
		source_left &= !role->source;
		if (wants_to_receive(section) && slots < answer->slot_count &&
			section->opus_payload_type == answer->payload_type) {
			role->slot = (int)slots++;
			last = role;
		}
	}
	if (last != NULL && slots < answer->slot_count)
		last->spread = answer->spread_unsignalled;
}

static void format_address(const struct stn_address *address, char text[INET6_ADDRSTRLEN])
{
	inet_ntop(address->family == 6 ? AF_INET6 : AF_INET, address->address, text,
		INET6_ADDRSTRLEN);
}

/* RFC 8445 section 5.1.1.3: candidates of one base address have one foundation. */
static unsigned int foundation(const struct sdp_answer *answer, unsigned int candidate)
{
	const struct stn_address *it = &answer->candidates[candidate];
	unsigned int i;

	for (i = 0; i < candidate; i++) {
		const struct stn_address *other = &answer->candidates[i];

		if (other->family == it->family &&
			memcmp(other->address, it->address, sizeof(it->address)) == 0)
			break;
	}
	return i + 1;
}

/* RFC 8445 section 5.1.2.1: type preference 126 of a host, component 1; the first is preferred. */
static uint32_t priority(unsigned int candidate)
{
	return 126u << 24 | (65535u - candidate) << 8 | (256u - 1u);
}

static void put_candidates(struct writer *writer, const struct sdp_answer *answer)
{
	char address[INET6_ADDRSTRLEN];

	for (unsigned int i = 0; i < answer->candidate_count; i++) {
		format_address(&answer->candidates[i], address);
		put(writer, "a=candidate:%u 1 udp %u %s %u typ host", foundation(answer, i),
			priority(i), address, ntohs(answer->candidates[i].port_be));
	}
	put(writer, "a=end-of-candidates");
}

static void put_credentials(struct writer *writer, const struct sdp_answer *answer)
{
	put(writer, "a=ice-ufrag:%s", answer->ufrag);
	put(writer, "a=ice-pwd:%s", answer->pwd);
}

/* Each candidate is known at once, but the client's may trickle: they are taken and forgotten. */
static void put_ice_options(struct writer *writer, const struct sdp_offer *offer)
{
	put(writer, "a=ice-lite");
	put(writer, "a=ice-options:%sice2", offer->trickle ? "trickle " : "");
}

static void put_bundle(
	struct writer *writer, const struct sdp_offer *offer, const struct assignment *assignment)
{
	if (!offer->bundle || assignment->tagged < 0)
		return;
	writer_append(writer, "a=group:BUNDLE", 14);
	for (unsigned int i = 0; i < offer->section_count; i++) {
		if (!offer->section[i].usable)
			continue;
		writer_append(writer, " ", 1);
		writer_append(writer, offer->section[i].mid, strlen(offer->section[i].mid));
	}
	writer_append(writer, "\r\n", 2);
}

static void put_session(struct writer *writer, const struct sdp_offer *offer,
	const struct sdp_answer *answer, const struct assignment *assignment)
{
	put(writer, "v=0");
	put(writer, "o=- %llu 1 IN IP4 127.0.0.1", (unsigned long long)answer->session_id);
	put(writer, "s=-");
	put(writer, "t=0 0");
	put_bundle(writer, offer, assignment);
	put(writer, "a=msid-semantic: WMS *");
	put_ice_options(writer, offer);
}

static void put_mid(struct writer *writer, const struct sdp_section *section)
{
	if (section->mid[0] != '\0')
		put(writer, "a=mid:%s", section->mid);
}

/* RFC 3264 section 6: port 0, and something that is syntax in the place of formats. */
static void put_refusal(struct writer *writer, const struct sdp_section *section)
{
	put(writer, "m=%s 0 %s %s", section->media, section->protocol, section->format);
	put(writer, "c=IN IP4 0.0.0.0");
	put(writer, "a=inactive");
	put_mid(writer, section);
}

/* What a slot sends as RED is the profile's; a source's RED may have any number. */
static uint8_t red_of(
	const struct sdp_section *section, const struct sdp_answer *answer, const struct role *role)
{
	if (answer->red_payload_type == 0)
		return 0;
	return role->source || section->red_payload_type == answer->red_payload_type
		       ? section->red_payload_type
		       : 0;
}

static uint8_t audio_level_of(
	const struct sdp_section *section, const struct sdp_answer *answer, const struct role *role)
{
	return role->source || section->audio_level_id == answer->audio_level_id
		       ? section->audio_level_id
		       : 0;
}

/*
 * RFC 7587 section 7.1, said by us as a receiver. useinbandfec: the listeners' decoders conceal
 * better with it, and a loss between speaker and relay is everybody's loss. usedtx: a pause is 2
 * packets a second instead of 50 for each listener; the room's slots know pauses. Towards a
 * listener usedtx would ask for nothing, since it does not send. Mono is the default.
 */
static void put_codecs(struct writer *writer, const struct sdp_section *section, uint8_t red,
	const struct role *role)
{
	unsigned int opus = section->opus_payload_type;

	if (red != 0) {
		put(writer, "a=rtpmap:%u red/48000/2", red);
		put(writer, "a=fmtp:%u %u/%u", red, opus, opus);
	}
	put(writer, "a=rtpmap:%u opus/48000/2", opus);
	put(writer, "a=fmtp:%u minptime=10;useinbandfec=1%s", opus,
		role->source ? ";usedtx=1" : "");
	if (section->nack)
		put(writer, "a=rtcp-fb:%u nack", opus);
}

static const char *direction_of(const struct role *role)
{
	if (role->slot == NO_SLOT)
		return role->source ? "recvonly" : "inactive";
	return role->source ? "sendrecv" : "sendonly";
}

static void put_slot(
	struct writer *writer, const struct sdp_answer *answer, const struct role *role)
{
	char cname[STN_CNAME_SIZE];
	uint32_t ssrc;

	if (role->slot == NO_SLOT)
		return;
	ssrc = answer->slot_ssrc[role->slot];
	put(writer, "a=msid:slot-%d slot-%d-audio", role->slot, role->slot);
	if (role->spread)
		return;
	stn_slot_cname(ssrc, cname);
	put(writer, "a=ssrc:%u cname:%s", ssrc, cname);
	put(writer, "a=ssrc:%u msid:slot-%d slot-%d-audio", ssrc, role->slot, role->slot);
}

/* RFC 8839 section 4.4: the default destination is the first candidate. */
static void put_head(struct writer *writer, const struct sdp_section *section,
	const struct sdp_answer *answer, uint8_t red)
{
	char address[INET6_ADDRSTRLEN] = "0.0.0.0", preferred[8] = "";
	unsigned int port = 9;
	bool six = false;

	if (answer->candidate_count > 0) {
		format_address(&answer->candidates[0], address);
		port = ntohs(answer->candidates[0].port_be);
		six = answer->candidates[0].family == 6;
	}
	if (red != 0)
		snprintf(preferred, sizeof(preferred), "%u ", red);
	put(writer, "m=audio %u UDP/TLS/RTP/SAVPF %s%u", port, preferred,
		section->opus_payload_type);
	put(writer, "c=IN IP%c %s", six ? '6' : '4', address);
}

static void put_transport(struct writer *writer, const struct sdp_answer *answer, bool tagged)
{
	char digest[3 * SDP_FINGERPRINT_SIZE + 1];

	for (unsigned int i = 0; i < SDP_FINGERPRINT_SIZE; i++)
		snprintf(digest + 3 * i, 4, "%02X:", answer->fingerprint[i]);
	digest[3 * SDP_FINGERPRINT_SIZE - 1] = '\0';
	put_credentials(writer, answer);
	put(writer, "a=fingerprint:sha-256 %s", digest);
	put(writer, "a=setup:passive");
	if (tagged)
		put_candidates(writer, answer);
}

static void put_section(struct writer *writer, const struct sdp_section *section,
	const struct sdp_answer *answer, const struct role *role, bool tagged)
{
	uint8_t red = red_of(section, answer, role);
	uint8_t level = audio_level_of(section, answer, role);

	put_head(writer, section, answer, red);
	put_mid(writer, section);
	put_transport(writer, answer, tagged);
	put(writer, "a=%s", direction_of(role));
	put(writer, "a=rtcp-mux");
	if (section->rtcp_rsize)
		put(writer, "a=rtcp-rsize");
	if (level != 0)
		put(writer, "a=extmap:%u urn:ietf:params:rtp-hdrext:ssrc-audio-level", level);
	put_codecs(writer, section, red, role);
	put_slot(writer, answer, role);
}

bool sdp_write_answer(
	struct writer *writer, const struct sdp_offer *offer, const struct sdp_answer *answer)
{
	struct assignment assignment;

	assign(offer, answer, &assignment);
	put_session(writer, offer, answer, &assignment);
	for (unsigned int i = 0; i < offer->section_count; i++) {
		if (offer->section[i].usable)
			put_section(writer, &offer->section[i], answer, &assignment.role[i],
				(int)i == assignment.tagged);
		else
			put_refusal(writer, &offer->section[i]);
	}
	return !writer->failed;
}

/* RFC 8840 section 9: the first section stands for the bundle. */
bool sdp_write_fragment(
	struct writer *writer, const struct sdp_offer *offer, const struct sdp_answer *answer)
{
	struct assignment assignment;

	assign(offer, answer, &assignment);
	put_ice_options(writer, offer);
	put_bundle(writer, offer, &assignment);
	if (assignment.tagged >= 0) {
		const struct sdp_section *section = &offer->section[assignment.tagged];

		put(writer, "m=audio 9 UDP/TLS/RTP/SAVPF %u", section->opus_payload_type);
		put_mid(writer, section);
	}
	put_credentials(writer, answer);
	put_candidates(writer, answer);
	return !writer->failed;
}
