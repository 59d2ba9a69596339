/* SPDX-License-Identifier: BSD-3-Clause */
/* A room before it is live: who plans it, who opens it, what it is until then, how it ends. */
#include "controlplane/rooms/due.h"
#include "controlplane/rooms/person.h"
#include "tests/support/rule.h"

/* The desk's clock stands at 1,700,000,000,000 ms; an hour and a day later. */
#define HOUR ",\"starts_ms\":1700003600000"
#define DAY ",\"starts_ms\":1700086400000"
#define PLAN Q("room.schedule", "ann", HOUR)
#define PLAN_WITH(more_) Q("room.schedule", "ann", HOUR more_)
static const struct rule rows[] = {
	{"a room is planned: the data plane has nothing to do", {0}, PLAN, VERDICT_OK,
		"\"state\":\"scheduled\",\"starts_ms\":1700003600000", 0, 1},
	{"it needs to say when", {0}, Q("room.schedule", "ann", ""), VERDICT_INVALID,
		"starts_ms: missing"},
	{"not in the past", {0}, Q("room.schedule", "ann", ",\"starts_ms\":1700000000000"),
		VERDICT_INVALID, "has passed"},
	{"fourteen days ahead", {0}, Q("room.schedule", "ann", ",\"starts_ms\":1701209600000"),
		VERDICT_OK, "scheduled", 0, 1},
	{"not a millisecond more", {0}, Q("room.schedule", "ann", ",\"starts_ms\":1701209600001"),
		VERDICT_INVALID, "at most 14 days ahead, 1701209600000 or before"},
	{"a key for the group has no place in a plan", {0},
		PLAN_WITH(",\"group_suite\":\"AEAD_AES_128_GCM\""), VERDICT_INVALID,
		"group_suite: this type of request has no such field"},
	{"the name is taken", {PLAN}, Q("room.schedule", "bob", HOUR), VERDICT_ALREADY_EXISTS,
		"is scheduled"},
	{"the name of a live room is taken", {Q("room.open", "ann", "")}, PLAN,
		VERDICT_ALREADY_EXISTS, "is open"},
	{"with all that a room has", {0},
		PLAN_WITH(",\"title\":\"T\",\"topic\":\"t\",\"language\":\"pt-BR\",\"slots\":2,"
			  "\"access\":\"followers\",\"cohosts\":[\"bob\",\"bob\",\"ann\"],"
			  "\"speakers\":[\"eve\"],\"speakers_max\":5,\"capacity\":9,"
			  "\"duration_ms\":1000,\"open_floor\":true"),
		VERDICT_OK, "scheduled", 0, 1},
	{"a language is letters, digits and hyphens", {0}, PLAN_WITH(",\"language\":\"pt_BR\""),
		VERDICT_INVALID, "language: \"pt_BR\""},
	{"one letter is no language", {0}, PLAN_WITH(",\"language\":\"p\""), VERDICT_INVALID,
		"language"},
	{"two rooms at most are planned by one",
		{PLAN_WITH(""), "{\"id\":\"i\",\"type\":\"room.schedule\",\"actor\":\"ann\","
				"\"room\":\"two\",\"starts_ms\":1700003600000}"},
		"{\"id\":\"i\",\"type\":\"room.schedule\",\"actor\":\"ann\",\"room\":\"three\","
		"\"starts_ms\":1700003600000}",
		VERDICT_CAPACITY, "schedules_per_host_max: \"ann\" has 2"},
	{"those of others do not count",
		{PLAN, "{\"id\":\"i\",\"type\":\"room.schedule\",\"actor\":\"bob\","
		       "\"room\":\"two\",\"starts_ms\":1700003600000}"},
		"{\"id\":\"i\",\"type\":\"room.schedule\",\"actor\":\"ann\",\"room\":\"three\","
		"\"starts_ms\":1700003600000}",
		VERDICT_OK, "scheduled", 0, 1},

	{"the host opens it", {PLAN}, Q("room.open", "ann", ""), VERDICT_OK,
		"\"state\":\"live\",\"slots\":3", 1, 1},
	{"a cohost who is banned does not",
		{PLAN_WITH(",\"cohosts\":[\"bob\"]"),
			Q("moderation.ban", "ann", ",\"member\":\"bob\""),
			Q("room.update", "ann", ",\"cohosts\":[\"bob\"]")},
		Q("room.open", "bob", ""), VERDICT_ALREADY_EXISTS, "scheduled by somebody else"},
	{"a cohost opens it", {PLAN_WITH(",\"cohosts\":[\"bob\"]")}, Q("room.open", "bob", ""),
		VERDICT_OK, "\"state\":\"live\"", 1, 1},
	{"nobody else does", {PLAN}, Q("room.open", "bob", ""), VERDICT_ALREADY_EXISTS,
		"scheduled by somebody else"},
	{"how long it shall be may be said then", {PLAN},
		Q("room.open", "ann", ",\"duration_ms\":5"), VERDICT_OK, "live", 1, 1},
	{"all else is changed before", {PLAN}, Q("room.open", "ann", ",\"title\":\"T\""),
		VERDICT_INVALID, "change it by room.update"},
	{"even to what it is", {PLAN}, Q("room.open", "ann", ",\"slots\":3"), VERDICT_INVALID,
		"room.update"},
	{"even to nothing", {PLAN}, Q("room.open", "ann", ",\"speakers\":[]"), VERDICT_INVALID,
		"room.update"},
	{"it is opened once", {PLAN, Q("room.open", "ann", "")}, Q("room.open", "ann", ""),
		VERDICT_ALREADY_EXISTS, "is open"},

	{"nobody comes in before", {PLAN}, JOIN("bob", "listener", 5000), VERDICT_CONFLICT,
		"\"tea\" has not started"},
	{"not even the host", {PLAN}, JOIN("ann", "host", 5000), VERDICT_CONFLICT,
		"has not started"},
	{"once it is live they do", {PLAN, Q("room.open", "ann", "")},
		JOIN("bob", "listener", 5000), VERDICT_OK, "bob", 1, 1},

	{"the host cancels it: the data plane knew nothing", {PLAN}, Q("room.close", "ann", ""),
		VERDICT_OK, "tea", 0, 1},
	{"a cohost does not", {PLAN_WITH(",\"cohosts\":[\"bob\"]")}, Q("room.close", "bob", ""),
		VERDICT_NOT_ALLOWED, "only the host"},
	{"the name is free then", {PLAN, Q("room.close", "ann", "")},
		Q("room.schedule", "bob", HOUR), VERDICT_OK, "scheduled", 0, 1},
};

static void open_desk(struct desk *desk)
{
	desk_open(desk);
	desk->registry.limits.schedule_max_ms = 14ULL * 86400 * 1000;
	desk->registry.limits.schedules_per_host_max = 2;
	desk->registry.limits.schedule_late_ms = 3600 * 1000;
}

START_TEST(a_request_has_its_answer)
{
	struct desk desk;

	open_desk(&desk);
	rule_check_at(&desk, &rows[_i]);
}
END_TEST

/* What the room was planned with is what the data plane gets; its end is counted from the opening.
 */
START_TEST(what_was_planned_is_opened)
{
	struct stn_op_room_put before, put;
	struct desk desk;
	struct plan plan;
	struct room *room;

	open_desk(&desk);
	ck_assert(desk_ask(&desk, PLAN_WITH(",\"slots\":2,\"duration_ms\":5000")) == VERDICT_OK);
	room = registry_room(&desk.registry, "tea");
	before = room->put;
	ck_assert_int_eq(room->end_ms, 1700003605000);
	ck_assert_int_eq(room->opened_ms, 0);
	desk.now.wall_ms += 7200000;
	desk.now.mono_ns += 7200000000000;
	ck_assert(desk_plan(&desk, &plan, Q("room.open", "ann", "")));
	ck_assert_uint_eq(plan.ops_size, sizeof(put));
	memcpy(&put, plan.ops, sizeof(put));
	plan_clear(&plan);
	ck_assert_uint_eq(put.op.type, STN_OP_ROOM_PUT);
	ck_assert_uint_eq(put.room_id, before.room_id);
	ck_assert_uint_eq(put.slot_count, 2);
	ck_assert_mem_eq(put.slot_ssrc, before.slot_ssrc, sizeof(put.slot_ssrc));
	ck_assert_uint_eq(put.end_ns, desk.now.mono_ns + 5000000000);
	ck_assert_int_eq(room->opened_ms, desk.now.wall_ms);
	ck_assert_int_eq(room->end_ms, desk.now.wall_ms + 5000);
	ck_assert(room->rules.state == ROOM_LIVE);
	desk_close(&desk);
}
END_TEST

/* One who knows nobody may not host; 600 followers are not more than 600. */
START_TEST(hosting_needs_followers_or_a_grant)
{
	static const struct {
		uint32_t followers;
		bool grant, moderator, may;
	} people[] = {{600, false, false, false}, {601, false, false, true}, {0, true, false, true},
		{0, false, true, true}, {0, false, false, false}};
	struct desk desk;
	struct plan plan;
	struct user *user;

	open_desk(&desk);
	desk.registry.limits.host_min_followers = 600;
	ck_assert(desk_ask(&desk, PLAN) == VERDICT_NOT_ALLOWED);
	ck_assert_str_eq(desk.verdict.message,
		"\"ann\" has 0 followers: hosting needs more than 600, or a grant");
	user = record_make(RECORD_USER, desk.registry.next_id++);
	strcpy(user->name.text, "ann");
	user->followers = people[_i].followers;
	user->host_grant = people[_i].grant;
	user->moderator = people[_i].moderator;
	plan_init(&plan, &desk.now);
	ck_assert(plan_record(&plan, &desk.registry, RECORD_USER, NULL, user));
	plan_clear(&plan);
	ck_assert_int_eq(desk_ask(&desk, PLAN) == VERDICT_OK, people[_i].may);
	desk_close(&desk);
}
END_TEST

START_TEST(a_room_that_nobody_opens_closes_by_itself)
{
	struct desk desk;
	struct plan plan;

	open_desk(&desk);
	ck_assert(desk_ask(&desk, PLAN) == VERDICT_OK);
	desk.now.wall_ms = 1700003600000 + 3599999;
	plan_init(&plan, &desk.now);
	ck_assert(!schedule_due(&plan, &desk.registry));
	desk.now.wall_ms++;
	plan_init(&plan, &desk.now);
	ck_assert(schedule_due(&plan, &desk.registry));
	ck_assert_uint_eq(plan.op_count, 0);
	ck_assert_ptr_null(registry_room(&desk.registry, "tea"));
	ck_assert_ptr_nonnull(memmem(plan.changes[0].event.text, plan.changes[0].event.size,
		"\"actor\":null,\"reason\":\"not_started\"", 35));
	plan_clear(&plan);
	plan_init(&plan, &desk.now);
	ck_assert(!schedule_due(&plan, &desk.registry));
	desk_close(&desk);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("schedule");
	TCase *tcase = tcase_create("schedule");

	parse_setup();
	tcase_add_loop_test(tcase, a_request_has_its_answer, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tcase, what_was_planned_is_opened);
	tcase_add_loop_test(tcase, hosting_needs_followers_or_a_grant, 0, 5);
	tcase_add_test(tcase, a_room_that_nobody_opens_closes_by_itself);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
