/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "controlplane/rooms/ban.h"
#include "controlplane/rooms/registry.h"

static const struct column ban_columns[] = {{"id", COLUMN_NUMBER, offsetof(struct ban, id), 0},
	{"host", COLUMN_USER, offsetof(struct ban, host), 0},
	{"user", COLUMN_USER, offsetof(struct ban, user), 0},
	{"actor", COLUMN_USER, offsetof(struct ban, actor), 0},
	{"reason", COLUMN_TEXT, offsetof(struct ban, reason), BAN_REASON_SIZE},
	{"at_ms", COLUMN_SIGNED, offsetof(struct ban, at_ms), 0}, {NULL}};

static void write_key(char *key, size_t size, const char *host, const char *user)
{
	snprintf(key, size, "%s/%s", host, user);
}

static int ban_link(struct registry *registry, void *record)
{
	struct ban *ban = record;
	int rc;

	write_key(ban->key, sizeof(ban->key), ban->host.text, ban->user.text);
	rc = hash_add(&registry->bans, ban->key);
	if (rc != 0)
		return rc;
	rc = roster_add(&registry->ban_roster, ban->id, ban);
	if (rc != 0)
		hash_remove(&registry->bans, ban->key);
	return rc;
}

static void ban_unlink(struct registry *registry, void *record)
{
	struct ban *ban = record;

	hash_remove(&registry->bans, ban->key);
	roster_remove(&registry->ban_roster, ban->id);
}

struct ban *registry_ban(const struct registry *registry, const char *host, const char *user)
{
	char key[2 * EVENT_ID_MAX + 2];
	char *found;

	write_key(key, sizeof(key), host, user);
	found = hash_find(&registry->bans, key);
	return found == NULL ? NULL : (struct ban *)(found - offsetof(struct ban, key));
}

const struct record_kind ban_kind = {
	"bans", ban_columns, sizeof(struct ban), ban_link, ban_unlink, NULL};
