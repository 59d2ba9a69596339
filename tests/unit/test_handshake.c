/* SPDX-License-Identifier: BSD-3-Clause */
#include "controlplane/webrtc/handshake.h"
#include "tests/support/dtls_scene.h"
#include "tests/support/unit.h"

#define SECOND 1000000000ULL

static struct scene scene;

static void setup(void)
{
	scene_open(&scene);
}

static void teardown(void)
{
	scene_close(&scene);
}

static void expect_connected(void)
{
	struct dtls_keys theirs;

	ck_assert_msg(scene.state == HANDSHAKE_CONNECTED, "failure %u: %s", scene.result.failure,
		scene.result.reason ? scene.result.reason : "-");
	ck_assert(scene.peer.connected);
	dtls_peer_keys(&scene.peer, &theirs);
	ck_assert_mem_eq(&theirs, &scene.result.keys, sizeof(theirs));
}

static const struct {
	const char *offered;
	unsigned int suite;
} profiles[] = {
	{"SRTP_AEAD_AES_128_GCM", STN_SUITE_AEAD_AES_128_GCM},
	{"SRTP_AEAD_AES_256_GCM", STN_SUITE_AEAD_AES_256_GCM},
	{"SRTP_AES128_CM_SHA1_80", STN_SUITE_AES128_CM_HMAC_SHA1_80},
	{"SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_256_GCM:SRTP_AEAD_AES_128_GCM",
		STN_SUITE_AEAD_AES_128_GCM},
	/* Chromium's order is 0x0001, 0x0008, 0x0007. */
	{"SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_256_GCM", STN_SUITE_AEAD_AES_256_GCM},
	{"SRTP_AES128_CM_SHA1_32:SRTP_AES128_CM_SHA1_80", STN_SUITE_AES128_CM_HMAC_SHA1_80},
};

START_TEST(both_ends_have_the_same_keys_in_the_suite_we_prefer)
{
	scene.facts.profiles = profiles[_i].offered;
	scene_start(&scene);
	scene_run(&scene, SECOND);
	expect_connected();
	ck_assert_uint_eq(scene.result.keys.rx.suite, profiles[_i].suite);
	ck_assert_uint_eq(scene.now_ns, 0); /* nothing had to be sent again */
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("handshake");
	TCase *tests = tcase_create("handshake");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_loop_test(tests, both_ends_have_the_same_keys_in_the_suite_we_prefer, 0,
		sizeof(profiles) / sizeof(profiles[0]));
	suite_add_tcase(suite, tests);
	return unit_run(suite);
}
