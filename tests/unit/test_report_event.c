/* SPDX-License-Identifier: BSD-3-Clause */
/* Who reports whom, who sees it, what becomes of it; and the hold that many reports bring. */
#include "controlplane/rooms/policy.h"
#include "tests/support/rule.h"

#define REPORT_MORE(actor_, who_, more_) \
	Q("moderation.report", actor_, WHO(who_) ",\"category\":\"spam\"" more_)
#define REPORT(actor_, who_) REPORT_MORE(actor_, who_, "")
#define REPORTS(actor_, more_) Q("moderation.reports", actor_, more_)
#define BOB JOIN("bob", "speaker", 2)
#define CY JOIN("cy", "speaker", 3), "+cohost cy"
#define MUTE(actor_, who_) Q("moderation.mute", actor_, WHO(who_))

static const struct rule rows[] = {
	{"anybody reports somebody, in the room or not", {OPEN}, REPORT("deb", "bob"), VERDICT_OK,
		"\"member\":\"bob\",\"report\":\"", 0, 1,
		"\"reporter\":\"deb\",\"member\":\"bob\",\"category\":\"spam\",\"distinct\":1}"},
	{"in a room that is there", {0}, REPORT("deb", "bob"), VERDICT_NO_SUCH_ROOM, "tea"},
	{"with a reason there is", {OPEN},
		Q("moderation.report", "deb", WHO("bob") ",\"category\":\"boring\""),
		VERDICT_INVALID, "category"},
	{"nobody themself", {OPEN}, REPORT("bob", "bob"), VERDICT_NOT_ALLOWED, "themself"},
	{"once", {OPEN, REPORT("deb", "bob")}, REPORT("deb", "bob"), VERDICT_ALREADY_EXISTS,
		"nobody has resolved it"},
	{"in another room again", {OPEN, IN("pub", "room.open", "ann", ""), REPORT("deb", "bob")},
		IN("pub", "moderation.report", "deb", WHO("bob") ",\"category\":\"hate\""),
		VERDICT_OK, "report", 0, 1, "\"distinct\":1}"},
	{"different people are counted", {OPEN, REPORT("deb", "bob"), REPORT("eve", "cy")},
		REPORT("eve", "bob"), VERDICT_OK, "report", 0, 1, "\"distinct\":2}"},
	{"guests are nobody in particular", {OPEN, REPORT("deb", "bob")}, REPORT("guest-1", "bob"),
		VERDICT_OK, "report", 0, 1, "\"distinct\":1}"},

	{"the host sees the reports of the room", {OPEN, REPORT("deb", "bob")}, REPORTS("ann", ""),
		VERDICT_OK, "\"reporter\":\"deb\",\"category\":\"spam\"", 0, 0},
	{"a cohost too", {OPEN, "+cohost cy", REPORT("deb", "bob")}, REPORTS("cy", ""), VERDICT_OK,
		"\"reporter\":\"deb\"", 0, 0},
	{"members do not", {OPEN, REPORT("deb", "bob")}, REPORTS("deb", ""), VERDICT_NOT_ALLOWED,
		"only the host or a cohost"},
	{"nor anybody those of all rooms", {OPEN, REPORT("deb", "bob")},
		"{\"id\":\"i\",\"type\":\"moderation.reports\",\"actor\":\"ann\"}",
		VERDICT_NOT_ALLOWED, "name a room"},
	{"but a moderator of the platform", {OPEN, REPORT("deb", "bob"), MODERATOR("mo")},
		"{\"id\":\"i\",\"type\":\"moderation.reports\",\"actor\":\"mo\"}", VERDICT_OK,
		"\"room\":\"tea\",\"member\":\"bob\"", 0, 0},
	{"and the application", {OPEN, REPORT("deb", "bob")},
		"{\"id\":\"i\",\"type\":\"moderation.reports\"}", VERDICT_OK,
		"\"room\":\"tea\",\"member\":\"bob\"", 0, 0},
	{"of one member", {OPEN, REPORT("deb", "bob"), REPORT("deb", "eve")},
		REPORTS("ann", ",\"member\":\"zed\""), VERDICT_OK, "\"reports\":[],\"next\":null",
		0, 0},
	{"the open ones", {OPEN, REPORT("deb", "bob")}, REPORTS("ann", ",\"state\":\"resolved\""),
		VERDICT_OK, "\"reports\":[]", 0, 0},
	{"their host sees them when the room is gone",
		{OPEN, REPORT("deb", "bob"), Q("room.close", "ann", "")}, REPORTS("ann", ""),
		VERDICT_OK, "\"reporter\":\"deb\"", 0, 0},
	{"others do not", {OPEN, REPORT("deb", "bob"), Q("room.close", "ann", "")},
		REPORTS("eve", ""), VERDICT_OK, "\"reports\":[]", 0, 0},
	{"nor who opens a room of that name",
		{OPEN, REPORT("deb", "bob"), Q("room.close", "ann", ""), Q("room.open", "eve", "")},
		REPORTS("eve", ""), VERDICT_OK, "\"reports\":[]", 0, 0},
	{"the evidence: who was what, and held which slot", {OPEN, BOB, REPORT("deb", "bob")},
		REPORTS("ann", ""), VERDICT_OK,
		"\"member\":null}],\"role\":\"speaker\",\"muted\":false}", 0, 0},

	{"no such report", {OPEN},
		Q("moderation.resolve", "ann", ",\"report\":\"7\",\"resolution\":\"upheld\""),
		VERDICT_NO_SUCH_THING, "no report \"7\""},
	{"nor one that is no number", {OPEN},
		Q("moderation.resolve", "ann", ",\"report\":\"x\",\"resolution\":\"upheld\""),
		VERDICT_NO_SUCH_THING, "no report \"x\""},
	{"a resolution is needed", {OPEN}, Q("moderation.resolve", "ann", ",\"report\":\"7\""),
		VERDICT_INVALID, "resolution: missing"},
};

START_TEST(a_rule_holds)
{
	rule_check(&rows[_i]);
}
END_TEST

static uint64_t last_report(const struct desk *desk)
{
	uint64_t id = 0, last = 0;

	while (roster_next(&desk->registry.reports, &id) != NULL)
		last = id;
	return last;
}

static enum verdict_code resolve(
	struct desk *desk, const char *actor, uint64_t report, const char *resolution)
{
	char line[256];

	snprintf(line, sizeof(line),
		"{\"id\":\"i\",\"type\":\"moderation.resolve\",\"actor\":\"%s\",\"report\":\"%"
		"llu\","
		"\"resolution\":\"%s\",\"note\":\"seen\"}",
		actor, (unsigned long long)report, resolution);
	return desk_ask(desk, line);
}

static enum verdict_code report(struct desk *desk, const char *reporter, const char *member)
{
	char line[256];

	snprintf(line, sizeof(line), REPORT("%s", "%s"), reporter, member);
	return desk_ask(desk, line);
}

static void open_with(struct desk *desk, const char *const *lines)
{
	struct rule rule = {.what = "open"};

	for (unsigned int i = 0; lines[i] != NULL; i++)
		rule.before[i] = lines[i];
	desk_open(desk);
	rule_prepare(desk, &rule);
	desk->registry.limits.report_hold_count = 3;
}

static const struct silence *silence_of(const struct desk *desk, const char *user)
{
	return hash_find(&registry_room(&desk->registry, "tea")->silenced, user);
}

static void report_thrice(struct desk *desk, const char *member)
{
	ck_assert_int_eq(report(desk, "r1", member), VERDICT_OK);
	ck_assert_int_eq(report(desk, "r2", member), VERDICT_OK);
	ck_assert_int_eq(report(desk, "r3", member), VERDICT_OK);
}

START_TEST(who_resolves)
{
	static const char *const lines[] = {OPEN, CY, BOB, MODERATOR("mo"), NULL};
	struct desk desk;
	uint64_t first;

	open_with(&desk, lines);
	report(&desk, "deb", "bob");
	first = last_report(&desk);
	ck_assert_int_eq(resolve(&desk, "deb", first, "upheld"), VERDICT_NOT_ALLOWED);
	ck_assert_int_eq(resolve(&desk, "bob", first, "dismissed"), VERDICT_NOT_ALLOWED);
	ck_assert_int_eq(resolve(&desk, "cy", first, "upheld"), VERDICT_OK);
	ck_assert_int_eq(resolve(&desk, "ann", first, "dismissed"), VERDICT_CONFLICT);
	ck_assert_int_eq(desk_ask(&desk, REPORTS("ann", ",\"state\":\"resolved\"")), VERDICT_OK);
	ck_assert_ptr_nonnull(strstr(desk.answer,
		"\"state\":\"resolved\",\"at_ms\":1700000000000,\"resolution\":\"upheld\","
		"\"resolved_by\":\"cy\",\"note\":\"seen\",\"resolved_ms\":1700000000000"));
	/* It is resolved: one may report again. */
	ck_assert_int_eq(report(&desk, "deb", "bob"), VERDICT_OK);
	/* Nobody decides about themself, or about who stands above. */
	report(&desk, "deb", "cy");
	ck_assert_int_eq(
		resolve(&desk, "cy", last_report(&desk), "dismissed"), VERDICT_NOT_ALLOWED);
	report(&desk, "deb", "ann");
	ck_assert_int_eq(
		resolve(&desk, "ann", last_report(&desk), "dismissed"), VERDICT_NOT_ALLOWED);
	ck_assert_int_eq(resolve(&desk, "mo", last_report(&desk), "dismissed"), VERDICT_OK);
	/* When the room is gone, its host is left, and the moderators. */
	report(&desk, "eve", "bob");
	desk_ask(&desk, Q("room.close", "ann", ""));
	ck_assert_int_eq(resolve(&desk, "cy", last_report(&desk), "upheld"), VERDICT_NOT_ALLOWED);
	ck_assert_int_eq(resolve(&desk, "ann", last_report(&desk), "upheld"), VERDICT_OK);
	desk_close(&desk);
}
END_TEST

START_TEST(many_reports_hold)
{
	static const char *const lines[] = {OPEN, BOB, NULL};
	struct desk desk;
	struct plan plan;

	open_with(&desk, lines);
	report(&desk, "r1", "bob");
	report(&desk, "guest-2", "bob");
	report(&desk, "r2", "bob");
	ck_assert_ptr_null(silence_of(&desk, "bob"));
	ck_assert(desk_plan(&desk, &plan, REPORT("r3", "bob")));
	ck_assert_uint_eq(plan.op_count, 1); /* the data plane is told before the answer */
	ck_assert(rule_told(&plan, "\"actor\":null,\"member\":\"bob\",\"until_ms\":null,"
				   "\"undo\":\"hosts\",\"hold\":true,\"reason\":\"held\"}"));
	plan_clear(&plan);
	ck_assert(silence_of(&desk, "bob")->held);
	ck_assert_int_eq(silence_of(&desk, "bob")->by_rank, RANK_HOST);
	/* Not theirs to undo. A host may, and has the last word. */
	ck_assert_int_eq(
		desk_ask(&desk, Q("moderation.unmute", "bob", WHO("bob"))), VERDICT_NOT_ALLOWED);
	ck_assert_int_eq(desk_ask(&desk, Q("moderation.unmute", "ann", WHO("bob"))), VERDICT_OK);
	report(&desk, "r4", "bob");
	ck_assert_ptr_null(silence_of(&desk, "bob"));
	desk_close(&desk);
}
END_TEST

START_TEST(hosts_and_moderators_are_not_held)
{
	static const char *const lines[] = {
		OPEN, JOIN("ann", "host", 1), BOB, MODERATOR("bob"), NULL};
	struct desk desk;

	open_with(&desk, lines);
	report_thrice(&desk, "ann");
	report_thrice(&desk, "bob");
	ck_assert_ptr_null(silence_of(&desk, "ann"));
	ck_assert_ptr_null(silence_of(&desk, "bob"));
	desk_close(&desk);
}
END_TEST

/* Dismisses all but `left` of what is open. */
static void dismiss(struct desk *desk, unsigned int left)
{
	const struct report *each;
	unsigned int open = 0;
	uint64_t id = 0;

	while ((each = roster_next(&desk->registry.reports, &id)) != NULL)
		open += each->state == REPORT_OPEN;
	for (id = 0; open > left && (each = roster_next(&desk->registry.reports, &id)) != NULL;) {
		if (each->state != REPORT_OPEN)
			continue;
		ck_assert_int_eq(resolve(desk, "ann", id, "dismissed"), VERDICT_OK);
		open--;
	}
}

START_TEST(the_last_dismissal_lifts_the_hold)
{
	static const char *const lines[] = {OPEN, BOB, NULL};
	struct desk desk;

	open_with(&desk, lines);
	report_thrice(&desk, "bob");
	dismiss(&desk, 1);
	ck_assert(silence_of(&desk, "bob")->held);
	ck_assert(member_muted(registry_member(registry_room(&desk.registry, "tea"), "bob")));
	dismiss(&desk, 0);
	ck_assert_ptr_null(silence_of(&desk, "bob"));
	ck_assert(!member_muted(registry_member(registry_room(&desk.registry, "tea"), "bob")));
	desk_close(&desk);
}
END_TEST

START_TEST(one_upheld_keeps_it)
{
	static const char *const lines[] = {OPEN, BOB, NULL};
	struct desk desk;

	open_with(&desk, lines);
	report_thrice(&desk, "bob");
	ck_assert_int_eq(resolve(&desk, "ann", last_report(&desk), "upheld"), VERDICT_OK);
	dismiss(&desk, 0);
	ck_assert(!silence_of(&desk, "bob")->held);
	ck_assert_int_eq(silence_of(&desk, "bob")->by_rank, RANK_HOST);
	ck_assert_str_eq(silence_of(&desk, "bob")->by.text, "ann");
	desk_close(&desk);
}
END_TEST

START_TEST(a_hold_opens_no_microphone)
{
	static const char *const lines[] = {OPEN, BOB, JOIN("eve", "speaker", 5),
		JOIN("fay", "speaker", 6), CY, Q("moderation.mute", "bob", WHO("bob")),
		Q("moderation.mute", "cy", WHO("eve") ",\"duration_ms\":5000"),
		Q("moderation.mute", "ann", WHO("fay")), NULL};
	struct desk desk;

	open_with(&desk, lines);
	report_thrice(&desk, "bob");
	report_thrice(&desk, "eve");
	report_thrice(&desk, "fay");
	ck_assert(silence_of(&desk, "bob")->held);
	ck_assert_uint_eq(silence_of(&desk, "eve")->until_ns, 0);
	/* The host had muted her without an end: there is nothing to hold. */
	ck_assert(!silence_of(&desk, "fay")->held);
	dismiss(&desk, 0);
	/* What there was before is there again, on the terms of then. */
	ck_assert_int_eq(silence_of(&desk, "bob")->by_rank, RANK_NONE);
	ck_assert_int_eq(desk_ask(&desk, Q("moderation.unmute", "bob", WHO("bob"))), VERDICT_OK);
	ck_assert_int_eq(silence_of(&desk, "eve")->by_rank, RANK_COHOST);
	ck_assert_uint_eq(silence_of(&desk, "eve")->until_ns, 6000000000);
	ck_assert_int_eq(silence_of(&desk, "fay")->by_rank, RANK_HOST);
	desk_close(&desk);
}
END_TEST

START_TEST(a_hold_outlasts_a_mute_with_an_end)
{
	static const char *const lines[] = {
		OPEN, BOB, Q("moderation.mute", "ann", WHO("bob") ",\"duration_ms\":5000"), NULL};
	struct desk desk;

	open_with(&desk, lines);
	report_thrice(&desk, "bob");
	ck_assert(silence_of(&desk, "bob")->held);
	desk.now.wall_ms += 10000;
	desk.now.mono_ns += 10000000000;
	desk_ask(&desk, Q("member.leave", "bob", ""));
	desk_ask(&desk, BOB);
	ck_assert(member_muted(registry_member(registry_room(&desk.registry, "tea"), "bob")));
	dismiss(&desk, 0);
	ck_assert_ptr_null(silence_of(&desk, "bob"));
	desk_close(&desk);
}
END_TEST

START_TEST(the_resolved_give_place)
{
	static const char *const lines[] = {OPEN, NULL};
	struct desk desk;

	open_with(&desk, lines);
	desk.registry.limits.reports_max = 2;
	report(&desk, "r1", "bob");
	report(&desk, "r2", "bob");
	ck_assert_int_eq(report(&desk, "r3", "bob"), VERDICT_CAPACITY);
	resolve(&desk, "ann", last_report(&desk), "upheld");
	ck_assert_int_eq(report(&desk, "r3", "bob"), VERDICT_OK);
	ck_assert_uint_eq(desk.registry.reports.count, 2);
	ck_assert_int_eq(report(&desk, "r2", "bob"), VERDICT_CAPACITY);
	desk_close(&desk);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("report_event");
	TCase *tcase = tcase_create("report_event");

	parse_setup();
	tcase_add_loop_test(tcase, a_rule_holds, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tcase, who_resolves);
	tcase_add_test(tcase, many_reports_hold);
	tcase_add_test(tcase, hosts_and_moderators_are_not_held);
	tcase_add_test(tcase, the_last_dismissal_lifts_the_hold);
	tcase_add_test(tcase, one_upheld_keeps_it);
	tcase_add_test(tcase, a_hold_opens_no_microphone);
	tcase_add_test(tcase, a_hold_outlasts_a_mute_with_an_end);
	tcase_add_test(tcase, the_resolved_give_place);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
