/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "controlplane/rooms/registry.h"
#include "controlplane/rooms/share.h"

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

const struct record_kind share_kind = {
	"shares", share_columns, sizeof(struct share), share_link, share_unlink, NULL};
