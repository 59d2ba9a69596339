/* SPDX-License-Identifier: BSD-3-Clause */
/* DTLS between the writer and the workers; what the table server says of browsers. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/webrtc_scene.h"

/* ---- DTLS ---- */

static void send_datagram(
	int fd, uint64_t epoch, uint64_t leg_id, const struct stn_address *remote, const char *text)
{
	struct {
		struct stn_datagram head;
		char text[64];
	} message = {.head = {.header = {STN_TABLE_MAGIC, STN_TABLE_VERSION, STN_MESSAGE_DATAGRAM,
				      (uint32_t)(sizeof(message.head) + strlen(text)), 0, epoch},
			     .leg_id = leg_id,
			     .size = (uint32_t)strlen(text)}};

	if (remote)
		message.head.remote = *remote;
	memcpy(message.text, text, strlen(text));
	world_send(fd, &message, message.head.header.length);
	settle();
}

START_TEST(dtls_goes_to_the_writer_and_back)
{
	struct stn_address place = world_address(5);
	const struct stn_datagram *up = (const struct stn_datagram *)world.message;
	const struct bus_datagram *down;

	fill();
	fake_bus_up(&world.fake, facts_of(30), &place, "\x16hello");
	world_expect(&world, writer, STN_MESSAGE_DATAGRAM);
	ck_assert_uint_eq(up->leg_id, 30);
	ck_assert_uint_eq(up->size, 6);
	ck_assert_uint_eq(up->header.length, sizeof(*up) + 6);
	ck_assert(!memcmp(&up->remote, &place, sizeof(place)));
	ck_assert(!memcmp(up + 1, "\x16hello", 6));
	send_datagram(writer, 5, 30, &place, "\x16server");
	ck_assert_uint_eq(world.fake.worker[owner(30)].downs, 1);
	down = &world.fake.worker[owner(30)].down[0];
	ck_assert_uint_eq(down->leg, facts_of(30)->leg);
	ck_assert_uint_eq(down->leg_id, 30);
	ck_assert_uint_eq(down->size, 7);
	ck_assert(!memcmp(&down->remote, &place, sizeof(place)));
	ck_assert(!memcmp(down->bytes, "\x16server", 7));
	/* A speaker's goes to its owner, to the selected path. */
	send_datagram(writer, 5, 10, NULL, "\x17");
	down = &world.fake.worker[facts_of(10)->worker]
			.down[world.fake.worker[facts_of(10)->worker].downs - 1];
	ck_assert_uint_eq(down->leg_id, 10);
	ck_assert_uint_eq(down->remote.family, 0);
}
END_TEST

static uint64_t dropped(void)
{
	struct table_server_status status;

	table_server_status(world.server, &status);
	return status.datagrams_dropped;
}

START_TEST(dtls_that_cannot_be_delivered_is_dropped_and_counted)
{
	struct stn_op_leg_put native = world_leg(50, 1, STN_ROLE_LISTENER);
	struct stn_address place = world_address(5);
	const struct stn_stats *stats = (const struct stn_stats *)world.message;
	struct leg_facts gone;

	fill();
	op_leg(&native);
	committed();
	send_datagram(writer, 5, 999, NULL, "x");
	send_datagram(writer, 5, 50, NULL, "x");
	ck_assert_uint_eq(dropped(), 2);
	world.fake.down_full = true;
	send_datagram(writer, 5, 30, NULL, "x");
	ck_assert_uint_eq(dropped(), 3);
	gone = *facts_of(30);
	gone.leg_id = 31;
	fake_bus_up(&world.fake, &gone, &place, "x");
	settle();
	ck_assert_uint_eq(dropped(), 4);
	ck_assert(world_silent(&world, writer));
	world_send_header(writer, STN_MESSAGE_STATS, 4, 5);
	world_expect(&world, writer, STN_MESSAGE_STATS_REPLY);
	ck_assert_uint_eq(stats->datagrams_dropped, 4);
	/* Without a writer there is nobody to shake hands. */
	close(writer);
	settle();
	fake_bus_up(&world.fake, facts_of(30), &place, "x");
	settle();
	ck_assert_uint_eq(dropped(), 5);
	writer = world_client(&world, 5);
}
END_TEST

START_TEST(a_reader_may_not_speak_to_legs)
{
	struct stn_address place = world_address(5);
	int reader;

	fill();
	reader = world_client(&world, 0);
	send_datagram(reader, 0, 30, NULL, "x");
	world_expect(&world, reader, STN_MESSAGE_RESULT);
	ck_assert_uint_eq(result()->status, STN_STATUS_BAD_STATE);
	ck_assert_uint_eq(world.fake.worker[owner(30)].downs, 0);
	fake_bus_up(&world.fake, facts_of(30), &place, "x");
	ck_assert(world_silent(&world, reader));
	close(reader);
}
END_TEST

START_TEST(a_datagram_is_one_message)
{
	static const struct {
		const char *sentence;
		uint32_t size;   /* in the header of the datagram */
		uint32_t length; /* of the message behind it */
		uint8_t family;
	} cases[] = {
		{"nothing in it", 0, 0, 4},
		{"shorter than it says", 9, 8, 4},
		{"longer than it says", 7, 8, 4},
		{"too long", STN_DATAGRAM_MAX + 1, STN_DATAGRAM_MAX + 1, 4},
		{"as many bytes as 32 bits hold", UINT32_MAX, 8, 4},
		{"to family 5", 8, 8, 5},
	};
	uint8_t bytes[sizeof(struct stn_datagram) + STN_DATAGRAM_MAX + 1]
		__attribute__((aligned(8))) = {0};
	struct stn_datagram *head = (struct stn_datagram *)bytes;

	fill();
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		*head = (struct stn_datagram){
			.header = {STN_TABLE_MAGIC, STN_TABLE_VERSION, STN_MESSAGE_DATAGRAM,
				(uint32_t)sizeof(*head) + cases[i].length, 0, 5},
			.leg_id = 30,
			.remote = {.family = cases[i].family},
			.size = cases[i].size};
		world_send(writer, bytes, head->header.length);
		world_expect(&world, writer, STN_MESSAGE_RESULT);
		ck_assert_msg(result()->status == STN_STATUS_BAD_MESSAGE, "%s", cases[i].sentence);
		ck_assert_uint_eq(world_receive(&world, writer), 0);
		close(writer);
		writer = world_client(&world, 5);
	}
	ck_assert_uint_eq(world.fake.worker[owner(30)].downs, 0);
}
END_TEST

/* A flood of DTLS, and a writer that does not read: what matters has its space. */
START_TEST(dtls_starves_nothing)
{
	struct stn_address place = world_address(5);
	struct stn_op_leg_put leg = world_webrtc(30, 1, STN_ROLE_LISTENER);
	const struct stn_notice *notice = (const struct stn_notice *)world.message;
	char text[1201];
	unsigned int datagrams = 0;

	fill();
	subscribe();
	leg.end_ns = world_now_ns + 1000;
	op_leg(&leg);
	committed();
	memset(text, 0x16, 1200);
	text[1200] = 0;
	world.fake.up_endless = 5000;
	fake_bus_up(&world.fake, facts_of(30), &place, text);
	for (int i = 0; i < 40; i++)
		world_turn(&world);
	ck_assert_uint_gt(dropped(), 1000);
	world_now_ns += 1000; /* the leg's time is up: said, whatever else waits */
	settle();
	do {
		ck_assert_uint_gt(world_receive(&world, writer), 0);
		datagrams += notice->header.type == STN_MESSAGE_DATAGRAM;
	} while (notice->header.type != STN_MESSAGE_NOTICE);
	ck_assert_uint_eq(notice->type, STN_NOTICE_LEG_EXPIRED);
	ck_assert_uint_eq(datagrams + dropped(), 5001);
	committed();
}
END_TEST

/* ---- questions ---- */

static uint32_t explained(uint64_t source, uint64_t leg_id)
{
	struct stn_explain query = {.header = {STN_TABLE_MAGIC, STN_TABLE_VERSION,
					    STN_MESSAGE_EXPLAIN, sizeof(query), 3, 5},
		.leg_id = source};
	const struct stn_header *header = (const struct stn_header *)world.message;
	uint32_t reason = STN_EXPLAIN_COUNT;

	world_send(writer, &query, sizeof(query));
	while (world_receive(&world, writer) && header->type == STN_MESSAGE_EXPLAIN_REPLY) {
		const struct stn_explain_entry *entry = (const void *)(header + 1);

		for (; (const uint8_t *)entry < world.message + header->length; entry++)
			if (entry->leg_id == leg_id)
				reason = entry->reason;
	}
	ck_assert_uint_eq(header->type, STN_MESSAGE_EXPLAIN_END);
	if (leg_id == 0)
		return ((const struct stn_explain_summary *)header)->source_reason;
	return reason;
}

START_TEST(an_explanation_says_who_is_not_there_yet)
{
	struct stn_address place = world_address(5), other = world_address(6);

	fill();
	world.fake.slot_leg = 10;
	ck_assert_uint_eq(explained(10, 0), STN_EXPLAIN_NOT_VALIDATED);
	moved(10, &place);
	ck_assert_uint_eq(explained(10, 0), STN_EXPLAIN_NOT_VALIDATED);
	op_keys(10, STN_ROLE_SPEAKER);
	committed();
	ck_assert_uint_eq(explained(10, 0), STN_EXPLAIN_REACHED);
	ck_assert_uint_eq(explained(10, 30), STN_EXPLAIN_NOT_VALIDATED);
	op_keys(30, STN_ROLE_LISTENER);
	committed();
	ck_assert_uint_eq(explained(10, 30), STN_EXPLAIN_NOT_VALIDATED);
	moved(30, &other);
	ck_assert_uint_eq(explained(10, 30), STN_EXPLAIN_REACHED);
}
END_TEST

START_TEST(the_hello_says_where_media_is_received)
{
	struct stn_hello hello = {.header = {STN_TABLE_MAGIC, STN_TABLE_VERSION, STN_MESSAGE_HELLO,
					  sizeof(hello), 1, 0},
		.role = STN_CLIENT_READER};
	const struct stn_hello_reply *reply;
	int fd;

	table_server_close(world.server);
	world.config.media[0] = world_address(1);
	world.config.media[1] = world_address(2);
	world.config.media_count = 2;
	ck_assert_int_eq(table_server_open(&world.server, &world.config, &world.fake.bus), 0);
	fd = world_connect(&world);
	world_send(fd, &hello, sizeof(hello));
	reply = world_expect(&world, fd, STN_MESSAGE_HELLO_REPLY);
	ck_assert_uint_eq(reply->media_count, 2);
	ck_assert(!memcmp(reply->media, world.config.media, sizeof(reply->media)));
	close(fd);
}
END_TEST

START_TEST(the_first_packet_tells_its_ssrc)
{
	struct reply reply = {.type = REPLY_LEG_CONNECTED, .value = 0xfeedface};
	const struct stn_notice *notice;

	fill();
	subscribe();
	reply.handle = facts_of(10)->leg;
	fake_bus_reply(&world.fake, &reply);
	notice = next_notice();
	ck_assert_uint_eq(notice->type, STN_NOTICE_LEG_CONNECTED);
	ck_assert_uint_eq(notice->value, 0xfeedface);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("datagram");
	TCase *tests = tcase_create("datagram");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, scene_open, scene_close);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, dtls_goes_to_the_writer_and_back);
	tcase_add_test(tests, dtls_that_cannot_be_delivered_is_dropped_and_counted);
	tcase_add_test(tests, a_reader_may_not_speak_to_legs);
	tcase_add_test(tests, a_datagram_is_one_message);
	tcase_add_test(tests, dtls_starves_nothing);
	tcase_add_test(tests, an_explanation_says_who_is_not_there_yet);
	tcase_add_test(tests, the_hello_says_where_media_is_received);
	tcase_add_test(tests, the_first_packet_tells_its_ssrc);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
