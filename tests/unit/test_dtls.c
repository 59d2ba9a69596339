/* SPDX-License-Identifier: BSD-3-Clause */
#include <poll.h>
#include <stdio.h>
#include <time.h>

#include "controlplane/webrtc/dtls.h"
#include "controlplane/webrtc/record.h"
#include "tests/support/dtls_peer.h"
#include "tests/support/unit.h"

#define NOW_S 1700000000
#define WAIT_MS 10000
#define LEG 77

/* One leg's peer and what the callbacks said about it. */
struct end {
	struct dtls_peer peer;
	uint64_t leg_id;
	struct stn_address remote;
	unsigned int connected, failed, closed;
	enum dtls_failure failure;
	struct dtls_keys keys;
	bool deaf; /* what is sent to it is lost */
};

static struct certificate *ours, *theirs;
static struct dtls *dtls;
static struct end end;

static struct end *end_of(void *context, uint64_t leg_id)
{
	ck_assert_uint_eq(leg_id, end.leg_id);
	return &end;
}

static void on_send(void *context, uint64_t leg_id, const struct stn_address *remote,
	const uint8_t *bytes, size_t size)
{
	struct end *to = end_of(context, leg_id);

	ck_assert_mem_eq(remote, &to->remote, sizeof(*remote));
	ck_assert_uint_le(size, 1200);
	if (!to->deaf)
		dtls_peer_receive(&to->peer, bytes, size);
}

static void on_connected(void *context, uint64_t leg_id, const struct dtls_keys *keys)
{
	struct end *to = end_of(context, leg_id);

	to->connected++;
	to->keys = *keys;
}

static void on_failed(void *context, uint64_t leg_id, enum dtls_failure failure, const char *reason)
{
	struct end *to = end_of(context, leg_id);

	ck_assert_ptr_nonnull(reason);
	to->failed++;
	to->failure = failure;
}

static void on_closed(void *context, uint64_t leg_id)
{
	end_of(context, leg_id)->closed++;
}

static void peer_sends(void *context, const uint8_t *bytes, size_t size)
{
	struct end *from = context;

	dtls_receive(dtls, from->leg_id, &from->remote, bytes, size);
}

static const struct dtls_callbacks callbacks = {on_send, on_connected, on_failed, on_closed};

static uint64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Runs the loop until the counter has the value. */
static void wait_for(const unsigned int *counter, unsigned int value)
{
	uint64_t until = clock_ms() + WAIT_MS;

	while (*counter != value) {
		struct pollfd ready = {.fd = dtls_fd(dtls), .events = POLLIN};

		ck_assert_msg(clock_ms() < until, "still %u, not %u", *counter, value);
		poll(&ready, 1, 100);
		dtls_process(dtls);
	}
}

static void open_dtls(unsigned int threads)
{
	struct dtls_config config = {.certificate = ours,
		.threads = threads,
		.handshakes_max = 64,
		.handshakes_address_max = 8,
		.handshake_timeout_ms = WAIT_MS};

	ck_assert_int_eq(dtls_open(&dtls, &config, &callbacks, NULL), 0);
}

static void setup(void)
{
	struct dtls_peer_facts facts;

	ck_assert_int_eq(certificate_make(&ours, 30, NOW_S), 0);
	ck_assert_int_eq(certificate_make(&theirs, 30, NOW_S), 0);
	open_dtls(2);
	end = (struct end){
		.leg_id = LEG, .remote = {.family = 4, .port_be = 1234, .address = {10, 0, 0, 1}}};
	facts = (struct dtls_peer_facts){
		.certificate = theirs, .send = peer_sends, .context = &end};
	dtls_peer_open(&end.peer, &facts);
}

static void teardown(void)
{
	dtls_close(dtls);
	dtls_peer_close(&end.peer);
	certificate_release(ours);
	certificate_release(theirs);
}

static void connect_end(void)
{
	ck_assert_int_eq(dtls_expect(dtls, LEG, theirs->fingerprint), 0);
	dtls_peer_start(&end.peer);
	wait_for(&end.connected, 1);
}

START_TEST(an_expected_leg_connects_and_both_have_the_keys)
{
	struct dtls_keys keys;
	struct dtls_stats stats;

	connect_end();
	ck_assert(end.peer.connected);
	dtls_peer_keys(&end.peer, &keys);
	ck_assert_mem_eq(&keys, &end.keys, sizeof(keys));
	dtls_read_stats(dtls, &stats);
	ck_assert_uint_eq(stats.started, 1);
	ck_assert_uint_eq(stats.connected, 1);
	ck_assert_uint_eq(stats.under_way, 0);
	ck_assert_uint_eq(stats.legs, 1);
}
END_TEST

START_TEST(the_peer_closes)
{
	connect_end();
	SSL_shutdown(end.peer.ssl);
	wait_for(&end.closed, 1);
}
END_TEST

START_TEST(we_close)
{
	connect_end();
	dtls_forget(dtls, LEG);
	ck_assert(end.peer.closed);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("dtls");
	TCase *tests = tcase_create("dtls");

	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, an_expected_leg_connects_and_both_have_the_keys);
	tcase_add_test(tests, the_peer_closes);
	tcase_add_test(tests, we_close);
	suite_add_tcase(suite, tests);
	return unit_run(suite);
}
