/* SPDX-License-Identifier: BSD-3-Clause */
/* Draining: nobody new comes in, who is there goes on. And who may read the audit. */
#include "controlplane/rooms/session_event.h"
#include "tests/support/rule.h"

#define DRAIN(more_) "{\"id\":\"i\",\"type\":\"drain\",\"actor\":\"ops\"" more_ "}"
#define ON DRAIN("")
#define OFF DRAIN(",\"on\":false")
#define AUDIT(more_) "{\"id\":\"i\",\"type\":\"audit.list\"" more_ "}"
#define BY(who_) ",\"actor\":\"" who_ "\""
#define TEA ",\"room\":\"tea\""
#define SAYS "the box drains"

static const struct rule rows[] = {
	{"the box drains", {0}, ON, VERDICT_OK, "\"draining\":true", 0, 1,
		"\"type\":\"server.draining\",\"at_ms\":1700000000000,\"actor\":\"ops\",\"on\":"
		"true}"},
	{"and no longer", {ON}, OFF, VERDICT_OK, "\"draining\":false", 0, 1, "\"on\":false}"},
	{"told again nothing happens", {ON}, ON, VERDICT_OK, "\"draining\":true"},
	{"told to stop what it does not do, neither", {0}, OFF, VERDICT_OK, "\"draining\":false"},
	{"no room is opened", {ON}, OPEN, VERDICT_UNAVAILABLE, SAYS},
	{"nor planned", {ON}, Q("room.schedule", "ann", ",\"starts_ms\":1700000009000"),
		VERDICT_UNAVAILABLE, SAYS},
	{"nobody comes in", {OPEN, ON}, JOIN("bob", "listener", 1), VERDICT_UNAVAILABLE, SAYS},
	{"not the host either", {OPEN, ON}, JOIN("ann", "host", 1), VERDICT_UNAVAILABLE, SAYS},
	{"nor by a browser", {OPEN, ON}, WEB("bob", "listener"), VERDICT_UNAVAILABLE, SAYS},
	{"who is there may leave", {OPEN, JOIN("bob", "listener", 1), ON},
		Q("member.leave", "bob", ""), VERDICT_OK, "bob", 1, 1},
	{"who is there may speak", {OPEN, JOIN("bob", "speaker", 1), ON},
		Q("floor.release", "bob", ""), VERDICT_OK, "bob", 1, 1},
	{"rooms are closed", {OPEN, ON}, Q("room.close", "ann", ""), VERDICT_OK, "tea", 1, 1},
	{"afterwards all is as before", {OPEN, ON, OFF}, JOIN("bob", "listener", 1), VERDICT_OK,
		"bob", 1, 1},

	{"the application reads all of the audit", {0}, AUDIT(""), VERDICT_OK, ""},
	{"a moderator of the platform, too", {MODERATOR("eve")}, AUDIT(BY("eve")), VERDICT_OK, ""},
	{"of rooms that have ended as well", {MODERATOR("eve")}, AUDIT(BY("eve") TEA), VERDICT_OK,
		""},
	{"a host has to name a room", {OPEN}, AUDIT(BY("ann")), VERDICT_NOT_ALLOWED,
		"name one of yours"},
	{"theirs", {OPEN}, AUDIT(BY("ann") TEA), VERDICT_OK, ""},
	{"a cohost, too", {OPEN, "+cohost bob"}, AUDIT(BY("bob") TEA), VERDICT_OK, ""},
	{"others do not", {OPEN, JOIN("bob", "listener", 1)}, AUDIT(BY("bob") TEA),
		VERDICT_NOT_ALLOWED, "see what happened"},
	{"there has to be that room", {0}, AUDIT(BY("ann") TEA), VERDICT_NO_SUCH_ROOM, "tea"},
	{"time runs forward", {0}, AUDIT(",\"from_ms\":2,\"to_ms\":1"), VERDICT_INVALID,
		"from_ms: is after to_ms"},
	{"what is no id", {0}, AUDIT(",\"after\":\"x\""), VERDICT_INVALID, "after"},
};

START_TEST(a_request_has_its_answer)
{
	struct desk desk;

	desk_open(&desk);
	desk.registry.limits.schedule_max_ms = 86400000;
	rule_check_at(&desk, &rows[_i]);
}
END_TEST

static enum verdict_code open_session(struct desk *desk, uint64_t member_id)
{
	struct session_wish wish = {.member_id = member_id,
		.receives = true,
		.profile = {.payload_type = PAYLOAD_TYPE_FALLBACK}};
	struct event event = {.type = &session_put_type, .room = "tea"};
	struct session_put *body = (struct session_put *)event.body;
	enum verdict_code code;
	struct plan plan;

	body->wish = &wish;
	plan_init(&plan, &desk->now);
	session_put_type.handle(&desk->registry, &event, &plan);
	code = plan.verdict.code;
	if (code != VERDICT_OK)
		plan_revert(&plan, &desk->registry);
	plan_clear(&plan);
	return code;
}

static uint64_t id_of(const struct desk *desk, const char *user)
{
	return member_id(registry_member(registry_room(&desk->registry, "tea"), user));
}

/* bob has been here and reloads, eve has a seat and never came, a guest has nothing. */
START_TEST(browsers_come_back_and_do_not_come)
{
	struct desk desk;

	desk_open(&desk);
	ck_assert(desk_ask(&desk, OPEN) == VERDICT_OK);
	ck_assert(desk_ask(&desk, WEB("bob", "listener")) == VERDICT_OK);
	ck_assert(desk_ask(&desk, WEB("eve", "listener")) == VERDICT_OK);
	ck_assert(open_session(&desk, id_of(&desk, "bob")) == VERDICT_OK);
	ck_assert(desk_ask(&desk, ON) == VERDICT_OK);
	ck_assert(open_session(&desk, id_of(&desk, "bob")) == VERDICT_OK);
	ck_assert(open_session(&desk, id_of(&desk, "eve")) == VERDICT_UNAVAILABLE);
	ck_assert(open_session(&desk, 0) == VERDICT_UNAVAILABLE);
	ck_assert(desk_ask(&desk, OFF) == VERDICT_OK);
	ck_assert(open_session(&desk, id_of(&desk, "eve")) == VERDICT_OK);
	ck_assert(open_session(&desk, 0) == VERDICT_OK);
	desk_close(&desk);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("audit");
	TCase *tcase = tcase_create("audit");

	parse_setup();
	tcase_add_loop_test(tcase, a_request_has_its_answer, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tcase, browsers_come_back_and_do_not_come);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
