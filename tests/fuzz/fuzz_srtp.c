// SPDX-License-Identifier: BSD-3-Clause
/*
 * Packets at a receiver, one after the other. The first byte says suite and whether the SSRC is
 * declared; then come records of kind (odd: SRTCP), size (16 bits) and bytes. The key is known, so
 * that seeds authenticate. Both engines see everything and must say the same.
 */
#include <string.h>

#include "dataplane/core/rtp.h"
#include "dataplane/core/srtp.h"
#include "tests/fuzz/fuzz.h"

#define PACKET_MAX 2048
#define ENGINES 2

struct side {
	const struct engine *engine;
	struct engine_core *core;
	struct srtp_receiver receiver;
	uint64_t rtp_cell, rtcp_cell;
	uint8_t data[PACKET_MAX];
	struct srtp_packet packet;
	int verdict;
};

static void side_open(struct side *side, const struct master_key *key, uint32_t ssrc)
{
	struct srtp_receiver_facts facts = {.engine = side->engine,
		.core = side->core,
		.key = key,
		.ssrc = ssrc,
		.rtp_cell = &side->rtp_cell,
		.rtcp_cell = &side->rtcp_cell};

	side->rtp_cell = side->rtcp_cell = 0;
	FUZZ_CHECK(srtp_receiver_open(&side->receiver, &facts) == 0);
}

static void side_receive(struct side *side, bool rtcp, const struct srtp_packet *received)
{
	uint64_t before = srtp_receiver_digest(&side->receiver, 0);

	memcpy(side->data, received->data, received->size);
	side->packet = *received;
	side->packet.data = side->data;
	side->verdict = rtcp ? srtp_receive_rtcp(&side->receiver, &side->packet)
			     : srtp_receive_rtp(&side->receiver, &side->packet);
	FUZZ_CHECK((side->verdict == 0) == (srtp_receiver_digest(&side->receiver, 0) != before));
}

/* What was accepted is what a holder of the key writes for that index, and nothing else. */
static void check_authentic(struct side *side, bool rtcp, const struct srtp_packet *received)
{
	uint8_t again[PACKET_MAX + ENGINE_SRTCP_TRAILER_MAX];
	uint32_t ssrc = rtcp ? side->receiver.rtcp.ssrc : side->receiver.rtp.ssrc;
	unsigned int size = side->packet.size;

	memcpy(again, side->data, size);
	size = rtcp ? side->engine->protect_rtcp(side->core, side->receiver.context, again, size,
			      ssrc, (uint32_t)side->packet.index)
		    : side->engine->protect(side->core, side->receiver.context, again,
			      received->header_size, size, ssrc, side->packet.index);
	FUZZ_CHECK(size == received->size);
	FUZZ_CHECK(memcmp(again, received->data, size) == 0);
}

static void deliver(struct side side[ENGINES], bool rtcp, const uint8_t *data, unsigned int size)
{
	struct srtp_packet received = {.data = (uint8_t *)data, .size = size};
	struct rtp rtp;

	if (!rtcp) {
		if (rtp_parse(data, size, &rtp) != 0)
			return;
		received.header_size = rtp.header_size;
	}
	for (unsigned int i = 0; i < ENGINES; i++)
		side_receive(&side[i], rtcp, &received);
	FUZZ_CHECK(side[0].verdict == side[1].verdict);
	if (side[0].verdict)
		return;
	FUZZ_CHECK(side[0].packet.size == side[1].packet.size);
	FUZZ_CHECK(side[0].packet.index == side[1].packet.index);
	FUZZ_CHECK(memcmp(side[0].data, side[1].data, side[0].packet.size) == 0);
	FUZZ_CHECK(side[0].rtp_cell == side[1].rtp_cell && side[0].rtcp_cell == side[1].rtcp_cell);
	check_authentic(&side[0], rtcp, &received);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct side side[ENGINES];
	struct master_key key;

	if (size < 1)
		return 0;
	key.suite = SUITE_AEAD_AES_128_GCM + data[0] % 3;
	memset(key.key, 0x42, sizeof(key.key));
	memset(key.salt, 0x17, sizeof(key.salt));
	for (unsigned int i = 0; i < ENGINES; i++) {
		side[i].engine = engine_at(i);
		FUZZ_CHECK(side[i].engine->available());
		if (!side[i].core)
			side[i].core = side[i].engine->open();
		FUZZ_CHECK(side[i].core != NULL);
		side_open(&side[i], &key, data[0] & 4 ? 0xcafebabe : 0);
	}
	for (size_t at = 1; at + 3 <= size;) {
		unsigned int length = (unsigned int)(data[at + 1] << 8 | data[at + 2]);
		bool rtcp = data[at] & 1;

		at += 3;
		if (length > size - at || length > PACKET_MAX)
			break;
		deliver(side, rtcp, data + at, length);
		at += length;
	}
	for (unsigned int i = 0; i < ENGINES; i++)
		srtp_receiver_close(&side[i].receiver);
	return 0;
}
