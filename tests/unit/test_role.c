/* SPDX-License-Identifier: BSD-3-Clause */
/* Who gives which role to whom, whose room it is, and who inherits it. */
#include "controlplane/rooms/due.h"
#include "controlplane/rooms/role.h"
#include "tests/support/rule.h"

#define TEA Q("room.open", "ann", "")
#define SET(actor_, who_, role_) Q("role.set", actor_, WHO(who_) ",\"role\":\"" role_ "\"")
#define SPEAKER(who_) \
	Q("member.join", "ann", ",\"role\":\"speaker\",\"transport\":\"webrtc\"" WHO(who_))
#define CHANGED(role_, was_) "\"role\":\"" role_ "\",\"was\":\"" was_ "\""

static const struct rule rows[] = {
	{"a listener is made speaker", {TEA, WEB("bob", "listener")}, SET("ann", "bob", "speaker"),
		VERDICT_OK, "\"role\":\"speaker\"", 0, 1, CHANGED("speaker", "listener")},
	{"with a reason", {TEA, WEB("bob", "listener")},
		Q("role.set", "ann",
			WHO("bob") ",\"role\":\"speaker\",\"reason\":\"tells it well\""),
		VERDICT_OK, "speaker", 0, 1, "\"reason\":\"tells it well\""},
	{"a keyed one gets another leg", {TEA, JOIN("bob", "listener", 7)},
		SET("ann", "bob", "speaker"), VERDICT_OK, "\"rx_key\":\x01r", 2, 1},
	{"a speaker is made listener, silent at once", {OPEN, JOIN("bob", "speaker", 7)},
		SET("ann", "bob", "listener"), VERDICT_OK, "listener", 1, 1,
		CHANGED("listener", "speaker")},
	{"a speaker is made cohost", {TEA, SPEAKER("bob")}, SET("ann", "bob", "cohost"), VERDICT_OK,
		"cohost", 0, 1, CHANGED("cohost", "speaker")},
	{"who may grant then",
		{TEA, SPEAKER("bob"), SET("ann", "bob", "cohost"), WEB("eve", "listener"),
			Q("floor.request", "eve", "")},
		Q("floor.grant", "bob", WHO("eve")), VERDICT_OK, "speaker", 0, 1},
	{"and not give roles", {TEA, SPEAKER("bob"), SET("ann", "bob", "cohost")},
		SET("bob", "bob", "host"), VERDICT_NOT_ALLOWED, "only the host"},
	{"a cohost is made speaker and not named any more",
		{TEA, SPEAKER("bob"), SET("ann", "bob", "cohost"), SET("ann", "bob", "speaker"),
			WEB("eve", "listener"), Q("floor.request", "eve", "")},
		Q("floor.grant", "bob", WHO("eve")), VERDICT_NOT_ALLOWED, "cohost"},
	{"nobody else gives roles", {TEA, WEB("bob", "listener")}, SET("bob", "bob", "speaker"),
		VERDICT_NOT_ALLOWED, "only the host"},
	{"a moderator of the platform does", {TEA, MODERATOR("max"), WEB("bob", "listener")},
		SET("max", "bob", "speaker"), VERDICT_OK, "speaker", 0, 1},
	{"the rules come before the question who is there", {TEA}, SET("bob", "eve", "speaker"),
		VERDICT_NOT_ALLOWED, "host"},
	{"who is not there has no role", {TEA}, SET("ann", "bob", "speaker"),
		VERDICT_NO_SUCH_MEMBER, "bob"},
	{"the role they have is no news", {TEA, WEB("bob", "listener")},
		SET("ann", "bob", "listener"), VERDICT_CONFLICT, "is listener already"},
	{"the host is not just put down", {TEA, WEB("ann", "host")}, SET("ann", "ann", "listener"),
		VERDICT_CONFLICT, "make somebody else the host"},
	{"there is place or not",
		{Q("room.open", "ann", ",\"speakers_max\":1"), SPEAKER("eve"),
			WEB("bob", "listener")},
		SET("ann", "bob", "cohost"), VERDICT_CAPACITY, "speakers_max: 1 of 1"},
	{"a request is over with it",
		{TEA, WEB("bob", "listener"), Q("floor.request", "bob", ""),
			SET("ann", "bob", "speaker"), SET("ann", "bob", "listener")},
		Q("floor.grant", "ann", WHO("bob")), VERDICT_CONFLICT, "does not ask"},

	{"the host hands the room over", {TEA, WEB("ann", "host"), SPEAKER("bob")},
		SET("ann", "bob", "host"), VERDICT_OK, "\"role\":\"host\"", 0, 1,
		"\"type\":\"room.host_changed\""},
	{"the event says to whom and from whom", {TEA, WEB("ann", "host"), SPEAKER("bob")},
		SET("ann", "bob", "host"), VERDICT_OK, "host", 0, 1,
		"\"actor\":\"ann\",\"host\":\"bob\",\"was\":\"ann\""},
	{"who had it is a cohost then",
		{TEA, WEB("ann", "host"), SPEAKER("bob"), SET("ann", "bob", "host")},
		SET("bob", "ann", "cohost"), VERDICT_CONFLICT, "is cohost already"},
	{"and may not take it back",
		{TEA, WEB("ann", "host"), SPEAKER("bob"), SET("ann", "bob", "host")},
		SET("ann", "ann", "host"), VERDICT_NOT_ALLOWED, "only the host"},
	{"a listener is handed it too", {TEA, WEB("ann", "host"), WEB("bob", "listener")},
		SET("ann", "bob", "host"), VERDICT_OK, "host", 0, 1},
	{"if there is place",
		{Q("room.open", "ann", ",\"speakers_max\":1"), WEB("ann", "host"),
			WEB("bob", "listener")},
		SET("ann", "bob", "host"), VERDICT_CAPACITY, "speakers_max"},
	{"one who listens in their own room is made its host", {TEA, WEB("ann", "listener")},
		SET("ann", "ann", "host"), VERDICT_OK, "host", 0, 1, CHANGED("host", "listener")},

	{"the keys of a member are told again", {TEA, JOIN("bob", "listener", 7)},
		Q("member.keys", "ann", WHO("bob")), VERDICT_OK, "\"tx_key\":\x01t", 0, 0},
	{"to themself too", {TEA, JOIN("bob", "listener", 7)}, Q("member.keys", "bob", ""),
		VERDICT_OK, "\"rx_key\":\x01r", 0, 0},
	{"to nobody else", {TEA, JOIN("bob", "listener", 7)}, Q("member.keys", "eve", WHO("bob")),
		VERDICT_NOT_ALLOWED, "keys of somebody else"},
	{"a browser has none to tell", {TEA, WEB("bob", "listener")},
		Q("member.keys", "ann", WHO("bob")), VERDICT_CONFLICT, "webrtc"},
};

START_TEST(a_request_has_its_answer)
{
	rule_check(&rows[_i]);
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

/* The host after whatever was due; "" when nothing was. Taken back once before it is done. */
static const char *inherit(struct desk *desk)
{
	static char host[EVENT_ID_MAX + 1];
	const struct room *room = registry_room(&desk->registry, "tea");
	struct plan plan;
	char *before = desk_state(&desk->registry), *after;

	desk->registry.wake_ns = 0;
	for (int taken_back = 1; taken_back >= 0; taken_back--) {
		plan_init(&plan, &desk->now);
		if (!host_due(&plan, &desk->registry)) {
			ck_assert_int_eq(plan.verdict.code, VERDICT_OK);
			free(before);
			return "";
		}
		ck_assert(rule_told(&plan, "\"type\":\"room.host_changed\""));
		ck_assert(rule_told(&plan, "\"actor\":null"));
		if (taken_back) {
			plan_revert(&plan, &desk->registry);
			after = desk_state(&desk->registry);
			ck_assert_str_eq(before, after);
			free(after);
		}
		plan_clear(&plan);
	}
	free(before);
	strcpy(host, room->host.text);
	return host;
}

static void open_desk(struct desk *desk)
{
	desk_open(desk);
	desk->registry.limits.host_grace_ms = 60000;
	ask(desk, TEA);
}

static void leave(struct desk *desk, const char *user)
{
	char line[256];

	snprintf(line, sizeof(line), Q("member.leave", "%s", ""), user);
	ask(desk, line);
}

START_TEST(a_room_is_inherited_after_the_grace_time)
{
	struct desk desk;

	open_desk(&desk);
	ask(&desk, WEB("ann", "host"));
	ask(&desk, SPEAKER("eve"));
	advance(&desk, 10);
	ask(&desk, SPEAKER("bob"));
	ck_assert_str_eq(inherit(&desk), "");
	leave(&desk, "ann");
	ck_assert_str_eq(inherit(&desk), "");
	ck_assert_uint_eq(desk.registry.wake_ns, desk.now.mono_ns + DUE_LOOK_NS);
	advance(&desk, 59999);
	ck_assert_str_eq(inherit(&desk), "");
	advance(&desk, 1);
	ck_assert_str_eq(inherit(&desk), "eve"); /* speaks for the longest */
	ck_assert_int_eq(
		registry_member(registry_room(&desk.registry, "tea"), "eve")->role, ROLE_HOST);
	ck_assert_str_eq(inherit(&desk), "");
	desk_close(&desk);
}
END_TEST

START_TEST(a_cohost_goes_before_speakers)
{
	struct desk desk;

	open_desk(&desk);
	ask(&desk, WEB("ann", "host"));
	ask(&desk, SPEAKER("eve"));
	advance(&desk, 10);
	ask(&desk, SPEAKER("bob"));
	ask(&desk, SPEAKER("carl"));
	/* Named later, in the room for longer. */
	ask(&desk, SET("ann", "carl", "cohost"));
	ask(&desk, SET("ann", "bob", "cohost"));
	leave(&desk, "ann");
	advance(&desk, 60000);
	ck_assert_str_eq(inherit(&desk), "bob");
	/* The room has another host with the same rights, and is inherited from them as well. */
	leave(&desk, "bob");
	advance(&desk, 60000);
	ck_assert_str_eq(inherit(&desk), "carl");
	desk_close(&desk);
}
END_TEST

START_TEST(who_comes_back_keeps_the_room)
{
	struct desk desk;

	open_desk(&desk);
	ask(&desk, WEB("ann", "host"));
	ask(&desk, SPEAKER("eve"));
	leave(&desk, "ann");
	advance(&desk, 59999);
	ask(&desk, WEB("ann", "host"));
	advance(&desk, 3600000);
	ck_assert_str_eq(inherit(&desk), "");
	/* The next time is a time of its own. */
	leave(&desk, "ann");
	advance(&desk, 59999);
	ck_assert_str_eq(inherit(&desk), "");
	advance(&desk, 1);
	ck_assert_str_eq(inherit(&desk), "eve");
	desk_close(&desk);
}
END_TEST

START_TEST(who_was_never_there_has_not_left)
{
	struct desk desk;

	open_desk(&desk);
	ask(&desk, SPEAKER("eve"));
	advance(&desk, 3600000);
	ck_assert_str_eq(inherit(&desk), "");
	desk_close(&desk);
}
END_TEST

START_TEST(the_first_to_speak_inherits_a_room_of_listeners)
{
	struct desk desk;

	open_desk(&desk);
	ask(&desk, WEB("ann", "host"));
	ask(&desk, WEB("bob", "listener"));
	ask(&desk, Q("floor.invite", "ann", WHO("bob")));
	leave(&desk, "ann");
	advance(&desk, 60000);
	ck_assert_str_eq(inherit(&desk), "");
	ask(&desk, Q("floor.accept", "bob", ""));
	ck_assert_str_eq(inherit(&desk), "bob");
	desk_close(&desk);
}
END_TEST

/* Else a mute would be lifted by waiting for the host to go. */
START_TEST(nobody_inherits_whom_a_host_has_silenced)
{
	struct desk desk;

	open_desk(&desk);
	ask(&desk, WEB("ann", "host"));
	ask(&desk, SPEAKER("eve"));
	advance(&desk, 10);
	ask(&desk, SPEAKER("bob"));
	ask(&desk, SPEAKER("carl"));
	ask(&desk, Q("moderation.mute", "ann", WHO("eve")));
	/* Of themself, which they may undo. */
	ask(&desk, Q("moderation.mute", "bob", WHO("bob")));
	leave(&desk, "ann");
	advance(&desk, 60000);
	ck_assert_str_eq(inherit(&desk), "bob");
	desk_close(&desk);
}
END_TEST

START_TEST(without_a_grace_time_nobody_inherits)
{
	struct desk desk;

	open_desk(&desk);
	desk.registry.limits.host_grace_ms = 0;
	ask(&desk, WEB("ann", "host"));
	ask(&desk, SPEAKER("eve"));
	leave(&desk, "ann");
	advance(&desk, 3600000);
	ck_assert_str_eq(inherit(&desk), "");
	desk_close(&desk);
}
END_TEST

/* A plan was on the disk when the data plane refused it: another plan takes it back. */
static const struct {
	const char *what, *before[4], *line;
} refusals[] = {
	{"a grant", {JOIN("bob", "listener", 7), Q("floor.request", "bob", "")},
		Q("floor.grant", "ann", WHO("bob"))},
	{"a role", {JOIN("bob", "listener", 7)}, SET("ann", "bob", "cohost")},
	{"an accepted invitation",
		{JOIN("bob", "listener", 7), Q("floor.invite", "ann", WHO("bob"))},
		Q("floor.accept", "bob", "")},
	{"the room itself", {WEB("ann", "host"), JOIN("bob", "listener", 7)},
		SET("ann", "bob", "host")},
};

/* The state but for what counts events. */
static char *settled(struct desk *desk)
{
	uint64_t sequence = desk->registry.sequence;
	struct room *room = registry_room(&desk->registry, "tea");
	uint64_t of_room = room->sequence;
	char *text;

	desk->registry.sequence = room->sequence = 0;
	text = desk_state(&desk->registry);
	desk->registry.sequence = sequence;
	room->sequence = of_room;
	return text;
}

START_TEST(what_the_data_plane_refuses_is_taken_back)
{
	struct desk desk;
	struct plan refused, plan;
	struct stn_op_leg_put put;
	const struct member *bob;
	char *before, *after;

	open_desk(&desk);
	desk.registry.limits.floor_invite_ms = 60000;
	for (int i = 0; i < 4 && refusals[_i].before[i] != NULL; i++)
		ask(&desk, refusals[_i].before[i]);
	bob = registry_member(registry_room(&desk.registry, "tea"), "bob");
	put = bob->put;
	before = settled(&desk);
	ck_assert(desk_plan(&desk, &refused, refusals[_i].line));
	ck_assert_msg(refused.promotes, "%s", refusals[_i].what);
	ck_assert_uint_ne(bob->put.leg_id, put.leg_id);
	plan_init(&plan, &desk.now);
	ck_assert(role_take_back(&plan, &desk.registry, &refused));
	ck_assert_msg(rule_told(&plan, "\"reason\":\"refused\""), "%s", refusals[_i].what);
	after = settled(&desk);
	ck_assert_msg(strcmp(before, after) == 0, "%s: is not as before\n%s\n%s", refusals[_i].what,
		before, after);
	/* Keys and all: the data plane goes on with the leg it has. */
	ck_assert_mem_eq(&bob->put, &put, sizeof(put));
	plan_clear(&plan);
	plan_clear(&refused);
	free(before);
	free(after);
	desk_close(&desk);
}
END_TEST

/* Meanwhile they have left: there is nobody to give it back to. */
START_TEST(who_has_left_meanwhile_is_left_alone)
{
	struct desk desk;
	struct plan refused, plan;

	open_desk(&desk);
	ask(&desk, JOIN("bob", "listener", 7));
	ask(&desk, Q("floor.request", "bob", ""));
	ck_assert(desk_plan(&desk, &refused, Q("floor.grant", "ann", WHO("bob"))));
	leave(&desk, "bob");
	plan_init(&plan, &desk.now);
	ck_assert(role_take_back(&plan, &desk.registry, &refused));
	ck_assert_uint_eq(plan.change_count, 0);
	plan_clear(&plan);
	plan_clear(&refused);
	desk_close(&desk);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("role");
	TCase *tcase = tcase_create("role");

	parse_setup();
	tcase_add_loop_test(tcase, a_request_has_its_answer, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tcase, a_room_is_inherited_after_the_grace_time);
	tcase_add_test(tcase, a_cohost_goes_before_speakers);
	tcase_add_test(tcase, who_comes_back_keeps_the_room);
	tcase_add_test(tcase, who_was_never_there_has_not_left);
	tcase_add_test(tcase, the_first_to_speak_inherits_a_room_of_listeners);
	tcase_add_test(tcase, nobody_inherits_whom_a_host_has_silenced);
	tcase_add_test(tcase, without_a_grace_time_nobody_inherits);
	tcase_add_loop_test(tcase, what_the_data_plane_refuses_is_taken_back, 0,
		sizeof(refusals) / sizeof(refusals[0]));
	tcase_add_test(tcase, who_has_left_meanwhile_is_left_alone);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
