// SPDX-License-Identifier: BSD-3-Clause
/* Ports as the configuration makes them: frames from a file, copies into another, and into nothing.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/io/harness.h"

#define PACKETS 20u
#define LISTENERS 5u

/* The file format of libpcap: a header, then a header for each frame; Ethernet is link type 1. */
struct pcap_file {
	uint32_t magic;
	uint16_t major, minor;
	uint32_t zone, accuracy, snap, link;
};

struct pcap_frame {
	uint32_t seconds, microseconds, kept, size;
};

static void frame_put(FILE *file, const uint8_t *frame, unsigned int size)
{
	struct pcap_frame header = {.kept = size, .size = size};

	ck_assert_uint_eq(fwrite(&header, sizeof(header), 1, file), 1);
	ck_assert_uint_eq(fwrite(frame, size, 1, file), 1);
}

/* What leg 0 will send: the harness gives it 198.51.0.0:5000. */
static void speech_put(FILE *file, struct peer *speaker)
{
	struct wire wire = {.source = {.family = 4, .port_be = htons(5000), .address = {198, 51}},
		.destination = {.family = 4, .port_be = htons(40000), .address = {192, 0, 2, 1}}};
	uint8_t packet[PACKET_MAX], frame[WIRE_MAX];

	wire.payload = packet;
	wire.payload_size = peer_packet(speaker, 20, "out of a file", 13, packet);
	frame_put(file, frame, wire_build(&wire, frame));
}

static void file_read(const char *path, struct peer *const listener[])
{
	uint8_t frame[WIRE_MAX];
	struct pcap_file header;
	struct pcap_frame next;
	FILE *file = fopen(path, "rb");
	struct wire wire;
	unsigned int i;

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fread(&header, sizeof(header), 1, file), 1);
	ck_assert_uint_eq(header.link, 1);
	while (fread(&next, sizeof(next), 1, file) == 1) {
		const char *wrong;

		ck_assert_uint_eq(next.kept, next.size);
		ck_assert_uint_le(next.size, sizeof(frame));
		ck_assert_uint_eq(fread(frame, next.size, 1, file), 1);
		wrong = wire_parse(frame, next.size, &wire);
		ck_assert_msg(wrong == NULL, "%s", wrong);
		for (i = 0; i < LISTENERS; i++)
			if (memcmp(&listener[i]->facts.remote, &wire.destination,
				    sizeof(wire.destination)) == 0)
				peer_take(listener[i], wire.payload, wire.payload_size);
	}
	fclose(file);
}

START_TEST(from_a_file_into_a_file)
{
	const struct pcap_file header = {0xa1b2c3d4, 2, 4, 0, 0, 65535, 1};
	struct harness_leg leg = {.role = STN_ROLE_SPEAKER, .rx_suite = 1, .audio_level_id = 1};
	char folder[] = "/tmp/stentor-io-XXXXXX", in[64], out[64];
	struct peer *speaker = calloc(1, sizeof(*speaker)), *listener[LISTENERS];
	struct random_state random;
	struct harness_room *room;
	struct harness *h;
	unsigned int i, n;
	FILE *file;

	ck_assert(engine_libsrtp.available()); /* libsrtp, before there is a relay */
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(in, sizeof(in), "%s/in.pcap", folder);
	snprintf(out, sizeof(out), "%s/out.pcap", folder);
	random_seed(&random);
	peer_keys(speaker, STN_SUITE_NONE, 1, &random);
	speaker->facts.payload_type = HARNESS_PAYLOAD_TYPE;
	speaker->ssrc = 0xa0000000u;
	speaker->sequence = 4711;
	speaker->level_id = 1;
	file = fopen(in, "wb");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(&header, sizeof(header), 1, file), 1);
	for (i = 0; i < PACKETS; i++)
		speech_put(file, speaker);
	frame_put(file, (const uint8_t *)"shorter than any frame", 22);
	fclose(file);
	h = harness_open(
		&(struct harness_options){.driver = "pcap", .file_in = in, .file_out = out});
	room = harness_room(h, 1, STN_SUITE_NONE, 0, 0);
	leg.ready = speaker;
	harness_join(h, room, &leg);
	for (i = 0; i < LISTENERS; i++) {
		leg = (struct harness_leg){.tx_suite = (uint8_t)(1 + i % 3), .family = i ? 4 : 6};
		listener[i] = harness_join(h, room, &leg);
	}
	/* Commands come before received packets, and take the time they need: nothing in the file
	 * is too early. */
	h->pool.worker[0]->slice_cycles = UINT64_MAX / 4;
	h->sent = PACKETS + 1;
	harness_fence(h);
	harness_until(h, harness_stats(h).rx_packets == PACKETS + 1);
	harness_settle(h);
	ck_assert_uint_eq(harness_stats(h).tx_packets, PACKETS * LISTENERS);
	ck_assert_uint_eq(harness_drops(h, STN_DROP_FRAME_NOT_IP), 1);
	/* The listeners outlive the relay: the file is complete when it has closed its port. */
	harness_room_remove(h, room);
	harness_fence(h);
	h->peer_count = 0;
	harness_close(h);
	file_read(out, listener);
	for (i = 0; i < LISTENERS; i++) {
		ck_assert_uint_eq(listener[i]->refused, 0);
		ck_assert_uint_eq(listener[i]->heard_count, PACKETS);
		for (n = 0; n < PACKETS; n++) {
			const struct heard *heard = &listener[i]->heard[n];

			ck_assert_uint_eq(heard->view.sequence, HARNESS_FIRST_INDEX + 1 + n);
			ck_assert_mem_eq(heard->payload, "out of a file", 13);
		}
		peer_close(listener[i]);
	}
	peer_close(speaker);
	unlink(in);
	unlink(out);
	rmdir(folder);
}
END_TEST

START_TEST(a_null_port_takes_everything)
{
	struct harness *h = harness_open(&(struct harness_options){.driver = "null", .workers = 2});
	struct harness_room *room = harness_room(h, 1, STN_SUITE_NONE, 0, 0);
	struct harness_leg leg = {.tx_suite = 1};
	unsigned int i;

	for (i = 0; i < 100; i++)
		harness_join(h, room, &leg);
	harness_fence(h);
	/* Nothing is received: a silent room costs no copies. */
	for (i = 0; i < 1000; i++)
		harness_turn(h);
	ck_assert_uint_eq(harness_stats(h).rx_packets, 0);
	ck_assert_uint_eq(harness_stats(h).copies, 0);
	ck_assert_uint_eq(harness_stats(h).legs, 100);
	harness_close(h);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("port");
	TCase *cases = tcase_create("port");

	tcase_set_timeout(cases, 60);
	tcase_add_test(cases, from_a_file_into_a_file);
	tcase_add_test(cases, a_null_port_takes_everything);
	suite_add_tcase(suite, cases);
	return harness_main(suite);
}
