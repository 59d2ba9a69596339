// SPDX-License-Identifier: BSD-3-Clause
/*
 * What a receiver accepts, with both engines; what strangers can change, which is nothing; and its
 * verdicts against those of libsrtp2 over a million steps, 10^7 with STENTOR_LONG=1.
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <srtp2/srtp.h>

#include "dataplane/core/index.h"
#include "dataplane/core/srtp.h"
#include "tests/support/random.h"
#include "tests/support/unit.h"

#define SSRC UINT32_C(0xcafebabe)
#define STRANGER UINT32_C(0x5eed5eed)
#define PACKET_MAX 256
#define ROC(roc, sequence) (((uint64_t)(roc) << 16) + (sequence))

static const enum suite suites[] = {
	SUITE_AEAD_AES_128_GCM, SUITE_AEAD_AES_256_GCM, SUITE_AES128_CM_HMAC_SHA1_80};

static struct random_state random_state;

/* A sender with an index of its choice, and the receiver under test. */
struct link {
	const struct engine *engine;
	struct engine_core *core;
	struct engine_context *sender;
	struct master_key key;
	struct srtp_receiver receiver;
	uint64_t rtp_cell, rtcp_cell;
	uint8_t data[PACKET_MAX];
	struct srtp_packet packet;
};

static void link_receiver(struct link *link, uint32_t ssrc)
{
	struct srtp_receiver_facts facts = {
		.engine = link->engine,
		.core = link->core,
		.key = &link->key,
		.ssrc = ssrc,
		.rtp_cell = &link->rtp_cell,
		.rtcp_cell = &link->rtcp_cell,
	};

	srtp_receiver_close(&link->receiver);
	ck_assert_int_eq(srtp_receiver_open(&link->receiver, &facts), 0);
}

static void link_open(
	struct link *link, const struct engine *engine, enum suite suite, uint32_t ssrc)
{
	memset(link, 0, sizeof(*link));
	link->engine = engine;
	ck_assert(engine->available());
	link->core = engine->open();
	link->key.suite = suite;
	random_fill(&random_state, link->key.key, suite_facts(suite)->key_size);
	random_fill(&random_state, link->key.salt, suite_facts(suite)->salt_size);
	link->sender = engine->context_open(link->core, &link->key);
	ck_assert_ptr_nonnull(link->sender);
	link_receiver(link, ssrc);
}

static void link_close(struct link *link)
{
	srtp_receiver_close(&link->receiver);
	srtp_receiver_close(&link->receiver);
	link->engine->context_close(link->sender);
	link->engine->close(link->core);
}

static void put_u32(uint8_t *to, uint32_t value)
{
	for (unsigned int i = 0; i < 4; i++)
		to[i] = (uint8_t)(value >> (24 - 8 * i));
}

static void make_rtp(struct link *link, uint32_t ssrc, uint64_t index, unsigned int payload_size)
{
	memset(link->data, (int)index, sizeof(link->data));
	link->data[0] = 0x80;
	link->data[1] = 111;
	link->data[2] = (uint8_t)(index >> 8);
	link->data[3] = (uint8_t)index;
	put_u32(link->data + 8, ssrc);
	link->packet = (struct srtp_packet){.data = link->data, .header_size = 12};
	link->packet.size = link->engine->protect(
		link->core, link->sender, link->data, 12, 12 + payload_size, ssrc, index);
	ck_assert_uint_gt(link->packet.size, 12);
}

static void make_rtcp(struct link *link, uint32_t ssrc, uint32_t index)
{
	memset(link->data, (int)index, sizeof(link->data));
	put_u32(link->data, 0x81c90007);
	put_u32(link->data + 4, ssrc);
	link->packet = (struct srtp_packet){.data = link->data};
	link->packet.size =
		link->engine->protect_rtcp(link->core, link->sender, link->data, 32, ssrc, index);
	ck_assert_uint_gt(link->packet.size, 32);
}

enum kind { RTP, RTCP, RESTART };

struct step {
	enum kind kind;
	uint32_t ssrc;
	uint64_t index;
	bool bad_tag;
	int verdict;
};

#define STEPS_MAX 12
#define OK 0
#define REPLAY STN_DROP_SRTP_REPLAY
#define OLD STN_DROP_SRTP_TOO_OLD
#define AUTH STN_DROP_SRTP_AUTH
#define FOREIGN STN_DROP_RTP_UNKNOWN_SSRC

static const struct {
	const char *name;
	uint32_t declared;
	struct step step[STEPS_MAX];
	unsigned int steps;
} cases[] = {
	{"each packet once", SSRC,
		{{RTP, SSRC, 7, false, OK}, {RTP, SSRC, 8, false, OK},
			{RTP, SSRC, 7, false, REPLAY}, {RTP, SSRC, 8, false, REPLAY},
			{RTP, SSRC, 9, false, OK}},
		5},
	{"a bad tag does not use the index up", SSRC,
		{{RTP, SSRC, 7, true, AUTH}, {RTP, SSRC, 7, false, OK}, {RTP, SSRC, 8, true, AUTH},
			{RTP, SSRC, 8, true, AUTH}, {RTP, SSRC, 8, false, OK}},
		5},
	{"a bad tag far ahead does not move the window or the ROC", SSRC,
		{{RTP, SSRC, 60000, false, OK}, {RTP, SSRC, ROC(1, 5000), true, AUTH},
			{RTP, SSRC, 59500, false, OK}, {RTP, SSRC, 60001, false, OK}},
		4},
	{"only the declared SSRC", SSRC,
		{{RTP, STRANGER, 7, false, FOREIGN}, {RTP, SSRC, 7, false, OK},
			{RTP, STRANGER, 8, false, FOREIGN}, {RTCP, STRANGER, 1, false, FOREIGN}},
		4},
	{"none declared: the first that authenticates", 0,
		{{RTP, STRANGER, 7, true, AUTH}, {RTP, SSRC, 7, false, OK},
			{RTP, STRANGER, 8, false, FOREIGN}, {RTP, SSRC, 8, false, OK}},
		4},
	{"none declared: RTCP may come from another source of the same leg", 0,
		{{RTCP, STRANGER, 1, false, OK}, {RTP, SSRC, 7, false, OK},
			{RTCP, SSRC, 2, false, FOREIGN}, {RTCP, STRANGER, 2, false, OK}},
		4},
	{"over the wrap and back: TRAPS 14", SSRC,
		{{RTP, SSRC, 65530, false, OK}, {RTP, SSRC, ROC(1, 2), false, OK},
			{RTP, SSRC, 65534, false, OK}, {RTP, SSRC, 65534, false, REPLAY},
			{RTP, SSRC, ROC(1, 0), false, OK}, {RTP, SSRC, ROC(1, 3), false, OK}},
		6},
	{"older than the window", SSRC,
		{{RTP, SSRC, 5000, false, OK}, {RTP, SSRC, 5000 - 1023, false, OK},
			{RTP, SSRC, 5000 - 1024, false, OLD}},
		3},
	{"a restart forgets neither ROC nor what was received", SSRC,
		{{RTP, SSRC, 40000, false, OK}, {RTP, SSRC, 65535, false, OK},
			{RTP, SSRC, ROC(1, 9), false, OK}, {RESTART},
			{RTP, SSRC, ROC(1, 9), false, REPLAY},
			{RTP, SSRC, ROC(1, 8), false, REPLAY}, {RTP, SSRC, 65535, false, REPLAY},
			{RTP, SSRC, ROC(1, 10), false, OK}, {RTCP, SSRC, 1, false, OK}},
		9},
	{"SRTCP has a window of its own", SSRC,
		{{RTCP, SSRC, 1, false, OK}, {RTP, SSRC, 1, false, OK},
			{RTCP, SSRC, 1, false, STN_DROP_SRTCP_REPLAY}, {RTCP, SSRC, 3, false, OK},
			{RTCP, SSRC, 2, true, STN_DROP_SRTCP_AUTH}, {RTCP, SSRC, 2, false, OK},
			{RESTART}, {RTCP, SSRC, 3, false, STN_DROP_SRTCP_REPLAY},
			{RTCP, SSRC, 2, false, STN_DROP_SRTCP_REPLAY}, {RTCP, SSRC, 4, false, OK}},
		10},
	{"a ROC guessed wrong does not authenticate", SSRC,
		{{RTP, SSRC, ROC(1, 5), false, AUTH}, {RTP, SSRC, 5, false, OK}}, 2},
};

static void run_step(struct link *link, const struct step *step, const char *name, unsigned int at)
{
	uint64_t digest = srtp_receiver_digest(&link->receiver, 0);
	int verdict;

	if (step->kind == RTP)
		make_rtp(link, step->ssrc, step->index, 60);
	else
		make_rtcp(link, step->ssrc, (uint32_t)step->index);
	if (step->bad_tag)
		link->data[link->packet.size - 1 - (step->kind == RTCP ? 4 : 0)] ^= 1;
	verdict = step->kind == RTP ? srtp_receive_rtp(&link->receiver, &link->packet)
				    : srtp_receive_rtcp(&link->receiver, &link->packet);
	ck_assert_msg(verdict == step->verdict, "%s, step %u: %d (%s, %s)", name, at, verdict,
		link->engine->name, suite_facts(link->key.suite)->name);
	if (verdict) {
		ck_assert(srtp_receiver_digest(&link->receiver, 0) == digest);
		return;
	}
	ck_assert(srtp_receiver_digest(&link->receiver, 0) != digest);
	ck_assert(link->packet.index == step->index);
	ck_assert_uint_eq(link->packet.size, step->kind == RTP ? 72 : 32);
	ck_assert_uint_eq(link->data[20], (uint8_t)step->index);
	ck_assert((step->kind == RTP ? link->rtp_cell : link->rtcp_cell) > step->index);
}

START_TEST(receiver_is_as_on_paper)
{
	unsigned int row = (unsigned int)_i / 6;
	struct link link;

	random_state.value = 1;
	link_open(&link, engine_at((unsigned int)_i / 3 % 2), suites[_i % 3], cases[row].declared);
	for (unsigned int i = 0; i < cases[row].steps; i++) {
		if (cases[row].step[i].kind == RESTART)
			link_receiver(&link, cases[row].declared);
		else
			run_step(&link, &cases[row].step[i], cases[row].name, i);
	}
	link_close(&link);
}
END_TEST

START_TEST(cells_hold_the_next_index)
{
	struct link link;

	random_state.value = 2;
	link_open(&link, &engine_ipsec_mb, suites[_i], SSRC);
	make_rtp(&link, SSRC, 0, 1);
	ck_assert_int_eq(srtp_receive_rtp(&link.receiver, &link.packet), 0);
	ck_assert(link.rtp_cell == 1 && link.rtcp_cell == 0);
	make_rtp(&link, SSRC, 9, 1);
	ck_assert_int_eq(srtp_receive_rtp(&link.receiver, &link.packet), 0);
	make_rtp(&link, SSRC, 5, 1);
	ck_assert_int_eq(srtp_receive_rtp(&link.receiver, &link.packet), 0);
	ck_assert(link.rtp_cell == 10);
	make_rtcp(&link, SSRC, 0x7fffffff);
	ck_assert_int_eq(srtp_receive_rtcp(&link.receiver, &link.packet), 0);
	ck_assert(link.rtcp_cell == UINT64_C(0x80000000));
	link_close(&link);
}
END_TEST

/* TRAPS 10: RFC 3711 allows SRTCP in the clear, we do not. */
START_TEST(rtcp_without_the_e_bit_is_refused)
{
	enum suite suite = suites[_i % 3];
	struct link link;
	uint64_t digest;

	random_state.value = 5;
	link_open(&link, engine_at((unsigned int)_i / 3), suite, SSRC);
	digest = srtp_receiver_digest(&link.receiver, 0);
	make_rtcp(&link, SSRC, 1);
	link.data[suite == SUITE_AES128_CM_HMAC_SHA1_80 ? 32 : 48] = 0;
	ck_assert_int_eq(srtp_receive_rtcp(&link.receiver, &link.packet), STN_DROP_SRTCP_AUTH);
	ck_assert(srtp_receiver_digest(&link.receiver, 0) == digest);
	link_close(&link);
}
END_TEST

/* A cell is a file's content: anything may be in it. */
START_TEST(a_cell_out_of_range_counts_as_empty)
{
	struct link link;

	random_state.value = 3;
	link_open(&link, &engine_ipsec_mb, SUITE_AEAD_AES_128_GCM, SSRC);
	link.rtp_cell = INDEX_MAX + 2;
	link.rtcp_cell = UINT64_C(0x80000001);
	link_receiver(&link, SSRC);
	make_rtp(&link, SSRC, 5, 1);
	ck_assert_int_eq(srtp_receive_rtp(&link.receiver, &link.packet), 0);
	make_rtcp(&link, SSRC, 5);
	ck_assert_int_eq(srtp_receive_rtcp(&link.receiver, &link.packet), 0);
	link_close(&link);
}
END_TEST

START_TEST(every_size_is_taken)
{
	unsigned int tag_size = suite_facts(suites[_i])->tag_size;
	struct link link;

	random_state.value = 4;
	link_open(&link, &engine_ipsec_mb, suites[_i], SSRC);
	for (unsigned int size = 0; size < 64; size++) {
		uint8_t *data = calloc(1, size ? size : 1);
		struct srtp_packet packet = {.data = data, .header_size = 12, .size = size};

		if (size > 11)
			put_u32(data + 8, SSRC);
		ck_assert_int_eq(srtp_receive_rtp(&link.receiver, &packet),
			size < 12 + tag_size ? STN_DROP_RTP_MALFORMED : STN_DROP_SRTP_AUTH);
		if (size > 7)
			put_u32(data + 4, SSRC);
		ck_assert_int_eq(srtp_receive_rtcp(&link.receiver, &packet),
			size < 12 + tag_size ? STN_DROP_RTCP_MALFORMED : STN_DROP_SRTCP_AUTH);
		packet.header_size = 11;
		ck_assert_int_eq(srtp_receive_rtp(&link.receiver, &packet), STN_DROP_RTP_MALFORMED);
		free(data);
	}
	link_close(&link);
}
END_TEST

START_TEST(bad_keys_are_refused)
{
	struct master_key key = {.suite = SUITE_NONE};
	struct srtp_receiver_facts facts = {.engine = &engine_ipsec_mb, .key = &key};
	struct srtp_receiver receiver;

	facts.core = engine_ipsec_mb.open();
	ck_assert_int_eq(srtp_receiver_open(&receiver, &facts), -EINVAL);
	srtp_receiver_close(&receiver);
	key.suite = SUITE_COUNT;
	ck_assert_int_eq(srtp_receiver_open(&receiver, &facts), -EINVAL);
	engine_ipsec_mb.close(facts.core);
}
END_TEST

/* TRAPS 2: a million in all, after nothing, after a packet and after a wrap. */
START_TEST(strangers_change_nothing)
{
	struct link link;
	uint64_t digest;

	random_seed(&random_state);
	link_open(&link, &engine_ipsec_mb, suites[_i / 3], _i % 2 ? SSRC : 0);
	for (uint64_t index = 65000; _i % 3 && index < (_i % 3 == 1 ? 65001 : 65540); index++) {
		make_rtp(&link, SSRC, index, 10);
		ck_assert_int_eq(srtp_receive_rtp(&link.receiver, &link.packet), 0);
	}
	digest = srtp_receiver_digest(&link.receiver, 0);
	for (unsigned int i = 0; i < 112000; i++) {
		struct srtp_packet *packet = &link.packet;
		unsigned int bit;

		make_rtp(&link, SSRC, random_below(&random_state, 1 << 18), 40);
		bit = 8 * packet->size - 1 - random_below(&random_state, 80);
		switch (i % 4) {
		case 0:
			random_fill(&random_state, link.data, packet->size);
			break;
		case 1:
			link.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
			break;
		case 2:
			packet->size -= 1 + random_below(&random_state, packet->size - 12);
			break;
		default:
			link.data[random_below(&random_state, 12)] += 1;
		}
		ck_assert_int_ne(i & 4 ? srtp_receive_rtcp(&link.receiver, packet)
				       : srtp_receive_rtp(&link.receiver, packet),
			0);
	}
	ck_assert(srtp_receiver_digest(&link.receiver, 0) == digest);
	link_close(&link);
}
END_TEST

/* libsrtp2 as its own users use it: any source, window of the same size. */
static srtp_t oracle_open(const struct master_key *key)
{
	const struct suite_facts *facts = suite_facts(key->suite);
	uint8_t both[32 + ENGINE_SALT_MAX];
	srtp_policy_t policy = {
		.ssrc = {.type = ssrc_any_inbound}, .key = both, .window_size = REPLAY_WINDOW};
	srtp_t oracle;

	memcpy(both, key->key, facts->key_size);
	memcpy(both + facts->key_size, key->salt, facts->salt_size);
	if (key->suite == SUITE_AEAD_AES_128_GCM)
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
	else if (key->suite == SUITE_AEAD_AES_256_GCM)
		srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtp);
	else
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtp);
	policy.rtcp = policy.rtp;
	ck_assert_int_eq(srtp_init(), srtp_err_status_ok);
	ck_assert_int_eq(srtp_create(&oracle, &policy), srtp_err_status_ok);
	return oracle;
}

static int oracle_verdict(srtp_err_status_t status, bool rtcp)
{
	switch (status) {
	case srtp_err_status_ok:
		return 0;
	case srtp_err_status_replay_fail:
		return rtcp ? STN_DROP_SRTCP_REPLAY : STN_DROP_SRTP_REPLAY;
	case srtp_err_status_replay_old:
		return rtcp ? STN_DROP_SRTCP_REPLAY : STN_DROP_SRTP_TOO_OLD;
	default:
		return rtcp ? STN_DROP_SRTCP_AUTH : STN_DROP_SRTP_AUTH;
	}
}

/* The road between: the next index to send, and the highest one that arrived unharmed. */
struct road {
	uint64_t next, arrived;
	uint64_t rtcp_next;
};

static uint64_t road_rtp(struct road *road)
{
	uint32_t dice = random_below(&random_state, 1000);

	if (dice < 600) /* one more, now and then with a few lost */
		return road->next += 1 + (dice < 50 ? dice : 0);
	if (dice < 800) /* late or twice, near */
		return road->next - random_below(&random_state, 20);
	if (dice < 985) /* around the window's edge */
		return road->next - random_below(&random_state, 1100);
	if (dice < 990) /* not to be guessed right */
		return road->next + 33000 + random_below(&random_state, 60000);
	if (road->next < road->arrived + 1000) /* else the last jump got lost */
		road->next += random_below(&random_state, 30000);
	return road->next;
}

static int compare(struct link *link, srtp_t oracle, bool rtcp, uint64_t index, unsigned int step)
{
	uint8_t copy[PACKET_MAX];
	int size = (int)link->packet.size, ours, theirs;

	memcpy(copy, link->data, link->packet.size);
	if (rtcp) {
		ours = srtp_receive_rtcp(&link->receiver, &link->packet);
		theirs = oracle_verdict(srtp_unprotect_rtcp(oracle, copy, &size), true);
	} else {
		ours = srtp_receive_rtp(&link->receiver, &link->packet);
		theirs = oracle_verdict(srtp_unprotect(oracle, copy, &size), false);
	}
	if (ours != theirs)
		ck_abort_msg("step %u, index %llx: %s, libsrtp2 says %s", step,
			(unsigned long long)index, ours ? stn_drop_name((unsigned int)ours) : "ok",
			theirs ? stn_drop_name((unsigned int)theirs) : "ok");
	if (ours == 0 &&
		((int)link->packet.size != size || memcmp(copy, link->data, (size_t)size) ||
			link->packet.index != index))
		ck_abort_msg("step %u, index %llx: another packet than libsrtp2's", step,
			(unsigned long long)index);
	return ours;
}

START_TEST(verdicts_are_those_of_libsrtp2)
{
	unsigned int steps = (getenv("STENTOR_LONG") ? 10000000 : 1000000) / 3 + 1;
	struct road road = {.next = 2000, .rtcp_next = 200};
	static const int seen[] = {
		OK, REPLAY, OLD, AUTH, STN_DROP_SRTCP_AUTH, STN_DROP_SRTCP_REPLAY};
	unsigned int verdicts[STN_DROP_COUNT] = {0};
	struct link link;
	srtp_t oracle;

	random_seed(&random_state);
	link_open(&link, &engine_ipsec_mb, suites[_i], 0);
	oracle = oracle_open(&link.key);
	for (unsigned int step = 0; step < steps; step++) {
		bool rtcp = random_below(&random_state, 10) == 0;
		bool harmed = random_below(&random_state, 8) == 0;
		uint64_t next = link.receiver.rtp.replay.next;
		uint64_t index;

		if (rtcp) {
			/* libsrtp2's SRTCP window is 128. */
			road.rtcp_next += random_below(&random_state, 3);
			index = road.rtcp_next - random_below(&random_state, 60);
			make_rtcp(&link, SSRC, (uint32_t)index);
		} else {
			index = road_rtp(&road);
			make_rtp(&link, SSRC, index, random_below(&random_state, 100));
		}
		if (harmed)
			link.data[link.packet.size - 1 -
				  random_below(&random_state, link.packet.size - 12)] ^= 0x10;
		verdicts[compare(&link, oracle, rtcp, index, step)]++;
		if (!rtcp && link.receiver.rtp.replay.next != next)
			road.arrived = link.receiver.rtp.replay.next;
	}
	ck_assert_uint_gt(link.receiver.rtp.replay.next >> 16, 20);
	for (unsigned int i = 0; i < sizeof(seen) / sizeof(seen[0]); i++)
		ck_assert_uint_gt(verdicts[seen[i]], 100);
	srtp_dealloc(oracle);
	link_close(&link);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("srtp");
	TCase *tcase = tcase_create("srtp");
	int rows = sizeof(cases) / sizeof(cases[0]);

	tcase_set_timeout(tcase, 600);
	tcase_add_loop_test(tcase, receiver_is_as_on_paper, 0, rows * 6);
	tcase_add_loop_test(tcase, cells_hold_the_next_index, 0, 3);
	tcase_add_loop_test(tcase, rtcp_without_the_e_bit_is_refused, 0, 6);
	tcase_add_test(tcase, a_cell_out_of_range_counts_as_empty);
	tcase_add_loop_test(tcase, every_size_is_taken, 0, 3);
	tcase_add_test(tcase, bad_keys_are_refused);
	tcase_add_loop_test(tcase, strangers_change_nothing, 0, 9);
	tcase_add_loop_test(tcase, verdicts_are_those_of_libsrtp2, 0, 3);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
