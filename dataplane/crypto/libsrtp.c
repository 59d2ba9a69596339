// SPDX-License-Identifier: BSD-3-Clause
/*
 * The portable reference. libsrtp keeps indices and replay lists of its own, which the interface
 * does not have: a stream is steered so that the library's estimate of the index is the one given,
 * and is made anew when that is not possible. Slow, and what the other engines are held against.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <srtp2/srtp.h>

#include "dataplane/crypto/engine.h"

#define STREAMS_MAX 8
#define WINDOW 1024
/* Within this distance ahead, the estimate of RFC 3711 appendix A needs no help. */
#define STEP_MAX 0x4000
/* libsrtp only counts SRTCP indices up; each step costs a packet. */
#define RTCP_STEPS_MAX 65536
#define RTCP_CLEAR_SIZE 8
#define RTCP_INDEX_SIZE 4
#define RTCP_ENCRYPTED UINT32_C(0x80000000)
#define SCRATCH_SIZE 16384

struct stream {
	uint64_t last;      /* libsrtp's highest RTP index */
	uint32_t rtcp_last; /* SRTCP index last sent */
	uint32_t ssrc;
	bool used;
	bool steered; /* last is right: no ROC is pending in libsrtp */
};

/* One key, one direction. */
struct session {
	srtp_t srtp;
	struct master_key key;
	struct stream stream[STREAMS_MAX];
	unsigned int evict;
};

struct engine_context {
	struct session *transmit;
	struct session *receive;
	enum suite suite;
};

struct engine_core {
	uint8_t scratch[SCRATCH_SIZE + SRTP_MAX_TRAILER_LEN] __attribute__((aligned(16)));
};

struct block {
	struct session *lane[ENGINE_BLOCK_LEGS];
};

static srtp_err_status_t init_status;

static void init_library(void)
{
	init_status = srtp_init();
}

/* The library's own state is global to the process. */
static bool available(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, init_library);
	return init_status == srtp_err_status_ok;
}

static struct engine_core *core_open(void)
{
	return available() ? aligned_alloc(16, sizeof(struct engine_core)) : NULL;
}

static void core_close(struct engine_core *core)
{
	if (core)
		explicit_bzero(core, sizeof(*core));
	free(core);
}

static int stream_add(struct session *session, struct stream *stream, uint32_t ssrc)
{
	const struct suite_facts *facts = suite_facts(session->key.suite);
	uint8_t key[32 + ENGINE_SALT_MAX];
	srtp_policy_t policy = {
		.ssrc = {.type = ssrc_specific, .value = ssrc},
		.key = key,
		.window_size = WINDOW,
		.allow_repeat_tx = 1,
	};
	srtp_err_status_t status;

	switch (session->key.suite) {
	case SUITE_AEAD_AES_128_GCM:
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
		break;
	case SUITE_AEAD_AES_256_GCM:
		srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtp);
		break;
	case SUITE_AES128_CM_HMAC_SHA1_80:
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtp);
		break;
	default:
		return -EINVAL;
	}
	policy.rtcp = policy.rtp;
	memcpy(key, session->key.key, facts->key_size);
	memcpy(key + facts->key_size, session->key.salt, facts->salt_size);
	status = srtp_add_stream(session->srtp, &policy);
	explicit_bzero(key, sizeof(key));
	if (status != srtp_err_status_ok)
		return -ENOMEM;
	*stream = (struct stream){.ssrc = ssrc, .used = true, .steered = true};
	return 0;
}

static void stream_remove(struct session *session, struct stream *stream)
{
	/* Network order, unlike everywhere else in libsrtp 2.5. */
	if (stream->used)
		srtp_remove_stream(session->srtp, htonl(stream->ssrc));
	memset(stream, 0, sizeof(*stream));
}

/* NULL when out of memory. */
static struct stream *stream_find(struct session *session, uint32_t ssrc)
{
	struct stream *stream;

	for (unsigned int i = 0; i < STREAMS_MAX; i++) {
		if (session->stream[i].used && session->stream[i].ssrc == ssrc)
			return &session->stream[i];
	}
	stream = &session->stream[session->evict++ % STREAMS_MAX];
	stream_remove(session, stream);
	return stream_add(session, stream, ssrc) == 0 ? stream : NULL;
}

static int stream_renew(struct session *session, struct stream *stream)
{
	uint32_t ssrc = stream->ssrc;

	stream_remove(session, stream);
	return stream_add(session, stream, ssrc);
}

/* Brings libsrtp to estimate index for the next packet of this stream. */
static int stream_steer(struct session *session, struct stream *stream, uint64_t index)
{
	bool natural = stream->steered && index > stream->last && index - stream->last <= STEP_MAX;
	bool within = stream->steered && index <= stream->last && stream->last - index < WINDOW;
	uint32_t roc = (uint32_t)(index >> 16);
	int error;

	if (natural || within)
		return 0;
	error = stream_renew(session, stream);
	if (error || roc == 0)
		return error;
	/* libsrtp takes the ROC with the first packet that is good; until then it is pending. */
	stream->steered = false;
	return srtp_set_stream_roc(session->srtp, stream->ssrc, roc) == srtp_err_status_ok
		       ? 0
		       : -ENOMEM;
}

static void stream_done(struct stream *stream, uint64_t index)
{
	if (!stream->steered || index > stream->last)
		stream->last = index;
	stream->steered = true;
}

static struct session *session_open(const struct master_key *key)
{
	struct session *session = calloc(1, sizeof(*session));

	if (!session)
		return NULL;
	if (srtp_create(&session->srtp, NULL) != srtp_err_status_ok) {
		free(session);
		return NULL;
	}
	session->key = *key;
	return session;
}

static void session_close(struct session *session)
{
	if (!session)
		return;
	srtp_dealloc(session->srtp);
	explicit_bzero(session, sizeof(*session));
	free(session);
}

static bool is_known(enum suite suite)
{
	return suite > SUITE_NONE && suite < SUITE_COUNT;
}

static size_t block_size(enum suite suite)
{
	return is_known(suite) ? sizeof(struct block) : 0;
}

/* Not known from outside the library. */
static size_t hot_bytes(enum suite suite, unsigned int payload_size)
{
	return 0;
}

static void key_clear(enum suite suite, void *block, unsigned int lane)
{
	struct block *keys = block;

	session_close(keys->lane[lane]);
	keys->lane[lane] = NULL;
}

static int key_set(
	struct engine_core *core, void *block, unsigned int lane, const struct master_key *key)
{
	struct block *keys = block;
	struct session *session;

	if (!is_known(key->suite))
		return -EINVAL;
	session = session_open(key);
	if (!session)
		return -ENOMEM;
	key_clear(key->suite, block, lane);
	keys->lane[lane] = session;
	return 0;
}

static void key_move(
	enum suite suite, void *to, unsigned int to_lane, void *from, unsigned int from_lane)
{
	struct block *keys_to = to, *keys_from = from;

	if (to == from && to_lane == from_lane)
		return;
	key_clear(suite, to, to_lane);
	keys_to->lane[to_lane] = keys_from->lane[from_lane];
	keys_from->lane[from_lane] = NULL;
}

/* Protects what is in scratch. Returns the protected size, or 0. */
static unsigned int protect_scratch(struct engine_core *core, struct session *session,
	unsigned int size, uint32_t ssrc, uint64_t index)
{
	struct stream *stream = session ? stream_find(session, ssrc) : NULL;
	int length = (int)size;

	if (!stream || stream_steer(session, stream, index) < 0)
		return 0;
	if (srtp_protect(session->srtp, core->scratch, &length) != srtp_err_status_ok)
		return 0;
	stream_done(stream, index);
	return (unsigned int)length;
}

static void protect_run(struct engine_core *core, enum suite suite, const void *block,
	unsigned int first, unsigned int count, const struct plaintext *p, const uint32_t roc[],
	uint8_t *const out[])
{
	const struct block *keys = block;
	unsigned int size = p->header_size + p->payload_size;

	for (unsigned int i = 0; i < count; i++) {
		uint64_t index = (uint64_t)roc[i] << 16 | p->sequence;

		memcpy(core->scratch, p->header, p->header_size);
		memcpy(core->scratch + p->header_size, p->payload, p->payload_size);
		/* Fails closed: nothing readable leaves when memory has run out. */
		if (!protect_scratch(core, keys->lane[first + i], size, p->ssrc, index))
			memset(core->scratch, 0, size + ENGINE_TAG_MAX);
		memcpy(out[i], core->scratch, size + suite_facts(suite)->tag_size);
	}
}

static void context_close(struct engine_context *context)
{
	if (!context)
		return;
	session_close(context->transmit);
	session_close(context->receive);
	free(context);
}

static struct engine_context *context_open(struct engine_core *core, const struct master_key *key)
{
	struct engine_context *context;

	if (!is_known(key->suite))
		return NULL;
	context = calloc(1, sizeof(*context));
	if (!context)
		return NULL;
	context->suite = key->suite;
	context->transmit = session_open(key);
	context->receive = session_open(key);
	if (!context->transmit || !context->receive) {
		context_close(context);
		return NULL;
	}
	return context;
}

static unsigned int protect(struct engine_core *core, struct engine_context *context,
	uint8_t *packet, unsigned int header_size, unsigned int size, uint32_t ssrc, uint64_t index)
{
	unsigned int protected_size;

	if (size > SCRATCH_SIZE)
		return 0;
	memcpy(core->scratch, packet, size);
	protected_size = protect_scratch(core, context->transmit, size, ssrc, index);
	memcpy(packet, core->scratch, protected_size);
	return protected_size;
}

static bool is_replay(srtp_err_status_t status)
{
	return status == srtp_err_status_replay_fail || status == srtp_err_status_replay_old;
}

static int unprotect(struct engine_core *core, struct engine_context *context, uint8_t *packet,
	unsigned int header_size, unsigned int size, uint32_t ssrc, uint64_t index)
{
	struct session *session = context->receive;
	struct stream *stream;
	srtp_err_status_t status;
	int length = (int)size;

	if (size < header_size + suite_facts(context->suite)->tag_size)
		return -EBADMSG;
	stream = stream_find(session, ssrc);
	if (!stream || stream_steer(session, stream, index) < 0)
		return -EBADMSG;
	status = srtp_unprotect(session->srtp, packet, &length);
	/* Found before the packet was touched. Replays are the caller's business, not ours. */
	if (is_replay(status)) {
		stream->steered = false;
		if (stream_steer(session, stream, index) < 0)
			return -EBADMSG;
		length = (int)size;
		status = srtp_unprotect(session->srtp, packet, &length);
	}
	if (status != srtp_err_status_ok)
		return -EBADMSG;
	stream_done(stream, index);
	return length;
}

/* Sends empty reports into scratch until the next SRTCP index is the one asked for. */
static int rtcp_climb(
	struct engine_core *core, struct session *session, struct stream *stream, uint32_t index)
{
	static const uint8_t empty[RTCP_CLEAR_SIZE] = {0x80, 201, 0, 1};
	uint32_t ssrc_be = htonl(stream->ssrc);

	if (index <= stream->rtcp_last) {
		/* Also where index 0 would go, which libsrtp never sends. */
		if (index == 0 || stream_renew(session, stream) < 0)
			return -EINVAL;
	}
	if (index - stream->rtcp_last > RTCP_STEPS_MAX)
		return -ERANGE;
	while (stream->rtcp_last + 1 < index) {
		int length = sizeof(empty);

		memcpy(core->scratch, empty, sizeof(empty));
		memcpy(core->scratch + 4, &ssrc_be, sizeof(ssrc_be));
		if (srtp_protect_rtcp(session->srtp, core->scratch, &length) != srtp_err_status_ok)
			return -EINVAL;
		stream->rtcp_last++;
	}
	return 0;
}

static unsigned int protect_rtcp(struct engine_core *core, struct engine_context *context,
	uint8_t *packet, unsigned int size, uint32_t ssrc, uint32_t index)
{
	struct session *session = context->transmit;
	struct stream *stream = stream_find(session, ssrc);
	int length = (int)size;

	if (size > SCRATCH_SIZE || !stream || rtcp_climb(core, session, stream, index) < 0)
		return 0;
	memcpy(core->scratch, packet, size);
	if (srtp_protect_rtcp(session->srtp, core->scratch, &length) != srtp_err_status_ok)
		return 0;
	stream->rtcp_last = index;
	memcpy(packet, core->scratch, (size_t)length);
	return (unsigned int)length;
}

static int unprotect_rtcp(struct engine_core *core, struct engine_context *context, uint8_t *packet,
	unsigned int size, uint32_t ssrc, uint32_t index)
{
	unsigned int tag_size = suite_facts(context->suite)->tag_size;
	bool gcm = context->suite != SUITE_AES128_CM_HMAC_SHA1_80;
	struct session *session = context->receive;
	struct stream *stream;
	srtp_err_status_t status;
	uint32_t trailer_be;
	int length = (int)size;

	if (size < RTCP_CLEAR_SIZE + RTCP_INDEX_SIZE + tag_size)
		return -EBADMSG;
	memcpy(&trailer_be, packet + size - RTCP_INDEX_SIZE - (gcm ? 0 : tag_size),
		sizeof(trailer_be));
	if (trailer_be != htonl(index | RTCP_ENCRYPTED))
		return -EBADMSG;
	stream = stream_find(session, ssrc);
	if (!stream)
		return -EBADMSG;
	status = srtp_unprotect_rtcp(session->srtp, packet, &length);
	if (is_replay(status)) {
		if (stream_renew(session, stream) < 0)
			return -EBADMSG;
		length = (int)size;
		status = srtp_unprotect_rtcp(session->srtp, packet, &length);
	}
	return status == srtp_err_status_ok ? length : -EBADMSG;
}

const struct engine engine_libsrtp = {
	.name = "libsrtp",
	.available = available,
	.open = core_open,
	.close = core_close,
	.block_size = block_size,
	.hot_bytes = hot_bytes,
	.key_set = key_set,
	.key_move = key_move,
	.key_clear = key_clear,
	.protect_run = protect_run,
	.context_open = context_open,
	.context_close = context_close,
	.protect = protect,
	.unprotect = unprotect,
	.protect_rtcp = protect_rtcp,
	.unprotect_rtcp = unprotect_rtcp,
};
