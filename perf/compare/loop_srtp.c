// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <srtp2/srtp.h>

#include "perf/compare/loop.h"

struct sessions {
	uint32_t count;
	srtp_t session[];
};

static void sessions_close(void *state)
{
	struct sessions *sessions = state;

	for (uint32_t i = 0; sessions != NULL && i < sessions->count; i++)
		srtp_dealloc(sessions->session[i]);
	free(sessions);
}

static int sessions_open(void **out, const struct media_key *key, uint32_t count)
{
	struct sessions *sessions = calloc(1, sizeof(*sessions) + count * sizeof(srtp_t));

	if (sessions == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		srtp_policy_t policy;

		media_key_policy(&key[i], ssrc_any_outbound, &policy);
		if (srtp_create(&sessions->session[i], &policy) != srtp_err_status_ok) {
			sessions_close(sessions);
			return -ENOMEM;
		}
		sessions->count = i + 1;
	}
	*out = sessions;
	return 0;
}

/* The library keeps the index by itself. */
static int sessions_protect(void *state, uint32_t listener, uint64_t index, const uint8_t *rtp,
	unsigned int size, uint8_t *out)
{
	const struct sessions *sessions = state;
	int length = (int)size;

	(void)index;
	memcpy(out, rtp, size);
	return srtp_protect(sessions->session[listener], out, &length) == srtp_err_status_ok
		       ? length
		       : -EIO;
}

const struct loop_backend loop_srtp = {
	.name = "srtp",
	.open = sessions_open,
	.protect = sessions_protect,
	.close = sessions_close,
};

static int none_open(void **out, const struct media_key *key, uint32_t count)
{
	static int nothing;

	(void)key;
	(void)count;
	*out = &nothing;
	return 0;
}

/* As long as the others' copies. */
static int none_protect(void *state, uint32_t listener, uint64_t index, const uint8_t *rtp,
	unsigned int size, uint8_t *out)
{
	(void)state;
	(void)listener;
	(void)index;
	memcpy(out, rtp, size);
	memset(out + size, 0, LOOP_TAG_MAX);
	return (int)size + LOOP_TAG_MAX;
}

static void none_close(void *state)
{
	(void)state;
}

const struct loop_backend loop_none = {
	.name = "none",
	.open = none_open,
	.protect = none_protect,
	.close = none_close,
};
