// SPDX-License-Identifier: BSD-3-Clause
/* What HTTP clients may do with sessions: tokens, media types, If-Match, rates, guests. */
#include "tests/unit/session_world.h"

#include <stdio.h>
#include <string.h>

#include "controlplane/rooms/token.h"

#define LISTEN3 "chromium_recvonly_3"
#define SPEAK "chromium_sendrecv_recvonly"
#define SDPFRAG "application/trickle-ice-sdpfrag"
#define SDP "application/sdp"
/* What chromium_recvonly_3.sdp says is not known here; any other credentials are a restart. */
#define RESTART "a=ice-ufrag:frsh\r\na=ice-pwd:0123456789abcdefghijkl\r\n"

static const struct session_config config = {.sessions_max = 3, .joins_per_second = 1000000};

static void setup(void)
{
	world_open(&config);
}

static void teardown(void)
{
	world_close();
}

static unsigned int last(void)
{
	return world.submit_count - 1;
}

START_TEST(who_may_open_a_session)
{
	static const struct {
		const char *why;
		enum http_route route;
		const char *token, *room, *type, *body;
		unsigned int status;
	} table[] = {
		{"no token", HTTP_ROUTE_WHEP, NULL, "tea", SDP, "", 401},
		{"nobody's token", HTTP_ROUTE_WHEP, "AAAAAAAAAAAAAAAAAAAAAA", "tea", SDP, "", 401},
		{"an empty token", HTTP_ROUTE_WHEP, "", "tea", SDP, "", 401},
		{"a token of another room", HTTP_ROUTE_WHEP, "listener", "pub", SDP, "", 403},
		{"a listener's token to speak with", HTTP_ROUTE_WHIP, "listener", "tea", SDP, "",
			403},
		{"JSON", HTTP_ROUTE_WHEP, "listener", "tea", "application/json", "", 415},
		{"no content type", HTTP_ROUTE_WHEP, "listener", "tea", NULL, "", 415},
		{"no SDP", HTTP_ROUTE_WHEP, "listener", "tea", SDP, "hello", 400},
		{"nothing", HTTP_ROUTE_WHEP, "listener", "tea", SDP, "", 400},
	};
	char token[64];

	strcpy(token, world_join("bob", "listener"));
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		bool ours = table[i].token != NULL && strcmp(table[i].token, "listener") == 0;
		struct world_request request = {table[i].route, HTTP_POST, table[i].room,
			ours ? token : table[i].token, table[i].type, NULL, table[i].body};
		unsigned int before = world.submit_count;

		world_http(&request);
		ck_assert_msg(world.response.status == table[i].status, "%s: %u %s", table[i].why,
			world.response.status, world.response.body);
		ck_assert_str_eq(world.response.type, "application/problem+json");
		ck_assert_uint_eq(world.submit_count, before);
		if (table[i].status == 401)
			ck_assert_msg(strncmp(world.response.challenge, "Bearer", 6) == 0, "%s",
				table[i].why);
		ck_assert_ptr_null(strstr(world.response.body, token));
	}
	/* An offer that only listens does not make a speaker. */
	world_post(HTTP_ROUTE_WHIP, world_join("sue", "speaker"), LISTEN3);
	ck_assert_uint_eq(world.response.status, 400);
}
END_TEST

START_TEST(a_token_ends_with_the_membership_and_with_the_next_token)
{
	char token[64], fresh[64];

	strcpy(token, world_join("bob", "listener"));
	world_ask("{\"id\":\"t\",\"type\":\"member.token\",\"actor\":\"ann\",\"room\":\"tea\","
		  "\"member\":\"bob\"}");
	strcpy(fresh, world_member("bob")->token->text);
	ck_assert_str_ne(fresh, token);
	world_post(HTTP_ROUTE_WHEP, token, LISTEN3);
	ck_assert_uint_eq(world.response.status, 401);
	world_post(HTTP_ROUTE_WHEP, fresh, LISTEN3);
	world_answer(last(), LINK_APPLIED);
	ck_assert_uint_eq(world.response.status, 201);
	world_ask("{\"id\":\"r\",\"type\":\"moderation.remove\",\"actor\":\"ann\",\"room\":\"tea\","
		  "\"member\":\"bob\"}");
	world_post(HTTP_ROUTE_WHEP, fresh, LISTEN3);
	ck_assert_uint_eq(world.response.status, 401);
}
END_TEST

START_TEST(a_token_outlives_the_program)
{
	char token[64];

	strcpy(token, world_join("bob", "listener"));
	world_restart();
	ck_assert_ptr_nonnull(registry_member_by_token(&world.registry, token));
	ck_assert_str_eq(world_member("bob")->token->text, "");
	/* The answer is repeated; what only memory had is not. */
	ck_assert_ptr_nonnull(
		strstr(world_ask("{\"id\":\"join-bob\",\"type\":\"member.join\",\"actor\":\"ann\","
				 "\"room\":\"tea\",\"member\":\"bob\",\"role\":\"listener\","
				 "\"transport\":\"webrtc\"}"),
			"\"token\":null"));
}
END_TEST

START_TEST(a_repeated_join_gives_the_token_again)
{
	char token[64];
	const char *answer;

	strcpy(token, world_join("bob", "listener"));
	answer = world_ask("{\"id\":\"join-bob\",\"type\":\"member.join\",\"actor\":\"ann\","
			   "\"room\":\"tea\",\"member\":\"bob\",\"role\":\"listener\","
			   "\"transport\":\"webrtc\"}");
	ck_assert_msg(strstr(answer, token) != NULL, "%s", answer);
	ck_assert_ptr_nonnull(strstr(answer, "https://rooms.example/room/tea#token="));
}
END_TEST

static void patch(const char *token, const char *location, const char *if_match, const char *body)
{
	struct world_request request = {HTTP_ROUTE_SESSION, HTTP_PATCH,
		location + strlen("/session/"), token, SDPFRAG, if_match, body};

	world_http(&request);
}

START_TEST(ice_restarts_by_patch)
{
	char token[64], location[80], tag[20];
	struct member *bob;
	uint8_t random[4];

	strcpy(token, world_session("bob", "listener", LISTEN3));
	strcpy(location, world.response.location);
	strcpy(tag, world.response.tag);
	bob = world_member("bob");
	memcpy(random, bob->peer->ice.local_random, 4);
	patch(token, location, NULL, RESTART);
	ck_assert_uint_eq(world.response.status, 428);
	patch(token, location, "\"00000000\"", RESTART);
	ck_assert_uint_eq(world.response.status, 412);
	patch(token, location, tag, "a=candidate:1 1 udp 1 10.0.0.1 5000 typ host\r\n");
	ck_assert_uint_eq(world.response.status, 204);
	patch(token, location, tag, "m=audio 9 RTP/AVP 0\r\na=ice-ufrag:x\r\n");
	ck_assert_uint_eq(world.response.status, 400);
	patch(token, location, "*", RESTART);
	ck_assert_ptr_nonnull(world_op(last(), STN_OP_LEG_ICE, 0));
	ck_assert_ptr_null(world_op(last(), STN_OP_LEG_PUT, 0));
	world_answer(last(), LINK_APPLIED);
	ck_assert_uint_eq(world.response.status, 200);
	ck_assert_str_eq(world.response.type, SDPFRAG);
	ck_assert_str_ne(world.response.tag, tag);
	ck_assert_int_ne(memcmp(random, bob->peer->ice.local_random, 4), 0);
	ck_assert_mem_eq(bob->peer->ice.remote_ufrag, "frsh", 5);
	/* The ETag of the old generation is stale, that of the new one is not. */
	strcpy(tag, world.response.tag);
	patch(token, location, tag, RESTART);
	ck_assert_uint_eq(world.response.status, 204);
}
END_TEST

START_TEST(a_refused_restart_leaves_the_session_as_it_was)
{
	char token[64], location[80], tag[20];
	struct stn_op_leg_ice before;

	strcpy(token, world_session("bob", "listener", LISTEN3));
	strcpy(location, world.response.location);
	strcpy(tag, world.response.tag);
	before = world_member("bob")->peer->ice;
	patch(token, location, "*", RESTART);
	world_answer(last(), LINK_REFUSED);
	ck_assert_uint_eq(world.response.status, 503);
	ck_assert_mem_eq(&world_member("bob")->peer->ice, &before, sizeof(before));
	patch(token, location, tag, "a=end-of-candidates\r\n");
	ck_assert_uint_eq(world.response.status, 204);
}
END_TEST

START_TEST(a_resource_is_its_owners)
{
	char token[64], location[80], other[64];
	struct world_request request = {.route = HTTP_ROUTE_SESSION, .method = HTTP_DELETE};

	strcpy(token, world_session("bob", "listener", LISTEN3));
	strcpy(location, world.response.location);
	strcpy(other, world_session("eve", "listener", LISTEN3));
	request.segment = location + strlen("/session/");
	world_http(&request);
	ck_assert_uint_eq(world.response.status, 401);
	request.token = other;
	world_http(&request);
	ck_assert_uint_eq(world.response.status, 404);
	request.token = token;
	request.segment = "00000000000000000000000000000000";
	world_http(&request);
	ck_assert_uint_eq(world.response.status, 404);
	ck_assert_uint_eq(world.registry.sessions, 2);
	request.segment = location + strlen("/session/");
	world_http(&request);
	world_answer(last(), LINK_APPLIED);
	ck_assert_uint_eq(world.response.status, 200);
	ck_assert_ptr_nonnull(world_member("bob")); /* the seat stays for a while */
	world_http(&request);
	ck_assert_uint_eq(world.response.status, 404);
}
END_TEST

START_TEST(there_is_a_most_of_sessions)
{
	char first[64];

	strcpy(first, world_session("a", "listener", LISTEN3));
	world_session("b", "listener", LISTEN3);
	world_session("c", "listener", LISTEN3);
	world_post(HTTP_ROUTE_WHEP, world_join("d", "listener"), LISTEN3);
	ck_assert_uint_eq(world.response.status, 503);
	ck_assert_str_ne(world.response.retry, "");
	world_post(HTTP_ROUTE_WHEP, first, LISTEN3); /* replaces its own */
	world_answer(last(), LINK_APPLIED);
	ck_assert_uint_eq(world.response.status, 201);
}
END_TEST

START_TEST(beyond_the_rate_it_is_try_again)
{
	unsigned int taken = 0;

	world.conductor.sessions->config.joins_per_second = 2;
	for (int i = 0; i < 6; i++) {
		char name[8];

		snprintf(name, sizeof(name), "m%d", i);
		world_post(HTTP_ROUTE_WHEP, world_join(name, "listener"), "minimal_no_bundle");
		taken += world_op(last(), STN_OP_LEG_PUT, 0) != NULL &&
			 !world.submits[last()].answered;
		if (!world.submits[last()].answered)
			world_answer(last(), LINK_NOT_APPLIED);
	}
	/* A second's worth at once, one more if the six took half a second. */
	ck_assert_uint_ge(taken, 2);
	ck_assert_uint_le(taken, 4);
}
END_TEST

START_TEST(a_guest_listens_without_a_token)
{
	const struct member *guest;

	world_post(HTTP_ROUTE_WHEP, NULL, LISTEN3);
	ck_assert_uint_eq(world.response.status, 401);
	world.conductor.sessions->config.open_listening = true;
	world_post(HTTP_ROUTE_WHIP, NULL, SPEAK);
	ck_assert_uint_eq(world.response.status, 401);
	world_post(HTTP_ROUTE_WHEP, NULL, LISTEN3);
	world_answer(last(), LINK_APPLIED);
	ck_assert_uint_eq(world.response.status, 201);
	ck_assert_str_ne(world.response.token, "");
	guest = registry_member_by_token(&world.registry, world.response.token);
	ck_assert_ptr_nonnull(guest);
	ck_assert_msg(strncmp(guest->user.text, "guest-", 6) == 0, "%s", guest->user.text);
	ck_assert_int_eq(guest->role, ROLE_LISTENER);
}
END_TEST

START_TEST(a_room_has_few_profiles)
{
	struct room *room = registry_room(&world.registry, WORLD_ROOM);
	const struct stn_op_leg_put *put;

	for (uint8_t i = 1; i < STN_PROFILES_MAX; i++)
		room->put.profile[i] = (struct stn_profile){.payload_type = (uint8_t)(96 + i)};
	room->put.profile_count = room->profiles_known = STN_PROFILES_MAX;
	/* 111 with RED and level: what there is is 111 alone, which does as well. */
	world_session("bob", "listener", LISTEN3);
	put = world_op(last(), STN_OP_LEG_PUT, 0);
	ck_assert_uint_eq(put->profile, 0);
	ck_assert_ptr_null(strstr(world.response.body, "red/48000"));
	ck_assert_ptr_null(strstr(world.response.body, "ssrc-audio-level"));
	/* 109 is Firefox' Opus: there is nothing for it. */
	world_post(
		HTTP_ROUTE_WHEP, world_join("fox", "listener"), "firefox_recvonly_3_bundle_only");
	ck_assert_uint_eq(world.response.status, 409);
	ck_assert_ptr_nonnull(world_member("fox"));
}
END_TEST

START_TEST(a_full_disk_opens_nothing)
{
	struct world_request request = {.route = HTTP_ROUTE_SESSION, .method = HTTP_DELETE};
	char token[64], location[80];

	strcpy(token, world_session("bob", "listener", LISTEN3));
	strcpy(location, world.response.location);
	world_join("eve", "listener");
	world_fail_store(true);
	world_post(HTTP_ROUTE_WHEP, world_member("eve")->token->text, LISTEN3);
	ck_assert_uint_eq(world.response.status, 503);
	ck_assert_uint_eq(world_member("eve")->put.leg_id, 0);
	/* What ends a leg works all the same. */
	request.segment = location + strlen("/session/");
	request.token = token;
	world_http(&request);
	world_answer(last(), LINK_APPLIED);
	ck_assert_uint_eq(world.response.status, 200);
	ck_assert_uint_eq(world_member("bob")->put.leg_id, 0);
	world_fail_store(false);
	world_restart();
	ck_assert_uint_ne(world.registry.members.count, 0);
}
END_TEST

static char page_answer[2048];

static void take_page_answer(void *context, const struct call_result *result)
{
	snprintf(page_answer, sizeof(page_answer), "%.*s", (int)result->size,
		result->text == NULL ? "" : result->text);
	*(enum verdict_code *)context = result->code;
}

static enum verdict_code page(const char *user, const char *line)
{
	enum verdict_code code = VERDICT_COUNT;
	unsigned int before = world.submit_count;

	conductor_line_as(
		&world.conductor, world_member(user), line, strlen(line), take_page_answer, &code);
	world_turn();
	for (unsigned int i = before; i < world.submit_count; i++)
		world_answer(i, LINK_APPLIED);
	return code;
}

/* Ids of requests are everybody's own: else a page could ask for the answer with ann's token. */
START_TEST(a_page_gets_no_answer_but_its_own)
{
	char token[64];

	strcpy(token, world_join("ann", "host")); /* by the id join-ann */
	world_join("bob", "listener");
	ck_assert_int_eq(
		page("bob", "{\"id\":\"join-ann\",\"type\":\"floor.request\"}"), VERDICT_OK);
	ck_assert_ptr_null(strstr(page_answer, token));
	ck_assert_ptr_nonnull(strstr(page_answer, "\"id\":\"join-ann\""));
	ck_assert_ptr_nonnull(strstr(page_answer, "\"granted\":false"));
	/* Repeated, it is the first answer; another member's is another request. */
	ck_assert_int_eq(
		page("bob", "{\"id\":\"join-ann\",\"type\":\"floor.cancel\"}"), VERDICT_OK);
	ck_assert_ptr_nonnull(strstr(page_answer, "\"granted\":false"));
	ck_assert_ptr_nonnull(world_member("bob")->hand);
	ck_assert_int_eq(
		page("ann", "{\"id\":\"join-ann\",\"type\":\"floor.request\"}"), VERDICT_CONFLICT);
	ck_assert_int_eq(page("ann", "{\"id\":\"join-ann\",\"type\":\"floor.request\"}"),
		VERDICT_CONFLICT); /* the code is known of a kept answer too */
}
END_TEST

START_TEST(a_page_asks_and_speaks)
{
	world_join("ann", "host");
	world_session("bob", "listener", LISTEN3);
	ck_assert_int_eq(page("bob", "{\"id\":\"1\",\"type\":\"floor.request\"}"), VERDICT_OK);
	ck_assert_int_eq(page("ann", "{\"id\":\"2\",\"type\":\"floor.grant\",\"member\":\"bob\"}"),
		VERDICT_OK);
	world_post(HTTP_ROUTE_WHIP, world_member("bob")->token->text, SPEAK);
	world_answer(last(), LINK_APPLIED);
	ck_assert_uint_eq(world.response.status, 201);
	ck_assert_uint_eq(world_member("bob")->put.role, STN_ROLE_SPEAKER);
	ck_assert_int_eq(page("bob", "{\"id\":\"3\",\"type\":\"member.list\"}"), VERDICT_OK);
	ck_assert_ptr_null(strstr(page_answer, "remote")); /* not where others are */
}
END_TEST

START_TEST(one_member_does_not_use_up_the_rate)
{
	char token[64];
	unsigned int last_status = 0;

	strcpy(token, world_join("bob", "listener"));
	for (int i = 0; i < 8; i++) {
		world_post(HTTP_ROUTE_WHEP, token, LISTEN3);
		last_status = world.response.status;
		if (!world.submits[last()].answered)
			world_answer(last(), LINK_APPLIED);
	}
	ck_assert_uint_eq(last_status, 429);
	ck_assert_str_ne(world.response.retry, "");
	world_session("eve", "listener", LISTEN3);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("resource");
	TCase *tcase = tcase_create("resource");

	parse_setup();
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, who_may_open_a_session);
	tcase_add_test(tcase, a_token_ends_with_the_membership_and_with_the_next_token);
	tcase_add_test(tcase, a_token_outlives_the_program);
	tcase_add_test(tcase, a_repeated_join_gives_the_token_again);
	tcase_add_test(tcase, ice_restarts_by_patch);
	tcase_add_test(tcase, a_refused_restart_leaves_the_session_as_it_was);
	tcase_add_test(tcase, a_resource_is_its_owners);
	tcase_add_test(tcase, there_is_a_most_of_sessions);
	tcase_add_test(tcase, beyond_the_rate_it_is_try_again);
	tcase_add_test(tcase, a_guest_listens_without_a_token);
	tcase_add_test(tcase, a_room_has_few_profiles);
	tcase_add_test(tcase, a_full_disk_opens_nothing);
	tcase_add_test(tcase, a_page_gets_no_answer_but_its_own);
	tcase_add_test(tcase, a_page_asks_and_speaks);
	tcase_add_test(tcase, one_member_does_not_use_up_the_rate);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
