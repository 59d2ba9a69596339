// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/core/srtp.h"

#include <errno.h>
#include <string.h>

#include "dataplane/core/index.h"

#define RTP_HEADER_SIZE 12
#define RTCP_HEADER_SIZE 8
#define RTCP_INDEX_SIZE 4
#define RTCP_INDEX_MAX UINT32_C(0x7fffffff)

static uint32_t read_u32(const uint8_t *from)
{
	return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

static uint16_t read_u16(const uint8_t *from)
{
	return (uint16_t)(from[0] << 8 | from[1]);
}

/* What a file says that no receiver can have written counts as nothing received. */
static void stream_init(struct srtp_stream *stream, uint32_t ssrc, uint64_t *cell, uint64_t max)
{
	uint64_t next = cell ? __atomic_load_n(cell, __ATOMIC_RELAXED) : 0;

	replay_init(&stream->replay, next <= max + 1 ? next : 0);
	stream->cell = cell;
	stream->ssrc = ssrc;
	stream->ssrc_known = ssrc != 0;
}

static bool stream_accepts(const struct srtp_stream *stream, uint32_t ssrc)
{
	return !stream->ssrc_known || stream->ssrc == ssrc;
}

static void stream_commit(struct srtp_stream *stream, uint32_t ssrc, uint64_t index)
{
	replay_commit(&stream->replay, index);
	stream->ssrc = ssrc;
	stream->ssrc_known = true;
	if (stream->cell)
		__atomic_store_n(stream->cell, stream->replay.next, __ATOMIC_RELAXED);
}

int srtp_receiver_open(struct srtp_receiver *receiver, const struct srtp_receiver_facts *facts)
{
	struct engine_context *context;

	memset(receiver, 0, sizeof(*receiver));
	if (suite_facts(facts->key->suite)->tag_size == 0)
		return -EINVAL;
	context = facts->engine->context_open(facts->core, facts->key);
	if (!context)
		return -ENOMEM;
	receiver->engine = facts->engine;
	receiver->core = facts->core;
	receiver->context = context;
	receiver->suite = facts->key->suite;
	stream_init(&receiver->rtp, facts->ssrc, facts->rtp_cell, INDEX_MAX);
	stream_init(&receiver->rtcp, facts->ssrc, facts->rtcp_cell, RTCP_INDEX_MAX);
	return 0;
}

void srtp_receiver_close(struct srtp_receiver *receiver)
{
	if (receiver->context)
		receiver->engine->context_close(receiver->context);
	receiver->context = NULL;
}

int srtp_receive_rtp(struct srtp_receiver *receiver, struct srtp_packet *packet)
{
	unsigned int tag_size = suite_facts(receiver->suite)->tag_size;
	uint64_t next = receiver->rtp.replay.next;
	enum replay_verdict verdict;
	uint32_t ssrc;
	uint64_t index;
	int size;

	if (packet->header_size < RTP_HEADER_SIZE || packet->size < packet->header_size + tag_size)
		return STN_DROP_RTP_MALFORMED;
	ssrc = read_u32(packet->data + 8);
	if (!stream_accepts(&receiver->rtp, ssrc))
		return STN_DROP_RTP_UNKNOWN_SSRC;
	index = index_estimate(next ? next - 1 : 0, read_u16(packet->data + 2));
	verdict = replay_check(&receiver->rtp.replay, index);
	if (verdict != REPLAY_NEW)
		return verdict == REPLAY_TOO_OLD ? STN_DROP_SRTP_TOO_OLD : STN_DROP_SRTP_REPLAY;
	size = receiver->engine->unprotect(receiver->core, receiver->context, packet->data,
		packet->header_size, packet->size, ssrc, index);
	if (size < 0)
		return STN_DROP_SRTP_AUTH;
	stream_commit(&receiver->rtp, ssrc, index);
	packet->size = (unsigned int)size;
	packet->index = index;
	return 0;
}

/* The E bit and the 31-bit index; RFC 7714 section 9.2 puts them behind the tag. */
static uint32_t rtcp_trailer(const struct srtp_receiver *receiver, const struct srtp_packet *packet)
{
	unsigned int behind = receiver->suite == SUITE_AES128_CM_HMAC_SHA1_80
				      ? suite_facts(receiver->suite)->tag_size
				      : 0;

	return read_u32(packet->data + packet->size - behind - RTCP_INDEX_SIZE);
}

int srtp_receive_rtcp(struct srtp_receiver *receiver, struct srtp_packet *packet)
{
	unsigned int tag_size = suite_facts(receiver->suite)->tag_size;
	uint32_t ssrc, index;
	int size;

	if (packet->size < RTCP_HEADER_SIZE + RTCP_INDEX_SIZE + tag_size)
		return STN_DROP_RTCP_MALFORMED;
	ssrc = read_u32(packet->data + 4);
	if (!stream_accepts(&receiver->rtcp, ssrc))
		return STN_DROP_RTP_UNKNOWN_SSRC;
	/* The engine refuses a trailer that is not this index with the E bit set. */
	index = rtcp_trailer(receiver, packet) & RTCP_INDEX_MAX;
	if (replay_check(&receiver->rtcp.replay, index) != REPLAY_NEW)
		return STN_DROP_SRTCP_REPLAY;
	size = receiver->engine->unprotect_rtcp(
		receiver->core, receiver->context, packet->data, packet->size, ssrc, index);
	if (size < 0)
		return STN_DROP_SRTCP_AUTH;
	stream_commit(&receiver->rtcp, ssrc, index);
	packet->size = (unsigned int)size;
	packet->index = index;
	return 0;
}

/* FNV-1a: the digest tells whether something changed, it need not resist an attacker. */
static uint64_t fold(uint64_t digest, const void *data, size_t size)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < size; i++)
		digest = (digest ^ bytes[i]) * UINT64_C(0x100000001b3);
	return digest;
}

static uint64_t stream_digest(const struct srtp_stream *stream, uint64_t digest)
{
	uint64_t cell = stream->cell ? __atomic_load_n(stream->cell, __ATOMIC_RELAXED) : 0;

	digest = fold(digest, &stream->replay, sizeof(stream->replay));
	digest = fold(digest, &cell, sizeof(cell));
	digest = fold(digest, &stream->ssrc, sizeof(stream->ssrc));
	return fold(digest, &stream->ssrc_known, sizeof(stream->ssrc_known));
}

uint64_t srtp_receiver_digest(const struct srtp_receiver *receiver, uint64_t digest)
{
	return stream_digest(&receiver->rtcp, stream_digest(&receiver->rtp, digest));
}
