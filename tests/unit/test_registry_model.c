/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Random requests against a slow, obvious model: same verdicts, same members, roles, mutes and
 * counts. Now and then a plan is taken back instead of kept, which the model does not notice.
 */
#include "controlplane/rooms/token.h"
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
	int muted_rank[USERS];      /* by the host 2, by themself 0 */
	bool webrtc[USERS];
	unsigned int hand[USERS]; /* 0: does not ask for the floor; else in the order of asking */
	unsigned int asked;       /* how many have asked so far */
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
	unsigned int events; /* if it is allowed */
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
	int role = (int)random_below(&m->random, ROLE_COHOST);
	static const char *const names[] = {"listener", "speaker", "host"};
	bool webrtc = random_below(&m->random, 2);
	struct model_room *room = &a->after;

	snprintf(a->line, sizeof(a->line),
		"{\"id\":\"i\",\"type\":\"member.join\",\"actor\":\"u%u\",\"room\":\"r%u\","
		"\"member\":\"u%u\",\"role\":\"%s\",%s%u}",
		actor, r, user, names[role],
		webrtc ? "\"transport\":\"webrtc\",\"duration_ms\":"
		       : "\"address\":\"10.0.0.1\",\"port\":",
		1 + random_below(&m->random, 65535));
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
	else {
		room->role[user] = role;
		room->webrtc[user] = webrtc;
		room->hand[user] = 0;
	}
}

static void ask_floor(struct model *m, struct asked *a, unsigned int r, unsigned int actor)
{
	static const char *const verbs[] = {"request", "cancel", "release"};
	unsigned int verb = random_below(&m->random, 3);
	struct model_room *room = &a->after;

	snprintf(a->line, sizeof(a->line),
		"{\"id\":\"i\",\"type\":\"floor.%s\",\"actor\":\"u%u\",\"room\":\"r%u\"}",
		verbs[verb], actor, r);
	if (!room->open)
		a->code = VERDICT_NO_SUCH_ROOM;
	else if (room->role[actor] < 0)
		a->code = VERDICT_NO_SUCH_MEMBER;
	else if (verb == 1)
		a->events = room->hand[actor] != 0;
	else if ((verb == 0 && room->role[actor] != ROLE_LISTENER) ||
		 (verb == 2 && room->role[actor] != ROLE_SPEAKER))
		a->code = VERDICT_CONFLICT;
	else if (verb == 2)
		room->role[actor] = ROLE_LISTENER;
	else if (room->floor || room->host == actor)
		room->role[actor] = ROLE_SPEAKER;
	else if (room->hand[actor] == 0)
		room->hand[actor] = ++room->asked;
	if (verb == 1)
		room->hand[actor] = 0;
}

static void ask_answer(struct model *m, struct asked *a, unsigned int r, unsigned int actor)
{
	bool grant = random_below(&m->random, 2);
	unsigned int user = random_below(&m->random, USERS);
	struct model_room *room = &a->after;

	actor = random_below(&m->random, 2) ? actor : room->host;
	snprintf(a->line, sizeof(a->line),
		"{\"id\":\"i\",\"type\":\"floor.%s\",\"actor\":\"u%u\",\"room\":\"r%u\","
		"\"member\":\"u%u\"}",
		grant ? "grant" : "deny", actor, r, user);
	if (!room->open)
		a->code = VERDICT_NO_SUCH_ROOM;
	else if (actor != room->host)
		a->code = VERDICT_NOT_ALLOWED;
	else if (room->role[user] < 0)
		a->code = VERDICT_NO_SUCH_MEMBER;
	else if (room->hand[user] == 0)
		a->code = VERDICT_CONFLICT;
	else if (grant)
		room->role[user] = ROLE_SPEAKER;
	room->hand[user] = 0;
}

static void ask_token(struct model *m, struct asked *a, unsigned int r, unsigned int actor)
{
	unsigned int user = random_below(&m->random, 2) ? actor : random_below(&m->random, USERS);
	const struct model_room *room = &a->after;

	a->events = 0;
	snprintf(a->line, sizeof(a->line),
		"{\"id\":\"i\",\"type\":\"member.token\",\"actor\":\"u%u\",\"room\":\"r%u\","
		"\"member\":\"u%u\"}",
		actor, r, user);
	if (!room->open)
		a->code = VERDICT_NO_SUCH_ROOM;
	else if (actor != user && actor != room->host)
		a->code = VERDICT_NOT_ALLOWED;
	else if (room->role[user] < 0)
		a->code = VERDICT_NO_SUCH_MEMBER;
	else if (!room->webrtc[user])
		a->code = VERDICT_CONFLICT;
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
	room->hand[user] = 0;
}

static void ask_moderate(struct model *m, struct asked *a, unsigned int r, unsigned int actor)
{
	static const char *const verbs[] = {"mute", "unmute", "remove"};
	unsigned int verb = random_below(&m->random, 3), user = random_below(&m->random, USERS);
	bool timed = verb == 0 && random_below(&m->random, 2);
	struct model_room *room = &a->after;
	bool there = room->role[user] >= 0;
	int rank = actor == user || actor != room->host ? 0 : 2;

	snprintf(a->line, sizeof(a->line),
		"{\"id\":\"i\",\"type\":\"moderation.%s\",\"actor\":\"u%u\",\"room\":\"r%u\","
		"\"member\":\"u%u\"%s}",
		verbs[verb], actor, r, user, timed ? ",\"duration_ms\":5000" : "");
	if (!room->open)
		a->code = VERDICT_NO_SUCH_ROOM;
	else if ((actor != room->host && (verb == 2 || actor != user)) ||
		 (verb == 2 && user == room->host))
		a->code = VERDICT_NOT_ALLOWED;
	else if (verb == 1 && room->muted_until[user] < 0)
		a->code = there ? VERDICT_CONFLICT : VERDICT_NO_SUCH_MEMBER;
	else if (verb != 1 && !there)
		a->code = VERDICT_NO_SUCH_MEMBER;
	else if (room->muted_until[user] >= 0 && room->muted_rank[user] > rank && verb != 2)
		a->code = verb == 0 ? VERDICT_CONFLICT : VERDICT_NOT_ALLOWED;
	if (verb == 0)
		room->muted_rank[user] = rank;
	if (verb == 0)
		room->muted_until[user] = timed ? m->desk.now.wall_ms + 5000 : 0;
	else if (verb == 1)
		room->muted_until[user] = -1;
	else
		room->role[user] = -1, room->hand[user] = 0;
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

/* The hands of the room are those of the model, in their order. */
static void compare_hands(const struct model_room *m, const struct room *room)
{
	unsigned int before = 0, hands = 0;
	const struct member *member;
	uint64_t id = 0;

	while ((member = roster_next(&room->hands, &id)) != NULL) {
		unsigned int user = (unsigned int)atoi(member->user.text + 1);

		ck_assert_uint_gt(m->hand[user], before);
		before = m->hand[user];
		hands++;
	}
	for (unsigned int u = 0; u < USERS; u++)
		hands -= m->hand[u] != 0;
	ck_assert_uint_eq(hands, 0);
}

static void compare_room(
	const struct registry *registry, const struct model_room *m, const struct room *room)
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
		ck_assert_int_eq(m->hand[u] != 0, member->hand != 0);
		/* Found by their token, if they have one. */
		ck_assert_int_eq(m->webrtc[u], member->token != NULL);
		if (member->token != NULL)
			ck_assert_ptr_eq(
				member, registry_member_by_token(registry, member->token->text));
	}
	if (room != NULL) {
		compare_hands(m, room);
		ck_assert_uint_eq(room->listeners, listeners);
		ck_assert_uint_eq(room->listeners + room->speaking_members, room->roster.count);
		ck_assert_uint_eq(room->roster.count, room->members.count);
		ck_assert_uint_eq(room->muted, muted);
		ck_assert_uint_le(room->roster.count, CAPACITY);
	}
}

static void compare(const struct model *m)
{
	size_t members = 0, tokens = 0, seats = 0;

	for (unsigned int r = 0; r < ROOMS; r++) {
		char name[8];
		const struct room *room;

		snprintf(name, sizeof(name), "r%u", r);
		room = registry_room(&m->desk.registry, name);
		compare_room(&m->desk.registry, &m->rooms[r], room);
		members += room == NULL ? 0 : room->roster.count;
		for (unsigned int u = 0; u < USERS; u++)
			tokens += m->rooms[r].role[u] >= 0 && m->rooms[r].webrtc[u];
	}
	for (const struct member *s = m->desk.registry.seats; s != NULL; s = s->seat_next)
		seats++;
	ck_assert_uint_eq(m->desk.registry.tokens.count, tokens);
	ck_assert_uint_eq(seats, tokens); /* nobody has opened a session */
	ck_assert_uint_eq(m->desk.registry.legs.count, members - tokens);
	ck_assert_uint_eq(m->desk.registry.members.count, members);
	for (int role = 0; role < ROLE_COUNT; role++)
		members -= m->desk.registry.roles[role];
	ck_assert_uint_eq(members, 0);
	ck_assert_uint_eq(m->desk.registry.sequence, m->changes);
}

static void step(struct model *m)
{
	static void (*const kinds[])(struct model *, struct asked *, unsigned int, unsigned int) = {
		ask_open, ask_join, ask_join, ask_join, ask_join, ask_leave, ask_moderate,
		ask_moderate, ask_close, ask_floor, ask_floor, ask_answer, ask_token};
	unsigned int r = random_below(&m->random, ROOMS), actor = random_below(&m->random, USERS);
	unsigned int kind = random_below(&m->random, sizeof(kinds) / sizeof(kinds[0]));
	struct asked asked = {.after = m->rooms[r], .code = VERDICT_OK, .events = 1};
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
		m->changes += asked.events;
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
