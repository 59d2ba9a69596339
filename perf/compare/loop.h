/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stentor-loop: the relay that a good engineer writes in an afternoon, to compare Stentor with. One
 * thread takes an RTP packet from a UDP socket, encrypts it for each listener under that listener's
 * key and sends the copies in batches with sendmmsg(). What encrypts is one of these back-ends.
 *
 * Single-threaded; a back-end owns what it makes of the keys.
 */
#ifndef STENTOR_PERF_COMPARE_LOOP_H
#define STENTOR_PERF_COMPARE_LOOP_H

#include <stdint.h>

#include "perf/mediakey.h"

#define LOOP_HEADER 12 /* of RTP without CSRC or extension, which is all this loop relays */
#define LOOP_TAG_MAX 16

struct loop_backend {
	const char *name;
	/* What the library keeps for each key, in *out. 0 or a negative errno. */
	int (*open)(void **out, const struct media_key *key, uint32_t count);
	/*
	 * rtp to out (size + LOOP_TAG_MAX bytes) for that listener; index is the packet's 48 bits.
	 * Returns the size of the copy, negative when the library refuses.
	 */
	int (*protect)(void *state, uint32_t listener, uint64_t index, const uint8_t *rtp,
		unsigned int size, uint8_t *out);
	void (*close)(void *state);
};

extern const struct loop_backend loop_evp;  /* OpenSSL EVP, a kept context a listener; gcm128 */
extern const struct loop_backend loop_srtp; /* libsrtp2, a session a listener */
extern const struct loop_backend loop_none; /* copies, to see what the sending alone takes */

#endif
