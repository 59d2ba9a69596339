// SPDX-License-Identifier: BSD-3-Clause
/* A session's leg from its offer to its end, with a link, a DTLS and clients that the test plays.
 */
#include "tests/unit/session_world.h"

#include <stdio.h>
#include <string.h>

#include "controlplane/rooms/token.h"
#include "dataplane/api/ufrag.h"

#define LISTEN3 "chromium_recvonly_3"
#define SPEAK "chromium_sendrecv_recvonly"

static const struct session_config config = {.sessions_max = 10, .joins_per_second = 1000000};

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

static bool was_forgotten(uint64_t leg_id)
{
	for (unsigned int i = 0; i < world.forgotten_count; i++) {
		if (world.forgotten[i] == leg_id)
			return true;
	}
	return false;
}

START_TEST(an_offer_becomes_a_leg)
{
	const char *token = world_join("bob", "listener");
	const struct stn_op_leg_put *put;
	const struct stn_op_leg_ice *ice;
	const struct stn_op_room_put *room;
	char ufrag[STN_UFRAG_SIZE + 1] = "", line[64];

	ck_assert_uint_eq(world_member("bob")->put.leg_id, 0);
	world_post(HTTP_ROUTE_WHEP, token, LISTEN3);
	ck_assert_uint_eq(world.responses, 0); /* not before the data plane has it */
	put = world_op(last(), STN_OP_LEG_PUT, 0);
	ice = world_op(last(), STN_OP_LEG_ICE, 0);
	room = world_op(last(), STN_OP_ROOM_PUT, 0);
	ck_assert_ptr_nonnull(put);
	ck_assert_ptr_nonnull(ice);
	ck_assert_uint_eq(put->transport, STN_TRANSPORT_WEBRTC);
	ck_assert_uint_eq(put->role, STN_ROLE_LISTENER);
	ck_assert_uint_eq(put->tx.suite, STN_SUITE_NONE);
	ck_assert_uint_eq(put->remote.family, 0);
	ck_assert_uint_eq(ice->leg_id, put->leg_id);
	/* a=ice-ufrag and a=extmap, a=rtpmap of the file */
	ck_assert_ptr_nonnull(room);
	ck_assert_uint_eq(room->profile_count, 2);
	ck_assert_uint_eq(room->profile[1].payload_type, 111);
	ck_assert_uint_eq(room->profile[1].red_payload_type, 63);
	ck_assert_uint_eq(room->profile[1].audio_level_id, 1);
	ck_assert_uint_eq(put->profile, 1);
	world_answer(last(), LINK_APPLIED);
	ck_assert_uint_eq(world.response.status, 201);
	ck_assert_str_eq(world.response.type, "application/sdp");
	ck_assert_uint_eq(strlen(world.response.location), strlen("/session/") + 32);
	ck_assert_ptr_nonnull(strstr(world.response.body, "10.1.0.0 40000 typ host"));
	stn_ufrag_make(put->leg_id, ice->local_random, ufrag);
	snprintf(line, sizeof(line), "a=ice-ufrag:%s\r\n", ufrag);
	ck_assert_ptr_nonnull(strstr(world.response.body, line));
	snprintf(line, sizeof(line), "a=ice-pwd:%.24s\r\n", ice->local_pwd);
	ck_assert_ptr_nonnull(strstr(world.response.body, line));
	ck_assert_uint_eq(world.expected_count, 1);
	ck_assert_uint_eq(world.expected[0], put->leg_id);
}
END_TEST

START_TEST(a_speaker_is_read_from_the_offer)
{
	const struct stn_op_leg_put *put;

	world_session("sue", "speaker", SPEAK);
	put = world_op(last(), STN_OP_LEG_PUT, 0);
	ck_assert_uint_eq(put->role, STN_ROLE_SPEAKER);
	ck_assert_uint_eq(put->payload_type, 111);
	ck_assert_uint_ne(put->source_ssrc, 0);
	ck_assert_uint_eq(world_member("sue")->ssrc, put->source_ssrc);
}
END_TEST

START_TEST(keys_follow_the_handshake)
{
	const struct stn_op_leg_put *put;
	struct member *bob;

	world_session("bob", "listener", LISTEN3);
	bob = world_member("bob");
	ck_assert(bob->programmed);
	ck_assert_uint_eq(bob->put.key_store_id, 0); /* nothing was protected yet */
	world_keys(bob->put.leg_id, 0x11);
	put = world_op(last(), STN_OP_LEG_PUT, 0);
	ck_assert_uint_eq(put->leg_id, bob->put.leg_id);
	ck_assert_uint_eq(put->tx.key[0], 0x11);
	ck_assert_uint_eq(put->rx.key[0], 0x12);
	ck_assert_uint_eq(put->flags & STN_LEG_ORIGIN_KNOWN, 0);
	world.origin = (struct stn_room_origin){.origin = {4, 5, 6}};
	world.origin_given = true;
	world_answer(last(), LINK_APPLIED);
	ck_assert_uint_eq(bob->put.key_store_id, 77);
	ck_assert(bob->put.flags & STN_LEG_ORIGIN_KNOWN);
	ck_assert_uint_eq(bob->put.origin[2], 6);
	/* Another handshake for the same leg changes nothing: keys once set are immutable. */
	world_keys(bob->put.leg_id, 0x33);
	ck_assert_uint_eq(bob->put.tx.key[0], 0x11);
}
END_TEST

START_TEST(keys_of_who_has_left_are_dropped)
{
	unsigned int keys;
	uint64_t leg_id;

	world_session("bob", "listener", LISTEN3);
	leg_id = world_member("bob")->put.leg_id;
	world_keys(leg_id, 0x11);
	keys = last();
	world_ask("{\"id\":\"r\",\"type\":\"moderation.remove\",\"actor\":\"ann\",\"room\":\"tea\","
		  "\"member\":\"bob\"}");
	ck_assert(was_forgotten(leg_id));
	world_answer(keys, LINK_APPLIED);
	ck_assert_ptr_null(world_member("bob"));
	world_keys(leg_id, 0x22); /* came out of the handshake thread too late */
	ck_assert_uint_eq(last(), keys + 1);
}
END_TEST

START_TEST(a_page_loaded_again_takes_the_place_of_the_old_one)
{
	char token[64], first[80];
	uint64_t old;

	strcpy(token, world_session("sue", "speaker", SPEAK));
	old = world_member("sue")->put.leg_id;
	strcpy(first, world.response.location);
	world_post(HTTP_ROUTE_WHIP, token, SPEAK);
	ck_assert_uint_eq(
		((const struct stn_op_leg_remove *)world_op(last(), STN_OP_LEG_REMOVE, 0))->leg_id,
		old);
	ck_assert_uint_ne(
		((const struct stn_op_leg_put *)world_op(last(), STN_OP_LEG_PUT, 0))->leg_id, old);
	world_answer(last(), LINK_APPLIED);
	ck_assert_uint_eq(world.response.status, 201);
	ck_assert_str_ne(world.response.location, first);
	ck_assert(was_forgotten(old));
	ck_assert_uint_eq(world.registry.sessions, 1);
}
END_TEST

START_TEST(a_mute_outlives_the_session)
{
	const struct stn_op_leg_put *put;
	char token[64];

	strcpy(token, world_session("sue", "speaker", SPEAK));
	world_ask("{\"id\":\"m\",\"type\":\"moderation.mute\",\"actor\":\"ann\",\"room\":\"tea\","
		  "\"member\":\"sue\"}");
	world_post(HTTP_ROUTE_WHIP, token, SPEAK);
	put = world_op(last(), STN_OP_LEG_PUT, 0);
	ck_assert(put->flags & STN_LEG_MUTED);
	world_answer(last(), LINK_APPLIED);
	ck_assert(member_muted(world_member("sue")));
}
END_TEST

/* No data plane tells of a mute's end when there is no leg. */
START_TEST(a_mute_of_who_is_away_ends)
{
	struct room *room = registry_room(&world.registry, WORLD_ROOM);
	struct silence *silence;

	world_join("sue", "speaker");
	world_ask("{\"id\":\"m\",\"type\":\"moderation.mute\",\"actor\":\"ann\",\"room\":\"tea\","
		  "\"member\":\"sue\",\"duration_ms\":5000}");
	ending_expired(&world.conductor);
	world_turn();
	ck_assert(member_muted(world_member("sue")));
	silence = hash_find(&room->silenced, "sue");
	silence->until_ns = 1;
	ending_expired(&world.conductor);
	world_turn();
	ck_assert(!member_muted(world_member("sue")));
	ck_assert_uint_eq(room->silenced.count, 0);
}
END_TEST

/* Nobody may say 201 for a leg that is not there; the seat is not the client's fault. */
START_TEST(without_a_data_plane_it_is_try_again)
{
	static const enum link_outcome outcomes[] = {LINK_UNKNOWN, LINK_NOT_APPLIED, LINK_REFUSED};
	static const unsigned int status[] = {503, 503, 409};
	const char *token = world_join("bob", "listener");

	world_post(HTTP_ROUTE_WHEP, token, LISTEN3);
	world_answer(last(), outcomes[_i]);
	ck_assert_uint_eq(world.response.status, status[_i]);
	ck_assert_ptr_nonnull(world_member("bob"));
	ck_assert_uint_eq(world_member("bob")->put.leg_id, 0);
	ck_assert_ptr_null(world_member("bob")->peer);
	ck_assert_uint_eq(world.registry.sessions, 0);
	world.link = LINK_DOWN;
	world_post(HTTP_ROUTE_WHEP, token, LISTEN3);
	ck_assert_uint_eq(world.response.status, 503);
	ck_assert_str_ne(world.response.retry, "");
	world.link = LINK_UP;
	world_post(HTTP_ROUTE_WHEP, token, LISTEN3);
	world_answer(last(), LINK_APPLIED);
	ck_assert_uint_eq(world.response.status, 201);
}
END_TEST

static void notify(enum stn_notice_type type, const struct member *member)
{
	struct stn_notice notice = {.type = type,
		.room_id = member->put.room_id,
		.leg_id = member->put.leg_id,
		.member_id = member_id(member),
		.remote = {.family = 4, .port_be = 7, .address = {10, 0, 0, 9}}};

	reconcile_callbacks.notice(&world.conductor, &notice);
	world_turn();
}

START_TEST(a_lost_path_frees_the_leg_and_then_the_seat)
{
	struct member *bob;
	uint64_t leg_id;

	world_session("bob", "listener", LISTEN3);
	bob = world_member("bob");
	leg_id = bob->put.leg_id;
	notify(STN_NOTICE_LEG_LOST, bob);
	ck_assert_uint_eq(
		((const struct stn_op_leg_remove *)world_op(last(), STN_OP_LEG_REMOVE, 0))->leg_id,
		leg_id);
	ck_assert_uint_eq(bob->put.leg_id, 0);
	ck_assert_uint_ge(bob->seat_ns, loop_now_ns() + 50000000000u);
	ending_seats(&world.conductor);
	ck_assert_ptr_nonnull(world_member("bob"));
	bob->seat_ns = 1; /* as if the grace time were over */
	ending_seats(&world.conductor);
	world_turn();
	ck_assert_ptr_null(world_member("bob"));
}
END_TEST

START_TEST(a_lost_path_of_an_old_leg_means_nothing)
{
	struct member was;
	char token[64];

	strcpy(token, world_session("bob", "listener", LISTEN3));
	was = *world_member("bob");
	world_post(HTTP_ROUTE_WHEP, token, LISTEN3);
	world_answer(last(), LINK_APPLIED);
	notify(STN_NOTICE_LEG_LOST, &was);
	ck_assert_uint_ne(world_member("bob")->put.leg_id, 0);
}
END_TEST

static void enumerate(struct link_ops *ops)
{
	*ops = (struct link_ops){0};
	reconcile_callbacks.resync(&world.conductor, ops);
}

static const struct stn_op *find_op(const struct link_ops *ops, enum stn_op_type type)
{
	for (size_t at = 0; at < ops->size;) {
		const struct stn_op *op = (const struct stn_op *)(ops->bytes + at);

		if (op->type == type)
			return op;
		at += op->size;
	}
	return NULL;
}

START_TEST(a_restarted_data_plane_is_told_everything)
{
	const struct stn_op_leg_put *put;
	const struct stn_op_leg_ice *ice;
	struct link_ops ops;
	struct member *bob;

	world_join("eve", "listener"); /* a seat only: no leg to name */
	world_session("bob", "listener", LISTEN3);
	bob = world_member("bob");
	notify(STN_NOTICE_LEG_MOVED, bob);
	world_keys(bob->put.leg_id, 0x11);
	world.origin_given = true;
	world_answer(last(), LINK_APPLIED);
	enumerate(&ops);
	put = (const struct stn_op_leg_put *)find_op(&ops, STN_OP_LEG_PUT);
	ice = (const struct stn_op_leg_ice *)find_op(&ops, STN_OP_LEG_ICE);
	ck_assert_uint_eq(ops.count, 3);
	ck_assert_uint_eq(put->leg_id, bob->put.leg_id);
	ck_assert_uint_eq(put->tx.key[0], 0x11);
	ck_assert_uint_eq(put->key_store_id, 77);
	ck_assert_uint_eq(put->remote.port_be, 7);
	ck_assert(put->flags & STN_LEG_ORIGIN_KNOWN);
	ck_assert_uint_eq(ice->leg_id, bob->put.leg_id);
	ck_assert_mem_eq(ice->local_pwd, bob->peer->ice.local_pwd, 24);
	link_ops_clear(&ops);
}
END_TEST

/* A leg that got its keys behind the enumeration has other origins than that resync reports. */
START_TEST(a_resync_under_way_gives_no_origin_to_newer_keys)
{
	struct stn_room_origin origin = {.origin = {9, 9, 9}};
	struct link_result result = {
		.outcome = LINK_APPLIED, .reason = "", .origins = &origin, .origin_count = 1};
	struct link_ops ops;
	struct member *bob;

	world_session("bob", "listener", LISTEN3);
	bob = world_member("bob");
	enumerate(&ops);
	world_keys(bob->put.leg_id, 0x11);
	origin.room_id = bob->put.room_id;
	reconcile_callbacks.resync_done(&world.conductor, &result);
	ck_assert_uint_eq(bob->put.flags & STN_LEG_ORIGIN_KNOWN, 0);
	ck_assert_uint_eq(bob->put.key_store_id, 0);
	world.origin = (struct stn_room_origin){.origin = {10, 10, 10}};
	world.origin_given = true;
	world_answer(last(), LINK_APPLIED);
	ck_assert_uint_eq(bob->put.origin[0], 10);
	link_ops_clear(&ops);
}
END_TEST

/* Keys that belong to an index store that is gone, or that nobody knows the fate of. */
START_TEST(keys_that_may_not_go_on_end_the_session_not_the_membership)
{
	struct stn_hello_reply hello = {.instance_id = 8, .index_store_id = _i == 0 ? 78 : 77};
	struct member *bob;
	uint64_t leg_id;

	world_session("bob", "listener", LISTEN3);
	bob = world_member("bob");
	leg_id = bob->put.leg_id;
	world_keys(leg_id, 0x11);
	world_answer(last(), _i == 0 ? LINK_APPLIED : LINK_UNKNOWN);
	reconcile_callbacks.connected(&world.conductor, &hello);
	world_turn();
	ck_assert_ptr_nonnull(world_member("bob"));
	ck_assert_uint_eq(bob->put.leg_id, 0);
	ck_assert_uint_eq(bob->put.tx.suite, STN_SUITE_NONE);
	ck_assert(was_forgotten(leg_id));
}
END_TEST

START_TEST(a_handshake_under_way_survives_a_restarted_data_plane)
{
	struct stn_hello_reply hello = {.instance_id = 8, .index_store_id = 78};
	struct link_ops ops;
	struct member *bob;

	world_session("bob", "listener", LISTEN3);
	bob = world_member("bob");
	reconcile_callbacks.connected(&world.conductor, &hello);
	ck_assert_uint_ne(bob->put.leg_id, 0);
	enumerate(&ops);
	ck_assert_ptr_nonnull(find_op(&ops, STN_OP_LEG_PUT));
	ck_assert_ptr_nonnull(find_op(&ops, STN_OP_LEG_ICE));
	ck_assert_uint_eq(world.forgotten_count, 0);
	link_ops_clear(&ops);
}
END_TEST

/* _i 0: the data plane gives keys and credentials back; 1: it has neither; 2: no keys yet. */
START_TEST(a_restarted_control_plane_reads_its_sessions_back)
{
	struct stn_op_leg_put put;
	struct stn_op_leg_ice ice;
	struct world_request delete = {.route = HTTP_ROUTE_SESSION, .method = HTTP_DELETE};
	char location[80], token[64];
	struct member *bob;

	strcpy(token, world_session("bob", "listener", LISTEN3));
	strcpy(location, world.response.location);
	bob = world_member("bob");
	ice = bob->peer->ice;
	if (_i != 2)
		world_keys(bob->put.leg_id, 0x11);
	put = bob->put;
	put.remote = (struct stn_address){.family = 4, .port_be = 9, .address = {10, 2}};
	world_restart();
	bob = world_member("bob");
	ck_assert_uint_eq(bob->put.leg_id, put.leg_id);
	if (_i != 1) {
		reconcile_callbacks.dump_leg(&world.conductor, &put);
		reconcile_callbacks.dump_leg_ice(&world.conductor, &ice);
	}
	reconcile_callbacks.dump_end(&world.conductor, STN_STATUS_OK);
	world_turn();
	bob = world_member("bob");
	ck_assert_ptr_nonnull(bob); /* the seat stays in any case */
	if (_i != 0) {
		ck_assert_uint_eq(bob->put.leg_id, 0);
		return;
	}
	ck_assert_uint_eq(bob->put.tx.key[0], 0x11);
	ck_assert_uint_eq(bob->put.remote.port_be, 9);
	ck_assert_mem_eq(bob->peer->ice.local_pwd, ice.local_pwd, sizeof(ice.local_pwd));
	delete.segment = location + strlen("/session/");
	delete.token = token;
	world_http(&delete);
	world_answer(last(), LINK_APPLIED);
	ck_assert_uint_eq(world.response.status, 200);
	ck_assert_uint_eq(bob->put.leg_id, 0);
}
END_TEST

START_TEST(the_floor_given_back_is_silence_at_once)
{
	const struct stn_op_leg_mute *mute;
	char token[64];

	strcpy(token, world_session("sue", "speaker", SPEAK));
	world_ask("{\"id\":\"f\",\"type\":\"floor.release\",\"actor\":\"sue\",\"room\":\"tea\"}");
	mute = world_op(last(), STN_OP_LEG_MUTE, 0);
	ck_assert_ptr_nonnull(mute);
	ck_assert_uint_eq(mute->muted, 1);
	ck_assert_uint_eq(mute->until_ns, 0);
	world_post(HTTP_ROUTE_WHIP, token, SPEAK);
	ck_assert_uint_eq(world.response.status, 403);
	world_post(HTTP_ROUTE_WHEP, token, LISTEN3);
	world_answer(last(), LINK_APPLIED);
	ck_assert_uint_eq(world.response.status, 201);
	ck_assert_uint_eq(world_member("sue")->put.role, STN_ROLE_LISTENER);
	ck_assert(!member_muted(world_member("sue")));
}
END_TEST

START_TEST(the_database_has_neither_token_nor_resource_id)
{
	char token[64], resource[80], text[256];
	FILE *file;
	char *bytes;
	long size;

	strcpy(token, world_session("bob", "listener", LISTEN3));
	strcpy(resource, world.response.location + strlen("/session/"));
	snprintf(text, sizeof(text), "%s/db-wal", world.folder);
	file = fopen(text, "r");
	ck_assert_ptr_nonnull(file);
	fseek(file, 0, SEEK_END);
	size = ftell(file);
	rewind(file);
	bytes = malloc((size_t)size);
	ck_assert_uint_eq(fread(bytes, 1, (size_t)size, file), (size_t)size);
	fclose(file);
	ck_assert_ptr_nonnull(memmem(bytes, (size_t)size, "bob", 3));
	ck_assert_ptr_null(memmem(bytes, (size_t)size, token, strlen(token)));
	ck_assert_ptr_null(memmem(bytes, (size_t)size, resource, strlen(resource)));
	free(bytes);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("keying");
	TCase *tcase = tcase_create("keying");

	parse_setup();
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, an_offer_becomes_a_leg);
	tcase_add_test(tcase, a_speaker_is_read_from_the_offer);
	tcase_add_test(tcase, keys_follow_the_handshake);
	tcase_add_test(tcase, keys_of_who_has_left_are_dropped);
	tcase_add_test(tcase, a_page_loaded_again_takes_the_place_of_the_old_one);
	tcase_add_test(tcase, a_mute_outlives_the_session);
	tcase_add_test(tcase, a_mute_of_who_is_away_ends);
	tcase_add_loop_test(tcase, without_a_data_plane_it_is_try_again, 0, 3);
	tcase_add_test(tcase, a_lost_path_frees_the_leg_and_then_the_seat);
	tcase_add_test(tcase, a_lost_path_of_an_old_leg_means_nothing);
	tcase_add_test(tcase, a_restarted_data_plane_is_told_everything);
	tcase_add_test(tcase, a_resync_under_way_gives_no_origin_to_newer_keys);
	tcase_add_loop_test(
		tcase, keys_that_may_not_go_on_end_the_session_not_the_membership, 0, 2);
	tcase_add_test(tcase, a_handshake_under_way_survives_a_restarted_data_plane);
	tcase_add_loop_test(tcase, a_restarted_control_plane_reads_its_sessions_back, 0, 3);
	tcase_add_test(tcase, the_floor_given_back_is_silence_at_once);
	tcase_add_test(tcase, the_database_has_neither_token_nor_resource_id);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
