/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * STUN messages as ICE uses them (RFC 8489, RFC 8445 section 16): parsing with every length
 * checked, and building. Only the Binding method; integrity is checked by the caller, who knows the
 * key, over what stun_parse() has found. Any thread; owns nothing.
 */
#ifndef STENTOR_DATAPLANE_CORE_STUN_H
#define STENTOR_DATAPLANE_CORE_STUN_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/api/table.h"

#define STUN_HEADER_SIZE 20
#define STUN_TRANSACTION_SIZE 12
#define STUN_USERNAME_MAX 513
#define STUN_SIZE_MAX 1500

enum stun_class { STUN_REQUEST, STUN_INDICATION, STUN_SUCCESS, STUN_ERROR };

struct stun {
	enum stun_class class;
	uint16_t size; /* of the whole message */
	const uint8_t *transaction;
	const char *username; /* NULL: none. Not NUL-terminated */
	uint16_t username_size;
	uint16_t integrity_offset; /* of MESSAGE-INTEGRITY, 0: none; its 20 bytes are in range */
	bool use_candidate;
	bool controlling; /* ICE-CONTROLLING is there */
	bool controlled;  /* ICE-CONTROLLED is there */
	uint64_t tie_breaker;
	bool mapped_known;
	struct stn_address mapped; /* XOR-MAPPED-ADDRESS of a response */
	uint16_t unknown; /* the first comprehension-required attribute we do not know, 0: none */
};

/*
 * 0, or -EINVAL: not exactly one Binding message with magic cookie, lengths that add up, an
 * attribute of ours that is doubled or has the wrong size, anything but FINGERPRINT behind
 * MESSAGE-INTEGRITY (RFC 8489 section 14.5), or no correct FINGERPRINT at the end.
 * Comprehension-optional attributes that are unknown are skipped (TRAPS 29).
 */
int stun_parse(const uint8_t *data, unsigned int size, struct stun *out);

#endif
