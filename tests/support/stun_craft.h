/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * STUN messages attribute by attribute, right and wrong ones alike: nothing is checked. Written
 * apart from dataplane/core/stun.c, with OpenSSL's HMAC and a CRC-32 bit by bit, so that each is
 * the other's expected value.
 */
#ifndef STENTOR_TESTS_SUPPORT_STUN_CRAFT_H
#define STENTOR_TESTS_SUPPORT_STUN_CRAFT_H

#include <stddef.h>
#include <stdint.h>

#include "dataplane/api/table.h"

enum {
	CRAFT_REQUEST = 0x0001,
	CRAFT_INDICATION = 0x0011,
	CRAFT_SUCCESS = 0x0101,
	CRAFT_ERROR = 0x0111,
};

enum {
	CRAFT_USERNAME = 0x0006,
	CRAFT_INTEGRITY = 0x0008,
	CRAFT_ERROR_CODE = 0x0009,
	CRAFT_MAPPED = 0x0020,
	CRAFT_PRIORITY = 0x0024,
	CRAFT_USE_CANDIDATE = 0x0025,
	CRAFT_SOFTWARE = 0x8022,
	CRAFT_FINGERPRINT = 0x8028,
	CRAFT_CONTROLLED = 0x8029,
	CRAFT_CONTROLLING = 0x802a,
	CRAFT_NETWORK_INFO = 0xc057, /* Chromium's */
};

struct craft {
	unsigned int size;
	uint8_t bytes[4096];
};

void craft_begin(struct craft *craft, uint16_t type, const uint8_t transaction[12]);
/* value is padded with zeros; the header's length grows with it. */
void craft_put(struct craft *craft, uint16_t type, const void *value, unsigned int size);
/* Over what is there so far. size of the secret: strlen(). */
void craft_integrity(struct craft *craft, const char *secret);
void craft_fingerprint(struct craft *craft);
/* Makes the fingerprint at the end right again, after something was changed. */
void craft_seal(struct craft *craft);
void craft_mapped(struct craft *craft, const struct stn_address *address);

/* What Chromium sends, in its order; flags. */
#define CRAFT_NOMINATES 1u
#define CRAFT_IS_CONTROLLED 2u
void craft_check(struct craft *craft, const uint8_t transaction[12], const char *username,
	const char *secret, unsigned int flags);
/* A success response without more than it must have. */
void craft_success(struct craft *craft, const uint8_t transaction[12],
	const struct stn_address *mapped, const char *secret);

#endif
