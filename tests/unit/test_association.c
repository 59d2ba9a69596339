/* SPDX-License-Identifier: BSD-3-Clause */
#include "controlplane/webrtc/association.h"
#include "tests/support/dtls_scene.h"
#include "tests/support/unit.h"

#define SECOND 1000000000ULL

static struct scene scene;
static struct association *association;

static const char *const ciphers[] = {
	"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"};
#define CIPHERS (sizeof(ciphers) / sizeof(ciphers[0]))

static void setup(void)
{
	scene_open(&scene);
	association = &scene.result.association;
}

static void teardown(void)
{
	scene_close(&scene);
}

static void connect_with(int cipher)
{
	scene.facts.ciphers = ciphers[cipher];
	scene_start(&scene);
	scene_run(&scene, SECOND);
	ck_assert_int_eq(scene.state, HANDSHAKE_CONNECTED);
	/* OpenSSL's objects are not needed any more. */
	handshake_close(scene.handshake);
	scene.handshake = NULL;
}

static struct scene_datagram their_close(void)
{
	struct scene_datagram datagram;

	SSL_shutdown(scene.peer.ssl);
	ck_assert(scene_take_up(&scene, &datagram));
	return datagram;
}

static enum association_verdict receive(const uint8_t *bytes, size_t size)
{
	uint8_t *block;
	const uint8_t *copy = unit_block(bytes, size, &block);
	enum association_verdict verdict = association_receive(association, copy, size);

	free(block);
	return verdict;
}

START_TEST(openssl_understands_our_close)
{
	uint8_t out[ASSOCIATION_OUT_MAX];
	size_t size;

	connect_with(_i);
	ck_assert_int_eq(SSL_get_shutdown(scene.peer.ssl), 0);
	size = association_write_close(association, out);
	ck_assert_uint_eq(size, 13 + 8 + 2 + 16);
	dtls_peer_receive(&scene.peer, out, size);
	ck_assert_int_eq(SSL_get_shutdown(scene.peer.ssl), SSL_RECEIVED_SHUTDOWN);
	ck_assert(!scene.peer.failed);
}
END_TEST

START_TEST(we_understand_the_close_of_openssl_once)
{
	struct scene_datagram close;

	connect_with(_i);
	close = their_close();
	ck_assert_int_eq(receive(close.bytes, close.size), ASSOCIATION_CLOSED);
	ck_assert_int_eq(receive(close.bytes, close.size), ASSOCIATION_NOTHING);
}
END_TEST

START_TEST(a_close_with_any_bit_changed_or_any_byte_missing_is_nothing)
{
	struct scene_datagram close;

	connect_with(_i);
	close = their_close();
	for (size_t i = 0; i < close.size; i++) {
		for (unsigned int bit = 0; bit < 8; bit++) {
			close.bytes[i] ^= (uint8_t)(1u << bit);
			/* The version's low byte may be that of DTLS 1.0; it is authenticated. */
			ck_assert_int_eq(receive(close.bytes, close.size), ASSOCIATION_NOTHING);
			close.bytes[i] ^= (uint8_t)(1u << bit);
		}
		ck_assert_int_eq(receive(close.bytes, i), ASSOCIATION_NOTHING);
	}
	ck_assert_int_eq(receive(close.bytes, close.size), ASSOCIATION_CLOSED);
}
END_TEST

START_TEST(plaintext_alerts_and_hellos_are_nothing)
{
	static const uint8_t alert[] = {21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 1, 0};
	static const uint8_t encrypted[] = {21, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 9, 0, 2, 1, 0};

	connect_with(_i);
	ck_assert_int_eq(receive(alert, sizeof(alert)), ASSOCIATION_NOTHING);
	ck_assert_int_eq(receive(encrypted, sizeof(encrypted)), ASSOCIATION_NOTHING);
	dtls_peer_close(&scene.peer);
	dtls_peer_open(&scene.peer, &scene.facts);
	dtls_peer_start(&scene.peer);
	ck_assert_uint_eq(scene.waiting, 1);
	ck_assert_int_eq(receive(scene.queue[0].bytes, scene.queue[0].size), ASSOCIATION_NOTHING);
}
END_TEST

START_TEST(application_data_is_nothing)
{
	struct scene_datagram datagram;

	connect_with(_i);
	ck_assert_int_eq(SSL_write(scene.peer.ssl, "hello", 5), 5);
	ck_assert(scene_take_up(&scene, &datagram));
	ck_assert_int_eq(receive(datagram.bytes, datagram.size), ASSOCIATION_NOTHING);
}
END_TEST

static enum scene_fate lose_last_flights(struct scene *s, enum scene_way way, unsigned int number)
{
	return way == SCENE_DOWN && number >= 1 && number < 1 + s->user[0] ? SCENE_LOSE
									   : SCENE_PASS;
}

/* The client sends its Finished again and again; ours is lost each time but the last. */
START_TEST(our_finished_is_repeated_until_the_client_has_it)
{
	struct scene_datagram close;
	uint8_t out[ASSOCIATION_OUT_MAX];
	size_t size;

	scene.user[0] = 3;
	scene.fate = lose_last_flights;
	scene.facts.ciphers = ciphers[_i];
	scene_start(&scene);
	scene_run(&scene, 60 * SECOND);
	ck_assert_int_eq(scene.state, HANDSHAKE_CONNECTED);
	ck_assert(scene.peer.connected);
	ck_assert_uint_eq(scene.number[SCENE_DOWN], 5);
	/* Record numbers have gone on: both closes still get through. */
	close = their_close();
	ck_assert_int_eq(receive(close.bytes, close.size), ASSOCIATION_CLOSED);
	size = association_write_close(association, out);
	dtls_peer_receive(&scene.peer, out, size);
	ck_assert(SSL_get_shutdown(scene.peer.ssl) & SSL_RECEIVED_SHUTDOWN);
}
END_TEST

/* RFC 5116: with AES-GCM a nonce that repeats under a key gives the key's secrets away. */
START_TEST(no_nonce_repeats)
{
	uint8_t out[ASSOCIATION_OUT_MAX];
	uint64_t nonce[20], before;

	connect_with(_i);
	before = association->write_nonce;
	for (unsigned int i = 0; i < 20; i++) {
		bool close = i % 2;
		size_t size = close ? association_write_close(association, out)
				    : association_write_finished(association, out);
		const uint8_t *record = close ? out : out + 14;

		ck_assert_uint_eq(size, close ? 39 : 14 + 61);
		memcpy(&nonce[i], record + 13, 8);
		for (unsigned int j = 0; j < i; j++)
			ck_assert_uint_ne(nonce[i], nonce[j]);
		ck_assert_uint_eq(record[10], i + 1); /* number 0 was the handshake's */
	}
	ck_assert_uint_eq(association->write_nonce, before + 20);
}
END_TEST

START_TEST(erased_is_erased)
{
	static const struct association nothing;
	struct scene_datagram close;
	uint8_t out[ASSOCIATION_OUT_MAX];

	connect_with(_i);
	close = their_close();
	association_erase(association);
	ck_assert_mem_eq(association, &nothing, sizeof(nothing));
	ck_assert_int_eq(receive(close.bytes, close.size), ASSOCIATION_NOTHING);
	ck_assert_uint_eq(association_write_close(association, out), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("association");
	TCase *tests = tcase_create("association");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_loop_test(tests, openssl_understands_our_close, 0, CIPHERS);
	tcase_add_loop_test(tests, we_understand_the_close_of_openssl_once, 0, CIPHERS);
	tcase_add_loop_test(
		tests, a_close_with_any_bit_changed_or_any_byte_missing_is_nothing, 0, CIPHERS);
	tcase_add_loop_test(tests, plaintext_alerts_and_hellos_are_nothing, 0, CIPHERS);
	tcase_add_loop_test(tests, application_data_is_nothing, 0, CIPHERS);
	tcase_add_loop_test(tests, our_finished_is_repeated_until_the_client_has_it, 0, CIPHERS);
	tcase_add_loop_test(tests, no_nonce_repeats, 0, CIPHERS);
	tcase_add_loop_test(tests, erased_is_erased, 0, CIPHERS);
	suite_add_tcase(suite, tests);
	return unit_run(suite);
}
