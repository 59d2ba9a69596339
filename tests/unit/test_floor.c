/* SPDX-License-Identifier: BSD-3-Clause */
/* Who asks for the floor, who is invited, who gets it, and what ends by the clock. */
#include "controlplane/rooms/due.h"
#include "controlplane/rooms/session_event.h"
#include "tests/support/rule.h"

#define TEA Q("room.open", "ann", "")
#define SMALL Q("room.open", "ann", ",\"speakers_max\":1")
#define ASK(who_) Q("floor.request", who_, "")
#define GRANT(who_) Q("floor.grant", "ann", WHO(who_))
#define INVITE(who_) Q("floor.invite", "ann", WHO(who_))
#define ACCEPT(who_) Q("floor.accept", who_, "")
#define SPEAKER(who_) \
	Q("member.join", "ann", ",\"role\":\"speaker\",\"transport\":\"webrtc\"" WHO(who_))

static const struct rule rows[] = {
	{"a request says why", {TEA, WEB("bob", "listener")},
		Q("floor.request", "bob", ",\"message\":\"a question\",\"duration_ms\":60000"),
		VERDICT_OK, "\"granted\":false,\"position\":0,\"expires_ms\":1700000060000", 0, 1,
		"\"message\":\"a question\",\"expires_ms\":1700000060000"},
	{"half an hour is what a request has", {TEA, WEB("bob", "listener")}, ASK("bob"),
		VERDICT_OK, "\"expires_ms\":1700001800000", 0, 1, "\"message\":\"\""},
	{"140 bytes are enough to say why", {TEA, WEB("bob", "listener")},
		Q("floor.request", "bob",
			",\"message\":\"0123456789012345678901234567890123456789012345678901234567"
			"8901234567890123456789012345678901234567890123456789012345678901234567890"
			"1234567890\""),
		VERDICT_INVALID, "message"},
	{"ten seconds at least", {TEA, WEB("bob", "listener")},
		Q("floor.request", "bob", ",\"duration_ms\":9999"), VERDICT_INVALID, "duration_ms"},
	{"a day at most", {TEA, WEB("bob", "listener")},
		Q("floor.request", "bob", ",\"duration_ms\":86400001"), VERDICT_INVALID,
		"duration_ms"},
	{"asking again keeps the place and says something else",
		{TEA, WEB("bob", "listener"), WEB("eve", "listener"), ASK("bob"), ASK("eve")},
		Q("floor.request", "bob", ",\"message\":\"now\""), VERDICT_OK, "\"position\":0", 0,
		1, "\"hands\":2,\"message\":\"now\""},
	{"asking again after it has expired is asking",
		{TEA, WEB("bob", "listener"), ASK("bob"), "+wait 1800000"}, ASK("bob"), VERDICT_OK,
		"\"expires_ms\":1700003600000", 0, 1},
	{"what a browser sends is agreed by SDP", {TEA, WEB("bob", "listener")},
		Q("floor.request", "bob", ",\"ssrc\":7"), VERDICT_INVALID, "SDP"},

	{"a cohost grants", {TEA, "+cohost carl", WEB("bob", "listener"), ASK("bob")},
		Q("floor.grant", "carl", WHO("bob")), VERDICT_OK, "\"role\":\"speaker\"", 0, 1,
		"\"type\":\"floor.granted\""},
	{"a moderator of the platform grants",
		{TEA, MODERATOR("max"), WEB("bob", "listener"), ASK("bob")},
		Q("floor.grant", "max", WHO("bob")), VERDICT_OK, "\"role\":\"speaker\"", 0, 1},
	{"the rules come before the question who is there", {TEA},
		Q("floor.grant", "eve", WHO("bob")), VERDICT_NOT_ALLOWED, "host or a cohost"},
	{"what has expired is not granted",
		{TEA, WEB("bob", "listener"), ASK("bob"), "+wait 1800000"}, GRANT("bob"),
		VERDICT_CONFLICT, "does not ask"},
	{"nor denied", {TEA, WEB("bob", "listener"), ASK("bob"), "+wait 1800000"},
		Q("floor.deny", "ann", WHO("bob")), VERDICT_CONFLICT, "does not ask"},
	{"an invitation is not a request", {TEA, WEB("bob", "listener"), INVITE("bob")},
		GRANT("bob"), VERDICT_CONFLICT, "does not ask"},
	{"so many hold the floor and not more",
		{SMALL, SPEAKER("eve"), WEB("bob", "listener"), ASK("bob")}, GRANT("bob"),
		VERDICT_CAPACITY, "speakers_max: 1 of 1"},
	{"the program's limit is there for a room without one",
		{TEA, SPEAKER("a"), SPEAKER("b"), SPEAKER("c"), WEB("bob", "listener"), ASK("bob")},
		GRANT("bob"), VERDICT_CAPACITY, "speakers_max: 3 of 3"},
	{"the host counts", {SMALL, WEB("ann", "host")}, SPEAKER("eve"), VERDICT_CAPACITY,
		"speakers_max: 1 of 1"},
	{"and finds a place all the same", {SMALL, SPEAKER("eve")}, WEB("ann", "host"), VERDICT_OK,
		"ann", 0, 1},
	{"a place that is given back is there again",
		{SMALL, SPEAKER("eve"), WEB("bob", "listener"), ASK("bob"),
			Q("floor.release", "eve", "")},
		GRANT("bob"), VERDICT_OK, "\"role\":\"speaker\"", 0, 1},
	{"with an open floor there is as much place",
		{Q("room.open", "ann", ",\"open_floor\":true,\"speakers_max\":1"), SPEAKER("eve"),
			WEB("bob", "listener")},
		ASK("bob"), VERDICT_CAPACITY, "speakers_max"},

	{"a listener is invited", {TEA, WEB("bob", "listener")}, INVITE("bob"), VERDICT_OK,
		"\"granted\":false,\"expires_ms\":1700000060000", 0, 1,
		"\"actor\":\"ann\",\"member\":\"bob\",\"role\":\"listener\",\"hands\":0,"
		"\"expires_ms\":1700000060000"},
	{"for as long as it says", {TEA, WEB("bob", "listener")},
		Q("floor.invite", "ann", WHO("bob") ",\"duration_ms\":3600000"), VERDICT_OK,
		"\"expires_ms\":1700003600000", 0, 1},
	{"an hour at most", {TEA, WEB("bob", "listener")},
		Q("floor.invite", "ann", WHO("bob") ",\"duration_ms\":3600001"), VERDICT_INVALID,
		"duration_ms"},
	{"not by everybody", {TEA, WEB("bob", "listener"), WEB("eve", "listener")},
		Q("floor.invite", "eve", WHO("bob")), VERDICT_NOT_ALLOWED, "host or a cohost"},
	{"not into another role", {TEA, SPEAKER("bob")}, INVITE("bob"), VERDICT_CONFLICT,
		"has the floor"},
	{"not who is not there", {TEA}, INVITE("bob"), VERDICT_NO_SUCH_MEMBER, "bob"},
	{"who asks and is invited has it", {TEA, WEB("bob", "listener"), ASK("bob")}, INVITE("bob"),
		VERDICT_OK, "\"role\":\"speaker\",\"granted\":true", 0, 1,
		"\"type\":\"floor.granted\""},
	{"who is invited and asks has it", {TEA, WEB("bob", "listener"), INVITE("bob")}, ASK("bob"),
		VERDICT_OK, "\"role\":\"speaker\",\"granted\":true", 0, 1,
		"\"actor\":\"ann\",\"member\":\"bob\",\"role\":\"speaker\",\"hands\":0,"
		"\"accepted\":true"},
	{"an invitation is accepted", {TEA, WEB("bob", "listener"), INVITE("bob")}, ACCEPT("bob"),
		VERDICT_OK, "\"role\":\"speaker\",\"leg\":null", 0, 1, "\"accepted\":true"},
	{"in time", {TEA, WEB("bob", "listener"), INVITE("bob"), "+wait 60000"}, ACCEPT("bob"),
		VERDICT_CONFLICT, "no longer, invited"},
	{"a millisecond before it is in time",
		{TEA, WEB("bob", "listener"), INVITE("bob"), "+wait 59999"}, ACCEPT("bob"),
		VERDICT_OK, "speaker", 0, 1},
	{"only by who was invited",
		{TEA, WEB("bob", "listener"), WEB("eve", "listener"), INVITE("bob")}, ACCEPT("eve"),
		VERDICT_CONFLICT, "invited"},
	{"if there is place", {SMALL, WEB("bob", "listener"), INVITE("bob"), SPEAKER("eve")},
		ACCEPT("bob"), VERDICT_CAPACITY, "speakers_max"},
	{"an invitation is declined", {TEA, WEB("bob", "listener"), INVITE("bob")},
		Q("floor.cancel", "bob", ""), VERDICT_OK, "bob", 0, 1,
		"\"type\":\"floor.declined\""},
	{"and then gone",
		{TEA, WEB("bob", "listener"), INVITE("bob"), Q("floor.cancel", "bob", "")},
		ACCEPT("bob"), VERDICT_CONFLICT, "invited"},
	{"taking back nothing is nothing", {TEA, WEB("bob", "listener")},
		Q("floor.cancel", "bob", ""), VERDICT_OK, "bob", 0, 0},
	{"a cohost does not give back what goes with the office",
		{TEA, "+cohost bob", WEB("bob", "cohost")}, Q("floor.release", "bob", ""),
		VERDICT_CONFLICT, "is cohost"},

	{"a keyed listener gets a leg to speak with", {TEA, JOIN("bob", "listener", 7), ASK("bob")},
		GRANT("bob"), VERDICT_OK, "\"role\":\"speaker\",\"leg\":\"", 2, 1, "\"leg\":\""},
	{"and its keys", {TEA, JOIN("bob", "listener", 7), ASK("bob")}, GRANT("bob"), VERDICT_OK,
		"\"tx_key\":\x01t", 2, 1},
	{"a keyed speaker's leg is silent at once", {OPEN, JOIN("bob", "speaker", 7)},
		Q("floor.release", "bob", ""), VERDICT_OK, "listener", 1, 1},
	{"and speaks again as it is",
		{OPEN, JOIN("bob", "speaker", 7), Q("floor.release", "bob", "")}, ASK("bob"),
		VERDICT_OK, "\"granted\":true", 1, 1},

	{"the list says who, why and since when",
		{TEA, WEB("bob", "listener"), WEB("eve", "listener"),
			Q("floor.request", "bob", ",\"message\":\"hm\""), "+wait 5", INVITE("eve")},
		Q("floor.list", "ann", ""), VERDICT_OK,
		"\"kind\":\"request\",\"message\":\"hm\",\"at_ms\":1700000000000,"
		"\"expires_ms\":1700001800000,\"position\":0}],\"count\":1,\"invites\":[{",
		0, 0},
	{"and who is invited by whom", {TEA, WEB("eve", "listener"), INVITE("eve")},
		Q("floor.list", "ann", ""), VERDICT_OK,
		"\"kind\":\"invite\",\"by\":\"ann\",\"at_ms\":1700000000000,"
		"\"expires_ms\":1700000060000}],\"invited\":1,\"next\":null",
		0, 0},
	{"members are listed with it", {TEA, WEB("eve", "listener"), INVITE("eve")},
		Q("member.list", "ann", ""), VERDICT_OK, "\"hand\":false,\"invited\":true", 0, 0},
};

static void open_desk(struct desk *desk)
{
	desk_open(desk);
	desk->registry.limits.floor_request_ms = 1800000;
	desk->registry.limits.floor_invite_ms = 60000;
	desk->registry.limits.room_speakers_max = 3;
}

START_TEST(a_request_has_its_answer)
{
	struct desk desk;

	open_desk(&desk);
	rule_check_at(&desk, &rows[_i]);
}
END_TEST

static void ask(struct desk *desk, const char *line)
{
	ck_assert_msg(desk_ask(desk, line) == VERDICT_OK, "%s: %s", line, desk->verdict.message);
}

static void advance(struct desk *desk, uint64_t ms)
{
	desk->now.mono_ns += ms * 1000000;
	desk->now.wall_ms += (int64_t)ms;
}

/* The next step that is due; its events, one a line. Empty: nothing is. */
static const char *due(struct desk *desk)
{
	static char text[16384];
	size_t size = 0;
	struct plan plan;

	text[0] = '\0';
	desk->registry.wake_ns = 0;
	plan_init(&plan, &desk->now);
	if (!floor_due(&plan, &desk->registry)) {
		ck_assert_int_eq(plan.verdict.code, VERDICT_OK);
		return text;
	}
	for (size_t i = 0; i < plan.change_count; i++) {
		const struct change *change = &plan.changes[i];

		if (change->type == CHANGE_EVENT)
			size += (size_t)snprintf(text + size, sizeof(text) - size, "%.*s\n",
				(int)change->event.size, change->event.text);
	}
	plan_clear(&plan);
	return text;
}

START_TEST(requests_and_invitations_expire_at_their_time)
{
	struct desk desk;
	const char *said;

	open_desk(&desk);
	ask(&desk, TEA);
	ask(&desk, WEB("bob", "listener"));
	ask(&desk, WEB("eve", "listener"));
	ask(&desk, WEB("carl", "listener"));
	ask(&desk, Q("floor.request", "bob", ",\"duration_ms\":10000"));
	ask(&desk, Q("floor.invite", "ann", WHO("eve") ",\"duration_ms\":20000"));
	ask(&desk, ASK("carl"));
	ck_assert_str_eq(due(&desk), "");
	advance(&desk, 9999);
	ck_assert_str_eq(due(&desk), "");
	/* The loop is told when to look again. */
	ck_assert_uint_eq(desk.registry.wake_ns, 1000000000 + 10000000000u);
	advance(&desk, 1);
	said = due(&desk);
	ck_assert_ptr_nonnull(strstr(said, "\"type\":\"floor.expired\""));
	ck_assert_ptr_nonnull(strstr(said, "\"member\":\"bob\",\"kind\":\"request\",\"hands\":1"));
	ck_assert_str_eq(due(&desk), "");
	advance(&desk, 10000);
	ck_assert_ptr_nonnull(strstr(due(&desk), "\"member\":\"eve\",\"kind\":\"invite\""));
	ck_assert_str_eq(due(&desk), "");
	/* The wall clock goes back a day: what was promised runs on the other one. */
	desk.now.wall_ms -= 86400000;
	desk.now.mono_ns += 1800000000000;
	ck_assert_ptr_nonnull(strstr(due(&desk), "\"member\":\"carl\""));
	ck_assert_str_eq(due(&desk), "");
	desk_close(&desk);
}
END_TEST

/* However many expire at once, each is told of, and no step is without a bound. */
START_TEST(a_crowd_expires_in_steps)
{
	struct desk desk;
	unsigned int told = 0, steps = 0;
	const char *said;

	open_desk(&desk);
	ask(&desk, TEA);
	for (int i = 0; i < 200; i++) {
		char line[256];

		snprintf(line, sizeof(line), WEB("m%d", "listener"), i);
		ask(&desk, line);
		snprintf(line, sizeof(line), Q("floor.request", "m%d", ""), i);
		ask(&desk, line);
	}
	advance(&desk, 1800000);
	while (*(said = due(&desk)) != '\0') {
		steps++;
		for (; (said = strchr(said, '\n')) != NULL; said++)
			told++;
	}
	ck_assert_uint_eq(told, 200);
	ck_assert_uint_ge(steps, 4);
	ck_assert_uint_eq(registry_room(&desk.registry, "tea")->hands.count, 0);
	desk_close(&desk);
}
END_TEST

static const struct stn_op *op_at(const struct plan *plan, unsigned int position)
{
	size_t at = 0;

	while (position-- > 0)
		at += ((const struct stn_op *)(plan->ops + at))->size;
	return (const struct stn_op *)(plan->ops + at);
}

/* The address goes from one leg to the other in one transaction; no key goes with it. */
START_TEST(a_keyed_listener_gets_another_leg)
{
	const struct stn_op_leg_remove *removed;
	const struct stn_op_leg_put *put;
	struct stn_op_leg_put before;
	struct desk desk;
	struct plan plan;

	open_desk(&desk);
	ask(&desk, TEA);
	ask(&desk, JOIN("bob", "listener", 7));
	before = registry_member(registry_room(&desk.registry, "tea"), "bob")->put;
	ask(&desk, Q("floor.request", "bob",
			   ",\"ssrc\":4321,\"payload_type\":96,\"audio_level_id\":3"));
	ck_assert(desk_plan(&desk, &plan, GRANT("bob")));
	ck_assert(plan.promotes);
	ck_assert_uint_eq(plan.joined_count, 1);
	ck_assert_uint_eq(plan.op_count, 2);
	removed = (const struct stn_op_leg_remove *)op_at(&plan, 0);
	put = (const struct stn_op_leg_put *)op_at(&plan, 1);
	ck_assert_uint_eq(removed->op.type, STN_OP_LEG_REMOVE);
	ck_assert_uint_eq(removed->leg_id, before.leg_id);
	ck_assert_uint_eq(put->op.type, STN_OP_LEG_PUT);
	ck_assert_uint_ne(put->leg_id, before.leg_id);
	ck_assert_uint_eq(put->member_id, before.member_id);
	ck_assert_mem_eq(&put->remote, &before.remote, sizeof(before.remote));
	ck_assert_uint_eq(put->role, STN_ROLE_SPEAKER);
	ck_assert_uint_eq(put->source_ssrc, 4321);
	ck_assert_uint_eq(put->payload_type, 96);
	ck_assert_uint_eq(put->audio_level_id, 3);
	ck_assert_uint_eq(put->tx.suite, before.tx.suite);
	ck_assert_uint_eq(put->rx.suite, before.tx.suite);
	ck_assert_mem_ne(put->tx.key, before.tx.key, 16);
	ck_assert_mem_ne(put->rx.key, before.tx.key, 16);
	ck_assert_mem_ne(put->rx.key, put->tx.key, 16);
	ck_assert_uint_eq(put->key_store_id, 0);
	ck_assert_uint_eq(put->flags, 0);
	ck_assert_ptr_null(registry_member_by_leg(&desk.registry, before.leg_id));
	plan_clear(&plan);
	desk_close(&desk);
}
END_TEST

/* Who is muted stays so under the new leg. */
START_TEST(a_mute_goes_on_under_another_leg)
{
	const struct stn_op_leg_put *put;
	struct desk desk;
	struct plan plan;

	open_desk(&desk);
	ask(&desk, TEA);
	ask(&desk, JOIN("bob", "listener", 7));
	ask(&desk, Q("moderation.mute", "ann", WHO("bob")));
	ask(&desk, ASK("bob"));
	ck_assert(desk_plan(&desk, &plan, GRANT("bob")));
	put = (const struct stn_op_leg_put *)op_at(&plan, 1);
	ck_assert_uint_eq(put->flags, STN_LEG_MUTED);
	plan_clear(&plan);
	desk_close(&desk);
}
END_TEST

/* A group's key is everybody's; who speaks needs keys of their own. */
START_TEST(a_listener_of_the_group_gets_keys_of_their_own)
{
	const struct stn_op_leg_put *put;
	struct desk desk;
	struct plan plan;

	open_desk(&desk);
	ask(&desk, Q("room.open", "ann", ",\"group_suite\":\"AEAD_AES_256_GCM\""));
	ask(&desk, Q("member.join", "bob",
			   ",\"role\":\"listener\",\"protection\":\"group\","
			   "\"address\":\"10.0.0.1\",\"port\":9"));
	ask(&desk, ASK("bob"));
	ck_assert(desk_plan(&desk, &plan, GRANT("bob")));
	put = (const struct stn_op_leg_put *)op_at(&plan, 1);
	ck_assert_uint_eq(put->protection, STN_PROTECTION_LEG);
	ck_assert_uint_eq(put->tx.suite, STN_SUITE_AEAD_AES_256_GCM);
	ck_assert_uint_eq(put->rx.suite, STN_SUITE_AEAD_AES_256_GCM);
	plan_clear(&plan);
	desk_close(&desk);
}
END_TEST

/* A session of the program itself: the browser's leg, in place of the one before. */
static bool open_session(struct desk *desk, struct plan *plan, const char *user, bool speaks)
{
	const struct room *room = registry_room(&desk->registry, "tea");
	struct session_wish wish = {.member_id = member_id(registry_member(room, user)),
		.speaks = speaks,
		.receives = true,
		.profile = room->put.profile[0],
		.mid = "0",
		.remote_ufrag = "abcd",
		.remote_pwd = "0123456789012345678901",
		.remote_ufrag_size = 4,
		.remote_pwd_size = 22};
	struct event event = {.type = &session_put_type};

	*(struct session_put *)event.body = (struct session_put){&wish};
	plan_init(plan, &desk->now);
	session_put_type.handle(&desk->registry, &event, plan);
	return plan->verdict.code == VERDICT_OK;
}

/*
 * A browser that loses the floor is silenced under the leg it has, which needs nothing of its keys:
 * a data plane refuses to make it a listener's under the same keys when it is 2^14 packets behind
 * its slots. The session that follows has a leg and keys of its own.
 */
START_TEST(a_browser_that_loses_the_floor_is_silent_under_the_leg_it_has)
{
	const struct stn_op_leg_mute *mute;
	const struct stn_op_leg_put *put;
	const struct member *bob;
	struct stn_op_leg_put before;
	struct desk desk;
	struct plan plan;

	open_desk(&desk);
	ask(&desk, TEA);
	ask(&desk, SPEAKER("bob"));
	ck_assert(open_session(&desk, &plan, "bob", true));
	plan_clear(&plan);
	bob = registry_member(registry_room(&desk.registry, "tea"), "bob");
	before = bob->put;
	for (int i = 0; i < 2; i++) {
		static const char *const ways[] = {Q("floor.release", "bob", ""),
			Q("role.set", "ann", WHO("bob") ",\"role\":\"listener\"")};

		ck_assert(desk_plan(&desk, &plan, ways[i]));
		ck_assert_uint_eq(plan.op_count, 1);
		mute = (const struct stn_op_leg_mute *)op_at(&plan, 0);
		ck_assert_uint_eq(mute->op.type, STN_OP_LEG_MUTE);
		ck_assert_uint_eq(mute->leg_id, before.leg_id);
		ck_assert_uint_eq(mute->muted, 1);
		ck_assert_uint_eq(mute->until_ns, 0);
		ck_assert_uint_eq(bob->put.role, STN_ROLE_SPEAKER);
		plan_revert(&plan, &desk.registry);
		plan_clear(&plan);
		ck_assert_mem_eq(&bob->put, &before, sizeof(before));
	}
	ask(&desk, Q("floor.release", "bob", ""));
	ck_assert(!open_session(&desk, &plan, "bob", true));
	ck_assert_int_eq(plan.verdict.code, VERDICT_NOT_ALLOWED);
	plan_revert(&plan, &desk.registry);
	plan_clear(&plan);
	ck_assert(open_session(&desk, &plan, "bob", false));
	put = (const struct stn_op_leg_put *)op_at(&plan, 1);
	ck_assert_uint_eq(op_at(&plan, 0)->type, STN_OP_LEG_REMOVE);
	ck_assert_uint_eq(put->role, STN_ROLE_LISTENER);
	ck_assert_uint_ne(put->leg_id, before.leg_id);
	ck_assert_uint_eq(put->key_store_id, 0);
	plan_clear(&plan);
	desk_close(&desk);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("floor");
	TCase *tcase = tcase_create("floor");

	parse_setup();
	tcase_add_loop_test(tcase, a_request_has_its_answer, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tcase, requests_and_invitations_expire_at_their_time);
	tcase_add_test(tcase, a_crowd_expires_in_steps);
	tcase_add_test(tcase, a_keyed_listener_gets_another_leg);
	tcase_add_test(tcase, a_mute_goes_on_under_another_leg);
	tcase_add_test(tcase, a_listener_of_the_group_gets_keys_of_their_own);
	tcase_add_test(tcase, a_browser_that_loses_the_floor_is_silent_under_the_leg_it_has);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
