/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The local ICE ufrag (RFC 8445 section 5.3) of a WEBRTC leg: 16 ice-chars that carry the leg's id
 * and 32 random bits in base64, so that a check names its leg and nobody has to keep a table that
 * strangers can fill. A new generation (ICE restart) has other random bits.
 */
#ifndef STENTOR_DATAPLANE_API_UFRAG_H
#define STENTOR_DATAPLANE_API_UFRAG_H

#include <stdint.h>

#define STN_UFRAG_SIZE 16
#define STN_UFRAG_RANDOM_SIZE 4

/* Writes STN_UFRAG_SIZE characters, no NUL. */
void stn_ufrag_make(
	uint64_t leg_id, const uint8_t random[STN_UFRAG_RANDOM_SIZE], char out[STN_UFRAG_SIZE]);
/* 0, or -1 when the text is not one that stn_ufrag_make() writes; nothing is written then. */
int stn_ufrag_parse(const char *text, unsigned int size, uint64_t *leg_id,
	uint8_t random[STN_UFRAG_RANDOM_SIZE]);

#endif
