// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/core/rtcp.h"

#include <errno.h>

#include "dataplane/core/bytes.h"

#define VERSION 2
#define TYPE_FIRST 192
#define TYPE_LAST 223
#define SENDER_INFO_SIZE 20
#define REPORT_BLOCK_SIZE 24

/* One packet of a compound: body is what follows its 4-byte header, without padding. */
struct packet {
	uint8_t type;
	uint8_t count; /* RC, SC or FMT */
	bool padding;
	struct cursor body;
};

static bool packet_next(struct cursor *cursor, struct packet *out)
{
	uint8_t first = cursor_read8(cursor);
	unsigned int size, padding = 0;
	const uint8_t *body;

	out->type = cursor_read8(cursor);
	size = cursor_read16(cursor) * 4u;
	body = cursor_take(cursor, size);
	if (body == NULL || first >> 6 != VERSION)
		return false;
	if (out->type < TYPE_FIRST || out->type > TYPE_LAST)
		return false;
	out->count = first & 0x1f;
	out->padding = first & 0x20;
	if (out->padding) {
		/* Counts itself and is a multiple of four (RFC 3550 section 6.4.1). */
		padding = size > 0 ? body[size - 1] : 0;
		if (padding == 0 || padding > size || padding % 4 != 0)
			return false;
	}
	out->body = cursor_init(body, size - padding);
	return true;
}

static bool read_sender_report(struct packet *packet, struct rtcp *out)
{
	struct rtcp_sender sender;

	sender.ssrc = cursor_read32(&packet->body);
	sender.ntp = cursor_read64(&packet->body);
	sender.timestamp = cursor_read32(&packet->body);
	sender.packets = cursor_read32(&packet->body);
	sender.octets = cursor_read32(&packet->body);
	cursor_take(&packet->body, packet->count * (unsigned int)REPORT_BLOCK_SIZE);
	if (packet->body.failed)
		return false;
	if (out->sender_reports++ == 0)
		out->sender = sender;
	out->report_blocks = (uint16_t)(out->report_blocks + packet->count);
	return true;
}

static bool read_receiver_report(struct packet *packet, struct rtcp *out)
{
	cursor_take(&packet->body, 4 + packet->count * (unsigned int)REPORT_BLOCK_SIZE);
	out->receiver_reports++;
	out->report_blocks = (uint16_t)(out->report_blocks + packet->count);
	return !packet->body.failed;
}

static bool read_packet(struct packet *packet, struct rtcp *out)
{
	switch (packet->type) {
	case RTCP_SR:
		return read_sender_report(packet, out);
	case RTCP_RR:
		return read_receiver_report(packet, out);
	case RTCP_BYE:
		/* The reason behind the SSRCs is for people; nobody reads it here. */
		cursor_take(&packet->body, packet->count * 4u);
		out->bye = true;
		return !packet->body.failed;
	case RTCP_RTPFB:
	case RTCP_PSFB:
		/* RFC 4585 section 6.1: sender and media SSRC. */
		cursor_take(&packet->body, 8);
		out->feedback++;
		return !packet->body.failed;
	default:
		return true;
	}
}

int rtcp_parse(const uint8_t *data, unsigned int size, struct rtcp *out)
{
	struct cursor cursor = cursor_init(data, size);
	struct rtcp rtcp = {0};
	struct packet packet;

	do {
		if (!packet_next(&cursor, &packet))
			return -EINVAL;
		if (packet.padding && cursor_left(&cursor) > 0)
			return -EINVAL;
		if (rtcp.packets++ == 0) {
			struct cursor first = packet.body;

			rtcp.reduced = packet.type != RTCP_SR && packet.type != RTCP_RR;
			rtcp.sender_ssrc = cursor_read32(&first);
		}
		if (!read_packet(&packet, &rtcp))
			return -EINVAL;
	} while (cursor_left(&cursor) > 0);
	*out = rtcp;
	return 0;
}
