// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/core/rtp.h"

#include <errno.h>

#define VERSION 2
#define ONE_BYTE_PROFILE 0xbede
#define TWO_BYTE_PROFILE 0x1000
#define TWO_BYTE_MASK 0xfff0
#define ID_STOP 15

int rtp_parse(const uint8_t *data, unsigned int size, struct rtp *out)
{
	struct cursor cursor = cursor_init(data, size);
	unsigned int extension_size = 0;
	uint8_t first, second;
	struct rtp rtp = {0};

	if (size > UINT16_MAX)
		return -EINVAL;
	first = cursor_read8(&cursor);
	second = cursor_read8(&cursor);
	rtp.padding = first & 0x20;
	rtp.extension = first & 0x10;
	rtp.csrc_count = first & 0x0f;
	rtp.marker = second & 0x80;
	rtp.payload_type = second & 0x7f;
	rtp.sequence = cursor_read16(&cursor);
	rtp.timestamp = cursor_read32(&cursor);
	rtp.ssrc = cursor_read32(&cursor);
	cursor_take(&cursor, rtp.csrc_count * 4u);
	if (rtp.extension) {
		rtp.extension_profile = cursor_read16(&cursor);
		extension_size = cursor_read16(&cursor) * 4u;
		rtp.extension_offset = (uint16_t)(cursor.at - data);
		cursor_take(&cursor, extension_size);
	}
	if (cursor.failed || first >> 6 != VERSION)
		return -EINVAL;
	rtp.extension_size = (uint16_t)extension_size;
	rtp.header_size = (uint16_t)(cursor.at - data);
	*out = rtp;
	return 0;
}

int rtp_payload_size(
	const uint8_t *data, unsigned int size, const struct rtp *rtp, unsigned int *payload_size)
{
	unsigned int payload, padding = 0;

	if (size < rtp->header_size)
		return -EINVAL;
	payload = size - rtp->header_size;
	if (rtp->padding) {
		if (payload == 0)
			return -EINVAL;
		padding = data[size - 1];
		if (padding == 0 || padding > payload)
			return -EINVAL;
	}
	*payload_size = payload - padding;
	return 0;
}

struct rtp_extension_iterator rtp_extension_begin(const uint8_t *data, const struct rtp *rtp)
{
	bool two_byte = (rtp->extension_profile & TWO_BYTE_MASK) == TWO_BYTE_PROFILE;
	bool known = rtp->extension && (two_byte || rtp->extension_profile == ONE_BYTE_PROFILE);

	return (struct rtp_extension_iterator){
		.cursor =
			cursor_init(data + rtp->extension_offset, known ? rtp->extension_size : 0),
		.two_byte = two_byte,
	};
}

/*
 * RFC 8285 sections 4.2 and 4.3. In the one-byte form only a whole zero byte is padding: id 0 with
 * a length is not to be used, and since its length cannot be trusted nothing behind it is read.
 */
bool rtp_extension_next(struct rtp_extension_iterator *iterator, struct rtp_extension *out)
{
	struct cursor *cursor = &iterator->cursor;
	struct rtp_extension element;
	uint8_t first;

	do {
		if (cursor_left(cursor) == 0)
			return false;
		first = cursor_read8(cursor);
	} while (first == 0);
	if (iterator->two_byte) {
		element.id = first;
		element.size = cursor_read8(cursor);
	} else {
		element.id = first >> 4;
		element.size = (uint8_t)((first & 0x0f) + 1);
		if (element.id == ID_STOP || element.id == 0)
			cursor->failed = true;
	}
	element.data = cursor_take(cursor, element.size);
	if (element.data == NULL)
		return false;
	*out = element;
	return true;
}

unsigned int rtp_build(const struct rtp_outgoing *facts, uint8_t out[RTP_BUILD_MAX])
{
	unsigned int size = RTP_HEADER_SIZE;
	bool csrc = facts->csrc != 0, extension = facts->audio_level_id != 0;

	out[0] = (uint8_t)(VERSION << 6 | extension << 4 | csrc);
	out[1] = (uint8_t)(facts->marker << 7 | (facts->payload_type & 0x7f));
	bytes_store16(out + 2, facts->sequence);
	bytes_store32(out + 4, facts->timestamp);
	bytes_store32(out + 8, facts->ssrc);
	if (csrc) {
		bytes_store32(out + size, facts->csrc);
		size += 4;
	}
	if (extension) {
		bytes_store16(out + size, ONE_BYTE_PROFILE);
		bytes_store16(out + size + 2, 1);
		out[size + 4] = (uint8_t)(facts->audio_level_id << 4);
		out[size + 5] = facts->audio_level;
		out[size + 6] = 0;
		out[size + 7] = 0;
		size += 8;
	}
	return size;
}
