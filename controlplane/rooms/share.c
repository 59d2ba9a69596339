/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "controlplane/rooms/registry.h"
#include "controlplane/rooms/secret.h"
#include "controlplane/rooms/share.h"

#define SHARE_BYTES 16
#define SHARE_TEXT_MAX 64 /* longer is no code */

static const struct column share_columns[] = {{"id", COLUMN_NUMBER, offsetof(struct share, id), 0},
	{"room_id", COLUMN_NUMBER, offsetof(struct share, room_id), 0},
	{"actor", COLUMN_USER, offsetof(struct share, actor), 0},
	{"member", COLUMN_TEXT, offsetof(struct share, member), sizeof(struct user_id)},
	{"expires_ms", COLUMN_SIGNED, offsetof(struct share, expires_ms), 0},
	{"digest", COLUMN_TEXT, offsetof(struct share, digest), 65}, {NULL}};

static int share_link(struct registry *registry, void *record)
{
	struct share *share = record;
	struct room *room = registry_room_by_id(registry, share->room_id);
	int rc = room == NULL ? -ENOENT : hash_add(&registry->shares, share->digest);

	if (rc != 0)
		return rc;
	rc = roster_add(&room->shares, share->id, share);
	if (rc != 0)
		goto unhash;
	rc = roster_add(&registry->share_roster, share->id, share);
	if (rc != 0)
		goto unlist;
	if (share->expires_ms < registry->shares_due_ms)
		registry->shares_due_ms = share->expires_ms;
	return 0;
unlist:
	roster_remove(&room->shares, share->id);
unhash:
	hash_remove(&registry->shares, share->digest);
	return rc;
}

static void share_unlink(struct registry *registry, void *record)
{
	const struct share *share = record;
	struct room *room = registry_room_by_id(registry, share->room_id);

	hash_remove(&registry->shares, share->digest);
	roster_remove(&registry->share_roster, share->id);
	if (room != NULL)
		roster_remove(&room->shares, share->id);
}

void share_expose(struct registry *registry, const struct room *room, bool exposed)
{
	struct share *share;
	uint64_t id = 0;

	while ((share = roster_next(&room->shares, &id)) != NULL) {
		if (exposed) {
			hash_add(&registry->shares, share->digest);
			roster_add(&registry->share_roster, share->id, share);
		} else {
			hash_remove(&registry->shares, share->digest);
			roster_remove(&registry->share_roster, share->id);
		}
	}
}

int share_mint(const struct registry *registry, struct share *share)
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

const struct record_kind share_kind = {
	"shares", share_columns, sizeof(struct share), share_link, share_unlink, NULL};
