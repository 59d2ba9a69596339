/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "controlplane/rooms/person.h"
#include "controlplane/rooms/registry.h"

static const struct column user_columns[] = {{"id", COLUMN_NUMBER, offsetof(struct user, id), 0},
	{"name", COLUMN_USER, offsetof(struct user, name), 0},
	{"followers", COLUMN_SMALL, offsetof(struct user, followers), UINT32_MAX},
	{"host_grant", COLUMN_FLAG, offsetof(struct user, host_grant), 0},
	{"moderator", COLUMN_FLAG, offsetof(struct user, moderator), 0},
	{"updated_ms", COLUMN_SIGNED, offsetof(struct user, updated_ms), 0},
	{"follows", COLUMN_STRING, offsetof(struct user, follows),
		USER_FOLLOWS_MAX *(EVENT_ID_MAX + 1)},
	{NULL}};

static struct user *of_name(void *name)
{
	return name == NULL ? NULL : (struct user *)((char *)name - offsetof(struct user, name));
}

static int user_link(struct registry *registry, void *record)
{
	struct user *user = record;
	int rc = hash_add(&registry->users, &user->name);

	if (rc != 0)
		return rc;
	rc = roster_add(&registry->user_roster, user->id, user);
	if (rc != 0)
		hash_remove(&registry->users, user->name.text);
	return rc;
}

static void user_unlink(struct registry *registry, void *record)
{
	const struct user *user = record;

	hash_remove(&registry->users, user->name.text);
	roster_remove(&registry->user_roster, user->id);
}

struct user *registry_user(const struct registry *registry, const char *name)
{
	return of_name(hash_find(&registry->users, name));
}

const struct record_kind user_kind = {
	"users", user_columns, sizeof(struct user), user_link, user_unlink, NULL};
