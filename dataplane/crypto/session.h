/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SRTP session keys: what the key derivation makes of a master key. Internal to crypto/ and its
 * tests; the vectors of RFC 7714 section 16 and 17 and of RFC 3711 B.2 start here.
 *
 * Lives on a stack while keys are expanded; whoever fills one zeroises it.
 */
#ifndef STENTOR_DATAPLANE_CRYPTO_SESSION_H
#define STENTOR_DATAPLANE_CRYPTO_SESSION_H

#include <stdint.h>

#include "dataplane/crypto/engine.h"

#define SESSION_AUTH_SIZE 20

/* Unused bytes are 0. */
struct session_half {
	uint8_t key[32];
	uint8_t auth[SESSION_AUTH_SIZE];
	uint8_t salt[16]; /* as long as the suite's salt, the rest 0 */
};

struct session_keys {
	enum suite suite;
	struct session_half rtp;
	struct session_half rtcp;
};

/* RFC 3711 section 4.3.2; SRTCP's are these plus SESSION_LABEL_RTCP. */
enum session_label {
	SESSION_LABEL_KEY = 0,
	SESSION_LABEL_AUTH = 1,
	SESSION_LABEL_SALT = 2,
	SESSION_LABEL_RTCP = 3,
};

#endif
