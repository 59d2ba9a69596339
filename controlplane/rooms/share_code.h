/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Codes of shares: 128 random bits in base64url, found by their SHA-256, which is all that the
 * database has; like a token, but whoever has it may come in and is not somebody yet. Loop's
 * thread.
 */
#ifndef STENTOR_CONTROLPLANE_ROOMS_SHARE_CODE_H
#define STENTOR_CONTROLPLANE_ROOMS_SHARE_CODE_H

#include "controlplane/rooms/share.h"

/* Fresh code and digest. 0 or negative errno. */
int share_code_mint(const struct registry *registry, struct share *share);
/* The share that has this code, or NULL; it may have expired. Takes any text; time does not tell
 * how near it is. */
struct share *registry_share_by_code(const struct registry *registry, const char *text);

#endif
