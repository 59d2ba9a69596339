/* SPDX-License-Identifier: BSD-3-Clause */
/* The door of a room: who is let in, by what the room is for. */
#include "tests/support/rule.h"

#define ROOM(access_) \
	Q("room.open", "ann", \
		",\"access\":\"" access_ "\",\"cohosts\":[\"cy\"],\"speakers\":[\"sue\"]")
#define FOR_ALL ROOM("open")
#define FOR_FOLLOWERS ROOM("followers")
#define FOR_INVITED ROOM("invited")
#define FOR_TICKETS ROOM("ticketed")
#define USER(who_, more_) \
	"{\"id\":\"i\",\"type\":\"user.upsert\",\"actor\":\"app\",\"user\":\"" who_ "\"" more_ "}"
#define FOLLOWS(who_, whom_) USER(who_, ",\"follows\":[\"" whom_ "\"]")
#define LISTEN(who_) JOIN(who_, "listener", 5000)
#define BRING(who_, whom_, role_) \
	Q("member.join", who_, \
		",\"role\":\"" role_ "\",\"address\":\"10.0.0.1\",\"port\":5000" WHO(whom_))
#define INVITE(who_) Q("share.create", "ann", WHO(who_))
#define OFFER Q("ticket.offer", "ann", ",\"price\":500,\"currency\":\"EUR\",\"quantity\":9")
#define BUY(who_) \
	Q("ticket.issue", "app", \
		",\"user\":\"" who_ "\",\"reference\":\"r-" who_ \
		"\",\"price\":500,\"currency\":\"EUR\"")
#define REFUND(who_) \
	"{\"id\":\"i\",\"type\":\"ticket.refund\",\"actor\":\"app\",\"reference\":\"r-" who_ "\"}"

static const struct rule rules[] = {
	{"an open room lets anybody in", {FOR_ALL}, LISTEN("bob"), VERDICT_OK, "bob", 1, 1},

	{"a room for followers lets a follower of the host in",
		{FOLLOWS("bob", "ann"), FOR_FOLLOWERS}, LISTEN("bob"), VERDICT_OK, "bob", 1, 1},
	{"and a follower of a cohost", {FOLLOWS("bob", "cy"), FOR_FOLLOWERS}, LISTEN("bob"),
		VERDICT_OK, "bob", 1, 1},
	{"not whom they follow", {FOLLOWS("ann", "bob"), FOR_FOLLOWERS}, LISTEN("bob"),
		VERDICT_NOT_ALLOWED, "\"tea\" is for followers of its hosts, \"bob\" is not"},
	{"nobody whom the application has not told of", {FOR_FOLLOWERS}, LISTEN("bob"),
		VERDICT_NOT_ALLOWED, "followers"},
	{"but whom it was told of later", {FOR_FOLLOWERS, FOLLOWS("bob", "ann")}, LISTEN("bob"),
		VERDICT_OK, "bob", 1, 1},
	{"who unfollowed is not let in",
		{FOLLOWS("bob", "ann"), FOR_FOLLOWERS, USER("bob", ",\"follows\":[]")},
		LISTEN("bob"), VERDICT_NOT_ALLOWED, "followers"},
	{"a host brings in whom they like", {FOR_FOLLOWERS}, BRING("ann", "bob", "listener"),
		VERDICT_OK, "bob", 1, 1},
	{"an invitation opens it too", {FOR_FOLLOWERS, INVITE("bob")}, LISTEN("bob"), VERDICT_OK,
		"bob", 1, 1},

	{"a room for the invited lets nobody in", {FOLLOWS("bob", "ann"), FOR_INVITED},
		LISTEN("bob"), VERDICT_NOT_ALLOWED, "\"tea\" is for those invited"},
	{"but whom a host has invited", {FOR_INVITED, INVITE("bob")}, LISTEN("bob"), VERDICT_OK,
		"bob", 1, 1},
	{"not somebody else", {FOR_INVITED, INVITE("bob")}, LISTEN("eve"), VERDICT_NOT_ALLOWED,
		"invited"},
	{"not when the invitation has expired",
		{FOR_INVITED, Q("share.create", "ann", WHO("bob") ",\"duration_ms\":1000"),
			"+wait 1000"},
		LISTEN("bob"), VERDICT_NOT_ALLOWED, "invited"},
	{"to the last moment",
		{FOR_INVITED, Q("share.create", "ann", WHO("bob") ",\"duration_ms\":1000"),
			"+wait 999"},
		LISTEN("bob"), VERDICT_OK, "bob", 1, 1},
	{"and whom a cohost brings", {FOR_INVITED}, BRING("cy", "bob", "listener"), VERDICT_OK,
		"bob", 1, 1},
	{"one who was invited brings nobody", {FOR_INVITED, INVITE("bob")},
		BRING("bob", "eve", "listener"), VERDICT_NOT_ALLOWED, "may bring others in"},
	{"a code that is none opens nothing", {FOR_INVITED},
		Q("member.join", "bob",
			",\"role\":\"listener\",\"share\":\"AAAAAAAAAAAAAAAAAAAAAA\","
			"\"address\":\"10.0.0.1\",\"port\":5000"),
		VERDICT_NOT_ALLOWED, "share: it has expired, or is not for \"bob\""},
	{"and does not shut what is open", {FOR_ALL},
		Q("member.join", "bob",
			",\"role\":\"listener\",\"share\":\"AAAAAAAAAAAAAAAAAAAAAA\","
			"\"address\":\"10.0.0.1\",\"port\":5000"),
		VERDICT_OK, "bob", 1, 1},
	{"who was removed is not let in by an invitation",
		{FOR_INVITED, INVITE("bob"), LISTEN("bob"),
			Q("moderation.remove", "ann", WHO("bob")), INVITE("bob")},
		LISTEN("bob"), VERDICT_NOT_ALLOWED, "removed"},

	{"a ticket lets in", {FOR_TICKETS, OFFER, BUY("bob")}, LISTEN("bob"), VERDICT_OK, "bob", 1,
		1},
	{"nothing else does", {FOLLOWS("bob", "ann"), FOR_TICKETS, OFFER, INVITE("bob")},
		LISTEN("bob"), VERDICT_NOT_ALLOWED, "\"bob\" has no ticket of \"tea\""},
	{"not even the host", {FOR_TICKETS}, BRING("ann", "bob", "listener"), VERDICT_NOT_ALLOWED,
		"no ticket"},
	{"one that was given back does not", {FOR_TICKETS, OFFER, BUY("bob"), REFUND("bob")},
		LISTEN("bob"), VERDICT_NOT_ALLOWED, "no ticket"},
	{"one of somebody else does not", {FOR_TICKETS, OFFER, BUY("bob")}, LISTEN("eve"),
		VERDICT_NOT_ALLOWED, "no ticket"},
	{"a host brings in who has one", {FOR_TICKETS, OFFER, BUY("bob")},
		BRING("cy", "bob", "speaker"), VERDICT_OK, "bob", 1, 1},

	{"the host is at home", {FOR_TICKETS}, JOIN("ann", "host", 5000), VERDICT_OK, "ann", 1, 1},
	{"so is a cohost", {FOR_TICKETS}, JOIN("cy", "cohost", 5000), VERDICT_OK, "cy", 1, 1},
	{"as a speaker too", {FOR_INVITED}, JOIN("cy", "speaker", 5000), VERDICT_OK, "cy", 1, 1},
	{"who was named a speaker", {FOR_TICKETS}, JOIN("sue", "speaker", 5000), VERDICT_OK, "sue",
		1, 1},
	{"as a listener too", {FOR_INVITED}, LISTEN("sue"), VERDICT_OK, "sue", 1, 1},
	{"and who moderates the platform", {USER("mo", ",\"moderator\":true"), FOR_TICKETS},
		LISTEN("mo"), VERDICT_OK, "mo", 1, 1},
	{"nobody else is a cohost", {FOR_ALL}, JOIN("bob", "cohost", 5000), VERDICT_NOT_ALLOWED,
		"\"bob\" is not a cohost of \"tea\""},
	{"nor the host", {FOR_ALL}, JOIN("ann", "cohost", 5000), VERDICT_NOT_ALLOWED,
		"is not a cohost"},
	{"a cohost is not the host", {FOR_ALL}, JOIN("cy", "host", 5000), VERDICT_NOT_ALLOWED,
		"is not the host"},
	{"a cohost admits a speaker", {FOR_ALL}, BRING("cy", "bob", "speaker"), VERDICT_OK, "bob",
		1, 1},
	{"who is banned is not let in, whatever they have",
		{FOR_TICKETS, OFFER, BUY("bob"), Q("moderation.ban", "ann", WHO("bob"))},
		LISTEN("bob"), VERDICT_NOT_ALLOWED, "banned"},
};

START_TEST(the_door_opens_for_whom_it_should)
{
	struct desk desk;

	desk_open(&desk);
	desk.registry.limits.tickets_max = 100;
	rule_check_at(&desk, &rules[_i]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("access");
	TCase *tcase = tcase_create("access");

	parse_setup();
	tcase_add_loop_test(
		tcase, the_door_opens_for_whom_it_should, 0, sizeof(rules) / sizeof(rules[0]));
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
