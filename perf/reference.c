// SPDX-License-Identifier: BSD-3-Clause
/* The yardstick: libIPSec_MB alone, one packet after the other under each listener's key. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include <intel-ipsec-mb.h>

#include "perf/fanout.h"

#define HEADER_SIZE 16 /* fixed header and one CSRC */
#define BUFFERS 512    /* as many as a worker's buffers stay hot */
#define BUFFER_SIZE 2048
#define PAYLOAD_OFFSET 64
#define HUGE_PAGE (2ul << 20)

struct cm_key {
	DECLARE_ALIGNED(uint32_t enc[4 * 15], 16);
	uint8_t ipad[20], opad[20];
};

struct reference {
	IMB_MGR *manager;
	enum suite suite;
	uint32_t count;
	uint32_t next;
	void *keys;
	struct gcm_key_data *gcm; /* keys, by suite */
	struct cm_key *cm;
	struct gcm_context_data context;
	uint8_t (*buffer)[BUFFER_SIZE];
	uint8_t in[2048];
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void cm_expand(struct reference *r, const uint8_t *key, struct cm_key *out)
{
	DECLARE_ALIGNED(uint32_t dec[4 * 15], 16);
	uint8_t pad[64] = {0};
	unsigned int i;

	IMB_AES_KEYEXP_128(r->manager, key, out->enc, dec);
	memcpy(pad, key, 16);
	for (i = 0; i < sizeof(pad); i++)
		pad[i] ^= 0x36;
	IMB_SHA1_ONE_BLOCK(r->manager, pad, out->ipad);
	for (i = 0; i < sizeof(pad); i++)
		pad[i] ^= 0x36 ^ 0x5c;
	IMB_SHA1_ONE_BLOCK(r->manager, pad, out->opad);
}

/* On huge pages where there are any: the yardstick gets its best case. */
static void *keys_allocate(size_t size)
{
	size_t rounded = (size + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
	void *keys = aligned_alloc(HUGE_PAGE, rounded);

	if (keys != NULL)
		(void)madvise(keys, rounded, MADV_HUGEPAGE);
	return keys;
}

static int keys_expand(struct reference *r, const struct fanout_listener listener[])
{
	bool cm = r->suite == SUITE_AES128_CM_HMAC_SHA1_80;
	uint32_t i;

	r->keys = keys_allocate((size_t)r->count * (cm ? sizeof(*r->cm) : sizeof(*r->gcm)));
	if (r->keys == NULL)
		return -ENOMEM;
	if (cm)
		r->cm = r->keys;
	else
		r->gcm = r->keys;
	for (i = 0; i < r->count; i++) {
		const uint8_t *key = listener[i].key.key;

		if (cm)
			cm_expand(r, key, &r->cm[i]);
		else if (r->suite == SUITE_AEAD_AES_256_GCM)
			IMB_AES256_GCM_PRE(r->manager, key, &r->gcm[i]);
		else
			IMB_AES128_GCM_PRE(r->manager, key, &r->gcm[i]);
	}
	return 0;
}

int reference_open(struct reference **out, enum suite suite,
	const struct fanout_listener listener[], uint32_t listeners)
{
	struct reference *r = aligned_alloc(64, (sizeof(*r) + 63) & ~63ul);
	int rc;

	if (r == NULL)
		return -ENOMEM;
	memset(r, 0, sizeof(*r));
	r->suite = suite;
	/* One key for everybody: the yardstick is encrypting once for each copy all the same. */
	r->count = suite == SUITE_NONE ? 1 : listeners;
	r->buffer = aligned_alloc(64, (size_t)BUFFERS * BUFFER_SIZE);
	r->manager = alloc_mb_mgr(0);
	if (r->buffer == NULL || r->manager == NULL) {
		reference_close(r);
		return -ENOMEM;
	}
	init_mb_mgr_auto(r->manager, NULL);
	rc = keys_expand(r, listener);
	if (rc < 0) {
		reference_close(r);
		return rc;
	}
	*out = r;
	return 0;
}

void reference_close(struct reference *r)
{
	if (r == NULL)
		return;
	if (r->manager != NULL)
		free_mb_mgr(r->manager);
	free(r->keys);
	free(r->buffer);
	free(r);
}

static void run_gcm(struct reference *r, uint32_t payload, uint32_t count)
{
	aes_gcm_enc_dec_t encrypt = r->suite == SUITE_AEAD_AES_256_GCM ? r->manager->gcm256_enc
								       : r->manager->gcm128_enc;
	uint8_t iv[12] = {1};
	uint32_t i;

	for (i = 0; i < count; i++) {
		uint8_t *out = r->buffer[i % BUFFERS] + PAYLOAD_OFFSET;

		encrypt(&r->gcm[r->next], &r->context, out, r->in + HEADER_SIZE, payload, iv, r->in,
			HEADER_SIZE, out + payload, 16);
		if (++r->next == r->count)
			r->next = 0;
	}
}

static void run_cm(struct reference *r, uint32_t payload, uint32_t count)
{
	static const DECLARE_ALIGNED(uint8_t iv[16], 16) = {1};
	uint32_t i;

	for (i = 0; i < count; i++) {
		uint8_t *out = r->buffer[i % BUFFERS] + PAYLOAD_OFFSET;
		IMB_JOB *job = IMB_GET_NEXT_JOB(r->manager);

		job->cipher_mode = IMB_CIPHER_CNTR;
		job->cipher_direction = IMB_DIR_ENCRYPT;
		job->chain_order = IMB_ORDER_CIPHER_HASH;
		job->hash_alg = IMB_AUTH_HMAC_SHA_1;
		job->enc_keys = r->cm[r->next].enc;
		job->dec_keys = r->cm[r->next].enc;
		job->key_len_in_bytes = 16;
		job->iv = iv;
		job->iv_len_in_bytes = 16;
		job->src = out;
		job->dst = out + HEADER_SIZE;
		job->cipher_start_src_offset_in_bytes = HEADER_SIZE;
		job->msg_len_to_cipher_in_bytes = payload;
		job->hash_start_src_offset_in_bytes = 0;
		job->msg_len_to_hash_in_bytes = HEADER_SIZE + payload + 4;
		job->u.HMAC._hashed_auth_key_xor_ipad = r->cm[r->next].ipad;
		job->u.HMAC._hashed_auth_key_xor_opad = r->cm[r->next].opad;
		job->auth_tag_output = out + HEADER_SIZE + payload;
		job->auth_tag_output_len_in_bytes = 10;
		IMB_SUBMIT_JOB_NOCHECK(r->manager);
		if (++r->next == r->count)
			r->next = 0;
	}
	while (IMB_FLUSH_JOB(r->manager) != NULL)
		;
}

double reference_run(struct reference *r, uint32_t payload, double seconds)
{
	const uint32_t batch = 20000;
	double begin = now(), end;
	uint64_t done = 0;

	do {
		if (r->suite == SUITE_AES128_CM_HMAC_SHA1_80)
			run_cm(r, payload, batch);
		else
			run_gcm(r, payload, batch);
		done += batch;
		end = now();
	} while (end - begin < seconds);
	return (end - begin) * 1e9 / (double)done;
}
