/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Legs and threads as the session sees them, with OpenSSL clients at the other end. What a
 * handshake does with each datagram is in test_handshake.c, where time stands still.
 */
#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <stdio.h>
#include <time.h>

#include <openssl/x509.h>

#include "controlplane/webrtc/record.h"
#include "tests/support/dtls_peer.h"
#include "tests/support/unit.h"

#define NOW_S 1700000000
#define WAIT_MS 20000
#define ENDS 128
#define HANDSHAKES_MAX 64
#define ADDRESS_MAX 8

/* One leg's peer and what the callbacks said about it. */
struct end {
	struct dtls_peer peer;
	uint64_t leg_id;
	struct stn_address remote;
	unsigned int sent, connected, failed, closed;
	enum dtls_failure failure;
	struct dtls_keys keys;
	bool deaf;         /* what is sent to it is lost */
	bool forget_early; /* from within connected() */
};

static struct certificate *ours, *theirs;
static struct dtls *dtls;
static struct end ends[ENDS];
static struct end *only_end; /* of all legs, if not NULL */
static unsigned int connected, failed, closed;
static struct {
	size_t size;
	uint8_t bytes[RECORD_DATAGRAM_MAX];
} hello;

/* Leg ids of ends are their index and one; others have no end. */
static struct end *end_of(uint64_t leg_id)
{
	ck_assert_uint_ge(leg_id, 1);
	if (only_end != NULL)
		return only_end;
	return leg_id <= ENDS ? &ends[leg_id - 1] : NULL;
}

static void on_send(void *context, uint64_t leg_id, const struct stn_address *remote,
	const uint8_t *bytes, size_t size)
{
	struct end *end = end_of(leg_id);

	ck_assert_uint_le(size, 1200);
	if (end == NULL)
		return;
	ck_assert_mem_eq(remote, &end->remote, sizeof(*remote));
	end->sent++;
	if (!end->deaf)
		dtls_peer_receive(&end->peer, bytes, size);
}

static void on_connected(void *context, uint64_t leg_id, const struct dtls_keys *keys)
{
	struct end *end = end_of(leg_id);

	connected++;
	end->connected++;
	end->keys = *keys;
	if (end->forget_early)
		dtls_forget(dtls, leg_id);
}

static void on_failed(void *context, uint64_t leg_id, enum dtls_failure failure, const char *reason)
{
	struct end *end = end_of(leg_id);

	ck_assert_ptr_nonnull(reason);
	ck_assert_str_ne(dtls_failure_name(failure), "unknown");
	failed++;
	if (end == NULL)
		return;
	end->failed++;
	end->failure = failure;
}

static void on_closed(void *context, uint64_t leg_id)
{
	closed++;
	end_of(leg_id)->closed++;
}

static const struct dtls_callbacks callbacks = {on_send, on_connected, on_failed, on_closed};

static void peer_sends(void *context, const uint8_t *bytes, size_t size)
{
	struct end *end = context;
	uint8_t *block; /* exactly as large, so that one byte too many is seen */
	const uint8_t *copy = unit_block(bytes, size, &block);

	dtls_receive(dtls, end->leg_id, &end->remote, copy, size);
	free(block);
}

static uint64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void turn(int timeout_ms)
{
	struct pollfd ready = {.fd = dtls_fd(dtls), .events = POLLIN};

	poll(&ready, 1, timeout_ms);
	dtls_process(dtls);
}

/* Runs the loop until the counter has the value. */
static void wait_for(const unsigned int *counter, unsigned int value)
{
	uint64_t until = clock_ms() + WAIT_MS;

	while (*counter != value) {
		ck_assert_msg(clock_ms() < until, "still %u, not %u", *counter, value);
		turn(100);
	}
}

static struct dtls_stats stats(void)
{
	struct dtls_stats now;

	dtls_read_stats(dtls, &now);
	return now;
}

static void open_dtls(unsigned int threads, uint64_t timeout_ms)
{
	struct dtls_config config = {.certificate = ours,
		.threads = threads,
		.handshakes_max = HANDSHAKES_MAX,
		.handshakes_address_max = ADDRESS_MAX,
		.handshake_timeout_ms = timeout_ms};

	ck_assert_int_eq(dtls_open(&dtls, &config, &callbacks, NULL), 0);
}

static void open_peer(struct end *end, const struct certificate *certificate)
{
	struct dtls_peer_facts facts = {
		.certificate = certificate, .send = peer_sends, .context = end};

	end->leg_id = (uint64_t)(end - ends) + 1;
	end->remote = (struct stn_address){
		.family = 4, .port_be = 1234, .address = {10, 0, 0, (uint8_t)end->leg_id}};
	dtls_peer_open(&end->peer, &facts);
}

static void keep_hello(void *context, const uint8_t *bytes, size_t size)
{
	hello.size = size;
	memcpy(hello.bytes, bytes, size);
}

static void make_hello(void)
{
	struct dtls_peer_facts facts = {.certificate = theirs, .send = keep_hello};
	struct dtls_peer peer;

	dtls_peer_open(&peer, &facts);
	dtls_peer_start(&peer);
	dtls_peer_close(&peer);
}

static void setup(void)
{
	ck_assert_int_eq(certificate_make(&ours, 30, NOW_S), 0);
	ck_assert_int_eq(certificate_make(&theirs, 30, NOW_S), 0);
	open_dtls(2, WAIT_MS);
	open_peer(&ends[0], theirs);
	make_hello();
}

static void teardown(void)
{
	dtls_close(dtls);
	for (unsigned int i = 0; i < ENDS; i++)
		dtls_peer_close(&ends[i].peer);
	certificate_release(ours);
	certificate_release(theirs);
}

static void connect_end(struct end *end)
{
	ck_assert_int_eq(dtls_expect(dtls, end->leg_id, theirs->fingerprint), 0);
	dtls_peer_start(&end->peer);
	wait_for(&end->connected, 1);
}

static void expect_same_keys(struct end *end)
{
	struct dtls_keys keys;

	ck_assert(end->peer.connected);
	dtls_peer_keys(&end->peer, &keys);
	ck_assert_mem_eq(&keys, &end->keys, sizeof(keys));
}

START_TEST(an_expected_leg_connects_and_both_have_the_keys)
{
	connect_end(&ends[0]);
	expect_same_keys(&ends[0]);
	ck_assert_int_eq(dtls_expect(dtls, 1, theirs->fingerprint), -EEXIST);
	ck_assert_uint_eq(stats().started, 1);
	ck_assert_uint_eq(stats().connected, 1);
	ck_assert_uint_eq(stats().refused, 0);
	ck_assert_uint_eq(stats().under_way, 0);
	ck_assert_uint_eq(stats().legs, 1);
}
END_TEST

/* Who has our last flight may end its session at once: then there must be one to close. */
START_TEST(a_leg_is_connected_when_its_peer_is)
{
	struct end *end = &ends[0];
	uint64_t until = clock_ms() + WAIT_MS;

	ck_assert_int_eq(dtls_expect(dtls, end->leg_id, theirs->fingerprint), 0);
	dtls_peer_start(&end->peer);
	while (!end->peer.connected) {
		ck_assert_uint_lt(clock_ms(), until);
		turn(100);
	}
	ck_assert_uint_eq(end->connected, 1);
}
END_TEST

START_TEST(the_peer_closes_and_it_is_told_once)
{
	connect_end(&ends[0]);
	SSL_shutdown(ends[0].peer.ssl);
	ck_assert_uint_eq(ends[0].closed, 0); /* from dtls_process() only */
	wait_for(&ends[0].closed, 1);
	SSL_set_shutdown(ends[0].peer.ssl, 0);
	SSL_shutdown(ends[0].peer.ssl); /* another record of the same kind */
	turn(0);
	ck_assert_uint_eq(ends[0].closed, 1);
	ck_assert_uint_eq(stats().closed, 1);
	dtls_forget(dtls, 1);
	ck_assert(ends[0].peer.closed);
}
END_TEST

START_TEST(we_close)
{
	connect_end(&ends[0]);
	dtls_forget(dtls, 1);
	ck_assert(ends[0].peer.closed);
	ck_assert_uint_eq(stats().legs, 0);
	dtls_forget(dtls, 1);
}
END_TEST

START_TEST(a_peer_that_closed_and_is_forgotten_is_not_named_any_more)
{
	connect_end(&ends[0]);
	SSL_shutdown(ends[0].peer.ssl);
	dtls_forget(dtls, 1);
	turn(0);
	ck_assert_uint_eq(ends[0].closed, 0);
}
END_TEST

START_TEST(forgotten_from_within_a_callback)
{
	ends[0].forget_early = true;
	connect_end(&ends[0]);
	ck_assert(ends[0].peer.closed);
	ck_assert_uint_eq(stats().legs, 0);
}
END_TEST

START_TEST(who_ends_without_a_word_leaves_the_media_alone)
{
	connect_end(&ends[0]);
	dtls_close(dtls);
	ck_assert(!ends[0].peer.closed);
	/* A control plane that has been started again knows nothing of that connection. */
	open_dtls(1, WAIT_MS);
	SSL_shutdown(ends[0].peer.ssl);
	turn(0);
	ck_assert_uint_eq(closed, 0);
}
END_TEST

START_TEST(what_belongs_to_no_leg_or_is_no_hello_starts_nothing)
{
	static const uint8_t garbage[RECORD_DATAGRAM_MAX + 1] = {22, 0xfe, 0xfd};
	static const uint8_t alert[] = {21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 2, 40};

	dtls_peer_start(&ends[0].peer);
	ck_assert_int_eq(dtls_expect(dtls, 1, theirs->fingerprint), 0);
	dtls_receive(dtls, 1, &ends[0].remote, garbage, 0);
	dtls_receive(dtls, 1, &ends[0].remote, garbage, sizeof(garbage));
	dtls_receive(dtls, 1, &ends[0].remote, alert, sizeof(alert));
	ck_assert_uint_eq(stats().started, 0);
	ck_assert_uint_eq(stats().refused, 0);
}
END_TEST

START_TEST(a_failure_ends_the_handshake_and_not_the_leg)
{
	uint64_t until = clock_ms() + WAIT_MS;

	/* Somebody with another certificate first: theirs is ours here. */
	dtls_peer_close(&ends[0].peer);
	open_peer(&ends[0], ours);
	ck_assert_int_eq(dtls_expect(dtls, 1, theirs->fingerprint), 0);
	dtls_peer_start(&ends[0].peer);
	wait_for(&ends[0].failed, 1);
	ck_assert_int_eq(ends[0].failure, DTLS_FAILURE_FINGERPRINT);
	ck_assert_uint_eq(ends[0].connected, 0);
	ck_assert_uint_eq(stats().failed[DTLS_FAILURE_FINGERPRINT], 1);
	ck_assert_uint_eq(stats().under_way, 0);
	/* The next hello comes too early, later ones do not. */
	dtls_peer_close(&ends[0].peer);
	open_peer(&ends[0], theirs);
	dtls_peer_start(&ends[0].peer);
	ck_assert_uint_eq(stats().refused, 1);
	while (ends[0].connected == 0) {
		ck_assert(clock_ms() < until);
		turn(10);
		if (stats().under_way > 0 || ends[0].connected > 0)
			continue;
		dtls_peer_close(&ends[0].peer);
		open_peer(&ends[0], theirs);
		dtls_peer_start(&ends[0].peer);
	}
	expect_same_keys(&ends[0]);
}
END_TEST

START_TEST(a_client_that_falls_silent_is_given_up)
{
	dtls_close(dtls);
	open_dtls(1, 50);
	ends[0].deaf = true;
	ck_assert_int_eq(dtls_expect(dtls, 1, theirs->fingerprint), 0);
	dtls_peer_start(&ends[0].peer);
	wait_for(&ends[0].failed, 1);
	ck_assert_int_eq(ends[0].failure, DTLS_FAILURE_TIMEOUT);
	ck_assert_uint_eq(stats().under_way, 0);
	ck_assert_uint_ge(ends[0].sent, 1);
}
END_TEST

START_TEST(forgotten_in_the_middle_nothing_comes_any_more)
{
	for (unsigned int i = 0; i < 50; i++) {
		ck_assert_int_eq(dtls_expect(dtls, 1, theirs->fingerprint), 0);
		dtls_receive(dtls, 1, &ends[0].remote, hello.bytes, hello.size);
		ck_assert_uint_eq(stats().under_way, 1);
		if (i % 2)
			turn(10);
		ends[0].sent = 0;
		dtls_forget(dtls, 1);
		ck_assert_uint_eq(stats().under_way, 0);
		turn(i % 3 ? 0 : 1);
		ck_assert_uint_eq(ends[0].sent + connected + failed, 0);
	}
	open_peer(&ends[1], theirs);
	connect_end(&ends[1]);
}
END_TEST

START_TEST(a_flood_of_half_open_handshakes_takes_its_share_and_no_more)
{
	struct stn_address from = {.family = 4, .address = {192, 0, 2, 0}};

	connect_end(&ends[0]);
	for (uint64_t leg_id = 1001; leg_id <= 11000; leg_id++) {
		from.address[3] = (uint8_t)(leg_id % 5);
		from.port_be = (uint16_t)leg_id;
		ck_assert_int_eq(dtls_expect(dtls, leg_id, theirs->fingerprint), 0);
		dtls_receive(dtls, leg_id, &from, hello.bytes, hello.size);
		ck_assert_uint_le(stats().under_way, 5 * ADDRESS_MAX);
		if (leg_id % 100 == 0)
			turn(0);
	}
	ck_assert_uint_eq(stats().started - stats().evicted, 1 + 5 * ADDRESS_MAX);
	ck_assert_uint_ge(stats().refused, 9000);
	/* Another address still gets in, and the leg that was there is as it was. */
	open_peer(&ends[1], theirs);
	connect_end(&ends[1]);
	expect_same_keys(&ends[1]);
	SSL_shutdown(ends[0].peer.ssl);
	wait_for(&ends[0].closed, 1);
}
END_TEST

START_TEST(a_new_certificate_is_for_legs_expected_later)
{
	struct certificate *next;
	uint8_t seen[DTLS_FINGERPRINT_SIZE];

	open_peer(&ends[1], theirs);
	ck_assert_int_eq(dtls_expect(dtls, 1, theirs->fingerprint), 0);
	ck_assert_int_eq(certificate_make(&next, 30, NOW_S), 0);
	ck_assert_int_eq(dtls_rotate(dtls, next), 0);
	ck_assert_int_eq(dtls_expect(dtls, 2, theirs->fingerprint), 0);
	for (unsigned int i = 0; i < 2; i++) {
		X509 *shown;

		dtls_peer_start(&ends[i].peer);
		wait_for(&ends[i].connected, 1);
		shown = SSL_get1_peer_certificate(ends[i].peer.ssl);
		X509_digest(shown, EVP_sha256(), seen, NULL);
		X509_free(shown);
		ck_assert_mem_eq(
			seen, i == 0 ? ours->fingerprint : next->fingerprint, sizeof(seen));
	}
	certificate_release(next);
}
END_TEST

START_TEST(many_at_once_on_several_threads)
{
	dtls_close(dtls);
	open_dtls(4, WAIT_MS);
	for (unsigned int round = 0; round < 2; round++) {
		unsigned int first = round * HANDSHAKES_MAX;

		for (unsigned int i = first; i < first + HANDSHAKES_MAX; i++) {
			dtls_peer_close(&ends[i].peer);
			open_peer(&ends[i], theirs);
			ck_assert_int_eq(dtls_expect(dtls, ends[i].leg_id, theirs->fingerprint), 0);
			dtls_peer_start(&ends[i].peer);
		}
		wait_for(&connected, first + HANDSHAKES_MAX);
	}
	for (unsigned int i = 0; i < ENDS; i++)
		expect_same_keys(&ends[i]);
	ck_assert_uint_eq(stats().refused, 0);
}
END_TEST

START_TEST(closed_while_everything_is_under_way)
{
	for (unsigned int i = 0; i < HANDSHAKES_MAX; i++) {
		dtls_peer_close(&ends[i].peer);
		open_peer(&ends[i], theirs);
		ck_assert_int_eq(dtls_expect(dtls, ends[i].leg_id, theirs->fingerprint), 0);
		dtls_peer_start(&ends[i].peer);
	}
	turn(5);
	SSL_shutdown(ends[0].peer.ssl);
}
END_TEST

START_TEST(a_number_of_threads_that_cannot_be_is_refused)
{
	struct dtls_config config = {.certificate = ours, .handshakes_max = 1};
	struct dtls *none = NULL;

	ck_assert_int_eq(dtls_open(&none, &config, &callbacks, NULL), -EINVAL);
	ck_assert_ptr_null(none);
}
END_TEST

#define LEGS 1000
#define LEG_BYTES_MAX 1024

static size_t in_use(void)
{
	return mallinfo2().uordblks;
}

/* A connected leg, when OpenSSL's objects are gone. A peer at a time, on the leg of that number. */
static void connect_leg(uint64_t leg_id)
{
	struct end *end = &ends[0];

	dtls_peer_close(&end->peer);
	open_peer(end, theirs);
	end->leg_id = leg_id;
	end->connected = 0;
	ck_assert_int_eq(dtls_expect(dtls, leg_id, theirs->fingerprint), 0);
	dtls_peer_start(&end->peer);
	wait_for(&end->connected, 1);
	dtls_peer_close(&end->peer);
}

START_TEST(a_connected_leg_costs_little_memory)
{
	size_t before, after;

	only_end = &ends[0];
	for (uint64_t i = 0; i < 2 * (uint64_t)ENDS; i++)
		connect_leg(100000 + i);
	before = in_use();
	for (uint64_t i = 0; i < LEGS; i++)
		connect_leg(1 + i);
	after = in_use();
	ck_assert_uint_eq(stats().connected, LEGS + 2 * ENDS);
	printf("%zu bytes a connected leg\n", (after - before) / LEGS);
	/* Sanitizers have allocators of their own, which this does not see. */
	ck_assert_uint_le((after - before) / LEGS, LEG_BYTES_MAX);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	ck_assert_uint_ge((after - before) / LEGS, 100);
#endif
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("dtls");
	TCase *tests = tcase_create("dtls");

	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, an_expected_leg_connects_and_both_have_the_keys);
	tcase_add_loop_test(tests, a_leg_is_connected_when_its_peer_is, 0, 32);
	tcase_add_test(tests, the_peer_closes_and_it_is_told_once);
	tcase_add_test(tests, we_close);
	tcase_add_test(tests, a_peer_that_closed_and_is_forgotten_is_not_named_any_more);
	tcase_add_test(tests, forgotten_from_within_a_callback);
	tcase_add_test(tests, who_ends_without_a_word_leaves_the_media_alone);
	tcase_add_test(tests, what_belongs_to_no_leg_or_is_no_hello_starts_nothing);
	tcase_add_test(tests, a_failure_ends_the_handshake_and_not_the_leg);
	tcase_add_test(tests, a_client_that_falls_silent_is_given_up);
	tcase_add_test(tests, forgotten_in_the_middle_nothing_comes_any_more);
	tcase_add_test(tests, a_flood_of_half_open_handshakes_takes_its_share_and_no_more);
	tcase_add_test(tests, a_new_certificate_is_for_legs_expected_later);
	tcase_add_test(tests, many_at_once_on_several_threads);
	tcase_add_test(tests, closed_while_everything_is_under_way);
	tcase_add_test(tests, a_number_of_threads_that_cannot_be_is_refused);
	tcase_add_test(tests, a_connected_leg_costs_little_memory);
	suite_add_tcase(suite, tests);
	return unit_run(suite);
}
