// SPDX-License-Identifier: BSD-3-Clause
#include "tests/io/peer.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/core/ice.h"

/* The shortest frame Opus has: a test sends faster than anybody speaks. */
#define TICKS 120

static const enum media_suite suites[] = {
	[STN_SUITE_AEAD_AES_128_GCM] = MEDIA_SUITE_GCM128,
	[STN_SUITE_AEAD_AES_256_GCM] = MEDIA_SUITE_GCM256,
	[STN_SUITE_AES128_CM_HMAC_SHA1_80] = MEDIA_SUITE_CM80,
};

static unsigned int salt_size(uint8_t suite)
{
	return suite == STN_SUITE_AES128_CM_HMAC_SHA1_80 ? 14 : 12;
}

static void key_make(struct stn_master_key *key, uint8_t suite, struct random_state *random)
{
	memset(key, 0, sizeof(*key));
	key->suite = suite;
	if (suite == STN_SUITE_NONE)
		return;
	random_fill(random, key->key, media_suite_key_size(suites[suite]) - salt_size(suite));
	random_fill(random, key->salt, salt_size(suite));
}

static srtp_t session_open(
	const struct stn_master_key *from, struct media_key *key, srtp_ssrc_type_t direction)
{
	unsigned int salt = salt_size(from->suite);
	srtp_policy_t policy;
	srtp_t session;

	if (from->suite == STN_SUITE_NONE)
		return NULL;
	key->suite = suites[from->suite];
	key->size = media_suite_key_size(key->suite);
	memcpy(key->bytes, from->key, key->size - salt);
	memcpy(key->bytes + key->size - salt, from->salt, salt);
	media_key_policy(key, direction, &policy);
	ck_assert_int_eq(srtp_create(&session, &policy), srtp_err_status_ok);
	return session;
}

void peer_keys(struct peer *peer, uint8_t tx_suite, uint8_t rx_suite, struct random_state *random)
{
	key_make(&peer->facts.tx, tx_suite, random);
	key_make(&peer->facts.rx, rx_suite, random);
	peer->hear = session_open(&peer->facts.tx, &peer->hear_key, ssrc_any_inbound);
	peer->send = session_open(&peer->facts.rx, &peer->send_key, ssrc_any_outbound);
}

void peer_hear_with(struct peer *peer, const struct stn_master_key *key)
{
	peer->hear = session_open(key, &peer->hear_key, ssrc_any_inbound);
}

void peer_expect(struct peer *peer, uint32_t ssrc, uint32_t roc)
{
	srtp_policy_t policy;

	srtp_dealloc(peer->hear);
	media_key_policy(&peer->hear_key, ssrc_specific, &policy);
	policy.ssrc.value = ssrc;
	ck_assert_int_eq(srtp_create(&peer->hear, &policy), srtp_err_status_ok);
	ck_assert_int_eq(srtp_set_stream_roc(peer->hear, ssrc, roc), srtp_err_status_ok);
}

void peer_close(struct peer *peer)
{
	if (peer->send != NULL)
		srtp_dealloc(peer->send);
	if (peer->hear != NULL)
		srtp_dealloc(peer->hear);
	free(peer->heard);
	ice_facts_free(peer->ice);
	free(peer->browser);
	free(peer);
}

unsigned int peer_packet(struct peer *peer, uint8_t level, const void *payload,
	unsigned int payload_size, uint8_t out[PACKET_MAX])
{
	struct packet_plan plan = {
		.marker = peer->marker,
		.payload_type = peer->facts.payload_type,
		.sequence = peer->sequence++,
		.timestamp = peer->timestamp,
		.ssrc = peer->ssrc,
		.level_id = peer->level_id,
		.level = level,
	};
	uint8_t packet[PACKET_MAX + SRTP_MAX_TRAILER_LEN];
	int size = packet_build(&plan, payload, payload_size, packet);

	ck_assert_int_gt(size, 0);
	peer->timestamp += TICKS;
	ck_assert_int_eq(srtp_protect(peer->send, packet, &size), srtp_err_status_ok);
	ck_assert_int_le(size, PACKET_MAX);
	memcpy(out, packet, (size_t)size);
	return (unsigned int)size;
}

unsigned int peer_rtcp(
	struct peer *peer, const uint8_t *packet, unsigned int size, uint8_t out[PACKET_MAX])
{
	uint8_t bytes[256 + SRTP_MAX_TRAILER_LEN];
	int protected = (int)size;

	ck_assert_uint_le(size, 256);
	memcpy(bytes, packet, size);
	ck_assert_int_eq(srtp_protect_rtcp(peer->send, bytes, &protected), srtp_err_status_ok);
	memcpy(out, bytes, (size_t) protected);
	return (unsigned int)protected;
}

unsigned int peer_report(struct peer *peer, uint8_t out[PACKET_MAX])
{
	uint8_t packet[8] = {0x80, 201, 0, 1};

	packet[4] = (uint8_t)(peer->ssrc >> 24);
	packet[5] = (uint8_t)(peer->ssrc >> 16);
	packet[6] = (uint8_t)(peer->ssrc >> 8);
	packet[7] = (uint8_t)peer->ssrc;
	return peer_rtcp(peer, packet, sizeof(packet), out);
}

static struct heard *heard_add(struct peer *peer)
{
	if (peer->heard_count == peer->heard_capacity) {
		peer->heard_capacity = peer->heard_capacity ? 2 * peer->heard_capacity : 16;
		peer->heard = realloc(peer->heard, peer->heard_capacity * sizeof(*peer->heard));
		ck_assert_ptr_nonnull(peer->heard);
	}
	return &peer->heard[peer->heard_count++];
}

static void take_report(struct peer *peer, uint8_t *packet, int size)
{
	if (peer->hear == NULL ||
		srtp_unprotect_rtcp(peer->hear, packet, &size) != srtp_err_status_ok) {
		peer->refused++;
		return;
	}
	memcpy(peer->report, packet, (size_t)size);
	peer->report_size = (unsigned int)size;
	peer->report_count++;
}

static void keep(
	uint8_t to[PACKET_MAX], unsigned int *to_size, const uint8_t *from, unsigned int size)
{
	ck_assert_uint_le(size, PACKET_MAX);
	memcpy(to, from, size);
	*to_size = size;
}

void peer_take(struct peer *peer, const uint8_t *datagram, unsigned int size)
{
	uint8_t packet[PACKET_MAX + 100];
	struct heard *heard;
	int clear = (int)size;
	unsigned int extension;

	ck_assert_msg(!peer->gone, "a datagram to a leg that was removed");
	ck_assert_uint_le(size, sizeof(packet));
	memcpy(packet, datagram, size);
	if (packet_is_rtcp(packet, size)) {
		if (!peer->deaf)
			take_report(peer, packet, clear);
		return;
	}
	if (peer->deaf) {
		keep(peer->missed, &peer->missed_size, datagram, size);
		peer->missed_count++;
		return;
	}
	keep(peer->last, &peer->last_size, datagram, size);
	if (peer->hear == NULL ||
		srtp_unprotect(peer->hear, packet, &clear) != srtp_err_status_ok) {
		peer->refused++;
		return;
	}
	heard = heard_add(peer);
	memset(heard, 0, sizeof(*heard));
	ck_assert_int_eq(packet_parse(&heard->view, packet, (unsigned int)clear), 0);
	if (heard->view.extension_size != 0) {
		extension = 12 + 4 * heard->view.csrc_count;
		ck_assert_uint_eq(packet[extension], 0xbe);
		ck_assert_uint_eq(packet[extension + 4] >> 4, peer->level_id);
		heard->has_level = true;
		heard->level = packet[extension + 5];
	}
	if (heard->view.payload_size <= PEER_PAYLOAD_KEPT)
		memcpy(heard->payload, heard->view.payload, heard->view.payload_size);
	heard->view.payload = NULL;
}

unsigned int peer_count(const struct peer *peer, uint32_t ssrc)
{
	unsigned int i, count = 0;

	for (i = 0; i < peer->heard_count; i++)
		count += peer->heard[i].view.ssrc == ssrc;
	return count;
}

const struct heard *peer_at(const struct peer *peer, uint32_t ssrc, unsigned int i)
{
	const struct heard *heard;

	for (heard = peer->heard; heard < peer->heard + peer->heard_count; heard++)
		if (heard->view.ssrc == ssrc && i-- == 0)
			return heard;
	ck_abort_msg("fewer packets were heard");
	return NULL;
}

void peer_forget(struct peer *peer)
{
	peer->heard_count = 0;
	peer->refused = 0;
}
