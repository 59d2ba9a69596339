/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The index of people against a slow model: random users, memberships and rooms come, change and
 * are taken back, newest first, while each allocation may fail; taking back needs none. Linked with
 * --wrap.
 */
#include <errno.h>
#include <stdlib.h>

#include "tests/support/rooms.h"
#include "tests/support/unit.h"

#define NAMES 12
#define STEPS 6000

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);

static unsigned int fail_in; /* 1: the next one and all behind it; 0: none */

static bool fails(void)
{
	if (fail_in > 1)
		fail_in--;
	else if (fail_in == 1)
		return true;
	return false;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
	return fails() ? NULL : __real_realloc(memory, size);
}

static const char *name_of(unsigned int i)
{
	static const char *const names[NAMES] = {
		"ann", "bob", "cat", "dan", "eve", "fay", "gus", "hal", "ida", "jon", "kim", "leo"};

	return names[i];
}

/* A list of some of them as user.upsert writes it, or NULL. */
static char *some_names(struct random_state *state)
{
	uint64_t chosen = random_next(state);
	char *text = __real_calloc(1, NAMES * 4 + 1);

	for (unsigned int i = 0; i < NAMES; i++) {
		if (!(chosen >> i & 1) || chosen >> 20 & 3)
			continue;
		if (text[0] != '\0')
			strcat(text, " ");
		strcat(text, name_of(i));
	}
	if (text[0] != '\0')
		return text;
	free(text);
	return NULL;
}

static bool lists(const struct user *user, const char *name)
{
	const char *found = user->follows == NULL ? NULL : strstr(user->follows, name);

	return found != NULL; /* no name is in another */
}

/* The followers of each, as the users' own lists say. */
static void check_followers(const struct registry *registry, const char *name)
{
	const struct person *person = registry_person(registry, name);
	uint64_t id = 0, told = 0;
	const struct user *user;
	unsigned int count = 0;

	while ((user = roster_next(&registry->user_roster, &id)) != NULL) {
		if (!lists(user, name)) {
			ck_assert(person == NULL || !person_followed_by(person, id));
			continue;
		}
		ck_assert_ptr_nonnull(person);
		ck_assert(person_followed_by(person, id));
		told = person_follower_next(person, told);
		ck_assert_uint_eq(told, id);
		count++;
	}
	if (person == NULL)
		return;
	ck_assert_uint_eq(person->count, count);
	ck_assert_uint_eq(person_follower_next(person, told), 0);
	ck_assert(person->user != NULL || count > 0 || person->members != NULL ||
		  person->rooms != NULL);
}

static struct user *draft(struct desk *desk, const char *name, struct random_state *state)
{
	const struct user *known = registry_user(&desk->registry, name);
	struct user *user = __real_calloc(1, sizeof(*user));

	user->id = known != NULL ? known->id : desk->registry.next_id++;
	strcpy(user->name.text, name);
	user->follows = some_names(state);
	return user;
}

/* A user comes, changes or goes; or a member comes or goes. */
static void change(
	struct desk *desk, struct plan *plan, struct room *room, struct random_state *state)
{
	const char *name = name_of(random_next(state) % NAMES);
	struct member *member = registry_member(room, name);
	struct user *before = registry_user(&desk->registry, name), *after = NULL;
	unsigned int what = random_next(state) % 8;

	if (what < 2 && member != NULL) {
		plan_member_remove(plan, &desk->registry, member);
	} else if (what < 3) {
		member = __real_calloc(1, sizeof(*member));
		strcpy(member->user.text, name);
		member->room = room;
		member->put.member_id = desk->registry.next_id++;
		if (registry_member(room, name) != NULL ||
			!plan_member_add(plan, &desk->registry, member))
			member_free(member);
	} else {
		if (what < 7)
			after = draft(desk, name, state);
		if ((before != NULL || after != NULL) &&
			!plan_record(plan, &desk->registry, RECORD_USER, before, after))
			record_free(RECORD_USER, after);
	}
}

START_TEST(is_as_the_model_says_and_can_be_taken_back)
{
	struct random_state state;
	struct desk desk;
	struct plan plan;
	struct room *room;
	unsigned int reverted = 0, failed = 0;

	random_seed(&state);
	desk_open(&desk);
	room = room_make(&desk.registry);
	strcpy(room->name.text, "tea");
	strcpy(room->host.text, "ann");
	room->put.room_id = desk.registry.next_id++;
	ck_assert_int_eq(registry_room_link(&desk.registry, room), 0);
	for (unsigned int step = 0; step < STEPS; step++) {
		char *before = desk_state(&desk.registry), *after;
		bool revert = random_next(&state) % 2;

		plan_init(&plan, &desk.now);
		for (unsigned int n = random_next(&state) % 6; n > 0; n--) {
			fail_in = random_next(&state) % 4 == 0 ? 1 + random_next(&state) % 8 : 0;
			change(&desk, &plan, room, &state);
			failed += plan.verdict.code != VERDICT_OK;
			plan.verdict.code = VERDICT_OK;
			fail_in = 0;
		}
		if (revert) {
			fail_in = 1;
			plan_revert(&plan, &desk.registry);
			fail_in = 0;
			after = desk_state(&desk.registry);
			ck_assert_str_eq(before, after);
			free(after);
			reverted++;
		}
		plan_clear(&plan);
		free(before);
		for (unsigned int i = 0; i < NAMES; i++)
			check_followers(&desk.registry, name_of(i));
	}
	ck_assert_uint_gt(reverted, STEPS / 3);
	ck_assert_uint_gt(failed, STEPS / 200);
	desk_close(&desk);
}
END_TEST

/* Nobody is left over, and what was used is used again. */
START_TEST(memory_stays_flat)
{
	struct desk desk;
	unsigned int spares = 0;

	desk_open(&desk);
	for (unsigned int i = 0; i < 1000; i++) {
		struct user user = {.id = i + 1, .follows = (char *)"ann bob cat"};

		snprintf(user.name.text, sizeof(user.name.text), "u%u", i);
		ck_assert_int_eq(user_kind.link(&desk.registry, &user), 0);
		ck_assert_uint_eq(desk.registry.crowd.people.count, 4);
		user_kind.unlink(&desk.registry, &user);
	}
	ck_assert_uint_eq(desk.registry.crowd.people.count, 0);
	for (const struct person *p = desk.registry.crowd.spares; p != NULL; p = p->next)
		spares++;
	ck_assert_uint_eq(spares, 4);
	desk_close(&desk);
}
END_TEST

/* What the file says is input: a list with something else than ids is not taken, and leaves no
 * trace. */
START_TEST(a_list_of_no_ids_is_refused)
{
	static const char *const wrong[] = {"ann b@d", " ann", "ann  bob", "ann ",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
	struct user user = {.id = 1, .name.text = "eve"};
	struct desk desk;

	desk_open(&desk);
	user.follows = (char *)wrong[_i];
	ck_assert_int_eq(user_kind.link(&desk.registry, &user), -EIO);
	ck_assert_uint_eq(desk.registry.crowd.people.count, 0);
	ck_assert_uint_eq(desk.registry.user_roster.count, 0);
	desk_close(&desk);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("crowd");
	TCase *tcase = tcase_create("crowd");

	parse_setup();
	tcase_set_timeout(tcase, 200);
	tcase_add_test(tcase, is_as_the_model_says_and_can_be_taken_back);
	tcase_add_test(tcase, memory_stays_flat);
	tcase_add_loop_test(tcase, a_list_of_no_ids_is_refused, 0, 5);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
