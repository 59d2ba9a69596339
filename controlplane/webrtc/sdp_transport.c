// SPDX-License-Identifier: BSD-3-Clause
#include "controlplane/webrtc/sdp_transport.h"

#include <errno.h>
#include <string.h>

#define UFRAG_MIN 4
#define PWD_MIN 22

typedef int take_value(
	struct sdp_transport *transport, struct sdp_reader *reader, const struct sdp_line *line);

static int take_ufrag(
	struct sdp_transport *transport, struct sdp_reader *reader, const struct sdp_line *line)
{
	if (!sdp_is_ice_text(line->rest, UFRAG_MIN, STN_ICE_UFRAG_MAX))
		return sdp_fail(reader, line, "expected %u to %u characters of A-Z a-z 0-9 + /",
			UFRAG_MIN, STN_ICE_UFRAG_MAX);
	if (transport->ufrag.size > 0 && !sdp_same(transport->ufrag, line->rest))
		return sdp_fail(reader, line, "a second, different one");
	transport->ufrag = line->rest;
	return 1;
}

static int take_pwd(
	struct sdp_transport *transport, struct sdp_reader *reader, const struct sdp_line *line)
{
	if (!sdp_is_ice_text(line->rest, PWD_MIN, STN_ICE_PWD_MAX))
		return sdp_fail(reader, line, "expected %u to %u characters of A-Z a-z 0-9 + /",
			PWD_MIN, STN_ICE_PWD_MAX);
	if (transport->pwd.size > 0 && !sdp_same(transport->pwd, line->rest))
		return sdp_fail(reader, line, "a second, different one");
	transport->pwd = line->rest;
	return 1;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* RFC 8122 section 5: pairs of hex digits with colons between them, here 32 pairs. */
static bool read_digest(struct sdp_text text, uint8_t out[SDP_FINGERPRINT_SIZE])
{
	if (text.size != 3 * SDP_FINGERPRINT_SIZE - 1)
		return false;
	for (unsigned int i = 0; i < SDP_FINGERPRINT_SIZE; i++) {
		int high = hex_digit(text.at[3 * i]), low = hex_digit(text.at[3 * i + 1]);

		if (high < 0 || low < 0 || (3 * i + 2 < text.size && text.at[3 * i + 2] != ':'))
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static int take_fingerprint(
	struct sdp_transport *transport, struct sdp_reader *reader, const struct sdp_line *line)
{
	uint8_t digest[SDP_FINGERPRINT_SIZE];
	struct sdp_text rest = line->rest, hash = sdp_word(&rest);

	if (!sdp_is_token(hash))
		return sdp_fail(reader, line, "expected the name of a hash");
	if (!sdp_equals_any_case(hash, "sha-256")) {
		transport->other_hash = true;
		return 1;
	}
	if (!read_digest(rest, digest))
		return sdp_fail(reader, line, "expected 32 pairs of hex digits with ':' between");
	if (transport->fingerprint_known &&
		memcmp(transport->fingerprint, digest, sizeof(digest)) != 0)
		return sdp_fail(reader, line, "a second, different sha-256");
	memcpy(transport->fingerprint, digest, sizeof(digest));
	transport->fingerprint_known = true;
	return 1;
}

/* RFC 8842: the relay answers "passive", so the offerer has to be able to begin. */
static int take_setup(
	struct sdp_transport *transport, struct sdp_reader *reader, const struct sdp_line *line)
{
	if (!sdp_equals(line->rest, "actpass") && !sdp_equals(line->rest, "active"))
		return sdp_fail(reader, line, "expected actpass or active: the relay is passive");
	transport->setup_known = true;
	return 1;
}

static int take_options(
	struct sdp_transport *transport, struct sdp_reader *reader, const struct sdp_line *line)
{
	struct sdp_text rest = line->rest, option, word;

	/* Blanks by RFC 8839 section 5.6; libdatachannel, and so OBS, writes commas. */
	while (rest.size > 0) {
		for (word = sdp_word(&rest); word.size > 0;) {
			option = sdp_until(&word, ',');
			transport->trickle |= sdp_equals(option, "trickle");
		}
	}
	return 1;
}

static int take_lite(
	struct sdp_transport *transport, struct sdp_reader *reader, const struct sdp_line *line)
{
	(void)reader;
	(void)line;
	transport->lite = true;
	return 1;
}

/* An address or a name: mDNS names end in .local, IPv6 may carry a zone. */
static bool is_host(struct sdp_text text)
{
	for (size_t i = 0; i < text.size; i++) {
		char c = text.at[i];

		if (c <= 0x20 || c >= 0x7f || strchr("\"#$&'()*,/;<=>?@[\\]^`{|}~!", c) != NULL)
			return false;
	}
	return text.size > 0 && text.size <= 255;
}

/* RFC 8839 section 5.1: the form only. Where it points to is nobody's destination here. */
static int take_candidate(
	struct sdp_transport *transport, struct sdp_reader *reader, const struct sdp_line *line)
{
	struct sdp_text rest = line->rest, foundation = sdp_word(&rest);
	struct sdp_text component = sdp_word(&rest), protocol = sdp_word(&rest);
	struct sdp_text priority = sdp_word(&rest), host = sdp_word(&rest), port = sdp_word(&rest);
	struct sdp_text typ = sdp_word(&rest), type = sdp_word(&rest);
	uint32_t number;

	if (!sdp_is_ice_text(foundation, 1, 32))
		return sdp_fail(reader, line, "expected a foundation of 1 to 32 ice-chars");
	if (!sdp_number(component, 1, 256, &number))
		return sdp_fail(reader, line, "expected a component from 1 to 256");
	if (!sdp_is_token(protocol))
		return sdp_fail(reader, line, "expected a transport");
	if (!sdp_number(priority, 1, UINT32_MAX, &number))
		return sdp_fail(reader, line, "expected a priority from 1 to 4294967295");
	if (!is_host(host) || !sdp_number(port, 0, 65535, &number))
		return sdp_fail(reader, line, "expected an address and a port from 0 to 65535");
	if (!sdp_equals(typ, "typ") || !sdp_is_token(type))
		return sdp_fail(reader, line, "expected typ and a type");
	transport->candidate_count++;
	return 1;
}

static int take_end(
	struct sdp_transport *transport, struct sdp_reader *reader, const struct sdp_line *line)
{
	(void)reader;
	(void)line;
	transport->end_of_candidates = true;
	return 1;
}

static const struct {
	const char *name;
	take_value *take;
} table[] = {
	{"ice-ufrag", take_ufrag},
	{"ice-pwd", take_pwd},
	{"fingerprint", take_fingerprint},
	{"setup", take_setup},
	{"ice-options", take_options},
	{"ice-lite", take_lite},
	{"candidate", take_candidate},
	{"end-of-candidates", take_end},
};

int sdp_transport_take(
	struct sdp_transport *transport, struct sdp_reader *reader, const struct sdp_line *line)
{
	if (line->type != 'a')
		return 0;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (sdp_equals(line->name, table[i].name))
			return table[i].take(transport, reader, line);
	}
	return 0;
}

static bool agrees(struct sdp_text *into, struct sdp_text from)
{
	if (into->size == 0)
		*into = from;
	return from.size == 0 || sdp_same(*into, from);
}

int sdp_transport_merge(struct sdp_transport *into, const struct sdp_transport *from,
	struct sdp_reader *reader, const struct sdp_line *line)
{
	static const char again[] = "its %s is another than before: one transport carries all";

	if (!agrees(&into->ufrag, from->ufrag))
		return sdp_fail(reader, line, again, "a=ice-ufrag");
	if (!agrees(&into->pwd, from->pwd))
		return sdp_fail(reader, line, again, "a=ice-pwd");
	if (into->fingerprint_known && from->fingerprint_known &&
		memcmp(into->fingerprint, from->fingerprint, SDP_FINGERPRINT_SIZE) != 0)
		return sdp_fail(reader, line, again, "a=fingerprint");
	if (from->fingerprint_known)
		memcpy(into->fingerprint, from->fingerprint, SDP_FINGERPRINT_SIZE);
	into->fingerprint_known |= from->fingerprint_known;
	into->other_hash |= from->other_hash;
	into->setup_known |= from->setup_known;
	into->lite |= from->lite;
	into->trickle |= from->trickle;
	into->candidate_count += from->candidate_count;
	into->end_of_candidates |= from->end_of_candidates;
	return 0;
}

void sdp_transport_read_ice(const struct sdp_transport *transport, struct sdp_ice *out)
{
	*out = (struct sdp_ice){
		.ufrag_size = (uint16_t)transport->ufrag.size,
		.pwd_size = (uint16_t)transport->pwd.size,
	};
	memcpy(out->ufrag, transport->ufrag.at, transport->ufrag.size);
	memcpy(out->pwd, transport->pwd.at, transport->pwd.size);
}
