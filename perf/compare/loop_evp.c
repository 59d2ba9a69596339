// SPDX-License-Identifier: BSD-3-Clause
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "perf/compare/loop.h"

#define KEY 16
#define SALT 12
#define TAG 16
/* RFC 3711 section 4.3.2 */
#define LABEL_KEY 0
#define LABEL_SALT 2

struct stream {
	EVP_CIPHER_CTX *context;
	uint8_t salt[SALT];
};

struct evp {
	uint32_t count;
	struct stream stream[];
};

/* RFC 3711 section 4.3.3 with the 96-bit salt of RFC 7714 section 11, padded on the right. */
static int derive(const struct media_key *key, uint8_t label, uint8_t *out, int size)
{
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	const uint8_t zero[KEY] = {0};
	uint8_t iv[16] = {0};
	int done = 0, ok;

	memcpy(iv, key->bytes + KEY, SALT);
	iv[7] ^= label;
	ok = context != NULL &&
	     EVP_EncryptInit_ex(context, EVP_aes_128_ctr(), NULL, key->bytes, iv) &&
	     EVP_EncryptUpdate(context, out, &done, zero, size) && done == size;
	EVP_CIPHER_CTX_free(context);
	return ok ? 0 : -ENOMEM;
}

static int open_stream(struct stream *stream, const struct media_key *key)
{
	uint8_t session[KEY];
	int error = derive(key, LABEL_KEY, session, KEY);

	if (!error)
		error = derive(key, LABEL_SALT, stream->salt, SALT);
	stream->context = EVP_CIPHER_CTX_new();
	if (!error && (stream->context == NULL || !EVP_EncryptInit_ex(stream->context,
							  EVP_aes_128_gcm(), NULL, session, NULL)))
		error = -ENOMEM;
	return error;
}

static void evp_close(void *state)
{
	struct evp *evp = state;

	for (uint32_t i = 0; evp != NULL && i < evp->count; i++)
		EVP_CIPHER_CTX_free(evp->stream[i].context);
	free(evp);
}

static int evp_open(void **out, const struct media_key *key, uint32_t count)
{
	struct evp *evp = calloc(1, sizeof(*evp) + count * sizeof(evp->stream[0]));
	int error = evp == NULL ? -ENOMEM : 0;

	for (uint32_t i = 0; !error && i < count; i++) {
		evp->count = i + 1;
		error = key[i].suite == MEDIA_SUITE_GCM128 ? open_stream(&evp->stream[i], &key[i])
							   : -ENOTSUP;
	}
	if (error)
		evp_close(evp);
	else
		*out = evp;
	return error;
}

static int evp_protect(void *state, uint32_t listener, uint64_t index, const uint8_t *rtp,
	unsigned int size, uint8_t *out)
{
	struct stream *stream = &((struct evp *)state)->stream[listener];
	uint64_t index_be = htobe64(index);
	uint8_t iv[SALT] = {0};
	int done, rest;

	/* RFC 7714 section 8.1 */
	memcpy(iv + 2, rtp + 8, 4);
	memcpy(iv + 6, (const uint8_t *)&index_be + 2, 6);
	for (unsigned int i = 0; i < SALT; i++)
		iv[i] ^= stream->salt[i];
	memcpy(out, rtp, LOOP_HEADER);
	if (!EVP_EncryptInit_ex(stream->context, NULL, NULL, NULL, iv) ||
		!EVP_EncryptUpdate(stream->context, NULL, &done, rtp, LOOP_HEADER) ||
		!EVP_EncryptUpdate(stream->context, out + LOOP_HEADER, &done, rtp + LOOP_HEADER,
			(int)size - LOOP_HEADER) ||
		!EVP_EncryptFinal_ex(stream->context, out + size, &rest) ||
		!EVP_CIPHER_CTX_ctrl(stream->context, EVP_CTRL_AEAD_GET_TAG, TAG, out + size))
		return -EIO;
	return (int)size + TAG;
}

const struct loop_backend loop_evp = {
	.name = "evp",
	.open = evp_open,
	.protect = evp_protect,
	.close = evp_close,
};
