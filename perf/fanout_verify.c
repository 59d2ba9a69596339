// SPDX-License-Identifier: BSD-3-Clause
/* libsrtp2 is the judge: it shares no code with the engines but the one that is named after it. */
#include <string.h>

#include <srtp2/srtp.h>

#include "perf/fanout.h"

#define ETHERNET_SIZE 14
#define IPV4_SIZE 20
#define UDP_SIZE 8
#define RTP_OFFSET (ETHERNET_SIZE + IPV4_SIZE + UDP_SIZE)

static uint16_t load16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

/* RFC 1071: the sum of a header with its checksum is all ones. */
static bool checksum_holds(const uint8_t *ip)
{
	uint32_t sum = 0;
	unsigned int i;

	for (i = 0; i < IPV4_SIZE; i += 2)
		sum += load16(ip + i);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff;
}

/* Listener i has address 10.0.0.0 + 1 + i / 32768 and port 1024 + i % 32768. */
static const struct fanout_listener *listener_of(
	const struct fanout_verify *facts, const uint8_t *frame)
{
	const uint8_t *ip = frame + ETHERNET_SIZE;
	uint32_t i;

	for (i = 0; i < facts->listeners; i += 32768)
		if (memcmp(facts->listener[i].remote.address, ip + 16, 4) == 0)
			break;
	i += (uint32_t)load16(ip + IPV4_SIZE + 2) - 1024;
	return i < facts->listeners ? &facts->listener[i] : NULL;
}

static void policy_set(
	srtp_policy_t *policy, const struct stn_master_key *key, uint8_t material[64])
{
	unsigned int size = suite_facts((enum suite)key->suite)->key_size;

	memset(policy, 0, sizeof(*policy));
	if (key->suite == STN_SUITE_AEAD_AES_256_GCM)
		srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy->rtp);
	else if (key->suite == STN_SUITE_AEAD_AES_128_GCM)
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy->rtp);
	else
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy->rtp);
	policy->rtcp = policy->rtp;
	memcpy(material, key->key, size);
	memcpy(material + size, key->salt, suite_facts((enum suite)key->suite)->salt_size);
	policy->key = material;
}

static bool opens(const struct fanout_verify *facts, const struct stn_master_key *key,
	const struct fanout_sample *sample)
{
	uint8_t packet[FANOUT_SAMPLE_SIZE], material[64];
	int size = sample->size - RTP_OFFSET;
	srtp_policy_t policy;
	srtp_t session;
	bool good;

	memcpy(packet, sample->bytes + RTP_OFFSET, (size_t)size);
	policy_set(&policy, key, material);
	policy.ssrc.type = ssrc_specific;
	policy.ssrc.value = facts->ssrc;
	if (srtp_create(&session, &policy) != srtp_err_status_ok)
		return false;
	good = srtp_set_stream_roc(session, facts->ssrc, (uint32_t)(sample->index >> 16)) ==
		       srtp_err_status_ok &&
	       srtp_unprotect(session, packet, &size) == srtp_err_status_ok &&
	       load16(packet + 2) == (uint16_t)sample->index && size >= (int)facts->payload_size &&
	       memcmp(packet + size - (int)facts->payload_size, facts->payload,
		       facts->payload_size) == 0;
	srtp_dealloc(session);
	return good;
}

uint64_t fanout_verify(
	const struct fanout_verify *facts, const struct fanout_sample samples[], uint64_t count)
{
	uint64_t i, wrong = 0;

	srtp_init();
	for (i = 0; i < count; i++) {
		const uint8_t *frame = samples[i].bytes;
		const struct fanout_listener *listener = listener_of(facts, frame);

		if (listener == NULL || !checksum_holds(frame + ETHERNET_SIZE) ||
			load16(frame + ETHERNET_SIZE + 2) + ETHERNET_SIZE != samples[i].size ||
			memcmp(frame + ETHERNET_SIZE + 16, listener->remote.address, 4) != 0 ||
			!opens(facts, facts->group_key != NULL ? facts->group_key : &listener->key,
				&samples[i]))
			wrong++;
	}
	srtp_shutdown();
	return wrong;
}
