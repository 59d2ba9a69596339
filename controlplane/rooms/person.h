/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the application says about people: how many follow them, whom they follow, what they may do.
 * The registry finds a user by name and in the order of their record ids; who follows a user, and
 * where they are, is in crowd.h. Loop's thread.
 */
#ifndef STENTOR_CONTROLPLANE_ROOMS_PERSON_H
#define STENTOR_CONTROLPLANE_ROOMS_PERSON_H

#include "controlplane/rooms/crowd.h"
#include "controlplane/rooms/record.h"

#define USER_FOLLOWS_MAX 5000 /* ids in one user's list */

struct user {
	uint64_t id; /* of the record; it stays while the user is known */
	struct user_id name;
	uint32_t followers; /* as the application counts them */
	bool host_grant;    /* may host whatever the followers */
	bool moderator;     /* of the platform: rank 3 in every room */
	int64_t updated_ms;
	char *follows; /* ids, one space between two, none twice; NULL: nobody */
};

extern const struct record_kind user_kind;

struct user *registry_user(const struct registry *registry, const char *name);
/* Known to the application or not; NULL: no user, nobody's followee, in no room. */
struct person *registry_person(const struct registry *registry, const char *name);

/* The name at *at into name, *at behind it; false at the end. *at starts as user->follows. What is
 * linked has only ids. */
bool user_follow_next(const char **at, struct user_id *name);
size_t user_follow_count(const struct user *user);

#endif
