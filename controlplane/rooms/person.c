/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
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

struct person *registry_person(const struct registry *registry, const char *name)
{
	return crowd_find(&registry->crowd, name);
}

struct user *registry_user(const struct registry *registry, const char *name)
{
	const struct person *person = registry_person(registry, name);

	return person == NULL ? NULL : person->user;
}

bool user_follow_next(const char **at, struct user_id *name)
{
	size_t size;

	if (*at == NULL || **at == '\0')
		return false;
	size = strcspn(*at, " ");
	name->text[0] = '\0'; /* no id, if it is too long for one */
	if (size <= EVENT_ID_MAX) {
		memcpy(name->text, *at, size);
		name->text[size] = '\0';
	}
	*at += size;
	*at += **at == ' ' && (*at)[1] != '\0';
	return true;
}

size_t user_follow_count(const struct user *user)
{
	size_t count = user->follows != NULL;

	for (const char *at = user->follows; at != NULL && *at != '\0'; at++)
		count += *at == ' ';
	return count;
}

/* Those before `end`. */
static void unfollow(struct registry *registry, const struct user *user, const char *end)
{
	const char *at = user->follows;
	struct user_id name;

	while (at != end && user_follow_next(&at, &name)) {
		struct person *person = crowd_find(&registry->crowd, name.text);

		if (person == NULL)
			continue;
		person_follower_remove(person, user->id);
		crowd_drop(&registry->crowd, person);
	}
}

static int follow(struct registry *registry, const struct user *user)
{
	const char *at = user->follows, *before = at;
	struct user_id name;
	int rc = 0;

	for (; rc == 0 && user_follow_next(&at, &name); before = at) {
		struct person *person;

		if (!event_id_valid(name.text, strlen(name.text))) {
			rc = -EIO;
			break;
		}
		person = crowd_need(&registry->crowd, name.text);
		rc = person == NULL ? -ENOMEM : person_follower_add(person, user->id);
		if (rc != 0) {
			if (person != NULL)
				crowd_drop(&registry->crowd, person);
			break;
		}
	}
	if (rc != 0)
		unfollow(registry, user, before);
	return rc;
}

static int user_link(struct registry *registry, void *record)
{
	struct user *user = record;
	struct person *person = crowd_need(&registry->crowd, user->name.text);
	int rc;

	if (person == NULL)
		return -ENOMEM;
	if (person->user != NULL)
		return -EEXIST;
	rc = roster_add(&registry->user_roster, user->id, user);
	if (rc == 0) {
		person->user = user;
		rc = follow(registry, user);
		if (rc == 0)
			return 0;
		person->user = NULL;
		roster_remove(&registry->user_roster, user->id);
	}
	crowd_drop(&registry->crowd, person);
	return rc;
}

/* The other way round, so that the spares are taken again by whom they were. */
static void user_unlink(struct registry *registry, void *record)
{
	const struct user *user = record;
	struct person *person = crowd_find(&registry->crowd, user->name.text);

	unfollow(registry, user, NULL);
	roster_remove(&registry->user_roster, user->id);
	person->user = NULL;
	crowd_drop(&registry->crowd, person);
}

const struct record_kind user_kind = {
	"users", user_columns, sizeof(struct user), user_link, user_unlink, NULL};
