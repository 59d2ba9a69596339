/* SPDX-License-Identifier: BSD-3-Clause */
/* People: what the application tells of them, who follows whom, where they are. */
#include "tests/support/rule.h"

#define TELL(who_, more_) \
	"{\"id\":\"i\",\"type\":\"user.upsert\",\"actor\":\"app\",\"user\":\"" who_ "\"" more_ "}"
#define GET(who_) "{\"id\":\"i\",\"type\":\"user.get\",\"user\":\"" who_ "\"}"
#define FOLLOWS(list_) ",\"follows\":[" list_ "]"
#define KNOWN(followers_, follows_, known_, by_) \
	"\"followers\":" #followers_ ",\"follows\":" #follows_ ",\"following_known\":" #known_ \
	",\"known_followers\":" #by_
#define OPEN_NOW Q("room.open", "bob", "")

static const struct rule rows[] = {
	{"somebody new is nobody special", {0}, TELL("bob", ""), VERDICT_OK,
		"\"user\":\"bob\"," KNOWN(0, 0, 0, 0) ",\"host_grant\":false,\"moderator\":false"},
	{"followers are counted by the application", {0}, TELL("bob", ",\"followers\":601"),
		VERDICT_OK, KNOWN(601, 0, 0, 0)},
	{"whom they follow need not be known", {0}, TELL("bob", FOLLOWS("\"ann\",\"eve\"")),
		VERDICT_OK, KNOWN(0, 2, 0, 0)},
	{"those who are known are counted", {TELL("ann", "")},
		TELL("bob", FOLLOWS("\"ann\",\"eve\"")), VERDICT_OK, KNOWN(0, 2, 1, 0)},
	{"who followed before they were known is found",
		{TELL("bob", FOLLOWS("\"ann\"")), TELL("eve", FOLLOWS("\"bob\",\"ann\""))},
		TELL("ann", ""), VERDICT_OK, KNOWN(0, 0, 0, 2)},
	{"twice named is followed once", {0}, TELL("bob", FOLLOWS("\"ann\",\"eve\",\"ann\"")),
		VERDICT_OK, KNOWN(0, 2, 0, 0)},
	{"what is not given stays",
		{TELL("bob", ",\"followers\":7,\"host_grant\":true" FOLLOWS("\"ann\""))},
		TELL("bob", ""), VERDICT_OK,
		KNOWN(7, 1, 0, 0) ",\"host_grant\":true,\"moderator\":false"},
	{"a list replaces the one before",
		{TELL("bob", FOLLOWS("\"ann\",\"eve\"")), TELL("bob", FOLLOWS("\"eve\""))},
		GET("ann"), VERDICT_NO_SUCH_USER, "nobody has told of \"ann\""},
	{"who is followed and not known is no user", {TELL("bob", FOLLOWS("\"ann\""))}, GET("ann"),
		VERDICT_NO_SUCH_USER, "in no room either"},
	{"an empty list is nobody", {TELL("bob", FOLLOWS("\"ann\""))}, TELL("bob", FOLLOWS("")),
		VERDICT_OK, KNOWN(0, 0, 0, 0)},
	{"one may follow oneself", {0}, TELL("bob", FOLLOWS("\"bob\"")), VERDICT_OK,
		KNOWN(0, 1, 1, 1)},
	{"a grant is taken back", {TELL("bob", ",\"host_grant\":true,\"moderator\":true")},
		TELL("bob", ",\"host_grant\":false"), VERDICT_OK,
		"\"host_grant\":false,\"moderator\":true"},
	{"a name is an id", {0}, TELL("bob", FOLLOWS("\"a b\"")), VERDICT_INVALID, "follows"},
	{"five at most here", {0}, TELL("bob", FOLLOWS("\"a\",\"b\",\"c\",\"d\",\"e\",\"f\"")),
		VERDICT_CAPACITY, "follows_max: a user may follow 5"},
	{"one more", {TELL("bob", FOLLOWS("\"ann\",\"eve\""))},
		TELL("bob", ",\"follows_add\":[\"cat\",\"ann\"]"), VERDICT_OK, KNOWN(0, 3, 0, 0)},
	{"one less", {TELL("bob", FOLLOWS("\"ann\",\"eve\"")), TELL("ann", "")},
		TELL("bob", ",\"follows_remove\":[\"ann\",\"zoe\"]"), VERDICT_OK,
		KNOWN(0, 1, 0, 0)},
	{"the last one less", {TELL("bob", FOLLOWS("\"ann\""))},
		TELL("bob", ",\"follows_remove\":[\"ann\"]"), VERDICT_OK, KNOWN(0, 0, 0, 0)},
	{"the first of somebody new", {0}, TELL("bob", ",\"follows_add\":[\"ann\"]"), VERDICT_OK,
		KNOWN(0, 1, 0, 0)},
	{"who comes and goes at once is followed", {TELL("bob", FOLLOWS("\"ann\",\"eve\""))},
		TELL("bob", ",\"follows_remove\":[\"eve\",\"ann\"],\"follows_add\":[\"ann\"]"),
		VERDICT_OK, KNOWN(0, 1, 0, 0)},
	{"the whole list, or what is different", {0},
		TELL("bob", FOLLOWS("\"ann\"") ",\"follows_add\":[]"), VERDICT_INVALID,
		"follows: the whole list, or"},
	{"what is added counts", {TELL("bob", FOLLOWS("\"a\",\"b\",\"c\",\"d\",\"e\""))},
		TELL("bob", ",\"follows_add\":[\"f\"]"), VERDICT_CAPACITY, "may follow 5"},
	{"what is replaced does not", {TELL("bob", FOLLOWS("\"a\",\"b\",\"c\",\"d\",\"e\""))},
		TELL("bob", ",\"follows_add\":[\"f\"],\"follows_remove\":[\"a\"]"), VERDICT_OK,
		KNOWN(0, 5, 0, 0)},
	{"three users at most here", {TELL("a", ""), TELL("b", ""), TELL("c", "")}, TELL("d", ""),
		VERDICT_CAPACITY, "users_max: 3"},
	{"those who are known may still change", {TELL("a", ""), TELL("b", ""), TELL("c", "")},
		TELL("a", ",\"followers\":1"), VERDICT_OK, KNOWN(1, 0, 0, 0)},

	{"a member nobody has told of is known by their room", {OPEN, JOIN("bob", "speaker", 1)},
		GET("bob"), VERDICT_OK,
		KNOWN(0, 0, 0, 0) ",\"host_grant\":false,\"moderator\":false,\"rooms\":[{\"room\":"
				  "\"tea\",\"role\":\"speaker\"}]"},
	{"rooms are in the order in which they were opened",
		{OPEN, IN("jam", "room.open", "ann", ""), JOIN_IN("jam", "bob", "listener", 1),
			JOIN("bob", "listener", 2)},
		GET("bob"), VERDICT_OK,
		"\"rooms\":[{\"room\":\"tea\",\"role\":\"listener\"},{\"room\":\"jam\",\"role\":"
		"\"listener\"}]"},
	{"who has left is in none",
		{TELL("bob", ""), OPEN, JOIN("bob", "listener", 1), Q("member.leave", "bob", "")},
		GET("bob"), VERDICT_OK, "\"rooms\":[]"},
	{"who has left and was never told of is nobody",
		{OPEN, JOIN("bob", "listener", 1), Q("member.leave", "bob", "")}, GET("bob"),
		VERDICT_NO_SUCH_USER, "bob"},
};

static void open_desk(struct desk *desk)
{
	desk_open(desk);
	desk->registry.limits.users_max = 3;
	desk->registry.limits.follows_max = 5;
}

START_TEST(a_request_has_its_answer)
{
	struct desk desk;

	open_desk(&desk);
	rule_check_at(&desk, &rows[_i]);
}
END_TEST

static const struct rule hosting[] = {
	{"who is not known does not host", {0}, OPEN_NOW, VERDICT_NOT_ALLOWED,
		"\"bob\" has 0 followers: hosting needs more than 600, or a grant"},
	{"600 are not more than 600", {TELL("bob", ",\"followers\":600")}, OPEN_NOW,
		VERDICT_NOT_ALLOWED, "\"bob\" has 600 followers"},
	{"601 are", {TELL("bob", ",\"followers\":601")}, OPEN_NOW, VERDICT_OK, "tea", 1, 1},
	{"a grant is enough", {TELL("bob", ",\"host_grant\":true")}, OPEN_NOW, VERDICT_OK, "tea", 1,
		1},
	{"a moderator of the platform hosts", {TELL("bob", ",\"moderator\":true")}, OPEN_NOW,
		VERDICT_OK, "tea", 1, 1},
	{"a grant that was taken back is none",
		{TELL("bob", ",\"host_grant\":true"), TELL("bob", ",\"host_grant\":false")},
		OPEN_NOW, VERDICT_NOT_ALLOWED, "or a grant"},
	{"followers the box knows do not count, what the application says does",
		{TELL("eve", FOLLOWS("\"bob\"")), TELL("bob", ",\"followers\":12")}, OPEN_NOW,
		VERDICT_NOT_ALLOWED, "has 12 followers"},
	{"the rule comes before the name", {TELL("ann", ",\"host_grant\":true"), OPEN}, OPEN_NOW,
		VERDICT_NOT_ALLOWED, "or a grant"},
};

START_TEST(hosting_needs_followers)
{
	struct desk desk;

	open_desk(&desk);
	desk.registry.limits.host_min_followers = 600;
	rule_check_at(&desk, &hosting[_i]);
}
END_TEST

static unsigned int audits(const struct plan *plan, const char **reason)
{
	unsigned int count = 0;

	for (size_t i = 0; i < plan->change_count; i++) {
		if (plan->changes[i].type != CHANGE_AUDIT)
			continue;
		ck_assert_str_eq(plan->changes[i].audit.actor, "app");
		ck_assert_str_eq(plan->changes[i].audit.action, "user.upsert");
		ck_assert_str_eq(plan->changes[i].audit.member, "bob");
		*reason = plan->changes[i].audit.reason;
		count++;
	}
	return count;
}

/* What somebody may do beyond others is on record, how many follow them is not. */
START_TEST(powers_are_on_record)
{
	static const struct {
		const char *line, *reason; /* NULL: not on record */
	} steps[] = {{TELL("bob", ",\"followers\":9"), NULL},
		{TELL("bob", ",\"moderator\":true"), "host_grant off, moderator on"},
		{TELL("bob", ",\"moderator\":true"), NULL},
		{TELL("bob", ",\"host_grant\":true"), "host_grant on, moderator on"},
		{TELL("bob", ",\"host_grant\":false,\"moderator\":false"),
			"host_grant off, moderator off"},
		{TELL("bob", FOLLOWS("\"ann\"")), NULL}};
	struct desk desk;

	open_desk(&desk);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		const char *reason = NULL;
		struct plan plan;

		ck_assert(desk_plan(&desk, &plan, steps[i].line));
		ck_assert_uint_eq(desk.events, 0);
		ck_assert_uint_eq(audits(&plan, &reason), steps[i].reason != NULL);
		if (steps[i].reason != NULL)
			ck_assert_str_eq(reason, steps[i].reason);
		plan_clear(&plan);
	}
	desk_close(&desk);
}
END_TEST

/* The record keeps its id, so followers who are told in its order are not told again. */
START_TEST(a_user_keeps_their_place)
{
	struct desk desk;
	uint64_t id;

	open_desk(&desk);
	desk_ask(&desk, TELL("bob", ""));
	id = registry_user(&desk.registry, "bob")->id;
	desk_ask(&desk, TELL("ann", ""));
	desk_ask(&desk, TELL("bob", ",\"followers\":5"));
	ck_assert_uint_eq(registry_user(&desk.registry, "bob")->id, id);
	ck_assert_uint_gt(registry_user(&desk.registry, "ann")->id, id);
	desk_close(&desk);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("person");
	TCase *tcase = tcase_create("person");

	parse_setup();
	tcase_add_loop_test(tcase, a_request_has_its_answer, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_loop_test(
		tcase, hosting_needs_followers, 0, sizeof(hosting) / sizeof(hosting[0]));
	tcase_add_test(tcase, powers_are_on_record);
	tcase_add_test(tcase, a_user_keeps_their_place);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
