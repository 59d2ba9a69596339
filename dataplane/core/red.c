// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/core/red.h"

#include <errno.h>

#include "dataplane/core/bytes.h"

#define FOLLOWED 0x80 /* another block header comes behind this one */
#define LENGTH_MASK 0x3ff

int red_parse(const uint8_t *payload, unsigned int size, uint8_t payload_type, struct red *out)
{
	struct cursor cursor = cursor_init(payload, size);
	unsigned int blocks = 1, redundant = 0;
	uint8_t first;

	/* 1 bit F, 7 bits payload type, 14 bits timestamp offset, 10 bits length. */
	while ((first = cursor_read8(&cursor)) & FOLLOWED) {
		uint32_t rest = (uint32_t)cursor_read8(&cursor) << 16 | cursor_read16(&cursor);

		if (++blocks > RED_BLOCKS_MAX || (first & 0x7f) != payload_type)
			return -EINVAL;
		redundant += rest & LENGTH_MASK;
	}
	cursor_take(&cursor, redundant);
	if (cursor.failed || (first & 0x7f) != payload_type || cursor_left(&cursor) == 0)
		return -EINVAL;
	out->blocks = blocks;
	out->primary_offset = size - cursor_left(&cursor);
	return 0;
}
