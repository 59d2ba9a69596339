/* SPDX-License-Identifier: BSD-3-Clause */
/* Every field of every operation at the edge of its range and one beyond. */
#include <check.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/ctl/operation.h"
#include "tests/unit/table_world.h"

/* Writes `size` low bytes of value at offset into a good operation. */
struct field_case {
	const char *sentence;
	size_t offset;
	size_t size;
	uint64_t value;
	bool good;
};

#define ROOM(field) offsetof(struct stn_op_room_put, field)
#define LEG(field) offsetof(struct stn_op_leg_put, field)
#define MUTE(field) offsetof(struct stn_op_leg_mute, field)
#define ICE(field) offsetof(struct stn_op_leg_ice, field)

static const struct field_case room_cases[] = {
	{"as it is", ROOM(end_ns), 8, 0, true},
	{"any deadline", ROOM(end_ns), 8, UINT64_MAX, true},
	{"reserved of the operation", offsetof(struct stn_op, reserved), 4, 1, false},
	{"room 0", ROOM(room_id), 8, 0, false},
	{"the last room id", ROOM(room_id), 8, UINT64_MAX, true},
	{"no slot", ROOM(slot_count), 1, 0, false},
	{"fewer slots than SSRCs", ROOM(slot_count), 1, 2, false},
	{"more slots than SSRCs", ROOM(slot_count), 1, 4, false},
	{"nine slots", ROOM(slot_count), 1, 9, false},
	{"SSRC 0 in a slot", ROOM(slot_ssrc[0]), 4, 0, false},
	{"the same SSRC twice", ROOM(slot_ssrc[2]), 4, 0x1001, false},
	{"an SSRC behind the slots", ROOM(slot_ssrc[3]), 4, 5, false},
	{"no profile", ROOM(profile_count), 1, 0, false},
	{"two profiles", ROOM(profile_count), 1, 2, true},
	{"five profiles", ROOM(profile_count), 1, 5, false},
	{"payload type 127", ROOM(profile[0].payload_type), 1, 127, true},
	{"payload type 128", ROOM(profile[0].payload_type), 1, 128, false},
	{"extension id 14", ROOM(profile[0].audio_level_id), 1, 14, true},
	{"extension id 15", ROOM(profile[0].audio_level_id), 1, 15, false},
	{"RED payload type 127", ROOM(profile[0].red_payload_type), 1, 127, true},
	{"RED payload type 128", ROOM(profile[0].red_payload_type), 1, 128, false},
	{"reserved of a profile", ROOM(profile[0].reserved[4]), 1, 1, false},
	{"a profile behind the profiles", ROOM(profile[1].payload_type), 1, 1, false},
	{"reserved of the room", ROOM(reserved[5]), 1, 1, false},
	{"reserved2 of the room", ROOM(reserved2), 4, 1, false},
	{"an unknown suite", ROOM(group_key.suite), 1, STN_SUITE_COUNT, false},
	{"a group key", ROOM(group_key.suite), 1, STN_SUITE_AES128_CM_HMAC_SHA1_80, true},
	{"key bytes without a suite", ROOM(group_key.key[0]), 1, 1, false},
};

static const struct field_case leg_cases[] = {
	{"as it is", LEG(end_ns), 8, 0, true},
	{"leg 0", LEG(leg_id), 8, 0, false},
	{"room 0", LEG(room_id), 8, 0, false},
	{"role 0", LEG(role), 1, 0, false},
	{"listener", LEG(role), 1, STN_ROLE_LISTENER, true},
	{"role 3", LEG(role), 1, 3, false},
	{"protection 0", LEG(protection), 1, 0, false},
	{"group protection with a tx key", LEG(protection), 1, STN_PROTECTION_GROUP, false},
	{"transport 0", LEG(transport), 1, 0, false},
	{"transport 3", LEG(transport), 1, 3, false},
	{"webrtc with keys and a path", LEG(transport), 1, STN_TRANSPORT_WEBRTC, true},
	{"profile 3", LEG(profile), 1, 3, true},
	{"profile 4", LEG(profile), 1, 4, false},
	{"an unknown flag", LEG(flags), 1, 4, false},
	{"muted", LEG(flags), 1, STN_LEG_MUTED, true},
	{"muted until, but not muted", LEG(mute_until_ns), 8, 5, false},
	{"payload type 128", LEG(payload_type), 1, 128, false},
	{"extension id 15", LEG(audio_level_id), 1, 15, false},
	{"RED payload type 128", LEG(red_payload_type), 1, 128, false},
	{"leg protection without a tx key", LEG(tx.suite), 1, STN_SUITE_NONE, false},
	{"an unknown tx suite", LEG(tx.suite), 1, 4, false},
	{"a 17th key byte of a 16-byte key", LEG(tx.key[16]), 1, 1, false},
	{"a 13th salt byte of a 12-byte salt", LEG(tx.salt[12]), 1, 1, false},
	{"reserved of a key", LEG(tx.reserved[2]), 1, 1, false},
	{"a speaker without an rx key", LEG(rx), sizeof(struct stn_master_key), 0, false},
	{"family 5", LEG(remote.family), 1, 5, false},
	{"port 0", LEG(remote.port_be), 2, 0, false},
	{"address bytes behind IPv4", LEG(remote.address[4]), 1, 1, false},
	{"0.0.0.0/8", LEG(remote.address[0]), 1, 0, false},
	{"multicast", LEG(remote.address[0]), 1, 224, false},
	{"class E", LEG(remote.address[0]), 1, 255, false},
	{"reserved of an address", LEG(remote.reserved), 1, 1, false},
	{"any source SSRC", LEG(source_ssrc), 4, UINT32_MAX, true},
	{"any origin", LEG(origin[7]), 4, UINT32_MAX, true},
};

/* A browser's leg before DTLS. */
static const struct field_case webrtc_cases[] = {
	{"no path, no keys", LEG(end_ns), 8, 0, true},
	{"in a group", LEG(protection), 1, STN_PROTECTION_GROUP, false},
	{"a tx key alone", LEG(tx.suite), 1, STN_SUITE_AEAD_AES_128_GCM, false},
	{"an rx key alone", LEG(rx.suite), 1, STN_SUITE_AEAD_AES_128_GCM, false},
	{"key bytes without a suite", LEG(rx.key[3]), 1, 1, false},
	{"a speaker", LEG(role), 1, STN_ROLE_SPEAKER, true},
	{"payload type 128", LEG(payload_type), 1, 128, false},
	{"a family and nothing else", LEG(remote.family), 1, 4, false},
	{"a port without a family", LEG(remote.port_be), 2, 7, false},
	{"reserved of no address", LEG(remote.reserved), 1, 1, false},
	{"an address byte without a family", LEG(remote.address[15]), 1, 1, false},
};

static const struct field_case ice_cases[] = {
	{"as it is", ICE(leg_id), 8, 1, true},
	{"any random bits", ICE(local_random), 4, UINT32_MAX, true},
	{"reserved of the operation", offsetof(struct stn_op, reserved), 4, 1, false},
	{"a short local password", ICE(local_pwd[23]), 1, 0, false},
	{"a local password that is no ice-chars", ICE(local_pwd[0]), 1, '-', false},
	{"a high bit", ICE(local_pwd[23]), 1, 0xe1, false},
	{"a remote ufrag of 3", ICE(remote_ufrag_size), 2, 3, false},
	{"a remote ufrag longer than its text", ICE(remote_ufrag_size), 2, 5, false},
	{"a remote ufrag of 257", ICE(remote_ufrag_size), 2, 257, false},
	{"a remote ufrag of 65535", ICE(remote_ufrag_size), 2, 65535, false},
	{"a colon in a remote ufrag", ICE(remote_ufrag[2]), 1, ':', false},
	{"something behind a remote ufrag", ICE(remote_ufrag[255]), 1, 'a', false},
	{"a remote password of 21", ICE(remote_pwd_size), 2, 21, false},
	{"a remote password of 257", ICE(remote_pwd_size), 2, 257, false},
	{"a space in a remote password", ICE(remote_pwd[9]), 1, ' ', false},
	{"something behind a remote password", ICE(remote_pwd[255]), 1, 'a', false},
};

static const struct field_case mute_cases[] = {
	{"muted", MUTE(muted), 4, 1, true},
	{"unmuted", MUTE(muted), 4, 0, true},
	{"muted twice", MUTE(muted), 4, 2, false},
	{"reserved", MUTE(reserved), 4, 1, false},
	{"unmuted until", MUTE(until_ns), 8, 1, false},
};

static void check_field(const struct field_case *row, const void *good, size_t size)
{
	/* Exactly sized, for the sanitizer. */
	uint8_t *op = malloc(size);
	struct refusal refusal = {0};
	int result;

	memcpy(op, good, size);
	memset(op + row->offset, 0, row->size);
	memcpy(op + row->offset, &row->value, row->size < 8 ? row->size : 8);
	ck_assert_ptr_nonnull(operation_read(op, size, &refusal));
	result = operation_check((const struct stn_op *)op, &refusal);
	ck_assert_msg((result == 0) == row->good, "%s: %s", row->sentence, refusal.reason);
	ck_assert_uint_eq(refusal.status, row->good ? STN_STATUS_OK : STN_STATUS_BAD_OP);
	free(op);
}

START_TEST(the_fields_of_a_room)
{
	struct stn_op_room_put room = world_room(1);

	check_field(&room_cases[_i], &room, sizeof(room));
}
END_TEST

START_TEST(the_fields_of_a_leg)
{
	struct stn_op_leg_put leg = world_leg(1, 1, STN_ROLE_SPEAKER);

	check_field(&leg_cases[_i], &leg, sizeof(leg));
}
END_TEST

/* One key has one plaintext: another profile's header under the same nonce gives the key away. */
START_TEST(group_protection_has_profile_0)
{
	struct stn_op_leg_put leg = world_leg(1, 1, STN_ROLE_LISTENER);
	struct refusal refusal = {0};

	leg.protection = STN_PROTECTION_GROUP;
	leg.tx = (struct stn_master_key){0};
	ck_assert_int_eq(operation_check(&leg.op, &refusal), 0);
	leg.profile = 1;
	ck_assert_int_ne(operation_check(&leg.op, &refusal), 0);
	ck_assert_uint_eq(refusal.status, STN_STATUS_BAD_OP);
	ck_assert_str_eq(refusal.reason, "profile 1 with group protection, which has profile 0");
}
END_TEST

START_TEST(the_fields_of_a_browser)
{
	struct stn_op_leg_put leg = world_webrtc(1, 1, STN_ROLE_LISTENER);

	check_field(&webrtc_cases[_i], &leg, sizeof(leg));
}
END_TEST

START_TEST(the_fields_of_credentials)
{
	struct stn_op_leg_ice ice = world_ice(1, 0);

	check_field(&ice_cases[_i], &ice, sizeof(ice));
}
END_TEST

/* RFC 8445 section 5.3: up to 256 ice-chars, each of all sixty-four. */
START_TEST(the_longest_credentials)
{
	static const char chars[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/";
	struct stn_op_leg_ice ice = world_ice(1, 0);
	struct refusal refusal = {0};

	ice.remote_ufrag_size = STN_ICE_UFRAG_MAX;
	ice.remote_pwd_size = STN_ICE_PWD_MAX;
	for (unsigned int i = 0; i < 256; i++) {
		ice.remote_ufrag[i] = chars[i % 64];
		ice.remote_pwd[i] = chars[i % 64];
	}
	ck_assert_int_eq(operation_check(&ice.op, &refusal), 0);
	for (unsigned int c = 0; c < 256; c++) {
		ice.remote_ufrag[255] = (char)c;
		ck_assert_msg((operation_check(&ice.op, &refusal) == 0) ==
				      (c && strchr(chars, (int)c) != NULL),
			"character %u", c);
	}
}
END_TEST

START_TEST(the_fields_of_a_mute)
{
	struct stn_op_leg_mute mute = {{STN_OP_LEG_MUTE, sizeof(mute), 0}, 1, 0, 0, 0};

	check_field(&mute_cases[_i], &mute, sizeof(mute));
}
END_TEST

START_TEST(sizes_and_types)
{
	struct stn_op_leg_ice leg = world_ice(1, 0); /* the longest of them */
	const uint8_t *bytes = (const uint8_t *)&leg;
	struct refusal refusal = {0};

	for (unsigned int type = 0; type < 70; type++)
		for (unsigned int size = 0; size <= sizeof(leg) + 8; size += 4) {
			bool fits = (type == STN_OP_LEG_PUT && size == 224) ||
				    (type == STN_OP_ROOM_PUT && size == 160) ||
				    (type == STN_OP_LEG_MUTE && size == 32) ||
				    (type == STN_OP_LEG_ICE && size == 560) ||
				    (type == STN_OP_ROOM_REMOVE && size == 16) ||
				    (type == STN_OP_LEG_REMOVE && size == 16);

			leg.op.type = (uint16_t)type;
			leg.op.size = (uint16_t)size;
			ck_assert_msg(
				(operation_read(bytes, sizeof(leg), &refusal) != NULL) == fits,
				"type %u size %u", type, size);
		}
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

int main(void)
{
	Suite *suite = suite_create("operation");
	TCase *tests = tcase_create("fields");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tests, the_fields_of_a_room, 0, COUNT(room_cases));
	tcase_add_loop_test(tests, the_fields_of_a_leg, 0, COUNT(leg_cases));
	tcase_add_loop_test(tests, the_fields_of_a_mute, 0, COUNT(mute_cases));
	tcase_add_loop_test(tests, the_fields_of_a_browser, 0, COUNT(webrtc_cases));
	tcase_add_loop_test(tests, the_fields_of_credentials, 0, COUNT(ice_cases));
	tcase_add_test(tests, the_longest_credentials);
	tcase_add_test(tests, group_protection_has_profile_0);
	tcase_add_test(tests, sizes_and_types);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
