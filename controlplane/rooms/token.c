/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "controlplane/rooms/secret.h"
#include "controlplane/rooms/token.h"

#define TOKEN_BYTES 16
#define TOKEN_TEXT_MAX 64 /* longer is nobody's */

struct member *registry_member_by_token(const struct registry *registry, const char *text)
{
	char digest[SECRET_DIGEST_SIZE];
	const struct token *token;
	size_t size = strnlen(text, TOKEN_TEXT_MAX + 1);

	if (size == 0 || size > TOKEN_TEXT_MAX || secret_text_digest(text, size, digest) != 0)
		return NULL;
	/* Who tries cannot choose the digest, so comparing it may take its time. */
	token = hash_find(&registry->tokens, digest);
	return token == NULL ? NULL : token->member;
}

struct token *token_mint(struct registry *registry, struct member *member)
{
	struct token *token = calloc(1, sizeof(*token));
	unsigned char bytes[TOKEN_BYTES];
	int rc;

	if (token == NULL)
		return NULL;
	token->member = member;
	rc = registry->random(bytes, sizeof(bytes));
	if (rc == 0) {
		secret_base64url(bytes, sizeof(bytes), token->text);
		rc = secret_text_digest(token->text, strlen(token->text), token->digest);
	}
	explicit_bzero(bytes, sizeof(bytes));
	if (rc == 0)
		return token;
	token_free(token);
	return NULL;
}

struct token *token_restore(struct member *member, const char *digest)
{
	struct token *token = calloc(1, sizeof(*token));

	if (token == NULL)
		return NULL;
	token->member = member;
	strncpy(token->digest, digest, sizeof(token->digest) - 1);
	return token;
}

void token_free(struct token *token)
{
	if (token == NULL)
		return;
	explicit_bzero(token, sizeof(*token));
	free(token);
}
