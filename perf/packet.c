// SPDX-License-Identifier: BSD-3-Clause
#include "perf/packet.h"

#include <errno.h>
#include <string.h>

/* Room for the tag (16) and the extension behind the largest payload. */
#define TRAILER_MAX 16

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static void put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, (uint16_t)(v >> 16));
	put16(p + 2, (uint16_t)v);
}

int packet_parse(struct packet_view *view, const uint8_t *bytes, unsigned int size)
{
	struct packet_view v = {0};
	unsigned int at = 12, padding = 0;

	if (size < 12 || bytes[0] >> 6 != 2)
		return -EBADMSG;
	v.csrc_count = bytes[0] & 15;
	v.marker = bytes[1] >> 7;
	v.payload_type = bytes[1] & 127;
	v.sequence = get16(bytes + 2);
	v.timestamp = get32(bytes + 4);
	v.ssrc = get32(bytes + 8);
	if (at + 4 * v.csrc_count > size)
		return -EBADMSG;
	for (unsigned int i = 0; i < v.csrc_count; i++, at += 4)
		v.csrc[i] = get32(bytes + at);
	if (bytes[0] & 0x10) {
		if (at + 4 > size)
			return -EBADMSG;
		v.extension_size = 4u * get16(bytes + at + 2);
		at += 4 + v.extension_size;
	}
	if (at > size)
		return -EBADMSG;
	if (bytes[0] & 0x20)
		padding = bytes[size - 1];
	if (padding > size - at)
		return -EBADMSG;
	v.payload = bytes + at;
	v.payload_size = size - at - padding;
	*view = v;
	return 0;
}

int packet_build(const struct packet_plan *plan, const uint8_t *payload, unsigned int payload_size,
	uint8_t *out)
{
	unsigned int at = 12;

	if (payload_size > PACKET_MAX - 12 - 8 - TRAILER_MAX)
		return -EMSGSIZE;
	out[0] = (uint8_t)(0x80 | (plan->level_id ? 0x10 : 0));
	out[1] = (uint8_t)((plan->marker ? 0x80 : 0) | plan->payload_type);
	put16(out + 2, plan->sequence);
	put32(out + 4, plan->timestamp);
	put32(out + 8, plan->ssrc);
	if (plan->level_id) {
		put16(out + at, 0xbede);
		put16(out + at + 2, 1);
		out[at + 4] = (uint8_t)(plan->level_id << 4);
		out[at + 5] = plan->level;
		put16(out + at + 6, 0);
		at += 8;
	}
	memcpy(out + at, payload, payload_size);
	return (int)(at + payload_size);
}

bool packet_is_rtcp(const uint8_t *bytes, unsigned int size)
{
	return size >= 8 && (bytes[1] & 127) >= 64 && (bytes[1] & 127) <= 95;
}
