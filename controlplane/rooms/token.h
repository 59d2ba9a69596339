/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bearer tokens of members that come by WebRTC. A token is 128 random bits in base64url; it is
 * found by its SHA-256, which is all that the database has. The text itself is in memory as long as
 * the token is valid and the program runs, like a key, so that a repeated answer can give it again;
 * it is in no log and in no stored answer. A token belongs to its member: no member, no token.
 */
#ifndef STENTOR_CONTROLPLANE_ROOMS_TOKEN_H
#define STENTOR_CONTROLPLANE_ROOMS_TOKEN_H

#include "controlplane/rooms/registry.h"

/* The member whose valid token that is, or NULL. Takes any text; time does not tell how near. */
struct member *registry_member_by_token(const struct registry *registry, const char *text);

/* A fresh one, not yet in the registry; NULL: no memory or no random numbers. */
struct token *token_mint(struct registry *registry, struct member *member);
/* One whose text nobody knows any more, from its digest in hex. NULL: no memory. */
struct token *token_restore(struct member *member, const char *digest);
/* Erases it; accepts NULL. */
void token_free(struct token *token);

#endif
