/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The inside of the vaes engine: AES-GCM for many keys at a time. A zmm register holds one 128-bit
 * block of four legs, so lanes are listeners: all legs of a run get the same plaintext at the same
 * counters, and differ in key, ROC and where the copy goes. What a group of four needs lies lane by
 * lane in one stretch of memory that is read once from front to back.
 *
 * vaes_gcm.c, vaes_long.c, vaes_key.c and vaes_kdf.c are compiled with their own -m flags and are
 * entered only when the CPU has them.
 */
#ifndef STENTOR_DATAPLANE_CRYPTO_VAES_H
#define STENTOR_DATAPLANE_CRYPTO_VAES_H

#include <stdint.h>

#include "dataplane/crypto/engine.h"
#include "dataplane/crypto/session.h"

#define VAES_LANES 4
#define VAES_GROUPS (ENGINE_BLOCK_LEGS / VAES_LANES)
#define VAES_HEADER_MAX 256
#define VAES_PAYLOAD_MAX 1408
#define VAES_TAG_SIZE 16
#define VAES_ROUND_KEYS_MAX 15
/* Payload blocks that fit a register each, with the one of the tag. */
#define VAES_SHORT_BLOCKS 7
#define VAES_SHORT_HEADER 2

/* A 128-bit block of each of four legs. */
struct vaes_lanes {
	uint8_t lane[VAES_LANES][16];
} __attribute__((aligned(64)));

/*
 * A group: the salt (12 bytes) XOR the first round key; the cipher key, 128 or 256 bits of it, as
 * the key schedule carries it (vaes_lane.h); square of the hash key, and the hash key, in the form
 * in which POLYVAL multiplies (RFC 8452 appendix A).
 */
#define VAES_LINES_128 4
#define VAES_LINES_256 5

static inline unsigned int vaes_lines(enum suite suite)
{
	return suite == SUITE_AEAD_AES_256_GCM ? VAES_LINES_256 : VAES_LINES_128;
}

/* What is the same for all groups of a run. */
struct vaes_job {
	struct vaes_lanes iv;      /* SSRC and sequence number where they belong in the IV */
	struct vaes_lanes lengths; /* the last block of the hash */
	struct vaes_lanes tail;    /* shuffles the last block: reverses what there is of it */
	struct vaes_lanes payload[VAES_SHORT_BLOCKS];
	struct vaes_lanes pair[2]; /* the header as it is hashed, when it is short */
	uint8_t header[VAES_HEADER_MAX] __attribute__((aligned(64))); /* zeroes behind it */
	/* A block of zeroes, and the header in reversed blocks. */
	uint8_t hashed[16 + VAES_HEADER_MAX] __attribute__((aligned(64)));
	unsigned int header_size, header_blocks, payload_size, payload_blocks;
	bool header_written;
	const uint8_t *blocks; /* the payload, zeroes behind it, when it is longer than short */
};

/* The groups of a run, all four lanes of each: what is not of the run goes to waste. */
struct vaes_run {
	const struct vaes_lanes *keys;
	unsigned int count;
	const uint32_t *roc; /* four a group */
	uint8_t *const *out; /* four a group */
};

struct vaes_tables {
	struct vaes_lanes reverse, last_word, rotated_word, roc, polynomial;
	struct vaes_lanes turn[4];
	struct vaes_lanes constant[11];
	struct vaes_lanes counter[VAES_SHORT_BLOCKS + 1];
};

extern const struct vaes_tables vaes_tables;

/* The same as key_set(), from session keys. The suite is one of GCM. */
void vaes_set(
	struct engine_core *core, void *block, unsigned int lane, const struct session_keys *keys);

/* As ipsec_mb_derive(), but of SRTP only: what a run has no use for is 0. */
void vaes_derive(const struct master_key *master, struct session_keys *keys);
/* FIPS 197 section 5.2, to encrypt. round_keys: 11 or 15 blocks, aligned to 16. */
void vaes_round_keys(const uint8_t *key, unsigned int key_size, uint8_t *round_keys);

/* From the expanded cipher key: everything of one lane. round_keys: 16 bytes each. */
void vaes_gcm_expand(enum suite suite, struct vaes_lanes *group, unsigned int lane,
	const uint8_t *round_keys, const uint8_t salt[12]);

/* As protect_run() of struct engine. */
void vaes_gcm_run(enum suite suite, const struct vaes_lanes *groups, unsigned int first,
	unsigned int count, const struct plaintext *p, const uint32_t roc[], uint8_t *const out[]);

/* Headers and payloads of any size. */
void vaes_long_run(enum suite suite, const struct vaes_job *job, const struct vaes_run *run);

#endif
