/* SPDX-License-Identifier: BSD-3-Clause */
/* user.upsert, user.get. */
#include <stdlib.h>
#include <string.h>

#include "controlplane/rooms/admission.h"
#include "controlplane/rooms/catalog.h"
#include "controlplane/rooms/person.h"
#include "controlplane/rooms/plan.h"

#define NOT_GIVEN (-1)

struct user_upsert {
	const char *user;
	uint64_t followers;
	struct event_list follows, follows_add, follows_remove;
	int host_grant, moderator;
};

static const struct field user_upsert_fields[] = {
	{.name = "user",
		.kind = FIELD_ID,
		.flags = FIELD_REQUIRED,
		.offset = offsetof(struct user_upsert, user)},
	{.name = "followers",
		.kind = FIELD_UINT,
		.max = UINT32_MAX,
		.fallback = NOT_GIVEN,
		.offset = offsetof(struct user_upsert, followers)},
	{.name = "follows",
		.kind = FIELD_IDS,
		.max = USER_FOLLOWS_MAX,
		.offset = offsetof(struct user_upsert, follows)},
	{.name = "follows_add",
		.kind = FIELD_IDS,
		.max = USER_FOLLOWS_MAX,
		.offset = offsetof(struct user_upsert, follows_add)},
	{.name = "follows_remove",
		.kind = FIELD_IDS,
		.max = USER_FOLLOWS_MAX,
		.offset = offsetof(struct user_upsert, follows_remove)},
	{.name = "host_grant",
		.kind = FIELD_BOOL,
		.fallback = NOT_GIVEN,
		.offset = offsetof(struct user_upsert, host_grant)},
	{.name = "moderator",
		.kind = FIELD_BOOL,
		.fallback = NOT_GIVEN,
		.offset = offsetof(struct user_upsert, moderator)},
	{.name = NULL}};

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The ids in one text, none twice; the order is theirs, so that the same list is the same text. */
static bool write_follows(
	const char **names, size_t count, struct user *user, struct verdict *verdict)
{
	char *text = NULL, *end;
	size_t size = 0;

	for (size_t i = 0; i < count; i++)
		size += strlen(names[i]) + 1;
	if (count > 0 && (text = malloc(size)) == NULL)
		return verdict_refuse(verdict, VERDICT_UNAVAILABLE, "out of memory");
	qsort(names, count, sizeof(names[0]), by_name);
	end = text;
	for (size_t i = 0; i < count; i++) {
		if (i > 0 && strcmp(names[i], names[i - 1]) == 0)
			continue;
		end = stpcpy(end, names[i]);
		*end++ = ' ';
	}
	if (count > 0)
		end[-1] = '\0';
	free(user->follows);
	user->follows = text;
	return true;
}

/* The names of the text, which is cut up for it, without those in the sorted list. */
static size_t keep_follows(char *text, const struct event_list *removed, const char **names)
{
	size_t count = 0;
	char *rest = text;

	for (char *name = strtok_r(text, " ", &rest); name != NULL;
		name = strtok_r(NULL, " ", &rest)) {
		if (removed->count == 0 || bsearch(&name, removed->items, removed->count,
						   sizeof(name), by_name) == NULL)
			names[count++] = name;
	}
	return count;
}

/* Some more, some less: who is in both lists is followed. */
static bool change_follows(
	const struct user_upsert *body, struct user *user, struct verdict *verdict)
{
	const struct event_list *add = &body->follows_add, *removed = &body->follows_remove;
	size_t count = user_follow_count(user) + add->count;
	const char **names = calloc(count + 1, sizeof(names[0]));
	char *text = strdup(user->follows == NULL ? "" : user->follows);
	bool done = names != NULL && text != NULL;

	if (done) {
		if (removed->count > 0)
			qsort(removed->items, removed->count, sizeof(names[0]), by_name);
		count = keep_follows(text, removed, names);
		if (add->count > 0)
			memcpy(names + count, add->items, add->count * sizeof(names[0]));
		done = write_follows(names, count + add->count, user, verdict);
	} else {
		verdict_refuse(verdict, VERDICT_UNAVAILABLE, "out of memory");
	}
	free(text);
	free(names);
	return done;
}

static bool take_follows(const struct registry *registry, const struct user_upsert *body,
	struct user *user, struct verdict *verdict)
{
	uint32_t most = registry->limits.follows_max;

	if (body->follows.items != NULL) {
		if (!write_follows(body->follows.items, body->follows.count, user, verdict))
			return false;
	} else if (body->follows_add.items != NULL || body->follows_remove.items != NULL) {
		if (!change_follows(body, user, verdict))
			return false;
	}
	if (most == 0 || most > USER_FOLLOWS_MAX)
		most = USER_FOLLOWS_MAX;
	return user_follow_count(user) <= most ||
	       verdict_refuse(verdict, VERDICT_CAPACITY, "follows_max: a user may follow %u", most);
}

/* What they will be: as they are, or as somebody nobody has told of. NULL with the verdict set. */
static struct user *draft(
	struct registry *registry, const struct user_upsert *body, struct plan *plan)
{
	const struct user *known = registry_user(registry, body->user);
	struct user *user = known != NULL ? record_copy(RECORD_USER, known)
					  : record_make(RECORD_USER, registry->next_id++);

	if (user == NULL) {
		verdict_refuse(&plan->verdict, VERDICT_UNAVAILABLE, "out of memory");
		return NULL;
	}
	strncpy(user->name.text, body->user, EVENT_ID_MAX);
	user->updated_ms = plan->now.wall_ms;
	if (body->followers != (uint64_t)NOT_GIVEN)
		user->followers = (uint32_t)body->followers;
	if (body->host_grant != NOT_GIVEN)
		user->host_grant = body->host_grant;
	if (body->moderator != NOT_GIVEN)
		user->moderator = body->moderator;
	if (take_follows(registry, body, user, &plan->verdict))
		return user;
	record_free(RECORD_USER, user);
	return NULL;
}

static bool possible(
	const struct registry *registry, const struct user_upsert *body, struct verdict *verdict)
{
	const struct registry_limits *limits = &registry->limits;

	if (body->follows.items != NULL &&
		(body->follows_add.items != NULL || body->follows_remove.items != NULL))
		return verdict_refuse(verdict, VERDICT_INVALID,
			"follows: the whole list, or follows_add and follows_remove");
	if (limits->users_max != 0 && registry->user_roster.count >= limits->users_max &&
		registry_user(registry, body->user) == NULL)
		return verdict_refuse(verdict, VERDICT_CAPACITY, "users_max: %u users are known",
			limits->users_max);
	return true;
}

static void describe(
	struct writer *writer, const struct registry *registry, const struct person *person)
{
	static const struct user stranger;
	const struct user *user = person->user == NULL ? &stranger : person->user;
	const char *at = user->follows;
	struct user_id name;
	unsigned int known = 0;

	while (user_follow_next(&at, &name))
		known += registry_user(registry, name.text) != NULL;
	writer_string(writer, "user", person->name);
	writer_uint(writer, "followers", user->followers);
	writer_uint(writer, "follows", user_follow_count(user));
	writer_uint(writer, "following_known", known);
	writer_uint(writer, "known_followers", person->count);
	writer_bool(writer, "host_grant", user->host_grant);
	writer_bool(writer, "moderator", user->moderator);
}

/* What somebody may do beyond others is on record. */
static bool audit_powers(
	struct plan *plan, const char *actor, const struct user *before, const struct user *after)
{
	static const char *const powers[] = {"host_grant off, moderator off",
		"host_grant on, moderator off", "host_grant off, moderator on",
		"host_grant on, moderator on"};
	struct audit audit = {actor, "user.upsert", after->name.text,
		powers[after->host_grant + 2 * after->moderator]};
	bool grant = before != NULL && before->host_grant;
	bool moderator = before != NULL && before->moderator;

	return (grant == after->host_grant && moderator == after->moderator) ||
	       plan_audit(plan, NULL, &audit);
}

static void user_upsert(struct registry *registry, const struct event *event, struct plan *plan)
{
	const struct user_upsert *body = event_body(event);
	struct user *before = registry_user(registry, body->user), *after;

	if (!possible(registry, body, &plan->verdict))
		return;
	after = draft(registry, body, plan);
	if (after == NULL)
		return;
	if (!plan_record(plan, registry, RECORD_USER, before, after)) {
		record_free(RECORD_USER, after);
		return;
	}
	if (audit_powers(plan, event->actor, before, after))
		describe(&plan->answer, registry, registry_person(registry, body->user));
}

struct user_get {
	const char *user;
};

static const struct field user_get_fields[] = {{.name = "user",
						       .kind = FIELD_ID,
						       .flags = FIELD_REQUIRED,
						       .offset = offsetof(struct user_get, user)},
	{.name = NULL}};

static int by_room(const void *a, const void *b)
{
	uint64_t one = (*(const struct member *const *)a)->room->put.room_id;
	uint64_t other = (*(const struct member *const *)b)->room->put.room_id;

	return one < other ? -1 : one > other;
}

/* In the order of the rooms' ids. */
static bool describe_rooms(struct plan *plan, const struct person *person)
{
	const struct member **all, *member;
	size_t count = 0, at = 0;

	for (member = person->members; member != NULL; member = member->person_next)
		count++;
	all = calloc(count + 1, sizeof(*all));
	if (all == NULL)
		return verdict_refuse(&plan->verdict, VERDICT_UNAVAILABLE, "out of memory");
	for (member = person->members; member != NULL; member = member->person_next)
		all[at++] = member;
	qsort(all, count, sizeof(*all), by_room);
	writer_begin_array(&plan->answer, "rooms");
	for (at = 0; at < count; at++) {
		writer_begin_object(&plan->answer, NULL);
		writer_string(&plan->answer, "room", all[at]->room->name.text);
		writer_string(&plan->answer, "role", admission_role_names[all[at]->role]);
		writer_end_object(&plan->answer);
	}
	writer_end_array(&plan->answer);
	free(all);
	return true;
}

static void user_get(struct registry *registry, const struct event *event, struct plan *plan)
{
	const struct user_get *body = event_body(event);
	const struct person *person = registry_person(registry, body->user);

	if (person == NULL || (person->user == NULL && person->members == NULL)) {
		verdict_refuse(&plan->verdict, VERDICT_NO_SUCH_USER,
			"nobody has told of \"%s\", who is in no room either", body->user);
		return;
	}
	describe(&plan->answer, registry, person);
	describe_rooms(plan, person);
}

const struct event_type person_event_types[] = {
	{"user.upsert", user_upsert_fields, sizeof(struct user_upsert),
		EVENT_NEEDS_ACTOR | EVENT_CHANGES, user_upsert},
	{"user.get", user_get_fields, sizeof(struct user_get), 0, user_get}, {NULL}};
