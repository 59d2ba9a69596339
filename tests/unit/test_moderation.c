/* SPDX-License-Identifier: BSD-3-Clause */
/* Who may quieten and send away whom, and who may take it back. */
#include "tests/support/rule.h"

#define MUTE(actor_, who_, more_) Q("moderation.mute", actor_, WHO(who_) more_)
#define UNMUTE(actor_, who_) Q("moderation.unmute", actor_, WHO(who_))
#define MUTE_ALL(actor_, more_) Q("moderation.mute_all", actor_, more_)
#define REMOVE(actor_, who_) Q("moderation.remove", actor_, WHO(who_))
#define DEMOTE(actor_, who_) Q("moderation.demote", actor_, WHO(who_))
#define ANN JOIN("ann", "host", 1)
#define BOB JOIN("bob", "speaker", 2)
#define CY JOIN("cy", "speaker", 3), "+cohost cy"
#define DEB JOIN("deb", "listener", 4)

static const struct rule rows[] = {
	{"the host mutes a speaker", {OPEN, BOB}, MUTE("ann", "bob", ""), VERDICT_OK, "bob", 1, 1,
		"\"undo\":\"hosts\""},
	{"so does a cohost, in the room", {OPEN, BOB, CY}, MUTE("cy", "bob", ""), VERDICT_OK, "bob",
		1, 1, "\"actor\":\"cy\""},
	{"or not in it", {OPEN, BOB, "+cohost cy"}, MUTE("cy", "bob", ""), VERDICT_OK, "bob", 1, 1},
	{"and a moderator of the platform", {OPEN, BOB, MODERATOR("mo")}, MUTE("mo", "bob", ""),
		VERDICT_OK, "bob", 1, 1},
	{"nobody else", {OPEN, BOB, DEB}, MUTE("deb", "bob", ""), VERDICT_NOT_ALLOWED,
		"only the host or a cohost"},
	{"a cohost does not mute the host", {OPEN, ANN, CY}, MUTE("cy", "ann", ""),
		VERDICT_NOT_ALLOWED, "same rank or above"},
	{"nor another cohost", {OPEN, CY, "+cohost bob", BOB}, MUTE("cy", "bob", ""),
		VERDICT_NOT_ALLOWED, "same rank"},
	{"nor a moderator of the platform", {OPEN, BOB, CY, MODERATOR("bob")},
		MUTE("cy", "bob", ""), VERDICT_NOT_ALLOWED, "same rank"},
	{"the host mutes a cohost", {OPEN, CY}, MUTE("ann", "cy", ""), VERDICT_OK, "cy", 1, 1},
	{"a moderator of the platform mutes the host", {OPEN, ANN, MODERATOR("mo")},
		MUTE("mo", "ann", ""), VERDICT_OK, "ann", 1, 1},
	{"and not another one", {OPEN, BOB, MODERATOR("mo"), MODERATOR("bob")},
		MUTE("mo", "bob", ""), VERDICT_NOT_ALLOWED, "same rank"},
	{"the rules are asked before who is there", {OPEN}, MUTE("deb", "bob", ""),
		VERDICT_NOT_ALLOWED, "only the host or a cohost"},
	{"anybody mutes themself, and may undo it", {OPEN, BOB}, MUTE("bob", "bob", ""), VERDICT_OK,
		"bob", 1, 1, "\"undo\":\"member\""},
	{"the host too", {OPEN, ANN}, MUTE("ann", "ann", ""), VERDICT_OK, "ann", 1, 1,
		"\"undo\":\"member\""},
	{"who may undo it is said", {OPEN, BOB}, MUTE("ann", "bob", ",\"undo\":\"member\""),
		VERDICT_OK, "bob", 1, 1, "\"undo\":\"member\""},
	{"it is one of two", {OPEN, BOB}, MUTE("ann", "bob", ",\"undo\":\"all\""), VERDICT_INVALID,
		"undo"},

	{"a cohost does not replace the host's mute", {OPEN, BOB, CY, MUTE("ann", "bob", "")},
		MUTE("cy", "bob", ",\"duration_ms\":1"), VERDICT_CONFLICT,
		"muted by the host already"},
	{"nor does the member", {OPEN, BOB, MUTE("ann", "bob", "")},
		MUTE("bob", "bob", ",\"duration_ms\":1"), VERDICT_CONFLICT,
		"muted by the host already"},
	{"the host replaces a cohost's", {OPEN, BOB, CY, MUTE("cy", "bob", "")},
		MUTE("ann", "bob", ""), VERDICT_OK, "bob", 1, 1},
	{"and their own", {OPEN, BOB, MUTE("ann", "bob", "")},
		MUTE("ann", "bob", ",\"duration_ms\":5000,\"undo\":\"member\""), VERDICT_OK, "bob",
		1, 1, "\"until_ms\":1700000005000"},
	{"a cohost replaces what a member may undo",
		{OPEN, BOB, CY, MUTE("ann", "bob", ",\"undo\":\"member\"")}, MUTE("cy", "bob", ""),
		VERDICT_OK, "bob", 1, 1},

	{"the host undoes a cohost's mute", {OPEN, BOB, CY, MUTE("cy", "bob", "")},
		UNMUTE("ann", "bob"), VERDICT_OK, "bob", 1, 1},
	{"a cohost does not undo the host's", {OPEN, BOB, CY, MUTE("ann", "bob", "")},
		UNMUTE("cy", "bob"), VERDICT_NOT_ALLOWED, "only the host may"},
	{"a moderator of the platform undoes it",
		{OPEN, BOB, MODERATOR("mo"), MUTE("ann", "bob", "")}, UNMUTE("mo", "bob"),
		VERDICT_OK, "bob", 1, 1},
	{"the host does not undo theirs", {OPEN, BOB, MODERATOR("mo"), MUTE("mo", "bob", "")},
		UNMUTE("ann", "bob"), VERDICT_NOT_ALLOWED, "only a moderator of the platform may"},
	{"nor the one who was muted", {OPEN, BOB, MUTE("ann", "bob", "")}, UNMUTE("bob", "bob"),
		VERDICT_NOT_ALLOWED, "only the host may"},
	{"not as a cohost either: of oneself one has no rank",
		{OPEN, BOB, "+cohost cy", MUTE("cy", "bob", ""), "+cohost bob"},
		UNMUTE("bob", "bob"), VERDICT_NOT_ALLOWED, "only the host or a cohost may"},
	{"what one may undo, one does", {OPEN, BOB, MUTE("ann", "bob", ",\"undo\":\"member\"")},
		UNMUTE("bob", "bob"), VERDICT_OK, "bob", 1, 1},
	{"others still do not", {OPEN, BOB, DEB, MUTE("bob", "bob", "")}, UNMUTE("deb", "bob"),
		VERDICT_NOT_ALLOWED, "only the host or a cohost"},
	{"a cohost does", {OPEN, BOB, "+cohost cy", MUTE("bob", "bob", "")}, UNMUTE("cy", "bob"),
		VERDICT_OK, "bob", 1, 1},
	{"who is not muted", {OPEN, BOB}, UNMUTE("bob", "bob"), VERDICT_CONFLICT, "not muted"},
	{"who is not there", {OPEN}, UNMUTE("ann", "bob"), VERDICT_NO_SUCH_MEMBER, "bob"},
	{"a mute of who has left is lifted",
		{OPEN, BOB, MUTE("ann", "bob", ""), Q("member.leave", "bob", "")},
		UNMUTE("ann", "bob"), VERDICT_OK, "bob", 0, 1},

	{"all but the host", {OPEN, ANN, BOB, JOIN("eve", "speaker", 5), DEB}, MUTE_ALL("ann", ""),
		VERDICT_OK, "\"members\":[\"bob\",\"eve\"],\"muted\":2", 2, 2,
		"\"undo\":\"member\""},
	{"the host's takes cohosts as well", {OPEN, ANN, BOB, CY}, MUTE_ALL("ann", ""), VERDICT_OK,
		"[\"bob\",\"cy\"],\"muted\":2", 2, 2},
	{"a cohost's does not", {OPEN, ANN, BOB, CY, JOIN("eve", "speaker", 5), "+cohost eve"},
		MUTE_ALL("cy", ",\"undo\":\"hosts\""), VERDICT_OK, "[\"bob\"],\"muted\":1", 1, 1,
		"\"undo\":\"hosts\""},
	{"not the host even for a moderator of the platform", {OPEN, ANN, BOB, MODERATOR("mo")},
		MUTE_ALL("mo", ""), VERDICT_OK, "[\"bob\"],\"muted\":1", 1, 1},
	{"nor one of them", {OPEN, BOB, MODERATOR("bob")}, MUTE_ALL("ann", ""), VERDICT_OK,
		"[],\"muted\":0", 0, 0},
	{"who is muted stays so, on the same terms",
		{OPEN, BOB, MUTE("ann", "bob", ""), JOIN("eve", "speaker", 5)}, MUTE_ALL("ann", ""),
		VERDICT_OK, "[\"eve\"],\"muted\":1", 1, 1},
	{"nobody else mutes all", {OPEN, BOB}, MUTE_ALL("bob", ""), VERDICT_NOT_ALLOWED,
		"only the host or a cohost"},

	{"a speaker becomes a listener, and is not heard", {OPEN, BOB}, DEMOTE("ann", "bob"),
		VERDICT_OK, "\"member\":\"bob\",\"role\":\"listener\"", 1, 1,
		"\"role\":\"listener\",\"was\":\"speaker\""},
	{"by a cohost", {OPEN, BOB, CY}, DEMOTE("cy", "bob"), VERDICT_OK, "listener", 1, 1,
		"\"actor\":\"cy\""},
	{"a cohost by the host", {OPEN, CY}, DEMOTE("ann", "cy"), VERDICT_OK, "listener", 1, 1,
		"\"was\":\"cohost\""},
	{"and is none any more", {OPEN, BOB, CY, DEMOTE("ann", "cy")}, MUTE("cy", "bob", ""),
		VERDICT_NOT_ALLOWED, "only the host or a cohost"},
	{"not by another cohost", {OPEN, CY, BOB, "+cohost bob"}, DEMOTE("bob", "cy"),
		VERDICT_NOT_ALLOWED, "same rank"},
	{"not the host", {OPEN, ANN, CY}, DEMOTE("cy", "ann"), VERDICT_NOT_ALLOWED, "same rank"},
	{"not even by a moderator of the platform", {OPEN, ANN, MODERATOR("mo")},
		DEMOTE("mo", "ann"), VERDICT_CONFLICT, "is host"},
	{"a listener is one", {OPEN, DEB}, DEMOTE("ann", "deb"), VERDICT_CONFLICT, "is listener"},
	{"who is not there", {OPEN}, DEMOTE("ann", "bob"), VERDICT_NO_SUCH_MEMBER, "bob"},
	{"one who sends by a page keeps the seat", {OPEN, WEB("bob", "speaker")},
		DEMOTE("ann", "bob"), VERDICT_OK, "listener", 0, 1},

	{"a cohost removes", {OPEN, BOB, CY}, REMOVE("cy", "bob"), VERDICT_OK, "bob", 1, 1,
		"\"reason\":\"removed\""},
	{"not the host", {OPEN, ANN, CY}, REMOVE("cy", "ann"), VERDICT_NOT_ALLOWED,
		"the host cannot be removed"},
	{"nor a cohost", {OPEN, BOB, CY, "+cohost bob"}, REMOVE("cy", "bob"), VERDICT_NOT_ALLOWED,
		"same rank"},
	{"a moderator of the platform removes even the host", {OPEN, ANN, MODERATOR("mo")},
		REMOVE("mo", "ann"), VERDICT_OK, "ann", 1, 1, "\"left\":[\"ann\"]"},
	{"nobody else removes", {OPEN, BOB, DEB}, REMOVE("deb", "bob"), VERDICT_NOT_ALLOWED,
		"only the host or a cohost"},
	{"nor themself: they leave", {OPEN, BOB}, REMOVE("bob", "bob"), VERDICT_NOT_ALLOWED,
		"only the host or a cohost"},
	{"a cohost who is removed is no cohost any more", {OPEN, BOB, CY, REMOVE("ann", "cy")},
		MUTE("cy", "bob", ""), VERDICT_NOT_ALLOWED, "only the host or a cohost"},
	{"who was removed does not come back", {OPEN, BOB, REMOVE("ann", "bob")}, BOB,
		VERDICT_NOT_ALLOWED, "was removed"},
	{"not by the host's hand either", {OPEN, BOB, REMOVE("ann", "bob")},
		Q("member.join", "ann",
			WHO("bob") ",\"role\":\"listener\",\"transport\":\"webrtc\""),
		VERDICT_NOT_ALLOWED, "was removed"},
	{"nor for a token", {OPEN, WEB("bob", "listener"), REMOVE("ann", "bob")},
		Q("member.token", "ann", WHO("bob")), VERDICT_NO_SUCH_MEMBER, "bob"},
};

START_TEST(a_rule_holds)
{
	rule_check(&rows[_i]);
}
END_TEST

/* Whether bob would be muted if he came back now; he is not there. */
static bool muted_when_back(struct desk *desk)
{
	const struct room *room = registry_room(&desk->registry, "tea");
	bool muted;

	ck_assert_int_eq(desk_ask(desk, BOB), VERDICT_OK);
	muted = member_muted(registry_member(room, "bob"));
	ck_assert_int_eq(desk_ask(desk, Q("member.leave", "bob", "")), VERDICT_OK);
	return muted;
}

START_TEST(a_mute_is_of_the_user)
{
	struct desk desk;

	desk_open(&desk);
	desk_ask(&desk, OPEN);
	desk_ask(&desk, BOB);
	ck_assert_int_eq(desk_ask(&desk, MUTE("ann", "bob", "")), VERDICT_OK);
	desk_ask(&desk, Q("member.leave", "bob", ""));
	ck_assert(muted_when_back(&desk));
	ck_assert(muted_when_back(&desk));
	/* Nor does asking for less do it. */
	desk_ask(&desk, BOB);
	ck_assert_int_eq(
		desk_ask(&desk, MUTE("bob", "bob", ",\"duration_ms\":1")), VERDICT_CONFLICT);
	ck_assert_int_eq(desk_ask(&desk, UNMUTE("bob", "bob")), VERDICT_NOT_ALLOWED);
	ck_assert_int_eq(desk_ask(&desk, UNMUTE("ann", "bob")), VERDICT_OK);
	desk_ask(&desk, Q("member.leave", "bob", ""));
	ck_assert(!muted_when_back(&desk));
	desk_close(&desk);
}
END_TEST

static void open_with(struct desk *desk, const char *const *lines)
{
	struct rule rule = {.what = "open"};

	for (unsigned int i = 0; lines[i] != NULL; i++)
		rule.before[i] = lines[i];
	desk_open(desk);
	desk->registry.limits.host_grace_ms = 60000;
	rule_prepare(desk, &rule);
}

START_TEST(a_room_whose_host_is_removed)
{
	static const char *const lines[] = {OPEN, ANN, BOB, CY, DEB, MODERATOR("mo"), NULL};
	const struct room *room;
	char *before, *after;
	struct desk desk;
	struct plan plan;

	open_with(&desk, lines);
	room = registry_room(&desk.registry, "tea");
	before = desk_state(&desk.registry);
	/* It is the cohost's at once, not after the grace time. */
	ck_assert(desk_plan(&desk, &plan, REMOVE("mo", "ann")));
	ck_assert(rule_told(&plan, "\"host\":\"cy\",\"was\":\"ann\""));
	ck_assert_str_eq(room->host.text, "cy");
	ck_assert_int_eq(registry_member(room, "cy")->role, ROLE_HOST);
	ck_assert(!room->rules.host_left);
	ck_assert_uint_eq(room->rules.cohost_count, 0);
	plan_revert(&plan, &desk.registry);
	plan_clear(&plan);
	after = desk_state(&desk.registry);
	ck_assert_str_eq(before, after);
	free(before);
	free(after);
	ck_assert_int_eq(desk_ask(&desk, REMOVE("mo", "ann")), VERDICT_OK);
	ck_assert_int_eq(desk_ask(&desk, ANN), VERDICT_NOT_ALLOWED);
	ck_assert_int_eq(desk_ask(&desk, MUTE("ann", "bob", "")), VERDICT_NOT_ALLOWED);
	/* Then the speaker's, then nobody's: listeners inherit nothing. */
	ck_assert_int_eq(desk_ask(&desk, REMOVE("mo", "cy")), VERDICT_OK);
	ck_assert_str_eq(room->host.text, "bob");
	ck_assert_int_eq(desk_ask(&desk, REMOVE("mo", "bob")), VERDICT_OK);
	ck_assert_str_eq(room->host.text, "bob");
	ck_assert(room->rules.host_left);
	ck_assert_int_eq(desk_ask(&desk, BOB), VERDICT_NOT_ALLOWED);
	desk_close(&desk);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("moderation");
	TCase *tcase = tcase_create("moderation");

	parse_setup();
	tcase_add_loop_test(tcase, a_rule_holds, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tcase, a_mute_is_of_the_user);
	tcase_add_test(tcase, a_room_whose_host_is_removed);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
