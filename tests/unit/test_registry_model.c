/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Random requests against a slow, obvious model: same verdicts, same members, roles, mutes and
 * counts. Now and then a plan is taken back instead of kept, which the model does not notice.
 */
#include "tests/support/rooms.h"
#include "tests/support/unit.h"

#define ROOMS 4
#define USERS 10
#define CAPACITY 6
#define STEPS 30000

struct model_room {
	bool open, floor;
	unsigned int host;
	int role[USERS]; /* -1: not there; enum member_role */
	bool excluded[USERS];
	int64_t muted_until[USERS]; /* -1: not muted, 0: for ever */
};

struct model {
	struct model_room rooms[ROOMS];
	struct desk desk;
	struct random_state random;
	uint64_t changes; /* requests that were kept and changed something: each is one event */
};

struct asked {
	char line[256];
	struct model_room after; /* if it is allowed */
	enum verdict_code code;
};

static unsigned int member_count(const struct model_room *room)
{
	unsigned int count = 0;

	for (unsigned int u = 0; u < USERS; u++)
		count += room->role[u] >= 0;
	return count;
}

static void clear_room(struct model_room *room)
{
	*room = (struct model_room){0};
	for (unsigned int u = 0; u < USERS; u++) {
		room->role[u] = -1;
		room->muted_until[u] = -1;
	}
}

static void ask_open(struct model *m, struct asked *a, unsigned int r, unsigned int actor)
{
	bool floor = random_below(&m->random, 2);

	snprintf(a->line, sizeof(a->line),
		"{\"id\":\"i\",\"type\":\"room.open\",\"actor\":\"u%u\","
		"\"room\":\"r%u\",\"capacity\":%d,\"open_floor\":%s}",
		actor, r, CAPACITY, floor ? "true" : "false");
	if (a->after.open) {
		a->code = VERDICT_ALREADY_EXISTS;
		return;
	}
	clear_room(&a->after);
	a->after.open = true;
	a->after.floor = floor;
	a->after.host = actor;
}

static void ask_join(struct model *m, struct asked *a, unsigned int r, unsigned int actor)
{
	unsigned int user = random_below(&m->random, 3) ? actor : random_below(&m->random, USERS);
	int role = (int)random_below(&m->random, ROLE_COUNT);
	static const char *const names[] = {"listener", "speaker", "host"};
	struct model_room *room = &a->after;

	snprintf(a->line, sizeof(a->line),
		"{\"id\":\"i\",\"type\":\"member.join\",\"actor\":\"u%u\",\"room\":\"r%u\","
		"\"member\":\"u%u\",\"role\":\"%s\",\"address\":\"10.0.0.1\",\"port\":%u}",
		actor, r, user, names[role], 1 + random_below(&m->random, 65535));
	if (!room->open)
		a->code = VERDICT_NO_SUCH_ROOM;
	else if ((actor != room->host && actor != user) || room->excluded[user] ||
		 (role == ROLE_HOST && user != room->host) ||
		 (role == ROLE_SPEAKER && actor != room->host && !room->floor))
		a->code = VERDICT_NOT_ALLOWED;
	else if (room->role[user] >= 0)
		a->code = VERDICT_ALREADY_EXISTS;
	else if (member_count(room) == CAPACITY)
		a->code = VERDICT_CAPACITY;
	else
		room->role[user] = role;
}

static void ask_leave(struct model *m, struct asked *a, unsigned int r, unsigned int actor)
{
	unsigned int user = random_below(&m->random, 2) ? actor : random_below(&m->random, USERS);
	struct model_room *room = &a->after;

	snprintf(a->line, sizeof(a->line),
		"{\"id\":\"i\",\"type\":\"member.leave\",\"actor\":\"u%u\",\"room\":\"r%u\","
		"\"member\":\"u%u\"}",
		actor, r, user);
	if (!room->open)
		a->code = VERDICT_NO_SUCH_ROOM;
	else if (actor != user && actor != room->host)
		a->code = VERDICT_NOT_ALLOWED;
	else if (room->role[user] < 0)
		a->code = VERDICT_NO_SUCH_MEMBER;
	room->role[user] = -1;
}

static void ask_moderate(struct model *m, struct asked *a, unsigned int r, unsigned int actor)
{
	static const char *const verbs[] = {"mute", "unmute", "remove"};
	unsigned int verb = random_below(&m->random, 3), user = random_below(&m->random, USERS);
	bool timed = verb == 0 && random_below(&m->random, 2);
	struct model_room *room = &a->after;
	bool there = room->role[user] >= 0;

	snprintf(a->line, sizeof(a->line),
		"{\"id\":\"i\",\"type\":\"moderation.%s\",\"actor\":\"u%u\",\"room\":\"r%u\","
		"\"member\":\"u%u\"%s}",
		verbs[verb], actor, r, user, timed ? ",\"duration_ms\":5000" : "");
	if (!room->open)
		a->code = VERDICT_NO_SUCH_ROOM;
	else if (actor != room->host || (verb == 2 && user == room->host))
		a->code = VERDICT_NOT_ALLOWED;
	else if (verb == 1 && room->muted_until[user] < 0)
		a->code = there ? VERDICT_CONFLICT : VERDICT_NO_SUCH_MEMBER;
	else if (verb != 1 && !there)
		a->code = VERDICT_NO_SUCH_MEMBER;
	if (verb == 0)
		room->muted_until[user] = timed ? m->desk.now.wall_ms + 5000 : 0;
	else if (verb == 1)
		room->muted_until[user] = -1;
	else
		room->role[user] = -1;
	room->excluded[user] |= verb == 2;
}

static void ask_close(struct model *m, struct asked *a, unsigned int r, unsigned int actor)
{
	snprintf(a->line, sizeof(a->line),
		"{\"id\":\"i\",\"type\":\"room.close\",\"actor\":\"u%u\",\"room\":\"r%u\"}", actor,
		r);
	if (!a->after.open)
		a->code = VERDICT_NO_SUCH_ROOM;
	else if (actor != a->after.host)
		a->code = VERDICT_NOT_ALLOWED;
	clear_room(&a->after);
}

static void compare_room(const struct model_room *m, const struct room *room)
{
	unsigned int listeners = 0, muted = 0;

	ck_assert_int_eq(m->open, room != NULL);
	for (unsigned int u = 0; room != NULL && u < USERS; u++) {
		char name[8];
		const struct member *member;
		bool speaks = m->role[u] > ROLE_LISTENER;

		snprintf(name, sizeof(name), "u%u", u);
		member = registry_member(room, name);
		ck_assert_int_eq(m->role[u] >= 0, member != NULL);
		ck_assert_int_eq(m->excluded[u], hash_find(&room->excluded, name) != NULL);
		/* An invariant of its own: who was removed is not there. */
		ck_assert(!(m->excluded[u] && member != NULL));
		ck_assert_int_eq(m->muted_until[u] >= 0, hash_find(&room->silenced, name) != NULL);
		if (member == NULL)
			continue;
		ck_assert_int_eq(member->role, m->role[u]);
		listeners += m->role[u] == ROLE_LISTENER;
		/* A listener has no voice; one muted for a time that is over joins unmuted. */
		if (!speaks)
			ck_assert(!member_muted(member));
		else if (m->muted_until[u] == 0)
			ck_assert(member_muted(member));
		else if (m->muted_until[u] < 0)
			ck_assert(!member_muted(member));
		muted += member_muted(member);
	}
	if (room != NULL) {
		ck_assert_uint_eq(room->listeners, listeners);
		ck_assert_uint_eq(room->listeners + room->speaking_members, room->roster.count);
		ck_assert_uint_eq(room->roster.count, room->members.count);
		ck_assert_uint_eq(room->muted, muted);
		ck_assert_uint_le(room->roster.count, CAPACITY);
	}
}

static void compare(const struct model *m)
{
	size_t members = 0;

	for (unsigned int r = 0; r < ROOMS; r++) {
		char name[8];
		const struct room *room;

		snprintf(name, sizeof(name), "r%u", r);
		room = registry_room(&m->desk.registry, name);
		compare_room(&m->rooms[r], room);
		members += room == NULL ? 0 : room->roster.count;
	}
	ck_assert_uint_eq(m->desk.registry.members.count, members);
	ck_assert_uint_eq(m->desk.registry.sequence, m->changes);
}

static void step(struct model *m)
{
	static void (*const kinds[])(struct model *, struct asked *, unsigned int, unsigned int) = {
		ask_open, ask_join, ask_join, ask_join, ask_join, ask_leave, ask_moderate,
		ask_moderate, ask_close};
	unsigned int r = random_below(&m->random, ROOMS), actor = random_below(&m->random, USERS);
	unsigned int kind = random_below(&m->random, sizeof(kinds) / sizeof(kinds[0]));
	struct asked asked = {.after = m->rooms[r], .code = VERDICT_OK};
	struct plan plan;
	bool kept;

	/* Closing is rare, or rooms would always be empty. */
	if (kinds[kind] == ask_close && random_below(&m->random, 8) != 0)
		return;
	kinds[kind](m, &asked, r, actor);
	kept = desk_plan(&m->desk, &plan, asked.line);
	ck_assert_msg(m->desk.verdict.code == asked.code, "%s: %s, not %s: %s", asked.line,
		verdict_code_name(m->desk.verdict.code), verdict_code_name(asked.code),
		m->desk.verdict.message);
	if (kept && random_below(&m->random, 5) == 0) {
		plan_revert(&plan, &m->desk.registry);
	} else if (kept) {
		m->rooms[r] = asked.after;
		m->changes++;
	}
	plan_clear(&plan);
	m->desk.now.wall_ms += random_below(&m->random, 100);
	m->desk.now.mono_ns += 1000000;
}

START_TEST(random_requests_agree_with_the_model)
{
	static struct model model;

	random_seed(&model.random);
	desk_open(&model.desk);
	for (unsigned int r = 0; r < ROOMS; r++)
		clear_room(&model.rooms[r]);
	for (unsigned int i = 0; i < STEPS; i++) {
		step(&model);
		compare(&model);
	}
	ck_assert_uint_gt(model.changes, STEPS / 50);
	desk_close(&model.desk);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("registry model");
	TCase *tcase = tcase_create("registry model");

	parse_setup();
	tcase_add_test(tcase, random_requests_agree_with_the_model);
	tcase_set_timeout(tcase, 120);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
