/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A crypto engine: how SRTP protection is computed and how the keys of a shard lie in memory.
 * Its unit of work is one plaintext for a run of legs, not one packet; a few incoming packets, and
 * the legs with a sequence space of their own, are the other customer (a context).
 *
 * An engine is chosen once at start. `struct engine` is immutable and shared; the state of a
 * polling core (scratch buffers, library managers) lives in what open() returns and belongs to that
 * core. Key material is expanded from SRTP master keys (RFC 3711 section 4.3.1, RFC 7714 section
 * 11) and is zeroised when it is removed.
 */
#ifndef STENTOR_DATAPLANE_CRYPTO_ENGINE_H
#define STENTOR_DATAPLANE_CRYPTO_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Legs whose keys and templates lie together; also the longest run of one protect_run(). */
#define ENGINE_BLOCK_LEGS 64
#define ENGINE_TAG_MAX 16
#define ENGINE_SALT_MAX 14
/* SRTCP adds the E bit with the 31-bit index, and the tag (RFC 3711 section 3.4). */
#define ENGINE_SRTCP_TRAILER_MAX (4 + ENGINE_TAG_MAX)

enum suite {
	SUITE_NONE,
	SUITE_AEAD_AES_128_GCM,
	SUITE_AEAD_AES_256_GCM,
	SUITE_AES128_CM_HMAC_SHA1_80,
	SUITE_COUNT /* same numbers as enum stn_suite of dataplane/api/table.h */
};

struct suite_facts {
	const char *name;
	unsigned int key_size;
	unsigned int salt_size;
	unsigned int tag_size;
};

/* Sizes of a suite; SUITE_NONE has all zero. */
const struct suite_facts *suite_facts(enum suite suite);

struct master_key {
	enum suite suite;
	uint8_t key[32];
	uint8_t salt[ENGINE_SALT_MAX];
};

/* One RTP packet in the clear, the same for every leg of a run. */
struct plaintext {
	const uint8_t *header; /* fixed header, CSRCs and extension: sent as it is, authenticated */
	unsigned int header_size; /* 12 to 256 */
	const uint8_t *payload;
	unsigned int payload_size; /* 0 to 1,400 */
	uint32_t ssrc;             /* as in header, host order */
	uint16_t sequence;         /* as in header, host order */
	bool header_written;       /* every out[i] begins with it: an engine may leave it alone */
};

struct engine_core;    /* what a polling core owns */
struct engine_context; /* one key, one direction, few packets */

struct engine {
	const char *name;
	/* Whether this CPU and this build can run it. Before open(). */
	bool (*available)(void);
	/* Returns NULL when out of memory. close() accepts NULL. */
	struct engine_core *(*open)(void);
	void (*close)(struct engine_core *core);

	/*
	 * Keys of up to ENGINE_BLOCK_LEGS legs of one suite, in block_size() bytes, 64-byte
	 * aligned, zeroed by the caller before the first key_set(). hot_bytes() is what one
	 * protected copy of payload_size bytes touches of it, for reports; 0: not known.
	 */
	size_t (*block_size)(enum suite suite);
	size_t (*hot_bytes)(enum suite suite, unsigned int payload_size);
	int (*key_set)(struct engine_core *core, void *block, unsigned int lane,
		const struct master_key *key);
	void (*key_move)(enum suite suite, void *to, unsigned int to_lane, void *from,
		unsigned int from_lane);
	void (*key_clear)(enum suite suite, void *block, unsigned int lane);

	/*
	 * Protects p under the keys of lanes first .. first+count-1 of a block. out[i] takes
	 * header_size + payload_size + tag_size bytes, roc[i] is the ROC that leg is at.
	 * The caller sees to it that (key, ssrc, roc, sequence) never repeats.
	 */
	void (*protect_run)(struct engine_core *core, enum suite suite, const void *block,
		unsigned int first, unsigned int count, const struct plaintext *p,
		const uint32_t roc[], uint8_t *const out[]);

	/* Single packets. context_open() returns NULL when out of memory. close accepts NULL. */
	struct engine_context *(*context_open)(
		struct engine_core *core, const struct master_key *key);
	void (*context_close)(struct engine_context *context);
	/*
	 * packet: header_size bytes of RTP header, payload up to size, tag_size bytes of room
	 * behind. index is the 48-bit packet index. In place. Returns the protected size; 0 when
	 * out of memory (libsrtp).
	 */
	unsigned int (*protect)(struct engine_core *core, struct engine_context *context,
		uint8_t *packet, unsigned int header_size, unsigned int size, uint32_t ssrc,
		uint64_t index);
	/* In place. Returns the size without the tag, or -EBADMSG: then the packet is spoiled. */
	int (*unprotect)(struct engine_core *core, struct engine_context *context, uint8_t *packet,
		unsigned int header_size, unsigned int size, uint32_t ssrc, uint64_t index);
	/*
	 * SRTCP, RFC 3711 section 3.4 and RFC 7714 section 9. index is 31 bit; the packet's own
	 * trailer carries it, and must. protect_rtcp needs ENGINE_SRTCP_TRAILER_MAX bytes of room
	 * behind, and returns 0 when it cannot: libsrtp reaches 1 to 65,536 beyond the last sent.
	 */
	unsigned int (*protect_rtcp)(struct engine_core *core, struct engine_context *context,
		uint8_t *packet, unsigned int size, uint32_t ssrc, uint32_t index);
	int (*unprotect_rtcp)(struct engine_core *core, struct engine_context *context,
		uint8_t *packet, unsigned int size, uint32_t ssrc, uint32_t index);
};

/* name: "auto" (the first of the list that is available), or one of the list. NULL: none such. */
const struct engine *engine_find(const char *name);
/* position 0, 1, ... in order of preference; NULL behind the last. */
const struct engine *engine_at(unsigned int position);

extern const struct engine engine_vaes;
extern const struct engine engine_ipsec_mb;
extern const struct engine engine_libsrtp;

#endif
