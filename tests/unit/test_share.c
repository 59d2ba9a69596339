/* SPDX-License-Identifier: BSD-3-Clause */
/* Links into rooms and invitations: who makes them, what their codes open, when they end. */
#include <openssl/sha.h>

#include "controlplane/rooms/due.h"
#include "controlplane/rooms/session_event.h"
#include "controlplane/rooms/share_code.h"
#include "tests/support/rule.h"

#define ROOM(access_) Q("room.open", "ann", ",\"access\":\"" access_ "\",\"cohosts\":[\"cy\"]")
#define LISTEN(who_) JOIN(who_, "listener", 5000)
#define SHARE(who_) Q("share.create", who_, "")
#define LATER Q("room.schedule", "ann", ",\"starts_ms\":1700003600000")

static const struct rule rules[] = {
	{"the host shares", {ROOM("open")}, SHARE("ann"), VERDICT_OK, "\"code\":\x01s", 0, 1,
		"\"type\":\"share.created\""},
	{"for a week", {ROOM("open")}, SHARE("ann"), VERDICT_OK, "\"expires_ms\":1700604800000", 0,
		1, "\"member\":null,\"expires_ms\":1700604800000"},
	{"or as long as they say", {ROOM("open")},
		Q("share.create", "ann", ",\"duration_ms\":2592000000"), VERDICT_OK,
		"\"expires_ms\":1702592000000", 0, 1},
	{"not longer than thirty days", {ROOM("open")},
		Q("share.create", "ann", ",\"duration_ms\":2592000001"), VERDICT_INVALID,
		"duration_ms"},
	{"with one person", {ROOM("open")}, Q("share.create", "ann", WHO("bob")), VERDICT_OK,
		"share", 0, 1, "\"member\":\"bob\""},
	{"a cohost does", {ROOM("invited")}, SHARE("cy"), VERDICT_OK, "share", 0, 1},
	{"who is in an open room does", {ROOM("open"), LISTEN("bob")}, SHARE("bob"), VERDICT_OK,
		"share", 0, 1},
	{"who is not in it does not", {ROOM("open")}, SHARE("bob"), VERDICT_NOT_ALLOWED,
		"only who is in \"tea\""},
	{"nobody but hosts shares a room for the invited",
		{ROOM("invited"), Q("share.create", "ann", WHO("bob")), LISTEN("bob")},
		SHARE("bob"), VERDICT_NOT_ALLOWED,
		"only the host or a cohost of \"tea\" may share"},
	{"nor one with tickets", {ROOM("ticketed")}, SHARE("bob"), VERDICT_NOT_ALLOWED,
		"may share the room"},
	{"a scheduled room is shared by its host", {LATER}, SHARE("ann"), VERDICT_OK, "share", 0,
		1},
	{"a room that is not there", {0}, SHARE("ann"), VERDICT_NO_SUCH_ROOM, "tea"},
};

START_TEST(a_request_has_its_answer)
{
	rule_check(&rules[_i]);
}
END_TEST

/* The newest share of the room. */
static struct share *newest(struct desk *desk)
{
	const struct room *room = registry_room(&desk->registry, "tea");
	struct share *share, *last = NULL;
	uint64_t id = 0;

	while ((share = roster_next(&room->shares, &id)) != NULL)
		last = share;
	return last;
}

static void must(struct desk *desk, const char *line)
{
	ck_assert_msg(desk_ask(desk, line) == VERDICT_OK, "%s", desk->verdict.message);
}

static enum verdict_code join_with(struct desk *desk, const char *who, const char *code)
{
	char line[512];

	snprintf(line, sizeof(line),
		"{\"id\":\"i\",\"type\":\"member.join\",\"actor\":\"%s\",\"room\":\"tea\","
		"\"role\":\"listener\",\"share\":\"%s\",\"address\":\"10.0.0.1\",\"port\":5000}",
		who, code);
	return desk_ask(desk, line);
}

START_TEST(a_code_opens_the_room_it_is_of)
{
	struct desk desk;
	const char *code;

	desk_open(&desk);
	must(&desk, ROOM("invited"));
	must(&desk, SHARE("ann"));
	code = newest(&desk)->code;
	ck_assert_uint_eq(strlen(code), 22);
	ck_assert_uint_eq(strspn(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				       "0123456789-_"),
		22);
	ck_assert(join_with(&desk, "bob", "wrong") == VERDICT_NOT_ALLOWED);
	ck_assert(join_with(&desk, "bob", code) == VERDICT_OK);
	ck_assert(join_with(&desk, "eve", code) == VERDICT_OK);
	/* Another room's opens nothing here. */
	must(&desk, IN("other", "room.open", "ann", ",\"access\":\"invited\""));
	must(&desk, IN("other", "share.create", "ann", ""));
	code = ((struct share *)roster_next(
			&registry_room(&desk.registry, "other")->shares, &(uint64_t){0}))
		       ->code;
	ck_assert(join_with(&desk, "dan", code) == VERDICT_NOT_ALLOWED);
	desk_close(&desk);
}
END_TEST

START_TEST(who_is_removed_takes_their_links_along)
{
	struct desk desk;
	char theirs[TOKEN_TEXT_SIZE], mine[TOKEN_TEXT_SIZE];

	desk_open(&desk);
	must(&desk, ROOM("open"));
	must(&desk, LISTEN("bob"));
	must(&desk, SHARE("bob"));
	strcpy(theirs, newest(&desk)->code);
	must(&desk, SHARE("ann"));
	strcpy(mine, newest(&desk)->code);
	must(&desk, Q("room.update", "ann", ",\"access\":\"followers\""));
	must(&desk, Q("moderation.remove", "ann", WHO("bob")));
	ck_assert(join_with(&desk, "eve", theirs) == VERDICT_NOT_ALLOWED);
	ck_assert(join_with(&desk, "eve", mine) == VERDICT_OK);
	desk_close(&desk);
}
END_TEST

START_TEST(an_invitation_is_not_for_somebody_else)
{
	struct desk desk;

	desk_open(&desk);
	must(&desk, ROOM("invited"));
	must(&desk, Q("share.create", "ann", WHO("bob")));
	ck_assert(join_with(&desk, "eve", newest(&desk)->code) == VERDICT_NOT_ALLOWED);
	ck_assert(join_with(&desk, "bob", newest(&desk)->code) == VERDICT_OK);
	desk_close(&desk);
}
END_TEST

/* The digest is what OpenSSL says of the text; the answer has the text only where it is sent. */
START_TEST(the_code_is_in_no_text_that_is_kept)
{
	unsigned char hash[SHA256_DIGEST_LENGTH];
	struct writer out = {0};
	struct share *share;
	struct desk desk;
	struct plan plan;
	char hex[65];

	desk_open(&desk);
	desk.registry.limits.public_url = "https://rooms.example";
	must(&desk, ROOM("open"));
	ck_assert(desk_plan(&desk, &plan, SHARE("ann")));
	share = newest(&desk);
	SHA256((const unsigned char *)share->code, 22, hash);
	for (size_t i = 0; i < sizeof(hash); i++)
		sprintf(hex + 2 * i, "%02x", hash[i]);
	ck_assert_str_eq(share->digest, hex);
	ck_assert_ptr_null(strstr(desk.answer, share->code));
	ck_assert(!rule_told(&plan, share->code));
	secret_expand(&desk.registry, true, desk.answer, strlen(desk.answer), &out);
	writer_append(&out, "", 1);
	snprintf(desk.answer, sizeof(desk.answer),
		"\"code\":\"%s\",\"url\":\"https://rooms.example/room/tea#share=%s\"", share->code,
		share->code);
	ck_assert_msg(strstr(out.text, desk.answer) != NULL, "%s", out.text);
	writer_reset(&out);
	/* As after a restart: the text is not known any more. */
	explicit_bzero(share->code, sizeof(share->code));
	secret_expand(&desk.registry, true, (const char *)plan.answer.text, plan.answer.size, &out);
	writer_append(&out, "", 1);
	ck_assert_msg(strstr(out.text, "\"code\":null,\"url\":null") != NULL, "%s", out.text);
	writer_clear(&out);
	plan_clear(&plan);
	desk_close(&desk);
}
END_TEST

static bool step(struct desk *desk)
{
	struct plan plan;
	bool done;

	plan_init(&plan, &desk->now);
	done = share_due(&plan, &desk->registry);
	ck_assert_uint_eq(plan.op_count, 0);
	plan_clear(&plan);
	return done;
}

START_TEST(shares_end_when_they_should)
{
	const struct room *room;
	struct desk desk;

	desk_open(&desk);
	must(&desk, ROOM("open"));
	room = registry_room(&desk.registry, "tea");
	ck_assert(!step(&desk));
	must(&desk, Q("share.create", "ann", ",\"duration_ms\":2000"));
	must(&desk, Q("share.create", "ann", ",\"duration_ms\":1000"));
	must(&desk, Q("share.create", "ann", ",\"duration_ms\":1000"));
	desk.now.wall_ms += 999;
	ck_assert(!step(&desk));
	desk.now.wall_ms += 1;
	ck_assert(step(&desk));
	ck_assert_uint_eq(room->shares.count, 1);
	ck_assert_uint_eq(desk.registry.shares.count, 1);
	ck_assert(!step(&desk));
	desk.now.wall_ms += 1000;
	ck_assert(step(&desk));
	ck_assert_uint_eq(room->shares.count, 0);
	ck_assert(!step(&desk));
	/* One that comes later is not forgotten. */
	must(&desk, Q("share.create", "ann", ",\"duration_ms\":5"));
	ck_assert(!step(&desk));
	desk.now.wall_ms += 5;
	ck_assert(step(&desk));
	desk_close(&desk);
}
END_TEST

START_TEST(a_room_has_a_thousand_shares_and_they_go_with_it)
{
	struct desk desk;

	desk_open(&desk);
	must(&desk, ROOM("open"));
	for (unsigned int i = 0; i < SHARES_MAX; i++)
		must(&desk, SHARE("ann"));
	ck_assert(desk_ask(&desk, SHARE("ann")) == VERDICT_CAPACITY);
	ck_assert_uint_eq(desk.registry.shares.count, SHARES_MAX);
	must(&desk, Q("room.close", "ann", ""));
	ck_assert_uint_eq(desk.registry.shares.count, 0);
	ck_assert_uint_eq(desk.registry.share_roster.count, 0);
	desk_close(&desk);
}
END_TEST

/* Whom nobody knows: where guests are let in, and where only a link lets them in. */
START_TEST(a_guest_needs_an_open_door_or_a_link)
{
	static const struct {
		const char *room;
		bool uninvited, link, in;
	} cases[] = {
		{ROOM("open"), false, false, true},
		{ROOM("open"), true, false, false},
		{ROOM("open"), true, true, true},
		{ROOM("followers"), false, false, false},
		{ROOM("followers"), true, true, true},
		{ROOM("invited"), false, false, false},
		{ROOM("invited"), true, true, true},
		{ROOM("ticketed"), false, false, false},
		{ROOM("ticketed"), true, true, false},
		{ROOM("ticketed"), false, true, false},
	};
	struct session_wish wish = {.receives = true,
		.profile = {.payload_type = 111},
		.mid = "0",
		.remote_ufrag = "abcd",
		.remote_ufrag_size = 4,
		.remote_pwd = "0123456789012345678901",
		.remote_pwd_size = 22,
		.uninvited = cases[_i].uninvited};
	struct event event = {.type = &session_put_type, .room = "tea"};
	struct desk desk;
	struct plan plan;

	desk_open(&desk);
	must(&desk, cases[_i].room);
	must(&desk, SHARE("ann"));
	wish.share = cases[_i].link ? newest(&desk)->code : "AAAAAAAAAAAAAAAAAAAAAA";
	*(struct session_put *)event.body = (struct session_put){&wish};
	plan_init(&plan, &desk.now);
	event_decide(&desk.registry, &event, &plan);
	ck_assert_msg((plan.verdict.code == VERDICT_OK) == cases[_i].in, "%d: %s", _i,
		plan.verdict.message);
	if (plan.verdict.code != VERDICT_OK)
		ck_assert_int_eq(plan.verdict.code, VERDICT_NOT_ALLOWED);
	if (plan.verdict.code != VERDICT_OK)
		plan_revert(&plan, &desk.registry);
	ck_assert_uint_eq(registry_room(&desk.registry, "tea")->roster.count, cases[_i].in ? 1 : 0);
	plan_clear(&plan);
	desk_close(&desk);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("share");
	TCase *tcase = tcase_create("share");

	parse_setup();
	tcase_add_loop_test(tcase, a_request_has_its_answer, 0, sizeof(rules) / sizeof(rules[0]));
	tcase_add_test(tcase, a_code_opens_the_room_it_is_of);
	tcase_add_test(tcase, who_is_removed_takes_their_links_along);
	tcase_add_test(tcase, an_invitation_is_not_for_somebody_else);
	tcase_add_test(tcase, the_code_is_in_no_text_that_is_kept);
	tcase_add_test(tcase, shares_end_when_they_should);
	tcase_add_test(tcase, a_room_has_a_thousand_shares_and_they_go_with_it);
	tcase_add_loop_test(tcase, a_guest_needs_an_open_door_or_a_link, 0, 10);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
