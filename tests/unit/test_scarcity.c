/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every family of requests without memory: from its n-th allocation on each request gets
 * none, for every n. It is refused as unavailable, and when its plan is taken back, without memory
 * still, everything is as before.
 */
#include "controlplane/rooms/due.h"
#include "tests/support/rule.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);

static unsigned int fail_in; /* 1: the next one and all behind it; 0: none */
static bool failed;

static bool fails(void)
{
	if (fail_in == 1)
		failed = true;
	else if (fail_in > 1)
		fail_in--;
	else
		return false;
	return failed;
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

#define CLAP "\xF0\x9F\x91\x8F"
#define HOUR_MS 3600000
#define DUE "" /* not a request: one step of what is due, an hour later */

static const char *const begin[] = {Q("room.open", "ann", ",\"access\":\"ticketed\""),
	JOIN("ann", "host", 1), IN("plan", "room.schedule", "ann", ",\"starts_ms\":1700003600000"),
	NULL};

/* Each is asked without memory, then with it. */
static const char *const lines[] = {
	Q("ticket.offer", "ann", ",\"price\":1000,\"currency\":\"EUR\",\"quantity\":9"),
	Q("ticket.offer", "ann", ",\"price\":900"),
	Q("ticket.issue", "shop",
		",\"user\":\"bob\",\"reference\":\"p1\",\"price\":900,\"currency\":\"EUR\""),
	Q("ticket.issue", "shop",
		",\"user\":\"eve\",\"reference\":\"p2\",\"price\":900,\"currency\":\"EUR\""),
	JOIN("bob", "listener", 2),
	"{\"id\":\"i\",\"type\":\"ticket.refund\",\"actor\":\"shop\",\"reference\":\"p1\"}",
	"{\"id\":\"i\",\"type\":\"ticket.ledger\",\"host\":\"ann\"}",
	IN("plan", "reminder.set", "bob", ""),
	IN("plan", "reminder.set", "eve", ""),
	IN("plan", "reminder.set", "joe", ",\"before_ms\":60000"),
	IN("plan", "reminder.set", "tom", ""),
	IN("plan", "reminder.set", "joe", ""), /* takes the place of the first */
	IN("plan", "reminder.cancel", "joe", ""),
	DUE,
	Q("reaction.send", "ann", ",\"emoji\":\"" CLAP "\""),
	Q("reaction.send", "ann", ",\"emoji\":\"" CLAP "\""),
};

#define CAFE(type_, actor_, more_) IN("cafe", type_, actor_, more_)
#define SEAT(who_) CAFE("member.join", who_, ",\"role\":\"listener\",\"transport\":\"webrtc\"")

/* The other families, each asked without memory, then with it. */
static const char *const others[] = {
	"{\"id\":\"i\",\"type\":\"user.upsert\",\"actor\":\"app\",\"user\":\"fan\",\"followers\":3,"
	"\"follows\":[\"ann\",\"joe\"]}",
	"{\"id\":\"i\",\"type\":\"user.upsert\",\"actor\":\"app\",\"user\":\"fan\",\"follows\":["
	"\"ann\"],"
	"\"moderator\":true}",
	CAFE("room.open", "ann", ",\"speakers\":[\"sue\"],\"cohosts\":[\"coe\"]"),
	CAFE("member.join", "ann", ",\"role\":\"host\",\"transport\":\"webrtc\""),
	JOIN_IN("cafe", "sue", "speaker", 7),
	JOIN_IN("cafe", "leo", "listener", 8),
	SEAT("bob"),
	SEAT("eve"),
	SEAT("joe"),
	CAFE("member.token", "ann", WHO("bob")),
	CAFE("member.list", "ann", ""),
	CAFE("room.update", "ann", ",\"title\":\"t\",\"cohosts\":[\"coe\",\"joe\"]"),
	CAFE("floor.request", "bob", ",\"message\":\"me\",\"duration_ms\":60000"),
	CAFE("floor.list", "bob", ""),
	CAFE("floor.grant", "ann", WHO("bob")),
	CAFE("floor.release", "bob", ""),
	CAFE("floor.request", "bob", ""),
	CAFE("floor.deny", "ann", WHO("bob") ",\"reason\":\"no\""),
	CAFE("floor.invite", "ann", WHO("eve")),
	CAFE("floor.cancel", "eve", ""),
	CAFE("floor.invite", "ann", WHO("leo")),
	CAFE("floor.accept", "leo", ""),
	CAFE("role.set", "ann", WHO("bob") ",\"role\":\"speaker\""),
	CAFE("role.set", "ann", WHO("bob") ",\"role\":\"cohost\""),
	CAFE("moderation.demote", "ann", WHO("bob") ",\"reason\":\"so\""),
	CAFE("moderation.mute", "ann", WHO("sue") ",\"duration_ms\":60000,\"reason\":\"so\""),
	CAFE("moderation.unmute", "ann", WHO("sue")),
	CAFE("moderation.mute_all", "ann", ""),
	CAFE("moderation.report", "bob", WHO("leo") ",\"category\":\"spam\",\"text\":\"so\""),
	CAFE("moderation.report", "eve", WHO("leo") ",\"category\":\"hate\""),
	"{\"id\":\"i\",\"type\":\"moderation.reports\",\"actor\":\"fan\"}",
	CAFE("pin.add", "ann", ",\"text\":\"read\",\"url\":\"https://example.org/\""),
	CAFE("room.get", "ann", ""),
	CAFE("share.create", "ann", ""),
	CAFE("share.create", "ann", WHO("tom")),
	CAFE("moderation.remove", "ann", WHO("eve")),
	CAFE("moderation.ban", "ann", WHO("leo") ",\"reason\":\"so\""),
	CAFE("moderation.ban", "ann", WHO("tom")),
	CAFE("moderation.unban", "ann", WHO("tom")),
	"{\"id\":\"i\",\"type\":\"timeline.get\",\"actor\":\"fan\"}",
	"{\"id\":\"i\",\"type\":\"user.get\",\"actor\":\"fan\",\"user\":\"fan\"}",
	CAFE("member.leave", "bob", ""),
	CAFE("role.set", "ann", WHO("joe") ",\"role\":\"host\""),
	CAFE("room.close", "joe", ""),
	"{\"id\":\"i\",\"type\":\"drain\",\"actor\":\"app\"}",
};

static void decide(struct desk *desk, const char *line, struct plan *plan, unsigned int fail)
{
	struct parsed parsed = {0};

	plan_init(plan, &desk->now);
	if (line[0] != '\0')
		ck_assert(parse_line(line, strlen(line), &parsed, &plan->verdict));
	failed = false;
	fail_in = fail;
	if (line[0] != '\0')
		event_decide(&desk->registry, &parsed.event, plan);
	else
		reminder_due(plan, &desk->registry);
	if (plan->verdict.code == VERDICT_OK && plan->answer.failed)
		verdict_refuse(&plan->verdict, VERDICT_UNAVAILABLE, "out of memory");
	if (plan->verdict.code != VERDICT_OK)
		plan_revert(plan, &desk->registry);
	fail_in = 0;
	if (line[0] != '\0')
		parse_clear(&parsed);
}

/* Until it has all it needs; how many allocations that is, and one. */
static unsigned int starve(struct desk *desk, const char *line)
{
	struct plan plan;

	for (unsigned int n = 1;; n++) {
		char *before = desk_state(&desk->registry), *after;

		decide(desk, line, &plan, n);
		if (!failed) {
			ck_assert_msg(plan.verdict.code == VERDICT_OK, "%s: %s", line,
				plan.verdict.message);
			plan_clear(&plan);
			free(before);
			return n;
		}
		/* Where the n-th was one too many it may do without: what has grown stays grown. */
		ck_assert_msg(plan.verdict.code == VERDICT_UNAVAILABLE, "%s: %u: %s", line, n,
			plan.verdict.message);
		plan_clear(&plan);
		after = desk_state(&desk->registry);
		ck_assert_msg(strcmp(before, after) == 0, "%s: %u\n%s\n%s", line, n, before, after);
		free(before);
		free(after);
	}
}

START_TEST(without_memory_nothing_is_changed)
{
	unsigned int allocations = 0;
	struct desk desk;

	desk_open(&desk);
	strcpy(desk.registry.limits.reactions[0], CLAP);
	desk.registry.limits.reaction_count = 1;
	desk.registry.limits.schedule_max_ms = 24 * HOUR_MS;
	desk.registry.limits.reminder_spread_min = 2; /* the third makes a group split */
	for (unsigned int i = 0; begin[i] != NULL; i++)
		ck_assert_msg(desk_ask(&desk, begin[i]) == VERDICT_OK, "%s", desk.verdict.message);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		desk.now.wall_ms += lines[i][0] == '\0' ? 2 * HOUR_MS : 0;
		allocations += starve(&desk, lines[i]);
	}
	ck_assert_uint_gt(allocations, 60);
	desk_close(&desk);
}
END_TEST

START_TEST(nor_of_any_other_family)
{
	unsigned int allocations = 0;
	struct desk desk;

	desk_open(&desk);
	desk.registry.limits.report_hold_count = 2;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		allocations += starve(&desk, others[i]);
	ck_assert_uint_gt(allocations, 200);
	desk_close(&desk);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scarcity");
	TCase *tcase = tcase_create("scarcity");

	parse_setup();
	tcase_add_test(tcase, without_memory_nothing_is_changed);
	tcase_add_test(tcase, nor_of_any_other_family);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
