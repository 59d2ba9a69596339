/* SPDX-License-Identifier: BSD-3-Clause */
/* The rules, as sentences: what was said before, what is asked, what the answer is. */
#include "tests/support/rooms.h"
#include "tests/support/unit.h"

#define Q(type_, actor_, more_) \
	"{\"id\":\"i\",\"type\":\"" type_ "\",\"actor\":\"" actor_ "\",\"room\":\"tea\"" more_ "}"
#define AT(port_) ",\"address\":\"10.0.0.1\",\"port\":" #port_
#define JOIN(who_, role_, more_) Q("member.join", who_, ",\"role\":\"" role_ "\"" more_)
#define WEB(who_, role_, more_) JOIN(who_, role_, ",\"transport\":\"webrtc\"" more_)
#define OPEN Q("room.open", "ann", "")
#define K28 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="
#define L28 "BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="

static const struct {
	const char *what;
	const char *before[5]; /* each must be good */
	const char *line;
	enum verdict_code code;
	const char *says; /* part of the message, or of the answer */
	unsigned int ops, events;
} rows[] = {
	{"a room is opened", {0}, OPEN, VERDICT_OK, "\"slots\":3", 1, 1},
	{"with as many slots as asked for", {0}, Q("room.open", "ann", ",\"slots\":8"), VERDICT_OK,
		"\"slots\":8", 1, 1},
	{"a room that is open cannot be opened", {OPEN}, Q("room.open", "bob", ""),
		VERDICT_ALREADY_EXISTS, "is open"},
	{"a group key is minted", {0},
		Q("room.open", "ann", ",\"group_suite\":\"AEAD_AES_256_GCM\""), VERDICT_OK,
		"\"group_key\":\x01g", 1, 1},
	{"a group key needs its suite", {0}, Q("room.open", "ann", ",\"group_key\":\"" K28 "\""),
		VERDICT_INVALID, "group_suite is missing"},
	{"a group key has its suite's length", {0},
		Q("room.open", "ann",
			",\"group_suite\":\"AEAD_AES_256_GCM\",\"group_key\":\"" K28 "\""),
		VERDICT_INVALID, "not 44 bytes"},

	{"the host changes the title", {OPEN}, Q("room.update", "ann", ",\"title\":\"T\""),
		VERDICT_OK, "\"title\":\"T\"", 0, 1},
	{"nobody else does", {OPEN}, Q("room.update", "bob", ",\"title\":\"T\""),
		VERDICT_NOT_ALLOWED, "only the host"},
	{"slots stay", {OPEN}, Q("room.update", "ann", ",\"slots\":4"), VERDICT_CONFLICT,
		"stays 3"},
	{"the same number of slots is no change", {OPEN}, Q("room.update", "ann", ",\"slots\":3"),
		VERDICT_OK, "", 0, 1},
	{"the group key stays", {OPEN},
		Q("room.update", "ann", ",\"group_suite\":\"AEAD_AES_128_GCM\""), VERDICT_CONFLICT,
		"fixed"},
	{"a room that is not open", {0}, Q("room.update", "ann", ""), VERDICT_NO_SUCH_ROOM, "tea"},

	{"the host closes, everybody goes",
		{OPEN, JOIN("ann", "host", AT(1)), JOIN("bob", "listener", AT(2))},
		Q("room.close", "ann", ""), VERDICT_OK, "tea", 3, 1},
	{"nobody else closes", {OPEN}, Q("room.close", "bob", ""), VERDICT_NOT_ALLOWED, "host"},
	{"a closed room may be opened by somebody else", {OPEN, Q("room.close", "ann", "")},
		Q("room.open", "bob", ""), VERDICT_OK, "tea", 1, 1},

	{"anybody listens", {OPEN}, JOIN("bob", "listener", AT(2)), VERDICT_OK,
		"\"member\":\"bob\"", 1, 1},
	{"nobody is there twice", {OPEN, JOIN("bob", "listener", AT(2))},
		JOIN("bob", "listener", AT(3)), VERDICT_ALREADY_EXISTS, "keeps the seat"},
	{"not everybody speaks", {OPEN}, JOIN("bob", "speaker", AT(2)), VERDICT_NOT_ALLOWED,
		"the host admits speakers"},
	{"the host admits a speaker", {OPEN}, JOIN("ann", "speaker", AT(2) ",\"member\":\"bob\""),
		VERDICT_OK, "bob", 1, 1},
	{"those named speak", {Q("room.open", "ann", ",\"speakers\":[\"bob\"]")},
		JOIN("bob", "speaker", AT(2)), VERDICT_OK, "bob", 1, 1},
	{"others than those named do not", {Q("room.open", "ann", ",\"speakers\":[\"bob\"]")},
		JOIN("eve", "speaker", AT(2)), VERDICT_NOT_ALLOWED, "eve"},
	{"with an open floor all speak", {Q("room.open", "ann", ",\"open_floor\":true")},
		JOIN("eve", "speaker", AT(2)), VERDICT_OK, "eve", 1, 1},
	{"the host is host", {OPEN}, JOIN("ann", "host", AT(2)), VERDICT_OK, "ann", 1, 1},
	{"nobody else is", {OPEN}, JOIN("bob", "host", AT(2)), VERDICT_NOT_ALLOWED,
		"is not the host"},
	{"nobody is brought in by a guest", {OPEN},
		JOIN("bob", "listener", AT(2) ",\"member\":\"eve\""), VERDICT_NOT_ALLOWED,
		"only the host or a cohost of \"tea\" may bring others in"},
	{"a room has its capacity",
		{Q("room.open", "ann", ",\"capacity\":1"), JOIN("bob", "listener", AT(2))},
		JOIN("eve", "listener", AT(3)), VERDICT_CAPACITY, "full with 1"},
	{"no address", {OPEN}, JOIN("bob", "listener", ",\"port\":5"), VERDICT_INVALID,
		"address: missing"},
	{"no port", {OPEN}, JOIN("bob", "listener", ",\"address\":\"10.0.0.1\""), VERDICT_INVALID,
		"port: missing"},
	{"a name for an address", {OPEN},
		JOIN("bob", "listener", ",\"port\":5,\"address\":\"localhost\""), VERDICT_INVALID,
		"not a unicast"},
	{"a group for an address", {OPEN},
		JOIN("bob", "listener", ",\"port\":5,\"address\":\"224.0.0.1\""), VERDICT_INVALID,
		"not a unicast"},
	{"any for an address", {OPEN}, JOIN("bob", "listener", ",\"port\":5,\"address\":\"::\""),
		VERDICT_INVALID, "not a unicast"},
	{"IPv6", {OPEN}, JOIN("bob", "listener", ",\"port\":5,\"address\":\"2001:db8::1\""),
		VERDICT_OK, "bob", 1, 1},
	{"a key may be used once",
		{OPEN, JOIN("bob", "listener", AT(2) ",\"tx_key\":\"" K28 "\""),
			Q("member.leave", "bob", "")},
		JOIN("bob", "listener", AT(2) ",\"tx_key\":\"" K28 "\""), VERDICT_CONFLICT,
		"used in this room before"},
	{"not in both directions either", {OPEN},
		JOIN("ann", "host", AT(2) ",\"tx_key\":\"" K28 "\",\"rx_key\":\"" K28 "\""),
		VERDICT_CONFLICT, "rx_key: was used"},
	{"two keys", {OPEN},
		JOIN("ann", "host", AT(2) ",\"tx_key\":\"" K28 "\",\"rx_key\":\"" L28 "\""),
		VERDICT_OK, "ann", 1, 1},
	{"a key has its suite's length", {OPEN},
		JOIN("bob", "listener",
			AT(2) ",\"suite\":\"AES128_CM_HMAC_SHA1_80\",\"tx_key\":\"" K28 "\""),
		VERDICT_INVALID, "not 30 bytes"},
	{"a group member in a room without a group", {OPEN},
		JOIN("bob", "listener", AT(2) ",\"protection\":\"group\""), VERDICT_INVALID,
		"without group_suite"},
	{"a group member", {Q("room.open", "ann", ",\"group_suite\":\"AEAD_AES_128_GCM\"")},
		JOIN("bob", "listener", AT(2) ",\"protection\":\"group\""), VERDICT_OK, "bob", 1,
		1},
	{"a group member with another payload type: one key, one plaintext",
		{Q("room.open", "ann", ",\"group_suite\":\"AEAD_AES_128_GCM\"")},
		JOIN("bob", "listener", AT(2) ",\"protection\":\"group\",\"payload_type\":96"),
		VERDICT_INVALID, "one key has one plaintext"},
	{"a group speaker", {Q("room.open", "ann", ",\"group_suite\":\"AEAD_AES_128_GCM\"")},
		JOIN("ann", "host", AT(2) ",\"protection\":\"group\""), VERDICT_INVALID,
		"a speaker needs leg"},
	{"another payload type is another profile", {OPEN},
		JOIN("bob", "listener", AT(2) ",\"payload_type\":109"), VERDICT_OK, "bob", 2, 1},
	{"four profiles at most",
		{OPEN, JOIN("a", "listener", AT(2) ",\"payload_type\":1"),
			JOIN("b", "listener", AT(3) ",\"payload_type\":2"),
			JOIN("c", "listener", AT(4) ",\"payload_type\":3")},
		JOIN("d", "listener", AT(5) ",\"payload_type\":4"), VERDICT_CAPACITY,
		"has its 4 combinations"},
	{"many at once", {OPEN},
		JOIN("ann", "listener",
			",\"payload_type\":9,\"members\":["
			"{\"member\":\"a\"" AT(1) "},{\"member\":\"b\"" AT(2) "}]"),
		VERDICT_OK, "\"member\":\"b\"", 3, 1},
	{"all of them or none", {OPEN},
		JOIN("ann", "listener",
			",\"members\":["
			"{\"member\":\"a\"" AT(1) "},{\"member\":\"a\"" AT(2) "}]"),
		VERDICT_ALREADY_EXISTS, "members[1]: \"a\" is in"},
	{"either many or one", {OPEN},
		JOIN("ann", "listener", AT(1) ",\"members\":[{\"member\":\"a\"" AT(1) "}]"),
		VERDICT_INVALID, "belong into its items"},

	{"a browser gets a seat and a token", {OPEN}, WEB("bob", "listener", ""), VERDICT_OK,
		"\"leg\":null,\"token\":\x01k", 0, 1},
	{"and no address, which its SDP brings", {OPEN}, WEB("bob", "listener", AT(2)),
		VERDICT_INVALID, "agrees on address"},
	{"nor a suite", {OPEN}, WEB("bob", "listener", ",\"suite\":\"AEAD_AES_256_GCM\""),
		VERDICT_INVALID, "agrees on address"},
	{"the host brings a browser in as a speaker", {OPEN},
		WEB("ann", "speaker", ",\"member\":\"bob\""), VERDICT_OK, "bob", 0, 1},
	{"a browser is not there twice either", {OPEN, WEB("bob", "listener", "")},
		WEB("bob", "listener", ""), VERDICT_ALREADY_EXISTS, "keeps the seat"},
	{"browsers and keyed members at once", {OPEN},
		JOIN("ann", "listener",
			",\"transport\":\"webrtc\",\"members\":[{\"member\":\"a\"},"
			"{\"member\":\"b\",\"transport\":\"keyed\"" AT(2) "}]"),
		VERDICT_OK, "\"token\":\x01k", 1, 1},
	{"another token for oneself", {OPEN, WEB("bob", "listener", "")},
		Q("member.token", "bob", ""), VERDICT_OK, "\"token\":\x01k", 0, 0},
	{"the host gets one for others", {OPEN, WEB("bob", "listener", "")},
		Q("member.token", "ann", ",\"member\":\"bob\""), VERDICT_OK, "\x01k", 0, 0},
	{"nobody else does", {OPEN, WEB("bob", "listener", "")},
		Q("member.token", "eve", ",\"member\":\"bob\""), VERDICT_NOT_ALLOWED, "token"},
	{"with keys there is no token", {OPEN, JOIN("bob", "listener", AT(2))},
		Q("member.token", "bob", ""), VERDICT_CONFLICT, "not by webrtc"},
	{"who is not there has no token", {OPEN}, Q("member.token", "bob", ""),
		VERDICT_NO_SUCH_MEMBER, "bob"},

	{"one asks for the floor", {OPEN, WEB("bob", "listener", "")},
		Q("floor.request", "bob", ""), VERDICT_OK, "\"granted\":false,\"position\":0", 0,
		1},
	{"the second stands behind",
		{OPEN, WEB("bob", "listener", ""), WEB("eve", "listener", ""),
			Q("floor.request", "bob", "")},
		Q("floor.request", "eve", ""), VERDICT_OK, "\"position\":1", 0, 1},
	{"asking again keeps the place",
		{OPEN, WEB("bob", "listener", ""), WEB("eve", "listener", ""),
			Q("floor.request", "bob", ""), Q("floor.request", "eve", "")},
		Q("floor.request", "bob", ""), VERDICT_OK, "\"position\":0", 0, 1},
	{"one who is not there does not ask", {OPEN}, Q("floor.request", "bob", ""),
		VERDICT_NO_SUCH_MEMBER, "bob"},
	{"a speaker has the floor", {OPEN, WEB("ann", "host", "")}, Q("floor.request", "ann", ""),
		VERDICT_CONFLICT, "has the floor"},
	{"with an open floor asking is having",
		{Q("room.open", "ann", ",\"open_floor\":true"), WEB("bob", "listener", "")},
		Q("floor.request", "bob", ""), VERDICT_OK, "\"role\":\"speaker\",\"granted\":true",
		0, 1},
	{"a leg that only listens can wait for the floor", {OPEN, JOIN("bob", "listener", AT(2))},
		Q("floor.request", "bob", ""), VERDICT_OK, "\"position\":0", 0, 1},
	{"the host grants", {OPEN, WEB("bob", "listener", ""), Q("floor.request", "bob", "")},
		Q("floor.grant", "ann", ",\"member\":\"bob\""), VERDICT_OK, "\"role\":\"speaker\"",
		0, 1},
	{"nobody else grants", {OPEN, WEB("bob", "listener", ""), Q("floor.request", "bob", "")},
		Q("floor.grant", "bob", ",\"member\":\"bob\""), VERDICT_NOT_ALLOWED, "host"},
	{"nothing is granted that was not asked for", {OPEN, WEB("bob", "listener", "")},
		Q("floor.grant", "ann", ",\"member\":\"bob\""), VERDICT_CONFLICT, "does not ask"},
	{"nor what was denied",
		{OPEN, WEB("bob", "listener", ""), Q("floor.request", "bob", ""),
			Q("floor.deny", "ann", ",\"member\":\"bob\"")},
		Q("floor.grant", "ann", ",\"member\":\"bob\""), VERDICT_CONFLICT, "does not ask"},
	{"the host denies", {OPEN, WEB("bob", "listener", ""), Q("floor.request", "bob", "")},
		Q("floor.deny", "ann", ",\"member\":\"bob\",\"reason\":\"later\""), VERDICT_OK,
		"\"role\":\"listener\"", 0, 1},
	{"a request is taken back",
		{OPEN, WEB("bob", "listener", ""), Q("floor.request", "bob", "")},
		Q("floor.cancel", "bob", ""), VERDICT_OK, "bob", 0, 1},
	{"a speaker gives the floor back", {OPEN, WEB("ann", "speaker", ",\"member\":\"bob\"")},
		Q("floor.release", "bob", ""), VERDICT_OK, "\"role\":\"listener\"", 0, 1},
	{"and is silent at once, the leg can still send",
		{OPEN, JOIN("ann", "speaker", AT(2) ",\"member\":\"bob\"")},
		Q("floor.release", "bob", ""), VERDICT_OK, "\"role\":\"listener\"", 1, 1},
	{"a listener has none to give back", {OPEN, WEB("bob", "listener", "")},
		Q("floor.release", "bob", ""), VERDICT_CONFLICT, "no floor"},
	{"nor the host, whose room it is", {OPEN, WEB("ann", "host", "")},
		Q("floor.release", "ann", ""), VERDICT_CONFLICT, "is host"},

	{"one leaves", {OPEN, JOIN("bob", "listener", AT(2))}, Q("member.leave", "bob", ""),
		VERDICT_OK, "bob", 1, 1},
	{"one who is not there does not leave", {OPEN}, Q("member.leave", "bob", ""),
		VERDICT_NO_SUCH_MEMBER, "bob"},
	{"one does not send others away", {OPEN, JOIN("bob", "listener", AT(2))},
		Q("member.leave", "eve", ",\"member\":\"bob\""), VERDICT_NOT_ALLOWED, "host"},
	{"the host ends a membership", {OPEN, JOIN("bob", "listener", AT(2))},
		Q("member.leave", "ann", ",\"member\":\"bob\""), VERDICT_OK, "bob", 1, 1},
	{"and they may come back",
		{OPEN, JOIN("bob", "listener", AT(2)),
			Q("member.leave", "ann", ",\"member\":\"bob\"")},
		JOIN("bob", "listener", AT(2)), VERDICT_OK, "bob", 1, 1},

	{"the host mutes", {OPEN, JOIN("ann", "host", AT(2))},
		Q("moderation.mute", "ann", ",\"member\":\"ann\""), VERDICT_OK, "ann", 1, 1},
	{"nobody else does", {OPEN, JOIN("ann", "host", AT(2))},
		Q("moderation.mute", "bob", ",\"member\":\"ann\""), VERDICT_NOT_ALLOWED, "mute"},
	{"who is not there cannot be muted", {OPEN},
		Q("moderation.mute", "ann", ",\"member\":\"bob\""), VERDICT_NO_SUCH_MEMBER, "bob"},
	{"a listener has no leg to mute, the mute waits", {OPEN, JOIN("bob", "listener", AT(2))},
		Q("moderation.mute", "ann", ",\"member\":\"bob\""), VERDICT_OK, "bob", 0, 1},
	{"until when, said once", {OPEN, JOIN("ann", "host", AT(2))},
		Q("moderation.mute", "ann",
			",\"member\":\"ann\",\"duration_ms\":5,\"until_ms\":1800000000000"),
		VERDICT_INVALID, "one of them"},
	{"until the past", {OPEN, JOIN("ann", "host", AT(2))},
		Q("moderation.mute", "ann", ",\"member\":\"ann\",\"until_ms\":1600000000000"),
		VERDICT_INVALID, "not in the future"},
	{"unmute who is not muted", {OPEN, JOIN("ann", "host", AT(2))},
		Q("moderation.unmute", "ann", ",\"member\":\"ann\""), VERDICT_CONFLICT,
		"not muted"},
	{"unmute",
		{OPEN, JOIN("ann", "host", AT(2)),
			Q("moderation.mute", "ann", ",\"member\":\"ann\"")},
		Q("moderation.unmute", "ann", ",\"member\":\"ann\""), VERDICT_OK, "ann", 1, 1},

	{"the host removes", {OPEN, JOIN("bob", "listener", AT(2))},
		Q("moderation.remove", "ann", ",\"member\":\"bob\""), VERDICT_OK, "bob", 1, 1},
	{"who was removed does not come back",
		{OPEN, JOIN("bob", "listener", AT(2)),
			Q("moderation.remove", "ann", ",\"member\":\"bob\"")},
		JOIN("bob", "listener", AT(2)), VERDICT_NOT_ALLOWED, "may not come back"},
	{"not even when the host brings them",
		{OPEN, JOIN("bob", "listener", AT(2)),
			Q("moderation.remove", "ann", ",\"member\":\"bob\"")},
		JOIN("ann", "listener", AT(2) ",\"member\":\"bob\""), VERDICT_NOT_ALLOWED,
		"may not come back"},
	{"a guest removes nobody", {OPEN, JOIN("bob", "listener", AT(2))},
		Q("moderation.remove", "eve", ",\"member\":\"bob\""), VERDICT_NOT_ALLOWED, "host"},
	{"the host is not removed", {OPEN, JOIN("ann", "host", AT(2))},
		Q("moderation.remove", "ann", ",\"member\":\"ann\""), VERDICT_NOT_ALLOWED,
		"host cannot be removed"},

	{"explain needs somebody", {OPEN}, "{\"id\":\"1\",\"type\":\"explain\",\"room\":\"tea\"}",
		VERDICT_INVALID, "either room and member"},
	{"a subscription cannot begin in the future", {OPEN},
		"{\"id\":\"1\",\"type\":\"subscribe\",\"from\":2}", VERDICT_INVALID,
		"has not happened yet"},
	{"a page starts where one ended", {OPEN},
		"{\"id\":\"1\",\"type\":\"room.list\",\"after\":\"x\"}", VERDICT_INVALID, "after"},
};

START_TEST(a_request_has_its_answer)
{
	struct desk desk;
	char *state, *after;
	const char *text;

	desk_open(&desk);
	for (unsigned int i = 0; i < 5 && rows[_i].before[i] != NULL; i++)
		ck_assert_msg(desk_ask(&desk, rows[_i].before[i]) == VERDICT_OK,
			"%s: before %u: %s", rows[_i].what, i, desk.verdict.message);
	state = desk_state(&desk.registry);
	desk_ask(&desk, rows[_i].line);
	after = desk_state(&desk.registry);
	ck_assert_msg(desk.verdict.code == rows[_i].code, "%s: %s '%s'", rows[_i].what,
		verdict_code_name(desk.verdict.code), desk.verdict.message);
	text = rows[_i].code == VERDICT_OK ? desk.answer : desk.verdict.message;
	ck_assert_msg(strstr(text, rows[_i].says) != NULL, "%s: '%s'", rows[_i].what, text);
	if (rows[_i].code != VERDICT_OK) {
		ck_assert_msg(strcmp(state, after) == 0, "%s: changed\n%s\n%s", rows[_i].what,
			state, after);
	} else {
		ck_assert_msg(desk.ops == rows[_i].ops, "%s: %u ops", rows[_i].what, desk.ops);
		ck_assert_msg(desk.events == rows[_i].events, "%s: %u events", rows[_i].what,
			desk.events);
	}
	free(state);
	free(after);
	desk_close(&desk);
}
END_TEST

START_TEST(who_has_not_left_after_all_holds_their_slot)
{
	struct desk desk;
	struct plan plan;
	const struct member *ann;
	struct room *room;

	desk_open(&desk);
	desk_ask(&desk, OPEN);
	desk_ask(&desk, JOIN("ann", "host", AT(2)));
	room = registry_room(&desk.registry, "tea");
	ann = registry_member(room, "ann");
	room->holder[1] = member_id(ann);
	ck_assert(desk_plan(&desk, &plan, Q("member.leave", "ann", "")));
	ck_assert_uint_eq(room->holder[1], 0);
	plan_revert(&plan, &desk.registry);
	plan_clear(&plan);
	ck_assert_uint_eq(room->holder[1], member_id(ann));
	desk_close(&desk);
}
END_TEST

/* Setting the clock a year ahead and coming in again is no way around a mute of an hour. */
START_TEST(a_mute_is_not_shed_when_the_clock_is_set)
{
	struct desk desk;
	struct room *room;

	desk_open(&desk);
	desk_ask(&desk, OPEN);
	desk_ask(&desk, JOIN("ann", "host", AT(2)));
	desk_ask(&desk, Q("moderation.mute", "ann", ",\"member\":\"ann\",\"duration_ms\":3600000"));
	desk.now.wall_ms += 365LL * 24 * 3600 * 1000;
	desk_ask(&desk, Q("member.leave", "ann", ""));
	desk_ask(&desk, JOIN("ann", "host", AT(2)));
	room = registry_room(&desk.registry, "tea");
	ck_assert(member_muted(registry_member(room, "ann")));
	desk.now.mono_ns += 3600ULL * 1000000000;
	desk_ask(&desk, Q("member.leave", "ann", ""));
	desk_ask(&desk, JOIN("ann", "host", AT(2)));
	ck_assert(!member_muted(registry_member(room, "ann")));
	desk_close(&desk);
}
END_TEST

/* Each good request of the table, taken back: the state is what it was. */
START_TEST(what_is_taken_back_has_not_been)
{
	struct desk desk;
	struct plan plan;
	char *state, *after;

	if (rows[_i].code != VERDICT_OK)
		return;
	desk_open(&desk);
	for (unsigned int i = 0; i < 5 && rows[_i].before[i] != NULL; i++)
		desk_ask(&desk, rows[_i].before[i]);
	state = desk_state(&desk.registry);
	ck_assert(desk_plan(&desk, &plan, rows[_i].line));
	after = desk_state(&desk.registry);
	if (rows[_i].events > 0)
		ck_assert_msg(strcmp(state, after) != 0, "%s: changed nothing", rows[_i].what);
	free(after);
	plan_revert(&plan, &desk.registry);
	plan_clear(&plan);
	after = desk_state(&desk.registry);
	ck_assert_msg(strcmp(state, after) == 0, "%s:\n%s\n%s", rows[_i].what, state, after);
	free(state);
	free(after);
	desk_close(&desk);
}
END_TEST

/* The operation of a request, which must be the only one. */
static void ask_op(struct desk *desk, const char *line, void *op, size_t size)
{
	struct plan plan;

	ck_assert_msg(desk_plan(desk, &plan, line), "%s", desk->verdict.message);
	ck_assert_uint_eq(plan.op_count, 1);
	ck_assert_uint_eq(plan.ops_size, size);
	memcpy(op, plan.ops, size);
	plan_clear(&plan);
}

START_TEST(the_operations_say_what_was_asked)
{
	struct desk desk;
	struct stn_op_room_put room;
	struct stn_op_leg_put leg;
	struct stn_op_leg_mute mute;
	struct stn_op_leg_remove remove;

	desk_open(&desk);
	ask_op(&desk, Q("room.open", "ann", ",\"slots\":2,\"duration_ms\":1000"), &room,
		sizeof(room));
	ck_assert_uint_eq(room.op.type, STN_OP_ROOM_PUT);
	ck_assert_uint_eq(room.slot_count, 2);
	ck_assert_uint_eq(room.slot_ssrc[2], 0);
	ck_assert_uint_ne(room.slot_ssrc[0], room.slot_ssrc[1]);
	/* One second from 1,000,000,000 ns. */
	ck_assert_uint_eq(room.end_ns, 2000000000);
	ask_op(&desk, JOIN("ann", "host", AT(258) ",\"ssrc\":7,\"audio_level_id\":0"), &leg,
		sizeof(leg));
	ck_assert_uint_eq(leg.role, STN_ROLE_SPEAKER);
	ck_assert_uint_eq(leg.room_id, room.room_id);
	ck_assert_uint_eq(leg.source_ssrc, 7);
	ck_assert_uint_eq(leg.payload_type, 111);
	ck_assert_uint_eq(leg.remote.family, 4);
	ck_assert_uint_eq(leg.remote.address[0], 10);
	ck_assert_uint_eq(((uint8_t *)&leg.remote.port_be)[0], 1); /* 258 is 0x0102 */
	ck_assert_uint_eq(((uint8_t *)&leg.remote.port_be)[1], 2);
	ck_assert_uint_eq(leg.tx.suite, STN_SUITE_AEAD_AES_128_GCM);
	ck_assert_uint_eq(leg.rx.suite, STN_SUITE_AEAD_AES_128_GCM);
	ck_assert(memcmp(leg.tx.key, leg.rx.key, 16) != 0);
	ck_assert_uint_eq(leg.flags, 0);
	ck_assert_uint_eq(leg.key_store_id, 0);
	ask_op(&desk, Q("moderation.mute", "ann", ",\"member\":\"ann\",\"duration_ms\":500"), &mute,
		sizeof(mute));
	ck_assert_uint_eq(mute.leg_id, leg.leg_id);
	ck_assert_uint_eq(mute.muted, 1);
	ck_assert_uint_eq(mute.until_ns, 1500000000);
	/* A mute is of the user: it comes back with them. */
	ask_op(&desk, Q("member.leave", "ann", ""), &remove, sizeof(remove));
	ck_assert_uint_eq(remove.leg_id, leg.leg_id);
	ask_op(&desk, JOIN("ann", "host", AT(1)), &leg, sizeof(leg));
	ck_assert_uint_eq(leg.flags, STN_LEG_MUTED);
	ck_assert_uint_eq(leg.mute_until_ns, 1500000000);
	ck_assert_uint_ne(leg.leg_id, remove.leg_id);
	desk_close(&desk);
}
END_TEST

START_TEST(pages_show_everybody_once)
{
	struct desk desk;
	char line[256], *next;
	unsigned int seen = 0;
	unsigned long long after = 0;

	desk_open(&desk);
	ck_assert_int_eq(desk_ask(&desk, OPEN), VERDICT_OK);
	for (unsigned int i = 0; i < 25; i++) {
		snprintf(line, sizeof(line),
			JOIN("m%u", "listener",
				",\"address\":\"10.0.0.1\","
				"\"port\":%u"),
			i, i + 1);
		ck_assert_int_eq(desk_ask(&desk, line), VERDICT_OK);
	}
	do {
		snprintf(line, sizeof(line),
			"{\"id\":\"1\",\"type\":\"member.list\",\"room\":\"tea\","
			"\"limit\":7,\"after\":\"%llu\"}",
			after);
		ck_assert_int_eq(desk_ask(&desk, line), VERDICT_OK);
		for (const char *at = desk.answer; (at = strstr(at, "\"leg\":")) != NULL; at++)
			seen++;
		next = strstr(desk.answer, "\"next\":\"");
		after = next == NULL ? 0 : strtoull(next + 8, NULL, 10);
	} while (next != NULL);
	ck_assert_uint_eq(seen, 25);
	desk_close(&desk);
}
END_TEST

int main(void)
{
	const int count = sizeof(rows) / sizeof(rows[0]);
	Suite *suite = suite_create("rooms");
	TCase *tcase = tcase_create("rooms");

	parse_setup();
	tcase_add_loop_test(tcase, a_request_has_its_answer, 0, count);
	tcase_add_loop_test(tcase, what_is_taken_back_has_not_been, 0, count);
	tcase_add_test(tcase, who_has_not_left_after_all_holds_their_slot);
	tcase_add_test(tcase, a_mute_is_not_shed_when_the_clock_is_set);
	tcase_add_test(tcase, the_operations_say_what_was_asked);
	tcase_add_test(tcase, pages_show_everybody_once);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
