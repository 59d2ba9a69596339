/* SPDX-License-Identifier: BSD-3-Clause */
#include <stddef.h>
#include <string.h>

#include "controlplane/rooms/registry.h"
#include "controlplane/rooms/secret.h"
#include "controlplane/rooms/share_code.h"

#define SHARE_BYTES 16
#define SHARE_TEXT_MAX 64 /* longer is no code */

int share_code_mint(const struct registry *registry, struct share *share)
{
	unsigned char bytes[SHARE_BYTES];
	int rc = registry->random(bytes, sizeof(bytes));

	if (rc == 0) {
		secret_base64url(bytes, sizeof(bytes), share->code);
		rc = secret_text_digest(share->code, strlen(share->code), share->digest);
	}
	explicit_bzero(bytes, sizeof(bytes));
	return rc;
}

struct share *registry_share_by_code(const struct registry *registry, const char *text)
{
	char digest[SECRET_DIGEST_SIZE];
	size_t size = strnlen(text, SHARE_TEXT_MAX + 1);
	char *found;

	if (size == 0 || size > SHARE_TEXT_MAX || secret_text_digest(text, size, digest) != 0)
		return NULL;
	/* Who tries cannot choose the digest, so comparing it may take its time. */
	found = hash_find(&registry->shares, digest);
	return found == NULL ? NULL : (struct share *)(found - offsetof(struct share, digest));
}
