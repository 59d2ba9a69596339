// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <stdlib.h>

#include "dataplane/crypto/ipsec_mb.h"

#define GCM_TAG_SIZE 16
#define CM_TAG_SIZE 10
/* Fixed RTCP header and sender's SSRC stay in the clear, RFC 3711 section 3.4. */
#define RTCP_CLEAR_SIZE 8
#define RTCP_INDEX_SIZE 4
#define RTCP_ENCRYPTED UINT32_C(0x80000000)

struct engine_context *ipsec_mb_open(struct engine_core *core, const struct session_keys *keys)
{
	struct engine_context *context = aligned_alloc(64, sizeof(*context));

	if (!context)
		return NULL;
	memset(context, 0, sizeof(*context));
	context->suite = keys->suite;
	if (ipsec_mb_is_gcm(keys->suite)) {
		ipsec_mb_gcm_expand(core, keys->suite, &keys->rtp, &context->gcm.rtp.key,
			&context->gcm.rtp.salt);
		ipsec_mb_gcm_expand(core, keys->suite, &keys->rtcp, &context->gcm.rtcp.key,
			&context->gcm.rtcp.salt);
	} else {
		ipsec_mb_cm_expand(core, &keys->rtp, &context->cm.rtp);
		ipsec_mb_cm_expand(core, &keys->rtcp, &context->cm.rtcp);
	}
	return context;
}

void ipsec_mb_close(struct engine_context *context)
{
	if (!context)
		return;
	explicit_bzero(context, sizeof(*context));
	free(context);
}

unsigned int ipsec_mb_protect(struct engine_core *core, struct engine_context *context,
	uint8_t *packet, unsigned int header_size, unsigned int size, uint32_t ssrc, uint64_t index)
{
	struct ipsec_mb_packet view = {
		.text = packet + header_size,
		.text_size = size - header_size,
		.authenticated = packet,
		.authenticated_size = header_size,
		.tag = packet + size,
	};
	uint32_t roc_be = __builtin_bswap32((uint32_t)(index >> 16));

	if (ipsec_mb_is_gcm(context->suite)) {
		view.iv = ipsec_mb_iv(context->suite, &context->gcm.rtp.salt, ssrc, index);
		ipsec_mb_gcm_encrypt(core, context->suite, &context->gcm.rtp, &view);
		return size + GCM_TAG_SIZE;
	}
	view.iv = ipsec_mb_iv(context->suite, &context->cm.rtp.salt, ssrc, index);
	ipsec_mb_cm_crypt(core, &context->cm.rtp, &view);
	memcpy(view.tag, &roc_be, sizeof(roc_be));
	ipsec_mb_cm_tag(core, &context->cm.rtp, packet, size + sizeof(roc_be), view.tag);
	return size + CM_TAG_SIZE;
}

int ipsec_mb_unprotect(struct engine_core *core, struct engine_context *context, uint8_t *packet,
	unsigned int header_size, unsigned int size, uint32_t ssrc, uint64_t index)
{
	unsigned int tag_size = suite_facts(context->suite)->tag_size;
	uint32_t roc_be = __builtin_bswap32((uint32_t)(index >> 16));
	uint8_t received[CM_TAG_SIZE], computed[CM_TAG_SIZE];
	struct ipsec_mb_packet view;

	if (size < header_size + tag_size)
		return -EBADMSG;
	size -= tag_size;
	view = (struct ipsec_mb_packet){
		.text = packet + header_size,
		.text_size = size - header_size,
		.authenticated = packet,
		.authenticated_size = header_size,
		.tag = packet + size,
	};
	if (ipsec_mb_is_gcm(context->suite)) {
		view.iv = ipsec_mb_iv(context->suite, &context->gcm.rtp.salt, ssrc, index);
		if (!ipsec_mb_gcm_decrypt(core, context->suite, &context->gcm.rtp, &view))
			return -EBADMSG;
		return (int)size;
	}
	memcpy(received, view.tag, sizeof(received));
	memcpy(view.tag, &roc_be, sizeof(roc_be));
	ipsec_mb_cm_tag(core, &context->cm.rtp, packet, size + sizeof(roc_be), computed);
	if (!ipsec_mb_equal(received, computed, sizeof(computed)))
		return -EBADMSG;
	view.iv = ipsec_mb_iv(context->suite, &context->cm.rtp.salt, ssrc, index);
	ipsec_mb_cm_crypt(core, &context->cm.rtp, &view);
	return (int)size;
}

unsigned int ipsec_mb_protect_rtcp(struct engine_core *core, struct engine_context *context,
	uint8_t *packet, unsigned int size, uint32_t ssrc, uint32_t index)
{
	uint32_t trailer_be = __builtin_bswap32(index | RTCP_ENCRYPTED);
	uint8_t aad[RTCP_CLEAR_SIZE + RTCP_INDEX_SIZE];
	struct ipsec_mb_packet view = {
		.text = packet + RTCP_CLEAR_SIZE,
		.text_size = size - RTCP_CLEAR_SIZE,
		.authenticated = aad,
		.authenticated_size = sizeof(aad),
		.tag = packet + size,
	};

	if (ipsec_mb_is_gcm(context->suite)) {
		/* RFC 7714 section 9.3: the tag belongs to the ciphertext, the index is last. */
		memcpy(aad, packet, RTCP_CLEAR_SIZE);
		memcpy(aad + RTCP_CLEAR_SIZE, &trailer_be, RTCP_INDEX_SIZE);
		view.iv = ipsec_mb_iv(context->suite, &context->gcm.rtcp.salt, ssrc, index);
		ipsec_mb_gcm_encrypt(core, context->suite, &context->gcm.rtcp, &view);
		memcpy(packet + size + GCM_TAG_SIZE, &trailer_be, RTCP_INDEX_SIZE);
		return size + GCM_TAG_SIZE + RTCP_INDEX_SIZE;
	}
	view.iv = ipsec_mb_iv(context->suite, &context->cm.rtcp.salt, ssrc, index);
	ipsec_mb_cm_crypt(core, &context->cm.rtcp, &view);
	memcpy(packet + size, &trailer_be, RTCP_INDEX_SIZE);
	size += RTCP_INDEX_SIZE;
	ipsec_mb_cm_tag(core, &context->cm.rtcp, packet, size, packet + size);
	return size + CM_TAG_SIZE;
}

/* size: without the trailer. trailer_be: as received, and known to say what index says. */
static bool unprotect_rtcp_gcm(struct engine_core *core, struct engine_context *context,
	uint8_t *packet, unsigned int size, struct ipsec_mb_iv iv, uint32_t trailer_be)
{
	uint8_t aad[RTCP_CLEAR_SIZE + RTCP_INDEX_SIZE];
	struct ipsec_mb_packet view = {
		.text = packet + RTCP_CLEAR_SIZE,
		.text_size = size - RTCP_CLEAR_SIZE,
		.authenticated = aad,
		.authenticated_size = sizeof(aad),
		.tag = packet + size,
		.iv = iv,
	};

	memcpy(aad, packet, RTCP_CLEAR_SIZE);
	memcpy(aad + RTCP_CLEAR_SIZE, &trailer_be, RTCP_INDEX_SIZE);
	return ipsec_mb_gcm_decrypt(core, context->suite, &context->gcm.rtcp, &view);
}

static bool unprotect_rtcp_cm(struct engine_core *core, struct engine_context *context,
	uint8_t *packet, unsigned int size, struct ipsec_mb_iv iv)
{
	const uint8_t *received = packet + size + RTCP_INDEX_SIZE;
	struct ipsec_mb_packet view = {
		.text = packet + RTCP_CLEAR_SIZE,
		.text_size = size - RTCP_CLEAR_SIZE,
		.iv = iv,
	};
	uint8_t computed[CM_TAG_SIZE];

	ipsec_mb_cm_tag(core, &context->cm.rtcp, packet, size + RTCP_INDEX_SIZE, computed);
	if (!ipsec_mb_equal(received, computed, sizeof(computed)))
		return false;
	ipsec_mb_cm_crypt(core, &context->cm.rtcp, &view);
	return true;
}

int ipsec_mb_unprotect_rtcp(struct engine_core *core, struct engine_context *context,
	uint8_t *packet, unsigned int size, uint32_t ssrc, uint32_t index)
{
	unsigned int tag_size = suite_facts(context->suite)->tag_size;
	bool gcm = ipsec_mb_is_gcm(context->suite);
	struct ipsec_mb_iv iv;
	uint32_t trailer_be;
	bool good;

	if (size < RTCP_CLEAR_SIZE + RTCP_INDEX_SIZE + tag_size)
		return -EBADMSG;
	size -= RTCP_INDEX_SIZE + tag_size;
	memcpy(&trailer_be, packet + size + (gcm ? tag_size : 0), sizeof(trailer_be));
	if (trailer_be != __builtin_bswap32(index | RTCP_ENCRYPTED))
		return -EBADMSG;
	if (gcm) {
		iv = ipsec_mb_iv(context->suite, &context->gcm.rtcp.salt, ssrc, index);
		good = unprotect_rtcp_gcm(core, context, packet, size, iv, trailer_be);
	} else {
		iv = ipsec_mb_iv(context->suite, &context->cm.rtcp.salt, ssrc, index);
		good = unprotect_rtcp_cm(core, context, packet, size, iv);
	}
	return good ? (int)size : -EBADMSG;
}
