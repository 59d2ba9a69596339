// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/api/ufrag.h"
#include "tests/support/ice_scene.h"
#include "tests/support/unit.h"

#include <stdio.h>

static struct scene scene;

static void setup(void)
{
	scene_open(&scene);
}

static void teardown(void)
{
	scene_close(&scene);
}

static void keep_transaction(uint8_t out[12])
{
	memcpy(out, scene.craft.bytes + 8, 12);
}

START_TEST(facts_are_what_was_programmed)
{
	struct stn_op_leg_ice op = scene.op, described;
	struct ice_facts *facts;

	for (unsigned int ufrag = 4; ufrag <= STN_ICE_UFRAG_MAX; ufrag += 7)
		for (unsigned int pwd = 22; pwd <= STN_ICE_PWD_MAX; pwd += 13) {
			memset(op.remote_ufrag, 0, sizeof(op.remote_ufrag));
			memset(op.remote_pwd, 0, sizeof(op.remote_pwd));
			memset(op.remote_ufrag, 'u', ufrag);
			memset(op.remote_pwd, 'p', pwd);
			op.remote_ufrag_size = (uint16_t)ufrag;
			op.remote_pwd_size = (uint16_t)pwd;
			facts = ice_facts_make(&op);
			ck_assert_ptr_nonnull(facts);
			memset(&described, 0xff, sizeof(described));
			ice_facts_describe(facts, &described);
			ck_assert_mem_eq(&described, &op, sizeof(op));
			ice_facts_free(facts);
		}
	ice_facts_free(NULL);
	ice_close(NULL);
}
END_TEST

/* GOALS, mirror: 100 bytes of challenge for the 108 of Chromium's first check. */
START_TEST(first_check_is_challenged)
{
	struct ice_origin from = scene_origin(7);
	uint64_t leg_id = 0;
	uint8_t worker = 0;
	uint32_t leg = 0;
	enum stn_drop drop;
	struct stun stun;

	ck_assert_int_eq(scene_check(&scene, 7, 0), STN_DROP_COUNT);
	ck_assert_uint_eq(scene.craft.size, 108);
	ck_assert_uint_eq(scene.out.count, 1);
	ck_assert_uint_eq(scene.out.size[0], 100);
	scene_expect_challenge(&scene, 0);
	ck_assert_mem_eq(&scene.out.to, &from, sizeof(from));
	ck_assert_int_eq(scene.out.event, ICE_EVENT_NONE);
	ck_assert(!ice_path_validated(scene.ice, &from.remote));
	ck_assert_int_eq(scene_selected(&scene), -1);
	/* Its answer finds the way back. */
	craft_success(&scene.craft, scene.out.message[0] + 8, &from.remote, SCENE_REMOTE_PWD);
	ck_assert_int_eq(stun_parse(scene.craft.bytes, scene.craft.size, &stun), 0);
	ck_assert_int_eq(
		ice_addressee(&stun, &leg_id, &worker, &leg, &drop), ICE_ADDRESSEE_TRANSACTION);
	ck_assert_uint_eq(worker, SCENE_WORKER);
	ck_assert_uint_eq(leg, SCENE_LEG);
}
END_TEST

START_TEST(answer_validates_selects_and_pays_the_response)
{
	struct ice_origin from = scene_origin(7);
	uint8_t transaction[12];

	ck_assert_int_eq(scene_check(&scene, 7, CRAFT_NOMINATES), STN_DROP_COUNT);
	ck_assert_uint_eq(scene.craft.size, 112);
	keep_transaction(transaction);
	ck_assert_int_eq(scene_answer(&scene, &scene.out, 0, 7), STN_DROP_COUNT);
	ck_assert_int_eq(scene.out.event, ICE_EVENT_SELECTED);
	ck_assert_uint_eq(scene.out.count, 1);
	scene_expect_response(&scene, 0, transaction, &from);
	ck_assert(ice_path_validated(scene.ice, &from.remote));
	ck_assert_mem_eq(ice_selected(scene.ice), &from, sizeof(from));
	ck_assert_mem_eq(ice_path(scene.ice, &from.remote), &from, sizeof(from));
	ck_assert_mem_eq(ice_path_at(scene.ice, 0), &from, sizeof(from));
	ck_assert_ptr_null(ice_path_at(scene.ice, 1));
	/* From now on a check is answered at once, and nobody is challenged. */
	ck_assert_int_eq(scene_check(&scene, 7, CRAFT_NOMINATES), STN_DROP_COUNT);
	keep_transaction(transaction);
	ck_assert_uint_eq(scene.out.count, 1);
	ck_assert_int_eq(scene.out.event, ICE_EVENT_NONE);
	scene_expect_response(&scene, 0, transaction, &from);
}
END_TEST

START_TEST(ipv6)
{
	struct ice_origin from = {.remote = {.family = 6, .port_be = 0x5555}, .port = 1};
	struct ice_output challenge;
	uint8_t transaction[12];

	memcpy(from.remote.address, "\x20\x01\x0d\xb8\1\2\3\4\5\6\7\x08\x09\x0a\x0b\x0c", 16);
	craft_check(&scene.craft, (const uint8_t *)"sixsixsixsix", scene.username, SCENE_LOCAL_PWD,
		CRAFT_NOMINATES);
	keep_transaction(transaction);
	ck_assert_int_eq(scene_deliver(&scene, &from), STN_DROP_COUNT);
	ck_assert_uint_eq(scene.out.count, 1);
	scene_expect_challenge(&scene, 0);
	challenge = scene.out;
	craft_success(&scene.craft, challenge.message[0] + 8, &from.remote, SCENE_REMOTE_PWD);
	ck_assert_int_eq(scene_deliver(&scene, &from), STN_DROP_COUNT);
	ck_assert_uint_eq(scene.out.size[0], STUN_SUCCESS_SIZE_IPV6);
	scene_expect_response(&scene, 0, transaction, &from);
	ck_assert_mem_eq(ice_selected(scene.ice), &from, sizeof(from));
}
END_TEST

/* TRAPS 3: what is wrong with a check, and that it gets no answer at all. */
enum wrong {
	WRONG_NOTHING,
	WRONG_NO_USERNAME,
	WRONG_GENERATION,
	WRONG_LEG,
	WRONG_NO_COLON,
	WRONG_ONLY_OURS,
	WRONG_THEIRS,
	WRONG_THEIRS_LONGER,
	WRONG_SWAPPED,
	WRONG_NO_INTEGRITY,
	WRONG_PASSWORD,
	WRONG_PEER_PASSWORD,
	WRONG_UNKNOWN,
	WRONG_INDICATION,
	WRONG_CONTROLLED,
	WRONG_NO_ROLE,
};

static const struct {
	const char *sentence;
	enum wrong wrong;
	enum stn_drop drop;
} requests[] = {
	{"a right one", WRONG_NOTHING, STN_DROP_COUNT},
	{"no username", WRONG_NO_USERNAME, STN_DROP_STUN_UFRAG},
	{"another generation of our ufrag", WRONG_GENERATION, STN_DROP_STUN_UFRAG},
	{"another leg's ufrag", WRONG_LEG, STN_DROP_STUN_UFRAG},
	{"no colon behind our half", WRONG_NO_COLON, STN_DROP_STUN_UFRAG},
	{"only our half", WRONG_ONLY_OURS, STN_DROP_STUN_UFRAG},
	{"the halves swapped", WRONG_SWAPPED, STN_DROP_STUN_UFRAG},
	{"another ufrag of the peer", WRONG_THEIRS, STN_DROP_STUN_INTEGRITY},
	{"a longer ufrag of the peer", WRONG_THEIRS_LONGER, STN_DROP_STUN_INTEGRITY},
	{"no integrity", WRONG_NO_INTEGRITY, STN_DROP_STUN_INTEGRITY},
	{"a password that differs in one bit", WRONG_PASSWORD, STN_DROP_STUN_INTEGRITY},
	{"the peer's own password", WRONG_PEER_PASSWORD, STN_DROP_STUN_INTEGRITY},
	{"an attribute that must be understood", WRONG_UNKNOWN, STN_DROP_STUN_MALFORMED},
	{"an indication", WRONG_INDICATION, STN_DROP_STUN_STRAY},
	{"a peer that believes to be controlled gets a challenge that it wins", WRONG_CONTROLLED,
		STN_DROP_COUNT},
	{"a peer that says no role", WRONG_NO_ROLE, STN_DROP_COUNT},
};

static void craft_wrong(enum wrong wrong)
{
	const char *password = SCENE_LOCAL_PWD;
	struct craft *craft = &scene.craft;
	char username[64];

	strcpy(username, scene.username);
	if (wrong == WRONG_GENERATION)
		username[15] ^= 1;
	if (wrong == WRONG_LEG)
		username[3] ^= 1;
	if (wrong == WRONG_NO_COLON)
		username[16] = ';';
	if (wrong == WRONG_ONLY_OURS)
		username[16] = 0;
	if (wrong == WRONG_THEIRS)
		username[20] = 'k';
	if (wrong == WRONG_THEIRS_LONGER)
		strcat(username, "j");
	if (wrong == WRONG_SWAPPED)
		snprintf(username, sizeof(username), "evtj:%.16s", scene.username);
	if (wrong == WRONG_PASSWORD)
		password = "abcdefghijklmnopqrstuvwy";
	if (wrong == WRONG_PEER_PASSWORD)
		password = SCENE_REMOTE_PWD;
	craft_begin(craft, wrong == WRONG_INDICATION ? CRAFT_INDICATION : CRAFT_REQUEST,
		(const uint8_t *)"abcdefghijkl");
	if (wrong != WRONG_NO_USERNAME)
		craft_put(craft, CRAFT_USERNAME, username, (unsigned int)strlen(username));
	if (wrong != WRONG_NO_ROLE)
		craft_put(craft, wrong == WRONG_CONTROLLED ? CRAFT_CONTROLLED : CRAFT_CONTROLLING,
			"\xff\xff\xff\xff\xff\xff\xff\xff", 8);
	craft_put(craft, CRAFT_PRIORITY, "\1\2\3\4", 4);
	/* So that nothing depends on the size. */
	craft_put(craft, CRAFT_SOFTWARE, "sixteen bytes ..", 16);
	if (wrong == WRONG_UNKNOWN)
		craft_put(craft, 0x7abc, "what", 4);
	if (wrong != WRONG_NO_INTEGRITY)
		craft_integrity(craft, password);
	craft_fingerprint(craft);
}

START_TEST(request_row)
{
	struct ice_origin from = scene_origin(_i & 1 ? 1 : 2);

	/* From a new tuple, and from a validated one. */
	scene_validate(&scene, 1, CRAFT_NOMINATES);
	craft_wrong(requests[_i / 2].wrong);
	ck_assert_msg(scene_deliver(&scene, &from) == requests[_i / 2].drop, "%s",
		requests[_i / 2].sentence);
	if (requests[_i / 2].drop == STN_DROP_COUNT)
		ck_assert_uint_gt(scene.out.count, 0);
}
END_TEST

START_TEST(cut_at_every_byte_and_inverted_at_every_bit)
{
	uint64_t before = ice_digest(scene.ice, 0);
	struct ice_origin from = scene_origin(1);
	struct ice_output out;
	struct craft right;
	struct stun stun;

	craft_check(&right, (const uint8_t *)"abcdefghijkl", scene.username, SCENE_LOCAL_PWD, 0);
	for (unsigned int bit = 0; bit < 8 * (right.size - 8); bit++) {
		scene.craft = right;
		scene.craft.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		/* As somebody without the password can. */
		craft_seal(&scene.craft);
		if (stun_parse(scene.craft.bytes, scene.craft.size, &stun) != 0)
			continue;
		ice_receive(scene.ice, &stun, scene.craft.bytes, &from, scene.now_ns, &out);
		ck_assert_msg(out.drop != STN_DROP_COUNT, "bit %u", bit);
		ck_assert_uint_eq(out.count, 0);
	}
	ck_assert_uint_eq(ice_digest(scene.ice, 0), before);
	/* The model of the other direction: the right one is accepted. */
	scene.craft = right;
	ck_assert_int_eq(scene_deliver(&scene, &from), STN_DROP_COUNT);
}
END_TEST

/* Answers to our challenge that are none. */
START_TEST(response_row)
{
	static const struct {
		const char *sentence;
		const char *password; /* NULL: no integrity */
		unsigned int tuple, flip;
		uint16_t type, unknown;
		enum stn_drop drop;
	} rows[] = {
		{"a right one", SCENE_REMOTE_PWD, 1, 99, CRAFT_SUCCESS, 0, STN_DROP_COUNT},
		{"without integrity", NULL, 1, 99, CRAFT_SUCCESS, 0, STN_DROP_STUN_INTEGRITY},
		{"with our password", SCENE_LOCAL_PWD, 1, 99, CRAFT_SUCCESS, 0,
			STN_DROP_STUN_INTEGRITY},
		{"from another tuple", SCENE_REMOTE_PWD, 2, 99, CRAFT_SUCCESS, 0,
			STN_DROP_STUN_STRAY},
		{"another transaction", SCENE_REMOTE_PWD, 1, 11, CRAFT_SUCCESS, 0,
			STN_DROP_STUN_STRAY},
		{"another worker's transaction", SCENE_REMOTE_PWD, 1, 0, CRAFT_SUCCESS, 0,
			STN_DROP_STUN_STRAY},
		{"an error response", SCENE_REMOTE_PWD, 1, 99, CRAFT_ERROR, 0, STN_DROP_STUN_STRAY},
		{"with an attribute that must be understood", SCENE_REMOTE_PWD, 1, 99,
			CRAFT_SUCCESS, 0x7abc, STN_DROP_STUN_MALFORMED},
	};
	struct ice_origin from = scene_origin(rows[_i].tuple);
	uint8_t transaction[12];

	scene_check(&scene, 1, CRAFT_NOMINATES);
	memcpy(transaction, scene.out.message[0] + 8, sizeof(transaction));
	if (rows[_i].flip < sizeof(transaction))
		transaction[rows[_i].flip] ^= 0x10;
	craft_begin(&scene.craft, rows[_i].type, transaction);
	craft_mapped(&scene.craft, &from.remote);
	if (rows[_i].unknown)
		craft_put(&scene.craft, rows[_i].unknown, "what", 4);
	if (rows[_i].password)
		craft_integrity(&scene.craft, rows[_i].password);
	craft_fingerprint(&scene.craft);
	ck_assert_msg(scene_deliver(&scene, &from) == rows[_i].drop, "%s", rows[_i].sentence);
	ck_assert_int_eq(scene_selected(&scene), rows[_i].drop == STN_DROP_COUNT ? 1 : -1);
	if (rows[_i].drop != STN_DROP_COUNT)
		return;
	/* Nobody waits for it a second time. */
	ck_assert_int_eq(scene_deliver(&scene, &from), STN_DROP_STUN_STRAY);
}
END_TEST

START_TEST(answer_nobody_asked_for)
{
	struct ice_origin from = scene_origin(1);

	craft_success(
		&scene.craft, (const uint8_t *)"abcdefghijkl", &from.remote, SCENE_REMOTE_PWD);
	ck_assert_int_eq(scene_deliver(&scene, &from), STN_DROP_STUN_STRAY);
	scene_validate(&scene, 1, 0);
	craft_success(
		&scene.craft, (const uint8_t *)"abcdefghijkl", &from.remote, SCENE_REMOTE_PWD);
	ck_assert_int_eq(scene_deliver(&scene, &from), STN_DROP_STUN_STRAY);
}
END_TEST

START_TEST(addressee_row)
{
	static const struct {
		const char *sentence;
		const char *username;
		uint16_t type;
		enum ice_addressee addressee;
		enum stn_drop drop;
	} rows[] = {
		{"a check", "ESIzRFVmd4igoKCg:evtj", CRAFT_REQUEST, ICE_ADDRESSEE_UFRAG, 0},
		{"of the longest peer", "ESIzRFVmd4igoKCg:", CRAFT_REQUEST, ICE_ADDRESSEE_UFRAG, 0},
		{"of nobody", NULL, CRAFT_REQUEST, ICE_ADDRESSEE_NOBODY, STN_DROP_STUN_UFRAG},
		{"without a colon", "ESIzRFVmd4igoKCg", CRAFT_REQUEST, ICE_ADDRESSEE_NOBODY,
			STN_DROP_STUN_UFRAG},
		{"a colon too early", "ESIzRFVmd4igoKC:evtjj", CRAFT_REQUEST, ICE_ADDRESSEE_NOBODY,
			STN_DROP_STUN_UFRAG},
		{"a colon too late", "ESIzRFVmd4igoKCgg:evtj", CRAFT_REQUEST, ICE_ADDRESSEE_NOBODY,
			STN_DROP_STUN_UFRAG},
		{"what is no ufrag of ours", "ESIzRFVmd4igoKC-:evtj", CRAFT_REQUEST,
			ICE_ADDRESSEE_NOBODY, STN_DROP_STUN_UFRAG},
		{"our own challenge reflected", "evtj:ESIzRFVmd4igoKCg", CRAFT_REQUEST,
			ICE_ADDRESSEE_NOBODY, STN_DROP_STUN_UFRAG},
		{"an indication", "ESIzRFVmd4igoKCg:evtj", CRAFT_INDICATION, ICE_ADDRESSEE_NOBODY,
			STN_DROP_STUN_STRAY},
		{"an error", "ESIzRFVmd4igoKCg:evtj", CRAFT_ERROR, ICE_ADDRESSEE_NOBODY,
			STN_DROP_STUN_STRAY},
	};
	enum stn_drop drop = STN_DROP_COUNT;
	uint64_t leg_id = 0;
	uint32_t leg = 0;
	uint8_t worker = 0;
	struct stun stun;

	craft_begin(&scene.craft, rows[_i].type, (const uint8_t *)"abcdefghijkl");
	if (rows[_i].username)
		craft_put(&scene.craft, CRAFT_USERNAME, rows[_i].username,
			(unsigned int)strlen(rows[_i].username));
	craft_fingerprint(&scene.craft);
	ck_assert_int_eq(stun_parse(scene.craft.bytes, scene.craft.size, &stun), 0);
	ck_assert_msg(ice_addressee(&stun, &leg_id, &worker, &leg, &drop) == rows[_i].addressee,
		"%s", rows[_i].sentence);
	if (rows[_i].addressee == ICE_ADDRESSEE_UFRAG)
		ck_assert_uint_eq(leg_id, SCENE_LEG_ID);
	else
		ck_assert_int_eq(drop, rows[_i].drop);
}
END_TEST

/* TRAPS 4. */
START_TEST(replays)
{
	struct ice_origin from = scene_origin(1), elsewhere = scene_origin(2), port = from;
	uint8_t transaction[12];

	port.remote.port_be ^= 1;
	scene_validate(&scene, 1, 0);
	ck_assert_int_eq(scene_check(&scene, 1, CRAFT_NOMINATES), STN_DROP_COUNT);
	keep_transaction(transaction);
	for (unsigned int i = 0; i < 3; i++) {
		ck_assert_int_eq(scene_deliver(&scene, &elsewhere), STN_DROP_STUN_REPLAY);
		ck_assert_int_eq(scene_deliver(&scene, &port), STN_DROP_STUN_REPLAY);
		ck_assert_int_eq(scene_deliver(&scene, &from), STN_DROP_COUNT);
		ck_assert_uint_eq(scene.out.count, 1);
		scene_expect_response(&scene, 0, transaction, &from);
	}
	ck_assert_int_eq(scene_selected(&scene), 1);
}
END_TEST

/* Somebody repeats a check with the source address of its first sender. */
START_TEST(repetition_is_no_sign_of_life)
{
	struct ice_origin from = scene_origin(1), router = from;
	uint64_t since;

	router.mac[5] = 66;
	scene_validate(&scene, 1, 0);
	scene_check(&scene, 1, CRAFT_NOMINATES);
	since = scene.now_ns;
	for (unsigned int i = 1; i < 30; i++) {
		scene.now_ns = since + i * SCENE_S;
		ck_assert_int_eq(scene_deliver(&scene, &router), STN_DROP_COUNT);
		ck_assert_int_eq(scene.out.event, ICE_EVENT_NONE);
		ck_assert_mem_eq(&scene.out.to, &from, sizeof(from));
		ck_assert_int_eq(
			ice_tick(scene.ice, scene.now_ns, SCENE_CONSENT_NS), ICE_EVENT_NONE);
	}
	scene.now_ns = since + 30 * SCENE_S;
	ck_assert_int_eq(ice_tick(scene.ice, scene.now_ns, SCENE_CONSENT_NS), ICE_EVENT_LOST);
}
END_TEST

START_TEST(repetition_is_no_nomination)
{
	struct ice_origin from = scene_origin(1);
	struct craft nomination;

	scene_validate(&scene, 1, CRAFT_NOMINATES);
	scene_check(&scene, 1, 0);
	scene_check(&scene, 1, CRAFT_NOMINATES);
	nomination = scene.craft;
	scene_check(&scene, 1, 0);
	scene_validate(&scene, 2, CRAFT_NOMINATES);
	ck_assert_int_eq(scene_selected(&scene), 2);
	scene.craft = nomination;
	ck_assert_int_eq(scene_deliver(&scene, &from), STN_DROP_COUNT);
	ck_assert_int_eq(scene_selected(&scene), 2);
}
END_TEST

START_TEST(unvalidated_repetition_is_challenged_again)
{
	struct ice_origin from = scene_origin(1);
	uint8_t transaction[12];

	scene_check(&scene, 1, 0);
	keep_transaction(transaction);
	/* Within 100 ms no second challenge, but 8 + 108 bytes pay for a response. */
	scene.now_ns += 50 * SCENE_MS;
	ck_assert_int_eq(scene_deliver(&scene, &from), STN_DROP_COUNT);
	ck_assert_uint_eq(scene.out.count, 1);
	scene_expect_response(&scene, 0, transaction, &from);
	scene.now_ns += 50 * SCENE_MS;
	ck_assert_int_eq(scene_deliver(&scene, &from), STN_DROP_COUNT);
	ck_assert_uint_eq(scene.out.count, 1);
	scene_expect_challenge(&scene, 0);
	ck_assert_int_eq(scene_answer(&scene, &scene.out, 0, 1), STN_DROP_COUNT);
	ck_assert_int_eq(scene_selected(&scene), 1);
}
END_TEST

/* The least that can authenticate: 76 + 24 bytes of challenge want two of its 100 - 20. */
START_TEST(small_checks_add_up)
{
	struct ice_origin from = scene_origin(1);

	for (unsigned int i = 0; i < 2; i++) {
		scene.now_ns += SCENE_S / 5;
		craft_begin(&scene.craft, CRAFT_REQUEST,
			(const uint8_t *)(i ? "aaaaaaaaaaaa" : "bbbbbbbbbbbb"));
		craft_put(&scene.craft, CRAFT_USERNAME, scene.username, 21);
		craft_integrity(&scene.craft, SCENE_LOCAL_PWD);
		craft_fingerprint(&scene.craft);
		ck_assert_uint_eq(scene.craft.size, 80);
		ck_assert_int_eq(scene_deliver(&scene, &from), STN_DROP_COUNT);
		ck_assert_uint_eq(scene.out.count, i);
	}
	scene_expect_challenge(&scene, 0);
	/* A response as well does not fit into the 60 that are left. */
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ice");
	TCase *tcase = tcase_create("ice");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, facts_are_what_was_programmed);
	tcase_add_test(tcase, first_check_is_challenged);
	tcase_add_test(tcase, answer_validates_selects_and_pays_the_response);
	tcase_add_test(tcase, ipv6);
	tcase_add_loop_test(tcase, request_row, 0, 2 * sizeof(requests) / sizeof(requests[0]));
	tcase_add_test(tcase, cut_at_every_byte_and_inverted_at_every_bit);
	tcase_add_loop_test(tcase, response_row, 0, 8);
	tcase_add_test(tcase, answer_nobody_asked_for);
	tcase_add_loop_test(tcase, addressee_row, 0, 10);
	tcase_add_test(tcase, replays);
	tcase_add_test(tcase, repetition_is_no_sign_of_life);
	tcase_add_test(tcase, repetition_is_no_nomination);
	tcase_add_test(tcase, unvalidated_repetition_is_challenged_again);
	tcase_add_test(tcase, small_checks_add_up);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
