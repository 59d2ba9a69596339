// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/core/rtcp.h"

#include <errno.h>
#include <string.h>

#include "dataplane/core/bytes.h"

#define VERSION 2
#define TYPE_FIRST 192
#define TYPE_LAST 223
#define SENDER_INFO_SIZE 20
#define REPORT_BLOCK_SIZE 24
#define SDES_CNAME 1

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

struct cursor rtcp_begin(const uint8_t *data, unsigned int size)
{
	return cursor_init(data, size);
}

bool rtcp_next(struct cursor *cursor, struct rtcp_item *out)
{
	struct packet packet;
	bool named;

	if (cursor_left(cursor) == 0 || !packet_next(cursor, &packet))
		return false;
	named = cursor_left(&packet.body) >= 4;
	*out = (struct rtcp_item){.type = packet.type, .count = packet.count};
	if (named)
		out->ssrc = cursor_read32(&packet.body);
	out->body = packet.body.at;
	out->size = cursor_left(&packet.body);
	return true;
}

bool rtcp_read_block(const struct rtcp_item *item, unsigned int position, struct rtcp_block *out)
{
	unsigned int before = position * REPORT_BLOCK_SIZE;
	struct cursor cursor = cursor_init(item->body, item->size);
	uint32_t word;

	if (item->type == RTCP_SR)
		before += SENDER_INFO_SIZE;
	else if (item->type != RTCP_RR)
		return false;
	cursor_take(&cursor, before);
	if (position >= item->count || cursor_left(&cursor) < REPORT_BLOCK_SIZE)
		return false;
	out->ssrc = cursor_read32(&cursor);
	word = cursor_read32(&cursor);
	out->fraction = (uint8_t)(word >> 24);
	out->lost = (int32_t)(word << 8) >> 8;
	out->highest = cursor_read32(&cursor);
	out->jitter = cursor_read32(&cursor);
	out->last_report = cursor_read32(&cursor);
	out->delay = cursor_read32(&cursor);
	return true;
}

bool rtcp_read_nack(const struct rtcp_item *item, unsigned int position, struct rtcp_nack *out)
{
	struct cursor cursor = cursor_init(item->body, item->size);
	struct rtcp_nack nack;

	if (item->type != RTCP_RTPFB || item->count != RTCP_NACK_FORMAT)
		return false;
	nack.ssrc = cursor_read32(&cursor);
	cursor_take(&cursor, position * 4);
	nack.sequence = cursor_read16(&cursor);
	nack.following = cursor_read16(&cursor);
	if (cursor.failed)
		return false;
	*out = nack;
	return true;
}

/* The packet's header; its length, in words less one, is known when it is complete. */
static uint8_t *put_header(uint8_t *at, unsigned int count, unsigned int type)
{
	at[0] = (uint8_t)(VERSION << 6 | count);
	at[1] = (uint8_t)type;
	return at + 4;
}

static uint8_t *put32(uint8_t *at, uint32_t value)
{
	bytes_store32(at, value);
	return at + 4;
}

static void put_length(uint8_t *header, const uint8_t *end)
{
	bytes_store16(header + 2, (uint16_t)((end - header) / 4 - 1));
}

/* One chunk with one item, ended by at least one zero, to a whole word (RFC 3550 section 6.5). */
static uint8_t *put_cname(uint8_t *header, uint32_t ssrc, const char *cname)
{
	size_t size = strlen(cname);
	uint8_t *at = put32(put_header(header, 1, RTCP_SDES), ssrc);

	if (size > RTCP_CNAME_MAX)
		size = RTCP_CNAME_MAX;
	at[0] = SDES_CNAME;
	at[1] = (uint8_t)size;
	memcpy(at + 2, cname, size);
	at += 2 + size;
	do
		*at++ = 0;
	while ((at - header) % 4 != 0);
	put_length(header, at);
	return at;
}

unsigned int rtcp_build_sender(
	const struct rtcp_sender *sender, const char *cname, uint8_t out[RTCP_BUILD_MAX])
{
	uint8_t *at = put32(put_header(out, 0, RTCP_SR), sender->ssrc);

	at = put32(put32(at, (uint32_t)(sender->ntp >> 32)), (uint32_t)sender->ntp);
	at = put32(put32(at, sender->timestamp), sender->packets);
	at = put32(at, sender->octets);
	put_length(out, at);
	return (unsigned int)(put_cname(at, sender->ssrc, cname) - out);
}

unsigned int rtcp_build_receiver(uint32_t ssrc, const struct rtcp_block *block, const char *cname,
	uint8_t out[RTCP_BUILD_MAX])
{
	uint8_t *at = put32(put_header(out, 1, RTCP_RR), ssrc);

	at = put32(at, block->ssrc);
	at = put32(at, (uint32_t)block->fraction << 24 | ((uint32_t)block->lost & 0xffffff));
	at = put32(put32(at, block->highest), block->jitter);
	at = put32(put32(at, block->last_report), block->delay);
	put_length(out, at);
	return (unsigned int)(put_cname(at, ssrc, cname) - out);
}
