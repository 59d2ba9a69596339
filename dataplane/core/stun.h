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
#include "dataplane/crypto/digest.h"

#define STUN_HEADER_SIZE 20
#define STUN_TRANSACTION_SIZE 12
#define STUN_USERNAME_MAX 513
#define STUN_SIZE_MAX 1500
/* A success response over IPv4 and IPv6. */
#define STUN_SUCCESS_SIZE_IPV4 64
#define STUN_SUCCESS_SIZE_IPV6 76
/* A check of ours without its USERNAME, which is padded to four bytes. */
#define STUN_CHECK_SIZE 76

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
	bool controlled;  /* ICE-CONTROLLED is there; never both */
	uint64_t tie_breaker;
	bool mapped_known;
	struct stn_address mapped; /* XOR-MAPPED-ADDRESS of a response */
	uint16_t unknown; /* the first comprehension-required attribute we do not know, 0: none */
};

/*
 * 0, or -EINVAL: not exactly one Binding message with magic cookie, lengths that add up, an
 * attribute of ours that is doubled or has the wrong size, both roles, anything but FINGERPRINT
 * behind MESSAGE-INTEGRITY (RFC 8489 section 14.5), or no correct FINGERPRINT at the end.
 * Comprehension-optional attributes that are unknown are skipped (TRAPS 29).
 */
int stun_parse(const uint8_t *data, unsigned int size, struct stun *out);

/*
 * Whether MESSAGE-INTEGRITY of a parsed message is there and right: the sum ends before it, under a
 * header whose length ends with it (RFC 8489 section 14.5).
 */
bool stun_verify(const struct stun *stun, const uint8_t *data, const struct digest_key *key);

/*
 * Both builders end with MESSAGE-INTEGRITY and FINGERPRINT, write no SOFTWARE and return the size.
 * out has room for STUN_SUCCESS_SIZE_IPV6 bytes.
 */
unsigned int stun_build_success(uint8_t *out, const uint8_t transaction[STUN_TRANSACTION_SIZE],
	const struct stn_address *mapped, const struct digest_key *key);

/* A Binding request of a controlled agent. */
struct stun_check {
	uint8_t transaction[STUN_TRANSACTION_SIZE];
	const char *username;
	uint16_t username_size; /* 1 to STUN_USERNAME_MAX */
	uint32_t priority;
	uint64_t tie_breaker;
};
unsigned int stun_check_size(unsigned int username_size);
unsigned int stun_build_check(
	uint8_t *out, const struct stun_check *check, const struct digest_key *key);

#endif
